"""A log of software that no other reader knows: its marks are learned from the log itself.

Lines in which a reply begins after some text, and lines in which a command does, show what stands
before each of the two; from then on that tells who speaks.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line, without_prefix
from simulator.reading.desk import Desk
from simulator.reading.dialogue import is_command, is_reply
from simulator.reading.format import Format
from simulator.reading.marks import LONGEST, continued, unescape, unmarked
from simulator.session import Session

_INNER = late(
    r"(?P<before>.{0,300}?[\s:>'\"\]|)=,;/~-])(?P<text>(?:[2-5][0-57]\d[ -]\S|EHLO[ \\]|HELO[ \\]"
    r"|STARTTLS(?=$|[\s\\'\"])|MAIL FROM ?:|RCPT TO ?:|QUIT(?=$|[\\'\"])|DATA(?=$|[\\'\"])"
    r"|AUTH (?:PLAIN|LOGIN|CRAM|NTLM|XOAUTH)|RSET(?=$|[\\'\"])).*)",
    re.IGNORECASE,
)
_TAIL = 10
_TELLING = late(
    r"(?i)(<{1,3}|>{1,3}|<-{1,3}|-{1,3}>|<=|=>|\b[cs]:|\[[cs]\]"
    r"|\b(?:c|client|s|server) ?(?:->|-->|<-|<--) ?(?:s|server|c|client):?)\s{0,4}(?:b?['\"])?$"
)
"""What stands for one side in whatever software, so that one line is enough to learn it."""
LEARNED = 400
"""Lines that are read before the marks are taken as known."""

Who = Literal["client", "server", "either"]


def _mark(before: str) -> str:
    """What stands right before the text, with its numbers left out."""
    telling = _TELLING.search(before[-40:])
    if telling:
        return telling[1].lower()
    return re.sub(r"\d+", "0", before.strip()[-40:]).strip()[-_TAIL:]


def _learn(lines: Iterable[str]) -> dict[str, Who]:
    found: dict[str, Counter[str]] = {}
    for line in lines:
        match = _INNER.fullmatch(line[:LONGEST].rstrip())
        if match:
            side = "server" if match["text"][0].isdigit() else "client"
            found.setdefault(_mark(match["before"]), Counter())[side] += 1
    known: dict[str, Who] = {}
    for mark, sides in found.items():
        if not mark or (sides.total() < 2 and not (_TELLING.fullmatch(mark) or mark[-1] in "'\"")):
            continue
        best = sides.most_common(1)[0]
        if best[1] < 0.9 * sides.total():
            known[mark] = "either"
        else:
            known[mark] = "client" if best[0] == "client" else "server"
    return known


def detect(head: str, telling: list[str]) -> float:
    """By how many lines have one of a few marks, with both sides among them."""
    marks = _learn(telling)
    if not marks or not ({"client", "server"} <= set(marks.values()) or "either" in marks.values()):
        return 0.0
    hits = sum(_said(line, marks) is not None for line in telling)
    least = 2 if all(_TELLING.fullmatch(mark) for mark in marks) else 3
    return 0.25 + 0.15 * hits / len(telling) if hits >= least else 0.0


def _said(line: str, marks: dict[str, Who]) -> tuple[Who, str] | None:
    text = line[:LONGEST].rstrip()
    match = _INNER.fullmatch(text)
    if match:
        who = marks.get(_mark(match["before"]))
        if who is not None:
            said: Who = "server" if match["text"][0].isdigit() else "client"
            return (who if who != "either" else said), _unquoted(match["before"], match["text"])
    for mark, who in marks.items():
        place = text.find(mark) if who != "either" and len(mark) > 1 else -1
        if 0 <= place < 160:
            return who, text[place + len(mark) :].strip()
    return None


_QUOTED = {mark: late(rf"(?:[^{mark}\\]|\\.){{0,4000}}") for mark in "'\""}


def _unquoted(before: str, text: str) -> str:
    """The text up to the quote that closes it, if one opened before it; all of it if there is no
    word between the quotes, as in a grammar that quotes `"250-"`."""
    quoted = _QUOTED.get(before[-1:])
    match = quoted.match(text) if quoted is not None else None
    return match[0] if match is not None and match[0].strip("0123456789 -") else text


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    rest = iter(lines)
    first = list(itertools.islice(rest, LEARNED))
    marks = _learn(line.text for line in first)
    desk = Desk("unknown")
    for line in itertools.chain(first, rest):
        if line.text and not continued(desk, line):
            _take(desk, marks, line)
        yield from desk.done()
    yield from desk.finish()


def _take(desk: Desk, marks: dict[str, Who], line: Line) -> None:
    found = _said(line.text, marks)
    connection = without_prefix(line.text[:LONGEST]).process
    if not connection and desk.latest is not None:
        connection = desk.latest.connection
    if found is None:
        if not unmarked(desk, line, connection):
            desk.remark(line.text, line.number)
        return
    who, said = found
    text = unescape(said.strip("'\"`,;")).rstrip("\r\n\0 ")
    if who == "client" and not (is_command(text) or _begun(desk)):
        desk.remark(line.text, line.number)
    elif who == "server" and not is_reply(text):
        desk.remark(line.text, line.number)
    else:
        side: Literal["client", "server"] = "client" if who == "client" else "server"
        desk.speak(connection, side, text, line.number, line.text)


def _begun(desk: Desk) -> bool:
    return desk.latest is not None and desk.latest.begun


FORMAT = Format(
    name="unknown",
    title=N_("A log of unknown software, its marks learned from itself"),
    log_more=N_(
        "Look for a debug or protocol log level, or put a capture (tcpdump port 25) beside it."
    ),
    detect=detect,
    read=read,
    fallback=True,
)
