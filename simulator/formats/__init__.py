"""Readers of real logs: text in, sessions out, streaming.

A regular format is a TOML file in this folder (`reading.pattern` says what it may hold); an
irregular one is a module that ends in its `FORMAT`. Dropping a file in is all it takes to add one.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from simulator.errors import Error
from simulator.explainer import explain
from simulator.formats import capture, own
from simulator.language import N_, Text
from simulator.needles import late
from simulator.reading import clean as cleaning
from simulator.reading import growing, judge, pattern
from simulator.reading.clean import CannotRead, Line, Source
from simulator.reading.format import Format, Keep, Read, Sample, Tallied, Unread
from simulator.reading.pattern import FormatError
from simulator.session import Session

__all__ = [
    "CannotRead", "Format", "FormatError", "NoSuchFormat", "Source", "Tallied", "Unread", "detect",
    "follow", "known", "log_more", "read", "sifted", "test", "verdicts", "wanted", "why",
]  # fmt: skip


class NoSuchFormat(Error, ValueError):
    """There is no format of that name."""


_advice: dict[str, str] = {}
"""What the formats of a user's own say, by their names."""


def known(extra_dirs: Iterable[Path] = ()) -> list[Format]:
    """All formats, those of `extra_dirs` first. Raises `FormatError` for a wrong file there."""
    own = [pattern.load(path) for folder in extra_dirs for path in _tomls(folder)]
    _advice.update({kind.name: kind.log_more for kind in own})
    names = {kind.name for kind in own}
    return own + [kind for kind in _built_in() if kind.name not in names]


def log_more(name: str) -> str:
    """How to make the software of that format log more; empty if nobody knows."""
    built_in = {kind.name: kind.log_more for kind in _built_in()}
    return _advice.get(name) or built_in.get(name, "")


