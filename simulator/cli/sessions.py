"""The commands that play sessions: replay, compare, matrix, bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    choose_one,
    colour,
    colour_option,
    form_of,
    language_option,
    middlebox_names,
    one_line,
    out_option,
    page,
    progress,
    put,
    put_files,
    put_view,
    scenario_names,
    tls_option,
    told,
    view_option,
    width,
)

if TYPE_CHECKING:
    from simulator.api import TlsVersion
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.views.view import Story, View


@click.command()
@click.argument("scenario", default="documented", shell_complete=scenario_names)
@language_option
@view_option
@tls_option
@out_option
@colour_option
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
    tls: TlsVersion | None,
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
    from simulator import api

    choose_one("check", "view", "out")
    with told():
        form = form_of(out) if out else None
        found = api.load(scenario, tls)
        explanation = api.play(found, now=clock == "now")
        if check:
            raise SystemExit(_check(found, explanation))
        story, running = _story(found, lang), clock == "now"
        if out is not None:
            put_files(out, form, _every_view(explanation, lang, story, running=running))
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


def _every_view(
    explanation: Explanation, lang: str, story: Story, *, running: bool
) -> dict[str, Callable[[], str | bytes]]:
    """All views by file name."""
    from simulator.views.view import Page, views

    shown = Page(lang, story, running=running)
    return {v.file: partial(v.render, explanation, shown) for v in views().values()}


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
@out_option
@colour_option
def compare(
    left: str, right: str, lang: str, view: str, tls: TlsVersion | None, out: Path | None
) -> None:
    """Play two scenarios and set the sessions side by side, event by event.

    Replies count as equal if their code and the keywords they list are; the words of their first
    line are the server's own.

    \b
    Examples:
      ehlo-twice compare skipped-ehlo
      ehlo-twice compare lax-server skipped-ehlo --view markdown
      ehlo-twice compare stripped --out stripped.svg
    """
    from simulator import alignment, api
    from simulator.views import comparison, comparison_figure

    choose_one("view", "out")
    with told():
        form = form_of(out) if out else None
        found = [api.load(name, tls) for name in (left, right)]
        titles = (found[0].prose("title", lang), found[1].prose("title", lang))
        both = alignment.compare(api.play(found[0]), api.play(found[1]), titles)
        text = partial(comparison.text, both, lang)
        makers: dict[str, Callable[[], str | bytes]] = {
            "comparison.txt": text,
            "comparison.md": lambda: comparison.markdown(both, lang),
            "comparison.json": lambda: comparison.json(both, lang),
            "comparison.svg": lambda: comparison_figure.render(both, lang, "svg"),
            "comparison.png": lambda: comparison_figure.render(both, lang, "png"),
            "comparison.pdf": lambda: comparison_figure.render(both, lang, "pdf"),
        }
        if out is not None:
            put_files(out, form, makers)
        elif view == "text":
            put(text(width=width(), colour=colour(sys.stdout)))
        else:
            put(makers[f"comparison.{'md' if view == 'markdown' else view}"]())


@click.command()
@language_option
@click.option(
    "--middlebox",
    default="nothing",
    show_default=True,
    metavar="NAME",
    shell_complete=middlebox_names,
    help="nothing, strip, mask, add-keywords, inject-command or inject-reply.",
)
@click.option(
    "--view",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
@out_option
@colour_option
def matrix(lang: str, middlebox: str, view: str, out: Path | None) -> None:
    """Play every client policy against every server policy, and show how each ended.

    \b
    Examples:
      ehlo-twice matrix
      ehlo-twice matrix --middlebox strip
      ehlo-twice matrix --out matrix.svg
      ehlo-twice replay stale+shorter          # open one cell
    """
    from simulator import api
    from simulator.views import grid

    choose_one("view", "out")
    with told():
        form = form_of(out) if out else None
        with progress("sessions", api.sessions_of_matrix(middlebox)) as done:
            found = api.matrix(middlebox, done=done)
        clients, servers, _ = found.titles(lang)
        text = partial(grid.text, found.cells, clients, servers, lang)
        makers: dict[str, Callable[[], str | bytes]] = {
            "matrix.txt": partial(text, colour=False),
            "matrix.md": lambda: grid.markdown(found.cells, clients, servers, lang),
            "matrix.json": lambda: grid.json(found.cells, lang),
            "matrix.svg": lambda: found.drawing("svg", lang),
            "matrix.png": lambda: found.drawing("png", lang),
            "matrix.pdf": lambda: found.drawing("pdf", lang),
        }
        if out is not None:
            put_files(out, form, makers)
        elif view == "table":
            put(text(colour=colour(sys.stdout)))
        else:
            put(makers["matrix.md" if view == "markdown" else "matrix.json"]())


@click.command("bytes", short_help="Show every byte that crossed the wire.")
@click.argument("scenario", default="documented", shell_complete=scenario_names)
@language_option
@tls_option
@colour_option
def bytes_(scenario: str, lang: str, tls: TlsVersion | None) -> None:
    """Play SCENARIO and show every byte that crossed the wire, and what it means.

    \b
    Examples:
      ehlo-twice bytes
      ehlo-twice bytes --tls 1.2 --color always | less -R
    """
    from simulator import api
    from simulator.views.view import view

    with told():
        explanation = api.replay(scenario, tls=tls)
        put_view(octets := view("bytes"), octets.render(explanation, page(lang)))


COMMANDS = (replay, compare, matrix, bytes_)
