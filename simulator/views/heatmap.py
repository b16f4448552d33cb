"""The matrix as a figure: clients down, servers across, and in each field how it ended.

Each way to end has its own colour, its own mark and its own words, so that a grey print and a
colour-blind reader lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulator.cells import LABELS, MEANINGS, Category, Cell
from simulator.language import N_, SOURCE, Text, languages, say
from simulator.views.canvas import (
    AMBER,
    AMBER_FILL,
    FAINT,
    GREEN,
    GREEN_FILL,
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
from simulator.views.grid import Titles

TITLE = N_("Which client gets its mail through to which server?")
BETWEEN = N_("Between them: {name}")
CLIENTS = N_("Clients")
SERVERS = N_("Servers")

MARGIN = 36
ROWS = 190
WIDE, HIGH, GAP = 116, 62, 4
NARROWEST = 700

HEAD = Style(21, bold=True)
SUB = Style(11.5, QUIET)
AXIS = Style(11, QUIET, bold=True)
POLICY = Style(10.5)
KEY = Style(10)


class Look(NamedTuple):
    """How a way to end looks: fill, edge, width of the edge, hatch, colour of the words."""

    fill: str
    edge: str
    line: float
    hatch: str
    ink: str


LOOKS: dict[Category, Look] = {
    "inside": Look(GREEN_FILL, GREEN, 1.6, "", "#0d4229"),
    "clear": Look(AMBER_FILL, AMBER, 1.6, "", "#6b3f00"),
    "fooled": Look(RED, RED, 1.6, "", PAPER),
    "refused": Look(RED_FILL, RED, 1.2, "", RED),
    "given up": Look(PAPER, FAINT, 1.2, "", INK),
    "broken off": Look(PAPER, FAINT, 1.2, "//", INK),
}


def render(
    cells: Sequence[Cell],
    clients: Titles,
    servers: Titles,
    language: str = SOURCE,
    form: Form = "svg",
    between: str = "",
) -> bytes:
    """The heat map of the cells of one middlebox; a combination without a cell stays empty.

    `between` says what stands in between, in the reader's language.

    Raises `UnknownLanguage`, `canvas.UnknownForm`.
    """
    if not drawable(languages().get(language, ""), form):
        language = SOURCE
    return _Sheet(cells, clients, servers, language, form, between).draw()


class _Sheet:
    def __init__(
        self,
        cells: Sequence[Cell],
        clients: Titles,
        servers: Titles,
        language: str,
        form: Form,
        between: str,
    ) -> None:
        self.cells = {(cell.client, cell.server): cell for cell in cells}
        self.between = between or ", ".join(dict.fromkeys(cell.middlebox for cell in cells))
        self.clients, self.servers = clients, servers
        self.language = language
        self.wide = max(2 * MARGIN + ROWS + len(servers) * (WIDE + GAP), NARROWEST)
        self.canvas = Canvas(self.wide, language, form)
        self.y = 0.0

    def say(self, text: Text | str) -> str:
        return say(text, self.language)

    def draw(self) -> bytes:
        self._head()
        self._columns()
        for client, title in self.clients.items():
            self._row(client, title)
        self._legend()
        return self.canvas.save(self.y, self.say(TITLE), self._description())

    def _lines(
        self, x: float, lines: Sequence[tuple[str, str]], style: Style, pitch: float
    ) -> None:
        for line, full in lines:
            self.y += pitch
            self.canvas.text(x, self.y, line, style, full=full)

    def _head(self) -> None:
        self.y = MARGIN
        room = self.wide - 2 * MARGIN
        self._lines(MARGIN, self.canvas.wrap(self.say(TITLE), HEAD, room, 3), HEAD, 26)
        if self.between:
            self.y += 4
            told = self.say(Text(BETWEEN, {"name": self.between}))
            self._lines(MARGIN, self.canvas.wrap(told, SUB, room, 2), SUB, 17)
        self.y += 22

    def _columns(self) -> None:
        first = MARGIN + ROWS
        room = self.wide - MARGIN - first
        (servers,) = self.canvas.wrap(self.say(SERVERS), AXIS, room)
        self.canvas.text(first, self.y + 11, servers[0], AXIS, full=servers[1])
        self.y += 20
        heads = [self.canvas.wrap(title, POLICY, WIDE - 6, 5) for title in self.servers.values()]
        high = 14 * max(map(len, heads), default=1)
        for place, lines in enumerate(heads):
            x = first + place * (WIDE + GAP) + WIDE / 2
            top = self.y + high - 14 * len(lines)
            for index, (line, full) in enumerate(lines):
                self.canvas.text(x, top + 11 + 14 * index, line, POLICY, "center", full)
        (clients,) = self.canvas.wrap(self.say(CLIENTS), AXIS, ROWS - 16)
        self.canvas.text(first - 12, self.y + high - 3, clients[0], AXIS, "right", clients[1])
        self.y += high + 8

    def _row(self, client: str, title: str) -> None:
        first = MARGIN + ROWS
        lines = self.canvas.wrap(title, POLICY, ROWS - 16, 4)
        top = self.y + (HIGH - 14 * len(lines)) / 2
        for index, (line, full) in enumerate(lines):
            self.canvas.text(first - 12, top + 11 + 14 * index, line, POLICY, "right", full)
        for place, server in enumerate(self.servers):
            cell = self.cells.get((client, server))
            if cell:
                self._cell(cell, first + place * (WIDE + GAP))
        self.y += HIGH + GAP

    def _cell(self, cell: Cell, x: float) -> None:
        look = LOOKS[cell.category]
        self.canvas.rect(
            x, self.y, WIDE, HIGH, look.fill, look.edge, look.line, hatch=look.hatch, corner=5
        )
        style = Style(10.5, look.ink, bold=True)
        lines = self.canvas.wrap(self.say(cell.label), style, WIDE - 14, 2)
        full = f"{self.clients[cell.client]} × {self.servers[cell.server]}: {self._meaning(cell)}"
        _mark(self.canvas, cell.category, x + WIDE / 2, self.y + 24)
        top = self.y + 29 + (HIGH - 34 - 14 * len(lines)) / 2
        if look.hatch:
            wide = max(width(line, style) for line, _ in lines) + 10
            self.canvas.rect(
                x + (WIDE - wide) / 2, top, wide, 14 * len(lines) + 2, PAPER, corner=3, z=3
            )
        for index, (line, _) in enumerate(lines):
            self.canvas.text(x + WIDE / 2, top + 11 + 14 * index, line, style, "center", full)

    def _meaning(self, cell: Cell) -> str:
        return f"{self.say(cell.label)}. {self.say(MEANINGS[cell.category])}"

    def _legend(self) -> None:
        self.y += 18
        found = {cell.category for cell in self.cells.values()}
        room = self.wide - 2 * MARGIN - 44
        for category, label in LABELS.items():
            if category not in found:
                continue
            look = LOOKS[category]
            self.canvas.rect(
                MARGIN, self.y, 30, 20, look.fill, look.edge, look.line, hatch=look.hatch, corner=3
            )
            _mark(self.canvas, category, MARGIN + 15, self.y + 15, small=True)
            told = self.say(Text(label, {"code": "…"}))
            lines = self.canvas.wrap(f"{told}: {self.say(MEANINGS[category])}", KEY, room, 3)
            top = self.y
            for index, (line, full) in enumerate(lines):
                self.canvas.text(MARGIN + 42, top + 14 + 14 * index, line, KEY, full=full)
            self.y += max(26, 14 * len(lines) + 10)
        self.y += MARGIN - 12

    def _description(self) -> str:
        """The matrix in words, for who cannot see it."""
        return "\n".join(
            f"{self.clients[cell.client]} × {self.servers[cell.server]}: {self._meaning(cell)}"
            for client in self.clients
            for server in self.servers
            if (cell := self.cells.get((client, server)))
        )


def _mark(canvas: Canvas, category: Category, x: float, y: float, small: bool = False) -> None:
    """The sign of a way to end, its foot's middle at (x, y)."""
    size = 10.0 if small else 13.0
    ink = LOOKS[category].ink

    def stop() -> None:
        canvas.line([(x - size * 0.6, y - size / 2), (x + size * 0.6, y - size / 2)], ink, 3)

    def leave() -> None:
        middle = y - size / 2
        canvas.arrow(x + size * 0.8, x - size * 0.8, middle, ink, 1.6)

    def broken() -> None:
        middle = y - size / 2
        canvas.circle(x, middle, size * 0.7, PAPER, PAPER, z=3)
        zigzag = [(-0.7, 0), (-0.2, 0), (-0.05, -0.4), (0.05, 0.4), (0.2, 0), (0.7, 0)]
        canvas.line([(x + size * a, middle + size * b) for a, b in zigzag], ink, 1.6, z=4)

    draw: dict[Category, Callable[[], None]] = {
        "inside": lambda: canvas.lock(x, y, size, True, ink),
        "clear": lambda: canvas.lock(x, y, size, False, ink),
        "fooled": lambda: canvas.cross(x, y - size / 2, size * 0.9, ink, 3),
        "refused": stop,
        "given up": leave,
        "broken off": broken,
    }
    draw[category]()
