"""Playing a scenario: peers on loopback, one session, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import msgspec

from simulator import tls
from simulator.errors import Error, reason
from simulator.lab import engine
from simulator.lab.client import Client
from simulator.lab.engine import certificates
from simulator.lab.middlebox import Middlebox
from simulator.lab.policy import Scenario
from simulator.lab.server import Server, context_of
from simulator.lab.tap import Tap
from simulator.lab.wire import abort
from simulator.session import AnyEvent, Command, Peer, Session

T = TypeVar("T")

LOOPBACK = "127.0.0.1"

GRACE = 2.0
"""Seconds that the peers have to leave when the session is over."""

CONNECTING = 30.0
"""Seconds until a connection within the lab is up: at once, unless the machine has much to do."""

WAITING = 1024
"""Connections that may wait to be taken: a whole class that connects at once is served, and whoever
is too much is told so. Where the system allows fewer, it is fewer."""

FILES = 64
"""Files and sockets that must be allowed to be open: one session needs 14 of them."""


class LabError(Error, RuntimeError):
    """The lab cannot be set up on this machine: the message says why."""


class _Played(NamedTuple):
    """A session, and the TLS session that another connection may resume."""

    session: Session
    resumable: ssl.SSLSession | None


class _Sparing:
    """What is there already is not looked through for garbage while a lab is open: it is much,
    stays, and each few sessions would have all of it looked through again."""

    def __init__(self) -> None:
        self._labs = 0
        self._ours = False

    def __enter__(self) -> None:
        if not self._labs:
            # To count what is frozen takes as long as to look through it: once is enough.
            self._ours = not gc.get_freeze_count()
            if self._ours:
                gc.freeze()
        self._labs += 1

    def __exit__(self, *_: object) -> None:
        self._labs -= 1
        if self._ours and not self._labs:
            gc.unfreeze()


_sparing = _Sparing()


class Lab:
    """A listening server, and perhaps a middlebox before it, for any number of sessions.

    `address` is where it listens: at `port`, or at one that is free. Its own client is tapped;
    strangers are served too.
    """

    def __init__(self, scenario: Scenario, port: int = 0) -> None:
        self.scenario = scenario
        self._port = port
        self._host = LOOPBACK
        self.address = (LOOPBACK, 0)
        self._taps: dict[int, Tap] = {}
        self._servers: weakref.WeakSet[Server] = weakref.WeakSet()
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def _has_middlebox(self) -> bool:
        return self.scenario.middlebox.does != "nothing"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Lab]:
        """The lab while it listens. Raises `LabError` when no port can be had."""
        listening = []
        try:
            listening.append(await self._listen_as_server())
            if self._has_middlebox:
                listening.append(await self._listen_as_middlebox())
            with _sparing:
                yield self
        finally:
            for server in listening:
                server.close()
            await self._all_gone()

    async def session(self) -> Session:
        """Play the session once; where the client resumes a TLS session, after an earlier
        connection by which it comes by one, and which is not told."""
        resumed = None
        if self.scenario.client.resumes:
            resumed = (await self._played(earlier=True)).resumable
        return (await self._played(resumed)).session

    async def _played(
        self, resumed: ssl.SSLSession | None = None, *, earlier: bool = False
    ) -> _Played:
        """One connection, whose handshake may resume a TLS session."""
        scenario = self.scenario
        tap = Tap(scenario.document.clock if scenario.document else None)
        tap.server_certificate = certificates.shown(
            scenario.server.shows(named=scenario.client.names_server), scenario.server.name
        )
        tap.ends_in_front = scenario.middlebox.does == "end-tls"
        client = self._client(tap)
        client.resumed = resumed
        if earlier:
            client.policy = msgspec.structs.replace(client.policy, after_handshake="EHLO")
        started = datetime.now(UTC)
        tap.connecting()
        async with self._connection(tap, self.address) as connection:
            port = connection.getsockname()[1]
            await client.run(connection)
            await self._settled(tap)
        session = _session(scenario, tap, started, port, self.address[1])
        return _Played(session, client.wire.resumable)

    @contextlib.asynccontextmanager
    async def _connection(self, tap: Tap, to: tuple[str, int]) -> AsyncIterator[socket.socket]:
        """A connection whose other end will find the tap: its port is known before it is up."""
        with contextlib.ExitStack() as until_closed:
            try:
                connection = until_closed.enter_context(engine.connection())
                connection.setblocking(False)
                connection.bind((LOOPBACK, 0))
                port = connection.getsockname()[1]
                self._taps[port] = tap
                until_closed.callback(self._untap, port, tap)
                async with asyncio.timeout(CONNECTING):
                    await asyncio.get_running_loop().sock_connect(connection, to)
            except OSError as error:
                why = error.strerror or "nobody answers"
                raise LabError(f"no connection on {LOOPBACK}: {why}") from None
            yield connection

    def _client(self, tap: Tap) -> Client:
        """The client of one session."""
        scenario = self.scenario
        return Client(scenario.client, scenario.mail, tap, scenario.server.name, self._tlsa())

    def _tlsa(self) -> bytes:
        """What signed DNS, which the lab has not, would say of the server's key."""
        which = self.scenario.client.tlsa
        if not which:
            return b""
        has = "valid" if self._certificate() == "by-name" else self._certificate()
        # Each kind of certificate has a key of its own.
        kind = has if which == "present" else "valid" if has == "expired" else "expired"
        return sha256(tls.public_key(certificates.der(kind, self.scenario.server.name))).digest()

    async def _settled(self, tap: Tap) -> None:
        """The server may still be writing down what it did last."""
        waiting = [server.gone for server in self._servers if server.tap is tap]
        if waiting:
            await asyncio.wait(waiting, timeout=GRACE)

    def _untap(self, port: int, tap: Tap) -> None:
        """Once a connection is closed, its port may have been given to a later one."""
        if self._taps.get(port) is tap:
            del self._taps[port]

    def _tap(self, port: int) -> Tap:
        """The tap of the connection that comes from that port; a stranger's is not kept."""
        return self._taps.get(port) or Tap()

    def _certificate(self) -> str:
        """The kind of certificate that the server shows."""
        return self.scenario.server.certificate

    def _serve(self) -> Server:
        server = Server(self.scenario.server, self._tap)
        self._servers.add(server)
        return server

    async def _listen_as_server(self) -> asyncio.Server:
        policy = self.scenario.server
        context = self._context() if policy.implicit_tls else None
        loop = asyncio.get_running_loop()
        patience = GRACE if context else None
        return await self._listening(
            loop.create_server(
                self._serve,
                LOOPBACK,
                0 if self._has_middlebox else self._port,
                ssl=context,
                ssl_handshake_timeout=patience,
                backlog=WAITING,
            )
        )

    def _context(self) -> ssl.SSLContext:
        return context_of(self.scenario.server, self._certificate())

    async def _listen_as_middlebox(self) -> asyncio.Server:
        behind = self.address

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tap = self._tap(writer.get_extra_info("peername")[1])
            try:
                async with self._connection(tap, behind) as far:
                    await self._middlebox(tap).serve(reader, writer, far)
            except LabError:
                pass

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._full():
                writer.write(b"421 4.3.2 Too many connections, try again later\r\n")
                writer.close()
                return
            # A task of ours: asyncio before 3.12 complains of one of its own that is cancelled.
            task = asyncio.create_task(relay(reader, writer))
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)
            task.add_done_callback(lambda _: abort(writer.transport))

        ends_tls = self.scenario.middlebox.does == "end-tls"
        return await self._listening(
            asyncio.start_server(
                accept,
                self._host,
                self._port,
                ssl=self._context() if ends_tls else None,
                ssl_handshake_timeout=GRACE if ends_tls else None,
                backlog=WAITING,
            )
        )

    def _full(self) -> bool:
        """Is there no room for one more?"""
        return False

    def _middlebox(self, tap: Tap) -> Middlebox:
        expected = self.scenario.server.expects_proxy
        return Middlebox(self.scenario.middlebox, tap, expected=expected)

    async def _listening(self, setting_up: Awaitable[asyncio.Server]) -> asyncio.Server:
        try:
            server = await setting_up
        except OSError as error:
            which = f"port {self._port}" if self._port else "port"
            other = "; --port takes another" if self._port else ""
            raise LabError(f"no {which} on {self._host}: {reason(error)}{other}") from None
        self.address = server.sockets[0].getsockname()[:2]
        return server

    async def _all_gone(self) -> None:
        """Nobody is left behind: who has not gone by now is shown out."""
        for patience in (GRACE / 10, GRACE):
            # A server without a transport is gone, or never had a connection.
            serving = [server for server in self._servers if server.transport is not None]
            waiting = [*(server.gone for server in serving), *self._relays]
            if not waiting:
                return
            await asyncio.wait(waiting, timeout=patience)
            for server in serving:
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
    """Run a coroutine to its end, in a thread of its own where a loop is already running.

    Raises `LabError` where the process may not open the files and sockets that the lab needs.
    """
    if engine.chosen() == "memory":
        from simulator.lab.memory import network

        return network.run(work)
    try:
        _room_for_files()
    except LabError:
        work.close()
        raise
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        return await work

    with ThreadPoolExecutor(1, "ehlo-twice lab") as thread:
        try:
            return thread.submit(asyncio.run, cancellable()).result()
        except KeyboardInterrupt:
            for loop, task in running:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(task.cancel)
            raise


def _room_for_files() -> None:
    if sys.platform == "win32":
        return
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= most < FILES:
        raise LabError(
            f"only {most} files may be open at a time: allow {FILES} (`ulimit -n {FILES}`)"
        )


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
