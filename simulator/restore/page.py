"""Where the log is: the lines of a text or of a page that are a log's, and their parts.

A line is one of the appliance's (date, level, session, direction, what was said between quotes), or
the bare wire as a terminal shows it. What a page has around the log is left out; what programs say
between the lines of a log is kept.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from simulator.needles import late
from simulator.restore.lexicon import (
    DIRECTIONS,
    LEVELS,
    LONGEST,
    MONTHS,
    UNSPACED,
    WEEKDAYS,
    key_of,
    lexicons,
)
from simulator.smtp import VERBS


class PageLine(NamedTuple):
    """A line of the input: its number from 1, its text, and its end as it was."""

    number: int
    text: str
    end: str


QUOTES = "'\"`´“”„‟‘’‚‛«»‹›「」『』＂＇"
OPENERS = {
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
_TIME = late(r"\d{1,2}\s?[:：]\s?\d{2}\s?[:：]\s?\d{2}")
TIDY_HEAD = late(
    rf"(?:{'|'.join(WEEKDAYS)}) (?:{'|'.join(MONTHS)}) [ 0-9]?[0-9] "
    rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} [0-9]{{4}}(?: (?:{'|'.join(LEVELS)}))?"
)
_TIDY = late(
    rf"(?P<head>{TIDY_HEAD.pattern}): (?P<session>[0-9]+) (?:Sent|Rcvd)"
    r"(?: (?:to|from) '[0-9A-Fa-f.:]+')?: '(?!')(?P<payload>[^\n]*[^'\n])'[ \t\r]*"
)
_ESA = late(
    rf"(?P<mark>[>|\s\ufeff]{{0,16}})(?P<head>[^\n]{{0,120}}?)(?<!\d)(?P<colon1>{_COLON})"
    rf"(?P<session>[0-9]{{1,20}})(?P<gap>\s{{0,3}})"
    rf"(?P<way>[^\d\s:：{QUOTES}][^\d:：{QUOTES}]{{0,40}}?)"
    rf"(?P<peer>\s{{0,3}}[{QUOTES}]{{1,2}} ?[0-9A-Fa-f.:]{{2,45}} ?[{QUOTES}]{{1,2}})?"
    rf"(?P<colon2>{_COLON})(?P<rest>[^\n]*)"
)
_ANY_COLON = late("[:：]")
_HEAD = late(r"(?P<mark>[>|\s\ufeff]{0,16})(?P<head>[^\n]*)")
_ARROW = r"(?:[~=*-]{0,3}[<>]{1,3}[~=*-]{0,3}|[SC]:)[ \t]{1,4}"
_WIRE = late(rf"(?P<before>[\s\ufeff]{{0,40}}(?:{_ARROW})?[\"']?)(?P<payload>\S[^\n]*)")
REPLY = late(r"(?P<code>[2-5][0-5][0-9])(?P<mark>[ –—‐‑-]?)(?P<text>[^\n]*)")
_SURE = late(
    r"(?:(?:EHLO|HELO|LHLO|AUTH|BDAT|VRFY|EXPN|ETRN) +[^\s]+(?: [^\s]+)?"
    r"|(?:MAIL|RCPT) +[^\s:：<>]{1,20} ?[:：].*|STARTTLS|RSET|QUIT)\s*",
    re.IGNORECASE,
)
_ENTITY = late(r"&(?:amp;)*((?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,31});)")
_SPACES = late("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u00ad\u200b-\u200f\u2060\ufeff]")
NOTHING = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_CHROME = late(
    r"[\s\ufeff]{0,40}(?:[\d<>\[({*=.$%~]|-+>"
    r"|Trying |Connected to |Escape char|Connection closed|telnet )",
    re.IGNORECASE,
)
_SENTENCE_END = tuple(".?!:。？！：”»」")


class Entry:
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

    def __init__(self, line: PageLine) -> None:
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
            key_of(esa["way"]) in _words(*DIRECTIONS)
            or (_is_head(esa["head"]) and esa["rest"][:1] in QUOTES)
        ):
            self.kind, self.parts, self.session = "esa", esa, esa["session"]
            return True
        wire = _WIRE.fullmatch(text)
        if wire:
            payload = wire["payload"]
            reply = REPLY.fullmatch(payload)
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
    return "" if match.group() in NOTHING else " "


@cache
def every(table: str) -> frozenset[str]:
    """Every phrase that any lexicon knows in `table`, as looked up."""
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
    return any(key_of(payload[:end]) in every("verbs") for end in ends_of(payload))


def _is_head(text: str) -> bool:
    """Is this a date and a level, in any language?"""
    if TIDY_HEAD.fullmatch(text):
        return True
    if not key_of(text).endswith(_words(*LEVELS)):
        return False
    return any(lexicon.head(text) for lexicon in lexicons().values())


_WORD = late(r"[^\s:：<＜=]+")


def ends_of(text: str) -> list[int]:
    """Where the first words of `text` end, longest first, as far as only spaces divide them."""
    ends: list[int] = []
    for word in _WORD.finditer(text, 0, LONGEST):
        if len(ends) == 5 or (ends and text[ends[-1] : word.start()].strip()):
            break
        ends.append(word.end())
    return ends[::-1]


_LINES = late(r"[^\n]*\n|[^\n]+")
_FENCE = late(r"[>\s]{0,12}(?:```|~~~)")
_PRE = late(
    r"<(pre|textarea)(?:\s[^<>]{0,500})?>(.*?)</(?:pre|textarea)\s*>", re.IGNORECASE | re.DOTALL
)
_BLOCKS = (
    "address|article|aside|blockquote|body|br|caption|center|dd|details|div|dl|dt|fieldset|figure"
    "|figcaption|footer|form|h[1-6]|head|header|hr|html|li|main|nav|ol|option|p|pre|section|select"
    "|summary|table|tbody|textarea|tfoot|thead|title|tr|ul"
)
_CELLS = "td|th"
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|button|cite|code|col|colgroup|data|del|dfn|em|font|i|iframe|img"
    "|input|ins|kbd|label|link|mark|meta|nobr|noscript|o:p|object|picture|q|s|samp|small|source"
    "|span|strike|strong|sub|sup|svg|time|tt|u|var|wbr"
)
_ATTRIBUTES = r"""(?:\s(?>"[^"<]*"|'[^'<]*'|[^<>])*+)?"""
_TAG = late(
    rf"<(?P<close>/?)(?:(?P<block>{_BLOCKS})|(?P<cell>{_CELLS})|(?P<inline>{_INLINE}))"
    rf"{_ATTRIBUTES}/?>|<!doctype[^<>]{{0,500}}>|<\?xml[^<>]{{0,500}}>",
    re.IGNORECASE,
)
_TAGS_FIRST = late(rf"[\s\ufeff]*(?:{re.sub('[?]P<[a-z]+>', '?:', _TAG.pattern)})", re.I)
_TAGS_LAST = late(
    rf"(?<![:\s])\s*(?:<[bh]r{_ATTRIBUTES}/?>|</(?:{_BLOCKS}|{_CELLS}|{_INLINE})\s*>)\s*$", re.I
)
_HIDDEN = late(r"<(?:!--|(?P<name>script|style|template)\b[^<>]{0,2000}>)", re.IGNORECASE)

# Stand-ins for tags while a piece of HTML is taken apart: no text has these characters.
_BREAK, _CELL, _SEAM, _COUNT = "\ufdd0\ufdd1\ufdd2\ufdd3"


def split(text: str) -> list[PageLine]:
    """The lines of a text, each with its own end."""
    lines = []
    for number, match in enumerate(_LINES.finditer(text), 1):
        line = match.group()
        end = "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""
        lines.append(PageLine(number, line[: len(line) - len(end)], end))
    return lines


def _without_hidden(markup: str) -> str:
    """HTML without comments, scripts and styles; the lines are counted as before."""
    kept, place = [], 0
    lower = markup.lower() if "<" in markup else ""
    for match in _HIDDEN.finditer(markup):
        if match.start() < place:
            continue
        name = match["name"]
        last = f"</{name.lower()}" if name else "-->"
        end = lower.find(last, match.end())
        if end < 0:
            break
        end = lower.find(">", end) + 1 or len(markup)
        kept += [markup[place : match.start()], "\n" * markup.count("\n", match.start(), end)]
        place = end
    return "".join((*kept, markup[place:]))


def _stand_in(tag: re.Match[str]) -> str:
    kind = _BREAK if tag["block"] else _CELL if tag["cell"] else _SEAM if tag["inline"] else ""
    return kind + _COUNT * tag.group().count("\n")


def _unmarked(markup: str, number: int, *, pre: bool = False) -> Iterator[PageLine]:
    """The lines that a browser shows for a piece of HTML that begins on line `number`.

    The ends of lines in the HTML stay, too: what writes a log into a page counts on them. `pre`: so
    do the spaces around a line.
    """
    text = _TAG.sub(_stand_in, _without_hidden(markup))
    held: list[PageLine] = []
    for line in split(text):
        shown: list[PageLine] = []
        for part in line.text.replace("\r", "").removesuffix(_BREAK).split(_BREAK):
            for cell in _cells(part):
                here = number + cell.count(_COUNT)
                said = html.unescape(cell.replace(_COUNT, ""))
                shown += [
                    PageLine(here, one if pre else one.strip(), "\n")
                    for one in said.splitlines() or [""]
                ]
            number += part.count(_COUNT)
        if held and shown and not pre:
            joined = _joined(held[-1], shown[0])
            if joined:
                held[-1] = joined
                del shown[0]
        yield from held[:-1] if shown else ()
        held = [*held[-1:], *shown] if shown else held
        number += 1
    yield from held


def _cells(part: str) -> list[str]:
    """A line of HTML with cells and spans: one line, or several where one of them is a log's.

    A cell before it that only numbers the line is no part of it.
    """
    numbered = re.match(rf"[\s{_CELL}{_SEAM}]*[0-9]{{1,6}}[\s{_SEAM}]*{_CELL}", part)
    if numbered and _has_log([PageLine(1, _plain(part[numbered.end() :]), "")]):
        part = part[numbered.end() :]
    together = part.replace(_CELL, " ").replace(_SEAM, "")
    if part.count(_SEAM) + part.count(_CELL) < 2 or len(part) > 100_000:
        return [together]
    apart = [one for one in re.split(f"[{_CELL}{_SEAM}]", part) if one.strip()]
    stamped = sum(_opens(one) for one in apart)
    if stamped and (stamped > 1 or not _opens(together)):
        lines: list[str] = []
        for one in apart:
            if _opens(one) or not lines:
                lines.append(one)
            else:
                lines[-1] += one
        return lines
    return [together]


def _opens(text: str) -> bool:
    """Does a line of the appliance's log begin here?"""
    if not _TIME.search(text, 0, 120):
        return False
    return Entry(PageLine(1, _plain(text), "")).kind in ("tidy", "esa", "head")


def _plain(text: str) -> str:
    return html.unescape(re.sub(f"[{_CELL}{_SEAM}{_COUNT}]", "", text)).strip()


def _joined(first: PageLine, second: PageLine) -> PageLine | None:
    """One line of a log that the source of a page has on two; None if it is not."""
    if not first.text or not second.text or not _TIME.search(first.text, 0, 120):
        return None
    if Entry(second).kind not in ("", "maybe"):
        return None
    before = Entry(first)
    both = first._replace(text=f"{first.text} {second.text}")
    if before.kind in ("tidy", "reply", "command") or Entry(both).kind != "esa":
        return None
    if before.kind == "esa" and (first.text[-1] in QUOTES or second.text[-1] not in QUOTES):
        return None
    return both


def _is_marked_up(lines: Iterable[PageLine]) -> bool:
    """Are tags around the lines of this log? Those in a log's own lines say nothing of it."""
    entries = [Entry(line) for line in lines]
    if not any("<" in entry.line.text for entry in entries):
        return False
    _mark_bodies(entries)
    for entry in entries:
        text = entry.line.text
        if "<" not in text or ">" not in text or entry.kind == "tidy" or entry.body:
            continue
        last = _TAGS_LAST.search(text, max(0, len(text) - 600))
        if last and entry.kind not in ("", "maybe"):
            return True
        if (last or _TAGS_FIRST.match(text)) and _has_log(_unmarked(text, 1)):
            return True
        if _TAG.search(text) and any(map(_opens, _TAG.sub(_BREAK, text).split(_BREAK)[1:])):
            return True
    return False


def _has_log(lines: Iterable[PageLine]) -> bool:
    return any(Entry(line).kind not in ("", "maybe") for line in lines)


def _inside(text: str, lines: list[PageLine]) -> list[PageLine] | None:
    """The lines of the blocks of a page (pre elements, fences) that hold a log; None: no page."""
    fences = [place for place, line in enumerate(lines) if _FENCE.match(line.text)]
    found: list[PageLine] = []
    for start, end in zip(fences[::2], [*fences[1::2], len(lines)], strict=False):
        block = lines[start + 1 : end]
        if _is_marked_up(block):
            markup = "\n".join(line.text for line in block)
            block = list(_unmarked(markup, block[0].number, pre=True))
        if _has_log(block):
            found += block
    if found:
        return found
    place, number = 0, 1
    for element in _PRE.finditer(text) if "</" in text else ():
        number += text.count("\n", place, element.start(2))
        place = element.start(2)
        shown = list(_unmarked(element[2].removesuffix("\n"), number, pre=True))
        if shown and not shown[0].text.strip():
            del shown[0]
        if _has_log(shown):
            found += shown
    return found or None


def entries_of(text: str, lines: list[PageLine]) -> list[Entry]:
    """The lines of the log in `text`, without the page around them."""
    inside = _inside(text, lines)
    whole = inside is not None
    if inside is None and (_TAGS_FIRST.match(text) or _is_marked_up(lines)):
        inside = list(_unmarked(text, 1))
    shown = inside is not None
    entries = [Entry(line) for line in (lines if inside is None else inside)]
    _mark_bodies(entries)
    _settle_naked_verbs(entries)
    if whole or not any(entry.kind for entry in entries):
        return entries
    kept: list[Entry] = []
    run: list[Entry] = []
    for entry in entries:
        if entry.kind or entry.body:
            kept += _without_prose(run, not kept, shown)
            kept.append(entry)
            run = []
        else:
            run.append(entry)
    return kept + _without_prose(run, False, shown)


def _without_prose(run: list[Entry], first: bool, shown: bool) -> list[Entry]:
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


def _is_prose(entry: Entry) -> bool:
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
        UNSPACED.findall(line[:200])
    ) >= 10


def _is_dot(line: str) -> bool:
    return line.rstrip().endswith(".") and line.strip("<>-~=* \t\r\"'") == "."


def _mark_bodies(entries: list[Entry]) -> None:
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


def _settle_naked_verbs(entries: list[Entry]) -> None:
    """Take a line without any mark for a command only where one was due: between two replies."""
    due, begun = True, False
    for place, entry in enumerate(entries):
        if entry.kind == "maybe":
            following = next((e for e in entries[place + 1 : place + 4] if e.text.strip()), None)
            answered = following.kind == "reply" if following else begun
            entry.kind = "command" if due and answered else ""
        if entry.kind:
            begun = True
            due = entry.kind == "reply" and entry.payload[3:4] != "-"
