"""The documented session to be read from top to bottom: each line opens into what it changes, its
bytes, and the rule it keeps. Plain HTML, so that it needs no script."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from simulator import smtp
from simulator.explainer import Step
from simulator.language import say
from simulator.session import Command, Handshake, Message, Reply, Side, Trace
from simulator.views import bytes as octets
from simulator.views.document import wire_text
from simulator.views.inert import printable
from tools.site import ledgers
from tools.site.page import Page, cite
from tools.site.plays import play
from tools.words import word

LONGEST = 16
"""Octets that are shown of a part; of a longer one, its beginning and how long it is."""

DEPTH = 2
"""How far a record is taken apart: the page of all bytes goes on from there."""

SIDES: tuple[Side, Side] = ("client", "server")

TOLD = {
    "greeting": ("rfc5321-4_3_1-wait-for-greeting",),
    "EHLO": ("rfc5321-4_1_1_1-start-with-ehlo",),
    "EHLO reply": ("rfc5321-4_2_1-multiline-reply",),
    "STARTTLS": ("rfc3207-2-no-parameters",),
    "STARTTLS reply": ("rfc3207-4-tls-before-other-commands",),
    "handshake": (
        "rfc3207-4_2-reset",
        "rfc3207-4_2-server-discards",
        "rfc3207-4_2-client-discards",
    ),
    "EHLO inside": ("rfc3207-4_2-client-ehlo",),
    "EHLO reply inside": ("rfc3207-4_2-list-may-differ",),
    "MAIL reply inside": ("rfc5321-4_2-one-reply-each",),
    "message reply inside": ("rfc5321-4_1_1_4-data-clears",),
}
"""What the standards say of a line, beside what the program's rules find in it."""


def show(page: Page) -> str:
    """Every step of the session over TLS 1.3, as blocks to open."""
    explanation = play("documented", "1.3")
    pieces = octets.as_data(explanation, page.said)
    parts = ['<div class="lines" markdown="0">']
    asked = ""
    for step in explanation.steps:
        if isinstance(step.event, Trace):
            continue
        match step.event:
            case Handshake():
                name = "handshake"
            case Command(verb=verb):
                name = asked = verb
            case Message():
                name = asked = "message"
            case Reply():
                name = f"{asked} reply" if asked else "greeting"
            case _:
                name = ""
        inside = step.event.secure and not isinstance(step.event, Handshake)
        own = [piece for piece in pieces if step.index in piece.get("events", ())]
        parts += _block(step, own, TOLD.get(f"{name} inside" if inside else name, ()), page)
    return "\n".join([*parts, "</div>"])


def secrets(page: Page) -> str:
    """The secrets of that session, in the form in which Wireshark and other programs read them."""
    lines = "\n".join(play("documented", "1.3").session.secrets)
    return f"```text\n{lines}\n```"


def _block(
    step: Step, pieces: list[dict[str, Any]], told: tuple[str, ...], page: Page
) -> Iterator[str]:
    turn = isinstance(step.event, Handshake)
    where = "turn" if turn else "inside" if step.event.secure else "clear"
    # The name first: after an arrow it would be the one that is spoken to.
    arrow = "⇄" if turn else "→" if step.event.by == "client" else "←"
    by = "" if turn else f"{word(f'bytes.{step.event.by}', page.language)} "
    said = "\n".join(printable(line) for line in wire_text(step))
    lines = f"<code>{html.escape(said) or ' '}</code>" if said else ""
    gist = html.escape(say(step.meaning, page.said))
    head = f'<span class="by">{by}{arrow}</span>{lines}<span class="gist">{gist}</span>'
    more = [*_changes(step, page), *_bytes(pieces, page), *_rules(step, told, page)]
    kind = f'class="line {where}" id="line-{step.index + 1}"'
    if more:
        yield from (f"<details {kind}>", f"<summary>{head}</summary>", *more, "</details>")
    else:
        yield f"<div {kind}>{head}</div>"


def _changes(step: Step, page: Page) -> Iterator[str]:
    """What each side forgets, and what it learns."""
    for what, facts in (
        ("forgets", step.knowledge.discarded_at(step.index)),
        ("learns", step.knowledge.learned_at(step.index)),
    ):
        for side in SIDES:
            own = [ledgers.chip(fact, page.said) for fact in facts if fact.holder == side]
            if own:
                label = word(f"read.{side}-{what}", page.language)
                yield f"<p>{label} {' '.join(own)}</p>"


def _bytes(pieces: list[dict[str, Any]], page: Page) -> Iterator[str]:
    """Each write to the wire, taken apart; of a handshake, what an observer can read."""
    shaking = any(piece["name"] == "handshake" for piece in pieces)
    for piece in pieces:
        data = bytes.fromhex(piece["hex"])
        way = word(f"read.to-{piece['to']}", page.language, count=len(data))
        name = f" <b>{html.escape(piece['value'])}</b>" if piece["name"] == "handshake" else ""
        yield f'<p class="way">{way}{name}</p>'
        parts = [part for part in piece["parts"] if part["depth"] <= DEPTH]
        if shaking and piece["name"] != "handshake":
            parts = [piece | {"depth": 0}]
        yield '<dl class="octets">'
        for place, part in enumerate(parts):
            if place + 1 < len(parts) and parts[place + 1]["depth"] > part["depth"]:
                continue
            shown = data[part["start"] - piece["start"] : part["end"] - piece["start"]]
            told = part.get("meaning") or part.get("value") or part["name"]
            yield f"<dt>{_hex(shown, page)}</dt><dd>{html.escape(told)}</dd>"
        yield "</dl>"


def _hex(data: bytes, page: Page) -> str:
    shown = data[:LONGEST].hex(" ")
    if len(data) > LONGEST:
        shown += f" … <small>{word('read.octets', page.language, count=len(data))}</small>"
    text = data.decode("ascii", "replace")
    readable = data.isascii() and text.strip() and text.isprintable()
    plain = f"<q>{html.escape(text)}</q> " if readable else ""
    return f"{plain}<code>{shown}</code>"


def _rules(step: Step, told: tuple[str, ...], page: Page) -> Iterator[str]:
    """What the program's rules find, then the words of the standard."""
    cited = [key for key in told if key not in {note.citation for note in step.notes}]
    for note in step.notes:
        text = html.escape(say(note.text, page.said))
        yield f'<p class="rule">{text} {cite(note.citation)}</p>'
        cited.append(note.citation)
    for key in cited:
        found = smtp.citations()[key]
        yield f'<blockquote lang="en"><q>{html.escape(found.quote)}</q> {cite(key)}</blockquote>'
