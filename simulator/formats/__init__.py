"""Readers of real logs: text in, sessions out, streaming.

A regular format is a TOML file in this folder (`pattern` says what it may hold); an irregular one
is a small module with `NAME`, `TITLE`, `LOG_MORE`, `detect` and `read`. Which one a log is of shows
by its first lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from simulator.explainer import explain
from simulator.formats import (
    capture,
    dotnet,
    exchange,
    growing,
    json_lines,
    pattern,
    plain,
    postfix,
    s_client,
    tally,
    unknown,
)
from simulator.formats import clean as cleaning
from simulator.formats.clean import CannotRead, Line, Source
from simulator.formats.pattern import FormatError, PatternFormat
from simulator.formats.tally import Tallied
from simulator.session import Remark, Session

__all__ = [
    "CannotRead", "Format", "FormatError", "NoSuchFormat", "Source", "Tallied", "detect", "follow",
    "known", "read", "test", "verdicts",
]  # fmt: skip

Detect = Callable[[str, list[str]], float]
Read = Callable[[Iterable[Line]], Iterator[Session]]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of log. `log_more` says how to make that software log the dialogue. `samples` are
    logs with what they mean, where the format has any of its own."""

    name: str
    title: str
    log_more: str
    detect: Detect
    read: Read
    samples: tuple[pattern.Sample, ...] = ()
    path: str = ""


class NoSuchFormat(ValueError):
    """There is no format of that name."""


_MODULES = (postfix, exchange, json_lines, dotnet, s_client, unknown, plain)


def known(extra_dirs: Iterable[Path] = ()) -> list[Format]:
    """All formats, those of `extra_dirs` first. Raises `FormatError` for a wrong file there."""
    own = [_of(pattern.load(path), str(path)) for folder in extra_dirs for path in _tomls(folder)]
    names = {kind.name for kind in own}
    return own + [kind for kind in _built_in() if kind.name not in names]


