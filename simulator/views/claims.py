"""Whose octets are they? Which event of a session each stretch of the wire belongs to, and what it
is: the text of an event, TLS records, or something that nobody speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from simulator import tls
from simulator.errors import Error
from simulator.session import AnyEvent, Command, Handshake, Link, Reply, Session, Side

SIDES: tuple[Side, ...] = ("server", "client")


class NothingOnTheWire(Error, ValueError):
    """What was said is known, but not the octets that crossed: the session was read from a log, or
    they are `masked`, for they hold what is secret."""

    def __init__(self, *, masked: bool = False) -> None:
        super().__init__(
            "the octets that crossed the wire, which this view is made of, hold what is masked: "
            "`--show-secrets` shows them"
            if masked
            else "what was read holds none of the octets that crossed the wire, which this view is "
            "made of: `ehlo-twice replay` records them"
        )


def recorded(session: Session) -> Session:
    """The session, if its octets were recorded; the lab records even that there were none.

    Raises `NothingOnTheWire` for a session that was read from a log, or is masked.
    """
    if session.wire:
        return session
    if session.source != "lab":
        raise NothingOnTheWire
    if any(isinstance(event, Command | Reply) for event in session.events):
        raise NothingOnTheWire(masked=True)
    return session


class Claim(NamedTuple):
    """Octets `start` to `end` of a stream belong to the event with that index."""

    start: int
    end: int
    event: int


Stream = tuple[Link, Side]


def links(session: Session) -> tuple[Link, ...]:
    """The legs of the way, the client's first: two where a middlebox stands between."""
    found = {"client", *(segment.link for segment in session.wire)}
    return tuple(link for link in ("client", "server") if link in found)


def claims(session: Session) -> dict[Stream, tuple[Claim, ...]]:
    """Which octets belong to which event, for each stream, in order.

    The record says so for the leg on which it was made. What a middlebox passed on unchanged is
    found again on the other leg. What was taken from an old buffer (`stale`) claims the octets that
    filled the buffer, as does the event that they were when they crossed.
    """
    streams = all_streams(session)
    found: dict[Stream, list[Claim]] = {stream: [] for stream in streams}
    for index, event in enumerate(session.events):
        for span in event.wire:
            known = found.get((span.link, span.to), [])
            length = len(streams.get((span.link, span.to), b""))
            start, end = max(0, span.start), min(span.end, length)
            if start < end:
                known.append(Claim(start, end, index))
    for (link, to), known in found.items():
        other: Stream = ("server" if link == "client" else "client", to)
        if other in found:
            theirs = [claim for claim in sorted(known) if _may_pass(session.events[claim.event])]
            found[other].extend(_passed_on(streams[link, to], theirs, streams[other], found[other]))
    if ends_in_front(session):
        for to in SIDES:
            found["server", to].extend(_behind(session, to, streams["server", to]))
    return {stream: tuple(sorted(known)) for stream, known in found.items()}


def _behind(session: Session, to: Side, stream: bytes) -> Iterator[Claim]:
    """The claims behind the end of TLS, where each event's text crosses as it is."""
    at = 0
    for index, event in enumerate(session.events):
        if event.secure and event.raw and any(span.to == to for span in event.wire):
            place = stream.find(event.raw, at)
            if place >= 0:
                at = place + len(event.raw)
                yield Claim(place, at, index)


def ends_in_front(session: Session) -> bool:
    """Whether TLS ends in front of the server, and crosses only the client's leg."""
    return any(isinstance(event, Handshake) and event.in_front for event in session.events)


class Region(NamedTuple):
    """A stretch of a stream: the text of an event, TLS records, or what nobody speaks of."""

    kind: Literal["text", "tls", "unknown"]
    start: int
    end: int
    event: int | None = None


def all_streams(session: Session) -> dict[Stream, bytes]:
    """What each leg carried to each side."""
    return {(link, to): session.stream(to, link) for link in links(session) for to in SIDES}


def _may_pass(event: AnyEvent) -> bool:
    return event.by not in ("middlebox", "message") and not event.lost and not event.stale


def _passed_on(
    stream: bytes, here: Sequence[Claim], other: bytes, there: Sequence[Claim]
) -> Iterator[Claim]:
    """The claims of one leg, where their octets stand on the other leg in the same order."""
    done = {claim.event for claim in there}
    last = Claim(0, 0, -1)
    at = 0
    for claim in here:
        if claim.event in done:
            continue
        after = at if claim.start < last.end else at + last.end - last.start
        place = other.find(stream[claim.start : claim.end], after)
        if place < 0:
            continue
        last, at = claim, place
        yield Claim(place, place + claim.end - claim.start, claim.event)


def is_text(event: AnyEvent) -> bool:
    """Whether an event's octets are the SMTP text itself, not TLS records around it."""
    return not isinstance(event, Handshake) and (event.stale or not event.secure)


def _begins_record(stream: bytes, at: int) -> bool:
    try:
        tls.record_length(stream[at : at + tls.HEADER])
    except ValueError:
        return False
    return True


def regions(session: Session, stream: bytes, known: Sequence[Claim]) -> list[Region]:
    """Cut a stream, whose claims are `known`, into regions that follow one another."""
    texts, others = [], []
    for claim in known:
        event = session.events[claim.event]
        # Behind the end of TLS the text of what crossed inside stands as it is.
        if is_text(event) or stream[claim.start : claim.end] == event.raw:
            texts.append(claim)
        else:
            others.append(claim.start)
    found: list[Region] = []
    at = 0
    while at < len(stream):
        while texts and texts[0].end <= at:
            texts.pop(0)
        if texts and texts[0].start <= at:
            claim = texts.pop(0)
            found.append(Region("text", at, claim.end, claim.event))
            at = claim.end
            continue
        limit = texts[0].start if texts else len(stream)
        if _begins_record(stream, at):
            end = _end_of_records(stream, at, limit)
            found.append(Region("tls", at, end))
        else:
            end = min([start for start in others if start > at] + [limit])
            found.append(Region("unknown", at, end))
        at = end
    return found


def _end_of_records(stream: bytes, at: int, limit: int) -> int:
    while at < limit and _begins_record(stream, at):
        length = tls.record_length(stream[at : at + tls.HEADER])
        at = min(at + length, limit) if length else limit
    return at
