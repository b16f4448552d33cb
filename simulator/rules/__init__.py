"""The rules an SMTP session with TLS obeys or breaks: one file a rule, each with its citation.

A rule is a function that looks at one `Moment` and says nothing, or makes notes. Every module of
this package holds one `RULE`; dropping a file in is all it takes to add one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Literal

import msgspec

from simulator import smtp
from simulator.knowledge import Knowledge
from simulator.language import Text
from simulator.needles import late
from simulator.session import AnyEvent, Command, Handshake, Message, Reply

Level = Literal["must", "should", "risk"]
"""How much a broken rule weighs: it breaks a MUST, it breaks a SHOULD, or it is risky."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule must know of what came before; carried along, so that no rule looks back.

    `tls` is the handshake that came about. `inside` counts the client's commands since then.
    `asked_for_tls`: a STARTTLS waits for its reply; `ready`: a 220 to it was heard, and neither
    a handshake nor a command came since. `behind_starttls`, `behind_220`: something came in the
    clear behind either of them. `refused`: the server refused an EHLO. `altered`: somebody on
    the way altered a list. `restarted`: the server said 220 to XCLIENT since the handshake.
    `messages` counts mail data, `replies` what the server said. `taken_out`: the server took
    something out of the client's last message. `in_pieces`: the client's last command was BDAT, of
    which the message's octets are part (RFC 3030 §2).
    """

    tls: Handshake | None = None
    inside: int = 0
    asked_for_tls: bool = False
    ready: bool = False
    behind_starttls: bool = False
    behind_220: bool = False
    refused: bool = False
    altered: bool = False
    restarted: bool = False
    messages: int = 0
    replies: int = 0
    taken_out: bool = False
    in_pieces: bool = False

    def then(self, event: AnyEvent, heard_as: AnyEvent | None) -> Past:
        """The past as it is after `event`."""
        match event:
            case Command(by="message") | Message(by="message"):
                return self._but(taken_out=True)
            case Handshake():
                tls = self.tls if event.error else event
                return self._but(
                    tls=tls,
                    inside=self.inside if event.error else 0,
                    restarted=self.restarted and bool(event.error),
                    ready=False,
                    asked_for_tls=False,
                )
            case Command(by=by, verb=verb):
                ours = by == "client"
                return self._but(
                    inside=self.inside + (ours and self.tls is not None),
                    behind_starttls=self.behind_starttls or self.asked_for_tls,
                    asked_for_tls=self.asked_for_tls or (ours and verb == "STARTTLS"),
                    ready=self.ready and not (ours and not event.secure),
                    messages=self.messages + (ours and verb == "BDAT"),
                    in_pieces=verb == "BDAT" if ours else self.in_pieces,
                )
            case Message():
                return self._but(messages=self.messages + 1, taken_out=False)
            case Reply(lost=False):
                changes: dict[str, object] = {"replies": self.replies + 1}
                match heard_as:
                    case None if self.ready and not event.secure:
                        changes["behind_220"] = True
                    case Command(verb="STARTTLS"):
                        changes |= {
                            "asked_for_tls": False,
                            "ready": event.code == 220 and self.tls is None,
                        }
                    case Command(verb="XCLIENT"):
                        changes["restarted"] = self.restarted or event.code == 220
                    case Command(verb="EHLO"):
                        changes["refused"] = self.refused or event.code >= 400
                        changes["altered"] = self.altered or altered(event)
                return self._but(**changes)
        return self

    def _but(self, **changes: object) -> Past:
        return msgspec.structs.replace(self, **changes)


_MASKED = late(r"X{4,}[A-Z]?|X{3,}A")


def altered(reply: Reply) -> bool:
    """Was this list altered on the path? Some firewalls overwrite what they do not like with X."""
    return reply.by == "middlebox" or any(_MASKED.fullmatch(line) for line in reply.lines[1:])


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its place: what happened before it, and what was known when it came.

    `answers` is what a reply answers, `heard_as` what the client takes it to answer. `grouped`:
    the command was sent while another one still waited for its reply; of a reply, that it answers
    such a command. `partial`: the record begins in the middle of the session. `played`: the lab
    recorded it, so it shows what no log tells.
    """

    index: int
    event: AnyEvent
    before: Knowledge
    after: Knowledge
    past: Past = Past()
    answers: AnyEvent | None = None
    heard_as: AnyEvent | None = None
    grouped: bool = False
    implicit_tls: bool = False
    partial: bool = False
    played: bool = False

    @property
    def in_front(self) -> bool:
        """Does TLS end in front of the server? Then what is inside it crosses the rest of the way
        in the clear."""
        return self.past.tls is not None and self.past.tls.in_front

    @property
    def first_inside(self) -> bool:
        """Is this the client's first command after STARTTLS and its handshake?"""
        match self.event:
            case Command(by="client", secure=True):
                return not self.implicit_tls and self.past.tls is not None and not self.past.inside
        return False

    def replied(self, verb: str) -> Reply | None:
        """This event, if it is a reply that the server gave to a command with that verb."""
        match self.event, self.answers:
            case Reply(by="server") as reply, Command(verb=found) if found == verb:
                return reply
        return None

    def heard(self, verb: str) -> Reply | None:
        """This event, if the client takes it for the reply to its command with that verb."""
        match self.event, self.heard_as:
            case Reply(lost=False) as reply, Command(verb=found) if found == verb:
                return reply
        return None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a moment: it is met, or broken, and how that shows. Where another
    sentence than the rule's own binds here, its `citation`, and the `level` that has."""

    met: bool
    text: Text
    citation: str = ""
    level: Level | None = None


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
    """A rule: id, the citation it rests on, its level, one sentence, and the check.

    `at`: the kinds of event that it looks at; all if it names none. `verbs`: of commands those with
    such a verb, of replies those to one, as the server means it or the client takes it; likewise.
    """

    id: str
    citation: str
    level: Level
    text: str
    check: Check
    at: tuple[type[AnyEvent], ...] = ()
    verbs: tuple[str, ...] = ()

    def look(self, moment: Moment) -> Note | None:
        """The note that this rule makes at that moment, if any."""
        finding = self.check(moment)
        if finding is None:
            return None
        return Note(
            rule=self.id,
            citation=finding.citation or self.citation,
            level=finding.level or self.level,
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


def looks(moment: Moment) -> tuple[Note, ...]:
    """What all rules say of a moment."""
    event = moment.event
    match event:
        case Command():
            verbs: Verbs = (event.verb,)
        case Reply():
            verbs = (getattr(moment.answers, "verb", ""), getattr(moment.heard_as, "verb", ""))
        case _:
            verbs = None
    looking = _rules_at(type(event), verbs)
    return tuple([note for rule in looking if (note := rule.look(moment)) is not None])


Verbs = tuple[str, ...] | None
"""The verbs that an event has to do with; None where it has to do with none."""


@lru_cache(maxsize=256)
def _rules_at(kind: type[AnyEvent], verbs: Verbs) -> tuple[Rule, ...]:
    return tuple(
        rule
        for rule in rules()
        if (not rule.at or kind in rule.at)
        and (not rule.verbs or verbs is None or not set(verbs).isdisjoint(rule.verbs))
    )


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
            if not parameters:
                return ()
            return tuple(dict.fromkeys(_keyword_of(parameter) for parameter in parameters))
    return ()


def _keyword_of(parameter: smtp.Keyword) -> str:
    if parameter.name == "BODY":
        return "BINARYMIME" if parameter.parameters.upper() == "BINARYMIME" else "8BITMIME"
    return _KEYWORD_OF.get(parameter.name, parameter.name)


_KEYWORD_OF = {
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
    "BY": "DELIVERBY",
    "HOLDFOR": "FUTURERELEASE",
    "HOLDUNTIL": "FUTURERELEASE",
}
