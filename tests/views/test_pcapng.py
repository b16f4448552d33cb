"""The capture file: read back by a small reader of our own, and by tshark."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import pytest

from simulator import replay
from simulator.masking import masked
from simulator.session import Peer, Session
from simulator.views import pcapng
from simulator.views.claims import NothingOnTheWire
from tests.recording import record

BIG = (
    b"Subject: big\r\n\r\n" + b"All work and no play makes mail a dull thing.\r\n" * 4000 + b".\r\n"
)

SESSIONS = {
    "1.3": record(),
    "1.2": record("TLSv1_2"),
    "implicit": record(implicit=True),
    "implicit 1.2": record("TLSv1_2", implicit=True),
    "big": record(message=BIG),
    "big 1.2": record("TLSv1_2", message=BIG),
    "middlebox": record(middlebox=True),
    "cut by the server": record(ends=("server", "cut")),
    "cut by the client": record(ends=("client", "cut")),
    "cut on the way": record(middlebox=True, ends=("middlebox", "cut")),
    "closed by the client": record(ends=("client", "closed")),
    "failed": record(trusted=False, ends=("client", "given up")),
    "retry": record(curve="secp384r1"),
}

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


# --- a small reader ----------------------------------------------------------------------------


class Block(NamedTuple):
    kind: int
    body: bytes


class Frame(NamedTuple):
    interface: int
    at: int
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    comment: str
    ip: bytes
    tcp: bytes


def blocks(file: bytes) -> Iterator[Block]:
    at = 0
    while at < len(file):
        kind, length = struct.unpack_from("<II", file, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", file, at + length - 4) == (length,)
        yield Block(kind, file[at + 8 : at + length - 4])
        at += length
    assert at == len(file)


def options(data: bytes) -> dict[int, bytes]:
    found = {}
    at = 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            assert at + 4 == len(data)
            break
        found[code] = data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return found


def frames(file: bytes) -> list[Frame]:
    return [frame(block.body) for block in blocks(file) if block.kind == 6]


def frame(body: bytes) -> Frame:
    interface, high, low, size, original = struct.unpack_from("<IIIII", body)
    assert size == original
    ethernet = body[20 : 20 + size]
    assert ethernet[12:14] == b"\x08\x00"
    ip, tcp = ethernet[14:34], ethernet[34:]
    assert struct.unpack_from("!H", ip, 2) == (20 + len(tcp),)
    source, target, sequence, acknowledged, offset, flags = struct.unpack_from("!HHIIBB", tcp)
    return Frame(
        interface,
        high << 32 | low,
        (str(IPv4Address(ip[12:16])), source),
        (str(IPv4Address(ip[16:20])), target),
        sequence,
        acknowledged,
        flags,
        tcp[(offset >> 4) * 4 :],
        options(body[20 + size + -size % 4 :]).get(1, b"").decode(),
        ip,
        tcp,
    )


def ones_sum(data: bytes) -> int:
    """All ones where the checksum in `data` is right (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


# --- without tshark ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SESSIONS)
def test_blocks_stand_in_order(name: str) -> None:
    session = SESSIONS[name]
    kinds = [block.kind for block in blocks(pcapng.render(session))]
    interfaces = 2 if {segment.link for segment in session.wire} == {"client", "server"} else 1
    assert kinds[:1] == [0x0A0D0D0A]
    assert kinds[1 : 1 + interfaces] == [1] * interfaces
    assert kinds[1 + interfaces] == 10
    assert set(kinds[2 + interfaces :]) == {6}


@pytest.mark.parametrize("name", SESSIONS)
def test_checksums(name: str) -> None:
    for each in frames(pcapng.render(SESSIONS[name])):
        assert ones_sum(each.ip) == 0xFFFF
        pseudo = each.ip[12:20] + struct.pack("!HH", 6, len(each.tcp))
        assert ones_sum(pseudo + each.tcp) == 0xFFFF


@pytest.mark.parametrize("name", SESSIONS)
def test_time_never_goes_back(name: str) -> None:
    times = [each.at for each in frames(pcapng.render(SESSIONS[name]))]
    assert times == sorted(times)


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("interface", [0, 1])
def test_numbers_follow_one_another(name: str, interface: int) -> None:
    """Each side goes on where it left off, and acknowledges nothing it has not been sent."""
    expected: dict[tuple[str, int], int] = {}
    for each in frames(pcapng.render(SESSIONS[name])):
        if each.interface != interface:
            continue
        if each.flags & SYN:
            expected[each.source] = each.sequence
        assert each.sequence == expected[each.source]
        assert len(each.data) <= 1460
        if each.flags & ACK:
            assert each.acknowledged == expected[each.target]
        expected[each.source] += len(each.data) + (1 if each.flags & (SYN | FIN) else 0)


@pytest.mark.parametrize("name", SESSIONS)
def test_carries_what_was_recorded(name: str) -> None:
    session = SESSIONS[name]
    found = frames(pcapng.render(session))
    servers = {each.source for each in found if each.flags & (SYN | ACK) == SYN | ACK}
    for interface, link in enumerate(dict.fromkeys(s.link for s in session.wire)):
        here = [each for each in found if each.interface == interface]
        assert b"".join(e.data for e in here if e.source in servers) == session.stream(
            "client", link
        )
        assert b"".join(e.data for e in here if e.target in servers) == session.stream(
            "server", link
        )


def test_a_conversation_opens_and_closes() -> None:
    flags = [each.flags for each in frames(pcapng.render(SESSIONS["1.3"]))]
    assert flags[:3] == [SYN, SYN | ACK, ACK]
    assert flags[-3:] == [FIN | ACK, FIN | ACK, ACK]


@pytest.mark.parametrize(
    ("name", "port"), [("cut by the server", 25), ("cut by the client", 50000)]
)
def test_a_cut_session_ends_in_a_reset(name: str, port: int) -> None:
    last = frames(pcapng.render(SESSIONS[name]))[-1]
    assert (last.flags, last.source[1]) == (RST | ACK, port)
    assert "cut" in last.comment


def test_a_middlebox_cuts_both_ways() -> None:
    resets = [f for f in frames(pcapng.render(SESSIONS["cut on the way"])) if f.flags & RST]
    assert [each.source[0] for each in resets] == ["203.0.113.1", "203.0.113.1"]
    assert {each.target[0] for each in resets} == {"192.0.2.10", "198.51.100.25"}


def test_a_session_without_an_end_stays_open() -> None:
    session = SESSIONS["1.3"]
    session = msgspec.structs.replace(session, events=session.events[:-1])
    last = frames(pcapng.render(session))[-1]
    assert (last.flags, last.data) == (ACK, b"")


@pytest.mark.parametrize(
    ("session", "client", "server"),
    [
        (SESSIONS["1.3"], ("192.0.2.10", 50000), ("198.51.100.25", 25)),
        (SESSIONS["implicit"], ("192.0.2.10", 50000), ("198.51.100.25", 465)),
        (
            msgspec.structs.replace(
                SESSIONS["1.3"],
                client=Peer(address="203.0.113.7"),
                server=Peer(address="192.0.2.99", port=587),
            ),
            ("203.0.113.7", 49152),
            ("192.0.2.99", 587),
        ),
        (
            msgspec.structs.replace(
                SESSIONS["1.3"], client=Peer(address="192.0.2.1"), server=Peer(address="192.0.2.1")
            ),
            ("192.0.2.10", 49152),
            ("198.51.100.25", 25),
        ),
    ],
)
def test_addresses(session: Session, client: tuple[str, int], server: tuple[str, int]) -> None:
    first = frames(pcapng.render(session))[0]
    assert (first.source, first.target) == (client, server)


def test_the_legs_of_a_middlebox_are_two_conversations() -> None:
    file = pcapng.render(SESSIONS["middlebox"])
    pairs = {(f.interface, f.source[0], f.target[0]) for f in frames(file) if f.flags == SYN}
    assert pairs == {(0, "192.0.2.10", "203.0.113.1"), (1, "203.0.113.1", "198.51.100.25")}
    names = [options(b.body[8:])[2] for b in blocks(file) if b.kind == 1]
    assert names == [b"client side", b"server side"]


def test_a_packet_tells_what_it_brings() -> None:
    comments = [f.comment for f in frames(pcapng.render(SESSIONS["1.3"])) if f.comment]
    assert comments[0] == "connect: The client opens a TCP connection to the server."
    second = next(c for c in comments if "inside TLS" in c)
    assert second.startswith("EHLO: The client introduces itself again")
    assert "(RFC 3207 §4.2 SHOULD)" in second
    assert len(comments) == len(SESSIONS["1.3"].events)


def test_both_legs_of_a_middlebox_are_explained() -> None:
    found = frames(pcapng.render(SESSIONS["middlebox"]))
    one, other = ([f.comment for f in found if f.interface == i and f.comment] for i in (0, 1))
    assert one == other


def test_without_secrets_it_does_not_tell_what_is_inside() -> None:
    file = pcapng.render(SESSIONS["1.3"], secrets=False)
    assert 10 not in [block.kind for block in blocks(file)]
    comments = [f.comment for f in frames(file)]
    assert sum(comment.startswith("EHLO") for comment in comments) == 1
    assert not any("MAIL" in comment for comment in comments)


def test_holds_the_key_log() -> None:
    session = SESSIONS["1.3"]
    body = next(block.body for block in blocks(pcapng.render(session)) if block.kind == 10)
    kind, length = struct.unpack_from("<II", body)
    assert kind == 0x544C534B
    assert body[8 : 8 + length].decode().splitlines() == list(session.secrets)


def test_begins_when_the_session_did() -> None:
    moment = datetime(2005, 5, 16, 18, 34, 30, tzinfo=UTC)
    aware = msgspec.structs.replace(SESSIONS["1.3"], started=moment)
    naive = msgspec.structs.replace(SESSIONS["1.3"], started=moment.replace(tzinfo=None))
    assert pcapng.render(aware) == pcapng.render(naive)
    assert frames(pcapng.render(aware))[0].at == int(moment.timestamp()) * 10**9


@pytest.mark.parametrize("name", SESSIONS)
def test_the_same_session_gives_the_same_bytes(name: str) -> None:
    assert pcapng.render(SESSIONS[name]) == pcapng.render(SESSIONS[name])


def test_a_log_has_nothing_on_the_wire() -> None:
    session = msgspec.structs.replace(SESSIONS["1.3"], source="swaks", wire=())
    with pytest.raises(NothingOnTheWire, match="none of the octets"):
        pcapng.render(session)


def test_a_masked_session_says_how_to_see_its_octets() -> None:
    with pytest.raises(NothingOnTheWire, match="--show-secrets"):
        pcapng.render(masked(SESSIONS["1.3"]))


def test_hostile_names_do_not_reach_the_comments() -> None:
    session = SESSIONS["1.3"]
    events = tuple(
        msgspec.structs.replace(event, argument="\x1b]0;evil\x07\u202e")
        if getattr(event, "verb", "") == "EHLO"
        else event
        for event in session.events
    )
    session = msgspec.structs.replace(session, events=events)
    comments = "".join(f.comment for f in frames(pcapng.render(session)))
    assert "\\x1b]0;evil\\x07\\u202e" in comments
    assert "\x1b" not in comments


# --- with tshark -------------------------------------------------------------------------------

FIELDS = (
    "tcp.stream", "tcp.flags.reset", "smtp.req.command", "smtp.req.parameter", "imf.subject",
    "frame.comment", "tls.record.content_type", "_ws.malformed", "tcp.analysis.flags",
    "_ws.expert.severity", "tcp.checksum.status", "ip.checksum.status",
)  # fmt: skip
WARNING = 6291456
GOOD = "1"


def dissected(file: bytes, folder: Path) -> list[dict[str, str]]:
    """Each packet as tshark understands it, with nothing set but that it checks checksums."""
    path = folder / "session.pcapng"
    path.write_bytes(file)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    command += ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]


