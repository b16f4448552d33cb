"""A regular log format as data: one TOML file with its patterns, and samples that are its test.

A pattern is tried at the first character of a line that is no space, first on the line as it is,
then on what is left when the logger's own prefix (time, level, process) is taken off.
"""

from __future__ import annotations

import re
import re._parser as sre  # type: ignore[import-not-found]  # the tree of a regular expression
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator import toml
from simulator.language import N_, Text, Told
from simulator.masking.prose import Masker
from simulator.needles import Needles, folded, late, needle
from simulator.reading.clean import Line, without_prefix
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Extent, Reason, is_command, is_reply
from simulator.reading.format import Format, Sample
from simulator.reading.marks import (
    LONGEST,
    continued,
    learn,
    peers,
    unescape,
    unmarked,
    unmarked_or_prefixed,
)
from simulator.session import Session, Side

Means = Literal[
    "client", "server", "retold", "both", "mark", "either", "message", "connect", "close", "end",
    "tls", "encrypted", "failed", "plain_tls", "implicit", "not_offered", "not_attempted",
    "remark", "peer",
]  # fmt: skip


class LineKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of line. `means` says what it is:

    - `client`, `server`: that side says the group `text`; `mark`: the side that the group `mark`
      turns out to stand for; `either`: the side that the text itself shows; `both`: the client
      the group `client`, then the server the group `server` (or the rule's text of that name,
      with `{name}` for a group called name);
    - `retold`: an error message quotes a reply, which counts where it was not shown before, and
      `client` the command that it answers, which counts where nothing was;
    - `message`: a line of the mail data; `remark`: no part of the dialogue; `peer`: neither, but
      it names the peers;
    - what happened: `connect`, `close`, `end` of the session; `tls` came about; `encrypted`: it
      did, and only octets are shown from here on; `failed`; `plain_tls`: TLS met a peer that
      expects plain SMTP; `implicit`: TLS from the first octet; `not_offered`, `not_attempted`.

    `text` stands in for the group, with `{name}` for a group called name; so does `connection`
    for the group `conn`. `quoted`: backslash escapes and quotes are undone. `plus`: `+` is a
    space. `split`: what stands between the lines of a reply. `secure`: the mark says that it
    travelled inside TLS. `bare`: further lines of the reply follow, without a code or a mark.
    `by` and `reason`: of the close. `verified`: of the certificate.
    `opens`: where nothing was said before it, it tells of TLS from the first octet.

    Groups with a meaning: `conn` names the connection; `client_name`, `client_address`,
    `server_name`, `server_address`, `port`; `version` and `cipher` of TLS; `detail` of a failure.
    """

    pattern: str
    means: Means
    text: str = ""
    client: str = ""
    server: str = ""
    quoted: bool = False
    plus: bool = False
    split: str = ""
    secure: bool | None = None
    bare: bool = False
    connection: str = ""
    by: Side = "client"
    reason: Reason = "closed"
    verified: bool = False
    opens: bool = False


class FormatFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A format as it is written.

    It has a `title`, in words that are translated, or is called after its `software`, whose name is
    the same in every language. `log_more` says how to make the software log the dialogue.
    `signature`: patterns that only this format has. `unmarked`: lines of the dialogue may stand
    without any mark. `typed`: a person typed them, nobody starts TLS unless the log says so.
    `weight` settles ties.
    """

    name: str
    title: str = ""
    software: str = ""
    log_more: str = ""
    shown: Extent = "all"
    signature: list[str] = []
    unmarked: bool = False
    typed: bool = False
    weight: float = 1.0
    line: list[LineKind] = []
    sample: list[Sample] = []


class FormatError(Told, ValueError):
    """A format's file is wrong: which file, which line, and why."""


_PEER = late(r"\(\?P<(?:client_name|client_address|server_name|server_address|port)>")


