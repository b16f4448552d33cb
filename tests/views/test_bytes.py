"""Every octet of a session and its meaning: nothing left out, nothing said twice."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import lab, replay
from simulator.explainer import Explanation, explain
from simulator.language import say
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Link,
    Message,
    Reply,
    Segment,
    Session,
    Side,
    Span,
)
from simulator.views import bytes as octets
from simulator.views import claims
from simulator.views.bytes import Piece
from simulator.views.claims import NothingOnTheWire
from tests.recording import record

GOLDEN = Path(__file__).parent / "golden" / "bytes.txt"
BIG = b"Subject: big\r\n\r\n" + b"All work and no play.\r\n" * 4000 + b".\r\n"

RECORDED = {
    "1.3": explain(record()),
    "1.2": explain(record("TLSv1_2")),
    "1.2 with CBC": explain(record("TLSv1_2", ciphers="ECDHE-ECDSA-AES128-SHA256")),
    "1.2 with a client certificate": explain(record("TLSv1_2", client_certificate=True)),
    "implicit": explain(record(implicit=True)),
    "big": explain(record(message=BIG)),
    "big 1.2": explain(record("TLSv1_2", message=BIG)),
    "middlebox": explain(record(middlebox=True)),
    "cut": explain(record(ends=("server", "cut"))),
    "failed": explain(record(trusted=False, ends=("client", "given up"))),
    "failed 1.2": explain(record("TLSv1_2", trusted=False, ends=("client", "given up"))),
    "retry": explain(record(curve="secp384r1")),
}
SIDES: tuple[Side, ...] = ("client", "server")
LINKS: tuple[Link, ...] = ("client", "server")


# --- sessions made by hand ---------------------------------------------------------------------


class Made:
    """A session put together line by line, with a wire to fit."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = [Connect(by="client")]
        self.segments: list[Segment] = []
        self.reached: dict[tuple[Link, Side], int] = {}

    def cross(self, to: Side, data: bytes, link: Link = "client") -> Span:
        start = self.reached.get((link, to), 0)
        self.reached[link, to] = start + len(data)
        at = len(self.segments) / 1000
        self.segments.append(Segment(at=at, to=to, data=data, link=link))
        return Span(link=link, to=to, start=start, end=start + len(data))

    def command(self, raw: bytes, *spans: Span, **more: object) -> None:
        verb, _, argument = raw.decode().strip().partition(" ")
        found = spans or (self.cross("server", raw),)
        self.events.append(
            msgspec.structs.replace(
                Command(by="client", raw=raw, wire=found, verb=verb, argument=argument), **more
            )
        )

    def reply(self, raw: bytes, *spans: Span, **more: object) -> None:
        lines = raw.decode().splitlines()
        found = spans or (self.cross("client", raw),)
        event = Reply(
            by="server",
            raw=raw,
            wire=found,
            code=int(lines[0][:3]),
            lines=tuple(line[4:] for line in lines),
        )
        self.events.append(msgspec.structs.replace(event, **more))

    def explained(self) -> Explanation:
        return explain(Session(events=tuple(self.events), wire=tuple(self.segments)))


def record_of(body: bytes, kind: int = 22) -> bytes:
    return bytes([kind, 3, 3]) + struct.pack("!H", len(body)) + body


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def by_hand() -> Explanation:
    """A short session with TLS 1.2 whose octets never change."""
    made = Made()
    made.reply(b"220 mx1.example.com ESMTP\r\n")
    made.command(b"EHLO mx4.example.net\r\n")
    made.reply(b"250-mx1.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
    made.command(b"STARTTLS\r\n")
    made.reply(b"220 2.0.0 Ready\r\n")
    name = b"mx1.example.com"
    server_name = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(server_name)) + server_name
    hello = b"\x03\x03" + bytes(range(32)) + b"\0" + b"\0\x02\xc0\x2b" + b"\x01\0"
    client = [
        made.cross(
            "server", record_of(message(1, hello + struct.pack("!H", len(extensions)) + extensions))
        )
    ]
    chosen = b"\x03\x03" + bytes(range(32, 64)) + b"\0" + b"\xc0\x2b" + b"\0"
    der = b"0\x18(a certificate in DER)"
    certificates = (len(der) + 3).to_bytes(3) + len(der).to_bytes(3) + der
    server = [
        made.cross("client", record_of(message(2, chosen))),
        made.cross("client", record_of(message(11, certificates) + message(14, b""))),
    ]
    client += [
        made.cross("server", record_of(message(16, b"\x04KEY!"))),
        made.cross(
            "server", record_of(b"\x01", 20) + record_of(b"n" * 8 + b"FINISHED" + b"t" * 16)
        ),
    ]
    server += [
        made.cross("client", record_of(b"\x01", 20) + record_of(b"n" * 8 + b"FINISHED" + b"t" * 16))
    ]
    made.events.append(
        Handshake(
            by="client",
            version="TLSv1.2",
            cipher="ECDHE-ECDSA-AES128-GCM-SHA256",
            server_certificate=Certificate(
                subject="CN=mx1.example.com", names=("mx1.example.com",)
            ),
            verified=True,
            wire=(
                Span(to="server", start=client[0].start, end=client[-1].end),
                Span(to="client", start=server[0].start, end=server[-1].end),
            ),
        )
    )
    inside = b"EHLO mx4.example.net\r\n"
    sealed = made.cross("server", record_of(b"N" * 8 + b"?" * len(inside) + b"T" * 16, 23))
    made.command(inside, sealed, secure=True)
    made.cross("server", record_of(b"N" * 8 + b"??" + b"T" * 16, 21))
    made.events.append(Disconnect(by="client", reason="closed"))
    return made.explained()


