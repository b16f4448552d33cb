"""The client's end of the connection: bytes in and out, lines of SMTP, and TLS in memory.

It handles both layers itself, SMTP text and TLS records, so that the tap sees both one to one, and
so that nothing a peer sends, however wrong, is read by anybody but us.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import sys
from collections import deque
from hashlib import sha256
from typing import Literal

from simulator import tls
from simulator.lab.engine import certificates
from simulator.lab.tap import Tap
from simulator.session import Certificate, Handshake, HandshakeError, Span

LINE_LIMIT = 8 * 1024
"""Octets of one line that the client is willing to hold; RFC 5321 §4.5.3.1.5 allows 512."""

SESSION_LIMIT = 1024 * 1024
"""Octets that it is willing to receive in one session."""

_RECORD = 16 * 1024
"""Octets of plain text that a TLS record holds at most (RFC 9846 §5.1)."""

LINGER = 0.5
"""Seconds that the last bytes have to leave when the client closes."""


class LineBroken(Exception):
    """The other side closed the connection, or someone on the path cut it."""


class Nonsense(Exception):
    """The other side sends what no peer has to bear: too much of it, or inside TLS no TLS."""


class Wire(asyncio.Protocol):
    """The client's end of one connection, in the clear or inside TLS.

    `patience` is the seconds that the other side has for each step: a reply, the handshake.
    `broken` is how the connection ended: the other side `closed` it, or it was `cut` (reset).
    """

    def __init__(self, tap: Tap, patience: float) -> None:
        self._tap = tap
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._news = self._loop.create_future()
        self._deadline = self._loop.time() + patience
        self._watch = self._loop.call_at(self._deadline, self._look_at_the_clock)
        self._received = bytearray()
        self._taken = 0
        self._plain: deque[tuple[bytes, Span, bool]] = deque()
        self._begun: list[tuple[bytes, Span]] = []
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self.broken: Literal["closed", "cut"] | None = None
        self.stale = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes came: they are on the record now, whether anybody reads them or not."""
        self._tap.crossed("client", data)
        self._received += data
        if self._taken + len(self._received) > SESSION_LIMIT:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The other side will say no more; this side is not closed by that."""
        self.broken = self.broken or "closed"
        self._wake()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is down."""
        self.broken = self.broken or ("cut" if error else "closed")
        self._watch.cancel()
        self._wake()
        if not self._gone.done():
            self._gone.set_result(None)

    def _wake(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

    def begin_step(self) -> None:
        """From now on the other side has its time once more."""
        self._deadline = self._loop.time() + self._patience

    def _look_at_the_clock(self) -> None:
        # One timer for the connection, not one for each step: that is faster.
        again = self._deadline
        if self._loop.time() >= again:
            self._wake()
            again += self._patience
        self._watch = self._loop.call_at(again, self._look_at_the_clock)

    async def _more(self) -> None:
        """Wait for more than what `_received` holds."""
        if self._taken + len(self._received) > SESSION_LIMIT:
            raise Nonsense
        if self.broken:
            raise LineBroken
        if self._loop.time() >= self._deadline:
            raise TimeoutError
        if self._news.done():
            self._news = self._loop.create_future()
        await self._news

    @property
    def secure(self) -> bool:
        """Is TLS on?"""
        return self._tls is not None

    def send(self, data: bytes) -> Span:
        """Write SMTP text, inside TLS when it is on; says where on the wire it stands.

        It never waits: whether the other side takes it is seen by its reply.
        """
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        return self._write(data)

    def _write(self, data: bytes) -> Span:
        span = self._tap.crossed("server", data)
        self._transport.write(data)
        return span

    async def line(self) -> tuple[bytes, Span]:
        """Read one line, line end included. `stale` then says whether it came from a buffer that
        was filled before the handshake. Raises `LineBroken`, `Nonsense`, `TimeoutError`."""
        while True:
            while not self._plain:
                await self._more_plain()
            piece, span, secure = self._plain.popleft()
            self.stale = self.secure and not secure
            end = piece.find(b"\n") + 1
            if end and end < len(piece):
                rest_span = span
                if not secure:
                    rest_span = Span(to="client", start=span.start + end, end=span.end)
                    span = Span(to="client", start=span.start, end=span.start + end)
                self._plain.appendleft((piece[end:], rest_span, secure))
                piece = piece[:end]
            if end and not self._begun:
                return piece, span
            self._begun.append((piece, span))
            if end:
                return self.unfinished()[0]
            if sum(len(begun) for begun, _ in self._begun) > LINE_LIMIT:
                raise Nonsense

    def unfinished(self) -> list[tuple[bytes, Span]]:
        """The line that was begun and has no end yet, if there is one; it counts as read now."""
        if not self._begun:
            return []
        text = b"".join(piece for piece, _ in self._begun)
        span = Span(to="client", start=self._begun[0][1].start, end=self._begun[-1][1].end)
        self._begun.clear()
        return [(text, span)]

    def leftover(self) -> list[tuple[bytes, Span]]:
        """The lines that lie unread in the clear."""
        self._take_plain()
        lines = []
        for piece, span, secure in self._plain:
            if not secure:
                start = span.start
                for line in piece.removesuffix(b"\n").split(b"\n"):
                    end = min(start + len(line) + 1, span.end)
                    lines.append((piece[start - span.start : end - span.start], start, end))
                    start = end
        return [(line, Span(to="client", start=start, end=end)) for line, start, end in lines]

    def drop_leftover(self) -> None:
        """Throw away what lies unread in the clear."""
        self._plain.clear()

    @property
    def resumable(self) -> ssl.SSLSession | None:
        """The TLS session so far, for another connection with the same context to resume."""
        return self._tls.session if self._tls else None

    async def handshake(
        self,
        context: ssl.SSLContext,
        name: str,
        *,
        tlsa: bytes = b"",
        resumed: ssl.SSLSession | None = None,
        named: bool = True,
    ) -> Handshake:
        """Shake hands with the server, which should prove to be `name`, or to have the key whose
        SHA-256 is `tlsa`; it may resume a session. `named`: the ClientHello says which server it is
        for (RFC 6066 §3).

        TLS is on afterwards, unless the event says why not.
        """
        begun = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=name if named else None,
            session=resumed,
        )
        sent: list[Span] = []
        received: list[Span] = []
        error: HandshakeError = ""
        detail = ""
        try:
            self.begin_step()
            await self._shake_hands(begun, sent, received)
            if tlsa and not _is_of_key(begun.getpeercert(binary_form=True), tlsa):
                error, detail = "certificate", "no TLSA record is of the server's key"
            elif not named and context.verify_mode == ssl.CERT_REQUIRED and _is_not_of(begun, name):
                # To OpenSSL, the name to look for is the name to send.
                error = "name-mismatch"
        except ssl.SSLError as problem:
            error, detail = _why(problem)
        except (ValueError, Nonsense) as problem:
            error, detail = "not-tls", str(problem)
        except TimeoutError:
            error = "timeout"
        except LineBroken:
            error = "cut"
        self._tap.secrets += certificates.secrets(self._tap.client_random)
        if not error:
            self._tls = begun
        spans = tuple(
            Span(to=flights[0].to, start=flights[0].start, end=flights[-1].end)
            for flights in (sent, received)
            if flights
        )
        verified = bool(tlsa) or context.verify_mode == ssl.CERT_REQUIRED
        return self._described(
            begun, error, detail, spans, verified=verified and not error, dane=bool(tlsa)
        )

    async def _shake_hands(
        self, begun: ssl.SSLObject, sent: list[Span], received: list[Span]
    ) -> None:
        while True:
            try:
                begun.do_handshake()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                if data := self._outgoing.read():
                    self._tap.client_random = self._tap.client_random or tls.client_random(data)
                    sent.append(self._write(data))
            record, span = await self._record()
            received.append(span)
            self._incoming.write(record)

    def _described(
        self,
        begun: ssl.SSLObject,
        error: HandshakeError,
        detail: str,
        spans: tuple[Span, ...],
        *,
        verified: bool,
        dane: bool,
    ) -> Handshake:
        shown: Certificate | None = None
        cipher = begun.cipher()
        try:
            # A resumed session keeps the certificate of the first, which did not cross again.
            if not begun.session_reused and (der := begun.getpeercert(binary_form=True)):
                shown = certificates.describe(der)
        except ValueError:
            shown = None
        return Handshake(
            at=self._tap.now(),
            by="client",
            wire=spans,
            version=begun.version() or "" if not error else "",
            cipher=cipher[0] if cipher and not error else "",
            server_certificate=shown,
            verified=verified,
            dane=dane,
            resumed=not error and bool(begun.session_reused),
            error=error,
            detail=detail,
        )

    async def _record(self) -> tuple[bytes, Span]:
        """One TLS record. Raises ValueError where none begins."""
        while not (length := tls.record_length(bytes(self._received[: tls.HEADER]))):
            await self._more()
        while len(self._received) < length:
            await self._more()
        return self._take(length)

    def _take(self, length: int) -> tuple[bytes, Span]:
        data = bytes(self._received[:length])
        del self._received[:length]
        start = self._taken
        self._taken += length
        return data, Span(to="client", start=start, end=self._taken)

    def _take_plain(self) -> None:
        if self._received:
            data, span = self._take(len(self._received))
            self._plain.append((data, span, False))

    async def _more_plain(self) -> None:
        """Get more plain text, out of the next TLS record when TLS is on."""
        if self._tls is None:
            while not self._received:
                await self._more()
            self._take_plain()
            return
        try:
            record, span = await self._record()
        except ValueError as problem:
            raise Nonsense(str(problem)) from None
        self._incoming.write(record)
        try:
            data = self._tls.read(_RECORD)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            data = b""
        except ssl.SSLError as problem:
            if "ALERT" not in (problem.reason or ""):
                raise Nonsense(problem.reason) from None
            data = b""
        if not data:
            # An alert, such as close_notify: its sender closes.
            self.broken = self.broken or "closed"
            raise LineBroken
        self._plain.append((data, span, True))

    def half_close(self) -> None:
        """Say that nothing more will come: by close_notify when TLS is on."""
        if self._tls is None:
            return
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        if data := self._outgoing.read():
            self._write(data)

    async def close(self) -> None:
        """Close the connection."""
        self._transport.close()
        late = self._loop.call_later(LINGER, self._transport.abort)
        try:
            await self._gone
        finally:
            late.cancel()
            self._transport.abort()


