"""The one explainer: a session in, and out what each event means, what each side then knows, which
rules were met or broken, and the verdict.

Nothing here knows where the session comes from or how it will be shown.
"""

from __future__ import annotations

import msgspec

from simulator import knowledge, meaning
from simulator import verdict as verdicts
from simulator.knowledge import Knowledge
from simulator.language import Text
from simulator.rules import Moment, Note, rules
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

    Both sides count: replies come in the order of the commands (RFC 5321 §2.1, RFC 2920 §3.1).
    Whoever slips a command or a reply in makes the two counts differ.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.asked: list[int] = []
        self.waiting: list[int] = []

    def see(self, index: int, event: AnyEvent) -> tuple[int | None, int | None]:
        match event:
            case Connect():
                self.asked.append(index)
                self.waiting.append(index)
            case Command() | AuthResponse() | Message():
                if not event.lost:
                    self.asked.append(index)
                if event.by == "client":
                    self.waiting.append(index)
            case Handshake(error=""):
                if not self._session.implicit_tls:
                    self.asked.clear()
                    self.waiting.clear()
            case Reply():
                answers = heard_as = None
                if event.by == "server" and self.asked:
                    answers = self.asked.pop(0)
                if not event.lost and self.waiting:
                    heard_as = self.waiting.pop(0)
                return answers, heard_as
        return None, None


def explain(session: Session) -> Explanation:
    """Explain a session, whole or cut short anywhere, played or read from a log."""
    events = session.events
    known = Knowledge()
    pairing = _Pairing(session)
    partial = _begins_in_the_middle(session)
    steps = []
    for index, event in enumerate(events):
        answers, heard_as = pairing.see(index, event)
        before = known
        asked = events[answers] if answers is not None else None
        heard = events[heard_as] if heard_as is not None else None
        known = knowledge.after(before, index, event, heard, asked)
        moment = Moment(
            index=index,
            event=event,
            history=events,
            before=before,
            after=known,
            answers=asked,
            heard_as=heard,
            implicit_tls=session.implicit_tls,
            partial=partial,
        )
        notes = tuple(note for rule in rules() if (note := rule.look(moment)))
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
