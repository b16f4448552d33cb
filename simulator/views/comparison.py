"""Two sessions side by side: in a terminal, as Markdown, and as JSON.

What both say alike stands quiet; where they part is marked, and from there on what only one side
says stands out. Below stand both verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

import msgspec

from simulator.alignment import Comparison, Pair
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.rules import Note
from simulator.session import as_json
from simulator.views import markdown as marked
from simulator.views import outline, prose
from simulator.views.inert import printable
from simulator.views.json import Explained, explained
from simulator.views.lines import cells, wrap
from simulator.views.outline import Row

PART = N_("Here they part")
ALIKE = N_("The two sessions do not part: they say the same.")
VERDICT = N_("Verdict")
ONLY = N_("Rules broken on this side only: {rules}")
LINES = 30
"""Lines of one event that are shown."""

NARROWEST = 60
ARROWS = {(False, True): "─▶", (False, False): "◀─", (True, True): "═▶", (True, False): "◀═"}


def text(
    comparison: Comparison, language: str = SOURCE, *, width: int = 100, colour: bool = False
) -> str:
    """Both sessions in two columns, `width` cells wide."""
    half = (max(width, NARROWEST) - 3) // 2
    left, right = (outline.of(side) for side in (comparison.left, comparison.right))

    def ink(code: str, told: str) -> str:
        return f"\x1b[{code}m{told}\x1b[0m" if colour and told.strip() else told

    def beside(one: Sequence[str], other: Sequence[str], mark: str, code: str) -> Iterator[str]:
        for a, b in zip_longest(one, other, fillvalue=""):
            pad = " " * (half - cells(a))
            yield f"{ink(code, a)}{pad} {mark} {ink(code, b)}".rstrip()
            mark = "│"

    def column(told: str, most: int = 6) -> list[str]:
        return wrap(printable(told), half, most)[0]

    titles = comparison.titles
    written = [*beside(column(titles[0]), column(titles[1]), "│", "1")]
    written.append("─" * (half + 1) + "┼" + "─" * (half + 1))
    for place, pair in enumerate(comparison.pairs):
        if place == comparison.parting:
            told = f" {say(PART, language)} "
            space = 2 * half + 3 - cells(told)
            written.append(ink("1;31", "━" * (space // 2) + told + "━" * (space - space // 2)))
        one = _told(left.rows, pair.left, half, language)
        other = _told(right.rows, pair.right, half, language)
        written += beside(one, other, _mark(pair), "2" if pair.same else "")
        broken = [
            [line for note in notes for line in _finding(note, half)]
            for notes in findings(comparison, pair, language)
        ]
        written += beside(broken[0], broken[1], "│", "31")
    written.append("─" * (half + 1) + "┼" + "─" * (half + 1))
    if comparison.parting is None:
        written += [say(ALIKE, language)]
    heads = say(VERDICT, language)
    written += beside([heads], [heads], "│", "1")
    outcomes = [column(say(side.verdict.outcome, language), 10) for side in _sides(comparison)]
    written += beside(outcomes[0], outcomes[1], "│", "")
    alone = [column(only(notes, language), 6) if notes else [] for notes in comparison.broken]
    written += beside(alone[0], alone[1], "│", "31")
    return "\n".join(written) + "\n"


def markdown(comparison: Comparison, language: str = SOURCE) -> str:
    """Both sessions as a Markdown table."""
    left, right = (outline.of(side) for side in _sides(comparison))
    titles = [marked.escape(title) for title in comparison.titles]
    written = [f"# {titles[0]} ⇄ {titles[1]}", ""]
    if comparison.parting is None:
        written += [say(ALIKE, language), ""]
    written += [f"| {titles[0]} |  | {titles[1]} |", "| --- | :-: | --- |"]
    for place, pair in enumerate(comparison.pairs):
        if place == comparison.parting:
            part = f"**{say(PART, language)}**"
            written.append(f"| {part} | | {part} |")
        notes = findings(comparison, pair, language)
        cellular = [
            _cell(rows, index, found, language)
            for rows, index, found in zip(
                (left.rows, right.rows), (pair.left, pair.right), notes, strict=True
            )
        ]
        written.append(f"| {cellular[0]} | {_mark(pair)} | {cellular[1]} |")
    outcomes = [
        f"**{say(side.verdict.outcome, language, marked.escape)}**" for side in _sides(comparison)
    ]
    written.append(f"| {outcomes[0]} | | {outcomes[1]} |")
    if any(comparison.broken):
        alone = [
            marked.escape(only(notes, language)) if notes else "" for notes in comparison.broken
        ]
        written.append(f"| {alone[0]} | | {alone[1]} |")
    return "\n".join(written) + "\n"


class SaidComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison for programs: both explanations, and which events stand beside each other.

    `pairs` hold indices of steps; `parting` is the place in `pairs` where the sessions differ for
    the first time, null if they do not.
    """

    format: Literal["ehlo-twice/comparison"] = "ehlo-twice/comparison"
    version: Literal[2] = 2
    titles: tuple[str, str]
    parting: int | None
    pairs: tuple[Pair, ...]
    explanations: Explained


