"""What translation makes of the words of a log, read from `simulator/lexicons/`.

A lexicon is one TOML file for each language: originals, their translations, examples. Here it is
checked, and asked: which originals may this phrase have? Is this the date of a log line?
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from simulator import toml
from simulator.language import Told
from simulator.needles import late
from simulator.smtp import VERBS


class LexiconError(Told, ValueError):
    """A lexicon cannot be read, or there is none of that name."""


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A translated log, and what it was: the lexicon's own test."""

    found: str
    restored: str


class Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the language writes a date: order of a numeric one, and the words between its parts."""

    order: str
    fillers: list[str] = []
    am: list[str] = []
    pm: list[str] = []


Table = dict[str, list[str]]


class LexiconFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lexicon as it is written: each table maps an original to its translations."""

    name: str
    date: Dates
    words: Table = {}
    months: Table = {}
    weekdays: Table = {}
    verbs: Table = {}
    paths: Table = {}
    keywords: Table = {}
    parameters: Table = {}
    mechanisms: Table = {}
    replies: Table = {}
    vocabulary: list[str] = []
    examples: list[Example] = []


SOURCE = "en"
"""The lexicon of what was never translated: it knows every original."""

LONGEST = 512
"""No phrase is longer than this many characters: longer ones are not looked up."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS = ("Critical", "Warning", "Info", "Debug", "Trace")
DIRECTIONS = ("Sent", "Rcvd", "Sent to", "Rcvd from")
_ORIGINALS: dict[str, frozenset[str]] = {
    "words": frozenset((*LEVELS, *DIRECTIONS)),
    "months": frozenset(MONTHS),
    "weekdays": frozenset(WEEKDAYS),
    "verbs": frozenset((*VERBS, "MAIL FROM", "RCPT TO")),
    "paths": frozenset(("FROM", "TO")),
}
_TABLES = (*_ORIGINALS, "keywords", "parameters", "mechanisms", "replies")

# Scripts that write no spaces between words: there a word may end anywhere.
UNSPACED = late(r"[぀-ヿ㐀-鿿豈-﫿가-힣]")
_SAME = str.maketrans({"’": "'", "‘": "'", "–": "-", "‑": "-", "‐": "-"})


def key_of(phrase: str) -> str:
    """The form under which a phrase is looked up: no case, no width, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", phrase).casefold().translate(_SAME).split())


def _any_of(words: Iterable[str]) -> str:
    parts = []
    for word in sorted(set(words), key=len, reverse=True):
        part = re.escape(unicodedata.normalize("NFC", word))
        if not UNSPACED.search(word):
            part = rf"(?<![^\W\d_]){part}(?![^\W\d_])"
        parts.append(part)
    return "|".join(parts) or r"(?!)"