# --- nothing left out --------------------------------------------------------------------------


def assert_each_octet_is_said_once(explanation: Explanation, pieces: Sequence[Piece]) -> None:
    session = explanation.session
    streams = {
        (link, to): session.stream(to, link) for link in claims.links(session) for to in SIDES
    }
    reached = dict.fromkeys(streams, 0)
    open_pieces: list[tuple[Piece, int]] = []
    for piece in [*pieces, None]:
        depth = piece.depth if piece else 0
        while len(open_pieces) > depth:
            outer, upto = open_pieces.pop()
            assert upto in (outer.start, outer.end), outer
        if piece is None:
            break
        assert len(open_pieces) == depth, piece
        assert piece.start < piece.end
        if open_pieces:
            outer, upto = open_pieces[-1]
            assert (piece.link, piece.to, piece.at) == (outer.link, outer.to, outer.at)
            assert piece.start == upto
            assert piece.end <= outer.end
            open_pieces[-1] = (outer, piece.end)
        else:
            assert piece.start == reached[piece.link, piece.to]
            reached[piece.link, piece.to] = piece.end
        open_pieces.append((piece, piece.start))
    assert reached == {stream: len(data) for stream, data in streams.items()}


@pytest.mark.parametrize("name", RECORDED)
def test_says_each_octet_once(name: str) -> None:
    explanation = RECORDED[name]
    assert_each_octet_is_said_once(explanation, octets.describe(explanation))


@pytest.mark.parametrize("name", RECORDED)
def test_leaves_nothing_unexplained(name: str) -> None:
    pieces = octets.describe(RECORDED[name])
    assert not [p for p in pieces if p.name in ("unknown", "unread", "not_tls")]
    silent = {p.name for p in pieces if p.meaning is None}
    # A line is known by its parts, and what is in a vector by the vector.
    assert silent <= {"line", "data"}


@pytest.mark.parametrize("name", RECORDED)
def test_knows_which_event_each_octet_belongs_to(name: str) -> None:
    session = RECORDED[name].session
    told = {index for piece in octets.describe(RECORDED[name]) for index in piece.events}
    assert told == {index for index, event in enumerate(session.events) if event.wire}


@pytest.mark.parametrize("name", RECORDED)
def test_comes_in_the_order_of_the_wire(name: str) -> None:
    times = [piece.at for piece in octets.describe(RECORDED[name])]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("name", "link"), [(n, link) for n, e in RECORDED.items() for link in claims.links(e.session)]
)
def test_knows_what_is_inside_each_record(name: str, link: Link) -> None:
    session = RECORDED[name].session
    pieces = [p for p in octets.describe(RECORDED[name]) if p.link == link]
    inside = b"".join(piece.plaintext for piece in pieces)
    assert inside == b"".join(event.raw for event in session.events if event.secure)
    assert not any(piece.plaintext for piece in pieces if piece.depth or not piece.secure)


def test_deals_a_big_message_out_to_its_records() -> None:
    for name in ("big", "big 1.2"):
        index = next(
            i for i, e in enumerate(RECORDED[name].session.events) if isinstance(e, Message)
        )
        parts = [p.plaintext for p in octets.describe(RECORDED[name]) if p.events == (index,)]
        parts = [part for part in parts if part]
        assert len(parts) > 5
        assert {len(part) for part in parts[:-1]} == {2**14}


def test_both_legs_belong_to_the_same_events() -> None:
    pieces = octets.describe(RECORDED["middlebox"])
    one, other = (
        [(p.to, p.name, p.events) for p in pieces if p.link == link]
        for link in ("client", "server")
    )
    assert sorted(one) == sorted(other)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", lab.names())
