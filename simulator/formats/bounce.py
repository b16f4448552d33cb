"""Bounces: the delivery reports of RFC 3464, whole or pasted in part, and what programs write to
people in place of one or beside it.

A bounce is no log: it tells of one reply to one command, seldom of more. So a session is made of
it for each recipient, with what is told of (who reported, whom it talked to, at which command, the
reply, the status) and nothing else. The trace fields of a bounce and of the message it returns tell
of other sessions, and are never taken for this one's.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from email.message import Message
from email.parser import HeaderParser
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

from simulator import toml
from simulator.language import N_
from simulator.reading import signs
from simulator.reading.clean import Line
from simulator.reading.format import Format
from simulator.session import (
    AnyEvent,
    Command,
    Connect,
    Handshake,
    Peer,
    Remark,
    Reply,
    Session,
)

MOST_LINES = 20_000
"""Lines of one bounce that are looked at."""
MOST_TEXT = 50_000
"""Characters that show whether it is a bounce."""
LONGEST = 4000
"""Characters of a line, or of a paragraph, that patterns see."""

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded", "?"]
Zone = Literal["head", "prose", "fields", "original", "binary"]


class _Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verb: str
    pattern: str


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    begins: list[str]
    original: list[str]
    said: list[str]
    stage: list[_Stage]


class _Patterns(NamedTuple):
    begins: tuple[re.Pattern[str], ...]
    original: re.Pattern[str]
    said: re.Pattern[str]
    stages: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _patterns() -> _Patterns:
    text = (files("simulator.reading") / "bounces.toml").read_bytes()
    words = toml.read(text, _Words, "bounces.toml")
    return _Patterns(
        begins=tuple(re.compile(p, re.IGNORECASE) for p in words.begins),
        original=re.compile("|".join(words.original), re.IGNORECASE),
        said=re.compile("|".join(f"(?:{p})" for p in words.said), re.IGNORECASE),
        stages=tuple((s.verb, re.compile(s.pattern, re.IGNORECASE)) for s in words.stage),
    )


def detect(head: str, telling: list[str]) -> float:
    """By what only bounces say."""
    text = head[:MOST_TEXT]
    found = sum(pattern.search(text) is not None for pattern in _patterns().begins)
    if _FIELD_SET.search(text):
        return 0.99
    coded = _STATUS.search(text) is not None or _CODED.search(text) is not None
    if _DIALOGUE.search(text):
        return 0.0
    if _HEADED.match(text):
        if found >= 2 or (found and coded):
            return 0.97
        head, _, body = text.partition("\n\n")
        spoken = (line for line in body.split("\n") if not _TRACE.match(line))
        return 0.9 if _RECEIVED.search(head) and not any(map(_TALK.search, spoken)) else 0.0
    if found >= 2 and coded:
        return 0.95
    return 0.9 if found and _WHOLE_REPLY.search(text) and not _COMMANDS.search(text) else 0.0


_WHOLE_REPLY = re.compile(r"(?<![\w.])[45][0-57]\d[ -]#?[45]\.\d{1,3}\.\d{1,3}(?![\w.])")
_COMMANDS = re.compile(r"(?im)\b(?:ehlo|helo) \S|\bstarttls\b|^\W{0,6}(?:mail from|data|quit)\b")
_STATUS = re.compile(r"(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w.])")
_CODED = re.compile(r"(?<![\w.])[45][0-57]\d[ -](?=[\w<(\"'#])")
_HEADED = re.compile(
    r"[>\s]{0,8}(?:From [^\n]{1,200}|[A-Za-z][A-Za-z0-9-]{1,40}: ?[^\n]{0,900})\n"
    r"(?:[>\s]{0,8}[ \t][^\n]{0,900}\n){0,10}[>\s]{0,8}[A-Za-z][A-Za-z0-9-]{1,40}: ?"
)
_RECEIVED = re.compile(r"(?m)^received: ?from ", re.IGNORECASE)
_TRACE = re.compile(r"[>\s]{0,8}(?:\s+\S|[A-Za-z][A-Za-z0-9-]{1,60}:)")
_TALK = re.compile(
    r"(?i)\b(?:ehlo|helo|starttls|rcpt to|mail from)\b|\b(?:ssl|tls)[ _:v\d]"
    r"|^.{0,40}[<>-]{1,3} ?[245]\d\d[ -]|^[245]\d\d[- ]"
)
"""What may be a dialogue, in the text of a message that is no bounce."""
_DIALOGUE = re.compile(
    r"(?m)^[>\s<-]{0,8}250[- ](?:\S+ )?(?:STARTTLS|PIPELINING|SIZE|8BITMIME)"
    r"|(?:postfix|exim|sendmail|dovecot)[\w./-]{0,40}\[\d{1,10}\]: |SMTP(?:>>|<<)"
    r"|^(?!\s{0,8}>>> )(?:.{0,60}\W)?(?:EHLO|HELO) [\w.\[\]-]{1,100}\s?$"
)
"""What a log has and no bounce: a list of keywords, the name of a process, an EHLO."""


# The fields of a report -----------------------------------------------------------------------

_NAMES = (
    "reporting-mta|final-recipient|original-recipient|action|status|diagnostic-code|remote-mta"
    "|received-from-mta|arrival-date|last-attempt-date|will-retry-until|final-log-id"
    "|original-envelope-id|dsn-gateway|x-[a-z0-9-]{1,60}"
)
_FIELD = re.compile(rf"\s{{0,8}}(?P<name>{_NAMES})\s?:\s{{0,8}}(?P<value>.*)", re.IGNORECASE)
_FIELD_SET = re.compile(
    r"(?im)^[>\s]{0,8}(?:final|original)-recipient\s?:.*\n(?:.*\n){0,8}?[>\s]{0,8}(?:action|status)\s?:"
    r"|^[>\s]{0,8}(?:action|status)\s?:.*\n(?:.*\n){0,8}?[>\s]{0,8}final-recipient\s?:"
)


class _Said(NamedTuple):
    """A line as its writer meant it: decoded, with the number of the line it stands in."""

    number: int
    text: str
    zone: Zone


class _Quote(NamedTuple):
    """A reply, or a status alone (`code` 0), that a bounce quotes."""

    number: int
    code: int = 0
    status: str = ""
    lines: tuple[str, ...] = ()
    verb: str = ""
    argument: str = ""
    host: str = ""
    recipient: str = ""
    weight: int = 0
    detail: str = ""
    """The sentence that it stands in."""


class _Group(NamedTuple):
    """The fields about one recipient (RFC 3464 §2.3), each with the number of its line."""

    fields: dict[str, tuple[str, int]]

    def value(self, name: str) -> str:
        """A field's value, empty if it is not there."""
        return self.fields.get(name, ("", 0))[0]

    @property
    def recipient(self) -> str:
        """The address, without the kind of it."""
        for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
            if (found := _address(self.value(name).partition(";")[2] or self.value(name))) != "":
                return found
        return ""


