"""The client: the ESA's delivery side, played on asyncio streams, with TLS in memory.

It reads and writes both layers itself, SMTP lines and TLS records, so that the tap sees both, and
so that it can do what a library would not let it do: skip EHLO, keep stale keywords, talk plain
text after the 220.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections import deque
from collections.abc import Callable
from typing import Literal

from simulator import smtp, tls
from simulator.lab import certificates
from simulator.lab.policy import ClientPolicy, Mail
from simulator.lab.tap import Tap
from simulator.session import (
    Certificate,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Party,
    Reply,
    Span,
)

LINE_LIMIT = 64 * 1024
"""Octets of one line or record that the client is willing to hold."""

REPLY_LINES = 500
"""Lines of one reply that it is willing to hold."""

_CHUNK = 256 * 1024


class LineCut(Exception):
    """The other side closed the connection, or somebody on the way cut it."""

    def __init__(self, reason: Literal["closed", "cut"] = "closed") -> None:
        self.reason: Literal["closed", "cut"] = reason


class GivenUp(Exception):
    """The client leaves: it cannot have what it requires."""

    def __init__(self, *, politely: bool = True) -> None:
        self.politely = politely


class Wire:
    """The client's end of the connection: lines in, lines out, in the clear or inside TLS."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: Tap, patience: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tap = tap
        self._patience = patience
        self._received = bytearray()
        self._taken = 0
        self._plain: deque[tuple[bytes, Span, bool]] = deque()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self.stale = False

    @property
    def secure(self) -> bool:
        """Is TLS on?"""
        return self._tls is not None

    async def send(self, data: bytes) -> Span:
        """Write SMTP text, inside TLS when it is on; says where on the wire it stands."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        span = self._tap.crossed("server", data)
        self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError:
            raise LineCut("cut") from None
        return span

    async def line(self) -> tuple[bytes, Span]:
        """Read one line, line end included. `stale` then says whether it came from a buffer that
        was filled before the handshake. Raises `LineCut` and `TimeoutError`."""
        found = b""
        first: Span | None = None
        while True:
            while not self._plain:
                await self._more()
            piece, span, secure = self._plain.popleft()
            first = first or span
            self.stale = self.secure and not secure
            end = piece.find(b"\n") + 1
            if end:
                rest = piece[end:]
                if rest:
                    rest_span = span
                    if not secure:
                        rest_span = Span(to="client", start=span.start + end, end=span.end)
                        span = Span(to="client", start=span.start, end=span.start + end)
                    self._plain.appendleft((rest, rest_span, secure))
                return found + piece[:end], Span(to="client", start=first.start, end=span.end)
            found += piece
            if len(found) > LINE_LIMIT:
                raise LineCut

    def leftover(self) -> list[tuple[bytes, Span]]:
        """The whole lines that lie unread in the clear."""
        lines = []
        for piece, span, secure in self._plain:
            if not secure:
                start = span.start
                for line in piece.splitlines(keepends=True):
                    lines.append((line, Span(to="client", start=start, end=start + len(line))))
                    start += len(line)
        return lines

    def drop_leftover(self) -> None:
        """Throw away what lies unread in the clear."""
        self._plain.clear()

    async def handshake(self, context: ssl.SSLContext, name: str) -> Handshake:
        """Shake hands with the server, which should prove to be `name`.

        TLS is on afterwards, unless the event says why not.
        """
        begun = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        sent_from = received_from = None
        sent_to = received_to = 0
        error = detail = ""
        hello = b""
        while True:
            try:
                begun.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError as problem:
                error, detail = _why(problem)
                done = True
            data = self._outgoing.read()
            if data:
                hello = hello or data
                span = self._tap.crossed("server", data)
                sent_from = span.start if sent_from is None else sent_from
                sent_to = span.end
                self._writer.write(data)
            if done:
                break
            try:
                record, span = await self._record()
            except ValueError as problem:
                error, detail = "not-tls", str(problem)
                break
            except TimeoutError:
                error = "timeout"
                break
            except LineCut:
                error = "cut"
                break
            received_from = span.start if received_from is None else received_from
            received_to = span.end
            self._incoming.write(record)
        spans = []
        if sent_from is not None:
            spans.append(Span(to="server", start=sent_from, end=sent_to))
        if received_from is not None:
            spans.append(Span(to="client", start=received_from, end=received_to))
        self._tap.secrets += certificates.secrets(tls.client_random(hello))
        if not error:
            self._tls = begun
        return self._described(begun, error, detail, tuple(spans), context)

    def _described(
        self,
        begun: ssl.SSLObject,
        error: str,
        detail: str,
        spans: tuple[Span, ...],
        context: ssl.SSLContext,
    ) -> Handshake:
        shown: Certificate | None = None
        cipher = begun.cipher()
        try:
            if der := begun.getpeercert(binary_form=True):
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
            verified=not error and context.verify_mode == ssl.CERT_REQUIRED,
            error=error,
            detail=detail,
        )

    async def _record(self) -> tuple[bytes, Span]:
        """One TLS record. Raises ValueError where none begins."""
        while not (length := tls.record_length(bytes(self._received[: tls.HEADER]))):
            await self._fill()
        while len(self._received) < length:
            await self._fill()
        return self._take(length)

    def _take(self, length: int) -> tuple[bytes, Span]:
        data = bytes(self._received[:length])
        del self._received[:length]
        start = self._taken
        self._taken += length
        return data, Span(to="client", start=start, end=self._taken)

    async def _fill(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                data = await self._reader.read(_CHUNK)
        except TimeoutError:
            raise
        except OSError:
            raise LineCut("cut") from None
        if not data:
            raise LineCut
        self._tap.crossed("client", data)
        self._received += data

    async def _more(self) -> None:
        """Get more plain text, out of the next TLS record when TLS is on."""
        if self._tls is None:
            if not self._received:
                await self._fill()
            data, span = self._take(len(self._received))
            self._plain.append((data, span, False))
            return
        try:
            record, span = await self._record()
        except ValueError:
            raise LineCut from None
        self._incoming.write(record)
        try:
            data = self._tls.read(LINE_LIMIT)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            raise LineCut from None
        if not data:
            raise LineCut
        self._plain.append((data, span, True))

    async def half_close(self) -> None:
        """Say that nothing more will come: by close_notify when TLS is on."""
        if self._tls is None:
            return
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        data = self._outgoing.read()
        if data:
            self._tap.crossed("server", data)
            self._writer.write(data)

    async def rest(self) -> list[tuple[bytes, Span]]:
        """The lines that still come until the other side closes."""
        lines = []
        with contextlib.suppress(LineCut, TimeoutError):
            while True:
                lines.append(await self.line())
        return lines

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


_REASONS = {
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


def _why(problem: ssl.SSLError) -> tuple[str, str]:
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


class Client:
    """One client at work on one session."""

    def __init__(self, policy: ClientPolicy, mail: Mail, tap: Tap, server_name: str) -> None:
        self.policy = policy
        self.mail = mail
        self.tap = tap
        self.server_name = server_name
        self.keywords: dict[str, str] = {}

    async def run(self, host: str, port: int, connected: Callable[[int], None]) -> None:
        """Play the session. `connected` is told the client's port as soon as there is one.

        Raises OSError if no connection comes about.
        """
        reader, writer = await asyncio.open_connection(host, port, limit=_CHUNK)
        connected(writer.get_extra_info("sockname")[1])
        self.wire = Wire(reader, writer, self.tap, self.policy.patience)
        self.tap.happened(Connect(at=self.tap.now(), by="client"))
        try:
            await self._talk()
        except GivenUp as leaving:
            if leaving.politely:
                await self._say_goodbye()
            self._ended("client", "given up")
        except TimeoutError:
            self._ended("client", "timeout")
        except LineCut as cut:
            self._ended(self.tap.cut_by or "server", cut.reason)
        finally:
            await self.wire.close()

    async def _talk(self) -> None:
        policy = self.policy
        if policy.tls == "implicit":
            await self._shake_hands()
        if (await self.reply()).code != 220:
            raise GivenUp
        await self.hello(policy.hello, policy.name)
        if policy.tls in ("required", "opportunistic") and "STARTTLS" in self.keywords:
            await self._starttls()
        elif policy.tls == "required":
            raise GivenUp
        if policy.login:
            await self._log_in()
        if any(keyword not in self.keywords for keyword in policy.requires):
            raise GivenUp
        await self._send_mail()
        if await self._say_goodbye():
            self._ended("server", "quit")
        else:
            self._ended("client", "quit")

    async def _starttls(self) -> None:
        policy = self.policy
        if policy.pipelines_past_starttls:
            await self.group("STARTTLS", f"EHLO {policy.name}")
        elif policy.pipelines and "PIPELINING" in self.keywords:
            await self.group("RSET", "STARTTLS")
            await self.reply()
        else:
            await self.command("STARTTLS")
        if (await self.reply()).code != 220:
            if policy.tls == "required":
                raise GivenUp
            return
        if policy.plain_after_220:
            await self.hello("EHLO", policy.name)
            return
        self._look_behind_the_220()
        await self._shake_hands()
        if policy.forgets:
            self.keywords = {}
        if policy.after_handshake != "nothing":
            await self.hello(policy.after_handshake, policy.name_inside or policy.name)
        if policy.starttls_again:
            await self.ask("STARTTLS")

    async def _shake_hands(self) -> None:
        policy = self.policy
        context = certificates.client_context(
            policy.tls_version,
            policy.name,
            verify=policy.verify,
            certificate=policy.certificate,
        )
        happened = await self.wire.handshake(context, self.server_name)
        self.tap.happened(happened)
        if happened.error:
            raise GivenUp(politely=False)

    def _look_behind_the_220(self) -> None:
        """What came in the clear behind the 220 cannot be the server's word about TLS."""
        for reply in self._replies(self.wire.leftover()):
            self.tap.happened(reply)
        if self.policy.drops_buffer:
            self.wire.drop_leftover()
            self.tap.forged.clear()

    async def hello(self, verb: str, name: str) -> None:
        """Introduce itself, and learn the list."""
        answer = await self.ask(f"{verb} {name}")
        if verb == "EHLO" and answer.code >= 500 and answer.code != 503:
            answer = await self.ask(f"HELO {name}")
            verb = "HELO"
        if answer.code != 250:
            return
        learned = {}
        if verb == "EHLO":
            lines = answer.lines
            if self.policy.reads == "lenient":
                lines = ("", *lines)
            _, keywords = smtp.parse_ehlo_reply(lines)
            learned = {keyword.name: keyword.parameters for keyword in keywords}
        self.keywords = learned if self.policy.forgets else self.keywords | learned

    async def _log_in(self) -> None:
        policy = self.policy
        offered = policy.login in self.keywords.get("AUTH", "").split()
        if not offered and "AUTH" not in policy.insists:
            raise GivenUp
        if policy.login == "PLAIN":
            secret = f"\0{policy.user}\0{policy.password}".encode()
        else:
            secret = policy.name.encode()
        initial = base64.b64encode(secret).decode()
        answer = await self.ask(f"AUTH {policy.login} {initial}")
        if answer.code != 235:
            raise GivenUp

    async def _send_mail(self) -> None:
        mail = self.mail
        text = f"From: <{mail.sender}>\nSubject: {mail.subject}\n\n{mail.body}"
        data = text.replace("\n", "\r\n").encode()
        commands = [
            f"MAIL FROM:<{mail.sender}>{self._parameters(len(data))}",
            *(f"RCPT TO:<{recipient}>" for recipient in mail.recipients),
            "DATA",
        ]
        if self.policy.pipelines and "PIPELINING" in self.keywords:
            await self.group(*commands)
            codes = [(await self.reply()).code for _ in commands]
            if codes[-1] != 354:
                return
        else:
            for command in commands:
                answer = await self.ask(command)
                if answer.code >= 400:
                    return
        await self._message(data)
        await self.reply()

    def _parameters(self, size: int) -> str:
        known = {
            "SIZE": f" SIZE={size}",
            "8BITMIME": " BODY=8BITMIME",
            "REQUIRETLS": " REQUIRETLS",
            "SMTPUTF8": " SMTPUTF8",
        }
        wanted = dict.fromkeys(
            [k for k in (*self.policy.uses, *self.policy.requires) if k in self.keywords]
            + list(self.policy.insists)
        )
        return "".join(known.get(keyword, "") for keyword in wanted)

    async def _message(self, data: bytes) -> None:
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        raw = (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"
        at = self.tap.now()
        secure = self.wire.secure
        span = await self.wire.send(raw)
        self.tap.happened(
            Message(at=at, by="client", secure=secure, raw=raw, wire=(span,), size=len(data))
        )

    async def ask(self, line: str) -> Reply:
        """Send a command and read what the client takes for its reply."""
        await self.command(line)
        return await self.reply()

    async def command(self, line: str) -> None:
        """Send one command."""
        await self.group(line)

    async def group(self, *lines: str) -> None:
        """Send several commands at once (RFC 2920)."""
        raws = [f"{line}\r\n".encode("ascii", "replace") for line in lines]
        at = self.tap.now()
        secure = self.wire.secure
        whole = await self.wire.send(b"".join(raws))
        start = whole.start
        for line, raw in zip(lines, raws, strict=True):
            verb, argument = smtp.parse_command(line)
            span = whole
            if not secure:
                span = Span(to="server", start=start, end=start + len(raw))
                start += len(raw)
            self.tap.happened(
                Command(
                    at=at,
                    by="client",
                    secure=secure,
                    raw=raw,
                    wire=(span,),
                    verb=verb,
                    argument=argument,
                )
            )

    async def reply(self) -> Reply:
        """Read one reply, all its lines."""
        lines: list[tuple[bytes, Span]] = []
        stale = False
        while True:
            raw, span = await self.wire.line()
            stale = stale or self.wire.stale
            lines.append((raw, span))
            if not _goes_on(raw) or len(lines) >= REPLY_LINES:
                break
        reply = self._reply(lines, stale=stale)
        self.tap.happened(reply)
        return reply

    def _reply(self, lines: list[tuple[bytes, Span]], *, stale: bool = False) -> Reply:
        raw = b"".join(line for line, _ in lines)
        read = [smtp.parse_reply_line(_text(line)) for line, _ in lines]
        first = read[0]
        return Reply(
            at=self.tap.now(),
            by="middlebox" if self.tap.was_forged(raw, spent=self.wire.secure) else "server",
            secure=self.wire.secure,
            stale=stale,
            raw=raw,
            wire=(Span(to="client", start=lines[0][1].start, end=lines[-1][1].end),),
            code=first.code if first else 0,
            lines=tuple(
                parsed.text if parsed else _text(line)
                for parsed, (line, _) in zip(read, lines, strict=True)
            ),
        )

    def _replies(self, lines: list[tuple[bytes, Span]]) -> list[Reply]:
        found: list[Reply] = []
        gathered: list[tuple[bytes, Span]] = []
        for line in lines:
            gathered.append(line)
            if not _goes_on(line[0]):
                found.append(self._reply(gathered))
                gathered = []
        if gathered:
            found.append(self._reply(gathered))
        return found

    async def _say_goodbye(self) -> bool:
        """QUIT, and read to the end; False if the line broke over it."""
        try:
            await self.ask("QUIT")
        except (LineCut, TimeoutError):
            return False
        await self.wire.half_close()
        for reply in self._replies(await self.wire.rest()):
            self.tap.happened(reply)
        return True

    def _ended(
        self, by: Party, reason: Literal["quit", "closed", "cut", "timeout", "given up"]
    ) -> None:
        self.tap.happened(
            Disconnect(at=self.tap.now(), by=by, secure=self.wire.secure, reason=reason)
        )


def _goes_on(raw: bytes) -> bool:
    parsed = smtp.parse_reply_line(_text(raw))
    return parsed is not None and parsed.more


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
