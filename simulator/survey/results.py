"""What came of a survey: one file a configuration, all of them as a table, and what differs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from simulator.errors import Error
from simulator.language import N_, SOURCE, Text, say
from simulator.session import Session, as_json
from simulator.survey.questions import SHOWS, Kind

FORMAT = "ehlo-twice/survey"
TABLE = "survey.csv"
WITHHELD = N_(
    "withheld: what was found here is not public as far as we know, so nothing of it is written "
    "down; tell the makers of the software (its security policy says how), and nobody else first"
)

_WORDS = (
    N_("broke off"),
    N_("no to TLS"),
    N_("no name"),
    N_("no message"),
    N_("closed"),
    N_("silence"),
)
_REFUSED = re.compile(r"(?P<code>\d{3}|closed|silence) to (?P<verb>[A-Z]+(?: \+ [A-Z]+)*)")
_RENAMED = re.compile(r"(?P<count>\d+ → \d+) \(another name\)")


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one question.

    `short` is what two runs are compared by: a reply code, or a word. `text` is the whole of it,
    and `prose` the same for other languages, where values stand in it. `public` is the address of a
    report, where what it shows is a weakness. `sessions` show it.
    """

    question: str
    kind: Kind
    short: str = ""
    text: str = ""
    prose: Text | None = None
    public: str = ""
    sessions: tuple[Session, ...] = ()

    def said(self, language: str) -> str:
        """The whole of it, in that language."""
        return say(self.prose or self.text, language)

    def brief(self, language: str) -> str:
        """The `short` of it, in that language."""
        if self.short in _WORDS:
            return say(self.short, language)
        if refused := _REFUSED.fullmatch(self.short):
            code = say(refused["code"], language)
            return say(
                Text(N_("{code} to {verb}"), {"code": code, "verb": refused["verb"]}), language
            )
        if renamed := _RENAMED.fullmatch(self.short):
            return say(Text(N_("{count} (another name)"), renamed.groupdict()), language)
        return self.short


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one configuration answered. `date` is the day, `system` where it ran, `recipe` the
    digest of its folder and `command` what asks again."""

    software: str
    setting: str
    kind: Literal["server", "client"]
    title: str
    release: str
    date: str
    system: str
    command: str
    recipe: str
    configuration: dict[str, str]
    answers: tuple[Answer, ...]
    format: Literal["ehlo-twice/survey"] = "ehlo-twice/survey"
    version: Literal[1] = 1

    @property
    def name(self) -> str:
        """The software's name, and its setting's where that is not the default."""
        return name_of(self.software, self.setting)

    def answer(self, question: str) -> Answer | None:
        """The answer to that question, if it was asked."""
        return next((found for found in self.answers if found.question == question), None)


def name_of(software: str, setting: str) -> str:
    """What a configuration is called."""
    return software if setting == "default" else f"{software}+{setting}"


class BadResults(Error, ValueError):
    """A file of results cannot be read: the message says which, and why."""


def to_json(found: Found) -> str:
    """One configuration as JSON text."""
    return as_json(found, indented=False)


def read(folder: Path) -> dict[str, Found]:
    """All results in a folder, by name; none where there is no folder. Raises `BadResults`."""
    known: dict[str, Found] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Found)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadResults(f"{path}: not results of a survey: {error}") from None
        known[found.name] = found
    return known


def table(results: Iterable[Found]) -> str:
    """All answers as CSV, a row each."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(
        ["software", "setting", "kind", "version", "date", "question", "shows", "short", "answer"]
    )
    for found in results:
        for answer in found.answers:
            rows.writerow(
                [
                    found.software,
                    found.setting,
                    found.kind,
                    found.release,
                    found.date,
                    answer.question,
                    answer.kind,
                    answer.short,
                    answer.text,
                ]
            )
    return written.getvalue()


def changes(before: Found, now: Found, language: str = SOURCE) -> Iterator[str]:
    """Which cells are others than before, a line each."""
    asked = {answer.question: answer for answer in now.answers}
    for old in before.answers:
        new = asked.pop(old.question, None)
        if new is None:
            gone = say(N_("no longer asked"), language)
            yield f"{now.name}, {old.question}: {_cell(old, language)} → {gone}"
        elif (old.short, old.kind) != (new.short, new.kind):
            both = " → ".join(_cell(answer, language) for answer in (old, new))
            yield f"{now.name}, {old.question}: {both}"
    for new in asked.values():
        never = say(N_("not asked before"), language)
        yield f"{now.name}, {new.question}: {never} → {_cell(new, language)}"


def _cell(answer: Answer, language: str) -> str:
    shows = say(SHOWS[answer.kind], language)
    return f"{answer.brief(language)} ({shows})" if answer.short else shows


def schema() -> dict[str, object]:
    """The JSON Schema of what one configuration answered (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ehlo-twice survey, version 1",
        **msgspec.json.schema(Found),
    }
