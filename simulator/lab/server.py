"""The server: aiosmtpd, made to follow a policy.

What aiosmtpd does by itself is left to it: the reset at the handshake, 503 without a greeting,
the envelope. Overridden is only what the policy decides: the list in the reply to EHLO, the texts,
STARTTLS inside TLS, and the faults that an experiment asks for.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, TLSSetupException
from aiosmtpd.smtp import Session as Known

from simulator import smtp, tls
from simulator.lab.engine import certificates
from simulator.lab.lax import LaxLines
from simulator.lab.policy import ServerPolicy
from simulator.lab.tap import Tap
from simulator.lab.wire import abort, reset
from simulator.session import AuthResponse, Command, Handshake, Message, Trace

logging.getLogger("mail.log").setLevel(logging.CRITICAL)

_BEFORE_TLS = {"NOOP", "EHLO", "STARTTLS", "QUIT"}
"""What a server that requires TLS still answers without it (RFC 3207 §4)."""


LIFETIME = 300
"""Seconds that a connection may last."""

_BDAT = re.compile(r"(?i)([0-9]{1,12})(?: +(LAST))?")
"""What stands behind BDAT (RFC 3030 §2)."""

_PIECE = 64 * 1024
"""Octets of BDAT that are read at a time."""

_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}
"""OpenSSL's words for plain text where a ClientHello should stand."""


class _Verbs(dict[str, Any]):
    """What serves each verb, those included that the server does not know."""

    def __init__(self, serving: Callable[[str], Any]) -> None:
        super().__init__()
        self._serving = serving

    def get(self, verb: str, default: Any = None) -> Any:
        """What serves that verb."""
        return self._serving(verb)


class _Handler:
    """What the server does with a message: it notes the Received line, and drops the rest."""

    async def handle_DATA(self, server: Server, session: Known, envelope: Envelope) -> str:
        server.received(session)
        return "250 OK"

    async def handle_PROXY(
        self, server: Server, session: Known, envelope: Envelope, proxy_data: object
    ) -> bool:
        return True

    def __dir__(self) -> Iterable[str]:
        # What aiosmtpd looks through at every connection.
        return ("handle_DATA", "handle_PROXY")


def context_of(policy: ServerPolicy, certificate: str) -> ssl.SSLContext:
    """The server's side of TLS after its policy, with a certificate of that kind."""
    return certificates.server_context(
        certificate,
        policy.name,
        asks_certificate=policy.asks_certificate,
        versions=policy.tls_versions,
    )


