"""The verdict over each session of a large Postfix log, fast: for a summary, not for reading.

Sessions of the same shape have the same verdict, so each shape is read and explained once, by the
reader of the format and the same explainer as everything else, and then remembered.

A session with dialogue that `-v` wrote has a shape of its own: it is handed to the reader.

A log that is not plainly Postfix's is not for this way: with lines that no logger stamped, which
the reader may join to those before, with octets that it tidies up, or with more sessions open at
once than it keeps.
"""

from __future__ import annotations

import gc
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from simulator.explainer import explain
from simulator.formats.shapes import MOST_SHAPES, UNSEEN, Scan, Shape, pieces, seen, shape
from simulator.reading import desk
from simulator.reading.clean import clean
from simulator.reading.format import Read, Tallied
from simulator.verdict import Verdict

PART = 1 << 23
"""Octets of the file that one of several workers reads at a time."""

MOST_OPEN = desk.MOST_OPEN
"""Processes whose session has not ended. Beyond it the reader gives some out, and this way ends."""

_tallied: Callable[[tuple[str, Verdict]], Tallied] = partial(tuple.__new__, Tallied)
"""As `Tallied` itself, which is written in Python and takes twice as long."""


def verdicts(path: Path, read: Read, *, workers: int = 1) -> Iterator[Tallied] | None:
    """The verdict over each session of a Postfix log, in the order in which they end; None for a
    log that is to be read line by line.

    `read` reads one session of each shape. Several workers share the parts of the file; the
    sessions across the seams are put together, and where it is not sure how, the file is looked
    through as one. Raises OSError if the file cannot be read.
    """
    parts: list[Part] = []
    open_now: set[bytes] = set()
    seams = Seams()
    found = _parts(path, workers) if workers > 1 else _one_by_one(path)
    for one in found:
        if one.plain and not seams.hold(one):
            found.close()
            parts, open_now = [], set()
            one = part(path, 0, path.stat().st_size)
        if not one.plain or len(open_now) + one.most_open > MOST_OPEN:
            found.close()
            return None
        parts.append(one)
        open_now -= set(one.processes.split(b"\n"))
        open_now = (open_now | one.left.keys()) - one.delivered
    if not open_now and not any(one.numbers or one.left for one in parts):
        return None
    return joined(parts, read)


class Seams:
    """Looks at the seams between parts, in order, where a session may go on."""

    def __init__(self) -> None:
        self._open: dict[bytes, bool] = {}
        """The server's sessions that are open, and whether the log has their beginning."""
        self._servers: dict[bytes, bytes] = {}
        """The servers of the client's that are open."""
        self._last: dict[bytes, bytes] = {}

    def hold(self, part: Part) -> bool:
        """Whether it is sure that what goes on in the next part goes on there as one session."""
        opened, servers = self._open, self._servers
        for process in opened.keys() & part.continued:
            if not opened[process] or process in part.parted:
                return False
        gone = _gone(part, self._last)
        for process in servers.keys() & part.called.keys() - gone:
            if servers[process] != part.called[process]:
                return False
        for process in (*part.processes.split(b"\n"), *gone):
            opened.pop(process, None)
            servers.pop(process, None)
        servers.update(part.servers)
        self._last = _last(part, self._last)
        for process, lines in part.left.items():
            if lines[:1] != UNSEEN:
                opened[process] = True
            elif process in part.unbegun:
                opened.setdefault(process, False)
        return True


def _judged(
    processes: Iterable[bytes], shapes: Iterable[Shape], known: _Known
) -> Iterator[Tallied]:
    """The verdicts over the sessions of those processes, which have those shapes."""
    return _named(b"\n".join(processes), map(known.__getitem__, shapes))


def _named(processes: bytes, told: Iterable[tuple[Verdict, ...]]) -> Iterator[Tallied]:
    names = processes.decode("ascii", "replace").split("\n")
    return (
        _tallied((name, verdict))
        for name, verdicts in zip(names, told, strict=False)
        for verdict in verdicts
    )


def verdicts_of(lines: bytes, read: Read) -> tuple[Verdict, ...]:
    """The verdicts over the sessions that the lines of one process tell of, in plain text."""
    scan = Scan()
    scan.look(lines)
    _, shapes = scan.take()
    shapes += [shape(process, left) for process, left in scan.open.items()]
    known = _known(read)
    return tuple(verdict for shape in shapes for verdict in known[shape])


class _Known(dict[Shape, tuple[Verdict, ...]]):
    """The verdicts over the sessions of a shape: each shape is judged once.

    Nearly always it is one. A dialogue may hold several, and lines that tell nothing are none.
    """

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, shape: Shape) -> tuple[Verdict, ...]:
        if len(self) >= MOST_SHAPES:
            self.clear()
        self[shape] = verdicts = _verdicts(shape, self._read)
        return verdicts


_known = cache(_Known)
"""What one reader made of the shapes it was shown."""


def _one_by_one(path: Path) -> Generator[Part]:
    """The file in one part after another."""
    size = path.stat().st_size
    for start in range(0, size, PART):
        yield part(path, start, min(start + PART, size))


_NAMED = "Jan  1 00:00:00 mx postfix"


