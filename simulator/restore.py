"""What crossed the wire, out of a log that a translation machine went over.

Vendors' pages are machine-translated, logs and all: `CORREIO` stands where `MAIL` was sent. Here
such a log, or the page that holds it, is turned back, and every repair is listed with its reason.
What a translated word stands for is data: `lexicons/<language>.toml`, one file a language. A word
is only taken for a verb, a keyword or a month where one can stand; what is not known, or may stand
for two things, is left as it is and reported. Restoring what is restored changes nothing.
"""

from __future__ import annotations

import datetime
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from simulator.language import N_, Text
from simulator.smtp import VERBS

# What comes out ------------------------------------------------------------------------------


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


# The lexicons --------------------------------------------------------------------------------


class LexiconError(ValueError):
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

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LEVELS = ("Critical", "Warning", "Info", "Debug", "Trace")
_DIRECTIONS = ("Sent", "Rcvd", "Sent to", "Rcvd from")
_ORIGINALS: dict[str, frozenset[str]] = {
    "words": frozenset((*_LEVELS, *_DIRECTIONS)),
    "months": frozenset(_MONTHS),
    "weekdays": frozenset(_WEEKDAYS),
    "verbs": frozenset((*VERBS, "MAIL FROM", "RCPT TO")),
    "paths": frozenset(("FROM", "TO")),
}
_TABLES = (*_ORIGINALS, "keywords", "parameters", "mechanisms", "replies")

# Scripts that write no spaces between words: there a word may end anywhere.
_UNSPACED = re.compile(r"[぀-ヿ㐀-鿿豈-﫿가-힣]")
_SAME = str.maketrans({"’": "'", "‘": "'", "–": "-", "‑": "-", "‐": "-"})


