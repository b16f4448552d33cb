"""A session as a table: one line an event, with what changes in both ledgers. For a quick look."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, say
from simulator.session import Side
from simulator.views import outline, prose
from simulator.views.lines import cells, wrap
from simulator.views.outline import Row
from simulator.views.view import Page, View, one_by_one

HEADINGS = (
    N_("no."),
    N_("ms"),
    "",
    N_("event"),
    N_("the server knows of the client"),
    N_("the client knows of the server"),
)

LIMITS = (4, 9, 7, 46, 40, 44)
"""Columns of each cell; what is longer ends in an ellipsis."""

NARROWEST = 16
"""Columns that the last three keep, however narrow the page."""


def render(explanation: Explanation, language: str = SOURCE, *, width: int = 160) -> str:
    """The table as plain text, at most `width` columns wide if that can be read."""
    rows = [tuple(say(heading, language) for heading in HEADINGS)]
    rows += [_cells(row, language) for row in outline.of(explanation).rows]
    limits = _limits(rows, width)
    rows = [
        tuple(wrap(cell, limit)[0][0] for cell, limit in zip(row, limits, strict=True))
        for row in rows
    ]
    head, *body = columns(rows)
    return "\n".join([head, "─" * max(map(cells, (head, *body))), *body]) + "\n"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines in which each column is as wide as its widest cell."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _cells(row: Row, language: str) -> tuple[str, ...]:
    event = row.step.event
    if row.shape == "handshake":
        arrow = "◆"
    elif row.shape in ("note", "aside"):
        arrow = "·"
    else:
        arrow = prose.arrow(row)
    label = say(row.label, language) if row.label else ""
    text = " / ".join(row.text) or label
    return (
        str(row.step.index + 1),
        f"{event.at * 1000:.1f}",
        f"{prose.LOCK[row.secure]} {arrow}",
        text,
        *(_ledger(row, side, language) for side in ("server", "client")),
    )


def _limits(rows: Sequence[tuple[str, ...]], width: int) -> list[int]:
    wanted = [
        min(limit, max(map(cells, column)))
        for limit, column in zip(LIMITS, zip(*rows, strict=True), strict=True)
    ]
    narrow, wide = wanted[:3], wanted[3:]
    room = width - sum(narrow) - 2 * (len(wanted) - 1)
    if sum(wide) > room:
        wide = [max(NARROWEST, room * share // sum(wide)) for share in wide]
    return narrow + wide


def _ledger(row: Row, side: Side, language: str) -> str:
    return " ".join(f"{mark}{facts}" for mark, facts in prose.changes(row, side, language))


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    padded = [cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)]
    return "  ".join(padded).rstrip()


def _on(explanation: Explanation, page: Page) -> str:
    return render(explanation, page.language, width=page.columns(160, 160))


VIEW = View(
    name="table",
    about=N_("one line for each event"),
    file="table.txt",
    render=_on,
    pieces=one_by_one(lambda explanation, page: f"{page.story.title}\n{_on(explanation, page)}"),
)