def wrong(packets: list[dict[str, str]]) -> list[dict[str, str]]:
    """Packets with a fault; that a reset is worth a warning to tshark is none."""
    return [
        packet
        for packet in packets
        if packet["_ws.malformed"]
        or packet["tcp.analysis.flags"]
        or (packet["tcp.checksum.status"], packet["ip.checksum.status"]) != (GOOD, GOOD)
        or (
            max(map(int, filter(None, packet["_ws.expert.severity"].split(","))), default=0)
            >= WARNING
            and packet["tcp.flags.reset"] in ("0", "False")
        )
    ]


def ehlos(packets: list[dict[str, str]]) -> list[tuple[str, str, bool]]:
    """TCP stream, argument, and whether it was inside TLS, of each EHLO that tshark sees."""
    return [
        (p["tcp.stream"], p["smtp.req.parameter"], bool(p["tls.record.content_type"]))
        for p in packets
        if p["smtp.req.command"] == "EHLO"
    ]


@pytest.mark.needs("tshark")
@pytest.mark.parametrize("name", SESSIONS)
def test_tshark_finds_both_ehlos_and_nothing_wrong(tmp_path: Path, name: str) -> None:
    packets = dissected(pcapng.render(SESSIONS[name]), tmp_path)
    legs = sorted({packet["tcp.stream"] for packet in packets})
    clear = [] if "implicit" in name else [(leg, "mx4.example.net", False) for leg in legs]
    inside = [] if name == "failed" else [(leg, "mx4.example.net", True) for leg in legs]
    assert ehlos(packets) == clear + inside
    assert wrong(packets) == []
    subjects = {packet["imf.subject"] for packet in packets} - {""}
    assert subjects == (
        set() if "cut" in name or name == "failed" else {"big" if "big" in name else "hello"}
    )


