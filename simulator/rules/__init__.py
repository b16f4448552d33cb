"""The rules an SMTP session with TLS obeys or breaks: one file a rule, each with its citation.

A rule is a function that looks at one `Moment` and says nothing, or makes notes. Every module of
this package holds one `RULE`; dropping a file in is all it takes to add one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Literal

import msgspec

from simulator import smtp
from simulator.knowledge import Knowledge
from simulator.language import Text
from simulator.session import AnyEvent, Command, Handshake, Reply

Level = Literal["must", "should", "risk"]
"""How much a broken rule weighs: it breaks a MUST, it breaks a SHOULD, or it is risky."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its place: what happened before it, and what was known when it came.

    `answers` is what a reply answers, `heard_as` what the client takes it to answer. `partial`:
    the record begins in the middle of the session.
    """

    index: int
    event: AnyEvent
    history: Sequence[AnyEvent]
    before: Knowledge
    after: Knowledge
    answers: AnyEvent | None = None
    heard_as: AnyEvent | None = None
    implicit_tls: bool = False
    partial: bool = False

    @property
    def tls(self) -> Handshake | None:
        """The handshake that came about before this event, if one did."""
        for event in self.history[: self.index]:
            if isinstance(event, Handshake) and not event.error:
                return event
        return None

    @property
    def inside(self) -> list[Command]:
        """The client's commands since the handshake, this event included."""
        found: list[Command] | None = None
        for event in self.history[: self.index + 1]:
            if isinstance(event, Handshake) and not event.error:
                found = []
            elif found is not None and isinstance(event, Command) and event.by == "client":
                found.append(event)
        return found or []

    def replied(self, verb: str) -> Reply | None:
        """This event, if it is a reply that the server gave to a command with that verb."""
        match self.event, self.answers:
            case Reply() as reply, Command(verb=found) if found == verb:
                return reply
        return None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a moment: it is met, or broken, and how that shows."""

    met: bool
    text: Text


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A rule met or broken at an event of a session."""

    rule: str
    citation: str
    level: Level
    event: int
    met: bool
    text: Text


Check = Callable[[Moment], Finding | None]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: id, the citation it rests on, its level, one sentence, and the check."""

    id: str
    citation: str
    level: Level
    text: str
    check: Check

    def look(self, moment: Moment) -> Note | None:
        """The note that this rule makes at that moment, if any."""
        finding = self.check(moment)
        if finding is None:
            return None
        return Note(
            rule=self.id,
            citation=self.citation,
            level=self.level,
            event=moment.index,
            met=finding.met,
            text=finding.text,
        )


def met(text: str, **values: str | int) -> Finding:
    """The rule is obeyed here."""
    return Finding(met=True, text=Text(text, values))


def broken(text: str, **values: str | int) -> Finding:
    """The rule is broken here."""
    return Finding(met=False, text=Text(text, values))


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of their files' names."""
    return tuple(_load())


def _load() -> Iterator[Rule]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        rule: Rule = importlib.import_module(f"{__name__}.{found.name}").RULE
        if rule.citation not in smtp.citations():
            raise LookupError(f"rule {rule.id}: no {rule.citation} in citations.toml")
        yield rule


def keywords_used(command: Command) -> tuple[str, ...]:
    """The EHLO keywords that a command makes use of (RFC 5321 §2.2.1): by its verb, or by its
    parameters."""
    match command.verb:
        case "AUTH":
            return ("AUTH",)
        case "BDAT":
            return ("CHUNKING",)
        case "ETRN" | "VRFY" | "EXPN" | "HELP":
            return ()
        case "MAIL" | "RCPT":
            _, parameters = smtp.mail_parameters(command.argument)
            return tuple(
                dict.fromkeys(
                    _KEYWORD_OF.get(p.name, p.name) if p.name != "BODY" else p.parameters.upper()
                    for p in parameters
                )
            )
    return ()


_KEYWORD_OF = {
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
    "BY": "DELIVERBY",
    "HOLDFOR": "FUTURERELEASE",
    "HOLDUNTIL": "FUTURERELEASE",
}
