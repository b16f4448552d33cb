"""Checking a server: a polite client that asks one thing a session, and writes down the answers.

It talks to the host that it was given and to no other, one connection at a time and with a pause
between two, sends no message, and goes no further than RCPT.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

import msgspec

from simulator import smtp
from simulator.checks.cases import (
    AUTH,
    TLS,
    UNAWAITED,
    Result,
    ServerCase,
    Status,
    lacking,
    server_cases,
)
from simulator.errors import Error, reason
from simulator.lab import certificates
from simulator.lab.client import Client, GivenUp
from simulator.lab.play import GRACE
from simulator.lab.policy import ClientPolicy, Mail
from simulator.lab.tap import Tap
from simulator.lab.wire import LineBroken, Nonsense
from simulator.language import N_, Text
from simulator.masking import masked
from simulator.session import AuthResponse, Handshake, Peer, Reply, Session

IMPLICIT_TLS = 465
"""The port where TLS comes before the greeting (RFC 8314 §3.3)."""

MECHANISMS = ("CRAM-MD5", "PLAIN", "LOGIN")
"""How it can log in, the most discreet first (RFC 2195, RFC 4616; LOGIN has no standard)."""


class Unreachable(Error, OSError):
    """Nobody answers at that address: the message says why."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The server to check, and how.

    `name` is what its certificate should say, if that is not `host`. `authority`: a PEM file to
    trust in place of what the system trusts. `greets_as` is the argument of EHLO; `sender` and
    `recipient` are the envelope, of which no mail is made. `user` with `password` is an account for
    the case that logs in, which is left out without. `pause` and `patience` in seconds.
    """

    host: str
    port: int = 25
    implicit_tls: bool = False
    name: str = ""
    authority: str = ""
    greets_as: str = "probe.invalid"
    sender: str = ""
    recipient: str = "postmaster"
    user: str = ""
    password: str = ""
    pause: float = 1.0
    patience: float = 30.0

    @property
    def wanted(self) -> str:
        """The name that the certificate should have."""
        return self.name or self.host


def local(host: str) -> bool:
    """Is that this machine?"""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


async def check(
    host: Host,
    cases: Sequence[ServerCase] = (),
    done: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Try the cases, in their order; `done` is told each result. Raises `Unreachable`, and OSError
    where the authority cannot be read."""
    contexts: dict[tuple[str, bool], ssl.SSLContext] = {}
    results: dict[str, Result] = {}
    beside = {case.id for case in server_cases() if host.implicit_tls and case.begins == "clear"}
    offered: set[str] = set()
    tried = 0
    for case in cases or server_cases():
        status = {
            name: result.status
            for name, result in results.items()
            # What cannot be asked of such a server, nothing can need.
            if name not in beside
        }
        if case.id in beside:
            text = N_("not tried: TLS comes before the greeting")
            result = Result(case=case, status="skipped", why=Text(text))
        elif need := lacking(case, status):
            text = N_("not tried: it needs {case}")
            result = Result(case=case, status="skipped", why=Text(text, {"case": need}))
        elif case.where and case.where not in offered:
            text = N_("not tried: inside TLS, the list does not have {keyword}")
            values = {"keyword": case.where}
            result = Result(case=case, status="skipped", why=Text(text, values))
        elif case.logs_in and not host.user:
            text = N_("not tried: it needs an account of the server")
            result = Result(case=case, status="skipped", why=Text(text))
        else:
            if tried:
                await asyncio.sleep(host.pause)
            tried += 1
            key = (case.tls, case.verify)
            if key not in contexts:
                contexts[key] = certificates.probe_context(
                    case.tls, host.authority, verify=case.verify
                )
            result = await _tried(host, case, contexts[key])
            offered |= _offered(result.sessions)
        results[case.id] = result
        done(result)
    return list(results.values())


def _offered(sessions: Sequence[Session]) -> set[str]:
    """The keywords that were listed inside TLS."""
    return {
        keyword.name
        for session in sessions
        for event in session.events
        if isinstance(event, Reply) and event.secure and event.code == 250
        for line in event.lines[1:]
        if (keyword := smtp.parse_keyword(line))
    }


async def _tried(host: Host, case: ServerCase, context: ssl.SSLContext) -> Result:
    if not case.resumes:
        return (await _played(host, case, context))[0]
    first = msgspec.structs.replace(case, steps=_FIRST, lacks=())
    result, resumable = await _played(host, first, context)
    if resumable:
        await asyncio.sleep(host.pause)
        result, _ = await _played(host, case, context, resumable)
    [session] = result.sessions
    if any(isinstance(event, Handshake) and event.resumed for event in session.events):
        return result
    text = Text(N_("not tried: the server resumed no TLS session"))
    return Result(case=case, status="skipped", why=text, sessions=(session,))


