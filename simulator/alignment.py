"""Two explained sessions side by side: which events answer each other, and where they part.

An experiment is understood by its difference to the documented session. Two events stand beside
each other when they are of one kind; they are the same when they say the same. Times, dates, wire
bytes and the words that a server puts behind a reply code for people to read (RFC 5321 §4.2) differ
in any two sessions and count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import msgspec

from simulator.explainer import Explanation
from simulator.rules import Note
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Trace,
)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Events that stand beside each other, by their indices; None where one side has none."""

    left: int | None
    right: int | None
    same: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two sessions, aligned. `titles` name them, left and right."""

    left: Explanation
    right: Explanation
    titles: tuple[str, str]
    pairs: tuple[Pair, ...]

    @property
    def parting(self) -> int | None:
        """The place in `pairs` where the sessions differ for the first time, if they do."""
        return next((place for place, pair in enumerate(self.pairs) if not pair.same), None)

    @property
    def broken(self) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
        """The rules that one side breaks and the other does not."""
        rules = [{note.rule for note in side.findings} for side in (self.left, self.right)]
        return (
            tuple(note for note in self.left.findings if note.rule not in rules[1]),
            tuple(note for note in self.right.findings if note.rule not in rules[0]),
        )


def compare(
    left: Explanation, right: Explanation, titles: tuple[str, str] = ("", "")
) -> Comparison:
    """Set two explained sessions side by side.

    Without titles, the names of the scenarios (or where the sessions come from) stand for them.
    """
    named = tuple(
        title or side.session.scenario or side.session.connection or side.session.source
        for title, side in zip(titles, (left, right), strict=True)
    )
    return Comparison(left=left, right=right, titles=(named[0], named[1]), pairs=align(left, right))


def align(left: Explanation, right: Explanation) -> tuple[Pair, ...]:
    """Which event of one session stands beside which of the other; every event occurs once."""
    pairs = _aligned(_steps(left), _steps(right), [_where, _what, _about])
    return tuple(
        Pair(
            left=one.place if one else None,
            right=other.place if other else None,
            same=one is not None and other is not None and _said(one) == _said(other),
        )
        for one, other in pairs
    )


class _Step(NamedTuple):
    """An event, its index, and the verb that a reply answers (or is taken to answer)."""

    place: int
    event: AnyEvent
    answered: str


def _steps(explanation: Explanation) -> list[_Step]:
    found = []
    for step in explanation.steps:
        asked = step.answers if step.heard_as is None else step.heard_as
        verb = "" if asked is None else getattr(explanation.session.events[asked], "verb", "")
        found.append(_Step(step.index, step.event, verb))
    return found


Key = tuple[object, ...]


def _aligned(
    left: Sequence[_Step], right: Sequence[_Step], keys: Sequence[Callable[[_Step], Key]]
) -> Iterator[tuple[_Step | None, _Step | None]]:
    """Match by the first key; what it leaves over between two matches, by the next."""
    if not keys:
        yield from ((step, None) for step in left)
        yield from ((None, step) for step in right)
        return
    key, *coarser = keys
    matcher = SequenceMatcher(None, [*map(key, left)], [*map(key, right)], autojunk=False)
    for tag, a, until_a, b, until_b in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(left[a:until_a], right[b:until_b], strict=True)
        else:
            yield from _aligned(left[a:until_a], right[b:until_b], coarser)


def _about(step: _Step) -> Key:
    """What sort of event it is: the verb of a command, or the one that a reply answers."""
    match step.event:
        case Command(verb=verb):
            return Command, verb
        case Reply():
            return Reply, step.answered
    return (type(step.event),)


def _what(step: _Step) -> Key:
    """Who does what, in whatever words and on whatever ground."""
    event = step.event
    code = event.code if isinstance(event, Reply) else 0
    failed = isinstance(event, Handshake) and bool(event.error)
    return (*_about(step), event.by, code, failed)


def _where(step: _Step) -> Key:
    """Who does what, and on which ground."""
    event = step.event
    return (*_what(step), event.secure, event.lost, event.stale)


def _said(step: _Step) -> Key:
    """All of an event that counts when two sessions are compared."""
    match step.event:
        case Command(argument=words) | AuthResponse(text=words) | Remark(text=words):
            return (*_where(step), words)
        case Reply(lines=lines):
            return (*_where(step), lines[1:])
        case Message(size=size):
            return (*_where(step), size)
        case Handshake() as tls:
            certificates = (tls.server_certificate, tls.client_certificate)
            names = [certificate.subject if certificate else "" for certificate in certificates]
            return (
                *_where(step),
                tls.version,
                tls.cipher,
                tls.error,
                tls.verified,
                tls.dane,
                tls.resumed,
                *names,
            )
        case Disconnect(reason=reason):
            return (*_where(step), reason)
        case Trace(text=text):
            return (*_where(step), text.split(";")[0])
        case Connect():
            return _where(step)
    raise TypeError(f"nothing to compare in {type(step.event).__name__}")
