"""The commands that read logs: explain, formats, restore."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    Cannot,
    colour,
    language_option,
    page,
    put,
    put_view,
    told,
    view_option,
)

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.session import Session
    from simulator.verdict import Verdict
    from simulator.views.view import Page, View

PROBLEMS_FOUND = 1
"""Exit code of `explain --strict` when a session has a problem."""

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
@click.option("--format", "kind", metavar="NAME", help="The log's format, where guessing fails.")
@formats_option
@click.option("--only-problems", is_flag=True, help="Leave out sessions without a problem.")
@click.option("--session", "number", type=click.IntRange(1), metavar="N", help="Only the Nth.")
@click.option("--summary", is_flag=True, help="Count instead: TLS, second EHLO, causes.")
@click.option("--strict", is_flag=True, help="Exit with 1 if a session has a problem.")
@click.option("--follow", is_flag=True, help="Go on reading as the file grows.")
@click.option("--anonymise", is_flag=True, help="Put other names for hosts and addresses.")
@click.option("--show-secrets", is_flag=True, help="Do not mask credentials and messages.")
def explain(
    files: tuple[str, ...],
    lang: str,
    view: View,
    kind: str | None,
    folders: tuple[Path, ...],
    only_problems: bool,
    number: int | None,
    summary: bool,
    strict: bool,
    follow: bool,
    anonymise: bool,
    show_secrets: bool,
) -> None:
    """Explain the SMTP sessions of a log: what happened, why it failed, what to do.

    FILE is a log, a transcript, a capture or a bounce, of whatever software; `-` reads standard
    input.
    What AUTH carries, passwords and messages are masked. With EHLO_TWICE_SITE set to the address
    at which the site stands (http://127.0.0.1:8000/), each cause links to its place on it.

    \b
    Examples:
      ehlo-twice explain mail.log
      swaks --to a@example.org --tls 2>&1 | ehlo-twice explain -
      ehlo-twice explain --anonymise --view markdown session.txt > question.md
      ehlo-twice explain --summary /var/log/mail.log.1.gz
      ehlo-twice explain --follow --only-problems /var/log/mail.log
    """
    from simulator import explainer

    if follow and (len(files) != 1 or files[0] == "-"):
        raise Cannot("--follow: give it one file")
    if follow and not (view.pieces or summary):
        raise Cannot(f"--follow: --view {view.name} shows one session alone")
    with told():
        sessions = _sessions(files, kind, folders, follow=follow)
        if number:
            sessions = itertools.islice(sessions, number - 1, number)
        if summary:
            plain = not (kind or folders or number or follow)
            problems = _summarise(_verdicts(files, sessions, plain=plain), view.name, lang)
        else:
            hide = _hider(anonymise=anonymise, show_secrets=show_secrets)
            seen = _Seen()
            explained = seen.all(map(explainer.explain, sessions), only_problems=only_problems)
            _show(map(hide, explained), view, page(lang))
            problems = seen.problems
            if number and not seen.sessions:
                raise Cannot(f"--session {number}: there are fewer sessions than that")
    if strict and problems:
        sys.exit(PROBLEMS_FOUND)


class _Seen:
    """Counts what passes by."""

    def __init__(self) -> None:
        self.sessions = 0
        self.problems = 0

    def all(
        self, explanations: Iterable[Explanation], *, only_problems: bool
    ) -> Iterator[Explanation]:
        for explanation in explanations:
            self.sessions += 1
            self.problems += bool(explanation.verdict.faults)
            if explanation.verdict.faults or not only_problems:
                yield explanation


def _sessions(
    files: tuple[str, ...], kind: str | None, folders: tuple[Path, ...], *, follow: bool
) -> Iterator[Session]:
    from simulator import formats

    for file in files:
        if follow:
            yield from formats.follow(Path(file), format=kind, extra_dirs=folders)
            continue
        source = sys.stdin.buffer if file == "-" else Path(file)
        yield from formats.read(source, format=kind, extra_dirs=folders)


def _hider(*, anonymise: bool, show_secrets: bool) -> Callable[[Explanation], Explanation]:
    """What takes out of an explanation what strangers must not see; its verdict stays."""
    import msgspec

    from simulator import explainer, masking

    names = masking.namer()

    def hide(explanation: Explanation) -> Explanation:
        session = explanation.session
        if not show_secrets:
            session = masking.masked(session)
        if anonymise:
            session = masking.anonymised(session, names)
        if session is explanation.session:
            return explanation
        return msgspec.structs.replace(explainer.explain(session), verdict=explanation.verdict)

    return hide


def _show(explanations: Iterator[Explanation], view: View, page: Page) -> None:
    """Show sessions one by one, as soon as each is complete. Raises `Cannot` where a view shows one
    session and there are more."""
    if view.pieces:
        for piece in view.pieces(explanations, page):
            put(piece)
        return
    first = next(explanations, None)
    if first is None:
        return
    if next(explanations, None) is not None:
        raise Cannot(
            f"--view {view.name} shows one session, and there are more: choose one by its number, "
            "with --session N"
        )
    put_view(view, view.render(first, page))


def _verdicts(
    files: tuple[str, ...], sessions: Iterator[Session], *, plain: bool
) -> Iterator[Verdict]:
    """The verdicts to be counted: of whole files by the fast way where there is one."""
    from simulator import explainer, formats

    if not plain or "-" in files:
        for session in sessions:
            yield explainer.explain(session).verdict
        return
    for file in files:
        for tallied in formats.verdicts(Path(file), workers=os.cpu_count() or 1):
            yield tallied.verdict


def _summarise(verdicts: Iterator[Verdict], view: str, lang: str) -> int:
    from simulator.summary import summarise
    from simulator.views import overview

    counted = summarise(verdicts)
    match view:
        case "json":
            put(overview.json(counted))
        case "markdown":
            put(overview.markdown(counted, lang))
        case _:
            put(overview.render(counted, lang))
    return counted.problems


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

    with told():
        if file is not None:
            count = known.test(file)
            put(f"{file}: {count} samples read as they should be\n")
            return
        for found in known.known(folders):
            advice = f"    {say(found.log_more, lang)}\n" if found.log_more else ""
            put(f"{found.name}  {found.title}\n{advice}")


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=str))
@click.option("--from", "language", metavar="LANGUAGE", help="Language it was translated into.")
@language_option
def restore(file: str, language: str | None, lang: str) -> None:
    """Turn a machine-translated log back into what crossed the wire.

    FILE is the log, or the page that holds it; `-` reads standard input. The restored log goes to
    standard output, the table of repairs to standard error.

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
        sys.stdout.flush()
        sys.stdout.buffer.write(restored.text.encode(encoding, "surrogateescape"))
        sys.stdout.buffer.flush()
        click.echo(repairs.render(restored, lang, colour=colour(sys.stderr)), err=True, nl=False)


def _text_of(file: str) -> tuple[str, str]:
    """A file's text and its encoding, so that it can be written back byte for byte."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
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
