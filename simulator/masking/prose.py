"""Lines that nobody understood, without the secrets that stand in them.

A password is recognised by its place (behind a word that names it, in a URL, on a command line, in
a call) or by its form (a token of a known issuer, a SASL response). `secrets.toml` holds the words
and the forms, each with examples. Lines are read one after another, for a value may stand on the
line after its name, and a key goes on over many.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
import threading
import unicodedata
from importlib.resources import files
from typing import NamedTuple

import msgspec

from simulator import smtp

MASK = "********"

LONGEST = 4_000
"""Characters of a line that are looked at; what lies behind them is masked unread."""

_loading = threading.Lock()


class Names(msgspec.Struct, frozen=True):
    """Words that name a secret, and how freely they may stand."""

    of: str
    anywhere: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    said: bool = False


class Shape(msgspec.Struct, frozen=True):
    """What tells a secret by its form: `find` is tried where one of `has` stands in a line."""

    of: str
    has: tuple[str, ...]
    find: str
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

    names: tuple[Names, ...]
    not_secret: NotSecret
    shapes: tuple[Shape, ...]
    keeps: tuple[Lines, ...]
    masks: tuple[Lines, ...]


@functools.cache
def table() -> Table:
    """What names a secret, and what one looks like."""
    text = (files("simulator.masking") / "secrets.toml").read_bytes()
    with _loading:
        return msgspec.toml.decode(text, type=Table)


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
def _name() -> re.Pattern[str]:
    """A word that names a secret: group `p` a password, `k` something else."""
    parts = []
    for group, said in (("p", True), ("k", False)):
        chosen = [names for names in table().names if names.said is said]
        free = _either([word for names in chosen for word in names.anywhere])
        apart = _either([word for names in chosen for word in names.apart])
        glued = rf"|(?<=\w){_GLUED}(?i:pass|pwd){_END}" if said else ""
        parts.append(rf"(?P<{group}>(?i:{free})|{_START}(?i:{apart}){_END}{glued})")
    return re.compile("|".join(parts))


@functools.cache
def _hints() -> tuple[str, ...]:
    """What a text holds, in lower case, if it names a secret: a part of each word, cheap to find."""
    found = set()
    for names in table().names:
        for word in (*names.anywhere, *names.apart):
            for part in _literals(word):
                found |= {form.lower() for form in _spellings(part)}
    return tuple(sorted(found))


def _literals(word: str) -> list[str]:
    """A part that every text has which an expression matches; one of several, where it chooses."""
    plain, inner = word, word
    while plain != (plain := re.sub(r"\((?:\?[:=])[^()]*\)\??", "\0", plain)):
        pass
    plain = re.sub(r"\[[^\]]*\]\??|.\?", "\0", plain)
    parts = [part for part in re.split(r"[\0\\]", plain) if part.strip()]
    if parts:
        return [max(parts, key=len)]
    inner = re.findall(r"\(\?:([^()]*)\)", word)[-1]
    return [part for one in inner.split("|") for part in _literals(one)]


def _spellings(text: str) -> set[str]:
    """A text with its accents composed, apart and left out."""
    apart = unicodedata.normalize("NFD", text)
    bare = "".join(c for c in apart if not unicodedata.combining(c) or not apart[0].isascii())
    return {text, apart, apart.replace("\u0307", ""), bare if bare.isascii() else text}


@functools.cache
def _shapes() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    return tuple((shape.has, re.compile(shape.find)) for shape in table().shapes)


@functools.cache
def _stop() -> frozenset[str]:
    return frozenset(table().not_secret.words)


@functools.cache
def _not_secret() -> re.Pattern[str]:
    """What follows a name and takes its meaning from it, as in `password_maps`."""
    endings = "|".join(sorted(table().not_secret.endings, key=len, reverse=True))
    return re.compile(
        rf"[._-]?(?:{endings})(?![a-z])|(?:{'|'.join(e.title() for e in table().not_secret.endings)})"
        r"(?![a-z])|[ -](?:maps|file|path|policy|mechanisms?|authenticat\w+|based)\b",
    )


# Where the value of a name stands ----------------------------------------------------------------

_QUOTES = {
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
_CLOSERS = re.compile(
    r"(?:\\*[\"'`”’»」』\])}*]|&(?:quot|apos|\#39|\#34|gt|nbsp);|</?\w{1,20}[^<>]{0,80}>){1,6}"
)
_VALUE_KEY = re.compile(
    r"""[\s,]*\\?["']?(?i:value|val|content|data|default|wert|valor|string)\\?["']?\s*(?:=>|[=:])\s*"""
)
_SEPARATOR = re.compile(r"\s{0,40}(?:=>|[-–—]?->|→|:=|={1,3}|:{1,2}|：|＝|%3[AaDd]|\||~)\s*")
_COMMA = re.compile(r"\s*,\s*(?=[a-zA-Z@$]{0,2}\\?[\"'`])")
_COLUMN = re.compile(r"\t\s*|  +")
_COPULA = re.compile(
    r"(?i) +(?:is|was|are|ist|war|lautet|lauten|est|étai[st]|es|era|é|è|jest|to|är|er|on|is now|="
    r"|это|был|είναι|của|adalah|は|が|是|为|為) *:? *(?=\S)"
)
_QUALIFIED = re.compile(
    r"(?i)\s*(?:\([^()]{0,40}\)|(?:for|of|para|pour|für|fuer|de|do|da|del|di|von|van|voor|för|dla|"
    r"пользователя|для|used|sent|entered|given|again|received|provided|supplied|typed|read|"
    r"encrypted|encoded|decoded|base64|b64|plain ?text|clear ?text|in clear(?: text)?|try|"
    r"smtp|imap|pop3|e-?mail|field|value|parameter|argument|was)\b[^=:\n]{0,60}?)\s*(?:[=:]|：)\s*(?=\S)"
)
_CLAUSE = re.compile(
    r"(?i) +(?:you|that|which|i|he|she|we|they|used|sent|entered|given)\b[^.=:;]{0,60}? (?:is|was|were|be|=):? +(?=\S)"
)
_BLOCK = re.compile(r"[|>][-+]?\d?\s*$")
_PARTICLE = re.compile(r"(?:は|が|是|为|為|[은는이가]|を|も)?\s*(?=[!-~])")
_TYPED = re.compile(
    r"(?:\s|string\(\d+\)|(?:[brufBRUF@$]{1,2}|str|SecretStr|bytes|String|b64|base64)(?=\(?[\"'])|!!?\w+\s|"
    r"[(\[{]|\\(?=[\"'])|--|<!\[CDATA\[|\\[nrt])*"
)
_ENTITY = re.compile(r"&(quot|apos|\#39|\#34);")
_NEXT_KEY = re.compile(
    r"""[\s,;|}\])]+(?:and\s+|und\s+|y\s+|et\s+|e\s+)?["'$<\[-]*(?:[^\W\d][\w.-]{0,39}["'\]]{0,2}\s?(?:=>|=(?!=|\s*$)|:(?!//))(?=\s|\S)|for (?:login|user)\b)"""
)
_TRAIL = re.compile(r"[\s,;)}\]]+$")
_PLACEHOLDER = re.compile(
    r"(?i)[*•●xX·.…-]{3,}|\*+|[\[(<{]{0,2}(?:[\w ]{0,20}(?:hidden|redacted|masked|removed|suppressed|"
    r"omitted|filtered|not shown|not set|non-null|non-empty)[\w ]{0,20}|none|empty|null|nil|unset|yes|no|true|false|"
    r"not required|required|password|credentials?|secret)[\])>}]{0,2}|\$\{?\w+\}?|%\w+%?|\(null\)"
)
_WORD_AFTER = re.compile(r"\s*([^\s]+)")
_TAIL = re.compile(r"[\w$-]*(?:[.-]\w+)*")
_USER_BEFORE = re.compile(
    r"(?i)(?:user(?:name)?|login|account|usuario|usuário|benutzer|utilisateur)[ =:]+\S{1,128}[ ,;]+(?:and |with |und |y |e |et |mit |con |com |using |is )*$"
)


