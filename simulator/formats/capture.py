"""Captures (pcap and pcapng): SMTP over TCP, put together from its segments.

What crossed in the clear is read as it is; what crossed inside TLS only if the capture brings the
secrets (a Decryption Secrets Block), else the session ends, for the reader, at the handshake. An
event's line is the number of the packet that brought it.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from simulator import tls
from simulator.language import N_, Text
from simulator.reading import ending
from simulator.reading.clean import Stamp, Troubles
from simulator.reading.dialogue import Dialogue
from simulator.session import HandshakeError, Peer, Session, Side

if TYPE_CHECKING:
    from simulator.formats.decrypt import Opener, Secrets

NAME = "capture"

_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"

LARGEST = 1 << 24
"""Octets of one packet or block; a capture that claims more is cut there."""

MOST_OPEN = 4096
MOST_HELD = 1 << 20
"""Octets that are held back for one direction of a connection."""

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return head[:4] in _PCAP or (
        head[:4] == _PCAPNG and head[8:12] in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d")
    )


def read(pieces: Iterable[bytes], troubles: Troubles | None = None) -> Iterator[Session]:
    """The SMTP sessions of a capture, each when its connection ends, or the capture does.

    What could not be read of it is put into `troubles`, in words.
    """
    file = _File()
    count = 0
    for session in _sessions(_Octets(pieces), file):
        count += 1
        yield session
    if troubles is not None:
        troubles.extend(file.told(count))


def _sessions(octets: _Octets, file: _File) -> Iterator[Session]:
    from simulator.formats.decrypt import Secrets  # not at the top: few logs are captures

    secrets = Secrets()
    open_now: OrderedDict[frozenset[tuple[str, int]], _Connection] = OrderedDict()
    for number, packet in enumerate(_packets(octets, secrets, file), 1):
        file.packets += 1
        if packet.link_type not in _LINKS:
            file.unknown[packet.link_type] += 1
        segment = _segment(packet)
        if segment is None:
            continue
        name = frozenset(((segment.source, segment.sport), (segment.target, segment.dport)))
        found = open_now.get(name)
        if found is not None and segment.flags & _SYN and found.ended:
            yield from file.closed(open_now.pop(name))
            found = None
        if found is None:
            found = open_now[name] = _Connection(segment, secrets)
            file.connections += 1
            if len(open_now) > MOST_OPEN:
                _, oldest = open_now.popitem(last=False)
                yield from file.closed(oldest)
        found.see(segment, packet.at, number)
        file.in_part += packet.in_part and found.speaks_smtp
    for connection in open_now.values():
        yield from file.closed(connection)


# Files ----------------------------------------------------------------------------------------


class _File:
    """What is seen of a capture besides its sessions."""

    def __init__(self) -> None:
        self.packets = 0
        self.connections = 0
        self.in_part = 0
        """Packets of SMTP of which a part only was recorded."""
        self.gaps = 0
        """Connections with SMTP of which octets are missing between others."""
        self.unknown: Counter[int] = Counter()
        """Packets by link type, of those that are not read."""
        self.damage: Text | None = None

    def closed(self, connection: _Connection) -> Iterator[Session]:
        """The session on a connection of which no more comes."""
        self.gaps += connection.speaks_smtp and connection.misses
        yield from connection.sessions()

    def told(self, sessions: int) -> Iterator[Text]:
        """What was not read, and what to do about it."""
        values: dict[str, str | int | Text] = {
            "packets": self.packets,
            "connections": self.connections,
        }
        if self.damage:
            text = N_("the capture {damage}; what stands before is read")
            yield Text(text, {"damage": self.damage})
        if self.in_part:
            text = N_(
                "of {count} packets the capture holds a part only: record whole packets "
                "(`tcpdump -s 0`)"
            )
            yield Text(text, {"count": self.in_part})
        if self.gaps:
            text = N_(
                "octets are missing in {gaps} of {connections} TCP connections: packets were lost "
                "while it was recorded, and what came behind them is not read; record anew with a "
                "larger buffer (`tcpdump -B 4096`)"
            )
            yield Text(text, values | {"gaps": self.gaps})
        for kind, count in self.unknown.items():
            text = N_(
                "packets of link type {kind} are not read ({count} of {packets}): record on "
                "Ethernet, on the loopback interface or on `any`"
            )
            yield Text(text, values | {"kind": kind, "count": count})
        if not sessions:
            text = N_(
                "there is no SMTP in the capture ({packets} packets, {connections} TCP "
                "connections): record the port that the server listens on"
            )
            yield Text(text, values)


def _said(template: str, **values: int) -> Text:
    return Text(template, values)


class _Octets:
    """A stream of which one may take so many octets at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def take(self, size: int) -> bytes:
        """The next `size` octets, fewer at the end."""
        parts, have = [self._held], len(self._held)
        while have < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts) if len(parts) > 1 else self._held
        self._held = data[size:]
        return data[:size]


