"""The record of one SMTP session: who talked, and what happened, event by event.

A `Session` says what crossed the wire, never what it means (`explain` does that) nor how it looks
(the views do that). It is the same noun whether the lab played it or a log was read; a log merely
knows less: `wire` and `secrets` are then empty.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from datetime import datetime
from typing import Literal

import msgspec

from simulator.errors import Error
from simulator.needles import late

Side = Literal["client", "server"]
Party = Literal["client", "server", "middlebox", "message"]
"""Who said something. `message`: it stands within a message, whose end the server saw too early."""
Link = Literal["client", "server"]
"""Which leg of the way. Without a middlebox there is one only, called `client`."""

FORMAT: Literal["ehlo-twice/session"] = "ehlo-twice/session"
VERSION: Literal[1] = 1


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Where on the wire a thing stands: bytes `start` to `end` of what one leg carried to `to`."""

    link: Link = "client"
    to: Side
    start: int
    end: int


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as one write brought them to the wire, `at` seconds after the session began."""

    at: float
    to: Side
    data: bytes
    link: Link = "client"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a peer proved about itself in the handshake."""

    subject: str
    names: tuple[str, ...] = ()
    issuer: str = ""
    not_before: str = ""
    not_after: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What all events have in common.

    `at` is in seconds since the session began. `secure`: it travelled inside TLS. `lost`: a
    middlebox kept it, so the other side never saw it. `stale`: it did not cross the wire now, but
    was taken from a buffer that had been filled in the clear, before the handshake. `told`: a log
    tells of it, as by a count of commands, and does not show it. `raw` is the
    SMTP text as sent, line ends included; `wire` says where on the wire it (or the TLS records
    around it) stands. `line` is the first line, from 1, of the log it was read from.
    """

    at: float = 0.0
    by: Party
    secure: bool = False
    lost: bool = False
    stale: bool = False
    raw: bytes = b""
    wire: tuple[Span, ...] = ()
    line: int | None = None
    told: bool = False


class Connect(Event, frozen=True, kw_only=True, tag="connect"):
    """The TCP connection came up; the client opens it (RFC 5321 §3.1)."""


class Reply(Event, frozen=True, kw_only=True, tag="reply"):
    """A reply of the server: a reply code and its lines of text (RFC 5321 §4.2).

    The first reply of a session is the greeting. `code` 0: the text was no valid reply.
    """

    code: int
    lines: tuple[str, ...] = ()


class Command(Event, frozen=True, kw_only=True, tag="command"):
    """A command of the client: verb in upper case, argument as sent (RFC 5321 §4.1.1)."""

    verb: str
    argument: str = ""


class AuthResponse(Event, frozen=True, kw_only=True, tag="auth-response"):
    """A line of a SASL exchange that answers a 334 (RFC 4954 §4). Often a secret."""

    text: str = ""


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """The mail data between 354 and the final dot (RFC 5321 §4.1.1.4); `size` in octets."""

    size: int = 0


HandshakeError = Literal[
    "", "alert", "certificate", "cipher", "cut", "expired", "key", "name-mismatch",
    "no-certificate", "not-tls", "old-hello", "other", "own", "timeout", "unknown-ca", "version",
]  # fmt: skip
"""Why a handshake did not come about; empty where it did. `meaning.HANDSHAKE_ERRORS` says each."""


class Handshake(Event, frozen=True, kw_only=True, tag="handshake"):
    """A TLS handshake that was begun: it came about, or `error` says why it did not.

    `version` such as "TLSv1.3", `cipher` in OpenSSL's name. `verified`: the client checked chain
    and name of the server's certificate, and both were right; or, where it goes by `dane`, the
    server's key against a TLSA record (RFC 7672 §3.1.1). `untold`: only the server wrote it down,
    which cannot see what the client made of the certificate. `resumed`: it resumed an earlier TLS
    session (RFC 9846 §2.2, RFC 5246 §7.3), and no certificate crossed; it was `verified` then.
    `in_front`: TLS ends before the server, which knows nothing of it: the rest of the way is clear.
    `error` is one of a closed set, `detail` what the TLS library said.
    """

    version: str = ""
    cipher: str = ""
    server_certificate: Certificate | None = None
    client_certificate: Certificate | None = None
    verified: bool = False
    dane: bool = False
    untold: bool = False
    resumed: bool = False
    in_front: bool = False
    error: HandshakeError = ""
    detail: str = ""


class Trace(Event, frozen=True, kw_only=True, tag="trace"):
    """The Received line that the server wrote on the accepted message (RFC 5321 §4.4).

    It does not cross this wire; it is the evidence of what the server remembers of the client.
    """

    text: str


class Disconnect(Event, frozen=True, kw_only=True, tag="disconnect"):
    """The connection ended.

    `reason`: `quit` (after QUIT and 221), `closed` (one side closed in mid-session), `cut` (reset,
    or cut on the path), `timeout` (the other side was silent for too long), `given up` (the client
    left because it could not have what it requires).
    """

    reason: Literal["quit", "closed", "cut", "timeout", "given up"] = "closed"


class Remark(Event, frozen=True, kw_only=True, tag="remark"):
    """What a log has beside the dialogue, a line or more; kept so that nothing is dropped.

    `tells`: the line says in words what the log does not show, that TLS was not offered, or that
    the client did not ask for it. `about`: it is of a delivery report, of its header, or of the
    message that it returns; or `other`: another process wrote it, and it tells nothing of this
    session. `action`: the report's word for a recipient (RFC 3464 §2.3.3; `?` if it has none),
    with the `status` (§2.3.4), empty if there is none.
    """

    text: str
    tells: Literal["", "not_offered", "not_attempted"] = ""
    about: Literal["", "report", "header", "message", "other"] = ""
    action: Literal["", "failed", "delayed", "delivered", "relayed", "expanded", "?"] = ""
    status: str = ""


AnyEvent = (
    Connect | Reply | Command | AuthResponse | Message | Handshake | Trace | Disconnect | Remark
)


class Peer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One end of the connection. Each part may be unknown (empty, 0)."""

    name: str = ""
    address: str = ""
    port: int = 0