def _key(phrase: str) -> str:
    """The form under which a phrase is looked up: no case, no width, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", phrase).casefold().translate(_SAME).split())


def _any_of(words: Iterable[str]) -> str:
    parts = []
    for word in sorted(set(words), key=len, reverse=True):
        part = re.escape(unicodedata.normalize("NFC", word))
        if not _UNSPACED.search(word):
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
        self.vocabulary = frozenset(map(_key, source.vocabulary))
        self._am = frozenset(map(_key, source.date.am))
        self._pm = frozenset(map(_key, source.date.pm))
        self._tables: dict[str, dict[str, tuple[str, ...]]] = {}
        self._forms: list[tuple[re.Pattern[str], str]] = []
        for table in _TABLES:
            found: dict[str, tuple[str, ...]] = {}
            for original, translations in getattr(source, table).items():
                for phrase in translations:
                    if "{" in phrase:
                        self._forms.append((_form(phrase), original))
                        continue
                    key = _key(phrase)
                    found[key] = tuple(dict.fromkeys((*found.get(key, ()), original)))
                if code == SOURCE:
                    found.setdefault(_key(original), (original,))
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
            spoken |= _source().spoken
        self._fillers = frozenset(map(_key, source.date.fillers))
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
        if len(phrase) > _LONGEST:
            return ()
        found = self._tables[table].get(_key(phrase), ())
        if not found and table == "replies":
            for form, original in self._forms:
                match = form.fullmatch(" ".join(phrase.split()))
                if match:
                    return (_fill(original, match.groups()),)
        return found

    def head(self, text: str) -> _Head | None:
        """Read `text` as a date and a level (the head of an ESA's log line); None if it is not."""
        text = unicodedata.normalize("NFC", text)
        for first in ("weekday", "month"):  # French "mar." is both: mardi, mars
            found = self._read_head(text, first)
            if found:
                return found
        return None

    def _read_head(self, text: str, first: str) -> _Head | None:
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
            return _Head("", "", level, "") if level else None
        date, problem = self._date(found, numbers)
        return _Head(text[:ends].strip(), date, level, problem) if date else None

    def _meaning(self, said: str, first: str, found: dict[str, str]) -> tuple[str, str]:
        """What a word of the head is, and its original."""
        second = "month" if first == "weekday" else "weekday"
        for lexicon in (self, _source() if self.code != SOURCE else self):
            for kind in (first, second):
                originals = lexicon.find(f"{kind}s", said)
                if len(originals) == 1 and kind not in found:
                    return kind, originals[0]
            originals = lexicon.find("words", said)
            if len(originals) == 1 and originals[0] in _LEVELS:
                return "level", said
        key = _key(said)
        if key in self._am or key in self._pm:
            return "half", "pm" if key in self._pm else "am"
        return ("filler" if key in self._fillers else "other"), said

    def _date(self, found: dict[str, str], numbers: list[int]) -> tuple[str, str]:
        """The date as the ESA writes it, and what is wrong with it; empty if it is not whole."""
        month = _MONTHS.index(found["month"]) + 1 if "month" in found else 0
        if "time" not in found or "other" in found:
            return "", ""
        if "numeric" in found:
            if month or numbers:
                return "", ""
            parts = [int(part) for part in re.split(r"[./-]", found["numeric"])]
            order = "ymd" if parts[0] > 31 else self.order.replace("y", "") + "y"
            year, month, day = (parts[order.index(part)] for part in "ymd")
        else:
            years = [number for number in numbers if number > 31]
            days = [number for number in numbers if number <= 31]
            if not month or len(years) != 1 or len(days) != 1:
                return "", ""
            year, day = years[0], days[0]
        hour, minute, second = (int(part) for part in re.split(r"\s?[:：]\s?", found["time"]))
        if "half" in found and 1 <= hour <= 12:
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        if not 1 <= month <= 12 or year < 1000:
            return "", ""
        weekday, problem = found.get("weekday", ""), ""
        if not weekday:
            weekday = _weekday(year, month, day)
            problem = "no weekday"
        date = (
            f"{weekday} {_MONTHS[month - 1]} {day:2d} {hour:02d}:{minute:02d}:{second:02d} {year}"
        )
        return (date, problem) if weekday else ("", "")


class _Head(NamedTuple):
    found: str
    date: str
    level: str
    problem: str


def _form(phrase: str) -> re.Pattern[str]:
    """A reply with holes, such as `{0} at your service`: each hole is one word."""
    parts = re.split(r"\{\d\}", phrase)
    return re.compile(r"(\S{1,255})".join(map(re.escape, parts)), re.IGNORECASE)


def _fill(original: str, words: tuple[str, ...]) -> str:
    return re.sub(r"\{(\d)\}", lambda hole: words[int(hole[1])], original)


def _weekday(year: int, month: int, day: int) -> str:
    try:
        return _WEEKDAYS[datetime.date(year, month, day).weekday()]
    except ValueError:
        return ""


def read_lexicon(source: bytes | str, code: str) -> Lexicon:
    """Read a lexicon from the text of its TOML file.

    Raises `LexiconError`, in one line that names the lexicon and the place.
    """
    where = f"lexicon {code}"
    try:
        file = msgspec.toml.decode(source, type=LexiconFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise LexiconError(f"{where}: {problem}") from None
    if sorted(file.date.order) != sorted("dmy"):
        raise LexiconError(
            f"{where}: [date] order is {file.date.order!r}: use d, m and y once each"
        )
    for table in _TABLES:
        allowed = _ORIGINALS.get(table)
        if allowed is None and table in ("keywords", "mechanisms") and code != SOURCE:
            allowed = _source().originals(table)
        for original, translations in getattr(file, table).items():
            if allowed is not None and original not in allowed:
                known = ", ".join(sorted(allowed))
                raise LexiconError(f"{where}: [{table}] {original!r} is not one of {known}")
            for phrase in translations:
                if not _key(phrase):
                    raise LexiconError(f"{where}: [{table}] {original!r} has an empty translation")
                holes = re.findall(r"\{.*?\}", phrase)
                if holes != [f"{{{n}}}" for n in range(len(holes))] or (
                    holes
                    and (table != "replies" or sorted(re.findall(r"\{.*?\}", original)) != holes)
                ):
                    raise LexiconError(f"{where}: [{table}] {phrase!r}: the holes do not match")
    return Lexicon(code, file)


@cache
def _source() -> Lexicon:
    return read_lexicon((files("simulator") / "lexicons" / f"{SOURCE}.toml").read_bytes(), SOURCE)


@cache
def lexicons() -> dict[str, Lexicon]:
    """Every lexicon of the package by its code, such as `pt_BR`; `en` first."""
    found = {SOURCE: _source()}
    for entry in sorted((files("simulator") / "lexicons").iterdir(), key=lambda entry: entry.name):
        code, _, kind = entry.name.partition(".")
        if kind == "toml" and code != SOURCE:
            found[code] = read_lexicon(entry.read_bytes(), code)
    return found


def _asked_for(language: str) -> Lexicon:
    code = language.replace("-", "_")
    found = [name for name in lexicons() if name.casefold() == code.casefold()]
    found = found or [name for name in lexicons() if name.partition("_")[0] == code.casefold()]
    if len(found) != 1:
        raise LexiconError(f"no lexicon {language!r}: there are {', '.join(lexicons())}")
    return lexicons()[found[0]]


# Where the log is ----------------------------------------------------------------------------


class _Line(NamedTuple):
    number: int
    text: str
    end: str


_QUOTES = "'\"`´“”„‟‘’‚‛«»‹›「」『』＂＇"
_OPENERS = {
    "”": "“„",
    "“": "„",
    "’": "‘‚",
    "‘": "‚",
    "»": "«",
    "«": "»",
    "›": "‹",
    "」": "「",
    "』": "『",
}
_COLON = r"[ \t]{0,3}[:：][ \t]{0,3}"
_TIME = re.compile(r"\d{1,2}\s?[:：]\s?\d{2}\s?[:：]\s?\d{2}")
_TIDY_HEAD = re.compile(
    rf"(?:{'|'.join(_WEEKDAYS)}) (?:{'|'.join(_MONTHS)}) [ 0-9]?[0-9] "
    rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} [0-9]{{4}}(?: (?:{'|'.join(_LEVELS)}))?"
)
_TIDY = re.compile(
    rf"(?P<head>{_TIDY_HEAD.pattern}): (?P<session>[0-9]+) (?:Sent|Rcvd)"
    r"(?: (?:to|from) '[0-9A-Fa-f.:]+')?: '(?!')(?P<payload>[^\n]*[^'\n])'[ \t\r]*"
)
_ESA = re.compile(
    rf"(?P<mark>[>|\s\ufeff]{{0,16}})(?P<head>[^\n]{{0,120}}?)(?<!\d)(?P<colon1>{_COLON})"
    rf"(?P<session>[0-9]{{1,20}})(?P<gap>\s{{0,3}})"
    rf"(?P<way>[^\d\s:：{_QUOTES}][^\d:：{_QUOTES}]{{0,40}}?)"
    rf"(?P<peer>\s{{0,3}}[{_QUOTES}]{{1,2}} ?[0-9A-Fa-f.:]{{2,45}} ?[{_QUOTES}]{{1,2}})?"
    rf"(?P<colon2>{_COLON})(?P<rest>[^\n]*)"
)
_ANY_COLON = re.compile("[:：]")
_HEAD = re.compile(r"(?P<mark>[>|\s\ufeff]{0,16})(?P<head>[^\n]*)")
_ARROW = r"(?:[~=*-]{0,3}[<>]{1,3}[~=*-]{0,3}|[SC]:)[ \t]{1,4}"
_WIRE = re.compile(rf"(?P<before>[\s\ufeff]{{0,40}}(?:{_ARROW})?[\"']?)(?P<payload>\S[^\n]*)")
_REPLY = re.compile(r"(?P<code>[2-5][0-5][0-9])(?P<mark>[ –—‐‑-]?)(?P<text>[^\n]*)")
_SURE = re.compile(
    r"(?:(?:EHLO|HELO|LHLO|AUTH|BDAT|VRFY|EXPN|ETRN) +[^\s]+(?: [^\s]+)?"
    r"|(?:MAIL|RCPT) +[^\s:：<>]{1,20} ?[:：].*|STARTTLS|RSET|QUIT)\s*",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:amp;)*((?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,31});)"
)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u00ad\u200b-\u200f\u2060\ufeff]")
_NOTHING = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_TAILS = ("\\015\\012", "\\r\\n", "\\r", "\\n", "^M$", "^M", "\\", " ", "\t", "\r")
_CHROME = re.compile(
    r"[\s\ufeff]{0,40}(?:[\d<>\[({*=.$%~]|-+>"
    r"|Trying |Connected to |Escape char|Connection closed|telnet )",
    re.IGNORECASE,
)
_SENTENCE_END = tuple(".?!:。？！：”»」")


