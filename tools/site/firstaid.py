"""First aid: a page with a short address for each thing that one sees when TLS fails."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.site import experiments, findings
from tools.site.page import SOURCES, Page, table
from tools.words import translated, word

INDEX = "first-aid.md"


@cache
def entries() -> dict[str, dict[str, Any]]:
    """What can be seen, by the address of its page."""
    return tomllib.loads((SOURCES / "data" / "first-aid.toml").read_text(encoding="utf-8"))


def pages(language: str, *, offline: bool = False) -> Iterator[Page]:
    """The pages, in the order of the index."""
    for key in entries():
        page = Page(path=f"{key}.md", language=language, text="", offline=offline)
        yield Page(
            path=page.path,
            language=language,
            text="\n\n".join(_page(key, page)) + "\n",
            offline=offline,
        )


def navigation(language: str) -> dict[str, Any]:
    """The pages below their index, for the sidebar."""
    return {
        INDEX: [
            {translated(entry["label"], language): f"{key}.md"} for key, entry in entries().items()
        ]
    }


def _page(key: str, page: Page) -> Iterator[str]:
    entry, language = entries()[key], page.language
    title, means = (translated(entry[part], language) for part in ("title", "means"))
    plain = means.replace("`", "").replace('"', "'")
    yield f'---\ntitle: "{title}"\ndescription: "{plain}"\n---'
    yield f"# {title}"
    yield f"{means}\n{{ .lead }}"
    yield f"## {word('aid.now', language)} {{ #now }}"
    yield "\n".join(f"{n}. {translated(step, language)}" for n, step in enumerate(entry["now"], 1))
    yield f"## {word('aid.decide', language)} {{ #decide }}"
    yield f"```sh\n{entry['decide'].strip()}\n```"
    yield translated(entry["tells"], language)
    yield f"## {word('aid.seen', language)} {{ #seen }}"
    heads = [word(f"aid.{head}", language) for head in ("software", "words")]
    yield table(
        heads,
        ([software, f"<code>{html.escape(words)}</code>"] for software, words in entry["seen"]),
    )
    yield f"## {word('aid.happen', language)} {{ #happen }}"
    yield experiments.some(page, *entry["experiments"])
    yield word("aid.paste", language)
    if entry["more"]:
        links = ", ".join(
            f"[{findings.title(more, page)}]({findings.place(more)})" for more in entry["more"]
        )
        yield f"**{word('aid.more', language)}** {links}. [{word('aid.all', language)}]({INDEX})"
    else:
        yield f"[{word('aid.all', language)}]({INDEX})"


def index(page: Page) -> str:
    """Everything one can see, as links, each with what it means."""
    rows = []
    for key, entry in entries().items():
        seen = "".join(f"<code>{html.escape(words)}</code> " for _, words in entry["seen"][:3])
        label = html.escape(translated(entry["label"], page.language))
        rows.append(
            f'<li><a href="{page.address(f"{key}.md")}"><strong>{label}</strong>'
            f'<span class="seen">{seen.strip()}</span></a></li>'
        )
    return "\n".join(['<ul class="cards aid">', *rows, "</ul>"])


def chips(page: Page) -> str:
    """The same in one paragraph, for a page that sends on whoever is in a hurry."""
    links = " ".join(
        f'<a href="{page.address(f"{key}.md")}">{label}</a>'
        for key, entry in entries().items()
        for label in [html.escape(translated(entry["label"], page.language))]
    )
    lead = word("aid.lead", page.language)
    return f'<nav class="aid" aria-label="{lead}"><strong>{lead}</strong> {links}</nav>'
