"""Client and server played by hand: two people, a page for each, and one session.

What a side may say is not written down here a second time: of the lines that could come next, those
are offered that break no rule once they are said. A line that breaks one is told so, and stands.
TLS is real, between two ends in memory: what is said after the handshake crosses in its records.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from simulator import smtp
from simulator.errors import Error
from simulator.explainer import explain
from simulator.lab import certificates
from simulator.language import N_, say
from simulator.live import lawful
from simulator.live.ends import Ends
from simulator.live.store import Kept, Store
from simulator.pairing import Step
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Peer,
    Reply,
    Segment,
    Session,
    Side,
    Span,
)
from simulator.views.document import SaidNote, label, said_note, wire_text
from simulator.views.inert import printable

PORT = "hand"
"""What a session played by hand has in place of a port's name."""

CLIENT = "client.example.net"
SERVER = "mail.example.com"

ROOMS = 30
"""Games that may be going on; whoever begins one more ends the one that was quiet longest."""

EVENTS = 300
"""Events of one game."""

TEXT = 8 * 1024
"""Octets of one line, reply or message."""

Act = Literal["handshake", "handshake-unchecked", "close"]

_LINES = (
    f"EHLO {CLIENT}",
    "STARTTLS",
    "AUTH PLAIN AGFuYQBzZWNyZXQ=",
    "MAIL FROM:<ana@example.net>",
    "RCPT TO:<ben@example.com>",
    "DATA",
    "RSET",
    "NOOP",
    "QUIT",
)
"""What a client could say."""

_OUT_OF_SEQUENCE = "503 5.5.1 Bad sequence of commands"

_REPLIES: dict[str, tuple[str, ...]] = {
    "connect": (f"220 {SERVER} ESMTP", f"554 5.3.2 {SERVER} takes no mail"),
    "EHLO": (
        f"250-{SERVER}\n250-8BITMIME\n250-SIZE 10485760\n250 STARTTLS",
        f"250-{SERVER}\n250-8BITMIME\n250-SIZE 10485760\n250 AUTH PLAIN",
    ),
    "HELO": (f"250 {SERVER}",),
    "STARTTLS": (
        "220 2.0.0 Ready to start TLS",
        "454 4.7.0 TLS not available due to temporary reason",
    ),
    "AUTH": ("235 2.7.0 Authentication successful", "535 5.7.8 Authentication credentials invalid"),
    "MAIL": ("250 2.1.0 OK", "451 4.3.0 Try again later"),
    "RCPT": ("250 2.1.5 OK", "550 5.1.1 No such user here"),
    "DATA": ("354 End data with <CR><LF>.<CR><LF>",),
    "message": ("250 2.0.0 OK", "554 5.6.0 Message refused"),
    "RSET": ("250 2.0.0 OK",),
    "NOOP": ("250 2.0.0 OK",),
    "QUIT": (f"221 2.0.0 {SERVER} closes the connection",),
    "": ("500 5.5.1 Command not recognized",),
}
"""What a server could answer to what."""


def _replies(steps: Sequence[Step], asked: int) -> Sequence[str]:
    match steps[asked].event:
        case Connect():
            return _REPLIES["connect"]
        case Message():
            return _REPLIES["message"]
        case AuthResponse():
            return _REPLIES["AUTH"]
        case Command(verb=verb) as command:
            if lawful.out_of_sequence(command, lawful.before(steps, asked)) or (
                verb == "STARTTLS" and command.secure
            ):
                return (_OUT_OF_SEQUENCE,)
            replies = _REPLIES.get(verb, _REPLIES[""])
            if verb == "EHLO":
                return replies[1:] if command.secure else replies[:1]
            return replies
    return ()


