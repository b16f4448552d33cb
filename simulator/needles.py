"""Regular expressions that are tried only where their words are, and made when first tried.

Most patterns can match only a text that has one of a few words in it: `(?i)alert number 4[2346]`
needs `alert number 4`. To look for a word costs a fraction of trying the pattern, and few texts
have it. What a pattern needs is read off the pattern itself: nobody has to say it twice. To make a
pattern takes as long as a hundred such looks, so one that nothing is near is never made.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, AnyStr, cast

from simulator.compiled import data

SHORTEST = 2
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


class _Late:
    """A pattern that is made when it is first asked for something."""

    _METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        made: re.Pattern[Any] = re.compile(*self._given)
        # From now on it is as quick as the pattern itself.
        self.__dict__.update((method, getattr(made, method)) for method in self._METHODS)
        return getattr(made, name)


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, made when it is first used."""
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))


@cache
def words(pattern: str) -> Words:
    """Words, folded, of which each text that matches has one; none if there are no such words."""
    built = data().words.get(pattern)
    return read_off(pattern) if built is None else tuple(built)


def read_off(pattern: str) -> Words:
    """Those words, read off the pattern."""
    found = () if _VERBOSE.search(pattern) else _of(_tokens(pattern))
    return found if _worth(found) > NOTHING and len(found) <= MOST else ()


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, its `^` and `$` being the ends of a line."""
    return re.compile(pattern, re.MULTILINE)


class Needle:
    """A pattern, and the words of which each text that it matches has one."""

    __slots__ = ("pattern", "words")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = late(pattern, flags)
        self.words = words(pattern)

    def near(self, low: str) -> bool:
        """Whether a text, given as `folded` has it, may match."""
        for word in self.words:
            if word in low:
                return True
        return not self.words

    def search(self, text: str, low: str) -> re.Match[str] | None:
        """The first match in a text, which is also given as `folded` has it."""
        return self.pattern.search(text) if self.near(low) else None


@cache
def needle(pattern: str, flags: int = 0) -> Needle:
    """The pattern with its words."""
    return Needle(pattern, flags)


_FLAGS = re.compile(r"\(\?[aims]+\)")
_VERBOSE = re.compile(r"\(\?[a-z]*x[a-z]*[):]")
_CAPTURES = re.compile(r"\((?!\?)|\(\?P<")


@cache
def alternatives(pattern: str) -> Words:
    """The patterns of which a text matches one if it matches that pattern.

    It is alone where it captures what one of several would not. Each has the flags of the whole.
    """
    flags = _FLAGS.match(pattern)
    head = flags[0] if flags else ""
    tokens = list(_tokens(pattern))
    if _VERBOSE.search(pattern) or any(_CAPTURES.match(token) for token in tokens):
        return (pattern,)
    found, depth = [""], 0
    for token in tokens[1:] if head else tokens:
        depth += _opens(token) - (token == ")")
        if token == "|" and not depth:
            found.append("")
        else:
            found[-1] += token
    return tuple(head + one for one in found)


class Needles:
    """Patterns in the order in which they are tried, each only where its words are."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self.patterns = tuple(needle.pattern for needle in needles)
        self._words = [(word, n) for n, needle in enumerate(needles) for word in needle.words]
        self._always = {n for n, needle in enumerate(needles) if not needle.words}
        self._order = tuple(sorted(self._always))

    def search(self, text: str, low: str) -> tuple[int, re.Match[str]] | None:
        """The number of the first pattern that matches, and its match; `low` as in `Needle`."""
        for n in self.near(low):
            match = self.patterns[n].search(text)
            if match is not None:
                return n, match
        return None

    def near(self, low: str) -> Sequence[int]:
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


# What a pattern needs -------------------------------------------------------------------------

_TOKEN = re.compile(
    r"[\w !\"#%&',/:;<=>@`~-]+"  # letters
    r"|\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d{1,3}|.)"  # a letter, or a kind of letter
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # one of several
    r"|(?:[*+?]|\{\d*,?\d*\})[+?]?"  # how often
    r"|\(\?(?:[aimsLux]+\)|#[^)]*\)|P=\w+\))"  # no group at all
    r"|\(\?(?:P<\w+>|<?[=!]|\(\w+\)|[aimsLux-]*:|>)"  # a group
    r"|.",
    re.ASCII | re.DOTALL,
)

_UNSURE = ("(?=", "(?!", "(?<", "(?(")
"""How a group begins that is no part of what matches, or whose branches hang on another group."""


def _tokens(pattern: str) -> Iterator[str]:
    """The pieces that a pattern is written in."""
    return iter(_TOKEN.findall(pattern))


def _opens(token: str) -> bool:
    return token.startswith("(?(") or (token[0] == "(" and token[-1] != ")")


def _of(tokens: Iterator[str]) -> Words:
    """The words that a pattern needs, or a group, up to its closing bracket: of each branch those
    of its piece that is the rarest."""
    branches: list[Words] = []
    pieces: list[Words] = []
    run = ""
    for token in tokens:
        first = token[0]
        if first in _LETTERS:
            run += token
        elif first == "\\" and token[1] in _THEMSELVES:
            run += token[1]
        elif first in "*+?{" and token != "{":
            optional = first in "*?" or token.startswith(("{0", "{,"))
            if run:
                pieces.append(((run[:-1] if optional else run).lower(),))
                run = ""
            elif optional:
                pieces[-1] = ()
        else:
            if run:
                pieces.append((run.lower(),))
                run = ""
            if first in "|)":
                branches.append(max(pieces, key=_worth, default=()))
                pieces = []
                if first == ")":
                    break
            elif first == "(" and _opens(token):
                inside = _of(tokens)
                pieces.append(() if token.startswith(_UNSURE) else inside)
            else:
                pieces.append(())
    else:
        branches.append(max([*pieces, (run.lower(),)], key=_worth))
    return (
        tuple(dict.fromkeys(word for words in branches for word in words)) if all(branches) else ()
    )


_LETTERS = frozenset(string.ascii_letters + string.digits + "_ !\"#%&',/:;<=>@`~-")
_THEMSELVES = frozenset(string.punctuation + string.whitespace)
"""What stands for itself behind a backslash."""


def _worth(words: Words) -> tuple[int, int]:
    """Long words are rarer than short ones, and few are found sooner."""
    shortest = len(words[0]) if len(words) == 1 else min(map(len, words), default=0)
    return (min(shortest, 8), -len(words)) if shortest >= SHORTEST else NOTHING
