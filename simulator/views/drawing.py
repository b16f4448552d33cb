"""The sequence diagram: the whole session on one sheet, fit for a classroom wall.

Between two lifelines runs what crossed the wire, on one ground where everybody could read it and on
another inside TLS. At both margins stand the ledgers: what a side learns appears beside the line
that teaches it, is struck out at the handshake, and comes back inside TLS. That is the picture of
RFC 3207 §4.2, and the answer to why there is a second EHLO.

Nothing is told by colour alone: dashed and open stands for in the clear, solid and closed for TLS.
In a PNG or PDF a language whose letters no font here has falls back to English, and the sheet says
so; an SVG always keeps the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from simulator.explainer import Explanation
from simulator.knowledge import DISCARDS, Fact
from simulator.language import N_, SOURCE, Text, languages, say
from simulator.rules import Note
from simulator.session import Command, Disconnect, Handshake, Party, Side
from simulator.views import document, outline, prose
from simulator.views.canvas import (
    AMBER,
    AMBER_FILL,
    AMBER_GROUND,
    DARK,
    FAINT,
    GREEN,
    GREEN_FILL,
    GREEN_GROUND,
    HAIR,
    INK,
    PAPER,
    QUIET,
    RED,
    RED_FILL,
    Align,
    Canvas,
    Form,
    Style,
    drawable,
)
from simulator.views.inert import printable
from simulator.views.outline import Outline, Row

MOST_EVENTS = 240
"""A longer session is drawn up to here; the sheet says how much is missing."""

PITCH = 16
CHIP = 14
MOST_LINES = 60

TITLE = Style(25, bold=True)
SUBTITLE = Style(11.5, QUIET)
ROLE = Style(10, QUIET)
HOST = Style(12, mono=True, bold=True)
HEADING = Style(10.5, INK, bold=True)
GROUND = Style(11, INK, bold=True)
ZONE = Style(10.5, QUIET, italic=True)
WIRE = Style(11.5, mono=True)
PROSE = Style(10.5, QUIET, italic=True)
SMALL = Style(9.5, QUIET)
SMALL_BOLD = Style(9.5, INK, bold=True)
FACT = Style(9.5, mono=True)
BADGE = Style(8.5, QUIET, bold=True)
VERDICT = Style(13.5)
VERDICT_HEAD = Style(13.5, bold=True)

SIDES: tuple[Side, Side] = ("client", "server")

QUIETER = {AMBER_GROUND: "#fdfcf9", GREEN_GROUND: "#f3f8f5"}
PALE = "#edf0f2"


def render(
    explanation: Explanation, language: str = SOURCE, form: Form = "svg", title: str = ""
) -> bytes:
    """The sequence diagram of an explained session.

    `form` is `svg`, `png` or `pdf`; `title` stands above it. The same explanation gives the same
    bytes. Raises `UnknownLanguage`, and `canvas.UnknownForm`.
    """
    return Sheet(explanation, language, form, title).draw()


class Chip(NamedTuple):
    """A fact as it is drawn: its lines, each with the full text, and how wide and high it is."""

    fact: Fact
    lines: list[tuple[str, str]]
    wide: float
    high: float


class Sheet:
    """The sheet under the pen: `y` is how far down it is drawn."""

    margin: float = 36
    ledger: float = 220
    headings: float = ledger
    """Room for what a side learns, and for the heading over it."""
    inset: float = 26
    """From a lifeline to what stands beside it."""
    side: float = margin + ledger + inset
    """From the edge to the first lifeline."""
    channel: float = 540
    wider_channel: float = 840
    """From lifeline to lifeline, and where there is a third between them."""
    overhang: float = 12
    """How far the box of a handshake stands out over the lifelines."""
    buffer: float = 0.42
    paper: float = 0.8
    """What these may take of the channel: a text out of a buffer, a sheet of paper."""
    badge: float = 8.5
    heading: Style = TITLE
    smallest: float = 0
    enlarged: float = 1
    patience: int = 1
    """A text may break into so many times the usual number of lines."""

    def __init__(self, explanation: Explanation, language: str, form: Form, title: str) -> None:
        self.explanation = explanation
        self.lacking = "" if drawable(languages().get(language, ""), form) else language
        self.language = SOURCE if self.lacking else language
        self.outline: Outline = outline.of(explanation)
        self.title = prose.title(explanation, title)
        channel = self.wider_channel if self.outline.middlebox else self.channel
        self.x: dict[Party, float] = {
            "client": self.side,
            "middlebox": self.side + channel / 2,
            "server": self.side + channel,
        }
        self.wide = 2 * self.side + channel
        self.canvas = Canvas(self.wide, self.language, form, self.smallest, self.enlarged)
        self.y = 0.0

    def say(self, text: Text | str) -> str:
        """The text in the sheet's language."""
        return say(text, self.language)

    def _wrap(self, text: str, style: Style, room: float, lines: int = 1) -> list[tuple[str, str]]:
        return self.canvas.wrap(text, style, room, lines * self.patience)

    def draw(self) -> bytes:
        """The finished sheet."""
        self._head()
        rows = self.outline.rows[:MOST_EVENTS]
        for index, (_, group) in enumerate(groupby(rows, _place)):
            self._stretch(list(group), first=index == 0)
        for party in self._parties():
            self.canvas.line([(self.x[party] - 14, self.y), (self.x[party] + 14, self.y)], INK, 2.5)
        self._foot()
        return self.canvas.save(self.y, self.title, self._description())

    def _parties(self) -> tuple[Party, ...]:
        return ("client", "middlebox", "server") if self.outline.middlebox else ("client", "server")

    # Head

    def _head(self) -> None:
        self.y = self.margin + 8
        room = self.wide - 2 * self.margin
        style = self.heading
        for line, full in self._wrap(self.title, style, room, 2):
            self.y += style.size * 0.96
            self.canvas.text(self.margin, self.y, line, style, full=full)
            self.y += style.size * 0.32
        session = self.explanation.session
        about = [
            f"{session.started:%Y-%m-%d %H:%M:%S}" if session.started else "",
            session.connection,
        ]
        if any(about):
            told = " · ".join(part for part in about if part)
            for line, full in self._wrap(told, SUBTITLE, room, 1):
                self.y += 16
                self.canvas.text(self.margin, self.y, line, SUBTITLE, full=full)
        self.y += 20
        self._hosts()
        self.y += 14
        self._headings()

    def _hosts(self) -> None:
        room = 2 * min(
            self.x["client"] - self.margin, (self.x["server"] - self.x["client"]) / 2 - 16
        )
        if self.outline.middlebox:
            room = 2 * min(room / 2, (self.x["middlebox"] - self.x["client"] - 24) / 2)
        hosts = [Host(self, party, room - 24) for party in self._parties()]
        high = max(host.high for host in hosts)
        for host in hosts:
            host.draw(self.x[host.party] - host.wide / 2, self.y, high)
        self.y += high
        self.heads = dict.fromkeys(self._parties(), self.y)

    def _headings(self) -> None:
        for party in self._parties():
            x = self.x[party]
            self.canvas.line([(x, self.heads[party]), (x, self.y + 4)], HAIR, 1.2, z=1)
        bottom = self.y
        for side in SIDES:
            y = self.y
            for line, _ in self._wrap(self.say(outline.KNOWS[side]), HEADING, self.headings, 4):
                self.canvas.text(*self._at_ledger(side, y + 10), line, HEADING, self._hug(side))
                y += 14
            bottom = max(bottom, y)
        for party in self._parties():
            x = self.x[party]
            self.canvas.line([(x, self.y + 4), (x, bottom + 8)], HAIR, 1.2, z=1)
        self.y = bottom + 8

    def _hug(self, side: Side) -> Align:
        """Where the facts of a side begin: at its lifeline."""
        return "right" if side == "client" else "left"

    def _at_ledger(self, side: Side, y: float) -> tuple[float, float]:
        return (self.x[side] - self.inset if side == "client" else self.x[side] + self.inset), y

    # Stretches

    def _stretch(self, rows: Sequence[Row], first: bool) -> None:
        top = self.y
        row = rows[0]
        if row.shape == "handshake":
            for row in rows:
                self._handshake(row)
            return
        ground = GREEN_GROUND if row.secure else AMBER_GROUND
        if row.zone != "document":
            ground = QUIETER[ground]
        self.ground = ground
        self._ground_label(row)
        for row in rows:
            self._row(row)
        self.y += 8
        self.canvas.rect(0, top, self.wide, self.y - top, fill=ground, z=0)
        self._walls(top, self.y, row.secure)
        if not first:
            self.canvas.line([(0, top), (self.wide, top)], HAIR, 1, z=1)

    def _walls(self, top: float, bottom: float, secure: bool) -> None:
        """The lifelines: a closed pipe inside TLS, a dashed line where all can look in."""
        for party in self._parties():
            x = self.x[party]
            if secure and party != "middlebox":
                self.canvas.line([(x, top), (x, bottom)], GREEN, 5, z=1)
                self.canvas.line([(x, top), (x, bottom)], PAPER, 2, z=1.1)
            else:
                colour = RED if party == "middlebox" else AMBER
                self.canvas.line([(x, top), (x, bottom)], colour, 1.4, (0, (5, 3)), z=1)

    def _ground_label(self, row: Row) -> None:
        x, y = self.x["client"] + self.inset, self.y + 24
        colour = GREEN if row.secure else AMBER
        self.canvas.lock(x + 6, y + 2, 13, row.secure, colour)
        text = self.say(outline.INSIDE if row.secure else outline.CLEAR)
        style = GROUND._replace(colour=colour)
        self.canvas.text(x + 26, y, text, style)
        if row.zone != "document":
            zone = self.say(outline.BEFORE if row.zone == "before" else outline.BEYOND)
            at = x + 26 + self.canvas.width(text, style) + 12
            room = self.x["server"] - self.inset - at
            if self.canvas.width(zone, ZONE) > room:
                y += 16
                at, room = x + 26, self.x["server"] - self.inset - x - 26
            for index, (line, full) in enumerate(self._wrap(zone, ZONE, room, 1)):
                y += 16 if index else 0
                self.canvas.text(at, y, line, ZONE, full=full)
        self.y = y + 8

    # Rows

    def _row(self, row: Row) -> None:
        y = self.y + 8
        ledger = self._ledger(row, y + (15 if row.label and row.text else -1))
        bottom = self._notes(row, self._event(row, y))
        self.y = max(bottom, ledger) + 2

    def _event(self, row: Row, y: float) -> float:
        draw: Callable[[Row, float], float] = {
            "arrow": self._arrow,
            "buffer": self._buffer,
            "note": self._note,
            "aside": self._aside,
        }[row.shape]
        return draw(row, y)

    def _badge(self, row: Row, x: float, y: float) -> None:
        self.canvas.circle(x, y, self.badge, PAPER, RED if row.forged else QUIET)
        self.canvas.text(x, y + 3.1, str(row.step.index + 1), BADGE, "center", z=7)

    def _arrow(self, row: Row, y: float) -> float:
        start, end = self.x[row.origin], self.x[row.target]
        event = row.step.event
        if isinstance(event, Disconnect) and row.forged:
            start, end = self.x["client"], self.x["server"]
        colour = RED if row.forged else INK
        left, room = min(start, end) + self.inset, self._room(start, end)
        y = self._words(row, left, y, room)
        y += 7
        if isinstance(event, Disconnect) and event.reason in ("cut", "timeout"):
            middle = (start + end) / 2
            self.canvas.line([(start, y), (middle - 14, y)], INK, 1.5, (0, (4, 3)))
            self.canvas.line([(middle + 14, y), (end, y)], INK, 1.5, (0, (4, 3)))
            self.canvas.cross(middle, y, 13, RED, 3)
        else:
            short = 12 if end > start else -12
            stop = end - (short if row.target == "middlebox" else 0)
            self.canvas.arrow(
                start, stop, y, colour, 2 if row.forged else 1.6, (0, (5, 2)) if row.forged else "-"
            )
            if row.target == "middlebox":
                self.canvas.cross(end, y, 13, RED, 3)
        self._badge(row, start, y)
        return y + 9

    def _room(self, start: float, end: float) -> float:
        """How wide the words above an arrow may be."""
        return abs(end - start) - 2 * self.inset

    def _words(self, row: Row, left: float, y: float, room: float) -> float:
        """Prose and wire text of a row; a reply of several lines stands in a frame."""
        colour = RED if row.forged or row.step.event.lost or row.step.event.stale else QUIET
        style = PROSE._replace(colour=colour)
        most = 2 if row.text else 3
        label = self._wrap(self.say(row.label), style, room, most) if row.label else []
        lines = self._wire(row.text, room - (16 if len(row.text) > 1 else 0))
        back = max((self.canvas.width(line, style) for line, _ in label), default=0)
        wide = max((self.canvas.width(line, WIRE) for line, _ in lines), default=0)
        framed = len(lines) > 1
        left = self._within(left, max(back, wide + (8 if framed else 0)))
        if label:
            self.canvas.rect(left - 4, y, back + 8, 15 * len(label), fill=self.ground, z=2)
            for line, full in label:
                self.canvas.text(left, y + 11, line, style, full=full)
                y += 15
        if not lines:
            return y
        y += 4 if label and framed else 0
        if framed:
            high = PITCH * len(lines) + 8
            edge = RED if row.forged else HAIR
            dash = "--" if row.forged else "-"
            self.canvas.rect(
                left - 8, y - 3, wide + 16, high, PAPER, edge, dash=dash, corner=4, z=2
            )
        else:
            self.canvas.rect(left - 4, y, wide + 8, PITCH, fill=self.ground, z=2)
        style = WIRE._replace(colour=RED if row.forged else INK, bold=_introduces(row))
        for line, full in lines:
            self.canvas.text(left, y + 12, line, style, full=full)
            y += PITCH
        return y + (5 if framed else 0)

    def _within(self, left: float, wide: float) -> float:
        """`left`, or as far before it as something so wide needs to end within the channel."""
        begin, room = self._channel()
        return max(begin, min(left, begin + room - wide))

    def _wire(self, text: Sequence[str], room: float) -> list[tuple[str, str]]:
        most = 3 if len(text) == 1 else 1
        lines = [line for part in text[:MOST_LINES] for line in self._wrap(part, WIRE, room, most)]
        if len(text) > MOST_LINES:
            lines.append((f"… {len(text) - MOST_LINES}", "\n".join(text[MOST_LINES:])))
        return lines

    def _buffer(self, row: Row, y: float) -> float:
        """Not off the wire but out of the receiver's own buffer: a loop at its lifeline."""
        x = self.x[row.target]
        away = -1 if row.target == "server" else 1
        room = (self.x["server"] - self.x["client"]) * self.buffer
        shown = self._wire(row.text, room - (16 if len(row.text) > 1 else 0))
        wide = max(self.canvas.width(line, WIRE) for line, _ in shown)
        if row.label:
            told = self._wrap(self.say(row.label), PROSE, room, 2)
            wide = max(wide, *(self.canvas.width(line, PROSE) for line, _ in told))
        left = x + 54 if away > 0 else x - 54 - wide
        top = y + 8
        y = self._words(row, left, y, room)
        bottom = max(y, top + 18)
        loop = [(x, top), (x + away * 34, top), (x + away * 34, bottom), (x + away * 10, bottom)]
        self.canvas.line(loop, RED, 2, (0, (5, 2)), z=4)
        tip = x + away * 3
        head = [(tip, bottom), (tip + away * 9, bottom - 4.5), (tip + away * 9, bottom + 4.5)]
        self.canvas.line(head, RED, 0, z=4, fill=RED)
        self._badge(row, x, top)
        return bottom + 10

    def _note(self, row: Row, y: float) -> float:
        """Not on this wire: a sheet of paper at the server's lifeline."""
        right = self.x["server"] - 18
        room = (self.x["server"] - self.x["client"]) * self.paper
        label = self._wrap(self.say(row.label or ""), SMALL_BOLD, room - 28, 2)
        lines = [line for part in row.text for line in self._wrap(part, FACT, room - 28, 4)]
        wide = 28 + max(
            *(self.canvas.width(line, SMALL_BOLD) for line, _ in label),
            *(self.canvas.width(li, FACT) for li, _ in lines),
        )
        high = 14 * (len(label) + len(lines)) + 12
        left, fold = right - wide, 11
        outline = [
            (left, y),
            (right - fold, y),
            (right, y + fold),
            (right, y + high),
            (left, y + high),
            (left, y),
        ]
        self.canvas.line(outline, QUIET, 1, z=2, fill=PAPER)
        self.canvas.line([(right - fold, y), (right - fold, y + fold), (right, y + fold)], QUIET)
        self.canvas.line([(right, y + high / 2), (self.x["server"], y + high / 2)], QUIET, 1, ":")
        at = y + 6
        for line, full in label:
            self.canvas.text(left + 10, at + 10, line, SMALL_BOLD, full=full)
            at += 14
        for line, full in lines:
            self.canvas.text(left + 10, at + 10, line, FACT, full=full)
            at += 14
        self._badge(row, self.x["server"], y + high / 2)
        return y + high + 4

    def _aside(self, row: Row, y: float) -> float:
        style = FACT._replace(colour=FAINT)
        left, room = self._channel()
        for part in row.text:
            for line, full in self._wrap(part, style, room, 1):
                self.canvas.rect(
                    left - 4, y, self.canvas.width(line, style) + 8, 14, fill=self.ground, z=2
                )
                self.canvas.text(left, y + 10, line, style, full=full)
                y += 14
        return y

    def _channel(self) -> tuple[float, float]:
        """Where the space between the lifelines begins, and how much there is."""
        left = self.x["client"] + self.inset
        return left, self.x["server"] - self.inset - left

    # Notes on rules

    def _notes(self, row: Row, y: float) -> float:
        for note in row.notes:
            y = self._met(note, y) if note.met else self._broken(note, y)
        return y

    def _beside_middlebox(self) -> tuple[float, float]:
        """The channel, or what of it is left of the lifeline in its middle."""
        left, room = self._channel()
        return left, room / 2 - self.inset if self.outline.middlebox else room

    def _met(self, note: Note, y: float) -> float:
        left, room = self._beside_middlebox()
        place, text = outline.cited(note), self.say(note.text)
        style, bold = SMALL, SMALL_BOLD._replace(colour=GREEN)
        self.canvas.tick(left + 4, y + 12, 8, GREEN)
        self.canvas.text(left + 16, y + 12, place, bold)
        at = left + 16 + self.canvas.width(place, bold) + 8
        rest = left + room - at
        if self.canvas.width(text, style) <= rest:
            self.canvas.text(at, y + 12, text, style)
            return y + 17
        y += 14
        for line, full in self._wrap(text, style, room - 16, 3):
            self.canvas.text(left + 16, y + 11, line, style, full=full)
            y += 13
        return y + 4

    def _broken(self, note: Note, y: float) -> float:
        left, room = self._beside_middlebox()
        level = self.say(prose.LEVEL[note.level])
        head = self._wrap(f"{outline.cited(note)} · {level}", _RED_BOLD, room - 46, 2)
        body = self._wrap(self.say(note.text), _ON_RED, room - 46, 5)
        high = 14 * (len(head) + len(body)) + 12
        y += 4
        self.canvas.rect(left - 4, y, room + 4, high, RED_FILL, RED, 1.2, z=2)
        self.canvas.rect(left - 4, y, 7, high, RED, RED, 1.2, z=3)
        self.canvas.cross(left + 17, y + 14, 9, RED, 3)
        at = y + 6
        for (line, full), style in [
            *((li, _RED_BOLD) for li in head),
            *((li, _ON_RED) for li in body),
        ]:
            self.canvas.text(left + 32, at + 10.5, line, style, full=full)
            at += 14
        return y + high + 6

    # Ledgers

    def _ledger(self, row: Row, y: float, gone: bool = True) -> float:
        bottom = y
        for side in SIDES:
            at = y
            for fact in row.learned_by(side):
                at = self._chip(side, at, fact)
            forgotten = row.forgotten_by(side) if gone else ()
            if forgotten:
                at = self._struck(side, at, forgotten)
            bottom = max(bottom, at)
        return bottom

    def _chip(self, side: Side, y: float, fact: Fact) -> float:
        chip = self._measured(fact)
        x, _ = self._at_ledger(side, y)
        self._draw_chip(x - chip.wide if self._hug(side) == "right" else x, y, chip)
        return y + PITCH + chip.high - CHIP

    def _measured(self, fact: Fact) -> Chip:
        lines = self._wrap(document.label(fact, self.language), FACT, self.ledger - 24, 2)
        wide = max(self.canvas.width(line, FACT) for line, _ in lines) + 24
        return Chip(fact, lines, wide, CHIP + 12 * (len(lines) - 1))

    def _draw_chip(self, left: float, y: float, chip: Chip) -> None:
        secure = chip.fact.secure
        colour, fill = (GREEN, GREEN_FILL) if secure else (AMBER, AMBER_FILL)
        dash = "-" if secure else (0, (3, 2))
        self.canvas.rect(left, y + 1, chip.wide, chip.high, fill, colour, 1.1, dash, corner=4)
        self.canvas.lock(left + 9, y + 11.5, 7.5, secure, colour)
        for line, full in chip.lines:
            self.canvas.text(left + 19, y + 11.3, line, FACT, full=full)
            y += 12

    def _struck(self, side: Side, y: float, facts: Sequence[Fact]) -> float:
        """Facts that are gone, side by side, each struck out."""
        style = FACT._replace(colour=QUIET)
        chips = []
        for fact in facts:
            label = document.label(fact, self.language)
            lines = self.canvas.wrap(label, style, self.ledger - 14)
            chips.append(Chip(fact, lines, self.canvas.width(lines[0][0], style) + 14, CHIP))
        x, _ = self._at_ledger(side, y)
        for group in flow(chips, self.ledger):
            left = x
            if self._hug(side) == "right":
                left = x - sum(chip.wide + 5 for chip in group) + 5
            for fact, ((line, full),), wide, high in group:
                colour = GREEN if fact.secure else AMBER
                self.canvas.rect(left, y + 1, wide, high, PAPER, FAINT, 0.9, (0, (1, 2)), corner=4)
                self.canvas.text(left + 7, y + 11.3, line, style, full=full)
                self.canvas.line(_through(left, y, wide), colour, 1.2, z=6)
                left += wide + 5
            y += PITCH + 2
        return y

    # Handshake

    def _handshake(self, row: Row) -> None:
        event = row.step.event
        assert isinstance(event, Handshake)
        top = self.y
        failed = bool(event.error)
        left, right = self.x["client"] - self.overhang, self.x["server"] + self.overhang
        room = right - left - 64
        head = self._wrap(self.say(row.label or ""), _HAND_FAILED if failed else _HAND, room, 3)
        pairs = self._proofs(event)
        keys = max((self.canvas.width(key, SMALL_BOLD) for key, _, _ in pairs), default=0) + 14
        keys = min(keys, room * 0.4)
        told = [
            (
                self._wrap(key, SMALL_BOLD, keys - 10, 2),
                self._wrap(value, style, room - keys, 3),
                style,
            )
            for key, value, style in pairs
        ]
        high = 18 + 18 * len(head) + sum(15 * max(len(k), len(v)) for k, v, _ in told) + 8
        y = top + 12
        edge = RED if failed else DARK
        self.canvas.rect(left, y, right - left, high, PAPER, edge, 2.2, corner=6, z=4)
        at = y + 10
        if failed:
            self.canvas.cross(left + 26, at + 10, 14, RED, 3.5)
        else:
            self.canvas.lock(left + 26, at + 17, 17, True, GREEN)
        for line, full in head:
            style = _HAND_FAILED if failed else _HAND
            self.canvas.text(left + 48, at + 14, line, style, full=full)
            at += 18
        at += 6
        for key, value, style in told:
            for index, (line, full) in enumerate(key):
                self.canvas.text(left + 48, at + 10 + 15 * index, line, SMALL_BOLD, full=full)
            for index, (line, full) in enumerate(value):
                self.canvas.text(left + 48 + keys, at + 10 + 15 * index, line, style, full=full)
            at += 15 * max(len(key), len(value))
        self._badge(row, left, y + high / 2)
        self.ground = PALE
        self.y = self._consequences(row, y, y + high) + 12
        self.canvas.rect(0, top, self.wide, self.y - top, fill=PALE, z=0)
        for party in self._parties():
            self.canvas.line([(self.x[party], top), (self.x[party], self.y)], QUIET, 1.4, z=1)
        if row.resets:
            self._band(row)

    def _consequences(self, row: Row, top: float, bottom: float) -> float:
        """What was learned by a handshake, and which rules it met."""
        ledger = self._ledger(row, top + 8, gone=False)
        return max(self._notes(row, bottom + 6) if row.notes else bottom, ledger)

    def _proofs(self, event: Handshake) -> list[tuple[str, str, Style]]:
        return [
            (self.say(key), self.say(value), SMALL)
            if isinstance(value, Text)
            else (self.say(key), value, FACT)
            for key, value in outline.proofs(self.explanation.session, event)
        ]

    def _band(self, row: Row) -> None:
        """The dividing line of the session: what was learned in the clear is struck out."""
        top = self.y
        left, right = self.x["client"] - self.overhang, self.x["server"] + self.overhang
        lines = self._forgetting(right - left - 40)
        high = 22 + sum(step for *_, step in lines)
        bottom = top + 10
        for side in SIDES:
            gone = row.forgotten_by(side)
            if gone:
                bottom = max(bottom, self._struck(side, top + 12, gone))
        self.y = max(top + high, bottom + 8)
        self.canvas.rect(0, top, self.wide, self.y - top, fill=PALE, z=0)
        for party in self._parties():
            self.canvas.line([(self.x[party], top), (self.x[party], self.y)], QUIET, 1.4, z=1)
        at = top + (self.y - top - high) / 2
        self.canvas.rect(left, at, right - left, high, fill=DARK, z=4)
        for y in (top, self.y):
            self.canvas.line([(0, y), (self.wide, y)], DARK, 2.5, z=4)
        self._told(lines, (left + right) / 2, at + 10)

    def _forgetting(self, room: float) -> list[tuple[str, str, Style, float, float]]:
        """The lines of the band: text, full text, style, how deep it stands, how high it is."""
        places = dict.fromkeys(outline.citation(rule) for _, _, rule in DISCARDS["handshake"])
        said = (
            (self.say(outline.FORGET), _FORGET, 2, 19, 26),
            (self.say(outline.FORGET_WHY), _FORGET_WHY, 3, 12, 16),
            (" · ".join(places), _FORGET_CITED, 2, 13, 15),
        )
        return [
            (line, full, style, deep, step)
            for text, style, most, deep, step in said
            for line, full in self._wrap(text, style, room, most)
        ]

    def _told(
        self, lines: Sequence[tuple[str, str, Style, float, float]], middle: float, y: float
    ) -> float:
        for line, full, style, deep, step in lines:
            self.canvas.text(middle, y + deep, line, style, "center", full)
            y += step
        return y

    # Foot

    def _foot(self) -> None:
        left = len(self.outline.rows) - MOST_EVENTS
        if left > 0:
            text = self.say(Text(N_("{count} more events are not drawn."), {"count": left}))
            begin, room = self._channel()
            for line, full in self._wrap(text, PROSE, room):
                self.y += 18
                self.canvas.text(begin, self.y, line, PROSE, full=full)
        self.y += 26
        room = self.wide - 2 * self.margin - 32
        head = self.say(N_("Verdict"))
        lines = self._wrap(self.say(self.explanation.verdict.outcome), VERDICT, room, 5)
        broken = len(self.explanation.findings)
        count = (
            self.say(Text(N_("Broken rules: {count}"), {"count": broken}))
            if broken
            else self.say(N_("No rule is broken."))
        )
        style = Style(11, RED if broken else GREEN, bold=True)
        beside = (
            self.canvas.width(head, VERDICT_HEAD) + self.canvas.width(count, style) + 30 <= room
        )
        high = 20 * (len(lines) + (1 if beside else 2)) + 22
        self.canvas.rect(
            self.margin, self.y, self.wide - 2 * self.margin, high, PAPER, INK, 1.6, corner=6, z=2
        )
        x, y = self.margin + 16, self.y + 24
        self.canvas.text(x, y, head, VERDICT_HEAD)
        y += 0 if beside else 20
        at = self.wide - self.margin - 16
        self.canvas.text(at, y, count, style, "right")
        mark = at - self.canvas.width(count, style) - 14
        if broken:
            self.canvas.cross(mark, y - 4, 10, RED, 3)
        else:
            self.canvas.tick(mark, y, 11, GREEN)
        for line, full in lines:
            y += 20
            self.canvas.text(x, y, line, VERDICT, full=full)
        self.y += high + 20
        self._legend()
        if self.lacking:
            lacking = Text(
                N_("No font on this machine has the letters of {language}: the prose is English."),
                {"language": self.lacking},
            )
            for line, full in self._wrap(self.say(lacking), SMALL, room + 32):
                self.canvas.text(self.margin, self.y + 10, line, SMALL, full=full)
                self.y += 18
        self.y += max(self.margin - 12, 12)

    def _legend(self) -> None:
        x, y = float(self.margin), self.y
        for text, wide, draw in self._keys():
            words = self.canvas.width(text, SMALL)
            if x > self.margin and x + wide + 8 + words > self.wide - self.margin:
                x, y = float(self.margin), y + 20
            draw(x, y)
            self.canvas.text(x + wide + 8, y + 11, text, SMALL)
            x += wide + 8 + words + 26
        self.y = y + 20

    def _keys(self) -> list[tuple[str, float, Callable[[float, float], None]]]:
        canvas = self.canvas

        def wall(secure: bool) -> Callable[[float, float], None]:
            def draw(x: float, y: float) -> None:
                colour = GREEN if secure else AMBER
                canvas.lock(x + 6, y + 12, 12, secure, colour)
                if secure:
                    canvas.line([(x + 20, y + 8), (x + 46, y + 8)], GREEN, 5)
                    canvas.line([(x + 20, y + 8), (x + 46, y + 8)], PAPER, 2, z=3.1)
                else:
                    canvas.line([(x + 20, y + 8), (x + 46, y + 8)], AMBER, 1.4, (0, (5, 3)))

            return draw

        def chip(colour: str, fill: str, dash: object, struck: bool) -> Callable[..., None]:
            def draw(x: float, y: float) -> None:
                canvas.rect(x, y + 1, 30, CHIP, fill, FAINT if struck else colour, 1.1, dash, 4)
                if struck:
                    canvas.line(_through(x, y, 30), colour, 1.2)
                else:
                    canvas.lock(x + 15, y + 12, 8.5, colour == GREEN, colour)

            return draw

        def mark(met: bool) -> Callable[[float, float], None]:
            def draw(x: float, y: float) -> None:
                if met:
                    canvas.tick(x + 6, y + 12, 10, GREEN)
                else:
                    canvas.rect(x, y + 1, 5, CHIP, RED)
                    canvas.cross(x + 12, y + 8, 8, RED, 3)

            return draw

        def forged(x: float, y: float) -> None:
            canvas.arrow(x, x + 40, y + 8, RED, 2, (0, (5, 2)))

        keys: list[tuple[str, float, Callable[[float, float], None]]] = [
            (self.say(outline.CLEAR), 46, wall(False)),
            (self.say(outline.INSIDE), 46, wall(True)),
            (self.say(outline.KEY_CLEAR), 30, chip(AMBER, AMBER_FILL, (0, (3, 2)), False)),
            (self.say(outline.KEY_FORGOTTEN), 30, chip(AMBER, PAPER, (0, (1, 2)), True)),
            (self.say(outline.KEY_INSIDE), 30, chip(GREEN, GREEN_FILL, "-", False)),
            (self.say(outline.KEY_MET), 14, mark(True)),
            (self.say(outline.KEY_BROKEN), 18, mark(False)),
        ]
        if self.outline.middlebox:
            keys.append((self.say(outline.KEY_FORGED), 40, forged))
        return keys

    def _description(self) -> str:
        """The diagram in words, for who cannot see it."""
        lines = [printable(self.say(self.explanation.verdict.outcome))]
        for row in self.outline.rows[:MOST_EVENTS]:
            ground = self.say(outline.INSIDE if row.secure else outline.CLEAR)
            said = printable(self.say(row.step.meaning))
            lines.append(f"{row.step.index + 1}. ({ground}) {said}")
        return "\n".join(lines)


