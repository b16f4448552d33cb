"""Every octet of a session, and what it means: SMTP lines down to the hyphen behind a reply code,
TLS records down to the fields of handshake messages.

`describe` says it as data, `render` as an annotated dump for a terminal, `as_data` for the page
that shows it under the mouse.
"""

from __future__ import annotations

import bisect
import functools
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from simulator import tls
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Handshake,
    Link,
    Message,
    Reply,
    Session,
    Side,
)
from simulator.views import wire_words as words
from simulator.views.inert import printable


class NothingOnTheWire(ValueError):
    """The session was read from a log: what was said is known, but not the octets that crossed."""

    def __init__(self) -> None:
        super().__init__(
            "this session was read from a log, which does not hold the bytes that crossed the "
            "wire: replay a session to see them"
        )


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Octets `start` to `end` of what one leg carried to one side, and what they mean.

    Pieces of `depth` 0 (an SMTP command or reply, a TLS record) cover all that crossed, each octet
    once. Each is followed by its parts, which cover it in the same way, and those by theirs. `at`:
    seconds since the session began. `events`: indices of the events it belongs to; several, when
    one record carries several commands. `value` is what the octets say, in protocol tokens.
    `secure`: encrypted, or a part of such a record; `plaintext` is then the SMTP inside, where the
    lab knows it.
    """

    link: Link
    to: Side
    start: int
    end: int
    at: float
    events: tuple[int, ...] = ()
    depth: int
    name: str
    value: str = ""
    meaning: Text | None = None
    secure: bool = False
    plaintext: bytes = b""


class Claim(NamedTuple):
    """Octets `start` to `end` of a stream belong to the event with that index."""

    start: int
    end: int
    event: int


Stream = tuple[Link, Side]


def links(session: Session) -> tuple[Link, ...]:
    """The legs of the way, the client's first: two where a middlebox stands between."""
    found = {segment.link for segment in session.wire}
    return tuple(link for link in ("client", "server") if link in found)


def claims(session: Session) -> dict[Stream, tuple[Claim, ...]]:
    """Which octets belong to which event, for each stream, in order.

    The record says so for the leg on which it was made. What a middlebox passed on unchanged is
    found again on the other leg. What was taken from an old buffer (`stale`) crossed the wire as
    something else, and claims only what nothing else does.
    """
    streams = _streams(session)
    found: dict[Stream, list[Claim]] = {stream: [] for stream in streams}
    for index, event in sorted(enumerate(session.events), key=lambda pair: pair[1].stale):
        for span in event.wire:
            known = found.get((span.link, span.to), [])
            length = len(streams.get((span.link, span.to), b""))
            start, end = max(0, span.start), min(span.end, length)
            taken = event.stale and any(c.start < end and start < c.end for c in known)
            if start < end and not taken:
                known.append(Claim(start, end, index))
    for (link, to), known in found.items():
        other: Stream = ("server" if link == "client" else "client", to)
        if other in found:
            theirs = [claim for claim in sorted(known) if _may_pass(session.events[claim.event])]
            found[other].extend(_passed_on(streams[link, to], theirs, streams[other], found[other]))
    return {stream: tuple(sorted(known)) for stream, known in found.items()}


def describe(explanation: Explanation) -> tuple[Piece, ...]:
    """All pieces of a session, in the order in which they crossed the wire.

    Raises `NothingOnTheWire` for a session that was read from a log.
    """
    session = explanation.session
    if not session.wire:
        raise NothingOnTheWire
    streams = _streams(session)
    known = claims(session)
    clock = _Clock(session)
    units: list[tuple[int, int, list[Piece]]] = []
    for link in links(session):
        regions = {to: _regions(session, streams[link, to], known[link, to]) for to in _SIDES}
        began = next((r.start for r in regions["client"] if r.kind == "tls"), None)
        agreed = tls.agreement(streams[link, "client"], began) if began is not None else None
        for to in _SIDES:
            stream = _Reader(explanation, link, to, streams[link, to], known[link, to], agreed)
            for region in regions[to]:
                for unit in stream.units(region):
                    order, at = clock.of(link, to, unit[0].start)
                    placed = [msgspec.structs.replace(p, at=at) for p in unit]
                    units.append((order, unit[0].start, placed))
    units.sort(key=lambda unit: unit[:2])
    return tuple(piece for _, _, unit in units for piece in unit)