class _Packet(NamedTuple):
    at: float
    link_type: int
    frame: bytes
    in_part: bool = False


def _packets(octets: _Octets, secrets: Secrets, file: _File) -> Iterator[_Packet]:
    magic = octets.take(4)
    if magic in _PCAP:
        yield from _pcap(octets, *_PCAP[magic], file)
    elif magic == _PCAPNG:
        yield from _pcapng(octets, secrets, file)


def _pcap(octets: _Octets, order: str, unit: float, file: _File) -> Iterator[_Packet]:
    head = octets.take(20)
    if len(head) < 20:
        file.damage = _said(N_("is cut off in its header"))
        return
    link_type = struct.unpack(order + "I", head[16:20])[0] & 0xFFFF
    while len(head := octets.take(16)) == 16:
        seconds, fraction, size, whole = struct.unpack(order + "4I", head)
        if size > LARGEST:
            file.damage = Text(
                N_("is damaged: packet {number} claims to have {size} octets"),
                {"number": file.packets + 1, "size": size},
            )
            return
        frame = octets.take(size)
        if len(frame) < size:
            head = frame
            break
        yield _Packet(seconds + fraction * unit, link_type, frame, in_part=size < whole)
    if head:
        file.damage = _said(N_("is cut off in packet {number}"), number=file.packets + 1)


def _pcapng(octets: _Octets, secrets: Secrets, file: _File) -> Iterator[_Packet]:
    order = "<"
    interfaces: list[tuple[int, float]] = []
    kind = int.from_bytes(_PCAPNG)
    while True:
        head = octets.take(4)
        if len(head) < 4:
            file.damage = _said(N_("is cut off behind packet {number}"), number=file.packets)
            return
        start = b""
        if kind == int.from_bytes(_PCAPNG):
            start = octets.take(4)
            order = "<" if start == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        size = struct.unpack(order + "I", head)[0]
        if not 12 <= size <= LARGEST or size % 4:
            file.damage = Text(
                N_("is damaged: a block behind packet {number} has {size} octets"),
                {"number": file.packets, "size": size},
            )
            return
        body = start + octets.take(size - 8 - len(start))
        if len(body) < size - 8:
            file.damage = _said(N_("is cut off behind packet {number}"), number=file.packets)
            return
        if body[-4:] != head:
            file.damage = Text(
                N_("is damaged: a block behind packet {number} has two lengths"),
                {"number": file.packets},
            )
        body = body[:-4]
        if kind == 1 and len(body) >= 8:
            interfaces.append((struct.unpack(order + "H", body[:2])[0], _unit(body[8:], order)))
        elif kind == 6 and len(body) >= 20:
            number, high, low, kept, whole = struct.unpack(order + "5I", body[:20])
            frame = body[20 : 20 + kept]
            if number >= len(interfaces):
                file.damage = Text(
                    N_("is damaged: packet {number} is of no interface"),
                    {"number": file.packets + 1},
                )
            elif len(frame) < kept:
                file.damage = Text(
                    N_("is damaged: packet {number} claims to have {size} octets"),
                    {"number": file.packets + 1, "size": kept},
                )
            else:
                link_type, unit = interfaces[number]
                at = ((high << 32) | low) * unit
                yield _Packet(at, link_type, frame, in_part=kept < whole)
        elif kind == 3 and interfaces:
            yield _Packet(0.0, interfaces[0][0], body[4:])
        elif kind == 10 and len(body) >= 8:
            sort, length = struct.unpack(order + "2I", body[:8])
            if sort == 0x544C534B:
                secrets.learn(body[8 : 8 + length].decode("ascii", "replace").splitlines())
        head = octets.take(4)
        if len(head) < 4:
            if head:
                file.damage = Text(
                    N_("is cut off behind packet {number}"), {"number": file.packets}
                )
            return
        kind = struct.unpack(order + "I", head)[0]
        if head == _PCAPNG:
            kind = int.from_bytes(_PCAPNG)