class Host:
    """The box at the head of a lifeline: what stands there is, and its name."""

    def __init__(self, sheet: Sheet, party: Party, room: float) -> None:
        role, name = {
            "client": (outline.CLIENT, sheet.outline.client),
            "server": (outline.SERVER, sheet.outline.server),
            "middlebox": ("", sheet.say(outline.MIDDLEBOX)),
        }[party]
        self.canvas = sheet.canvas
        self.party: Party = party
        self._role = sheet.say(role)
        self._style = Style(12, RED, bold=True) if party == "middlebox" else HOST
        self._lines = self.canvas.wrap(name or "?", self._style, room, 3 * sheet.patience)
        names = (self.canvas.width(line, self._style) for line, _ in self._lines)
        self.wide = max(self.canvas.width(self._role, ROLE), *names, 76) + 24
        self.high = 26 + 16 * len(self._lines) + (4 if self._role else -8)

    def draw(self, left: float, top: float, high: float) -> None:
        """Draw it so high."""
        middle = self.party == "middlebox"
        self.canvas.rect(
            left,
            top,
            self.wide,
            high,
            fill=PAPER,
            edge=RED if middle else INK,
            line=1.4,
            dash="--" if middle else "-",
            corner=5,
        )
        x, y = left + self.wide / 2, top + (high - 16 * len(self._lines)) / 2
        if self._role:
            y -= 7
            self.canvas.text(x, y + 10, self._role, ROLE, "center")
            y += 14
        for line, full in self._lines:
            self.canvas.text(x, y + 12.5, line, self._style, "center", full)
            y += 16