def as_data(explanation: Explanation, language: str = SOURCE) -> list[dict[str, Any]]:
    """All pieces as data for a page, prose in `language`; what is empty is left out.

    One dictionary for each piece of depth 0, with its octets (`hex`) and its `parts`.
    Raises `NothingOnTheWire` and `UnknownLanguage`.
    """
    session = explanation.session
    streams = _streams(session)
    found: list[dict[str, Any]] = []
    for piece in describe(explanation):
        told = {
            "start": piece.start,
            "end": piece.end,
            "name": piece.name,
            "value": printable(piece.value),
            "meaning": _say(piece, language),
        }
        if piece.depth:
            told["depth"] = piece.depth
            found[-1]["parts"].append(_without_empty(told))
            continue
        told |= {
            "link": piece.link,
            "to": piece.to,
            "at": piece.at,
            "events": list(piece.events),
            "secure": piece.secure,
            "hex": streams[piece.link, piece.to][piece.start : piece.end].hex(),
            "inside": [printable(line) for line in _lines(piece.plaintext)],
        }
        found.append(_without_empty(told) | {"parts": []})
    return found


_WIDTH = 100
_SHORT, _LONG, _MANY = 8, 16, 64
"""Octets in a row of the dump, beside a label and below it; from how many on it stands below."""

_AMBER, _GREEN, _DIM, _PLAIN = "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"

HEADING = N_("{at} s, {by} to {to}, in the clear: octets {start} to {end}")
HEADING_TLS = N_("{at} s, {by} to {to}, inside TLS: octets {start} to {end}")
LEGS = {
    "client": N_("Between client and middlebox"),
    "server": N_("Between middlebox and server"),
}
PARTIES = {"client": N_("client"), "server": N_("server")}
INSIDE = N_("inside: {line}")


def render(explanation: Explanation, language: str = SOURCE, colour: bool = False) -> str:
    """The whole session as an annotated dump: where, octets in hex, ASCII, and what they mean.

    Raises `NothingOnTheWire` and `UnknownLanguage`.
    """
    streams = _streams(explanation.session)
    pieces = describe(explanation)
    legs = len(links(explanation.session)) > 1
    out: list[str] = []
    for place, piece in enumerate(pieces):
        if not piece.depth:
            out.extend(_heading(piece, language, legs=legs, colour=colour))
        whole = place + 1 == len(pieces) or pieces[place + 1].depth <= piece.depth
        data = streams[piece.link, piece.to][piece.start : piece.end] if whole else b""
        if piece.depth or whole:
            out.extend(_rows(piece, data, language, colour=colour))
    return "\n".join(out).lstrip("\n") + "\n"


# --- which octets are what ---------------------------------------------------------------------

_SIDES: tuple[Side, ...] = ("server", "client")


class _Region(NamedTuple):
    """A stretch of a stream: the text of an event, TLS records, or what nobody speaks of."""

    kind: Literal["text", "tls", "unknown"]
    start: int
    end: int
    event: int | None = None


class _Clock:
    """When each octet crossed, and in which order."""

    def __init__(self, session: Session) -> None:
        self._starts: dict[Stream, list[int]] = {}
        self._crossed: dict[Stream, list[tuple[int, float]]] = {}
        reached: dict[Stream, int] = {}
        for order, segment in enumerate(session.wire):
            stream: Stream = (segment.link, segment.to)
            start = reached.get(stream, 0)
            reached[stream] = start + len(segment.data)
            if segment.data:
                self._starts.setdefault(stream, []).append(start)
                self._crossed.setdefault(stream, []).append((order, segment.at))

    def of(self, link: Link, to: Side, octet: int) -> tuple[int, float]:
        place = bisect.bisect_right(self._starts[link, to], octet) - 1
        return self._crossed[link, to][place]


def _streams(session: Session) -> dict[Stream, bytes]:
    return {(link, to): session.stream(to, link) for link in links(session) for to in _SIDES}


def _may_pass(event: AnyEvent) -> bool:
    return event.by != "middlebox" and not event.lost and not event.stale


