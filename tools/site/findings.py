"""What can be wrong in a session: sign, cause, remedy, and the experiment that shows it."""

from __future__ import annotations

import tomllib
from typing import Any

from simulator.rules import rules
from tools.site.experiments import path, title
from tools.site.page import SOURCES, Page, cite
from tools.site.plays import scenarios
from tools.site.words import word

GROUPS = ("after", "before", "risk")


def findings() -> dict[str, Any]:
    """All findings by id: ids of rules, and of causes that no rule has."""
    return tomllib.loads((SOURCES / "data" / "findings.toml").read_text(encoding="utf-8"))


def show(page: Page, group: str) -> str:
    """The findings of one group, each under a heading that has its id as the anchor."""
    cited = {rule.id: rule.citation for rule in rules()}
    titles = {scenario.name: title(scenario, page.language) for scenario in scenarios()}
    parts = []
    for key, finding in findings().items():
        if finding["group"] != group:
            continue
        parts += [f"### {finding['title'][page.language]} {{ #{key} }}", ""]
        source = f" {cite(cited[key])}" if key in cited else ""
        for part in ("sign", "cause", "remedy"):
            end = source if part == "cause" else ""
            label = word(f"findings.{part}", page.language)
            parts += [f"**{label}** {finding[part][page.language]}{end}", ""]
        links = ", ".join(f"[{titles[name]}]({path(name)})" for name in finding["experiments"])
        parts += [f"**{word('findings.experiments', page.language)}** {links}", ""]
    return "\n".join(parts)
