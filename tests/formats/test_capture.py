"""A capture says what the session says: with its secrets all of it, without them its clear part."""

import gzip
import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest

from simulator import ciphers, formats
from simulator.explainer import explain, veiled
from simulator.formats import CannotRead
from simulator.masking import Veil
from simulator.session import Command, Handshake, Message, Reply, Session, to_json
from simulator.views.pcapng import render
from tests.recording import record


def said(session: Session) -> list[tuple[str, str, bool]]:
    found = []
    for event in session.events:
        match event:
            case Command():
                found.append((event.verb, event.argument, event.secure))
            case Reply():
                found.append((str(event.code), "\n".join(event.lines), event.secure))
            case Message():
                found.append(("message", str(event.size), event.secure))
            case Handshake():
                found.append(("handshake", event.version, True))
    return found


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_with_secrets_all_is_read(version: str) -> None:
    session = record(version)
    (read,) = formats.read(render(session))
    assert said(read) == said(session)
    assert read.shown == "all"
    verdict, wanted = explain(read).verdict, explain(session).verdict
    assert verdict.second_ehlo == wanted.second_ehlo == "sent"
    assert verdict.client_to_server_commands == wanted.client_to_server_commands
    assert verdict.delivered


@pytest.mark.parametrize(
    "ciphers", ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"]
)
def test_other_ciphers_are_opened_too(ciphers: str) -> None:
    session = record("TLSv1_2", ciphers=ciphers)
    (read,) = formats.read(render(session))
    assert said(read) == said(session)