def _passed_on(
    stream: bytes, here: Sequence[Claim], other: bytes, there: Sequence[Claim]
) -> Iterator[Claim]:
    """The claims of one leg, where their octets stand on the other leg in the same order."""
    done = {claim.event for claim in there}
    last = Claim(0, 0, -1)
    at = 0
    for claim in here:
        if claim.event in done:
            continue
        after = at if claim.start < last.end else at + last.end - last.start
        place = other.find(stream[claim.start : claim.end], after)
        if place < 0:
            continue
        last, at = claim, place
        yield Claim(place, place + claim.end - claim.start, claim.event)


def _is_text(event: AnyEvent) -> bool:
    return not isinstance(event, Handshake) and (event.stale or not event.secure)


def _begins_record(stream: bytes, at: int) -> bool:
    try:
        tls.record_length(stream[at : at + tls.HEADER])
    except ValueError:
        return False
    return True


def _regions(session: Session, stream: bytes, known: Sequence[Claim]) -> list[_Region]:
    texts = [claim for claim in known if _is_text(session.events[claim.event])]
    others = [claim.start for claim in known if not _is_text(session.events[claim.event])]
    found: list[_Region] = []
    at = 0
    while at < len(stream):
        while texts and texts[0].end <= at:
            texts.pop(0)
        if texts and texts[0].start <= at:
            claim = texts.pop(0)
            found.append(_Region("text", at, claim.end, claim.event))
            at = claim.end
            continue
        limit = texts[0].start if texts else len(stream)
        if _begins_record(stream, at):
            end = _end_of_records(stream, at, limit)
            found.append(_Region("tls", at, end))
        else:
            end = min([start for start in others if start > at] + [limit])
            found.append(_Region("unknown", at, end))
        at = end
    return found


def _end_of_records(stream: bytes, at: int, limit: int) -> int:
    while at < limit and _begins_record(stream, at):
        length = tls.record_length(stream[at : at + tls.HEADER])
        at = min(at + length, limit) if length else limit
    return at


