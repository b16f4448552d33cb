"""Where the value of a name stands: behind a sign, in quotes, in a tag, as the rest of a sentence.

A word that names a secret is found by `words.name`; what it names may follow in a hundred ways, on
the same line or the next.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from simulator.masking.forms import PLAIN_TOKEN, looks_secret
from simulator.masking.words import name, not_secret, stop
from simulator.needles import late

QUOTES = {
    "'": "'",
    '"': '"',
    "`": "`",
    "“": "”",
    "‘": "’",
    "«": "»",
    "„": "“",
    "「": "」",
    "『": "』",
}
_CLOSERS = late(
    r"(?::(?:protected|private|public|\\?\"[\w\\]{1,80}\\?\":private)(?=\])|\\*[\"'`”’»」』\])}*]|\[\d{0,3}\]|&(?:quot|apos|\#39|\#34|gt|nbsp);|</?\w{1,20}[^<>]{0,80}>){1,6}"
)
_VALUE_KEY = late(
    r"""[\s,]*\\?["']?(?i:value|val|content|data|default|wert|valor|string)\\?["']?\s*(?:=>|[=:])\s*"""
)
_SEPARATOR = late(r"\s{0,40}(?:(?:\# )?=>|[-–—]?->|→|:=|={1,3}|:{1,2}|：|＝|%3[AaDd]|\||~)\s*")
_DASH = late(r"\s[-–—]\s+(?=\S)")
_COMMA = late(r"\s*,\s*(?=[a-zA-Z@$]{0,2}\\?[\"'`])")
_COLUMN = late(r"\t\s*|  +")
_COPULA = late(
    r"(?i) +(?:is|was|are|ist|war|lautet|lauten|est|étai[st]|es|era|é|è|jest|to|är|er|on|is now|="
    r"|это|был|είναι|của|adalah|は|が|是|为|為) *:? *(?=\S)"
)
_QUALIFIED = late(
    r"(?i)\s*(?:\([^()]{0,40}\)|(?:for|of|para|pour|für|fuer|de|do|da|del|di|von|van|voor|för|dla|"
    r"пользователя|для|used|sent|entered|given|again|received|provided|supplied|typed|read|"
    r"encrypted|encoded|decoded|base64|b64|plain ?text|clear ?text|in clear(?: text)?|try|"
    r"smtp|imap|pop3|e-?mail|field|value|parameter|argument|was)\b[^=:\n]{0,60}?)\s*(?:[=:]|：)\s*(?=\S)"
)
_CLAUSE = late(
    r"(?i) +(?:you|that|which|i|he|she|we|they|used|sent|entered|given)\b[^.=:;]{0,60}? (?:is|was|were|be|=):? +(?=\S)"
)
_ANSWER = late(r"""["')]{0,2}\?+["')]{0,2} +(?:<?\w{1,12}>?: ?)?(?=\S)""")
"""What stands between a question for a password and its answer."""
_BLOCK = late(r"""(?:[|>][-+]?\d?|<<[-~]?["']?[A-Z]\w*["']?)\s*$""")
_PARTICLE = late(r"(?:は|が|是|为|為|[은는이가]|を|も)?\s*(?=[!-~])")
_TYPED = late(
    r"(?:\s|string\(\d+\)|(?:[brufBRUF@$]{1,2}|str|SecretStr|bytes|String|b64|base64)(?=\(?[\"'])|!!?\w+\s|"
    r"[(\[{]|\\(?=[\"'])|--|<!\[CDATA\[|\\[nrt])*"
)
_ENTITY = late(r"&(quot|apos|\#39|\#34);")
_NEXT_KEY = late(
    r"""[\s,;|}\])]+(?:and\s+|und\s+|y\s+|et\s+|e\s+)?["'$<\[-]*(?:[^\W\d][\w.-]{0,39}["'\]]{0,2}\s?(?:=>|=(?!=|\s*$)|:(?!//))(?=\s|\S)|for (?:login|user)\b)"""
)
_NAMED = late(
    r"""(?i:\s+(?:is|was|=)?\s*["'`]?)(?P<s>(?=\S*\d)(?=\S*[A-Za-z])(?!SHA|X25519|X448|P-\d|TLS|SSL|RSA|AES|HMAC|[\w-]*(?:bits?|bytes?)\b)[\w.+/~=-]{8,4096})(?!\S*[(:])"""
)
"""A key or a token behind its name alone: long, of letters and digits."""
_KEYS = late(r"(?i)(?:tokens?|keys?|secrets?)$")
_TRAIL = late(r"[\s,;)}\]]+$")
PLACEHOLDER = late(
    r"(?i)[*•●xX·.…-]{3,}|\*+|[\[(<{]{0,2}(?:[\w ]{0,20}(?:hidden|redacted|masked|removed|suppressed|"
    r"omitted|filtered|not shown|not set|non-null|non-empty)[\w ]{0,20}|none|empty|null|nil|unset|yes|no|true|false|"
    r"not required|required|password|credentials?|secret)[\])>}]{0,2}|\$\{?\w+\}?|%\w+%?|\(null\)"
)
_WORD_AFTER = late(r"\s*([^\s]+)")
_TAIL = late(r"[\w$-]*(?:[.-]\w+)*")
_USER_BEFORE = late(
    r"(?i)(?:user(?:name)?|login|account|usuario|usuário|benutzer|utilisateur)[ =:]+\S{1,128}[ ,;]+(?:and |with |und |y |e |et |mit |con |com |using |is )*$"
)


