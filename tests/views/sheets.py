"""Drawn sheets, read back from their SVG and measured by a renderer that did not lay them out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple
from xml.etree import ElementTree

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

SVG = "{http://www.w3.org/2000/svg}"


class Placed(NamedTuple):
    """A text on a sheet and the box that it fills, in points from the upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def sheet(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def size(svg: bytes) -> tuple[float, float]:
    _, _, wide, high = map(float, sheet(svg).attrib["viewBox"].split())
    return wide, high


def texts(svg: bytes) -> list[Placed]:
    """All texts of the sheet."""
    return list(_placed(sheet(svg)))


def words(svg: bytes) -> str:
    """All texts, in the order of reading: one line for all that stand at one height."""
    rows: dict[int, list[Placed]] = {}
    for placed in texts(svg):
        rows.setdefault(round(placed.bottom / 3), []).append(placed)
    lines = ("   ".join(p.text for p in sorted(row, key=lambda p: p.left)) for row in rows.values())
    return "\n".join(line for _, line in sorted(zip(rows, lines, strict=True))) + "\n"


def collisions(svg: bytes) -> list[tuple[str, str]]:
    """Pairs of texts that stand in each other's way."""
    return [
        (one.text, other.text)
        for one, other in combinations(sorted(texts(svg), key=lambda p: p.top), 2)
        if one.left < other.right - 0.5
        and other.left < one.right - 0.5
        and one.top < other.bottom - 0.5
        and other.top < one.bottom - 0.5
    ]


def outside(svg: bytes, margin: float = 8) -> list[Placed]:
    """Texts that come nearer to the edge than `margin`, or leave the sheet."""
    wide, high = size(svg)
    return [
        p
        for p in texts(svg)
        if p.left < margin or p.top < margin or p.right > wide - margin or p.bottom > high - margin
    ]


def _placed(root: ElementTree.Element) -> Iterator[Placed]:
    for element in root.iter(f"{SVG}text"):
        style = element.attrib["style"]
        text = element.text or ""
        points = float(re.search(r"font-size: ([\d.]+)px", style)[1])  # type: ignore[index]
        anchor = re.search(r"text-anchor: (\w+)", style)
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        wide = _width(
            text, points, "class" in element.attrib, "font-weight: 700" in style, "italic" in style
        )
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor[1] if anchor else ""]
        if text.strip():
            yield Placed(text, left, y - 0.76 * points, left + wide, y + 0.24 * points)


@cache
def _canvas() -> Any:
    return FigureCanvasAgg(Figure(dpi=72))


@cache
def _width(text: str, points: float, mono: bool, bold: bool, italic: bool) -> float:
    font = FontProperties(
        family="DejaVu Sans Mono" if mono else "DejaVu Sans",
        size=points,
        weight="bold" if bold else "normal",
        style="italic" if italic else "normal",
    )
    canvas = _canvas()
    # DejaVu has no ideographs; in any font that has, they are one em wide.
    ideographs = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    text = "".join(char for char in text if unicodedata.east_asian_width(char) not in "WF")
    renderer = canvas.get_renderer()
    with matplotlib.rc_context({"text.hinting": "none"}):
        artist = Text(0, 0, text, fontproperties=font, parse_math=False, figure=canvas.figure)
        width: float = artist.get_window_extent(renderer).width
        return width + ideographs * points
