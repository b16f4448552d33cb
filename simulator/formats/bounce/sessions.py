"""A session for each recipient, of what a bounce says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from simulator.formats.bounce.parts import Zone
from simulator.formats.bounce.quotes import stage
from simulator.formats.bounce.reports import NONE, Report, understood
from simulator.needles import late
from simulator.reading import signs
from simulator.reading.clean import Line
from simulator.session import (
    AnyEvent,
    Command,
    Connect,
    Handshake,
    Peer,
    Remark,
    Reply,
    Session,
)

NAME = "bounce"

MOST_LINES = 20_000
"""Lines of one bounce that are looked at."""

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded", "?"]

_ENVELOPE = late(r"From \S+.{0,40}\d\d:\d\d")
"""What stands between two messages in a file of many (RFC 4155)."""


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """A session for each recipient of each bounce."""
    held: list[Line] = []
    blank = True
    for line in lines:
        if held and ((blank and _ENVELOPE.match(line.text)) or len(held) >= MOST_LINES):
            yield from _sessions(held)
            held = []
        held.append(line)
        blank = not line.text.strip()
    if any(line.text.strip() for line in held):
        yield from _sessions(held)


def _sessions(lines: Sequence[Line]) -> Iterator[Session]:
    said, reports = understood(lines)
    reports = [r for r in reports if r.quote or r.status or r.detail or r.recipient] or [NONE]
    zones = {s.number: s.zone for s in said}
    own: dict[int, int] = {}
    for index, report in enumerate(reports):
        told = {report.quote.number} if report.quote else set()
        for number in report.lines | told:
            own.setdefault(number, index)
    for index, report in enumerate(reports):
        mine = [line for line in lines if own.get(line.number, 0) == index]
        yield _session(report, mine, zones)


def _session(report: Report, lines: Sequence[Line], zones: dict[int, Zone]) -> Session:
    place = report.quote.number if report.quote else report.status_line
    if not any(line.number == place for line in lines):
        place = lines[0].number if lines else 0
    word = report.status_line if any(n.number == report.status_line for n in lines) else place
    events: list[AnyEvent] = []
    block: list[Line] = []
    for line in lines:
        zone = zones.get(line.number, "prose")
        split = line.number in (place, word)
        if block and (split or zones.get(block[0].number, "prose") != zone):
            events += _beside(block, zones)
            block = []
        if line.number == word and report is not NONE:
            events.append(_word(report, line))
        else:
            block.append(line)
        if split:
            events += _beside(block, zones)
            block = []
        if line.number == place:
            events += _told(report, line)
    events += _beside(block, zones)
    if not lines:
        events.append(_word(report, Line(place, "")))
        events += _told(report, Line(place, ""))
    return Session(
        source=NAME,
        connection=report.recipient,
        client=_peer(report.reporter),
        server=report.remote if not _is_address(report.remote.name) else _peer(report.remote.name),
        shown="outline",
        events=tuple(events),
    )


_ACTIONS: dict[str, Action] = {
    action: action for action in ("failed", "delayed", "delivered", "relayed", "expanded")
}


def _word(report: Report, line: Line) -> Remark:
    """The report's word for the recipient, in the line that has it."""
    sentence = _of_tls(report)
    return Remark(
        by="server",
        line=line.number or None,
        text=line.text,
        about="report",
        tells="not_offered" if sentence is not None and sentence.kind == "not_offered" else "",
        action=_ACTIONS.get(report.action, "?"),
        status=report.status,
    )


def _is_address(name: str) -> bool:
    return re.fullmatch(r"\[?(?:[\d.]{7,15}|[0-9A-Fa-f:]{3,45})\]?", name) is not None


def _peer(name: str) -> Peer:
    return Peer(address=name.strip("[]")) if _is_address(name) else Peer(name=name)


def _beside(lines: Sequence[Line], zones: dict[int, Zone]) -> list[AnyEvent]:
    """A run of lines of one part of the bounce, as one."""
    if not any(line.text.strip() for line in lines):
        return []
    text = "\n".join(line.text for line in lines).strip("\n")
    about = _ABOUT[zones.get(lines[0].number, "prose")]
    first = next(line.number for line in lines if line.text)
    return [Remark(by="server", line=first, text=text, about=about)]


_ABOUT: dict[Zone, Literal["report", "header", "message"]] = {
    "head": "header", "prose": "report", "fields": "report", "original": "message",
    "binary": "message",
}  # fmt: skip


def _of_tls(report: Report) -> signs.Sentence | None:
    """What the report says of TLS itself: not where it names another command."""
    verb = report.quote.verb if report.quote is not None else stage(report.detail)
    return signs.read(report.detail) if verb in ("", "STARTTLS") else None


def _told(report: Report, line: Line) -> list[AnyEvent]:
    """The command and the reply that the report tells of, and what it says of TLS."""
    quote = report.quote
    verb = quote.verb if quote is not None else stage(report.detail)
    told: list[AnyEvent] = []
    sentence = _of_tls(report)
    if sentence is not None and sentence.kind in ("failed", "refused"):
        verb = "STARTTLS"
    if verb == "CONNECT":
        told.append(Connect(by="client", line=line.number, told=True))
    elif verb:
        told.append(
            Command(
                by="client", verb="DATA" if verb == "MESSAGE" else verb, line=line.number,
                argument=quote.argument if quote is not None else "", told=True,
            )
        )  # fmt: skip
    if sentence is not None and sentence.kind == "failed":
        told.append(
            Handshake(by="client", line=line.number, error=sentence.error, detail=report.detail)
        )
    if quote is not None:
        told.append(
            Reply(by="server", code=quote.code, lines=quote.lines, line=line.number, told=True)
        )
    return told
