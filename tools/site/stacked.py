"""Tables that a telephone shows row by row, since their columns would not fit beside each other."""

from __future__ import annotations

import html
import re

MOST = 4
"""Columns up to which a table can be read so; beyond, it is a grid, and scrolls."""

_TABLE = re.compile(r"<table>(.*?)</table>", re.DOTALL)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<td\b")


def stacked(page: str) -> str:
    """The page with small tables marked, and their cells named by their columns. Roles are spelled
    out: a table that is not laid out as one would else be none to those who listen to it."""
    return _TABLE.sub(_marked, page)


def _marked(match: re.Match[str]) -> str:
    table = match[1]
    heads = [html.escape(re.sub(r"<[^>]+>", "", head).strip()) for head in _HEAD.findall(table)]
    if not 2 <= len(heads) <= MOST:
        return match[0]

    def row(found: re.Match[str]) -> str:
        names = iter(heads)

        def cell(_: re.Match[str]) -> str:
            name = next(names, "")
            # Of two columns, each explains the other.
            label = f' data-head="{name}"' if name and name != heads[0] and len(heads) > 2 else ""
            return f'<td role="cell"{label}'

        return f'<tr role="row">{_CELL.sub(cell, found[1])}</tr>'

    body = _ROW.sub(row, re.sub(r"<th\b", '<th role="columnheader"', table))
    return f'<table data-stacked role="table">{body}</table>'
