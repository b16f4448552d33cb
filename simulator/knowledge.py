"""What each side knows about the other, and when it must forget it.

This is the picture the project turns on. Each side learns facts about the other; a successful TLS
handshake takes away every fact that was learned by talking, on both sides, and leaves only what
the handshake itself proved (RFC 3207 §4.2). The second EHLO is how the facts come back.

The ledger is kept by the rule book: it says what a side may still rely on, not what a faulty
implementation happens to remember. Where the two differ, the rules make it a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from simulator import smtp
from simulator.session import (
    AnyEvent,
    Command,
    Connect,
    Handshake,
    Message,
    Reply,
    Side,
)

Kind = Literal["name", "keyword", "envelope", "identity", "tls"]
"""`tls` facts come from the handshake itself; all others were said in SMTP."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that `holder` knows about the other side.

    `learned` and `discarded` are indices of events; `secure`: learned inside TLS. `by_rule` is the
    citation that took the fact away.
    """

    holder: Side
    kind: Kind
    name: str
    value: str = ""
    learned: int
    secure: bool
    discarded: int | None = None
    by_rule: str = ""

    @property
    def label(self) -> str:
        """The fact in protocol tokens, such as `EHLO mx4.example.com` or `SIZE 10485760`."""
        return f"{self.name} {self.value}".strip()


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of both sides after an event, those already discarded included, oldest first."""

    facts: tuple[Fact, ...] = ()

    def of(self, holder: Side) -> tuple[Fact, ...]:
        """What `holder` knows now."""
        return tuple(f for f in self.facts if f.holder == holder and f.discarded is None)

    def find(self, holder: Side, kind: Kind, name: str = "") -> Fact | None:
        """The newest fact of that kind (and name) that `holder` still has."""
        for fact in reversed(self.facts):
            if (
                fact.holder == holder
                and fact.discarded is None
                and fact.kind == kind
                and name in ("", fact.name)
            ):
                return fact
        return None

    def forgotten(self, holder: Side, kind: Kind, name: str = "") -> Fact | None:
        """The newest fact of that kind (and name) that `holder` had to discard at a handshake."""
        for fact in reversed(self.facts):
            if (
                fact.holder == holder
                and fact.by_rule in _HANDSHAKE_RULES
                and fact.kind == kind
                and name in ("", fact.name)
            ):
                return fact
        return None

    def learned_at(self, event: int) -> tuple[Fact, ...]:
        """The facts that the event taught."""
        return tuple(f for f in self.facts if f.learned == event)

    def discarded_at(self, event: int) -> tuple[Fact, ...]:
        """The facts that the event took away."""
        return tuple(f for f in self.facts if f.discarded == event)


_ENVELOPE = ("envelope",)
_SAID = ("name", "keyword", "envelope", "identity")

DISCARDS: dict[str, tuple[tuple[Side, tuple[str, ...], str], ...]] = {
    # what happens: whose facts, of which kinds, by which rule
    "handshake": (
        ("server", _SAID, "rfc3207-4_2-server-discards"),
        ("client", _SAID, "rfc3207-4_2-client-discards"),
    ),
    "EHLO": (("server", ("name", "envelope"), "rfc5321-4_1_4-later-ehlo-resets"),),
    "EHLO answered": (("client", ("name", "keyword"), "rfc5321-4_1_4-later-ehlo-resets"),),
    "RSET": (("server", _ENVELOPE, "rfc5321-4_1_1_5-rset-clears"),),
    "message accepted": (("server", _ENVELOPE, "rfc5321-4_1_1_4-data-clears"),),
}
"""When a side forgets. The first row is the reason for the second EHLO."""

_HANDSHAKE_RULES = {rule for _, _, rule in DISCARDS["handshake"]}


def _discard(facts: tuple[Fact, ...], what: str, event: int) -> tuple[Fact, ...]:
    rules = {(holder, kind): rule for holder, kinds, rule in DISCARDS[what] for kind in kinds}
    return tuple(
        msgspec.structs.replace(f, discarded=event, by_rule=rules[f.holder, f.kind])
        if f.discarded is None and (f.holder, f.kind) in rules
        else f
        for f in facts
    )