class Pattern:
    """A rule, ready for use."""

    def __init__(self, rule: LineKind) -> None:
        self.rule = rule
        self.needle = needle(rule.pattern)
        self.regex = self.needle.pattern
        self.names_peers = _PEER.search(rule.pattern) is not None
        self.split = late(rule.split) if rule.split else None

    def ours(self, match: re.Match[str], text: str) -> str:
        """The rule's own `text` for what was said, with its groups filled in."""
        said = text.format_map({key: value or "" for key, value in match.groupdict().items()})
        return said.replace("+", " ") if self.rule.plus else said

    def said(self, match: re.Match[str], group: str = "text") -> str:
        """What was said, out of the line that matched."""
        found = match.groupdict()
        text = found.get(group) or ""
        if self.rule.text and group == "text":
            text = self.rule.text.format_map({key: value or "" for key, value in found.items()})
        if self.rule.plus:
            text = text.replace("+", " ")
        if self.rule.quoted:
            text = unescape(text)
        if self.split is not None:
            text = "\n".join(_coded([part for part in self.split.split(text) if part.strip()]))
        return text


_ENCODED = late(r"(?is)(?:AUTH|334)\b.*|[A-Z0-9+/]*=*\s*")
"""What ends in Base64: a page may have wrapped it there."""
_OCTETS = late(r"""\s*[A-Za-z0-9+/]*=*(?:\\[rn])*["']?\s*""")


class _Held:
    """A quoted line without its closing quote, and the lines that may be the rest of it."""

    MOST = 5

    def __init__(self, pattern: Pattern, text: str, connection: str, line: Line) -> None:
        self.pattern = pattern
        self.first = self.text = text
        self.connection = connection
        self.lines = [line]
        self.closed = False

    def goes_on(self, line: Line) -> bool:
        """Take one more line, unless the quote is closed or never will be."""
        if self.closed or len(self.lines) >= self.MOST or len(self.text) > LONGEST:
            return False
        text = self.text + line.text.strip()
        if _closed(text) and self._has_secrets([*self.lines[1:], line]):
            return False
        self.lines.append(line)
        self.text = text
        self.closed = _closed(text)
        return True

    def _has_secrets(self, lines: list[Line]) -> bool:
        """Whether a secret stands in lines that would not be seen as such in the midst of a reply:
        they are a page's own, and no rest of it."""
        match = self.pattern.regex.match(self.first)
        begun = self.pattern.said(match) if match else ""
        texts = [one.text for one in lines]
        # What was begun may name what a line holds.
        shown = Masker().block([begun, *texts])[1:]
        if texts == shown:
            return False
        if not _ENCODED.fullmatch(begun):
            return True
        return any(
            one != other and not _OCTETS.fullmatch(one)
            for one, other in zip(texts, shown, strict=True)
        )


def _coded(parts: list[str]) -> list[str]:
    """Lines of one reply, of which some tools give the code to the first only."""
    if len(parts) < 2 or not is_reply(parts[0].strip()):
        return parts
    code = parts[0].strip()[:3]
    last = len(parts) - 1
    found = [f"{code}-{parts[0].strip()[4:]}"]
    for index, part in enumerate(parts[1:], 1):
        text = part.strip()
        if is_reply(text) and text.startswith(code):
            text = text[4:]
        elif is_reply(text):
            return parts
        found.append(f"{code}{' ' if index == last else '-'}{text}")
    return found


_SPOKEN = ("client", "server", "retold", "mark", "either", "message")


_FOLDS = late(r"[|>][-+]?\d?")
"""What ends `name: >-` in YAML, whose value follows; behind the name it marks no side."""


