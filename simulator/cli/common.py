"""What all commands share: the one line for a mistake, colour, width, and writing files whole."""

from __future__ import annotations

import codecs
import io
import locale
import os
import shutil
import signal
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TextIO, cast

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from simulator.errors import Error

if TYPE_CHECKING:
    import asyncio

    from simulator.views.view import Page, Story, View

PROGRAM = "ehlo-twice"


class Cannot(click.ClickException):
    """Something cannot be done: one line that says what, where, and what to do."""


@contextmanager
def told() -> Iterator[None]:
    """Turn what the lower floors raise for a person's mistake into one line."""
    try:
        yield
    except (BrokenPipeError, Unwritten):
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Cannot(one_line(f"{where}{error.strerror or error}")) from None
    except Error as error:
        raise Cannot(one_line(str(_said(error)))) from None


def _said(error: Error) -> Error:
    """The same, in the language that the command was asked to speak, where it can be said so."""
    from simulator.language import SOURCE, Told, UnknownLanguage

    context = click.get_current_context(silent=True)
    language = context.params.get("lang") if context else None
    # In a checkout that nothing was made in yet, no language but English can be spoken.
    with suppress(UnknownLanguage):
        return error.said(language or SOURCE) if isinstance(error, Told) else error
    return error


def leave_in_order() -> None:
    """Let a polite end from outside (SIGTERM, SIGHUP) be one: what was begun is put away first."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        found = getattr(signal, name, None)
        # Who had it ignored, as nohup does, goes on so.
        if found is not None and signal.getsignal(found) is signal.SIG_DFL:
            signal.signal(found, leave)


def stops(over: asyncio.Event) -> None:
    """Let Ctrl-C and SIGTERM say that it is over, where this thread hears of them."""
    import asyncio

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such thing, and of all threads only the main one has.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, over.set)


def one_line(text: str) -> str:
    """The text on one line, harmless to a terminal."""
    from simulator.views.inert import printable

    return printable(" ".join(text.split()))


_COLOUR = f"{__name__}.colour"


def _keep_colour(context: click.Context, _parameter: click.Parameter, when: str) -> None:
    context.meta[_COLOUR] = when


colour_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    expose_value=False,
    callback=_keep_colour,
    help="Colour; `auto`: on a terminal, as NO_COLOR, FORCE_COLOR and CLICOLOR have it.",
)


def colour(stream: IO[Any]) -> bool:
    """Whether to write in colour: `--color` says so, else the environment, else the terminal.

    Of the environment NO_COLOR counts first (no-color.org), then FORCE_COLOR and CLICOLOR_FORCE,
    then CLICOLOR=0 and TERM=dumb.
    """
    context = click.get_current_context(silent=True)
    asked = context.meta.get(_COLOUR, "auto") if context else "auto"
    if asked != "auto":
        return bool(asked == "always")
    told = os.environ.get
    if told("NO_COLOR"):
        return False
    if any(told(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return stream.isatty() and told("CLICOLOR") != "0" and told("TERM") != "dumb"


def width(most: int = 110, unknown: int = 100) -> int:
    """Columns to write in: the terminal's, within reason."""
    return max(60, min(shutil.get_terminal_size((unknown, 24)).columns, most))


def put_listed(line: str, indent: int) -> None:
    """Write a line of a list: broken where the terminal or COLUMNS ends, whole into a file."""
    if os.environ.get("COLUMNS") or sys.stdout.isatty():
        columns = max(20 + indent, shutil.get_terminal_size().columns)
        behind = " " * indent
        line = textwrap.fill(
            line, columns, subsequent_indent=behind, break_on_hyphens=False, break_long_words=False
        )
    put(f"{line}\n")


def stdout() -> TextIO:
    """`sys.stdout`, made ready: UTF-8 for a file or a pipe, what it can show for a terminal.

    What cannot be shown is shown as like it as can be, on stderr as well. Where there is no
    standard output, one whose first write fails as the system has it: silence would be a success.
    """
    if sys.stdout is None:
        shut = os.open(os.devnull, os.O_RDONLY)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(shut, "w")))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            file = stream is sys.stdout and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if file else None, errors=_ALIKE)
    return sys.stdout


_LIKE = {
    ord(letter): plain
    for plain, letters in {
        "-": "─━–—−",
        "=": "═⇒",
        "|": "│┃║",
        "+": "┌┐└┘├┤┬┴┼╔╗╚╝╟╢",
        ">": "▶→»",
        "<": "◀←«",
        "*": "◆●·•",
        "~": "⇄",
        "v": "✓↓",
        "x": "✗✕×",
        ".": "…",
        "'": "‘’",
        '"': "“”",
        "##": "🔒",
        "__": "🔓",
        "s.": "§",
    }.items()
    for letter in letters
}
_ALIKE = "ehlo-twice.alike"


