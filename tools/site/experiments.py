"""One page for each experiment: the scenario's own words, and the session that it plays."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from simulator.explainer import Explanation
from simulator.lab import Scenario
from simulator.language import say
from simulator.rules import Note
from simulator.session import Command, Reply
from simulator.views import document, drawing, narrow, pcapng, player
from simulator.views.markdown import escape
from tools.site import diagrams
from tools.site.page import LANGUAGES, ROOT, Asset, Page, cite, table
from tools.site.plays import play, scenarios
from tools.words import word

FOLDER = "what-if"


def path(name: str) -> str:
    """The page of an experiment, below the language's folder."""
    return f"{FOLDER}/{name}.md"


def title(scenario: Scenario, language: str) -> str:
    """The scenario's own title."""
    return scenario.prose("title", LANGUAGES[language])


def pages(language: str, *, offline: bool = False) -> Iterator[Page]:
    """The pages, in the order in which they are told."""
    for scenario in scenarios():
        page = Page(path=path(scenario.name), language=language, text="", offline=offline)
        yield Page(
            path=page.path,
            language=language,
            text="\n\n".join(_page(scenario, page)) + "\n",
            offline=offline,
        )


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """What the pages show or offer: the session for the player, the diagram, the capture."""
    said = LANGUAGES[language]
    for scenario in scenarios():
        explanation = play(scenario.name)
        base = f"{FOLDER}/{scenario.name}"
        if not offline:
            yield Asset(_data(scenario.name), player.data([explanation], said).encode())
        for ending, render in zip(("svg", "narrow.svg"), RENDERED, strict=True):
            yield Asset(f"{base}.{ending}", _diagram(scenario.name, language, render))
        yield Asset(f"{base}.pcapng", pcapng.render(explanation.session))
        yield Asset(f"{base}.json", document.render(explanation, said).encode())
        source = ROOT / "simulator" / "scenarios" / f"{scenario.name}.toml"
        yield Asset(f"{base}.toml", source.read_bytes())


def navigation(language: str) -> dict[str, Any]:
    """The pages below the one that introduces them, for the sidebar."""
    groups: dict[str, list[dict[str, str]]] = {}
    for scenario in scenarios():
        below = groups.setdefault(word(f"groups.{scenario.group}", language), [])
        below.append({html.escape(title(scenario, language)): path(scenario.name)})
    return {f"{FOLDER}/index.md": [{group: below} for group, below in groups.items()]}


def _data(name: str) -> str:
    return f"data/{name}.json"


def element(page: Page, name: str, attributes: str = "") -> str:
    """The player with a session, and the same session as a list for whoever has no script."""
    explanation = play(name)
    data = player.data([explanation], page.said) if page.offline else ""
    return framed(page, _data(name), data, player.listing(explanation, page.said), attributes)


def framed(page: Page, source: str, data: str, listing: str, attributes: str) -> str:
    """The player fed by the file `source`, or, in a page opened from disk, by `data` within it."""
    origin, inside = f' src="{page.up}{source}"', ""
    if page.offline:
        origin, inside = "", f'\n<script type="application/json">{data}</script>'
    listed = re.sub(r"\n\s*\n", "\n", listing)
    return (
        f'<div class="session" data-search-exclude>\n<smtp-session{origin}{attributes}>{inside}\n'
        f"{listed}\n</smtp-session>\n</div>"
    )


def _page(scenario: Scenario, page: Page) -> Iterator[str]:
    language, said = page.language, page.said
    explanation = play(scenario.name)

    def prose(field: str) -> str:
        return scenario.prose(field, said)  # type: ignore[arg-type]

    question = json.dumps(prose("question"), ensure_ascii=False)
    name = json.dumps(html.escape(prose("title")), ensure_ascii=False)
    yield f"---\ntitle: {name}\ndescription: {question}\n---"
    yield f"# {escape(prose('title'))}"
    yield f"{escape(prose('question'))}\n{{ .lead }}"
    yield f"## {word('what-if.predict', language)}"
    yield word("what-if.predict-lead", language)
    yield "\n".join(
        f"{n}. {word(f'what-if.ask-{what}', language)}"
        for n, what in enumerate(("mail", "code", "rule"), 1)
    )
    yield f"**{word('what-if.watch', language)}.** {escape(prose('watch'))}"
    yield element(page, scenario.name, f' question="{html.escape(prose("question"))}"')
    answers = "\n".join(f"    {n}. {text}" for n, text in enumerate(_answers(explanation, page), 1))
    yield f'??? question "{word("what-if.answer", language)}"\n\n{answers}'
    yield f"## {word('what-if.conclude', language)}"
    yield escape(prose("conclude"))
    outcome = say(explanation.verdict.outcome, said, escape)
    yield f"**{word('what-if.outcome', language)}.** {outcome}"
    if explanation.notes:
        yield f"## {word('what-if.rules', language)}"
        yield _rules(explanation, page)
    yield f"## {word('what-if.diagram', language)}"
    alt = html.escape(word("what-if.diagram-alt", language, title=prose("title")))
    drawn = (_diagram(scenario.name, language, render).decode() for render in RENDERED)
    yield diagrams.show(f"{page.up}{FOLDER}/{scenario.name}", alt, *drawn)
    yield f"## {word('what-if.yourself', language)}"
    place = f"{page.address('change.md')}#from={scenario.name}"
    yield f'<p><a href="{place}">{word("notebooks.try-change", language)}</a></p>'
    yield word("what-if.yourself-lead", language)
    option = "" if said == "en" else f" --lang {said}"
    yield f"```sh\nehlo-twice replay {scenario.name}{option}\n```"
    yield "\n".join(
        f"- [{word(f'what-if.{what}', language)}]({scenario.name}.{ending})"
        for what, ending in (
            ("capture", "pcapng"),
            ("svg", "svg"),
            ("json", "json"),
            ("scenario", "toml"),
        )
    )


