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

from simulator.formats import maillog, shapes, tally
from simulator.formats.alike import APART, BESIDE, LOOSE, OWN, Kept, Sifted
from simulator.needles import late
from simulator.reading import desk
from simulator.reading.clean import line_of
from simulator.reading.format import Keep, Unread
from simulator.verdict import Verdict

_OTHER, _SERVER, _CLIENT, _LOCAL = range(1, 5)
_KINDS = {
    "smtpd": _SERVER, "postscreen": _SERVER, "smtp": _CLIENT, "relay": _CLIENT, "lmtp": _LOCAL,
}  # fmt: skip
"""What kind of process a daemon is; `lmtp` delivers inside the house unless its dialogue shows."""

MOST_PROCESSES = 100_000
"""Processes whose kind is remembered at a time."""

_SAID_IN_FULL = (b"]: > ", b"]: < ")
"""What `-v` writes: it takes reading to know what belongs where."""

_PEER = rb"[\w.-]{0,200}\[[0-9A-Fa-f.:]{1,80}\]"
_USUAL = late(
    rb"(?P<connects>connect from )" + _PEER
    + rb"|disconnect from " + _PEER + rb"(?P<counts>(?: .*)?)"
    + rb"|(?P<trust>[A-Z][a-z]+) TLS connection established from " + _PEER + rb"(?P<tls>: TLS.*)"
    + rb"|(?P<message>[0-9A-Za-z]{3,20}): client=" + _PEER + rb"(?:, [\w=.@-]+)*"
)  # fmt: skip
"""The lines that a session of the server's has if all goes well. What its verdict rests on is in
the groups, but not in the peer."""

_TRUST = frozenset((b"Anonymous", b"Untrusted", b"Trusted", b"Verified"))
_CONNECTS, _DISCONNECTS, _CLIENT_IS = b"connect from ", b"disconnect from ", b": client="
_ESTABLISHED = b" TLS connection established from "

MOST_USUAL = 40
"""Usual lines of one session beyond which it is judged by itself."""

MOST_SHAPES = 10_000
"""Shapes of sessions whose verdict is remembered at a time."""


class _Waiting:
    """A session that has not ended: its lines, and what of them its verdict rests on."""

    __slots__ = ("lines", "peer", "server", "shape", "unbegun")

    def __init__(self, lines: list[Kept]) -> None:
        self.lines = lines
        self.shape: list[bytes] | None = None
        """None where a line of it was not one of the usual."""
        self.peer = b""
        """The client, where the line that tells of it is one of the usual."""
        self.server = ""
        """The address of the server, in a session of the client's, once a line names it."""
        self.unbegun: maillog.Unbegun | None = None
        """What is known of a session of the server's that began before the log."""


def sift(path: Path, keep: Keep) -> Iterator[Unread] | None:
    """Of the sessions of a Postfix log, as they end, at least those whose verdict `keep` wants.

    None for a log that is to be read line by line.

    `keep` sees the verdict over each session that is passed over, or the same verdict over another
    one. Raises OSError if the file cannot be read.
    """
    with path.open("rb") as file:
        for data in shapes.pieces(file):
            if not shapes.is_plain(data) or any(mark in data for mark in _SAID_IN_FULL):
                return None
    return _sifted(path, keep)


def _sifted(path: Path, keep: Keep) -> Iterator[Unread]:
    sieve = _Sieve(keep)
    with path.open("rb") as file:
        for data in shapes.pieces(file):
            sieve.look(data)
            yield from sieve.done()
    sieve.finish()
    yield from sieve.done()