class Server(SMTP):
    """One connection of the server. `find_tap` finds the tap of a connection by its port."""

    def __init__(self, policy: ServerPolicy, find_tap: Callable[[int], Tap]) -> None:
        self.policy = policy
        self._find_tap = find_tap
        self.tap = find_tap(0)
        self._kept = self._fed = 0
        self._sender: str | None = None
        self._spoken_for: dict[str, str] = {}
        self.gone = asyncio.get_running_loop().create_future()
        super().__init__(
            _Handler(),
            hostname=policy.name,
            ident="ESMTP",
            data_size_limit=self._size_limit(),
            tls_context=context_of(policy, policy.certificate),
            timeout=LIFETIME,
            proxy_protocol_timeout=LIFETIME if policy.expects_proxy else None,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
            loop=asyncio.get_running_loop(),
        )
        methods: dict[str, Any] = self._smtp_methods
        if policy.starttls == "hidden":
            methods.pop("STARTTLS")
        if not policy.knows_ehlo:
            methods.pop("EHLO")
        self._methods = methods
        self._smtp_methods = _Verbs(self._serving)

    @property
    def tls(self) -> bool:
        """Is TLS on?"""
        return self.policy.implicit_tls or self._tls_protocol is not None

    def __dir__(self) -> Iterable[str]:
        # What aiosmtpd looks through at every connection.
        return _COMMANDS

    def _reset_timeout(self, duration: float | None = None) -> None:
        # One timer for the connection: whoever drips is shown out as well, and it is faster.
        if self._timeout_handle is None:
            super()._reset_timeout(duration)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return _address(arg)

    def show_out(self) -> None:
        """Cut the connection, if there still is one."""
        if self.transport is not None:
            transport = self._original_transport or self.transport
            assert isinstance(transport, asyncio.WriteTransport)
            abort(transport)
            # In the middle of a handshake, nobody else would say that it is over.
            self.loop.call_soon(self.connection_lost, None)

    def _size_limit(self) -> int | None:
        for line in (*self.policy.keywords, *self.policy.inside):
            keyword = smtp.parse_keyword(line)
            if keyword and keyword.name == "SIZE" and keyword.parameters.isdigit():
                return int(keyword.parameters)
        return None

    def keywords(self) -> list[str]:
        """The list as it stands now: what the policy offers, and what TLS changes about it."""
        policy = self.policy
        lines = [
            line
            for line in policy.keywords
            if not (self.tls and line.split(" ")[0].upper() in policy.withdrawn)
        ]
        if self.tls:
            lines += policy.inside
        if policy.auth == "always" or (policy.auth == "inside" and self.tls):
            mechanisms = [m for m in policy.mechanisms if m != "EXTERNAL" or self._certificate()]
            lines += [f"AUTH {' '.join(mechanisms)}"] if mechanisms else []
        starttls = policy.starttls in ("offered", "refused", "plain")
        if (starttls and not self.tls) or (self.tls and policy.again == "offer"):
            lines.append("STARTTLS")
        return lines

    def _certificate(self) -> dict[str, Any] | None:
        found = self.transport.get_extra_info("peercert") if self.transport and self.tls else None
        return found or None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection, or the handshake on one: the reset is aiosmtpd's, its absence is ours."""
        inside = self._tls_protocol is not None and self.session is not None
        before = self.session
        if self._lax is not None:
            self._reader, self._lax = self._lax.reader, None
        kept = bytes(self._reader._buffer) if inside else b""  # type: ignore[attr-defined]
        if inside and self.policy.keeps_envelope and self.envelope is not None:
            self._sender = self.envelope.mail_from
        super().connection_made(transport)
        if not inside:
            self.tap = self._find_tap(transport.get_extra_info("peername")[1])
        elif self.session is not None:
            # It is of the connection, and was not said in SMTP.
            self.session.proxy_data = before.proxy_data if before is not None else None
            self.enable_SMTPUTF8 = self.enable_SMTPUTF8 and not self.policy.forgets
            if not self.policy.forgets and before is not None:
                self.session.host_name = before.host_name
                self.session.extended_smtp = before.extended_smtp
            if self.policy.keeps_login and before is not None:
                self.session.authenticated = before.authenticated
            if kept and not self.policy.drops_buffer:
                self._kept = self._fed = len(kept)
                self._reader.feed_data(kept)
        if self._certificate():
            der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            self.tap.client_certificate = certificates.describe(der)

    def data_received(self, data: bytes) -> None:
        """Bytes to read; counted, so that one can tell which came before the handshake."""
        self._fed += len(data)
        super().data_received(data)

    def _reads_stale(self) -> bool:
        """Does the line just read come out of the buffer that was kept over the handshake?"""
        return self._fed - len(self._reader._buffer) <= self._kept  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        """The end, told to whoever waits for it."""
        if self.transport is not None:
            # Nobody here asks why; asyncio would complain about an exception that nobody fetched.
            super().connection_lost(None)
        if not self.gone.done():
            self.gone.set_result(None)

    def eof_received(self) -> bool | None:
        """The client has left, perhaps during the greeting, when nobody else would close."""
        super().eof_received()
        return False

    async def push(self, status: str | bytes) -> None:
        """Send one reply, in the policy's words where it has some."""
        text = status.decode() if isinstance(status, bytes) else status
        own = self.policy.replies.get(f"{self._verb} {text[:3]}")
        await super().push(f"{text[:4]}{own}" if own else text)

    _verb = "CONNECT"
    _lax: LaxLines | None = None
    """What has read the last message, and reads on, where a line feed alone ends a line."""
    _piece = b""
    """The octets that came behind BDAT."""

    def _serving(self, verb: str) -> Callable[[str | None], Any]:
        async def serve(argument: str | None) -> None:
            await self._serve(verb, argument)

        return serve

    async def _serve(self, verb: str, argument: str | None) -> None:
        policy = self.policy
        self._verb = verb
        if self._kept and self._reads_stale():
            raw = f"{verb} {argument or ''}".strip()
            self.tap.stale(
                Command(
                    by="middlebox",
                    secure=True,
                    stale=True,
                    raw=f"{raw}\r\n".encode(),
                    verb=verb,
                    argument=argument or "",
                )
            )
        if verb == policy.silent_at:
            await asyncio.Event().wait()
        if verb == policy.cuts_at and isinstance(self.transport, asyncio.Transport):
            reset(self.transport)
            return
        if verb == "BDAT":
            piece = await self._read_piece(argument or "")
            if piece is None:
                return
            self._piece = piece
        if policy.requires_tls and not self.tls and verb not in _BEFORE_TLS:
            await self.push("530 5.7.0 Must issue a STARTTLS command first")
            return
        if verb not in self._methods:
            await self.push(f"500 5.5.1 {verb} is not known here")
            return
        if verb in ("MAIL", "RCPT") and not await self._parameters_known(argument or ""):
            return
        if verb == "RCPT" and self._has_recipients_enough():
            await self.push("452 4.5.3 Too many recipients")
            return
        if verb == "MAIL" and not policy.insists and self.session is not None:
            self.session.host_name = self.session.host_name or "unknown"
        with self._as_if_introduced(verb):
            await self._methods[verb](_without_own_parameters(argument))

    @contextlib.contextmanager
    def _as_if_introduced(self, verb: str) -> Iterator[None]:
        """For this command, what the policy admits before EHLO, or keeps over the handshake."""
        session, envelope = self.session, self.envelope
        kept = verb == "RCPT" and self._sender is not None
        if session is None or session.host_name or not (kept or verb in self.policy.admits):
            yield
            return
        extended = session.extended_smtp
        session.host_name, session.extended_smtp = "unknown", True
        if kept and envelope is not None and envelope.mail_from is None:
            envelope.mail_from = self._sender
        try:
            yield
        finally:
            session.host_name, session.extended_smtp = None, extended

    async def _parameters_known(self, argument: str) -> bool:
        """A parameter whose keyword is not in the list now is not known (RFC 5321 §4.1.1.11)."""
        offered = {line.split(" ")[0].upper() for line in self.keywords()}
        _, parameters = smtp.mail_parameters(argument)
        for parameter in parameters:
            name = parameter.parameters.upper() if parameter.name == "BODY" else parameter.name
            if name not in offered and name != "7BIT":
                await self.push(f"555 5.5.4 Parameter {parameter.name} not recognized")
                return False
        return True

    def _has_recipients_enough(self) -> bool:
        """Does the transaction have as many recipients as the list allows (RFC 9422 §4.2)?"""
        limits = (line[7:] for line in self.keywords() if line.upper().startswith("LIMITS "))
        most = smtp.most_recipients(next(limits, ""))
        return bool(most) and self.envelope is not None and len(self.envelope.rcpt_tos) >= most

    async def smtp_EHLO(self, hostname: str) -> None:
        """Answer with the list as it stands now, in one write."""
        if not hostname:
            await self.push("501 Syntax: EHLO hostname")
            return
        assert self.session is not None
        self._set_rset_state()  # type: ignore[no-untyped-call]
        self.session.extended_smtp = True
        self.session.host_name = hostname
        self.command_size_limits["MAIL"] = 1024
        lines = [self.hostname, *self.keywords()]
        self.enable_SMTPUTF8 = "SMTPUTF8" in lines
        if self.policy.starttls == "misplaced" and not self.tls:
            lines.insert(0, "STARTTLS")
        last = len(lines) - 1
        await self.push(
            "\r\n".join(f"250{'-' if i < last else ' '}{line}" for i, line in enumerate(lines))
        )

    async def smtp_STARTTLS(self, arg: str) -> None:
        """Begin TLS, unless the policy or the TLS that is already on says otherwise."""
        if self.tls and self.policy.again == "accept":
            await self.push("220 Ready to start TLS")
        elif self.tls:
            await self.push("503 5.5.1 TLS is already active")
        elif self.policy.starttls == "refused":
            await self.push("454 4.7.0 TLS not available due to temporary reason")
        elif self.policy.starttls == "plain":
            await self._begin_nothing()
            await self.push("500 5.5.2 This is no command of SMTP")
            raise ConnectionResetError
        elif self.policy.silent_at == "TLS":
            await self._begin_nothing()
            await asyncio.Event().wait()
        else:
            try:
                await super().smtp_STARTTLS(arg)
            except TLSSetupException as problem:
                self._note_plain_text(problem.__cause__)
                raise

    async def smtp_XCLIENT(self, arg: str) -> None:
        """Where the list has it, take the attributes, and go back to the greeting but for TLS."""
        session, envelope = self.session, self.envelope
        assert session is not None
        if not any(line.split(" ")[0].upper() == "XCLIENT" for line in self.keywords()):
            await self.push("550 5.7.0 Error: insufficient authorization")
        elif envelope is not None and envelope.mail_from is not None:
            await self.push("503 5.5.1 Error: MAIL transaction in progress")
        elif not arg or not all("=" in word for word in arg.split()):
            await self.push("501 5.5.4 Syntax: XCLIENT attribute=value...")
        else:
            told = smtp.xclient_attributes(arg)
            self._spoken_for |= told
            session.host_name = told.get("HELO")
            session.extended_smtp = False
            session.authenticated = "LOGIN" in told
            self._set_rset_state()  # type: ignore[no-untyped-call]
            await self.push(f"220 {self.hostname} {self.__ident__}")

    async def _begin_nothing(self) -> None:
        """Say 220 with no TLS behind it, until the client begins; with what, is seen here alone."""
        early = bool(self._reader._buffer)  # type: ignore[attr-defined]
        await self.push("220 Ready to start TLS")
        first = await self._reader.read(1)
        if not early and first and first[0] != tls.HANDSHAKE_RECORD:
            self.tap.happened(
                Handshake(
                    at=self.tap.now(), by="server", error="not-tls", detail="not a TLS record"
                )
            )

    def _note_plain_text(self, cause: BaseException | None) -> None:
        """A handshake of which only the server knows: the client did not begin it."""
        reason = getattr(cause, "reason", None) or ""
        if reason in _NO_TLS and not (self._lax and self._lax.inside):
            self.tap.happened(
                Handshake(at=self.tap.now(), by="server", error="not-tls", detail=reason)
            )

    async def _read_piece(self, argument: str) -> bytes | None:
        """The octets behind BDAT: they come whatever the answer will be. Of too many, not all are
        kept; None if the client left before they had come."""
        found = _BDAT.fullmatch(argument)
        left = int(found[1]) if found else 0
        piece = bytearray()
        if self._lax is not None:
            self._lax.piece, self._lax.second = True, self._lax.inside
        while left:
            read = await self._reader.read(min(left, _PIECE))
            if not read:
                return None
            left -= len(read)
            if not self.data_size_limit or len(piece) <= self.data_size_limit:
                piece += read
        if self._lax is not None:
            self._lax.piece = False
        return bytes(piece)

    async def smtp_BDAT(self, arg: str) -> None:
        """Answer a piece of the message (RFC 3030 §2), where the list has CHUNKING."""
        found = _BDAT.fullmatch(arg or "")
        if found is None:
            await self.push("501 5.5.4 Syntax: BDAT octets [LAST]")
            return
        envelope = self.envelope
        assert envelope is not None
        assert self.session is not None
        if not any(line.upper() == "CHUNKING" for line in self.keywords()):
            await self.push("503 5.5.1 CHUNKING is not offered here")
        elif not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
        else:
            before = envelope.content if isinstance(envelope.content, bytes) else b""
            envelope.content = before + self._piece
            if self.data_size_limit and len(envelope.content) > self.data_size_limit:
                self._set_rset_state()  # type: ignore[no-untyped-call]
                await self.push("552 5.3.4 Error: Too much mail data")
            elif found[2]:
                self.received(self.session)
                self._set_rset_state()  # type: ignore[no-untyped-call]
                await self.push("250 OK")
            else:
                await self.push(f"250 2.0.0 {found[1]} octets received")

    async def smtp_DATA(self, arg: str) -> None:
        """A message in one piece, unless it has begun in pieces (RFC 3030 §2)."""
        if self.envelope is not None and self.envelope.content is not None:
            await self.push("503 5.5.1 The message comes in pieces: go on with BDAT")
            return
        if self.policy.takes_bare_lf:
            if self._lax is None:
                self._lax = LaxLines(self._reader, self._took, known=self.knows_client)
                self._reader = self._lax  # type: ignore[assignment]
            if self.envelope is not None and self.envelope.rcpt_tos and not arg:
                self._lax.begin()
        await super().smtp_DATA(arg)

    knows_client = True
    """The client is the lab's own, which says on the tap where its messages end."""

    def _took(self, event: Command | AuthResponse | Message) -> None:
        self.taken_out(msgspec.structs.replace(event, at=self.tap.now(), secure=self.tls))

    def taken_out(self, event: Command | AuthResponse | Message) -> None:
        """Write down what stands in a message, and is taken for what the client says."""
        self.tap.taken_out(event)

    async def smtp_AUTH(self, arg: str) -> None:
        """AUTH is known only where the list has it."""
        words = (arg or "").split()
        assert self.session is not None
        admitted = not self.policy.insists or "AUTH" in self.policy.admits
        if not self.session.host_name and not admitted:
            await self.push("503 Error: send EHLO first")
        elif not any(line.startswith("AUTH ") for line in self.keywords()):
            await self.push("503 5.5.1 AUTH is not offered here")
        elif words[:1] == ["EXTERNAL"] and self._certificate():
            self.session.authenticated = True
            await self.push("235 2.7.0 Authentication successful")
        else:
            await super().smtp_AUTH(arg)

    async def auth_CRAM__MD5(self, server: SMTP, args: list[str]) -> AuthResult:
        """A digest in place of the password (RFC 2195 §2). As by the other mechanisms, whoever
        gets to the end of the exchange is let in."""
        challenge = f"<{secrets.randbits(32)}.{int(time.time())}@{self.hostname}>"
        answered = isinstance(await self.challenge_auth(challenge), bytes)
        return AuthResult(success=answered, handled=not answered)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        """An access token in place of the password (RFC 7628 §3.1), whichever it is."""
        said = _decoded(args[1]) if len(args) > 1 else await self.challenge_auth("")
        if not isinstance(said, bytes):
            return AuthResult(success=False)
        if b"\1auth=Bearer " in said:
            return AuthResult(success=True, handled=False)
        # A refused login cannot say why, so the reason comes in a 334 that the client has to answer
        # (RFC 7628 §3.2.2, §3.2.3).
        answered = await self.challenge_auth('{"status":"invalid_token"}')
        return AuthResult(success=False, handled=not isinstance(answered, bytes))

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """The same token, in words that stand in no RFC."""
        return await self.auth_OAUTHBEARER(server, args)

    def received(self, session: Known) -> None:
        """Note the Received line that goes on the message (RFC 5321 §4.4, RFC 3848,
        RFC 6531 §4.3)."""
        assert session.peer is not None
        proxied = session.proxy_data
        whence = str(proxied.src_addr) if proxied else session.peer[0]
        whence = self._spoken_for.get("ADDR", whence)
        protocol = "ESMTP" if session.extended_smtp else "SMTP"
        if self.envelope is not None and self.envelope.smtp_utf8:
            protocol = "UTF8SMTP"
        marks = self.policy.marks_tls
        if session.extended_smtp and (marks == "always" or (marks == "inside" and self.tls)):
            protocol += "S"
        if session.authenticated:
            protocol += "A"
        tap = self.tap
        second = self._lax is not None and self._lax.second
        note = tap.taken_out if second else tap.happened
        note(
            Trace(
                at=tap.now(),
                by="server",
                secure=self.tls,
                text=f"Received: from {session.host_name} ([{whence}]) "
                f"by {self.hostname} with {protocol}; {tap.date()}",
            )
        )


_COMMANDS = [name for name in dir(Server) if name.startswith(("smtp_", "auth_"))]


@lru_cache(1000)
def _address(arg: str) -> tuple[str | None, str | None]:
    """aiosmtpd reads an address by the whole grammar of mail headers; the same few come again."""
    return SMTP._getaddr(SMTP, arg)  # type: ignore[arg-type]


def _decoded(text: str) -> bytes:
    """What Base64 stands for; nothing if it is none."""
    with contextlib.suppress(binascii.Error):
        return base64.b64decode(text, validate=True)
    return b""


def _without_own_parameters(argument: str | None) -> str | None:
    """The argument without REQUIRETLS, which is checked here and which aiosmtpd would refuse."""
    if argument is None or "REQUIRETLS" not in argument.upper():
        return argument
    return " ".join(word for word in argument.split(" ") if word.upper() != "REQUIRETLS")
