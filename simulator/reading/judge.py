"""Which reading of a log is the best: formats propose, the grammar of SMTP decides.

A reading is judged by how much of what looks like SMTP or TLS it explains, and by whether the
dialogue that comes out is one that the grammar allows: a reply follows a command, a success code is
one that the command may have, nobody speaks in the middle of an argument. No signature alone
decides. A log may be two: what the best reading leaves over is read by whoever reads that best.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from simulator import smtp
from simulator.needles import late
from simulator.pairing import GREETINGS
from simulator.reading import fragments, signs, wrapping
from simulator.reading.clean import Line
from simulator.reading.format import Format
from simulator.session import (
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
)

HEAD = 1 << 16
"""Characters by which a log is judged."""

ENOUGH = 4
"""Fragments with which the grammar has its full say; with fewer, the signatures have the rest."""

HEAD_START = 0.1
"""What a reading by the format that the signatures tell of is ahead, as it stands."""

Propose = Callable[[list[str]], list[tuple[Format, float]]]
"""The formats that a log may be of, and how likely each is, the likeliest first."""


class Score(NamedTuple):
    """How good a reading is, each part from 0 to 1."""

    understood: float
    """The share of what looks like SMTP that it took in."""
    lawful: float
    """The share of what it took in that the grammar allows."""
    signs: float
    """Whether what the lines say of TLS became something."""
    detected: float
    """How likely the format's own signs make it."""
    fragments: int
    """How much looks like SMTP."""
    ahead: float = 0.0

    @property
    def value(self) -> float:
        """One number to compare readings by."""
        return self.sure + 0.15 * self.signs + 0.05 * self.detected + self.ahead

    @property
    def sure(self) -> float:
        """How much of the log was understood: what was taken in against the grammar, was not; of
        what there is too little of, the grammar cannot tell."""
        evidence = min(1.0, self.fragments / ENOUGH)
        return evidence * self.understood * self.lawful + 1 - evidence

    @property
    def perfect(self) -> bool:
        """Nothing is left that another reading could do better."""
        return min(self.understood, self.lawful, self.signs) >= 1


class Reading(NamedTuple):
    """A log, or a part of it, as one reader took it, with one wrapping `undone` or none."""

    format: Format
    undone: str
    undo: wrapping.Undo | None
    lines: list[Line]
    sessions: list[Session]
    score: Score

    def read(self, lines: Iterable[Line]) -> Iterator[Session]:
        """Read a log in this way of which the lines here are the beginning."""
        lines = wrapping.undone(lines, self.undo) if self.undo is not None else lines
        return map(self.judged, self.format.read(lines))

    def judged(self, session: Session) -> Session:
        """The session with how much of its log was understood."""
        sure = round(self.score.sure, 2)
        return session if sure >= 1 else msgspec.structs.replace(session, understood=sure)


class Judgement(NamedTuple):
    """The reading of each part of a log, and all that were tried on the whole."""

    parts: list[Reading]
    tried: list[Reading]

    @property
    def sessions(self) -> list[Session]:
        """The sessions of all parts, in the order of the log."""
        found = [part.judged(session) for part in self.parts for session in part.sessions]
        return sorted(found, key=_begins) if len(self.parts) > 1 else found


def _begins(session: Session) -> int:
    said = (event.line for event in session.events if event.line and _spoken(event))
    return next(said, session.events[0].line if session.events else None) or 0


def judge(
    lines: list[Line], propose: Propose, *, whole: bool = True, split: bool = True
) -> Judgement:
    """Judge the readings of `lines`: of a `whole` log, or of a beginning that is read on. `split`:
    it may hold two logs."""
    tried: list[Reading] = []
    for reading in readings(lines, propose, whole=whole):
        tried.append(reading)
        if reading.score.perfect and reading.score.ahead:
            break
    chosen = max(tried, key=lambda reading: reading.score.value)
    parts = _parts(chosen, tried, propose) if whole and split else []
    if whole and split and not parts:
        parts = _told_beside(chosen, propose)
    return Judgement(parts or [chosen], tried)


def readings(lines: list[Line], propose: Propose, *, whole: bool = True) -> Iterator[Reading]:
    """The readings of a log that are worth a try; the first is the signatures' choice."""
    ahead = HEAD_START
    for undone, undo, text in _texts(lines, whole=whole):
        for format_, detected in propose([line.text for line in text]):
            sessions = list(format_.read(iter(text)))
            score = weigh(text, sessions, format_, detected)._replace(ahead=ahead)
            ahead = 0.0
            yield Reading(format_, undone, undo, text, sessions, score)