def looks_secret(word: str) -> bool:
    """Whether one word of a sentence looks like no word, but like a password."""
    word = word.strip("\"'`.,;:!?()[]<>")
    if len(word) < 4 or "://" in word or re.match(r"[245]\.\d\.\d|[/~][\w.-]+/|\d{3}[ -]?$", word):
        return False
    letters = any(c.isalpha() for c in word)
    if any(c.isdigit() for c in word):
        return True
    if re.search(r"[a-z][A-Z]", word):
        return True
    return letters and re.search(r"[^\w\s.'’/-]", word) is not None


class _Value(NamedTuple):
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


def _value(text: str, start: int, *, sentence: bool, url: bool, markup: bool) -> _Value | None:
    """The value that begins about there: quoted, or up to what must be the next thing."""
    typed = _TYPED.match(text, start)
    place = typed.end() if typed else start
    if place >= len(text):
        return None
    escaped = place > 0 and text[place - 1] == "\\" and text[place : place + 1] in ("'", '"')
    entity = _ENTITY.match(text, place)
    if entity:
        close = text.find(entity[0], entity.end())
        return _Value(entity.end(), close if close >= 0 else len(text), whole=True)
    if text[place] in _QUOTES:
        end = _closing(text, place + 1, _QUOTES[text[place]], escaped)
        if text[place + 1 : end].strip():
            return _Value(place + 1, end, whole=True)
        return None
    if markup:
        end = text.find("<", place)
        return _Value(place, end if end >= 0 else len(text), whole=True)
    opened = place > start and text[place - 1] in "[({"
    if sentence:
        word = _WORD_AFTER.match(text, place)
        assert word is not None
        return _Value(word.start(1), word.end(1), whole=True)
    following = _NEXT_KEY.search(text, place)
    end = following.start() if following else len(text)
    if url and (amp := re.compile(r"[&#\s\"'<>]").search(text, place)):
        end = min(end, amp.start())
    if text[end - 1 : end] in "\"'" and end - 1 > place:
        end -= 1
    trail = _TRAIL.search(text, place, end)
    if trail and (opened or trail.start() > place):
        end = trail.start() if trail.start() > place else end
    return _Value(place, end, whole=" " not in text[place:end].strip())


class _Found(NamedTuple):
    value: _Value | None
    ends: bool
    """The line ends where the value should stand."""
    value_key: bool = False
    """A name alone: the value can only follow under a key of its own."""


