"""The commands that read logs: explain, formats, restore."""

from __future__ import annotations

import functools
import itertools
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from simulator.cli.common import (
    Cannot,
    choose_one,
    colour,
    colour_option,
    format_names,
    language_option,
    lexicon_names,
    one_line,
    page,
    put,
    put_listed,
    put_view,
    told,
    view_option,
)
from simulator.language import N_

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.formats import Unread
    from simulator.language import Text
    from simulator.reading.judge import Judgement, Reading
    from simulator.restore import Restoration
    from simulator.session import Session
    from simulator.summary import Summary
    from simulator.verdict import Verdict
    from simulator.views.view import Page, View

PROBLEMS_FOUND = 1
"""Exit code of `explain --strict` when a session has a problem."""

_AHEAD = 500
"""Sessions of a file that are read before one is shown: what they show to be a secret is masked."""

_COUNTED = ("annotated", "markdown", "json")
"""The views that a summary has."""

formats_option = click.option(
    "--formats",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="A folder with formats of your own; may be given again.",
)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@language_option
@view_option
@click.option(
    "--format",
    "kind",
    metavar="NAME",
    shell_complete=format_names,
    help="The log's format, where guessing fails.",
)
@formats_option
@click.option("--only-problems", is_flag=True, help="Leave out sessions without a problem.")
@click.option("--probes", is_flag=True, help="With --only-problems: keep probes and scanners.")
@click.option("--session", "number", type=click.IntRange(1), metavar="N", help="Only the Nth.")
@click.option("--summary", is_flag=True, help="Count instead: TLS, second EHLO, causes.")
@click.option(
    "--dask",
    "scheduler",
    metavar="ADDRESS",
    help="With --summary: a file a task, on that Dask cluster; FILE may be s3://…/*.gz.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if a session has a problem.")
@click.option("--follow", is_flag=True, help="Go on reading as the file grows.")
@click.option("--why-format", is_flag=True, help="Tell how the format was found.")
@click.option("--anonymise", is_flag=True, help="Put other names for hosts, people and addresses.")
@click.option("--show-secrets", is_flag=True, help="Do not mask credentials and messages.")
@colour_option
def explain(
    files: tuple[str, ...],
    lang: str,
    view: View,
    kind: str | None,
    folders: tuple[Path, ...],
    only_problems: bool,
    probes: bool,
    number: int | None,
    summary: bool,
    scheduler: str | None,
    strict: bool,
    follow: bool,
    why_format: bool,
    anonymise: bool,
    show_secrets: bool,
) -> None:
    """Explain the SMTP sessions of a log: what happened, why it failed, what to do.

    FILE is a log, a transcript, a capture or a bounce, of whatever software; `-` reads standard
    input. Passwords, keys and messages are masked wherever they stand. With EHLO_TWICE_SITE set to
    the address at which the site stands (http://127.0.0.1:8000/), each cause links to its place.

    \b
    Examples:
      ehlo-twice explain mail.log
      swaks --to a@example.org --tls 2>&1 | ehlo-twice explain -
      ehlo-twice explain --anonymise --view markdown session.txt > question.md
      ehlo-twice explain --summary /var/log/mail.log.1.gz
      ehlo-twice explain --summary --dask tcp://10.0.0.1:8786 's3://logs/mail/*.gz'
      ehlo-twice explain --follow --only-problems /var/log/mail.log
    """
    from simulator import explainer
    from simulator.language import say
    from simulator.masking import Veil

    choose_one("summary", "follow")
    choose_one("summary", "only_problems")
    if summary and view.name not in _COUNTED:
        raise Cannot(f"--summary: --view {' or '.join(_COUNTED)}; {view.name} shows sessions")
    if follow and (len(files) != 1 or files[0] == "-"):
        raise Cannot("--follow: give it one file")
    if follow and not (view.pieces or summary):
        raise Cannot(f"--follow: --view {view.name} shows one session alone")
    choose_one("summary", "why_format")
    choose_one("follow", "why_format")
    if scheduler is not None:
        if not summary or number or folders:
            raise Cannot("--dask: counts with --summary alone, without --session and --formats")
        problems = _fleet(files, scheduler, kind, view.name, lang)
        if strict and problems:
            sys.exit(PROBLEMS_FOUND)
        return
    log = _Log(files, kind, folders, follow=follow)
    seen = _Seen()
    with told():
        if why_format:
            for judgement in log.judgements():
                _show_judgement(judgement, lang)
            seen.smtp = True
            problems = 0
        elif summary:
            verdicts = _only(number, log.verdicts())
            problems = _summarise(map(seen.told, verdicts) if strict else verdicts, view.name, lang)
        else:
            veil = Veil(secrets=not show_secrets, names=anonymise)
            ahead = _AHEAD if log.whole else 0
            shown = page(lang)
            if only_problems and view.cast and not (number or follow):
                from simulator.views.casting import Casting

                sifted = log.sifted(lambda verdict: _is_wanted(seen.told(verdict), probes=probes))
                casting = Casting(view, shown, veil)
                wanted = functools.partial(seen.wants, only_problems=True, probes=probes)
                for piece in view.cast(casting.all(sifted, wanted, ahead), shown):
                    put(piece)
            else:
                sessions = (
                    log.wanted(lambda verdict: _is_wanted(seen.told(verdict), probes=probes))
                    if only_problems and not (number or follow)
                    else log.sessions()
                )
                if number:
                    sessions = _only(number, (found for found in sessions if not found.stray))
                explained = (
                    explanation
                    for explanation in map(explainer.explain, sessions)
                    if seen.wants(explanation.verdict, only_problems=only_problems, probes=probes)
                )
                _show(explainer.veiled_all(explained, veil, ahead), view, shown)
            if replaced := veil.told():
                click.echo(say(replaced, lang), err=True)
            problems = seen.problems
    if log.troubles:
        raise Cannot(one_line(say(log.troubles[0], lang)))
    if strict and not seen.smtp:
        raise Cannot("--strict: nothing of SMTP was found, so nothing was found to be right")
    if strict and problems:
        sys.exit(PROBLEMS_FOUND)


