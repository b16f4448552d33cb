"""Find the step at which a session goes wrong.

`asks`: the step that breaks a `rule`; or the first reply that was `misheard`, that is, taken for
the answer to another command than the one it answers.
"""

from __future__ import annotations

from typing import Any

from simulator.api import play
from simulator.exercises.answers import NoAnswer, number
from simulator.exercises.blocks import Block, Outcome, Say, Steps
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation, Step
from simulator.language import say
from simulator.session import Command, Reply

REVEALS = False


def ask(puzzle: Puzzle) -> list[Block]:
    """The whole log, without a word of explanation."""
    found = play(puzzle.scenario)
    return [puzzle.paragraph(puzzle.variant.about), Steps(found, tuple(range(len(found.steps))))]


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Look at the step that was named."""
    found = play(puzzle.scenario)
    given = number(answer)
    if not 1 <= given <= len(found.steps):
        raise NoAnswer("wants-step", last=len(found.steps), given=given)
    step = found.steps[given - 1]
    right = step.index in _wrong(puzzle, found)
    around = range(max(0, step.index - 1), min(len(found.steps), step.index + 2))
    evidence = Steps(found, tuple(around), frozenset({step.index}), notes=True)
    blocks: list[Block] = [puzzle.told("fault-right" if right else "fault-innocent", step=given)]
    blocks.append(_of(puzzle, found, step))
    blocks.append(evidence)
    if right:
        blocks.append(puzzle.paragraph(puzzle.variant.because))
    else:
        wrong = min(_wrong(puzzle, found), default=0)
        blocks.append(puzzle.told("fault-later" if wrong > step.index else "fault-earlier"))
    return Outcome(right=right, blocks=tuple(blocks), played=found if right else None)


def _of(puzzle: Puzzle, found: Explanation, step: Step) -> Block:
    """What happens at that step."""
    if puzzle.exercise.asks == "misheard" and isinstance(step.event, Reply):
        heard = _asked(found, step.heard_as)
        if step.answers is None:
            return puzzle.told("answers-nothing", heard=heard)
        return puzzle.told("answers-what", answers=_asked(found, step.answers), heard=heard)
    return Say("{text}", {"text": say(step.meaning, puzzle.language)})


def _asked(found: Explanation, index: int | None) -> str:
    if index is None:
        return "?"
    event = found.session.events[index]
    if isinstance(event, Command):
        return f"{event.verb} {event.argument}".strip()
    return type(event).__name__


def _wrong(puzzle: Puzzle, found: Explanation) -> set[int]:
    if puzzle.exercise.asks == "misheard":
        for step in found.steps:
            if isinstance(step.event, Reply) and step.answers != step.heard_as:
                return {step.index}
        return set()
    return {note.event for note in found.findings}
