"""The network in memory for a program that blocks: `socket`, `ssl` and `time` as it knows them.

Whoever waits lets the loop go on meanwhile, and so its peers, in the one thread that there is.
Enough for a client over TCP; what else the modules have is as it stands in them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import math
import socket
import ssl
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator.lab.memory import certificates, tls
from simulator.lab.memory.network import LOOPBACK, End, Loop

_NAMES = (LOOPBACK, "localhost")
_UNSET: Any = object()


class TimeUp(BaseException):
    """The program has had its time."""


class World:
    """What one program sees: a network with one port, and a clock.

    `loop` is the one that its task runs on; without it nothing can be reached. `seconds`: how long
    it may take by that clock, which jumps where nothing happens.
    """

    def __init__(self, loop: Loop | None, port: int, seconds: float) -> None:
        self._loop = loop
        self._port = port
        self._slept = 0.0
        self.uncounted = 0.0
        self._until = self.now() + seconds
        self._ends: list[End] = []

    def now(self) -> float:
        """Seconds that have passed, waited for or not."""
        return self._loop.time() if self._loop else time.monotonic() + self._slept

    def connected(self, address: Any) -> End:
        """A connection. Raises `PermissionError` for any but the one address."""
        if self._loop is None or address[0] not in _NAMES or address[1] != self._port:
            raise PermissionError(f"a connection to {address!r} is not part of this exercise")
        end = End()
        end.port = self._loop.new_port()
        self._loop.connect(end, self._port)
        self._ends.append(end)
        return end

    def wait(self, ready: Callable[[], bool], timeout: float | None) -> None:
        """Wait until that is so. Raises what a socket raises, or `TimeUp`."""
        if ready():
            return
        if timeout == 0:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        late = self.now() + (math.inf if timeout is None else timeout)
        self._pass(ready, min(late, self._until))
        if not ready():
            self._in_time()
            raise TimeoutError("timed out")

    def sleep(self, seconds: float) -> None:
        """Let so much time pass. Raises `TimeUp`."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self._pass(lambda: False, min(self.now() + seconds, self._until))
        self._in_time()

    def _pass(self, ready: Callable[[], bool], until: float) -> None:
        with self.beside():
            if self._loop is None:
                self._slept += max(0.0, until - self.now())
            else:
                self._loop.wait(ready, until)

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """What is done here is not the program's doing: it is neither traced nor counted, and its
        seconds are added to `uncounted`."""
        traced, began = sys.gettrace(), time.monotonic()
        sys.settrace(None)
        try:
            yield
        finally:
            self.uncounted += time.monotonic() - began
            sys.settrace(traced)

    def _in_time(self) -> None:
        if self.now() >= self._until:
            raise TimeUp

    def close(self) -> None:
        """Close what the program left open, as the end of a process does."""
        for end in self._ends:
            end.close()

    def modules(self) -> dict[str, types.ModuleType]:
        """`socket`, `ssl` and `time` for this program."""
        plain = type("socket", (Socket,), {"world": self})
        context = type("SSLContext", (Context,), {})

        def create_connection(
            address: Any,
            timeout: Any = _UNSET,
            source_address: Any = None,
            *,
            all_errors: bool = False,
        ) -> Any:
            found = plain()
            if timeout is not _UNSET:
                found.settimeout(timeout)
            found.connect(address)
            return found

        def create_default_context(
            purpose: Any = ssl.Purpose.SERVER_AUTH,
            *,
            cafile: Any = None,
            capath: Any = None,
            cadata: Any = None,
        ) -> Any:
            found = context(ssl.PROTOCOL_TLS_CLIENT)
            if cafile or capath or cadata:
                found.load_verify_locations(cafile, capath, cadata)
            return found

        def unverified(*_: Any, **__: Any) -> Any:
            return context(ssl.PROTOCOL_TLS)

        return {
            "socket": _like(
                socket, socket=plain, SocketType=plain, create_connection=create_connection
            ),
            "ssl": _like(
                ssl,
                SSLContext=context,
                SSLSocket=Secured,
                create_default_context=create_default_context,
                _create_unverified_context=unverified,
                _create_stdlib_context=unverified,
            ),
            "time": _like(time, sleep=self.sleep, monotonic=self.now),
        }


