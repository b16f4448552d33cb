"""The session as a capture file (pcapng) that Wireshark opens, TLS secrets and explanation inside.

The lab records what crossed the wire and when, but no packets. Those are made up here, so that they
say what was recorded and nothing else: a clean TCP conversation for each leg of the way, with the
session's own bytes and times. What is not recorded is fixed: addresses for documentation
(RFC 5737), the well-known port (the lab's own was a chance one, by which Wireshark would not know
SMTP), sequence numbers. The same session gives the same bytes.

Wireshark follows STARTTLS where it is the only command of its group. Behind a pipelined one it
takes the TLS for SMTP, however the packets are cut.

Formats: pcapng (draft-ietf-opsawg-pcapng), RFC 791, RFC 9293; the Decryption Secrets Block holds
the lines of an NSS key log.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from simulator import smtp
from simulator.explainer import Explanation, Step, explain
from simulator.language import N_, SOURCE, say
from simulator.session import (
    Command,
    Connect,
    Disconnect,
    Link,
    Party,
    Peer,
    Reply,
    Session,
    Side,
)
from simulator.views.claims import claims, ends_in_front, links, recorded
from simulator.views.inert import printable
from simulator.views.view import View

MSS = 1460
"""Octets of data in one packet: what Ethernet's 1500 leave beside the two headers."""

TICK = 1000
"""Nanoseconds between two packets that were one moment on record."""

WELL_KNOWN = (25, 587)
"""SMTP ports at which TLS begins with STARTTLS; 465 is for TLS from the start (RFC 8314 §7.3)."""

_WINDOW = 64240
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16

_CLIENT = ipaddress.IPv4Address("192.0.2.10")
_SERVER = ipaddress.IPv4Address("198.51.100.25")
_MIDDLEBOX = ipaddress.IPv4Address("203.0.113.1")
_DOCUMENTATION = tuple(
    ipaddress.IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)


def render(shown: Session | Explanation, secrets: bool = True, language: str = SOURCE) -> bytes:
    """A session as a pcapng file; without `secrets` as an eavesdropper would have it.

    Each event is explained in a comment of the packet that brings it, in `language`.
    Raises `NothingOnTheWire` for a session that was read from a log, and `UnknownLanguage`.
    """
    explanation = explain(shown) if isinstance(shown, Session) else shown
    session = recorded(explanation.session)
    packets = _packets(explanation, secrets, language)
    names = [_interface(link, session) for link in links(session)]
    blocks = [
        _section(say(explanation.verdict.outcome, language)),
        *(_interface_description(name) for name in names),
    ]
    if secrets and session.secrets:
        blocks.append(_decryption_secrets(session.secrets))
    blocks.extend(_enhanced_packet(packet) for packet in packets)
    return b"".join(blocks)


# --- what the packets say ----------------------------------------------------------------------


class Packet(NamedTuple):
    """A frame on an interface, `at` nanoseconds since 1970."""

    at: int
    interface: int
    frame: bytes
    comment: str


class _End(NamedTuple):
    address: ipaddress.IPv4Address
    port: int

    @property
    def mac(self) -> bytes:
        # Locally administered, and readable: the address is part of it.
        return b"\x02\x00" + self.address.packed


class _Conversation:
    """One TCP connection on one leg: it opens, carries bytes, ends, and acknowledges all of it."""

    def __init__(self, interface: int, near: _End, far: _End, start: int) -> None:
        self.packets: list[Packet] = []
        self._interface = interface
        self._ends: dict[Side, _End] = {"client": near, "server": far}
        self._next: dict[Side, int] = {"client": 1_000_000, "server": 2_000_000}
        self._acknowledged: dict[Side, int] = {}
        self._sent: dict[Side, int] = {"client": 0, "server": 0}
        self._clock = start

    def open(self, comment: str) -> None:
        self._packet("client", _SYN, comment=comment)
        self._packet("server", _SYN | _ACK)
        self._packet("client", _ACK)

    def carry(self, to: Side, data: bytes, at: int, comments: Sequence[tuple[int, str]]) -> None:
        """`data`, cut into segments. `comments`: where in `data` they belong, and the text."""
        by = _other(to)
        # What it sends tells also what it received; the other side has nothing to say meanwhile.
        self._acknowledge(to)
        self._clock = max(self._clock, at)
        for number, start in enumerate(range(0, len(data), MSS), start=1):
            piece = data[start : start + MSS]
            said = [text for place, text in comments if start <= place < start + MSS]
            last = start + MSS >= len(data)
            self._packet(by, _ACK | (_PSH if last else 0), piece, "\n".join(said))
            if number % 2 == 0 and not last:
                self._acknowledge(to)

    def finish(self, by: Side, at: int, comment: str) -> None:
        """Both sides close, `by` first."""
        other = _other(by)
        self._acknowledge(other)
        self._clock = max(self._clock, at)
        self._packet(by, _FIN | _ACK, comment=comment)
        self._packet(other, _FIN | _ACK)
        self._packet(by, _ACK)

    def reset(self, by: Side, at: int, comment: str) -> None:
        """`by` breaks the connection off."""
        self._acknowledge(_other(by))
        self._clock = max(self._clock, at)
        self._packet(by, _RST | _ACK, comment=comment)

    def stop(self) -> None:
        """The record ends here, the connection does not."""
        self._acknowledge("client")
        self._acknowledge("server")

    def _acknowledge(self, by: Side) -> None:
        if self._acknowledged.get(by) != self._next[_other(by)]:
            self._packet(by, _ACK)

    def _packet(self, by: Side, flags: int, data: bytes = b"", comment: str = "") -> None:
        other = _other(by)
        acknowledged = self._next[other] if flags & _ACK else 0
        segment = _tcp(self._ends[by], self._ends[other], self._next[by], acknowledged, flags, data)
        self._sent[by] += 1
        frame = _ethernet(self._ends[by], self._ends[other], self._sent[by], segment)
        self.packets.append(Packet(self._clock, self._interface, frame, comment))
        self._clock += TICK
        self._next[by] += len(data) + (1 if flags & (_SYN | _FIN) else 0)
        if flags & _ACK:
            self._acknowledged[by] = acknowledged


