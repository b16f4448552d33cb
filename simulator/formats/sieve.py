"""The sessions of a large Postfix log that are wanted by their verdict, fast: those that have a
problem, where most have none.

Lines are put with the session that they belong to, as the reader puts them, and not read. What a
session's own lines have as their shape tells its verdict (see `tally`); only where that is wanted
the reader is given the lines. So a session that is passed over costs a hundredth of one that is
read, and one that is kept is the same as if all had been read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.formats import maillog, tally
from simulator.reading import desk
from simulator.reading.clean import line_of
from simulator.reading.format import Keep
from simulator.session import Session

_LOOSE, _OWN, _BESIDE, _APART = range(4)
"""A line of no session that was open, one of the process that serves the session, one of another
process that tells of it, and one that tells of a session by itself."""

_SERVERS = ("smtpd", "postscreen")
_CLIENTS = ("smtp", "lmtp", "relay")

MOST_PROCESSES = 100_000
"""Processes whose kind is remembered at a time."""

_SAID_IN_FULL = (b"]: > ", b"]: < ")
"""What `-v` writes: it takes reading to know what belongs where."""


class Kept(NamedTuple):
    """A line that was put with a session: its number, its octets, and how it belongs there."""

    number: int
    octets: bytes
    how: int


def sift(path: Path, keep: Keep) -> Iterator[Session] | None:
    """Of the sessions of a Postfix log, as they end, at least those whose verdict `keep` wants.

    None for a log that is to be read line by line.

    `keep` sees the verdict over each session that is passed over. Raises OSError if the file cannot
    be read.
    """
    with path.open("rb") as file:
        for data in tally.pieces(file):
            if not tally.is_plain(data) or any(mark in data for mark in _SAID_IN_FULL):
                return None
    return _sifted(path, keep)


def _sifted(path: Path, keep: Keep) -> Iterator[Session]:
    sieve = _Sieve(keep)
    with path.open("rb") as file:
        for data in tally.pieces(file):
            sieve.look(data)
            yield from sieve.done()
    sieve.finish()
    yield from sieve.done()


class _Sieve:
    """Puts lines with their sessions, by the same rules as `maillog.Reader` and its desk."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._kinds: dict[bytes, str] = {}
        self._open: OrderedDict[bytes, list[Kept]] = OrderedDict()
        self._loose: list[Kept] = []
        self._apart: list[Kept] = []
        self._latest: bytes | None = None
        self._begun = False
        self._owners: OrderedDict[str, bytes] = OrderedDict()
        self._delivered: dict[bytes, str] = {}
        self._number = 0
        self._ready: list[Session] = []

    def done(self) -> Iterator[Session]:
        """The sessions that are complete and wanted, once each."""
        ready, self._ready = self._ready, []
        yield from ready

    def look(self, data: bytes) -> None:
        """Put whole lines where they belong."""
        kinds, number = self._kinds, self._number
        for line in data.splitlines():
            number += 1
            mark = line.find(b"]: ")
            process = line[line.rfind(b" ", 0, mark) + 1 : mark + 1]
            kind = kinds.get(process)
            if kind is not None:
                rest = line[mark + 3 :]
            else:
                process, kind, rest = self._written_by(line)
            if kind in _SERVERS:
                self._server(process, rest, number, line)
            elif kind in _CLIENTS and not (kind == "lmtp" and process not in self._open):
                self._client(process, rest, number, line)
            elif kind:
                self._other(rest, number, line)
            else:
                self._beside(self._latest, number, line)
        self._number = number

    def finish(self) -> None:
        """The log is over: all that is left is complete."""
        if not self._begun and self._apart:
            both = [line._replace(how=_LOOSE) for line in self._apart] + self._loose
            self._loose, self._apart = sorted(both), []
        if self._loose and self._open:
            last = next(reversed(self._open.values()))
            last += [line._replace(how=_BESIDE) for line in self._loose]
            self._loose = []
        for process in list(self._open):
            self._end(process)
        self._flush_loose()
        self._flush_apart()

    def _written_by(self, line: bytes) -> tuple[bytes, str, bytes]:
        """The process that wrote a line, its daemon, and what it says; empty if not Postfix's."""
        found = maillog.written_by(line_of(0, line).text[:4000])
        if found is None:
            return b"", "", b""
        process = found[0].encode()
        if len(self._kinds) >= MOST_PROCESSES:
            self._kinds.clear()
        self._kinds[process] = found[1]
        return process, found[1], found[2].encode()

    def _server(self, process: bytes, rest: bytes, number: int, line: bytes) -> None:
        if rest.startswith(b"connect from ") and maillog.connects(_text(rest)):
            self._end(process)
            self._begin(process)
        elif process not in self._open:
            if not maillog.server_begins(_text(rest)):
                if maillog.stands_alone(_text(rest)):
                    self._put_apart(number, line)
                else:
                    self._put_loose(number, line)
                return
            self._begin(process)
        self._own(process, number, line)
        if rest.startswith(b"disconnect from ") and maillog.disconnects(_text(rest)):
            self._end(process)
        elif b"client=" in rest and (message := maillog.taken(_text(rest))) is not None:
            self._owners[message] = process
            if len(self._owners) > maillog.MOST_MESSAGES:
                self._owners.popitem(last=False)

    def _client(self, process: bytes, rest: bytes, number: int, line: bytes) -> None:
        said = maillog.client_says(_text(rest))
        message = said.status["id"] if said.status is not None else ""
        done = self._delivered.get(process)
        if done and (said.new or message not in ("", done)):
            self._end(process)
            self._delivered.pop(process, None)
        if process not in self._open:
            if not said.begins:
                self._put_loose(number, line)
                return
            self._begin(process)
        self._own(process, number, line)
        if message:
            self._delivered[process] = message

    def _other(self, rest: bytes, number: int, line: bytes) -> None:
        end = rest.find(b": ", 0, 23)
        owner = self._owners.get(rest[:end].decode("ascii", "replace")) if end > 0 else None
        self._beside(owner, number, line)

    def _beside(self, process: bytes | None, number: int, line: bytes) -> None:
        lines = self._open.get(process) if process is not None else None
        if lines is None or len(lines) >= desk.MOST_REMARKS:
            self._put_loose(number, line)
        else:
            lines.append(Kept(number, line, _BESIDE))

    def _own(self, process: bytes, number: int, line: bytes) -> None:
        if process != self._latest:
            self._open.move_to_end(process)
            self._latest = process
        self._open[process].append(Kept(number, line, _OWN))

    def _begin(self, process: bytes) -> None:
        self._open[process], self._loose = self._loose, []
        self._begun = True
        if len(self._open) > desk.MOST_OPEN:
            self._end(next(iter(self._open)))

    def _put_loose(self, number: int, line: bytes) -> None:
        self._loose.append(Kept(number, line, _LOOSE))
        if len(self._loose) >= desk.MOST_REMARKS:
            self._flush_loose()

    def _put_apart(self, number: int, line: bytes) -> None:
        self._apart.append(Kept(number, line, _APART))
        if len(self._apart) >= desk.MOST_REMARKS:
            self._flush_apart()

    def _flush_apart(self) -> None:
        if self._apart:
            self._read(b"", self._apart)
            self._apart = []

    def _flush_loose(self) -> None:
        if self._loose:
            self._read(b"", self._loose)
            self._loose = []

    def _end(self, process: bytes) -> None:
        lines = self._open.pop(process, None)
        if lines is None:
            return
        if process == self._latest:
            self._latest = None
        own = b"".join(line.octets + b"\n" for line in lines if line.how == _OWN)
        verdicts = tally.verdicts_of(own, maillog.read)
        if len(verdicts) != 1 or self._keep(verdicts[0]):
            self._read(process, lines)

    def _read(self, process: bytes, lines: list[Kept]) -> None:
        """Have the reader read the lines of one session, put as they were."""
        reader = maillog.Reader()
        reader.desk.count = int(self._begun)
        for number, octets, how in lines:
            line = line_of(number, octets)
            if how == _OWN:
                reader.take(line, [])
            elif how == _BESIDE:
                reader.desk.beside(line.text, number, process.decode())
            elif how == _APART:
                reader.desk.apart(line.text, number)
            else:
                reader.desk.loose(line.text, number)
        self._ready += reader.desk.finish()


def _text(rest: bytes) -> str:
    return line_of(0, rest).text