class Lexicon:
    """A lexicon ready for use. `find` gives the originals that a translated phrase may have."""

    def __init__(self, code: str, source: LexiconFile) -> None:
        self.code = code
        self.name = source.name
        self.order = source.date.order
        self.examples = tuple(source.examples)
        self.vocabulary = frozenset(map(key_of, source.vocabulary))
        self._am = frozenset(map(key_of, source.date.am))
        self._pm = frozenset(map(key_of, source.date.pm))
        self._tables: dict[str, dict[str, tuple[str, ...]]] = {}
        self._forms: list[tuple[re.Pattern[str], str]] = []
        for table in _TABLES:
            found: dict[str, tuple[str, ...]] = {}
            for original, translations in getattr(source, table).items():
                for phrase in translations:
                    if "{" in phrase:
                        self._forms.append((_form(phrase), original))
                        continue
                    key = key_of(phrase)
                    found[key] = tuple(dict.fromkeys((*found.get(key, ()), original)))
                if code == SOURCE:
                    found.setdefault(key_of(original), (original,))
            self._tables[table] = found
        self._originals = {table: frozenset(getattr(source, table)) for table in _TABLES}
        self.spoken = frozenset(
            unicodedata.normalize("NFC", word)
            for table in (source.words, source.months, source.weekdays)
            for original, translations in table.items()
            for word in (original, *translations)
        )
        spoken = {*self.spoken, *source.date.fillers, *source.date.am, *source.date.pm}
        if code != SOURCE:
            spoken |= english().spoken
        self._fillers = frozenset(map(key_of, source.date.fillers))
        self._token = re.compile(
            rf"(?P<word>{_any_of(spoken)})"
            r"|(?P<time>\d{1,2}\s?[:：]\s?\d{2}\s?[:：]\s?\d{2})(?!\d)"
            r"|(?P<numeric>\d{1,4}([./-])\s?\d{1,2}\4\s?\d{1,4})(?!\d)"
            r"|(?P<number>\d{1,4})(?!\d)"
            r"|(?P<gap>[\s.,，、。·()（）|]+)",
            re.IGNORECASE,
        )

    def originals(self, table: str) -> frozenset[str]:
        """Every original that `table` gives translations for."""
        return self._originals[table]

    def keys(self, table: str) -> Iterable[str]:
        """Every phrase that `table` knows, as looked up."""
        return self._tables[table].keys()

    def find(self, table: str, phrase: str) -> tuple[str, ...]:
        """The originals of `phrase` in `table`, none if it is not known."""
        if len(phrase) > LONGEST:
            return ()
        found = self._tables[table].get(key_of(phrase), ())
        if not found and table == "replies":
            for form, original in self._forms:
                match = form.fullmatch(" ".join(phrase.split()))
                if match:
                    return (_fill(original, match.groups()),)
        return found

    def head(self, text: str) -> Head | None:
        """Read `text` as a date and a level (the head of an ESA's log line); None if it is not."""
        text = unicodedata.normalize("NFC", text)
        for first in ("weekday", "month"):  # French "mar." is both: mardi, mars
            found = self._read_head(text, first)
            if found:
                return found
        return None

    def _read_head(self, text: str, first: str) -> Head | None:
        found: dict[str, str] = {}
        numbers: list[int] = []
        place, ends, level = 0, 0, ""
        while place < len(text):
            token = self._token.match(text, place)
            if not token or (level and token.lastgroup != "gap"):
                return None
            kind, said = token.lastgroup or "", token.group()
            place = token.end()
            if kind == "gap":
                continue
            if kind == "word":
                kind, said = self._meaning(said, first, found)
            if kind == "level":
                level = said
                continue
            ends = place
            if kind == "number":
                numbers.append(int(said))
            elif kind != "filler":
                if kind in found:
                    return None
                found[kind] = said
        if not ends:
            return Head("", "", level, no_weekday=False) if level else None
        date = self._date(found, numbers)
        return Head(text[:ends].strip(), date, level, "weekday" not in found) if date else None

    def _meaning(self, said: str, first: str, found: dict[str, str]) -> tuple[str, str]:
        """What a word of the head is, and its original."""
        second = "month" if first == "weekday" else "weekday"
        for lexicon in (self, english() if self.code != SOURCE else self):
            for kind in (first, second):
                originals = lexicon.find(f"{kind}s", said)
                if len(originals) == 1 and kind not in found:
                    return kind, originals[0]
            originals = lexicon.find("words", said)
            if len(originals) == 1 and originals[0] in LEVELS:
                return "level", said
        key = key_of(said)
        if key in self._am or key in self._pm:
            return "half", "pm" if key in self._pm else "am"
        return ("filler" if key in self._fillers else "other"), said

    def _date(self, found: dict[str, str], numbers: list[int]) -> str:
        """The date as the ESA writes it; empty if it is not whole."""
        month = MONTHS.index(found["month"]) + 1 if "month" in found else 0
        if "time" not in found or "other" in found:
            return ""
        if "numeric" in found:
            if month or numbers:
                return ""
            parts = [int(part) for part in re.split(r"[./-]", found["numeric"])]
            order = "ymd" if parts[0] > 31 else self.order.replace("y", "") + "y"
            year, month, day = (parts[order.index(part)] for part in "ymd")
        else:
            years = [number for number in numbers if number > 31]
            days = [number for number in numbers if number <= 31]
            if not month or len(years) != 1 or len(days) != 1:
                return ""
            year, day = years[0], days[0]
        hour, minute, second = (int(part) for part in re.split(r"\s?[:：]\s?", found["time"]))
        if "half" in found and 1 <= hour <= 12:
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        if not 1 <= month <= 12 or year < 1000:
            return ""
        weekday = found.get("weekday") or weekday_of(year, month, day)
        clock = f"{hour:02d}:{minute:02d}:{second:02d}"
        return f"{weekday} {MONTHS[month - 1]} {day:2d} {clock} {year}" if weekday else ""


