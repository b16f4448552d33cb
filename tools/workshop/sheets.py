"""What is printed for the class: the handout of two pages, cards to lay in order, the quiz.

Handout and cards are made from sessions that were played just now; all as HTML, printed to PDF.
"""

from __future__ import annotations

import html
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.session import Command, Handshake, Message, Reply
from simulator.views.inert import printable
from tools.site import assets, shows
from tools.site.page import LANGUAGES, ROOT, Page, complete
from tools.site.plays import play
from tools.workshop import drawings, paper, quiz
from tools.workshop.words import word

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


def build(*, pdf: bool = True) -> list[Path]:
    """Write all sheets in both languages below build/workshop/print; returns the files.

    Raises `NoBrowser` where a PDF is asked for in vain.
    """
    _assets()
    made = []
    for language in LANGUAGES:
        for name, make in (("handout", handout), ("cards", cards), ("quiz", questions)):
            target = BUILD / f"{name}.{language}.html"
            title = html.escape(word(f"{name}-title", language))
            text = PAGE.format(language=language, title=title, body=make(language))
            target.write_text(text, encoding="utf-8")
            if pdf:
                paper.to_pdf(target, target.with_suffix(".pdf"))
                target = target.with_suffix(".pdf")
            made.append(target)
    return made


def handout(language: str) -> str:
    """Page one for the wall, page two for the pocket."""
    page = Page(path="handout.md", language=language, text="", offline=True)
    source = (SOURCES / f"{language}.md").read_text(encoding="utf-8")
    told = _filled(page, source)
    text = paper.to_html(told)
    drawing = f"documented.{language}.svg"
    (BUILD / "assets" / drawing).write_bytes(drawings.draw("documented", language))
    return (
        f'<div class="page wall"><img src="assets/{drawing}" alt=""></div>\n'
        f'<div class="page">{text}</div>'
    )


def _filled(page: Page, text: str) -> str:
    """The Markdown with what the program shows in it."""
    filled = Page(path=page.path, language=page.language, text=text, offline=True)
    return complete(filled, {"ledgers": shows.ledgers})


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
            last = len(event.lines) - 1
            lines = event.lines
            said = (f"{event.code}{' ' if n == last else '-'}{x}" for n, x in enumerate(lines))
            yield "server", tuple(printable(line) for line in said)
        elif isinstance(event, Command):
            yield "client", (printable(f"{event.verb} {event.argument}".strip()),)
            if event.verb == LAST.get(name):
                return
        elif isinstance(event, Message):
            yield "client", ("…", ".")


def cards(language: str) -> str:
    """All sets, shuffled, then the order of each on a page of its own."""
    pages = []
    for name in SETS:
        shuffled = sorted(deck(name), key=lambda card: card.letter)
        for first in range(0, len(shuffled), ON_A_PAGE):
            part = "".join(_card(card, language) for card in shuffled[first : first + ON_A_PAGE])
            head = f"<h2>{html.escape(word(f'set-{name}', language))}</h2>"
            how = f"<p>{html.escape(word('cards-how', language))}</p>" if name == SETS[0] else ""
            pages.append(f'{head}{how if not first else ""}<div class="table">{part}</div>')
    orders = "".join(
        f'<h2>{html.escape(word(f"set-{name}", language))}</h2><ol class="key">'
        + "".join(f"<li><b>{card.letter}</b> {_short(card, language)}</li>" for card in deck(name))
        + "</ol>"
        for name in SETS
    )
    pages.append(f"<h1>{html.escape(word('key', language))}</h1>{orders}")
    return "\n".join(f'<div class="page">{page}</div>' for page in pages)


def _card(card: Card, language: str) -> str:
    letter = f'<span class="letter">{card.letter}</span>'
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


def questions(language: str) -> str:
    """The quiz to tick, on one page; what is right is not in it."""
    asked = "".join(
        f"<li><b>{html.escape(question.ask(language))}</b><ul>"
        + "".join(
            f"<li><b>{letter}</b> {html.escape(option.of(language))}</li>"
            for letter, option in question.choices()
        )
        + "</ul></li>"
        for question in quiz.of_use("quiz")
    )
    head = html.escape(word("quiz-title", language))
    fields = "".join(
        f"<span>{html.escape(word(f'quiz-{name}', language))}</span>"
        for name in ("name", "before", "after")
    )
    return (
        f'<div class="page quiz"><h1>{head}</h1><p class="fields">{fields}</p>'
        f"<ol>{asked}</ol></div>"
    )


def _assets() -> None:
    folder = BUILD / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sheet.css").write_bytes((SOURCES / "sheet.css").read_bytes())
    for asset in assets.files():
        if asset.path.startswith("assets/font"):
            target = folder / asset.path.removeprefix("assets/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(asset.data)
