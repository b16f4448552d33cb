"""Which facts does the handshake leave? The ledgers of a real session are the answer.

Put before the learner is what both sides knew just before or just after the handshake.
"""

from __future__ import annotations

from typing import Any

from simulator.api import play
from simulator.exercises.answers import letters
from simulator.exercises.blocks import Block, Items, Outcome, Say, Steps
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation
from simulator.knowledge import Fact
from simulator.session import Handshake
from simulator.smtp import citations
from simulator.views import document

REVEALS = False

_LETTERS = "ABCDEFGHIJKLMNOP"


def ask(puzzle: Puzzle) -> list[Block]:
    """The facts, shuffled."""
    found = play(puzzle.scenario)
    at = _handshake(found)
    cards = _cards(puzzle, found)
    return [
        puzzle.paragraph(puzzle.variant.about),
        Steps(found, tuple(range(at + 1)), frozenset({at})),
        Items(tuple((letter, _shown(puzzle, fact)) for letter, fact in cards.items())),
    ]


def _handshake(found: Explanation) -> int:
    return next(
        step.index
        for step in found.steps
        if isinstance(step.event, Handshake) and not step.event.error
    )


def _cards(puzzle: Puzzle, found: Explanation) -> dict[str, Fact]:
    facts = list(found.steps[_handshake(found)].knowledge.facts)
    puzzle.random("facts").shuffle(facts)
    return dict(zip(_LETTERS, facts, strict=False))


def _shown(puzzle: Puzzle, fact: Fact) -> str:
    holder = puzzle.says(f"holds-{fact.holder}")
    return f"{holder}: `{document.label(fact, puzzle.language)}`"


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Hold each chosen fact against the ledgers after the handshake."""
    found = play(puzzle.scenario)
    cards = _cards(puzzle, found)
    given = set(letters(answer, "".join(cards)))
    kept = {letter for letter, fact in cards.items() if fact.discarded is None}
    right = given == kept
    at = _handshake(found)
    blocks: list[Block] = []
    for letter in sorted(given - kept):
        fact = cards[letter]
        blocks.append(
            puzzle.told(
                f"gone-{fact.holder}",
                letter=letter,
                fact=document.label(fact, puzzle.language),
                place=citations()[fact.by_rule].place,
                keyword=citations()[fact.by_rule].keyword,
            )
        )
    if given - kept:
        blocks += _if_kept(puzzle, {cards[letter].holder for letter in given - kept})
    if kept - given:
        blocks.append(puzzle.told("more-survive", count=len(kept - given)))
    if right:
        blocks.append(puzzle.told("survive-right"))
        blocks.append(Steps(found, (at, at + 1, at + 2), frozenset({at}), notes=True))
    return Outcome(right=right, blocks=tuple(blocks), played=found)


def _if_kept(puzzle: Puzzle, holders: set[str]) -> list[Block]:
    """What becomes of a side that keeps what it had to forget: the same peers, played so."""
    blocks: list[Block] = []
    for other in puzzle.exercise.variant:
        if other.name.startswith("keeps-") and other.name.removeprefix("keeps-") in holders:
            found = play(puzzle.dressed(other))
            broken = [step.index for step in found.steps if any(not n.met for n in step.notes)]
            blocks.append(puzzle.paragraph(other.because))
            if broken:
                shown = range(max(0, broken[0] - 1), min(len(found.steps), broken[0] + 2))
                blocks.append(Steps(found, tuple(shown), frozenset(broken[:1]), notes=True))
    return blocks or [Say("")]
