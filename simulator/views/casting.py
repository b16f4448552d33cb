"""Sessions that are the same but for times, numbers and names, shown once and filled in.

Of many connections that fail, most fail alike. Where two sessions have the same likeness, a third
one with other values throughout is made, read, explained and shown: where its values stand in the
text, theirs do too. The text is kept as a cast only if, filled with the values of the second
session, it is word for word what that session is shown as. From then on sessions of that likeness
are neither read nor explained.

Where anything is known of other sessions that would be masked in this one, nothing is filled in.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from simulator.explainer import Explanation, explain, sealed
from simulator.formats import Unread
from simulator.masking import Veil
from simulator.session import Session
from simulator.verdict import Verdict
from simulator.views.view import Cast, Page, View, piece

MOST = 2000
"""Likenesses that are remembered at a time."""

_NUMBERS = (7318205946, 20)
"""Numbers of sessions by which the place of the number is found, and then tried."""

Seen = Callable[[Verdict], bool]
"""Is told the verdict over each session, and says whether that session is to be shown."""


class _Opened(NamedTuple):
    """A text with places, and which of some values go there."""

    text: str
    order: tuple[int, ...]

    def filled(self, values: tuple[str, ...]) -> str:
        """The text with these values."""
        return self.text % tuple([values[place] for place in self.order])


class _Mould(NamedTuple):
    """The text of all sessions of one likeness, and the verdict over them."""

    before: _Opened
    """What stands before the number of the session."""
    after: _Opened
    verdict: Verdict

    def filled(self, values: tuple[str, ...]) -> Cast:
        """The text of a session with these values."""
        return Cast(self.before.filled(values), self.after.filled(values))


class _Waiting(NamedTuple):
    """A session that is given when enough others were read: with its text, or masked so far."""

    cast: Cast | None
    unread: Unread | None
    explanation: Explanation | None
    masked: Session | None


class Casting:
    """Shows the sessions of one log in one view, one by one."""

    def __init__(self, view: View, page: Page, veil: Veil) -> None:
        self._view, self._page, self._veil = view, page, veil
        self._moulds: dict[object, _Mould | None] = {}
        """None where sessions do not look alike after all."""
        self._once: set[object] = set()

    def all(
        self, found: Iterable[Session | Unread], seen: Seen, ahead: int = 0
    ) -> Iterator[Explanation | Cast]:
        """The sessions of `found` that are to be shown, behind their veil (`ahead` as in
        `explainer.veiled_all`)."""
        waiting: deque[_Waiting] = deque()
        for one in found:
            waiting.extend(self._begun(one, seen))
            while len(waiting) > ahead:
                yield from self._done(waiting.popleft())
        while waiting:
            yield from self._done(waiting.popleft())

    def _begun(self, found: Session | Unread, seen: Seen) -> Iterator[_Waiting]:
        if not isinstance(found, Session):
            cast, verdict = self._cast(found)
            if cast is not None and verdict is not None:
                if seen(verdict):
                    yield _Waiting(cast, found, None, None)
                return
        for session in [found] if isinstance(found, Session) else found.sessions():
            explanation = explain(session)
            if seen(explanation.verdict):
                yield _Waiting(None, None, explanation, self._veil(session) if self._veil else None)

    def _done(self, one: _Waiting) -> Iterator[Explanation | Cast]:
        if one.cast is not None and self._veil.is_plain:
            yield one.cast
        elif one.unread is not None:
            for session in one.unread.sessions():
                yield self._veiled(explain(session), self._veil(session) if self._veil else None)
        elif one.explanation is not None:
            yield self._veiled(one.explanation, one.masked)

    def _veiled(self, explanation: Explanation, masked: Session | None) -> Explanation:
        return explanation if masked is None else sealed(explanation, masked, self._veil)

    def _cast(self, found: Unread) -> tuple[Cast, Verdict] | tuple[None, None]:
        likeness = found.likeness() if self._veil.is_plain else None
        if likeness is None:
            return None, None
        form, values = likeness
        mould = self._moulds.get(form)
        if mould is None:
            if form in self._moulds:
                return None, None
            if form not in self._once:
                if len(self._once) >= MOST:
                    self._once.clear()
                self._once.add(form)
                return None, None
            if len(self._moulds) >= MOST:
                self._moulds.clear()
            mould = self._moulds[form] = self._mould(found, values)
            if mould is None:
                return None, None
        return mould.filled(values), mould.verdict

    def _mould(self, found: Unread, values: tuple[str, ...]) -> _Mould | None:
        """What all that are like `found` look like; None if they do not look alike."""
        like = found.other()
        if like is None:
            return None
        other, other_values = like
        made, real = self._shown(other, _NUMBERS[0]), self._shown(found, _NUMBERS[1])
        if made is None or real is None or _bare(made[1]) != _bare(real[1]):
            return None
        before, number, after = made[0].partition(str(_NUMBERS[0]))
        if not number:
            return None
        places = {value: place for place, value in enumerate(other_values)}
        mould = _Mould(_opened(before, places), _opened(after, places), made[1])
        cast = mould.filled(values)
        return mould if f"{cast.before}{_NUMBERS[1]}{cast.after}" == real[0] else None

    def _shown(self, found: Unread, number: int) -> tuple[str, Verdict] | None:
        """One session by itself under that number, and the verdict over it."""
        sessions = found.sessions()
        if len(sessions) != 1 or sessions[0].stray:
            return None
        veil = self._veil.alike()
        explanation = explain(sessions[0])
        if veil:
            explanation = sealed(explanation, veil(sessions[0]), veil)
        if not veil.is_plain:
            return None
        return piece(self._view.render, explanation, number, self._page), explanation.verdict


def _bare(verdict: Verdict) -> Verdict:
    """Without what is of one session alone: where in it a cause shows."""
    return replace(verdict, causes=tuple(replace(told, lines=()) for told in verdict.causes))


_BY_ITSELF = r"(?:(?<!\w)|(?<=\[\dm)|(?<=\[\d\dm)|(?<=;\dm)|(?<=;\d\dm))"
"""Where a word may begin: also behind what gives it a colour."""


def _opened(text: str, places: dict[str, int]) -> _Opened:
    """A text with a place wherever one of these values stands in it by itself."""
    values = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
    pieces = re.split(rf"{_BY_ITSELF}({values})(?!\w)", text)
    order = tuple(places[value] for value in pieces[1::2])
    return _Opened("%s".join(piece.replace("%", "%%") for piece in pieces[::2]), order)
