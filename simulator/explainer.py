"""The one explainer: a session in, and out what each event means, what each side then knows, which
rules were met or broken, and the verdict.

Nothing here knows where the session comes from or how it will be shown.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from simulator import meaning
from simulator import verdict as verdicts
from simulator.knowledge import Knowledge, Ledger
from simulator.language import Text
from simulator.rules import Moment, Note, Past, rules
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Handshake,
    Message,
    Reply,
    Session,
)
from simulator.verdict import Verdict


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event, explained.

    `meaning` says what happened, `notes` which rules were met or broken, `knowledge` what both
    sides know afterwards. For a reply, `answers` is the index of the event that the server
    answers, `heard_as` of the one that the client takes it to answer.
    """

    index: int
    event: AnyEvent
    meaning: Text
    notes: tuple[Note, ...] = ()
    knowledge: Knowledge
    answers: int | None = None
    heard_as: int | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A session with everything that can be said of it."""

    session: Session
    steps: tuple[Step, ...]
    verdict: Verdict

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, in the order of the events."""
        return tuple(note for step in self.steps for note in step.notes)

    @property
    def findings(self) -> tuple[Note, ...]:
        """The broken rules."""
        return tuple(note for note in self.notes if not note.met)


class _Pairing:
    """Which reply answers which command, as the server means it and as the client takes it.

    Both sides count: replies come in the order of the commands (RFC 2920 §3.2). Whoever slips a
    command or a reply in makes the two counts differ. A server that has asked for mail data by 354
    takes all that comes for text of the message, up to the final dot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: deque[int] = deque()
        self._waiting: deque[int] = deque()
        self._ahead: set[int] = set()
        self._grouped: set[int] = set()
        self._wants_data = False
        self._played = session.source == "lab"
        self._heard = self._played
        """Replies are shown here. A log may leave out all, or those that came inside TLS."""

    def see(self, index: int, event: AnyEvent) -> _Paired:
        """Pair the event number `index`."""
        match event:
            case Connect():
                self._asked.append(index)
                self._waiting.append(index)
            case Command() | AuthResponse() | Message():
                return self._sent(index, event)
            case Handshake(error=""):
                if not self._session.implicit_tls:
                    self._heard = self._played
                    self._asked.clear()
                    self._waiting.clear()
                    self._ahead.clear()
            case Reply():
                return self._replied(event)
        return _Paired()

    def _sent(self, index: int, event: Command | AuthResponse | Message) -> _Paired:
        unread = bool(self._ahead) or self._wants_data
        if isinstance(event, Message) or not (event.lost or self._wants_data):
            self._asked.append(index)
            if isinstance(event, Command) and (event.verb == "STARTTLS" or event.stale):
                self._ahead.add(index)
        grouped = event.by == "client" and bool(self._waiting) and self._heard
        if event.by == "client":
            self._waiting.append(index)
        if grouped:
            self._grouped.add(index)
        return _Paired(unread=unread, grouped=grouped)

    def _replied(self, event: Reply) -> _Paired:
        answers = heard_as = None
        self._heard = True
        if not self._played and event.code not in _GREETINGS:
            self._pass_over_unshown(event.code)
        if event.by == "server" and self._asked:
            answers = self._asked.popleft()
            self._ahead.discard(answers)
            asked = self._session.events[answers]
            self._wants_data = (
                event.code == 354 and isinstance(asked, Command) and asked.verb == "DATA"
            )
            if self._wants_data:
                self._asked = deque(
                    i for i in self._asked if isinstance(self._session.events[i], Message)
                )
        if not event.lost and self._waiting:
            heard_as = self._waiting.popleft()
        return _Paired(answers=answers, heard_as=heard_as, grouped=heard_as in self._grouped)

    def _pass_over_unshown(self, code: int) -> None:
        """Where a log shows no greeting, or no reply to EHLO, this one answers what came after."""
        for queue in (self._asked, self._waiting):
            while len(queue) > 1:
                match self._session.events[queue[0]]:
                    case Connect():
                        queue.popleft()
                    case Command(verb=("EHLO" | "HELO")) if code in _NEVER_TO_HELLO:
                        queue.popleft()
                    case _:
                        break


_GREETINGS = (220, 421, 521, 554)
"""What a server may say first (RFC 5321 §3.1, RFC 7504 §3)."""

_NEVER_TO_HELLO = (235, 334, 354, 530, 534, 535, 538)
"""Replies to AUTH (RFC 4954 §4, §6), to DATA (RFC 5321 §4.3.2), or for want of TLS, of which RFC
3207 §4 excepts EHLO."""


class _Paired(NamedTuple):
    """How one event pairs: see `Step`, `Moment` and (`unread`) `Ledger.see`."""

    answers: int | None = None
    heard_as: int | None = None
    unread: bool = False
    grouped: bool = False


def explain(session: Session) -> Explanation:
    """Explain a session, whole or cut short anywhere, played or read from a log."""
    events = session.events
    ledger = Ledger(events)
    known = ledger.knowledge
    pairing = _Pairing(session)
    past = Past()
    partial = _begins_in_the_middle(session)
    steps = []
    for index, event in enumerate(events):
        answers, heard_as, unread, grouped = pairing.see(index, event)
        before = known
        heard = events[heard_as] if heard_as is not None else None
        told = _told(event) or _told(heard)
        # What is only told of teaches nothing: its words, and often its place, are not known.
        known = (
            ledger.see(index, unread=True)
            if told
            else ledger.see(index, answers, heard_as, unread=unread)
        )
        moment = Moment(
            index=index,
            event=event,
            before=before,
            after=known,
            past=past,
            answers=events[answers] if answers is not None else None,
            heard_as=heard,
            grouped=grouped,
            implicit_tls=session.implicit_tls,
            partial=partial,
            played=session.source == "lab",
        )
        if not (told and isinstance(event, Reply)):
            past = past.then(event, heard)
        shown = not told and session.shown != "outline"
        notes = tuple(note for rule in rules() if shown and (note := rule.look(moment)))
        steps.append(
            Step(
                index=index,
                event=event,
                meaning=meaning.of(moment),
                notes=notes,
                knowledge=known,
                answers=answers,
                heard_as=heard_as,
            )
        )
    return Explanation(
        session=session,
        steps=tuple(steps),
        verdict=verdicts.judge(session, [(s.answers, s.heard_as, s.notes) for s in steps]),
    )


def _told(event: AnyEvent | None) -> bool:
    return isinstance(event, Command | Reply) and event.told


def _begins_in_the_middle(session: Session) -> bool:
    """A log may begin anywhere: then the first thing seen is neither connection nor greeting nor
    introduction."""
    for event in session.events:
        match event:
            case Connect() | Reply(code=220) | Command(verb=("EHLO" | "HELO" | "LHLO")):
                return False
            case Command() | Reply():
                return True
    return False