def _verdicts(shape: Shape, read: Read) -> tuple[Verdict, ...]:
    """The verdicts over the sessions of that shape, by the ordinary reader and explainer."""
    kind, *texts = (line.decode("utf-8", "replace") for line in shape)
    if kind == "smtp":
        lines = [f"{_NAMED}/smtp[1]: {_status(text)}" for text in texts]
    else:
        head = f"{_NAMED}/smtps/smtpd[1]: " if kind == "smtps" else f"{_NAMED}/{kind}[1]: "
        lines = [head + text for text in texts[:-1]]
        if texts[0] == UNSEEN[0].decode():
            lines = lines[1:]
        else:
            lines.insert(0, f"{head}connect from a[192.0.2.1]")
        if texts[-1]:
            lines.append(f"{head}disconnect from a[192.0.2.1]{texts[-1].rstrip()}")
    found = read(clean(lines).lines)
    return tuple(_without_lines(explain(s).verdict) for s in found if not s.stray)


def _without_lines(verdict: Verdict) -> Verdict:
    """The lines that show a cause are those of one session, not of all that have its shape."""
    told = tuple(replace(cause, lines=(), events=()) for cause in verdict.causes)
    return replace(verdict, causes=told)


def _status(text: str) -> str:
    if not text.startswith("status="):
        return text
    why = "sent (250 ok)" if text == "status=sent" else text.removeprefix("status=")
    return f"0A1B2C3D4E: to=<a@example.org>, relay=a[192.0.2.1]:25, delay=1, status={why}"


# In parts -------------------------------------------------------------------------------------


class Part(NamedTuple):
    """What one part of a file holds."""

    processes: bytes
    """Those whose sessions ended in it, each on a line."""
    numbers: array[int]
    """The shapes of these sessions, as numbers in `shapes`."""
    shapes: list[Shape]
    left: dict[bytes, list[bytes]]
    """The sessions that had not ended."""
    first: dict[bytes, bytes]
    last: dict[bytes, bytes]
    """The first and last messages of its client processes (see `Scan`)."""
    called: dict[bytes, bytes]
    servers: dict[bytes, bytes]
    continued: set[bytes]
    unbegun: set[bytes]
    parted: set[bytes]
    """What `Scan` says of these."""
    anew: set[bytes]
    """Its processes of the server whose first session began in it."""
    plain: bool
    most_open: int
    delivered: set[bytes]
    """What `Scan` says of these."""


def part(path: Path, start: int, end: int) -> Part:
    """Look through the lines that begin in one part of a file."""
    scan = Scan()
    ended: list[bytes] = []
    numbers = array("L")
    known: dict[Shape, int] = {}
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)
            start += len(file.readline()) - 1
        for data in pieces(file, end - start):
            scan.look(data)
            processes, shapes = scan.take()
            ended += processes
            numbers.extend([known.setdefault(shape, len(known)) for shape in shapes])
    return Part(
        b"\n".join(ended), numbers, list(known), scan.open, scan.first, scan.last,
        scan.called, scan.servers, scan.continued, set(scan.unbegun), scan.parted, scan.anew,
        scan.plain, scan.most_open, scan.delivered,
    )  # fmt: skip


def _parts(path: Path, workers: int) -> Generator[Part]:
    """The parts of the file in order, no more of them at a time than keep the workers busy."""
    size = path.stat().st_size
    count = max(workers, size // PART)
    seams = pairwise(size * n // count for n in range(count + 1))
    waiting: deque[Future[Part]] = deque()
    # Nothing that a worker makes is cyclic, and it makes much.
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:
        for start, end in seams:
            waiting.append(pool.submit(part, path, start, end))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _gone(part: Part, last: dict[bytes, bytes]) -> set[bytes]:
    """Clients that go on with another message, which has a session of its own."""
    return {p for p, message in part.first.items() if last.get(p, message) != message}


def _last(part: Part, last: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The messages that the clients deliver behind that part."""
    return {**{p: m for p, m in last.items() if p not in part.first}, **part.last}


def joined(parts: Iterable[Part], read: Read) -> Iterator[Tallied]:
    """The sessions of a file out of its parts, in order; `read` as in `verdicts`."""
    known = _known(read)
    left: dict[bytes, list[bytes]] = {}
    last: dict[bytes, bytes] = {}
    for found in parts:
        gone = [p for p in _gone(found, last) if p in left]
        # So has a process of the server that begins anew.
        processes = found.processes.split(b"\n") if found.numbers else []
        gone += [p for p in left if p in found.anew]
        yield from _judged(gone, [shape(p, left.pop(p)) for p in gone], known)
        verdicts = [known[shape] for shape in found.shapes]
        told = [verdicts[number] for number in found.numbers]
        if left:
            for at, process in enumerate(processes):
                begun = left.pop(process, None)
                if begun is not None:
                    kind, *rest = found.shapes[found.numbers[at]]
                    told[at] = known[kind, *begun, *seen(rest)]
        yield from _named(found.processes, told)
        for process, lines in found.left.items():
            begun = left.pop(process, None)
            left[process] = lines if begun is None else begun + seen(lines)
        last = _last(found, last)
    yield from _judged(left, [shape(process, lines) for process, lines in left.items()], known)
