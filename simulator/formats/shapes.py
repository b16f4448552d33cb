"""The shape of each session that a Postfix log tells of: what a verdict rests on of its lines,
without names and times.

Only lines that change a verdict are looked at; they are found by their words in large pieces of the
file, not line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from simulator.formats import maillog

PIECE = 1 << 17
"""Octets that are looked at together: few enough to stay near the processor."""

_PEER = re.compile(rb"[\w.-]*\[[0-9A-Fa-f.:]+\]")
_ADDRESS = re.compile(rb"<[^<>\s]*>")

LONGEST = 1 << 20
"""Octets of a line that are read."""

MOST_LINES = 20_000
"""Lines of one session that are kept."""

MOST_SHAPES = 10_000
"""Shapes of sessions that are remembered at a time."""

_WORDS = (
    b"]: disconnect from ",
    b" TLS connection established ",
    b"]: warning: ",
    b" after ",
    b"]: SSL_accept error",
    b"reject: ",
    b"]: connect from ",
    b"]: > ",
    b"]: < ",
)
_CLIENT = b"/smtp["
_DISCONNECT, _TLS, _CONNECT, _SMTP = 0, 1, 6, 9

_BITS = 4
"""Bits that hold the number of a word."""

_WINDOW = 29_000
"""Octets in which CPython looks for a short word in its quicker way."""

_FROM = ord("f")
"""`established from` is the server's line, `established to` the client's."""

_STAMP = rb"(?:[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:|\d{4}-\d\d-\d\d)"
_STAMPED = re.compile(_STAMP)
_UNSTAMPED = re.compile(rb"(?m)^(?!" + _STAMP + rb"|\Z)")
_STAMP_LENGTH = len("Nov 25 10:")
_TEXT = bytes((ord("\n"), ord("\t"), *range(32, 127), *range(128, 256)))
"""What the octets of a log are that need no tidying."""

UNSEEN = [b"(began before)"]
"""What stands in the place of a beginning that was not seen."""

Shape = tuple[bytes, ...]
"""What matters of a session's lines: its kind, then their texts without names and times."""


def is_plain(data: bytes) -> bool:
    """Whether whole lines are text, and each begins with the time at which it was logged."""
    if data.translate(None, _TEXT) or not _STAMPED.match(data):
        return False
    # Most lines of a piece bear the same hour, and to count them is far quicker.
    alike = data.count(b"\n" + data[:_STAMP_LENGTH]) + 1
    return alike >= data.count(b"\n") or _UNSTAMPED.search(data) is None


def pieces(file: BinaryIO, size: int = 1 << 62) -> Iterator[bytes]:
    """The octets of a file, or the next `size`, each piece with the rest of its last line."""
    while size > 0:
        data = file.read(min(PIECE, size))
        if not data:
            return
        if not data.endswith(b"\n"):
            data += file.readline(LONGEST)
            data += b"" if data.endswith(b"\n") else b"\n"
        size -= len(data)
        yield data


