"""The challenge: the servers of the exercise "write a client" as ports, for clients of any kind.

A connection is judged as the exercise judges it, by how it ended and which rules it broke.
"""

from __future__ import annotations

from functools import cache

import msgspec

from simulator.exercises.endings import endings, fitting, meets
from simulator.exercises.exercise import Exercise, Trial, load, names
from simulator.exercises.puzzle import changed
from simulator.lab.policy import MiddleboxPolicy, ServerPolicy
from simulator.live.ports import Port
from simulator.live.store import Kept
from simulator.session import Command


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a connection: did it pass, or else why not (in English), which `step` of the
    session shows it (from 1), and in which situation it would have worked (empty if in none)."""

    passed: bool
    failed: str = ""
    fits: str = ""
    step: int = 0


@cache
def exercise() -> Exercise:
    """The exercise."""
    return next(found for name in names() if (found := load(name)).kind == "client")


@cache
def _trials() -> dict[str, Trial]:
    return {f"challenge-{number}": trial for number, trial in enumerate(exercise().trial, 1)}


def servers() -> list[Port]:
    """The ports, in the order of the exercise."""
    return [
        Port(
            name=name,
            title=trial.about,
            server=changed(ServerPolicy(), trial.server),
            middlebox=changed(MiddleboxPolicy(), trial.middlebox),
            dribbles=trial.dribbles,
        )
        for name, trial in _trials().items()
    ]


def judged(kept: Kept) -> Feedback | None:
    """What is told of a session; None while it lasts, or where it was no part of the challenge."""
    trial = _trials().get(kept.port)
    if trial is None or not kept.over:
        return None
    explanation = kept.explanation()
    held = endings(explanation, kept.does)
    if meets(trial.wants, held):
        return Feedback(passed=True)
    marked = [note.event for note in explanation.findings]
    said = [
        number
        for number, event in enumerate(explanation.session.events)
        if isinstance(event, Command) and event.by == "client" and event.verb != "QUIT"
    ]
    return Feedback(
        passed=False,
        failed=trial.failed,
        fits=fitting(trial.fits, explanation, held),
        step=min(marked or said[-1:] or [0]) + 1,
    )
