"""The commands that play sessions: replay, compare, matrix, bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from simulator.cli.common import (
    colour,
    form_of,
    language_option,
    one_line,
    played,
    progress,
    put,
    scenario_names,
    tls_option,
    told,
    width,
    with_tls,
    write,
)

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.views.prose import Story

VIEWS = ("annotated", "esa", "sequence", "mermaid", "markdown", "json", "table", "svg")


@click.command()
@click.argument("scenario", default="documented", shell_complete=scenario_names)
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

    with told():
        found = with_tls(lab.load(scenario), tls)
        explanation = played(found, now=clock == "now")
        if check:
            raise SystemExit(_check(found, explanation))
        if out is not None:
            files = _every_view(found, explanation, lang, running=clock == "now")
            for path in write(out, files):
                click.echo(path)
            return
        put(_view(view, found, explanation, lang, running=clock == "now"))


def _view(
    view: str, scenario: Scenario, explanation: Explanation, lang: str, *, running: bool
) -> str:
    title = scenario.prose("title", lang)
    match view:
        case "annotated":
            from simulator.views import annotated

            return annotated.render(
                explanation,
                lang,
                story=_story(scenario, lang),
                width=width(),
                colour=colour(sys.stdout),
            )
        case "esa":
            from simulator.views import esa

            return esa.render(explanation, lang, running=running)
        case "sequence":
            from simulator.views import sequence

            return sequence.render(
                explanation, lang, width=width(), colour=colour(sys.stdout), title=title
            )
        case "mermaid":
            from simulator.views import mermaid

            return mermaid.render(explanation, lang, title)
        case "markdown":
            from simulator.views import markdown

            return markdown.render(explanation, lang, story=_story(scenario, lang))
        case "table":
            from simulator.views import table

            return table.render(explanation, lang, width=width(160, 160))
        case "svg":
            from simulator.views import drawing

            return drawing.render(explanation, lang, title=title).decode()
    from simulator.views import document

    return document.render(explanation, lang, title)


def _story(scenario: Scenario, lang: str) -> Story:
    from simulator.views.prose import Story

    return Story(
        title=scenario.prose("title", lang),
        question=scenario.prose("question", lang),
        watch=scenario.prose("watch", lang),
        conclude=scenario.prose("conclude", lang),
    )


def _every_view(
    scenario: Scenario, explanation: Explanation, lang: str, *, running: bool
) -> dict[str, bytes]:
    """All views by file name, in the order in which they are made."""
    from simulator import session
    from simulator.views import annotated, drawing, pcapng, player

    title = scenario.prose("title", lang)

    def text(view: str) -> Callable[[], bytes]:
        return lambda: _view(view, scenario, explanation, lang, running=running).encode()

    def drawn(form: Literal["svg", "png", "pdf"]) -> Callable[[], bytes]:
        return lambda: drawing.render(explanation, lang, form=form, title=title)

    makers: dict[str, Callable[[], bytes]] = {
        "session.json": lambda: session.to_json(explanation.session).encode(),
        "explanation.json": text("json"),
        "log.txt": text("esa"),
        "annotated.txt": lambda: annotated.render(
            explanation, lang, story=_story(scenario, lang)
        ).encode(),
        "annotated.md": text("markdown"),
        "table.txt": text("table"),
        "sequence.txt": text("sequence"),
        "sequence.mmd": text("mermaid"),
        "sequence.svg": drawn("svg"),
        "sequence.png": drawn("png"),
        "sequence.pdf": drawn("pdf"),
        "session.pcapng": lambda: pcapng.render(explanation, language=lang),
        "player.html": lambda: player.render(explanation, lang, title).encode(),
    }
    made: dict[str, bytes] = {}
    with progress("views", len(makers)) as done:
        for name, make in makers.items():
            made[name] = make()
            done()
    return made


def _check(scenario: Scenario, explanation: Explanation) -> int:
    """Compare the replay's log with the restored document, line by line."""
    from simulator import fidelity
    from simulator.lab import policy
    from simulator.restore import restore
    from simulator.views import esa

    document = policy.document_text(scenario)
    language = scenario.document.language if scenario.document else None
    found = fidelity.compare(restore(document, language), esa.documented(explanation))
    for line in found.difference:
        put(one_line(line) + "\n")
    put(f"{found.agree} of {found.total} lines agree\n")
    return 0 if found.agree == found.total else 1


@click.command()
@click.argument("left", shell_complete=scenario_names)
@click.argument("right", default="documented", shell_complete=scenario_names)
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

    Replies count as equal if their code and the keywords they list are; the words of their first
    line are the server's own.

    \b
    Examples:
      ehlo-twice compare skipped-ehlo
      ehlo-twice compare lax-server skipped-ehlo --view markdown
      ehlo-twice compare stripped --out stripped.svg
    """
    from simulator import compare as comparing
    from simulator import lab
    from simulator.views import comparison, comparison_figure

    with told():
        found = [with_tls(lab.load(name), tls) for name in (left, right)]
        titles = (found[0].prose("title", lang), found[1].prose("title", lang))
        both = comparing.compare(played(found[0]), played(found[1]), titles)
        if out is not None:
            data = comparison_figure.render(both, lang, form_of(out))
            for path in write(out.parent, {out.name: data}):
                click.echo(path)
            return
        match view:
            case "markdown":
                shown = comparison.markdown(both, lang)
            case "json":
                shown = comparison.json(both, lang)
            case "svg":
                shown = comparison_figure.render(both, lang, "svg").decode()
            case _:
                shown = comparison.text(both, lang, width=width(), colour=colour(sys.stdout))
        put(shown)


@click.command()
@language_option
@click.option(
    "--middlebox",
    default="nothing",
    show_default=True,
    metavar="NAME",
    help="nothing, strip, mask, add-keywords, inject-command or inject-reply.",
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

    with told():
        form = form_of(out) if out else "svg"
        sides = arena.sides()
        arena.scenario("documented", "documented", middlebox)
        wanted = [names for names in arena.combinations() if names[2] == middlebox]
        with progress("sessions", len(wanted)) as done:
            sessions = arena.play_all(wanted, done)
        cells = tuple(
            cells_of.cell(*names, explainer.explain(session))
            for names, session in zip(wanted, sessions, strict=True)
        )
        clients = {name: p.title.get(lang, p.title["en"]) for name, p in sides.client.items()}
        servers = {name: p.title.get(lang, p.title["en"]) for name, p in sides.server.items()}
        titles = sides.middlebox[middlebox].title
        between = titles.get(lang, titles["en"])
        if out is not None:
            from simulator.views import heatmap

            data = heatmap.render(cells, clients, servers, lang, form, between)
            for path in write(out.parent, {out.name: data}):
                click.echo(path)
        elif view == "json":
            put(grid.json(cells, lang))
        elif view == "markdown":
            put(grid.markdown(cells, clients, servers, lang))
        else:
            put(grid.text(cells, clients, servers, lang, colour=colour(sys.stdout)))


@click.command("bytes", short_help="Show every byte that crossed the wire.")
@click.argument("scenario", default="documented", shell_complete=scenario_names)
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
    from simulator.views import bytes as octets

    with told():
        explanation = played(with_tls(lab.load(scenario), tls))
        put(octets.render(explanation, lang, colour=colour(sys.stdout)))


COMMANDS = (replay, compare, matrix, bytes_)