_FIRST = ("EHLO {name}", "STARTTLS", TLS, "EHLO {name}")
"""What comes before a resumed TLS session. In TLS 1.3 the ticket comes after the handshake, at the
latest with the answer to what is asked inside (RFC 9846 §2.2)."""


async def _played(
    host: Host, case: ServerCase, context: ssl.SSLContext, resumed: ssl.SSLSession | None = None
) -> tuple[Result, ssl.SSLSession | None]:
    """One connection: what came of it, and the TLS session that another one may resume."""
    tap = Tap()
    started = datetime.now(UTC)
    tap.connecting()
    async with _connection(host) as connection:
        probe = _Probe(host, case, context, tap, resumed)
        local_port = connection.getsockname()[1]
        address = connection.getpeername()[0]
        await probe.run(connection)
    session = Session(
        connection=case.id,
        started=started,
        client=Peer(name=host.greets_as, port=local_port),
        server=Peer(name=host.host, address=address, port=host.port),
        implicit_tls=host.implicit_tls,
        events=tuple(tap.all_events()),
        wire=tuple(tap.segments),
        secrets=tap.secrets,
    )
    shown = masked(session) if case.logs_in else session
    result = Result(case=case, status=probe.status, why=probe.why, sessions=(shown,))
    return result, probe.wire.resumable


