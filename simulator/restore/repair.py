"""One walk over a log with some lexicons: each line turned back, repair by repair.

A word is looked up only where such a word can stand: a verb where the client speaks, a keyword in
the list that answers EHLO, a reply text behind a code. Host names, addresses and the text of a
message are never touched.
"""

from __future__ import annotations

import re
from functools import cache

from simulator.language import N_, Text
from simulator.needles import late
from simulator.restore.lexicon import (
    DIRECTIONS,
    LEVELS,
    MONTHS,
    SOURCE,
    Head,
    Lexicon,
    english,
    key_of,
    weekday_of,
)
from simulator.restore.page import (
    NOTHING,
    OPENERS,
    QUOTES,
    REPLY,
    TIDY_HEAD,
    Entry,
    ends_of,
    every,
)
from simulator.restore.report import Repair, Unknown
from simulator.smtp import VERBS

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
_UNKNOWN_PARAMETER = N_("This is not known as a parameter, nor as a translation of one.")
_UNKNOWN_MECHANISM = N_("This is not known as an AUTH mechanism, nor as a translation of one.")
_UNKNOWN_REPLY = N_("The original of this reply text is not known.")
_UNKNOWN_LINE = N_("This is not known as a line of a log.")
_AMBIGUOUS = N_("This may stand for {candidates}, and nothing around it decides which.")
_MISFIT = N_("This is a translation of {candidates}, but what follows does not fit.")
_WRONG_WEEKDAY = N_("The weekday and the date do not fit: the date was a {weekday}.")
_NO_SUCH_DATE = N_("There is no such date.")
_MASK = N_(
    "In the lists known to us, a firewall's mask is as long as the word it hides: "
    "STARTTLS has 8 letters, this {length}."
)
_BREAKS_OFF = N_("The line breaks off here; the rest is not in the document.")

_TAILS = ("\\015\\012", "\\r\\n", "\\r", "\\n", "^M$", "^M", "\\", " ", "\t", "\r")
_REMEMBERED = 4096
_ALONE = frozenset(("DATA", "RSET", "QUIT", "STARTTLS", "TURN"))
_ANYHOW = frozenset(("NOOP", "HELP", "EXPN"))
_LISTS = ("EHLO", "LHLO", "")
_NAMED = ("EHLO", "LHLO", "HELO", "QUIT", "")
# A name without a dot is told from a word that was a keyword by its case, and by no number after.
_HOST = late(r"[a-z][A-Za-z0-9-]*(?=\s+[A-Za-z]|$)")
_ENHANCED = late(r"(?:[245]\.[0-9]{1,3}\.[0-9]{1,3}|#[0-9]\.[0-9]\.[0-9])[ \t]{1,3}")
_PATH = late(
    r"(?P<space>\s{0,3})(?P<word>[^\s:：<>＜=]{1,24}(?: [^\s:：<>＜=]{1,24})?)(?P<colon> ?[:：])?"
)
_TOKEN = late(r"[A-Za-z0-9][A-Za-z0-9-]*(?=[\s=\\^]|$)")
_MASKED = late(r"X{4,12}[A-Z]?")
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


