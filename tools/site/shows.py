"""What a mark in a page can show: each function gives the Markdown that takes the mark's place."""

from __future__ import annotations

import contextlib
import html
import re
import shlex

from click.testing import CliRunner

from simulator.cli import cli
from simulator.explainer import Step
from simulator.knowledge import Fact
from simulator.session import Handshake
from simulator.views.inert import printable
from tools.site import (
    documented,
    experiments,
    findings,
    glossary,
    notebooks,
    octets,
    reference,
    sandbox,
    strip,
    wild,
)
from tools.site.page import ROOT, BadPage, Page, Show, table
from tools.site.plays import play
from tools.site.words import word
from tools.workshop import hub, quiz


def player(page: Page, name: str = "documented", *attributes: str) -> str:
    """The player with the session of a scenario; attributes such as `start=7`."""
    quoted = (re.sub(r"=(.*)", r'="\1"', attribute) for attribute in attributes)
    return experiments.element(page, name, "".join(f" {attribute}" for attribute in quoted))


def run(page: Page, *words: str) -> str:
    """A command of the program and what it writes: it is run, not remembered."""
    line = shlex.join(words)
    with contextlib.chdir(ROOT):
        result = CliRunner().invoke(cli, list(words), env={"COLUMNS": "96"})
    if result.exit_code:
        raise BadPage(f"docs/{page.language}/{page.path}: ehlo-twice {line}: {result.output}")
    return f"```console\n$ ehlo-twice {line}\n{result.output.rstrip()}\n```"


def ledgers(page: Page) -> str:
    """What each side of the documented session knows before, at and after the handshake."""
    steps = play("documented").steps
    [handshake] = [step for step in steps if isinstance(step.event, Handshake)]
    before, again = steps[handshake.index - 1], steps[handshake.index + 2]
    heads = [word(f"ledgers.{head}", page.language) for head in ("side", "before", "kept", "again")]
    return table(
        heads,
        (
            [word(f"ledgers.{side}", page.language)]
            + [_facts(step, side) for step in (before, handshake, again)]
            for side in ("server", "client")
        ),
    )


def _facts(step: Step, side: str) -> str:
    return " ".join(_chip(fact) for fact in step.knowledge.of(side)) or "–"  # type: ignore[arg-type]


def _chip(fact: Fact) -> str:
    kind = "secure" if fact.secure else "clear"
    return f'<span class="fact {kind}">{html.escape(printable(fact.label))}</span>'


def explain(page: Page) -> str:
    """How to have a log explained by the program, once it has a command for that."""
    if "explain" not in cli.commands:
        return ""
    option = "" if page.said == "en" else f" --lang {page.said}"
    said = word("log.explain", page.language)
    return f"{said}\n\n```sh\nehlo-twice explain{option} session.log\n```"


ALL: dict[str, Show] = {
    "player": player,
    "run": run,
    "ledgers": ledgers,
    "experiments": experiments.cards,
    "experiments-of": experiments.some,
    "log-found": documented.found,
    "log-lines": documented.lines,
    "log-repairs": documented.repairs,
    "log-translated": documented.translated,
    "quotation": documented.quotation,
    "rfc": documented.rfc,
    "strip": strip.show,
    "bytes": octets.show,
    "explain": explain,
    "glossary": glossary.show,
    "findings": findings.show,
    "commands": reference.commands,
    "rules": reference.rule_table,
    "citations": reference.citations,
    "languages": reference.languages,
    "log-formats": reference.log_formats,
    "schemas": reference.schema_links,
    "scenario-keys": reference.scenario_keys,
    "servers": wild.servers,
    "received": wild.received,
    "clients": wild.clients,
    "bugs": wild.bugs,
    "sandbox": sandbox.show,
    "notebooks": notebooks.cards,
    "ideas": quiz.ideas,
    "poll": quiz.poll,
    "quiz": quiz.sheet,
    "quiz-key": quiz.key,
    "hub-measured": hub.figures,
    "hub-need": hub.need,
}
