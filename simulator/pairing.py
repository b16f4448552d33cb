"""What answers what: which reply answers which command, as the server means it and as the client
takes it. Whoever reads a log and whoever explains a session pair by the same few facts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from simulator import smtp
from simulator.knowledge import Knowledge
from simulator.language import Text
from simulator.needles import late
from simulator.rules import Note
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
)

GREETINGS = (220, 421, 521, 554)
"""What a server may say first (RFC 5321 §3.1, RFC 7504 §3)."""

NEVER_TO_HELLO = (235, 334, 354, 530, 534, 535, 538)
"""Replies to AUTH (RFC 4954 §4, §6), to DATA (RFC 5321 §4.3.2), or for want of TLS, of which RFC
3207 §4 excepts EHLO."""


_ONLY_TO: dict[int, tuple[str, ...]] = {
    220: ("", "STARTTLS", "XCLIENT"),
    221: ("QUIT",),
    334: ("AUTH",),
    354: ("DATA",),
}
"""Replies that one verb alone can have (RFC 5321 §4.3.2, RFC 3207 §4, RFC 4954 §4), "" being the
connection."""


def left_unshown(code: int, asked: Sequence[str]) -> int:
    """How many of the verbs that wait for a reply get none in a log that goes on with `code`, which
    answers a later one of them and can answer none before it."""
    only = _ONLY_TO.get(code)
    if only is None:
        return 0
    return next((place for place, verb in enumerate(asked) if verb in only), 0)


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


class Paired(NamedTuple):
    """How one event pairs: see `Step`, `Moment` and (`unread`) `Ledger.see`."""

    answers: int | None = None
    heard_as: int | None = None
    unread: bool = False
    grouped: bool = False


def paired(session: Session) -> list[Paired]:
    """How each event of the session pairs."""
    pairing = Pairing(session)
    return [pairing.see(index, event) for index, event in enumerate(session.events)]


class Pairing:
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
        self._in_pieces = False
        self._played = session.source == "lab"
        self._heard = self._played
        """Replies are shown here. A log may leave out all, or those that came inside TLS."""

    def see(self, index: int, event: AnyEvent) -> Paired:
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
            case Remark(text=text) if not self._played and LEFT_OUT.fullmatch(text):
                self._left_out()
        return Paired()

    def _left_out(self) -> None:
        """Whoever showed the log to others left a reply out here, and may have said so."""
        for queue in (self._asked, self._waiting):
            if queue and isinstance(self._session.events[queue[0]], Command):
                queue.popleft()

    def _sent(self, index: int, event: Command | AuthResponse | Message) -> Paired:
        if isinstance(event, Message) and self._in_pieces:
            # The octets are part of the command, and have no reply of their own (RFC 3030 §2).
            return Paired()
        if isinstance(event, Command) and event.by == "client":
            self._in_pieces = event.verb == "BDAT"
        unread = bool(self._ahead) or self._wants_data
        behind = isinstance(event, Message) or event.by == "message"
        if behind or not (event.lost or self._wants_data):
            self._asked.append(index)
            if isinstance(event, Command) and (event.verb == "STARTTLS" or event.stale):
                self._ahead.add(index)
        grouped = event.by == "client" and bool(self._waiting) and self._heard
        if event.by == "client":
            self._waiting.append(index)
        if grouped:
            self._grouped.add(index)
        return Paired(unread=unread, grouped=grouped)

    def _replied(self, event: Reply) -> Paired:
        answers = heard_as = None
        self._heard = self._heard or not event.told
        if event.told and not self._played:
            self._pass_to_last()
        elif not self._played:
            self._pass_over_unshown(event.code)
        if event.by == "server" and self._asked:
            answers = self._asked.popleft()
            self._ahead.discard(answers)
            asked = self._session.events[answers]
            self._wants_data = (
                event.code == 354 and isinstance(asked, Command) and asked.verb == "DATA"
            )
            if self._wants_data:
                while self._asked and not self._is_message(self._asked[0]):
                    self._asked.popleft()
        if not event.lost and self._waiting:
            heard_as = self._waiting.popleft()
        return Paired(answers=answers, heard_as=heard_as, grouped=heard_as in self._grouped)

    def _is_message(self, index: int) -> bool:
        return isinstance(self._session.events[index], Message)

    def _pass_to_last(self) -> None:
        """A reply that a log only tells of, answers what it tells of last."""
        for queue in (self._asked, self._waiting):
            while len(queue) > 1:
                queue.popleft()

    def _pass_over_unshown(self, code: int) -> None:
        """Where a log shows no greeting, or no reply to EHLO, this one answers what came after."""
        for queue in (self._asked, self._waiting):
            for _ in range(left_unshown(code, [self._verb(index) for index in queue])):
                queue.popleft()
            while len(queue) > 1 and code not in GREETINGS:
                match self._session.events[queue[0]]:
                    case Connect():
                        queue.popleft()
                    case Command(verb=verb) if verb in smtp.HELLO and code in NEVER_TO_HELLO:
                        queue.popleft()
                    case _:
                        break

    def _verb(self, index: int) -> str:
        match self._session.events[index]:
            case Command(verb=verb):
                return verb or "?"
            case AuthResponse():
                return "AUTH"
            case Message():
                return "."
        return ""


LEFT_OUT = late(r"\W*(?:\.{3,}|…|\[(?:\.{3}|…)\]|<?snip>?)\W*", re.IGNORECASE)
"""A line that stands for others."""


def begins_in_the_middle(events: Sequence[AnyEvent]) -> bool:
    """A log may begin anywhere: then the first thing seen is neither connection nor greeting nor
    introduction."""
    for event in events:
        match event:
            case Connect() | Reply(code=220) | Command(verb="EHLO" | "HELO" | "LHLO"):
                return False
            case Command() | Reply():
                return True
    return False