def _after(text: str, match: re.Match[str]) -> _Found | None:
    """What stands behind a word that names a secret; None if it names none."""
    password = match.lastgroup == "p"
    start, place = match.span()
    latin = text[place - 1].isascii() or unicodedata.name(text[place - 1], "").startswith(
        ("LATIN", "CYRILLIC", "GREEK")
    )
    if latin:
        if _not_secret().match(text, place):
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
    dashed = text[before:start].startswith(("-", "$-")) or text[before : before + 1] == "-"
    if lead == "=" and match[0].lower() == "pass":
        return None  # spf=pass
    url = lead in ("?", "&")
    markup = False
    tag = text.rfind("<", max(0, before - 200), before)
    if tag >= 0 and ">" not in text[tag:before] and "=" not in text[tag:before] and lead in "</: ":
        closed = text.find(">", place)
        if 0 <= closed < place + 300 and lead != "/":
            attribute = _SEPARATOR.match(text, place)
            if not (attribute and text[place:closed].lstrip().startswith("=")) and (
                lead == "<" or text[tag + 1 : before].endswith(":")
            ):
                if closed + 1 >= len(text.rstrip()):
                    return _Found(None, ends=True)
                return _Found(
                    _value(text, closed + 1, sentence=False, url=False, markup=True), ends=False
                )
    closers = _CLOSERS.match(text, place)
    quoted = False
    if closers:
        place = closers.end()
        quoted = any(c in closers[0] for c in "\"'`;")
        markup = "<" in closers[0]
        if markup and text[place:].strip():
            return _Found(_value(text, place, sentence=False, url=False, markup=True), ends=False)
    for pattern in (_VALUE_KEY, _SEPARATOR, *((_COMMA,) if quoted else ())):
        if found := pattern.match(text, place):
            rest = found.end()
            if _BLOCK.match(text, rest):
                return _Found(None, ends=True)
            if "%" in found[0]:
                over = re.compile(r"%26|[&\s\"']").search(text, rest)
                return _Found(
                    _Value(rest, over.start() if over else len(text), whole=True), ends=False
                )
            if pattern is _SEPARATOR and found[0].strip() == "|" and rest >= len(text):
                continue
            value = _value(text, rest, sentence=False, url=url, markup=False)
            if value is None and text[rest:].strip(" \t>|-[{(\"'+\\") == "":
                return _Found(None, ends=True)
            return _Found(value, ends=False)
    rest_text = text[place:]
    if not rest_text.strip(" ,;{[(\"'>"):
        return _Found(None, ends=True, value_key=True)
    if rest_text.startswith("("):
        close = _closing_bracket(text, place)
        if text[place + 1 : close].strip():
            return _Found(_Value(place + 1, close, whole=False), ends=False)
    if dashed and (space := re.compile(r" +").match(text, place)):
        return _Found(_argument(text, space.end()), ends=False)
    if column := _COLUMN.match(text, place):
        value = _value(text, column.end(), sentence=True, url=False, markup=False)
        return _Found(_unless_plain(text, value, strict=False), ends=False)
    if not password:
        if match[0].lower().endswith(("response", "responses", "reply", "auth2", "auth3")) and (
            space := re.compile(r" +").match(text, place)
        ):
            return _Found(_Value(space.end(), len(text), whole=False), ends=False)
        if copula := _COPULA.match(text, place):
            value = _value(text, copula.end(), sentence=True, url=False, markup=False)
            return _Found(_unless_plain(text, value, strict=True), ends=False)
        return None
    if clause := _CLAUSE.match(text, place):
        value = _value(text, clause.end(), sentence=True, url=False, markup=False)
        return _Found(_unless_plain(text, value, strict=False), ends=False)
    if copula := _COPULA.match(text, place):
        value = _value(text, copula.end(), sentence=True, url=False, markup=False)
        return _Found(_unless_plain(text, value, strict=False), ends=False)
    if qualified := _QUALIFIED.match(text, place):
        value = _value(text, qualified.end(), sentence=False, url=False, markup=False)
        return _Found(value, ends=False)
    if not latin and (particle := _PARTICLE.match(text, place)):
        value = _value(text, particle.end(), sentence=True, url=False, markup=False)
        return _Found(_unless_plain(text, value, strict=False), ends=False)
    if rest_text.startswith(" ") or quoted:
        value = _value(text, place, sentence=True, url=False, markup=False)
        if value is None:
            return None
        pair = _USER_BEFORE.search(text, max(0, before - 300), before)
        alone = not text[:before].strip(" \t$>-'\"[(") and not text[value.end :].strip(
            " \t;,'\")]}"
        )
        quoted_value = value.start and text[value.start - 1] in _QUOTES
        strict = not (pair or alone or quoted_value)
        return _Found(_unless_plain(text, value, strict=strict), ends=False)
    return None


def _argument(text: str, start: int) -> _Value | None:
    """One argument of a command line."""
    value = _value(text, start, sentence=True, url=False, markup=False)
    if value is None or text[value.start : value.end].startswith("-"):
        return None
    if text.startswith("pass:", value.start):
        return value._replace(start=value.start + len("pass:"))
    return value


def _unless_plain(text: str, value: _Value | None, *, strict: bool) -> _Value | None:
    """The value, unless it is a word that a sentence goes on with."""
    if value is None:
        return None
    word = text[value.start : value.end]
    bare = word.strip("\"'`.,;:!?()[]").lower()
    if bare in _stop() or not bare or (strict and not looks_secret(word)):
        return None
    if bare.startswith(("http://", "https://")):
        return None
    return value


