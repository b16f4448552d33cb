"""The command `ehlo-twice`: what a person types, and the one line they get when it cannot be done.

Everything heavy is imported by the command that needs it, so that `--version` stays quick.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.restore import Restoration

PROGRAM = "ehlo-twice"
WRONG = 2
"""Exit code when something asked for cannot be done."""

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Cannot(click.ClickException):
    """Something cannot be done: one line that says what, where, and what to do."""


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the lower floors raise for a person's mistake into one line."""
    from simulator.language import UnknownLanguage
    from simulator.session import NotASession

    expected: tuple[type[Exception], ...] = (UnknownLanguage, NotASession)
    if "simulator.lab" in sys.modules:
        from simulator.lab import BadScenario, LabError, UnknownScenario

        expected += (BadScenario, LabError, UnknownScenario)
    if "simulator.restore" in sys.modules:
        from simulator.restore import LexiconError

        expected += (LexiconError,)
    try:
        yield
    except expected as error:
        raise Cannot(_one_line(str(error))) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Cannot(_one_line(f"{where}{error.strerror or error}")) from None


def _one_line(text: str) -> str:
    from simulator.views.inert import printable

    return printable(" ".join(text.split()))


def _colour(stream: IO[Any]) -> bool:
    """Colour only on a terminal, and never against NO_COLOR (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))


def _print(text: str) -> None:
    """Write text to stdout; a character the terminal cannot show becomes a question mark."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _language_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from simulator.language import languages

    return [code for code in languages() if code.startswith(typed)]


def _scenario_names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from simulator import lab

    return [name for name in lab.names() if name.startswith(typed)]


def _known_language(_context: click.Context, _parameter: click.Parameter, code: str) -> str:
    from simulator.language import languages

    found = code.replace("-", "_")
    known = {name.lower(): name for name in languages()}
    if found.lower() not in known:
        raise click.BadParameter(f"{code!r} is not one of {', '.join(known.values())}.")
    return known[found.lower()]


language_option = click.option(
    "--lang",
    default="en",
    metavar="LANGUAGE",
    envvar="EHLO_TWICE_LANG",
    shell_complete=_language_names,
    callback=_known_language,
    help="Language of the prose (see `ehlo-twice languages`).  [default: en]",
)
tls_option = click.option(
    "--tls", type=click.Choice(["1.2", "1.3"]), help="TLS version that the client speaks."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `ehlo-twice replay`.",
    invoke_without_command=True,
)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context) -> None:
    """Why an SMTP client says EHLO twice when TLS is on: played for real, explained, shown."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """The console script: whatever goes wrong is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        line = _one_line(error.format_message()).rstrip(".")
        click.echo(f"{PROGRAM}: {line} (see `{where} --help`)", err=True)
        code = WRONG
    except click.ClickException as error:
        click.echo(f"{PROGRAM}: {_one_line(error.format_message())}", err=True)
        code = WRONG
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{PROGRAM}: stopped", err=True)
        code = STOPPED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


VIEWS = ("annotated", "esa", "sequence", "mermaid", "markdown", "json", "table", "svg")


@cli.command()
@click.argument("scenario", default="documented", shell_complete=_scenario_names)
@language_option
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    default="annotated",
    show_default=True,
    help="What to show; `sequence` is drawn in text, `svg` is the drawing for the wall.",
)
@tls_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write every view into this folder instead.",
)
@click.option("--check", is_flag=True, help="Compare the replay with the documented log.")
@click.option(
    "--clock",
    type=click.Choice(["documented", "now"]),
    default="documented",
    show_default=True,
    help="The time that the log lines bear.",
)
def replay(
    scenario: str,
    lang: str,
    view: str,
    tls: str | None,
    out: Path | None,
    check: bool,
    clock: str,
) -> None:
    """Play SCENARIO for real over loopback TLS, and show the session.

    SCENARIO is a name from `ehlo-twice scenarios`, or a TOML file of your own.

    \b
    Examples:
      ehlo-twice replay
      ehlo-twice replay --lang pt_BR --view esa
      ehlo-twice replay skipped-ehlo
      ehlo-twice replay --tls 1.2 --out session/
      ehlo-twice replay ./mine.toml --view table
    """
    from simulator import lab

    with _told():
        found = _with_tls(lab.load(scenario), tls)
        explanation = _explained(found, now=clock == "now")
        if check:
            raise SystemExit(_check(found, explanation, running=clock == "now"))
        if out is not None:
            files = _every_view(found, explanation, lang, running=clock == "now")
            for path in _write(out, files):
                click.echo(path)
            return
        _print(_view(view, found, explanation, lang, running=clock == "now"))