class PatternReader:
    """The reader of a format that is data."""

    def __init__(self, file: FormatFile) -> None:
        self.file = file
        self._patterns = [Pattern(rule) for rule in file.line]
        self._needles = Needles([pattern.needle for pattern in self._patterns])
        self._signatures = Needles([needle(sign, re.MULTILINE) for sign in file.signature])
        # A log of several parts is looked at again and again.
        self._tells = lru_cache(2048)(self._counts)

    def detect(self, head: str, telling: list[str]) -> float:
        """How likely a log is of this format: `head` is its beginning, `telling` the lines that
        seem to be about SMTP or TLS."""
        signed = self._signatures.search(head, folded(head)) is not None
        if self.file.signature and not signed and self.file.weight < 0.5:
            return 0.0
        near = self.file.unmarked or self._needles.near(folded("\n".join(telling)))
        hits = sum(self._tells(line) for line in telling) if near else 0
        if not hits and not signed:
            return 0.0
        share = hits / max(1, len(telling))
        return self.file.weight * (0.5 * share + min(hits, 10) * 0.005) + (0.4 if signed else 0.0)

    def _counts(self, line: str) -> bool:
        found = self._find(line)
        if found is not None:
            return found[0].rule.means not in ("remark", "peer")
        text = line[:LONGEST].strip()
        return self.file.unmarked and any(
            is_reply(said) or is_command(said) for said in (text, without_prefix(text).rest.strip())
        )

    def knows(self, line: str) -> bool:
        """Whether the line is one of this format's that shows no words of a dialogue."""
        found = self._find(line)
        if found is None:
            return False
        rule = found[0].rule
        return rule.means not in _SPOKEN or bool(rule.text)

    def _find(self, line: str) -> tuple[Pattern, re.Match[str], str] | None:
        text = line[:LONGEST].strip()
        near = [self._patterns[n] for n in self._needles.near(folded(text))]
        for pattern in near:
            match = pattern.regex.match(text)
            if match:
                return pattern, match, ""
        if not near:
            return None
        rest, process = without_prefix(text)
        rest = rest.lstrip()
        if rest and rest != text and not _FOLDS.fullmatch(rest):
            for pattern in near:
                match = pattern.regex.match(rest)
                if match:
                    return pattern, match, process
        return None

    def read(self, lines: Iterable[Line]) -> Iterator[Session]:
        """The sessions of a log."""
        desk = Desk(self.file.name, shown=self.file.shown, plain=self.file.typed)
        held: _Held | None = None
        for line in lines:
            found = self._find(line.text) if line.text else None
            if held is not None:
                if found is None and line.text and held.goes_on(line):
                    continue
                self._release(desk, held)
                held = None
            if found is not None:
                held = self._take(desk, found, line)
            elif line.text:
                self._unmatched(desk, line)
            elif desk.latest is not None and desk.latest.in_message:
                desk.latest.message("", line.number)
            yield from desk.done()
        if held is not None:
            self._release(desk, held)
        yield from desk.finish()

    def _unmatched(self, desk: Desk, line: Line) -> None:
        if continued(desk, line):
            return
        if self.file.unmarked and unmarked_or_prefixed(desk, line):
            return
        process = without_prefix(line.text[:LONGEST]).process
        desk.remark(line.text, line.number, process if desk.has(process) else None)

    def _release(self, desk: Desk, held: _Held) -> None:
        """Say what was held back: joined if that closed the quote, else as it stood."""
        first = held.lines[0]
        joined = held.text if held.closed else held.first
        match = held.pattern.regex.match(joined)
        if match is None:
            told = False
        else:
            told = self._tell(desk, held.pattern, match, held.connection, first)
        if not told:
            desk.remark(first.text, first.number, held.connection if match else None)
        if not (told and held.closed):
            for line in held.lines[1:]:
                self._unmatched(desk, line)

    def _take(
        self, desk: Desk, found: tuple[Pattern, re.Match[str], str], line: Line
    ) -> _Held | None:
        """Tell the desk what a line means; hold it back if it is not complete."""
        pattern, match, process = found
        rule = pattern.rule
        groups = match.groupdict()
        connection = groups.get("conn") or process
        if rule.connection:
            connection = rule.connection.format_map({k: v or "" for k, v in groups.items()})
        if not connection and desk.latest is not None:
            connection = desk.latest.connection
        match rule.means:
            case "client" | "server" | "mark":
                raw = groups.get("text")
                if rule.quoted and raw is not None and not _closed(match[0]):
                    return _Held(pattern, match[0], connection, line)
                if not self._tell(desk, pattern, match, connection, line):
                    desk.remark(line.text, line.number, connection)
            case "either":
                said = pattern.said(match)
                if not unmarked(desk, Line(line.number, said), connection):
                    desk.remark(line.text, line.number, connection)
            case "both":
                if rule.opens and not (desk.has(connection) and desk.of(connection).begun):
                    desk.of(connection, line.text).implicit = True
                    desk.remark(line.text, line.number, connection)
                    return None
                answer = "" if rule.server else pattern.said(match, "server")
                if answer and desk.latest is not None and desk.latest.retells(answer):
                    desk.remark(line.text, line.number, connection)
                    return None
                for side, ours in (("client", rule.client), ("server", rule.server)):
                    if said := pattern.ours(match, ours) or pattern.said(match, side):
                        self._speak(desk, pattern, connection, side, said, line)
                        if ours:
                            desk.of(connection).unquote()
            case "retold":
                said = pattern.said(match)
                if desk.latest is not None and desk.latest.retells(said):
                    desk.remark(line.text, line.number, connection)
                else:
                    alone = desk.latest is not None and not desk.latest.hears
                    asked = pattern.ours(match, rule.client)
                    if asked and not (desk.has(connection) and desk.of(connection).begun):
                        self._speak(desk, pattern, connection, "client", asked, line)
                        desk.of(connection).unquote()
                    self._speak(desk, pattern, connection, "server", said, line)
                    if alone and said[3:4] != "-":
                        desk.of(connection).unquote()
            case "message":
                desk.of(connection, line.text).message(pattern.said(match), line.number)
            case "end":
                desk.remark(line.text, line.number, connection)
                desk.end(connection)
            case _:
                self._happen(desk, pattern, match, connection, line)
        return None

    def _tell(
        self, desk: Desk, pattern: Pattern, match: re.Match[str], connection: str, line: Line
    ) -> bool:
        """Take it as said; not where nothing shows who said it."""
        said = pattern.said(match)
        side: Side | None
        if pattern.rule.means == "mark":
            side = learn(desk.of(connection), match["mark"], said)
            if side is None:
                return False
        else:
            side = "client" if pattern.rule.means == "client" else "server"
        bare = pattern.rule.bare and is_reply(said) and "\n" not in said
        if bare:
            said = f"{said[:3]}-{said[4:]}"
        self._speak(desk, pattern, connection, side, said, line)
        dialogue = desk.of(connection)
        dialogue.bare = bare
        if side == "client":
            # An ordinary log that shows commands shows what was said after all.
            dialogue.shown = "all"
        if said == pattern.rule.text:
            dialogue.unquote()
        if pattern.names_peers:
            peers(dialogue, {k: v for k, v in match.groupdict().items() if v})
        return True

    def _speak(
        self, desk: Desk, pattern: Pattern, connection: str, side: str, said: str, line: Line
    ) -> None:
        who: Side = "client" if side == "client" else "server"
        desk.speak(connection, who, said, line.number, line.text, secure=pattern.rule.secure)

    def _happen(
        self, desk: Desk, pattern: Pattern, match: re.Match[str], connection: str, line: Line
    ) -> None:
        rule = pattern.rule
        groups = {key: value for key, value in match.groupdict().items() if value}
        if rule.means == "connect" and desk.has(connection) and desk.of(connection).begun:
            desk.end(connection)
        if rule.means in ("remark", "peer") and not desk.has(connection):
            if rule.means == "remark":
                desk.remark(line.text, line.number)
                return
        dialogue = desk.of(connection, line.text)
        peers(dialogue, groups)
        version, cipher = groups.get("version", ""), groups.get("cipher", "")
        match rule.means:
            case "connect":
                dialogue.connect(line.number, line.text)
            case "close":
                dialogue.close(line.number, rule.by, rule.reason)
                dialogue.remark(line.text, line.number)
            case "tls":
                dialogue.tls(
                    line.number, line.text, version=version, cipher=cipher, verified=rule.verified
                )
            case "encrypted":
                dialogue.ciphertext(line.number)
                dialogue.remark(line.text, line.number)
            case "failed":
                dialogue.tls_failed(line.number, groups.get("detail", line.text.strip()))
            case "plain_tls":
                dialogue.implicit, dialogue.shown = True, "all"
                dialogue.tls_failed(line.number, line.text.strip(), "not-tls")
            case "implicit":
                dialogue.implicit = True
                dialogue.remark(line.text, line.number)
            case "not_offered" | "not_attempted" as tells:
                dialogue.remark(line.text, line.number, tells)
            case _:
                dialogue.remark(line.text, line.number)
        if "server" in groups:
            self._speak(desk, pattern, connection, "server", pattern.said(match, "server"), line)


