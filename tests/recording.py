"""Sessions to test views with: the TLS is real, the wire is memory, the clock is made up.

One millisecond passes with each write, so that only keys and randoms differ between two runs.
"""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import trustme

from simulator.session import (
    AnyEvent,
    Certificate,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Link,
    Message,
    Peer,
    Reply,
    Segment,
    Session,
    Side,
    Span,
)

SERVER = "mx1.example.com"
Reason = Literal["quit", "closed", "cut", "timeout", "given up"]


class Wire:
    """Both peers and what lies between them; every write is recorded as it crosses."""

    def __init__(self, links: tuple[Link, ...]) -> None:
        self.links = links
        self.segments: list[Segment] = []
        self.events: list[AnyEvent] = []
        self.sent: dict[Side, int] = {"client": 0, "server": 0}
        self.clock = 0
        self.tls: dict[Side, tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]] | None = None

    @property
    def now(self) -> float:
        return self.clock / 1000

    def write(self, to: Side, data: bytes) -> tuple[Span, ...]:
        self.clock += 1
        start, end = self.sent[to], self.sent[to] + len(data)
        self.sent[to] = end
        order = self.links if to == "server" else tuple(reversed(self.links))
        for delay, link in enumerate(order):
            at = self.now + delay / 4000
            self.segments.append(Segment(at=at, to=to, data=data, link=link))
        return tuple(Span(link=link, to=to, start=start, end=end) for link in self.links)

    def say(self, by: Side, raw: bytes) -> dict[str, Any]:
        """Send SMTP text, inside TLS where TLS is on; what all events have in common."""
        to: Side = "client" if by == "server" else "server"
        data = raw
        if self.tls:
            talker, _, outgoing = self.tls[by]
            talker.write(raw)
            data = outgoing.read()
            listener, incoming, _ = self.tls[to]
            incoming.write(data)
            read = b""
            while len(read) < len(raw):
                read += listener.read(1 << 20)
        spans = self.write(to, data)
        return {"at": self.now, "by": by, "secure": bool(self.tls), "raw": raw, "wire": spans}

    def command(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        base = self.say("client", f"{line}\r\n".encode())
        self.events.append(Command(verb=verb, argument=argument, **base))

    def reply(self, code: int, *lines: str) -> None:
        last = len(lines) - 1
        raw = "".join(f"{code}{'-' if i < last else ' '}{t}\r\n" for i, t in enumerate(lines))
        self.events.append(Reply(code=code, lines=lines, **self.say("server", raw.encode())))

    def message(self, raw: bytes) -> None:
        size = len(raw) - len(b".\r\n")
        self.events.append(Message(size=size, **self.say("client", raw)))

    def handshake(self, client: ssl.SSLContext, server: ssl.SSLContext, *, trusted: bool) -> None:
        ends: dict[Side, tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]] = {}
        bios = {side: (ssl.MemoryBIO(), ssl.MemoryBIO()) for side in ("client", "server")}
        ends["client"] = (
            client.wrap_bio(*bios["client"], server_hostname=SERVER),
            *bios["client"],
        )
        ends["server"] = (server.wrap_bio(*bios["server"], server_side=True), *bios["server"])
        began = self.now
        spans: dict[tuple[Link, Side], Span] = {}
        detail = ""
        for _ in range(6):
            for by, to in (("client", "server"), ("server", "client")):
                try:
                    ends[by][0].do_handshake()  # type: ignore[index]
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError as error:
                    detail = detail or (error.reason or "")
                if data := ends[by][2].read():  # type: ignore[index]
                    ends[to][1].write(data)  # type: ignore[index]
                    for span in self.write(to, data):  # type: ignore[arg-type]
                        known = spans.setdefault((span.link, span.to), span)
                        spans[span.link, span.to] = Span(
                            link=span.link, to=span.to, start=known.start, end=span.end
                        )
        # Session tickets are read here, so that the next record is SMTP.
        with contextlib.suppress(ssl.SSLError):
            ends["client"][0].read(1)
        cipher = ends["client"][0].cipher()
        self.events.append(
            Handshake(
                at=began,
                by="client",
                version="" if detail else ends["client"][0].version() or "",
                cipher=cipher[0] if cipher and not detail else "",
                server_certificate=Certificate(subject=f"CN={SERVER}", names=(SERVER,)),
                verified=trusted,
                error="unknown-ca" if detail else "",
                detail=detail,
                wire=tuple(spans.values()),
            )
        )
        if not detail:
            self.tls = ends

    def end(self, by: Side | Literal["middlebox"], reason: Reason) -> None:
        if self.tls and reason != "cut" and by != "middlebox":
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls[by][0].unwrap()
            self.write("server" if by == "client" else "client", self.tls[by][2].read())
        self.clock += 1
        self.events.append(Disconnect(at=self.now, by=by, reason=reason))


