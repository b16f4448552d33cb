"""A lab for strangers: the server itself writes down what a client does that is not ours.

Our own client tells the tap what it says and hears. A program that somebody else wrote tells
nothing, so here the server is the witness: every command that it serves and every reply that it
gives is on the record, on whichever side of the handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, TLSSetupException
from aiosmtpd.smtp import Session as Known

from simulator import smtp
from simulator.lab.engine import certificates
from simulator.lab.middlebox import Middlebox
from simulator.lab.play import GRACE, Lab
from simulator.lab.policy import Scenario, ServerPolicy
from simulator.lab.server import Server, context_of
from simulator.lab.tap import Tap
from simulator.session import (
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Peer,
    Reply,
    Session,
)

MOST_EVENTS = 2_000
"""Events of one connection that are written down; a stranger may never stop."""

MOST_CONNECTIONS = 50

_PIECE = 7
"""Octets that a dribbling server sends at a time."""

Talk = Callable[[tuple[str, int]], Awaitable[None]]


def seen(policy: ServerPolicy) -> str:
    """The kind of certificate that strangers see: one that also names loopback, where it is valid,
    since a program that is told to connect there looks for that name."""
    return "local" if policy.certificate == "valid" else policy.certificate


class _Heard(SMTP):
    """aiosmtpd, overheard: what it says is written down as it is said."""

    dribbles = False

    async def push(self, status: Any) -> None:
        """Send one reply, and write it down."""
        text = status.decode() if isinstance(status, bytes) else status
        self.replied(text)
        if not self.dribbles:
            await super().push(text)
            return
        raw = f"{text}\r\n".encode()
        for start in range(0, len(raw), _PIECE):
            if start:
                await asyncio.sleep(0.002)
            # Nothing may come between the last piece and what follows: it may be TLS.
            self._writer.write(raw[start : start + _PIECE])

    def replied(self, text: str) -> None:
        """A reply goes out."""


class Witness(Server, _Heard):
    """One connection of the server, which writes down both sides of the dialogue."""

    def __init__(
        self, policy: ServerPolicy, find_tap: Callable[[int], Tap], *, dribbles: bool
    ) -> None:
        super().__init__(policy, find_tap)
        self.tls_context = context_of(policy, seen(policy))
        self.dribbles = dribbles
        self._left = False
        self._shown = seen(policy)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection, or the handshake on one."""
        inside = self._tls_protocol is not None
        super().connection_made(transport)
        tap = self.tap
        if not inside:
            tap.happened(Connect(at=tap.now(), by="client"))
            if not self.policy.implicit_tls:
                return
        tls = transport.get_extra_info("ssl_object")
        self._shown = certificates.kind_of(tls.context)
        tap.happened(
            Handshake(
                at=tap.now(),
                by="client",
                version=tls.version() or "",
                cipher=tls.cipher()[0],
                server_certificate=certificates.shown(self._shown, self.policy.name),
                untold=True,
            )
        )

    def replied(self, text: str) -> None:
        """A reply goes out."""
        lines = [smtp.parse_reply_line(line) for line in text.split("\r\n")]
        code = next((line.code for line in lines if line), 0)
        self._note(
            Reply(
                at=self.tap.now(),
                by="server",
                secure=self.tls,
                raw=f"{text}\r\n".encode(),
                code=code,
                lines=tuple(line.text for line in lines if line),
            )
        )

    async def _serve(self, verb: str, argument: str | None) -> None:
        raw = f"{verb} {argument or ''}".strip()
        within = self._lax is not None and self._lax.came_from_message
        if not within and not (self._kept and self._reads_stale()):
            if self.tls and verb != "QUIT" and self._shown not in ("valid", "local"):
                self._overlooked()
            self._note(
                Command(
                    at=self.tap.now(),
                    by="client",
                    secure=self.tls,
                    raw=f"{raw}\r\n".encode(),
                    verb=verb,
                    argument=argument or "",
                )
            )
        self._left = verb == "QUIT"
        await super()._serve(verb, argument)

    def _overlooked(self) -> None:
        """A client that goes on after a wrong certificate has not looked at it."""
        events = self.tap.events
        for place, event in enumerate(events):
            if isinstance(event, Handshake) and event.untold:
                events[place] = msgspec.structs.replace(event, untold=False)

    async def smtp_STARTTLS(self, arg: str) -> None:
        """Begin TLS; a handshake that fails is on the record too."""
        try:
            await super().smtp_STARTTLS(arg)
        except TLSSetupException as problem:
            if not any(isinstance(event, Handshake) for event in self.tap.events):
                reason = getattr(problem.__cause__, "reason", None) or "closed"
                self._note(
                    Handshake(
                        at=self.tap.now(), by="client", error="certificate", detail=str(reason)
                    )
                )
            raise

    async def challenge_auth(self, *arguments: Any, **options: Any) -> Any:
        """Ask for a line of a login, and note what came."""
        answer = await super().challenge_auth(*arguments, **options)
        if isinstance(answer, bytes) and not (self._lax and self._lax.came_from_message):
            text = b64encode(answer).decode()
            self._note(
                AuthResponse(
                    at=self.tap.now(),
                    by="client",
                    secure=self.tls,
                    raw=f"{text}\r\n".encode(),
                    text=text,
                )
            )
        return answer

    knows_client = False

    def taken_out(self, event: Command | AuthResponse | Message) -> None:
        """Note what stands in a message, as it is taken for a command or for another."""
        self._note(event)

    def received(self, session: Known) -> None:
        """Note the message, and the Received line that goes on it."""
        if self._lax is not None and self._lax.second:
            super().received(session)
            return
        content = getattr(self.envelope, "content", None) or b""
        raw = content.encode() if isinstance(content, str) else bytes(content)
        # Behind BDAT no dot comes (RFC 3030 §2).
        end = b"" if self._verb == "BDAT" else b".\r\n"
        self._note(
            Message(
                at=self.tap.now(),
                by="client",
                secure=self.tls,
                raw=self._lax.raw if self._lax is not None and end else raw + end,
                size=len(raw),
            )
        )
        super().received(session)

    def connection_lost(self, error: Exception | None) -> None:
        """The end."""
        if self.transport is not None and not any(
            isinstance(event, Disconnect) for event in self.tap.events
        ):
            self.tap.happened(
                Disconnect(
                    at=self.tap.now(),
                    by="server" if self._left else "client",
                    secure=self.tls,
                    reason="quit" if self._left else "closed",
                )
            )
        super().connection_lost(error)

    def _note(self, event: AuthResponse | Command | Reply | Handshake | Message) -> None:
        if len(self.tap.events) < MOST_EVENTS:
            self.tap.happened(event)


