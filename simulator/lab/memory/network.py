"""A network in memory, and an event loop for it: asyncio without sockets, selectors or threads.

The loop is asyncio's own with a selector that never waits: where nothing is ready, its clock jumps
to the next timer, so that a timeout of five seconds costs nothing. Private parts of asyncio are
used, as they are in Python 3.11 to 3.14.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from asyncio import base_events, events, protocols, sslproto, tasks
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, TypeVar

from simulator.language import N_, Told

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
FIRST_PORT = 49152
"""Where the ports begin that nobody is named for (RFC 6335 §6)."""

Protocol = asyncio.BaseProtocol
Item = bytes | ConnectionResetError | None
"""What travels: octets, a reset, or None where one end says that it will say no more."""


class Stuck(Told, RuntimeError):
    """Nothing is ready and no timer runs: nothing would ever happen."""


class _Selector:
    """Waits for nothing: it lets the time pass."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck(N_("the session stands still: nobody has anything left to wait for"))
        self._loop.skipped += max(timeout, 0)
        return []

    def close(self) -> None:
        pass


class End:
    """One end of a connection; to the lab it is what a socket is."""

    def __init__(self) -> None:
        self.port = 0
        self.peer: End | None = None
        self.inbox: deque[Item] = deque()
        self.transport: Transport | None = None
        self.resets = False
        self._closed = False

    def setblocking(self, flag: bool) -> None:
        """Nothing here blocks."""

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        """The lab sets one option, SO_LINGER: to reset the connection when it is closed."""
        self.resets = True

    def bind(self, address: tuple[str, int]) -> None:
        """Take a port of one's own."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        self.port = loop.new_port()

    def getsockname(self) -> tuple[str, int]:
        """Address and port of this end."""
        return LOOPBACK, self.port

    def getpeername(self) -> tuple[str, int]:
        """Address and port of the other end."""
        assert self.peer is not None
        return LOOPBACK, self.peer.port

    def push(self, item: Item) -> None:
        """Something arrives at this end."""
        self.inbox.append(item)
        if self.transport is not None:
            self.transport.wake()

    def close(self) -> None:
        """Close this end, whether anybody has taken it over or not."""
        if self.transport is not None:
            self.transport.abort()
        elif not self._closed:
            self._closed = True
            if self.peer is not None:
                self.peer.push(None)

    def __enter__(self) -> End:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Transport(asyncio.Transport):
    """What asyncio writes to and reads from, over one end."""

    def __init__(self, loop: Loop, end: End, protocol: Protocol) -> None:
        super().__init__(
            {"peername": end.getpeername(), "sockname": end.getsockname(), "socket": end}
        )
        self._loop = loop
        self._end = end
        self._paused = self._closing = self._pumping = False
        self.set_protocol(protocol)
        end.transport = self
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self.wake)

    def set_protocol(self, protocol: Protocol) -> None:
        """Who is told from now on what arrives."""
        self._protocol: Any = protocol

    def get_protocol(self) -> Protocol:
        """Who is told what arrives."""
        assert isinstance(self._protocol, asyncio.BaseProtocol)
        return self._protocol

    def is_closing(self) -> bool:
        """Is it closed, or about to be?"""
        return self._closing

    def is_reading(self) -> bool:
        """Does it hand on what arrives?"""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand on what was kept, and what arrives."""
        self._paused = False
        self.wake()

    def wake(self) -> None:
        """Look at what has arrived, soon."""
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        inbox = self._end.inbox
        if self._paused or self._closing or not inbox:
            return
        item = inbox.popleft()
        if inbox:
            self.wake()
        if item is None:
            if not self._protocol.eof_received():
                self.close()
        elif isinstance(item, ConnectionResetError):
            self._lose(item)
        elif isinstance(self._protocol, asyncio.BufferedProtocol):
            protocols._feed_data_to_buffered_proto(self._protocol, item)  # type: ignore[attr-defined]
        else:
            self._protocol.data_received(item)

    def _push(self, item: Item) -> None:
        assert self._end.peer is not None
        self._end.peer.push(item)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        if data and not self._closing:
            self._push(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send octets, at once."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more will come."""
        if not self._closing:
            self._push(None)

    def get_write_buffer_size(self) -> int:
        """Nothing is ever kept back."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever kept back."""

    def close(self) -> None:
        """Close the connection: in order, or by a reset where that was asked for."""
        if not self._closing:
            end = self._end
            self._push(ConnectionResetError(errno.ECONNRESET, "reset") if end.resets else None)
            self._lose(None)

    def abort(self) -> None:
        """Close the connection; nothing is ever kept back that could be lost."""
        self.close()

    def _force_close(self, error: Exception | None) -> None:
        # asyncio.sslproto calls this where a handshake fails.
        self.close()

    def _lose(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)


class Listening:
    """A port at which somebody listens."""

    def __init__(self, loop: Loop, accept: Callable[[End], None]) -> None:
        self._loop = loop
        self._port = loop.new_port()
        self.accept = accept
        self.sockets = (self,)
        loop.listening[self._port] = self

    def getsockname(self) -> tuple[str, int]:
        """Where."""
        return LOOPBACK, self._port

    def close(self) -> None:
        """Listen no more."""
        self._loop.listening.pop(self._port, None)

    async def wait_closed(self) -> None:
        """It is closed at once."""


class Loop(base_events.BaseEventLoop):
    """asyncio's loop over ends in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector(self)
        self.skipped = 0.0
        self.listening: dict[int, Listening] = {}
        self._ports = FIRST_PORT

    def time(self) -> float:
        """Seconds that have passed, waited for or not."""
        return time.monotonic() + self.skipped

    def new_port(self) -> int:
        """A port that nobody has."""
        self._ports += 1
        return self._ports

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    async def create_server(self, *args: Any, **settings: Any) -> Any:
        """Listen: `args` are what makes a protocol, and a host and a port that do not matter."""
        factory, context = args[0], settings.get("ssl")
        patience = settings.get("ssl_handshake_timeout")

        def accept(end: End) -> None:
            self._attach(factory(), end, context, server_side=True, patience=patience)

        return Listening(self, accept)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connect an end to who listens at that port. Raises ConnectionRefusedError."""
        self.connect(sock, address[1])

    def connect(self, end: End, port: int) -> None:
        """Connect an end to who listens at that port. Raises ConnectionRefusedError."""
        there = self.listening.get(port)
        if there is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        far = End()
        far.port, far.peer, end.peer = port, end, far
        self.call_soon(there.accept, far)

    def wait(self, ready: Callable[[], bool], until: float) -> None:
        """Let everybody else go on until that is so, or it is that late: for who blocks, in a task
        of this loop."""
        task = asyncio.current_task(self)
        # The round that this task stopped still has so many turns to give at most.
        turns = len(self._ready)  # type: ignore[attr-defined]
        timer = self.call_at(until, _nothing)
        if task is not None:
            tasks._leave_task(self, task)
        try:
            while not ready() and self.time() < until:
                self._run_once()  # type: ignore[attr-defined]
        finally:
            timer.cancel()
            if task is not None:
                tasks._enter_task(self, task)
            for _ in range(turns):
                self.call_soon(_nothing)

    async def create_connection(self, *args: Any, **settings: Any) -> Any:
        """A connection whose protocol `args` make, over the end `sock`, or to a host and a port."""
        factory, context, end = args[0], settings.get("ssl"), settings.get("sock")
        if end is None:
            end = End()
            end.bind((LOOPBACK, 0))
            port = args[2] if len(args) > 2 else settings["port"]
            await self.sock_connect(end, (LOOPBACK, port))
        protocol = factory()
        waiter = self.create_future()
        transport = self._attach(
            protocol,
            end,
            context,
            server_side=False,
            name=settings.get("server_hostname"),
            waiter=waiter,
        )
        if context is None:
            self.call_soon(waiter.set_result, None)
        await waiter
        return transport, protocol

    async def start_tls(self, *args: Any, **settings: Any) -> Any:
        """TLS over a transport, for a protocol, with a context that need not be OpenSSL's."""
        transport, protocol, context = args
        waiter = self.create_future()
        secured = sslproto.SSLProtocol(
            self,
            protocol,
            context,
            waiter,
            server_side=settings.get("server_side", False),
            server_hostname=settings.get("server_hostname"),
            call_connection_made=False,
        )
        transport.pause_reading()
        transport.set_protocol(secured)
        self.call_soon(secured.connection_made, transport)
        self.call_soon(transport.resume_reading)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return secured._app_transport

    def _attach(
        self,
        protocol: Protocol,
        end: End,
        context: Any,
        *,
        server_side: bool,
        name: str | None = None,
        waiter: asyncio.Future[None] | None = None,
        patience: float | None = None,
    ) -> asyncio.Transport:
        if context is None:
            return Transport(self, end, protocol)
        secured = sslproto.SSLProtocol(
            self,
            protocol,
            context,
            waiter,  # type: ignore[arg-type]
            server_side=server_side,
            server_hostname=name,
            ssl_handshake_timeout=patience,  # type: ignore[arg-type]
        )
        Transport(self, end, secured)
        return secured._app_transport


def _nothing() -> None:
    pass


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, at once, also where a browser's loop is running.

    Raises `Stuck` where it would wait for ever.
    """
    outer = events._get_running_loop()
    events._set_running_loop(None)
    loop = Loop()
    try:
        return loop.run_until_complete(work)
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                with contextlib.suppress(Stuck):
                    loop.run_until_complete(asyncio.wait(left))
            loop.close()
        finally:
            events._set_running_loop(outer)
