"""The sequence diagram in plain text, for terminals and for files that hold nothing but text.

The same picture as the drawn one: two lifelines, broken where all can look in and double inside
TLS, and at both margins what each side learns and forgets. Columns stand straight with letters of
any width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from simulator.explainer import Explanation
from simulator.knowledge import DISCARDS, Fact
from simulator.language import N_, SOURCE, Text, say
from simulator.rules import Note
from simulator.session import Disconnect, Handshake, Side
from simulator.views import document, outline, prose
from simulator.views.inert import printable
from simulator.views.lines import cells, wrap
from simulator.views.outline import Outline, Row
from simulator.views.view import Page, View, one_by_one

NARROWEST = 72
MOST_LINES = 60

VERDICT = N_("Verdict")
BROKEN_RULES = N_("Broken rules: {count}")
NONE_BROKEN = N_("No rule is broken.")
HANDSHAKE = N_("TLS handshake")
FAILS = N_("TLS handshake fails")

LEARNED = {False: "○", True: "●"}
GONE, MET, BROKEN = "×", "✓", "✗"
LIFELINE = {False: "┆", True: "║"}
DASH = {False: "─", True: "═"}
FORGED_DASH = "╌"

_SIDES: tuple[Side, Side] = ("client", "server")
_INK = {"clear": "33", "inside": "32", "gone": "2", "red": "31", "bold": "1", "quiet": "2"}


class Piece(NamedTuple):
    """Text in one ink (a key of `_INK`, or empty), `start` cells into its column."""

    text: str
    ink: str = ""
    start: int = 0


Pieces = tuple[Piece, ...]
NOTHING = Piece("")


def render(
    explanation: Explanation,
    language: str = SOURCE,
    width: int = 100,
    colour: bool = False,
    title: str = "",
) -> str:
    """The diagram, at most `width` cells wide (but never narrower than `NARROWEST`).

    `colour`: with the terminal's own colours. Nothing is told by colour alone.
    """
    return _Ladder(explanation, language, max(width, NARROWEST), colour, title).render()


class _Ladder:
    def __init__(
        self, explanation: Explanation, language: str, width: int, colour: bool, title: str
    ) -> None:
        self.title = prose.title(explanation, title)
        self.explanation = explanation
        self.language = language
        self.outline: Outline = outline.of(explanation)
        self.width = width
        self.side = width * (22 if self.outline.middlebox else 26) // 100
        self.channel = width - 2 * self.side - 4
        self.middle = self.channel // 2 if self.outline.middlebox else None
        self.colour = colour
        self.secure = False

    def say(self, text: Text | str) -> str:
        return printable(say(text, self.language))

    def render(self) -> str:
        lines = [*self._head()]
        ground = None
        for row in self.outline.rows:
            if row.shape == "handshake":
                lines += self._handshake(row)
                ground = None
                continue
            self.secure = row.secure
            if row.ground != ground:
                ground = row.ground
                lines += [self._across(), *self._ground(row)]
            lines += self._row(row)
        lines += self._foot()
        return "".join(self._paint(line).rstrip() + "\n" for line in lines)

    def _paint(self, line: Pieces) -> str:
        if not self.colour:
            return "".join(piece.text for piece in line)
        text = "".join(p.text for p in line).rstrip()
        painted, at = "", 0
        for piece in line:
            part = text[at : at + len(piece.text)]
            at += len(piece.text)
            painted += f"\x1b[{_INK[piece.ink]}m{part}\x1b[0m" if piece.ink and part else part
        return painted

    # One line: left ledger, lifeline, channel, lifeline, right ledger

    def _across(
        self, channel: Piece = NOTHING, left: Piece = NOTHING, right: Piece = NOTHING
    ) -> Pieces:
        life = Piece(LIFELINE[self.secure], "inside" if self.secure else "clear")
        return (
            Piece(" " * (self.side - cells(left.text))),
            left,
            Piece(" "),
            life,
            *self._in_channel(channel),
            life,
            Piece(" "),
            right,
        )

    def _in_channel(self, piece: Piece) -> Pieces:
        """A piece in its place; where it leaves room stands the lifeline of what is on the path."""
        empty = [" "] * self.channel
        if self.middle is not None:
            empty[self.middle] = "┊"
        end = piece.start + cells(piece.text)
        return Piece("".join(empty[: piece.start])), piece, Piece("".join(empty[end:]))

    def _beside(self, row: Row, channel: Sequence[Piece]) -> Iterator[Pieces]:
        """Lines in the channel, with what both ledgers learn and forget beside them."""
        left, right = ([*self._learned(row, side), *self._forgotten(row, side)] for side in _SIDES)
        for parts in zip_longest(channel, left, right, fillvalue=NOTHING):
            yield self._across(*parts)

    def _learned(self, row: Row, side: Side) -> list[Piece]:
        found = []
        for fact in row.learned_by(side):
            found += self._fact(LEARNED[fact.secure], fact, "inside" if fact.secure else "clear")
        return found

    def _forgotten(self, row: Row, side: Side) -> list[Piece]:
        return [p for fact in row.forgotten_by(side) for p in self._fact(GONE, fact, "gone")]

    def _fact(self, mark: str, fact: Fact, ink: str) -> list[Piece]:
        lines, _ = wrap(printable(document.label(fact, self.language)), self.side - 2, 2)
        return [Piece(f"{' ' if i else mark} {line}", ink) for i, line in enumerate(lines)]

    # Head

    def _head(self) -> Iterator[Pieces]:
        for line in wrap(self.title, self.width, 3)[0]:
            yield (Piece(line, "bold"),)
        yield ()
        half = self.width // 2 - 2
        heads = []
        for role, name in (
            (outline.CLIENT, self.outline.client),
            (outline.SERVER, self.outline.server),
        ):
            named, _ = wrap(name or "?", half - 4, 3)
            heads.append([self.say(role), *named])
        high = max(map(len, heads))
        boxes = [_box(head + [""] * (high - len(head))) for head in heads]
        first, last = self.side + 1, self.side + 2 + self.channel
        for index, (one, other) in enumerate(zip(*boxes, strict=True)):
            start = max(0, first - cells(one) // 2)
            begin = min(last - cells(other) // 2, self.width - cells(other))
            between = " " * (begin - start - cells(one))
            if self.middle is not None and index == len(boxes[0]) - 2:
                at = first + 1 + self.middle - start - cells(one)
                between = _centred(self.say(outline.MIDDLEBOX), between, at)
            yield (Piece(" " * start), Piece(one), Piece(between), Piece(other))
        left, right = (
            [Piece(line, "quiet") for line in wrap(self.say(outline.KNOWS[side]), self.side, 3)[0]]
            for side in _SIDES
        )
        for one, other in zip_longest(left, right, fillvalue=NOTHING):
            yield self._across(NOTHING, one, other)

    def _ground(self, row: Row) -> Iterator[Pieces]:
        words = self.say(outline.INSIDE if row.secure else outline.CLEAR)
        zone = ""
        if row.zone != "document":
            zone = self.say(outline.BEFORE if row.zone == "before" else outline.BEYOND)
        fill, ink = ("═", "inside") if row.secure else ("┄", "clear")
        for text in wrap(" · ".join(filter(None, (words, zone))), self.channel - 4, 2)[0]:
            label = f"{fill} {text} "
            yield self._across(Piece(label + fill * (self.channel - cells(label)), ink))

    # Rows

    def _row(self, row: Row) -> Iterator[Pieces]:
        match row.shape:
            case "aside":
                for part in row.text:
                    (line,), _ = wrap(part, self.channel - 4, 1)
                    yield self._across(Piece(line, "quiet", 2))
                return
            case "note":
                yield from self._beside(row, [*self._note(row)])
            case _:
                yield from self._beside(row, [*self._words(row), self._arrow(row)])
        for note in row.notes:
            yield from self._ruled(note)

    def _half(self, row: Row) -> tuple[int, int]:
        """From where to where a row goes: all the way, or between one side and the middle."""
        ends = {row.origin, row.target}
        halfway = "middlebox" in ends or row.shape == "buffer"
        if self.middle is None or not halfway or isinstance(row.step.event, Disconnect):
            return 0, self.channel
        return (0, self.middle + 1) if "client" in ends else (self.middle, self.channel)

    def _words(self, row: Row) -> Iterator[Piece]:
        start, end = self._half(row)
        start, room = start + 2, end - start - 4
        event = row.step.event
        ink = "red" if row.forged or event.lost or event.stale else ""
        if row.label:
            said = self.say(row.label)
            for line in wrap(f"{said}:" if row.text else f"({said})", room, 4)[0]:
                yield Piece(line, ink or "quiet", start)
        most = 3 if len(row.text) == 1 else 1
        for part in row.text[:MOST_LINES]:
            for line in wrap(part, room, most)[0]:
                yield Piece(line, ink or "bold", start)
        if len(row.text) > MOST_LINES:
            yield Piece(f"… {len(row.text) - MOST_LINES}", "quiet", start)

    def _arrow(self, row: Row) -> Piece:
        event = row.step.event
        number = f" {row.step.index + 1} "
        if isinstance(event, Disconnect) and event.reason in ("cut", "timeout"):
            half = (self.channel - 1) // 2 if self.middle is None else self.middle
            text = FORGED_DASH * half + BROKEN + FORGED_DASH * (self.channel - half - 1)
            return Piece(text[:2] + number + text[2 + len(number) :], "red")
        dash = FORGED_DASH if row.forged else DASH[row.secure]
        if row.shape == "buffer":
            loop = f"{dash * 3}{number}{dash * 3}"
            if row.target == "client":
                return Piece(f"◀{loop}┘", "red")
            return Piece(f"└{loop}▶", "red", self.channel - len(loop) - 2)
        start, end = self._half(row)
        body = dash * (end - start - 3 - len(number))
        tail = f"◆{number}" if row.origin == "middlebox" else f"{dash}{number}"
        to_server = row.target == "server" or row.origin == "client"
        head = BROKEN if row.target == "middlebox" else "▶" if to_server else "◀"
        text = (
            f"{tail}{dash}{body}{head}" if to_server else f"{head}{body}{dash}{tail[1:]}{tail[0]}"
        )
        return Piece(text, "red" if row.forged or event.lost else "", start)

    def _note(self, row: Row) -> Iterator[Piece]:
        room = self.channel - 8
        lines = wrap(self.say(row.label or ""), room, 2)[0]
        for part in row.text:
            lines += wrap(part, room, 4)[0]
        for line in _box(lines):
            yield Piece(line, "", self.channel - cells(line) - 1)

    def _ruled(self, note: Note) -> Iterator[Pieces]:
        mark, ink = (MET, "quiet") if note.met else (BROKEN, "red")
        head = outline.cited(note)
        if not note.met:
            head += f" · {self.say(prose.LEVEL[note.level])}"
        for index, line in enumerate(
            wrap(f"{head}: {self.say(note.text)}", self.channel - 6, 6)[0]
        ):
            yield self._across(Piece(f"{' ' if index else mark} {line}", ink, 2))

    # Handshake

    def _handshake(self, row: Row) -> Iterator[Pieces]:
        event = row.step.event
        assert isinstance(event, Handshake)
        yield self._across()
        room = self.channel - 4
        lines = [f"{row.step.index + 1}  {self.say(FAILS if event.error else HANDSHAKE)}"]
        if event.error:
            lines += wrap(self.say(row.step.meaning), room, 4)[0]
        for key, value in outline.proofs(self.explanation.session, event):
            told = self.say(value) if isinstance(value, Text) else printable(value)
            lines += wrap(f"{self.say(key)}: {told}", room, 3)[0]
        framed = [
            Piece(line, "red" if event.error else "bold")
            for line in _box(lines, self.channel + 2, heavy=True)
        ]
        ledgers = (self._learned(row, side) for side in _SIDES)
        for frame, left, right in zip_longest(framed, *ledgers, fillvalue=NOTHING):
            if frame is NOTHING:
                yield self._across(NOTHING, left, right)
            else:
                space = Piece(" " * (self.side - cells(left.text)))
                yield space, left, Piece(" "), frame, Piece(" "), right
        for note in row.notes:
            yield from self._ruled(note)
        if row.resets:
            yield from self._band(row)

    def _band(self, row: Row) -> Iterator[Pieces]:
        """Where both sides forget: a line across the whole sheet, and below it what is gone."""
        places = dict.fromkeys(outline.citation(rule) for _, _, rule in DISCARDS["handshake"])
        for told in (
            f"{self.say(outline.FORGET).upper()} · {' · '.join(places)}",
            self.say(outline.FORGET_WHY),
        ):
            (text,), _ = wrap(told, self.width - 8, 1)
            space = self.width - cells(text) - 2
            yield (Piece("━" * (space // 2) + f" {text} " + "━" * (space - space // 2), "bold"),)
        gone = (self._forgotten(row, side) for side in _SIDES)
        for left, right in zip_longest(*gone, fillvalue=NOTHING):
            yield self._across(NOTHING, left, right)

    # Foot

    def _foot(self) -> Iterator[Pieces]:
        if self.outline.rows:
            foot = Piece("┴")
            yield Piece(" " * (self.side + 1)), foot, Piece(" " * self.channel), foot
        yield ()
        broken = len(self.explanation.findings)
        yield (
            Piece(self.say(VERDICT), "bold"),
            Piece("  "),
            Piece(self.say(Text(BROKEN_RULES, {"count": broken})), "red")
            if broken
            else Piece(f"{MET} {self.say(NONE_BROKEN)}", "inside"),
        )
        for line in wrap(self.say(self.explanation.verdict.outcome), self.width, 8)[0]:
            yield (Piece(line),)
        yield ()
        keys = [
            f"{LIFELINE[False]} {self.say(outline.CLEAR)}",
            f"{LIFELINE[True]} {self.say(outline.INSIDE)}",
            f"{LEARNED[False]} {self.say(outline.KEY_CLEAR)}",
            f"{GONE} {self.say(outline.KEY_FORGOTTEN)}",
            f"{LEARNED[True]} {self.say(outline.KEY_INSIDE)}",
            f"{MET} {self.say(outline.KEY_MET)}",
            f"{BROKEN} {self.say(outline.KEY_BROKEN)}",
        ]
        if self.outline.middlebox:
            keys.append(f"◆{FORGED_DASH} {self.say(outline.KEY_FORGED)}")
        yield from ((Piece(line, "quiet"),) for line in _flowed(keys, self.width))


def _box(lines: Sequence[str], wide: int = 0, heavy: bool = False) -> list[str]:
    """Lines in a frame, `wide` cells wide or as wide as they need."""
    across, down, *corners = list("━┃┏┓┗┛" if heavy else "─│┌┐└┘")
    inner = max(wide - 4, *map(cells, lines))
    return [
        corners[0] + across * (inner + 2) + corners[1],
        *(f"{down} {line}{' ' * (inner - cells(line))} {down}" for line in lines),
        corners[2] + across * (inner + 2) + corners[3],
    ]


def _centred(text: str, space: str, at: int) -> str:
    """`text` put into `space`, its middle at `at`, as far as there is room."""
    start = at - cells(text) // 2
    if start < 1 or start + cells(text) > len(space) - 1:
        return space
    return space[:start] + text + space[start + cells(text) :]


def _flowed(words: Iterable[str], width: int) -> Iterator[str]:
    line = ""
    for word in words:
        if line and cells(line) + 3 + cells(word) > width:
            yield line
            line = ""
        line += ("   " if line else "") + word
    yield line


def _on(explanation: Explanation, page: Page) -> str:
    return render(explanation, page.language, page.columns(), page.colour, page.story.title)


VIEW = View(
    name="sequence",
    about=N_("the sequence diagram drawn in text"),
    file="sequence.txt",
    render=_on,
    pieces=one_by_one(_on),
)
