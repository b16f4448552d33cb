"""Lines of text out of whatever a log comes in: compressed, in any encoding, with any line ends,
coloured, quoted, or as the inside of a web page.

Everything is streamed and bounded: a line is kept up to `LONGEST` octets, a compressed file is
unpacked up to `BIGGEST`, and no step looks further ahead than the head of the file.
"""

from __future__ import annotations

import bz2
import codecs
import functools
import gzip
import html
import importlib
import io
import itertools
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import msgspec

from simulator import language
from simulator.language import N_
from simulator.needles import late

CHUNK = 1 << 18
LONGEST = 1 << 16
"""Octets of one line that are kept; what is cut off is counted in the line."""

BIGGEST = 16 << 30
"""Octets that a compressed file may unpack to; after that the log ends with a remark."""

MOST_PACKED = 250
"""How many times larger than packed a log may be; real ones seldom surpass a fifth of that."""

UNSUSPECTED = 8 << 20
"""Octets to which a file may unpack whatever its size."""

MOST_BLANK = 1000
"""Blank lines in a row that are kept; the lines behind them keep their numbers."""

HEAD = 2000
"""Lines by which the whole file is judged."""

HEAD_TEXT = 1 << 19
"""Characters of them."""

Source = str | bytes | Path | IO[bytes] | IO[str]

Troubles = list[language.Text]
"""What could not be read of an input."""


class Line(NamedTuple):
    """A line of the input: its number from 1, and its text without end, colours and markup."""

    number: int
    text: str


class CannotRead(language.Told, ValueError):
    """The input is no text that can be read, in one line that says why."""

    def __init__(self, why: language.Text | str, of: Source | None = None) -> None:
        """`of`: the source whose name stands before it."""
        if of is not None:
            why = language.Text("{name}: {why}", {"name": _name_of(of), "why": why})
        super().__init__(why)


# From a source to octets ----------------------------------------------------------------------


def _name_of(source: Source) -> language.Text | str:
    """What the source is called in an error."""
    name = source if isinstance(source, Path) else getattr(source, "name", "")
    if name == "<stdin>":
        return language.Text(N_("standard input"))
    if isinstance(name, Path | str) and name:
        return str(name)
    return language.Text(N_("the input"))


def chunks(source: Source, troubles: Troubles | None = None) -> Iterator[bytes]:
    """The octets of `source`, unpacked, some at a time. A `str` is the log itself, never a path.

    Raises `CannotRead` if it cannot be opened or unpacked. Where only the rest cannot be, the text
    ends with a line that says so, and why is put into `troubles`.
    """
    if isinstance(source, str):
        yield source.encode("utf-8", "replace")
        return
    try:
        if isinstance(source, bytes):
            yield from _unpacked(io.BytesIO(source), troubles)
        elif isinstance(source, Path):
            with source.open("rb") as file:
                yield from _unpacked(file, troubles)
        elif isinstance(source.read(0), str):
            text = cast("IO[str]", source)
            while piece := text.read(CHUNK):
                yield piece.encode("utf-8", "replace")
        else:
            yield from _unpacked(cast("IO[bytes]", source), troubles)
    except OSError as error:
        raise CannotRead(error.strerror or str(error), source) from None
    except CannotRead as error:
        raise CannotRead(error.why, source) from None


_ARCHIVES = (
    (0, b"PK\x03\x04", N_("a zip archive (or a document of an office program)"), "unzip -p FILE"),
    (0, b"7z\xbc\xaf\x27\x1c", N_("a 7z archive"), "7z x -so FILE"),
    (0, b"Rar!\x1a\x07", N_("a RAR archive"), "unrar p -inul FILE"),
    (0, b"\x1f\x9d", N_("packed with compress"), "zcat FILE"),
    (0, b"\x04\x22\x4d\x18", N_("packed with lz4"), "lz4 -dc FILE"),
    (0, b"%PDF-", N_("a PDF"), "pdftotext -layout FILE -"),
    (257, b"ustar", N_("a tar archive"), "tar -xOf FILE"),
)
"""What is no log but may hold one: where its mark stands, the mark, its name, what unpacks it."""