class Scan:
    """Looks through pieces of a log, in order."""

    def __init__(self) -> None:
        self.open: dict[bytes, list[bytes]] = {}
        self.first: dict[bytes, bytes] = {}
        """The first message that each client process delivered; empty if TLS was begun before."""
        self.last: dict[bytes, bytes] = {}
        """The message that each client process is delivering."""
        self.continued: set[bytes] = set()
        """Processes of the server whose first session began before."""
        self.anew: set[bytes] = set()
        """Those whose first session begins here."""
        self.plain = True
        """There is nothing in it that only the reader knows how to take."""
        self.most_open = 0
        """The most sessions that were open at once, without those whose message was delivered."""
        self.parted: set[bytes] = set()
        """Those whose lines before any beginning are of several sessions."""
        self.unbegun: dict[bytes, maillog.Unbegun] = {}
        """What is known of the server's sessions that are open, and began before."""
        self.servers: dict[bytes, bytes] = {}
        """The address of the server that each client process is in a session with."""
        self.called: dict[bytes, bytes] = {}
        """The first server that each was with."""
        self.delivered: set[bytes] = set()
        """Client processes that are open, and whose message was delivered, or was not."""
        self._ended: list[bytes] = []
        self._shapes: list[Shape] = []
        self._same: dict[bytes, bytes] = {}

    def take(self) -> tuple[list[bytes], list[Shape]]:
        """The processes whose sessions ended since it was last asked, and the sessions' shapes."""
        ended, self._ended = self._ended, []
        shapes, self._shapes = self._shapes, []
        return ended, shapes

    def look(self, data: bytes) -> None:
        """Find what matters in whole lines."""
        self.plain = self.plain and is_plain(data)
        hits: list[int] = []
        find = data.find
        for number, word in enumerate(_WORDS):
            at = find(word)
            while at >= 0:
                hits.append(at << _BITS | number)
                at = find(word, at + 6)
        for start in range(0, len(data), _WINDOW):
            end = start + _WINDOW + len(_CLIENT) - 1
            at = find(_CLIENT, start, end)
            while at >= 0:
                hits.append(at << _BITS | _SMTP)
                at = find(_CLIENT, at + 6, end)
        hits.sort()
        rfind, opened, same = data.rfind, self.open, self._same
        ended, shapes = self._ended, self._shapes
        continued, anew, unbegun = self.continued, self.anew, self.unbegun
        for hit in hits:
            at, number = hit >> _BITS, hit & 15
            # The two kinds of line that nearly every session has stand here, not in methods of
            # their own: it is what makes this fast.
            if number == _DISCONNECT:
                process = data[rfind(b" ", 0, at) + 1 : at + 1]
                if b"/smtpd[" not in process:
                    continue
                end = find(b"\n", at)
                counts = find(b" ", at + 19, end)
                last = data[counts:end] if counts > 0 else b" "
                kind = b"smtps" if b"smtps" in process or b"submissions" in process else b"smtpd"
                if process in unbegun:
                    self._begun_before(process, data[at + 3 : end])
                    unbegun.pop(process, None)
                lines = opened.pop(process, None)
                if lines is None:
                    lines = UNSEEN
                    if process not in anew:
                        continued.add(process)
                ended.append(process)
                shapes.append((kind, *lines, last))
            elif number == _TLS:
                if data[at + 28] != _FROM:
                    continue
                mark = rfind(b"]: ", rfind(b"\n", 0, at) + 1, at)
                if mark < 0:
                    continue
                # `Trusted`, and all that comes behind the peer's name.
                said = data[mark + 3 : at] + data[find(b": TLS", at) : find(b"\n", at)]
                process = data[rfind(b" ", 0, mark) + 1 : mark + 1]
                if b"/smtpd[" not in process:
                    continue
                text = same.get(said) or self._encrypted(said)
                lines = opened.get(process)
                if lines is not None and len(lines) < MOST_LINES and process not in unbegun:
                    lines.append(text)
                else:
                    self._keep(process, text, data[mark + 3 : find(b"\n", at)])
            elif number == _CONNECT:
                process = data[rfind(b" ", 0, at) + 1 : at + 1]
                if b"/smtpd[" not in process:
                    continue
                if process in opened:
                    # It did not say that the session before had ended.
                    self._end(process)
                opened[process] = []
                if len(opened) > self.most_open:
                    self._count()
                if process not in continued:
                    anew.add(process)
            elif number == _SMTP:
                self._client(data, at)
            else:
                self._troubled(data, at)

    def _encrypted(self, said: bytes) -> bytes:
        trust, _, rest = said.partition(b": TLS")
        text = trust + b" TLS connection established from a[192.0.2.1]: TLS" + rest
        text = text.split(b" (", 1)[0]
        if len(self._same) < MOST_SHAPES:
            self._same[said] = text
        return text

    def _troubled(self, data: bytes, at: int) -> None:
        process, text = self._line(data, at)
        if b"/smtpd[" not in process and b"/postscreen[" not in process:
            if text.startswith((b"> ", b"< ")) and _ANY_CLIENT.search(process):
                self.plain = False
            return
        said = b""
        if not text.startswith((b"> ", b"< ")):
            said = text
            text = _PEER.sub(b"a[192.0.2.1]", _ADDRESS.sub(b"<a@example.org>", text))
        self._keep(process, text, said)

    def _line(self, data: bytes, at: int) -> tuple[bytes, bytes]:
        """The process that wrote the line around `at` (`postfix/smtpd[411]`), and what it says;
        empty for a line that ends before it says anything."""
        end = data.find(b"\n", at)
        mark = data.find(b"]: ", data.rfind(b"\n", 0, at) + 1, end)
        if mark < 0:
            return b"", b""
        return data[data.rfind(b" ", 0, mark) + 1 : mark + 1], data[mark + 3 : end]

    def _keep(self, process: bytes, text: bytes, said: bytes = b"") -> None:
        """Keep a line, which is `said` by the server as it stands, or by the client."""
        if said and (process in self.unbegun or process not in self.open):
            self._begun_before(process, said)
        lines = self.open.get(process)
        if lines is None:
            self.open[process] = [*UNSEEN, text]
            self._count()
            if process not in self.anew:
                self.continued.add(process)
        elif len(lines) < MOST_LINES:
            lines.append(text)

    def _begun_before(self, process: bytes, said: bytes) -> None:
        text = said.decode("utf-8", "replace")
        known = self.unbegun.get(process)
        if known is not None and known.is_over(text):
            self.parted.add(process)
            self._end(process)
            known = None
        if known is None:
            known = self.unbegun[process] = maillog.Unbegun()
        known.note(text)

    def _count(self) -> None:
        self.most_open = max(self.most_open, len(self.open) - len(self.delivered))

    def _client(self, data: bytes, at: int) -> None:
        process, text = self._line(data, at)
        if b"/smtp[" not in process:
            return
        status = text.find(b", status=")
        if text.find(b"relay=", 0, status) > 0 and _WHY.match(text, status + 9):
            message = text[: text.find(b":")]
            self.first.setdefault(process, message)
            if self.last.get(process, message) != message:
                self._finish(process)
            relay = _RELAY.search(text, 0, status)
            self._with(process, relay and relay[1])
            self.last[process] = message
            why = text[status + 9 :]
            self.delivered.add(process)
            self._keep(process, b"status=" + (b"sent" if why.startswith(b"sent") else why))
            return
        if _NEW.match(text):
            self.first.setdefault(process, b"")
            if process in self.last:
                self._finish(process)
        to = _TO.match(text)
        self._with(process, to and to["address"])
        if b" TLS connection established to " in text:
            trust, _, rest = text.partition(b" TLS connection established to ")
            tls = rest[rest.find(b": TLS") :].split(b" (", 1)[0]
            peer = b" TLS connection established to a[192.0.2.1]:25"
            self._keep(process, trust.rpartition(b" ")[2] + peer + tls)
        else:
            # Not only what tells of TLS: whatever else may tell a cause.
            if to is not None:
                text = text[: to.start("peer")] + b"a[192.0.2.1" + text[to.end("address") :]
            self._keep(process, text)

    def _with(self, process: bytes, server: bytes | None) -> None:
        """A client process is in a session with the server of that address, if one is named."""
        if server is None:
            return
        before = self.servers.get(process)
        if before is None:
            self.called.setdefault(process, server)
        elif before != server:
            self._finish(process)
        self.servers[process] = server

    def _finish(self, process: bytes) -> None:
        self.last.pop(process, None)
        if process in self.open:
            self._end(process)

    def _end(self, process: bytes) -> None:
        self._ended.append(process)
        self.delivered.discard(process)
        self.unbegun.pop(process, None)
        self.servers.pop(process, None)
        self._shapes.append(shape(process, self.open.pop(process)))


_WHY = re.compile(rb"\w+ \(.*\)")
"""What stands behind `status=` where it is not cut off."""

_ANY_CLIENT = re.compile(rb"/(?:smtp|lmtp|relay)\[")

_NEW, _TO = (re.compile(text.pattern.encode()) for text in (maillog.NEW, maillog.TO))
_RELAY = re.compile(rb"relay=[^\[\s,]{0,200}\[([^\],]{1,80})\]:\d")


def shape(process: bytes, lines: list[bytes]) -> Shape:
    """The shape of a session that did not say that it ended."""
    if b"/smtp[" in process:
        return (b"smtp", *seen(lines))
    if b"/postscreen[" in process:
        return (b"postscreen", *lines, b"")
    begins = b"smtps" in process or b"submissions" in process
    return (b"smtps" if begins else b"smtpd", *lines, b"")


def seen(lines: list[bytes]) -> list[bytes]:
    """The lines of a session whose beginning was found after all."""
    return lines[1:] if lines[:1] == UNSEEN else lines