class _Reader:
    """Reads the regions of one stream into units: a piece of depth 0, and its parts."""

    def __init__(
        self,
        explanation: Explanation,
        link: Link,
        to: Side,
        stream: bytes,
        known: Sequence[Claim],
        agreed: tls.Agreed | None,
    ) -> None:
        self._explanation = explanation
        self._link = link
        self._to = to
        self._stream = stream
        self._known = known
        self._agreed = agreed
        self._inside = _insides(explanation.session, stream, known, agreed)
        self._established = any(
            isinstance(event, Handshake) and not event.error for event in explanation.session.events
        )
        self._certificate_told = False

    def units(self, region: _Region) -> Iterator[list[Piece]]:
        if region.kind == "text" and region.event is not None:
            yield self._text(region, region.event)
        elif region.kind == "unknown":
            yield self._unclaimed(region)
        else:
            yield from self._records(region)

    def _piece(
        self, start: int, end: int, depth: int, name: str, table: dict[str, str], value: str = ""
    ) -> Piece:
        template = table.get(name, "")
        return Piece(
            link=self._link,
            to=self._to,
            start=start,
            end=end,
            at=0.0,
            depth=depth,
            name=name,
            value=value,
            meaning=Text(template, {"value": value} if "{value}" in template else {})
            if template
            else None,
        )

    def _text(self, region: _Region, index: int) -> list[Piece]:
        step = self._explanation.steps[index]
        data = self._stream[region.start : region.end]
        lines = _lines(data)
        whole = Piece(
            link=self._link,
            to=self._to,
            start=region.start,
            end=region.end,
            at=0.0,
            events=(index,),
            depth=0,
            name=str(step.event.__struct_config__.tag),
            value=lines[0] if lines else "",
            meaning=step.meaning,
        )
        answered = step.answers
        after_ehlo = answered is not None and getattr(
            self._explanation.steps[answered].event, "verb", ""
        ) in ("EHLO", "LHLO")
        parts = [
            msgspec.structs.replace(
                self._piece(region.start + start, region.start + end, depth, name, words.SMTP),
                events=(index,),
            )
            for start, end, depth, name in _smtp_parts(step.event, data, after_ehlo)
        ]
        return [whole, *parts]

    def _unclaimed(self, region: _Region) -> list[Piece]:
        """Text, most likely, that one side sent and the other never read."""
        data = self._stream[region.start : region.end]
        parts = []
        if data[:1].isalnum():
            read = _reply_parts(data, False) if self._to == "client" else _command_parts(data)
            parts = [
                self._piece(region.start + start, region.start + end, depth, name, words.SMTP)
                for start, end, depth, name in read
            ]
        return [self._piece(region.start, region.end, 0, "unknown", words.SMTP), *parts]

    def _records(self, region: _Region) -> Iterator[list[Piece]]:
        found = tls.fields(self._stream, region.start, region.end, self._agreed)
        begins = [place for place, field in enumerate(found) if field.depth == 0]
        for first, beyond in zip(begins, [*begins[1:], len(found)], strict=True):
            record, parts = found[first], found[first + 1 : beyond]
            secure = any(part.name == "ciphertext" for part in parts)
            events = self._events(record)
            yield [
                self._record(record, parts, events, secure),
                *(
                    msgspec.structs.replace(self._part(part), events=events, secure=secure)
                    for part in parts
                ),
            ]

    def _events(self, field: tls.Field) -> tuple[int, ...]:
        return tuple(
            dict.fromkeys(
                c.event for c in self._known if c.start < field.end and field.start < c.end
            )
        )

    def _record(
        self, field: tls.Field, parts: Sequence[tls.Field], events: tuple[int, ...], secure: bool
    ) -> Piece:
        messages = [part.name for part in parts if part.depth == 1 and part.name in words.HANDSHAKE]
        alert = next((part.value for part in parts if part.name == "description"), "")
        value = "" if secure else ", ".join(dict.fromkeys(messages)) or alert
        meaning = None
        if secure:
            meaning = self._sealed(field, events)
        elif field.name in ("unread", "not_tls"):
            meaning = Text(words.RECORD[field.name])
        elif field.name == "change_cipher_spec":
            in_1_3 = self._agreed and self._agreed.version == tls.TLS_1_3
            meaning = Text(words.CHANGE_CIPHER_SPEC_1_3 if in_1_3 else words.CHANGE_CIPHER_SPEC)
        elif field.name == "alert" and alert:
            meaning = Text(words.ALERT_RECORD, {"value": alert})
        elif messages:
            meaning = Text(words.HANDSHAKE_RECORD, {"messages": value})
        return Piece(
            link=self._link,
            to=self._to,
            start=field.start,
            end=field.end,
            at=0.0,
            events=events,
            depth=0,
            name=field.name,
            value=value,
            meaning=meaning,
            secure=secure,
            plaintext=self._inside.get(field.start, b"") if secure else b"",
        )

    def _sealed(self, field: tls.Field, events: tuple[int, ...]) -> Text:
        """What an encrypted record is."""
        steps = [self._explanation.steps[index] for index in events]
        said = [step.meaning for step in steps if not isinstance(step.event, Handshake)]
        if said:
            return functools.reduce(
                lambda one, other: Text(_JOINED, {"one": one, "other": other}), said
            )
        if field.name == "alert":
            return Text(words.SEALED_ALERT)
        if field.name == "handshake":
            return Text(words.SEALED_HANDSHAKE)
        if not steps and self._established:
            return Text(words.SEALED_ASIDE)
        if self._to == "client" and not self._certificate_told:
            self._certificate_told = True
            return Text(words.SEALED_CERTIFICATE)
        return Text(words.SEALED_1_3)

    def _part(self, field: tls.Field) -> Piece:
        table = words.RECORD if field.name in words.RECORD else words.HANDSHAKE
        value = printable(field.value)
        piece = self._piece(field.start, field.end, field.depth, field.name, table, value)
        if field.rest:
            return msgspec.structs.replace(
                piece, meaning=Text(words.CONTINUED, {"name": field.name})
            )
        if field.name == "extension":
            template = words.EXTENSIONS.get(value, "")
            return msgspec.structs.replace(piece, meaning=Text(template) if template else None)
        if field.name == "Certificate" and (names := self._certificate_names()):
            return msgspec.structs.replace(
                piece, meaning=Text(words.CERTIFICATE_CLEAR, {"names": names})
            )
        return piece

    def _certificate_names(self) -> str:
        """For whom the certificate is that crosses towards `to`."""
        for event in self._explanation.session.events:
            if isinstance(event, Handshake):
                shown = (
                    event.server_certificate if self._to == "client" else event.client_certificate
                )
                if shown:
                    return printable(", ".join(shown.names) or shown.subject)
        return ""