_PACKED = {
    "gzip": late(rb"\x1f\x8b"),
    "xz": late(rb"\xfd7zXZ\x00"),
    "zstd": late(rb"\x28\xb5\x2f\xfd"),
    "bzip2": late(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    # The properties that every encoder writes, a dictionary of a whole power of two, a size.
    "lzma": late(rb"\x5d\0\0[\0-\x80][\0-\x08](?:\xff{8}|.{5}\0{3})", re.DOTALL),
}
"""How a file begins that is unpacked here."""


def _unpacked(file: IO[bytes], troubles: Troubles | None) -> Iterator[bytes]:
    # A pipe or a socket may give less than is asked, and what it is shows in its beginning.
    first = b""
    while len(first) < CHUNK and (more := file.read(CHUNK - len(first))):
        first += more
    kind = packing(first)
    if not kind:
        _no_archive(first)
        while first:
            yield first
            first = file.read(CHUNK)
        return
    rest = _Joined(first, file)
    pieces = _bounded(_opened(kind, rest), kind, rest, troubles)
    begun = next(pieces, b"")
    if packing(begun):
        raise CannotRead(language.Text(N_("is packed twice: unpack it first")))
    _no_archive(begun)
    yield begun
    yield from pieces


def packing(head: bytes) -> str:
    """The packing that a file beginning so is in, of those that are undone here; or nothing."""
    return next((kind for kind, begins in _PACKED.items() if begins.match(head)), "")


def _no_archive(head: bytes) -> None:
    for at, mark, name, unpack in _ARCHIVES:
        if head.startswith(mark, at):
            text = N_("is {what}: unpack it first, as with `{command} | ehlo-twice explain -`")
            raise CannotRead(language.Text(text, {"what": language.Text(name), "command": unpack}))


def _opened(kind: str, file: Any) -> Any:
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file, mode="rb")
    if kind == "bzip2":
        return bz2.BZ2File(file)
    if kind == "zstd":
        return _zstd(file)
    return lzma.LZMAFile(file)


class _Joined(io.RawIOBase):
    """A stream whose beginning was already read."""

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        self._first, self._rest = first, rest
        self.taken = 0
        """Octets that were taken from it."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._first:
            given = self._first if size < 0 else self._first[:size]
            self._first = b"" if size < 0 else self._first[size:]
        else:
            given = self._rest.read(size)
        self.taken += len(given)
        return given


def _zstd(file: Any) -> Any:
    """Python has zstd since 3.14; before that, a package brings it."""
    for name in ("compression.zstd", "pyzstd", "zstandard"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            return module.ZstdDecompressor().stream_reader(file)
        return module.ZstdFile(file)
    text = N_("this is a zstd file and this Python has no zstd: unpack it with `zstd -d`")
    raise CannotRead(language.Text(text))


def _bounded(packed: Any, kind: str, file: _Joined, troubles: Troubles | None) -> Iterator[bytes]:
    total = 0
    trouble: language.Text | None = None
    # read1 gives what was unpacked before the damage; read would lose it.
    take = getattr(packed, "read1", packed.read)
    try:
        while not trouble and (piece := take(CHUNK)):
            total += len(piece)
            yield piece
            if total > BIGGEST:
                text = N_("it unpacks to more than {size} GiB")
                trouble = language.Text(text, {"size": BIGGEST >> 30})
            elif total > max(UNSUSPECTED, MOST_PACKED * file.taken):
                text = N_(
                    "it unpacks to more than {count} times its size: if that is right, unpack it "
                    "first"
                )
                trouble = language.Text(text, {"count": MOST_PACKED})
    except Exception as error:  # gzip, bz2, lzma and each zstd package have errors of their own
        text = N_("the {kind} file is damaged: {problem}")
        trouble = language.Text(text, {"kind": kind, "problem": str(error)})
        if not total:
            text = N_("this {kind} file is damaged: {problem}")
            raise CannotRead(language.Text(text, {"kind": kind, "problem": str(error)})) from None
    if trouble:
        yield f"\n[cut here: {language.say(trouble)}]\n".encode()
        if troubles is not None:
            text = N_("only the first {count} octets of it are read: {why}")
            troubles.append(language.Text(text, {"count": total, "why": trouble}))


# From octets to lines -------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8, or in another encoding whose ASCII is ASCII."""
    first = next(pieces, b"")
    bom, encoding = next(((b, e) for b, e in _BOMS if first.startswith(b)), (b"", ""))
    if not bom and len(first) > 3:
        encoding = _wide(first[:4096])
    pieces = itertools.chain((first[len(bom) :],), pieces)
    if encoding in ("", "utf-8"):
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")


