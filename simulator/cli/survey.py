"""The command that asks real software: survey."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import language_option, progress, put, put_listed, told
from simulator.language import N_, Text, say

if TYPE_CHECKING:
    from simulator.survey.results import Found
    from simulator.survey.software import Setting, Software

SAME, OTHERWISE = 0, 1

RECIPES = Path(__file__).parents[2] / "survey"


def _names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    return sorted(
        path.parent.name
        for path in RECIPES.glob("*/software.toml")
        if path.parent.name.startswith(typed)
    )


def _cache() -> Path:
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ehlo-twice" / "survey"
    )


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]", shell_complete=_names)
@click.option("--quick", is_flag=True, help="Only what needs no root and is over in seconds.")
@click.option("--list", "list_", is_flag=True, help="List the software, and ask none.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("survey-results"),
    show_default=True,
    metavar="FOLDER",
    help="Where results go; what is there already is not asked again.",
)
@click.option("--again", is_flag=True, help="Ask again what is there already.")
@click.option(
    "--from",
    "recipes",
    type=click.Path(path_type=Path, file_okay=False),
    default=RECIPES,
    metavar="FOLDER",
    help="The recipes, and the results to compare with.  [default: those of the checkout]",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=_cache,
    metavar="FOLDER",
    help="Where software is installed.  [default: ~/.cache/ehlo-twice/survey]",
)
@language_option
@click.option(
    "--limit",
    type=click.FloatRange(min=1, max=3600),
    default=None,
    metavar="SECONDS",
    help="Time limit of every step.  [default: 900 to install, 420 to ask]",
)
def survey(
    names: tuple[str, ...],
    quick: bool,
    list_: bool,
    out: Path,
    again: bool,
    recipes: Path,
    cache: Path,
    limit: float | None,
    lang: str,
) -> None:
    """Ask real servers and clients what they do about the second EHLO.

    Each is installed below --cache, started on loopback, asked with the cases of `check`, and
    stopped; what differs from the results in survey/results/ is told cell by cell. Software of
    Debian's packages runs in an overlay and namespaces of its own: nothing of the machine is
    changed, and nothing stays behind but the cache. Some of it needs root for that; the rest needs
    namespaces that the system grants to users. --list says what cannot run here.

    Exit code 0 if all answers are as they were, 1 if some are not, or if something could not be
    asked, 2 if what is named cannot run here.

    \b
    Examples:
      ehlo-twice survey --quick
      ehlo-twice survey swaks curl
      ehlo-twice survey exim go-smtp chasquid
      sudo .venv/bin/ehlo-twice survey postfix
    """
    from simulator.survey import results, survey
    from simulator.survey.places import Failed, NotHere, lacking
    from simulator.survey.software import recipes as read

    with told():
        found = [one for one in read(recipes, names) if one.quick or not quick]
        if list_:
            _list(found, lang)
            return
        before = results.read(recipes / "results")
        have = {} if again else results.read(out)
        todo = list(survey.configurations(found))
        if names:
            _refuse(todo, have)
        differs = 0
        limits = {"install_limit": limit or survey.INSTALL, "ask_limit": limit or survey.ASK}
        with progress("survey", len(todo)) as step:
            for software, setting in todo:
                name = results.name_of(software.name, setting.name)
                if known := _known(software, setting, have):
                    there = Text(N_("there already, asked on {date}"), {"date": known.date})
                    put(f"{name}: {say(there, lang)}\n")
                    now = known
                elif lack := lacking(software, lang):
                    omitted = Text(N_("left out: {why}"), {"why": lack})
                    put(f"{name}: {say(omitted, lang)}\n")
                    step()
                    continue
                else:
                    try:
                        whole = survey.ask(software, setting, cache, **limits)
                    except (Failed, NotHere) as error:
                        click.echo(f"{name}: {error}", err=True)
                        differs += 1
                        step()
                        continue
                    now, withheld = survey.published(whole)
                    survey.save(out, now)
                    _tell(whole, withheld, lang)
                differs += _compare(before.get(name), now, lang)
                step()
        if everything := list(results.read(out).values()):
            (out / results.TABLE).write_text(results.table(everything), encoding="utf-8")
    raise SystemExit(OTHERWISE if differs else SAME)


def _known(software: Software, setting: Setting, have: dict[str, Found]) -> Found | None:
    """What there is already of that configuration, asked with the recipe and questions of now."""
    from simulator.survey.results import name_of

    known = have.get(name_of(software.name, setting.name))
    return known if known and known.recipe == software.digest() else None


def _refuse(todo: list[tuple[Software, Setting]], have: dict[str, Found]) -> None:
    """Who names software is told at once what this machine lacks for it. Raises `NotHere`."""
    from simulator.survey.places import NotHere, lacking

    for software, setting in todo:
        if not _known(software, setting, have) and (lack := lacking(software)):
            raise NotHere(f"{software.name}: {lack}")


def _list(found: list[Software], lang: str) -> None:
    from simulator.survey.places import lacking

    for one in found:
        settings = ", ".join(setting.name for setting in one.setting)
        put(f"{one.name:<16} {one.kind:<7} {settings:<40} {lacking(one, lang)}".rstrip() + "\n")


INDENT = 30
"""Columns of mark and question, before what is asked and what came."""

LONGEST = 200
"""Signs of an answer that are shown; a server may send any number."""


def _tell(found: Found, withheld: list[str], lang: str) -> None:
    """All answers, on a line each; what must not be published is told to whoever runs it alone, and
    not where what is told is published too."""
    from simulator.survey.questions import MARK, SHOWS, of
    from simulator.survey.results import WITHHELD
    from simulator.views.inert import printable

    put(f"{found.name}: {found.title} {printable(found.release)}\n")
    asked = {question.id: question.said(lang) for question in of(found.kind)}
    for answer in found.answers:
        if answer.kind == "unasked":
            continue
        kind, text = answer.kind, printable(answer.said(lang))
        if len(text) > LONGEST:
            text = text[: LONGEST - 1] + "…"
        if answer.question in withheld and os.environ.get("CI"):
            kind, text = "withheld", ""
        shows = "" if kind == "heeds" else f"({say(SHOWS[kind], lang)})"
        question = asked[answer.question]
        question += "" if question.endswith("?") else ":"
        line = " ".join(filter(None, (question, text, shows)))
        put_listed(f"  {MARK[kind]} {answer.question:<{INDENT - 6}}  {line}", INDENT)
    for question in withheld:
        put(f"  {question}: {say(WITHHELD, lang)}\n")


def _compare(before: Found | None, now: Found, lang: str) -> bool:
    from simulator.survey.results import changes

    if before is None:
        return False
    if before.release != now.release:
        releases = {"before": before.release, "now": now.release}
        another = Text(N_("another version: {before} → {now}"), releases)
        put(f"  {say(another, lang)}\n")
    found = list(changes(before, now, lang))
    for cell in found:
        changed = Text(N_("changed: {cell}"), {"cell": cell})
        put(f"  {say(changed, lang)}\n")
    return bool(found)


COMMANDS = (survey,)