def _closing_bracket(text: str, start: int) -> int:
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


# Forms ---------------------------------------------------------------------------------------------

MECHANISMS = frozenset(
    [
        "PLAIN",
        "LOGIN",
        "EXTERNAL",
        "NTLM",
        "GSSAPI",
        "GSS-SPNEGO",
        "XOAUTH",
        "XOAUTH2",
        "OAUTHBEARER",
        "ANONYMOUS",
        "CRAM-MD5",
        "CRAM-SHA1",
        "CRAM-SHA256",
        "DIGEST-MD5",
        "DIGEST-MD4",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-512-PLUS",
        "SCRAM-MD5",
        "KERBEROS_V4",
        "KERBEROS_V5",
        "OTP",
        "SKEY",
        "SECURID",
        "SRP",
        "PASSDSS-3DES-1",
        "9798-U-RSA-SHA1-ENC",
        "MSN",
        "WEBEX",
        "ECDSA-NIST256P-CHALLENGE",
        "X-FOO",
        "XAMPP",
        "XYMCOOKIE",
        "XYMPKI",
        "X-UNIX-USER",
        "X-NETSCAPE-KERBEROS",
        "OPENID20",
        "SAML20",
        "GS2-KRB5",
        "GS2-KRB5-PLUS",
        "PLAIN-CLIENTTOKEN",
        "XYMECOOKIEB64",
        "DELTA",
        "LMTP",
        "NMAS_LOGIN",
        "SXOVER-PLUS",
        "EAP-AES128",
    ]
)
"""SASL mechanisms, of IANA's registry and as logs have them."""

_SMTP_WORDS = (
    frozenset(smtp.VERBS)
    | MECHANISMS
    | frozenset(
        [
            "PIPELINING",
            "SIZE",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "DELIVERBY",
            "BINARYMIME",
            "REQUIRETLS",
            "LIMITS",
            "OK",
            "READY",
        ]
    )
)

_AUTH = re.compile(
    r"(?i)\bAUTH(?:ENTICATE)?(?:[\s=:+\xa0]|&nbsp;|%20)+(?=\S)(?P<mech>[A-Za-z0-9_-]{3,40}(?![\w/+]))?"
    r"(?:(?:[\s=:+\xa0,]|&nbsp;|%20)+(?P<blob>[^\s'\"\\<>|]{2,}))?"
)
_BLOB = re.compile(r"(?<![\w+/=.@-])[A-Za-z0-9+/_-]{8,16000}={0,2}(?![\w+/@=-]|\.\w)")
_ALONE = re.compile(
    r"^(?P<lead>\s*(?:[^\s:]{0,3}[<>→←:|=~*-]{1,4}\s*|[0-9A-Fa-f]{4,8}:\s+|[CS]:\s*|>+\s*)?[\"'`b]{0,2})"
    r"(?P<s>[A-Za-z0-9+/_-]{4,16000}={0,3})(?P<trail>[\"'`]?(?:\\r|\\n)*[\"'`,;)]*\s*)$"
)
_LAST = re.compile(r"[:>\]|] {1,20}[\"']?(?P<s>[A-Za-z0-9+/_-]{6,4000}={0,2})[\"']?$")
"""The last word of a line, behind a mark of whatever log."""
_CONTINUES = re.compile(
    r"^(?P<lead>\s*(?:[0-9A-Fa-f]{4,8}:\s+|[<>~=|*-]{1,4}\s+|[CS]:\s*)?[\"'`]?)(?P<s>[A-Za-z0-9+/_-]{1,16000}={0,3})(?P<trail>[\"'`]?(?:\\r|\\n)*\s*)$"
)
_PROMPTS = ("username:", "password:", "user name", "login:", "user:", "username", "password")


def decoded(blob: str) -> bytes:
    """A blob's octets, empty if it is no base64 (RFC 4648)."""
    text = blob.rstrip("=").replace("-", "+").replace("_", "/")
    if len(text) % 4 == 1:
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


_SASL = re.compile(
    rb"(?s)^[^\0]{0,255}\0[^\0]{1,255}\0?.*|.*\x01auth=|^[npy],,|^c=[a-zA-Z0-9+/=]+,r=|^NTLMSSP"
    rb"|.*[ ][0-9a-f]{32}$|.*response=|\x60\x82|^user=|^username="
)


def is_sasl(blob: str) -> bool:
    """Whether base64 holds what a client answers in a SASL exchange."""
    octets = decoded(blob)
    if not octets or not _SASL.match(octets):
        return False
    if octets.startswith((b"NTLMSSP", b"\x60\x82")):
        return True
    printable = sum(32 <= c < 127 or c in (0, 1) for c in octets)
    return printable >= 0.9 * len(octets)


def is_blob(word: str) -> bool:
    """Whether a word that stands alone is base64 rather than a word or a name."""
    bare = word.rstrip("=")
    if len(word) < 8 and not (word.endswith("=") and len(word) % 4 == 0):
        return False
    if re.fullmatch(r"[A-Z0-9_-]+|[a-z_-]+|[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)*|\d+", bare) and (
        not word.endswith("=")
    ):
        return False
    octets = decoded(word)
    if not octets:
        return False
    return octets.decode("latin-1").strip("\0 ").lower() not in _PROMPTS