def _wide(head: bytes) -> str:
    """UTF-16 without a BOM shows by a NUL in nearly every other octet, UTF-32 by three of four."""
    quarter = len(head) // 4
    nul = [head[n : 4 * quarter : 4].count(0) for n in range(4)]
    if nul[2] == nul[3] == quarter and nul[0] < 0.1 * quarter:
        return "utf-32-le"
    if nul[0] == nul[1] == quarter and nul[3] < 0.1 * quarter:
        return "utf-32-be"
    half = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends (LF, CRLF, CR), each at most a little longer than `LONGEST`."""
    rest, lost = b"", 0
    for piece in pieces:
        data = rest + piece if rest else piece
        held = data[-1:] == b"\r"
        if held:
            data = data[:-1]
        lines = data.splitlines()
        ended = data[-1:] in (b"\n", b"\r")
        rest = b"" if ended or not lines else lines.pop()
        for line in lines:
            yield _cut(line, lost)
            lost = 0
        if len(rest) > LONGEST:
            lost += len(rest) - LONGEST
            rest = rest[:LONGEST]
        if held:
            rest += b"\r"
    if rest or lost:
        yield _cut(rest.removesuffix(b"\r"), lost)


def _cut(line: bytes, lost: int) -> bytes:
    lost += max(0, len(line) - LONGEST)
    return line[:LONGEST] + b" [%d octets more]" % lost if lost else line


def line_of(number: int, octets: bytes) -> Line:
    """A line by itself, clean, as `text` gives it where nothing else has to be undone."""
    return Line(number, tidy(_decoded(_cut(octets, 0))).rstrip())


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


# From lines to clean lines --------------------------------------------------------------------

_COLOUR = late(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)?|[@-Z\\^_]?)"
)
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("“”„‟", '"'),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("\u00a0\u2007\u202f\u2009", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", None),
        **dict.fromkeys((chr(c) for c in (*range(9), *range(11, 32), *range(127, 160))), "\ufffd"),
        "\x85": "…",
        "\x0b": " ",
        "\x0c": " ",
    }
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DASH = late(f"[{_DASHES}]")
_DASHED_REPLY = late(
    r"""((?:^[ \t]{0,40}|(?<=[]:>|'"<*=~-])[ \t]{0,4}"""
    r"|(?<=\\[nr])|(?<=\\01[25])|(?<=\\x0[ad]))"
    rf"([2-5][0-57][0-9]))[{_DASHES}](?="
    r"[A-Z\[*]|(?<=[45][0-9][0-9].)[a-z]|[245]\.[0-9]{1,3}\.[0-9]|8BIT"
    r"|(?=[0-9-]{0,20}[a-z])[\w-]{1,63}\.[a-z0-9]"
    r"|(?i:8bitmime|auth|chunking|dsn|enhancedstatuscodes|etrn|expn|help|localhost|pipelining|size"
    r"|smtputf8|starttls|vrfy)\b"
    r"|[a-z][\w-]{0,62}(?:[ \t]{0,4}$|,? (?i:hello|at your|greets|pleased|nice|welcome)))"
)
"""A reply code, where a reply may begin, and the hyphen that a page made a dash of."""
_DASHED_BETWEEN = late(rf"([2-5][0-57][0-9])[{_DASHES}](?=[A-Z8][A-Z0-9=-])")
"""The same where the lines of a reply were run together."""
_DASHED_ARROW = late(rf"<[{_DASHES}]{{1,3}}|[{_DASHES}]{{1,3}}>")
_ENTITY = late(
    r"&(?:lt|gt|quot|amp|nbsp|#39|#x27|#34|apos|[nm]dash|minus|#82(?:0[89]|1[0-3])|#8722);"
)
_TAG = late(r"</?(?:br|p|pre|code|div|span|li|td|tr|font|b|i)(?: [^<>]{0,200})?/?>", re.I)
_LINK = late(r"\[([\w.@:-]{1,200})\]\((?:https?://|mailto:)[^)\s]{0,400}\)")
_LINE_END = late(r"(?:\^M)+\$?$|(?<=.)\\r(?:\\n)?$")
_LISTED = late(r"\s*(['\"])((?:\\.|(?!\1).){0,2000})\1,?\s*")
"""An item of a list of strings, as source code or JSON has it."""
_BRACKET = late(r"\s*[\[\](){}]{1,2}[,;]?\s*")
"""What opens or closes a list of strings."""
_DOUBLED = late(r"(\S.{11,150}?[:|\])] )\1")
"""What a logger put before a line that bore it already."""
_QUOTED = late(r"\s{0,8}> ?")


def tidy(text: str) -> str:
    """A line without colours and typography; control characters are shown as U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    text = text.translate(_TYPOGRAPHY)
    return _undashed(text) if _DASH.search(text) else text


def _undashed(text: str) -> str:
    """A line with hyphens where only a hyphen can have stood: in replies and in arrows."""
    text = _DASHED_ARROW.sub(lambda arrow: _DASH.sub("-", arrow[0]), text)
    first = _DASHED_REPLY.search(text)
    if first is None:
        return text
    text = _DASHED_REPLY.sub(r"\1-", text)
    return _DASHED_BETWEEN.sub(lambda m: f"{m[1]}-" if m[1] == first[2] else m[0], text)


def _logged(line: str) -> str:
    """What Docker's or journald's JSON says was logged."""
    if not line.startswith("{"):
        return line
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return line
    if not isinstance(row, dict):
        return line
    if isinstance(row.get("log"), str):
        return str(row["log"]).rstrip("\n")
    if isinstance(row.get("MESSAGE"), str):
        return f"{row.get('SYSLOG_IDENTIFIER', '-')}[{row.get('_PID', 0)}]: {row['MESSAGE']}"
    return line


_ENVELOPE = late(r'\s*\{.*"(?:log|MESSAGE)" ?: ?"')
_ENVELOPED = late(r'"(?:stream|__REALTIME_TIMESTAMP|_PID|_BOOT_ID)" ?:')


_ESCAPED = late(r"=(3D|2E|20|2D|3[CE]|46)")
"""What an archive of a mailing list leaves of ASCII in quoted-printable (RFC 2045 §6.7)."""
_OCTETS = late(r"\s*((?:[0-9a-f]{2}){3,4000})\s*")


def _octets(line: str) -> str:
    """What a line of hexadecimal digits says, as tshark -z follow,tcp,raw writes it."""
    match = _OCTETS.fullmatch(line)
    if match is None:
        return line
    return tidy(bytes.fromhex(match[1]).decode("latin-1").replace("\r\n", "\n").rstrip("\n"))


def _item(line: str) -> str:
    """What an item of a list of strings says."""
    match = _LISTED.fullmatch(line)
    if match is None:
        return line
    if match[1] == '"':
        try:
            return tidy(str(msgspec.json.decode(f'"{match[2]}"', type=str)))
        except msgspec.DecodeError:
            pass
    return match[2]


def _habits(head: list[str]) -> list[Callable[[str], str]]:
    """What has to be undone in every line of this file, judging by its first lines."""
    full = [line for line in head if line.strip()]
    steps: list[Callable[[str], str]] = []
    if full and all(_ENVELOPE.match(line[:4000]) for line in full[:50]):
        if _ENVELOPED.search(full[0]):
            steps.append(_logged)
            full = [_logged(line) for line in full]
    text = "\n".join(full[:400])
    if _ENTITY.search(text) and "<-" not in text and "->" not in text.replace("-&gt;", ""):
        steps.append(lambda line: tidy(_TAG.sub("", html.unescape(_TAG.sub("", line)))))
    elif re.search(r"(?i)<br ?/?>(?:\n|$)", text):
        steps.append(lambda line: _TAG.sub("", line))
    if text.count("=3D") > 2 or "=2E" in text:
        steps.append(lambda line: _ESCAPED.sub(lambda m: chr(int(m[1], 16)), line))
    if "Follow: tcp,raw" in text:
        steps.append(_octets)
    if "](http" in text or "](mailto:" in text:
        steps.append(lambda line: _LINK.sub(r"\1", line))
    if len(full) > 1 and all(_QUOTED.match(line) for line in full):
        inner = [_QUOTED.sub("", line, count=1) for line in full]
        if any(re.match(r"\s*[2-5]\d\d[ -]|\W{0,4}[<>=-]", line) for line in inner):
            steps.append(lambda line: _QUOTED.sub("", line, count=1))
    items = [line for line in full if not _BRACKET.fullmatch(line)]
    if len(items) > 2 and all(_LISTED.fullmatch(line[:4000]) for line in items):
        steps.append(_item)
    if len(full) > 1 and all(_DOUBLED.match(line[:LONGEST]) for line in full):
        steps.append(lambda line: _DOUBLED.sub(r"\1", line, count=1))
    if "^M" in text:
        steps.append(lambda line: _LINE_END.sub("", line))
    elif len(full) > 1 and sum(line.endswith("$") for line in full) > 0.8 * len(full):
        steps.append(lambda line: line.removesuffix("$"))
    return steps


class Text(NamedTuple):
    """A log, ready to be read: its first lines, and all lines, once."""

    head: list[str]
    lines: Iterator[Line]
    whole: bool
    """The first lines are all there are."""
    as_written: bool = False
    """Nothing had to be undone but what single lines may have, such as colours."""


def text(source: Source) -> Text:
    """The clean lines of `source`. Raises `CannotRead`, at once or while they are read."""
    return text_of(chunks(source))


def text_of(pieces: Iterator[bytes], most: int = HEAD) -> Text:
    """The clean lines of a text that comes piece by piece; at `most` so many are its head."""
    return clean(map(_decoded, _split(utf8(pieces))), most)


def clean(raw: Iterable[str], most: int = HEAD) -> Text:
    """Lines without their ends, cleaned; line numbers are those of `raw`, from 1."""
    numbered = _numbered(raw)
    first: list[tuple[int, str]] = []
    size, whole = 0, True
    for number, line in numbered:
        first.append((number, line))
        size += len(line)
        if len(first) >= most or size > HEAD_TEXT:
            whole = False
            break
    steps = _habits([line for _, line in first])

    def clean_line(line: str) -> str:
        for step in steps:
            line = step(line)
        return line.rstrip()

    head = [clean_line(line) for _, line in first]
    lines = itertools.chain(
        (Line(number, line) for (number, _), line in zip(first, head, strict=True)),
        (Line(number, clean_line(line)) for number, line in numbered),
    )
    return Text(head, lines, whole, as_written=not steps)


def _numbered(raw: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, tidy, without the deserts among them."""
    blank = 0
    for number, line in enumerate(raw, 1):
        if not line or line.isspace():
            blank += 1
            if blank > MOST_BLANK:
                continue
        else:
            blank = 0
        yield number, tidy(line)


_SMTP_LIKE = late(
    r"(?:^|[^\w.])(?:[2-5][0-57]\d[ -]|(?:EHLO|HELO) \S|STARTTLS\b|MAIL FROM ?:|RCPT TO ?:)", re.I
)
_OF_TLS = late(r"[\t -~]{20}\b(?:SMTP|STARTTLS|TLS|SSL)\b|\b(?:SMTP|STARTTLS|TLS|SSL)\b[\t -~]{20}")
"""A word of these in a piece of text that is longer than octets look like one by chance."""
BINARY = 0.05
"""The share of a file's head that no text has and random octets surpass by far."""


def is_binary(head: list[str]) -> bool:
    """Whether these lines are no text, nor a log with some octets in it: no line among them is
    whole and looks like SMTP."""
    size = sum(map(len, head))
    strange = sum(line.count("\ufffd") for line in head)
    if not size or strange <= BINARY * size:
        return False
    # A log that lost its line ends may have octets of TLS on its one line, as may the message of an
    # error: what stands before them.
    whole = (line.partition("\ufffd")[0][:LONGEST] for line in head)
    return not any(_SMTP_LIKE.search(text) or _OF_TLS.search(text) for text in whole)


# What stands before the text of a line --------------------------------------------------------

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AP]M)?"
_DAY = rf"(?:\d{{4}}-\d\d-\d\d|{_MONTH} {{1,2}}\d{{1,2}}|\d{{1,2}} {_MONTH}(?: \d{{4}})?)"
_OFFSET = r"(?: ?Z| ?[+-]\d\d:?\d\d)?"
_ZONE = r"(?: [A-Z]{3,4})?"
_LEVEL = (
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|FINE|FINER|FINEST"
    r"|[Tt]race|[Dd]ebug|[Ii]nfo|[Ww]arning|[Ee]rror)"
)
_PREFIXES = tuple(
    late(pattern)
    for pattern in (
        # 2026-02-07T13:12:00Z, 2026/02/07 13:12:00, 02/01/2026 03:34:18 PM
        rf"\[?\d{{2,4}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}[ T,]{{1,3}}{_TIME}{_OFFSET}\]?:?",
        # Mon Feb 16 12:33:08 2026; Thu 2026-02-26 12:58:47; Feb 16 12:33:08
        rf"\[?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{_DAY},? {_TIME}{_ZONE}(?: \d{{4}})?\]?:?",
        rf"\[?{_TIME}\]?:?(?= )",
        r"\d{9,10}\.\d{1,9}:?",
        r"@[0-9a-f]{24}",
        rf"\[?{_LEVEL}\d?\]?:?(?=[ \t\[])",
        r"<\d{1,3}>",
        r"[A-Z]{4,8}:[A-Za-z0-9_.-]{1,60}:",
        r"\[[A-Za-z0-9_.#:/-]{1,60}\]:?(?= )",
        r"\([A-Za-z0-9_.#:/ -]{1,60}\)(?= )",
        # Spring Boot: process id, thread, logger
        r"\d{1,7} --- \[[^\]]{1,40}\] \S{1,60} {1,40}:(?= )",
        r"[A-Za-z][A-Za-z0-9_./-]{0,60}\[\d{1,10}\]:",
        r"[A-Za-z0-9_.-]{1,60} {1,20}\|",
        # the host of a syslog line
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}(?= [A-Za-z][A-Za-z0-9_./-]{0,60}(?:\[\d{1,10}\])?: )",
        r"[A-Za-z][A-Za-z0-9_./-]{2,60}: (?=\s*(?:[-<>~=*]|\[?[<>-]))",
        r"[a-z]+(?:\.[a-z]+){1,6}:(?= )",
    )
)
_PID = late(r"([A-Za-z][A-Za-z0-9_./-]{0,60})\[(\d{1,10})\]:")


