"""What is printed for the class: wall diagram, log, handout, cards, quiz, and the teacher's keys.

All but the quiz is made from sessions that were played just now; all as HTML, printed to PDF.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from simulator.explainer import Step
from simulator.session import Command, Handshake, Message, Reply, Side
from simulator.views import esa
from simulator.views.inert import printable
from tools.site import assets, ledgers
from tools.site.page import LANGUAGES, ROOT, Page, complete
from tools.site.plays import play
from tools.words import word
from tools.workshop import export, paper, quiz, solutions

SOURCES = ROOT / "workshop" / "handout"
BUILD = ROOT / "build" / "workshop" / "print"
SETS = ("documented", "skipped-ehlo", "auth-only-inside")
LAST = {"documented": "MAIL", "auth-only-inside": "MAIL"}
"""Where a set of cards ends, if not with the session."""
ON_A_PAGE = 12
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"

PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="assets/fonts.css">
<link rel="stylesheet" href="assets/sheet.css"></head>
<body>
{body}
</body>
</html>
"""


class Card(NamedTuple):
    """One card: who speaks (nobody, at the handshake), and what is said."""

    letter: str
    by: str
    lines: tuple[str, ...]


def build(*, pdf: bool = True, only: Sequence[str] = ()) -> list[Path]:
    """Write all sheets, or those named, in both languages below build/workshop/print.

    Returns the files.

    Raises `NoBrowser` where a PDF is asked for in vain.
    """
    _assets()
    made = []
    for language in LANGUAGES:
        for name in only or SHEETS:
            target = BUILD / f"{name}.{language}.html"
            title = html.escape(word(f"{name}-title", language))
            body = SHEETS[name](language)
            if "<h1" not in body:
                body = f'<h1 class="unseen">{title}</h1>\n{body}'
            text = PAGE.format(language=language, title=title, body=body)
            target.write_text(text, encoding="utf-8")
            if pdf:
                paper.to_pdf(target, target.with_suffix(".pdf"))
                target = target.with_suffix(".pdf")
            made.append(target)
        if only:
            continue
        target = BUILD / f"questions.{language}.gift"
        target.write_text(export.gift(language), encoding="utf-8")
        packed = BUILD / f"questions.{language}.qti.zip"
        packed.write_bytes(export.qti(language))
        made += [target, packed]
    return made


def wall(language: str) -> str:
    """One sheet of A3 for the wall: the session in words that the last row can read."""
    explanation = play("documented")
    first, last = explanation.session.documented or (0, len(explanation.steps))
    rows = []
    for step in explanation.steps[first : last + 1]:
        event = step.event
        side = "secure" if event.secure else "clear"
        if isinstance(event, Handshake):
            gone = [fact for fact in step.knowledge.facts if fact.discarded == step.index]
            told = {fact.name if fact.kind == "keyword" else fact.value for fact in gone}
            said = sorted(told, key=lambda text: (len(text), text))
            lost = "".join(f"<s>{html.escape(printable(text))}</s> " for text in said)
            rows.append(
                f'<div class="row bar"><b>{word("handshake", language)}</b>'
                f"<p>{html.escape(word('wall-forget', language))} {lost}</p></div>"
            )
        elif isinstance(event, Command):
            text = re.sub("<.*>.*", "<…>", f"{event.verb} {event.argument}".strip())
            rows.append(_row(side, "client", text, language))
        elif isinstance(event, Reply):
            words = [line.split(" ")[0] for line in event.lines[1:]] or [event.lines[0]]
            rows.append(_row(side, "server", f"{event.code} {' '.join(words)}", language))
    title = html.escape(word("slides-title", language))
    why = html.escape(word("wall-why", language))
    return (
        f'<style>@page {{ size: A3 }}</style><div class="wall-a3"><h1>{title}</h1>'
        f'{"".join(rows)}<p class="why">{why}</p></div>'
    )


def _row(side: str, by: str, text: str, language: str) -> str:
    arrow = "→" if by == "client" else "←"
    return (
        f'<div class="row {side} {by}"><span>{word(by, language)} {arrow}</span>'
        f"<code>{html.escape(printable(text))}</code></div>"
    )