def _is_of_key(certificate: bytes | None, tlsa: bytes) -> bool:
    """Does the server have the key of that TLSA record (3 1 1: RFC 7672 §3.1.1)?"""
    return certificate is not None and sha256(tls.public_key(certificate)).digest() == tlsa


def _is_not_of(begun: ssl.SSLObject, name: str) -> bool:
    """Is the certificate that was sent for others? In a resumed session none is sent."""
    der = None if begun.session_reused else begun.getpeercert(binary_form=True)
    names = certificates.describe(der).names if der else (name,)
    return name.lower() not in map(str.lower, names)


def reset(transport: asyncio.WriteTransport) -> None:
    """Cut a connection: the other side gets a reset (RFC 9293 §3.5.2), no orderly end."""
    layout = "hh" if sys.platform == "win32" else "ii"
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0)
    )
    abort(transport)


def abort(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once."""
    # Under TLS that was closed twice, Python 3.11.2 has nothing left to abort, and says so.
    with contextlib.suppress(AttributeError):
        transport.abort()


_REASONS: dict[int, HandshakeError] = {
    62: "name-mismatch",
    63: "name-mismatch",
    64: "name-mismatch",
    10: "expired",
    9: "expired",
    18: "unknown-ca",
    19: "unknown-ca",
    20: "unknown-ca",
    21: "unknown-ca",
}
"""OpenSSL's verification results (x509_vfy.h), as the ids of `meaning.HANDSHAKE_ERRORS`."""


def _why(problem: ssl.SSLError) -> tuple[HandshakeError, str]:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _REASONS.get(problem.verify_code, "certificate"), problem.verify_message
    reason = problem.reason or str(problem)
    if "WRONG_VERSION" in reason or "RECORD" in reason or "HTTP" in reason:
        return "not-tls", reason
    if "PROTOCOL" in reason:
        return "version", reason
    if "CERTIFICATE_REQUIRED" in reason or "DID_NOT_RETURN" in reason:
        return "no-certificate", reason
    return "alert", reason