def test_knows_every_octet_that_the_lab_recorded(name: str, version: Literal["1.2", "1.3"]) -> None:
    explanation = replay(name, tls=version)
    session = explanation.session
    pieces = octets.describe(explanation)
    assert_each_octet_is_said_once(explanation, pieces)
    assert not [p for p in pieces if p.depth == 0 and not (p.events or p.secure)]
    told = {index for piece in pieces for index in piece.events}
    assert told >= {index for index, event in enumerate(session.events) if event.wire}
    for link in claims.links(session):
        inside = [p.plaintext for p in pieces if p.plaintext and p.link == link]
        said = [
            e.raw
            for e in session.events
            if e.secure and not e.stale and e.by != "message" and e.raw
        ]
        behind = link == "server" and claims.ends_in_front(session)
        assert sorted(b"".join(inside)) == sorted(b"" if behind else b"".join(said))


# --- what it says ------------------------------------------------------------------------------


def meanings(explanation: Explanation) -> str:
    return "\n".join(say(p.meaning) for p in octets.describe(explanation) if p.meaning)


def test_reads_like_this() -> None:
    assert octets.render(by_hand()) == GOLDEN.read_text("utf-8")


def test_tls_1_2_shows_the_certificate_and_says_so() -> None:
    said = meanings(RECORDED["1.2"])
    assert "The certificate stands here in the clear: an observer reads that it is for" in said
    assert "an observer does not see it" not in said


def test_tls_1_3_hides_the_certificate_and_says_so() -> None:
    said = meanings(RECORDED["1.3"])
    assert said.count("in TLS 1.3 an observer does not see it") == 1
    assert "stands here in the clear" not in said


def parts(explanation: Explanation, kind: str) -> list[list[tuple[str, bytes]]]:
    """Name and octets of the innermost pieces, for each piece of depth 0 with that name."""
    session = explanation.session
    found: list[list[tuple[str, bytes]]] = []
    wanted = False
    for piece in octets.describe(explanation):
        if piece.depth == 0:
            wanted = piece.name == kind
            if wanted:
                found.append([])
        elif wanted and piece.name != "line":
            data = session.stream(piece.to, piece.link)[piece.start : piece.end]
            found[-1].append((piece.name, data))
    return found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"EHLO a.example\r\n", [("verb", b"EHLO"), ("space", b" "), ("argument", b"a.example")]),
        (b"QUIT\r\n", [("verb", b"QUIT")]),
        (b"NOOP  x\r\n", [("verb", b"NOOP"), ("space", b"  "), ("argument", b"x")]),
        (b"RSET \r\n", [("verb", b"RSET"), ("space", b" ")]),
    ],
)
def test_parts_of_a_command(raw: bytes, expected: list[tuple[str, bytes]]) -> None:
    made = Made()
    made.command(raw)
    assert parts(made.explained(), "command") == [[*expected, ("line-end", b"\r\n")]]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            b"250 2.1.0 Ok\r\n",
            "code 250|last-line  |enhanced-code 2.1.0|space  |text Ok|line-end \r\n",
        ),
        (b"250 Ok\n", "code 250|last-line  |text Ok|bare-line-end \n"),
        (b"250\r\n", "code 250|line-end \r\n"),
        (b"250 \r\n", "code 250|last-line  |line-end \r\n"),
        (
            b"250-2.0.0\r\n250 b",
            "code 250|hyphen -|enhanced-code 2.0.0|line-end \r\n|code 250|last-line  |text b",
        ),
        (b"250x", "text 250x"),
    ],
)
def test_parts_of_a_reply(raw: bytes, expected: str) -> None:
    made = Made()
    made.reply(raw)
    (found,) = parts(made.explained(), "reply")
    assert "|".join(f"{name} {data.decode()}" for name, data in found) == expected


def test_parts_of_the_list() -> None:
    made = Made()
    made.reply(b"220 mx\r\n")
    made.command(b"EHLO a.example\r\n")
    made.reply(b"250-mx hello\r\n250-8BITMIME\r\n250 SIZE 5 6\r\n")
    _, found = parts(made.explained(), "reply")
    told = [f"{name} {data.decode()}" for name, data in found]
    assert [text for text in told if text.split()[0] not in ("code", "line-end")] == [
        "hyphen -", "server-name mx", "space  ", "text hello",
        "hyphen -", "keyword 8BITMIME",
        "last-line  ", "keyword SIZE", "space  ", "parameters 5 6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"A: b\r\n\r\nhi\r\n.\r\n", ["header A: b", "empty-line ", "body hi", "lone-dot ."]),
        (b"A: b\r\n\r\n.\r\n", ["header A: b", "empty-line ", "lone-dot ."]),
        (b".\r\n", ["lone-dot ."]),
        (b"A: b\r\n", ["header A: b"]),
    ],
)
def test_parts_of_a_message(raw: bytes, expected: list[str]) -> None:
    made = Made()
    made.events.append(Message(by="client", raw=raw, wire=(made.cross("server", raw),)))
    (found,) = parts(made.explained(), "message")
    assert [f"{name} {data.decode().strip()}" for name, data in found] == expected