def _closed(text: str) -> bool:
    """Whether a quoted line has its closing quote."""
    return text.rstrip()[-1:] in ("'", '"') and len(text.rstrip()) > 1


# Reading a format's file ----------------------------------------------------------------------


def load(path: Path) -> Format:
    """Read a format's file. Raises `FormatError`, which names file and line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}; give the TOML file of a format") from None
    except UnicodeDecodeError:
        raise FormatError(f"{path}: is not UTF-8; save it as that") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Format:
    """A format out of the text of its file. Raises `FormatError`."""
    written = toml.File(text, where, FormatError)
    file = written.read(FormatFile)
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+_-]*", file.name):
        raise written.wrong(("name",), Text(N_("the name is letters, digits, . + _ -")))
    if bool(file.title) == bool(file.software):
        why = N_("a format has a title or the name of its software, one of them")
        raise written.wrong(("name",), Text(why))
    for index, rule in enumerate(file.line):
        _check(rule, f"{where}:{toml.line_of(text, ('line', index))}")
    for pattern in file.signature:
        _compile(pattern, f"{where}:{toml.line_of(text, ('signature',))}")
    return _format(file, lambda: tuple(file.sample))


class _Samples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sample: list[Sample] = []


def tested(raw: bytes, where: str) -> Format:
    """A format of this package, whose file was tried with `parse` by the tests. Its samples stand
    last there, and are read when somebody asks for them."""
    rules, mark, samples = raw.partition(b"\n[[sample]]")
    return _format(
        toml.read(rules, FormatFile, where),
        lambda: tuple(toml.read(mark + samples, _Samples, where).sample),
    )


def _format(file: FormatFile, sampled: Callable[[], tuple[Sample, ...]]) -> Format:
    reader = PatternReader(file)
    return Format(
        name=file.name,
        title=file.title or file.software,
        log_more=file.log_more,
        detect=reader.detect,
        read=reader.read,
        knows=reader.knows,
        sampled=sampled,
    )


def schema() -> dict[str, object]:
    """The JSON Schema of a format's file, for editors."""
    return toml.schema(FormatFile, "ehlo-twice format")


