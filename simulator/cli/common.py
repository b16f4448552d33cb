"""What all commands share: the one line for a mistake, colour, width, and writing files whole."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click
from click.shell_completion import CompletionItem

from simulator.errors import Error

if TYPE_CHECKING:
    from simulator.views.view import Page, Story, View

PROGRAM = "ehlo-twice"


class Cannot(click.ClickException):
    """Something cannot be done: one line that says what, where, and what to do."""


@contextmanager
def told() -> Iterator[None]:
    """Turn what the lower floors raise for a person's mistake into one line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Cannot(one_line(f"{where}{error.strerror or error}")) from None
    except Error as error:
        raise Cannot(one_line(str(error))) from None


def leave_in_order() -> None:
    """Let a polite end from outside (SIGTERM, SIGHUP) be one: what was begun is put away first."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        found = getattr(signal, name, None)
        # Who had it ignored, as nohup does, goes on so.
        if found is not None and signal.getsignal(found) is signal.SIG_DFL:
            signal.signal(found, leave)


def one_line(text: str) -> str:
    """The text on one line, harmless to a terminal."""
    from simulator.views.inert import printable

    return printable(" ".join(text.split()))


def colour(stream: IO[Any]) -> bool:
    """Colour only on a terminal, and never against NO_COLOR (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width(most: int = 110, unknown: int = 100) -> int:
    """Columns to write in: the terminal's, within reason."""
    return max(60, min(shutil.get_terminal_size((unknown, 24)).columns, most))


def put(text: str | bytes) -> None:
    """Write to stdout; a character the terminal cannot show becomes a question mark."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        if isinstance(text, str):
            sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads our output has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, where that is a terminal; call what it gives after each part."""
    if not colour(sys.stderr):
        yield lambda: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield lambda: bar.update(1)


def language_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The languages that complete what was typed."""
    from simulator.language import languages

    return [code for code in languages() if code.startswith(typed)]


def scenario_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The scenarios that complete what was typed."""
    from simulator import lab

    return [name for name in lab.names() if name.startswith(typed)]


def known_language(_context: click.Context, _parameter: click.Parameter, code: str) -> str:
    """The language asked for, however it was spelt. Raises click.BadParameter."""
    from simulator.language import languages

    found = code.replace("-", "_")
    known = {name.lower(): name for name in languages()}
    if found.lower() not in known:
        raise click.BadParameter(f"{code!r} is not one of {', '.join(known.values())}.")
    return known[found.lower()]


class _ViewName(click.ParamType):  # type: ignore[type-arg]
    """A view, by its name; which there are is looked up when somebody asks."""

    name = "view"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        from simulator.views.view import views

        return f"[{'|'.join(views())}]"

    def convert(
        self, value: str | View, param: click.Parameter | None, ctx: click.Context | None
    ) -> View:
        from simulator.views.view import NoSuchView, view

        try:
            return view(value) if isinstance(value, str) else value
        except NoSuchView as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from simulator.views.view import views

        return [
            CompletionItem(view.name, help=view.about)
            for view in views().values()
            if view.name.startswith(incomplete)
        ]


view_option = click.option(
    "--view",
    type=_ViewName(),
    default="annotated",
    show_default=True,
    help="What to show: text, or what goes into a file (png, pdf, pcapng).",
)


def page(lang: str, story: Story | None = None, *, running: bool = False) -> Page:
    """The terminal, or whatever stdout is, as a page to show a session on."""
    from simulator.views.view import Page, Story

    return Page(
        language=lang,
        story=story or Story(),
        width=shutil.get_terminal_size((0, 24)).columns or None,
        colour=colour(sys.stdout),
        running=running,
    )


def put_view(view: View, shown: str | bytes) -> None:
    """Write what a view made to stdout. Raises `Cannot` where that is a terminal and it no text."""
    if isinstance(shown, bytes) and sys.stdout.isatty():
        raise Cannot(f"--view {view.name} is no text: put it into a file, with > {view.file}")
    put(shown)


language_option = click.option(
    "--lang",
    default="en",
    metavar="LANGUAGE",
    envvar="EHLO_TWICE_LANG",
    show_envvar=True,
    shell_complete=language_names,
    callback=known_language,
    help="Language of the prose (see `ehlo-twice languages`).  [default: en]",
)
tls_option = click.option(
    "--tls", type=click.Choice(["1.2", "1.3"]), help="TLS version that the client speaks."
)


def write(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write all files or none: each stands complete under another name before any takes its own.

    What was there before stays: a folder is taken away again only if it was made here and is empty.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    pending: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            target = folder / name
            # Nobody can have put a link of that name there, and "x" would not follow one.
            draft = folder / f".{secrets.token_hex(8)}.part"
            with draft.open("xb") as file:
                pending[draft] = target
                file.write(data)
            if target.is_dir():
                raise IsADirectoryError(21, "is a folder", str(target))
        for draft, target in pending.items():
            draft.replace(target)
    except BaseException as error:
        for draft in pending:
            draft.unlink(missing_ok=True)
        for path in made:
            with suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(folder)
        raise
    return list(pending.values())


def form_of(path: Path) -> Literal["svg", "png", "pdf"]:
    """The form of a figure by its file's name. Raises `Cannot` for any other."""
    match path.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
        case ".pdf":
            return "pdf"
    raise Cannot(f"{path}: a figure is .svg, .png or .pdf")
