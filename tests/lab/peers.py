"""Servers that misbehave, scripted step by step on raw sockets, and a look at what is left behind.

`Server` plays the documented session as it should until `at`, and then does something else.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import selectors
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import pytest

from simulator import explain
from simulator.lab import Scenario, certificates, load
from simulator.lab.play import Lab
from simulator.lab.wire import reset
from simulator.session import Disconnect, Session, from_json, to_json

T = TypeVar("T")

DOCUMENTED = load("documented")
NAME = DOCUMENTED.server.name

CLEAR = ["CONNECT", "EHLO", "STARTTLS"]
INSIDE = ["EHLO inside", "MAIL", "RCPT", "DATA", "MESSAGE", "QUIT"]
STEPS = [*CLEAR, "TLS", *INSIDE]

ANSWERS = {
    "CONNECT": b"220 eq-c601.example.com ESMTP\r\n",
    "EHLO": b"250-eq-c601.example.com\r\n250-SIZE 10485760\r\n250 STARTTLS\r\n",
    "STARTTLS": b"220 Go ahead with TLS\r\n",
    "EHLO inside": b"250-eq-c601.example.com\r\n250 SIZE 10485760\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "DATA": b"354 Go on\r\n",
    "MESSAGE": b"250 OK\r\n",
    "QUIT": b"221 Bye\r\n",
}


class Server:
    """A server of one session, which at step `at` does not answer but `does` something."""

    def __init__(self, at: str = "", does: Callable[[Server], Awaitable[None]] | None = None):
        self.at = at
        self.does = does
        self.got = b""
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[str, int]]:
        """Serve one connection on a port of its own."""
        serving: list[asyncio.Task[None]] = []
        server = await asyncio.start_server(
            lambda reader, writer: serving.append(asyncio.create_task(self._serve(reader, writer))),
            "127.0.0.1",
            0,
        )
        try:
            yield server.sockets[0].getsockname()[:2]
            await asyncio.gather(*serving)
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        with contextlib.suppress(OSError, EOFError):
            await self._script()
            await self.until_it_leaves()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _script(self) -> None:
        for step in STEPS:
            if step == "MESSAGE":
                while not self.got.endswith(b"\r\n.\r\n"):
                    await self._hear()
            elif step == "TLS":
                self._incoming.write(await self._read())
            elif step != "CONNECT":
                while not self.got.endswith(b"\n"):
                    await self._hear()
            self.got = b""
            if step == self.at:
                assert self.does is not None
                await self.does(self)
                return
            if step == "TLS":
                await self._shake_hands()
            else:
                self.say(ANSWERS[step])
                await self.writer.drain()
        self.writer.close()

    async def _shake_hands(self) -> None:
        context = certificates.server_context("valid", NAME)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                self.writer.write(self._outgoing.read())
            self._incoming.write(await self._read())

    async def _read(self) -> bytes:
        data = await self.reader.read(65536)
        if not data:
            raise EOFError
        return data

    async def _hear(self) -> None:
        if self._tls is None:
            self.got += await self._read()
            return
        try:
            self.got += self._tls.read(65536)
        except ssl.SSLWantReadError:
            self._incoming.write(await self._read())

    def sealed(self, data: bytes) -> bytes:
        """`data` as it crosses the wire: in TLS records, where TLS is on."""
        if self._tls is None:
            return data
        for start in range(0, len(data), 65536):
            self._tls.write(data[start : start + 65536])
        return self._outgoing.read()

    def say(self, data: bytes) -> None:
        """Send SMTP text."""
        self.writer.write(self.sealed(data))

    async def until_it_leaves(self) -> None:
        """Read until the client closes."""
        while await self.reader.read(65536):
            pass

    async def close(self) -> None:
        """Close: the client sees the end of what comes, without close_notify."""
        await self.writer.drain()
        self.writer.close()

    async def cut(self) -> None:
        """Cut: the client sees a reset."""
        await self.writer.drain()
        reset(self.writer.transport)


PATIENCE = 60.0
"""Seconds of the client's patience: more than any machine needs, however busy it is. Where a test
waits for it to run out, `hurried` makes that short."""

QUIET = 0.1
"""Seconds after which nobody on this machine has anything more to say."""


class _HurriedSelector(selectors.DefaultSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        wait = timeout if timeout is None else min(timeout, QUIET)
        found = super().select(wait)
        if not found and timeout is not None and wait is not None:
            self.skipped += max(0.0, timeout - wait)
        return found


class _HurriedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._hurried = _HurriedSelector()
        super().__init__(self._hurried)

    def time(self) -> float:
        return super().time() + self._hurried.skipped


def hurried(work: Coroutine[Any, Any, T]) -> T:
    """Run peers, all of them in this loop, whose clock leaps over the time in which all only wait.

    So they can have long patience, which does not run out early on a busy machine.
    """
    with asyncio.Runner(loop_factory=_HurriedLoop) as runner:
        return runner.run(work)


def meet(server: Server, tls: Literal["1.2", "1.3"] = "1.3", body: str = "Hi.\n") -> Session:
    """The documented client meets that server."""

    async def session() -> Session:
        lab = Lab(scenario(client={"patience": PATIENCE, "tls_version": tls}, mail={"body": body}))
        async with server.listening() as lab.address:
            played = await lab.session()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return played

    return hurried(session())


def ending(session: Session) -> tuple[str, str]:
    """By whom and why the session ended. It is told once, by the last event; and whatever the
    session is, it can be written, read back, and explained."""
    ends = [event for event in session.events if isinstance(event, Disconnect)]
    assert ends == [session.events[-1]]
    assert from_json(to_json(session)) == session
    explanation = explain(session)
    assert len(explanation.steps) == len(session.events)
    return ends[0].by, ends[0].reason


def scenario(**tables: dict[str, Any]) -> Scenario:
    """The documented scenario with other values in some of its tables."""
    changed = {
        table: msgspec.structs.replace(getattr(DOCUMENTED, table), **values)
        for table, values in tables.items()
    }
    return msgspec.structs.replace(DOCUMENTED, **changed)


def _open_files() -> set[tuple[str, str]]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        with contextlib.suppress(OSError):
            found.add((entry.name, str(entry.readlink())))
    # Key logs, which have no name, stay open as long as the process; pytest's captures are deleted.
    return {(n, to) for n, to in found if not re.match(r"/proc/|.*\(deleted\)$", to)}


@contextlib.contextmanager
def nothing_left_behind(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail if a file, a socket or a thread stays open, or anybody complains anywhere."""
    # What is there already need not be looked through again.
    gc.freeze()
    files, threads = _open_files(), set(threading.enumerate())
    with caplog.at_level(logging.WARNING):
        yield
    gc.collect()
    # Else each lab that opens later counts all of it.
    gc.unfreeze()
    left = {
        "files and sockets": _open_files() - files,
        "threads": set(threading.enumerate()) - threads,
        "output": [text for text in capfd.readouterr() if text],
        # In the teardown of a fixture `records` holds what came in the teardown only. Of writing to
        # a peer that has reset the connection asyncio tells, and nothing is wrong.
        "complaints": [
            record.getMessage()
            for record in caplog.get_records("call")
            if record.getMessage() != "socket.send() raised exception."
        ],
    }
    assert not any(left.values()), left
