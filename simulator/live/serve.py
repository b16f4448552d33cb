"""Opening the lab: the ports and the page, until somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import msgspec
import uvicorn

from simulator.lab.play import LOOPBACK, LabError
from simulator.language import SOURCE
from simulator.live import challenge
from simulator.live.ports import FIRST, Door, doors, usual
from simulator.live.store import KEPT, Store
from simulator.live.web import Web

PAGE = 8025


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the lab is opened: the address to `bind`, the first SMTP port, the page's port (0: any),
    a `token` that the page asks for, how many sessions are `kept`, the file to `save` them in.
    `challenge`: the servers are those of the exercise "write a client"."""

    bind: str = LOOPBACK
    smtp: int = FIRST
    web: int = PAGE
    token: str = ""
    kept: int = KEPT
    save: Path | None = None
    language: str = SOURCE
    challenge: bool = False


class Open(msgspec.Struct, frozen=True):
    """The lab as it is open: where its page is, and its ports."""

    page: str
    doors: tuple[Door, ...]
    store: Store


class _Page(uvicorn.Server):
    """The page's server, in a thread of its own: so it answers, however much is said on the ports.
    It says when it is `up`. Signals are for whoever called."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing
        self._loop: asyncio.AbstractEventLoop | None = None
        self.up = threading.Event()

    def answer(self, listening: socket.socket) -> None:
        """Answer until it is to `close`; for a thread."""
        try:
            asyncio.run(self.serve(sockets=[listening]))
        finally:
            self._loop = None
            self.up.set()

    def close(self) -> None:
        """End soon; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._closing.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def loopback(address: str) -> bool:
    """Does that address reach this machine only?"""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


async def lab(settings: Settings, opened: Callable[[Open], None], over: asyncio.Event) -> None:
    """Keep the lab open until it is `over`; `opened` is told where it is.

    Raises `LabError` where a port cannot be had, `BadStore`.
    """
    store = Store(settings.kept, file=settings.save)
    try:
        ports = challenge.servers() if settings.challenge else usual()
        async with doors(ports, store, first=settings.smtp, host=settings.bind) as found:
            await _page(settings, store, found, opened, over)
    finally:
        store.close()


async def _page(
    settings: Settings,
    store: Store,
    found: list[Door],
    opened: Callable[[Open], None],
    over: asyncio.Event,
) -> None:
    web = Web(store, found, settings.language, challenge=settings.challenge)
    with _socket(settings.bind, settings.web) as listening:
        port = listening.getsockname()[1]
        shown = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
        names = {shown, "localhost", "127.0.0.1", "[::1]"}
        if not loopback(settings.bind):
            names = {shown, socket.gethostname().lower(), *_addresses()}
        hosts = [f"{name}:{port}" for name in names]
        config = uvicorn.Config(
            web.app(hosts, settings.token),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
            limit_concurrency=400,
        )
        server = _Page(config, web.closing)
        serving = asyncio.create_task(asyncio.to_thread(server.answer, listening))
        stopping = asyncio.create_task(over.wait())
        try:
            await asyncio.to_thread(server.up.wait)
            query = f"?token={settings.token}" if settings.token else ""
            opened(Open(f"http://{shown}:{port}/{query}", tuple(found), store))
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.close()
            await serving


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise LabError(
            f"no port {port} on {host} for the page: {error.strerror}; --page takes another"
        ) from None
    return listening


def _addresses() -> set[str]:
    """The addresses of this machine, as far as its name tells."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return set()
    return {f"[{a[4][0]}]" if ":" in str(a[4][0]) else str(a[4][0]) for a in found}
