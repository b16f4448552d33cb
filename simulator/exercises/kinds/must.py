"""Name the rule that a session breaks, out of five."""

from __future__ import annotations

from typing import Any

from simulator.api import play
from simulator.exercises.answers import NoAnswer, letters
from simulator.exercises.blocks import Block, Items, Outcome, Say, Steps
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation
from simulator.language import say
from simulator.rules import Rule, rules
from simulator.smtp import citations

REVEALS = False

_LETTERS = "ABCDE"


def ask(puzzle: Puzzle) -> list[Block]:
    """The log, and five rules."""
    found = play(puzzle.scenario)
    cards = _cards(puzzle, found)
    return [
        puzzle.paragraph(puzzle.variant.about),
        Steps(found, tuple(range(len(found.steps)))),
        Items(tuple((letter, say(rule.text, puzzle.language)) for letter, rule in cards.items())),
    ]


def _cards(puzzle: Puzzle, found: Explanation) -> dict[str, Rule]:
    """One rule that is broken, and four that are not."""
    broken = _broken(found)
    musts = [rule for rule in rules() if rule.level == "must"]
    chance = puzzle.random("rules")
    chosen = [rule for rule in musts if rule.id in broken][:1]
    chosen += chance.sample([rule for rule in musts if rule.id not in broken], 4)
    chance.shuffle(chosen)
    return dict(zip(_LETTERS, chosen, strict=True))


def _broken(found: Explanation) -> set[str]:
    return {note.rule for note in found.findings if note.level == "must"}


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Look where the named rule came up in the session."""
    found = play(puzzle.scenario)
    cards = _cards(puzzle, found)
    chosen = letters(answer, "".join(cards))
    if len(chosen) != 1:
        raise NoAnswer("wants-letters", letters=" ".join(cards), given=str(answer)[:40])
    rule = cards[chosen[0]]
    citation = citations()[rule.citation]
    right = rule.id in _broken(found)
    notes = [note for note in found.notes if note.rule == rule.id and note.met is not right]
    name = "must-right" if right else "must-kept" if notes else "must-idle"
    blocks: list[Block] = [
        puzzle.told(
            name,
            letter=chosen[0],
            rule=say(rule.text, puzzle.language),
            place=citation.place,
            keyword=citation.keyword,
        )
    ]
    if notes:
        at = notes[0].event
        shown = range(max(0, at - 1), min(len(found.steps), at + 2))
        blocks.append(Steps(found, tuple(shown), frozenset({at}), notes=True))
    if right:
        blocks.append(Say("{place}: “{quote}”", {"place": citation.place, "quote": citation.quote}))
        blocks.append(puzzle.paragraph(puzzle.variant.because))
    return Outcome(right=right, blocks=tuple(blocks), played=found if right else None)