class Pass:
    """One walk over the log with some lexicons. `strict`: report all that is not known English."""

    def __init__(self, entries: list[Entry], tongues: tuple[Lexicon, ...], strict: bool) -> None:
        self.entries = entries
        self.tongues = tongues
        self.strict = strict
        self.repairs: list[Repair] = []
        self.unknown: list[Unknown] = []
        self.cut: list[int] = []
        self.lines: list[str] = []
        self._sessions: dict[str, _Session] = {}
        self._found: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
        self._heads: dict[str, Head | None] = {}
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
            for lexicon in self.tongues or (english(),):
                originals = lexicon.find(table, phrase)
                found |= dict.fromkeys(originals)
                names += [lexicon.code] * bool(originals)
            if not found and self.tongues:
                found, names = dict.fromkeys(english().find(table, phrase)), [""]
            if len(self._found) > _REMEMBERED:
                self._found.clear()
            known = self._found[table, phrase] = tuple(found), ", ".join(names)
        return known

    def _first_words(self, table: str, text: str) -> tuple[str, tuple[str, ...], str]:
        """The longest beginning of `text` that `table` knows, its originals, their languages."""
        for end in ends_of(text):
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

    def _line(self, place: int, entry: Entry) -> str:
        if not entry.kind or entry.parts is None:
            text = entry.line.text
            if not entry.body:
                self._check_line(text)
            return text
        for found, restored in entry.entities:
            self._repair(found, restored, "entity", _ENTITY_LEFT)
        for odd in entry.spaces:
            self._repair(odd, "" if odd in NOTHING else " ", "space", _SPACE_LEFT)
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
            rest = entry.text[parts.end() :]
            self._check_line(rest)
            return parts["mark"] + self._head(parts["head"]) + rest
        payload, tail = _without_tail(entry.payload, entry.parts["before"][-1:])
        if place == self._last and _breaks_off(payload):
            self.cut.append(self._number)
            self._leave(payload, _BREAKS_OFF)
        return entry.parts["before"] + self._payload(place, payload, session) + tail

    def _check_line(self, text: str) -> None:
        """Report what a program, or somebody, wrote between the lines, unless it is English."""
        foreign = any(map(str.isalpha, text)) and not text.isascii()
        if self.tongues and (foreign or (self.strict and _is_strange(text, _MOSTLY))):
            self._leave(text.strip(" \t:："), _UNKNOWN_LINE)

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
            restored = f" '{peer.strip().strip(QUOTES).strip()}'"
            if restored != peer:
                self._repair(peer, restored, "quote", _QUOTE_OTHER)
            peer = restored
        said = self._quoted(place, parts["rest"], session)
        return f"{parts['mark']}{head}{colons[0]}{parts['session']} {way}{peer}{colons[1]}{said}"

    def _way(self, way: str, to_peer: bool) -> str:
        found, names = self._find("words", way)
        found = tuple(word for word in found if word in DIRECTIONS and (" " in word) == to_peer)
        if len(found) == 1:
            return self._translate(way, found[0], "word", names)
        if found:
            self._leave(way, _AMBIGUOUS, candidates=", ".join(found))
        else:
            self._leave(way, _UNKNOWN_WAY)
        return way

    def _head(self, head: str) -> str:
        if TIDY_HEAD.fullmatch(head):
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
        if not self.tongues and known.level in LEVELS and not re.search(r"[^\W\d_]", known.found):
            return head  # numbers alone: no translation, and not the ESA's clock
        told, parts = len(self.repairs), []
        if known.date:
            if known.date != known.found and not TIDY_HEAD.fullmatch(known.found):
                why = _DATE_WEEKDAY if known.no_weekday else _DATE_FORM
                self._repair(known.found, known.date, "date", why)
                parts.append(known.date)
            else:
                parts.append(known.found)
            self._check_date(parts[0])
        level = self._level(known.level) if known.level else None
        if level:
            parts.append(self._translate(known.level, *level))
        restored = " ".join(parts)
        if restored != head and len(self.repairs) == told:
            self._repair(head, restored, "space", _SPACE_LEFT)
        return restored

    def _level(self, word: str) -> tuple[str, str, str] | None:
        found, names = self._find("words", word)
        levels = [original for original in found if original in LEVELS]
        return (levels[0], "word", names) if len(levels) == 1 else None

    def _read_head(self, head: str) -> Head | None:
        if head not in self._heads:
            read = {lexicon.head(head) for lexicon in self.tongues} - {None}
            known = {(one.date, one.found) for one in read if one}
            if len(self._heads) > _REMEMBERED:
                self._heads.clear()
            self._heads[head] = read.pop() if len(known) == 1 else None
            if not read and not known:
                self._heads[head] = english().head(head)
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
        reply = REPLY.fullmatch(payload)
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
        named = first and code in ("220", "221", "250") and session.verb in _NAMED
        return code + mark + self._reply_text(text, named=named)

    def _keyword(self, text: str, session: _Session) -> str:
        token = _TOKEN.match(text)
        word = token.group().upper() if token else ""
        if word in english().originals("keywords"):
            session.current.add(word)
            rest = text[len(word) :]
            return text[: len(word)] + self._arguments(word, rest)
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
        return restored + self._arguments(restored, rest)

    def _arguments(self, keyword: str, text: str) -> str:
        """What follows a keyword of the list."""
        if keyword == "AUTH":
            return self._mechanism(text, listed=True)
        if not text.isascii() and any(map(str.isalpha, text)):
            self._leave(text.strip(), _UNKNOWN_KEYWORD)
        return text

    def _mechanism(self, text: str, *, listed: bool = False) -> str:
        def one(match: re.Match[str]) -> str:
            found, names = self._find("mechanisms", match.group())
            if len(found) != 1 or match.group().upper() == found[0]:
                word = match.group()
                strange = self.strict and word.isalpha() and word[:1] not in "Xx"
                if listed and not found and (strange or not word.isascii()):
                    self._leave(word, _UNKNOWN_MECHANISM)
                return word
            return self._translate(match.group(), found[0], "mechanism", names)

        return re.sub(r"[^\s=]{1,40}", one, text, count=24)

    def _reply_text(self, text: str, *, named: bool) -> str:
        """`named`: this reply may begin with the name of a host."""
        status = _ENHANCED.match(text)
        start = text[: status.end()] if status else ""
        said, tail = _without_tail(text[len(start) :].partition(" <--")[0], "")
        tail = text[len(start) + len(said) :]
        if not any(map(str.isalpha, said)):
            return text
        for body, stop in ((said, ""), (said.rstrip(".。!！"), ".")):
            found, names = self._find("replies", body)
            if len(found) == 1:
                if key_of(found[0]) == key_of(body):
                    return text
                stop = stop if body != said else ""
                return start + self._translate(said, found[0] + stop, "reply", names) + tail
            if found:
                self._leave(said, _AMBIGUOUS, candidates=" | ".join(found))
                return text
        prose = _HOST.sub("", said, count=1) if named else said
        if not said.isascii() or (self.strict and _is_strange(prose, _HALF)):
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
                said = rest.split(None, 1)[0].upper() if rest.strip() else wanted
                if said != wanted and (self.strict or not rest.isascii()):
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
        if word.upper() not in english().originals("keywords"):
            for table in ("parameters", "keywords"):
                found, names = self._find(table, word)
                if len(found) == 1 and found[0].upper() != word.upper():
                    return self._translate(word, found[0], "parameter", names)
            known = word.upper() in english().originals("parameters") or word[:1] in "Xx"
            if not known and (self.strict or not word.isascii()):
                self._leave(word, _UNKNOWN_PARAMETER)
        return word

    def _answered_by_a_list(self, place: int) -> bool:
        session = self.entries[place].session
        for entry in self.entries[place + 1 : place + 40]:
            if entry.session == session and entry.kind:
                said = entry.payload
                if entry.kind == "esa" and entry.parts:
                    said = _unquote(entry.parts["rest"])[1]
                reply = REPLY.match(said)
                return (
                    reply is not None and reply["code"] == "250" and reply["mark"] not in ("", " ")
                )
        return False


