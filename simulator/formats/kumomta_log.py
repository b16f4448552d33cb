"""KumoMTA's log: one JSON record a line for what became of a message, with the reply that decided,
the command that it answers, and what TLS agreed on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import Expected, Format, Sample
from simulator.reading.marks import peers
from simulator.session import Session

_RECORD = late(r'\s*\{.{0,4000}"response" ?: ?\{ ?"code" ?: ?\d')
_VERBS = {"EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}


def detect(head: str, telling: list[str]) -> float:
    """By the reply that each record holds."""
    hits = sum(_RECORD.match(line) is not None for line in telling)
    return 0.97 * hits / len(telling) if hits else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """One session a record."""
    desk = Desk("kumomta-log", shown="outline")
    for line in lines:
        row = _record(line.text)
        if row is not None:
            _take(desk, row, line)
        elif line.text:
            desk.loose(line.text, line.number)
        yield from desk.done()
    yield from desk.finish()


def _record(text: str) -> dict[str, Any] | None:
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    known = isinstance(row, dict) and isinstance(row.get("response"), dict)
    return row if known and isinstance(row["response"].get("code"), int) else None


def _take(desk: Desk, row: dict[str, Any], line: Line) -> None:
    connection = str(row.get("id", ""))
    dialogue = desk.of(connection)
    came_in = row.get("type") in ("Reception", "Rejection")
    peer = row.get("peer_address")
    if isinstance(peer, dict):
        side = "client" if came_in else "server"
        found = {f"{side}_name": str(peer.get("name", "")), f"{side}_address": _host(peer)}
        peers(dialogue, found)
    dialogue.remark(line.text, line.number)
    version, cipher = row.get("tls_protocol_version"), row.get("tls_cipher")
    if cipher or version:
        dialogue.tls(line.number, version=str(version or ""), cipher=str(cipher or ""))
    reply = row["response"]
    verb = str(reply.get("command") or "").strip().split(" ")[0].upper()
    if verb in _VERBS:
        dialogue.imply(verb, line.number, reply["code"], _text(reply))
    desk.end(connection)


def _host(peer: dict[str, Any]) -> str:
    return re.sub(r":\d+$", "", str(peer.get("addr", "")))


def _text(reply: dict[str, Any]) -> str:
    status = reply.get("enhanced_code")
    text = str(reply.get("content", ""))
    if not isinstance(status, dict):
        return text
    return f"{status.get('class')}.{status.get('subject')}.{status.get('detail')} {text}"


FORMAT = Format(
    name="kumomta-log",
    title=N_("KumoMTA's log records"),
    log_more=N_("The records show one reply: kcli trace-smtp-client shows the whole dialogue."),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log='{"type":"TransientFailure","id":"1d98","sender":"ana@example.org",'
            '"recipient":["bo@example.net"],"site":"mx.example.net","size":1047,"response":'
            '{"code":454,"enhanced_code":{"class":4,"subject":7,"detail":0},'
            '"content":"TLS not available","command":"STARTTLS\\r\\n"},'
            '"peer_address":{"name":"mx.example.net.","addr":"192.0.2.9"},"tls_cipher":null}',
            means=Expected(tls="refused", client_to_server_commands=("STARTTLS",)),
        ),
        Sample(
            log='{"type":"Delivery","id":"1d99","sender":"ana@example.org",'
            '"recipient":["bo@example.net"],"site":"mx.example.net","size":1047,"response":'
            '{"code":250,"enhanced_code":{"class":2,"subject":0,"detail":0},'
            '"content":"OK","command":"."},"peer_address":{"name":"mx.example.net.",'
            '"addr":"192.0.2.9"},"tls_cipher":"TLS13_AES_256_GCM_SHA384",'
            '"tls_protocol_version":"TLSv1.3"}',
            means=Expected(tls="established"),
        ),
    ),
)