@contextlib.contextmanager
def _contexts(
    version: str, *, trusted: bool, ciphers: str, rsa: bool, curve: str, client_certificate: bool
) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext, Path]]:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    kind = trustme.KeyType.RSA if rsa else trustme.KeyType.ECDSA
    authority.issue_cert(SERVER, key_type=kind).configure_cert(server)
    client = ssl.create_default_context()
    if trusted:
        authority.configure_trust(client)
    for context in (client, server):
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    if ciphers:
        client.set_ciphers(ciphers)
        server.set_ciphers(ciphers)
    if curve:
        server.set_ecdh_curve(curve)
    if client_certificate:
        authority.issue_cert("mx4.example.net").configure_cert(client)
        authority.configure_trust(server)
        server.verify_mode = ssl.CERT_REQUIRED
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        client.keylog_filename = str(keys)
        yield client, server, keys
        # The context holds the file open until it is gone or given another.
        client.keylog_filename = None  # type: ignore[assignment]


def record(
    version: str = "TLSv1_3",
    *,
    implicit: bool = False,
    middlebox: bool = False,
    message: bytes = b"Subject: hello\r\n\r\nWorld.\r\n.\r\n",
    ends: tuple[Side | Literal["middlebox"], Reason] = ("server", "quit"),
    trusted: bool = True,
    ciphers: str = "",
    rsa: bool = False,
    curve: str = "",
    client_certificate: bool = False,
) -> Session:
    """A session in which the client says EHLO twice, or once where TLS is there from the start."""
    wire = Wire(("client", "server") if middlebox else ("client",))
    wire.events.append(Connect(by="client"))
    secrets: tuple[str, ...] = ()
    with _contexts(
        version,
        trusted=trusted,
        ciphers=ciphers,
        rsa=rsa,
        curve=curve,
        client_certificate=client_certificate,
    ) as (client, server, keys):
        if implicit:
            wire.handshake(client, server, trusted=trusted)
        wire.reply(220, f"{SERVER} ESMTP")
        wire.command("EHLO mx4.example.net")
        if not implicit:
            wire.reply(250, SERVER, "SIZE 10485760", "STARTTLS")
            wire.command("STARTTLS")
            wire.reply(220, "2.0.0 Ready to start TLS")
            wire.handshake(client, server, trusted=trusted)
            if wire.tls:
                wire.command("EHLO mx4.example.net")
        if keys.exists():
            secrets = tuple(keys.read_text().splitlines()[1:])
    if wire.tls:
        wire.reply(250, SERVER, "SIZE 10485760", "AUTH PLAIN LOGIN")
        if ends[1] != "cut":
            wire.command("MAIL FROM:<a@example.net>")
            wire.reply(250, "2.1.0 Ok")
            wire.command("RCPT TO:<b@example.com>")
            wire.reply(250, "2.1.5 Ok")
            wire.command("DATA")
            wire.reply(354, "Go ahead")
            wire.message(message)
            wire.reply(250, "2.0.0 Ok")
            wire.command("QUIT")
            wire.reply(221, "2.0.0 Bye")
    wire.end(*ends)
    return Session(
        scenario="test",
        client=Peer(name="mx4.example.net", address="127.0.0.1", port=50000),
        server=Peer(name=SERVER, address="127.0.0.1", port=2525),
        implicit_tls=implicit,
        events=tuple(wire.events),
        wire=tuple(wire.segments),
        secrets=secrets,
    )
