"""The lab: a real client and a real server over real TLS on loopback, tapped.

`play` takes a scenario and gives the session that those policies really had.
"""

from pathlib import Path

from simulator.lab import arena, policy
from simulator.lab.play import LabError, play, played
from simulator.lab.policy import (
    BadScenario,
    ClientPolicy,
    Mail,
    MiddleboxPolicy,
    Scenario,
    ServerPolicy,
    UnknownScenario,
    names,
    scenarios,
)


def load(name: str | Path) -> Scenario:
    """A scenario by its name, from a TOML file, or a cell of the matrix (`client+server`, or
    `client+server+middlebox`). Raises `UnknownScenario`, `BadScenario`."""
    if isinstance(name, str) and "+" in name and "/" not in name:
        return arena.scenario(*name.split("+", 2))
    return policy.load(name)


__all__ = [
    "BadScenario",
    "ClientPolicy",
    "LabError",
    "Mail",
    "MiddleboxPolicy",
    "Scenario",
    "ServerPolicy",
    "UnknownScenario",
    "load",
    "names",
    "play",
    "played",
    "scenarios",
]
