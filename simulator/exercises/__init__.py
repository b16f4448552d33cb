"""Exercises that check themselves: an answer is played in the lab, and what came of it is shown.

from simulator.exercises import check, show
show("04")                  # the task, with names and values of your own
check("04", 250)            # what happens if that is so
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.exercises import card
from simulator.exercises import progress as keeping
from simulator.exercises.answers import NoAnswer
from simulator.exercises.blocks import Block, Code, Items, Outcome, Say, Trials
from simulator.exercises.exercise import Exercise, UnknownExercise, load, names, words
from simulator.exercises.kinds import KINDS
from simulator.exercises.progress import BadProgress, Progress
from simulator.exercises.puzzle import Puzzle
from simulator.language import say

__all__ = [
    "BadProgress", "Progress", "Result", "Task", "UnknownExercise", "again", "check", "hint",
    "names", "overview", "show", "start",
]  # fmt: skip


GUESSABLE = frozenset({"predict", "fault", "must", "survive"})
"""Kinds with few answers: such an exercise is solved by being right twice in a row, the second time
where the first answer would be wrong."""


class _Card:
    """Something that shows itself in a notebook, and as text elsewhere."""

    tone = ""

    def __init__(self, title: str, blocks: list[Block | Trials], language: str, mark: str = ""):
        self.title = title
        self.blocks = blocks
        self.language = language
        self._mark = mark

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int = 100) -> str:
        """For a terminal, so many columns wide."""
        return card.text(self.title, self.blocks, self.language, width=width, mark=self._mark)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return card.html(self.title, self.blocks, self.language, tone=self.tone, mark=self._mark)


class Task(_Card):
    """An exercise as it is put before one learner."""


class Result(_Card):
    """What came of an answer. `right` says whether it was right; `played` is the session that the
    answer had, as `replay` gives it, or None; `session` its explanation."""

    def __init__(
        self, title: str, outcome: Outcome, more: list[Block], language: str, mark: str
    ) -> None:
        super().__init__(title, [*outcome.blocks, *more], language, mark)
        self.right = outcome.right
        self.understood = outcome.understood
        self.tone = "right" if outcome.right else "wrong" if outcome.understood else ""
        self.session = outcome.played

    @property
    def played(self) -> Any:
        """The session that the answer had: shows itself as the player."""
        from simulator.notebook import shown

        return shown(self.session) if self.session else None


def show(
    name: str, *, language: str = "", progress: Path | None = None, page: bool = False
) -> Task:
    """Exercise `name`, such as "05", with this learner's own names and values.

    `language` is that of the notebook if none is given; `progress` the learner's file (see
    `progress.default_path`). In a `page` that has a field for the answer, none of them says how one
    answers elsewhere. Raises `UnknownExercise`, `BadProgress`, `LabError`.
    """
    exercise, puzzle, _, _ = _opened(name, language, progress)
    blocks: list[Block | Trials] = [puzzle.paragraph(exercise.task)]
    blocks += KINDS[exercise.kind].ask(puzzle)
    if page:
        return Task(_title(puzzle), blocks, puzzle.language, "✎")
    begins = [block.text for block in blocks if isinstance(block, Code)]
    file = "answer.py" if any("def " in text for text in begins) else "answer.toml"
    how = "how-to-answer-file" if begins else "how-to-answer"
    blocks.append(puzzle.told(how, name=exercise.name, file=file))
    return Task(_title(puzzle), blocks, puzzle.language, "✎")


def check(
    name: str,
    answer: Any,
    *,
    language: str = "",
    progress: Path | None = None,
    page: bool = False,
) -> Result:
    """Play `answer` to exercise `name`, and tell what came of it.

    An answer is a number, a word, letters, a text, a program, or the path of a file, as the task
    says; the attempt is written into the learner's file. Raises as `show` does, and over no answer.
    """
    exercise, puzzle, path, known = _opened(name, language, progress)
    kind = KINDS[exercise.kind]
    done = known.of(exercise.name)
    try:
        outcome: Outcome = kind.check(puzzle, answer)
    except NoAnswer as error:
        told = puzzle.told(error.why, **error.values)
        outcome = Outcome(right=False, understood=False, blocks=(told,))
    more: list[Block] = []
    here = "-here" if page else ""
    if outcome.understood:
        changes: dict[str, object] = {"attempts": done.attempts + 1}
        if outcome.right and exercise.kind in GUESSABLE and not (done.solved or done.right):
            changes |= {"right": 1, "draw": _otherwise(puzzle, answer, known.learner, done.draw)}
            more.append(puzzle.told(f"once-more{here}", name=exercise.name))
        elif outcome.right:
            changes |= {"right": done.right + 1, "solved": done.solved or keeping.today()}
        elif kind.REVEALS or done.right:
            changes["right"] = 0
            changes["draw"] = done.draw + 1
            more.append(puzzle.told(f"next-draw{here}", name=exercise.name))
        else:
            more.append(puzzle.told(f"try-again{here}", name=exercise.name))
        if not outcome.right and exercise.kind in ("predict", "fault"):
            guess = f"{puzzle.variant.name}: {str(answer).strip().upper()[:8]}"
            changes["wrong"] = {**done.wrong, guess: done.wrong.get(guess, 0) + 1}
        more += _kept(puzzle, path, known.but(exercise.name, **changes))
    state = "right" if outcome.right else "wrong" if outcome.understood else "unread"
    mark = {"right": "✓", "wrong": "✗", "unread": "?"}[state]
    title = f"{_title(puzzle)} — {puzzle.says(f'state-{state}')}"
    return Result(title, outcome, more, puzzle.language, mark)


def _otherwise(puzzle: Puzzle, answer: Any, learner: str, draw: int) -> int:
    """The next draw to which the same answer is wrong; where there is none, the next."""
    kind = KINDS[puzzle.exercise.kind]
    for other in range(draw + 1, draw + 2 + len(puzzle.exercise.variant)):
        dealt = Puzzle(puzzle.exercise, learner, puzzle.language, other)
        try:
            if not kind.check(dealt, answer).right:
                return other
        except NoAnswer:
            return other
    return draw + 1


def hint(name: str, *, language: str = "", progress: Path | None = None) -> Task:
    """The next of the three hints, after those already given. Raises as `show` does."""
    exercise, puzzle, path, known = _opened(name, language, progress)
    done = known.of(exercise.name)
    given = min(done.hints + 1, len(exercise.hints))
    blocks: list[Block | Trials] = [
        Say("{n}. " + puzzle.say(text), {"n": number, **puzzle.values()})
        for number, text in enumerate(exercise.hints[:given], 1)
    ]
    blocks += _kept(puzzle, path, known.but(exercise.name, hints=given))
    return Task(f"{_title(puzzle)} — {puzzle.says('hints')}", blocks, puzzle.language, "☞")


def again(
    name: str, *, language: str = "", progress: Path | None = None, page: bool = False
) -> Task:
    """The exercise once more, with other names and values. Raises as `show` does."""
    exercise, puzzle, path, known = _opened(name, language, progress)
    drawn = known.but(exercise.name, draw=known.of(exercise.name).draw + 1)
    failed = _kept(puzzle, path, drawn)
    if failed:
        return Task(_title(puzzle), [*failed], puzzle.language, "?")
    return show(name, language=language, progress=progress, page=page)


def start(name: str, *, language: str = "", progress: Path | None = None) -> str:
    """What an answer may begin as: the program or the policy that the exercise starts from."""
    exercise, puzzle, _, _ = _opened(name, language, progress)
    for block in KINDS[exercise.kind].ask(puzzle):
        if isinstance(block, Code):
            return block.text + "\n"
    return ""


def overview(*, language: str = "", progress: Path | None = None) -> Task:
    """All exercises, and how far the learner is with each. Raises `BadProgress`."""
    spoken = language or _spoken()
    path = progress or keeping.default_path()
    known = keeping.read(path)
    rows = []
    for name in names():
        done = known.of(name)
        state = "✓" if done.solved else "½" if done.right else f"{done.attempts or '·'}"
        rows.append((f"{name} {state:>2}", say(load(name).title, spoken)))
    solved = sum(1 for name in names() if known.of(name).solved)
    text = say(words()["overview"], spoken)
    blocks: list[Block | Trials] = [
        Items(tuple(rows)),
        Say(text, {"solved": solved, "total": len(names()), "file": str(path)}),
    ]
    return Task(say(words()["exercises"], spoken), blocks, spoken)


def _opened(
    name: str, language: str, progress: Path | None
) -> tuple[Exercise, Puzzle, Path, Progress]:
    exercise = load(str(name))
    path = progress or keeping.default_path()
    known = keeping.read(path)
    if not path.exists():
        # A learner who only looks is the same learner tomorrow.
        try:
            keeping.write(path, known)
        except OSError:
            known = Progress(learner="nobody")
    puzzle = Puzzle(exercise, known.learner, language or _spoken(), known.of(exercise.name).draw)
    return exercise, puzzle, path, known


def _kept(puzzle: Puzzle, path: Path, progress: Progress) -> list[Block]:
    """Write the progress down; a sentence where that cannot be done."""
    try:
        keeping.write(path, progress)
    except OSError as error:
        return [puzzle.told("not-kept", file=str(path), why=error.strerror or str(error))]
    return []


def _title(puzzle: Puzzle) -> str:
    return f"{puzzle.exercise.name} · {puzzle.say(puzzle.exercise.title)}"


def _spoken() -> str:
    from simulator.notebook import spoken

    return spoken()