_JOINED = "{one} {other}"


def _insides(
    session: Session, stream: bytes, known: Sequence[Claim], agreed: tls.Agreed | None
) -> dict[int, bytes]:
    """The SMTP inside the encrypted records, by where each record begins.

    Events may share a record, and one may fill many. Where the lengths of the records say how much
    is in each, all of it is dealt out; otherwise the first of them has it all.
    """
    inside: dict[int, bytes] = {}
    groups: list[list[Claim]] = []
    for claim in known:
        event = session.events[claim.event]
        if _is_text(event) or isinstance(event, Handshake):
            continue
        if groups and claim.start < max(c.end for c in groups[-1]):
            groups[-1].append(claim)
        else:
            groups.append([claim])
    seal = tls.sealing(agreed)
    for group in groups:
        plain = b"".join(session.events[claim.event].raw for claim in group)
        try:
            found = tls.records(stream, group[0].start, max(claim.end for claim in group))
        except ValueError:
            continue
        found = [record for record in found if record.type == tls.APPLICATION_DATA]
        sizes = [seal.content(record.length) for record in found] if seal else []
        if sum(sizes) != len(plain):
            sizes = [len(plain)]
        at = 0
        for record, size in zip(found, sizes, strict=False):
            inside[record.start] = plain[at : at + size]
            at += size
    return inside


# --- the parts of SMTP text --------------------------------------------------------------------

_Part = tuple[int, int, int, str]
"""Start, end, depth, name."""

_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?= |$)")
_REPLY_CODE = re.compile(rb"[0-9]{3}(?=[ -]|$)")


def _smtp_parts(event: AnyEvent, data: bytes, after_ehlo: bool) -> list[_Part]:
    match event:
        case Message():
            return _message_parts(data)
        case Reply():
            return _reply_parts(data, after_ehlo)
        case AuthResponse():
            return _lines_parts(data, lambda _: lambda _, at: [(at, "response")])
    return _command_parts(data)


_Splitter = Callable[[bytes, int], list[tuple[int, str]]]
"""A line without its end, and where it stands: where each part begins, and its name."""


def _line_parts(line: bytes, at: int, depth: int, split: _Splitter) -> list[_Part]:
    """The parts of a line, its end included."""
    end = at + len(line)
    stop = end
    marks: list[tuple[int, str]] = []
    if line.endswith(b"\r\n"):
        stop = end - 2
        marks = [(stop, "line-end")]
    elif line.endswith(b"\n"):
        stop = end - 1
        marks = [(stop, "bare-line-end")]
    marks = [*split(line[: stop - at], at), *marks]
    ends = [start for start, _ in marks[1:]] + [end]
    return [
        (start, finish, depth, name)
        for (start, name), finish in zip(marks, ends, strict=True)
        if start < finish
    ]


def _command_line(line: bytes, at: int) -> list[tuple[int, str]]:
    verb = line.find(b" ")
    if verb < 0:
        return [(at, "verb")]
    argument = len(line) - len(line[verb:].lstrip(b" "))
    return [(at, "verb"), (at + verb, "space"), (at + argument, "argument")]


def _lines_parts(data: bytes, splitter_of: Callable[[int], _Splitter]) -> list[_Part]:
    """The parts of one line, or those of each line below a part of its own."""
    lines = _split_lines(data)
    found: list[_Part] = []
    at = 0
    for number, line in enumerate(lines):
        depth = 1
        if len(lines) > 1:
            found.append((at, at + len(line), 1, "line"))
            depth = 2
        found += _line_parts(line, at, depth, splitter_of(number))
        at += len(line)
    return found


def _command_parts(data: bytes) -> list[_Part]:
    return _lines_parts(data, lambda _: _command_line)


def _reply_parts(data: bytes, after_ehlo: bool) -> list[_Part]:
    def splitter(number: int) -> _Splitter:
        listed = "keyword" if number else "server-name"
        return functools.partial(_reply_line, listed=listed if after_ehlo else "")

    return _lines_parts(data, splitter)


