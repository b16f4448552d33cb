"""What is asked: sessions with a server as data, and the cases that a client meets."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from simulator import toml
from simulator.checks.cases import ClientCase, ServerCase, client_cases
from simulator.lab.policy import ServerPolicy
from simulator.language import N_, said
from simulator.toml import Prose

Kind = Literal["heeds", "lax", "breaks", "told", "unclear", "unasked", "withheld"]
"""What an answer shows: a rule heeded; a risk, or a SHOULD left out; a MUST broken; something of
which no rule speaks; nothing; not asked, since an earlier answer made it pointless; or a weakness
that is not public, of which nothing is written down."""

SHOWS: dict[Kind, str] = {
    "heeds": N_("as the RFC has it"),
    "lax": N_("lax, or a SHOULD left out"),
    "breaks": N_("against a MUST"),
    "told": N_("no rule covers it"),
    "unclear": N_("could not be decided"),
    "unasked": N_("not asked"),
    "withheld": N_("withheld"),
}
"""The same in a few words."""

MARK: dict[Kind, str] = {
    "heeds": "✓",
    "lax": "~",
    "breaks": "✗",
    "told": "·",
    "unclear": "?",
    "unasked": "",
    "withheld": "⊘",
}
"""The same as a sign."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. `about` says it. `secret`: to break it is a weakness."""

    id: str
    about: Prose
    secret: bool = False

    def said(self, language: str) -> str:
        """What is asked, in `language`."""
        return said(self.about, language)


class ServerQuestion(Question, frozen=True, kw_only=True):
    """A session with a server, whose last answer counts.

    `steps` are as in a `ServerCase`. `heeds` and `breaks`: how an answer begins that shows it.
    `lacks`: the list of the last answer must not have this keyword. `otherwise`: what it shows if
    an earlier step is refused. `resumes`: the handshake resumes a TLS session of that version
    (`tls`).
    """

    citation: str
    steps: tuple[str, ...]
    heeds: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    lacks: str = ""
    otherwise: Kind = "unclear"
    tls: Literal["", "1.2", "1.3"] = ""
    resumes: bool = False

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
            tls=self.tls,
            resumes=self.resumes,
            title=self.about,
            fix=self.about,
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
    return toml.read(_questions(), _Questions, "questions.toml")


def _questions() -> bytes:
    return (files("simulator.survey") / "questions.toml").read_bytes()


def of(kind: Literal["server", "client"]) -> tuple[Question, ...]:
    """What a server, or a client, is asked."""
    return questions().server if kind == "server" else questions().client


_SAID = ("about", "title", "fix", "citation", "fault")
"""What is only said of a question or a case, or is not for the software that is asked."""


def determining(kind: Literal["server", "client"]) -> bytes:
    """What the answers depend on: all that is asked of a server, or of a client, but its prose, in
    whatever order, since each question is a session of its own."""
    asked = tomllib.loads(_questions().decode())[kind]
    if kind == "client":
        raw = (files("simulator.checks") / "client.toml").read_text(encoding="utf-8")
        met = {question["id"] for question in asked}
        asked += [case for case in tomllib.loads(raw)["case"] if case["id"] in met]
    bare = [{key: value for key, value in one.items() if key not in _SAID} for one in asked]
    return msgspec.json.encode(sorted(bare, key=repr), order="sorted")
