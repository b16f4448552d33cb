"""Regular expressions that are tried only where their words are.

Most patterns can match only a text that has one of a few words in it: `(?i)alert number 4[2346]`
needs `alert number 4`. To look for a word costs a fraction of trying the pattern, and few texts
have it. What a pattern needs is read off its own parse tree: nobody has to say it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from re import _parser as parser
from typing import Any, NamedTuple

SHORTEST = 3
"""Letters of a word that is worth being looked for."""

MOST = 64
"""Words beyond which trying the pattern is as quick."""

NOTHING = (0, 0)
"""The worth of words that need not be there."""

Words = tuple[str, ...]

_ALIKE = str.maketrans({"İ": "i", "ı": "i", "ſ": "s"})
"""Letters that count as one of ASCII where case does not matter, and that `lower` leaves."""


def folded(text: str) -> str:
    """The text as words are looked for in it."""
    return text.lower() if text.isascii() else text.translate(_ALIKE).lower()


@cache
def words(pattern: str) -> Words:
    """Words, folded, of which each text that matches has one; none if there are no such words."""
    found = _of(parser.parse(pattern))
    return found if _worth(found) > NOTHING and len(found) <= MOST else ()


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, its `^` and `$` being the ends of a line."""
    return re.compile(pattern, re.MULTILINE)


class Needle(NamedTuple):
    """A pattern, and the words of which each text that it matches has one."""

    pattern: re.Pattern[str]
    words: Words

    def search(self, text: str, low: str) -> re.Match[str] | None:
        """The first match in a text, which is also given as `folded` has it."""
        for word in self.words:
            if word in low:
                break
        else:
            if self.words:
                return None
        return self.pattern.search(text)


@cache
def needle(pattern: str, flags: int = 0) -> Needle:
    """The pattern with its words."""
    return Needle(re.compile(pattern, flags), words(pattern))


_FLAGS = re.compile(r"\(\?[aims]+\)")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[(|)]", re.DOTALL)


@cache
def alternatives(pattern: str) -> Words:
    """The patterns of which a text matches one if it matches that pattern.

    It is alone where it captures what one of several would not. Each has the flags of the whole.
    """
    flags = _FLAGS.match(pattern)
    start = flags.end() if flags else 0
    whole = re.compile(pattern)
    if whole.groups or whole.flags & re.VERBOSE:
        return (pattern,)
    found, depth = [], 0
    for token in _TOKEN.finditer(pattern, start):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if token[0] == "|" and not depth:
            found.append(pattern[start : token.start()])
            start = token.end()
    head = flags[0] if flags else ""
    return tuple(head + one for one in (*found, pattern[start:]))


class Needles:
    """Patterns in the order in which they are tried, each only where its words are."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self.patterns = tuple(needle.pattern for needle in needles)
        self._words = [(word, n) for n, needle in enumerate(needles) for word in needle.words]
        self._always = {n for n, needle in enumerate(needles) if not needle.words}
        self._order = tuple(sorted(self._always))

    def search(self, text: str, low: str) -> tuple[int, re.Match[str]] | None:
        """The number of the first pattern that matches, and its match; `low` as in `Needle`."""
        for n in self._near(low):
            match = self.patterns[n].search(text)
            if match is not None:
                return n, match
        return None

    def _near(self, low: str) -> Iterable[int]:
        """The numbers of those whose words are there, in order."""
        near = [n for word, n in self._words if word in low]
        return sorted(self._always.union(near)) if near else self._order


@cache
def split(pattern: str, flags: int = 0) -> Needles:
    """The alternatives of a pattern, each with its own words."""
    return Needles([needle(one, flags) for one in alternatives(pattern)])


class Haystack:
    """A text in which many patterns are searched for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded = folded(text)

    def search(self, pattern: str) -> re.Match[str] | None:
        """The first match of the pattern, as `re` finds it."""
        return needle(pattern, re.MULTILINE).search(self.text, self._folded)


def _of(sequence: Iterable[tuple[Any, Any]]) -> Words:
    """The words that one part of a pattern needs: those of its piece that is the rarest."""
    found: list[Words] = []
    run = ""
    for kind, what in sequence:
        if kind is parser.LITERAL and what < 128:
            run += chr(what).lower()
            continue
        found.append((run,))
        run = ""
        found.append(_of_piece(kind, what))
    found.append((run,))
    return max(found, key=_worth)


def _of_piece(kind: object, what: Any) -> Words:
    match kind:
        case parser.SUBPATTERN:
            return _of(what[3])
        case parser.ATOMIC_GROUP:
            return _of(what)
        case parser.BRANCH:
            return _any(what[1])
        case parser.MAX_REPEAT | parser.MIN_REPEAT | parser.POSSESSIVE_REPEAT if what[0] > 0:
            return _of(what[2])
    return ()


def _any(branches: Sequence[Iterable[tuple[Any, Any]]]) -> Words:
    found = [_of(branch) for branch in branches]
    return tuple(dict.fromkeys(word for words in found for word in words)) if all(found) else ()


def _worth(words: Words) -> tuple[int, int]:
    """Long words are rarer than short ones, and few are found sooner."""
    shortest = min(map(len, words), default=0)
    return (min(shortest, 8), -len(words)) if shortest >= SHORTEST else NOTHING
