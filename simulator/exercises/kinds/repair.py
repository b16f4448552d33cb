"""Repair a scenario: the learner edits the policy of one side, and it is put through trials.

`may` names the tables that may be edited. The trials are played one after the other; the first one
that goes wrong is shown.
"""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec

from simulator.api import play
from simulator.exercises import answers
from simulator.exercises.blocks import Block, Code, Items, Outcome, Steps, Trials
from simulator.exercises.endings import endings, meets
from simulator.exercises.puzzle import PATIENCE, Puzzle, changed
from simulator.explainer import Explanation
from simulator.lab import BadScenario, ClientPolicy, MiddleboxPolicy, Scenario, ServerPolicy
from simulator.lab.policy import parse

REVEALS = False

_DEFAULTS = {
    "client": ClientPolicy(),
    "server": ServerPolicy(),
    "middlebox": MiddleboxPolicy(),
}

_SILENT = {"patience", "password", "user"}
"""Keys that are not worth showing."""

_PROSE = "\n".join(f'[{field}]\nen = "."' for field in ("title", "question", "watch", "conclude"))


def ask(puzzle: Puzzle) -> list[Block]:
    """The policies as they are, as the scenario's TOML."""
    return [
        puzzle.paragraph(puzzle.variant.about),
        Code(policy(puzzle)),
        puzzle.told("meets"),
        Items(tuple(("·", _filled(puzzle, trial.about)) for trial in puzzle.exercise.trial)),
    ]


def policy(puzzle: Puzzle) -> str:
    """The TOML that the learner begins with: what may be edited, and differs from the default."""
    written = []
    for table in puzzle.exercise.may:
        written.append(f"[{table}]")
        found = getattr(puzzle.scenario, table)
        for key in found.__struct_fields__:
            value = getattr(found, key)
            if key not in _SILENT and value != getattr(_DEFAULTS[table], key):
                written.append(f"{key} = {_toml(value)}")
    return "\n".join(written)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
    return str(value)


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Put the learner's policy through its trials."""
    repaired = _repaired(puzzle, answers.text(answer, ".toml"))
    rows: list[tuple[str, bool]] = []
    for trial in puzzle.exercise.trial:
        scenario = puzzle.tried(repaired, trial)
        found = play(scenario)
        good = meets(trial.wants, endings(found, scenario.middlebox.does))
        rows.append((_filled(puzzle, trial.about), good))
        if not good:
            blocks: tuple[Block | Trials, ...] = (
                Trials(tuple(rows)),
                puzzle.paragraph(trial.failed),
                telling(found),
            )
            return Outcome(right=False, blocks=blocks, played=found)
    blocks = (Trials(tuple(rows)), puzzle.paragraph(puzzle.variant.because))
    return Outcome(right=True, blocks=blocks, played=play(repaired))


def telling(found: Explanation) -> Steps:
    """The steps of a session that tell why it went wrong."""
    broken = [note.event for note in found.findings]
    last = len(found.steps)
    first = min(broken) if broken else last - 1
    shown = range(max(0, min(first - 2, last - 6)), min(last, max(first + 3, 5)))
    return Steps(found, tuple(shown), frozenset(broken), notes=True)


def _filled(puzzle: Puzzle, prose: str) -> str:
    return puzzle.say(prose).format_map(puzzle.values())


def _repaired(puzzle: Puzzle, text: str) -> Scenario:
    """The scenario with the learner's tables. Raises `NoAnswer`."""
    where = puzzle.says("your-answer")
    try:
        parse(f"{text}\n{_PROSE}\n".encode("utf-8", "replace"), where, "answer")
        given: dict[str, Any] = tomllib.loads(text)
        return _merged(puzzle, given)
    except BadScenario as error:
        said = str(error.said(puzzle.language))
        raise answers.NoAnswer("bad-policy", why=said[:400]) from None
    except (RecursionError, ValueError, TypeError) as error:
        if isinstance(error, answers.NoAnswer):
            raise
        raise answers.NoAnswer("bad-policy", why=type(error).__name__) from None


def _merged(puzzle: Puzzle, given: dict[str, Any]) -> Scenario:
    """The scenario, with what the learner wrote in place of it; other keys stay."""
    changes: dict[str, Any] = {}
    for table in given:
        if table not in puzzle.exercise.may:
            raise answers.NoAnswer("not-yours", table=table[:40], may=" ".join(puzzle.exercise.may))
        ours = getattr(puzzle.scenario, table)
        changes[table] = _bounded(ours, changed(ours, given[table]))
    return msgspec.structs.replace(puzzle.scenario, **changes)


def _bounded(ours: Any, theirs: Any) -> Any:
    """The learner's policy; who the peer is, and how long it waits, stays ours."""
    kept: dict[str, Any] = {"name": ours.name}
    if isinstance(theirs, ClientPolicy):
        kept |= {
            "patience": min(theirs.patience, PATIENCE),
            "user": ours.user,
            "password": ours.password,
        }
    return msgspec.structs.replace(theirs, **kept)
