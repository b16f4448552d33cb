"""Playing a scenario: peers on loopback, one session, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from simulator.lab import certificates
from simulator.lab.client import Client
from simulator.lab.middlebox import Middlebox
from simulator.lab.policy import Scenario
from simulator.lab.server import Server
from simulator.lab.tap import Tap
from simulator.session import AnyEvent, Command, Peer, Session

T = TypeVar("T")

LOOPBACK = "127.0.0.1"

GRACE = 2.0
"""Seconds that the peers have to leave when the session is over."""


class LabError(RuntimeError):
    """The lab cannot be set up on this machine: the message says why."""


class Lab:
    """A listening server, and perhaps a middlebox before it, for any number of sessions."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        loop = asyncio.get_running_loop()
        self._taps: dict[int, asyncio.Future[Tap]] = defaultdict(loop.create_future)
        self._servers: set[Server] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._address = (LOOPBACK, 0)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Lab]:
        """The lab while it listens. Raises `LabError` when no port can be had."""
        listening = []
        try:
            listening.append(await self._listen_as_server())
            if self.scenario.middlebox.does != "nothing":
                listening.append(await self._listen_as_middlebox())
            yield self
        finally:
            for server in listening:
                server.close()
            await self._all_gone()
            for server in listening:
                await server.wait_closed()

    async def session(self) -> Session:
        """Play the session once."""
        scenario = self.scenario
        tap = Tap()
        client = Client(scenario.client, scenario.mail, tap, scenario.server.name)
        ports = []

        def connected(port: int) -> None:
            ports.append(port)
            self._taps[port].set_result(tap)

        started = datetime.now(UTC)
        try:
            await client.run(*self._address, connected)
        except OSError as error:
            raise LabError(f"no connection on {LOOPBACK}: {error.strerror or error}") from None
        await self._settled(tap)
        for port in ports:
            del self._taps[port]
        return _session(scenario, tap, started, ports[0], self._address[1])

    async def _settled(self, tap: Tap) -> None:
        """The server may still be writing down what it did last."""
        waiting = [server.gone for server in self._servers if server.tap() is tap]
        if waiting:
            await asyncio.wait(waiting, timeout=GRACE)

    def _connection(self) -> Server:
        server = Server(self.scenario.server, lambda port: self._taps[port].result())
        self._servers.add(server)
        server.gone.add_done_callback(lambda _: self._servers.discard(server))
        return server

    async def _listen_as_server(self) -> asyncio.Server:
        policy = self.scenario.server
        context = None
        if policy.implicit_tls:
            context = certificates.server_context(
                policy.certificate, policy.name, asks_certificate=policy.asks_certificate
            )
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._connection, LOOPBACK, 0, ssl=context)
        except OSError as error:
            raise LabError(f"no port on {LOOPBACK}: {error.strerror or error}") from None
        self._address = server.sockets[0].getsockname()[:2]
        return server

    async def _listen_as_middlebox(self) -> asyncio.Server:
        behind = self._address

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)
            tap = await self._taps[writer.get_extra_info("peername")[1]]
            box = Middlebox(self.scenario.middlebox, tap)
            await box.serve(reader, writer, behind, lambda port: self._taps[port].set_result(tap))

        try:
            server = await asyncio.start_server(relay, LOOPBACK, 0)
        except OSError as error:
            raise LabError(f"no port on {LOOPBACK}: {error.strerror or error}") from None
        self._address = server.sockets[0].getsockname()[:2]
        return server

    async def _all_gone(self) -> None:
        """Nobody is left behind: who has not gone by now is shown out."""
        for patience in (GRACE / 10, GRACE):
            waiting = [*(server.gone for server in self._servers), *self._relays]
            if not waiting:
                return
            await asyncio.wait(waiting, timeout=patience)
            for server in list(self._servers):
                server.show_out()
            for task in list(self._relays):
                task.cancel()


async def played(scenario: Scenario) -> Session:
    """The session that this scenario's peers really have. Raises `LabError`."""
    async with Lab(scenario).open() as lab:
        return await lab.session()


def play(scenario: Scenario) -> Session:
    """`played` for callers without an event loop, or within one (as in a notebook)."""
    return run(played(scenario))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    result: list[T] = []
    problem: list[BaseException] = []

    def target() -> None:
        try:
            result.append(asyncio.run(work))
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=target, name="ehlo-twice lab")
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
    return result[0]


def _session(
    scenario: Scenario, tap: Tap, started: datetime, client_port: int, server_port: int
) -> Session:
    events = tuple(tap.all_events())
    document = scenario.document
    return Session(
        scenario=scenario.name,
        connection=document.connection if document else str(client_port),
        started=document.clock if document else started,
        client=Peer(name=scenario.client.name, address=LOOPBACK, port=client_port),
        server=Peer(name=scenario.server.name, address=LOOPBACK, port=server_port),
        implicit_tls=scenario.client.tls == "implicit",
        documented=_documented(scenario, events),
        events=events,
        wire=tuple(tap.segments),
        secrets=tap.secrets,
    )


def _documented(scenario: Scenario, events: tuple[AnyEvent, ...]) -> tuple[int, int] | None:
    """Which events the documented log shows: from its first command to its last."""
    if scenario.document is None:
        return None
    verbs = [event.verb if isinstance(event, Command) else "" for event in events]
    if scenario.document.first not in verbs:
        return None
    first = verbs.index(scenario.document.first)
    last = len(verbs) - 1
    if scenario.document.last in verbs:
        last = verbs.index(scenario.document.last)
    return first, last