@pytest.mark.needs("tshark")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tshark_reads_what_the_lab_recorded(tmp_path: Path, version: Literal["1.2", "1.3"]) -> None:
    explanation = replay(tls=version)
    name = explanation.session.client.name
    packets = dissected(pcapng.render(explanation), tmp_path)
    assert ehlos(packets) == [("0", name, False), ("0", name, True)]
    assert wrong(packets) == []


@pytest.mark.needs("tshark")
@pytest.mark.parametrize("name", ["1.3", "1.2", "implicit", "middlebox"])
def test_tshark_without_the_secrets_sees_the_first_ehlo_only(tmp_path: Path, name: str) -> None:
    packets = dissected(pcapng.render(SESSIONS[name], secrets=False), tmp_path)
    legs = sorted({packet["tcp.stream"] for packet in packets})
    clear = [] if "implicit" in name else [(leg, "mx4.example.net", False) for leg in legs]
    assert ehlos(packets) == clear
    assert wrong(packets) == []


@pytest.mark.needs("tshark")
@pytest.mark.parametrize("octet", [-30, 0])
def test_tshark_would_find_a_fault(tmp_path: Path, octet: int) -> None:
    """One bit changed: in the IP header of the greeting's packet, and in the greeting itself."""
    file = bytearray(pcapng.render(SESSIONS["1.3"]))
    file[file.index(b"220 mx1") + octet] ^= 1
    assert wrong(dissected(bytes(file), tmp_path))


@pytest.mark.needs("tshark")
def test_tshark_shows_the_explanation_beside_the_packet(tmp_path: Path) -> None:
    packets = dissected(pcapng.render(SESSIONS["1.3"]), tmp_path)
    second = [p for p in packets if p["smtp.req.command"] == "EHLO"][1]
    assert second["frame.comment"].startswith("EHLO: The client introduces itself again")


@pytest.mark.needs("tshark")
def test_a_session_in_which_no_byte_crossed_is_a_connection_all_the_same(tmp_path: Path) -> None:
    silent = msgspec.structs.replace(SESSIONS["1.3"], wire=(), events=SESSIONS["1.3"].events[:1])
    path = tmp_path / "silent.pcapng"
    path.write_bytes(pcapng.render(silent))
    ran = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "tcp.flags.str"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [line.strip("·") for line in ran.stdout.split()[:3]] == ["S", "A··S", "A"]
