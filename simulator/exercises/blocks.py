"""What an exercise puts before a learner: its question, and what came of an answer.

Both are made of a few kinds of block, so that a notebook and a terminal show the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from simulator.explainer import Explanation


class Say(msgspec.Struct, frozen=True):
    """A paragraph in the learner's language. Values may come from a stranger."""

    text: str
    values: Mapping[str, str | int] = {}


class Code(msgspec.Struct, frozen=True):
    """Text as it stands in a file or on the wire."""

    text: str


class Items(msgspec.Struct, frozen=True):
    """Things to choose from or to put in order, each with its letter."""

    rows: tuple[tuple[str, str], ...]


class Steps(msgspec.Struct, frozen=True):
    """Steps of a session, by index; `marked` are those to look at."""

    explanation: Explanation
    indices: tuple[int, ...]
    marked: frozenset[int] = frozenset()
    notes: bool = False


Block = Say | Code | Items | Steps


class Trials(msgspec.Struct, frozen=True):
    """What was tried, and whether it went well."""

    rows: tuple[tuple[str, bool], ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an answer. `understood` is false for what is no answer at all.

    `played` is the session that the answer had.
    """

    right: bool
    understood: bool = True
    blocks: tuple[Block | Trials, ...] = ()
    played: Explanation | None = None