class Value(NamedTuple):
    """Where a value stands in its line."""

    start: int
    end: int
    whole: bool
    """It is a value for certain: its other occurrences are masked too."""


def _closing(text: str, start: int, close: str, escaped: bool) -> int:
    """Where a quoted value ends; the text's end where nothing closes it."""
    place = start
    while place < len(text):
        found = text.find(close, place)
        if found < 0:
            return len(text)
        strokes = 0
        while found - strokes > start and text[found - strokes - 1] == "\\":
            strokes += 1
        if escaped:
            if strokes == 1 or (strokes and len(close) > 1):
                return found - (strokes if len(close) == 1 else 0)
        elif strokes % 2 == 0:
            if text.startswith(close * 2, found) and text[found + 2 * len(close) :].strip(" ,;)]}"):
                following = text[found + 2 * len(close)]
                if following.isalnum():
                    place = found + 2 * len(close)
                    continue
            return found
        place = found + len(close)
    return len(text)


def value_at(text: str, start: int, *, sentence: bool, url: bool, markup: bool) -> Value | None:
    """The value that begins about there: quoted, or up to what must be the next thing."""
    typed = _TYPED.match(text, start)
    place = typed.end() if typed else start
    if place >= len(text):
        return None
    escaped = place > 0 and text[place - 1] == "\\" and text[place : place + 1] in ("'", '"')
    entity = _ENTITY.match(text, place)
    if entity:
        close = text.find(entity[0], entity.end())
        return Value(entity.end(), close if close >= 0 else len(text), whole=True)
    if text[place] in QUOTES:
        end = _closing(text, place + 1, QUOTES[text[place]], escaped)
        if text[place + 1 : end].strip():
            return Value(place + 1, end, whole=True)
        return None
    if text.endswith("<![CDATA[", 0, place):
        end = text.find("]]>", place)
        return Value(place, end if end >= 0 else len(text), whole=True)
    if markup:
        end = text.find("<", place)
        return Value(place, end if end >= 0 else len(text), whole=True)
    opened = place > start and text[place - 1] in "[({"
    if sentence:
        word = _WORD_AFTER.match(text, place)
        assert word is not None
        return Value(word.start(1), word.end(1), whole=True)
    following = _NEXT_KEY.search(text, place)
    end = following.start() if following else len(text)
    if url and (amp := re.compile(r"[&#\s\"'<>]").search(text, place)):
        end = min(end, amp.start())
    if text[end - 1 : end] in "\"'" and end - 1 > place:
        end -= 1
    trail = _TRAIL.search(text, place, end)
    if trail and (opened or trail.start() > place):
        end = trail.start() if trail.start() > place else end
    return Value(place, end, whole=" " not in text[place:end].strip())


class Found(NamedTuple):
    """What stands behind a name: a value, or the end of the line."""

    value: Value | None
    ends: bool
    """The line ends where the value should stand."""
    value_key: bool = False
    """A name alone: the value can only follow under a key of its own."""
    further: Value | None = None
    """A word later in the sentence that looks more like the value."""


