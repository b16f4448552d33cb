"""The wire tap: it writes down what crossed, byte for byte, and what it meant, event by event."""

from __future__ import annotations

import asyncio
import email.utils
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from simulator.session import (
    AnyEvent,
    Certificate,
    Command,
    Handshake,
    Link,
    Message,
    Party,
    Reply,
    Segment,
    Side,
    Span,
)

_REFUSED = ("name-mismatch", "expired", "unknown-ca", "certificate")
"""Errors of a handshake that got as far as the server's certificate. OpenSSL does not tell whom it
refused, so the server does."""


class Tap:
    """The record of one session while it happens. Times are seconds since the client connected.

    Client, server and middlebox of a session share one tap; each writes down what only it can see.
    `clock` is the date at which the session takes place, if that is not today.
    """

    def __init__(self, clock: datetime | None = None) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()
        self.events: list[AnyEvent] = []
        self.segments: list[Segment] = []
        self.client_random = b""
        self.secrets: tuple[str, ...] = ()
        self.forged: list[bytes] = []
        self.client_certificate: Certificate | None = None
        self.server_certificate: Certificate | None = None
        self.cut_by: Party | None = None
        self.ends_in_front = False
        self._offsets: dict[tuple[Link, Side], int] = {}
        self._stale: list[Command] = []
        self._within: dict[int, list[AnyEvent]] = {}
        self.changed: Callable[[AnyEvent], None] = lambda _: None
        self.room: int | None = None
        """Octets of the wire that may be kept; who talks more has none kept at all."""

    def connecting(self) -> None:
        """The client connects now: that is second 0."""
        self._opened = self._loop.time()

    def date(self) -> str:
        """What the clock on the wall says now, as mail writes it (RFC 5322 §3.3)."""
        if self._clock is None:
            return email.utils.format_datetime(datetime.now(UTC).replace(tzinfo=None))
        return email.utils.format_datetime(self._clock + timedelta(seconds=self.now()))

    def now(self) -> float:
        """Seconds since the session began, to the microsecond."""
        return round(self._loop.time() - self._opened, 6)

    def crossed(self, to: Side, data: bytes, link: Link = "client") -> Span:
        """Bytes crossed one leg of the way; says where on it they stand."""
        start = self._offsets.get((link, to), 0)
        self._offsets[link, to] = start + len(data)
        if self.room is not None:
            self.room -= len(data)
            if self.room < 0:
                self.segments.clear()
        if self.room is None or self.room >= 0:
            self.segments.append(Segment(at=self.now(), to=to, data=data, link=link))
        return Span(link=link, to=to, start=start, end=start + len(data))

    def happened(self, event: AnyEvent) -> None:
        """Something happened now; whoever looks on is told by `changed`."""
        self.events.append(event)
        self.changed(event)

    def replaced(self, given: Reply) -> None:
        """A reply that was written down when the server gave it did not get to the client."""
        for place in reversed(range(len(self.events))):
            event = self.events[place]
            if isinstance(event, Reply) and event.raw == given.raw and not event.lost:
                self.events[place] = msgspec.structs.replace(given, at=event.at)
                return

    def stale(self, command: Command) -> None:
        """The server took a command from a buffer that was filled before the handshake."""
        self._stale.append(command)

    def taken_out(self, event: AnyEvent) -> None:
        """The server took this out of the message that the client sent last."""
        messages = sum(isinstance(event, Message) for event in self.events)
        self._within.setdefault(messages, []).append(event)

    def was_forged(self, raw: bytes, *, spent: bool = True) -> bool:
        """Did the middlebox write this reply? Once `spent`, a forgery is not recognised again."""
        if raw not in self.forged:
            return False
        if spent:
            self.forged.remove(raw)
        return True

    def all_events(self) -> Sequence[AnyEvent]:
        """The events in order. What the server had buffered comes before what followed it: it was
        there first, although the server got to it only after the handshake. What it took out of a
        message comes before its replies."""
        events = self._with_taken_out()
        for place, event in enumerate(events):
            if isinstance(event, Handshake) and not event.error:
                events[place] = msgspec.structs.replace(
                    event,
                    client_certificate=self.client_certificate,
                    in_front=self.ends_in_front,
                )
                events[place + 1 : place + 1] = [
                    msgspec.structs.replace(command, at=event.at) for command in self._stale
                ]
                break
            if isinstance(event, Handshake) and event.error in _REFUSED:
                events[place] = msgspec.structs.replace(
                    event, server_certificate=self.server_certificate
                )
        return events

    def _with_taken_out(self) -> list[AnyEvent]:
        if not self._within:
            return list(self.events)
        events: list[AnyEvent] = []
        messages = 0
        waiting: list[AnyEvent] = []
        for event in self.events:
            if isinstance(event, Reply):
                events += waiting
                waiting = []
            events.append(event)
            if isinstance(event, Message):
                messages += 1
                waiting += self._within.get(messages, [])
        return events + waiting