class _Entry:
    """A line of the log and its parts. `kind`: esa, head, reply, command, maybe or empty."""

    __slots__ = (
        "body",
        "entities",
        "kind",
        "line",
        "parts",
        "payload",
        "session",
        "spaces",
        "text",
    )

    def __init__(self, line: _Line) -> None:
        self.line = line
        self.text = line.text
        self.kind = ""
        self.session = ""
        self.payload = ""
        self.body = False
        self.parts: re.Match[str] | None = None
        self.entities: list[tuple[str, str]] = []
        self.spaces: tuple[str, ...] = ()
        tidy = line.text.isascii() and "&" not in line.text and _TIDY.fullmatch(line.text)
        if tidy:
            self.kind, self.parts = "tidy", tidy
            self.session, self.payload = tidy["session"], tidy["payload"]
        else:
            self._read()

    def _read(self) -> None:
        text = self.line.text
        if not text or text.isspace():
            return
        if "&" in text:
            text = _ENTITY.sub(self._entity, text)
        if not text.isascii():
            plain = text[:1] + _SPACES.sub(_plain_space, text[1:])
            self.spaces, text = tuple(dict.fromkeys(_SPACES.findall(text, 1))), plain
        if not self._frame(text) and text != self.line.text:
            self.entities.clear()
            self.spaces = ()
            self._frame(self.line.text)
            return
        self.text = text

    def _entity(self, match: re.Match[str]) -> str:
        found = html.unescape(f"&{match[1]}")
        if len(found) != 1 or not (found.isprintable() or found == "\xa0"):
            return match.group()
        self.entities.append((match.group(), found))
        return found

    def _frame(self, text: str) -> bool:
        esa = _ESA.fullmatch(text) if ":" in text or "：" in text else None
        if esa and (
            _key(esa["way"]) in _words(*_DIRECTIONS)
            or (_is_head(esa["head"]) and esa["rest"][:1] in _QUOTES)
        ):
            self.kind, self.parts, self.session = "esa", esa, esa["session"]
            return True
        wire = _WIRE.fullmatch(text)
        if wire:
            payload = wire["payload"]
            reply = _REPLY.fullmatch(payload)
            arrow = bool(wire["before"].strip("\ufeff \t\"'"))
            first = payload.split(None, 1)[0].rstrip("\\$^M:").upper()
            if reply and (reply["mark"] or not reply["text"]):
                self.kind = "reply"
            elif _SURE.fullmatch(payload) or (arrow and first in VERBS):
                self.kind = "command"
            elif len(payload) <= 512:
                known = first in VERBS or _translated(payload)
                self.kind = "" if not known else "command" if arrow else "maybe"
            if self.kind:
                self.parts, self.payload = wire, payload
                return self.kind != "maybe"
        time = _TIME.search(text, 0, 120)
        if time:
            colon = _ANY_COLON.search(text, time.end(), time.end() + 60)
            parts = _HEAD.match(text, 0, colon.start()) if colon else None
            if parts and _is_head(parts["head"]):
                self.kind, self.parts = "head", parts
                return True
        return False


def _plain_space(match: re.Match[str]) -> str:
    return "" if match.group() in _NOTHING else " "


@cache
def _every(table: str) -> frozenset[str]:
    return frozenset(key for lexicon in lexicons().values() for key in lexicon.keys(table))


@cache
def _words(*originals: str) -> tuple[str, ...]:
    """What any lexicon has for these originals in its table of words."""
    return tuple(
        key
        for lexicon in lexicons().values()
        for key in lexicon.keys("words")
        if set(lexicon.find("words", key)) & set(originals)
    )


def _translated(payload: str) -> bool:
    return any(_key(payload[:end]) in _every("verbs") for end in _ends(payload))


def _is_head(text: str) -> bool:
    """Is this a date and a level, in any language?"""
    if _TIDY_HEAD.fullmatch(text):
        return True
    if not _key(text).endswith(_words(*_LEVELS)):
        return False
    return any(lexicon.head(text) for lexicon in lexicons().values())


_WORD = re.compile(r"[^\s:：<＜=]+")
_LONGEST = 512  # no phrase of a lexicon comes near it


def _ends(text: str) -> list[int]:
    """Where the first words of `text` end, longest first, as far as only spaces divide them."""
    ends: list[int] = []
    for word in _WORD.finditer(text, 0, _LONGEST):
        if len(ends) == 5 or (ends and text[ends[-1] : word.start()].strip()):
            break
        ends.append(word.end())
    return ends[::-1]