def json(comparison: Comparison, language: str = SOURCE) -> str:
    """The comparison as JSON text, indented for people."""
    found = SaidComparison(
        titles=comparison.titles,
        parting=comparison.parting,
        pairs=comparison.pairs,
        explanations=explained(_sides(comparison), language),
    )
    return as_json(found)


def schema() -> dict[str, object]:
    """The JSON Schema of a comparison (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ehlo-twice comparison, version 2",
        **msgspec.json.schema(SaidComparison),
    }


def _sides(comparison: Comparison) -> tuple[Explanation, Explanation]:
    return comparison.left, comparison.right


def _finding(note: str, room: int) -> list[str]:
    lines, _ = wrap(printable(note), room - 9, 6)
    return [f"       {' ' if at else '✗'} {line}" for at, line in enumerate(lines)]


def _mark(pair: Pair) -> str:
    """How two events stand to each other: alike, different, or one of them alone."""
    if pair.left is None:
        return "▸"
    if pair.right is None:
        return "◂"
    return "=" if pair.same else "≠"


def only(notes: Sequence[Note], language: str) -> str:
    """The rules broken on one side only, in a sentence."""
    rules = ", ".join(dict.fromkeys(note.rule for note in notes))
    return say(Text(ONLY, {"rules": rules}), language)


def findings(comparison: Comparison, pair: Pair, language: str) -> tuple[list[str], list[str]]:
    """The rules broken at both events of a pair, in words."""

    def at(side: Explanation, index: int | None) -> list[str]:
        notes = side.steps[index].notes if index is not None else ()
        return [
            f"{outline.cited(note)} · {say(prose.LEVEL[note.level], language)}: "
            f"{say(note.text, language)}"
            for note in notes
            if not note.met
        ]

    return at(comparison.left, pair.left), at(comparison.right, pair.right)


def _said(row: Row, language: str) -> list[str]:
    """What an event says: its label, then its lines."""
    label = [say(row.label, language)] if row.label else []
    lines = [*row.text[:LINES]]
    if len(row.text) > LINES:
        lines.append(f"… {len(row.text) - LINES}")
    return [*label, *lines]


def _rightward(row: Row) -> bool:
    return row.target == "server" or row.origin == "client"


def _told(rows: Sequence[Row], index: int | None, room: int, language: str) -> list[str]:
    if index is None:
        return []
    row = rows[index]
    arrow = ARROWS[row.secure, _rightward(row)] if row.shape == "arrow" else "··"
    if row.shape == "handshake":
        arrow = "◆ "
    head = f"{index + 1:>3} {arrow} "
    lines = [
        line
        for said in _said(row, language)
        for line in wrap(printable(said), room - cells(head), 2)[0]
    ]
    return [f"{head if not at else ' ' * cells(head)}{line}" for at, line in enumerate(lines)]


def _cell(rows: Sequence[Row], index: int | None, notes: Sequence[str], language: str) -> str:
    if index is None:
        return ""
    row = rows[index]
    arrow = ("→" if _rightward(row) else "←") if row.shape == "arrow" else ""
    head = f"{index + 1} {prose.LOCK[row.secure]} {arrow}".rstrip()
    label = [marked.escape(say(row.label, language))] if row.label else []
    lines = [_code(line) for line in row.text[:LINES] if line]
    broken = [f"**✗** {marked.escape(note)}" for note in notes]
    return "<br>".join([f"{head} {' '.join(label)}".rstrip(), *lines, *broken])


def _code(text: str) -> str:
    """Code in a cell: nothing inside ends the code or the cell, not even a stroke after a
    backslash, which a code span cannot hold there."""
    shown = "".join(
        char if char.isalnum() or char in " ." or not char.isascii() else f"&#{ord(char)};"
        for char in printable(text)
    )
    return f"<code>{shown}</code>"