def _with_tls(scenario: Scenario, tls: str | None) -> Scenario:
    import msgspec

    if not tls:
        return scenario
    client = msgspec.structs.replace(scenario.client, tls_version=tls)
    return msgspec.structs.replace(scenario, client=client)


def _explained(scenario: Scenario, *, now: bool = False) -> Explanation:
    from datetime import UTC, datetime

    import msgspec

    from simulator import explainer, lab

    session = lab.play(scenario)
    if now:
        session = msgspec.structs.replace(session, started=datetime.now(UTC).astimezone())
    return explainer.explain(session)


def _view(
    view: str, scenario: Scenario, explanation: Explanation, lang: str, *, running: bool
) -> str:
    title = scenario.prose("title", lang)
    match view:
        case "annotated":
            from simulator.views import annotated

            return annotated.render(
                explanation, lang, title=title, width=_width(), colour=_colour(sys.stdout)
            )
        case "esa":
            from simulator.views import esa

            return esa.render(explanation, lang, running=running)
        case "sequence":
            from simulator.views import ladder

            return ladder.render(explanation, lang, width=_width(), colour=_colour(sys.stdout))
        case "mermaid":
            from simulator.views import mermaid

            return mermaid.render(explanation, lang)
        case "markdown":
            from simulator.views import markdown

            return markdown.render(explanation, lang, title=title)
        case "table":
            from simulator.views import table

            return table.render(explanation, lang)
        case "svg":
            from simulator.views import sequence

            return sequence.render(explanation, lang, title=title).decode()
    from simulator.views import document

    return document.render(explanation, lang, title)


def _every_view(
    scenario: Scenario, explanation: Explanation, lang: str, *, running: bool
) -> dict[str, bytes]:
    """All views by file name, in the order in which they are made."""
    from simulator.views import annotated, capture, player, sequence

    title = scenario.prose("title", lang)

    def text(view: str) -> Callable[[], bytes]:
        return lambda: _view(view, scenario, explanation, lang, running=running).encode()

    def drawing(form: Literal["svg", "png", "pdf"]) -> Callable[[], bytes]:
        return lambda: sequence.render(explanation, lang, form=form, title=title)

    makers: dict[str, Callable[[], bytes]] = {
        "session.json": text("json"),
        "log.txt": text("esa"),
        "annotated.txt": lambda: annotated.render(explanation, lang, title=title).encode(),
        "annotated.md": text("markdown"),
        "table.txt": text("table"),
        "sequence.txt": text("sequence"),
        "sequence.mmd": text("mermaid"),
        "sequence.svg": drawing("svg"),
        "sequence.png": drawing("png"),
        "sequence.pdf": drawing("pdf"),
        "session.pcapng": lambda: capture.render(explanation, language=lang),
        "player.html": lambda: player.render(explanation, lang).encode(),
    }
    made: dict[str, bytes] = {}
    with click.progressbar(
        makers.items(),
        label="views",
        file=sys.stderr,
        item_show_func=lambda item: item[0] if item else "",
    ) as bar:
        for name, make in bar:
            made[name] = make()
    return made


def _write(folder: Path, files: dict[str, bytes]) -> list[Path]:
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
    except OSError:
        for draft in pending:
            draft.unlink(missing_ok=True)
        if not existed:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return list(pending.values())


def _check(scenario: Scenario, explanation: Explanation, *, running: bool) -> int:
    """Compare the replay's log with the restored document, line by line."""
    import difflib

    from simulator import restore as restoration
    from simulator.lab import policy
    from simulator.views import esa

    restored = restoration.restore(
        policy.document_text(scenario),
        scenario.document.language if scenario.document else None,
    )
    wanted = restored.text.splitlines()
    got = esa.documented(explanation, running=running)
    cut = _cut_lines(restored)
    agree = sum(
        mine == theirs or (number in cut and mine.startswith(theirs.rstrip("'")))
        for number, (theirs, mine) in enumerate(zip(wanted, got, strict=False))
    )
    total = max(len(wanted), len(got))
    if agree == total:
        click.echo(f"{agree} of {total} lines agree")
        return 0
    aligned = [
        mine if number in cut and mine.startswith(theirs.rstrip("'")) else theirs
        for number, (theirs, mine) in enumerate(zip(wanted, got, strict=False))
    ] + wanted[len(got) :]
    for line in difflib.unified_diff(aligned, got, "documented", "replayed", lineterm=""):
        _print(_one_line(line) + "\n")
    click.echo(f"{agree} of {total} lines agree")
    return 1


