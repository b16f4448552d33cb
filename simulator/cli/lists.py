"""The commands that say what there is: scenarios, rules, languages, schema, completion, man."""

from __future__ import annotations

import click

from simulator.cli.common import PROGRAM, language_option, one_line, progress, put, put_listed, told


@click.command()
@language_option
def scenarios(lang: str) -> None:
    """List the scenarios that come with the project."""
    from simulator import lab

    with told():
        rows = [(s.name, s.prose("title", lang)) for s in lab.scenarios()]
    _list(rows)


@click.command()
@language_option
@click.option("--brief", is_flag=True, help="Without playing the experiments that show them.")
def rules(lang: str, brief: bool) -> None:
    """List the rules of a session with TLS, their citations, and the experiments that show them."""
    from simulator import smtp
    from simulator.language import say
    from simulator.rules import rules as all_rules
    from simulator.views.prose import LEVEL

    with told():
        shown = {} if brief else _who_shows(lang)
        for rule in all_rules():
            citation = smtp.citations()[rule.citation]
            place = " ".join(filter(None, (citation.place, citation.keyword)))
            put(f"{rule.id}\n")
            put_listed(f"    {say(rule.text, lang)}", 4)
            risk = f" ({say(LEVEL['risk'], lang)})" if rule.level == "risk" else ""
            put_listed(f"    {place}{risk}", 4)
            for line in shown.get(rule.id, ()):
                put_listed(f"    {line}", 8)


def _who_shows(lang: str) -> dict[str, list[str]]:
    """By rule, the scenarios that meet it and those that break it."""
    from simulator import explainer, lab
    from simulator.lab import arena
    from simulator.language import N_, say

    met: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    names = lab.names()
    with progress("scenarios", len(names)) as done:
        sessions = arena.play_each([lab.load(name) for name in names], done)
    for name, session in zip(names, sessions, strict=True):
        for note in explainer.explain(session).notes:
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


@click.command()
def languages() -> None:
    """List the languages that can be asked for with --lang."""
    from simulator.language import languages as known

    _list(list(known().items()))


def _list(rows: list[tuple[str, str]]) -> None:
    longest = max(len(name) for name, _ in rows)
    for name, text in rows:
        put_listed(f"{name:<{longest}}  {one_line(text)}", longest + 2)


SCHEMAS = {
    "session": "simulator.session",
    "explanation": "simulator.views.json",
    "comparison": "simulator.views.comparison",
    "scenario": "simulator.lab.policy",
    "format": "simulator.reading.pattern",
    "lexicon": "simulator.restore.lexicon",
    "causes": "simulator.causes",
    "exercise": "simulator.exercises.exercise",
    "survey": "simulator.survey.results",
    "checks": "simulator.checks.cases",
}
"""By the name of a schema, the module whose `schema` makes it."""


@click.command()
@click.argument("name", type=click.Choice(list(SCHEMAS)), metavar="NAME")
def schema(name: str) -> None:
    """Print a JSON Schema.

    NAME is what a program reads (session, explanation, which `--view json` prints, comparison), or
    a TOML file that a person writes (scenario, format, lexicon, causes, exercise, checks).
    """
    import json
    from importlib import import_module

    made = import_module(SCHEMAS[name]).schema()
    put(json.dumps(made, indent=2, ensure_ascii=False) + "\n")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="SHELL")
def completion(shell: str) -> None:
    """Print the script that completes commands and scenarios in your shell: bash, zsh or fish.

    \b
    Examples:
      eval "$(ehlo-twice completion bash)"        # in ~/.bashrc
      ehlo-twice completion fish > ~/.config/fish/completions/ehlo-twice.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    variable = f"_{PROGRAM.upper().replace('-', '_')}_COMPLETE"
    put(
        kind(click.get_current_context().find_root().command, {}, PROGRAM, variable).source() + "\n"
    )


@click.command()
def man() -> None:
    """Print the manual page.

    \b
    Examples:
      ehlo-twice man | man -l -
      ehlo-twice man > ~/.local/share/man/man1/ehlo-twice.1
    """
    from simulator.cli import manual

    put(manual.page(click.get_current_context().find_root()))


COMMANDS = (scenarios, rules, languages, schema, completion, man)
