"""What can be wrong in a session: sign, cause, remedy, and the experiment that shows it."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from simulator.causes import DEGREES, Cause, causes
from simulator.language import say
from simulator.rules import rules
from simulator.views.markdown import escape
from tools.site.experiments import path, title
from tools.site.page import SOURCES, Page, cite
from tools.site.plays import scenarios
from tools.words import translated, word

MORE = "more"
GROUPS = ("after", "before", "risk", MORE)
"""The last: causes that the program names, and no finding tells of."""


def findings() -> dict[str, Any]:
    """All findings by id: ids of rules, and of causes that no rule has."""
    return tomllib.loads((SOURCES / "data" / "findings.toml").read_text(encoding="utf-8"))


def show(page: Page, group: str) -> str:
    """The findings of one group, each under a heading that has its id as the anchor."""
    if group == MORE:
        return _more(page)
    cited = {rule.id: rule.citation for rule in rules()}
    titles = {scenario.name: title(scenario, page.language) for scenario in scenarios()}
    parts = []
    for key, finding in findings().items():
        if finding["group"] != group:
            continue
        parts += [f"### {translated(finding['title'], page.language)} {{ #{key} }}", ""]
        others = [cause for cause in finding.get("causes", ()) if cause != key]
        if others:
            parts += ["".join(f'<a id="{cause}"></a>' for cause in others), ""]
        source = f" {cite(cited[key])}" if key in cited else ""
        for part in ("sign", "cause", "remedy"):
            end = source if part == "cause" else ""
            label = word(f"findings.{part}", page.language)
            parts += [f"**{label}** {translated(finding[part], page.language)}{end}", ""]
        for cause in finding.get("causes", ()):
            parts += _evidence(causes()[cause], page)
        links = ", ".join(f"[{titles[name]}]({path(name)})" for name in finding["experiments"])
        parts += [f"**{word('findings.experiments', page.language)}** {links}", ""]
    return "\n".join(parts)


def _more(page: Page) -> str:
    told = {cause for finding in findings().values() for cause in finding.get("causes", ())}
    titles = {scenario.name: title(scenario, page.language) for scenario in scenarios()}
    parts = []
    for cause in causes().values():
        if cause.id in told:
            continue
        parts += [f"### {say(cause.title, page.said, escape)} {{ #{cause.id} }}", ""]
        source = f" {cite(cause.citation)}" if cause.citation else ""
        label = word("findings.cause", page.language)
        parts += [f"**{label}** {say(cause.cause, page.said, escape)}{source}", ""]
        parts += _evidence(cause, page)
        label = word("findings.remedy", page.language)
        parts += [f"**{label}** {say(cause.remedy, page.said, escape)}", ""]
        if cause.experiment:
            link = f"[{titles[cause.experiment]}]({path(cause.experiment)})"
            parts += [f"**{word('findings.experiments', page.language)}** {link}", ""]
    return "\n".join(parts)


@cache
def examples() -> dict[str, Any]:
    """For each cause a short log that shows it, and the lines that do."""
    return tomllib.loads((SOURCES / "data" / "causes.toml").read_text(encoding="utf-8"))


def _evidence(cause: Cause, page: Page) -> list[str]:
    """What shows a cause, how sure it then is, and what would rule it out."""
    example = examples()[cause.id]
    rows = example["shows"].removeprefix("\n").split("\n")
    shown = [f"    {number:>2}  {rows[number - 1]}" for number in example["lines"]]
    degree = say(DEGREES[example.get("degree", "certain")], page.said, escape)
    title = say(cause.title, page.said, escape)
    evidence, ruled_out = (word(f"findings.{key}", page.language) for key in ("shows", "ruled"))
    out = say(cause.ruled_out, page.said, escape)
    return [f"**{evidence}** {title} ({degree})", "", *shown, "", f"**{ruled_out}** {out}", ""]
