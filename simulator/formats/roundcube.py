# ruff: noqa: E501 - the lines of a sample are as long as the log's
"""Roundcube's smtp log: `[time]: <session> Send: EHLO …`; with `Recv: [TRASH]` where it met TLS
octets. What people paste often has two of its lines on one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import SECOND_EHLO, Expected, Format, Sample
from simulator.reading.marks import LONGEST, peers
from simulator.session import Session

_SAID = late(
    r"(?:.{0,80}?[\s>])??(?:\[[^\]]{10,40}\]: ?)?<(?P<conn>[0-9a-z]{6,40})> "
    r"(?:(?P<mark>Recv|Send): ?(?P<text>.*)"
    r"|Connecting to (?P<scheme>\w+://)?(?P<host>[^:/\s]+)(?::(?P<port>\d+))?\.\.\.|(?P<other>.*))"
)
_NEXT = late(r"(?<=\S)[ \t]{0,20}(?=\[[^\]]{10,40}\]: ?<[0-9a-z]{6,40}> (?:Recv|Send|Conn))")
_TAG = late(r"</?(?:pre|code|br ?/?)>")


def detect(head: str, telling: list[str]) -> float:
    """By the session in angle brackets and the words behind it."""
    hits = sum((match := _match(line)) is not None and match["other"] is None for line in telling)
    return 0.9 * hits / len(telling) + 0.1 if hits > 1 else 0.0


def _match(text: str) -> re.Match[str] | None:
    return _SAID.fullmatch(text[:LONGEST].strip())


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("roundcube")
    for line in lines:
        for piece in _NEXT.split(_TAG.sub("", line.text)):
            _take(desk, Line(line.number, piece))
        yield from desk.done()
    yield from desk.finish()


def _take(desk: Desk, line: Line) -> None:
    match = _match(line.text)
    if match is None:
        if line.text.strip():
            desk.remark(line.text, line.number)
        return
    connection = match["conn"]
    if match["host"] is not None:
        if desk.has(connection) and desk.of(connection).begun:
            desk.end(connection)
        dialogue = desk.of(connection, line.text)
        # Roundcube's tls:// asks for STARTTLS, its ssl:// for TLS from the first octet.
        dialogue.implicit = match["scheme"] == "ssl://"
        peers(dialogue, {"server_name": match["host"], "port": match["port"] or "0"})
        dialogue.connect(line.number, line.text)
    elif match["mark"] == "Send":
        desk.speak(connection, "client", match["text"], line.number, line.text)
    elif match["mark"] == "Recv" and not match["text"].startswith("[TRASH]"):
        desk.speak(connection, "server", match["text"], line.number, line.text)
    else:
        desk.of(connection, line.text).remark(line.text, line.number)


FORMAT = Format(
    name="roundcube",
    title="Roundcube",
    log_more=N_("Set $config['smtp_debug'] = true; what went wrong with TLS is in logs/errors."),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log="""
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Connecting to tls://mx.example.org:587...
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 220 mx.example.org ESMTP
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Send: EHLO webmail.example.com
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 250-mx.example.org    [04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 250 STARTTLS
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Send: STARTTLS
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 220 2.0.0 Ready to start TLS
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Send: EHLO webmail.example.com
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 250-mx.example.org
[04-Mar-2026 10:15:31 +0000]: <7mm1xq20> Recv: 250 AUTH PLAIN
""",
            means=SECOND_EHLO,
        ),
        Sample(
            log="""
roundcube[33]: <7mm1xq20> Recv: 220 mx.example.org ESMTP
roundcube[33]: <7mm1xq20> Send: EHLO webmail.example.com
roundcube[33]: <7mm1xq20> Recv: 250-mx.example.org
roundcube[33]: <7mm1xq20> Recv: 250 STARTTLS
roundcube[33]: <7mm1xq20> Send: STARTTLS
roundcube[33]: <7mm1xq20> Recv: 220 2.0.0 Ready to start TLS
roundcube[33]: <7mm1xq20> Send: QUIT
roundcube[33]: <7mm1xq20> Recv: [TRASH]
""",
            means=Expected(
                tls="failed",
                ehlo_before_tls=1,
                client_to_server_commands=("EHLO", "STARTTLS", "QUIT"),
            ),
        ),
    ),
)