def _other(side: Side) -> Side:
    return "client" if side == "server" else "server"


def _packets(explanation: Explanation, secrets: bool, language: str) -> list[Packet]:
    session = explanation.session
    began = _nanoseconds(session.started)
    found: list[Packet] = []
    for interface, link in enumerate(links(session)):
        found += _conversation(explanation, interface, link, began, secrets, language)
    return sorted(found, key=lambda packet: packet.at)


def _conversation(
    explanation: Explanation,
    interface: int,
    link: Link,
    began: int,
    secrets: bool,
    language: str,
) -> list[Packet]:
    session = explanation.session
    segments = [segment for segment in session.wire if segment.link == link]
    connect = _first(explanation.steps, Connect)
    ending = _first(explanation.steps, Disconnect)

    def comment(step: Step | None) -> str:
        if step is None or (step.event.secure and not secrets):
            return ""
        return _comment(step, language)

    first = min([segment.at for segment in segments] + ([connect.event.at] if connect else []))
    near, far = _ends(session, link)
    talk = _Conversation(interface, near, far, began + _since(first))
    talk.open(comment(connect))
    told = {
        to: [(start, comment(explanation.steps[index])) for start, index in beginnings]
        for to, beginnings in _beginnings(session, link).items()
    }
    crossed: dict[Side, int] = {"server": 0, "client": 0}
    for segment in segments:
        here = crossed[segment.to]
        crossed[segment.to] = beyond = here + len(segment.data)
        comments = [
            (start - here, text)
            for start, text in told[segment.to]
            if text and here <= start < beyond
        ]
        talk.carry(segment.to, segment.data, began + _since(segment.at), comments)
    if ending and isinstance(ending.event, Disconnect):
        end = began + _since(ending.event.at)
        by = _closing_end(ending.event.by, link, session)
        (talk.reset if ending.event.reason == "cut" else talk.finish)(
            by, end, _comment(ending, language)
        )
    else:
        talk.stop()
    return talk.packets


def _first(steps: Iterable[Step], kind: type) -> Step | None:
    return next((step for step in steps if isinstance(step.event, kind)), None)


def _beginnings(session: Session, link: Link) -> dict[Side, list[tuple[int, int]]]:
    """Where on each stream of a leg an event begins; what goes both ways begins with the client."""
    known = claims(session)
    seen: set[int] = set()
    found: dict[Side, list[tuple[int, int]]] = {"server": [], "client": []}
    for to, beginnings in found.items():
        for claim in known[link, to]:
            if claim.event not in seen:
                seen.add(claim.event)
                beginnings.append((claim.start, claim.event))
    return found


def _comment(step: Step, language: str) -> str:
    match step.event:
        case Command(verb=verb):
            name = verb
        case Reply(code=code):
            name = f"{code:03d}"
        case event:
            name = str(event.__struct_config__.tag)
    lines = [f"{name}: {say(step.meaning, language)}"]
    for note in step.notes:
        citation = smtp.citations()[note.citation]
        place = f"{citation.place} {citation.keyword}".strip()
        lines.append(f"{'✓' if note.met else '✗'} {say(note.text, language)} ({place})")
    return "\n".join(printable(line) for line in lines)