class Watched(Lab):
    """The lab, in which every connection of a stranger has a tap that is kept."""

    def __init__(self, scenario: Scenario, port: int = 0, *, dribbles: bool = False) -> None:
        super().__init__(scenario, port)
        self.started = datetime.now(UTC)
        self.taps: list[Tap] = []
        self._dribbles = dribbles

    def _tap(self, port: int) -> Tap:
        found = self._taps.get(port)
        if found is None:
            found = Tap()
            if port:
                self._came(found, port)
        return found

    def _came(self, tap: Tap, _port: int) -> None:
        """A stranger connected, from that port."""
        if len(self.taps) < MOST_CONNECTIONS:
            self.taps.append(tap)

    def _serve(self) -> Server:
        server = Witness(self.scenario.server, self._tap, dribbles=self._dribbles)
        self._servers.add(server)
        return server

    def _middlebox(self, tap: Tap) -> Middlebox:
        expected = self.scenario.server.expects_proxy
        return Middlebox(self.scenario.middlebox, tap, expected=expected, witnessed=True)

    async def settled(self) -> None:
        """The server may still be writing down what came last."""
        waiting = [server.gone for server in self._servers]
        if waiting:
            await asyncio.wait(waiting, timeout=GRACE / 4)

    def sessions(self) -> list[Session]:
        """The sessions that were seen up to now, in the order in which they began."""
        host, port = self.address
        server = self.scenario.server
        return [
            Session(
                scenario=self.scenario.name,
                connection=str(number),
                started=self.started,
                client=Peer(name="", address=host),
                server=Peer(name=server.name, address=host, port=port),
                implicit_tls=server.implicit_tls,
                events=tuple(tap.all_events()),
            )
            for number, tap in enumerate((tap for tap in self.taps if tap.events), 1)
        ]

    def _certificate(self) -> str:
        return seen(self.scenario.server)


async def witnessed(scenario: Scenario, talk: Talk, *, dribbles: bool = False) -> list[Session]:
    """Let a stranger talk to the scenario's server (through its middlebox), and give the sessions
    that were seen, in the order in which they began. Raises `LabError`.

    `talk` is given the address, and is the stranger; it ends when it returns. `dribbles`: replies
    arrive in pieces.
    """
    async with Watched(scenario, dribbles=dribbles).open() as lab:
        assert isinstance(lab, Watched)
        with contextlib.suppress(OSError, TimeoutError):
            await talk(lab.address)
        await lab.settled()
        return lab.sessions()