_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[>\s]{0,12}(?:```|~~~)")
_PRE = re.compile(r"<pre(?:\s[^<>]{0,500})?>(.*?)</pre\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(
    r"</?(?:a|b|big|blockquote|body|code|dd|del|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|ins|kbd"
    r"|li|link|main|mark|meta|ol|p|pre|s|samp|section|small|span|strong|sub|sup|table|tbody|td|th"
    r"|thead|title|tr|tt|u|ul|var|wbr|article|nav|header|footer)(?:\s[^<>]{0,2000})?/?>"
    r"|<!doctype[^<>]{0,500}>|<!--[^<>]{0,2000}-->",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"</?(?:br|p|div|li|tr|dt|dd|h[1-6]|table|ul|ol|section|title)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_PAGE = re.compile(rf"[\s\ufeff]*(?:{_TAG.pattern})", re.IGNORECASE)


def _split(text: str) -> list[_Line]:
    lines = []
    for number, match in enumerate(_LINES.finditer(text), 1):
        line = match.group()
        end = "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""
        lines.append(_Line(number, line[: len(line) - len(end)], end))
    return lines


def _unmarked(markup: str, number: int) -> Iterator[_Line]:
    """The lines that a browser shows for a piece of HTML that begins on line `number`."""
    for line in _split(markup):
        shown = html.unescape(_TAG.sub("", _BREAK.sub("\n", line.text)))
        for part in shown.splitlines() or [""]:
            yield _Line(number + line.number - 1, part, "\n")


def _has_log(lines: Iterable[_Line]) -> bool:
    return any(_Entry(line).kind not in ("", "maybe") for line in lines)


def _inside(text: str, lines: list[_Line]) -> list[_Line] | None:
    """The lines of the blocks of a page (pre elements, fences) that hold a log; None: no page."""
    fences = [place for place, line in enumerate(lines) if _FENCE.match(line.text)]
    found: list[_Line] = []
    for start, end in zip(fences[::2], [*fences[1::2], len(lines)], strict=False):
        block = lines[start + 1 : end]
        if _has_log(block):
            found += block
    if found:
        return found
    place, number = 0, 1
    for element in _PRE.finditer(text) if "</" in text else ():
        number += text.count("\n", place, element.start(1))
        place = element.start(1)
        shown = list(_unmarked(element[1].removesuffix("\n"), number))
        if shown and not shown[0].text.strip():
            del shown[0]
        if _has_log(shown):
            found += shown
    return found or None


def _entries(text: str, lines: list[_Line]) -> list[_Entry]:
    """The lines of the log in `text`, without the page around them."""
    inside = _inside(text, lines)
    whole = inside is not None
    if inside is None and _PAGE.match(text):
        inside = list(_unmarked(text, 1))
    shown = inside is not None
    entries = [_Entry(line) for line in (lines if inside is None else inside)]
    _mark_bodies(entries)
    _settle_naked_verbs(entries)
    if whole or not any(entry.kind for entry in entries):
        return entries
    kept: list[_Entry] = []
    run: list[_Entry] = []
    for entry in entries:
        if entry.kind or entry.body:
            kept += _without_prose(run, not kept, shown)
            kept.append(entry)
            run = []
        else:
            run.append(entry)
    return kept + _without_prose(run, False, shown)


def _without_prose(run: list[_Entry], first: bool, shown: bool) -> list[_Entry]:
    """What of a run of lines between those of the log is no prose of a page.

    A run with few sentences is what other programs said, and stays. `first`: it stands before the
    log. `shown`: it was HTML, and surely is a page.
    """
    said = [entry.line.text for entry in run if entry.line.text.strip() and _is_prose(entry)]
    sentences = sum(map(_is_sentence, said))
    if not shown and (not sentences or sentences * 2 < len(said)):
        return run
    chrome = [entry for entry in run if not _is_prose(entry)]
    if not first:
        return chrome
    near = len(run)
    while near and (not _is_prose(run[near - 1])):
        near -= 1
    return run[near:]


def _is_prose(entry: _Entry) -> bool:
    line = entry.line.text
    if entry.body or _CHROME.match(line) or _TIME.search(line, 0, 200):
        return False
    return not line.strip() or any(map(str.isalpha, line))


def _is_sentence(line: str) -> bool:
    """Is this what a person writes on a page, and no program in a log?"""
    line = line.strip()
    if re.match(r"#{1,4} \S", line):
        return True
    if not line[:1].isalpha() or line[:1].islower() or not line.endswith(_SENTENCE_END):
        return line[:1] in "“«¿¡「" and line.endswith(_SENTENCE_END)
    words = [word.strip(".,:;?!()\"'«»“”¿¡") for word in line.split()]
    plain = sum(word.isalpha() for word in words)
    return (len(words) >= 6 and plain * 10 >= len(words) * 7) or len(
        _UNSPACED.findall(line[:200])
    ) >= 10


def _is_dot(line: str) -> bool:
    return line.rstrip().endswith(".") and line.strip("<>-~=* \t\r\"'") == "."


def _mark_bodies(entries: list[_Entry]) -> None:
    """Mark the lines of messages: between 354 and the lone dot nothing is protocol."""
    dots = [False] * (len(entries) + 1)
    for place in range(len(entries) - 1, -1, -1):
        dots[place] = dots[place + 1] or _is_dot(entries[place].text)
    inside = False
    for place, entry in enumerate(entries):
        if entry.kind in ("tidy", "esa", "head"):
            continue
        if inside:
            if entry.kind == "reply" and not dots[place]:
                inside = False
            else:
                entry.body, entry.kind = True, ""
                inside = not _is_dot(entry.text)
                continue
        inside = entry.kind == "reply" and entry.payload.startswith("354 ")


def _settle_naked_verbs(entries: list[_Entry]) -> None:
    """Take a line without any mark for a command only where one was due: between two replies."""
    due = False
    for place, entry in enumerate(entries):
        if entry.kind == "maybe":
            following = next((e for e in entries[place + 1 : place + 4] if e.text.strip()), None)
            answered = following is None or following.kind == "reply"
            entry.kind = "command" if due and answered else ""
        if entry.kind:
            due = entry.kind == "reply" and entry.payload[3:4] != "-"


# Turning it back -----------------------------------------------------------------------------

_TRANSLATED = N_('"{found}" is a translation of "{restored}" (lexicon {language}).')
_RESPELLED = N_('"{found}" is another spelling of "{restored}".')
_REPLY_KNOWN = N_("A translation of a known reply text (lexicon {language}).")
_FITS_REST = N_(
    '"{found}" may stand for {candidates}; what follows on the line fits {restored} alone.'
)
_FITS_ANSWER = N_(
    '"{found}" may stand for {candidates}; the answer is a list, which HELO must not get'
    " (RFC 5321 §3.2)."
)
_FITS_REMAINING = N_(
    '"{found}" may stand for {candidates}; a keyword stands once in a list, the others are there.'
)
_FITS_LIST = N_(
    '"{found}" may stand for {candidates}; the list before in this session has {restored} alone.'
)
_DATE_FORM = N_("The ESA writes the date in English: weekday, month, day, time, year.")
_DATE_WEEKDAY = N_(
    "The ESA writes the date in English; the weekday was missing and follows from the date."
)
_QUOTE_MISSING_FIRST = N_("The ESA puts the line between single quotes; the first was missing.")
_QUOTE_MISSING_LAST = N_("The line is complete; only its closing quote was missing.")
_QUOTE_DOUBLED = N_("The ESA uses one single quote; it was doubled.")
_QUOTE_OTHER = N_("The ESA uses single quotes; translation put another kind.")
_ENTITY_LEFT = N_("An HTML entity leaked into the text.")
_SPACE_LEFT = N_("A space that is not plain, or an invisible character, stood between the words.")
_PUNCTUATION = N_("Translation changed the punctuation; the protocol has it in ASCII.")

_UNKNOWN_HEAD = N_("These words are not known as a date and a level.")
_UNKNOWN_WAY = N_('This word is not known for "Sent" or "Rcvd".')
_UNKNOWN_VERB = N_("This is not known as an SMTP command, nor as a translation of one.")
_UNKNOWN_KEYWORD = N_("This is not known as an EHLO keyword, nor as a translation of one.")
_UNKNOWN_REPLY = N_("The original of this reply text is not known.")
_UNKNOWN_CODE = N_("A reply begins with three digits; there are none.")
_UNKNOWN_LINE = N_("This is not known as a line of a log.")
_NO_LOG = N_("No line of an SMTP log was found.")
_AMBIGUOUS = N_("This may stand for {candidates}, and nothing on the way decides it.")
_MISFIT = N_("This is a translation of {candidates}, but what follows does not fit.")
_WRONG_WEEKDAY = N_("The weekday and the date do not fit: the date was a {weekday}.")
_NO_SUCH_DATE = N_("There is no such date.")
_MASK = N_(
    "A firewall's mask is as long as the word it hides: STARTTLS has 8 letters, this {length}."
)
_BREAKS_OFF = N_("The line breaks off here; the rest is not in the document.")

_REMEMBERED = 4096
_ALONE = frozenset(("DATA", "RSET", "QUIT", "STARTTLS", "TURN"))
_ANYHOW = frozenset(("NOOP", "HELP", "EXPN"))
_LISTS = ("EHLO", "LHLO", "")
_ENHANCED = re.compile(r"(?:[245]\.[0-9]{1,3}\.[0-9]{1,3}|#[0-9]\.[0-9]\.[0-9])[ \t]{1,3}")
_PATH = re.compile(
    r"(?P<space>\s{0,3})(?P<word>[^\s:：<>＜=]{1,24}(?: [^\s:：<>＜=]{1,24})?)(?P<colon> ?[:：])?"
)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?=[\s=\\^]|$)")
_MASKED = re.compile(r"X{4,12}[A-Z]?")
_WIDE = str.maketrans({"＜": "<", "＞": ">", "《": "<", "》": ">", "：": ":", "＠": "@"})


class _Session:
    """What was said so far in one session, as far as it tells where a keyword can stand."""

    __slots__ = ("before", "body", "current", "open", "verb")

    def __init__(self) -> None:
        self.verb = ""
        self.open = False
        self.body = False
        self.current: set[str] = set()
        self.before: set[str] = set()


class _Pass:
    """One walk over the log with some lexicons. `strict`: report all that is not known English."""

    def __init__(self, entries: list[_Entry], tongues: tuple[Lexicon, ...], strict: bool) -> None:
        self.entries = entries
        self.tongues = tongues
        self.strict = strict
        self.repairs: list[Repair] = []
        self.unknown: list[Unknown] = []
        self.cut: list[int] = []
        self.lines: list[str] = []
        self._sessions: dict[str, _Session] = {}
        self._found: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
        self._heads: dict[str, _Head | None] = {}
        self._dates: dict[str, Text | None] = {}
        self._number = 0
        self._last = max((n for n, entry in enumerate(entries) if entry.kind), default=-1)
        for place, entry in enumerate(entries):
            self._number = entry.line.number
            self.lines.append(self._line(place, entry))

    # what is known

    def _find(self, table: str, phrase: str) -> tuple[tuple[str, ...], str]:
        """The originals of a phrase, and the languages that say so."""
        known = self._found.get((table, phrase))
        if known is None:
            found: dict[str, None] = {}
            names: list[str] = []
            for lexicon in self.tongues or (_source(),):
                originals = lexicon.find(table, phrase)
                found |= dict.fromkeys(originals)
                names += [lexicon.code] * bool(originals)
            if not found and self.tongues:
                found, names = dict.fromkeys(_source().find(table, phrase)), [""]
            if len(self._found) > _REMEMBERED:
                self._found.clear()
            known = self._found[table, phrase] = tuple(found), ", ".join(names)
        return known

    def _first_words(self, table: str, text: str) -> tuple[str, tuple[str, ...], str]:
        """The longest beginning of `text` that `table` knows, its originals, their languages."""
        for end in _ends(text):
            found, names = self._find(table, text[:end])
            if found:
                return text[:end], found, names
        return "", (), ""

    # what is said of it

    def _repair(self, found: str, restored: str, kind: str, why: str, **values: str) -> None:
        reason = Text(why, {"found": found, "restored": restored, **values} if "{" in why else {})
        self.repairs.append(
            Repair(line=self._number, found=found, restored=restored, reason=reason, kind=kind)
        )

    def _translate(self, found: str, restored: str, kind: str, names: str) -> str:
        if found != restored:
            english = names in ("", SOURCE)
            why = _RESPELLED if english else _REPLY_KNOWN if kind == "reply" else _TRANSLATED
            self._repair(found, restored, kind, why, language=names)
        return restored

    def _leave(self, text: str, why: str, **values: str | int) -> None:
        self.unknown.append(Unknown(self._number, text, Text(why, values)))

    # lines

    def _line(self, place: int, entry: _Entry) -> str:
        if not entry.kind or entry.parts is None:
            text = entry.line.text
            foreign = self.tongues and not text.isascii() and any(map(str.isalpha, text))
            if foreign and not entry.body:
                self._leave(text, _UNKNOWN_LINE)
            return text
        for found, restored in entry.entities:
            self._repair(found, restored, "entity", _ENTITY_LEFT)
        for odd in entry.spaces:
            self._repair(odd, "" if odd in _NOTHING else " ", "space", _SPACE_LEFT)
        session = self._sessions.setdefault(entry.session, _Session())
        if entry.kind == "tidy":
            self._check_date(entry.parts["head"])
            start, end = entry.parts.span("payload")
            payload = self._payload(place, entry.payload, session)
            return entry.text[:start] + payload + entry.text[end:]
        if entry.kind == "esa":
            return self._esa(place, entry.parts, session)
        if entry.kind == "head":
            parts = entry.parts
            return parts["mark"] + self._head(parts["head"]) + entry.text[parts.end() :]
        payload, tail = _without_tail(entry.payload, entry.parts["before"][-1:])
        if place == self._last and _breaks_off(payload):
            self.cut.append(self._number)
            self._leave(payload, _BREAKS_OFF)
        return entry.parts["before"] + self._payload(place, payload, session) + tail

    def _esa(self, place: int, parts: re.Match[str], session: _Session) -> str:
        head = self._head(parts["head"])
        colons = []
        for colon in (parts["colon1"], parts["colon2"]):
            if colon != ": ":
                self._repair(colon, ": ", "punctuation", _PUNCTUATION)
            colons.append(": ")
        if parts["gap"] != " ":
            self._repair(parts["gap"], " ", "space", _SPACE_LEFT)
        way = self._way(parts["way"], bool(parts["peer"]))
        peer = parts["peer"] or ""
        if peer:
            restored = f" '{peer.strip().strip(_QUOTES).strip()}'"
            if restored != peer:
                self._repair(peer, restored, "quote", _QUOTE_OTHER)
            peer = restored
        said = self._quoted(place, parts["rest"], session)
        return f"{parts['mark']}{head}{colons[0]}{parts['session']} {way}{peer}{colons[1]}{said}"

    def _way(self, way: str, to_peer: bool) -> str:
        found, names = self._find("words", way)
        found = tuple(word for word in found if word in _DIRECTIONS and (" " in word) == to_peer)
        if len(found) == 1:
            return self._translate(way, found[0], "word", names)
        if found:
            self._leave(way, _AMBIGUOUS, candidates=", ".join(found))
        else:
            self._leave(way, _UNKNOWN_WAY)
        return way

    def _head(self, head: str) -> str:
        if _TIDY_HEAD.fullmatch(head):
            self._check_date(head)
            return head
        known = self._read_head(head)
        if known is None:
            words = head.rsplit(None, 1)
            level = self._level(words[-1]) if words else None
            if level and len(words) == 2:
                self._leave(words[0], _UNKNOWN_HEAD)
                return head.removesuffix(words[1]) + self._translate(words[1], *level)
            self._leave(head, _UNKNOWN_HEAD)
            return head
        parts = []
        if known.date:
            if known.date != known.found and not _TIDY_HEAD.fullmatch(known.found):
                why = _DATE_WEEKDAY if known.problem else _DATE_FORM
                self._repair(known.found, known.date, "date", why)
                parts.append(known.date)
            else:
                parts.append(known.found)
            self._check_date(parts[0])
        level = self._level(known.level) if known.level else None
        if level:
            parts.append(self._translate(known.level, *level))
        return " ".join(parts)

    def _level(self, word: str) -> tuple[str, str, str] | None:
        found, names = self._find("words", word)
        levels = [original for original in found if original in _LEVELS]
        return (levels[0], "word", names) if len(levels) == 1 else None

    def _read_head(self, head: str) -> _Head | None:
        if head not in self._heads:
            read = {lexicon.head(head) for lexicon in self.tongues} - {None}
            known = {(one.date, one.found) for one in read if one}
            if len(self._heads) > _REMEMBERED:
                self._heads.clear()
            self._heads[head] = read.pop() if len(known) == 1 else None
            if not read and not known:
                self._heads[head] = _source().head(head)
        return self._heads[head]

    def _check_date(self, head: str) -> None:
        date = head[:24]
        if date not in self._dates:
            if len(self._dates) > _REMEMBERED:
                self._dates.clear()
            self._dates[date] = _date_problem(date)
        problem = self._dates[date]
        if problem:
            self.unknown.append(Unknown(self._number, date, problem))

    def _quoted(self, place: int, rest: str, session: _Session) -> str:
        """What stands between the quotes, with the quotes that the ESA puts."""
        first, inner, last, space = _unquote(rest)
        payload, tail = _without_tail(inner, "")
        cut = not last and (
            _breaks_off(payload, self._first_words("verbs", payload)[1])
            or (place == self._last and _is_begun(payload))
        )
        begun = cut and payload.isdigit()
        restored = payload if begun else self._payload(place, payload, session)
        if first != "'":
            self._repair(first, "'", "quote", _quote_reason(first, _QUOTE_MISSING_FIRST))
        if cut:
            self.cut.append(self._number)
            self._leave(f"'{restored}{tail}", _BREAKS_OFF)
            return f"'{restored}{tail}{space}"
        if last != "'":
            self._repair(last, "'", "quote", _quote_reason(last, _QUOTE_MISSING_LAST))
        return f"'{restored}{tail}'{space}"

    # what crossed the wire

    def _payload(self, place: int, payload: str, session: _Session) -> str:
        reply = _REPLY.fullmatch(payload)
        if reply and (reply["mark"] or not reply["text"]):
            return self._reply(reply, session)
        if session.body:
            session.body = payload != "."
            return payload
        if session.verb == "334":
            return payload
        return self._command(place, payload, session)

    def _reply(self, reply: re.Match[str], session: _Session) -> str:
        code, mark, text = reply["code"], reply["mark"], reply["text"]
        if mark not in ("", " ", "-"):
            self._repair(code + mark, f"{code}-", "punctuation", _PUNCTUATION)
            mark = "-"
        first, session.open = not session.open, mark == "-"
        listed = code == "250" and session.verb in _LISTS and (mark == "-" or not first)
        session.body = code == "354" and mark != "-"
        if code == "334":
            session.verb = "334"
        elif session.verb == "334":
            session.verb = "AUTH"
        if listed and not (first and (session.verb or "." in text.split(" ", 1)[0])):
            return code + mark + self._keyword(text, session)
        return code + mark + self._reply_text(text)

    def _keyword(self, text: str, session: _Session) -> str:
        token = _TOKEN.match(text)
        word = token.group().upper() if token else ""
        if word in _source().originals("keywords"):
            session.current.add(word)
            rest = text[len(word) :]
            return text[: len(word)] + (self._mechanism(rest) if word == "AUTH" else rest)
        found, originals, names = self._first_words("keywords", text)
        if not originals:
            if token and _MASKED.fullmatch(word) and len(word) != 8:
                self._leave(word, _MASK, length=len(word))
            else:
                first = text.split(None, 1)[0] if text.strip() else ""
                strange = self.strict and "." not in first and not first.startswith(("X", "x"))
                if not first.isascii() or (strange and first):
                    self._leave(text, _UNKNOWN_KEYWORD)
            return text
        why, restored = "", originals[0]
        if len(originals) > 1:
            left = [one for one in originals if one not in session.current]
            listed = [one for one in left if one in session.before]
            if len(left) == 1:
                why, restored = _FITS_REMAINING, left[0]
            elif len(listed) == 1:
                why, restored = _FITS_LIST, listed[0]
            else:
                self._leave(found, _AMBIGUOUS, candidates=", ".join(originals))
                return text
        session.current.add(restored)
        if why:
            self._repair(found, restored, "keyword", why, candidates=", ".join(originals))
        else:
            self._translate(found, restored, "keyword", names)
        rest = text[len(found) :]
        return restored + (self._mechanism(rest) if restored == "AUTH" else rest)

    def _mechanism(self, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            found, names = self._find("mechanisms", match.group())
            if len(found) != 1 or match.group().upper() == found[0]:
                return match.group()
            return self._translate(match.group(), found[0], "mechanism", names)

        return re.sub(r"[^\s=]{1,40}", one, text, count=24)

    def _reply_text(self, text: str) -> str:
        status = _ENHANCED.match(text)
        start = text[: status.end()] if status else ""
        said, tail = _without_tail(text[len(start) :].partition(" <--")[0], "")
        tail = text[len(start) + len(said) :]
        if not any(map(str.isalpha, said)):
            return text
        for body, stop in ((said, ""), (said.rstrip(".。!！"), ".")):
            found, names = self._find("replies", body)
            if len(found) == 1:
                if _key(found[0]) == _key(body):
                    return text
                stop = stop if body != said else ""
                return start + self._translate(said, found[0] + stop, "reply", names) + tail
            if found:
                self._leave(said, _AMBIGUOUS, candidates=" | ".join(found))
                return text
        if not said.isascii() or (self.strict and _is_strange(said)):
            self._leave(said, _UNKNOWN_REPLY)
        return text

    def _command(self, place: int, payload: str, session: _Session) -> str:
        token = re.match(r"[A-Za-z0-9-]{1,16}(?=[\s:：]|$)", payload)
        verb = token.group().upper() if token else ""
        if verb in VERBS:
            self._begin(verb, session)
            rest = payload[len(verb) :]
            if verb in ("MAIL", "RCPT"):
                return payload[: len(verb)] + self._path(verb, rest)
            return payload[: len(verb)] + (self._mechanism(rest) if verb == "AUTH" else rest)
        found, originals, names = self._first_words("verbs", payload)
        rest = payload[len(found) :]
        fitting = [one for one in originals if self._fits(one, rest)]
        why = _FITS_REST if len(originals) > 1 else ""
        if "EHLO" in fitting and len(fitting) > 1 and self._answered_by_a_list(place):
            fitting, why = ["EHLO"], _FITS_ANSWER
        if len(fitting) != 1:
            self._begin("", session)
            candidates = ", ".join(originals)
            if fitting:
                self._leave(found, _AMBIGUOUS, candidates=candidates)
            elif originals:
                self._leave(payload, _MISFIT, candidates=candidates)
            elif payload.strip() and (self.strict or not payload.isascii()):
                self._leave(payload, _UNKNOWN_VERB)
            return payload
        restored = fitting[0]
        verb = restored[:4] if " " in restored else restored
        self._begin(verb, session)
        if why:
            self._repair(found, restored, "verb", why, candidates=", ".join(originals))
        else:
            self._translate(found, restored, "verb", names)
        if verb in ("MAIL", "RCPT"):
            return restored + self._path(verb, rest, named=" " in restored)
        return restored + (self._mechanism(rest) if verb == "AUTH" else rest)

    def _begin(self, verb: str, session: _Session) -> None:
        session.verb, session.open = verb, False
        if verb in _LISTS:
            session.before |= session.current
            session.current = set()

    def _fits(self, verb: str, rest: str) -> bool:
        bare = not rest.strip()
        if verb in ("MAIL FROM", "RCPT TO"):
            return bare or rest.lstrip()[0] in ":：<＜"
        if verb in ("MAIL", "RCPT"):
            path = _PATH.match(rest)
            return bare or (path is not None and bool(self._is_path(verb, path["word"])))
        if verb in _ALONE:
            return bare
        return bare or verb in _ANYHOW or rest[0] == " "

    def _is_path(self, verb: str, word: str) -> str:
        """The languages in which `word` is what follows MAIL or RCPT; empty if it is not."""
        wanted = "FROM" if verb == "MAIL" else "TO"
        if word.upper() == wanted:
            return "-"
        found, names = self._find("paths", word)
        return (names or "-") if wanted in found else ""

    def _path(self, verb: str, rest: str, *, named: bool = False) -> str:
        """What follows MAIL or RCPT: `FROM:` or `TO:`, the path, parameters."""
        wanted = "FROM" if verb == "MAIL" else "TO"
        start, place = "", 0
        if named:
            colon = re.match(r" ?[:：]", rest)
            if colon:
                if colon.group() != ":":
                    self._repair(colon.group(), ":", "punctuation", _PUNCTUATION)
                start, place = ":", colon.end()
        else:
            path = _PATH.match(rest)
            names = self._is_path(verb, path["word"]) if path else ""
            if path is None or not names:
                if rest.strip() and (self.strict or not rest.isascii()) and "<" in rest:
                    self._leave(rest.strip(), _MISFIT, candidates=verb)
                return rest
            colon_said = path["colon"] or ""
            if path["word"].upper() != wanted:
                found = path["word"] + colon_said
                restored = wanted + (":" if colon_said else "")
                self._translate(found, restored, "path", names)
                start = path["space"] + restored
            elif "：" in colon_said:
                self._repair(colon_said, ":", "punctuation", _PUNCTUATION)
                start = path["space"] + path["word"] + ":"
            else:
                start = path.group()
            place = path.end()
        after = rest[place:]
        wide = re.match(r"\s?[＜《<][^\s]*?[＞》>]", after[:400])
        if wide and wide.group().translate(_WIDE) != wide.group():
            restored = wide.group().translate(_WIDE)
            self._repair(wide.group(), restored, "punctuation", _PUNCTUATION)
            after = restored + after[wide.end() :]
        return start + re.sub(r"(?<= )[^\s=<>]{1,40}(?==)", self._parameter, after, count=24)

    def _parameter(self, match: re.Match[str]) -> str:
        word = match.group()
        if word.upper() not in _source().originals("keywords"):
            for table in ("parameters", "keywords"):
                found, names = self._find(table, word)
                if len(found) == 1 and found[0].upper() != word.upper():
                    return self._translate(word, found[0], "parameter", names)
        return word

    def _answered_by_a_list(self, place: int) -> bool:
        session = self.entries[place].session
        for entry in self.entries[place + 1 : place + 40]:
            if entry.session == session and entry.kind:
                said = entry.payload
                if entry.kind == "esa" and entry.parts:
                    said = _unquote(entry.parts["rest"])[1]
                reply = _REPLY.match(said)
                return (
                    reply is not None and reply["code"] == "250" and reply["mark"] not in ("", " ")
                )
        return False


def _is_strange(said: str) -> bool:
    """Are less than half of the words of this reply English ones?"""
    words = [word.strip(".,:;!?()\"'").casefold() for word in said[:512].split()]
    words = [word for word in words if word.isalpha() and len(word) > 1]
    words = [word for word in words if word not in ("tls", "starttls", "smtp", "esmtp")]
    known = sum(word in _source().vocabulary for word in words)
    return len(words) > 1 and known * 2 < len(words)


def _quote_reason(found: str, missing: str) -> str:
    if not found:
        return missing
    return _QUOTE_DOUBLED if set(found) == {"'"} else _QUOTE_OTHER


def _unquote(rest: str) -> tuple[str, str, str, str]:
    """Split what follows `Sent: ` into opening quote, text, closing quote, and space after it."""
    body = rest.rstrip()
    space = rest[len(body) :]
    size = 0
    while size < min(2, len(body)) and body[size] in _QUOTES:
        size += 1
    if size == 2 and body[0] != body[1] and _key(body[0]) != _key(body[1]):
        size = 1
    first, inner = body[:size], body[size:]
    last = ""
    if size == 2 and inner[-2:-1] == inner[-1:] != "" and inner[-1] in _QUOTES:
        last = inner[-2:]
    elif inner and inner[-1] in _QUOTES and not _belongs(inner[:-1], inner[-1], first):
        last = inner[-1]
        if inner[-2:-1] == last == "'" and not _REPLY.match(inner) and inner.count("'") == 2:
            last = inner[-2:]
    inner = inner[: len(inner) - len(last)]
    if first in ("«", "‹", "「", "『"):
        inner = inner.strip()
    return first, inner, last, space


def _belongs(text: str, last: str, first: str) -> bool:
    """Does a quote at the end of the text belong to the text, as in `354 End with "."`?"""
    if first == last == "'":
        return False
    if last in _OPENERS and last not in "«“‘":
        return any(opener in text for opener in _OPENERS[last])
    return last in text and text.count(last) % 2 == 1


def _without_tail(text: str, quote: str) -> tuple[str, str]:
    """Take line ends that a log shows as text (`\\015\\012`, `\\r\\n`, `^M$`) off the end."""
    end = len(text)
    if quote and quote in "\"'" and text.endswith(quote):
        end -= 1
    for _ in range(8):
        if not text.endswith(_TAILS, 0, end):
            break
        end -= next(len(tail) for tail in _TAILS if text.endswith(tail, 0, end))
    return text[:end], text[end:]


def _breaks_off(payload: str, originals: tuple[str, ...] = ()) -> bool:
    """Is this a verb without the argument it needs, or a reply without its text?"""
    said = payload.strip()
    if said.isascii() and said.isdigit():
        return len(said) <= 3
    if re.fullmatch(r"[0-9]{3}-", said):
        return True
    words = said.split(None, 1)
    verb = words[0].upper() if words else ""
    if verb in VERBS:
        if verb in ("MAIL", "RCPT"):
            rest = words[1] if len(words) > 1 else ""
            return not rest or rest.endswith((":", "：")) or ("<" in rest and ">" not in rest)
        return len(words) == 1 and verb not in _ALONE | _ANYHOW
    known = [one for one in originals if one not in _ALONE | _ANYHOW]
    if not known or len(known) != len(originals):
        return not said
    return len(_ends(said)) > 0 and _key(said) in _every("verbs")


def _is_begun(payload: str) -> bool:
    """Is this, at the end of a document, the beginning of a verb or of a keyword?"""
    reply = _REPLY.fullmatch(payload)
    said = (reply["text"] if reply and reply["code"] == "250" else payload).upper()
    known = _source().originals("keywords") if reply else frozenset(VERBS)
    return bool(said) and said not in known and any(word.startswith(said) for word in known)


def _date_problem(date: str) -> Text | None:
    weekday, month, day, _, year = date.split()[:5]
    real = _weekday(int(year), _MONTHS.index(month) + 1, int(day))
    if not real:
        return Text(_NO_SUCH_DATE)
    return None if weekday == real else Text(_WRONG_WEEKDAY, {"weekday": real})


# The whole -----------------------------------------------------------------------------------

_ROUNDS = 8
_SAMPLE = 1000
_WORDS = frozenset(("date", "word", "verb", "path", "keyword", "reply", "mechanism", "parameter"))


def _languages(entries: list[_Entry], english: _Pass) -> tuple[Lexicon, ...]:
    """The lexicons that explain most lines of what is not English: more than one on a tie."""
    strange = {one.line for one in english.unknown}
    if not strange:
        return ()
    start = next(n for n, entry in enumerate(entries) if entry.line.number in strange)
    sample = entries[max(0, start - _SAMPLE // 2) :][:_SAMPLE]
    english = _Pass(sample, (), strict=True)
    strange = {one.line for one in english.unknown}
    scores: dict[tuple[int, int], list[Lexicon]] = {}
    for lexicon in lexicons().values():
        if lexicon.code != SOURCE:
            tried = _Pass(sample, (lexicon,), strict=True)
            explained = strange - {one.line for one in tried.unknown}
            gained = sum(one.kind in _WORDS for one in tried.repairs) - sum(
                one.kind in _WORDS for one in english.repairs
            )
            scores.setdefault((len(explained), gained), []).append(lexicon)
    best = max(scores)
    return tuple(scores[best]) if best > (0, 0) else ()


def _round(text: str, language: Lexicon | None) -> tuple[Restoration, list[int]]:
    """Restore once; also give the input line of every line that comes out."""
    lines = _split(text)
    entries = _entries(text, lines)
    tongues: tuple[Lexicon, ...] = ()
    if language and language.code != SOURCE:
        tongues = (language,)
    name = language.code if language else None
    if not any(entry.kind for entry in entries):
        first = next((entry.line for entry in entries if entry.line.text.strip()), None)
        unknown = (Unknown(first.number, first.text, Text(_NO_LOG)),) if first else ()
        return Restoration(text=text, unknown=unknown, language=name), []
    found: _Pass | None = None
    if language is None:
        english = _Pass(entries, (), strict=True)
        tongues = _languages(entries, english)
        name = tongues[0].code if len(tongues) == 1 else None if tongues else SOURCE
        found = None if english.unknown else english
    found = found or _Pass(entries, tongues, strict=bool(tongues))
    kept = {entry.line.number for entry in entries}
    restored = "".join(
        line + entry.line.end for line, entry in zip(found.lines, entries, strict=True)
    )
    return Restoration(
        text=restored,
        repairs=tuple(found.repairs),
        unknown=tuple(found.unknown),
        language=name,
        left_out=tuple(line.number for line in lines if line.number not in kept),
        cut=tuple(found.cut),
    ), [entry.line.number for entry in entries]


def _still_unknown(
    before: tuple[Unknown, ...], after: list[Unknown], repaired: set[tuple[int, str]]
) -> tuple[Unknown, ...]:
    """What an earlier round left, unless a later one repaired it, and what the later one left."""
    by_line: dict[int, list[str]] = {}
    for line, found in repaired:
        by_line.setdefault(line, []).append(found)
    kept = [one for one in before if not any(t in one.text for t in by_line.get(one.line, ()))]
    told: dict[int, list[str]] = {}
    for one in kept:
        told.setdefault(one.line, []).append(one.text)
    kept += [
        one
        for one in after
        if not any(one.text in text or text in one.text for text in told.get(one.line, ()))
    ]
    return tuple(sorted(kept, key=lambda one: one.line))


def restore(text: str, language: str | None = None) -> Restoration:
    """Turn a machine-translated SMTP log, or the page that holds it, back into what was logged.

    `text`: plain text, Markdown or HTML. `language`: the lexicon to use, such as `pt_BR`; without
    it, the one that explains most lines, and what is left over is tried with the others in turn.
    A log that needs no repair comes back as it is, character for character.

    Raises `LexiconError` if there is no such lexicon.
    """
    chosen = _asked_for(language) if language else None
    result, numbers = _round(text, chosen)
    origin = list(numbers)
    for _ in range(_ROUNDS):
        if result.text == text:
            break
        again, numbers = _round(result.text, chosen)
        text = result.text

        def back(line: int, origin: list[int] = origin) -> int:
            return origin[line - 1]

        result = Restoration(
            text=again.text,
            repairs=tuple(sorted(
                (*result.repairs, *(msgspec.structs.replace(one, line=back(one.line))
                                    for one in again.repairs)),
                key=lambda one: one.line,
            )),
            unknown=_still_unknown(
                result.unknown,
                [one._replace(line=back(one.line)) for one in again.unknown],
                {(back(one.line), one.found) for one in again.repairs},
            ),
            language=result.language,
            left_out=tuple(sorted({*result.left_out, *map(back, again.left_out)})),
            cut=tuple(map(back, again.cut)),
        )  # fmt: skip
        origin = [origin[number - 1] for number in numbers]
    return result
