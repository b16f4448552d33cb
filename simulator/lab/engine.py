"""What the lab plays on: OpenSSL and sockets on loopback, or all of it in memory.

In memory is where there are no sockets: in a browser. Elsewhere it can be asked for, so that both
can be compared. Everything else of the lab is the same for both.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Literal, Protocol, cast

from simulator.session import Certificate

Engine = Literal["loopback", "memory"]

_chosen: ContextVar[Engine] = ContextVar(
    "engine", default="memory" if sys.platform == "emscripten" else "loopback"
)


def chosen() -> Engine:
    """What is played on now."""
    return _chosen.get()


@contextlib.contextmanager
def playing_on(engine: Engine) -> Iterator[None]:
    """Within this, in this context, the lab plays on that."""
    before = _chosen.set(engine)
    try:
        yield
    finally:
        _chosen.reset(before)


class Certificates(Protocol):
    """What the lab asks of an engine's TLS: `lab.certificates` says what each of it is."""

    authority_pem: Callable[[], bytes]
    secrets: Callable[[bytes], tuple[str, ...]]
    der: Callable[[str, str], bytes]
    shown: Callable[[str, str], Certificate]
    describe: Callable[[bytes], Certificate]
    kind_of: Callable[[ssl.SSLContext], str]
    server_context: Callable[..., ssl.SSLContext]
    client_context: Callable[..., ssl.SSLContext]


class _Chosen:
    """The engine's own, looked up when asked for: either needs what the other's place lacks."""

    def __getattr__(self, name: str) -> object:
        where = "certificates" if chosen() == "loopback" else "memory.certificates"
        return getattr(importlib.import_module(f"simulator.lab.{where}"), name)


certificates = cast("Certificates", _Chosen())


def connection() -> socket.socket:
    """A connection that is not up yet."""
    if chosen() == "loopback":
        return socket.socket()
    from simulator.lab.memory.network import End

    return cast("socket.socket", End())