class NotNow(Error):
    """That cannot be done now: the message says why, in English; it is in the catalogues."""


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a side does: it says something, or else acts."""

    say: str = ""
    act: Act | None = None


class Moves(NamedTuple):
    """What a side may do: the `lines` that break no rule, what is `asked` of it (a command, a
    message, a line of a login, a reply), and whether the handshake is due. `turn` is whose it is,
    empty when the session is over."""

    turn: Side | Literal[""]
    asked: Literal["command", "message", "answer", "reply"]
    lines: tuple[str, ...]
    handshake: bool


class Room:
    """One game: the session as it grows."""

    def __init__(self, number: int, began: datetime | None) -> None:
        self.number = number
        self.moved = 0.0
        self.over = False
        self._began = began
        self._opened = time.monotonic()
        self._events: list[AnyEvent] = []
        self._wire: list[Segment] = []
        self._reached: dict[Side, int] = {"server": 0, "client": 0}
        self._tls: Ends | None = None
        self._secrets: tuple[str, ...] = ()

    def session(self) -> Session:
        """The session as it stands."""
        return Session(
            connection=str(self.number),
            started=self._began,
            client=Peer(name=CLIENT),
            server=Peer(name=SERVER),
            events=tuple(self._events),
            wire=tuple(self._wire),
            secrets=self._secrets,
        )

    def begin(self) -> AnyEvent:
        """The client connects."""
        return self._happened(Connect(at=self._now(), by="client"))

    def moves(self, side: Side) -> Moves:
        """What that side may do now."""
        steps = explain(self.session()).steps
        pending = lawful.pending(steps)
        asked = self._asked(steps) if side == "client" else "reply"
        if self.over:
            return Moves("", asked, (), handshake=False)
        if lawful.left(steps):
            return Moves("server", asked, (), handshake=False)
        due = lawful.handshake_due(steps)
        could: Sequence[str] = ()
        if side == "server" and pending:
            could = _replies(steps, pending[0])
        elif asked == "command" and not (due or pending):
            could = _LINES
        return Moves(
            "server" if pending else "client",
            asked,
            tuple(line for line in could if self._lawful(side, line)),
            handshake=due and side == "client",
        )

    def say(self, side: Side, text: str) -> AnyEvent:
        """That side says something, lawful or not. Raises `NotNow`."""
        self._may_go_on()
        message = side == "client" and self._asked(explain(self.session()).steps) == "message"
        if not text.strip() and not message:
            raise NotNow(N_("Nothing was said."))
        if len(text.encode()) > TEXT:
            raise NotNow(N_("That is too long."))
        if side == "client" and not message and len(text.splitlines()) > 1:
            raise NotNow(N_("Say one line at a time."))
        event = self._event(side, text)
        span = self._cross("server" if side == "client" else "client", event.raw)
        return self._happened(msgspec.structs.replace(event, wire=(span,)))

    def act(self, side: Side, act: Act) -> AnyEvent:
        """That side shakes hands, or closes. Raises `NotNow`."""
        if act != "close" or self.over:
            self._may_go_on()
        if act == "close":
            self.over = True
            left = lawful.left(explain(self.session()).steps)
            return self._happened(
                Disconnect(
                    at=self._now(),
                    by=side,
                    secure=self._tls is not None,
                    reason="quit" if left else "closed",
                )
            )
        if side != "client" or not lawful.handshake_due(explain(self.session()).steps):
            raise NotNow(N_("The client begins the handshake, after a 220 to STARTTLS."))
        return self._happened(self._shake_hands(checked=act == "handshake"))

    def _may_go_on(self) -> None:
        if self.over:
            raise NotNow(N_("The session is over."))
        if len(self._events) >= EVENTS:
            raise NotNow(N_("Enough was said in this session: close the connection."))

    def _now(self) -> float:
        return round(time.monotonic() - self._opened, 6)

    def _happened(self, event: AnyEvent) -> AnyEvent:
        self._events.append(event)
        self.moved = time.monotonic()
        return event

    def _asked(self, steps: Sequence[Step]) -> Literal["command", "message", "answer"]:
        """What the server's last word asks of the client."""
        for step in reversed(steps):
            match step.event:
                case Reply(code=354) if step.heard_as is not None:
                    heard = steps[step.heard_as].event
                    data = isinstance(heard, Command) and heard.verb == "DATA"
                    return "message" if data else "command"
                case Reply(code=334):
                    return "answer"
                case _:
                    return "command"
        return "command"

    def _lawful(self, side: Side, line: str) -> bool:
        event = self._event(side, line)
        session = self.session()
        after = msgspec.structs.replace(session, events=(*session.events, event))
        steps = explain(after).steps
        return not any(
            note.level != "risk" or note.rule in ("", "keyword-offered")
            for note in lawful.broken(steps, len(steps) - 1)
        )

    def _event(self, side: Side, text: str) -> Command | AuthResponse | Message | Reply:
        at, secure = self._now(), self._tls is not None
        lines = text.splitlines() or [""]
        if side == "server":
            read = [smtp.parse_reply_line(line) for line in lines]
            return Reply(
                at=at,
                by="server",
                secure=secure,
                raw="".join(f"{line}\r\n" for line in lines).encode(),
                code=next((line.code for line in read if line), 0),
                lines=tuple(
                    found.text if found else line for found, line in zip(read, lines, strict=True)
                ),
            )
        match self._asked(explain(self.session()).steps):
            case "message":
                stuffed = (f".{line}" if line.startswith(".") else line for line in lines)
                body = "".join(f"{line}\r\n" for line in stuffed).encode()
                raw = body + b".\r\n"
                return Message(at=at, by="client", secure=secure, raw=raw, size=len(body))
            case "answer":
                raw = f"{text}\r\n".encode()
                return AuthResponse(at=at, by="client", secure=secure, raw=raw, text=text)
        verb, argument = smtp.parse_command(text)
        raw = f"{text}\r\n".encode()
        return Command(at=at, by="client", secure=secure, raw=raw, verb=verb, argument=argument)

    # The wire ------------------------------------------------------------------------------------

    def _cross(self, to: Side, raw: bytes) -> Span:
        """Octets of SMTP cross, in records of TLS when it is on; where on the wire they stand."""
        return self._crossed(to, self._tls.packed(to, raw) if self._tls else raw)

    def _crossed(self, to: Side, data: bytes) -> Span:
        start = self._reached[to]
        self._reached[to] = end = start + len(data)
        self._wire.append(Segment(at=self._now(), to=to, data=data))
        return Span(to=to, start=start, end=end)

    def _shake_hands(self, *, checked: bool) -> Handshake:
        ends = Ends(SERVER, checked=checked)
        spans: dict[Side, Span] = {}
        for to, data in ends.shake_hands():
            span = self._crossed(to, data)
            first = spans.get(to, span)
            spans[to] = Span(to=to, start=first.start, end=span.end)
        self._tls = ends
        self._secrets = certificates.secrets(ends.client_random)
        cipher = ends.client.cipher()
        certificate = ends.client.getpeercert(binary_form=True)
        return Handshake(
            at=self._now(),
            by="client",
            wire=tuple(spans[to] for to in ("server", "client")),
            version=ends.client.version() or "",
            cipher=cipher[0] if cipher else "",
            server_certificate=certificates.describe(certificate) if certificate else None,
            verified=checked,
        )


