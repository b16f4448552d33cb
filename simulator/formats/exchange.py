"""Exchange protocol logs (CSV): a row says +, -, <, > or *, and < and > change their meaning with
the connector: in a receive connector's log > is the server, in a send connector's the client."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, Reason
from simulator.reading.format import Format
from simulator.reading.marks import learn
from simulator.session import Peer, Session, Side

_FIELDS = [
    "date-time", "connector-id", "session-id", "sequence-number", "local-endpoint",
    "remote-endpoint", "event", "data", "context",
]  # fmt: skip
_ROW = late(
    r'"?\d{4}-\d\d-\d\dT[\d:.]+Z"?,[^,]*,"?[0-9A-F]{4,16}"?,"?\d+"?,'
    r"|[^,]{0,40},[^,]{0,80},[^,]{1,40},\d{1,6},[^,]{0,60}:\d+,[^,]{0,60}:\d+,[-+<>*],"
)
_KEYWORDS = frozenset((
    "SIZE", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH", "8BITMIME",
    "BINARYMIME", "CHUNKING", "ETRN", "SMTPUTF8", "HELP", "DELIVERBY", "EXPN", "VRFY", "TURN",
    "ATRN", "ONEX", "VERB", "XRDST", "XSHADOW", "XOORG", "XPROXY", "XPROXYFROM", "XPROXYTO",
    "XSHADOWREQUEST", "XSYSPROBE", "XORIGFROM", "XMESSAGECONTEXT", "XADRC", "XEXPROPS",
))  # fmt: skip


def detect(head: str, telling: list[str]) -> float:
    """By the header, or the shape of the rows."""
    if "date-time,connector-id,session-id" in head:
        return 0.95
    hits = sum(_ROW.match(line) is not None for line in telling)
    return 0.9 * hits / max(1, len(telling))


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("exchange")
    fields = _FIELDS
    for line in lines:
        if line.text.startswith("#"):
            if line.text.startswith("#Fields:"):
                fields = [name.strip() for name in line.text[8:].split(",")]
            desk.remark(line.text, line.number)
        elif line.text:
            row = _row(line.text, fields)
            if row is None:
                desk.remark(line.text, line.number)
            else:
                _take(desk, row, line)
        yield from desk.done()
    yield from desk.finish()


def _row(text: str, fields: list[str]) -> dict[str, str] | None:
    try:
        cells = next(csv.reader([text], strict=False))
    except (csv.Error, StopIteration):
        return None
    row = dict(zip(fields, cells, strict=False))
    if not row.get("session-id") or row.get("event") not in ("+", "-", "<", ">", "*"):
        return None
    return row


def _take(desk: Desk, row: dict[str, str], line: Line) -> None:
    connection = row["session-id"]
    dialogue = desk.of(connection, line.text)
    data, context = row.get("data", "").strip(), row.get("context", "").strip()
    match row["event"]:
        case "+":
            dialogue.connect(line.number, line.text)
            _peers(dialogue, row)
        case "-":
            local = _local(dialogue)
            remote: Side = "client" if local == "server" else "server"
            reason: Reason = "cut" if "SocketError" in context else "closed"
            dialogue.remark(line.text, line.number)
            by = local if context.startswith("Local") else remote
            dialogue.close(line.number, by, reason)
            desk.end(connection)
        case "*":
            _star(dialogue, f"{data} {context}".strip(), line)
        case mark:
            side = learn(dialogue, mark, data)
            if side is None:
                dialogue.remark(line.text, line.number)
            else:
                said = unflatten(data) if side == "server" else data
                desk.speak(connection, side, said, line.number, line.text)


def _local(dialogue: Dialogue) -> Side:
    """The side that wrote the log: what > stands for."""
    return dialogue.marks.get(">", "server")


def _peers(dialogue: Dialogue, row: dict[str, str]) -> None:
    local, _, port = row.get("local-endpoint", "").rpartition(":")
    remote, _, remote_port = row.get("remote-endpoint", "").rpartition(":")
    if port in ("25", "587", "465", "2525", "717"):
        dialogue.server = Peer(address=local, port=int(port))
        dialogue.client = Peer(address=remote)
    elif remote_port.isdigit():
        dialogue.server = Peer(address=remote, port=int(remote_port))
        dialogue.client = Peer(address=local)


def _star(dialogue: Dialogue, text: str, line: Line) -> None:
    if re.search(r"(?i)TLS.{0,80}negotiation succeeded", text):
        version = re.search(r"SP_PROT_TLS(\d)_(\d)", text)
        cipher = re.search(r"CALG_\w+", text)
        dialogue.tls(
            line.number,
            line.text,
            version=f"TLS {version[1]}.{version[2]}" if version else "",
            cipher=cipher[0] if cipher else "",
        )
    elif re.search(r"(?i)TLS.{0,80}(?:negotiation|handshake).{0,40}fail", text):
        dialogue.tls_failed(line.number, text)
    else:
        dialogue.remark(line.text, line.number)


def unflatten(data: str) -> str:
    """The lines of a list that Exchange logs as one row: `250  name Hello [ip] SIZE 3 DSN …`."""
    match = re.fullmatch(r"250 {2}(\S+(?: Hello \S+)?)((?: \S+)+)", data)
    if match is None:
        return data
    lines = [match[1]]
    for word in match[2].split():
        if word in _KEYWORDS or word.startswith("X-"):
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    last = len(lines) - 1
    return "\n".join(f"250{' ' if i == last else '-'}{text}" for i, text in enumerate(lines))


FORMAT = Format(
    name="exchange",
    title=N_("Exchange protocol log (CSV)"),
    log_more=N_(
        "Set-ReceiveConnector (or Set-SendConnector) -ProtocolLoggingLevel Verbose; the rows "
        "marked * tell what became of TLS."
    ),
    detect=detect,
    read=read,
)