@contextlib.asynccontextmanager
async def _connection(host: Host) -> AsyncIterator[socket.socket]:
    loop = asyncio.get_running_loop()
    why = "nobody answers"
    try:
        found = await loop.getaddrinfo(host.host, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise Unreachable(f"{host.host}: no such host ({text})") from None
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        try:
            async with asyncio.timeout(max(host.patience, GRACE)):
                await loop.sock_connect(connection, address)
        except (OSError, TimeoutError) as error:
            why = reason(error) or why
            connection.close()
            continue
        with connection:
            yield connection
        return
    raise Unreachable(f"{host.host}, port {host.port}: no connection ({why})")


class _Probe(Client):
    """A client that plays a case's steps, whatever the server does."""

    def __init__(
        self,
        host: Host,
        case: ServerCase,
        context: ssl.SSLContext,
        tap: Tap,
        resumed: ssl.SSLSession | None,
    ) -> None:
        policy = ClientPolicy(name=host.greets_as)
        super().__init__(policy, Mail(), tap, host.wanted)
        # A server far away has more time than one on loopback.
        self.policy = msgspec.structs.replace(policy, patience=host.patience)
        self.host = host
        self.case = case
        self.context = context
        self.resumed = resumed
        self.status: Status = "unclear"
        self.why = Text(N_("the session broke off before it could tell"))
        self._listed: list[str] = []

    async def _talk(self) -> None:
        steps = self._steps()
        answer = ""
        for step in steps[:-1]:
            if step.startswith(UNAWAITED):
                self.group(self._filled(step.removeprefix(UNAWAITED)))
                continue
            answer = await self._step(step)
            if not answer.startswith(TLS if step == TLS else ("2", "3")):
                self._broke(step, answer)
                break
        else:
            answer = await self._step(steps[-1])
            self._judge(answer)
        if answer.startswith("closed"):
            raise LineBroken
        if answer.startswith("silence"):
            raise TimeoutError
        promised = steps[-1].startswith("STARTTLS") and answer.startswith("220")
        if promised or answer.startswith(f"no {TLS}"):
            # What would follow is no SMTP.
            raise GivenUp(politely=False)
        if answer.startswith("334"):
            # End an exchange that was begun (RFC 4954 §4).
            await self._respond("*")
        if self.wire.broken or await self._leave(steps[-1]):
            self._ended("server", "quit")
        else:
            self._ended("client", "quit")

    def _steps(self) -> list[str]:
        """The whole session: the way to where the case begins, and its own steps."""
        case = self.case
        way = [TLS, ""] if self.host.implicit_tls else [""]
        if case.begins == "inside" and not self.host.implicit_tls:
            way += ["EHLO {name}", "STARTTLS", TLS]
        if not case.steps:
            # The handshake itself is what the case is about.
            way = way[: way.index(TLS) + 1]
        return [*way, *case.steps]

    async def _leave(self, last: str) -> bool:
        """QUIT, unless it was said; does the server close?"""
        return last == "QUIT" or await self._say_goodbye()

    async def _respond(self, text: str) -> Reply:
        """Send a line of an exchange that was begun, and read what is said to it."""
        raw = f"{text}\r\n".encode("ascii")
        at, secure = self.tap.now(), self.wire.secure
        span = self.wire.send(raw)
        self.tap.happened(
            AuthResponse(at=at, by="client", secure=secure, raw=raw, wire=(span,), text=text)
        )
        return await self.reply()

    def _mechanism(self) -> str:
        """How to log in after the last list; empty if not at all."""
        return next((name for name in MECHANISMS if self._has(f"{AUTH} {name}")), "")

    async def _login(self) -> Reply:
        """The whole of a login, or as far as the server lets it come."""
        user, password = self.host.user.encode(), self.host.password.encode()
        mechanism = self._mechanism()
        if mechanism == "PLAIN":
            both = _base64(b"\0%b\0%b" % (user, password))
            return await self.ask(f"AUTH PLAIN {both}")
        reply = await self.ask(f"AUTH {mechanism}")
        if mechanism == "CRAM-MD5" and reply.code == 334:
            try:
                challenge = base64.b64decode("".join(reply.lines), validate=True)
            except ValueError:
                return await self._respond("*")
            digest = hmac.new(password, challenge, "md5").hexdigest()
            return await self._respond(_base64(user + b" " + digest.encode()))
        for secret in (user, password):
            if reply.code == 334:
                reply = await self._respond(_base64(secret))
        return reply

    def _judge(self, answer: str) -> None:
        case = self.case
        values = {"answer": _in_words(answer)}
        if not answer:
            self.why = Text(N_("the list does not have {keyword}"), {"keyword": AUTH})
            return
        if case.lists or case.lacks:
            if not answer.startswith("250"):
                self.why = Text(N_("there was no list: {answer}"), values)
                return
            there = [keyword for keyword in (case.lists, *case.lacks) if self._has(keyword)]
            good = bool(there) if case.lists else not there
            self.status = "passed" if good else "failed"
            shown = {"keyword": ", ".join(there or filter(None, (case.lists, *case.lacks)))}
            has = N_("the list has {keyword}")
            self.why = Text(has if there else N_("the list does not have {keyword}"), shown)
            return
        if answer.startswith(case.fails):
            self.status = "failed"
        elif answer.startswith(case.passes):
            self.status = "passed"
        self.why = Text(N_("the answer was: {answer}"), values)

    def _broke(self, step: str, answer: str) -> None:
        """An earlier step was not answered as the case needs it."""
        case = self.case
        if not answer:
            self.status = "skipped"
            self.why = Text(N_("not tried: in the clear, the list has no AUTH that can be used"))
            return
        if step == AUTH:
            self.status = "unclear"
        elif not case.steps and answer.startswith(case.fails):
            self.status = "failed"
        else:
            self.status = case.otherwise
        values = {"step": step, "answer": _in_words(answer)}
        self.why = Text(N_("{step} was answered: {answer}"), values)

    def _has(self, keyword: str) -> bool:
        name, _, parameter = keyword.partition(" ")
        return any(
            found.name == name and (not parameter or parameter in found.parameters.upper().split())
            for line in self._listed
            if (found := smtp.parse_keyword(line))
        )

    async def _step(self, step: str) -> str:
        """Do one step: what came of it, as a reply code with its first line, or in a word; empty
        where the list offers no way to log in."""
        if (step == AUTH or "{mechanism}" in step) and not self._mechanism():
            return ""
        try:
            if step == TLS:
                return await self._begin_tls()
            if step == AUTH:
                reply = await self._login()
            else:
                if step:
                    self.group(*map(self._filled, step.split(" + ")))
                reply = await self.reply()
        except GivenUp:
            last = next(e for e in reversed(self.tap.events) if isinstance(e, Reply))
            return f"{last.code:03} {' '.join(last.lines)}"[:200]
        except TimeoutError:
            return "silence"
        except (LineBroken, Nonsense):
            return "closed"
        self._listed = list(reply.lines[1:])
        return f"{reply.code} {reply.lines[0] if reply.lines else ''}".strip()

    def _filled(self, line: str) -> str:
        host = self.host
        return line.format(
            name=host.greets_as,
            sender=host.sender,
            recipient=host.recipient,
            mechanism=self._mechanism(),
        )

    async def _begin_tls(self) -> str:
        self._look_behind_the_220()
        happened: Handshake = await self.wire.handshake(
            self.context, self.server_name, resumed=self.resumed
        )
        self.tap.happened(happened)
        if not happened.error:
            return f"{TLS} ({happened.version}, {happened.cipher})"
        return f"no {TLS}: {happened.detail or happened.error}"


def _in_words(answer: str) -> Text | str:
    """An answer as it is told: a server's own words stay as they are."""
    word, _, why = answer.partition(": ")
    known = {"closed": N_("closed"), "silence": N_("silence"), f"no {TLS}": N_("no TLS: {why}")}
    return Text(known[word], {"why": why}) if word in known else answer


def _base64(secret: bytes) -> str:
    return base64.b64encode(secret).decode("ascii")
