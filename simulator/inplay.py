"""The lab inside a web page: an experiment in, the session that its peers really had out.

What the page sends is a scenario file, and perhaps a client of the reader's own. It is played in
memory, explained by what explains everything else, and given back as JSON.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

from simulator import explainer
from simulator.lab import engine, play
from simulator.lab.memory.network import Stuck
from simulator.lab.play import run
from simulator.lab.policy import BadScenario, Scenario, parse
from simulator.lab.written import BadCode, WrittenLab
from simulator.session import Session
from simulator.views import player

FILE = "experiment.toml"
TABLES = ("client", "server", "middlebox", "mail")
"""What of a scenario file the page lets one change."""


def opened(text: str, language: str) -> str:
    """What a scenario file says, as JSON: its tables and its title. Raises `BadScenario`, in that
    language."""
    return json.dumps(_told(text, _parsed(text, language)))


def answer(text: str, code: str, language: str) -> str:
    """Play a scenario file, with the client's own lines where there are some; as JSON: what
    `opened` gives, and `shown`, which feeds a player. Raises `BadScenario`, `BadCode` and
    `Stuck`, in that language, and `LabError`."""
    scenario = _parsed(text, language)
    try:
        session, failed = played(scenario, code)
    except (BadCode, Stuck) as error:
        raise error.said(language) from None
    told = json.dumps(_told(text, scenario) | {"failed": failed})
    shown = player.data([explainer.explain(session)], language)
    return f'{told[:-1]}, "shown": {shown}}}'


def played(scenario: Scenario, code: str = "") -> tuple[Session, str]:
    """The session in memory, and what went wrong in the client's lines if anything did."""
    with engine.playing_on("memory"):
        if not code.strip():
            return play(scenario), ""
        lab = WrittenLab(scenario, code)
        session = run(_session(lab))
        return session, str(lab.failed or "")


def _parsed(text: str, language: str) -> Scenario:
    try:
        return parse(text.encode(), FILE, "experiment")
    except BadScenario as error:
        raise error.said(language) from None


async def _session(lab: WrittenLab) -> Session:
    async with lab.open():
        return await lab.session()


def _told(text: str, scenario: Scenario) -> dict[str, Any]:
    found = tomllib.loads(text)
    return {
        "title": scenario.title,
        "tables": {name: found[name] for name in TABLES if name in found},
    }
