"""What restoring gives: the log, every repair with its reason, and what was left as it was."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from simulator.language import Text


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """One change: at `line` of the input (from 1), `found` became `restored`, for this reason.

    Texts are raw, as they stand in the log. `kind` is one of `date`, `word`, `verb`, `path`,
    `keyword`, `parameter`, `mechanism`, `reply`, `quote`, `punctuation`, `entity`, `space`.
    """

    line: int
    found: str
    restored: str
    reason: Text
    kind: str


class Unknown(NamedTuple):
    """Something left as it is at `line` of the input (from 1): its raw text, and why."""

    line: int
    text: str
    why: Text


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """A restored log, and what was done to it. Line numbers are those of the input, from 1.

    `language`: the lexicon that explains the log, `en` where none was needed, None if undecided.
    `left_out`: lines of a page around the log. `cut`: lines that break off; they stay open.
    """

    text: str
    repairs: tuple[Repair, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    language: str | None = None
    left_out: tuple[int, ...] = ()
    cut: tuple[int, ...] = ()
