"""Text broken into lines of some room, whatever the room is measured in.

Host names and reply texts have few spaces and no length limit worth the name, and some languages
have no spaces at all: so the rules for where a line may end are here, once, for figures (measured
in points) and for terminals (measured in cells).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

Advance = Callable[[str], float]
"""How much room one character takes."""

MOST = 4000
"""Characters of a text that are looked at; what comes after is left out as if it did not fit."""

_SOFT = frozenset(".-_@=:/,;<>+")
_NEVER_FIRST = frozenset("、。，．・：；？！）」』】〉》ーぁぃぅぇぉっゃゅょァィゥェォッャュョ…")


def cell(char: str) -> int:
    """The cells that a character takes in a terminal."""
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(text: str) -> int:
    """The cells that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(map(cell, text))


def wrap(text: str, room: float, most: int = 1, advance: Advance = cell) -> tuple[list[str], bool]:
    """Break `text` into at most `most` lines, none longer than `room`.

    It breaks at spaces, else after the marks in host names and addresses, else anywhere; what does
    not fit ends in an ellipsis, and the second value is then True.
    """
    cut = len(text) > MOST
    text = text[:MOST]
    found: list[str] = []
    while text:
        fits = _fitting(text, room, advance)
        if fits >= len(text) and not (cut and len(found) + 1 == most):
            found.append(text)
            return found, cut
        if len(found) + 1 == most:
            fits = _fitting(text, room - advance("…"), advance)
            found.append(text[:fits].rstrip() + "…")
            return found, True
        at = _break(text, fits)
        found.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return found or [""], cut


def _fitting(text: str, room: float, advance: Advance) -> int:
    used = 0.0
    for at, char in enumerate(text):
        used += advance(char)
        if used > room:
            return at
    return len(text)


def _break(text: str, fits: int) -> int:
    """Where a line ends that has room for `fits` letters."""
    soft = 0
    for at in range(fits, 0, -1):
        before, after = text[at - 1], text[at] if at < len(text) else " "
        if before == " " or after == " ":
            # A long name after a short word begins beside it rather than below.
            return at if at > fits // 2 or not soft else soft
        wide = unicodedata.east_asian_width(before) in "WF" or (
            unicodedata.east_asian_width(after) in "WF"
        )
        if wide and after not in _NEVER_FIRST:
            return at
        if not soft and before in _SOFT:
            soft = at
    return soft if soft > fits // 3 else max(fits, 1)