def _texts(
    lines: list[Line], *, whole: bool
) -> Iterator[tuple[str, wrapping.Undo | None, list[Line]]]:
    """The log as it stands, and with each wrapping undone that it may have."""
    head = [line.text for line in lines]
    if whole and wrapping.is_surely_newest_first(head):
        yield wrapping.NEWEST_FIRST, None, wrapping.oldest_first(lines)
    yield "", None, lines
    for name, undo in wrapping.undoings(head).items():
        text = list(wrapping.undone(lines, undo))
        if text != lines:
            yield name, undo, text
    if whole and wrapping.is_newest_first(head) and not wrapping.is_surely_newest_first(head):
        yield wrapping.NEWEST_FIRST, None, wrapping.oldest_first(lines)


# Two logs in one ------------------------------------------------------------------------------

BETTER = 0.05
"""By how much two readings must be better than one."""

SEEDS = 4
"""Readings, the best first, whose leavings are read as another log: each costs a judgement."""

TELLING = 2
"""Lines that tell of a session in words, beside a dialogue."""

SURELY = 0.6
"""How likely the format of such lines must be."""

SIGNED = 0.4
"""How likely a format is whose own signature stands in the log."""


def _parts(chosen: Reading, tried: list[Reading], propose: Propose) -> list[Reading]:
    """What one reader takes in and what it leaves over, each read by the best; none if that is no
    better than one reading of the whole."""
    best: list[Reading] = []
    most = chosen.score.value + BETTER
    seeds = [
        seed
        for seed in sorted(tried, key=lambda reading: -reading.score.value)
        if seed.score.understood < 1 and (seed is chosen or not seed.format.fallback)
    ]
    for seed in seeds[:SEEDS]:
        parts = [
            part
            for number, lines in enumerate(_split(seed))
            for part in judge(lines, propose, whole=bool(number), split=False).parts
        ]
        if all(part.format is chosen.format for part in parts) and seed is not chosen:
            # What another reading left over of a log that one format reads whole, is no other log.
            continue
        sizes = [part.score.fragments for part in parts]
        values = [part.score.value for part in parts]
        value = sum(map(operator.mul, values, sizes)) / max(1, sum(sizes))
        if value > most and all(map(_stands_alone, parts)):
            best, most = parts, value
    return best


_LOGGED = late(
    r"\s{0,8}(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,20})"
    r" \S{1,255} [\w./-]{1,60}\[\d+\]: "
)
"""A line of syslog, which no bounce has."""


def _told_beside(chosen: Reading, propose: Propose) -> list[Reading]:
    """A dialogue, and beside it a server's log that tells of another session in words: each by its
    reader; none if that is not so."""
    claimed = {
        event.line
        for s in chosen.sessions
        for event in s.events
        if isinstance(event, Command | Reply | AuthResponse | Message)
    }
    document = bool(chosen.sessions) and chosen.format.knows("")
    if chosen.undone or (not document and (not claimed or chosen.score.fragments < ENOUGH)):
        return []
    blocks: list[list[Line]] = [[]]
    for line in chosen.lines:
        if document:
            is_other = _LOGGED.match(line.text) is not None
        else:
            is_other = line.number not in claimed and not fragments.of(line.text)
        if not is_other or not line.text.strip():
            blocks.append([])
        else:
            blocks[-1].append(line)
    found: list[Reading] = []
    for block in blocks:
        telling = [line.text for line in block]
        for format_, detected in propose(telling) if len(block) >= TELLING else ():
            if format_ is chosen.format or format_.fallback or detected < SURELY:
                continue
            sessions = list(format_.read(iter(block)))
            if any(s.shown == "outline" or s.connection for s in sessions) and any(
                isinstance(event, Handshake | Command) or getattr(event, "tells", "")
                for s in sessions
                for event in s.events
            ):
                score = weigh(block, sessions, format_, detected)
                found.append(Reading(format_, "", None, block, sessions, score))
                break
    if not found:
        return []
    apart = {line.number for part in found for line in part.lines}
    rest = [line for line in chosen.lines if line.number not in apart]
    sessions = list(chosen.format.read(iter(rest)))
    score = weigh(rest, sessions, chosen.format, chosen.score.detected)
    return [Reading(chosen.format, "", None, rest, sessions, score), *found]


def _stands_alone(part: Reading) -> bool:
    return part.score.fragments >= ENOUGH or part.score.detected >= SIGNED