def _cut_lines(restored: Restoration) -> set[int]:
    """Places in the restored text, from 0, of lines that the document cuts short."""
    kept = [n for n in range(1, 1 + _last_line(restored)) if n not in restored.left_out]
    return {kept.index(line) for line in restored.cut if line in kept}


def _last_line(restored: Restoration) -> int:
    return max((*restored.cut, *restored.left_out, *(r.line for r in restored.repairs)), default=0)


@cli.command()
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

    with _told():
        text, encoding = _text_of(file)
        restored = restoration.restore(text, language)
        sys.stdout.flush()
        sys.stdout.buffer.write(restored.text.encode(encoding, "surrogateescape"))
        sys.stdout.buffer.flush()
        click.echo(repairs.render(restored, lang, colour=_colour(sys.stderr)), err=True, nl=False)


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


@cli.command()
@click.argument("left", shell_complete=_scenario_names)
@click.argument("right", default="documented", shell_complete=_scenario_names)
@language_option
@click.option(
    "--view",
    type=click.Choice(["text", "markdown", "json", "svg"]),
    default="text",
    show_default=True,
)
@tls_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a figure: .svg, .png or .pdf.",
)
def compare(left: str, right: str, lang: str, view: str, tls: str | None, out: Path | None) -> None:
    """Play two scenarios and set the sessions side by side, event by event.

    \b
    Examples:
      ehlo-twice compare skipped-ehlo
      ehlo-twice compare lax-server skipped-ehlo --view markdown
      ehlo-twice compare stripped --out stripped.svg
    """
    from simulator import compare as comparing
    from simulator import lab
    from simulator.views import comparison

    with _told():
        found = [_with_tls(lab.load(name), tls) for name in (left, right)]
        titles = (found[0].prose("title", lang), found[1].prose("title", lang))
        both = comparing.compare(_explained(found[0]), _explained(found[1]), titles)
        if out is not None:
            data = comparison.figure(both, lang, _form(out))
            for path in _write(out.parent, {out.name: data}):
                click.echo(path)
            return
        match view:
            case "markdown":
                shown = comparison.markdown(both, lang)
            case "json":
                shown = comparison.json(both, lang)
            case "svg":
                shown = comparison.figure(both, lang, "svg").decode()
            case _:
                shown = comparison.text(both, lang, width=_width(), colour=_colour(sys.stdout))
        _print(shown)


@cli.command()
@language_option
@click.option(
    "--middlebox",
    default="nothing",
    show_default=True,
    metavar="NAME",
    help="What stands in between: nothing, strip, mask, inject-command, inject-reply, ….",
)
@click.option(
    "--view",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a heat map: .svg, .png or .pdf.",
)
def matrix(lang: str, middlebox: str, view: str, out: Path | None) -> None:
    """Play every client policy against every server policy, and show how each ended.

    \b
    Examples:
      ehlo-twice matrix
      ehlo-twice matrix --middlebox strip
      ehlo-twice matrix --out matrix.svg
      ehlo-twice replay stale+shorter          # open one cell
    """
    from simulator import explainer
    from simulator import matrix as cells_of
    from simulator.lab import matrix as arena
    from simulator.views import grid

    with _told():
        form = _form(out) if out else "svg"
        sides = arena.sides()
        arena.scenario("documented", "documented", middlebox)
        wanted = [names for names in arena.combinations() if names[2] == middlebox]
        with click.progressbar(length=len(wanted), label="sessions", file=sys.stderr) as bar:
            sessions = arena.play_all(wanted, lambda: bar.update(1))
        cells = tuple(
            cells_of.cell(*names, explainer.explain(session))
            for names, session in zip(wanted, sessions, strict=True)
        )
        clients = {name: p.title.get(lang, p.title["en"]) for name, p in sides.client.items()}
        servers = {name: p.title.get(lang, p.title["en"]) for name, p in sides.server.items()}
        if out is not None:
            from simulator.views import heatmap

            data = heatmap.render(cells, clients, servers, lang, form=form)
            for path in _write(out.parent, {out.name: data}):
                click.echo(path)
        elif view == "json":
            _print(grid.json(cells, lang))
        elif view == "markdown":
            _print(grid.markdown(cells, clients, servers, lang))
        else:
            _print(grid.text(cells, clients, servers, lang, colour=_colour(sys.stdout)))


