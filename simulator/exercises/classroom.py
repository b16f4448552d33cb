"""What a class has done so far, from the files that learners hand in: who is where, which wrong
answers are common, which misconceptions are still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Literal

import msgspec

from simulator.exercises import progress as keeping
from simulator.exercises.exercise import load, names, words
from simulator.exercises.progress import Progress
from simulator.language import say
from simulator.views.inert import printable

Signature = Literal["signed", "unsigned", "edited"]
COMMONEST = 10
"""Wrong answers that are listed."""


class Learner(msgspec.Struct, frozen=True):
    """One file of the class: `name` is the file's, `at` the first exercise that is not solved."""

    name: str
    signature: Signature
    solved: int
    at: str
    attempts: int
    hints: int


class Class(msgspec.Struct, frozen=True):
    """The class: `wrong` are exercise, situation and answer, how often, and by how many; `open` the
    misconceptions with the number of learners who tried an exercise against it and solved none."""

    learners: tuple[Learner, ...]
    wrong: tuple[tuple[str, str, int, int], ...]
    open: tuple[tuple[str, int], ...]


def collect(paths: Sequence[Path], seed: str = "") -> Class:
    """Read the files of a class. Raises `BadProgress`, `OSError`."""
    learners = []
    open_: Counter[str] = Counter()
    times: Counter[tuple[str, str]] = Counter()
    by: Counter[tuple[str, str]] = Counter()
    for path in paths:
        path.stat()
        known = keeping.read(path)
        learners.append(_learner(path, known, seed))
        for name in names():
            for guess, count in known.of(name).wrong.items():
                times[name, guess] += count
                by[name, guess] += 1
        open_.update(_open(known))
    wrong = tuple((*key, count, by[key]) for key, count in times.most_common(COMMONEST))
    return Class(tuple(learners), wrong, tuple(sorted(open_.items())))


def _learner(path: Path, known: Progress, seed: str) -> Learner:
    done = [known.of(name) for name in names()]
    signature: Signature = "unsigned"
    if seed and known.signature:
        good = compare_digest(known.signature.encode(), keeping.signed(known, seed).encode())
        signature = "signed" if good else "edited"
    return Learner(
        name=path.stem,
        signature=signature,
        solved=sum(one.solved is not None for one in done),
        at=next((name for name in names() if known.of(name).solved is None), ""),
        attempts=sum(one.attempts for one in done),
        hints=sum(one.hints for one in done),
    )


def _open(known: Progress) -> set[str]:
    tried: set[str] = set()
    solved: set[str] = set()
    for name in names():
        done = known.of(name)
        if done.solved:
            solved.update(load(name).ideas)
        elif done.attempts:
            tried.update(load(name).ideas)
    return tried - solved


def text(found: Class, language: str) -> str:
    """The class as a teacher reads it in a terminal."""

    def word(name: str, /, **values: object) -> str:
        return say(words()[name], language).format_map(values)

    wide = max((len(printable(one.name)) for one in found.learners), default=0)
    lines = [f"{'':{wide}}  {word('class-head')}"]
    lines += [
        f"{printable(one.name):{wide}}  {one.solved:>2}/{len(names())} · "
        f"{one.at or word('class-none')} · {one.attempts} · {one.hints} · "
        f"{word(f'class-{one.signature}')}"
        for one in sorted(found.learners, key=lambda one: (-one.solved, one.name))
    ]
    lines += ["", word("class-wrong")]
    for name, guess, count, learners in found.wrong:
        title = say(load(name).title, language)
        told = word("class-times", count=count, learners=learners)
        lines.append(f"  {name} · {title} ({printable(guess)}): {told}")
    lines += [] if found.wrong else [f"  {word('class-nobody')}"]
    lines += ["", word("class-ideas")]
    for letter, learners in found.open:
        lines.append(f"  {letter} {word(f'idea-{letter}')} {learners}/{len(found.learners)}")
    lines += [] if found.open else [f"  {word('class-nobody')}"]
    return "\n".join(lines) + "\n"
