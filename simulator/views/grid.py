"""The matrix as text: clients down, servers across, and how each combination ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from simulator.cells import LABELS, MEANINGS, Cell
from simulator.language import N_, SOURCE, Text, say
from simulator.session import as_json
from simulator.views.inert import printable
from simulator.views.markdown import escape
from simulator.views.table import columns

_STYLES = {
    "inside": "32", "clear": "33", "fooled": "1;31", "refused": "31", "given up": "35",
    "broken off": "2",
}  # fmt: skip

HEADING = N_("client \\ server")
CLIENTS = N_("Clients")
SERVERS = N_("Servers")
OPEN = N_("Open a cell: ehlo-twice replay {name}")

Titles = Mapping[str, str]
"""The title of each policy by its name, in the reader's language and in the order to show."""


def text(
    cells: tuple[Cell, ...],
    clients: Titles,
    servers: Titles,
    language: str = SOURCE,
    *,
    colour: bool = False,
) -> str:
    """The cells of one middlebox as a table, with what its words mean below."""
    by_names = {(cell.client, cell.server): cell for cell in cells}
    rows = [(say(HEADING, language), *servers)]
    rows += [
        (client, *(say(by_names[client, server].label, language) for server in servers))
        for client in clients
    ]
    painted = columns(rows)
    if colour:
        painted = [painted[0], *map(_painted(cells, language), painted[1:])]
    legend = [(say(label, language), say(MEANINGS[key], language)) for key, label in LABELS.items()]
    told = [
        line
        for heading, names in ((CLIENTS, clients), (SERVERS, servers))
        for line in (
            say(heading, language),
            *(f"  {row}" for row in columns([(n, printable(t)) for n, t in names.items()])),
            "",
        )
    ]
    example = Text(OPEN, {"name": f"{cells[0].client}+{cells[0].server}+{cells[0].middlebox}"})
    return "\n".join(
        [*painted, "", *told, *columns(_plain(legend)), "", say(example, language), ""]
    )


def markdown(
    cells: tuple[Cell, ...], clients: Titles, servers: Titles, language: str = SOURCE
) -> str:
    """The same as a Markdown table."""
    by_names = {(cell.client, cell.server): cell for cell in cells}
    head = [say(HEADING, language).replace("\\", "/"), *map(escape, servers.values())]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for client, title in clients.items():
        found = [say(by_names[client, server].label, language) for server in servers]
        lines.append(f"| {' | '.join([f'**{escape(title)}**', *found])} |")
    return "\n".join(lines) + "\n"


def json(cells: tuple[Cell, ...], language: str = SOURCE) -> str:
    """The cells as JSON, each with the name under which its session can be replayed."""
    rows = [
        {
            **msgspec.structs.asdict(cell),
            "label": say(cell.label, language),
            "scenario": f"{cell.client}+{cell.server}+{cell.middlebox}",
        }
        for cell in cells
    ]
    return as_json({"format": "ehlo-twice/matrix", "version": 1, "cells": rows})


def _plain(legend: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    return [(label.replace("{code}", "5xx"), meaning) for label, meaning in legend]


def _painted(cells: tuple[Cell, ...], language: str) -> Callable[[str], str]:
    words = sorted({(say(c.label, language), c.category) for c in cells}, key=lambda w: -len(w[0]))

    def paint(line: str) -> str:
        for word, category in words:
            line = line.replace(f"  {word}", f"  \x1b[{_STYLES[category]}m{word}\x1b[0m")
        return line

    return paint