class Rooms:
    """All games that are going on; each is a session in the store."""

    def __init__(self, store: Store, most: int = ROOMS) -> None:
        self._store = store
        self._most = most
        self._rooms: dict[int, Room] = {}

    def going(self) -> list[int]:
        """The numbers of those that are not over, newest first."""
        self._forget_gone()
        return [room.number for room in self._rooms.values() if not room.over][::-1]

    def begin(self) -> Room:
        """A new game."""
        self._forget_gone()
        if len(self._rooms) >= self._most:
            quiet = min(self._rooms.values(), key=lambda room: (not room.over, room.moved))
            self._rooms.pop(quiet.number)
            self._store.finish(quiet.number)
        number = self._store.begin(PORT)
        room = Room(number, self._store.began(number))
        self._rooms[number] = room
        self._store.grow(number, room.session, room.begin())
        return room

    def get(self, number: int) -> Room | None:
        """The game of that number, as long as there is room for it."""
        self._forget_gone()
        return self._rooms.get(number)

    def say(self, room: Room, side: Side, text: str) -> None:
        """Somebody says something. Raises `NotNow`."""
        self._store.grow(room.number, room.session, room.say(side, text))

    def act(self, room: Room, side: Side, act: Act) -> None:
        """Somebody shakes hands, or closes. Raises `NotNow`."""
        self._store.grow(room.number, room.session, room.act(side, act))

    def _forget_gone(self) -> None:
        for room in list(self._rooms.values()):
            if self._store.get(room.number) is None:
                self._rooms.pop(room.number)


# What a page is told ----------------------------------------------------------------------------


class SaidFact(msgspec.Struct, frozen=True):
    """Something that the side knows, or knew: `place` is where the rule stands that took it."""

    label: str
    secure: bool
    place: str = ""


class Said(msgspec.Struct, frozen=True):
    """One event as the page shows it."""

    kind: str
    by: str
    secure: bool
    text: tuple[str, ...]
    meaning: str
    broken: tuple[SaidNote, ...]


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """The page of one side. `ended`: it can no longer be played, though nobody closed it."""

    number: int
    side: Side
    turn: str = ""
    asked: str = ""
    lines: tuple[str, ...] = ()
    handshake: bool = False
    over: bool = False
    ended: bool = False
    knows: tuple[SaidFact, ...] = ()
    forgotten: tuple[SaidFact, ...] = ()
    said: tuple[Said, ...] = ()


def seat(kept: Kept, room: Room | None, side: Side, language: str) -> Seat:
    """What the page of that side shows."""
    if room is None:
        return Seat(number=kept.number, side=side, over=True, ended=True)
    bare = explain(room.session()).steps
    moves = room.moves(side)
    shown = kept.explanation().steps
    facts = [fact for fact in shown[-1].knowledge.facts if fact.holder == side]
    return Seat(
        number=kept.number,
        side=side,
        turn=moves.turn,
        asked=moves.asked,
        lines=moves.lines,
        handshake=moves.handshake,
        over=room.over,
        knows=tuple(
            SaidFact(label(fact, language), fact.secure) for fact in facts if fact.discarded is None
        ),
        forgotten=tuple(
            SaidFact(label(fact, language), fact.secure, smtp.citations()[fact.by_rule].place)
            for fact in facts
            if fact.discarded is not None
        ),
        said=tuple(
            Said(
                kind=str(step.event.__struct_config__.tag),
                by=step.event.by,
                secure=step.event.secure,
                text=wire_text(step),
                meaning=say(step.meaning, language, printable),
                broken=tuple(
                    said_note(note, language)
                    for note in (
                        *(note for note in step.notes if not note.met),
                        *lawful.by_hand(bare, bare[step.index]),
                    )
                ),
            )
            for step in shown
        ),
    )