def _form(path: Path) -> Literal["svg", "png", "pdf"]:
    """The form of a figure by its file's name. Raises `Cannot` for any other."""
    match path.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
        case ".pdf":
            return "pdf"
    raise Cannot(f"{path}: a figure is .svg, .png or .pdf")


@cli.command("bytes")
@click.argument("scenario", default="documented", shell_complete=_scenario_names)
@language_option
@tls_option
def bytes_(scenario: str, lang: str, tls: str | None) -> None:
    """Play SCENARIO and show every byte that crossed the wire, and what it means.

    \b
    Examples:
      ehlo-twice bytes
      ehlo-twice bytes --tls 1.2 | less -R
    """
    from simulator import lab
    from simulator.views import wire

    with _told():
        explanation = _explained(_with_tls(lab.load(scenario), tls))
        _print(wire.render(explanation, lang, colour=_colour(sys.stdout)))


@cli.command()
@language_option
def scenarios(lang: str) -> None:
    """List the scenarios that come with the project."""
    from simulator import lab

    with _told():
        rows = [(s.name, s.prose("title", lang)) for s in lab.scenarios()]
    _list(rows)


@cli.command()
@language_option
@click.option("--played", is_flag=True, help="Play all scenarios and name those that show a rule.")
def rules(lang: str, played: bool) -> None:
    """List the rules that a session obeys or breaks, each with its citation."""
    from simulator import smtp
    from simulator.language import say
    from simulator.rules import rules as all_rules
    from simulator.views.prose import LEVEL

    with _told():
        shown = _who_shows(lang) if played else {}
        for rule in all_rules():
            citation = smtp.citations()[rule.citation]
            place = " ".join(filter(None, (citation.place, citation.keyword)))
            _print(f"{rule.id}\n    {say(rule.text, lang)}\n")
            _print(f"    {place} ({say(LEVEL[rule.level], lang)})\n")
            for line in shown.get(rule.id, ()):
                _print(f"    {line}\n")


def _who_shows(lang: str) -> dict[str, list[str]]:
    """By rule, the scenarios that meet it and those that break it."""
    from simulator import lab
    from simulator.language import N_, say

    met: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    with click.progressbar(lab.names(), label="scenarios", file=sys.stderr) as bar:
        for name in bar:
            explanation = _explained(lab.load(name))
            for note in explanation.notes:
                found = (met if note.met else broken).setdefault(note.rule, [])
                if name not in found:
                    found.append(name)
    lines = {}
    for rule in {*met, *broken}:
        lines[rule] = [
            f"{say(label, lang)}: {', '.join(found[rule])}"
            for label, found in ((N_("met in"), met), (N_("broken in"), broken))
            if rule in found
        ]
    return lines


@cli.command()
def languages() -> None:
    """List the languages that can be asked for with --lang."""
    from simulator.language import languages as known

    _list(list(known().items()))


def _list(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        _print(f"{name:<{width}}  {_one_line(text)}\n")


@cli.command()
@click.argument("name", type=click.Choice(["session", "explanation", "scenario"]))
def schema(name: str) -> None:
    """Print a JSON Schema: of a session, of `--view json`, or of a scenario file."""
    import json

    from simulator import session
    from simulator.lab import policy
    from simulator.views import document

    made = {
        "session": session.schema,
        "explanation": document.schema,
        "scenario": policy.schema,
    }[name]()
    _print(json.dumps(made, indent=2, ensure_ascii=False) + "\n")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and scenarios in your shell.

    \b
    Examples:
      eval "$(ehlo-twice completion bash)"        # in ~/.bashrc
      ehlo-twice completion fish > ~/.config/fish/completions/ehlo-twice.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    variable = f"_{PROGRAM.upper().replace('-', '_')}_COMPLETE"
    _print(kind(cli, {}, PROGRAM, variable).source() + "\n")