def _check(rule: LineKind, place: str) -> None:
    groups = _compile(rule.pattern, place)
    if rule.split:
        _compile(rule.split, place)
    wants = {"client": "text", "server": "text", "either": "text", "mark": "mark"}
    needed = wants.get(rule.means, "")
    if needed and needed not in groups and not rule.text:
        raise FormatError(f"{place}: means = {rule.means!r} needs a group (?P<{needed}>…)")
    if rule.means == "mark" and "text" not in groups:
        raise FormatError(f"{place}: means = 'mark' needs a group (?P<text>…)")
    if rule.means == "both" and not ({"client", "server"} & groups or rule.client or rule.server):
        raise FormatError(f"{place}: means = 'both' needs the groups client and server")
    for name in re.findall(r"\{(\w*)\}", rule.text + rule.connection + rule.client + rule.server):
        if name not in groups:
            raise FormatError(
                f"{place}: text, client, server or connection names {{{name}}}, which is no group "
                "of the pattern"
            )


def _compile(pattern: str, place: str) -> set[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise FormatError(f"{place}: pattern {pattern!r}: {error}") from None
    if _explodes(sre.parse(pattern), inside=False):
        raise FormatError(f"{place}: pattern {pattern!r}: a repeat inside a repeat may never end")
    return set(compiled.groupindex)


def _explodes(tree: Any, *, inside: bool) -> bool:
    """Whether an unbounded repeat holds another one: the patterns that may take for ever."""
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            unbounded = most > 1000
            if unbounded and inside:
                return True
            if _explodes(inner, inside=inside or most > 20):
                return True
        elif name == "SUBPATTERN":
            if _explodes(argument[-1], inside=inside):
                return True
        elif name == "BRANCH":
            if any(_explodes(branch, inside=inside) for branch in argument[1]):
                return True
        elif name in ("ASSERT", "ASSERT_NOT") and _explodes(argument[1], inside=inside):
            return True
    return False
