"""The lab: a real client and a real server over real TLS on loopback, tapped.

`play` takes a scenario and gives the session that those policies really had.
"""

from simulator.lab.play import LabError, play, played
from simulator.lab.policy import (
    BadScenario,
    ClientPolicy,
    Mail,
    MiddleboxPolicy,
    Scenario,
    ServerPolicy,
    UnknownScenario,
    load,
    names,
    scenarios,
)

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