def test_parts_of_a_login() -> None:
    made = Made()
    raw = b"AGFuYQ==\r\n"
    made.events.append(AuthResponse(by="client", raw=raw, wire=(made.cross("server", raw),)))
    assert parts(made.explained(), "auth-response") == [
        [("response", b"AGFuYQ=="), ("line-end", b"\r\n")]
    ]


# --- peers that lie, and what stands between them ----------------------------------------------


def test_what_no_event_speaks_of_is_shown_all_the_same() -> None:
    made = Made()
    made.reply(b"220 mx\r\n")
    made.cross("client", b"250 nobody read this\r\n421 nor this\r\n")
    explanation = made.explained()
    assert_each_octet_is_said_once(explanation, octets.describe(explanation))
    (found,) = parts(explanation, "unknown")
    assert ("text", b"nobody read this") in found
    assert "No event of the session speaks of these octets." in octets.render(explanation)


def test_a_command_out_of_the_old_buffer_stands_where_it_crossed() -> None:
    made = Made()
    forged = b"MAIL FROM:<evil@example.org>\r\n"
    made.command(b"STARTTLS\r\n")
    span = made.cross("server", forged)
    made.command(forged, span, by="middlebox")
    made.command(forged, span, by="middlebox", stale=True, secure=True)
    explanation = made.explained()
    pieces = [p for p in octets.describe(explanation) if p.depth == 0]
    assert [(p.name, p.events, p.secure) for p in pieces] == [
        ("command", (1,), False),
        ("command", (2, 3), False),
    ]


def test_a_middlebox_that_changes_a_reply() -> None:
    made = Made()
    made.reply(b"220 mx\r\n", made.cross("client", b"220 mx\r\n", "server"))
    made.cross("client", b"220 mx\r\n")
    real, forged = b"250-mx\r\n250 STARTTLS\r\n", b"250 mx\r\n"
    made.command(b"EHLO a\r\n")
    made.cross("server", b"EHLO a\r\n", "server")
    made.reply(real, made.cross("client", real, "server"), lost=True)
    made.reply(forged, by="middlebox")
    pieces = [p for p in octets.describe(made.explained()) if p.depth == 0]
    assert [(p.link, p.to, p.events) for p in pieces] == [
        ("server", "client", (1,)),
        ("client", "client", (1,)),
        ("client", "server", (2,)),
        ("server", "server", (2,)),
        ("server", "client", (3,)),
        ("client", "client", (4,)),
    ]


def test_commands_in_one_record_share_it() -> None:
    explanation = RECORDED["1.3"]
    session = explanation.session
    index = next(i for i, e in enumerate(session.events) if getattr(e, "verb", "") == "MAIL")
    mail = session.events[index]
    one = msgspec.structs.replace(mail, raw=mail.raw[:10])
    other = msgspec.structs.replace(mail, raw=mail.raw[10:])
    events = (*session.events[:index], one, other, *session.events[index + 1 :])
    explanation = explain(msgspec.structs.replace(session, events=events))
    (piece,) = [p for p in octets.describe(explanation) if p.depth == 0 and index in p.events]
    assert piece.events == (index, index + 1)
    assert piece.plaintext == mail.raw


def test_a_log_has_nothing_on_the_wire() -> None:
    explanation = explain(Session(source="swaks", events=(Connect(by="client"),)))
    for view in (octets.describe, octets.render, octets.as_data):
        with pytest.raises(NothingOnTheWire, match="ehlo-twice replay"):
            view(explanation)


def test_hostile_octets_do_nothing() -> None:
    made = Made()
    made.command(b"EHLO \x1b]0;evil\x07\xe2\x80\xae\r\n")
    explanation = made.explained()
    shown = octets.render(explanation) + json.dumps(octets.as_data(explanation), ensure_ascii=False)
    assert "\\x1b]0;evil\\x07\\u202e" in shown
    assert not any(char in shown for char in "\x1b\x07\u202e")


