"""What this program wrote itself: a session, or an explanation or a comparison with sessions in it.

They are read back without loss, and explained anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from simulator.reading.clean import CannotRead
from simulator.session import NotASession, Session, from_json

NAME = "ehlo-twice"

LARGEST = 1 << 28
"""Octets of a document that is read."""

_MARK = re.compile(rb'"format"\s*:\s*"ehlo-twice/(session|explanation|comparison)"')


class _Entry(msgspec.Struct):
    session: Session


class _Explanation(msgspec.Struct):
    format: Literal["ehlo-twice/explanation"]
    version: Literal[1]
    sessions: tuple[_Entry, ...]


class _Comparison(msgspec.Struct):
    format: Literal["ehlo-twice/comparison"]
    version: Literal[1]
    explanations: _Explanation


def is_own(head: bytes) -> bool:
    """Whether a file that begins so was written by this program as JSON."""
    return head.lstrip()[:1] == b"{" and _MARK.search(head) is not None


def read(pieces: Iterable[bytes]) -> Iterator[Session]:
    """The sessions of a document. Raises `CannotRead`, which says where it is wrong."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST:
            raise CannotRead(f"is a document of more than {LARGEST >> 20} MiB")
        parts.append(piece)
    text = b"".join(parts)
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
        raise CannotRead(f"is {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CannotRead(f"is no {kind} of this program: {error}") from None
    for entry in found:
        yield entry.session
