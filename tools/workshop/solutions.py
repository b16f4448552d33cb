"""What is right in every exercise, and what comes of “Change one thing” in every notebook.

For the teacher. Nothing is looked up: each answer is found by playing, and the exercise itself says
that it is right; each changed notebook was run just now. Programs and policies that learners have
to write stand in workshop/solutions/, and are tried as a learner's would be.
"""

from __future__ import annotations

import html
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from simulator.exercises import names
from simulator.exercises.blocks import Block, Items, Outcome, Say, Trials
from simulator.exercises.card import marked_up
from simulator.exercises.exercise import load
from simulator.exercises.kinds import KINDS
from simulator.exercises.puzzle import Puzzle
from simulator.language import say
from simulator.views.inert import printable
from tools.site import cells
from tools.site.page import LANGUAGES, ROOT
from tools.words import translated, word

FOLDER = ROOT / "workshop" / "solutions"
TEACHER = "teacher"
"""The learner whose names and values stand in the answers."""

ECHOES = ("foreseen", "must-right", "on-wire")
"""Texts that only repeat the answer, by this learner's letters."""

SHOWN = 40
"""Lines of a program's output that are shown."""


class Unsolved(Exception):
    """No answer that was tried is right: the message says to which exercise, in which situation."""


class Solved(NamedTuple):
    """A situation of an exercise: who meets whom, the right answer in words, and what it says."""

    about: str
    answer: str
    told: str


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a learner changes in a notebook, what has to come of it, and what it means."""

    notebook: str
    at: str
    put: tuple[tuple[str, str], ...] = ()
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    text: str


def solve(name: str, variant: str, language: str) -> Solved:
    """Find the right answer to one situation. Raises `Unsolved`."""
    puzzle = Puzzle(load(name), TEACHER, LANGUAGES[language], variant=variant)
    kind = KINDS[puzzle.exercise.kind]
    asked: list[Block | Trials] = kind.ask(puzzle)
    items = dict(next((block.rows for block in asked if isinstance(block, Items)), ()))
    for answer in FINDS[puzzle.exercise.kind](puzzle, items):
        outcome: Outcome = kind.check(puzzle, answer)
        if outcome.right:
            about = puzzle.say(puzzle.variant.about).format_map(puzzle.values())
            echoed = {puzzle.says(name) for name in ECHOES}
            told = [said for said in _says(outcome) if said.text not in echoed]
            return Solved(about, _named(answer, items, language), " ".join(map(_said, told)))
    raise Unsolved(f"exercise {name}, {variant}: nothing that was tried is right")


def exercise(name: str, language: str) -> list[Solved]:
    """Every situation of an exercise that is set. Raises `Unsolved`."""
    found = load(name)
    chosen = found.variant
    if found.kind in ("reader", "client"):
        # One program meets all of them.
        return [solve(name, chosen[0].name, language)._replace(about="")]
    return [solve(name, variant.name, language) for variant in chosen]


def _says(outcome: Outcome) -> list[Say]:
    return [block for block in outcome.blocks if isinstance(block, Say)]


def _said(block: Say) -> str:
    return printable(block.text.format_map(block.values))


def _named(answer: object, items: dict[str, str], language: str) -> str:
    """An answer in letters, with what they stand for: letters are another learner's otherwise."""
    text = str(answer)
    if items and set(text) <= set(items):
        named = (printable(items[letter]) for letter in text)
        return " · ".join(named) or word("solutions-none", language)
    return text


