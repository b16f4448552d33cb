"""The parts of a bounce: its lines decoded, and told apart."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.formats.bounce.words import LONGEST, patterns
from simulator.needles import late
from simulator.reading.clean import Line

if TYPE_CHECKING:
    from email.message import Message

Zone = Literal["head", "prose", "fields", "original", "binary"]


class Said(NamedTuple):
    """A line as its writer meant it: decoded, with the number of the line it stands in."""

    number: int
    text: str
    zone: Zone


def parts(lines: Sequence[Line]) -> list[Said]:
    """All lines, decoded, each with the part of the bounce that it belongs to; the returned message
    is told apart also where it stands in the text itself."""
    return _zoned(_decoded(lines))


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


_QUOTE_MARK = late(r"\s{0,4}>(?!>> ?[A-Z]{4})(?!> ?[A-Z]{4} ) ?")
_HEADER = late(r"[A-Za-z][A-Za-z0-9-]{1,60}\s?:(?!//)")
_BOUNDARY = late(r"--[^\s-][^\n]{3,200}$|--[^\n]{6,200}$")


def _decoded(lines: Sequence[Line]) -> list[Said]:
    """All lines, decoded, each with the part of the bounce that it belongs to."""
    found: list[Said] = []
    rest = _unquoted(lines)
    boundaries: list[str] = []
    at = 0
    while at < len(rest) and not rest[at].text.strip():
        at += 1
    head, at = _header(rest, at)
    found += [Said(line.number, line.text, "head") for line in head]
    kind = _kind(head)
    if boundary := kind.get_param("boundary"):
        boundaries.append(str(boundary))
    body: list[Line] = []
    known = bool(boundaries)
    inside_message = False
    while at < len(rest):
        line = rest[at]
        if _between_parts(line.text, boundaries, rest, at, known=known or inside_message):
            found += _body(body, kind)
            found.append(Said(line.number, line.text, "head"))
            body = []
            boundary = line.text.rstrip()[2:]
            if boundary not in boundaries and not boundary.endswith("--"):
                boundaries.append(boundary)
            head, at = _header(rest, at + 1)
            found += [Said(each.number, each.text, "head") for each in head]
            kind = _kind(head)
            if inner := kind.get_param("boundary"):
                boundaries.append(str(inner))
            inside_message = kind.get_content_maintype() == "message"
            continue
        body.append(line)
        at += 1
    found += _body(body, kind)
    return _without_markup(found)


def _between_parts(
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


_PARAMETER = late(r"(?i)(?:boundary|charset|name|report-type|differences)=")
_FIELD_ONLY = late(r"(?i)(?:final-recipient|diagnostic-code|action|status|reporting-mta) ?:")


def _kind(head: Sequence[Line]) -> Message:
    rows = (_PARAMETER.sub(r" \g<0>", line.text) if _PARAMETER.match(line.text) else line.text
            for line in head if not line.text.startswith("From "))  # fmt: skip
    from email.parser import HeaderParser  # not at the top: it takes long, and few logs are mail

    return HeaderParser().parsestr("\n".join(rows))


def _body(lines: Sequence[Line], kind: Message) -> Iterator[Said]:
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
        yield from (Said(line.number, line.text, zone) for line in lines)
        return
    if encoding == "base64" or (not encoding and _is_base64(texts)):
        if (decoded := _from_base64(texts, charset)) is not None:
            last = lines[-1].number
            for index, text in enumerate(decoded.splitlines()):
                marked = f"\0{text}" if full == "text/html" else text
                yield Said(min(lines[0].number + index, last), marked, zone)
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
        yield Said(number, f"\0{text}" if html_part else text, zone)
        held, number = "", 0
    if held:
        yield Said(number, held, zone)


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


_BLOCK = late(r"(?i)</?(?:p|br|div|tr|td|table|li|ul|pre|h\d|hr|title|body)\b[^>]{0,400}>")
_ANY_TAG = late(r"<(?:/?[A-Za-z!][^>@]{0,1000}(?:>|$)|[^<>]{0,200}\">)")


def _without_markup(said: Sequence[Said]) -> list[Said]:
    """HTML without its tags; left out of the prose where the same stands there as plain text."""
    plain = any(s.zone == "prose" and s.text.strip() and s.text[0] != "\0" for s in said)
    found: list[Said] = []
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


_OF_MESSAGE = late(
    r"(?i)(?:received|return-path|message-id|mime-version|dkim-signature|content-type|arc-seal) ?:"
)


def _zoned(said: Sequence[Said]) -> list[Said]:
    """The same, with the returned message told apart where it stands in the text itself."""
    found: list[Said] = []
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


def _begins_original(said: Sequence[Said], index: int) -> bool:
    text = said[index].text
    if len(text) < 200 and patterns().original.match(text.strip()):
        return True
    if _OF_MESSAGE.match(text):
        near = [s.text for s in said[index : index + 10] if s.zone == "prose"]
        heads = [t for t in near if _HEADER.match(t) and not _FIELD_ONLY.match(t)]
        return len(heads) >= 3
    return False