def log(language: str) -> str:
    """One sheet of A3 for the wall: the log, without a word on what it means."""
    explanation = play("documented")
    first, last = explanation.session.documented or (0, len(explanation.steps))
    shown = [line for step, line in esa.lines(explanation) if first <= step.index <= last]
    lines = (f"<li>{html.escape(LINE.sub('', printable(line)))}</li>" for line in shown)
    return (
        f'<style>@page {{ size: A3 landscape }}</style><div class="log-a3">'
        f"<ol>{''.join(lines)}</ol></div>"
    )


LINE = re.compile(r"^.*? Info: \d+ ")
"""What stands before the words of every line: they are the same on all of them."""


def handout(language: str) -> str:
    """Page one is the session with both ledgers, page two the sheet to take home."""
    page = Page(path="handout.md", language=language, text="", offline=True)
    source = (SOURCES / f"{language}.md").read_text(encoding="utf-8")
    text = paper.to_html(_filled(page, source))
    return f'<div class="page">{_session(language)}</div>\n<div class="page">{text}</div>'


def _session(language: str) -> str:
    """The documented session, line by line, and beside each line what it taught whom."""
    explanation = play("documented")
    first, last = explanation.session.documented or (0, len(explanation.steps))
    rows = []
    for step in explanation.steps[: last + 1]:
        event = step.event
        if isinstance(event, Handshake):
            rows.append(_forgetting(step, language))
        elif isinstance(event, Command | Reply) and (step.index >= first or _taught(step)):
            by = "client" if isinstance(event, Command) else "server"
            lines = _spoken(event)
            side = "secure" if event.secure else "clear"
            said = "\n".join(html.escape(printable(line)) for line in lines)
            rows.append(
                f'<tr class="{side}"><td>{_learned(step, "client", language)}</td>'
                f"<td><b>{word(by, language)} {'→' if by == 'client' else '←'}</b>"
                f"<pre>{said}</pre></td><td>{_learned(step, 'server', language)}</td></tr>"
            )
    heads = (word("ledgers.client", language), "", word("ledgers.server", language))
    cells = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    title, why = (html.escape(word(name, language)) for name in ("slides-title", "wall-why"))
    return (
        f'<p class="title">{title}</p><table class="session"><thead><tr>{cells}</tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table><p class="why">{why}</p>'
    )


def _forgetting(step: Step, language: str) -> str:
    """The row of the handshake: what TLS taught, and what both sides lost."""
    gone = [fact for fact in step.knowledge.facts if fact.discarded == step.index]
    lost = {
        side: " ".join(
            f"<s>{html.escape(printable(f.label))}</s>" for f in gone if f.holder == side
        )
        for side in ("client", "server")
    }
    forget = html.escape(word("wall-forget", language).rstrip(":"))
    return (
        f'<tr class="secure"><td>{_learned(step, "client", language)}</td>'
        f'<td class="middle"><b>{word("handshake", language)}</b></td>'
        f"<td>{_learned(step, 'server', language)}</td></tr>"
        f'<tr class="bar"><td>{lost["client"]}</td><td class="middle"><b>{forget}</b>'
        f"<span>RFC 3207 §4.2 MUST</span></td><td>{lost['server']}</td></tr>"
    )


def _taught(step: Step) -> bool:
    return any(fact.learned == step.index for fact in step.knowledge.facts)


def _learned(step: Step, side: Side, language: str) -> str:
    """What a side learned from this step, as the pages show a fact."""
    known = step.knowledge.of(side)
    said = LANGUAGES[language]
    return " ".join(ledgers.chip(fact, said) for fact in known if fact.learned == step.index)


def _filled(page: Page, text: str) -> str:
    """The Markdown with what the program shows in it."""
    filled = Page(path=page.path, language=page.language, text=text, offline=True)
    return complete(filled, {"ledgers": ledgers.show})


def deck(name: str) -> list[Card]:
    """The cards of a session, in its order; letters are shuffled, always the same way."""
    found = list(_said(name))
    letters = list(LETTERS[: len(found)])
    # S311: this hides an order from learners, not from attackers.
    random.Random(name).shuffle(letters)  # noqa: S311
    return [Card(letter, by, lines) for letter, (by, lines) in zip(letters, found, strict=True)]


