"""The words by which a bounce is known, and its parts and commands are told: `bounces.toml`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from simulator import toml
from simulator.needles import Needle, late, needle

LONGEST = 4000
"""Characters of a line, or of a paragraph, that patterns see."""
FIELD_SET = late(
    r"(?im)^[>\s]{0,8}(?:final|original)-recipient\s?:.*\n(?:.*\n){0,8}?[>\s]{0,8}(?:action|status)\s?:"
    r"|^[>\s]{0,8}(?:action|status)\s?:.*\n(?:.*\n){0,8}?[>\s]{0,8}final-recipient\s?:"
)
"""The fields about a recipient (RFC 3464 §2.3), in a text of many lines."""


class _Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verb: str
    pattern: str


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    begins: list[str]
    original: list[str]
    said: list[str]
    stage: list[_Stage]


class _Patterns(NamedTuple):
    begins: tuple[Needle, ...]
    original: re.Pattern[str]
    said: re.Pattern[str]
    stages: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def patterns() -> _Patterns:
    """The words, as patterns."""
    text = (files("simulator.reading") / "bounces.toml").read_bytes()
    words = toml.read(text, _Words, "bounces.toml")
    return _Patterns(
        begins=tuple(needle(p, re.IGNORECASE) for p in words.begins),
        original=late("|".join(words.original), re.IGNORECASE),
        said=late("|".join(f"(?:{p})" for p in words.said), re.IGNORECASE),
        stages=tuple((s.verb, late(s.pattern, re.IGNORECASE)) for s in words.stage),
    )