def _tomls(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FormatError(f"{folder}: no such folder")
    return sorted(folder.glob("*.toml"))


_BESIDE = ("alike", "decrypt", "sieve", "tally")
"""Modules that hold no format, and take long to load; what needs them loads them."""


@cache
def _built_in() -> tuple[Format, ...]:
    """By the names of their files, data first; those that read any log, last."""
    entries = sorted(files(__name__).iterdir(), key=lambda entry: entry.name)
    tomls = (entry for entry in entries if entry.name.endswith(".toml"))
    found = [pattern.tested(entry.read_bytes(), entry.name) for entry in tomls]
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    for module in modules:
        if module in _BESIDE:
            continue
        kind = getattr(importlib.import_module(f"{__name__}.{module}"), "FORMAT", None)
        if kind is not None:
            found.append(kind)
    return tuple(sorted(found, key=lambda kind: kind.fallback))


_TELLING = late(
    r"(?i)(?<![\d.])[2-5]\d\d[ -]|ehlo|helo|starttls|mail from|rcpt to|\btls|\bssl|\bquit\b|auth "
    r"|[id]cid|smtp|certif|handshake"
)
MOST_TELLING = 150
"""Lines of the head that every format is tried on."""


def detect(head: Sequence[str], *, extra_dirs: Iterable[Path] = ()) -> Format:
    """The format that the signs in those first lines of a log tell of, whatever else they say."""
    likely = _likely(tuple(head), tuple(extra_dirs))
    return next((kind for kind, likelihood in likely if likelihood > 0), likely[-1][0])


@lru_cache(maxsize=4)
def _likely(head: tuple[str, ...], dirs: tuple[Path, ...]) -> list[tuple[Format, float]]:
    """All formats, and how likely the log is of each, the likeliest first."""
    telling = [line[:2000] for line in head if _TELLING.search(line[:400])][:MOST_TELLING]
    text = "\n".join(line[:2000] for line in head)
    kinds = known(dirs)
    found = [(kind, kind.detect(text, telling)) for kind in kinds]
    return sorted(found, key=lambda pair: -pair[1])


PROPOSED = 3
"""Formats that are tried on a log, beside those that read any."""


def _proposer(name: str | None, dirs: tuple[Path, ...]) -> judge.Propose:
    """What proposes the likeliest formats of a log, or the one that the user named."""
    if name:
        named = _named(name, dirs)
        return lambda head: [(named, 1.0)]

    def propose(head: list[str]) -> list[tuple[Format, float]]:
        likely = _likely(tuple(head), dirs)
        best = [(kind, likelihood) for kind, likelihood in likely if likelihood > 0]
        chosen = best[:PROPOSED] or likely[-1:]
        return chosen + [pair for pair in likely if pair[0].fallback and pair not in chosen]

    return propose


def read(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
) -> Iterator[Session]:
    """The sessions of a log, one by one, as soon as each is complete.

    `source` is a path, an open file, octets, or the text itself. `format` is the name of one of
    `known()`; without it the format is found out. Each line of the log is in an event of one of
    the sessions. Raises `CannotRead`, `NoSuchFormat` or `FormatError`; `CannotRead` comes behind
    the last session where only the rest of the input cannot be read.
    """
    troubles: cleaning.Troubles = []
    count = 0
    for session in _read(source, format, tuple(extra_dirs), troubles):
        count += 1
        yield session
    if not troubles and not count:
        troubles.append(Text(N_("is empty: there are only blanks in it")))
    if troubles:
        raise CannotRead(troubles[0], source)


_EMPTY = Text(N_("is empty"))
_BINARY = Text(N_("is binary, not a log"))


def _read(
    source: Source,
    name: str | None,
    dirs: tuple[Path, ...],
    troubles: cleaning.Troubles,
) -> Iterator[Session]:
    pieces = cleaning.chunks(source, troubles)
    first = next(pieces, b"")
    pieces = itertools.chain((first,), pieces)
    if not first:
        raise CannotRead(_EMPTY, source)
    if name == capture.NAME or (name is None and capture.is_capture(first)):
        yield from capture.read(pieces, troubles)
        return
    pieces = cleaning.utf8(pieces)
    first = next(pieces, b"")
    pieces = itertools.chain((first,), pieces)
    if name is None and own.is_own(first):
        try:
            yield from own.read(pieces)
        except CannotRead as error:
            raise CannotRead(error.why, source) from None
        return
    text = cleaning.text_of(pieces)
    if cleaning.is_binary(text.head):
        raise CannotRead(_BINARY, source)
    yield from _Judged(text, name, dirs).sessions()


def why(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
) -> judge.Judgement | None:
    """How the beginning of a log was judged: the readings that were tried, with their scores, and
    those that were chosen; None for a capture or a session of this program's own, where nothing has
    to be guessed. Raises as `read` does."""
    pieces = cleaning.chunks(source)
    first = next(pieces, b"")
    if not first:
        raise CannotRead(_EMPTY, source)
    if capture.is_capture(first) or own.is_own(first):
        return None
    text = cleaning.text_of(cleaning.utf8(itertools.chain((first,), pieces)))
    if cleaning.is_binary(text.head):
        raise CannotRead(_BINARY, source)
    return _Judged(text, format, tuple(extra_dirs)).judgement


class _Judged:
    """A log, and how it is to be read, judged by its beginning."""

    def __init__(self, text: cleaning.Text, name: str | None, dirs: tuple[Path, ...]) -> None:
        propose = _proposer(name, dirs)
        self._lines = list(itertools.islice(text.lines, len(text.head)))
        self._rest = text.lines
        sizes = itertools.accumulate(len(line.text) + 1 for line in self._lines)
        most = sum(size <= judge.HEAD for size in sizes) or 1
        self._whole = text.whole and most >= len(self._lines)
        head = self._lines[:most]
        if self._whole and not name and detect(text.head, extra_dirs=dirs).fallback:
            head = _restored(head) or head
        self.judgement = judge.judge(head, propose, whole=self._whole)

    @property
    def plainly(self) -> Format | None:
        """The format, where the log is read as it stands."""
        first, *more = self.judgement.parts
        return None if more or first.undone or first.score.sure < 1 else first.format

    def sessions(self) -> Iterator[Session]:
        """The sessions, one by one."""
        if self._whole:
            yield from self.judgement.sessions
        else:
            lines = itertools.chain(self._lines, self._rest)
            yield from self.judgement.parts[0].read(lines)


def follow(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
    stop: Callable[[], bool] = growing.never,
) -> Iterator[Session]:
    """The sessions of a log that is still being written, each as soon as it is complete.

    Goes on until `stop` says so. Where its lines stand newest first, it does not grow at its end:
    it is read as it stands. Raises as `read` does.
    """
    dirs = tuple(extra_dirs)
    pieces = growing.pieces(path, stop)
    begun = next(pieces, b"")
    if capture.is_capture(begun) or cleaning.packing(begun):
        text = N_("is packed or a capture: only text can be followed as it grows")
        raise CannotRead(Text(text), path)
    most = max(1, min(begun.count(b"\n"), cleaning.HEAD))
    log = cleaning.text_of(itertools.chain((begun,), pieces), most)
    if cleaning.is_binary(log.head):
        raise CannotRead(_BINARY, path)
    yield from _Judged(log, format, dirs).sessions()


def verdicts(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
    workers: int = 1,
) -> Iterator[Tallied]:
    """The verdict over each session of a log, by connection: for a summary.

    A file whose format has a fast way goes it, by several processes if `workers` says so; anything
    else is read and explained. Raises as `read` does.
    """
    dirs = tuple(extra_dirs)
    with _plain(source) as path:
        way = _fast(path, format, dirs)
        if path is not None and way is not None and way.tally is not None:
            counted = way.tally(path, workers)
            if counted is not None:
                yield from counted
                return
    for session in read(source, format=format, extra_dirs=dirs):
        if not session.stray:
            yield Tallied(session.connection, explain(session).verdict)


def wanted(
    source: Source,
    keep: Keep,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
) -> Iterator[Session]:
    """Of the sessions of a log at least those with a verdict that `keep` wants, as `read` gives
    them. Those that a fast way passes over, `keep` has seen. Raises as `read` does.
    """
    for found in sifted(source, keep, format=format, extra_dirs=extra_dirs):
        if isinstance(found, Session):
            yield found
        else:
            yield from found.sessions()


def sifted(
    source: Source,
    keep: Keep,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    extra_dirs: Iterable[Path] = (),
) -> Iterator[Session | Unread]:
    """As `wanted`, but a session that a fast way found is not read yet."""
    dirs = tuple(extra_dirs)
    with _plain(source) as path:
        way = _fast(path, format, dirs)
        if path is not None and way is not None and way.sift is not None:
            found = way.sift(path, keep)
            if found is not None:
                yield from found
                return
    yield from read(source, format=format, extra_dirs=dirs)


LARGE = 2 << 20
"""Octets from which on the fast way is gone; less is read as fast, whatever is mixed in it."""


@contextmanager
def _plain(source: Source) -> Iterator[Path | None]:
    """A file large enough for the fast ways, unpacked meanwhile if it is packed."""
    if not isinstance(source, Path) or not source.is_file():
        # What can be read once only is read.
        yield None
        return
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            packed = cleaning.packing(file.read(16))
    except OSError as error:
        raise CannotRead(error.strerror or str(error), source) from None
    if not packed:
        yield source if size >= LARGE else None
        return
    if size < LARGE >> 4:
        # Logs are packed to a tenth of their size, and less.
        yield None
        return
    with ExitStack() as stack:
        yield _unpacked(source, stack)


def _unpacked(packed: Path, stack: ExitStack) -> Path | None:
    """What is packed there, in a file that goes with the stack; None if it is better read."""
    troubles: cleaning.Troubles = []
    try:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ehlo-twice-"))
        into = Path(folder) / "log"
        with into.open("wb") as file:
            file.writelines(cleaning.chunks(packed, troubles))
        large = into.stat().st_size >= LARGE
    except (OSError, CannotRead):
        # There is no room for it, or it is damaged: reading tells.
        return None
    return into if large and not troubles else None


def _fast(path: Path | None, name: str | None, dirs: tuple[Path, ...]) -> Format | None:
    """The format of a file whose lines stand there as they are, and so may go its fast ways."""
    if path is None:
        return None
    with path.open("rb") as file:
        head = file.read(4096)
    if cleaning.packing(head) or b"\0" in head or b"\x1b" in head or capture.is_capture(head):
        return None
    text = cleaning.text(path)
    return _Judged(text, name, dirs).plainly if text.as_written else None


LONGEST_TRANSLATED = 1 << 17
"""Characters of a log that is looked at for what a translation machine did to it."""


def _restored(lines: list[Line]) -> list[Line] | None:
    """The log as it was before a translation machine went over it, if one did.

    Lines keep their numbers; those that are no part of the log stay as they are.
    """
    if sum(len(line.text) for line in lines) > LONGEST_TRANSLATED:
        return None
    # Not at the top: the lexicons are built when they are first wanted, and few logs want them.
    from simulator.restore import restore

    restored = restore("\n".join(line.text for line in lines))
    kinds = {repair.kind for repair in restored.repairs}
    if restored.language in (None, "en") or not kinds & {"verb", "word", "date", "keyword", "path"}:
        return None
    left_out = set(restored.left_out)
    inside = [line for n, line in enumerate(lines, 1) if n not in left_out]
    said = dict(zip(inside, restored.text.rstrip("\n").split("\n"), strict=False))
    return [Line(line.number, said.get(line, line.text)) for line in lines]


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
    if not found.samples:
        raise FormatError(f"{path}: no [[sample]]: a format is tested by its samples")
    text = path.read_text("utf-8").split("\n")
    starts = [n for n, row in enumerate(text, 1) if row.strip() == "[[sample]]"]
    for sample, line in zip(found.samples, starts, strict=True):
        wrong = misses(found.read, sample)
        if wrong:
            raise FormatError(f"{path}:{line}: {wrong}")
    return len(found.samples)


def misses(read: Read, sample: Sample) -> str:
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