def _said(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for step in play(name).steps:
        event = step.event
        if isinstance(event, Handshake):
            yield "both", ()
        elif isinstance(event, Reply):
            yield "server", tuple(printable(line) for line in _spoken(event))
        elif isinstance(event, Command):
            yield "client", tuple(printable(line) for line in _spoken(event))
            if event.verb == LAST.get(name):
                return
        elif isinstance(event, Message):
            yield "client", ("…", ".")


def _spoken(event: Command | Reply) -> tuple[str, ...]:
    """A command or a reply, as its lines on the wire."""
    if isinstance(event, Command):
        return (f"{event.verb} {event.argument}".strip(),)
    last = len(event.lines) - 1
    return tuple(f"{event.code}{' ' if n == last else '-'}{x}" for n, x in enumerate(event.lines))


def cards(language: str) -> str:
    """All sets, shuffled; each card bears the number of its set."""
    pages = []
    for number, name in enumerate(SETS, 1):
        shuffled = sorted(deck(name), key=lambda card: card.letter)
        for first in range(0, len(shuffled), ON_A_PAGE):
            part = "".join(
                _card(card, number, language) for card in shuffled[first : first + ON_A_PAGE]
            )
            head = f"<h2>{html.escape(word(f'set-{name}', language))}</h2>"
            how = f"<p>{html.escape(word('cards-how', language))}</p>" if name == SETS[0] else ""
            pages.append(f'{head}{how if not first else ""}<div class="table">{part}</div>')
    return "\n".join(f'<div class="page">{page}</div>' for page in pages)


def key(language: str) -> str:
    """For the teacher: the right letters of both forms, and the order of each set of cards."""
    page = Page(path="key.md", language=language, text="", offline=True)
    orders = "".join(
        f'<h2>{html.escape(word(f"set-{name}", language))}</h2><ol class="key">'
        + "".join(f"<li><b>{card.letter}</b> {_short(card, language)}</li>" for card in deck(name))
        + "</ol>"
        for name in SETS
    )
    return (
        f'<div class="page"><h1>{html.escape(word("key-title", language))}</h1>'
        f"{paper.to_html(quiz.letters(page))}</div>"
        f'<div class="page orders">{orders}</div>'
    )


def _card(card: Card, number: int, language: str) -> str:
    letter = f'<span class="letter">{number} · {card.letter}</span>'
    if not card.lines:
        return f'<div class="card handshake">{word("handshake", language)}{letter}</div>'
    other = "server" if card.by == "client" else "client"
    who = f"{word(card.by, language)} → {word(other, language)}"
    said = html.escape("\n".join(card.lines))
    return f'<div class="card"><span class="who">{who}</span><pre>{said}</pre>{letter}</div>'


def _short(card: Card, language: str) -> str:
    if not card.lines:
        return word("handshake", language)
    return f"<code>{html.escape(card.lines[0])}{' …' if len(card.lines) > 1 else ''}</code>"


def questions(language: str, form: str) -> str:
    """One form of the quiz to tick, on one page; what is right is not in it."""
    asked = "".join(
        f"<li><b>{html.escape(question.ask(language))}</b>{' ★' if question.star else ''}<ul>"
        + "".join(
            f"<li><b>{letter}</b> {html.escape(option.of(language))}</li>"
            for letter, option in question.choices()
        )
        + "</ul></li>"
        for question in quiz.form(form)
    )
    head = html.escape(word("quiz-title", language))
    fields = "".join(
        f"<span>{html.escape(word(name, language))}</span>"
        for name in ("quiz-name", f"quiz-{form}", "quiz-star")
    )
    return (
        f'<div class="page quiz"><h1>{head}</h1><p class="fields">{fields}</p>'
        f"<ol>{asked}</ol></div>"
    )


SHEETS: dict[str, Callable[[str], str]] = {
    "wall": wall,
    "log": log,
    "handout": handout,
    "cards": cards,
    "quiz-A": partial(questions, form="A"),
    "quiz-B": partial(questions, form="B"),
    "key": key,
    "solutions": solutions.sheet,
}
"""Every sheet by the name of its file."""


def _assets() -> None:
    folder = BUILD / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sheet.css").write_bytes((SOURCES / "sheet.css").read_bytes())
    for asset in assets.files():
        if asset.path.startswith("assets/font"):
            target = folder / asset.path.removeprefix("assets/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(asset.data)
