"""What names a secret and what one looks like: `secrets.toml`, as expressions to look for.

Everything here is built once, when it is first wanted.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib.resources import files

import msgspec

from simulator import smtp, toml
from simulator.needles import late

MASK = "********"

SMTP_WORDS = frozenset(smtp.VERBS) | frozenset(
    (
        "PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
        "DELIVERBY", "BINARYMIME", "REQUIRETLS", "LIMITS", "OK", "READY",
    )
)  # fmt: skip
"""Words that stand alone on a line although AUTH was said before."""


class Names(msgspec.Struct, frozen=True):
    """Words that name a secret, and how freely they may stand."""

    of: str
    anywhere: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    said: bool = False


class Shape(msgspec.Struct, frozen=True):
    """What tells a secret by its form: `find` is tried where one of `has` stands in a line; that of
    a `row` also where one begins within the line, behind whatever a log writes before it."""

    of: str
    has: tuple[str, ...]
    find: str
    row: bool = False
    examples: tuple[str, ...] = ()


class NotSecret(msgspec.Struct, frozen=True):
    """What follows a word that does not name a secret after all."""

    endings: tuple[str, ...]
    words: tuple[str, ...]


class Lines(msgspec.Struct, frozen=True):
    """Examples that belong to no shape."""

    lines: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """All of `secrets.toml`."""

    mechanisms: tuple[str, ...]
    prompts: tuple[str, ...]
    plain_words: tuple[str, ...]
    names: tuple[Names, ...]
    not_secret: NotSecret
    shapes: tuple[Shape, ...]
    keeps: tuple[Lines, ...]
    masks: tuple[Lines, ...]


@functools.cache
def table() -> Table:
    """What names a secret, and what one looks like."""
    text = (files("simulator.masking") / "secrets.toml").read_bytes()
    return toml.read(text, Table, "secrets.toml")


def _lenient(word: str) -> str:
    """The expression for a word, whose letters with an accent may come apart, or without one."""
    out = []
    for char in word:
        bare = unicodedata.normalize("NFD", char)
        latin = len(bare) > 1 and bare[0].isascii()
        out.append(f"(?:{char}|{bare}|{bare[0]})" if latin else char)
    return "".join(out)


_START = r"(?:(?<![^\W\d_])|(?<=[a-z])(?=[A-Z]))"
_END = r"(?:(?![^\W\d_])|(?<=[a-z])(?=[A-Z]))"
_GLUED = r"(?<!by)(?<!com)(?<!sur)(?<!tres)(?<!im)(?<!over)(?<!under)"


def _either(words: list[str]) -> str:
    return "|".join(_lenient(word) for word in sorted(words, key=len, reverse=True))


@functools.cache
def name() -> re.Pattern[str]:
    """A word that names a secret: group `p` a password, `k` something else."""
    parts = []
    for group, said in (("p", True), ("k", False)):
        chosen = [names for names in table().names if names.said is said]
        free = _either([word for names in chosen for word in names.anywhere])
        apart = _either([word for names in chosen for word in names.apart])
        glued = (
            rf"|(?<=\w){_GLUED}(?:(?i:pass|pwd)|(?<=[A-Z])PW|(?<=[a-z])Pw){_END}" if said else ""
        )
        parts.append(rf"(?P<{group}>(?i:{free})|{_START}(?i:{apart}){_END}{glued})")
    return re.compile("|".join(parts))


@functools.cache
def hints() -> tuple[str, ...]:
    """What a text holds, in lower case, if it names a secret: a part of each word, cheap to find."""
    found = set()
    for names in table().names:
        for word in (*names.anywhere, *names.apart):
            for part in _literals(word):
                found |= {form.lower() for form in _spellings(part)}
    return tuple(sorted(found))


_EVERYWHERE = ("connection",)
"""What many lines of a mail log have, so that it is no hint where there is another."""


def _literals(word: str) -> list[str]:
    """A part that every text has which an expression matches; one of several, where it chooses."""
    plain, inner = word, word
    while plain != (plain := re.sub(r"\((?:\?[:=])[^()]*\)\??", "\0", plain)):
        pass
    plain = re.sub(r"\[[^\]]*\]\??|.\?", "\0", plain)
    parts = [part for part in re.split(r"[\0\\]", plain) if part.strip()]
    if parts:
        return [max(parts, key=lambda part: (part not in _EVERYWHERE, len(part)))]
    inner = re.findall(r"\(\?:([^()]*)\)", word)[-1]
    return [part for one in inner.split("|") for part in _literals(one)]


def _spellings(text: str) -> set[str]:
    """A text with its accents composed, apart and left out."""
    apart = unicodedata.normalize("NFD", text)
    bare = "".join(c for c in apart if not unicodedata.combining(c) or not apart[0].isascii())
    return {text, apart, apart.replace("\u0307", ""), bare if bare.isascii() else text}


Shapes = tuple[tuple[tuple[str, ...], re.Pattern[str], tuple[str, ...]], ...]

_SECRET = late(r"\(\?P<(s\w*)>")


@functools.cache
def shapes() -> Shapes:
    """The forms of secrets: what a line holds that has one, in lower case, its expression, and the
    names of the groups that are secrets."""
    return tuple(
        (shape.has, late(shape.find), tuple(_SECRET.findall(shape.find)))
        for shape in table().shapes
    )


@functools.cache
def rows() -> Shapes:
    """Those of them that are the row of a table."""
    return tuple(one for one, shape in zip(shapes(), table().shapes, strict=True) if shape.row)


@functools.cache
def signs() -> tuple[str, ...]:
    """What some form of a secret has, each once."""
    return tuple(dict.fromkeys(sign for has, _, _ in shapes() for sign in has))


@functools.lru_cache(maxsize=4096)
def shapes_with(here: frozenset[str]) -> Shapes:
    """The forms that a text may hold which has those signs, each with the signs that are there."""
    return tuple(
        (there, pattern, groups)
        for has, pattern, groups in shapes()
        if (there := tuple(sign for sign in has if sign in here))
    )


@functools.cache
def stop() -> frozenset[str]:
    """Words that go on with a sentence, so that they are no password."""
    return frozenset(table().not_secret.words)


@functools.cache
def not_secret() -> re.Pattern[str]:
    """What follows a name and takes its meaning from it, as in `password_maps`."""
    endings = "|".join(sorted(table().not_secret.endings, key=len, reverse=True))
    return re.compile(
        rf"[._-]?(?:{endings})(?![a-z])|(?:{'|'.join(e.title() for e in table().not_secret.endings)})"
        r"(?![a-z])|[ -](?:maps|file|path|policy|mechanisms?|authenticat\w+|based)\b",
    )


@functools.cache
def mechanisms() -> frozenset[str]:
    """SASL mechanisms, of IANA's registry and as logs have them, in capital letters."""
    return frozenset(table().mechanisms)


@functools.cache
def prompts() -> frozenset[bytes]:
    """What a server asks for in AUTH LOGIN, in lower case."""
    return frozenset(word.encode() for word in table().prompts)


@functools.cache
def plain_words() -> frozenset[str]:
    """Words, in lower case, that are in every log, and would be masked all over it as a secret."""
    return frozenset(table().plain_words) | {word.lower() for word in (*smtp.VERBS, *mechanisms())}