def _alike(error: UnicodeError) -> tuple[str | bytes, int]:
    """Of what an encoding lacks, what comes near it and takes as many columns, else `?`."""
    if not isinstance(error, UnicodeEncodeError):
        return codecs.replace_errors(error)
    lacking = error.object[error.start : error.end].translate(_LIKE)
    plain = "".join(unicodedata.normalize("NFKD", letter)[:1] or "?" for letter in lacking)
    return "".join(letter if letter.isascii() else "?" for letter in plain), error.end


codecs.register_error(_ALIKE, _alike)


def let_go(stream: TextIO | None) -> None:
    """Write out what a stream still holds; if that fails, Python must not try again at its end."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Unwritten(OSError):
    """What was to go to stdout could not be written."""


def put(text: str | bytes) -> None:
    """Write to stdout at once. Raises `Unwritten`, `BrokenPipeError`."""
    try:
        if isinstance(text, str):
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritten(*error.args) from None


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, where that is a terminal; call what it gives after each part."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
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


def matching(code: str) -> str | None:
    """The language here that is meant: `pt-br`, `pt`, `pt_PT.UTF-8`; None where there is none."""
    from simulator.language import languages

    found = code.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    known = {name.lower(): name for name in languages()}
    if found in known:
        return known[found]
    kin = [name for low, name in known.items() if low.split("_")[0] == found.split("_")[0]]
    return kin[0] if len(kin) == 1 else None


def known_language(_context: click.Context, _parameter: click.Parameter, code: str) -> str:
    """The language asked for, however it was spelt. Raises click.BadParameter."""
    from simulator.language import languages

    found = matching(code)
    if found is None:
        raise click.BadParameter(f"{code!r} is not one of {', '.join(languages())}.")
    return found


def system_language() -> str:
    """The language that this system speaks to its user, if it is here; else English."""
    told = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if not told and sys.platform == "win32":
        import ctypes

        number = ctypes.windll.kernel32.GetUserDefaultUILanguage()
        told = locale.windows_locale.get(number, "")
    return matching(told) or "en"


def middlebox_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The middleboxes that complete what was typed."""
    from simulator.lab import arena

    return [name for name in arena.sides().middlebox if name.startswith(typed)]


def format_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The formats of logs that complete what was typed."""
    from simulator import formats

    return sorted(kind.name for kind in formats.known() if kind.name.startswith(typed))


def lexicon_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The languages that a log can be translated back from."""
    from simulator.restore import lexicons

    return [code for code in lexicons() if code.startswith(typed)]


def choose_one(*names: str) -> None:
    """Of these options only one can be meant. Raises click.UsageError where more were typed."""
    context = click.get_current_context()
    typed = [
        option.opts[-1]
        for option in context.command.params
        if option.name in names
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if len(typed) > 1:
        raise click.UsageError(f"{' and '.join(typed)} exclude each other: give one", context)


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
    default=system_language,
    metavar="LANGUAGE",
    envvar="EHLO_TWICE_LANG",
    show_envvar=True,
    shell_complete=language_names,
    callback=known_language,
    help="Language of the prose (see `ehlo-twice languages`).  [default: your system's, or en]",
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
            draft = folder / f".{os.urandom(8).hex()}.part"
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


out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write files instead: every view into a folder, or one drawing (.svg, .png, .pdf).",
)


def form_of(path: Path) -> Literal["svg", "png", "pdf"] | None:
    """The form of a drawing by its file's name; None for a folder.

    Raises `Cannot` for a file that is no drawing, `NoFigures`.
    """
    form = path.suffix.lower().removeprefix(".")
    if form in ("svg", "png", "pdf") and not path.is_dir():
        from simulator.views import canvas

        canvas.ready()
        return cast("Literal['svg', 'png', 'pdf']", form)
    if path.is_dir() or (form not in _OTHERS and not path.exists()):
        return None
    raise Cannot(f"{path}: give a folder, which takes every view, or a drawing: .svg, .png or .pdf")


_OTHERS = frozenset(("txt", "md", "json", "html", "mmd", "pcapng", "log", "jpg", "jpeg", "gif"))
"""Endings of files that somebody may want of `--out`: there is no folder in mind."""


def put_files(out: Path, form: str | None, files: Mapping[str, Callable[[], str | bytes]]) -> None:
    """Make and write the drawing of that form, or all of those views, and say where they are."""
    if form:
        [make] = [make for name, make in files.items() if name.endswith(f".{form}")]
        made = {out.name: make()}
        folder = out.parent
    else:
        made, folder = {}, out
        with progress("views", len(files)) as done:
            for name, make in files.items():
                made[name] = make()
                done()
    written = {n: data.encode() if isinstance(data, str) else data for n, data in made.items()}
    for path in write(folder, written):
        put(f"{path}\n")