SPANS = st.builds(
    lambda to, link, start, length: Span(to=to, link=link, start=start, end=start + length),
    st.sampled_from(SIDES),
    st.sampled_from(["client", "server"]),
    st.integers(0, 60),
    st.integers(-3, 60),
)
WIRES = st.lists(SPANS, max_size=2).map(tuple)
FLAGS = {"secure": st.booleans(), "stale": st.booleans(), "lost": st.booleans()}
EVENTS = st.one_of(
    st.builds(Command, by=st.just("client"), verb=st.just("EHLO"), wire=WIRES,
              raw=st.binary(max_size=30), **FLAGS),
    st.builds(Reply, by=st.just("server"), code=st.just(250), wire=WIRES,
              raw=st.binary(max_size=30), **FLAGS),
    st.builds(Message, by=st.just("client"), wire=WIRES, **FLAGS),
    st.builds(Handshake, by=st.just("client"), wire=WIRES,
              version=st.sampled_from(["TLSv1.2", "TLSv1.3"]), error=st.sampled_from(["", "cut"])),
)  # fmt: skip
DATA = st.one_of(
    st.sampled_from([b"250-a\r\n250 b\r\n", b"EHLO a\r\n", b"\r\n\r\n.\r\n", b"\x16", b""]),
    st.builds(
        record_of,
        st.binary(max_size=30) | st.just(message(2, b"\x03\x03" + bytes(33) + b"\xc0\x2b\0")),
        st.sampled_from([20, 21, 22, 23]),
    ),
    st.binary(max_size=30),
)
SEGMENTS = st.builds(
    Segment,
    at=st.floats(0, 9),
    to=st.sampled_from(SIDES),
    data=DATA,
    link=st.sampled_from(["client", "server"]),
)


@given(st.lists(EVENTS, max_size=5), st.lists(SEGMENTS, min_size=1, max_size=8))
def test_says_each_octet_of_any_session_once(
    events: list[AnyEvent], segments: list[Segment]
) -> None:
    explanation = explain(Session(events=tuple(events), wire=tuple(segments)))
    assert_each_octet_is_said_once(explanation, octets.describe(explanation))
    assert octets.render(explanation, colour=True)
    assert json.loads(json.dumps(octets.as_data(explanation))) == octets.as_data(explanation)


# --- how it looks ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_the_dump_holds_every_octet(name: str) -> None:
    session = RECORDED[name].session
    shown = {"client": b"", "server": b""}
    to: Side = "client"
    lines = octets.render(RECORDED[name]).splitlines()
    if len(claims.links(session)) > 1:
        lines = [line.removeprefix("Between client and middlebox: ") for line in lines]
    mine = True
    for line in lines:
        if " s, " in line and "octets" in line:
            to = "client" if "to client" in line else "server"
            mine = not line.startswith("Between")
        elif mine and line[:6].strip().isdigit() and line[6:8] == "  ":
            shown[to] += hex_of(line[8:])
    assert shown["client"] == session.stream("client")
    assert shown["server"] == session.stream("server")


def hex_of(text: str) -> bytes:
    found = b""
    while len(text) > 1 and text[:2].strip() and text[2:3] in (" ", ""):
        try:
            found += bytes.fromhex(text[:2])
        except ValueError:
            break
        text = text[3:]
    return found


def test_no_line_is_wider_than_the_page() -> None:
    assert max(map(len, octets.render(RECORDED["1.2"]).splitlines())) <= 100


def test_colour_changes_only_the_colour() -> None:
    plain, coloured = (octets.render(RECORDED["1.3"], colour=colour) for colour in (False, True))
    assert plain != coloured
    bare = re.sub(r"\x1b\[\d+m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


@pytest.mark.parametrize("name", RECORDED)
def test_data_holds_every_octet(name: str) -> None:
    session = RECORDED[name].session
    found = octets.as_data(RECORDED[name])
    for link in claims.links(session):
        for to in SIDES:
            mine = [bytes.fromhex(d["hex"]) for d in found if (d["link"], d["to"]) == (link, to)]
            assert b"".join(mine) == session.stream(to, link)
    assert json.loads(json.dumps(found)) == found


def test_data_of_the_second_ehlo() -> None:
    (second,) = [d for d in octets.as_data(by_hand()) if d.get("inside")]
    assert second["inside"] == ["EHLO mx4.example.net"]
    assert second["secure"] is True
    assert second["meaning"].startswith("The client introduces itself again, now inside TLS")
    assert [part["name"] for part in second["parts"]] == [
        "content_type", "record_version", "record_length", "nonce", "ciphertext", "tag",
    ]  # fmt: skip