def _split(seed: Reading) -> list[list[Line]]:
    """The lines that a reading took in, and those that it left over; none if those are no log."""
    left = _left_over(seed)
    sides = Counter(fragment.who for number in left for fragment in left[number])
    if sides.total() < ENOUGH or len(sides) < 2:
        return []
    claimed = {event.line for s in seed.sessions for event in s.events if _spoken(event)}
    mine: list[Line] = []
    rest: list[Line] = []
    before: list[Line] = []
    goes_to = before
    for line in seed.lines:
        if line.number in left:
            goes_to = rest
        elif line.number in claimed or seed.format.knows(line.text):
            goes_to = mine
        if before and goes_to is not before:
            goes_to.extend(before)
            before.clear()
        goes_to.append(line)
    return [mine, rest] if mine else []


def _spoken(event: object) -> bool:
    return not isinstance(event, Remark)


def _left_over(reading: Reading) -> dict[int, tuple[fragments.Fragment, ...]]:
    """What the reading did not take in, by the numbers of the lines."""
    claimed = _message_lines(reading.sessions)
    lists: list[tuple[int, Counter[_Key]]] = []
    for session in reading.sessions:
        for event in session.events:
            if _spoken(event) and event.line:
                claimed.add(event.line)
            if isinstance(event, Reply) and event.line and len(event.lines) > 1:
                keys = Counter(_keys(event))
                lists.append((event.line, keys))
    left = {}
    for line in reading.lines:
        if line.number in claimed or not (found := fragments.of(line.text)):
            continue
        if reading.format.knows(line.text):
            continue
        key = found[0].key
        goes_on = [
            rest
            for number, rest in lists
            if 0 < line.number - number <= 4 * rest.total() and rest[key] > 0
        ]
        if goes_on:
            goes_on[-1][key] -= 1
        else:
            left[line.number] = found
    return left


# The score ------------------------------------------------------------------------------------

_ANSWERS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(smtp.HELLO, (250, 220)),
    "STARTTLS": (220,),
    "MAIL": (250,),
    "RCPT": (250, 251, 252),
    "DATA": (354, 250),
    "RSET": (250,),
    "QUIT": (221,),
    "AUTH": (334, 235),
}
"""What may answer a command but a refusal (RFC 5321 §4.3.2, RFC 3207 §4, RFC 4954 §6); 220 after
a hello and 250 after DATA stand in logs that leave a line out."""


def weigh(
    lines: Sequence[Line], sessions: Sequence[Session], format_: Format, detected: float
) -> Score:
    """Judge one reading of `lines`."""
    hidden = _message_lines(sessions)
    seen = [
        (line, found)
        for line in lines
        if line.text and line.number not in hidden and (found := fragments.of(line.text))
    ]
    every = _runs(fragment.key for _, found in seen for fragment in found).total()
    wanted = _runs(
        fragment.key for line, found in seen if not format_.knows(line.text) for fragment in found
    )
    said, told = _said(sessions)
    missed = _unbroken(wanted - said, (*said, *told))
    heard = every - (missed - told).total()
    spoken, broken = _broken(sessions)
    return Score(
        understood=min(1.0, heard / every) if every else 1.0,
        lawful=1 - min(1.0, broken / spoken) if spoken else float(not missed),
        signs=float(all(format_.knows(line.text) for line in lines)) or _signs(lines, sessions),
        detected=detected,
        fragments=every,
    )


_Key = tuple[str, str]

LETTERS = 8
"""Letters of a reply's text that tell it from others (see `Fragment.key`)."""


def _unbroken(missed: Counter[_Key], said: Iterable[_Key]) -> Counter[_Key]:
    """What was missed, but for the first letters of a reply whose line a page broke."""
    begun = {
        key
        for key in missed
        if key[0] and 2 <= len(key[1]) < LETTERS
        if any(code == key[0] and text.startswith(key[1]) for code, text in said)
    }
    return Counter({key: count for key, count in missed.items() if key not in begun})


def _runs(keys: Iterable[_Key]) -> Counter[_Key]:
    """How often each is said; what one side says again before the other speaks counts once."""
    counts: Counter[_Key] = Counter()
    run: set[_Key] = set()
    client: bool | None = None
    for key in keys:
        if (not key[0]) != client:
            client = not key[0]
            run = set()
        bare = bool(key[0]) and not key[1] and any(code == key[0] for code, _ in run)
        if key not in run and not bare:
            run.add(key)
            counts[key] += 1
    return counts


