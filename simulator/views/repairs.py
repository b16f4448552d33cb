"""The table of repairs that a restoration made, and what it left as it is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from simulator.language import N_, SOURCE, Text, say
from simulator.restore import Repair, Restoration
from simulator.views.inert import printable

WIDTH = 100
MISSING = N_("(missing)")
TAKEN_OUT = N_("(taken out)")
PLACES = {
    False: N_("{change} (line {lines})"),
    True: N_("{change} (lines {lines})"),
}
"""A repair with the line where it was made; with the lines, if there are several."""


def render(restored: Restoration, language: str = SOURCE, *, colour: bool = False) -> str:
    """The table as plain text, one row for what was found and restored, the lines, and why."""
    return "\n".join(_lines(restored, language, colour=colour)) + "\n"


def _lines(restored: Restoration, language: str, *, colour: bool) -> Iterator[str]:
    if restored.left_out:
        text = Text(
            N_("Lines of the page around the log, left out: {count}"),
            {"count": len(restored.left_out)},
        )
        yield say(text, language)
    if not restored.repairs and not restored.unknown:
        yield say(
            N_(
                "Nothing to repair was found. The text behind a reply code was written by people; "
                "it stays as it is."
            ),
            language,
        )
        return
    counted = Text(N_("Repairs: {count}"), {"count": len(restored.repairs)})
    yield say(counted, language)
    for (found, became, why), places in _grouped(restored.repairs, language).items():
        yield from _row(places, f"{found} → {became}", why, "33" if colour else "", language)
    if restored.unknown:
        left = Text(N_("Left as it is: {count}"), {"count": len(restored.unknown)})
        yield say(left, language)
        for unknown in restored.unknown:
            why = say(unknown.why, language, printable)
            yield from _row(
                [unknown.line], printable(unknown.text), why, "31" if colour else "", language
            )


def _grouped(repairs: tuple[Repair, ...], language: str) -> dict[tuple[str, str, str], list[int]]:
    """The lines of each repair; the same one made on many lines is told once."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for repair in repairs:
        key = (
            printable(repair.found) or say(MISSING, language),
            printable(repair.restored) or say(TAKEN_OUT, language),
            say(repair.reason, language, printable),
        )
        places = found.setdefault(key, [])
        if repair.line not in places:
            places.append(repair.line)
    return found


def _row(places: list[int], what: str, why: str, style: str, language: str) -> Iterator[str]:
    change = f"\x1b[{style}m{what}\x1b[0m" if style else what
    shown = Text(PLACES[len(places) > 1], {"change": change, "lines": ranges(places)})
    yield f"  {say(shown, language)}"
    yield from textwrap.wrap(
        why, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4, break_on_hyphens=False
    )


def ranges(places: list[int], to: str = "-") -> str:
    """Line numbers in short: `16-18, 21`."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}{to}{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
