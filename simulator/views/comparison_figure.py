"""Two sessions as one figure: two small sequence diagrams whose rows stand level.

What both say alike is quiet; a heavy line marks where they part, and below it stands out what
differs. Where one session has nothing to set against the other, its side is hatched.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.alignment import Comparison, Pair
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, languages, say
from simulator.session import Disconnect, Party
from simulator.views import comparison as words
from simulator.views import outline
from simulator.views.canvas import (
    AMBER,
    AMBER_GROUND,
    DARK,
    FAINT,
    GREEN,
    GREEN_GROUND,
    HAIR,
    INK,
    PAPER,
    QUIET,
    RED,
    RED_FILL,
    Canvas,
    Form,
    Style,
    drawable,
    width,
)
from simulator.views.inert import printable
from simulator.views.outline import Outline, Row

MARGIN = 36
COLUMN = 500
GUTTER = 76
INSET = 22
PITCH = 15
MOST_PAIRS = 200
MOST_LINES = 30

TITLE = Style(17, bold=True)
HOST = Style(10.5, QUIET, mono=True)
WIRE = Style(10.5, mono=True)
PROSE = Style(10, QUIET, italic=True)
SMALL_BOLD = Style(9.5, RED, bold=True)
SMALL = Style(9.5)
PART = Style(13, PAPER, bold=True)
VERDICT_HEAD = Style(12, bold=True)
VERDICT = Style(12)
KEY = Style(9.5, QUIET)
PALE = "#edf0f2"

Styled = tuple[str, str, Style]
"""A line of text, the full text if something had to be left out, and how it looks."""


class _Column(NamedTuple):
    left: float
    explanation: Explanation
    outline: Outline
    title: str

    def at(self, party: Party) -> float:
        """Where a lifeline stands."""
        ends = {"client": 12.0, "server": COLUMN - 12.0, "middlebox": COLUMN / 2}
        return self.left + ends[party]


def render(comparison: Comparison, language: str = SOURCE, form: Form = "svg") -> bytes:
    """Both sessions in one figure. Raises `UnknownLanguage`, `UnknownForm`."""
    if not drawable(languages().get(language, ""), form):
        language = SOURCE
    return _Sheet(comparison, language, form).draw()


class _Sheet:
    def __init__(self, comparison: Comparison, language: str, form: Form) -> None:
        self.comparison = comparison
        self.language = language
        self.wide = 2 * MARGIN + 2 * COLUMN + GUTTER
        self.canvas = Canvas(self.wide, language, form)
        starts = (MARGIN, MARGIN + COLUMN + GUTTER)
        sides = (comparison.left, comparison.right)
        self.columns = [
            _Column(float(left), side, outline.of(side), title)
            for left, side, title in zip(starts, sides, comparison.titles, strict=True)
        ]
        self.middle = self.wide / 2
        self.y = 0.0
        self.grounds = [AMBER_GROUND, AMBER_GROUND]

    def say(self, text: Text | str) -> str:
        return say(text, self.language)

    def draw(self) -> bytes:
        self._head()
        for place, pair in enumerate(self.comparison.pairs[:MOST_PAIRS]):
            if place == self.comparison.parting:
                self._parting()
            self._pair(pair)
        self._foot()
        title = " ⇄ ".join(self.comparison.titles)
        return self.canvas.save(self.y, title, self._description())

    def _head(self) -> None:
        top = bottom = MARGIN + 6.0
        for column in self.columns:
            y = top
            for line, full in self.canvas.wrap(column.title, TITLE, COLUMN, 3):
                y += 20
                self.canvas.text(column.left, y, line, TITLE, full=full)
                y += 4
            bottom = max(bottom, y)
        y = bottom + 6
        for column in self.columns:
            room = COLUMN / 2 - 16
            named = (("client", column.outline.client), ("server", column.outline.server))
            for role, name in named:
                label = self.say(outline.CLIENT if role == "client" else outline.SERVER)
                client = role == "client"
                x = column.left if client else column.left + COLUMN
                lines = self.canvas.wrap(f"{label}  {name or '?'}", HOST, room, 3)
                for index, (line, full) in enumerate(lines):
                    at = y + 14 + 13 * index
                    self.canvas.text(x, at, line, HOST, "left" if client else "right", full)
                    bottom = max(bottom, at)
        self.y = bottom + 10

    # Rows

    def _pair(self, pair: Pair) -> None:
        rows = [
            None if index is None else column.outline.rows[index]
            for column, index in zip(self.columns, (pair.left, pair.right), strict=True)
        ]
        told = [
            self._told(column, row, quiet=pair.same) if row else []
            for column, row in zip(self.columns, rows, strict=True)
        ]
        broken = [self._broken(row) if row else [] for row in rows]
        heights = [
            self._height(row, lines, notes)
            for row, lines, notes in zip(rows, told, broken, strict=True)
        ]
        high = max(heights)
        for index, (column, row) in enumerate(zip(self.columns, rows, strict=True)):
            if row is None:
                self._nothing(column, high)
            else:
                self._ground(index, column, row, high)
                self._event(column, row, told[index], broken[index], pair)
        self._mark(pair, self.y + min(h for h, row in zip(heights, rows, strict=True) if row) / 2)
        self.y += high

    def _place(self, column: _Column, row: Row) -> tuple[float, float]:
        """Where a row's text begins, and how much room it has: all the way, or half of it."""
        ends = {row.origin, row.target}
        if "middlebox" not in ends or isinstance(row.step.event, Disconnect):
            ends = {"client", "server"}
        start, end = sorted(map(column.at, ends))
        return start + INSET, end - start - 2 * INSET

    def _told(self, column: _Column, row: Row, quiet: bool) -> list[Styled]:
        _, room = self._place(column, row)
        wire = WIRE._replace(colour=QUIET if quiet else RED if row.forged else INK)
        lines: list[Styled] = []
        if row.label:
            style = PROSE._replace(bold=row.shape == "handshake")
            lines += [(*li, style) for li in self.canvas.wrap(self.say(row.label), style, room, 3)]
        most = 3 if len(row.text) == 1 else 1
        for part in row.text[:MOST_LINES]:
            lines += [(*li, wire) for li in self.canvas.wrap(part, wire, room, most)]
        if len(row.text) > MOST_LINES:
            rest = "\n".join(row.text[MOST_LINES:])
            lines.append((f"… {len(row.text) - MOST_LINES}", rest, PROSE))
        return lines

    def _broken(self, row: Row) -> list[list[Styled]]:
        room = COLUMN - 2 * INSET - 46
        found = []
        for note in row.notes:
            if not note.met:
                cited = self.canvas.wrap(outline.cited(note), SMALL_BOLD, room, 1)
                told = self.canvas.wrap(self.say(note.text), SMALL, room, 5)
                found.append([*((*li, SMALL_BOLD) for li in cited), *((*li, SMALL) for li in told)])
        return found

    def _height(self, row: Row | None, lines: list[Styled], notes: list[list[Styled]]) -> float:
        if row is None:
            return 0
        arrow = 12 if row.shape in ("arrow", "buffer") else 4
        return 8 + PITCH * len(lines) + arrow + sum(13 * len(note) + 15 for note in notes) + 8

    def _ground(self, index: int, column: _Column, row: Row, high: float) -> None:
        ground = GREEN_GROUND if row.secure else AMBER_GROUND
        if row.shape == "handshake":
            ground = PALE
        self.grounds[index] = ground
        self.canvas.rect(column.left, self.y, COLUMN, high, fill=ground, z=0)
        parties: list[Party] = ["client", "server"]
        if column.outline.middlebox:
            x = column.at("middlebox")
            self.canvas.line([(x, self.y), (x, self.y + high)], RED, 1, (0, (4, 3)), z=1)
        for party in parties:
            x = column.at(party)
            ends = [(x, self.y), (x, self.y + high)]
            if row.secure:
                self.canvas.line(ends, GREEN, 4, z=1)
                self.canvas.line(ends, PAPER, 1.6, z=1.1)
            elif row.shape == "handshake":
                self.canvas.line(ends, QUIET, 1.2, z=1)
            else:
                self.canvas.line(ends, AMBER, 1.2, (0, (5, 3)), z=1)

    def _nothing(self, column: _Column, high: float) -> None:
        self.canvas.rect(
            column.left, self.y, COLUMN, high, fill=PAPER, edge=HAIR, line=0, hatch="//", z=0
        )

    def _event(
        self, column: _Column, row: Row, lines: list[Styled], notes: list[list[Styled]], pair: Pair
    ) -> None:
        left, _ = self._place(column, row)
        y = self.y + 8
        back = PALE if row.shape == "handshake" else GREEN_GROUND if row.secure else AMBER_GROUND
        if lines and not pair.same:
            wide = max(width(line, style) for line, _, style in lines)
            self.canvas.rect(
                left - 6, y - 2, wide + 12, PITCH * len(lines) + 4, PAPER, HAIR, 1, corner=3
            )
        elif lines:
            wide = max(width(line, style) for line, _, style in lines)
            self.canvas.rect(left - 3, y, wide + 6, PITCH * len(lines), fill=back)
        for line, full, style in lines:
            self.canvas.text(left, y + 11, line, style, full=full)
            y += PITCH
        y += 6
        colour = RED if row.forged else FAINT if pair.same else INK
        if row.shape == "arrow":
            self._arrow(column, row, y, colour)
            y += 6
        self._number(column, row, y - 6 if row.shape == "arrow" else self.y + 14)
        for note in notes:
            high = 13 * len(note) + 9
            self.canvas.rect(
                column.left + 12 + INSET, y + 2, COLUMN - 2 * INSET - 24, high, RED_FILL, RED, 1
            )
            self.canvas.rect(column.left + 12 + INSET, y + 2, 5, high, RED, RED, 1)
            self.canvas.cross(column.left + INSET + 28, y + 13, 8, RED, 2.6)
            for index, (line, full, style) in enumerate(note):
                at = y + 2 + 13 * index + 14
                self.canvas.text(column.left + INSET + 40, at, line, style, full=full)
            y += high + 6

    def _arrow(self, column: _Column, row: Row, y: float, colour: str) -> None:
        start, end = column.at(row.origin), column.at(row.target)
        event = row.step.event
        if isinstance(event, Disconnect) and event.reason in ("cut", "timeout"):
            start, end = column.at("client"), column.at("server")
            middle = (start + end) / 2
            self.canvas.line([(start, y), (end, y)], colour, 1.4, (0, (4, 3)))
            self.canvas.cross(middle, y, 11, RED, 3)
        elif row.target == "middlebox":
            short = -9 if end < start else 9
            self.canvas.arrow(start, end - short, y, colour)
            self.canvas.cross(end, y, 11, RED, 3)
        else:
            self.canvas.arrow(start, end, y, colour, dash=(0, (5, 2)) if row.forged else "-")

    def _number(self, column: _Column, row: Row, y: float) -> None:
        x = column.at("server" if row.shape == "note" else row.origin)
        self.canvas.circle(x, y, 8, PAPER, RED if row.forged else QUIET)
        style = Style(8, QUIET, bold=True)
        self.canvas.text(x, y + 2.9, str(row.step.index + 1), style, "center", z=7)

    def _mark(self, pair: Pair, y: float) -> None:
        """In the gutter: alike, different, or only one of them."""
        x = self.middle
        if pair.left is None or pair.right is None:
            way = 1 if pair.left is None else -1
            tip = [(x + way * 5, y), (x - way * 4, y - 5), (x - way * 4, y + 5), (x + way * 5, y)]
            self.canvas.line(tip, INK, 0, fill=INK)
            return
        colour = FAINT if pair.same else INK
        for away in (-2.5, 2.5):
            self.canvas.line([(x - 6, y + away), (x + 6, y + away)], colour, 1.8)
        if not pair.same:
            self.canvas.line([(x - 4, y + 7), (x + 4, y - 7)], RED, 2)

    def _parting(self) -> None:
        lines = self.canvas.wrap(self.say(words.PART), PART, self.wide - 2 * MARGIN - 40, 2)
        high = 18 * len(lines) + 10
        self.canvas.rect(0, self.y, self.wide, high, fill=DARK, z=4)
        for index, (line, full) in enumerate(lines):
            self.canvas.text(self.middle, self.y + 19 + 18 * index, line, PART, "center", full)
        self.y += high

    # Foot

    def _foot(self) -> None:
        left = len(self.comparison.pairs) - MOST_PAIRS
        if left > 0:
            text = self.say(Text(N_("{count} more events are not drawn."), {"count": left}))
            self.canvas.text(MARGIN, self.y + 16, text, PROSE)
            self.y += 22
        if self.comparison.parting is None:
            for line, full in self.canvas.wrap(
                self.say(words.ALIKE), VERDICT_HEAD, self.wide - 2 * MARGIN, 2
            ):
                self.y += 22
                self.canvas.text(self.middle, self.y, line, VERDICT_HEAD, "center", full)
        self.y += 18
        told = []
        for column, notes in zip(self.columns, self.comparison.broken, strict=True):
            outcome = self.say(column.explanation.verdict.outcome)
            lines = [(*li, VERDICT) for li in self.canvas.wrap(outcome, VERDICT, COLUMN - 32, 7)]
            if notes:
                only = printable(words.only(notes, self.language))
                red = Style(10, RED, bold=True)
                lines += [(*li, red) for li in self.canvas.wrap(only, red, COLUMN - 32, 4)]
            told.append(lines)
        high = 18 * max(map(len, told)) + 42
        for column, lines in zip(self.columns, told, strict=True):
            self.canvas.rect(column.left, self.y, COLUMN, high, PAPER, INK, 1.4, corner=5)
            y = self.y + 22
            self.canvas.text(column.left + 16, y, self.say(words.VERDICT), VERDICT_HEAD)
            for line, full, style in lines:
                y += 18
                self.canvas.text(column.left + 16, y, line, style, full=full)
        self.y += high + 16
        self._keys()
        self.y += MARGIN - 10

    def _keys(self) -> None:
        x = float(MARGIN)
        keys = (
            (self.say(outline.CLEAR), False),
            (self.say(outline.INSIDE), True),
        )
        for text, secure in keys:
            ground, colour = (GREEN_GROUND, GREEN) if secure else (AMBER_GROUND, AMBER)
            self.canvas.rect(x, self.y + 1, 30, 14, ground, HAIR, 0.8)
            self.canvas.lock(x + 15, self.y + 12, 9, secure, colour)
            self.canvas.text(x + 38, self.y + 11.5, text, KEY)
            x += 38 + width(text, KEY) + 26
        self.canvas.rect(x, self.y + 1, 30, 14, PAPER, HAIR, 0.8, hatch="//")
        nothing = self.say(N_("nothing beside it"))
        self.canvas.text(x + 38, self.y + 11.5, nothing, KEY)
        self.y += 20

    def _description(self) -> str:
        """The comparison in words, for who cannot see it."""
        return words.text(self.comparison, self.language)
