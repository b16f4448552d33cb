"""The one explainer: a session in, and out what each event means, what each side then knows, which
rules were met or broken, and the verdict.

It goes three depths, and no deeper than is asked: how events pair, which rules were met or broken
and so the verdict, and what every event means. Nothing here knows where the session comes from or
how it will be shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from simulator import meaning
from simulator import verdict as verdicts
from simulator.knowledge import Ledger
from simulator.masking import Veil
from simulator.pairing import Paired, begins_in_the_middle, paired
from simulator.pairing import Step as Step
from simulator.rules import Moment, Note, Past, looks
from simulator.session import AnyEvent, Command, Reply, Session
from simulator.verdict import Verdict


class Explanation(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A session with everything that can be said of it, each part when it is first asked for.

    `sealed` is the verdict where it is not to be that of this session: behind a veil it stays that
    of what was read. `read` explains that where it says the same, word for word: then all but the
    octets is known already.
    """

    session: Session
    sealed: Verdict | None = None
    read: Explanation | None = None

    @cached_property
    def verdict(self) -> Verdict:
        """What can be said of the whole session."""
        if self.sealed is not None:
            return self.sealed
        ruled = self._ruled if self._obeys else ()
        broken = (note.rule for _, notes in ruled for note in notes if not note.met)
        return verdicts.judge(self.session, self._pairs, broken)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Its events, explained one by one."""
        return tuple(
            Step(
                index=index,
                event=event,
                meaning=meaning.of(moment),
                notes=notes,
                knowledge=moment.after,
                answers=pair.answers,
                heard_as=pair.heard_as,
            )
            for index, (event, pair, (moment, notes)) in enumerate(
                zip(self.session.events, self._pairs, self._ruled, strict=True)
            )
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, in the order of the events."""
        return tuple(note for step in self.steps for note in step.notes)

    @property
    def findings(self) -> tuple[Note, ...]:
        """The broken rules."""
        return tuple(note for note in self.notes if not note.met)

    @cached_property
    def _pairs(self) -> list[Paired]:
        return self.read._pairs if self.read is not None else paired(self.session)

    @property
    def _obeys(self) -> bool:
        """Whether rules may be looked at: enough of what was said is shown."""
        return self.session.shown != "outline" and self.session.is_understood

    @cached_property
    def _ruled(self) -> list[tuple[Moment, tuple[Note, ...]]]:
        """Each event in its place, and what the rules say of it."""
        if self.read is not None:
            return self.read._ruled
        return [
            (moment, looks(moment) if self._obeys and not told else ())
            for moment, told in _moments(self.session, self._pairs)
        ]


def explain(session: Session) -> Explanation:
    """Explain a session, whole or cut short anywhere, played or read from a log."""
    return Explanation(session=session)


def _moments(session: Session, pairs: list[Paired]) -> Iterator[tuple[Moment, bool]]:
    """Each event in its place, and whether the record only tells of it."""
    events = session.events
    ledger = Ledger(events)
    known = ledger.knowledge
    past = Past()
    partial = begins_in_the_middle(events)
    played = session.source == "lab"
    for index, (event, pair) in enumerate(zip(events, pairs, strict=True)):
        answers, heard_as, unread, grouped = pair
        before = known
        heard = events[heard_as] if heard_as is not None else None
        told = _told(event) or _told(heard)
        # What is only told of teaches nothing: its words, and often its place, are not known.
        known = (
            ledger.see(index, unread=True)
            if told
            else ledger.see(index, answers, heard_as, unread=unread)
        )
        yield (
            Moment(
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
                played=played,
            ),
            told,
        )
        if not (told and isinstance(event, Reply)):
            past = past.then(event, heard)


def _told(event: AnyEvent | None) -> bool:
    return isinstance(event, Command | Reply) and event.told


def veiled(explanation: Explanation, veil: Veil) -> Explanation:
    """The explanation without what strangers must not see; the verdict stays that of what was
    read, but for the commands, of which a veil may hide one."""
    return next(veiled_all((explanation,), veil))


def veiled_all(
    explanations: Iterable[Explanation], veil: Veil, ahead: int = 0
) -> Iterator[Explanation]:
    """Each explanation of one log without what strangers must not see.

    `ahead`: how many more are read before one is given, so that what one of those shows to be a
    secret is masked in it as well.
    """
    if not veil:
        yield from explanations
        return
    waiting: deque[tuple[Explanation, Session]] = deque()
    for explanation in explanations:
        waiting.append((explanation, veil(explanation.session)))
        if len(waiting) > ahead:
            yield sealed(*waiting.popleft(), veil)
    while waiting:
        yield sealed(*waiting.popleft(), veil)


def sealed(explanation: Explanation, session: Session, veil: Veil) -> Explanation:
    """The explanation of a session that is behind a veil, with what the veil has learnt since."""
    session = veil.again(session)
    commands = verdicts.commands(session)
    verdict = msgspec.structs.replace(
        veil.over(explanation.verdict), client_to_server_commands=commands
    )
    if session == explanation.session and verdict == explanation.verdict:
        return explanation
    same = session.events == tuple(map(_without_octets, explanation.session.events))
    return Explanation(session=session, sealed=verdict, read=explanation if same else None)


def _without_octets(event: AnyEvent) -> AnyEvent:
    """The event as rules and meanings see it."""
    return msgspec.structs.replace(event, raw=b"", wire=())