class Prefix(NamedTuple):
    """What a logger put before a line: the rest, and the program with its process id."""

    rest: str
    process: str


@functools.lru_cache(2048)  # each format asks it of the same lines
def without_prefix(line: str) -> Prefix:
    """Take off timestamps, levels, threads and program names that any logger may have put there."""
    process = ""
    rest = line
    for _ in range(6):
        stripped = rest.lstrip(" \t|")
        for pattern in _PREFIXES:
            match = pattern.match(stripped)
            if match and match.end() < len(stripped):
                pid = _PID.fullmatch(match[0])
                if pid:
                    process = pid[0].rstrip(":")
                rest = stripped[match.end() :]
                break
        else:
            break
    return Prefix(rest, process)


# When a line was written ----------------------------------------------------------------------

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_TIMED = late(r":\d\d:\d\d")
"""What each time of day has, and little else has."""
_ISO = late(r"(\d{4})[-/](\d\d)[-/](\d\d)[T ,]{1,2}(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_NAMED = late(
    rf"({_MONTH}) {{1,2}}(\d{{1,2}}),? (\d\d):(\d\d):(\d\d)(?:\.(\d{{1,9}}))?(?: (\d{{4}})\b)?"
)
_CLOCK = late(r"(?<![\d:])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?![\d:])")
_EPOCH = late(r"(?<!\d)(1\d{9})\.(\d{1,6})(?!\d)")