RENDERED = (drawing.render, narrow.render)


@cache
def _diagram(name: str, language: str, render: Callable[..., bytes]) -> bytes:
    scenario = next(found for found in scenarios() if found.name == name)
    return render(play(name), LANGUAGES[language], title=title(scenario, language))


def _answers(explanation: Explanation, page: Page) -> Iterator[str]:
    language, verdict = page.language, explanation.verdict
    mail = "none" if not verdict.delivered else "clear" if verdict.in_clear else "inside"
    yield word(f"what-if.mail-{mail}", language)
    yield _first_refusal(explanation, language)
    broken = [note for note in explanation.notes if not note.met]
    if not broken:
        yield word("what-if.rule-none", language)
    else:
        yield " ".join(
            f"{say(note.text, page.said, escape)} ({cite(note.citation)})" for note in broken
        )


def _first_refusal(explanation: Explanation, language: str) -> str:
    events = explanation.session.events
    for step in explanation.steps:
        match step.event:
            case Reply(code=code) if code >= 400:
                heard = events[step.heard_as] if step.heard_as is not None else None
                verb = heard.verb if isinstance(heard, Command) else "?"
                return word("what-if.code", language, code=code, verb=html.escape(verb))
    return word("what-if.code-none", language)


def _rules(explanation: Explanation, page: Page) -> str:
    heads = [word(f"what-if.{head}", page.language) for head in ("step", "rule", "citation")]
    return table(heads, (_row(note, page) for note in explanation.notes), aligns="r")


def _row(note: Note, page: Page) -> list[str]:
    kind = "met" if note.met else "broken"
    mark = f'<span class="ruling {kind}">{word(f"what-if.{kind}", page.language)}</span>'
    text = say(note.text, page.said, escape)
    return [f"{note.event + 1}", f"{mark} {text}", cite(note.citation)]


def cards(page: Page) -> str:
    """All experiments as cards, by group, each with what became of it."""
    parts: list[str] = []
    group = ""
    for scenario in scenarios():
        if scenario.group != group:
            if group:
                parts.append("</ul>")
            group = scenario.group
            parts += ["", f"## {word(f'groups.{group}', page.language)}", "", '<ul class="cards">']
        parts.append(_card(scenario, page))
    return "\n".join([*parts, "</ul>"])


def some(page: Page, *names: str) -> str:
    """A few experiments as cards. Raises `LookupError` for one that does not exist."""
    found = {scenario.name: scenario for scenario in scenarios()}
    return "\n".join(['<ul class="cards">', *(_card(found[n], page) for n in names), "</ul>"])


def _card(scenario: Scenario, page: Page) -> str:
    language = page.language
    verdict = play(scenario.name).verdict
    chips: list[tuple[str, str]] = [
        ("tls" if verdict.tls in ("established", "implicit") else "plain", verdict.tls or "")
    ]
    mail = "none" if not verdict.delivered else "clear" if verdict.in_clear else "inside"
    chips.append((mail, mail))
    if verdict.faults:
        chips.append(("broken", "broken"))
    shown = " ".join(
        f'<span class="chip {style}">{word(f"chips.{key}", language)}</span>'
        for style, key in chips
        if key
    )
    address, name = page.address(path(scenario.name)), html.escape(title(scenario, language))
    return (
        f'<li><a href="{address}"><strong>{name}</strong>'
        f"<span>{html.escape(scenario.prose('question', page.said))}</span>"
        f'<span class="chips">{shown}</span></a></li>'
    )
