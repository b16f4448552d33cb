"""The desk where the sessions of a log lie open at once, by their connection's name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from simulator.needles import late
from simulator.reading import ending
from simulator.reading.clean import stamp
from simulator.reading.dialogue import Dialogue, Extent
from simulator.session import Session, Side

MOST_REMARKS = 20_000
"""Remarks in one session, or of no session, before they are given out as a session of their own."""

MOST_EVENTS = 20_000
"""Events of one session; what comes after them is given out as another."""

MOST_OPEN = 20_000
"""Sessions that may be open at once; beyond it the one silent for longest is given out."""


_KEYED = late(
    r"\s*(?:(?:\[[\"'][^\]]{0,160}\]){1,4}|[\"'][^\"']{0,80}[\"']|\w{0,40}(?i:pass|secret|token|key|pwd)\w{0,20})"
    r" ?(?:[=-]>|[=:])\s*"
)
"""A name in quotes, or of a secret, before its value, which is in the next line; no side's mark."""


class Desk:
    """The sessions that are open while a log is read, by their connection's name.

    Readers ask for a dialogue with `of`, tell it what happened, and give out with `done` whatever
    is complete. Lines of no session wait for the next one.
    """

    def __init__(
        self,
        source: str,
        *,
        shown: Extent = "all",
        plain: bool = False,
        dialogue: type[Dialogue] = Dialogue,
    ) -> None:
        self.source = source
        self._kind = dialogue
        self._shown: Extent = shown
        self._plain = plain
        self._open: OrderedDict[str, Dialogue] = OrderedDict()
        self._loose: list[tuple[int, str]] = []
        self._apart: list[tuple[int, str]] = []
        self._ready: list[Session] = []
        self._latest: Dialogue | None = None
        self.count = 0

    @property
    def latest(self) -> Dialogue | None:
        """The dialogue that something was last said in."""
        return self._latest

    def has(self, connection: str) -> bool:
        """Whether that connection is open."""
        return connection in self._open

    def of(self, connection: str, line: str = "") -> Dialogue:
        """The dialogue on that connection, a new one if there is none. `line` may bear a stamp."""
        found = self._open.get(connection)
        if found is None and len(self._open) == 1 and "" in self._open:
            # A log that begins in the middle of a reply, before its first line with a name.
            if self._open[""].in_reply:
                found = self._open[connection] = self._open.pop("")
                found.connection = connection
        if found is None:
            found = self._begin(connection)
        elif found is not self._latest:
            self._open.move_to_end(connection)
        self._latest = found
        if line:
            found.time(stamp(line))
        return found

    def _begin(self, connection: str) -> Dialogue:
        self.count += 1
        found = self._kind(self.source, connection, self._shown)
        found.plain = self._plain
        # Where connections have no names, whatever is told is told of this one.
        keep = found.beside if connection else found.remark
        for number, text in self._loose:
            keep(text, number)
        self._loose.clear()
        self._open[connection] = found
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            self.end(oldest)
        return found

    def speak(
        self, connection: str, who: Side, text: str, line: int, stamp: str = "",
        *, secure: bool | None = None,
    ) -> Dialogue:  # fmt: skip
        """Something was said; a new greeting begins a new session."""
        found = self.of(connection, stamp)
        if not text and _KEYED.fullmatch(stamp):
            found.remark(stamp, line)
            return found
        greets = who == "server" and text[:3] == "220" and not found.answers_starttls(text)
        if greets and found.begun and found.expects_greeting:
            if found.fell_back and not found.closed:
                found.reconnect(line)
            else:
                self.end(connection)
                found = self.of(connection, stamp)
        elif (
            found.closed
            or len(found.events) > MOST_EVENTS
            or (who == "client" and found.took_leave)
            or found.left(who, text)
        ):
            found = self._again(connection, stamp)
        elif who == "server" and text[:3] == "220" and (asked := found.take_starttls()) is not None:
            # Who is inside TLS gets no 220 to STARTTLS (RFC 3207 §4.2): another session begins.
            found = self._again(connection, stamp)
            found.say("client", "STARTTLS", asked)
        found.say(who, text, line, secure=secure)
        return found

    def _again(self, connection: str, stamp: str) -> Dialogue:
        """Another session of the same name, after the one that ends here."""
        marks = self._open[connection].marks
        self.end(connection)
        found = self.of(connection, stamp)
        found.marks.update(marks)
        return found

    def remark(self, text: str, line: int, connection: str | None = None) -> None:
        """A line that is no part of a dialogue, kept beside that of its connection."""
        found = self._open.get(connection) if connection is not None else self._latest
        if found is None or found.remarks >= MOST_REMARKS:
            self.loose(text, line)
        else:
            found.remark(text, line)

    def beside(self, text: str, line: int, connection: str | None = None) -> None:
        """A line of another process, kept beside that of its connection or the one before it."""
        found = self._open.get(connection) if connection is not None else self._latest
        if found is None or found.remarks >= MOST_REMARKS:
            self.loose(text, line)
        else:
            found.beside(text, line)

    def loose(self, text: str, line: int) -> None:
        """A line of no open connection; it is given out with the next session."""
        self._loose.append((line, text))
        if len(self._loose) >= MOST_REMARKS:
            self.flush_loose()

    def apart(self, text: str, line: int) -> None:
        """A line of no open connection that tells of one by itself: such are given out together,
        after the sessions."""
        self._apart.append((line, text))
        if len(self._apart) >= MOST_REMARKS:
            self._flush_apart()

    def _flush_apart(self) -> None:
        if self._apart:
            alone = Dialogue(self.source, shown="outline")
            for number, text in self._apart:
                alone.remark(text, number)
            self._apart.clear()
            self._ready.append(ending.session(alone))

    def flush_loose(self) -> None:
        """Give out the lines of no session as a session without a dialogue.

        They may tell of one where the log has no other.
        """
        if self._loose:
            alone = Dialogue(self.source, shown="outline")
            for number, text in self._loose:
                (alone.beside if self.count else alone.remark)(text, number)
            self._loose.clear()
            self._ready.append(ending.session(alone))

    def end(self, connection: str) -> None:
        """Nothing more will come on that connection."""
        found = self._open.pop(connection, None)
        if found is not None:
            self._ready.append(ending.session(found))
            if found is self._latest:
                self._latest = None

    def done(self) -> Iterator[Session]:
        """The sessions that are complete, once each."""
        if self._ready:
            ready, self._ready = self._ready, []
            yield from ready

    def finish(self) -> Iterator[Session]:
        """The log is over: give out all that is left."""
        if not self.count and self._apart:
            self._loose = sorted(self._loose + self._apart)
            self._apart.clear()
        if self._loose and self._open:
            last = next(reversed(self._open.values()))
            for number, text in self._loose:
                last.beside(text, number)
            self._loose.clear()
        for connection in list(self._open):
            self.end(connection)
        self.flush_loose()
        self._flush_apart()
        yield from self.done()