BAR = 0.7
"""How much of what looks like SMTP in a log must have been understood for anything to be claimed:
the most that costs no right verdict on the examples (`tests/formats/test_judge.py`)."""


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One SMTP session, recorded.

    `connection` is the log's or the scenario's connection identifier. `started` is when the first
    event happened, where that is known. `source` says where it was recorded: `lab` or the name of
    a log's format. `scenario` is the scenario's name if the lab played it. `implicit_tls`: TLS was
    there before the greeting (RFC 8314). `shown`: the record shows the whole dialogue, only
    its cleartext part (`clear`), or tells of the session without showing its commands (`outline`).
    `documented` are the first and the last index of the
    events that the documented log shows, where there is a document. `secrets` are NSS key log
    lines that open the TLS part of `wire`.
    """

    # A factory's values are written, where defaults are left out: they tell what the JSON is.
    format: Literal["ehlo-twice/session"] = msgspec.field(default_factory=lambda: FORMAT)
    version: Literal[1] = msgspec.field(default_factory=lambda: VERSION)
    source: str = "lab"
    scenario: str = ""
    connection: str = ""
    started: datetime | None = None
    client: Peer = Peer()
    server: Peer = Peer()
    implicit_tls: bool = False
    shown: Literal["all", "clear", "outline"] = "all"
    understood: float = 1.0
    documented: tuple[int, int] | None = None
    events: tuple[AnyEvent, ...] = ()
    wire: tuple[Segment, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: its scenario, else its connection, else where it was recorded."""
        return self.scenario or self.connection or self.source

    @property
    def is_understood(self) -> bool:
        """Enough of the log was understood for something to be claimed of it."""
        return self.understood >= BAR

    @property
    def stray(self) -> bool:
        """It is no session, but lines of a log that belong to none: nothing to count."""
        return not self.connection and all(
            isinstance(event, Remark) and not event.tells for event in self.events
        )

    def stream(self, to: Side, link: Link = "client") -> bytes:
        """All bytes that one leg of the way carried to one side."""
        return b"".join(s.data for s in self.wire if s.to == to and s.link == link)

    def bytes_at(self, span: Span) -> bytes:
        """The bytes of the wire at `span`."""
        return self.stream(span.to, span.link)[span.start : span.end]

    def until(self, events: int) -> Session:
        """The same session, cut after its first `events` events."""
        kept = self.events[:events]
        documented = self.documented
        if documented:
            first, last = documented[0], min(documented[1], len(kept) - 1)
            documented = (first, last) if first <= last else None
        return msgspec.structs.replace(self, events=kept, documented=documented)


class NotASession(Error, ValueError):
    """The text is no session of a version this program reads."""


_reading = threading.Lock()
"""msgspec learns a type at its first use, and two threads may not do that at once."""


class _Head(msgspec.Struct):
    """What tells a session from any other JSON: here it may not be missing."""

    format: Literal["ehlo-twice/session"]
    version: Literal[1]


def to_json(session: Session) -> str:
    """`session` as JSON text after `schema()`; `from_json` reads it back without loss."""
    return as_json(session)


_UNSEEN = late("[\x7f-\x9f\xad\u0600-\uffff\U00010000-\U0010ffff]")
"""Where characters begin that steer a terminal, turn the direction of reading, or are not seen."""


def as_json(value: object, *, indented: bool = True) -> str:
    """Anything msgspec knows as JSON text, indented for people or on one line, and harmless to a
    terminal.

    What cannot be seen or steers a terminal, as bidi controls do, is an escape, as JSON has it.
    """
    try:
        octets = msgspec.json.encode(value)
        text = (msgspec.json.format(octets, indent=2) if indented else octets).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, as a hostile log may hold: only an escape can say it in JSON.
        text = json.dumps(
            msgspec.to_builtins(value),
            indent=2 if indented else None,
            separators=None if indented else (",", ":"),
        )
    return _UNSEEN.sub(_escaped, text) + "\n"


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if unicodedata.category(char)[0] != "C" and unicodedata.category(char) not in ("Zl", "Zp"):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))


def from_json(text: str | bytes) -> Session:
    """Read a session back. Raises `NotASession`, which says where and why."""
    try:
        with _reading:
            msgspec.json.decode(text, type=_Head)
            return msgspec.json.decode(text, type=Session)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotASession(f"not a session: {error}") from None


def schema() -> dict[str, object]:
    """The JSON Schema of a session (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ehlo-twice session, version 1",
        **msgspec.json.schema(Session),
    }
