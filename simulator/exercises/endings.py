"""How a session ended, in the words in which a trial says what it wants.

The words of the matrix (`inside`, `clear`, `fooled`, `refused`, `given up`, `broken off`), and a
few that look at one thing only: `nothing clear` (no message and no password crossed in the clear),
`not delivered`, `no tls`, `silent` (no command inside TLS), `obeys` (no rule of the level MUST or
SHOULD broken).
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.cells import ending
from simulator.explainer import Explanation
from simulator.session import AuthResponse, Command, Message


def meets(wants: tuple[str, ...], held: frozenset[str]) -> bool:
    """Did it end as it should: in one of the ways that are wanted, and by the rules if so asked?"""
    ways = set(wants) - {"obeys"}
    return bool(ways & held) and ("obeys" not in wants or "obeys" in held)


def fitting(fits: Mapping[str, str], explanation: Explanation, held: frozenset[str]) -> str:
    """Where this session would have worked: the first of `fits` whose word holds, which
    may also be `broken` and a rule; empty where none does."""
    words = held | {f"broken {note.rule}" for note in explanation.findings}
    return next((text for word, text in fits.items() if word in words), "")


def endings(explanation: Explanation, does: str = "nothing") -> frozenset[str]:
    """All words that hold of this session; `does` is what a middlebox does."""
    found = {ending(explanation, does)[0]}
    holds: set[str] = {*found}
    verdict = explanation.verdict
    if not verdict.delivered:
        holds.add("not delivered")
    if verdict.tls not in ("established", "implicit"):
        holds.add("no tls")
    if not any(isinstance(event, Command) and event.secure for event in explanation.session.events):
        holds.add("silent")
    if not any(_tells(event) for event in explanation.session.events):
        holds.add("nothing clear")
    if not any(note.level in ("must", "should") for note in explanation.findings):
        holds.add("obeys")
    return frozenset(holds)


def _tells(event: object) -> bool:
    """Does this tell someone on the path a message, an envelope or a password?"""
    match event:
        case Message(secure=False) | AuthResponse(secure=False):
            return True
        case Command(by="client", secure=False, verb=("MAIL" | "RCPT" | "AUTH")):
            return True
    return False