_HAND = Style(14, bold=True)
_HAND_FAILED = Style(13, RED, bold=True)
_FORGET = Style(19, PAPER, bold=True)
_FORGET_WHY = Style(11.5, PAPER)
_FORGET_CITED = Style(10, "#ffd98a", bold=True)
_RED_BOLD = Style(9.5, RED, bold=True)
_ON_RED = Style(9.5, INK)


def _through(x: float, y: float, wide: float) -> list[tuple[float, float]]:
    """The line that strikes a chip out: slanted, for a level one would hide a name's hyphens."""
    return [(x + 3, y + CHIP - 1), (x + wide - 3, y + 3)]


def flow(chips: Sequence[Chip], room: float) -> list[list[Chip]]:
    """Chips side by side, in as many rows as they need."""
    rows: list[list[Chip]] = []
    used = room + 1.0
    for chip in chips:
        if used + chip.wide > room:
            rows.append([])
            used = 0.0
        rows[-1].append(chip)
        used += chip.wide + 5
    return rows


def _introduces(row: Row) -> bool:
    """The two that the whole picture is about."""
    return isinstance(row.step.event, Command) and row.step.event.verb in ("EHLO", "HELO")


def _place(row: Row) -> tuple[object, ...]:
    return ("handshake", row.step.index) if row.shape == "handshake" else row.ground
