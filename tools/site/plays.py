"""The sessions the pages show: each is played once, really, and explained."""

from __future__ import annotations

from functools import cache
from typing import Literal

import simulator
from simulator import lab
from simulator.explainer import Explanation


@cache
def play(name: str = "documented", tls: Literal["1.2", "1.3"] | None = None) -> Explanation:
    """The explained session of a scenario that comes with the project."""
    return simulator.replay(name, tls=tls)


@cache
def scenarios() -> tuple[lab.Scenario, ...]:
    """All scenarios, in the order in which the pages tell them."""
    order = ["required", "no-tls", "attacked", "beside", "own"]

    def place(scenario: lab.Scenario) -> tuple[int, bool, str]:
        return order.index(scenario.group), scenario.name != "documented", scenario.name

    return tuple(sorted(lab.scenarios(), key=place))