_IDENTIFIER = re.compile(r"(?:[A-Z]*[a-z]*\d{0,4}_)+[A-Z]*[a-z]*\d{0,4}")


def _readable(blob: str) -> bool:
    """Whether base64 holds text, and no word is spelled by chance like base64."""
    octets = decoded(blob)
    mixed = any(c.isdigit() for c in blob) or blob.endswith("=")
    return mixed and all(32 <= c < 127 or c == 0 for c in octets)


def _is_key(word: str) -> bool:
    """Whether a word is long and mixed as only keys and encodings are."""
    bare = word.rstrip("=")
    if (
        len(bare) < 24
        or "-" in bare
        or _IDENTIFIER.fullmatch(bare)
        or re.fullmatch(r"[0-9A-Fa-f]+|[A-Z0-9_]+|[a-z0-9_]+", bare)
    ):
        return False
    return (
        any(c.isdigit() for c in bare)
        and any(c.islower() for c in bare)
        and any(c.isupper() for c in bare)
        and bool(decoded(word))
        and bare.count("/") <= len(bare) / 12
        and not re.match(r"(?:[A-Z0-9]+_)+[A-Z0-9]+$", bare)
    )


_CALL = re.compile(
    r"(?i)[\w$>:.-]*(?:login|logon|sign_?in|auth\w*|credentials?\w*|passw\w*|NetworkCredential)\s?\("
)
_CALLED = re.compile(r"log[io]n|sign_?in|auth|cred|passw|->|::|#\d")
_FRAME = re.compile(r"^\s*#\d+ |(?:->|::)\w+\(")
_LISTED = re.compile(
    r"(?i)\b(?:auth\w*|creds|credentials?|login)[\"']?\s*(?:=>|[=:])\s*[\[({](?!\s*$)"
)
_STRING = re.compile(r"'(?:[^'\\]|\\.){0,4000}'|\"(?:[^\"\\]|\\.){0,4000}\"")
_BENIGN = re.compile(
    r"(?i)(?:EHLO|HELO|LHLO|STARTTLS|MAIL|RCPT|DATA|RSET|NOOP|QUIT|HELP|VRFY)\b.*|AUTH(?: [A-Z0-9-]{3,20})?"
    r"|\w+://[^@]*|(?:/|[A-Z]:\\)[\w./\\ -]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[^@\s]+@[\w.-]*|[a-z ]{0,24}|[A-Z][a-z]{1,24}"
    r"|[A-Z-]{2,12}|[\d.:]*|[A-Z]\w*\\[\w\\]*|[\s\\rn]*"
)
_ENCODED = re.compile(r"(?i)base64|b64")


# Dumps ---------------------------------------------------------------------------------------------

_SETTING = re.compile(r"\s+[\w.-]+\s*[=:]\s*\S")

_DUMP = re.compile(
    r"^(?P<lead>\s{0,20}(?:\S{1,40}\s{1,20})?(?:0x)?[0-9A-Fa-f]{4,8}:?\s{1,4}-?\s?)"
    r"(?P<hex>[0-9A-Fa-f]{2}(?:[ -]{0,3}[0-9A-Fa-f]{2}){0,40}[ -]{0,2})(?P<text>(?:\s{1,60}\S.*)?)$"
)


_NUMBERS = re.compile(r"\[((?:\d{1,3}, ?){7,4000}\d{1,3})\]")
_HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{2}){8,2000}(?![0-9A-Za-z])")
_ROW_WITHIN = re.compile(
    r"(?<=\s)(?:0x)?[0-9A-Fa-f]{4,8}:?\s{1,4}(?P<hex>(?:[0-9A-Fa-f]{2}){1,2}"
    r"(?:[ -]{1,3}(?:[0-9A-Fa-f]{2}){1,2}){2,31})(?=\s|$)"
)
"""A row of a dump that a reader joined with the line before it."""


def _dumped(line: str) -> tuple[str, bytes] | None:
    """What goes before the octets on a line of a dump, and the octets."""
    match = _DUMP.match(line)
    if not match or not (
        re.search(r"[0-9A-Fa-f]{2}[ -][0-9A-Fa-f]{2}", match["hex"]) or ":" in match["lead"]
    ):
        return None
    digits = re.sub(r"[ -]", "", match["hex"])
    text = match["text"].strip()
    octets = bytes.fromhex(digits)
    if text and not re.fullmatch(r"[.\x20-\x7e|�·]{1,80}", text):
        return None
    return match["lead"], octets


