"""The commands that play sessions: replay, compare, matrix, bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    colour,
    form_of,
    language_option,
    one_line,
    page,
    played,
    progress,
    put,
    put_view,
    scenario_names,
    tls_option,
    told,
    view_option,
    width,
    with_tls,
    write,
)

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.views.view import Page, Story, View


@click.command()
@click.argument("scenario", default="documented", shell_complete=scenario_names)
@language_option
@view_option
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
    view: View,
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
    from simulator.views.view import Page

    with told():
        found = with_tls(lab.load(scenario), tls)
        explanation = played(found, now=clock == "now")
        if check:
            raise SystemExit(_check(found, explanation))
        story, running = _story(found, lang), clock == "now"
        if out is not None:
            files = _every_view(explanation, Page(lang, story, running=running))
            for path in write(out, files):
                put(f"{path}\n")
            return
        put_view(view, view.render(explanation, page(lang, story, running=running)))


def _story(scenario: Scenario, lang: str) -> Story:
    from simulator.views.view import Story

    return Story(
        title=scenario.prose("title", lang),
        question=scenario.prose("question", lang),
        watch=scenario.prose("watch", lang),
        conclude=scenario.prose("conclude", lang),
    )


def _every_view(explanation: Explanation, page: Page) -> dict[str, bytes]:
    """All views by file name."""
    from simulator.views.view import views

    made: dict[str, bytes] = {}
    every = views().values()
    with progress("views", len(every)) as done:
        for view in every:
            shown = view.render(explanation, page)
            made[view.file] = shown.encode() if isinstance(shown, str) else shown
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
                put(f"{path}\n")
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
    from simulator.lab import arena
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
                put(f"{path}\n")
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
    from simulator.views.view import view

    with told():
        explanation = played(with_tls(lab.load(scenario), tls))
        put_view(octets := view("bytes"), octets.render(explanation, page(lang)))


COMMANDS = (replay, compare, matrix, bytes_)
