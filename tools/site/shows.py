"""What a mark in a page can show: each function gives the Markdown that takes the mark's place."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from click.testing import CliRunner

from simulator.cli import cli
from simulator.views import esa
from tools.site import (
    anchors,
    changing,
    decrypting,
    documented,
    embed,
    experiments,
    findings,
    firstaid,
    fleet,
    getting,
    glossary,
    learning,
    ledgers,
    notebooks,
    octets,
    pasting,
    readthrough,
    reference,
    sandbox,
    strip,
    wild,
)
from tools.site.page import ROOT, BadPage, Page, Show
from tools.site.plays import play
from tools.workshop import hub, papers, quiz, quizzing


def player(page: Page, name: str = "documented", *attributes: str) -> str:
    """The player with the session of a scenario; attributes such as `start=7`."""
    quoted = (re.sub(r"=(.*)", r'="\1"', attribute) for attribute in attributes)
    return experiments.element(page, name, "".join(f" {attribute}" for attribute in quoted))


def run(page: Page, *words: str) -> str:
    """A command of the program and what it writes: it is run, not remembered."""
    return _ran(page, words, ROOT)


def _ran(page: Page, words: Sequence[str], folder: Path) -> str:
    line = shlex.join(words)
    settings = {"COLUMNS": "96", "EHLO_TWICE_LANG": None, "EHLO_TWICE_SITE": None}
    with contextlib.chdir(folder):
        result = CliRunner().invoke(cli, list(words), env=settings)
    if result.exit_code:
        raise BadPage(f"docs/{page.language}/{page.path}: ehlo-twice {line}: {result.output}")
    return f"```console\n$ ehlo-twice {line}\n{result.output.rstrip()}\n```"


LOGS = {
    "session.log": ("skipped-ehlo",),
    "mail.log": ("documented", "different-name", "refused-454"),
}
"""The logs that pages have explained, as a gateway writes them of these experiments."""

BOUNCE = ROOT / "docs" / "data" / "bounce.eml"
"""The bounce that pages have explained: no experiment comes back by mail."""


def explain(page: Page, *words: str) -> str:
    """`explain` and what it says, in the page's language, of the logs in `LOGS`."""
    option = () if page.said == "en" else ("--lang", page.said)
    with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
        for name, played in LOGS.items():
            log = "".join(esa.render(play(scenario)) for scenario in played)
            (Path(folder) / name).write_text(log, encoding="utf-8")
        shutil.copy(BOUNCE, folder)
        return _ran(page, ("explain", *option, *words), Path(folder))


ALL: dict[str, Show] = {
    "player": player,
    "parts": anchors.asked,
    "run": run,
    "ledgers": ledgers.show,
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
    "decrypt": decrypting.show,
    "read-through": readthrough.show,
    "secrets": readthrough.secrets,
    "explain": explain,
    "glossary": glossary.show,
    "causes": findings.index,
    "first-aid": firstaid.index,
    "first-aid-chips": firstaid.chips,
    "commands": reference.commands,
    "rules": reference.rule_table,
    "check-cases": reference.check_cases,
    "citations": reference.citations,
    "languages": reference.languages,
    "views": reference.views,
    "log-formats": reference.log_formats,
    "schemas": reference.schema_links,
    "scenario-keys": reference.scenario_keys,
    "servers": wild.servers,
    "clients": wild.clients,
    "bug-kinds": wild.bug_kinds,
    "bugs": wild.bugs,
    "wheel": getting.wheel,
    "wheel-commands": getting.commands,
    "sources": getting.sources,
    "fleet-measured": fleet.figures,
    "fleet-need": fleet.need,
    "paste": pasting.show,
    "sandbox": sandbox.show,
    "change": changing.show,
    "exercises": learning.show,
    "notebooks": notebooks.cards,
    "ideas": quiz.ideas,
    "poll": quiz.poll,
    "quiz": quizzing.show,
    "quiz-key": quiz.key,
    "hub-measured": hub.figures,
    "hub-need": hub.need,
    "slides": papers.show_slides,
    "sheets": papers.show_sheets,
    "embed": embed.show,
}