def _like(module: types.ModuleType, **instead: Any) -> types.ModuleType:
    made = types.ModuleType(module.__name__, module.__doc__)
    vars(made).update({k: v for k, v in vars(module).items() if not k.startswith("__")} | instead)
    return made


class Socket:
    """What a program asks of a `socket.socket` that connects."""

    world: World
    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, 0

    def __init__(self, *_: Any, **__: Any) -> None:
        self._timeout: float | None = None
        self._end: End | None = None
        self._files = 0
        self._closed = False

    def settimeout(self, value: float | None) -> None:
        """How many seconds anything may take, or None."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        """How many seconds anything may take, or None."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Wait for ever, or not at all."""
        self._timeout = None if flag else 0.0

    def setsockopt(self, *_: Any) -> None:
        """There is nothing to set."""

    def connect(self, address: Any) -> None:
        """Connect. Raises `OSError`."""
        self._end = self.world.connected(address)

    def _there(self) -> End:
        if self._end is None:
            kind = errno.EBADF if self._closed else errno.ENOTCONN
            raise OSError(kind, errno.errorcode[kind])
        return self._end

    def getpeername(self) -> tuple[str, int]:
        """Address and port of the other end."""
        return self._there().getpeername()

    def getsockname(self) -> tuple[str, int]:
        """Address and port of this end."""
        return self._there().getsockname()

    def fileno(self) -> int:
        """Not a file: -1."""
        return -1

    def detach(self) -> int:
        """Give the connection away."""
        self._end, self._closed = None, True
        return -1

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What has arrived, `size` octets at most; nothing at the end."""
        end = self._there()
        self.world.wait(lambda: bool(end.inbox), self._timeout)
        item = end.inbox.popleft()
        if not isinstance(item, bytes):
            end.inbox.appendleft(None)
            if item is not None:
                raise item
            return b""
        if item[size:] or flags & socket.MSG_PEEK:
            end.inbox.appendleft(item if flags & socket.MSG_PEEK else item[size:])
        return item[:size]

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """The same, into a buffer."""
        view = memoryview(buffer).cast("B")
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send octets."""
        octets = bytes(data)
        end = self._there()
        assert end.peer is not None
        if octets:
            end.peer.push(octets)
        return len(octets)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all octets."""
        self.send(data, flags)

    def shutdown(self, how: int) -> None:
        """Say that nothing more will come."""
        end = self._there()
        if how != socket.SHUT_RD and end.peer is not None:
            end.peer.push(None)

    def makefile(self, mode: str = "r", buffering: int | None = None, **how: Any) -> Any:
        """A file over it."""
        self._files += 1
        raw = _File(self, mode)
        if buffering == 0:
            return raw
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        made: Any
        if raw.readable() and raw.writable():
            made = io.BufferedRWPair(raw, raw, size)
        elif raw.writable():
            made = io.BufferedWriter(raw, size)
        else:
            made = io.BufferedReader(raw, size)
        if "b" in mode:
            return made
        return io.TextIOWrapper(made, **{"encoding": "utf-8", **how})

    def released(self) -> None:
        """A file over it is closed."""
        self._files -= 1
        if self._closed and self._files <= 0:
            self._gone()

    def close(self) -> None:
        """Close it, once the files over it are closed too."""
        self._closed = True
        if self._files <= 0:
            self._gone()

    def _gone(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _File(io.RawIOBase):
    """A socket as a file."""

    def __init__(self, over: Socket, mode: str) -> None:
        super().__init__()
        self._over = over
        self._reads = "r" in mode or "w" not in mode
        self._writes = "w" in mode

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def readinto(self, buffer: Any) -> int:
        return self._over.recv_into(buffer)

    def write(self, data: Any) -> int:
        return self._over.send(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._over.released()


class Context:
    """What a client asks of an `ssl.SSLContext`."""

    def __init__(self, protocol: Any = ssl.PROTOCOL_TLS_CLIENT) -> None:
        client = protocol == ssl.PROTOCOL_TLS_CLIENT
        self.protocol = protocol
        self.check_hostname = client
        self._mode = ssl.CERT_REQUIRED if client else ssl.CERT_NONE
        self._trusts = False
        self.options = ssl.Options(0)
        self.minimum_version = ssl.TLSVersion.TLSv1_2
        self.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Whether the other side's certificate is looked at."""
        return self._mode

    @verify_mode.setter
    def verify_mode(self, mode: ssl.VerifyMode) -> None:
        if mode == ssl.CERT_NONE and self.check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._mode = ssl.VerifyMode(mode)

    def load_verify_locations(
        self, cafile: Any = None, capath: Any = None, cadata: Any = None
    ) -> None:
        """Trust what that file, or that text, holds. Raises `OSError`."""
        text = b""
        if cafile:
            text = Path(cafile).read_bytes()
        elif cadata:
            text = cadata.encode() if isinstance(cadata, str) else bytes(cadata)
        elif not capath:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        ours = certificates.authority_pem()
        self._trusts |= ours.strip() in text or ssl.PEM_cert_to_DER_cert(ours.decode()) in text

    def load_default_certs(self, purpose: Any = None) -> None:
        """Nobody whom a system trusts is here."""

    set_default_verify_paths = load_default_certs
    set_ciphers = load_default_certs

    def wrap_socket(
        self,
        sock: Socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | None = None,
        session: Any = None,
    ) -> Secured:
        """TLS over a connection, after its handshake. Raises `ssl.SSLError`."""
        if self.check_hostname and not server_hostname:
            raise ValueError("check_hostname requires server_hostname")
        one_three = self.maximum_version in (
            ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_3,
        )  # fmt: skip
        versions = [] if self.minimum_version == ssl.TLSVersion.TLSv1_3 else ["1.2"]
        made = Secured(
            sock,
            tls.Context(
                versions=[*versions, *(["1.3"] if one_three else [])],
                look=self._look if self._mode != ssl.CERT_NONE else None,
                verify_mode=self._mode,
                check_hostname=self.check_hostname,
            ),
            server_hostname,
        )
        if do_handshake_on_connect:
            made.do_handshake()
        return made

    def _look(self, chain: Sequence[bytes], host: str | None) -> tls.Refusal | None:
        if not self._trusts:
            return tls.Refusal(20, "unable to get local issuer certificate", 48)
        return certificates.look(chain, host if self.check_hostname else None)


