"""The reference: commands, rules, citations, formats, languages, schemas, out of the program."""

from __future__ import annotations

import html
import inspect
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from simulator import formats, smtp
from simulator.checks.cases import Case, client_cases, server_cases
from simulator.cli import cli
from simulator.cli.lists import SCHEMAS
from simulator.lab import policy
from simulator.language import languages as known_languages
from simulator.language import say
from simulator.rules import rules
from simulator.views.prose import LEVEL
from simulator.views.view import views as known_views
from tools.site import findings
from tools.site.experiments import path
from tools.site.page import Asset, BadPage, Page, cite, table
from tools.site.plays import play, scenarios
from tools.words import word


def commands(page: Page) -> str:
    """Every command with its options and examples, as `--help` tells them."""
    context = click.Context(cli, info_name="ehlo-twice")
    return "\n\n".join(
        "\n\n".join(_command(name, command, context, page))
        for name, command in _all(cli)
        if not command.hidden
    )


def _all(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Every command, those of a group under the group's name too."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", inner) for below, inner in _all(command))
        else:
            yield name, command


def _command(name: str, command: click.Command, above: click.Context, page: Page) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    yield f"## {name} {{ #{name.replace(' ', '-')} }}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\nehlo-twice {name} {usage}\n```"
    prose, _, examples = inspect.cleandoc(command.help or "").partition("\b\nExamples:\n")
    english = ' lang="en"' if page.language != "en" else ""
    yield "\n\n".join(
        f"<p{english}>{_marked(' '.join(part.split()))}</p>"
        for part in prose.strip().split("\n\n")
        if part
    )
    if examples:
        lines = [line.strip() for line in examples.splitlines() if line.strip()]
        yield "\n".join(["```sh", *lines, "```"])
    rows = [_option(option, english) for option in command.params if _listed(option)]
    if rows:
        heads = [word(f"reference.{head}", page.language) for head in ("option", "meaning")]
        yield table(heads, rows)


def _listed(option: click.Parameter) -> bool:
    return isinstance(option, click.Option) and not option.hidden


def _option(option: click.Parameter, english: str) -> list[str]:
    assert isinstance(option, click.Option)
    kind = option.make_metavar(click.Context(cli)) if not option.is_flag else ""
    names = " ".join([", ".join(option.opts), kind]).strip()
    text = option.help or ""
    if option.show_default and option.default is not None:
        text = f"{text} [default: {option.default}]"
    return [f"<code>{html.escape(names)}</code>", f"<span{english}>{_marked(text)}</span>"]


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def check_cases(page: Page, subject: str) -> str:
    """The cases of `check server` or `check client`: each with the place that it rests on."""
    cases: Sequence[Case] = server_cases() if subject == "server" else client_cases()
    heads = [word(f"reference.{head}", page.language) for head in ("case", "check", "rests-on")]
    rows = [
        [f"`{case.id}`", html.escape(case.titled(page.said)), cite(case.citation)] for case in cases
    ]
    return table(heads, rows)


def rule_table(page: Page) -> str:
    """Every rule with its citation, and the experiments that meet and break it."""
    parts = []
    for rule in rules():
        level = say(LEVEL[rule.level], page.said)
        parts += [f"## {rule.id} {{ #{rule.id} }}", ""]
        parts += [f"{html.escape(say(rule.text, page.said))} {cite(rule.citation)}", ""]
        parts += [f"{word('reference.level', page.language)}: {level}.", ""]
        for kind, met in (("met-in", True), ("broken-in", False)):
            names = [
                scenario.name
                for scenario in scenarios()
                if any(n.rule == rule.id and n.met == met for n in play(scenario.name).notes)
            ]
            if names:
                links = ", ".join(f"[{name}](../{path(name)})" for name in names)
                parts += [f"- {word(f'reference.{kind}', page.language)}: {links}", ""]
        label = word("reference.log", page.language)
        parts += [f"[{label}](../{findings.place(rule.id)})", ""]
    return "\n".join(parts)


def citations(page: Page) -> str:
    """Every sentence of an RFC that the project cites."""
    parts = []
    rfc = 0
    for key, cited in sorted(smtp.citations().items(), key=lambda pair: _order(pair[1])):
        if cited.rfc != rfc:
            rfc = cited.rfc
            parts += [f"## RFC {rfc}", ""]
        keyword = f" **{cited.keyword}**" if cited.keyword else ""
        parts += [f"### §{cited.section}{keyword} {{ #{key} }}", ""]
        source = f'<a href="{cited.url}">{cited.place}</a> · <code>{key}</code>'
        quote = f"<p>{html.escape(cited.quote)}</p><footer>{source}</footer>"
        parts += [f'<blockquote lang="en" class="rfc" cite="{cited.url}">{quote}</blockquote>', ""]
        if cited.remark:
            label = word("reference.remark", page.language)
            parts += [f'{label}: <span lang="en">{html.escape(cited.remark)}</span>', ""]
    return "\n".join(parts)


def _order(cited: smtp.Citation) -> tuple[Any, ...]:
    return cited.rfc, [(len(part), part) for part in cited.section.split(".")]


def languages(page: Page) -> str:
    """The languages that --lang takes."""
    heads = [word(f"reference.{head}", page.language) for head in ("code", "language")]
    return table(heads, ([f"`{code}`", name] for code, name in known_languages().items()))


def views(page: Page) -> str:
    """The views of a session, and the files that `replay --out` writes."""
    heads = [word(f"reference.{head}", page.language) for head in ("view", "file", "what")]
    rows = (
        [f"`{view.name}`", f"`{view.file}`", html.escape(say(view.about, page.said))]
        for view in known_views().values()
    )
    return table(heads, rows)


def log_formats(page: Page, *names: str) -> str:
    """Kinds of logs that the program reads, and how to make that software log the dialogue.

    Those named, in that order, as a table; all of them where none is named, as names that open.
    Raises `ValueError`.
    """
    known = {kind.name: kind for kind in formats.known()}
    if missing := set(names) - set(known):
        raise ValueError(f"no format {', '.join(missing)}")
    titles = {name: say(kind.title, page.said) for name, kind in known.items()}
    chosen = [known[name] for name in names] or sorted(
        known.values(), key=lambda kind: titles[kind.name].casefold()
    )
    heads = [word(f"reference.{head}", page.language) for head in ("software", "dialogue")]
    rows = []
    for kind in chosen:
        text = say(kind.log_more, page.said)
        foreign = ' lang="en"' if text == kind.log_more and page.said != "en" else ""
        rows.append([html.escape(titles[kind.name]), f"<span{foreign}>{_marked(text)}</span>"])
    if names:
        return table(heads, rows)
    opened = "\n".join(
        f'<details id="{kind.name}"><summary>{title}</summary><p>{more}</p></details>'
        for kind, (title, more) in zip(chosen, rows, strict=True)
    )
    return f'<div class="kinds">\n{opened}\n</div>'


def schema_links(page: Page) -> str:
    """Links to the JSON Schemas."""
    up = "../" * (len(Path(page.path).parts) - 1)
    return "\n".join(f"- [`{name}`]({up}data/{name}.schema.json)" for name in SCHEMAS)


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """The JSON Schemas, as the command prints them."""
    from click.testing import CliRunner

    for name in SCHEMAS:
        result = CliRunner().invoke(cli, ["schema", name])
        if result.exit_code:
            raise BadPage(f"ehlo-twice schema {name}: {result.output}")
        yield Asset(f"data/{name}.schema.json", result.output.encode())


def scenario_keys(page: Page) -> str:
    """Every key that a scenario file may hold, with its values and its default."""
    definitions: dict[str, Any] = json.loads(json.dumps(policy.schema()))["$defs"]
    parts = []
    for section, kind in policy.TABLES.items():
        schema = definitions[kind.__name__]
        told = {key: say(text, page.said) for key, text in policy.keys()[section].items()}
        parts += [f"### [{section}] {{ #{section} }}", "", _marked(told["about"]), ""]
        columns = ("key", "meaning", "values", "default")
        heads = [word(f"reference.{column}", page.language) for column in columns]
        rows = [
            [f"`{key}`", _marked(told[key]), _values(entry), _default(entry)]
            for key, entry in schema["properties"].items()
        ]
        parts += [table(heads, rows), ""]
    return "\n".join(parts)


def _values(entry: dict[str, Any]) -> str:
    if "enum" in entry:
        return ", ".join(f"`{choice or chr(34) * 2}`" for choice in entry["enum"])
    if "anyOf" in entry:
        return " / ".join(dict.fromkeys(_values(choice) for choice in entry["anyOf"]))
    if entry.get("type") == "array":
        return f"[{_values(entry['items'])}, …]" if "items" in entry else "[…]"
    return str(entry.get("type", "…"))


def _default(entry: dict[str, Any]) -> str:
    if "default" not in entry:
        return "–"
    return f"<code>{html.escape(json.dumps(entry['default']))}</code>"
