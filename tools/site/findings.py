"""What can be wrong in a session: sign, cause, remedy, and the experiment that shows it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from simulator.causes import DEGREES, Cause, causes
from simulator.language import say
from simulator.rules import rules
from simulator.views.markdown import escape
from tools.site import experiments
from tools.site.page import SOURCES, Page, cite
from tools.site.plays import scenarios
from tools.words import translated, word

INDEX = "causes/index.md"
GROUPS = ("ehlo", "starttls", "no-tls", "handshake", "login", "other", "risk")
"""A page for each, by what one sees."""


def findings() -> dict[str, Any]:
    """All findings by id: ids of rules, and of causes that no rule has."""
    return tomllib.loads((SOURCES / "data" / "findings.toml").read_text(encoding="utf-8"))


@cache
def examples() -> dict[str, Any]:
    """For each cause a short log that shows it, and the lines that do."""
    return tomllib.loads((SOURCES / "data" / "causes.toml").read_text(encoding="utf-8"))


def _of(group: str) -> Iterator[tuple[str, Any]]:
    """What a page tells of, by id: findings, then each `Cause` of which no finding tells."""
    told = {cause for finding in findings().values() for cause in finding.get("causes", ())}
    yield from ((key, entry) for key, entry in findings().items() if entry["group"] == group)
    for cause in causes().values():
        if cause.id not in told and examples()[cause.id]["group"] == group:
            yield cause.id, cause


def path(group: str) -> str:
    """The page of a group, below the language's folder."""
    return f"causes/{group}.md"


def place(key: str) -> str:
    """The page of a finding or a cause, with its anchor. Raises `KeyError`."""
    found = (entry for own, entry in findings().items() if key in (own, *entry.get("causes", ())))
    entry = next(found, None) or examples()[key]
    return f"{path(entry['group'])}#{key}"


def navigation(language: str) -> dict[str, Any]:
    """The pages below their index, for the sidebar."""
    return {INDEX: [{word(f"causes.{group}", language): path(group)} for group in GROUPS]}


def pages(language: str, *, offline: bool = False) -> Iterator[Page]:
    """The pages, in the order of the index."""
    for group in GROUPS:
        page = Page(path=path(group), language=language, text="", offline=offline)
        heading, lead = (word(f"causes.{key}", language) for key in (group, f"{group}-lead"))
        head = f'---\ntitle: "{heading}"\ndescription: "{lead}"\n---\n\n# {heading}\n\n{lead}'
        foot = word("causes.foot", language)
        yield Page(
            path=page.path,
            language=language,
            text="\n\n".join((f"{head}\n{{ .lead }}", show(page, group), foot)) + "\n",
            offline=offline,
        )


def index(page: Page) -> str:
    """Everything that a page tells of, as links. Each row has the ids of its causes, so that the
    address that `explain` gives leads here, and the page's script from here to the cause itself."""
    parts = []
    for group in GROUPS:
        address = page.address(path(group))
        parts += [f"## [{word(f'causes.{group}', page.language)}]({group}.md) {{ #{group} }}", ""]
        rows = []
        for key, entry in _of(group):
            others = () if isinstance(entry, Cause) else entry.get("causes", ())
            anchors = "".join(f'<a id="{cause}"></a>' for cause in others if cause != key)
            told = title(key, page)
            rows.append(f'<li id="{key}">{anchors}<a href="{address}#{key}">{told}</a></li>')
        parts += ['<ul class="causes">', *rows, "</ul>", ""]
    return "\n".join(parts)


def title(key: str, page: Page) -> str:
    """What a finding or a cause is called. Raises `KeyError`."""
    if key in findings():
        return translated(findings()[key]["title"], page.language)
    return say(causes()[key].title, page.said, escape)


def show(page: Page, group: str) -> str:
    """What one page tells, each under a heading that has its id as the anchor. What one reads is
    sign, cause and remedy; the lines that show it open on demand."""
    cited = {rule.id: rule.citation for rule in rules()}
    titles = {scenario.name: experiments.title(scenario, page.language) for scenario in scenarios()}
    parts = []
    for key, entry in _of(group):
        parts += [f"## {title(key, page)} {{ #{key} }}", ""]
        if isinstance(entry, Cause):
            shown = [entry]
            played = [entry.experiment] if entry.experiment else []
            said = {"seen": f"`{_shown(key)[-1].strip()}`"}
            said |= {
                part: say(getattr(entry, part), page.said, escape) for part in ("cause", "remedy")
            }
            source = entry.citation
        else:
            shown = [causes()[cause] for cause in entry.get("causes", ())]
            played = entry["experiments"]
            said = {
                part: translated(entry[part], page.language) for part in ("sign", "cause", "remedy")
            }
            source = cited.get(key, "")
            others = "".join(f'<a id="{cause.id}"></a>' for cause in shown if cause.id != key)
            parts += [others, ""] if others else []
        for part, text in said.items():
            end = f" {cite(source)}" if source and part == "cause" else ""
            parts += [f"**{word(f'findings.{part}', page.language)}** {text}{end}", ""]
        if played:
            links = ", ".join(f"[{titles[name]}](../{experiments.path(name)})" for name in played)
            parts += [f"**{word('findings.experiments', page.language)}** {links}", ""]
        if shown:
            parts += [f'??? note "{word("findings.evidence", page.language)}"', ""]
            lines = [line for cause in shown for line in _evidence(cause, page)]
            parts += [f"    {line}" if line else "" for line in lines]
    return "\n".join(parts)


def _shown(cause: str) -> list[str]:
    """The lines of its example that show a cause."""
    example = examples()[cause]
    rows = example["shows"].removeprefix("\n").split("\n")
    return [rows[number - 1] for number in example["lines"]]


def _evidence(cause: Cause, page: Page) -> list[str]:
    """What shows a cause, how sure it then is, and what would rule it out."""
    example = examples()[cause.id]
    numbered = zip(example["lines"], _shown(cause.id), strict=True)
    shown = [f"    {number:>2}  {row}" for number, row in numbered]
    degree = say(DEGREES[example.get("degree", "certain")], page.said, escape)
    title = say(cause.title, page.said, escape)
    evidence, ruled_out = (word(f"findings.{key}", page.language) for key in ("shows", "ruled"))
    out = say(cause.ruled_out, page.said, escape)
    return [f"**{evidence}** {title} ({degree})", "", *shown, "", f"**{ruled_out}** {out}", ""]
