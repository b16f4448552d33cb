"""Measuring two things by turns, so that a busy machine slows both, and saying what came out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Result(NamedTuple):
    """A figure, its target, and whether it was met."""

    text: str
    target: str
    met: bool

    def __str__(self) -> str:
        missed = "" if self.met else ", MISSED"
        return f"{self.text} (target {self.target}{missed})"


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes once."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def by_turns(
    one: Callable[[], object], other: Callable[[], object], rounds: int
) -> list[tuple[float, float]]:
    """The seconds that both take, measured alternately after a round that does not count."""
    one()
    other()
    return [(seconds(one), seconds(other)) for _ in range(rounds)]


def median(values: list[float]) -> float:
    """The middle one: what disturbed a round or two does not count."""
    return statistics.median(values)