def _ends(session: Session, link: Link) -> tuple[_End, _End]:
    """Who opens this leg's connection, and who accepts it. A middlebox has an address of its own,
    or else the two legs would be one connection in the eyes of a reader."""
    client = _address(session.client, _CLIENT)
    server = _address(session.server, _SERVER)
    if client == server:
        client, server = _CLIENT, _SERVER
    given = session.server.port
    port = 465 if session.implicit_tls else given if given in WELL_KNOWN else 25
    if link == "server" and ends_in_front(session):
        port = 25
    near = _End(client, session.client.port if session.client.port >= 1024 else 49152)
    far = _End(server, port)
    if len(links(session)) == 1:
        return near, far
    middle = next(
        a for a in (_MIDDLEBOX, _MIDDLEBOX + 1, _MIDDLEBOX + 2) if a not in (client, server)
    )
    return (near, _End(middle, port)) if link == "client" else (_End(middle, 49153), far)


def _address(peer: Peer, otherwise: ipaddress.IPv4Address) -> ipaddress.IPv4Address:
    try:
        given = ipaddress.IPv4Address(peer.address)
    except ValueError:
        return otherwise
    return given if any(given in net for net in _DOCUMENTATION) else otherwise


def _closing_end(by: Party, link: Link, session: Session) -> Side:
    """Which end of a leg closes it first, when `by` ends the session."""
    if by == "client" or by == "server":
        return by
    # It stands at the far end of the client's leg, and at the near end of the server's.
    return "client" if link == "server" else "server"


def _since(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000


def _nanoseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


# --- packets -----------------------------------------------------------------------------------


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _tcp(source: _End, target: _End, sequence: int, ack: int, flags: int, data: bytes) -> bytes:
    options = struct.pack("!BBH", 2, 4, MSS) if flags & _SYN else b""
    offset = (20 + len(options)) // 4 << 4

    def segment(checksum: int) -> bytes:
        numbers = (sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF)
        header = struct.pack(
            "!HHIIBBHHH", source.port, target.port, *numbers, offset, flags, _WINDOW, checksum, 0
        )
        return header + options + data

    blank = segment(0)
    pseudo = source.address.packed + target.address.packed + struct.pack("!HH", 6, len(blank))
    return segment(_checksum(pseudo + blank))


def _ethernet(source: _End, target: _End, number: int, segment: bytes) -> bytes:
    def header(checksum: int) -> bytes:
        return (
            # Version 4, five words of header; do not fragment; 64 hops; TCP.
            struct.pack(
                "!BBHHHBBH", 0x45, 0, 20 + len(segment), number & 0xFFFF, 0x4000, 64, 6, checksum
            )
            + source.address.packed
            + target.address.packed
        )

    return target.mac + source.mac + b"\x08\x00" + header(_checksum(header(0))) + segment


# --- the file ----------------------------------------------------------------------------------

_ETHERNET = 1
_NANOSECONDS = 9
_TLS_KEY_LOG = 0x544C534B
_COMMENT, _USER_APPLICATION, _NAME, _RESOLUTION = 1, 4, 2, 9


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _options(*options: tuple[int, bytes]) -> bytes:
    """Options with something in them, each cut to what its length field can say."""
    kept = [(code, value[:0xFFFF]) for code, value in options if value]
    if not kept:
        return b""
    written = b"".join(
        struct.pack("<HH", code, len(value)) + _padded(value) for code, value in kept
    )
    return written + bytes(4)


def _section(comment: str) -> bytes:
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    options = _options((_COMMENT, comment.encode()), (_USER_APPLICATION, b"ehlo-twice"))
    return _block(0x0A0D0D0A, head + options)


def _interface(link: Link, session: Session) -> str:
    return "wire" if len(links(session)) == 1 else f"{link} side"


def _interface_description(name: str) -> bytes:
    options = _options((_NAME, name.encode()), (_RESOLUTION, bytes([_NANOSECONDS])))
    return _block(1, struct.pack("<HHI", _ETHERNET, 0, 0) + options)


def _decryption_secrets(lines: Sequence[str]) -> bytes:
    log = "".join(f"{line}\n" for line in lines).encode()
    return _block(10, struct.pack("<II", _TLS_KEY_LOG, len(log)) + _padded(log))


def _enhanced_packet(packet: Packet) -> bytes:
    size = len(packet.frame)
    head = struct.pack(
        "<IIIII", packet.interface, packet.at >> 32, packet.at & 0xFFFFFFFF, size, size
    )
    return _block(6, head + _padded(packet.frame) + _options((_COMMENT, packet.comment.encode())))


VIEW = View(
    name="pcapng",
    about=N_(
        "a capture that Wireshark opens, TLS secrets inside, made-up packets around the bytes"
    ),
    file="session.pcapng",
    render=lambda explanation, page: render(explanation, language=page.language),
)