class Stamp(NamedTuple):
    """Seconds, since the epoch where the date is `known`, else within an unknown day or year."""

    seconds: float
    known: bool


def stamp(line: str) -> Stamp | None:
    """When a line was written, from the stamp at its beginning, whatever its style."""
    head = line[:90]
    # Most lines of a dialogue have no time, and to look for a character is far quicker.
    if ":" in head and _TIMED.search(head) is not None:
        if (match := _ISO.search(head)) is not None:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            return _stamp(year, month, day, hour, minute, second, match[7], known=True)
        if (match := _NAMED.search(head)) is not None:
            month = _MONTHS[match[1][:3].lower()]
            year = int(match[7] or 1970)
            return _stamp(
                year, month, int(match[2]), int(match[3]), int(match[4]), int(match[5]), match[6],
                known=bool(match[7]),
            )  # fmt: skip
        if (match := _CLOCK.search(head)) is not None:
            return _stamp(1970, 1, 1, int(match[1]), int(match[2]), int(match[3]), match[4])
    if "." in head and (match := _EPOCH.search(head)) is not None:
        return Stamp(float(match[0]), known=True)
    return None


def _stamp(
    year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: str | None,
    *, known: bool = False,
) -> Stamp | None:  # fmt: skip
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    days = _days(year, month, day)
    part = float(f"0.{fraction}") if fraction else 0.0
    return Stamp(days * 86400 + hour * 3600 + minute * 60 + second + part, known)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, by the civil calendar; cheap, and lenient with 30 February."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
