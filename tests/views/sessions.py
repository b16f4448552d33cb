"""Sessions made by hand: the documented one, every kind of trouble, and nasty texts."""

from __future__ import annotations

from typing import Any

from simulator.session import (
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Party,
    Peer,
    Remark,
    Reply,
    Session,
    Trace,
)

LONG = (
    "a-very-long-host-name-indeed.with-many-labels.in-a-department."
    "of-some-university.that-never-stops.example.com"
)
TWENTY = tuple(f"X-KEYWORD-{number} parameter{number}" for number in range(1, 18))
EVIL = (
    "<script>alert(1)</script>$x^2$ \x1b[31mred\u202egnp.exe ; end %% # "
    "\\frac{1} ]]> --> &amp; \u200b \x00\x9b\udc80 "
)
PILE = "e\u0301\u0302\u0303\u0304\u0305\u0306"


def command(
    verb: str, argument: str = "", secure: bool = False, by: Party = "client", **more: Any
) -> Command:
    return Command(by=by, verb=verb, argument=argument, secure=secure, **more)


def reply(code: int, *lines: str, secure: bool = False, by: Party = "server", **more: Any) -> Reply:
    return Reply(by=by, code=code, lines=lines, secure=secure, **more)


def handshake(name: str = "eq-c601.example.com", version: str = "TLSv1.3") -> Handshake:
    return Handshake(
        by="client",
        version=version,
        cipher="TLS_AES_256_GCM_SHA384",
        verified=True,
        server_certificate=Certificate(subject=name, names=(name,)),
    )


def documented(
    client: str = "mx4.example.com", server: str = "eq-c601.example.com", *more: str
) -> Session:
    """The documented session, played past the end of the log."""
    return Session(
        scenario="documented",
        documented=(2, 9),
        events=(
            Connect(by="client"),
            reply(220, f"{server} ESMTP"),
            command("EHLO", client),
            reply(250, server, "8BITMIME", "SIZE 10485760", *more, "STARTTLS"),
            command("STARTTLS"),
            reply(220, "Go ahead with TLS"),
            handshake(server),
            command("EHLO", client, True),
            reply(250, server, "8BITMIME", "SIZE 10485760", *more, secure=True),
            command("MAIL", "FROM:<a@example.com> SIZE=431", True),
            reply(250, "OK", secure=True),
            command("RCPT", "TO:<b@example.com>", True),
            reply(250, "OK", secure=True),
            command("DATA", "", True),
            reply(354, "go on", secure=True),
            Message(by="client", secure=True, size=431, raw=b"Subject: hello\r\n\r\nHi\r\n.\r\n"),
            Trace(by="server", text=f"Received: from {client} by {server} with ESMTPS"),
            reply(250, "OK", secure=True),
            command("QUIT", "", True),
            reply(221, "Bye", secure=True),
            Disconnect(by="server", reason="quit"),
        ),
    )


def attacked() -> Session:
    """A middlebox keeps a reply back, forges others, and slips commands into both buffers."""
    return Session(
        events=(
            Connect(by="client"),
            reply(220, "mx.example.net ESMTP"),
            command("EHLO", "client.example.org"),
            reply(250, "mx.example.net", "SIZE 1000", "STARTTLS", lost=True),
            reply(250, "mx.example.net", "AUTH PLAIN", "STARTTLS", by="middlebox"),
            command("STARTTLS"),
            command("EHLO", "evil.example", by="middlebox"),
            reply(220, "Go ahead"),
            reply(250, "slipped in", by="middlebox"),
            handshake("mx.example.net", "TLSv1.2"),
            command("EHLO", "evil.example", True, by="middlebox", stale=True),
            reply(250, "mx.example.net", "AUTH PLAIN", by="middlebox", stale=True),
            reply(250, "mx.example.net", secure=True),
            command("MAIL", "FROM:<a@example.org> SIZE=3", True),
            reply(503, "Error: send HELO first", secure=True),
            Disconnect(by="middlebox", reason="cut"),
        )
    )


def failed() -> Session:
    """The handshake does not come about, and the client gives up."""
    error = Handshake(
        by="client",
        error="name-mismatch",
        detail="certificate verify failed: Hostname mismatch",
        server_certificate=Certificate(subject="other", names=("other.example.com",)),
    )
    begun = documented(LONG, LONG, *TWENTY).events[:6]
    return Session(events=(*begun, error, Disconnect(by="client", reason="given up")))


def implicit() -> Session:
    """TLS before the first word."""
    inside = tuple(event for event in documented().events if event.secure)
    greeting = reply(220, "mx.example.net ESMTP", secure=True)
    return Session(
        implicit_tls=True,
        events=(Connect(by="client"), handshake(), greeting, *inside),
    )


def long_names() -> Session:
    """Host names of more than a hundred letters, and twenty keywords."""
    return documented(LONG, LONG, *TWENTY)


def sixty() -> Session:
    """A session of sixty events."""
    mails = (
        event
        for number in range(26)
        for event in (
            command("MAIL", f"FROM:<user{number}@example.com>", True),
            reply(250, "OK", secure=True),
        )
    )
    return Session(events=(*documented().events[:9], *mails))


def nasty() -> Session:
    """Texts that would like to be markup, steer a terminal, or burst every box."""
    return Session(
        connection=EVIL,
        client=Peer(name=EVIL * 3),
        server=Peer(name="$" + "x" * 10_000),
        events=(
            Connect(by="client"),
            reply(220, EVIL),
            Remark(by="server", text=EVIL * 20),
            command("EHLO", EVIL),
            reply(250, *[EVIL * 9] * 25),
            command("XFOO", "y" * 10_000),
            reply(0, "\x00\x01garbage", "z" * 300),
            command("STARTTLS"),
            reply(220, "日本語のテキスト" * 30),
            handshake(EVIL, "TLSv1.2"),
            command("EHLO", "x" * 300, True),
            reply(250, *[PILE * 20] * 3, secure=True),
            AuthResponse(by="client", secure=True, text="A" * 500),
            Message(by="client", secure=True, size=10**9, raw=b"\xff\x00 x" * 900 + b"\n" * 90),
            reply(250, "OK", secure=True),
            Trace(by="server", text="Received: " + EVIL * 20),
            Disconnect(by="client", reason="timeout"),
        ),
    )


ALL = {
    "documented": documented(),
    "attacked": attacked(),
    "failed": failed(),
    "implicit": implicit(),
    "long names": long_names(),
    "sixty": sixty(),
    "nasty": nasty(),
    "empty": Session(),
}
