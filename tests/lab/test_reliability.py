"""Peers that hang, cut the line or lie: each session ends in time, tells the truth about its end,
and leaves nothing behind.

For each fault one table row: at which step, what the peer does, and how the session must end.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import explain
from simulator.lab import Scenario, play
from simulator.lab.play import Lab, played
from simulator.lab.server import LIFETIME
from simulator.lab.wire import LINGER
from simulator.session import Command, Handshake, Message, Reply, Session
from tests.lab.peers import (
    ANSWERS,
    INSIDE,
    NAME,
    PATIENCE,
    STEPS,
    Server,
    ending,
    hurried,
    meet,
    nothing_left_behind,
    scenario,
)

Does = Callable[[Server], Awaitable[None]]

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def tidy(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with nothing_left_behind(capfd, caplog):
        yield


def how_far(session: Session) -> str:
    """The last step that the client took."""
    steps = []
    for event in session.events:
        match event:
            case Command():
                steps.append(f"{event.verb} inside" if event.secure else event.verb)
            case Handshake():
                steps.append("TLS")
            case Message():
                steps.append("MESSAGE")
    return steps[-1] if steps else "CONNECT"


def handshake_error(session: Session) -> str:
    handshake = session.events[-2]
    assert isinstance(handshake, Handshake)
    return handshake.error


def reached(step: str) -> str:
    return f"{step} inside" if step in INSIDE and step not in ("EHLO inside", "MESSAGE") else step


@pytest.mark.parametrize("step", STEPS)
def test_server_falls_silent(step: str) -> None:
    session = meet(Server(step, Server.until_it_leaves))
    assert ending(session) == ("client", "timeout")
    assert how_far(session) == reached(step)
    assert PATIENCE <= session.events[-1].at < 1.9 * PATIENCE


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("does", "reason"), [(Server.close, "closed"), (Server.cut, "cut")])
def test_server_breaks_the_line(
    step: str, does: Does, reason: str, tls: Literal["1.2", "1.3"]
) -> None:
    session = meet(Server(step, does), tls=tls)
    assert ending(session) == ("server", reason)
    assert how_far(session) == reached(step)
    if step == "TLS":
        assert handshake_error(session) == "cut"


@pytest.mark.parametrize("step", ANSWERS)
@pytest.mark.parametrize(("does", "reason"), [(Server.close, "closed"), (Server.cut, "cut")])
def test_server_breaks_the_line_in_the_middle_of_a_reply(
    step: str, does: Does, reason: str
) -> None:
    async def half(server: Server) -> None:
        server.say(ANSWERS[step][:-2])
        await does(server)

    session = meet(Server(step, half))
    assert ending(session) == ("server", reason)
    begun = session.events[-2]
    assert isinstance(begun, Reply)
    assert begun.raw == ANSWERS[step][:-2]
    assert begun.code == 0


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("step", INSIDE)
@pytest.mark.parametrize(("does", "reason"), [(Server.close, "closed"), (Server.cut, "cut")])
def test_server_breaks_the_line_in_the_middle_of_a_record(
    step: str, does: Does, reason: str, tls: Literal["1.2", "1.3"]
) -> None:
    async def half(server: Server) -> None:
        server.writer.write(server.sealed(ANSWERS[step])[:-3])
        await does(server)

    session = meet(Server(step, half), tls=tls)
    assert ending(session) == ("server", reason)
    assert how_far(session) == reached(step)


@pytest.mark.parametrize("step", ["CONNECT", "TLS", "EHLO inside"])
def test_server_drips(step: str) -> None:
    async def drip(server: Server) -> None:
        for byte in itertools.cycle(b"\x16\x03\x03\x40\x00" + b"x" * 9999):
            server.writer.write(bytes([byte]))
            await server.writer.drain()
            await asyncio.sleep(PATIENCE / 10)

    session = meet(Server(step, drip))
    assert ending(session) == ("client", "timeout")
    assert PATIENCE <= session.events[-1].at < 1.9 * PATIENCE


def test_server_does_not_close_after_its_goodbye() -> None:
    async def stay(server: Server) -> None:
        server.say(ANSWERS["QUIT"])
        await server.until_it_leaves()

    assert ending(meet(Server("QUIT", stay))) == ("client", "quit")


def test_server_never_reads() -> None:
    async def sleep(server: Server) -> None:
        server.say(ANSWERS["DATA"])
        await asyncio.sleep(PATIENCE + LINGER + 1)

    session = meet(Server("DATA", sleep), body=("x" * 60 + "\n") * (4 * MIB // 61))
    assert ending(session) == ("client", "timeout")
    assert PATIENCE <= session.events[-1].at < 1.9 * PATIENCE


FLOODS = {
    "a line of 10 MB": b"250 " + b"x" * 10 * MIB + b"\r\n",
    "a line without end": b"x" * 10 * MIB,
    "a reply of 10 MB": b"250-x\r\n" * (10 * MIB // 7),
    "empty lines": b"\r\n" * MIB,
    "zeros": bytes(10 * MIB),
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "QUIT"])
def test_server_floods(step: str, flood: str) -> None:
    async def pour(server: Server) -> None:
        server.say(FLOODS[flood])
        await server.writer.drain()

    session = meet(Server(step, pour))
    assert ending(session) == ("client", "given up")
    assert isinstance(session.events[-2], Reply | Command)
    assert len(session.stream("client")) < 2 * MIB
    assert all(len(event.raw) < MIB for event in session.events)


@pytest.mark.parametrize("record", [b"\x16\x03\x03\x00\x00", b"\x14\x03\x03\x00\x01\x01"])
def test_server_floods_the_handshake(record: bytes) -> None:
    async def pour(server: Server) -> None:
        server.writer.write(record * MIB)
        await server.writer.drain()

    session = meet(Server("TLS", pour))
    assert ending(session) == ("client", "given up")
    assert handshake_error(session)


NO_REPLIES = [
    b"abc def\r\n",
    b"\r\n",
    b"2x0 OK\r\n",
    b"25 OK\r\n",
    b"2500 OK\r\n",
    b"-50 OK\r\n",
    b"000 OK\r\n",
    b"199 OK\r\n",
    b"999 OK\r\n",
    b"\0\0\0\0\r\n",
    b"\xff\xfe\xfd OK\r\n",
    "２５０ OK\r\n".encode(),
    b"250-OK\r\nrubbish\r\n",
    b"250-OK\r\n\0\r\n",
]


@pytest.mark.parametrize("step", ["CONNECT", "STARTTLS", "MESSAGE"])
@pytest.mark.parametrize("text", NO_REPLIES)
def test_server_talks_nonsense(step: str, text: bytes) -> None:
    async def babble(server: Server) -> None:
        server.say(text)
        await server.close()

    session = meet(Server(step, babble))
    assert ending(session) == ("client", "given up")
    assert not explain(session).verdict.delivered
    assert any(event.raw == text for event in session.events)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"250 OK\n", ("OK",)),
        (b"250\r\n", ("",)),
        (b"250 caf\xc3\xa9\r\n", ("café",)),
        (b"250 caf\xe9\r\n", ("caf\\xe9",)),
        (b"250 a\0b\x1b[2J\r\n", ("a\0b\x1b[2J",)),
        (b"250-a\n250-\r\n250 b\r\n", ("a", "", "b")),
    ],
)
def test_server_is_only_careless(text: bytes, lines: tuple[str, ...]) -> None:
    async def mumble(server: Server) -> None:
        server.say(text)
        await server.close()

    session = meet(Server("MAIL", mumble))
    answer = next(event for event in session.events if event.raw == text)
    assert isinstance(answer, Reply)
    assert (answer.code, answer.lines) == (250, lines)
    assert ending(session) == ("server", "closed")


@pytest.mark.parametrize("text", [b"250 plain text\r\n", b"\x17\x03\x03\x00\x20" + b"x" * 32])
def test_server_leaves_tls_in_mid_session(text: bytes) -> None:
    async def forget(server: Server) -> None:
        server.writer.write(text)

    assert ending(meet(Server("MAIL", forget))) == ("client", "given up")


def test_data_is_sent_only_after_354() -> None:
    async def agree(server: Server) -> None:
        server.say(b"250 OK\r\n")
        await server.close()

    session = meet(Server("DATA", agree))
    assert how_far(session) == "QUIT inside"


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.sampled_from(STEPS), text=st.binary(max_size=400), whole=st.booleans())
def test_server_sends_anything(step: str, text: bytes, whole: bool) -> None:
    async def rave(server: Server) -> None:
        if step == "TLS" or whole:
            server.writer.write(text)
        else:
            server.say(text)
        await server.close()

    ending(meet(Server(step, rave)))


VERBS = ["EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("verb", VERBS)
def test_lab_server_cuts_the_line(verb: str) -> None:
    session = play(scenario(server={"cuts_at": verb}))
    assert ending(session) == ("server", "cut")
    assert how_far(session).startswith(verb)


@pytest.mark.parametrize("verb", VERBS)
def test_lab_server_falls_silent(verb: str) -> None:
    session = hurried(played(scenario(server={"silent_at": verb}, client={"patience": PATIENCE})))
    assert ending(session) == ("client", "timeout")
    assert how_far(session).startswith(verb)


@pytest.mark.parametrize("verb", ["EHLO", "STARTTLS"])
def test_middlebox_cuts_the_line(verb: str) -> None:
    session = play(scenario(middlebox={"does": "cut", "at": verb}))
    assert ending(session) == ("middlebox", "cut")
    assert how_far(session).startswith(verb)


def in_the_clear(talk: bytes) -> Callable[[socket.socket], None]:
    def client(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(talk)

    return client


def half_a_handshake(connection: socket.socket) -> None:
    in_the_clear(b"STARTTLS\r\n\x16\x03\x01\x02\x00\x01")(connection)
    connection.recv(1000)


def no_tls_after_all(connection: socket.socket) -> None:
    in_the_clear(b"STARTTLS\r\n")(connection)
    connection.recv(1000)
    connection.sendall(b"EHLO plain.example.com\r\n")


def inside(talk: bytes) -> Callable[[socket.socket], None]:
    def client(connection: socket.socket) -> None:
        in_the_clear(b"EHLO a.example.com\r\n")(connection)
        connection.recv(1000)
        connection.sendall(b"STARTTLS\r\n")
        connection.recv(1000)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(9999))
        tls.write(talk)
        connection.sendall(outgoing.read())

    return client


CLIENTS: dict[str, Callable[[socket.socket], None]] = {
    "says nothing": lambda _: None,
    "says half a word": in_the_clear(b"EHL"),
    "says EHLO and leaves": in_the_clear(b"EHLO a.example.com\r\n"),
    "sends a line without end": in_the_clear(b"x" * MIB),
    "sends nonsense": in_the_clear(b"\0\xff\r\n\r\n \r\nEHLO\r\nMAIL\r\n" * 100),
    "sends what is no command": in_the_clear(b"BOGUS\r\n" * 100),
    "leaves in the message": in_the_clear(
        b"EHLO a.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx"
    ),
    "leaves in the handshake": half_a_handshake,
    "talks plain text after 220": no_tls_after_all,
    "leaves inside TLS": inside(b"EHLO a.example.com\r\n"),
    "leaves inside TLS in mid line": inside(b"EHL"),
    "asks for TLS inside TLS": inside(b"EHLO a\r\nSTARTTLS\r\nSTARTTLS\r\nQUIT\r\n"),
    "leaves inside the message": inside(
        b"EHLO a.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx"
    ),
}

PATIENT = {"patience": PATIENCE}
WAYS: dict[str, Scenario] = {
    "server": scenario(client=PATIENT),
    "through a middlebox": scenario(client=PATIENT, middlebox={"does": "mask"}),
    "implicit TLS": scenario(client=PATIENT | {"tls": "implicit"}, server={"implicit_tls": True}),
}

STAYS = 0.5
"""Seconds after which a stranger who gets no answer gives up."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaves", ["orderly", "by reset", "not at all"])
def test_strange_clients(leaves: str, way: str) -> None:
    def misbehave(client: Callable[[socket.socket], None], connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client(connection)
        if leaves == "by reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if leaves != "not at all":
            connection.close()

    async def all_at_once() -> Session:
        async with Lab(WAYS[way]).open() as lab:
            connections = [socket.create_connection(lab.address, STAYS) for _ in CLIENTS]
            strangers = [
                asyncio.create_task(asyncio.to_thread(misbehave, client, connection))
                for client, connection in zip(CLIENTS.values(), connections, strict=True)
            ]
            own = await lab.session()
            await asyncio.gather(*strangers)
        for connection in connections:
            connection.close()
        return own

    begun = time.monotonic()
    assert ending(asyncio.run(all_at_once())) == ("server", "quit")
    assert time.monotonic() - begun < LIFETIME / 10


def test_fifty_at_once() -> None:
    async def fifty() -> list[Session]:
        async with Lab(scenario(client=PATIENT)).open() as lab:
            return await asyncio.gather(*(lab.session() for _ in range(50)))

    sessions = asyncio.run(fifty())
    assert {ending(session) for session in sessions} == {("server", "quit")}
    assert {len(session.events) for session in sessions} == {21}
    assert len({session.secrets for session in sessions}) == 50


def test_fifty_that_hang_at_once() -> None:
    async def fifty() -> list[Session]:
        hanging = scenario(server={"silent_at": "MAIL"}, client=PATIENT)
        return await asyncio.gather(*(played(hanging) for _ in range(50)))

    sessions = hurried(fifty())
    assert all(PATIENCE <= session.events[-1].at < 1.9 * PATIENCE for session in sessions)
    assert {ending(session) for session in sessions} == {("client", "timeout")}


@pytest.mark.parametrize("steps", range(4))
def test_a_lab_that_closes_while_strangers_stay(steps: int) -> None:
    """A relay that is cancelled is nothing that asyncio complains of."""

    async def leave() -> None:
        async with Lab(WAYS["through a middlebox"]).open() as lab:
            strangers = [await asyncio.open_connection(*lab.address) for _ in range(5)]
            for _ in range(steps):
                await asyncio.sleep(0.02)
        for _, writer in strangers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    asyncio.run(leave())