class Masker:
    """Masks line after line; what one line begins, the next may end."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        """Secrets that were masked, whose other occurrences can be masked as well."""
        self.authenticating = False
        """AUTH was said: a word alone may be an answer to it."""
        self._hints, self._shapes = _hints(), _shapes()
        self._pending = ""
        self._patience = 0
        """Lines that may still stand between a name and the key of its value."""
        self._columns: tuple[str, int, int] | None = None
        """What parts the columns of a table, how many there are, and which holds a secret."""
        self._indent = -1
        self._key = False
        self._public = False
        self._blob = False
        self._hex = False
        self._ticket = False

    def prepare(self, text: str) -> None:
        """Say all that is to come, so that what is nowhere in it is not looked for."""
        lowered = text.lower().replace("\u0307", "")
        self._hints = tuple(hint for hint in _hints() if hint in lowered)
        self._shapes = tuple(
            (has, pattern)
            for signs, pattern in _shapes()
            if (has := tuple(sign for sign in signs if sign in lowered))
        )

    def interrupted(self) -> None:
        """Something came in between that was understood."""
        self._pending, self._indent, self._blob, self._hex, self._ticket = (
            "",
            -1,
            False,
            False,
            False,
        )

    def await_rest(self) -> None:
        """A response ended with the line; what follows may be the rest of it."""
        self._blob = True

    def block(self, lines: list[str]) -> list[str]:
        """Lines that follow one another, with dumps among them read as wholes."""
        out: list[str] = []
        place = 0
        while place < len(lines):
            dump = []
            while place < len(lines) and (row := _dumped(lines[place])):
                dump.append((lines[place], *row))
                place += 1
            if dump:
                out.extend(self._dump(dump))
                continue
            out.append(self.line(lines[place]))
            place += 1
        return out

    def _dump(self, rows: list[tuple[str, str, bytes]]) -> list[str]:
        octets = b"".join(row[2] for row in rows)
        shown = not self._ticket and not self._hex and _harmless(octets)
        if shown:
            return [row[0] for row in rows]
        text = octets.decode("latin-1")
        self._hex = bool(re.search(r"(?i)\bAUTH\b|^334", text))
        for word in re.findall(r"[!-~]{6,}", text):
            if is_sasl(word) or looks_secret(word):
                self._keep(word)
        for line, lead, _ in rows:
            column = re.split(r" {2,}", line[len(lead) :].strip())[-1].strip("| ")
            if len(column) > 8:
                self._keep(column)
        return [f"{lead}{MASK}" for _, lead, _ in rows]

    def line(self, line: str, *, understood: bool = False) -> str:
        """One line, its secrets masked. `understood`: part of the dialogue, so no bare blob."""
        cut = ""
        if len(line) > LONGEST:
            line, cut = line[:LONGEST], MASK
        if not understood and (whole := self._state(line)) is not None:
            return whole
        if not understood and self._hints:
            self._heads(line)
        spans = self._spans(line, understood=understood)
        if not spans:
            return line + cut
        return _covered(line, spans) + cut

    def _keep(self, secret: str) -> None:
        self.found[secret] = None

    # What the lines before have begun ----------------------------------------------------------------

    def _state(self, line: str) -> str | None:
        if "-----" in line:
            if begin := re.search(r"-----BEGIN ([A-Z0-9 ]{0,60})-----", line):
                secret = "PRIVATE" in begin[1] and "-----END" not in line[begin.end() :]
                self._key, self._public = secret, "PRIVATE" not in begin[1]
                if secret:
                    rest = line[begin.end() :]
                    return line[: begin.end()] + (MASK if rest.strip("\\rn\"' ") else rest)
                return None
            if "-----END" in line:
                self._key = self._public = False
                return line
        if self._key or re.match(r"(?i)Private-(?:Lines|MAC)\b", line):
            self._key = self._key or line.lower().startswith("private-lines")
            if re.match(r"[\w+/=\\\s,\"':.-]*$", line) or not line.strip():
                if re.match(r"(?i)\s*private-lines", line):
                    return line
                return MASK if line.strip() else line
            self._key = False
        if self._public:
            if re.match(r"[\w+/=\s.]*$", line):
                return line
            self._public = False
        if self._columns:
            if (row := self._row(line)) is not None:
                return row
            self._columns = None
        if self._pending:
            waiting, self._pending = self._pending, ""
            if not line.strip():
                self._pending = waiting
                return None
            masked = self._awaited(line, waiting)
            if masked is not None:
                return masked
            if waiting == "key" and self._patience and _SETTING.match(line):
                self._pending, self._patience = waiting, self._patience - 1
        elif self._indent >= 0:
            if line.strip() and len(line) - len(line.lstrip()) > self._indent:
                return line[: len(line) - len(line.lstrip())] + MASK
            self._indent = -1
        if self._blob:
            if match := _CONTINUES.match(line):
                self._keep(match["s"])
                return f"{match['lead']}{MASK}{match['trail']}"
            self._blob = False
        return None

    def _row(self, line: str) -> str | None:
        """A row of a table of which a column holds secrets; None if it is none."""
        assert self._columns is not None
        between, count, place = self._columns
        if re.fullmatch(r"[\s+|=-]+", line) and line.strip():
            return line
        cells = line.split(between)
        if len(cells) != count:
            return None
        if cell := cells[place].strip(" \"'"):
            self._keep(cell)
            cells[place] = cells[place].replace(cell, MASK)
        return between.join(cells)

    def _heads(self, line: str) -> None:
        """Whether the line is the head of a table of which a column holds secrets."""
        for between in ("|", ",", "\t", ";"):
            cells = [cell.strip(" \"'") for cell in line.split(between)]
            if len(cells) < 3 or not all(re.fullmatch(r"[A-Za-z][\w -]{0,30}|", c) for c in cells):
                continue
            for place, cell in enumerate(cells):
                if re.fullmatch(r"(?i)[a-z_ -]{0,20}(?:pass(?:word|wd)?|pwd|secret|token)", cell):
                    self._columns = (between, len(cells), place)
                    return

    def _awaited(self, line: str, waiting: str) -> str | None:
        """A line on which the value of the name before it should stand."""
        if waiting == "key":
            key = re.match(
                r"""(?i)\s*[-\s]*\\?["'<]?(?:value|val|content|data|default|string)(?:[^>:=]{0,40}>|\\?["']?\s*(?:=>|[=:])\s*)""",
                line,
            )
            if not key:
                return None
            start = key.end()
            value = _value(line, start, sentence=False, url=False, markup=key[0].endswith(">"))
        else:
            if re.match(r"\s*[}\])]|[245]\d\d[ -]|\s*-----", line) or _is_talk(line):
                return None
            if re.match(r"\s*[\"']?[\w.-]{2,40}[\"']?\s*(?:=>|[=:]\s)", line) and not re.match(
                r"\s*[\"']?(?:string|value)\b", line
            ):
                return None
            start = len(line) - len(line.lstrip())
            value = _value(line, start, sentence=False, url=False, markup=False)
            if line[start : start + 1] not in _QUOTES and value and waiting.startswith("block"):
                self._indent = int(waiting[5:])
        if value is None:
            return None
        self._keep(line[value.start : value.end].strip())
        return f"{line[: value.start]}{MASK}{line[value.end :]}"

    # One line -----------------------------------------------------------------------------------------

    def _spans(self, line: str, *, understood: bool) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        lowered = line.lower()
        if self._ticket:
            self._ticket = False
        if "session ticket" in lowered or "keying material" in lowered:
            self._ticket = True
        for has, pattern in self._shapes:
            for sign in has:
                if sign in lowered:
                    break
            else:
                continue
            for match in pattern.finditer(line):
                for group in range(1, (pattern.groups or 0) + 1):
                    if match[group]:
                        self._add(spans, line, *match.span(group))
                        break
                else:
                    if not pattern.groups or not any(match.groups()):
                        if (
                            pattern.groups == 0
                            or "s" not in pattern.groupindex
                            or (match[0].startswith("$"))
                        ):
                            self._add(spans, line, *match.span())
        if not understood and "auth" in lowered:
            self._auth(spans, line)
        if ("(" in line or "[" in line) and _CALLED.search(lowered):
            self._calls(spans, line)
        if self._hints:
            bare = lowered.replace("\u0307", "")
            for hint in self._hints:
                if hint in bare:
                    self._names(spans, line, understood=understood)
                    break
        if not understood and (rows := list(_ROW_WITHIN.finditer(line, 1))):
            octets = b"".join(bytes.fromhex(re.sub(r"[ -]", "", row["hex"])) for row in rows)
            if not _harmless(octets):
                spans.extend(row.span("hex") for row in rows)
        if not understood:
            self._as_octets(spans, line)
        if not understood and "64" in line and _ENCODED.search(line):
            for match in _STRING.finditer(line):
                if len(match[0]) > 4 and not re.match(
                    r"[\"'](?i:base64|utf-?8|ascii)[\"']", match[0]
                ):
                    self._add(spans, line, match.start() + 1, match.end() - 1)
        if not self._public:
            self._blobs(spans, line, understood=understood)
        return spans

    def _add(
        self, spans: list[tuple[int, int]], line: str, start: int, end: int, *, whole: bool = True
    ) -> None:
        text = line[start:end]
        if not text.strip():
            return
        bare = text.strip()
        if _PLACEHOLDER.fullmatch(bare):
            return
        if bare[0] in "\"'" and bare[-1] == bare[0] and len(bare) > 2:
            start, end = line.index(bare, start) + 1, line.index(bare, start) + len(bare) - 1
            bare = bare[1:-1]
        spans.append((start, end))
        if whole:
            self._keep(bare)

    def _names(self, spans: list[tuple[int, int]], line: str, *, understood: bool) -> None:
        end = 0
        for match in _name().finditer(line):
            if match.start() < end:
                continue
            found = _after(line, match)
            if found is None:
                continue
            if found.ends and not understood:
                indent = len(line) - len(line.lstrip())
                block = re.search(r"[|>][-+]?\d?\s*$", line) is not None
                self._patience = 4
                self._pending = "key" if found.value_key else f"block{indent}" if block else "any"
                continue
            if value := found.value:
                start, stop = value.start, value.end
                if re.fullmatch(r"(?i)(?:.*-)?authorization", match[0]):
                    scheme = re.match(r"[A-Za-z]{4,12} +(?=\S)", line[start:stop])
                    start += scheme.end() if scheme else 0
                self._add(spans, line, start, stop, whole=value.whole)
                end = stop

    def _as_octets(self, spans: list[tuple[int, int]], line: str) -> None:
        """Text that is written as the numbers of its octets, or in hexadecimal, and has a secret."""
        for match in _NUMBERS.finditer(line):
            numbers = [int(number) for number in match[1].split(",")]
            if max(numbers) < 256:
                text = bytes(numbers).decode("utf-8", "replace")
                if Masker().line(text) != text:
                    self._add(spans, line, *match.span(1), whole=False)
        for match in _HEXADECIMAL.finditer(line):
            octets = bytes.fromhex(match[0])
            if _SASL.match(octets) and all(32 <= c < 127 or c in (0, 1) for c in octets):
                self._add(spans, line, *match.span())

    def _auth(self, spans: list[tuple[int, int]], line: str) -> None:
        if re.search(r"(?i)\b[2345]\d\d[- ]AUTH\b", line):
            return
        for match in _AUTH.finditer(line):
            mechanism, blob = match["mech"], match["blob"]
            start = match.end()
            if mechanism is None:
                rest = re.compile(r"\S+").search(line, match.end())
                if rest and (is_sasl(rest[0]) or is_blob(rest[0])):
                    self._add(spans, line, *rest.span())
                    self._blob = True
                continue
            known = mechanism.upper() in MECHANISMS
            if not known and (is_sasl(mechanism) or is_blob(mechanism) or _is_key(mechanism)):
                self._add(spans, line, match.start("mech"), start)
                self._blob = True
                continue
            if match[0].isupper() or known:
                self.authenticating = True
            if known and blob is None:
                padded = re.compile(r"\s*=*$").match(line, match.end("mech"))
                self._blob = self._blob or bool(padded)
                continue
            if blob and blob.upper().strip("\"',;") not in MECHANISMS and blob != "=":
                if known or (match[0].startswith("AUTH") and is_blob(blob)) or is_sasl(blob):
                    plain = re.fullmatch(r"[a-z]{2,}[,.:;)]?", blob) and not is_sasl(blob)
                    if not plain or line[: match.start()].strip() == "":
                        self._add(spans, line, *match.span("blob"))
                        self._blob = not line[match.end() :].strip(" '\"\\rn")

    def _calls(self, spans: list[tuple[int, int]], line: str) -> None:
        end = 0
        for match in (*_CALL.finditer(line), *_LISTED.finditer(line)):
            if match.end() < end:
                continue
            if re.search(r"(?i)(?:error|exception|failed|failure)\w*\s?\($", match[0]):
                continue
            start = match.end() - 1
            end = close = _closing_bracket(line, start)
            inside = line[start + 1 : close]
            if (line[start] == "{" and ":" in inside) or re.match(
                r"\s*[\"']?[\w ]+[\"']?\s*=>", inside
            ):
                continue
            words = re.findall(r"[\w-]+", inside)
            if words and all(word.upper() in MECHANISMS or word.isdigit() for word in words):
                continue
            strings = list(_STRING.finditer(line, start + 1, close))
            for string in strings:
                if len(string[0]) > 2:
                    self._argument(spans, line, string)
            if not strings and "," in inside and line[start - 1 : start] != " ":
                comma = line.index(",", start)
                self._add(spans, line, comma + 1, close, whole=False)
        if _FRAME.search(line):
            for string in _STRING.finditer(line):
                text = string[0][1:-1]
                if len(text) > 2 and not _BENIGN.fullmatch(text):
                    self._argument(spans, line, string)

    def _argument(self, spans: list[tuple[int, int]], line: str, string: re.Match[str]) -> None:
        text = string[0][1:-1]
        self._add(
            spans, line, string.start() + 1, string.end() - 1,
            whole=looks_secret(text) and "@" not in text,
        )  # fmt: skip

    def _blobs(self, spans: list[tuple[int, int]], line: str, *, understood: bool) -> None:
        if not understood and (match := _LAST.search(line)) and not _ALONE.match(line):
            word = match["s"]
            if (is_blob(word) and _readable(word)) or (self.authenticating and looks_secret(word)):
                self._add(spans, line, *match.span("s"))
        if not understood and (match := _ALONE.match(line)):
            word = match["s"]
            if is_blob(word) or (self.authenticating and word.upper() not in _SMTP_WORDS):
                self._add(spans, line, *match.span("s"))
                self._blob = len(word) >= 16
                return
        for match in _BLOB.finditer(line):
            word = match[0]
            if is_sasl(word) or (not understood and _is_key(word)):
                self._add(spans, line, *match.span())


