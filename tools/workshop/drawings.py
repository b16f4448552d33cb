"""The drawing of a session for wall and paper: with its title, and where it may be cut."""

from __future__ import annotations

import re

from simulator.views import drawing
from tools.site.experiments import title
from tools.site.page import LANGUAGES
from tools.site.plays import play, scenarios


def draw(name: str, language: str) -> bytes:
    """The sequence diagram of a scenario, as SVG, in a page's language."""
    scenario = next(scenario for scenario in scenarios() if scenario.name == name)
    return drawing.render(play(name), LANGUAGES[language], title=title(scenario, language))


def pieces(drawing: str) -> list[tuple[float, float, float]]:
    """A drawing in two pieces of about the same height: where each begins, its width and height.

    It is cut where a ground ends, for nothing is written across that. A ground is drawn from the
    left edge on. Where none ends near the middle, the drawing stays whole.
    """
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
    assert size is not None
    width, height = float(size[1]), float(size[2])
    edges = [float(y) for y in re.findall(r'<path d="M 0 ([\d.]+) ', drawing)]
    cut = min(edges, key=lambda y: abs(y - height / 2))
    if not 0.25 < cut / height < 0.75:
        return [(0, width, height)]
    return [(0, width, cut), (cut, width, height - cut)]