def _said(sessions: Sequence[Session]) -> tuple[Counter[_Key], Counter[_Key]]:
    """What the sessions hold as said, and as only told of."""
    said: list[tuple[int, _Key]] = []
    told: list[tuple[int, _Key]] = []
    for session in sessions:
        for event in session.events:
            if isinstance(event, Command) and event.verb:
                (told if event.told else said).append((event.line or 0, ("", event.verb)))
            elif isinstance(event, Reply):
                place = told if event.told else said
                place.extend((event.line or 0, key) for key in _keys(event))
    for place in (said, told):
        place.sort(key=lambda row: row[0])
    return _runs(key for _, key in said), _runs(key for _, key in told)


def _keys(reply: Reply) -> list[_Key]:
    texts = (f"{reply.code} {text}" for text in reply.lines)
    return [fragments.Fragment("server", text).key for text in texts]


def _message_lines(sessions: Sequence[Session]) -> set[int]:
    """Lines that are of a message, and may say whatever they like."""
    found: set[int] = set()
    for event in (event for session in sessions for event in session.events if event.line):
        match event:
            case Message(line=int(line), raw=raw):
                found.update(range(line, line + raw.count(b"\n")))
            case Remark(line=int(line), about="message"):
                found.add(line)
    return found


def _broken(sessions: Sequence[Session]) -> tuple[float, float]:
    """How much is said in the sessions, and how much of it against the grammar."""
    spoken = broken = 0.0
    for session in sessions:
        law = _Law(session)
        for event in session.events:
            law.see(event)
        spoken += law.spoken
        broken += law.broken + law.unknown
        if law.one_sided:
            # It is a log of one side, or a reading that lost the other.
            broken += 0.25 * law.spoken
    return spoken, broken


class _Law:
    """What the grammar makes of one session."""

    def __init__(self, session: Session) -> None:
        said = [e for e in session.events if isinstance(e, Command | Reply)]
        self._commands = any(isinstance(e, Command) and not e.told for e in said)
        self._replies = any(isinstance(e, Reply) and not e.told for e in said)
        self.one_sided = self._commands != self._replies and not any(e.told for e in said)
        self.spoken = self.broken = 0
        self._waiting: list[str] = []
        self.unknown = 0
        self._quit = False
        self._begun = False
        self._last: Reply | None = None

    def see(self, event: object) -> None:
        """Judge the next event."""
        match event:
            case Command(told=True) | Reply(told=True):
                self.spoken += 1
            case Command():
                self.spoken += 1
                self.broken += self._is_broken(event)
                self._quit = self._quit or event.verb == "QUIT"
                self._waiting.append(event.verb)
                self._begun = True
            case AuthResponse() | Message():
                self.spoken += 1
                self._waiting.append("AUTH" if isinstance(event, AuthResponse) else "")
            case Handshake(error=""):
                self._waiting.clear()
            case Connect():
                self._quit = False
            case Reply():
                self.spoken += 1
                if not 500 <= event.code <= 504:
                    self.broken += self.unknown
                self.unknown = 0
                self.broken += self._answers_wrongly(event)
                self._last = event
            case _:
                pass

    def _is_broken(self, command: Command) -> bool:
        """A command in its argument, or one where none may come. What is no command at all is
        broken, unless the server says so (RFC 5321 §4.2.4)."""
        if not command.verb:
            self.unknown += 1
            return False
        if command.verb not in ("MAIL", "RCPT") and fragments.of(command.argument):
            return True
        again = self._waiting[-1:] == [command.verb] and command.verb != "RCPT"
        return self._replies and (self._quit or again)

    def _answers_wrongly(self, reply: Reply) -> bool:
        """A reply to nothing, one that the command cannot have, or one with a fragment inside."""
        if not self._begun:
            last = self._last
            again = last is not None and (last.code, last.lines) == (reply.code, reply.lines)
            self._begun = True
            if reply.code in GREETINGS or not again:
                return False
        if not self._waiting:
            return self._commands and reply.code not in (220, 421)
        allowed = _ANSWERS.get(self._waiting.pop(0))
        if reply.code < 400 and allowed is not None and reply.code not in allowed:
            return True
        return any(fragments.of(text) for text in reply.lines if "  " in text or ">" in text)


def _signs(lines: Sequence[Line], sessions: Sequence[Session]) -> float:
    """Whether what the lines say of TLS became something."""
    told = any(
        isinstance(e, Handshake)
        or (isinstance(e, Remark) and bool(e.tells))
        or (isinstance(e, Reply) and e.code >= 400)
        or (isinstance(e, Disconnect) and e.reason == "cut")
        for session in sessions
        for e in session.events
    )
    if told:
        return 1.0
    return float(
        not any(signs.failure(line.text) or signs.established(line.text) for line in lines)
    )