def _tomls(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FormatError(f"{folder}: no such folder")
    return sorted(folder.glob("*.toml"))


@cache
def _built_in() -> tuple[Format, ...]:
    found = [
        _of(pattern.parse(entry.read_text("utf-8"), entry.name), entry.name)
        for entry in sorted(files("simulator.formats").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml") and entry.name != "signs.toml"
    ]
    found += [
        Format(
            name=module.NAME,
            title=module.TITLE,
            log_more=module.LOG_MORE,
            detect=module.detect,
            read=module.read,
            path=module.__name__,
        )
        for module in _MODULES
    ]
    return tuple(found)


def _of(source: PatternFormat, path: str) -> Format:
    return Format(
        name=source.name,
        title=source.title,
        log_more=source.log_more,
        detect=source.detect,
        read=source.read,
        samples=tuple(source.file.sample),
        path=path,
    )


_TELLING = re.compile(
    r"(?i)(?<![\d.])[2-5]\d\d[ -]|ehlo|helo|starttls|mail from|rcpt to|\btls|\bssl|\bquit\b|auth "
    r"|[id]cid|smtp|certif|handshake"
)
MOST_TELLING = 150
"""Lines of the head that every format is tried on."""


def detect(head: Sequence[str], *, extra_dirs: Iterable[Path] = ()) -> Format:
    """The format that a log beginning with those lines is most likely of."""
    telling = [line[:2000] for line in head if _TELLING.search(line[:400])][:MOST_TELLING]
    text = "\n".join(line[:2000] for line in head)
    kinds = known(extra_dirs)
    best, index = max((kind.detect(text, telling), -index) for index, kind in enumerate(kinds))
    return kinds[-index] if best > 0 else kinds[-1]


def read(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
) -> Iterator[Session]:
    """The sessions of a log, one by one, as soon as each is complete.

    `source` is a path, an open file, octets, or the text itself. `format` is the name of one of
    `known()`; without it the format is found out. Each line of the log is in an event of one of
    the sessions. Raises `CannotRead`, `NoSuchFormat` or `FormatError`.
    """
    dirs = tuple(extra_dirs)
    pieces = cleaning.chunks(source)
    first = next(pieces, b"")
    pieces = itertools.chain((first,), pieces)
    if not first:
        raise CannotRead(f"{_name(source)}: is empty")
    if format == capture.NAME or (format is None and capture.is_capture(first)):
        yield from capture.read(pieces)
        return
    text = cleaning.text_of(pieces)
    if cleaning.is_binary(text.head):
        raise CannotRead(f"{_name(source)}: is binary, not a log")
    found = _named(format, dirs) if format else detect(text.head, extra_dirs=dirs)
    if found.name in ("plain", "unknown") and not format:
        restored = _restored(text)
        if restored is not None:
            text, found = restored
    yield from found.read(text.lines)


def _name(source: Source) -> str:
    """What the source is called in an error."""
    name = source if isinstance(source, Path) else getattr(source, "name", "")
    if name == "<stdin>":
        return "standard input"
    return str(name) if isinstance(name, Path | str) and name else "the input"


def follow(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
    stop: Callable[[], bool] = growing.never,
) -> Iterator[Session]:
    """The sessions of a log that is still being written, each as soon as it is complete.

    Goes on until `stop` says so. Raises as `read` does.
    """
    dirs = tuple(extra_dirs)
    pieces = growing.pieces(path, stop)
    begun = next(pieces, b"")
    most = max(1, min(begun.count(b"\n"), cleaning.HEAD))
    text = cleaning.text_of(itertools.chain((begun,), pieces), most)
    found = _named(format, dirs) if format else detect(text.head, extra_dirs=dirs)
    yield from found.read(text.lines)


def verdicts(path: Path, *, workers: int = 1) -> Iterator[Tallied]:
    """The verdict over each session of a file, by connection: for a summary.

    A Postfix log is gone through fast (see `tally`), by several processes if `workers` says so;
    any other is read and explained. Raises `CannotRead`.
    """
    if _is_plain(path) and detect(cleaning.text(path).head).name == postfix.NAME:
        yield from tally.verdicts(path, workers=workers)
        return
    for session in read(path):
        # Lines of no connection are told when a log is read, and are no session to count.
        if session.connection or not all(isinstance(event, Remark) for event in session.events):
            yield Tallied(session.connection, explain(session).verdict)


def _is_plain(path: Path) -> bool:
    """Whether the text stands in the file as it is: not packed, not in UTF-16, and no capture."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror or error}") from None
    return head[:1] != b"\x1f" and b"\0" not in head and not capture.is_capture(head)


LONGEST_TRANSLATED = 1 << 17
"""Characters of a log that is looked at for what a translation machine did to it."""


def _restored(text: cleaning.Text) -> tuple[cleaning.Text, Format] | None:
    """The log as it was before a translation machine went over it, and its format.

    Lines keep their numbers; those that are no part of the log stay as they are.
    """
    if not text.whole or sum(map(len, text.head)) > LONGEST_TRANSLATED:
        return None
    # Not at the top: the lexicons are built when they are first wanted, and few logs want them.
    from simulator.restore import restore

    restored = restore("\n".join(text.head))
    kinds = {repair.kind for repair in restored.repairs}
    if restored.language in (None, "en") or not kinds & {"verb", "word", "date", "keyword", "path"}:
        return None
    inside = [n for n in range(1, len(text.head) + 1) if n not in set(restored.left_out)]
    said = dict(zip(inside, restored.text.rstrip("\n").split("\n"), strict=False))
    lines = [Line(n, said.get(n, line)) for n, line in enumerate(text.head, 1)]
    head = [line.text for line in lines]
    return cleaning.Text(head, iter(lines), whole=True), detect([*said.values()])


def _named(name: str, dirs: tuple[Path, ...]) -> Format:
    for found in known(dirs):
        if found.name == name:
            return found
    names = ", ".join(sorted(found.name for found in known(dirs)))
    raise NoSuchFormat(f"no format {name!r}: there are {names}")


def test(path: Path) -> int:
    """Try a format's file on its own samples; how many there were.

    Raises `FormatError` with file and line if the file is wrong, has no sample, or a sample means
    something else than it says.
    """
    found = pattern.load(path)
    if not found.file.sample:
        raise FormatError(f"{path}: no [[sample]]: a format is tested by its samples")
    text = path.read_text("utf-8").split("\n")
    starts = [n for n, row in enumerate(text, 1) if row.strip() == "[[sample]]"]
    for sample, line in zip(found.file.sample, starts, strict=True):
        wrong = misses(found.read, sample)
        if wrong:
            raise FormatError(f"{path}:{line}: {wrong}")
    return len(found.file.sample)


def misses(read: Read, sample: pattern.Sample) -> str:
    """How a sample differs from what it says it means; empty if it does not."""
    sessions = list(read(cleaning.text(sample.log.strip("\n")).lines))
    if len(sessions) != sample.sessions:
        return f"{len(sessions)} sessions were read, {sample.sessions} were meant"
    verdict = explain(sessions[0]).verdict
    for key in sample.means.__struct_fields__:
        wanted = getattr(sample.means, key)
        found = getattr(verdict, key)
        if wanted is not None and found != wanted:
            return f"{key} is {found!r}, {wanted!r} was meant"
    return ""
