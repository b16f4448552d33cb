"""What this program wrote itself: a session, an explanation or a comparison with sessions in it, or
JSON Lines of them.

They are read back without loss, and explained anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from simulator.language import N_, Text
from simulator.needles import late
from simulator.reading.clean import CannotRead
from simulator.session import NotASession, Session, from_json

LARGEST = 1 << 28
"""Octets of a document that is read."""

_MARK = late(rb'"format"\s*:\s*"ehlo-twice/(session|explanation|comparison)"')


class _Entry(msgspec.Struct):
    session: Session


class _Explanation(msgspec.Struct):
    format: Literal["ehlo-twice/explanation"]
    version: Literal[1, 2]
    sessions: tuple[_Entry, ...]


class _Comparison(msgspec.Struct):
    format: Literal["ehlo-twice/comparison"]
    version: Literal[1, 2]
    explanations: _Explanation


def is_own(head: bytes) -> bool:
    """Whether a file that begins so was written by this program as JSON."""
    return head.lstrip()[:1] == b"{" and _MARK.search(head) is not None


def read(pieces: Iterable[bytes]) -> Iterator[Session]:
    """The sessions of a document, or of one on each line. Raises `CannotRead`, which says where it
    is wrong."""
    documents = _documents(pieces)
    yield from _sessions(next(documents))
    for number, text in enumerate(documents, 2):
        try:
            yield from _sessions(text)
        except CannotRead as error:
            why = Text(N_("document {number} {why}"), {"number": number, "why": error.why})
            raise CannotRead(why) from None


def _documents(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each document whole: lines, if the first of them is one, else all there is."""
    lines = _lines(pieces)
    first = next(lines, b"")
    second = next(lines, None)
    if second is not None and _is_whole(first):
        yield from itertools.chain((first, second), lines)
        return
    parts = [first, second or b""]
    size = sum(map(len, parts))
    for line in lines:
        size += len(line)
        if size > LARGEST:
            raise _too_large()
        parts.append(line)
    yield b"".join(parts)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that are not blank."""
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        head, end, rest = piece.partition(b"\n")
        begun.append(head + end)
        size += len(head)
        if size > LARGEST:
            raise _too_large()
        if end:
            *lines, last = [b"".join(begun), *rest.split(b"\n")]
            yield from (line for line in lines if line.strip())
            begun, size = [last], len(last)
    last = b"".join(begun)
    if last.strip():
        yield last


def _too_large() -> CannotRead:
    text = N_("is a document of more than {size} MiB")
    return CannotRead(Text(text, {"size": LARGEST >> 20}))


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _sessions(text: bytes) -> Iterator[Session]:
    mark = _MARK.search(text)
    kind = mark[1].decode() if mark else ""
    try:
        match kind:
            case "explanation":
                found = msgspec.json.decode(text, type=_Explanation).sessions
            case "comparison":
                found = msgspec.json.decode(text, type=_Comparison).explanations.sessions
            case _:
                yield from_json(text)
                return
    except NotASession as error:
        why = {"why": str(error).removeprefix("not a session: ")}
        raise CannotRead(Text(N_("is not a session: {why}"), why)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = {"kind": kind, "why": str(error)}
        raise CannotRead(Text(N_("is no {kind} of this program: {why}"), why)) from None
    for entry in found:
        yield entry.session
