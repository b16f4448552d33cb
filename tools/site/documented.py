"""The documented session's log: as found, restored, and translated as a person would."""

from __future__ import annotations

import html
from functools import cache

from simulator import lab, restore, smtp
from simulator.lab import policy
from simulator.language import say
from simulator.views import esa
from simulator.views.inert import printable
from simulator.views.markdown import escape
from simulator.views.repairs import ranges
from tools.site.page import Page, table
from tools.site.plays import play
from tools.words import word


@cache
def _restored() -> restore.Restoration:
    return restore.restore(policy.document_text(lab.load("documented")))


def _kept() -> list[tuple[int, str]]:
    """The log's lines as found, with their number in the page that holds them."""
    found = policy.document_text(lab.load("documented")).splitlines()
    return [(n, line) for n, line in enumerate(found, 1) if n not in _restored().left_out]


def found(page: Page) -> str:
    """The log as it stood in the translated page."""
    return "\n".join(["```text", *(line for _, line in _kept()), "```"])


def quotation(page: Page) -> str:
    """The translated page's quotation of the RFC, word for word."""
    text = policy.document_text(lab.load("documented"))
    [line] = [line for line in text.splitlines() if line.startswith("“")]
    return f'<blockquote lang="pt" class="found"><p>{html.escape(line)}</p></blockquote>'


def rfc(page: Page, *keys: str) -> str:
    """What RFCs say, word for word, each with its place and its keyword."""
    parts = []
    for key in keys:
        cited = smtp.citations()[key]
        quote = html.escape(cited.quote)
        if cited.keyword:
            quote = quote.replace(f" {cited.keyword} ", f" <b>{cited.keyword}</b> ", 1)
        parts.append(
            f'<blockquote lang="en" class="rfc" cite="{cited.url}"><p>{quote}</p>'
            f'<footer><a href="{cited.url}">{cited.place}</a></footer></blockquote>'
        )
    return "\n".join(parts)


def lines(page: Page) -> str:
    """Line by line: as found, and what crossed the wire."""
    both = zip(_kept(), _restored().text.splitlines(), strict=True)
    return table(
        [word(f"log.{head}", page.language) for head in ("line", "found", "restored")],
        (
            (f"{number}", _code(_tail(before)), _code(_tail(after)))
            for number, ((_, before), after) in enumerate(both, 1)
        ),
        aligns="r",
    )


def _tail(line: str) -> str:
    """What follows the connection identifier: the date is the same in every line."""
    return line.partition("5165207 ")[2]


def repairs(page: Page) -> str:
    """Every repair that was made, and why; the same one on many lines is told once."""
    told: dict[tuple[str, str, str], list[int]] = {}
    first = _kept()[0][0] - 1
    for repair in _restored().repairs:
        key = (repair.found, repair.restored, say(repair.reason, page.said, escape))
        places = told.setdefault(key, [])
        if repair.line - first not in places:
            places.append(repair.line - first)
    nothing = word("log.nothing", page.language)
    unchanged = word("log.as-found", page.language)
    rows = [
        [*(_code(text) if text else nothing for text in (before, after)), ranges(places, "–"), why]
        for (before, after, why), places in told.items()
    ]
    rows += [
        [_code(left.text), unchanged, f"{left.line - first}", say(left.why, page.said, escape)]
        for left in _restored().unknown
    ]
    heads = [word(f"log.{head}", page.language) for head in ("found", "restored", "lines", "why")]
    return table(heads, rows)


def translated(page: Page, language: str = "pt_BR") -> str:
    """The log with its prose in another language and every protocol token as it was sent."""
    explanation = play("documented")
    first, last = explanation.session.documented or (0, len(explanation.steps))
    shown = [line for step, line in esa.lines(explanation, language) if first <= step.index <= last]
    return "\n".join(["```text", *shown, "```"])


def _code(text: str) -> str:
    return f"<code>{html.escape(printable(text))}</code>"
