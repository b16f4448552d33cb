"""An explanation that shows itself: what `replay` and `explain` give to a notebook."""

from __future__ import annotations

import os
from typing import Literal

from simulator.explainer import Explanation
from simulator.language import SOURCE, UnknownLanguage, languages, say

_spoken = {"language": os.environ.get("EHLO_TWICE_LANG", SOURCE).replace("-", "_")}


def speak(language: str) -> None:
    """Show everything in `language` from now on (at first that of EHLO_TWICE_LANG, or English).

    Raises `UnknownLanguage`.
    """
    code = language.replace("-", "_")
    if code not in languages():
        raise UnknownLanguage(f"no language {language!r}: there are {', '.join(languages())}")
    _spoken["language"] = code


def spoken() -> str:
    """The language things are shown in."""
    return _spoken["language"]


class Shown(Explanation, frozen=True, kw_only=True):
    """An `Explanation` that a notebook shows as the player when a cell ends in it."""

    def _repr_html_(self) -> str:
        from simulator.views import player

        return player.fragment(self, spoken())

    def _repr_markdown_(self) -> str:
        from simulator.views import markdown

        return markdown.render(self, spoken())

    def _repr_svg_(self) -> str | None:
        from simulator.views.canvas import NoFigures

        try:
            return self.drawing().decode()
        except NoFigures:
            return None

    def __repr__(self) -> str:
        session = self.session
        name = session.scenario or session.connection or session.source
        return f"<explanation of {name!r}: {self.outcome}>"

    def __str__(self) -> str:
        """The annotated log."""
        from simulator.views import annotated

        return annotated.render(self, spoken())

    @property
    def outcome(self) -> str:
        """The verdict's sentence."""
        return say(self.verdict.outcome, spoken())

    def drawing(self, form: Literal["svg", "png", "pdf"] = "svg") -> bytes:
        """The sequence diagram."""
        from simulator.views import drawing

        return drawing.render(self, spoken(), form=form)


def shown(explanation: Explanation) -> Shown:
    """The same explanation, able to show itself."""
    return Shown(session=explanation.session, steps=explanation.steps, verdict=explanation.verdict)