_HALF, _MOSTLY = 2, 3


@cache
def _spoken() -> frozenset[str]:
    """The words of English, and those of the protocol, which no language changes."""
    tables = ("verbs", "keywords", "mechanisms", "parameters", "words", "months", "weekdays")
    words = {word for table in tables for word in english().keys(table)}
    return english().vocabulary | words | {key_of(verb) for verb in VERBS} | {"esmtp", "esmtps"}


def _is_strange(said: str, share: int) -> bool:
    """Are no more than one in `share` of the words English ones? Names and numbers are no words."""
    words = [word.strip(".,:;!?()\"'`-").casefold() for word in said[:512].split()]
    words = [word for word in words if word.isalpha() and len(word) > 1]
    known = sum(word in _spoken() for word in words)
    return bool(words) and known < len(words) and known * share <= len(words)


def _quote_reason(found: str, missing: str) -> str:
    if not found:
        return missing
    return _QUOTE_DOUBLED if set(found) == {"'"} else _QUOTE_OTHER


def _unquote(rest: str) -> tuple[str, str, str, str]:
    """Split what follows `Sent: ` into opening quote, text, closing quote, and space after it."""
    body = rest.rstrip()
    space = rest[len(body) :]
    if len(body) == 2 and body[0] == body[1] and body[0] in QUOTES:
        return body[0], "", body[1], space
    size = 0
    while size < min(2, len(body)) and body[size] in QUOTES:
        size += 1
    if size == 2 and body[0] != body[1] and key_of(body[0]) != key_of(body[1]):
        size = 1
    first, inner = body[:size], body[size:]
    last = ""
    if size == 2 and inner[-2:-1] == inner[-1:] != "" and inner[-1] in QUOTES:
        last = inner[-2:]
    elif inner and inner[-1] in QUOTES and not _belongs(inner[:-1], inner[-1], first):
        last = inner[-1]
        if inner[-2:-1] == last == "'" and not REPLY.match(inner) and inner.count("'") == 2:
            last = inner[-2:]
    inner = inner[: len(inner) - len(last)]
    if first in ("«", "‹", "「", "『"):
        inner = inner.strip()
    return first, inner, last, space


def _belongs(text: str, last: str, first: str) -> bool:
    """Does a quote at the end of the text belong to the text, as in `354 End with "."`?"""
    if first == last == "'":
        return False
    if last in OPENERS and last not in "«“‘":
        return any(opener in text for opener in OPENERS[last])
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
    return len(ends_of(said)) > 0 and key_of(said) in every("verbs")


def _is_begun(payload: str) -> bool:
    """Is this, at the end of a document, the beginning of a verb or of a keyword?"""
    reply = REPLY.fullmatch(payload)
    said = (reply["text"] if reply and reply["code"] == "250" else payload).upper()
    known = english().originals("keywords") if reply else frozenset(VERBS)
    return bool(said) and said not in known and any(word.startswith(said) for word in known)


def _date_problem(date: str) -> Text | None:
    weekday, month, day, _, year = date.split()[:5]
    real = weekday_of(int(year), MONTHS.index(month) + 1, int(day))
    if not real:
        return Text(_NO_SUCH_DATE)
    return None if weekday == real else Text(_WRONG_WEEKDAY, {"weekday": real})