class _Seen:
    """Counts what passes by."""

    def __init__(self) -> None:
        self.problems = 0
        self.smtp = False

    def told(self, verdict: Verdict) -> Verdict:
        """The same verdict; remembers whether any tells of SMTP at all."""
        tells = (verdict.tls, verdict.ehlo_before_tls, verdict.ehlo_after_tls, verdict.delivered)
        self.smtp |= any(tell is not None for tell in tells)
        self.smtp |= bool(verdict.client_to_server_commands or verdict.faults)
        return verdict

    def wants(self, verdict: Verdict, *, only_problems: bool, probes: bool) -> bool:
        """Whether a session with that verdict is shown; counts it."""
        self.problems += self.told(verdict).problem
        return not only_problems or _is_wanted(verdict, probes=probes)


def _is_wanted(verdict: Verdict, *, probes: bool) -> bool:
    """Whether `--only-problems` shows a session with that verdict."""
    return verdict.problem or (probes and bool(verdict.faults))


T = TypeVar("T")


class _Log:
    """The files that were named, read one behind the other.

    What cannot be read is a trouble at the end if anything can, so that it is shown whole.
    """

    def __init__(
        self, files: tuple[str, ...], kind: str | None, folders: tuple[Path, ...], *, follow: bool
    ) -> None:
        self.troubles: list[Text | str] = []
        self._files = files
        self._how: dict[str, Any] = {"format": kind, "extra_dirs": folders}
        self._follow = follow

    @property
    def whole(self) -> bool:
        """Everything is there already: nobody waits for what is still being written."""
        return not self._follow and all(map(_is_whole, self._files))

    def sessions(self) -> Iterator[Session]:
        """The sessions of all files. Raises `CannotRead` if there is none."""
        from simulator import formats

        return self._all(formats.follow if self._follow else formats.read)

    def wanted(self, keep: Callable[[Verdict], bool]) -> Iterator[Session]:
        """Of the sessions at least those that `keep` wants, which sees the verdicts over others."""
        from simulator import formats

        return self._all(lambda source, **how: formats.wanted(source, keep, **how))

    def sifted(self, keep: Callable[[Verdict], bool]) -> Iterator[Session | Unread]:
        """As `wanted`, but sessions that a fast way found are not read yet."""
        from simulator import formats

        return self._all(lambda source, **how: formats.sifted(source, keep, **how))

    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts over them, by the fast way where there is one."""
        from simulator import explainer, formats

        if self._follow:
            return (explainer.explain(s).verdict for s in self.sessions() if not s.stray)
        fast = functools.partial(formats.verdicts, workers=os.cpu_count() or 1)
        return (tallied.verdict for tallied in self._all(fast))

    def judgements(self) -> Iterator[Judgement | None]:
        """How the beginning of each was judged."""
        from simulator import formats

        return self._all(lambda *args, **how: iter((formats.why(*args, **how),)))

    def _all(self, read: Callable[..., Iterator[T]]) -> Iterator[T]:
        from simulator.formats import CannotRead

        found = self._each(read)
        first = next(found, None)
        if first is not None:
            return itertools.chain((first,), found)
        if self.troubles:
            raise CannotRead(self.troubles[0])
        return iter(())

    def _each(self, read: Callable[..., Iterator[T]]) -> Iterator[T]:
        from simulator.formats import CannotRead

        for file in self._files:
            try:
                yield from read(_source(file), **self._how)
            except CannotRead as error:
                self.troubles.append(error.why)


_READ_AS = N_("Read as {formats}.")
_TRIED = N_(
    "{score}  {format}: {understood} % of {count} pieces of SMTP understood, {lawful} % lawful, "
    "signature {detected}"
)
_NOT_GUESSED = N_("A capture, or a session of this program's own: its format was not guessed.")


def _show_judgement(judgement: Judgement | None, lang: str) -> None:
    from simulator.language import Text, say

    if judgement is None:
        put_listed(say(_NOT_GUESSED, lang), 0)
        return
    chosen = ", ".join(_reading_name(part) for part in judgement.parts)
    put_listed(say(Text(_READ_AS, {"formats": chosen}), lang), 0)
    for reading in sorted(judgement.tried, key=lambda reading: -reading.score.value):
        score = reading.score
        values: dict[str, str | int | Text] = {
            "score": f"{score.value:.2f}",
            "format": _reading_name(reading),
            "understood": round(100 * score.understood),
            "count": score.fragments,
            "lawful": round(100 * score.lawful),
            "detected": f"{score.detected:.2f}",
        }
        put_listed(f"  {say(Text(_TRIED, values), lang)}", 8)


def _reading_name(reading: Reading) -> str:
    undone = f" (- {reading.undone})" if reading.undone else ""
    return f"{reading.format.name}{undone}"


def _source(file: str) -> IO[bytes] | Path:
    """What stands for a file that was named. Raises `Cannot` if standard input is closed."""
    if file != "-":
        return Path(file)
    if sys.stdin is None:
        raise Cannot("standard input: is closed; give a file, or pipe something in")
    return sys.stdin.buffer


def _is_whole(file: str) -> bool:
    """Whether that is a file, and no pipe into which somebody writes."""
    try:
        return stat.S_ISREG((os.fstat(0) if file == "-" else Path(file).stat()).st_mode)
    except OSError:
        return False


def _only(number: int | None, found: Iterator[T]) -> Iterator[T]:
    """The one of that number, or all. Raises `Cannot` if there are fewer."""
    if not number:
        return found
    one = list(itertools.islice(found, number - 1, number))
    if not one:
        raise Cannot(f"--session {number}: there are fewer sessions than that")
    return iter(one)


def _show(explanations: Iterator[Explanation], view: View, page: Page) -> None:
    """Show sessions one by one, as soon as each is complete. Raises `Cannot` where a view shows one
    session and there are more."""
    if view.pieces:
        for piece in view.pieces(explanations, page):
            put(piece)
        return
    shown: Explanation | None = None
    for explanation in explanations:
        if shown is None or shown.session.stray:
            shown = explanation
        elif not explanation.session.stray:
            raise Cannot(
                f"--view {view.name} shows one session, and there are more: choose one by its "
                "number, with --session N"
            )
    if shown is not None:
        put_view(view, view.render(shown, page))


def _fleet(files: tuple[str, ...], scheduler: str, kind: str | None, view: str, lang: str) -> int:
    """Count on a cluster. A file that cannot be read is a trouble at the end; the rest counts."""
    from simulator import fleet
    from simulator.language import say
    from simulator.summary import Summary

    total, troubles = Summary(), []
    with told():
        paths = fleet.expand(files)
        counted = fleet.summaries(paths, scheduler, kind)
        with click.progressbar(counted, length=len(paths), file=sys.stderr) as bar:
            for found in bar:
                total += found.summary
                troubles += [say(found.trouble, lang)] if found.trouble else []
    if len(troubles) < len(paths):
        _put_summary(total, view, lang)
    if troubles:
        more = f" ({len(troubles)} of {len(paths)} files)" if len(troubles) > 1 else ""
        raise Cannot(f"{one_line(min(troubles))}{more}")
    return total.problems


def _summarise(verdicts: Iterator[Verdict], view: str, lang: str) -> int:
    from simulator.summary import summarise

    counted = summarise(verdicts)
    _put_summary(counted, view, lang)
    return counted.problems


def _put_summary(counted: Summary, view: str, lang: str) -> None:
    from simulator.views import overview

    match view:
        case "json":
            put(overview.json(counted))
        case "markdown":
            put(overview.markdown(counted, lang))
        case _:
            put(overview.render(counted, lang))


@click.command()
@language_option
@formats_option
@click.option(
    "--test",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Try a format of your own on its samples.",
)
def formats(lang: str, folders: tuple[Path, ...], file: Path | None) -> None:
    """List the formats of logs that can be read, and how to make each software log more.

    \b
    Examples:
      ehlo-twice formats
      ehlo-twice formats --test mine.toml
      ehlo-twice explain --formats ~/my-formats mail.log
    """
    from simulator import formats as known
    from simulator.language import say

    choose_one("file", "folders")
    with told():
        if file is not None:
            count = known.test(file)
            read = "1 sample" if count == 1 else f"all {count} samples"
            put(f"{file}: {read} read as meant\n")
            return
        for found in known.known(folders):
            put_listed(f"{found.name}  {say(found.title, lang)}", 4)
            if found.log_more:
                put_listed(f"    {say(found.log_more, lang)}", 4)


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=str))
@click.option(
    "--from",
    "language",
    metavar="LANGUAGE",
    shell_complete=lexicon_names,
    help="Language it was translated into.",
)
@click.option("--show-secrets", is_flag=True, help="Do not mask credentials and messages.")
@language_option
@colour_option
def restore(file: str, language: str | None, show_secrets: bool, lang: str) -> None:
    """Turn a machine-translated log back into what crossed the wire.

    FILE is the log, or the page that holds it; `-` reads standard input. The restored log goes to
    standard output, the table of repairs to standard error. Passwords, keys and messages are masked
    wherever they stand.

    \b
    Examples:
      ehlo-twice restore page.txt > session.log
      ehlo-twice restore --from pt_BR - < page.txt
    """
    from simulator import restore as restoration
    from simulator.views import repairs

    with told():
        text, encoding = _text_of(file)
        restored = restoration.restore(text, language)
        if not show_secrets:
            restored = _masked(restored)
        put(restored.text.encode(encoding, "surrogateescape"))
        coloured = colour(sys.stderr)
        table = repairs.render(restored, lang, colour=coloured)
        click.echo(table, err=True, nl=False, color=coloured)


def _masked(restored: Restoration) -> Restoration:
    """The same log and the same repairs without the secrets that stand in them."""
    import msgspec

    from simulator import formats, masking

    try:
        sessions = list(formats.read(restored.text))
    except formats.CannotRead:
        sessions = []  # its lines are masked one by one
    text, over = masking.in_log(restored.text, sessions)
    return msgspec.structs.replace(
        restored,
        text=text,
        repairs=tuple(map(over, restored.repairs)),
        unknown=tuple(one._replace(text=over(one.text)) for one in restored.unknown),
    )


def _text_of(file: str) -> tuple[str, str]:
    """A file's text and its encoding, so that it can be written back byte for byte."""
    given = _source(file)
    raw = given.read_bytes() if isinstance(given, Path) else given.read()
    where = "standard input" if file == "-" else file
    if not raw:
        raise Cannot(f"{where}: is empty; give it the log, or the page that holds it")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in raw:
        raise Cannot(f"{where}: is binary, not a log; give it text")
    else:
        encoding = "utf-8"
    try:
        return raw.decode(encoding), encoding
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


COMMANDS = (explain, formats, restore)