def after(text: str, match: re.Match[str]) -> Found | None:
    """What stands behind a word that names a secret; None if it names none."""
    password = match.lastgroup == "p"
    start, place = match.span()
    latin = text[place - 1].isascii() or unicodedata.name(text[place - 1], "").startswith(
        ("LATIN", "CYRILLIC", "GREEK")
    )
    if latin:
        if not_secret().match(text, place):
            return None
        tail = _TAIL.match(text, place)
        assert tail is not None
        words = tail[0]
        if re.search(r"(?i)(?:maps?|files?|path|policy|error|exception|failed|failure)$", words):
            return None
        if words.startswith(tuple("abcdefghijklmnopqrstuvwxyz")) and not words.startswith(
            (
                "eval",
                "s",
                "cmd",
                "word",
                "wort",
                "enc",
                "md5",
                "sha",
                "hash",
                "e",
                "n",
                "m",
                "key",
                "alt",
            )
        ):
            return None
        place = tail.end()
    before = start
    while before and (text[before - 1].isalnum() or text[before - 1] in "_-.$@:"):
        before -= 1
        if start - before > 200:
            break
    lead = text[before - 1] if before else ""
    dashed = lead == "/" and (before < 2 or text[before - 2].isspace())
    dashed = (
        dashed or text[before:start].startswith(("-", "$-")) or text[before : before + 1] == "-"
    )
    if lead == "=" and match[0].lower() == "pass" and not text.startswith("=", place):
        return None  # spf=pass
    url = lead in ("?", "&")
    markup = False
    tag = text.rfind("<", max(0, before - 200), before)
    if tag >= 0 and ">" not in text[tag:before] and "=" not in text[tag:before] and lead in "</: ":
        closed = text.find(">", place)
        if 0 <= closed < place + 300 and lead != "/":
            attribute = _SEPARATOR.match(text, place)
            if not (attribute and text[place:closed].lstrip().startswith(("=", ":"))) and (
                lead == "<" or text[tag + 1 : before].endswith(":")
            ):
                if closed + 1 >= len(text.rstrip()):
                    return Found(None, ends=True)
                return Found(
                    value_at(text, closed + 1, sentence=False, url=False, markup=True), ends=False
                )
    elif tag >= 0 and ">" not in text[tag:before] and _quoted(text[tag:before]):
        return _in_tag(text, tag, place)
    closers = _CLOSERS.match(text, place)
    quoted = False
    if closers:
        place = closers.end()
        quoted = any(c in closers[0] for c in "\"'`;")
        markup = "<" in closers[0]
        if markup and text[place:].strip():
            return Found(value_at(text, place, sentence=False, url=False, markup=True), ends=False)
    for pattern in (_VALUE_KEY, _SEPARATOR, _COMMA):
        if found := pattern.match(text, place):
            rest = found.end()
            if _BLOCK.match(text, rest):
                return Found(None, ends=True)
            if "%" in found[0]:
                over = re.compile(r"%26|[&\s\"']").search(text, rest)
                return Found(
                    Value(rest, over.start() if over else len(text), whole=True), ends=False
                )
            if pattern is _SEPARATOR and found[0].strip() == "|" and rest >= len(text):
                continue
            value = value_at(text, rest, sentence=False, url=url, markup=False)
            if value is None and text[rest:].strip(" \t>|-[{(\"'+\\") == "":
                return Found(None, ends=True)
            return Found(value, ends=False)
    rest_text = text[place:]
    if not rest_text.strip(" ,;{[(\"'>"):
        return Found(None, ends=True, value_key=True)
    if rest_text.startswith("("):
        close = closing_bracket(text, place)
        if text[place + 1 : close].strip():
            return Found(Value(place + 1, close, whole=False), ends=False)
    if dashed and (space := re.compile(r" +").match(text, place)):
        value = _argument(text, space.end())
        more = None
        if value and (said := name().search(text, value.start, value.end)) and said[0].isalpha():
            # `--secret smtp:password hunter2`: the option says that a secret is coming.
            more = value_at(text, value.end, sentence=True, url=False, markup=False)
        return Found(value, ends=False, further=more)
    if password and (column := _DASH.match(text, place)):
        value = value_at(text, column.end(), sentence=True, url=False, markup=False)
        return Found(_unless_plain(text, value, strict=False), ends=False)
    if column := _COLUMN.match(text, place):
        value = value_at(text, column.end(), sentence=True, url=False, markup=False)
        return Found(_unless_plain(text, value, strict=False), ends=False)
    if not password:
        if _KEYS.search(match[0]) and (named := _NAMED.match(text, place)):
            return Found(Value(*named.span("s"), whole=True), ends=False)
        if match[0].lower().endswith(("response", "responses", "reply", "auth2", "auth3")) and (
            space := re.compile(r" +").match(text, place)
        ):
            return Found(Value(space.end(), len(text), whole=False), ends=False)
        if copula := _COPULA.match(text, place):
            value = value_at(text, copula.end(), sentence=True, url=False, markup=False)
            return Found(_unless_plain(text, value, strict=True), ends=False)
        return None
    if clause := _CLAUSE.match(text, place):
        value = value_at(text, clause.end(), sentence=True, url=False, markup=False)
        return Found(_unless_plain(text, value, strict=False), ends=False)
    if copula := _COPULA.match(text, place):
        value = value_at(text, copula.end(), sentence=True, url=False, markup=False)
        more = (
            _further(text, value.end) if value and text[value.start : value.end].isalpha() else None
        )
        return Found(_unless_plain(text, value, strict=False), ends=False, further=more)
    if qualified := _QUALIFIED.match(text, place):
        value = value_at(text, qualified.end(), sentence=False, url=False, markup=False)
        return Found(value, ends=False)
    if not latin and (particle := _PARTICLE.match(text, place)):
        value = value_at(text, particle.end(), sentence=True, url=False, markup=False)
        return Found(_unless_plain(text, value, strict=False), ends=False)
    if answer := _ANSWER.match(text, place):
        value = value_at(text, answer.end(), sentence=True, url=False, markup=False)
        if told := _unless_plain(text, value, strict=True):
            return Found(told, ends=False)
    if (further := _further(text, place)) is not None:
        return Found(further, ends=False)
    if rest_text[0] in QUOTES or rest_text.startswith(" ") or quoted:
        value = value_at(text, place, sentence=True, url=False, markup=False)
        if value is None:
            return None
        pair = _USER_BEFORE.search(text, max(0, before - 300), before)
        alone = not text[:before].strip(" \t$>-'\"[(") and not text[value.end :].strip(
            " \t;,'\")]}"
        )
        quoted_value = value.start and text[value.start - 1] in QUOTES
        strict = not (pair or alone or quoted_value)
        return Found(_unless_plain(text, value, strict=strict), ends=False)
    return None


