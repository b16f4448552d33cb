"""What a server wrote on a message that it took: the Received line, from where its mail lies."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec

from simulator.session import AnyEvent, Command, Message, Reply, Session, Trace

_LINE = re.compile(r"(?mi)^(?:H\?\w*\?)?Received: (.*(?:\n[ \t].*)*)")
"""A Received line, folded or not; Sendmail's queue has its flags before it."""


def received(root: Path, pattern: str, patience: float) -> str:
    """The Received line on the last message below `root` in files like `pattern`, unfolded; empty
    if there is none within `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and (found := _LINE.search(path.read_text(errors="replace"))):
                return "Received: " + " ".join(found[1].split())
        if time.monotonic() > until:
            return ""
        time.sleep(0.2)


def told(session: Session, line: str) -> Session:
    """The session with the message as a message, and the line that the server wrote on it."""
    events: list[AnyEvent] = []
    body: list[Command] = []
    inside = False
    for event in session.events:
        if inside and isinstance(event, Command):
            body.append(event)
            continue
        if body:
            raw = b"".join(part.raw for part in body)
            first = body[0]
            events.append(
                Message(
                    at=first.at,
                    by="client",
                    secure=first.secure,
                    raw=raw,
                    size=len(raw.removesuffix(b".\r\n")),
                )
            )
            body = []
        events.append(event)
        if isinstance(event, Reply):
            if inside and event.code == 250 and line:
                events.append(Trace(at=event.at, by="server", text=line))
            inside = event.code == 354
    return msgspec.structs.replace(session, events=tuple(events))
