"""What all commands share: the one line for a mistake, colour, width, and writing files whole."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TextIO

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.views.view import Page, Story, View

PROGRAM = "ehlo-twice"


class Cannot(click.ClickException):
    """Something cannot be done: one line that says what, where, and what to do."""


_EXPECTED = {
    "simulator.language": ("UnknownLanguage",),
    "simulator.session": ("NotASession",),
    "simulator.lab": ("BadScenario", "LabError", "UnknownScenario"),
    "simulator.restore": ("LexiconError",),
    "simulator.formats": ("CannotRead", "FormatError", "NoSuchFormat"),
    "simulator.views.canvas": ("NoFigures",),
    "simulator.views.claims": ("NothingOnTheWire",),
    "simulator.views.view": ("NoSuchView",),
}
"""What the lower floors raise for a person's mistake, by module: only those loaded can raise."""


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
    except Exception as error:
        if isinstance(error, _expected()):
            raise Cannot(one_line(str(error))) from None
        raise


def _expected() -> tuple[type[Exception], ...]:
    return tuple(
        getattr(sys.modules[module], name)
        for module, names in _EXPECTED.items()
        if module in sys.modules
        for name in names
    )


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


def stdout() -> TextIO:
    """`sys.stdout`, made ready: UTF-8 for a file or a pipe, what it can show for a terminal.

    A character that cannot be shown becomes a question mark, on stderr as well. Where there is no
    standard output, one whose first write fails as the system has it: silence would be a success.
    """
    if sys.stdout is None:
        shut = os.open(os.devnull, os.O_RDONLY)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(shut, "w")))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            file = stream is sys.stdout and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if file else None, errors="replace")
    return sys.stdout


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


def with_tls(scenario: Scenario, tls: str | None) -> Scenario:
    """The scenario with a client that speaks that TLS version."""
    import msgspec

    if not tls:
        return scenario
    client = msgspec.structs.replace(scenario.client, tls_version=tls)
    return msgspec.structs.replace(scenario, client=client)


def played(scenario: Scenario, *, now: bool = False) -> Explanation:
    """Play a scenario and explain it; `now` puts today's clock in place of the documented one."""
    from datetime import UTC, datetime

    import msgspec

    from simulator import explainer, lab

    session = lab.play(scenario)
    if now:
        session = msgspec.structs.replace(session, started=datetime.now(UTC).astimezone())
    return explainer.explain(session)


def write(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write all files or none: each stands complete under another name before any takes its own."""
    existed = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    pending: dict[Path, Path] = {}
    try:
        for name, data in files.items():
            target = folder / name
            draft = folder / f".{name}.{os.getpid()}.part"
            pending[draft] = target
            draft.write_bytes(data)
            if target.is_dir():
                raise IsADirectoryError(21, "is a folder", str(target))
        for draft, target in pending.items():
            draft.replace(target)
    except OSError as error:
        for draft in pending:
            draft.unlink(missing_ok=True)
        if not existed:
            shutil.rmtree(folder, ignore_errors=True)
        if not error.filename:
            error.filename = str(folder)
        raise
    return list(pending.values())


def form_of(path: Path) -> Literal["svg", "png", "pdf"]:
    """The form of a figure by its file's name. Raises `Cannot` for any other, `NoFigures`."""
    from simulator.views import canvas

    canvas.ready()
    match path.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
        case ".pdf":
            return "pdf"
    raise Cannot(f"{path}: a figure is .svg, .png or .pdf")
