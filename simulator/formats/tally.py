"""The verdict over each session of a large Postfix log, fast: for a summary, not for reading.

Only lines that change a verdict are looked at; they are found by their words in large pieces of the
file, not line by line. Sessions of the same shape have the same verdict, so each shape is read and
explained once, by the same reader and the same explainer as everything else, and then remembered.

Dialogue that `-v` wrote is passed over: the counts at the end of each session tell the commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from simulator.explainer import explain
from simulator.formats import postfix
from simulator.formats.clean import clean
from simulator.verdict import Verdict

PIECE = 1 << 17
"""Octets that are looked at together: few enough to stay near the processor."""

LONGEST = 1 << 20
"""Octets of a line that are read."""

MOST_OPEN = 50_000
"""Processes whose session has not ended; beyond it the oldest is given up."""

MOST_LINES = 1000
"""Lines of one session that are kept."""

_WORDS = (
    b"]: disconnect from ",
    b" TLS connection established ",
    b"TLS library problem",
    b" after STARTTLS",
    b"/smtp[",
)
_DISCONNECT, _TLS, _SMTP = 0, 1, 4
_FROM = ord("f")
"""`established from` is the server's line, `established to` the client's."""

Shape = tuple[bytes, ...]
"""What matters of a session's lines: its kind, then their texts without names and times."""


class Tallied(NamedTuple):
    """A session: its process (as `postfix/smtpd[411]`), and the verdict over it."""

    connection: str
    verdict: Verdict


def verdicts(path: Path, *, workers: int = 1) -> Iterator[Tallied]:
    """The verdict over each session of a Postfix log, in the order in which they end.

    With more than one worker each reads a part of the file; the sessions across the seams are put
    together. Raises OSError if the file cannot be read.
    """
    if workers > 1:
        yield from judged(_together(path, workers))
        return
    scan = _Scan()
    with path.open("rb") as file:
        for data in _pieces(file):
            scan.look(data)
            yield from judged(scan.take())
    yield from judged(scan.rest())


def judged(ended: Iterable[tuple[bytes, Shape]]) -> Iterator[Tallied]:
    """The verdicts over sessions of those shapes, each shape judged once."""
    for process, shape in ended:
        verdict = _known.get(shape)
        if verdict is None:
            if len(_known) >= MOST_SHAPES:
                _known.clear()
            verdict = _known[shape] = _verdict(shape)
        yield Tallied(process.decode("ascii", "replace") + "]", verdict)


MOST_SHAPES = 10_000
_known: dict[Shape, Verdict] = {}


def _pieces(file: BinaryIO, size: int = 1 << 62) -> Iterator[bytes]:
    """The octets of a file, or the next `size`, each piece with the rest of its last line."""
    while size > 0:
        data = file.read(min(PIECE, size))
        if not data:
            return
        if not data.endswith(b"\n"):
            data += file.readline(LONGEST)
        size -= len(data)
        yield data