_SMTP = re.compile(
    rb"(?i)(?:[245]\d\d(?:[ -]|$)|(?:EHLO|HELO|LHLO|STARTTLS|MAIL FROM|RCPT TO|DATA|RSET|NOOP|QUIT)\b)"
)


def _harmless(octets: bytes) -> bool:
    """Whether dumped octets are TLS records, or SMTP in the clear without a secret."""
    if octets[:1] == b"\x45" and len(octets) >= 40 and octets[9] == 6:
        # An IPv4 packet (RFC 791) with TCP (RFC 9293): what it carries counts.
        octets = octets[(octets[0] & 15) * 4 :]
        octets = octets[(octets[12] >> 4) * 4 :] if len(octets) > 12 else b""
    if not octets or (octets[0] in (20, 21, 22, 23) and octets[1:2] in (b"\x03", b"")):
        return True
    if not _SMTP.match(octets):
        return False
    text = octets.decode("latin-1")
    if re.search(r"(?i)^AUTH [^\r\n]{20}|^334", text):
        return False
    masker = Masker()
    return all(masker.line(line) == line for line in text.splitlines())


def _is_talk(line: str) -> bool:
    return (
        re.match(r"(?:EHLO|HELO|MAIL FROM|RCPT TO|QUIT|DATA|STARTTLS|RSET)\b", line.strip())
        is not None
    )


def _covered(line: str, spans: list[tuple[int, int]]) -> str:
    """The line with the mask over all spans; those that touch are one."""
    out, place = [], 0
    for start, end in sorted(spans):
        if end <= place:
            continue
        if start < place:
            place = end
            continue
        out += [line[place:start], MASK]
        place = end
    return "".join((*out, line[place:]))
