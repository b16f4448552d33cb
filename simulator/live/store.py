"""The sessions that the lab has seen: in memory, bounded, and on demand in a file as well."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from simulator.errors import Error
from simulator.explainer import Explanation, explain
from simulator.masking import Veil
from simulator.session import (
    AnyEvent,
    Command,
    Disconnect,
    Message,
    Reply,
    Session,
    from_json,
)

KEPT = 500
"""Sessions that are kept."""

WEIGHT = 64 * 1024 * 1024
"""Octets that they may weigh, about; the oldest go."""


class News(msgspec.Struct, frozen=True):
    """What changed: a `session` by its number, several sessions (`gone`), or the `ports`."""

    what: Literal["session", "gone", "ports"]
    number: int = 0


class BadStore(Error, OSError):
    """The file cannot be used: the message says why."""


class Kept:
    """One session: `session` makes the record as it stands now; `does` is what someone on the path
    did then, as a scenario has it. `version` counts what happened. `summaries` are kept by
    language, each with the version that it tells of."""

    def __init__(self, number: int, port: str, does: str, began: datetime) -> None:
        self.number = number
        self.port = port
        self.does = does
        self.began = began
        self.pinned = False
        self.over = False
        self.weight = 0
        self.session: Callable[[], Session] = Session
        self.version = 0
        self.summaries: dict[str, tuple[int, dict[str, object]]] = {}
        self._explained: tuple[int, Explanation] | None = None
        self._said = (-1, "")

    def stale(self) -> None:
        """There is more to it than was explained."""
        self.version += 1
        self._explained = None

    def end(self) -> None:
        """Nothing more will happen. Who sees so from another thread must see all that did: the
        version changes before, so that no older explanation is taken, and after."""
        self.stale()
        self.over = True
        self.stale()

    def said(self) -> str:
        """All that was said, to be searched: in lower case, without credentials."""
        version = self.version
        if self._said[0] != version:
            events = self.explanation().session.events
            self._said = (version, "\n".join(map(_text, events)).casefold())
        return self._said[1]

    def explanation(self, *, secrets: bool = False) -> Explanation:
        """The session explained; without what AUTH carried, unless `secrets` are wanted."""
        if secrets:
            return explain(self.session())
        version, known = self.version, self._explained
        if known is None or known[0] != version:
            record = msgspec.structs.replace(self.record(), wire=(), secrets=())
            known = self._explained = (version, explain(record))
        return known[1]

    def record(self) -> Session:
        """The session as it may be taken along: without what AUTH carried."""
        return _veiled(self.session())


def _text(event: AnyEvent) -> str:
    match event:
        case Command():
            return f"{event.verb} {event.argument}"
        case Reply():
            return f"{event.code} {' '.join(event.lines)}"
        case Message():
            return event.raw.decode("utf-8", "replace")
    return ""


def weight(event: AnyEvent) -> int:
    """About what an event takes, in octets."""
    return len(event.raw) + 400


def _veiled(session: Session) -> Session:
    """The session without credentials. Messages stay: whoever looks has sent them. So do the octets
    where they hold no credential, or hold it inside TLS; in that case without what opens it."""
    hidden = Veil()(session)
    events: list[AnyEvent] = []
    masked: list[AnyEvent] = []
    for event, other in zip(session.events, hidden.events, strict=True):
        bare = msgspec.structs.replace(event, raw=other.raw, wire=other.wire)
        if isinstance(event, Message):
            events.append(event)
        elif bare == other:
            events.append(msgspec.structs.replace(other, wire=event.wire))
        else:
            events.append(other)
            masked.append(event)
    told = msgspec.structs.replace(hidden, events=tuple(events))
    if any(not event.secure for event in masked):
        return told
    secrets = () if masked else session.secrets
    return msgspec.structs.replace(told, wire=session.wire, secrets=secrets)


class Store:
    """All sessions by number. Whoever `listens` is told what changes. Sessions are written down in
    one thread, and looked at from another.

    `file`: a SQLite file that keeps them over a restart. Raises `BadStore` where it is none.
    """

    def __init__(self, kept: int = KEPT, weight: int = WEIGHT, file: Path | None = None) -> None:
        self.kept = kept
        self.weight = weight
        self.dropped = 0
        self._found: dict[int, Kept] = {}
        self._last = 0
        self._heavy = 0
        self._lock = threading.RLock()
        self._ears: dict[asyncio.Queue[News], asyncio.AbstractEventLoop] = {}
        self._file = _opened(file) if file else None
        if self._file is not None:
            self._restore(self._file)

    def __iter__(self) -> Iterator[Kept]:
        return iter(tuple(self._found.values()))

    def __len__(self) -> int:
        return len(self._found)

    def get(self, number: int) -> Kept | None:
        """The session of that number, if it is still there."""
        return self._found.get(number)

    def begin(self, port: str, does: str = "nothing") -> int:
        """A session begins on that port, with that on the way: its number."""
        with self._lock:
            self._last += 1
            self._found[self._last] = Kept(self._last, port, does, datetime.now(UTC))
            return self._last

    def began(self, number: int) -> datetime | None:
        """When it began."""
        found = self._found.get(number)
        return found.began if found else None

    def grow(self, number: int, session: Callable[[], Session], event: AnyEvent) -> None:
        """Something happened in a session, which `session` gives as it stands."""
        with self._lock:
            found = self._found.get(number)
            if found is None:
                return
            found.session = session
            before = found.weight
            found.weight += weight(event)
            if isinstance(event, Disconnect) and not found.over:
                record = session()
                found.weight += sum(len(segment.data) + 100 for segment in record.wire)
                # What the tap holds can go now.
                found.session = lambda: record
                found.end()
                self._save(found)
            else:
                found.stale()
            self._heavy += found.weight - before
            self._make_room()
        self.tell(News("session", number))

    def finish(self, number: int) -> None:
        """Nothing more will happen in that session, although nobody closed it."""
        with self._lock:
            found = self._found.get(number)
            if found is None or found.over:
                return
            record = found.session()
            found.session = lambda: record
            found.end()
            self._save(found)
        self.tell(News("session", number))

    def pin(self, number: int, pinned: bool) -> None:
        """A pinned session is not dropped."""
        with self._lock:
            found = self._found.get(number)
            if found is None:
                return
            found.pinned = pinned
            self._save(found)
        self.tell(News("session", number))

    def clear(self, number: int | None = None) -> None:
        """Forget one session, or all that are not pinned."""
        with self._lock:
            for found in list(self._found.values()):
                if found.number == number or (number is None and not found.pinned):
                    self._forget(found)
        self.tell(News("gone"))

    def close(self) -> None:
        """Write down what is still going on, and let go of the file."""
        for found in self._found.values():
            if not found.over:
                self._save(found)
        if self._file is not None:
            self._file.close()
            self._file = None

    # Who looks on --------------------------------------------------------------------------------

    def listen(self) -> asyncio.Queue[News]:
        """A queue that is told what changes from now on."""
        ear: asyncio.Queue[News] = asyncio.Queue(1000)
        self._ears[ear] = asyncio.get_running_loop()
        return ear

    def unlisten(self, ear: asyncio.Queue[News]) -> None:
        """Tell that queue no more."""
        self._ears.pop(ear, None)

    def tell(self, news: News) -> None:
        """Tell everybody who listens; who does not keep up must look for themselves."""
        for ear, loop in tuple(self._ears.items()):
            # A page that is closing has no loop any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_hear, ear, news)

    # Bounds and the file -------------------------------------------------------------------------

    def _make_room(self) -> None:
        if len(self._found) <= self.kept and self._heavy <= self.weight:
            return
        for found in list(self._found.values()):
            if len(self._found) <= self.kept and self._heavy <= self.weight:
                return
            if not found.pinned and found.over:
                self.dropped += 1
                self._forget(found)
                self.tell(News("gone"))

    def _forget(self, found: Kept) -> None:
        if self._found.pop(found.number, None) is not None:
            self._heavy -= found.weight
        if self._file is not None:
            with self._file:
                self._file.execute("DELETE FROM session WHERE number = ?", (found.number,))

    def _save(self, found: Kept) -> None:
        if self._file is None:
            return
        record = msgspec.json.encode(_veiled(found.session()))
        row = (found.number, found.port, found.does, found.began.isoformat(), found.pinned, record)
        with self._file:
            self._file.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)", row)

    def _restore(self, file: sqlite3.Connection) -> None:
        rows = file.execute("SELECT * FROM session ORDER BY number").fetchall()
        for number, port, does, began, pinned, record in rows:
            session = from_json(record)
            found = Kept(number, port, does, datetime.fromisoformat(began))
            found.pinned, found.over = bool(pinned), True
            found.session = lambda session=session: session  # type: ignore[misc]
            found.weight = sum(map(weight, session.events))
            found.weight += sum(len(segment.data) + 100 for segment in session.wire)
            self._found[number] = found
            self._heavy += found.weight
            self._last = max(self._last, number)
        self._make_room()


def _hear(ear: asyncio.Queue[News], news: News) -> None:
    if ear.full():
        with suppress(asyncio.QueueEmpty):
            while True:
                ear.get_nowait()
        news = News("gone")
    ear.put_nowait(news)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        file = sqlite3.connect(path, check_same_thread=False)
        try:
            with file:
                file.execute(
                    "CREATE TABLE IF NOT EXISTS session (number INTEGER PRIMARY KEY, "
                    "port TEXT, does TEXT, began TEXT, pinned INTEGER, record BLOB)"
                )
                columns = [row[1] for row in file.execute("PRAGMA table_info(session)")]
                if columns != ["number", "port", "does", "began", "pinned", "record"]:
                    raise sqlite3.DatabaseError("it holds something else")
        except BaseException:
            file.close()
            raise
    except sqlite3.Error as error:
        raise BadStore(f"{path}: no file of the lab's ({error})") from None
    return file