def _reply_line(line: bytes, at: int, listed: str) -> list[tuple[int, str]]:
    if not _REPLY_CODE.match(line):
        return [(at, "text")]
    if len(line) == 3:
        return [(at, "code")]
    marks = [(at, "code"), (at + 3, "hyphen" if line[3:4] == b"-" else "last-line")]
    rest = line[4:]
    begin = at + 4
    first = listed
    if not listed and _ENHANCED.match(rest):
        first = "enhanced-code"
    marks.append((begin, first or "text"))
    word = rest.find(b" ")
    if first and word >= 0:
        marks.append((begin + word, "space"))
        marks.append((begin + word + 1, "parameters" if listed == "keyword" else "text"))
    return marks


def _message_parts(data: bytes) -> list[_Part]:
    stop = len(data)
    if data == b".\r\n" or data.endswith(b"\r\n.\r\n"):
        stop -= 3
    blank = data.find(b"\r\n\r\n", 0, stop)
    header, body = (blank + 2, blank + 4) if blank >= 0 else (stop, stop)
    marks = [(0, "header"), (header, "empty-line"), (body, "body"), (stop, "lone-dot")]
    ends = [start for start, _ in marks[1:]] + [len(data)]
    return [
        (start, end, 1, name) for (start, name), end in zip(marks, ends, strict=True) if start < end
    ]


def _split_lines(data: bytes) -> list[bytes]:
    """Lines with their ends; only LF ends one."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _lines(data: bytes) -> list[str]:
    return [
        line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
        for line in _split_lines(data)
    ]


# --- how it looks ------------------------------------------------------------------------------


def _say(piece: Piece, language: str) -> str:
    return say(piece.meaning, language, printable) if piece.meaning else ""


def _without_empty(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value or key in ("start", "at")}


def _heading(piece: Piece, language: str, *, legs: bool, colour: bool) -> Iterator[str]:
    by = "client" if piece.to == "server" else "server"
    values: dict[str, str | int | Text] = {
        "at": f"{piece.at:.6f}",
        "by": Text(PARTIES[by]),
        "to": Text(PARTIES[piece.to]),
        "start": piece.start,
        "end": piece.end - 1,
    }
    head = say(Text(HEADING_TLS if piece.secure else HEADING, values), language)
    if legs:
        head = f"{say(LEGS[piece.link], language)}: {head}"
    yield ""
    yield _painted(head, _GREEN if piece.secure else _AMBER, colour)
    yield from textwrap.wrap(
        _say(piece, language), _WIDTH, initial_indent="  ", subsequent_indent="  "
    )
    for line in _lines(piece.plaintext):
        yield f"  {say(Text(INSIDE, {'line': printable(line)}), language)}".rstrip()


def _rows(piece: Piece, data: bytes, language: str, *, colour: bool) -> Iterator[str]:
    """The octets of `data`, beside or below a label."""
    shift = "  " * max(0, piece.depth - 1)
    told = piece.meaning is not None and "{value}" in piece.meaning.id
    name = piece.name if told else f"{piece.name} {printable(piece.value)}".rstrip()
    label = f"{name}  {_say(piece, language) if piece.depth else ''}".rstrip()
    room = _WIDTH - 8 - 3 * _SHORT - 1 - _SHORT - 2 - len(shift)
    beside = textwrap.wrap(label, max(room, 24), subsequent_indent="  ") or [""]
    if len(data) > _MANY:
        chunks: list[bytes] = []
        below = [data[i : i + _LONG] for i in range(0, len(data), _LONG)]
    else:
        chunks = [data[i : i + _SHORT] for i in range(0, len(data), _SHORT)]
        below = []
    offset = piece.start
    for row in range(max(len(chunks), len(beside))):
        chunk = chunks[row] if row < len(chunks) else b""
        where = f"{offset:6d}" if chunk or row == 0 else " " * 6
        text = beside[row] if row < len(beside) else ""
        octets = _painted(f"{chunk.hex(' '):<{3 * _SHORT}} {_ascii(chunk):<{_SHORT}}", _DIM, colour)
        yield f"{where}  {octets}  {shift}{text}".rstrip()
        offset += len(chunk)
    for chunk in below:
        octets = _painted(f"{chunk.hex(' '):<{3 * _LONG}} {_ascii(chunk)}", _DIM, colour)
        yield f"{offset:6d}  {octets}".rstrip()
        offset += len(chunk)


def _ascii(data: bytes) -> str:
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in data)


def _painted(text: str, colour: str, wanted: bool) -> str:
    return f"{colour}{text}{_PLAIN}" if wanted and text.strip() else text