class _Report(NamedTuple):
    """What a bounce says of one recipient."""

    recipient: str
    action: str
    status: str
    status_line: int
    quote: _Quote | None
    detail: str
    reporter: str
    remote: Peer
    lines: frozenset[int] = frozenset()


_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\"-]{1,80}@[A-Za-z0-9.-]{1,255}[A-Za-z0-9\]]")


def _address(text: str) -> str:
    match = _ADDRESS.search(text)
    return match[0] if match is not None else ""


# Decoding -------------------------------------------------------------------------------------


def _unquoted(lines: Sequence[Line]) -> list[Line]:
    """The lines without the marks of a reply that quotes them; Sendmail's `>>> RCPT` stays."""
    full = [line.text for line in lines if line.text.strip()]
    marked = [text for text in full if _QUOTE_MARK.match(text)]
    if len(marked) < 3 or len(marked) < 0.3 * len(full):
        return list(lines)
    found = list(lines)
    for _ in range(4):
        found = [Line(line.number, _QUOTE_MARK.sub("", line.text, count=1)) for line in found]
        if sum(_QUOTE_MARK.match(line.text) is not None for line in found) < 0.3 * len(full):
            break
    return found


_QUOTE_MARK = re.compile(r"\s{0,4}>(?!>> ?[A-Z]{4})(?!> ?[A-Z]{4} ) ?")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,60}\s?:(?!//)")
_BOUNDARY = re.compile(r"--[^\s-][^\n]{3,200}$|--[^\n]{6,200}$")


def _said(lines: Sequence[Line]) -> list[_Said]:
    """All lines, decoded, each with the part of the bounce that it belongs to."""
    found: list[_Said] = []
    rest = _unquoted(lines)
    boundaries: list[str] = []
    at = 0
    while at < len(rest) and not rest[at].text.strip():
        at += 1
    head, at = _header(rest, at)
    found += [_Said(line.number, line.text, "head") for line in head]
    kind = _kind(head)
    if boundary := kind.get_param("boundary"):
        boundaries.append(str(boundary))
    body: list[Line] = []
    known = bool(boundaries)
    inside_message = False
    while at < len(rest):
        line = rest[at]
        if _parts(line.text, boundaries, rest, at, known=known or inside_message):
            found += _body(body, kind)
            found.append(_Said(line.number, line.text, "head"))
            body = []
            boundary = line.text.rstrip()[2:]
            if boundary not in boundaries and not boundary.endswith("--"):
                boundaries.append(boundary)
            head, at = _header(rest, at + 1)
            found += [_Said(each.number, each.text, "head") for each in head]
            kind = _kind(head)
            if inner := kind.get_param("boundary"):
                boundaries.append(str(inner))
            inside_message = kind.get_content_maintype() == "message"
            continue
        body.append(line)
        at += 1
    found += _body(body, kind)
    return _without_markup(found)


def _parts(
    text: str, boundaries: list[str], lines: Sequence[Line], at: int, *, known: bool
) -> bool:
    """Whether a line is one between two parts."""
    text = text.rstrip()
    if not text.startswith("--"):
        return False
    if any(text in (f"--{boundary}", f"--{boundary}--") for boundary in boundaries):
        return True
    if known or not _BOUNDARY.match(text):
        return False
    after = [line.text for line in lines[at + 1 : at + 3]]
    return any(re.match(r"(?i)content-(?:type|transfer|desc|disp)", line) for line in after)


def _header(lines: Sequence[Line], at: int) -> tuple[list[Line], int]:
    """The header that begins there, and where what follows it begins."""
    begin = at
    while at < len(lines):
        text = lines[at].text
        if not text.strip():
            at += 1
            break
        first = at == begin
        goes_on = not first and (text[:1] in " \t" or _PARAMETER.match(text) is not None)
        if not (_HEADER.match(text) or goes_on or (first and text.startswith("From "))):
            break
        at += 1
    # What looked like a header may be the report itself, pasted without one.
    if at - begin < 2 or any(_FIELD_ONLY.match(line.text) for line in lines[begin:at]):
        return [], begin
    return list(lines[begin:at]), at


_PARAMETER = re.compile(r"(?i)(?:boundary|charset|name|report-type|differences)=")
_FIELD_ONLY = re.compile(r"(?i)(?:final-recipient|diagnostic-code|action|status|reporting-mta) ?:")


def _kind(head: Sequence[Line]) -> Message:
    rows = (_PARAMETER.sub(r" \g<0>", line.text) if _PARAMETER.match(line.text) else line.text
            for line in head if not line.text.startswith("From "))  # fmt: skip
    return HeaderParser().parsestr("\n".join(rows))


def _body(lines: Sequence[Line], kind: Message) -> Iterator[_Said]:
    """The lines of one part, decoded."""
    if not lines:
        return
    main, full = kind.get_content_maintype(), kind.get_content_type()
    zone: Zone = "prose"
    if full in ("message/delivery-status", "message/global-delivery-status"):
        zone = "fields"
    elif main == "message" or full == "text/rfc822-headers":
        zone = "original"
    elif main not in ("text", "multipart"):
        zone = "binary"
    encoding = str(kind.get("content-transfer-encoding", "")).strip().lower()
    charset = str(kind.get_content_charset() or "utf-8")
    texts = [line.text for line in lines]
    if zone in ("original", "binary"):
        yield from (_Said(line.number, line.text, zone) for line in lines)
        return
    if encoding == "base64" or (not encoding and _is_base64(texts)):
        if (decoded := _from_base64(texts, charset)) is not None:
            last = lines[-1].number
            for index, text in enumerate(decoded.splitlines()):
                marked = f"\0{text}" if full == "text/html" else text
                yield _Said(min(lines[0].number + index, last), marked, zone)
            return
    quoted = encoding == "quoted-printable" or (
        not encoding and sum(text.endswith("=") for text in texts) > 1
    )
    html_part = full == "text/html"
    held, number = "", 0
    for line in lines:
        text, number = line.text, number or line.number
        if quoted and text.endswith("="):
            held += text[:-1]
            if len(held) < 50_000:
                continue
        text = held + text
        if quoted and "=" in text:
            octets = quopri.decodestring(text.encode("utf-8"))
            text = _charset(octets, charset)
        yield _Said(number, f"\0{text}" if html_part else text, zone)
        held, number = "", 0
    if held:
        yield _Said(number, held, zone)


def _is_base64(texts: Sequence[str]) -> bool:
    full = [text.strip() for text in texts if text.strip()]
    return len(full) > 2 and all(re.fullmatch(r"[A-Za-z0-9+/]{40,90}={0,2}", t) for t in full[:-1])


def _from_base64(texts: Sequence[str], charset: str) -> str | None:
    joined = "".join(text.strip() for text in texts)
    joined = re.sub(r"[^A-Za-z0-9+/]", "", joined)
    try:
        return _charset(base64.b64decode(joined + "=" * (-len(joined) % 4)), charset)
    except (binascii.Error, ValueError):
        return None


def _charset(octets: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            return octets.decode(name)
        except (LookupError, UnicodeError):
            continue
    return octets.decode("latin-1")


_BLOCK = re.compile(r"(?i)</?(?:p|br|div|tr|td|table|li|ul|pre|h\d|hr|title|body)\b[^>]{0,400}>")
_ANY_TAG = re.compile(r"<(?:/?[A-Za-z!][^>@]{0,1000}(?:>|$)|[^<>]{0,200}\">)")


def _without_markup(said: Sequence[_Said]) -> list[_Said]:
    """HTML without its tags; left out of the prose where the same stands there as plain text."""
    plain = any(s.zone == "prose" and s.text.strip() and s.text[0] != "\0" for s in said)
    found: list[_Said] = []
    styled = False
    for line in said:
        if not line.text.startswith("\0"):
            found.append(line)
        elif plain:
            found.append(line._replace(text=line.text[1:], zone="binary"))
        else:
            styled = styled or "<style" in line.text
            if not styled:
                for piece in _BLOCK.split(line.text[1 : LONGEST * 4]):
                    text = html.unescape(_ANY_TAG.sub("", piece))
                    found.append(line._replace(text=text))
            else:
                found.append(line._replace(text="", zone="binary"))
                styled = "</style" not in line.text
    return found


_OF_MESSAGE = re.compile(
    r"(?i)(?:received|return-path|message-id|mime-version|dkim-signature|content-type|arc-seal) ?:"
)


def _zoned(said: Sequence[_Said]) -> list[_Said]:
    """The same, with the returned message told apart where it stands in the text itself."""
    found: list[_Said] = []
    original = False
    for index, line in enumerate(said):
        if line.zone == "head":
            original = False
        elif line.zone == "prose":
            original = original or _begins_original(said, index)
            if original and _FIELD_ONLY.match(line.text) and "recipient" in line.text.lower():
                original = False
            if original:
                line = line._replace(zone="original")
        found.append(line)
    return found


def _begins_original(said: Sequence[_Said], index: int) -> bool:
    text = said[index].text
    if len(text) < 200 and _patterns().original.match(text.strip()):
        return True
    if _OF_MESSAGE.match(text):
        near = [s.text for s in said[index : index + 10] if s.zone == "prose"]
        heads = [t for t in near if _HEADER.match(t) and not _FIELD_ONLY.match(t)]
        return len(heads) >= 3
    return False


# Replies --------------------------------------------------------------------------------------

_REPLY = re.compile(
    r"(?<![\w.+/@-])(?P<code>[245][0-57]\d)(?:(?P<more>-)|(?=[ :])|(?=$))[: ]{0,3}"
    r"(?:(?P=code)[ -])?[#('\"]?(?P<status>[245]\.\d{1,3}\.\d{1,3})?(?![\d.])\)?"
)
_LONE_STATUS = re.compile(r"(?<![\w.])#?(?P<status>[45]\.\d{1,3}\.\d{1,3})(?![\w.]*\d)")
_IN_TEXT = re.compile(r"#(?P<status>[45]\.\d{1,3}\.\d{1,3})(?![\w.]*\d)")
"""The status code behind the text, as qmail and its kin have it."""
_EXPIRED = re.compile(r"(?i)expired.*?<(?P<reply>[245]\d\d [^<>]{1,400})>")
"""The queue's own word, with the last reply of the other side behind it."""
_ADDRESSED = re.compile(r"\s?(?:<[^>]{1,200}>|\S{1,200} \(\S{1,20}\))\.\.\. (?=[45]\d\d )")
"""An old Sendmail puts a reply of its own before the one that it quotes."""
_NUMBERED = re.compile(
    r"(?i)(?:response|error|reply|smtp)[ _]?code ?:? ?(?P<code>[45]\d\d)\b,?"
    r"(?: ?error_code ?: ?(?P<status>[45]\.\d{1,3}\.\d{1,3}))?(?P<text>[^\]]*)"
)
_ENDS = re.compile(
    r"\s*(?:\(in reply to .*|\[(?:RCPT_TO|MAIL_FROM|DATA|BODY|CONNECT|HELO)\].*|\(state \d+\).*"
    r"|##.*|'?\s*<mailto:.*)$",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?i)\b(?:host|server at|connected to|connect to|by) (?P<name>[A-Za-z0-9]"
    r"(?:[A-Za-z0-9-]{0,60}\.){1,8}[A-Za-z]{2,24}|\[?\d{1,3}(?:\.\d{1,3}){3}\]?)"
)


def _split_lines(code: str, text: str) -> tuple[str, ...]:
    """The lines of one reply, whose code some software repeats in each."""
    parts = re.split(rf"\s(?={code}[- ])", text[:LONGEST])
    found = []
    for part in parts:
        part = re.sub(rf"^{code}[- ]", "", part.strip())
        found.append(part)
    return tuple(part for part in found if part) or ("",)


def _quotes(text: str, number_at: Sequence[tuple[int, int]]) -> Iterator[_Quote]:
    """The replies that a paragraph quotes; `number_at`: where each of its lines begins."""
    text = text[:LONGEST]
    last_end = 0
    if (inner := _EXPIRED.search(text)) is not None:
        text = " " * inner.start("reply") + inner["reply"]
    for match in _REPLY.finditer(text):
        if match.start() < last_end:
            continue
        before, after = text[: match.start()], text[match.end() :]
        status = match["status"] or ""
        if _ADDRESSED.match(after) is not None:
            continue
        weight = 3 if text[match.end("code") :][:2] in ("-'", '-"') else 0
        if status:
            weight += 3
        if _patterns().said.search(before[-260:]) is not None:
            weight += 3
        elif re.search(r"(?:[:;] ?|\.\.\. )['\"(<#]?$", before):
            weight += 2
        starts = any(
            text[offset : match.start()].strip(" \t#<('\"") == "" for offset, _ in number_at
            if offset <= match.start()
        )  # fmt: skip
        if starts:
            weight += 2
        if not status and not re.match(r"\s*(?:: )?[^\s\d.,:)]", after) and after.strip():
            continue
        if weight < 2 or match["code"][0] == "2":
            continue
        said = f"{status} {after.strip(' :')}".strip()
        if before[-1:] in "'\"" and before[-1:] and before[-1] in after:
            said = f"{status} {after[: after.index(before[-1])].strip()}".strip()
        said = _ENDS.sub("", said)
        if said.endswith(")") and said.count(")") > said.count("("):
            said = said[:-1]
        number = next(n for offset, n in reversed(number_at) if offset <= match.start())
        last_end = match.end()
        again = re.compile(rf"\s{match['code']}[- ]")
        while (more := again.search(text, last_end)) is not None:
            last_end = more.end()
        lone = _IN_TEXT.search(said[:300]) if not status else None
        if lone is not None and lone["status"][0] == match["code"][0]:
            status = lone["status"]
        yield _Quote(
            number=number,
            code=int(match["code"]),
            status=status,
            lines=_split_lines(match["code"], said),
            weight=weight,
            detail=text,
        )


def _stage(text: str) -> str:
    """The command that a sentence names as the one the reply answers."""
    for verb, pattern in _patterns().stages:
        if pattern.search(text):
            return verb
    return ""


_TALKED = re.compile(r"(?:>>>|<<<|\.\.\. while talking to)")
_SENT = re.compile(r">>> ?(?P<verb>[A-Za-z]{4,8})\b ?(?P<argument>.*)")
_HEARD = re.compile(r"<<< ?(?P<text>[245]\d\d(?:[ -].*)?)$")
_TALKING = re.compile(r"(?i)\.\.\. while talking to (?P<name>[^\s\[]+?)\.?(?: ?\[[^\]]*\])?:")
_RECIPIENT_LINE = re.compile(
    r"\s{0,12}(?:(?:final |original )?recipient(?: address)?: ?|to: )?[<\"'(]?"
    r"(?P<address>[^\s<>\"'():;,]{1,80}@[A-Za-z0-9.-]{1,255}[A-Za-z0-9\]])[>\"')]?"
    r"(?:<mailto:[^>]{1,200}>)?(?:\s?\([^)]{0,200}\))?\s{0,4}(?P<end>:?)(?P<rest>\s.*|)$"
)


class _Paragraph:
    """Lines that belong together, joined."""

    def __init__(self, recipient: str) -> None:
        self.recipient = recipient
        self.text = ""
        self.starts: list[tuple[int, int]] = []

    def add(self, line: _Said) -> None:
        """One more line."""
        text = line.text.strip()
        if self.text:
            self.text += " "
        self.starts.append((len(self.text), line.number))
        self.text += text


def _from_prose(said: Sequence[_Said]) -> tuple[list[_Quote], list[str]]:
    """The replies and statuses quoted in the text, and the recipients named there, in order."""
    quotes: list[_Quote] = []
    recipients: list[str] = []
    recipient, host, indent = "", "", 0
    sent: tuple[str, str] = ("", "")
    heard: list[_Quote] = []
    paragraph = _Paragraph("")

    def close() -> None:
        nonlocal paragraph
        if paragraph.text:
            quotes.extend(_of_paragraph(paragraph))
        paragraph = _Paragraph(recipient)

    for line in said:
        if line.zone != "prose":
            close()
            continue
        text = line.text.strip()[:LONGEST]
        if (talked := _TALKED.match(text)) is not None:
            close()
            if (match := _TALKING.match(text)) is not None:
                host, sent, heard = match["name"], ("", ""), []
            elif (match := _SENT.match(text)) is not None:
                sent, heard = (match["verb"].upper(), match["argument"].strip()), []
            elif (match := _HEARD.match(text)) is not None:
                found = _heard(match["text"], line.number, sent, host, recipient)
                if heard and heard[-1].code == found.code and heard[-1].number < found.number:
                    merged = heard[-1]._replace(lines=heard[-1].lines + found.lines)
                    quotes[quotes.index(heard[-1])] = merged
                    heard = [merged]
                else:
                    quotes.append(found)
                    heard = [found]
            if talked[0] == ">>>" and (match := _RECIPIENT_LINE.match(text[3:])) is not None:
                recipient = match["address"]
                recipients.append(recipient)
            continue
        match = _RECIPIENT_LINE.match(line.text[:LONGEST])
        if not text:
            close()
        elif (
            match is not None
            and (not match["rest"].strip() or match["end"] or match["rest"].lstrip()[:1] in "(#")
            and not (paragraph.text and _indent(line.text) > indent)
        ):
            indent = _indent(line.text)
            close()
            recipient = match["address"]
            recipients.append(recipient)
            paragraph = _Paragraph(recipient)
            if match["rest"].strip():
                paragraph.add(line._replace(text=match["rest"]))
        elif re.match(r"[45]\d\d[ -]", text) and paragraph.text and not line.text[:1].isspace():
            if not re.search(r"[:,;(]$", paragraph.text) and not paragraph.text.startswith(
                text[:3]
            ):
                close()
            paragraph.add(line)
        else:
            indent = indent if paragraph.text or paragraph.recipient else _indent(line.text)
            paragraph.add(line)
    close()
    return quotes, list(dict.fromkeys(recipients))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _heard(text: str, number: int, sent: tuple[str, str], host: str, recipient: str) -> _Quote:
    match = _REPLY.match(text)
    status = (match["status"] or "") if match is not None else ""
    verb, argument = sent
    if verb == "RCPT":
        recipient = _address(argument) or recipient
    return _Quote(
        number=number, code=int(text[:3]), status=status, lines=(text[4:].strip(),), verb=verb,
        argument=argument, host=host, recipient=recipient, weight=7 if text[0] in "45" else 0,
        detail=text,
    )  # fmt: skip


_TOLD = re.compile(r"[45]\d\d <")


def _of_paragraph(paragraph: _Paragraph) -> Iterator[_Quote]:
    text = paragraph.text[:LONGEST]
    verb = _stage(text)
    host = _host(text)
    own = paragraph.recipient
    found = False
    for quote in _quotes(text, paragraph.starts):
        found = True
        recipient = own or _address(quote.lines[0]) or (_address(text) if _TOLD.match(text) else "")
        yield quote._replace(verb=verb, host=host, recipient=recipient)
    if found:
        return
    for coded in _NUMBERED.finditer(text):
        found = True
        number = next(n for at, n in reversed(paragraph.starts) if at <= coded.start())
        status, said = coded["status"] or "", coded["text"].strip(" ,")
        lines = (f"{status} {said}".strip(),)
        before = _ADDRESS.findall(text[: coded.start()])
        yield _Quote(number, int(coded["code"]), status, lines, verb, host=host,
                     recipient=own or (before or [""])[-1], weight=2, detail=text)  # fmt: skip
    if found:
        return
    lone = _LONE_STATUS.search(text)
    if lone is not None:
        number = next(n for at, n in reversed(paragraph.starts) if at <= lone.start())
        yield _Quote(number, status=lone["status"], recipient=own, verb="", host=host, weight=1,
                     detail=text)  # fmt: skip
    elif own:
        yield _Quote(paragraph.starts[0][1], recipient=own, host=host, detail=text)


def _host(text: str) -> str:
    match = _HOST.search(text)
    return match["name"] if match is not None else ""


# Reports --------------------------------------------------------------------------------------


def _groups(said: Sequence[_Said]) -> tuple[list[_Group], dict[str, tuple[str, int]]]:
    """The fields by recipient, and those about the message (RFC 3464 §2.2)."""
    groups: list[dict[str, tuple[str, int]]] = []
    message: dict[str, tuple[str, int]] = {}
    current: dict[str, tuple[str, int]] = {}
    name = ""
    for line in [*said, _Said(0, "", "head")]:
        if line.zone not in ("fields", "prose"):
            name = ""
            if current:
                _place(current, groups, message)
                current = {}
            continue
        match = _FIELD.match(line.text[:LONGEST])
        if match is not None and (line.zone == "fields" or _known_field(match["name"])):
            name = match["name"].lower()
            if name in current and name in ("final-recipient", "original-recipient", "action"):
                _place(current, groups, message)
                current = {}
            current.setdefault(name, (match["value"].strip(), line.number))
        elif not line.text.strip():
            name = ""
            if current:
                _place(current, groups, message)
                current = {}
        elif name and (line.zone == "fields" or line.text[:1] in " \t"):
            value, number = current[name]
            current[name] = (f"{value} {line.text.strip()}"[:LONGEST], number)
        else:
            name = ""
    return [_Group(fields) for fields in groups], message


_OF_RECIPIENT = {
    "final-recipient", "original-recipient", "action", "status", "diagnostic-code", "remote-mta",
}  # fmt: skip


def _known_field(name: str) -> bool:
    return name.lower() in _OF_RECIPIENT | {"reporting-mta"}


def _place(
    fields: dict[str, tuple[str, int]], groups: list[dict[str, tuple[str, int]]],
    message: dict[str, tuple[str, int]],
) -> None:  # fmt: skip
    keys = set(fields) & _OF_RECIPIENT
    if not keys:
        for key, value in fields.items():
            message.setdefault(key, value)
        return
    if "reporting-mta" in fields:
        message.setdefault("reporting-mta", fields["reporting-mta"])
    if groups and not keys & {"final-recipient", "original-recipient"}:
        if not keys & set(groups[-1]):
            groups[-1].update(fields)
            return
    if not keys & {"final-recipient", "original-recipient", "status", "diagnostic-code"}:
        return
    groups.append(fields)


def _mta(value: str) -> str:
    """The name of an MTA in a field (RFC 3464 §2.1.2), without the kind of it."""
    name = (value.partition(";")[2] or value).strip()
    return name.split(" ")[0].rstrip(".") if name else ""


def _reports(said: Sequence[_Said]) -> list[_Report]:
    groups, message = _groups(said)
    quotes, recipients = _from_prose(
        [
            s
            for s in said
            if not (s.zone == "prose" and (m := _FIELD.match(s.text)) and _known_field(m["name"]))
        ]
    )
    prose = " ".join(s.text.strip() for s in said if s.zone == "prose")[:50_000]
    head = [s for s in said if s.zone == "head"]
    reporter = _mta(message.get("reporting-mta", ("", 0))[0]) or _reporter(prose, head)
    if groups:
        return [_of_group(group, quotes, len(groups) == 1, reporter) for group in groups]
    named = [*_failed_recipients(head), *recipients]
    return _of_prose(quotes, list(dict.fromkeys(named)), prose, reporter)


def _failed_recipients(head: Sequence[_Said]) -> Iterator[str]:
    """The addresses in Exim's and Gmail's field of that name."""
    inside = False
    for line in head:
        inside = line.text.lower().startswith("x-failed-recipients:") or (
            inside and line.text[:1] in " \t"
        )
        if inside:
            yield from _ADDRESS.findall(line.text)


_REPORTERS = re.compile(
    r"(?i)(?:mail system at host|qmail-send program at|generating server:|delivery status "
    r"notification from|message from|mail (?:delivery )?(?:server|system) at) "
    r"<?(?P<name>[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,8})"
)
_SENDER = re.compile(r"(?i)from:.*?@(?P<name>[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,8})")


def _reporter(prose: str, head: Sequence[_Said]) -> str:
    """Who reports, where no field says so."""
    match = _REPORTERS.search(prose)
    if match is not None:
        return match["name"].rstrip(".")
    for line in head:
        if (sender := _SENDER.match(line.text)) is not None:
            return sender["name"]
    return ""


def _of_group(group: _Group, quotes: Sequence[_Quote], alone: bool, reporter: str) -> _Report:
    recipient = group.recipient
    near = [
        q for q in quotes if alone or not q.recipient or q.recipient.lower() == recipient.lower()
    ]
    diagnostic, line = group.fields.get("diagnostic-code", ("", 0))
    kind, _, text = diagnostic.partition(";")
    text = text.strip() if re.fullmatch(r"[A-Za-z0-9-]{1,40}", kind.strip()) else diagnostic
    quote = next(_quotes(text, [(0, line)]), None) if text else None
    spoken = kind.strip().lower() not in ("x-unix", "unix")
    if quote is None and text and spoken and (plain := _REPLY.match(text)) is not None:
        quote = _Quote(line, int(plain["code"]), plain["status"] or "", (text[4:].strip(),))
    same = [q for q in near if quote is None or q.code == quote.code]
    beside = max(same, key=lambda q: (q.weight, -q.number), default=None)
    verb = _stage(text) or next((q.verb for q in same if q.verb), "")
    if quote is None and beside is not None and beside.code:
        quote = beside
    if quote is not None:
        quote = quote._replace(
            verb=quote.verb or verb,
            argument=quote.argument or next((q.argument for q in same if q.argument), ""),
            detail=text or quote.detail,
        )
    status, status_line = group.fields.get("status", ("", 0))
    match = re.match(r"[245]\.\d{1,3}\.\d{1,3}", status)
    remote = _mta(group.value("remote-mta")) or (quote.host if quote else "")
    action = re.match(r"[a-z]+", group.value("action").lower())
    said = match[0] if match is not None else ""
    if (
        quote is not None
        and quote.status
        and not (quote.status.endswith(".0.0") and said[:1] == quote.status[0])
    ):
        said = quote.status
    elif not said or said.endswith(".0.0"):
        words = [text, *(q.status for q in near), *(q.detail for q in near)]
        more = (found for word in words for found in _LONE_STATUS.findall(word))
        said = next((s for s in more if not said or s[0] == said[0]), said)
    return _Report(
        recipient=recipient,
        action=action[0] if action is not None else "",
        status=said,
        status_line=status_line,
        quote=quote,
        detail=text,
        reporter=reporter,
        remote=Peer(name=remote),
        lines=frozenset(number for _, number in group.fields.values() if number),
    )


_DELAYED = re.compile(
    r"(?i)\bdelayed\b|not yet (?:been )?delivered|will (?:be retried|keep trying|continue to try)"
    r"|warning message only|you do not need to resend|verzögert|retrasad|retardé|atrasad|ritardat"
    r"|遅延|지연|задерж|延迟"
)


def _of_prose(
    quotes: Sequence[_Quote], recipients: Sequence[str], prose: str, reporter: str
) -> list[_Report]:
    action = "delayed" if _DELAYED.search(prose) else "failed"
    told = [q for q in quotes if q.code or q.status]
    recipients = recipients or list(dict.fromkeys(q.recipient for q in told if q.recipient))
    found: list[_Report] = []
    for recipient in recipients or [""]:
        own = [q for q in told if q.recipient.lower() == recipient.lower()]
        shared = [q for q in told if not q.recipient or len(recipients) < 2]
        best = max(own or shared, key=lambda q: (q.weight, -q.number), default=None)
        if best is None and len(recipients) > 1 and told:
            continue
        status = next((q.status for q in own or shared if q.status), "")
        beside = next((q.verb for q in own or shared if q.verb), "")
        line = best.number if best else 0
        if best is not None and not best.verb:
            best = best._replace(verb=beside)
        found.append(
            _Report(
                recipient=recipient,
                action=action,
                status=(best.status or status) if best else "",
                status_line=line,
                quote=best if best is not None and best.code else None,
                detail=best.detail if best else next((q.detail for q in quotes), ""),
                reporter=reporter,
                remote=Peer(name=best.host if best else ""),
            )
        )
    return found


_NONE = _Report("", "", "", 0, None, "", "", Peer())
"""Nothing: the message is no bounce, or does not say what failed."""


def _understood(lines: Sequence[Line]) -> tuple[list[_Said], list[_Report]]:
    """The lines with their zones, and the reports. A bounce may come inside another message."""
    said = _zoned(_said(lines))
    reports = _reports(said)
    if not any(report.quote or report.status for report in reports):
        text = {line.number: line.text for line in lines}
        inner = [Line(s.number, text.get(s.number, s.text)) for s in said if s.zone == "original"]
        if inner and _FIELD_SET.search("\n".join(line.text for line in inner)):
            within = _zoned(_said(inner))
            found = _reports(within)
            if any(report.quote or report.status for report in found):
                return [*(s for s in said if s.zone != "original"), *within], found
    return said, reports


# Sessions -------------------------------------------------------------------------------------

_ENVELOPE = re.compile(r"From \S+.{0,40}\d\d:\d\d")
"""What stands between two messages in a file of many (RFC 4155)."""


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """A session for each recipient of each bounce."""
    held: list[Line] = []
    blank = True
    for line in lines:
        if held and ((blank and _ENVELOPE.match(line.text)) or len(held) >= MOST_LINES):
            yield from _sessions(held)
            held = []
        held.append(line)
        blank = not line.text.strip()
    if any(line.text.strip() for line in held):
        yield from _sessions(held)


def _sessions(lines: Sequence[Line]) -> Iterator[Session]:
    said, reports = _understood(lines)
    reports = [r for r in reports if r.quote or r.status or r.detail or r.recipient] or [_NONE]
    zones = {s.number: s.zone for s in said}
    own: dict[int, int] = {}
    for index, report in enumerate(reports):
        told = {report.quote.number} if report.quote else set()
        for number in report.lines | told:
            own.setdefault(number, index)
    for index, report in enumerate(reports):
        mine = [line for line in lines if own.get(line.number, 0) == index]
        yield _session(report, mine, zones)


def _session(report: _Report, lines: Sequence[Line], zones: dict[int, Zone]) -> Session:
    place = report.quote.number if report.quote else report.status_line
    if not any(line.number == place for line in lines):
        place = lines[0].number if lines else 0
    word = report.status_line if any(n.number == report.status_line for n in lines) else place
    events: list[AnyEvent] = []
    block: list[Line] = []
    for line in lines:
        zone = zones.get(line.number, "prose")
        split = line.number in (place, word)
        if block and (split or zones.get(block[0].number, "prose") != zone):
            events += _beside(block, zones)
            block = []
        if line.number == word and report is not _NONE:
            events.append(_word(report, line))
        else:
            block.append(line)
        if split:
            events += _beside(block, zones)
            block = []
        if line.number == place:
            events += _told(report, line)
    events += _beside(block, zones)
    if not lines:
        events.append(_word(report, Line(place, "")))
        events += _told(report, Line(place, ""))
    return Session(
        source=FORMAT.name,
        connection=report.recipient,
        client=_peer(report.reporter),
        server=report.remote if not _is_address(report.remote.name) else _peer(report.remote.name),
        shown="outline",
        events=tuple(events),
    )


_ACTIONS: dict[str, Action] = {
    action: action for action in ("failed", "delayed", "delivered", "relayed", "expanded")
}


def _word(report: _Report, line: Line) -> Remark:
    """The report's word for the recipient, in the line that has it."""
    sentence = _of_tls(report)
    return Remark(
        by="server",
        line=line.number or None,
        text=line.text,
        about="report",
        tells="not_offered" if sentence is not None and sentence.kind == "not_offered" else "",
        action=_ACTIONS.get(report.action, "?"),
        status=report.status,
    )


def _is_address(name: str) -> bool:
    return re.fullmatch(r"\[?(?:[\d.]{7,15}|[0-9A-Fa-f:]{3,45})\]?", name) is not None


def _peer(name: str) -> Peer:
    return Peer(address=name.strip("[]")) if _is_address(name) else Peer(name=name)


def _beside(lines: Sequence[Line], zones: dict[int, Zone]) -> list[AnyEvent]:
    """A run of lines of one part of the bounce, as one."""
    if not any(line.text.strip() for line in lines):
        return []
    text = "\n".join(line.text for line in lines).strip("\n")
    about = _ABOUT[zones.get(lines[0].number, "prose")]
    first = next(line.number for line in lines if line.text)
    return [Remark(by="server", line=first, text=text, about=about)]


_ABOUT: dict[Zone, Literal["report", "header", "message"]] = {
    "head": "header", "prose": "report", "fields": "report", "original": "message",
    "binary": "message",
}  # fmt: skip


def _of_tls(report: _Report) -> signs.Sentence | None:
    """What the report says of TLS itself: not where it names another command."""
    verb = report.quote.verb if report.quote is not None else _stage(report.detail)
    return signs.read(report.detail) if verb in ("", "STARTTLS") else None


def _told(report: _Report, line: Line) -> list[AnyEvent]:
    """The command and the reply that the report tells of, and what it says of TLS."""
    quote = report.quote
    verb = quote.verb if quote is not None else _stage(report.detail)
    told: list[AnyEvent] = []
    sentence = _of_tls(report)
    if sentence is not None and sentence.kind in ("failed", "refused"):
        verb = "STARTTLS"
    if verb == "CONNECT":
        told.append(Connect(by="client", line=line.number, told=True))
    elif verb:
        told.append(
            Command(
                by="client", verb="DATA" if verb == "MESSAGE" else verb, line=line.number,
                argument=quote.argument if quote is not None else "", told=True,
            )
        )  # fmt: skip
    if sentence is not None and sentence.kind == "failed":
        told.append(
            Handshake(by="client", line=line.number, error=sentence.error, detail=report.detail)
        )
    if quote is not None:
        told.append(
            Reply(by="server", code=quote.code, lines=quote.lines, line=line.number, told=True)
        )
    return told


FORMAT = Format(
    name="bounce",
    title="A bounce: delivery report or failure notice",
    log_more=N_(
        "A bounce quotes one reply. The whole session is in the mail log of the server that "
        "reported, at the time of the bounce."
    ),
    detect=detect,
    read=read,
    # It is a document, not a log: each of its lines is a part of it.
    knows=lambda _line: True,
)
