"""What every drawing of a dialogue needs to know, before a line is drawn.

A sequence diagram on a wall, in a terminal and in Mermaid show the same thing: who speaks to whom,
over which ground (in the clear, inside TLS), what each side learns and forgets by it, and which
rules are met or broken. It is worked out once here; a drawing only draws it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from simulator import smtp, tls
from simulator.explainer import Explanation, Step
from simulator.knowledge import Fact
from simulator.language import N_, Text
from simulator.needles import late
from simulator.rules import Note
from simulator.session import (
    AnyEvent,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Party,
    Remark,
    Reply,
    Session,
    Side,
    Trace,
)
from simulator.views.document import direction, wire_text
from simulator.views.inert import printable

Shape = Literal["arrow", "buffer", "handshake", "note", "aside"]
Zone = Literal["before", "document", "beyond"]

REMARK_LINES = 2
"""Lines of the header of a report, or of the message it returns, that are shown."""
MESSAGE_LINES = 6
"""Lines of a message that are shown; it matters here only that it crossed."""

CLIENT = N_("client")
SERVER = N_("server")
MIDDLEBOX = N_("on the path")
MESSAGE = N_("within the message")
CLEAR = N_("in the clear")
INSIDE = N_("inside TLS")
KNOWS = {
    "client": N_("What the client knows of the server"),
    "server": N_("What the server knows of the client"),
}
BEFORE = N_("before the documented log")
BEYOND = N_("beyond the documented log")
FORGET = N_("Both sides forget")
FORGET_WHY = N_("What was learned in the clear counts no longer.")
KEY_CLEAR = N_("learned in the clear")
KEY_FORGOTTEN = N_("forgotten")
KEY_INSIDE = N_("learned inside TLS")
KEY_MET = N_("rule met")
KEY_BROKEN = N_("rule broken")
KEY_FORGED = N_("made on the path")
FORGED = N_("not from the {side}: made on the path")
LOST = N_("held back on the path")
MISHEARD = N_("answers {asked}, but is taken for the answer to {heard}")
SLIPPED_IN = N_(
    "answers the {asked} that was slipped in, but is taken for the answer to the client's"
)
WITHIN = N_("taken out of the message")
STALE = N_("out of the old buffer, filled before the handshake")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a drawing needs it.

    `text` is what crossed the wire, harmless to show; `label` is prose that stands with it or in
    its place. `secure` is the ground it stands on. `learned` and `forgotten` are both sides'
    facts; `notes` are the broken rules and those met here for the first time.
    """

    step: Step
    shape: Shape
    text: tuple[str, ...]
    label: Text | None
    origin: Party
    target: Party
    secure: bool
    zone: Zone
    learned: tuple[Fact, ...]
    forgotten: tuple[Fact, ...]
    notes: tuple[Note, ...]
    resets: bool

    @property
    def forged(self) -> bool:
        """Not the one from whom it seems to be has said it."""
        return self.step.event.by in ("middlebox", "message")

    @property
    def ground(self) -> tuple[bool, Zone]:
        """Rows of one ground belong together."""
        return self.secure, self.zone

    def learned_by(self, holder: Side) -> tuple[Fact, ...]:
        """The facts that `holder` learns here."""
        return tuple(f for f in self.learned if f.holder == holder)

    def forgotten_by(self, holder: Side) -> tuple[Fact, ...]:
        """The facts that `holder` forgets here."""
        return tuple(f for f in self.forgotten if f.holder == holder)


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A whole session, ready to be drawn. `client` and `server` are host names."""

    client: str
    server: str
    middlebox: bool
    rows: tuple[Row, ...]


def of(explanation: Explanation) -> Outline:
    """Work out the dialogue of an explained session."""
    session = explanation.session
    client, server = names(session)
    return Outline(
        client=client,
        server=server,
        middlebox=any(e.by == "middlebox" or e.lost for e in session.events),
        rows=tuple(_rows(explanation)),
    )


_NO_NAME = late(
    r"(?:\d\.\d{1,3}\.\d{1,3}|SIZE|PIPELINING|8BITMIME|STARTTLS|AUTH|DSN|ETRN|VRFY|HELP|OK"
    r"|ENHANCEDSTATUSCODES|CHUNKING|SMTPUTF8)$",
    re.IGNORECASE,
)
"""A status code (RFC 3463) or a keyword: what a log that begins in the middle has first."""


def names(session: Session) -> tuple[str, str]:
    """The host names of client and server: as recorded, or else as each said its own."""
    client, server = session.client.name, session.server.name
    for event in session.events:
        match event:
            case Command(by="client", verb="EHLO" | "HELO" | "LHLO") if not client:
                client = event.argument
            case Reply(by="server", code=220 | 250) if not server and event.lines:
                said = event.lines[0].split(" ", 1)[0]
                server = "" if _NO_NAME.match(said) else said
    return printable(client), printable(server)


def cited(note: Note) -> str:
    """Such as `RFC 3207 §4.2 SHOULD`."""
    return citation(note.citation)


def citation(key: str) -> str:
    """Place and keyword of a citation."""
    found = smtp.citations()[key]
    return f"{found.place} {found.keyword}".strip()


def proofs(session: Session, handshake: Handshake) -> Iterator[tuple[str, Text | str]]:
    """What a handshake agreed and proved, and what anyone could read of it: name and value.

    A value is prose (`Text`) or protocol tokens (`str`).
    """
    if handshake.version:
        yield N_("version"), handshake.version.replace("TLSv", "TLS ")
    if handshake.cipher:
        yield N_("cipher"), handshake.cipher
    if handshake.in_front:
        yield N_("TLS ends"), Text(N_("in front of the server, which knows nothing of it"))
    for name, certificate in (
        (N_("server's certificate"), handshake.server_certificate),
        (N_("client's certificate"), handshake.client_certificate),
    ):
        if certificate:
            known = dict.fromkeys((certificate.subject, *certificate.names))
            yield name, ", ".join(filter(None, known))
    if handshake.verified and handshake.dane:
        yield N_("checked"), Text(N_("the key is that of the TLSA record (DANE)"))
    elif handshake.verified:
        yield N_("checked"), Text(N_("chain and name are right"))
    elif (
        not (handshake.error or handshake.untold)
        and handshake.server_certificate
        and session.source == "lab"
    ):
        yield N_("checked"), Text(N_("nobody checked it"))
    clear = ", ".join(in_the_clear(session, handshake))
    if clear:
        yield N_("read on the wire"), clear
    if handshake.resumed:
        yield N_("the certificates"), Text(N_("did not cross: an earlier TLS session was resumed"))
    elif not handshake.error and handshake.version in _CERTIFICATE:
        yield N_("the certificates"), Text(_CERTIFICATE[handshake.version])
    if handshake.error and handshake.detail:
        by_client = handshake.dane and handshake.error == "certificate"
        yield N_("checked") if by_client else N_("the TLS library says"), handshake.detail


_CERTIFICATE = {
    "TLSv1.2": N_("crossed in the clear, as TLS 1.2 has it"),
    "TLSv1.3": N_("crossed encrypted, as TLS 1.3 has it"),
}


def in_the_clear(session: Session, handshake: Handshake) -> tuple[str, ...]:
    """The handshake messages that could be read on the wire, in the order of the record."""
    found: dict[str, None] = {}
    for span in handshake.wire:
        try:
            records = tls.records(session.bytes_at(span))
        except ValueError:
            continue
        found |= dict.fromkeys(name for record in records for name in record.messages)
    return tuple(found)


def _rows(explanation: Explanation) -> Iterator[Row]:
    session = explanation.session
    first, last = session.documented or (0, len(session.events))
    secure = False
    met: set[str] = set()
    for step in explanation.steps:
        event = step.event
        zone: Zone = (
            "before" if step.index < first else "beyond" if step.index > last else "document"
        )
        tunnel = isinstance(event, Handshake) and not event.error
        if not isinstance(event, Connect | Disconnect | Trace | Remark | Handshake):
            secure = secure if event.stale else event.secure
        shape, origin, target = _way(step)
        yield Row(
            step=step,
            shape=shape,
            text=tuple(printable(line) for line in _shown(step)),
            label=_label(step) or _misheard(step, session.events),
            origin=origin,
            target=target,
            secure=secure,
            zone=zone,
            learned=step.knowledge.learned_at(step.index),
            forgotten=tuple(_forgotten(step)),
            notes=tuple(_told(step.notes, met)),
            resets=tunnel and not session.implicit_tls,
        )
        secure = secure or tunnel


def _way(step: Step) -> tuple[Shape, Party, Party]:
    event = step.event
    to: Party = "client" if direction(step) == "client" else "server"
    match event:
        case Handshake():
            return "handshake", "client", "server"
        case Trace():
            return "note", "server", "server"
        case Remark():
            return "aside", "client", "server"
        case _ if event.stale or event.by == "message":
            return "buffer", to, to
        case _ if event.lost and event.by != "middlebox":
            return "arrow", event.by, "middlebox"
    return "arrow", event.by, to


def _shown(step: Step) -> tuple[str, ...]:
    lines = wire_text(step)
    if isinstance(step.event, Message) and len(lines) > MESSAGE_LINES:
        return (*lines[:MESSAGE_LINES], "…")
    if isinstance(step.event, Remark) and step.event.about in ("header", "message"):
        return (*lines[:REMARK_LINES], "…") if len(lines) > REMARK_LINES else lines
    return lines


def _label(step: Step) -> Text | None:
    event = step.event
    match event:
        case Connect():
            return Text(N_("TCP connection"))
        case Disconnect():
            return step.meaning
        case Command() | Reply() if event.told and not wire_text(step):
            return step.meaning
        case Handshake(error=error) if error:
            return step.meaning
        case Handshake():
            return Text(N_("TLS handshake"))
        case Trace():
            return Text(N_("The server writes into the message:"))
        case _ if event.stale:
            return Text(STALE)
        case _ if event.by == "message":
            return Text(WITHIN)
        case _ if event.by == "middlebox":
            side = SERVER if isinstance(event, Reply) else CLIENT
            return Text(FORGED, {"side": Text(side)})
        case _ if event.lost:
            return Text(LOST)
        case Message(size=size):
            return Text(N_("the message, {size} octets"), {"size": size})
    return None


def _misheard(step: Step, events: Sequence[AnyEvent]) -> Text | None:
    """Somebody slipped something in, and from then on the two sides count differently."""
    asked, heard = step.answers, step.heard_as
    if asked is None or heard is None or asked == heard:
        return None
    if _named(events[asked]) == _named(events[heard]):
        return Text(SLIPPED_IN, {"asked": _named(events[asked])})
    return Text(MISHEARD, {"asked": _named(events[asked]), "heard": _named(events[heard])})


def _named(event: AnyEvent) -> str | Text:
    match event:
        case Command(by="message", verb=verb) if verb not in smtp.VERBS:
            return Text(N_("a line of the message"))
        case Command(verb=verb) if verb:
            return verb
        case Message():
            return Text(N_("the message"))
        case Connect():
            return Text(N_("the connection"))
    return Text(N_("something else"))


def _forgotten(step: Step) -> Iterable[Fact]:
    """What is struck out: not what a newer fact of the same name or kind merely replaces."""
    discarded = step.knowledge.discarded_at(step.index)
    if not discarded:
        return
    new = {(f.holder, f.kind) for f in step.knowledge.learned_at(step.index)}
    for fact in discarded:
        if isinstance(step.event, Handshake) or (fact.holder, fact.kind) not in new:
            yield fact


def _told(notes: Iterable[Note], met: set[str]) -> Iterator[Note]:
    for note in notes:
        if not note.met:
            yield note
        elif note.rule not in met:
            met.add(note.rule)
            yield note
