"""Every octet of a session, and what it means: SMTP lines down to the hyphen behind a reply code,
TLS records down to the fields of handshake messages.

`describe` says it as data, `render` as an annotated dump for a terminal, `as_data` for the page
that shows it under the mouse.
"""

from __future__ import annotations

import bisect
import functools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from simulator import tls
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.session import Handshake, Link, Session, Side
from simulator.views import wire_words as words
from simulator.views.claims import (
    SIDES,
    Claim,
    Region,
    Stream,
    all_streams,
    claims,
    is_text,
    links,
    recorded,
    regions,
)
from simulator.views.inert import printable
from simulator.views.smtp_parts import command_parts, parts_of, reply_parts, text_lines
from simulator.views.view import Page, View, one_by_one


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


def describe(explanation: Explanation) -> tuple[Piece, ...]:
    """All pieces of a session, in the order in which they crossed the wire.

    Raises `NothingOnTheWire` for a session that was read from a log.
    """
    session = recorded(explanation.session)
    streams = all_streams(session)
    known = claims(session)
    clock = _Clock(session)
    units: list[tuple[int, int, list[Piece]]] = []
    for link in links(session):
        stretches = {to: regions(session, streams[link, to], known[link, to]) for to in SIDES}
        began = next((r.start for r in stretches["client"] if r.kind == "tls"), None)
        agreed = tls.agreement(streams[link, "client"], began) if began is not None else None
        for to in SIDES:
            stream = _Reader(explanation, link, to, streams[link, to], known[link, to], agreed)
            for region in stretches[to]:
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
    streams = all_streams(session)
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
            "inside": [printable(line) for line in text_lines(piece.plaintext)],
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
    streams = all_streams(explanation.session)
    pieces = describe(explanation)
    if not pieces:
        return say(N_("No byte crossed the wire."), language) + "\n"
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
        self._failed = _failed_handshake(explanation.session)
        self._certificate_told = False

    def units(self, region: Region) -> Iterator[list[Piece]]:
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

    def _text(self, region: Region, index: int) -> list[Piece]:
        step = self._explanation.steps[index]
        data = self._stream[region.start : region.end]
        lines = text_lines(data)
        events = self._events(region.start, region.end)
        whole = Piece(
            link=self._link,
            to=self._to,
            start=region.start,
            end=region.end,
            at=0.0,
            events=events,
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
                events=events,
            )
            for start, end, depth, name in parts_of(step.event, data, after_ehlo)
        ]
        return [whole, *parts]

    def _unclaimed(self, region: Region) -> list[Piece]:
        """Text, most likely, that one side sent and the other never read as text."""
        data = self._stream[region.start : region.end]
        whole = self._piece(region.start, region.end, 0, "unknown", words.SMTP)
        if self._to == "client" and self._failed is not None and self._instead_of_tls():
            meaning = Text(words.INSTEAD_OF_TLS)
            whole = msgspec.structs.replace(whole, events=(self._failed,), meaning=meaning)
        parts = []
        if data[:1].isalnum():
            read = reply_parts(data, False) if self._to == "client" else command_parts(data)
            parts = [
                msgspec.structs.replace(
                    self._piece(region.start + start, region.start + end, depth, name, words.SMTP),
                    events=whole.events,
                )
                for start, end, depth, name in read
            ]
        return [whole, *parts]

    def _instead_of_tls(self) -> bool:
        return any(
            isinstance(step.event, Handshake) and step.event.error == "not-tls"
            for step in self._explanation.steps
        )

    def _records(self, region: Region) -> Iterator[list[Piece]]:
        found = tls.fields(self._stream, region.start, region.end, self._agreed)
        begins = [place for place, field in enumerate(found) if field.depth == 0]
        for first, beyond in zip(begins, [*begins[1:], len(found)], strict=True):
            record, parts = found[first], found[first + 1 : beyond]
            secure = any(part.name == "ciphertext" for part in parts)
            events = self._events(record.start, record.end)
            if not events and self._failed is not None:
                # What the client had not read yet when the handshake failed.
                events = (self._failed,)
            yield [
                self._record(record, parts, events, secure),
                *(
                    msgspec.structs.replace(self._part(part), events=events, secure=secure)
                    for part in parts
                ),
            ]

    def _events(self, start: int, end: int) -> tuple[int, ...]:
        return tuple(dict.fromkeys(c.event for c in self._known if c.start < end and start < c.end))

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
        if not steps:
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


def _failed_handshake(session: Session) -> int | None:
    """The handshake that did not come about, in a session in which none did."""
    errors = {i: e.error for i, e in enumerate(session.events) if isinstance(e, Handshake)}
    return max(errors) if errors and all(errors.values()) else None


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
        if is_text(event) or isinstance(event, Handshake):
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
    for line in text_lines(piece.plaintext):
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


def _on(explanation: Explanation, page: Page) -> str:
    return render(explanation, page.language, colour=page.colour)


VIEW = View(
    name="bytes",
    about=N_("every octet that crossed the wire, and what it means"),
    file="bytes.txt",
    render=_on,
    pieces=one_by_one(_on),
)