def after(
    before: Knowledge,
    index: int,
    event: AnyEvent,
    heard_as: AnyEvent | None = None,
    answers: AnyEvent | None = None,
) -> Knowledge:
    """The knowledge of both sides after `event`, the session's event number `index`.

    For a reply, `answers` is the command that the server answered with it, and `heard_as` the one
    that the client takes it to answer; they differ only where somebody injected something.
    """
    facts = before.facts

    def learn(holder: Side, kind: Kind, name: str, value: str = "") -> Fact:
        return Fact(
            holder=holder, kind=kind, name=name, value=value, learned=index, secure=event.secure
        )

    match event:
        case Handshake(error=""):
            facts = _discard(facts, "handshake", index)
            facts += tuple(msgspec.structs.replace(f, secure=True) for f in _proved(event, learn))
        case Command(verb=("EHLO" | "HELO" | "LHLO") as verb, lost=False):
            facts = _discard(facts, "EHLO", index)
            facts += (learn("server", "name", verb, event.argument),)
        case Reply():
            if event.by == "server":
                facts = _server_learns(facts, event, answers, index, learn)
            if not event.lost:
                facts = _client_learns(facts, event, heard_as, index, learn)
    return Knowledge(facts=facts)


Learn = Callable[..., Fact]


def _proved(event: Handshake, learn: Learn) -> tuple[Fact, ...]:
    tls = f"{event.version.replace('TLSv', 'TLS ')} {event.cipher}".strip()
    found = [learn("server", "tls", "TLS", tls[4:]), learn("client", "tls", "TLS", tls[4:])]
    if event.client_certificate:
        found.append(learn("server", "tls", "certificate", event.client_certificate.subject))
    if event.server_certificate:
        found.append(learn("client", "tls", "certificate", event.server_certificate.subject))
    return tuple(found)


def _client_learns(
    facts: tuple[Fact, ...], reply: Reply, heard_as: AnyEvent | None, index: int, learn: Learn
) -> tuple[Fact, ...]:
    match heard_as:
        case None | Connect() if reply.code == 220 and not reply.stale:
            name = reply.lines[0].split(" ", 1)[0] if reply.lines else ""
            return (*facts, learn("client", "name", "220", name)) if name else facts
        case Command(verb="EHLO") if reply.code == 250:
            name, keywords = smtp.parse_ehlo_reply(reply.lines)
            facts = _discard(facts, "EHLO answered", index)
            return (
                *facts,
                learn("client", "name", "250", name),
                *(learn("client", "keyword", k.name, k.parameters) for k in keywords),
            )
        case Command(verb="HELO") if reply.code == 250:
            facts = _discard(facts, "EHLO answered", index)
            name = reply.lines[0].split(" ", 1)[0] if reply.lines else ""
            return (*facts, learn("client", "name", "250", name))
    return facts


def _server_learns(
    facts: tuple[Fact, ...], reply: Reply, answers: AnyEvent | None, index: int, learn: Learn
) -> tuple[Fact, ...]:
    positive = 200 <= reply.code < 300
    match answers:
        case Command(verb="MAIL") if positive:
            path, _ = smtp.mail_parameters(answers.argument)
            return (*facts, learn("server", "envelope", "MAIL FROM", f"<{path}>"))
        case Command(verb="RCPT") if positive:
            path, _ = smtp.mail_parameters(answers.argument)
            return (*facts, learn("server", "envelope", "RCPT TO", f"<{path}>"))
        case Command(verb="RSET") if positive:
            return _discard(facts, "RSET", index)
        case Message() if positive:
            return _discard(facts, "message accepted", index)
        case Command() if reply.code == 235:
            return (*facts, learn("server", "identity", "AUTH", answers.argument.split(" ")[0]))
    if reply.code == 235:
        return (*facts, learn("server", "identity", "AUTH"))
    return facts
