"""Where on the wire a stranger's session stands, and the secrets that open its TLS.

Nobody told what was written when; the middlebox wrote down the octets, the server the dialogue.
What was said in the clear is found again line by line, up to the first line that is not as it was
written down; the octets of what was said inside TLS belong to no event.
"""

from __future__ import annotations

import msgspec

from simulator import smtp, tls
from simulator.lab.engine import certificates
from simulator.session import AnyEvent, Command, Handshake, Message, Reply, Session, Side, Span


def found_on_wire(session: Session) -> Session:
    """The session, whose `wire` was recorded, with its key log and the places of its events.

    A key log can be had once: later calls are given the session with it.
    """
    link = "server" if any(segment.link == "server" for segment in session.wire) else "client"
    events = list(session.events)
    secrets = session.secrets
    at: dict[Side, int | None] = {"server": 0, "client": 0}
    streams: dict[Side, bytes] = {to: session.stream(to, link) for to in at}  # type: ignore[arg-type]
    for index, event in enumerate(events):
        to: Side = "client" if isinstance(event, Reply) else "server"
        start = at[to]
        if event.secure or start is None:
            continue
        if not event.wire and event.by == "middlebox":
            # It is on the client's leg alone.
            continue
        if event.wire:
            at[to] = max([start] + [s.end for s in event.wire if (s.link, s.to) == (link, to)])
            continue
        length = 0
        if isinstance(event, Handshake):
            random = tls.client_random(streams[to][start : start + 64])
            if random:
                length = tls.record_length(streams[to][start : start + tls.HEADER])
                secrets = secrets or certificates.secrets(random)
        elif isinstance(event, Command | Reply | Message):
            length = _same(event, streams[to][start:])
            at[to] = start + length if length else None
        if length:
            span = Span(link=link, to=to, start=start, end=start + length)  # type: ignore[arg-type]
            events[index] = msgspec.structs.replace(event, wire=(span,))
    return msgspec.structs.replace(session, events=tuple(events), secrets=secrets)


def _same(event: AnyEvent, stream: bytes) -> int:
    """How many octets of the stream's beginning are that event's; 0 where it is another text."""
    if not isinstance(event, Command):
        return len(event.raw) if stream.startswith(event.raw) else 0
    line = stream[: stream.find(b"\n") + 1]
    verb, argument = smtp.parse_command(line.decode("latin-1").strip())
    said = (verb, argument.encode("latin-1"))
    spoken = (event.verb, event.argument.strip().encode("utf-8", "surrogateescape"))
    return len(line) if said == spoken else 0
