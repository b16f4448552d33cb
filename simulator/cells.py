"""What became of the mail when one client met one server, in one word: a cell of the matrix."""

from __future__ import annotations

from typing import Literal

import msgspec

from simulator.explainer import Explanation
from simulator.language import N_, Text
from simulator.session import Command, Disconnect, Reply

Category = Literal["inside", "clear", "fooled", "refused", "given up", "broken off"]

LABELS: dict[Category, str] = {
    "inside": N_("inside TLS"),
    "clear": N_("in the clear"),
    "fooled": N_("fooled"),
    "refused": N_("refused {code}"),
    "given up": N_("gives up"),
    "broken off": N_("broken off"),
}

MEANINGS: dict[Category, str] = {
    "inside": N_("The mail got through, inside TLS."),
    "clear": N_("The mail got through, but anyone on the path could read it."),
    "fooled": N_("Someone on the path got what they wanted."),
    "refused": N_("The server refused, with this reply code."),
    "given up": N_("The client left, because it could not have what it requires."),
    "broken off": N_("The session broke off."),
}

_FOOLED_BY: dict[str, frozenset[str]] = {
    "inject-command": frozenset({"server-drops-cleartext"}),
    "inject-reply": frozenset({"client-drops-cleartext"}),
}
"""Broken rules that show that an injection had its effect, by what the middlebox does."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """How one combination of policies ended. `code` is the reply code of a refusal, else 0."""

    client: str
    server: str
    middlebox: str
    category: Category
    code: int = 0

    @property
    def label(self) -> Text:
        """The cell's words."""
        return Text(LABELS[self.category], {"code": self.code})


def ending(
    explanation: Explanation, does: str = "nothing", *, wants_tls: bool = True
) -> tuple[Category, int]:
    """How a session ended, and the reply code if the server refused.

    `does` is what a middlebox does, as a scenario has it; `wants_tls`: the client uses TLS where it
    is offered.
    """
    verdict = explanation.verdict
    if _fooled(explanation, does, wants_tls):
        return "fooled", 0
    if verdict.delivered:
        return ("clear" if verdict.in_clear else "inside"), 0
    code = _refusal(explanation)
    ends = [e for e in explanation.session.events if isinstance(e, Disconnect)]
    if code:
        return "refused", code
    if ends and ends[-1].reason == "given up":
        return "given up", 0
    return "broken off", 0


def _fooled(explanation: Explanation, does: str, wants_tls: bool) -> bool:
    """Did someone on the path get what they wanted?"""
    verdict = explanation.verdict
    broken = {note.rule for note in explanation.findings}
    match does:
        case "strip" | "mask":
            # Who never uses TLS lost nothing by it.
            return wants_tls and "list-intact" in broken and verdict.in_clear
        case "add-keywords":
            return "AUTH" in verdict.client_to_server_commands and not _offers_auth(explanation)
    return bool(broken & _FOOLED_BY.get(does, frozenset()))


def _offers_auth(explanation: Explanation) -> bool:
    """Did the server itself ever list AUTH?"""
    return any(
        isinstance(event, Reply)
        and event.by == "server"
        and any(line.upper().startswith("AUTH") for line in event.lines[1:])
        for event in explanation.session.events
    )


def _refusal(explanation: Explanation) -> int:
    """The code by which the server refused mail or login; STARTTLS refused is no refusal yet."""
    for step in reversed(explanation.steps):
        event = step.event
        if isinstance(event, Reply) and event.code >= 400 and step.heard_as is not None:
            heard = explanation.session.events[step.heard_as]
            if isinstance(heard, Command) and heard.verb != "STARTTLS":
                return event.code
    return 0
