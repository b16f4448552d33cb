"""One JSON object a line: Nodemailer with a bunyan or pino logger, and services of that kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import Format
from simulator.reading.marks import learn, unmarked
from simulator.session import Session, Side

_TEXTS = ("msg", "message", "data", "line", "text", "log", "payload", "MESSAGE")
_SIDES = ("tnx", "direction", "dir", "side", "from", "type", "event")
_NAMES = ("sid", "cid", "connection", "connectionId", "session", "session_id", "id", "pid")
_MARK = late(r"(?P<mark>[SC]:|<-|->|<<<|>>>|<<|>>|<|>) ?(?P<text>.*)", re.DOTALL)


def detect(head: str, telling: list[str]) -> float:
    """By the share of lines that are objects."""
    hits = sum(line.lstrip()[:1] == "{" and _object(line) is not None for line in telling)
    return 0.9 * hits / max(1, len(telling))


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict) else None


def _first(row: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = row.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)
    return ""


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("json-lines")
    for line in lines:
        row = _object(line.text.strip()) if line.text else None
        if row is not None:
            _take(desk, row, line)
        elif line.text:
            desk.remark(line.text, line.number)
        yield from desk.done()
    yield from desk.finish()


def _take(desk: Desk, row: dict[str, Any], line: Line) -> None:
    text = _first(row, _TEXTS)
    connection = _first(row, _NAMES)
    who = _first(row, _SIDES).lower()
    side: Side | None = None
    if who in ("client", "c", "send", "sent", "out", "request", "command"):
        side = "client"
    elif who in ("server", "s", "recv", "received", "in", "response", "reply"):
        side = "server"
    if side is None and (match := _MARK.fullmatch(text)) is not None:
        side = learn(desk.of(connection), match["mark"], match["text"])
        text = match["text"] if side else text
    elif side is not None and who not in ("client", "server"):
        side = learn(desk.of(connection), who, text)
    if side is not None:
        desk.speak(connection, side, text, line.number, line.text)
    elif not unmarked(desk, Line(line.number, text), connection):
        if desk.has(connection):
            desk.of(connection)
        desk.remark(text or line.text, line.number, connection if desk.has(connection) else None)


FORMAT = Format(
    name="json-lines",
    title=N_("JSON lines (Nodemailer with bunyan or pino, and others)"),
    log_more=N_(
        "Create the transport with { logger: yourLogger, debug: true } and log at level debug."
    ),
    detect=detect,
    read=read,
)
