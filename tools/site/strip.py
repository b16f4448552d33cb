"""The answer at a glance: the documented session up to the second list, on its two grounds."""

from __future__ import annotations

import html

from simulator.explainer import Step
from simulator.session import Command, Handshake, Reply
from simulator.views.document import wire_text
from simulator.views.inert import printable
from tools.site.page import Page
from tools.site.plays import play
from tools.words import word


def show(page: Page) -> str:
    """The strip as HTML: what was said in the clear, the handshake, what was said inside TLS."""
    clear: list[str] = []
    inside: list[str] = []
    band = ""
    for step in play("documented").steps:
        if isinstance(step.event, Handshake):
            band = _band(step, page)
        elif isinstance(step.event, Command | Reply) and step.index > 1:
            (inside if step.event.secure else clear).extend(_lines(step, page))
            if step.event.secure and isinstance(step.event, Reply):
                break
    label = word("strip.label", page.language)
    return (
        f'<figure class="strip" role="group" aria-label="{label}">\n'
        f'<ol class="in-clear">{"".join(clear)}</ol>\n<p class="band">{band}</p>\n'
        f'<ol class="in-tls">{"".join(inside)}</ol>\n</figure>'
    )


def _lines(step: Step, page: Page) -> list[str]:
    who, arrow = ("client", "→") if isinstance(step.event, Command) else ("server", "←")
    name = word(f"strip.{who}", page.language)
    hello = ' class="hello"' if getattr(step.event, "verb", "") == "EHLO" else ""
    return [
        f'<li{hello}><span class="who"><span aria-hidden="true">{arrow}</span>'
        f'<span class="sr-only">{name}: </span></span>'
        f'<span class="what">{html.escape(printable(line))}</span></li>'
        for line in wire_text(step)
    ]


def _band(step: Step, page: Page) -> str:
    gone = dict.fromkeys(fact.label for fact in step.knowledge.discarded_at(step.index))
    names = " ".join(f"<s>{html.escape(printable(label))}</s>" for label in gone)
    return f"{word('strip.handshake', page.language)} {names}"
