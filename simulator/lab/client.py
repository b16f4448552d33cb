"""The client: the ESA's delivery side, played after its policy.

It can do what a library would not let it do: skip EHLO, keep stale keywords, talk plain text after
the 220. And it bears a peer that hangs, cuts the line or lies: every step has its limits, and the
last event tells how the session ended.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Literal

from simulator import smtp
from simulator.lab.engine import certificates
from simulator.lab.policy import ClientPolicy, Mail
from simulator.lab.tap import Tap
from simulator.lab.wire import LineBroken, Nonsense, Wire
from simulator.session import (
    Command,
    Connect,
    Disconnect,
    Message,
    Party,
    Reply,
    Span,
)

MORE = 0.5
"""Seconds that the 221 to QUIT has to come behind replies to something else."""

REPLY_LIMIT = 64 * 1024
"""Octets of one reply that the client is willing to hold."""

_MANY = tuple(f"{number}-of-6{'-is-known-to-nobody' * 12}" for number in range(1, 7))
"""Protocols that fill a ClientHello beyond one packet (RFC 7301 §3.1)."""


class GivenUp(Exception):
    """The client leaves: it cannot have what it requires."""

    def __init__(self, *, politely: bool = True) -> None:
        self.politely = politely


class Client:
    """One client at work on one session. `tlsa` is the SHA-256 of a key that DANE goes by,
    `resumed` the TLS session of an earlier connection."""

    resumed: ssl.SSLSession | None = None

    def __init__(
        self, policy: ClientPolicy, mail: Mail, tap: Tap, server_name: str, tlsa: bytes = b""
    ) -> None:
        self.policy = policy
        self.mail = mail
        self.tap = tap
        self.server_name = server_name
        self.tlsa = tlsa
        self.keywords: dict[str, str] = {}

    async def run(self, connection: socket.socket) -> None:
        """Play the session on a connection that is up, and close it.

        It never raises over what the other side does: the events tell it.
        """
        loop = asyncio.get_running_loop()
        _, self.wire = await loop.create_connection(
            lambda: Wire(self.tap, self.policy.patience), sock=connection
        )
        self.tap.happened(Connect(at=0.0, by="client"))
        try:
            await self._talk()
        except GivenUp as leaving:
            if leaving.politely:
                with contextlib.suppress(GivenUp, LineBroken, Nonsense, TimeoutError):
                    await self._say_goodbye()
            self._ended("client", "given up")
        except Nonsense:
            self._ended("client", "given up")
        except TimeoutError:
            self._ended("client", "timeout")
        except LineBroken:
            if self.tap.cut_by:
                self._ended(self.tap.cut_by, "cut")
            else:
                self._ended("server", self.wire.broken or "closed")
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
        elif policy.tls == "required" and "missing" not in policy.despite:
            raise GivenUp
        if policy.xclient and "XCLIENT" in self.keywords:
            await self._speak_for()
        if policy.login:
            await self._log_in()
        if any(keyword not in self.keywords for keyword in self._needs()):
            raise GivenUp
        await self._send_mail()
        await self.leave()

    async def leave(self) -> None:
        """QUIT, in order."""
        if await self._say_goodbye():
            self._ended("server", "quit")
        else:
            self._ended("client", "quit")

    async def _starttls(self) -> None:
        policy = self.policy
        if policy.pipelines_past_starttls:
            self.group("STARTTLS", f"EHLO {policy.name}")
        elif policy.pipelines and "PIPELINING" in self.keywords:
            self.group("RSET", "STARTTLS")
            await self.reply()
        else:
            self.command("STARTTLS")
        if (await self.reply()).code != 220:
            if policy.tls == "required" and "refused" not in policy.despite:
                raise GivenUp
            return
        if policy.plain_after_220:
            await self.hello("EHLO", policy.name)
            return
        await self.begin_tls()
        if policy.forgets:
            self.keywords = {}
        if policy.after_handshake != "nothing":
            await self.hello(policy.after_handshake, policy.name_inside or policy.name)
        if policy.starttls_again:
            await self.ask("STARTTLS")

    async def begin_tls(self) -> None:
        """Shake hands, once the server has said 220 to STARTTLS."""
        self._look_behind_the_220()
        await self._shake_hands()

    async def _shake_hands(self) -> None:
        policy = self.policy
        context = certificates.client_context(
            policy.tls_version,
            policy.name,
            verify=policy.verify and not self.tlsa,
            certificate=policy.certificate,
            names_server=policy.names_server,
            protocols=_MANY if policy.large_hello else (),
        )
        happened = await self.wire.handshake(
            context,
            self.server_name,
            tlsa=self.tlsa,
            resumed=self.resumed,
            named=policy.names_server,
        )
        self.tap.happened(happened)
        if happened.error == "timeout":
            raise TimeoutError
        if happened.error == "cut":
            raise LineBroken
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

    async def _speak_for(self) -> None:
        """Say whose connection this is; a server that takes it starts over."""
        answer = await self.ask(f"XCLIENT {self.policy.xclient}")
        if answer.code == 220 and self.policy.after_xclient == "EHLO":
            await self.hello("EHLO", self.policy.name_inside or self.policy.name)

    async def _log_in(self) -> None:
        policy = self.policy
        offered = policy.login in self.keywords.get("AUTH", "").split()
        if not offered and "AUTH" not in policy.insists:
            raise GivenUp
        secret = {
            "PLAIN": f"\0{policy.user}\0{policy.password}",
            "EXTERNAL": policy.name,
            # RFC 7628 §3.1. XOAUTH2 was there before it, and stands in no RFC.
            "OAUTHBEARER": f"n,a={policy.user},\1auth=Bearer {policy.password}\1\1",
            "XOAUTH2": f"user={policy.user}\1auth=Bearer {policy.password}\1\1",
        }[policy.login]
        initial = base64.b64encode(secret.encode()).decode()
        answer = await self.ask(f"AUTH {policy.login} {initial}")
        if answer.code != 235:
            raise GivenUp
        if policy.after_login == "EHLO":
            await self.hello("EHLO", policy.name_inside or policy.name)

    async def _send_mail(self) -> None:
        recipients = self.mail.recipients
        most = self._most_recipients() or len(recipients)
        for start in range(0, len(recipients), most):
            if not await self._transaction(recipients[start : start + most]):
                return

    def _most_recipients(self) -> int:
        """How many recipients a transaction may have (RFC 9422 §4.2), if the list tells."""
        if "LIMITS" not in self.policy.uses:
            return 0
        return smtp.most_recipients(self.keywords.get("LIMITS", ""))

    async def _transaction(self, recipients: Sequence[str]) -> bool:
        """Send the message to these recipients; was it taken?"""
        mail = self.mail
        head, body = f"From: <{mail.sender}>\nSubject: {mail.subject}\n\n", mail.body
        if self.policy.sends_bare_lf:
            data = _as_sent(head) + body.removesuffix("\n").encode() + b"\r\n"
        else:
            data = _as_sent(head + body)
        commands = [
            f"MAIL FROM:<{mail.sender}>{self._parameters(len(data))}",
            *(f"RCPT TO:<{recipient}>" for recipient in recipients),
        ]
        in_pieces = "CHUNKING" in self.policy.uses and "CHUNKING" in self.keywords
        if not in_pieces:
            commands.append("DATA")
        if self.policy.pipelines and "PIPELINING" in self.keywords:
            self.group(*commands)
            codes = [(await self.reply()).code for _ in commands]
            if codes[-1] != (250 if in_pieces else 354):
                return False
        else:
            for command in commands:
                answer = await self.ask(command)
                if answer.code >= 400 or (command == "DATA" and answer.code != 354):
                    return False
        if in_pieces:
            self.group(f"BDAT {len(data)} LAST", data=data)
        else:
            self._message(data)
        return (await self.reply()).code < 300

    def _needs(self) -> tuple[str, ...]:
        """The keywords without which the message is not sent."""
        needs = self.policy.requires
        if self.mail.is_international and "SMTPUTF8" not in self.policy.insists:
            needs = (*needs, "SMTPUTF8")
        return needs

    def _parameters(self, size: int) -> str:
        known = {
            "SIZE": f" SIZE={size}",
            "8BITMIME": " BODY=8BITMIME",
            "REQUIRETLS": " REQUIRETLS",
            "SMTPUTF8": " SMTPUTF8",
        }
        wanted = dict.fromkeys(
            [k for k in (*self.policy.uses, *self._needs()) if k in self.keywords]
            + list(self.policy.insists)
        )
        return "".join(known.get(keyword, "") for keyword in wanted)

    async def deliver(self, text: str) -> Reply:
        """Send a message, and read the reply to it."""
        self._message(_as_sent(text))
        return await self.reply()

    def _message(self, data: bytes) -> None:
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        raw = (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"
        at = self.tap.now()
        secure = self.wire.secure
        span = self.wire.send(raw)
        self.tap.happened(
            Message(at=at, by="client", secure=secure, raw=raw, wire=(span,), size=len(data))
        )

    async def ask(self, line: str) -> Reply:
        """Send a command and read what the client takes for its reply."""
        self.command(line)
        return await self.reply()

    def command(self, line: str) -> None:
        """Send one command."""
        self.group(line)

    def group(self, *lines: str, data: bytes = b"") -> None:
        """Send several commands at once (RFC 2920); `data` belongs to the last (RFC 3030 §2)."""
        raws = [f"{line}\r\n".encode() for line in lines]
        raws[-1] += data
        at = self.tap.now()
        secure = self.wire.secure
        whole = self.wire.send(b"".join(raws))
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
        """Read one reply, all its lines. A reply that did not come to its end, or that is none,
        is on the record too, but nothing can be built on it. Raises what ends the session."""
        lines: list[_Line] = []
        stale = False
        size = 0
        self.wire.begin_step()
        try:
            while not lines or lines[-1].more:
                if size > REPLY_LIMIT:
                    raise Nonsense
                lines.append(_Line(*await self.wire.line()))
                size += len(lines[-1].raw)
                stale = stale or self.wire.stale
        except (LineBroken, Nonsense, TimeoutError, asyncio.CancelledError):
            lines += [_Line(*begun) for begun in self.wire.unfinished()]
            if lines:
                self.tap.happened(self._reply(lines, stale=stale, whole=False))
            raise
        reply = self._reply(lines, stale=stale)
        self.tap.happened(reply)
        if not 200 <= reply.code < 600:
            raise GivenUp
        return reply

    def _reply(self, lines: list[_Line], *, stale: bool = False, whole: bool = True) -> Reply:
        raw = b"".join(line.raw for line in lines)
        first = lines[0].parsed
        valid = whole and all(line.parsed for line in lines)
        return Reply(
            at=self.tap.now(),
            by="middlebox" if self.tap.was_forged(raw, spent=self.wire.secure) else "server",
            secure=self.wire.secure,
            stale=stale,
            raw=raw,
            wire=(Span(to="client", start=lines[0].span.start, end=lines[-1].span.end),),
            code=first.code if first and valid else 0,
            lines=tuple(line.parsed.text if line.parsed else line.text for line in lines),
        )

    def _replies(self, lines: list[tuple[bytes, Span]]) -> list[Reply]:
        found: list[Reply] = []
        gathered: list[_Line] = []
        for raw, span in lines:
            gathered.append(_Line(raw, span))
            if not gathered[-1].more:
                found.append(self._reply(gathered))
                gathered = []
        if gathered:
            found.append(self._reply(gathered, whole=False))
        return found

    async def _say_goodbye(self) -> bool:
        """QUIT, and read to the end; False if the other side does not close."""
        answer = await self.ask("QUIT")
        if self.wire.secure:
            # Before it has answered QUIT, a server may take the end of TLS for the end of all.
            with contextlib.suppress(GivenUp, LineBroken, Nonsense, TimeoutError):
                async with asyncio.timeout(MORE):
                    while answer.code not in (221, 421):
                        answer = await self.reply()
        self.wire.half_close()
        lines = []
        self.wire.begin_step()
        with contextlib.suppress(LineBroken, Nonsense, TimeoutError):
            while True:
                lines.append(await self.wire.line())
        for reply in self._replies(lines + self.wire.unfinished()):
            self.tap.happened(reply)
        return self.wire.broken is not None

    def _ended(
        self, by: Party, reason: Literal["quit", "closed", "cut", "timeout", "given up"]
    ) -> None:
        self.tap.happened(
            Disconnect(at=self.tap.now(), by=by, secure=self.wire.secure, reason=reason)
        )


def _as_sent(text: str) -> bytes:
    """A message with the line ends that travel."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return "".join(f"{line}\r\n" for line in lines).encode()


class _Line:
    """One line of a reply: as it came, where on the wire it stands, and what it says."""

    __slots__ = ("more", "parsed", "raw", "span", "text")

    def __init__(self, raw: bytes, span: Span) -> None:
        self.raw = raw
        self.span = span
        self.text = raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        self.parsed = smtp.parse_reply_line(self.text)
        self.more = self.parsed is not None and self.parsed.more
