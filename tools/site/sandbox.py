"""The sandbox: every client against every server, with everything that may stand between them.

All combinations are played when the site is built. What they share is told once: each distinct part
of all the explanations stands in one list, and whatever holds it names its place there.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from simulator import explainer
from simulator.cells import MEANINGS
from simulator.explainer import Explanation
from simulator.lab import arena
from simulator.language import say
from simulator.session import Disconnect, Session
from simulator.views import document, player
from tools.site import experiments
from tools.site.page import LANGUAGES, Asset, BadPage, Page
from tools.site.plays import scenarios
from tools.words import word

PATH = "data/sandbox.json"
TRIES = 4
WORDS = (
    "client",
    "server",
    "middlebox",
    "first",
    "second",
    "outcome",
    "part",
    "same",
    "command",
    "opens",
    "grid",
)


def show(page: Page) -> str:
    """The element; without script, what there is to be had instead."""
    words = {name: word(f"sandbox.{name}", page.language) for name in WORDS}
    attributes = f' data-words="{html.escape(json.dumps(words, ensure_ascii=False))}"'
    inside = ""
    if page.offline:
        data = _data(page.language).replace("<", "\\u003c").replace("&", "\\u0026")
        inside = f'\n<script type="application/json">{data}</script>'
    else:
        attributes += f' src="{page.up}{PATH}"'
    return (
        f'<div class="sandbox" data-search-exclude>\n<smtp-sandbox{attributes}>{inside}\n'
        f'<div class="still">\n{_still(page)}\n</div>\n</smtp-sandbox>\n</div>'
    )


SHOWN = (
    "skipped-ehlo",
    "forgetful-server",
    "stripped",
    "injected-command-kept",
    "auth-only-inside",
)
"""Sessions of the grid that have pages of their own."""


def _still(page: Page) -> str:
    """What stands there without scripts: the grid where nothing stands between, as a table, and
    where sessions are to be had one by one."""
    said, sides = LANGUAGES[page.language], arena.sides()
    titles = {scenario.name: scenario.prose("title", said) for scenario in scenarios()}
    links = ", ".join(
        f'<a href="{page.address(experiments.path(name))}">{html.escape(titles[name])}</a>'
        for name in SHOWN
    )
    every = page.address(f"{experiments.FOLDER}/index.md")
    told = word("sandbox.script", page.language, count=len(_played()))
    pages = word("sandbox.pages", page.language, links=links, every=every)
    heads = "".join(
        f'<th scope="col">{html.escape(entry.said(said))}</th>' for entry in sides.server.values()
    )
    rows = []
    for client, entry in sides.client.items():
        cells = []
        for server in sides.server:
            names = (client, server, "nothing")
            found = arena.cell(*names, _played()[names])
            kind = found.category.replace(" ", "-")
            label = html.escape(say(found.label, said))
            cells.append(f'<td><span class="cell {kind}">{label}</span></td>')
        rows.append(
            f'<tr><th scope="row">{html.escape(entry.said(said))}</th>{"".join(cells)}</tr>'
        )
    caption = word("sandbox.grid", page.language)
    return (
        f'<p>{told}</p>\n<p>{pages}</p>\n<div class="wide"><table class="matrix">\n'
        f"<caption>{caption}</caption>\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody>\n</table></div>"
    )


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """The sessions of all combinations, explained in one language."""
    if not offline:
        yield Asset(PATH, _data(language).encode())


@cache
def _played() -> dict[tuple[str, str, str], Explanation]:
    """All combinations. Nobody in the matrix hangs: what timed out met a busy machine, and is
    played again."""
    wanted = list(arena.combinations())
    found: dict[tuple[str, str, str], Session] = {}
    for _ in range(TRIES):
        found |= dict(zip(wanted, arena.play_all(wanted), strict=True))
        wanted = [names for names in wanted if _timed_out(found[names])]
        if not wanted:
            return {names: explainer.explain(_light(found[names])) for names in found}
    raise BadPage(f"the sandbox: {len(wanted)} sessions time out, such as {'+'.join(wanted[0])}")


def _timed_out(session: Session) -> bool:
    return any(isinstance(e, Disconnect) and e.reason == "timeout" for e in session.events)


def _light(session: Session) -> Session:
    """The session without the bytes of the wire, which `ehlo-twice bytes` shows, and without its
    times: how long each step took is what the building machine was busy with."""
    events = tuple(msgspec.structs.replace(event, wire=(), at=0.0) for event in session.events)
    return msgspec.structs.replace(session, events=events, wire=(), secrets=(), started=None)


@cache
def _data(language: str) -> str:
    said = LANGUAGES[language]
    sides = arena.sides()
    parts = _Parts()
    cells = {}
    for names, explanation in _played().items():
        found = arena.cell(*names, explanation)
        [entry] = document.document([explanation], said).sessions
        cells["+".join(names)] = [
            parts.place(msgspec.to_builtins(entry)),
            found.category,
            say(found.label, said),
        ]
    titles = {
        side: {name: entry.said(said) for name, entry in group.items()}
        for side, group in (
            ("client", sides.client),
            ("server", sides.server),
            ("middlebox", sides.middlebox),
        )
    }
    made = {
        "language": said,
        "labels": player.labels(said),
        "titles": titles,
        "meanings": {category: say(text, said) for category, text in MEANINGS.items()},
        "cells": cells,
        "keys": parts.keys,
        "parts": parts.parts,
    }
    parts.sort(cells.values())
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


class _Parts:
    """Every distinct part, once. A list is `[-1, places…]`, an object `[keys, places…]`."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.keys: list[list[str]] = []
        self._places: dict[Any, int] = {}
        self._key_places: dict[tuple[str, ...], int] = {}

    def place(self, value: Any) -> int:
        match value:
            case dict():
                keys = tuple(value)
                if keys not in self._key_places:
                    self._key_places[keys] = len(self.keys)
                    self.keys.append(list(keys))
                shape = [self._key_places[keys], *(self.place(inner) for inner in value.values())]
            case list() | tuple():
                shape = [-1, *(self.place(inner) for inner in value)]
            case _:
                return self._enter((type(value), value), value)
        return self._enter(tuple(shape), shape)

    def sort(self, holders: Iterable[list[Any]]) -> None:
        """Give what is named most often the shortest names; `holders` begin with a place."""
        holders = list(holders)
        held = Counter(place for part in self.parts if isinstance(part, list) for place in part[1:])
        held.update(holder[0] for holder in holders)
        order = sorted(range(len(self.parts)), key=lambda place: -held[place])
        moved = {place: index for index, place in enumerate(order)}
        for holder in holders:
            holder[0] = moved[holder[0]]
        for part in self.parts:
            if isinstance(part, list):
                part[1:] = [moved[place] for place in part[1:]]
        self.parts[:] = [self.parts[place] for place in order]

    def _enter(self, key: Any, part: Any) -> int:
        if key not in self._places:
            self._places[key] = len(self.parts)
            self.parts.append(part)
        return self._places[key]
