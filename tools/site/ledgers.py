"""What each side of a session knows, as pages and sheets show it."""

from __future__ import annotations

import html
import re

from simulator.explainer import Step
from simulator.knowledge import Fact
from simulator.session import Handshake
from simulator.views import document
from simulator.views.inert import printable
from tools.site.page import Page, table
from tools.site.plays import play
from tools.words import word

_SEAM = re.compile(r"(?<=\w[_.-])(?=\w{2})")
"""Where a long name may go on in the next line."""


def show(page: Page) -> str:
    """What each side of the documented session knows before, at and after the handshake."""
    steps = play("documented").steps
    [handshake] = [step for step in steps if isinstance(step.event, Handshake)]
    before, again = steps[handshake.index - 1], steps[handshake.index + 2]
    heads = [word(f"ledgers.{head}", page.language) for head in ("side", "before", "kept", "again")]
    return table(
        heads,
        (
            [word(f"ledgers.{side}", page.language)]
            + [_facts(step, side, page.said) for step in (before, handshake, again)]
            for side in ("server", "client")
        ),
    )


def _facts(step: Step, side: str, language: str) -> str:
    known = step.knowledge.of(side)  # type: ignore[arg-type]
    return " ".join(chip(fact, language) for fact in known) or "–"


def chip(fact: Fact, language: str) -> str:
    """A fact as pages and sheets show it: dashed where learned in the clear."""
    kind = "secure" if fact.secure else "clear"
    label = _SEAM.sub("<wbr>", html.escape(printable(document.label(fact, language))))
    return f'<span class="fact {kind}">{label}</span>'
