"""The words that all text views share: who speaks, over which ground, what each side now knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from simulator.causes import DEGREES, Cause, Told, causes, missing
from simulator.explainer import Explanation
from simulator.knowledge import Fact
from simulator.language import N_, Text, say
from simulator.session import Side
from simulator.views import document, outline
from simulator.views.inert import printable
from simulator.views.outline import Row

LOCK = {False: "🔓", True: "🔒"}
GROUND = {False: outline.CLEAR, True: outline.INSIDE}
ARROW = {(False, "server"): "──▶", (False, "client"): "◀──", (True, "server"): "══▶",
         (True, "client"): "◀══"}  # fmt: skip
"""One line is cleartext, two are TLS; the head points to whom it goes."""

LEVEL = {
    "must": N_("breaks a MUST"),
    "should": N_("breaks a SHOULD"),
    "risk": N_("risky"),
}

HOLDS = {
    "server": N_("the server knows of the client"),
    "client": N_("the client knows of the server"),
}

NOTHING = N_("nothing")


def facts(found: tuple[Fact, ...], language: str) -> str:
    """Facts in a row, in protocol tokens; TLS facts named in words."""
    shown = [printable(document.label(fact, language)) for fact in found]
    return " · ".join(shown) or say(NOTHING, language)


def speaker(row: Row, language: str) -> str:
    """Who does it, as a word."""
    names = {
        "client": outline.CLIENT,
        "server": outline.SERVER,
        "middlebox": outline.MIDDLEBOX,
        "message": outline.MESSAGE,
    }
    return say(names[row.step.event.by], language)


def arrow(row: Row) -> str:
    """The arrow of a row: over which ground it goes, and to whom."""
    to = row.target
    if to == "middlebox":
        to = "client" if row.origin == "server" else "server"
    return ARROW[row.secure, to]


def changes(row: Row, side: Side, language: str) -> Iterator[tuple[str, str]]:
    """What changes in one side's ledger: a mark (`+` learned, `−` forgotten) and the facts."""
    gone, new = row.forgotten_by(side), row.learned_by(side)
    if gone:
        yield "−", facts(gone, language)
    if new:
        yield "+", facts(new, language)


class Reason(NamedTuple):
    """A cause, and what shows it in a session."""

    cause: Cause
    told: Told

    @property
    def mark(self) -> str:
        """Whether there is something to repair."""
        return "○" if self.cause.harmless else "✗"

    def points(self, language: str) -> Iterator[tuple[str, str]]:
        """What is said of it: headings and texts, in the order in which they are read."""
        evidence = say(DEGREES[self.told.degree], language)
        if where := shown_by(self.told):
            evidence += f" · {say(where, language)}"
        yield say(CAUSE, language), say(self.cause.cause, language)
        yield say(EVIDENCE, language), evidence
        yield say(RULED_OUT, language), say(self.cause.ruled_out, language)
        yield say(REMEDY, language), say(self.cause.remedy, language)


def causes_of(explanation: Explanation) -> tuple[Reason, ...]:
    """The causes behind a session's faults, in the order in which they are told."""
    known = causes()
    return tuple(Reason(known[told.id], told) for told in explanation.verdict.causes)


def shown_by(told: Told) -> Text | None:
    """Where a cause shows: lines of the log, or steps of a session that was read from no lines."""
    if told.lines:
        text = N_("log lines {numbers}") if len(told.lines) > 1 else N_("log line {numbers}")
        return Text(text, {"numbers": ", ".join(map(str, told.lines))})
    if told.events:
        numbers = ", ".join(str(event + 1) for event in told.events)
        return Text(N_("steps {numbers}"), {"numbers": numbers})
    return None


class Gap(NamedTuple):
    """What a log does not show, and how to make that software show more of it."""

    missing: Text
    log_more: str


def gap(explanation: Explanation) -> Gap | None:
    """What the record would have to show for a full verdict; None if nothing is missing."""
    session, verdict = explanation.session, explanation.verdict
    if session.source == "lab":
        return None
    found = missing(session, verdict.tls, verdict.second_ehlo)
    if found is None:
        return None
    # Not at the top: only logs have formats, and their readers take a while to load.
    from simulator import formats

    return Gap(found, formats.log_more(session.source))


NOT_SHOWN = N_("Not shown")
LOG_MORE = N_("To see more")
CAUSE = N_("Cause")
EVIDENCE = N_("Evidence")
RULED_OUT = N_("Ruled out if")
REMEDY = N_("What to do")
SEE = N_("See it happen: {command}")
ON_SITE = N_("On the site: {page}")

SITE = "EHLO_TWICE_SITE"
"""The variable with the address at which the site stands, as `http://127.0.0.1:8000/`."""


def page(cause: Cause, language: str) -> str:
    """Where the site tells of a cause: its whole address if it is known where the site stands."""
    place = f"causes/#{cause.id}"
    site = os.environ.get(SITE, "")
    if not site.startswith(("http://", "https://")):
        return place
    return f"{site.rstrip('/')}/{'pt-BR' if language == 'pt_BR' else 'en'}/{place}"


QUESTION = N_("Question")
WATCH = N_("Watch")
CONCLUSION = N_("Conclusion")


def title(explanation: Explanation, given: str) -> str:
    """The title to show: the one given, else what names the session."""
    session = explanation.session
    return printable(given or session.name)
