"""The one explainer: a session in, and out what each event means, what each side then knows, which
rules were met or broken, and the verdict.

Nothing here knows where the session comes from or how it will be shown.
"""

from __future__ import annotations

import msgspec

from simulator import meaning
from simulator import verdict as verdicts
from simulator.knowledge import Ledger
from simulator.masking import Veil
from simulator.pairing import Pairing, begins_in_the_middle
from simulator.pairing import Step as Step
from simulator.rules import Moment, Note, Past, rules
from simulator.session import AnyEvent, Command, Reply, Session
from simulator.verdict import Verdict


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


def explain(session: Session) -> Explanation:
    """Explain a session, whole or cut short anywhere, played or read from a log."""
    events = session.events
    ledger = Ledger(events)
    known = ledger.knowledge
    pairing = Pairing(session)
    past = Past()
    partial = begins_in_the_middle(events)
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
        shown = not told and session.shown != "outline" and session.is_understood
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
        verdict=verdicts.judge(session, steps),
    )


def _told(event: AnyEvent | None) -> bool:
    return isinstance(event, Command | Reply) and event.told


def veiled(explanation: Explanation, veil: Veil) -> Explanation:
    """The explanation without what strangers must not see; the verdict stays that of what was
    read, but for the commands, of which a veil may hide one."""
    if not veil:
        return explanation
    hidden = explain(veil(explanation.session))
    commands = hidden.verdict.client_to_server_commands
    verdict = msgspec.structs.replace(
        veil.over(explanation.verdict), client_to_server_commands=commands
    )
    return msgspec.structs.replace(hidden, verdict=verdict)