class Secured(Socket):
    """What a program asks of an `ssl.SSLSocket`."""

    def __init__(self, over: Socket, context: tls.Context, name: str | None) -> None:
        super().__init__()
        self.world = over.world
        self._timeout = over.gettimeout()
        self._end = over._there()
        over.detach()
        self.server_hostname = name
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)

    def do_handshake(self) -> None:
        """The handshake. Raises `ssl.SSLError`; the connection is then closed."""
        try:
            self._until_done(self._tls.do_handshake)
        except (OSError, ValueError):
            self.close()
            raise

    def _until_done(self, step: Callable[[], Any]) -> Any:
        while True:
            with (
                self.world.beside(),
                self._flushed(),
                contextlib.suppress(ssl.SSLWantReadError),
            ):
                return step()
            data = super().recv(65536)
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()

    @contextlib.contextmanager
    def _flushed(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._out.pending:
                super().send(self._out.read())

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        """What has arrived, decrypted."""
        self._there()
        return bytes(self._until_done(lambda: self._tls.read(size)))

    read = recv

    def send(self, data: Any, flags: int = 0) -> int:
        """Send octets, encrypted."""
        self._there()
        with self.world.beside(), self._flushed():
            self._tls.write(bytes(data))
        return len(data)

    write = send

    def unwrap(self) -> Any:
        """Take leave of TLS; the connection without it."""
        self._until_done(self._tls.unwrap)
        plain = type("socket", (Socket,), {"world": self.world})()
        plain.settimeout(self._timeout)
        plain._end, self._end = self._end, None
        return plain

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The server's certificate in DER, or whether it was checked (not empty)."""
        return self._tls.getpeercert(binary_form)

    def cipher(self) -> Any:
        """Cipher suite, version and bits."""
        return self._tls.cipher()

    def version(self) -> str | None:
        """`TLSv1.2` or `TLSv1.3`."""
        return self._tls.version()

    def pending(self) -> int:
        """Octets that can be read at once."""
        return self._tls.pending()