class Head(NamedTuple):
    """The head of a log line: the date as found and as the ESA writes it, the word for the level.

    `date` and `found` are empty if there is no date. `no_weekday`: it was missing, and is added.
    """

    found: str
    date: str
    level: str
    no_weekday: bool


def _form(phrase: str) -> re.Pattern[str]:
    """A reply with holes, such as `{0} at your service`: each hole is one word."""
    parts = re.split(r"\{\d\}", phrase)
    return re.compile(r"(\S{1,255})".join(map(re.escape, parts)), re.IGNORECASE)


def _fill(original: str, words: tuple[str, ...]) -> str:
    return re.sub(r"\{(\d)\}", lambda hole: words[int(hole[1])], original)


def weekday_of(year: int, month: int, day: int) -> str:
    """The weekday as the ESA writes it; empty if there is no such date."""
    try:
        return WEEKDAYS[datetime.date(year, month, day).weekday()]
    except ValueError:
        return ""


def read_lexicon(source: bytes | str, code: str) -> Lexicon:
    """Read a lexicon from the text of its TOML file.

    Raises `LexiconError`, in one line that names the lexicon and the place.
    """
    where = f"lexicon {code}"
    file = toml.File(source, where, LexiconError).read(LexiconFile)
    if sorted(file.date.order) != sorted("dmy"):
        raise LexiconError(
            f"{where}: [date] order is {file.date.order!r}: use d, m and y once each"
        )
    for table in _TABLES:
        allowed = _ORIGINALS.get(table)
        if allowed is None and table in ("keywords", "mechanisms") and code != SOURCE:
            allowed = english().originals(table)
        for original, translations in getattr(file, table).items():
            if allowed is not None and original not in allowed:
                known = ", ".join(sorted(allowed))
                raise LexiconError(f"{where}: [{table}] {original!r} is not one of {known}")
            for phrase in translations:
                if not key_of(phrase):
                    raise LexiconError(f"{where}: [{table}] {original!r} has an empty translation")
                holes = re.findall(r"\{.*?\}", phrase)
                if holes != [f"{{{n}}}" for n in range(len(holes))] or (
                    holes
                    and (table != "replies" or sorted(re.findall(r"\{.*?\}", original)) != holes)
                ):
                    raise LexiconError(f"{where}: [{table}] {phrase!r}: the holes do not match")
    return Lexicon(code, file)


def schema() -> dict[str, object]:
    """The JSON Schema of a lexicon, for editors."""
    return toml.schema(LexiconFile, "ehlo-twice lexicon")


@cache
def english() -> Lexicon:
    """The lexicon of the originals."""
    return read_lexicon((files("simulator") / "lexicons" / f"{SOURCE}.toml").read_bytes(), SOURCE)


@cache
def lexicons() -> dict[str, Lexicon]:
    """Every lexicon of the package by its code, such as `pt_BR`; `en` first."""
    found = {SOURCE: english()}
    for entry in sorted((files("simulator") / "lexicons").iterdir(), key=lambda entry: entry.name):
        code, _, kind = entry.name.partition(".")
        if kind == "toml" and code != SOURCE:
            found[code] = read_lexicon(entry.read_bytes(), code)
    return found