class _Sieve:
    """Puts lines with their sessions, by the same rules as `maillog.Reader` and its desk."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._kinds: dict[bytes, int] = {}
        self._open: OrderedDict[bytes, _Waiting] = OrderedDict()
        self._loose: list[Kept] = []
        self._apart: list[Kept] = []
        self._latest: bytes | None = None
        self._begun = False
        self._owners: OrderedDict[bytes, bytes] = OrderedDict()
        self._delivered: dict[bytes, str] = {}
        self._wanted: dict[tuple[bytes, ...], bool] = {}
        self._number = 0
        self._ready: list[Unread] = []

    def done(self) -> Iterator[Unread]:
        """The sessions that are complete and wanted, once each."""
        ready, self._ready = self._ready, []
        yield from ready

    def look(self, data: bytes) -> None:
        """Put whole lines where they belong."""
        kinds, number, owners, opened = self._kinds, self._number, self._owners, self._open
        for line in data.splitlines():
            number += 1
            mark = line.find(b"]: ") + 3
            process = line[line.rfind(b" ", 0, mark - 3) + 1 : mark - 2]
            kind = kinds.get(process)
            if kind is None:
                process, kind, rest = self._written_by(line)
            elif kind == _OTHER or (kind == _LOCAL and process not in opened):
                # Most lines are such, and told by no more than this.
                end = line.find(b": ", mark, mark + 23)
                owner = owners.get(line[mark:end]) if end > mark else None
                found = opened.get(owner) if owner is not None else None
                if found is None or len(found.lines) >= desk.MOST_REMARKS:
                    self._put_loose(number, line)
                else:
                    found.lines.append((number, line, BESIDE))
                continue
            else:
                rest = line[mark:]
            if kind == _SERVER:
                if not self._usual(process, rest, number, line):
                    self._server(process, rest, number, line)
            elif kind == _CLIENT or (kind == _LOCAL and process in opened):
                self._client(process, rest, number, line)
            elif kind:
                end = rest.find(b": ", 0, 23)
                self._beside(owners.get(rest[:end]) if end > 0 else None, number, line)
            else:
                self._beside(self._latest, number, line)
        self._number = number

    def finish(self) -> None:
        """The log is over: all that is left is complete."""
        if not self._begun and self._apart:
            both = [(number, line, LOOSE) for number, line, _ in self._apart] + self._loose
            self._loose, self._apart = sorted(both), []
        if self._loose and self._open:
            last = next(reversed(self._open.values()))
            last.lines += [(number, line, BESIDE) for number, line, _ in self._loose]
            self._loose = []
        for process in list(self._open):
            self._end(process)
        self._flush_loose()
        self._flush_apart()

    def _written_by(self, line: bytes) -> tuple[bytes, int, bytes]:
        """The process that wrote a line, its kind, and what it says; empty if not Postfix's."""
        found = maillog.written_by(line_of(0, line).text[:4000])
        if found is None:
            return b"", 0, b""
        process, kind = found[0].encode(), _KINDS.get(found[1], _OTHER)
        if len(self._kinds) >= MOST_PROCESSES:
            self._kinds.clear()
        self._kinds[process] = kind
        return process, kind, found[2].encode()

    def _usual(self, process: bytes, rest: bytes, number: int, line: bytes) -> bool:
        """Take one of the usual lines of a session that began with one; what `_server` would do,
        in less time."""
        waiting = self._open.get(process)
        if waiting is None or not waiting.peer:
            return False
        peer, shape = waiting.peer, waiting.shape
        if shape is None or len(shape) > MOST_USUAL:
            return False
        if rest.startswith(_DISCONNECTS):
            end = len(_DISCONNECTS) + len(peer)
            if not rest.startswith(peer, len(_DISCONNECTS)) or rest[end : end + 1] not in b" ":
                return False
            shape.append(rest[end:])
            waiting.lines.append((number, line, OWN))
            self._latest = process
            self._end(process)
            return True
        if (at := rest.find(_CLIENT_IS, 3, 30)) > 0:
            message = rest[:at]
            if at > 20 or not message.isalnum() or rest[at + len(_CLIENT_IS) :] != peer:
                return False
            self._owners[message] = process
            if len(self._owners) > maillog.MOST_MESSAGES:
                self._owners.popitem(last=False)
        elif (at := rest.find(_ESTABLISHED, 0, 43)) > 0:
            end = at + len(_ESTABLISHED) + len(peer)
            trust = rest[:at]
            if trust not in _TRUST or rest[at + len(_ESTABLISHED) : end + 5] != peer + b": TLS":
                return False
            shape += (trust, rest[end:])
        else:
            return False
        if process != self._latest:
            self._open.move_to_end(process)
            self._latest = process
        waiting.lines.append((number, line, OWN))
        return True

    def _server(self, process: bytes, rest: bytes, number: int, line: bytes) -> None:
        usual = _USUAL.fullmatch(rest)
        if usual is not None:
            which = usual.lastgroup
            connects, ends = which == "connects", which == "counts"
            message = usual["message"]
        else:
            which, message = None, None
            connects = rest.startswith(b"connect from ") and maillog.connects(_text(rest))
            ends = rest.startswith(b"disconnect from ") and maillog.disconnects(_text(rest))
        self._leave(process, rest)
        if connects:
            self._end(process)
            begun = self._begin(process)
            begun.shape = []
            if usual is not None:
                begun.peer = rest[len(_CONNECTS) :]
        elif process not in self._open:
            text = _text(rest)
            if not maillog.server_begins(text):
                if maillog.stands_alone(text):
                    self._put_apart(number, line)
                else:
                    self._put_loose(number, line)
                return
            self._begin(process).unbegun = maillog.Unbegun()
        waiting = self._own(process, number, line)
        if waiting.unbegun is not None:
            waiting.unbegun.note(_text(rest))
        if usual is None or waiting.shape is None or len(waiting.shape) > MOST_USUAL:
            waiting.shape = None
        elif which == "tls":
            waiting.shape += usual.group("trust", "tls")
        elif ends:
            waiting.shape.append(usual["counts"])
        if ends:
            self._end(process)
        elif message is None and b"client=" in rest:
            taken = maillog.taken(_text(rest))
            message = taken.encode() if taken is not None else None
        if message is not None:
            self._owners[message] = process
            if len(self._owners) > maillog.MOST_MESSAGES:
                self._owners.popitem(last=False)

    def _leave(self, process: bytes, rest: bytes) -> None:
        """End a session that began before the log where a line of another one comes."""
        waiting = self._open.get(process)
        if waiting is not None and waiting.unbegun is not None:
            if waiting.unbegun.is_over(_text(rest)):
                # It spoke last, at the reader's desk too.
                self._latest = process
                self._end(process)

    def _client(self, process: bytes, rest: bytes, number: int, line: bytes) -> None:
        said = maillog.client_says(_text(rest))
        message = said.status["id"] if said.status is not None else ""
        done = self._delivered.get(process)
        waiting = self._open.get(process)
        if done and (said.new or message not in ("", done)):
            self._end(process)
            self._delivered.pop(process, None)
        elif waiting is not None and said.server and waiting.server not in ("", said.server):
            self._end(process)
            self._delivered.pop(process, None)
        if process not in self._open:
            if not said.begins:
                self._put_loose(number, line)
                return
            self._begin(process)
        waiting = self._own(process, number, line)
        waiting.server = waiting.server or said.server
        if message:
            self._delivered[process] = message

    def _beside(self, process: bytes | None, number: int, line: bytes) -> None:
        found = self._open.get(process) if process is not None else None
        if found is None or len(found.lines) >= desk.MOST_REMARKS:
            self._put_loose(number, line)
        else:
            found.lines.append((number, line, BESIDE))

    def _own(self, process: bytes, number: int, line: bytes) -> _Waiting:
        if process != self._latest:
            self._open.move_to_end(process)
            self._latest = process
        found = self._open[process]
        found.lines.append((number, line, OWN))
        return found

    def _begin(self, process: bytes) -> _Waiting:
        found = self._open[process] = _Waiting(self._loose)
        self._loose = []
        self._begun = True
        if len(self._open) > desk.MOST_OPEN:
            self._end(next(iter(self._open)))
        return found

    def _put_loose(self, number: int, line: bytes) -> None:
        self._loose.append((number, line, LOOSE))
        if len(self._loose) >= desk.MOST_REMARKS:
            self._flush_loose()

    def _put_apart(self, number: int, line: bytes) -> None:
        self._apart.append((number, line, APART))
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
        waiting = self._open.pop(process, None)
        if waiting is None:
            return
        if process == self._latest:
            self._latest = None
        if self._is_wanted(process, waiting):
            self._read(process, waiting.lines)

    def _is_wanted(self, process: bytes, waiting: _Waiting) -> bool:
        """Whether a session may be wanted; of usual lines alone it is, if their shape is known."""
        if waiting.shape is None:
            return self._keeps(waiting.lines)
        shape = (process.partition(b"[")[0], *waiting.shape)
        wanted = self._wanted.get(shape)
        if wanted is None:
            if len(self._wanted) >= MOST_SHAPES:
                self._wanted.clear()
            wanted = self._wanted[shape] = self._keeps(waiting.lines)
        return wanted

    def _keeps(self, lines: list[Kept]) -> bool:
        verdicts = _verdicts(lines)
        return len(verdicts) != 1 or self._keep(verdicts[0])

    def _read(self, process: bytes, lines: list[Kept]) -> None:
        self._ready.append(Sifted(process, lines, self._begun))


def _verdicts(lines: list[Kept]) -> tuple[Verdict, ...]:
    """The verdicts over the sessions that the lines of one process tell of."""
    own = b"".join(line + b"\n" for _, line, how in lines if how == OWN)
    return tally.verdicts_of(own, maillog.read)


def _text(rest: bytes) -> str:
    return line_of(0, rest).text