def _quoted(text: str) -> bool:
    """Whether an attribute's value has begun, and is not yet at its end."""
    begun = re.findall(r"""=\s*(?:"[^"]*"|'[^']*'|(["'])[^"']*$)""", text)
    return bool(begun and begun[-1])


_VALUE_ATTRIBUTE = late(
    r"""(?i)\b(?:value|content|data)\s*=\s*(?:"([^"]+)(?:"|$)|'([^']+)(?:'|$)|([^\s"'<>/]+))"""
)


def _in_tag(text: str, tag: int, place: int) -> Found | None:
    """The value of a tag of which an attribute names it: another attribute, or what it holds."""
    end = text.find(">", place)
    end = end if end >= 0 else len(text)
    value = _VALUE_ATTRIBUTE.search(text, tag)
    if value and value.start() < end:
        group = next(n for n in (1, 2, 3) if value[n])
        return Found(Value(*value.span(group), whole=True), ends=False)
    if end >= len(text) or text[end - 1] == "/":
        return None
    if text[end + 1 :].strip() in ("", "<"):
        return Found(None, ends=True, value_key=True)
    if inner := re.compile(r"\s*<\w[^<>]*>").match(text, end + 1):
        end = inner.end() - 1
    return Found(value_at(text, end + 1, sentence=False, url=False, markup=True), ends=False)


_GOES_ON = late(r"(?i)(?:\? it(?:['’]s| is))?(?:[^.!?\n]|[.!?](?=\S)){0,60}")


def _further(text: str, place: int) -> Value | None:
    """A password a few words further on in the sentence, whatever its language says before it."""
    reach = _GOES_ON.match(text, place)
    words = list(
        re.finditer(r"""[^\s"'`,()«»„“”]+""", text[place : reach.end() if reach else place])
    )
    for word in words[:5]:
        if re.search(r"\d", word[0]) and re.search(r"[^\W\d_]", word[0]):
            start = place + word.start()
            whole = re.compile(r"""[^\s"'`,()«»„“”]+""").match(text, start)
            if (
                whole
                and looks_secret(whole[0])
                and not PLAIN_TOKEN.fullmatch(whole[0].strip(".,;:!?"))
            ):
                return Value(start, start + len(whole[0].rstrip(".,;:!?")), whole=True)
    return None


def _argument(text: str, start: int) -> Value | None:
    """One argument of a command line."""
    value = value_at(text, start, sentence=True, url=False, markup=False)
    if value is None or text[value.start : value.end].startswith("-"):
        return None
    if text.startswith("pass:", value.start):
        return value._replace(start=value.start + len("pass:"))
    return value


def _unless_plain(text: str, value: Value | None, *, strict: bool) -> Value | None:
    """The value, unless it is a word that a sentence goes on with."""
    if value is None:
        return None
    word = text[value.start : value.end]
    bare = word.strip("\"'`.,;:!?()[]").lower()
    if bare in stop() or not bare or (strict and not looks_secret(word)):
        return None
    if bare.startswith(("http://", "https://")):
        return None
    return value


def closing_bracket(text: str, start: int) -> int:
    """The place of the bracket that closes the one at `start`, or the text's end."""
    depth, quote, place = 0, "", start
    while place < len(text):
        char = text[place]
        if quote:
            if char == "\\":
                place += 1
            elif char == quote:
                quote = ""
        elif char in "\"'" and (char == '"' or not text[place - 1].isalnum()):
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return place
        place += 1
    return len(text)
