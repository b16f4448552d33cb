"""Say what will happen, then see it happen.

`asks`: the reply `code` that the client gets for `verb`; how many `ehlos` the client sends; which
name and protocol the `received` line bears; the `ending` in the words of the matrix.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.api import play
from simulator.exercises.answers import NoAnswer, letters, number, word
from simulator.exercises.blocks import Block, Items, Outcome, Steps
from simulator.exercises.endings import endings
from simulator.exercises.exercise import words
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation
from simulator.session import Command, Message, Reply, Trace

REVEALS = True

ENDINGS = ("inside", "clear", "refused", "given up", "fooled")


def ask(puzzle: Puzzle) -> list[Block]:
    """The situation, and the log up to the question."""
    blocks: list[Block] = [puzzle.paragraph(puzzle.variant.about)]
    match puzzle.exercise.asks:
        case "code" | "received":
            found = play(puzzle.scenario)
            blocks.append(Steps(found, tuple(range(_question(puzzle, found)))))
        case "ending":
            blocks.append(Items(_choices(puzzle)))
    return blocks


def _choices(puzzle: Puzzle) -> tuple[tuple[str, str], ...]:
    return tuple(
        (letter, puzzle.say(words()[f"ending-{ending}"]))
        for letter, ending in zip("ABCDE", ENDINGS, strict=True)
    )


def _question(puzzle: Puzzle, found: Explanation) -> int:
    """The index of the first step that would give the answer away."""
    for step in found.steps:
        match step.event:
            case Reply() if puzzle.exercise.asks == "code" and step.index == _asked(puzzle, found):
                return step.index
            case Message() if puzzle.exercise.asks == "received":
                return step.index
    return len(found.steps)


def _asked(puzzle: Puzzle, found: Explanation) -> int:
    """The reply that the client takes for the answer to the command in question."""
    for step in found.steps:
        if isinstance(step.event, Reply) and step.heard_as is not None:
            heard = found.session.events[step.heard_as]
            if isinstance(heard, Command) and heard.verb == puzzle.exercise.verb:
                return step.index
    return -1


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Play it, and set what happened beside what was said."""
    given = _read(puzzle, answer)
    found = play(puzzle.scenario)
    happened = _happened(puzzle, found, puzzle.scenario.middlebox.does)
    right = given == happened
    blocks: list[Block] = [
        puzzle.told(
            "foreseen" if right else "not-foreseen",
            given=_shown(puzzle, given),
            happened=_shown(puzzle, happened),
        ),
        _evidence(puzzle, found),
        puzzle.paragraph(puzzle.variant.because),
    ]
    if not right:
        blocks.append(_elsewhere(puzzle, given))
    return Outcome(right=right, blocks=tuple(blocks), played=found)


def _read(puzzle: Puzzle, answer: Any) -> str:
    match puzzle.exercise.asks:
        case "code":
            code = number(answer)
            if not 200 <= code <= 599:
                raise NoAnswer("wants-code", given=str(code))
            return str(code)
        case "ehlos":
            return str(number(answer))
        case "ending":
            [*chosen] = letters(answer, "ABCDE")
            if len(chosen) != 1:
                raise NoAnswer("wants-letters", letters="A B C D E", given=str(answer)[:40])
            return ENDINGS["ABCDE".index(chosen[0])]
    said = word(answer).split(" ")
    if len(said) != 2:
        raise NoAnswer("wants-received", given=" ".join(said)[:40])
    return f"{said[0].lower()} {said[1].upper()}"


def _shown(puzzle: Puzzle, answer: str) -> str:
    name = f"ending-{answer}"
    if puzzle.exercise.asks == "ending" and name in words():
        # A sentence of its own elsewhere, here a part of one.
        return f"“{puzzle.say(words()[name]).removesuffix('.')}”"
    return answer


def _happened(puzzle: Puzzle, found: Explanation, middlebox: str) -> str:
    match puzzle.exercise.asks:
        case "code":
            event = found.session.events[_asked(puzzle, found)]
            return str(event.code) if isinstance(event, Reply) else ""
        case "ehlos":
            return str(sum(verb == "EHLO" for verb in found.verdict.client_to_server_commands))
        case "ending":
            held = endings(found, middlebox)
            if "fooled" in held and found.verdict.in_clear:
                return "clear"
            return next((ending for ending in ENDINGS if ending in held), "broken off")
    for event in found.session.events:
        if isinstance(event, Trace):
            match = re.search(r"from (\S+) .* with (\w+);", event.text)
            return f"{match[1].lower()} {match[2]}" if match else ""
    return ""


def _evidence(puzzle: Puzzle, found: Explanation) -> Steps:
    """The steps that show it."""
    marked: set[int] = set()
    every = range(len(found.steps))
    match puzzle.exercise.asks:
        case "code":
            at = _asked(puzzle, found)
            asked = found.steps[at].heard_as or 0
            marked = {at}
            every = range(max(0, asked - 2), at + 1)
        case "ehlos":
            marked = {
                step.index
                for step in found.steps
                if isinstance(step.event, Command) and step.event.verb == "EHLO"
            }
        case "received":
            marked = {step.index for step in found.steps if isinstance(step.event, Trace)}
            every = range(max(0, min(marked, default=1) - 1), max(marked, default=0) + 1)
    return Steps(found, tuple(every), frozenset(marked), notes=True)


def _elsewhere(puzzle: Puzzle, given: str) -> Block:
    """Where the learner's answer would have been right: played as well."""
    for other in puzzle.others():
        scenario = puzzle.dressed(other)
        if _happened(puzzle, play(scenario), scenario.middlebox.does) == given:
            return puzzle.told(
                "right-elsewhere",
                given=_shown(puzzle, given),
                about=puzzle.say(other.about).format_map(puzzle.values(scenario)),
            )
    return puzzle.told("right-nowhere", given=_shown(puzzle, given))