@pytest.mark.parametrize(
    ("version", "suites"),
    [
        ("TLSv1_3", ""),
        ("TLSv1_2", ""),
        ("TLSv1_2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("TLSv1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ],
)
def test_without_openssl_the_same_is_read(
    version: str, suites: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tlslite")
    data = render(record(version, ciphers=suites))
    (wanted,) = formats.read(data)

    def missing(*_: object) -> ciphers.Open:
        raise ModuleNotFoundError("cryptography")

    monkeypatch.setattr(ciphers, "_cryptography", missing)
    assert wanted.shown == "all"
    assert list(formats.read(data)) == [wanted]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_without_secrets_the_clear_part_is_read(version: str) -> None:
    session = record(version)
    (read,) = formats.read(render(session, secrets=False))
    assert read.shown == "clear"
    verdict = explain(read).verdict
    assert verdict.tls == "established"
    assert verdict.ehlo_before_tls == 1
    assert verdict.ehlo_after_tls is None
    assert verdict.second_ehlo is None


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_handshake_that_fails_is_seen(version: str) -> None:
    session = record(version, trusted=False)
    (read,) = formats.read(render(session))
    verdict = explain(read).verdict
    assert verdict.tls == "failed"
    assert verdict.client_to_server_commands[:2] == ("EHLO", "STARTTLS")


def test_tls_from_the_first_octet() -> None:
    (read,) = formats.read(render(record(implicit=True)))
    verdict = explain(read).verdict
    assert verdict.tls == "implicit"
    assert verdict.ehlo_after_tls == 1


def test_a_packed_capture_is_unpacked() -> None:
    (read,) = formats.read(gzip.compress(render(record())))
    assert explain(read).verdict.second_ehlo == "sent"


def test_an_event_names_its_packet() -> None:
    (read,) = formats.read(render(record()))
    lines = [event.line for event in read.events if event.line]
    assert all(one <= two for one, two in pairwise(lines))
    assert read.started is not None


def pcap(packets: Iterator[bytes], order: str = "<") -> bytes:
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return head + b"".join(
        struct.pack(order + "IIII", 1_700_000_000 + n, 0, len(p), len(p)) + p
        for n, p in enumerate(packets)
    )


def tcp(by: str, sequence: int, data: bytes, flags: int = 0x10) -> bytes:
    ends = (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    ports = (50000, 25)
    if by == "server":
        ends, ports = ends[::-1], ports[::-1]
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, 0, 0x50, flags, 0, 0, 0) + data
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0)
    return head + ends[0] + ends[1] + segment


@pytest.mark.parametrize("order", ["<", ">"])
def test_segments_out_of_order_and_sent_again_are_put_in_order(order: str) -> None:
    packets = [
        tcp("server", 100, b"220 mx.exam"),
        tcp("server", 119, b"ESMTP\r\n"),
        tcp("server", 111, b"ple.org "),
        tcp("server", 100, b"220 mx.exam"),
        tcp("client", 500, b"EHLO desk\r\n"),
        tcp("server", 126, b"250-mx.example.org\r\n250 SIZE\r\n"),
        tcp("client", 511, b"QUIT\r\n", 0x11),
    ]
    (read,) = formats.read(pcap(iter(packets), order))
    assert said(read) == [
        ("220", "mx.example.org ESMTP", False),
        ("EHLO", "desk", False),
        ("250", "mx.example.org\nSIZE", False),
        ("QUIT", "", False),
    ]


def so_far(data: bytes) -> tuple[list[Session], str]:
    """The sessions of a capture, and what is said of the rest."""
    sessions: list[Session] = []
    try:
        sessions.extend(formats.read(data))
    except CannotRead as error:
        return sessions, str(error)
    return sessions, ""


def test_what_is_no_smtp_is_passed_over() -> None:
    web = tcp("client", 1, b"GET / HTTP/1.1\r\n\r\n").replace(b"\x00\x19", b"\x00\x50")
    sessions, told = so_far(pcap(iter([web])))
    assert sessions == []
    assert "there is no SMTP in the capture (1 packets, 1 TCP connections)" in told
    sessions, told = so_far(pcap(iter([web, *TALK])))
    assert len(sessions) == 1
    assert told == ""


WHOLE = render(record())
BLOCKS = {0}
while max(BLOCKS) < len(WHOLE):
    at = max(BLOCKS)
    BLOCKS.add(at + struct.unpack("<I", WHOLE[at + 4 : at + 8])[0])


@pytest.mark.parametrize("cut", range(37, 3000, 37))
def test_a_capture_that_is_cut_anywhere_is_read_so_far(cut: int) -> None:
    sessions, told = so_far(WHOLE[:cut])
    assert len(sessions) <= 1
    assert told == "" if cut in BLOCKS else "the capture is cut off" in told


TALK = [
    tcp("server", 100, b"220 mx.example.org ESMTP\r\n"),
    tcp("client", 500, b"EHLO desk\r\n"),
    tcp("server", 126, b"250 mx.example.org\r\n"),
    tcp("client", 511, b"QUIT\r\n", 0x11),
]
TAIL = tcp("server", 150, b"221 bye\r\n")
GOOD = pcap(iter(TALK))


@pytest.mark.parametrize(
    ("data", "sessions", "said"),
    [
        (GOOD[:20], 0, "the capture is cut off in its header"),
        (GOOD[:-3], 1, "the capture is cut off in packet 4"),
        (GOOD + b"\0\0\0", 1, "the capture is cut off in packet 5"),
        (GOOD + bytes(8) + b"\xff" * 8, 1, "packet 5 claims to have 4294967295 octets"),
        (GOOD[:20] + b"\x93\0\0\0" + GOOD[24:], 0, "packets of link type 147 are not read"),
        (GOOD[:36] + b"\xff" + GOOD[37:], 1, "of 1 packets the capture holds a part only"),
        (pcap(iter((*TALK[:2], *TALK[3:], TAIL))), 1, "octets are missing in 1 of 1 TCP"),
        (GOOD[:24], 0, "there is no SMTP in the capture (0 packets, 0 TCP connections)"),
        (WHOLE + b"\x06\0\0\0\x05\0\0\0", 1, "a block behind packet"),
        (WHOLE[:-4] + bytes(4), 1, "has two lengths"),
    ],
    ids=[
        "header", "packet", "next packet", "size", "link type", "in part", "gap", "empty", "block",
        "lengths",
    ],
)  # fmt: skip
def test_what_is_not_read_of_a_capture_is_told(data: bytes, sessions: int, said: str) -> None:
    found, told = so_far(data)
    assert len(found) == sessions
    assert said in told
    assert told.startswith("the input: ")


def mailed(*sent: bytes, answered: bytes = b"250 OK\r\n", more: bytes = b"") -> list[bytes]:
    """The packets of a session in the clear whose message the client sent in those pieces."""
    packets, told, at = [], {"client": 500, "server": 100}, 0
    said: list[tuple[str, bytes]] = [
        ("server", b"220 mx.example.org\r\n"),
        ("client", b"EHLO desk\r\n"),
        ("server", b"250 mx.example.org\r\n"),
        ("client", b"MAIL FROM:<a@example.org>\r\n"),
        ("server", b"250 OK\r\n"),
        ("client", b"RCPT TO:<b@example.org>\r\n"),
        ("server", b"250 OK\r\n"),
        ("client", b"DATA\r\n"),
        ("server", b"354 go on\r\n"),
        *(("client", piece) for piece in sent),
        ("server", answered),
        ("client", more),
    ]
    for at, (by, data) in enumerate(said):
        packets.append(tcp(by, told[by], data, 0x11 if at == len(said) - 1 else 0x10))
        told[by] += len(data)
    return packets


HEAD = b"Subject: x\r\n\r\n"
WITHIN = b"a\n.\nMAIL FROM:<c@example.org>\nb\r\n"


@pytest.mark.parametrize(
    ("sent", "raws", "faults"),
    [
        ((HEAD + b"a\r\n.\r\n",), [HEAD + b"a\r\n.\r\n"], ()),
        # RFC 5321 §2.3.8, §4.1.1.4: a line feed alone ends neither a line nor the message.
        ((HEAD + WITHIN + b".\r\n",), [HEAD + WITHIN + b".\r\n"], ("no-bare-line-feed",)),
        ((HEAD + WITHIN[:4], WITHIN[4:] + b".\r", b"\n"), [HEAD + WITHIN + b".\r\n"],
         ("no-bare-line-feed",)),
        ((HEAD, b"\n.", b"\r\nb\r\n.\r\n"), [HEAD + b"\n.\r\nb\r\n.\r\n"],
         ("no-bare-line-feed",)),
        # Who never sends CR ends the message without.
        ((b"Subject: x\n\na\n.\n",), [b"Subject: x\n\na\n.\n"], ("no-bare-line-feed",)),
        ((b"Subject: x\n\na\n", b".\r\n"), [b"Subject: x\n\na\n.\r\n"],
         ("no-bare-line-feed",)),
    ],
)  # fmt: skip
def test_a_message_ends_at_cr_lf_dot_cr_lf(
    sent: tuple[bytes, ...], raws: list[bytes], faults: tuple[str, ...]
) -> None:
    (read,) = formats.read(pcap(iter(mailed(*sent, more=b"QUIT\r\n"))))
    assert [event.raw for event in read.events if isinstance(event, Message)] == raws
    found = explain(read).verdict
    assert found.client_to_server_commands == ("EHLO", "MAIL", "RCPT", "DATA", "QUIT")
    assert found.delivered
    assert tuple(fault for fault in found.faults if fault != "mail-inside-tls") == faults


def test_a_message_that_breaks_off_is_told_as_far_as_it_came() -> None:
    for sent in (HEAD + b"a\nb\nc", HEAD + b"a\nb\n"):
        packets = mailed(sent)[:-2]
        (read,) = formats.read(pcap(iter(packets)))
        [message] = [event for event in read.events if isinstance(event, Message)]
        assert message.raw == HEAD + b"a\nb\n"


def test_replies_to_what_a_message_holds_begin_no_message() -> None:
    more = b"250 OK\r\n250 OK\r\n250 OK\r\n354 go on\r\n250 OK\r\n"
    (read,) = formats.read(pcap(iter(mailed(HEAD + WITHIN + b".\r\n", answered=more))))
    assert len([event for event in read.events if isinstance(event, Message)]) == 1
    assert [event.code for event in read.events if isinstance(event, Reply)][-5:] == [
        250, 250, 250, 354, 250,
    ]  # fmt: skip


def test_a_message_without_cr_may_be_large_and_is_over_when_the_server_says_so() -> None:
    lines = b"x" * 99 + b"\n"
    packets = mailed(
        b"Subject: x\n\n", *[lines * 14] * 2000, answered=b"421 no\r\n", more=b"QUIT\n"
    )
    (read,) = formats.read(pcap(iter(packets)))
    [message] = [event for event in read.events if isinstance(event, Message)]
    assert message.size == len(b"Subject: x\n\n") + 2000 * 14 * 100
    assert explain(read).verdict.client_to_server_commands[-2:] == ("DATA", "QUIT")


def test_who_leaves_in_place_of_the_message_has_left() -> None:
    for left in (b"QUIT\n", b"QUIT\r\n"):
        (read,) = formats.read(pcap(iter(mailed(left, answered=b"221 bye\r\n"))))
        assert explain(read).verdict.client_to_server_commands[-2:] == ("DATA", "QUIT")


@pytest.mark.parametrize(
    "sent",
    [
        b"Subject: x\n\na\n.\n", b"Subject: x\n\na\n.\r\n", b"Subject: x\r\n\r\na\n.\r\n",
        b"Subject: x\r\n\r\na\r\n.\n", b".\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", [b"", b"QUIT\n", b"QUIT\r\n"])
def test_a_server_that_answers_has_seen_an_end(sent: bytes, more: bytes) -> None:
    (read,) = formats.read(pcap(iter(mailed(sent + more, more=b"" if more else b"QUIT\r\n"))))
    found = explain(read).verdict
    assert found.client_to_server_commands[-2:] == ("DATA", "QUIT")
    assert "no-bare-line-feed" in found.faults
    [message] = [event for event in read.events if isinstance(event, Message)]
    assert (message.raw, message.size) == (sent, sent.rfind(b"."))


def test_bdat_in_a_message_is_text() -> None:
    (read,) = formats.read(pcap(iter(mailed(HEAD + b"BDAT 99 LAST\r\n.\r\n", more=b"QUIT\r\n"))))
    assert explain(read).verdict.client_to_server_commands[-2:] == ("DATA", "QUIT")


def test_a_line_feed_alone_is_found_in_a_message_of_any_size() -> None:
    lines = (b"x" * 70 + b"\r\n") * 500
    packets = mailed(HEAD + b"a\nb\r\n", *[lines] * 5, b".\r\n")
    (read,) = formats.read(pcap(iter(packets)))
    assert "no-bare-line-feed" in explain(read).verdict.faults


def test_octets_behind_bdat_are_no_commands() -> None:
    chunk = b"Subject: x\r\n\r\nHELP is near\r\nmy own words\r\n"
    within = b"a\r\nb\n.\r\nMAIL FROM:<c@d.e>\r\nRCPT TO:<f@g.h>\r\nBDAT 99 LAST\r\n"
    (read,) = formats.read(pcap(iter(mailed(HEAD + within, more=chunk))))
    told = to_json(veiled(explain(read), Veil()).session)
    assert "my own words" not in told