def _happened(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
    """A prediction that is wrong is told what happened; of five endings, one by one."""
    if puzzle.exercise.asks == "ending":
        yield from items
        return
    wrong = {"code": 599, "ehlos": 99, "received": "nobody.example ESMTP"}[puzzle.exercise.asks]
    outcome: Outcome = KINDS["predict"].check(puzzle, wrong)
    yield next(str(s.values["happened"]) for s in _says(outcome) if "happened" in s.values)


def _in_order(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
    """The lines as the exercise has them; two that are alike may change places."""
    left, order = dict(items), ""
    for line in puzzle.exercise.lines:
        plain = line in ("TLS", "MESSAGE")
        start = puzzle.says(f"line-{line}") if plain else f"`{line.split('{')[0]}"
        letter = next(key for key, text in left.items() if text.startswith(start))
        del left[letter]
        order += letter
    yield order


def _without(gone: str) -> Callable[[Puzzle, dict[str, str]], Iterator[object]]:
    """Whoever names everything is told what is too much: it says so under one of these names."""

    def found(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
        outcome: Outcome = KINDS[puzzle.exercise.kind].check(puzzle, "".join(items))
        texts = {puzzle.says(name) for name in gone.split()}
        too_much = {s.values["letter"] for s in _says(outcome) if s.text in texts}
        yield "".join(letter for letter in items if letter not in too_much)

    return found


def _seen(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
    if puzzle.exercise.asks == "password":
        yield puzzle.scenario.client.password
    else:
        yield from _without("not-on-wire")(puzzle, items)


def _step(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
    yield from range(1, 30)


def _letter(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
    yield from items


def _written(ending: str) -> Callable[[Puzzle, dict[str, str]], Iterator[object]]:
    def found(puzzle: Puzzle, items: dict[str, str]) -> Iterator[object]:
        yield (FOLDER / f"{puzzle.exercise.name}{ending}").read_text(encoding="utf-8")

    return found


FINDS: dict[str, Callable[[Puzzle, dict[str, str]], Iterator[object]]] = {
    "predict": _happened,
    "order": _in_order,
    "survive": _without("gone-client gone-server"),
    "fault": _step,
    "must": _letter,
    "repair": _written(".toml"),
    "eavesdrop": _seen,
    "reader": _written(".py"),
    "client": _written(".py"),
}
"""How answers to each kind are looked for; the exercise says which of them is right."""


def changes() -> tuple[Change, ...]:
    """What is changed in the notebooks. Raises `msgspec.ValidationError`."""
    text = (FOLDER / "changes.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["change"], tuple[Change, ...])


def changed(change: Change, language: str) -> str:
    """Run the notebook with the change in it; returns what the changed cell prints.

    Raises `Unsolved` where that is not what it should be, `BadCell` where it does not run.
    """
    [book] = [book for book in cells.sources(language) if book.name == change.notebook]
    sources = list(book.cells)
    for old, new in change.put:
        if not any(kind == "code" and old in source for kind, source in sources):
            raise Unsolved(f"{change.notebook}: no cell has {old!r}")
        sources = [
            (kind, source.replace(old, new) if kind == "code" else source)
            for kind, source in sources
        ]
    last = max(
        (n for n, (kind, source) in enumerate(sources) if kind == "code" and change.at in source),
        default=-1,
    )
    if last < 0:
        raise Unsolved(f"{change.notebook}: no cell has {change.at!r}")
    with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
        around = {
            "EHLO_TWICE_PROGRESS": str(Path(folder) / "progress.json"),
            "EHLO_TWICE_PREDICT": "off", "MPLBACKEND": "agg", "COLUMNS": "100",
        }  # fmt: skip
        before = {name: os.environ.get(name) for name in around}
        os.environ |= around
        try:
            run = cells.run(
                msgspec.structs.replace(book, cells=sources[: last + 1]), cells.BOOKS / language
            )
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
    text = "\n".join(shown.text for shown in run.outputs[last] if isinstance(shown, cells.Text))
    wrong = [part for part in change.has if part not in text]
    wrong += [part for part in change.lacks if part in text]
    if wrong:
        raise Unsolved(f"{change.notebook}: {wrong[0]!r} is not as it should be in:\n{text}")
    return text


def sheet(language: str) -> str:
    """All of it, to print: exercises first, then notebooks. Raises `Unsolved`, `BadCell`."""
    said = LANGUAGES[language]
    parts = [
        f"<h1>{html.escape(word('solutions-title', language))}</h1>",
        f"<p>{html.escape(word('solutions-how', language))}</p>",
    ]
    for name in names():
        head = f"<h2>{name} · {html.escape(say(load(name).title, said))}</h2>"
        first, *others = map(_situation, exercise(name, language))
        parts += [f'<div class="whole">{head}{first}</div>', *others]
    parts.append(f"<h1>{html.escape(word('solutions-change', language))}</h1>")
    titles = {book.name: book.title for book in cells.sources(language)}
    for change in changes():
        lines = changed(change, language).splitlines()
        output = "\n".join(lines[:SHOWN] + ["…"] * (len(lines) > SHOWN))
        text = _marked(translated(change.text, language))
        parts.append(
            f"<h2>{html.escape(titles[change.notebook])}</h2>"
            f"<p>{text}</p><pre>{html.escape(_lines(output))}</pre>"
        )
    return f'<style>@page {{ margin: 13mm 14mm }}</style><div class="flow">{"".join(parts)}</div>'


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _situation(found: Solved) -> str:
    about = f"<p>{_marked(found.about)}</p>" if found.about else ""
    if "\n" in found.answer:
        answer = f"<pre>{html.escape(_lines(found.answer.strip()))}</pre>"
    else:
        answer = f'<p class="right"><b>{_marked(found.answer)}</b></p>'
    return f'<div class="solved">{about}{answer}<p class="told">{_marked(found.told)}</p></div>'


def _marked(text: str) -> str:
    """The little markup that texts have."""
    return marked_up(html.escape(text, quote=False))