def _unit(options: bytes, order: str) -> float:
    """Seconds of one tick of an interface's clock (option if_tsresol)."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack(order + "2H", options[at : at + 4])
        if code == 9 and length:
            value = options[at + 4]
            return float(2.0 ** -(value & 0x7F) if value & 0x80 else 10.0 ** -(value & 0x7F))
        if code == 0:
            break
        at += 4 + length + (-length % 4)
    return 1e-6


# Packets --------------------------------------------------------------------------------------


class _Segment(NamedTuple):
    source: str
    sport: int
    target: str
    dport: int
    sequence: int
    flags: int
    data: bytes


_LINKS = frozenset((0, 1, 12, 14, 101, 108, 113, 228, 229, 276))
"""Link types that `_segment` knows (https://www.tcpdump.org/linktypes.html)."""


def _segment(packet: _Packet) -> _Segment | None:
    """The TCP segment in a frame, if there is one whole enough to be read."""
    frame, link_type = packet.frame, packet.link_type
    if link_type == 1:
        kind, at = int.from_bytes(frame[12:14]), 14
        while kind in (0x8100, 0x88A8) and at < 30:
            kind, at = int.from_bytes(frame[at + 2 : at + 4]), at + 4
        if kind not in (0x0800, 0x86DD):
            return None
    elif link_type in (0, 108):
        at = 4
    elif link_type == 113:
        at = 16
    elif link_type == 276:
        at = 20
    elif link_type in _LINKS:
        at = 0
    else:
        return None
    return _internet(frame[at:])


def _internet(data: bytes) -> _Segment | None:
    if len(data) < 20:
        return None
    if data[0] >> 4 == 4:
        head = (data[0] & 15) * 4
        total = int.from_bytes(data[2:4]) or len(data)
        fragment = int.from_bytes(data[6:8]) & 0x3FFF
        if data[9] != 6 or fragment or head < 20:
            return None
        source = str(ipaddress.IPv4Address(data[12:16]))
        target = str(ipaddress.IPv4Address(data[16:20]))
        return _tcp(source, target, data[head:total])
    if data[0] >> 4 == 6 and len(data) >= 40:
        kind, at = data[6], 40
        end = 40 + (int.from_bytes(data[4:6]) or len(data) - 40)
        while kind in (0, 43, 60) and at + 8 <= len(data):
            kind, at = data[at], at + 8 + 8 * data[at + 1]
        if kind != 6:
            return None
        source = str(ipaddress.IPv6Address(data[8:24]))
        target = str(ipaddress.IPv6Address(data[24:40]))
        return _tcp(source, target, data[at:end])
    return None


def _tcp(source: str, target: str, data: bytes) -> _Segment | None:
    if len(data) < 20:
        return None
    sport, dport, sequence, _, offset, flags = struct.unpack(">HHIIBB", data[:14])
    head = (offset >> 4) * 4
    if head < 20:
        return None
    return _Segment(source, sport, target, dport, sequence, flags, data[head:])


# Connections ----------------------------------------------------------------------------------


class _Direction:
    """One direction of a connection: its octets in order, whatever order they came in."""

    def __init__(self) -> None:
        self.next: int | None = None
        self._early: dict[int, bytes] = {}
        self._held = 0
        self._skipped = False

    @property
    def misses(self) -> bool:
        """Octets did not come that others came behind."""
        return self._skipped or bool(self._early)

    def take(self, sequence: int, data: bytes) -> bytes:
        """What can be read now that this segment came."""
        if self.next is None:
            self.next = sequence
        offset = (sequence - self.next) & 0xFFFFFFFF
        if offset >= 1 << 31:
            data = data[(-offset) & 0xFFFFFFFF :]
            offset = 0
        if offset:
            if sequence not in self._early:
                self._early[sequence] = data
                self._held += len(data)
            if self._held > MOST_HELD or len(self._early) > 1000:
                self._skipped = True
                self.next = min(self._early, key=lambda s: (s - (self.next or 0)) & 0xFFFFFFFF)
                return self._collect(b"")
            return b""
        self.next = (self.next + len(data)) & 0xFFFFFFFF
        return self._collect(data)

    def _collect(self, data: bytes) -> bytes:
        assert self.next is not None
        parts = [data]
        while self._early:
            early = self._early.pop(self.next, None)
            if early is None:
                break
            self._held -= len(early)
            parts.append(early)
            self.next = (self.next + len(early)) & 0xFFFFFFFF
        return b"".join(parts)


_PORTS = frozenset((25, 465, 587, 2525))

PATIENCE = 0.25
"""Seconds after a ClientHello without an answer from which on a client that leaves had waited."""


class _Connection:
    """One TCP connection, and the session on it if it is SMTP."""

    def __init__(self, first: _Segment, secrets: Secrets) -> None:
        self._secrets = secrets
        self.ended = False
        self._ends: dict[tuple[str, int], Side] = {}
        self._directions = {
            (first.source, first.sport): _Direction(),
            (first.target, first.dport): _Direction(),
        }
        if first.flags & _SYN:
            answers = bool(first.flags & _ACK)
            self._know_server(
                *((first.source, first.sport) if answers else (first.target, first.dport))
            )
        self._dialogue: Dialogue | None = None
        self._came_up = False
        self._other = False
        self._waiting: dict[Side, bytes] = {"client": b"", "server": b""}
        self._tls: _Tls | None = None
        self._tls_since = 0.0
        self._chunk = 0

    @property
    def speaks_smtp(self) -> bool:
        """There is a session on it."""
        return self._dialogue is not None

    @property
    def misses(self) -> bool:
        """Octets of it are missing between others."""
        return any(direction.misses for direction in self._directions.values())

    def _know_server(self, address: str, port: int) -> None:
        for end in self._directions:
            self._ends[end] = "server" if end == (address, port) else "client"

    def see(self, segment: _Segment, at: float, number: int) -> None:
        """Take a segment of this connection."""
        end = (segment.source, segment.sport)
        direction = self._directions[end]
        if segment.flags & _SYN:
            self._came_up = self._came_up or bool(segment.flags & _ACK)
            direction.next = (segment.sequence + 1) & 0xFFFFFFFF
        elif segment.data and not self._other:
            data = direction.take(segment.sequence, segment.data)
            if data:
                self._read(end, data, at, number)
        if segment.flags & (_FIN | _RST) and not self.ended:
            self.ended = True
            self._end(segment, at, number)

    def _end(self, segment: _Segment, at: float, number: int) -> None:
        if self._dialogue is None and self._came_up and self._on_port():
            # Nobody said a word: that is a session too, of two that wait for each other.
            self._begin(number)
        if self._dialogue is None:
            return
        self._dialogue.time(Stamp(at, known=True))
        side = self._ends.get((segment.source, segment.sport), "client")
        cut = bool(segment.flags & _RST)
        if self._tls is not None and not self._tls.established:
            waited = not cut and side == "client" and self._tls.unanswered and not self.misses
            silent = waited and at - self._tls_since >= PATIENCE
            error: HandshakeError = self._tls.error or ("timeout" if silent else "cut")
            self._dialogue.tls_failed(number, self._tls.why or "", error)
        self._dialogue.close(number, side, "cut" if cut else "closed")

    def _read(self, end: tuple[str, int], data: bytes, at: float, number: int) -> None:
        if self._dialogue is None and not self._is_smtp(end, data, number):
            return
        assert self._dialogue is not None
        self._dialogue.time(Stamp(at, known=True))
        self._take(self._ends[end], data, at, number)

    def _is_smtp(self, end: tuple[str, int], data: bytes, number: int) -> bool:
        """Whether the first octets are SMTP's (or TLS on its port); then the session begins."""
        other = next(one for one in self._directions if one != end)
        if data[:3].isdigit() and data[3:4] in (b" ", b"-"):
            self._know_server(*end)
        elif data[:5].upper() in (b"EHLO ", b"HELO ", b"LHLO "):
            self._know_server(*other)
        elif data[:2] == b"\x16\x03" and self._on_port():
            self._know_server(*other)
        elif not self._ends or not self._on_port():
            self._other = True
            return False
        self._begin(number)
        return True

    def _on_port(self) -> bool:
        """One of its ends is a port of SMTP."""
        return any(port in _PORTS for _, port in self._directions)

    def _begin(self, number: int) -> None:
        server = next(one for one, side in self._ends.items() if side == "server")
        client = next(one for one, side in self._ends.items() if side == "client")
        self._dialogue = Dialogue(NAME, f"{client[0]}:{client[1]}")
        self._dialogue.client = Peer(address=client[0])
        self._dialogue.server = Peer(address=server[0], port=server[1])
        # Whether TLS came about is seen here, and need not be guessed from what is said.
        self._dialogue.plain = True
        self._dialogue.connect(number)

    def _take(self, side: Side, data: bytes, at: float, number: int) -> None:
        assert self._dialogue is not None
        dialogue = self._dialogue
        if self._tls is None and data[:1] == b"\x16" and side == "client":
            if dialogue.ready_for_tls or not dialogue.begun:
                self._tls, self._tls_since = _Tls(self._secrets), at
                dialogue.implicit = not dialogue.begun
        if self._tls is None and side == "client" and dialogue.ready_for_tls:
            self._plain(side, data, number)
            said = data.partition(b"\r")[0][:40].decode("ascii", "replace")
            dialogue.tls_failed(number, f"not a TLS record: {said}", "not-tls")
            return
        if self._tls is not None:
            for who, text in self._tls.take(side, data):
                self._plain(who, text, number)
            self._tls.tell(dialogue, number)
            return
        self._plain(side, data, number)

    def _plain(self, side: Side, data: bytes, number: int) -> None:
        assert self._dialogue is not None
        if self._tls is not None:
            self._tls.tell(self._dialogue, number)
        if side == "server" and (after := self._dialogue.cut_early()):
            self._waiting["client"] = after.encode() + self._waiting["client"]
            self._plain("client", b"", number)
        waiting = (self._waiting[side] + data)[-MOST_HELD:]
        while waiting:
            if side == "client" and self._chunk:
                piece, waiting = waiting[: self._chunk], waiting[self._chunk :]
                self._chunk -= len(piece)
                for line in piece.decode("utf-8", "replace").splitlines():
                    self._dialogue.message(line, number)
                continue
            line_, newline, rest = waiting.partition(b"\n")
            if not newline:
                break
            waiting = rest
            text = line_.rstrip(b"\r").decode("utf-8", "replace")
            if side == "client" and self._dialogue.is_inside_message:
                self._text(line_, number)
                continue
            self._dialogue.say(side, text, number)
            if side == "client" and text[:5].upper() == "BDAT ":
                size = text.split()[1]
                self._chunk = int(size) if size.isdigit() and len(size) < 12 else 0
        self._waiting[side] = waiting

    def _text(self, line: bytes, number: int) -> None:
        """One line of a message, or of what the client says in its place."""
        assert self._dialogue is not None
        end = "\r\n" if line.endswith(b"\r") else "\n"
        text = line.removesuffix(b"\r").decode("utf-8", "replace")
        if self._dialogue.expects_data and text.strip().upper() in ("QUIT", "RSET"):
            self._dialogue.say("client", text, number)
        else:
            self._dialogue.message(text, number, end)

    def sessions(self) -> Iterator[Session]:
        """The session on this connection, if there is one."""
        if self._dialogue is not None:
            yield ending.session(self._dialogue)


class _Tls:
    """The TLS part of a connection: whether it came about, and what is in it."""

    LONGEST = 1 << 17

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._sent: dict[Side, bytes] = {"client": b"", "server": b""}
        self._rest: dict[Side, bytes] = {"client": b"", "server": b""}
        self._sealed: dict[Side, int] = {"client": 0, "server": 0}
        self._agreed: tls.Agreed | None = None
        self._opener: Opener | None = None
        self._told = False
        self.established = False
        self.why = ""
        self.error: HandshakeError = ""

    @property
    def unanswered(self) -> bool:
        """The server sent nothing at all."""
        return not self._sent["server"]

    def take(self, side: Side, data: bytes) -> Iterator[tuple[Side, bytes]]:
        """What was said inside, as far as this data and the secrets show it."""
        if len(self._sent[side]) < self.LONGEST:
            self._sent[side] += data
        rest = self._rest[side] + data
        while rest:
            try:
                length = tls.record_length(rest[: tls.HEADER])
            except ValueError:
                self._broken(rest)
                rest = b""
                break
            if not length or len(rest) < length:
                break
            record, rest = rest[:length], rest[length:]
            said = self._record(side, record)
            if said:
                yield side, said
        self._rest[side] = rest[: 1 << 16]

    def _broken(self, rest: bytes) -> None:
        if not self.established:
            self.error = "not-tls"
            self.why = f"not a TLS record: {rest[:40].decode('ascii', 'replace')}"

    def _record(self, side: Side, record: bytes) -> bytes:
        kind = record[0]
        if self._agreed is None and side == "server":
            self._agreed = tls.agreement(self._sent["server"])
            if self._agreed is not None:
                from simulator.formats.decrypt import Opener  # as above

                random = self._sent["server"][11:43]
                self._opener = Opener(self._secrets, self._sent["client"], self._agreed, random)
        if kind == tls.ALERT and not self._sealed[side] and len(record) == tls.HEADER + 2:
            self._alert(side, record[tls.HEADER + 1])
            return b""
        new = self._agreed is not None and self._agreed.version >= tls.TLS_1_3
        if kind == tls.APPLICATION_DATA or (kind == tls.CHANGE_CIPHER_SPEC and not new):
            self._sealed[side] += 1
        elif self._sealed[side]:
            self._sealed[side] += 1
        opened = self._opener.open(side, record) if self._opener is not None else None
        if opened is not None and opened[0] == tls.ALERT and len(opened[1]) == 2:
            if opened[1][1] and not self.established:
                self._alert(side, opened[1][1])
            return b""
        if not self.established and not self.error:
            self.established = self._finished(side, record, opened, new=new)
        if opened is not None and opened[0] == tls.APPLICATION_DATA:
            return opened[1]
        return b""

    def _finished(
        self, side: Side, record: bytes, opened: tuple[int, bytes] | None, *, new: bool
    ) -> bool:
        """Whether this record shows that both sides are done with the handshake."""
        if not new:
            return self._sealed["client"] > 1 and self._sealed["server"] > 1
        if opened is not None:
            return side == "client" and opened[0] == tls.HANDSHAKE_RECORD
        # An alert is sealed too, but shorter than any Finished.
        sealed = record[0] == tls.APPLICATION_DATA and len(record) > tls.HEADER + 24
        return side == "client" and bool(self._sealed["server"]) and sealed

    def _alert(self, side: Side, number: int) -> None:
        name = tls.ALERTS.get(number, f"alert {number}")
        self.why = f"alert of the {side}: {name}"
        self.error = _ALERTS.get(name, "other")

    def tell(self, dialogue: Dialogue, number: int) -> None:
        """Tell the dialogue once what became of the handshake."""
        if self._told:
            return
        if self.established:
            self._told = True
            version = cipher = ""
            if self._agreed is not None:
                low = self._agreed.version & 0xFF
                version, cipher = f"TLS 1.{low - 1}", self._agreed.suite_name
            able = self._opener is not None and self._opener.able
            dialogue.tls(number, version=version, cipher=cipher)
            if not able:
                dialogue.ciphertext(number)
        elif self.error:
            self._told = True
            dialogue.tls_failed(number, self.why, self.error)


_ALERTS: dict[str, HandshakeError] = {
    "unknown_ca": "unknown-ca",
    "certificate_expired": "expired",
    "bad_certificate": "certificate",
    "certificate_unknown": "certificate",
    "unsupported_certificate": "certificate",
    "certificate_revoked": "certificate",
    "certificate_required": "no-certificate",
    "protocol_version": "version",
    "inappropriate_fallback": "version",
    "handshake_failure": "cipher",
    "insufficient_security": "cipher",
}
