"""The questions of the workshop, out of workshop/quiz.toml: for pages, slides and paper."""

from __future__ import annotations

import html
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tools.site.page import Page, cite, table
from tools.words import translated, word

SOURCE = Path(__file__).resolve().parents[2] / "workshop" / "quiz.toml"
LETTERS = "abcdef"
FORMS = {"A": "quiz", "B": "quiz-b"}
"""Before the lesson, and after it: the use of a form's questions. Number for number they aim at the
same mistake."""


class Said(str):
    """A text, whose translations are in the catalogue."""

    __slots__ = ()

    def of(self, language: str) -> str:
        """The text in a page's language."""
        return translated(self, language)


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to choose, and what a wrong one tells of whoever chooses it."""

    text: Said
    reveals: Said | None = None

    def of(self, language: str) -> str:
        """The answer in a page's language."""
        return self.text.of(language)


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The session that answers a question: the scenario, and what is found in it."""

    play: str
    has: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question. The first of `options` is right; `order` is how they are shown, from 1 on."""

    id: str
    use: Literal["quiz", "quiz-b", "poll"]
    ideas: tuple[str, ...]
    seen: str
    shown: Proof
    cite: tuple[str, ...]
    order: tuple[int, ...]
    text: Said
    options: tuple[Option, ...]
    star: bool = False

    def ask(self, language: str) -> str:
        """The question's words."""
        return self.text.of(language)

    def choices(self) -> list[tuple[str, Option]]:
        """The answers as they are shown, each with its letter."""
        return [(LETTERS[n], self.options[place - 1]) for n, place in enumerate(self.order)]

    @property
    def right(self) -> str:
        """The letter of the right answer."""
        [letter] = [letter for letter, option in self.choices() if option.reveals is None]
        return letter


class Quiz(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All questions, and the misconceptions A to G they come from."""

    idea: dict[str, Said]
    question: tuple[Question, ...]


@cache
def load() -> Quiz:
    """The quiz. Raises `msgspec.ValidationError` where the file says something else."""
    found = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    return msgspec.convert(found, Quiz, dec_hook=lambda kind, text: kind(text))


def of_use(use: str) -> list[Question]:
    """The questions for one use, in the file's order."""
    return [question for question in load().question if question.use == use]


def find(name: str) -> Question:
    """The question of that id. Raises `LookupError`."""
    for question in load().question:
        if question.id == name:
            return question
    raise LookupError(f"workshop/quiz.toml has no question {name!r}")


def form(name: str) -> list[Question]:
    """The questions of a form, in their order."""
    return of_use(FORMS[name])


def letters(page: Page) -> str:
    """The right letters of both forms, question by question, for whoever corrects."""
    rows = [
        [
            f"{number}{one.right}",
            f"{number}{other.right}",
            ", ".join(one.ideas),
            html.escape(one.ask(page.language)),
        ]
        for number, (one, other) in enumerate(zip(form("A"), form("B"), strict=True), 1)
    ]
    heads = [word(head, page.language) for head in ("form-a", "form-b", "idea", "question")]
    return table(heads, rows)


def ideas(page: Page) -> str:
    """The misconceptions, as a table."""
    heads = [word("letter", page.language), word("idea", page.language)]
    rows = ([f"**{letter}**", said.of(page.language)] for letter, said in load().idea.items())
    return table(heads, rows)


def key(page: Page, use: str) -> str:
    """The answers, where they come from, and what each wrong one reveals."""
    return "\n\n".join(
        _solved(page, number, question) for number, question in enumerate(of_use(use), 1)
    )


def poll(page: Page, name: str) -> str:
    """One poll for the guide: the question, the answers, and what to make of each."""
    question = find(name)
    return f"**{html.escape(question.ask(page.language))}**\n\n{_answers(page, question)}"


def _solved(page: Page, number: int, question: Question) -> str:
    language = page.language
    cited = " ".join(cite(key, page) for key in question.cite)
    place = question.seen.removeprefix("https://github.com/")
    proof = page.address(f"what-if/{question.shown.play}.md")
    return (
        f"### {number}. {html.escape(question.ask(language))} {{ #key-{question.id} }}\n\n"
        f"{_answers(page, question)}\n\n"
        + word(
            "proof",
            language,
            ideas=", ".join(question.ideas),
            play=f'<a href="{proof}">{question.shown.play}</a>',
            seen=f"[{place}]({question.seen})",
            cited=cited,
        )
    )


def _answers(page: Page, question: Question) -> str:
    language = page.language
    right, rows = word("right", language), []
    for letter, option in question.choices():
        told = option.reveals.of(language) if option.reveals else f"**{right}**"
        rows.append([f"**{letter}**", html.escape(option.of(language)), told])
    return table([word(head, language) for head in ("letter", "answer", "reveals")], rows)
