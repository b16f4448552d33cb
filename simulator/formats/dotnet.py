"""Traces of System.Net: hex dumps of what a socket sent and received."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import Format
from simulator.session import Session, Side

_DATA = late(r".{0,120}?Data from (?P<stream>\w+)#(?P<conn>\d+)::(?P<way>Send|Receive|Read|Write)")
_LAST = late(r".{0,120}?[0-9A-Fa-f]{8} : (?P<hex>[0-9A-Fa-f]{2}(?:[ -][0-9A-Fa-f]{2}){0,15})\b")


def detect(head: str, telling: list[str]) -> float:
    """By the words of the trace."""
    return 0.9 if re.search(r"System\.Net(?:\.\w+)? \w+: \d+ : \[\d+\]", head) else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a trace."""
    desk = Desk("dotnet")
    side: Side = "client"
    connection, secure = "", False
    data, first = bytearray(), 0
    sealed: set[str] = set()
    opened: set[str] = set()

    def say() -> None:
        if data:
            octets = bytes(data)
            data.clear()
            dialogue = desk.of(connection)
            if octets[:1] in b"\x14\x15\x16\x17" and octets[1:2] == b"\x03":
                dialogue.remark("(octets of TLS)", first)
                if octets[:1] == b"\x17":
                    sealed.add(connection)
                return
            if secure:
                opened.add(connection)
            desk.speak(
                connection, side, octets.decode("utf-8", "replace"), first, secure=secure or None
            )

    for line in lines:
        begun = _DATA.match(line.text)
        dump = None if begun else _LAST.match(line.text)
        if dump:
            if not data:
                first = line.number
            data += bytes.fromhex(dump["hex"].replace("-", " "))
            continue
        say()
        if begun:
            side = "client" if begun["way"] in ("Send", "Write") else "server"
            connection = begun["conn"] if begun["stream"] == "Socket" else connection
            secure = begun["stream"] != "Socket"
        if line.text:
            desk.remark(line.text, line.number)
        yield from desk.done()
    say()
    for name in sealed - opened:
        if desk.has(name):
            desk.of(name).ciphertext(first)
    yield from desk.finish()


FORMAT = Format(
    name="dotnet",
    title=N_(".NET System.Net trace"),
    log_more=N_(
        "In the application's config, trace System.Net and System.Net.Sockets at level Verbose."
    ),
    detect=detect,
    read=read,
)
