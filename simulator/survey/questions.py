"""What is asked: sessions with a server as data, and the cases that a client meets."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from simulator import toml
from simulator.checks.cases import ClientCase, ServerCase, client_cases
from simulator.lab.policy import ServerPolicy
from simulator.language import said

Kind = Literal["heeds", "lax", "breaks", "told", "unclear", "unasked", "withheld"]
"""What an answer shows: a rule heeded; a risk, or a SHOULD left out; a MUST broken; something of
which no rule speaks; nothing; not asked, since an earlier answer made it pointless; or a weakness
that is not public, of which nothing is written down."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. `about` says it, by language. `secret`: to break it is a weakness."""

    id: str
    about: dict[str, str]
    secret: bool = False

    def said(self, language: str) -> str:
        """What is asked, in `language`."""
        return said(self.about, language)


class ServerQuestion(Question, frozen=True, kw_only=True):
    """A session with a server, whose last answer counts.

    `steps` are as in a `ServerCase`. `heeds` and `breaks`: how an answer begins that shows it.
    `lacks`: the list of the last answer must not have this keyword. `otherwise`: what it shows if
    an earlier step is refused.
    """

    citation: str
    steps: tuple[str, ...]
    heeds: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    lacks: str = ""
    otherwise: Kind = "unclear"

    def case(self) -> ServerCase:
        """The case that the checks can try."""
        return ServerCase(
            id=self.id,
            level="risk",
            citation=self.citation,
            begins="clear",
            steps=self.steps,
            passes=self.heeds,
            fails=self.breaks,
            lacks=(self.lacks,) if self.lacks else (),
            title=self.about["en"],
            fix=self.about["en"],
            fault=ServerPolicy(),
        )


class ClientQuestion(Question, frozen=True, kw_only=True):
    """A case of `simulator.checks` that a client meets. `needs`: a question whose rule it must have
    heeded for this one to tell anything."""

    needs: str = ""

    def case(self) -> ClientCase:
        """The case of that name."""
        return next(case for case in client_cases() if case.id == self.id)


class _Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    server: tuple[ServerQuestion, ...]
    client: tuple[ClientQuestion, ...]


@cache
def questions() -> _Questions:
    """All questions, in the order in which they are asked."""
    raw = (files("simulator.survey") / "questions.toml").read_bytes()
    return toml.read(raw, _Questions, "questions.toml")


def of(kind: Literal["server", "client"]) -> tuple[Question, ...]:
    """What a server, or a client, is asked."""
    return questions().server if kind == "server" else questions().client
