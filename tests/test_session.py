"""The record: it crosses JSON without loss, can be cut, and what is none is told why."""

from __future__ import annotations

import datetime
import json
from typing import get_args

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Disconnect,
    Event,
    Handshake,
    HandshakeError,
    Message,
    NotASession,
    Peer,
    Remark,
    Reply,
    Segment,
    Session,
    Span,
    Trace,
    from_json,
    schema,
    to_json,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(0, 2**63 - 1)
SECONDS = st.floats(0, 1e9)
SIDE = st.sampled_from(["client", "server"])
SPAN = st.builds(Span, link=SIDE, to=SIDE, start=NUMBER, end=NUMBER)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
CERTIFICATE = st.builds(
    Certificate, subject=TEXT, names=TEXTS, issuer=TEXT, not_before=TEXT, not_after=TEXT
)
COMMON = {
    "at": SECONDS,
    "by": st.sampled_from(["client", "server", "middlebox"]),
    "secure": st.booleans(),
    "lost": st.booleans(),
    "stale": st.booleans(),
    "raw": st.binary(max_size=20),
    "wire": st.lists(SPAN, max_size=2).map(tuple),
    "line": st.none() | NUMBER,
}
EVENTS = [
    st.builds(Connect, **COMMON),
    st.builds(Reply, code=st.integers(0, 999), lines=TEXTS, **COMMON),
    st.builds(Command, verb=TEXT, argument=TEXT, **COMMON),
    st.builds(AuthResponse, text=TEXT, **COMMON),
    st.builds(Message, size=NUMBER, **COMMON),
    st.builds(
        Handshake,
        version=TEXT,
        cipher=TEXT,
        server_certificate=st.none() | CERTIFICATE,
        client_certificate=st.none() | CERTIFICATE,
        verified=st.booleans(),
        dane=st.booleans(),
        resumed=st.booleans(),
        error=st.sampled_from(get_args(HandshakeError)),
        detail=TEXT,
        **COMMON,
    ),
    st.builds(Trace, text=TEXT, **COMMON),
    st.builds(
        Disconnect,
        reason=st.sampled_from(["quit", "closed", "cut", "timeout", "given up"]),
        **COMMON,
    ),
    st.builds(Remark, text=TEXT, **COMMON),
]
PEER = st.builds(Peer, name=TEXT, address=TEXT, port=st.integers(0, 65535))
TIME = st.datetimes(timezones=st.none() | st.just(datetime.UTC))
SESSION = st.builds(
    Session,
    source=TEXT,
    scenario=TEXT,
    connection=TEXT,
    started=st.none() | TIME,
    client=PEER,
    server=PEER,
    implicit_tls=st.booleans(),
    shown=st.sampled_from(["all", "clear", "outline"]),
    documented=st.none() | st.tuples(NUMBER, NUMBER),
    events=st.lists(st.one_of(EVENTS), max_size=5).map(tuple),
    wire=st.lists(
        st.builds(Segment, at=SECONDS, to=SIDE, data=st.binary(max_size=20), link=SIDE), max_size=3
    ).map(tuple),
    secrets=TEXTS,
)
VALID = to_json(Session())


def _with(**fields: object) -> str:
    return json.dumps({**json.loads(VALID), **fields})


VALIDATOR = jsonschema.Draft202012Validator(schema())


@settings(max_examples=1)
@given(st.tuples(*EVENTS))
def test_all_kinds_of_events_are_tried(events: tuple[Event, ...]) -> None:
    assert {type(event) for event in events} == set(get_args(AnyEvent))


@given(SESSION)
def test_json_and_back(session: Session) -> None:
    assert from_json(to_json(session)) == session


@settings(max_examples=40)
@given(SESSION)
def test_json_fits_the_schema(session: Session) -> None:
    VALIDATOR.validate(msgspec.json.decode(to_json(session)))


def test_json_can_be_read_by_people() -> None:
    event = Command(by="client", verb="EHLO", argument="a.example.com", raw=b"EHLO")
    text = to_json(Session(events=(event,)))
    assert text.startswith('{\n  "format": "ehlo-twice/session",\n  "version": 1,\n')
    assert '\n      "kind": "command",\n' in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "truncated"),
        ("{", "truncated"),
        ("EHLO mx4.example.com", "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b"\x89PNG\r\n\x1a\n", "malformed"),
        ("\ud800", "surrogates"),
        ("[" * 100_000, "array"),
        ('{"x":' + "[" * 100_000, "recursion"),
        ("null", "got `null`"),
        ("[]", "got `array`"),
        ("{}", "`format`"),
        ('{"name": "somebody else\'s", "version": 1}', "`format`"),
        (VALID.replace("ehlo-twice/", "other/"), "$.format"),
        (VALID.replace('"version": 1', '"version": 2'), "$.version"),
        (_with(client={"port": "smtp"}), "$.client.port"),
        (_with(client={"port": 9}).replace("9", "1e999"), "$.client.port"),
        (_with(started="yesterday"), "$.started"),
        (_with(events=[{"kind": "wave"}]), "$.events[0].kind"),
        (_with(events=[{"kind": "connect"}]), "$.events[0]"),
        (_with(events=[{"kind": "reply", "by": "server"}]), "$.events[0]"),
        (_with(wire=[{"at": 0, "to": "client", "data": "%"}]), "$.wire[0].data"),
    ],
)
def test_no_session(text: str | bytes, where: str) -> None:
    with pytest.raises(NotASession) as problem:
        from_json(text)
    assert str(problem.value).startswith("not a session: ")
    assert where in str(problem.value)
    assert "\n" not in str(problem.value)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_no_session(text: str | bytes) -> None:
    with pytest.raises(NotASession):
        from_json(text)


@given(st.data())
def test_a_session_cut_short_in_the_file_is_none(data: st.DataObject) -> None:
    with pytest.raises(NotASession):
        from_json(VALID[: data.draw(st.integers(0, len(VALID) - 3))])


def connects(count: int) -> tuple[Connect, ...]:
    return tuple(Connect(by="client", at=float(number)) for number in range(count))


@pytest.mark.parametrize(
    ("documented", "events", "left"),
    [
        (None, 3, None),
        ((1, 3), 5, (1, 3)),
        ((1, 3), 4, (1, 3)),
        ((1, 3), 3, (1, 2)),
        ((1, 3), 2, (1, 1)),
        ((1, 3), 1, None),
        ((1, 3), 0, None),
        ((1, 3), 99, (1, 3)),
    ],
)
def test_until(
    documented: tuple[int, int] | None, events: int, left: tuple[int, int] | None
) -> None:
    whole = Session(events=connects(5), documented=documented, secrets=("a",))
    cut = whole.until(events)
    assert cut.events == whole.events[:events]
    assert cut.documented == left
    assert cut.secrets == whole.secrets
    assert whole.events == connects(5)


def test_bytes_of_the_wire() -> None:
    session = Session(
        wire=(
            Segment(at=0, to="client", data=b"220 a\r\n"),
            Segment(at=1, to="server", data=b"EHLO"),
            Segment(at=2, to="server", data=b"EHLO", link="server"),
            Segment(at=3, to="server", data=b" b\r\n"),
        )
    )
    assert session.stream("server") == b"EHLO b\r\n"
    assert session.stream("server", "server") == b"EHLO"
    assert session.stream("client", "server") == b""
    assert session.bytes_at(Span(to="server", start=5, end=6)) == b"b"
    assert session.bytes_at(Span(to="client", start=0, end=3)) == b"220"
