"""What real software does: tables from the measurement and from the list of bugs in docs/data/."""

from __future__ import annotations

import html
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.site.experiments import path
from tools.site.page import SOURCES, Asset, Page, table
from tools.site.words import word

DATA = SOURCES / "data"


@cache
def _survey() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "survey" / "results.json").read_text("utf-8"))
    return found


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def files() -> Iterator[Asset]:
    """The measurement itself."""
    yield Asset("data/survey/results.json", (DATA / "survey" / "results.json").read_bytes())


def servers(page: Page) -> str:
    """How each server answers who does not say EHLO again."""
    rows = []
    for key, software in _toml("survey/software.toml")["server"].items():
        run = _survey()["servers"][key]
        skipped = run["2_no_second_ehlo"]
        rows.append(
            [
                f"**{software['name']}**<br>{software['setting'][page.language]}",
                _auth(run, page.language),
                _answer(skipped, "MAIL FROM:<a@example.org>"),
                _answer(skipped, "AUTH PLAIN"),
                _code(run["5_starttls_inside_tls"]["result"]),
            ]
        )
    heads = ("server", "auth", "mail", "login", "again")
    return table([word(f"wild.{head}", page.language) for head in heads], rows)


def _auth(run: dict[str, Any], language: str) -> str:
    lists = run["1_ehlo_before_after"]["result"]
    both = [any(k.startswith("AUTH") for k in lists[when]) for when in ("before", "after")]
    return " → ".join(word("wild.yes" if listed else "wild.no", language) for listed in both)


def _answer(skipped: dict[str, Any], start: str) -> str:
    found = next(entry for command, entry in skipped.items() if command.startswith(start))
    return _code(found["result"])


def _code(reply: str) -> str:
    """The reply code, and the whole reply as a tooltip; green where it lets the client go on."""
    kind = "inside" if reply.startswith("2") else "broken"
    return f'<span class="chip {kind}" title="{html.escape(reply)}">{html.escape(reply[:3])}</span>'


def received(page: Page) -> str:
    """Which name reaches the Received line when the second EHLO is left out."""
    rows = []
    for software in _toml("survey/software.toml")["server"].values():
        lines = _survey()["received"].get(software.get("received", ""), {})
        for variant, line in lines.items():
            if variant.startswith("noehlo") and line:
                shown = " ".join(line.removeprefix("Received: ").split())
                short = f"{shown[:90]}…" if len(shown) > 90 else shown
                rows.append([f"**{software['name']}**", f"<code>{html.escape(short)}</code>"])
    return table([word(f"wild.{head}", page.language) for head in ("server", "from")], rows)


def _left(run: dict[str, Any]) -> bool:
    """Whether the client's only command inside TLS was QUIT."""
    return bool(run["commands_tls"] == ["QUIT"])


def clients(page: Page) -> str:
    """What each client says before and inside TLS."""
    rows = []
    for key, name in _toml("survey/software.toml")["client"].items():
        run = _survey()["clients"][key]
        inside = run["ehlo_tls"]
        kind = "inside" if inside else "broken"
        mark = f'<span class="chip {kind}">{len(inside)}</span>'
        if _left(run):
            # Who leaves right after the handshake was about to say nothing, an EHLO or not.
            mark = word("wild.left", page.language)
        said = "<br>".join(f"<code>{html.escape(line)}</code>" for line in inside) or "–"
        before = "<br>".join(f"<code>{html.escape(line)}</code>" for line in run["ehlo_plain"])
        rows.append([name, before, mark, said])
    heads = ("client", "before", "count", "inside")
    return table([word(f"wild.{head}", page.language) for head in heads], rows)


def bugs(page: Page) -> str:
    """Bugs of real software, by kind, each with its reference and the experiment that shows it."""
    found = _toml("bugs.toml")
    parts = []
    for kind, told in found["kind"].items():
        parts += [f"### {told[page.language]} {{ #bug-{kind} }}", ""]
        rows = [
            [bug["software"], f"[{bug['label']}]({bug['url']})", bug["fixed"] or "–"]
            for bug in found["bug"]
            if bug["kind"] == kind
        ]
        heads = [word(f"wild.{head}", page.language) for head in ("software", "reference", "fixed")]
        parts += [table(heads, rows), ""]
        parts += [f"[{word('wild.see', page.language)}]({path(told['experiment'])})", ""]
    return "\n".join(parts)
