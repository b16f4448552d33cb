"""The ports of the lab: servers after their policies, each session written down as it happens."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from simulator.lab import arena, certificates
from simulator.lab.middlebox import Middlebox
from simulator.lab.play import LOOPBACK
from simulator.lab.policy import MiddleboxPolicy, ServerPolicy, stage
from simulator.lab.server import Server
from simulator.lab.tap import Tap
from simulator.lab.witness import Watched, seen
from simulator.language import N_
from simulator.live.octets import found_on_wire
from simulator.live.store import Store
from simulator.session import AnyEvent, Message, Peer, Session
from simulator.toml import Prose

FIRST = 2525

AT_ONCE = 512
"""Connections that all ports together bear; who comes then is told 421."""

FILES_EACH, FILES_BESIDE = 3, 200
"""Files that one connection takes: its own, and the two ends of that from the middlebox to the
server. And those that the lab needs beside: its ports, the page, the file that sessions are in."""

MESSAGE = 256 * 1024
"""Octets of a message that are kept; the server takes all that SIZE says."""

WIRE = 512 * 1024
"""Octets of a connection that are kept for a capture; where more crossed, there is none."""


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port to be: its name, what it is called, and how it behaves. `dribbles`: its replies arrive
    in pieces."""

    name: str
    title: Prose
    server: ServerPolicy
    middlebox: MiddleboxPolicy = MiddleboxPolicy()
    dribbles: bool = False


def usual() -> list[Port]:
    """The servers of the matrix, a strict one first, and at last one with TLS at once."""
    ports = [
        Port(name=name, title=side.title, server=side.policy)
        for name, side in arena.sides().server.items()
    ]
    title = N_("TLS before the greeting")
    policy = ServerPolicy(implicit_tls=True, auth="inside")
    return [*ports, Port(name="implicit", title=title, server=policy)]


class Door(Watched):
    """One port, open: everything that comes through is written into the store.

    Its policies may be changed at any time, and hold for who comes after that.
    """

    def __init__(
        self, port: Port, number: int, host: str, store: Store, crowd: list[Door], at_once: int
    ) -> None:
        scenario = stage(port.name, port.title, port.server, port.middlebox)
        super().__init__(scenario, number, dribbles=port.dribbles)
        self.port = port
        self._host = host
        self._store = store
        self._crowd = crowd
        self._at_once = at_once
        self._finding = threading.Lock()

    # Everybody comes through a middlebox, which may do nothing: so it can begin to do something.
    @property
    def _has_middlebox(self) -> bool:
        return True

    def _middlebox(self, tap: Tap) -> Middlebox:
        policy = self.scenario.middlebox
        blind = policy.does == "nothing" or self.port.server.implicit_tls
        expected = self.scenario.server.expects_proxy
        return Middlebox(policy, tap, blind=blind, alone=True, expected=expected, witnessed=True)

    def _serve(self) -> Server:
        server = super()._serve()
        server.tls_context = self._context()
        return server

    def _context(self) -> ssl.SSLContext:
        """Not the one that our own client meets: its secrets are those of its own side."""
        policy = self.scenario.server
        return certificates.server_context(
            seen(policy),
            policy.name,
            asks_certificate=policy.asks_certificate,
            versions=policy.tls_versions,
            logged=True,
        )

    def change(self, server: ServerPolicy, middlebox: MiddleboxPolicy) -> None:
        """From now on it behaves like that."""
        self.port = msgspec.structs.replace(self.port, server=server, middlebox=middlebox)
        self.scenario = msgspec.structs.replace(self.scenario, server=server, middlebox=middlebox)

    def _came(self, tap: Tap, port: int) -> None:
        number = self._store.begin(self.port.name, self.scenario.middlebox.does)
        scenario, address = self.scenario, self.address
        tap.room = WIRE

        def session() -> Session:
            seen = Session(
                scenario=scenario.name,
                connection=str(number),
                started=self._store.began(number),
                client=Peer(address=self._host, port=port),
                server=Peer(name=scenario.server.name, address=address[0], port=address[1]),
                implicit_tls=scenario.server.implicit_tls,
                events=tuple(map(_bounded, tap.all_events())),
                wire=tuple(tap.segments),
                secrets=tap.secrets,
            )
            if seen.wire:
                # Secrets can be had once, and the page asks for them from a thread of its own.
                with self._finding:
                    seen = found_on_wire(msgspec.structs.replace(seen, secrets=tap.secrets))
                    tap.secrets = seen.secrets
            return seen

        def happened(event: AnyEvent) -> None:
            self._store.grow(number, session, event)

        tap.changed = happened

    def _full(self) -> bool:
        return sum(len(door._relays) for door in self._crowd) >= self._at_once


def at_once() -> int:
    """How many connections there can be: `AT_ONCE`, if this process may open so many files; where
    it lacks only the soft limit for that, it gets it."""
    if sys.platform == "win32":
        return AT_ONCE
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_EACH * AT_ONCE + FILES_BESIDE
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(1, min(AT_ONCE, (most - FILES_BESIDE) // FILES_EACH))


def _bounded(event: AnyEvent) -> AnyEvent:
    """What is kept of an event: not all of a long message."""
    if isinstance(event, Message) and len(event.raw) > MESSAGE:
        return msgspec.structs.replace(event, raw=event.raw[:MESSAGE])
    return event


@asynccontextmanager
async def doors(
    ports: Sequence[Port], store: Store, *, first: int = FIRST, host: str = LOOPBACK
) -> AsyncIterator[list[Door]]:
    """All ports open, one above the other from `first` (0: any that are free), on the address
    `host`. Raises `LabError`."""
    crowd: list[Door] = []
    most = at_once()
    async with AsyncExitStack() as opened:
        for number, port in enumerate(ports):
            door = Door(port, first and first + number, host, store, crowd, most)
            await opened.enter_async_context(door.open())
            crowd.append(door)
        yield crowd
