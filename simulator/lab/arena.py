"""Every client policy against every server policy, with everything that may stand between them:
all played, none told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import product

import msgspec

from simulator import toml
from simulator.cells import Cell, ending
from simulator.explainer import Explanation
from simulator.lab.play import played, run
from simulator.lab.policy import (
    BadScenario,
    ClientPolicy,
    MiddleboxPolicy,
    Scenario,
    ServerPolicy,
    stage,
)
from simulator.language import languages, say
from simulator.session import Session

AT_ONCE = 8
"""Sessions played side by side."""


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy with a title."""

    title: str

    def said(self, language: str) -> str:
        """The title in `language`, in English where it is missing."""
        return say(self.title, language)


class NamedClient(Named, frozen=True, kw_only=True):
    """A client of the matrix."""

    policy: ClientPolicy = ClientPolicy()


class NamedServer(Named, frozen=True, kw_only=True):
    """A server of the matrix."""

    policy: ServerPolicy = ServerPolicy()


class NamedMiddlebox(Named, frozen=True, kw_only=True):
    """Who stands between them."""

    policy: MiddleboxPolicy = MiddleboxPolicy()


class Sides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who meets whom, by name, in the order of the file."""

    client: dict[str, NamedClient]
    server: dict[str, NamedServer]
    middlebox: dict[str, NamedMiddlebox]


@cache
def sides() -> Sides:
    """The policies of `arena.toml`."""
    return toml.read((files("simulator.lab") / "arena.toml").read_bytes(), Sides, "arena.toml")


def scenario(client: str, server: str = "documented", middlebox: str = "nothing") -> Scenario:
    """The scenario of one combination. Raises `BadScenario` for a name that is not there."""
    known = sides()
    for name, group in (
        (client, known.client),
        (server, known.server),
        (middlebox, known.middlebox),
    ):
        if name not in group:
            raise BadScenario(f"the matrix has no {name!r}: there are {', '.join(group)}")
    parts = (known.client[client], known.server[server], known.middlebox[middlebox])
    titles = {code: " · ".join(part.said(code) for part in parts) for code in languages()}
    policy = parts[0].policy
    if policy.patience > PATIENCE:
        policy = msgspec.structs.replace(policy, patience=PATIENCE)
    name = f"{client}+{server}+{middlebox}"
    return stage(name, titles, parts[1].policy, parts[2].policy, policy)


PATIENCE = 2.0
"""Seconds a client of the matrix waits for anything."""


def cell(client: str, server: str, middlebox: str, explanation: Explanation) -> Cell:
    """How the session that these three had ended."""
    known = sides()
    category, code = ending(
        explanation,
        known.middlebox[middlebox].policy.does,
        wants_tls=known.client[client].policy.tls != "never",
    )
    return Cell(client=client, server=server, middlebox=middlebox, category=category, code=code)


def combinations() -> Iterator[tuple[str, str, str]]:
    """All combinations: client, server, middlebox."""
    known = sides()
    return product(known.client, known.server, known.middlebox)


def play_all(
    wanted: list[tuple[str, str, str]], progress: Callable[[], None] = lambda: None
) -> list[Session]:
    """The sessions of those combinations, in that order; `progress` is called after each."""
    return play_each([scenario(*names) for names in wanted], progress)


def play_each(
    scenarios: Sequence[Scenario], progress: Callable[[], None] = lambda: None
) -> list[Session]:
    """The sessions of many scenarios, some side by side; `progress` is called after each."""
    return run(_all(scenarios, progress))


async def _all(scenarios: Sequence[Scenario], progress: Callable[[], None]) -> list[Session]:
    seats = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario) -> Session:
        async with seats:
            session = await played(scenario)
        progress()
        return session

    return await asyncio.gather(*(one(scenario) for scenario in scenarios))