class _Scan:
    """Looks through pieces of a log, in order."""

    def __init__(self) -> None:
        self.open: dict[bytes, list[bytes]] = {}
        self.first: dict[bytes, bytes] = {}
        """The first message that each client process delivered; empty if TLS was begun before."""
        self.last: dict[bytes, bytes] = {}
        """The message that each client process is delivering."""
        self._ended: list[tuple[bytes, Shape]] = []
        self._same: dict[bytes, bytes] = {}

    def take(self) -> list[tuple[bytes, Shape]]:
        """The sessions that ended since it was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def rest(self) -> list[tuple[bytes, Shape]]:
        """The sessions that had not ended."""
        found = [(process, _shape(process, lines)) for process, lines in self.open.items()]
        self.open = {}
        return found

    def look(self, data: bytes) -> None:
        """Find what matters in whole lines."""
        hits: list[int] = []
        find = data.find
        for number, word in enumerate(_WORDS):
            at = find(word)
            while at >= 0:
                hits.append(at << 3 | number)
                at = find(word, at + 6)
        hits.sort()
        rfind, opened, ended, same = data.rfind, self.open, self._ended, self._same
        for hit in hits:
            at, number = hit >> 3, hit & 7
            # The two kinds of line that nearly every session has stand here, not in methods of
            # their own: it is what makes this fast.
            if number == _DISCONNECT:
                process = data[rfind(b" ", 0, at) + 1 : at]
                end = find(b"\n", at)
                last = data[find(b"] ", at + 18, end) + 1 : end]
                if last[:1] != b" ":
                    last = b""
                kind = b"smtps" if b"smtps" in process else b"smtpd"
                lines = opened.pop(process, None)
                shape = (kind, last) if lines is None else (kind, *lines, last)
                ended.append((process, shape))
            elif number == _TLS:
                if data[at + 28] != _FROM:
                    continue
                mark = rfind(b"]: ", 0, at)
                # `Trusted`, and all that comes behind the peer's name.
                said = data[mark + 3 : at] + data[find(b": TLS", at) : find(b"\n", at)]
                self._keep(
                    data[rfind(b" ", 0, mark) + 1 : mark], same.get(said) or self._encrypted(said)
                )
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
        if b"smtpd[" not in process:
            return
        if text.startswith((b"lost", b"timeout")):
            text = text.split(b" from ", 1)[0] + b" from a[192.0.2.1]"
        self._keep(process, text)

    def _line(self, data: bytes, at: int) -> tuple[bytes, bytes]:
        """The process that wrote the line around `at`, and what it says."""
        mark = data.find(b"]: ", data.rfind(b"\n", 0, at) + 1)
        process = data[data.rfind(b" ", 0, mark) + 1 : mark]
        return process, data[mark + 3 : data.find(b"\n", mark)]

    def _keep(self, process: bytes, text: bytes) -> None:
        lines = self.open.get(process)
        if lines is None:
            if len(self.open) >= MOST_OPEN:
                self.open.pop(next(iter(self.open)))
            self.open[process] = [text]
        elif len(lines) < MOST_LINES:
            lines.append(text)

    def _client(self, data: bytes, at: int) -> None:
        process, text = self._line(data, at)
        if b"/smtp[" not in process:
            return
        status = text.find(b", status=")
        if status > 0:
            message = text[: text.find(b":")]
            self.first.setdefault(process, message)
            if self.last.get(process, message) != message:
                self._finish(process)
            self.last[process] = message
            why = text[status + 9 :]
            self._keep(process, b"status=" + (b"sent" if why.startswith(b"sent") else why))
            return
        begins = b" TLS connection established to " in text
        if begins or text.startswith((b"setting up TLS", b"SSL_connect error")):
            self.first.setdefault(process, b"")
            if process in self.last:
                self._finish(process)
        if begins:
            trust, _, rest = text.partition(b" TLS connection established to ")
            tls = rest[rest.find(b": TLS") :].split(b" (", 1)[0]
            peer = b" TLS connection established to a[192.0.2.1]:25"
            self._keep(process, trust.rpartition(b" ")[2] + peer + tls)
        elif text.startswith(b"SSL_connect error"):
            self._keep(process, b"SSL_connect error to a[192.0.2.1]:25: -1")
        elif b"Cannot start TLS" in text or b"TLS library problem" in text:
            self._keep(process, text)

    def _finish(self, process: bytes) -> None:
        lines = self.open.pop(process, None)
        self.last.pop(process, None)
        if lines:
            self._ended.append((process, _shape(process, lines)))


def _shape(process: bytes, lines: list[bytes]) -> Shape:
    """The shape of a session that did not say that it ended."""
    if b"/smtp[" in process:
        return (b"smtp", *lines)
    return (b"smtps" if b"smtps" in process else b"smtpd", *lines, b"")


_NAMED = "Jan  1 00:00:00 mx postfix"


def _verdict(shape: Shape) -> Verdict:
    """The verdict over sessions of that shape, by the ordinary reader and explainer."""
    kind, *texts = (line.decode("utf-8", "replace") for line in shape)
    if kind == "smtp":
        lines = [f"{_NAMED}/smtp[1]: {_status(text)}" for text in texts]
    else:
        head = f"{_NAMED}/smtps/smtpd[1]: " if kind == "smtps" else f"{_NAMED}/smtpd[1]: "
        lines = [f"{head}connect from a[192.0.2.1]", *(head + text for text in texts[:-1])]
        if texts[-1]:
            lines.append(f"{head}disconnect from a[192.0.2.1]{texts[-1]}")
    (session, *_) = postfix.read(clean(lines).lines)
    return explain(session).verdict


def _status(text: str) -> str:
    if not text.startswith("status="):
        return text
    why = "sent (250 ok)" if text == "status=sent" else text.removeprefix("status=")
    return f"0A1B2C3D4E: to=<a@example.org>, relay=a[192.0.2.1]:25, delay=1, status={why}"


# In parts -------------------------------------------------------------------------------------


class Part(NamedTuple):
    """What one part of a file holds: the sessions that ended in it, what had not ended, and the
    first and last messages of its client processes (see `_Scan`)."""

    ended: list[tuple[bytes, Shape]]
    left: dict[bytes, list[bytes]]
    first: dict[bytes, bytes]
    last: dict[bytes, bytes]


def _together(path: Path, workers: int) -> Iterator[tuple[bytes, Shape]]:
    size = path.stat().st_size
    bounds = [size * n // workers for n in range(workers + 1)]
    with ProcessPoolExecutor(workers) as pool:
        yield from joined(pool.map(part, [(path, *pair) for pair in pairwise(bounds)]))


def joined(parts: Iterable[Part]) -> Iterator[tuple[bytes, Shape]]:
    """The sessions of a file out of its parts, in order."""
    left: dict[bytes, list[bytes]] = {}
    last: dict[bytes, bytes] = {}
    for found in parts:
        for process, message in found.first.items():
            # A client that goes on with another message has a session of its own for it.
            if process in last and last[process] != message:
                yield process, _shape(process, left.pop(process, []))
        for process, shape in found.ended:
            begun = left.pop(process, None)
            yield process, (shape if begun is None else (shape[0], *begun, *shape[1:]))
        for process, lines in found.left.items():
            left[process] = left.pop(process, []) + lines
        last = {**{p: m for p, m in last.items() if p not in found.first}, **found.last}
    for process, lines in left.items():
        yield process, _shape(process, lines)


def part(bounds: tuple[Path, int, int]) -> Part:
    """Look through the lines that begin in one part of a file."""
    path, start, end = bounds
    scan = _Scan()
    ended: list[tuple[bytes, Shape]] = []
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)
            start += len(file.readline()) - 1
        for data in _pieces(file, end - start):
            scan.look(data)
            ended += scan.take()
    return Part(ended, scan.open, scan.first, scan.last)
