"""What did somebody learn who copied every byte? The bytes of a real wire are the answer.

`asks`: which `things` can be found there; or the `password` itself.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from simulator.api import play
from simulator.exercises.answers import letters, word
from simulator.exercises.blocks import Block, Code, Items, Outcome, Steps
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation
from simulator.session import Command, Session, Side

REVEALS = False

_LETTERS = "ABCDEFGHIJ"

SIDES: tuple[Side, ...] = ("server", "client")


class _Thing(NamedTuple):
    """Something to be learned: what it is called, and the octets that would give it away."""

    name: str
    shown: str
    octets: bytes


def ask(puzzle: Puzzle) -> list[Block]:
    """The situation, and the things; or the log of what the eavesdropper could read."""
    blocks: list[Block] = [puzzle.paragraph(puzzle.variant.about)]
    if puzzle.exercise.asks == "password":
        found = play(puzzle.scenario)
        blocks.append(Steps(found, tuple(range(len(found.steps)))))
        return blocks
    things = _cards(puzzle).items()
    blocks.append(
        Items(
            tuple(
                (letter, f"{puzzle.says(f'thing-{thing.name}')}: `{thing.shown}`")
                for letter, thing in things
            )
        )
    )
    return blocks


def _cards(puzzle: Puzzle) -> dict[str, _Thing]:
    scenario = puzzle.scenario
    client, server, mail = scenario.client, scenario.server, scenario.mail
    secret = base64.b64encode(f"\0{client.user}\0{client.password}".encode())
    recipient = mail.recipients[0]
    things = [
        _Thing("client", client.name, client.name.encode()),
        _Thing("certificate", f"CN={server.name}", b"\x0c" + _pascal(server.name)),
        _Thing("sender", mail.sender, mail.sender.encode()),
        _Thing("recipient", recipient, recipient.encode()),
        _Thing("subject", mail.subject, mail.subject.encode()),
        _Thing("keyword", server.keywords[1], server.keywords[1].encode()),
    ]
    if client.login:
        things.append(_Thing("password", client.password, secret))
    puzzle.random("things").shuffle(things)
    return dict(zip(_LETTERS, things, strict=False))


def _pascal(name: str) -> bytes:
    """A name as DER writes it in a certificate: its length, then its letters."""
    return bytes([len(name)]) + name.encode()


def _place(session: Session, octets: bytes) -> tuple[Side, int] | None:
    """Where on the wire these octets stand."""
    for side in SIDES:
        place = session.stream(side).find(octets)
        if place >= 0:
            return side, place
    return None


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Search the wire."""
    if puzzle.exercise.asks == "password":
        return _password(puzzle, answer)
    found = play(puzzle.scenario)
    session = found.session
    cards = _cards(puzzle)
    given = set(letters(answer, "".join(cards)))
    there = {letter for letter, thing in cards.items() if _place(session, thing.octets)}
    right = given == there
    blocks: list[Block] = []
    for letter in sorted(given):
        thing = cards[letter]
        place = _place(session, thing.octets)
        what = puzzle.says(f"thing-{thing.name}")
        if place is None:
            blocks.append(puzzle.told("not-on-wire", letter=letter, what=what, thing=thing.shown))
            continue
        side, at = place
        blocks.append(
            puzzle.told("on-wire", letter=letter, what=what, thing=thing.shown, offset=at)
        )
        blocks.append(Code(_dump(session.stream(side), at, len(thing.octets))))
    missing = len(there - given)
    if missing:
        blocks.append(puzzle.told("more-on-wire", count=missing))
    if right:
        blocks.append(puzzle.paragraph(puzzle.variant.because))
    return Outcome(right=right, blocks=tuple(blocks), played=found if right else None)


def _password(puzzle: Puzzle, answer: Any) -> Outcome:
    given = word(answer)
    found = play(puzzle.scenario)
    secret = _login(found)
    user, password = secret.split("\0")[1:] if secret.count("\0") == 2 else ("", "")
    right = given == password
    blocks: list[Block] = []
    if right:
        blocks.append(puzzle.told("password-right", user=user))
        blocks.append(puzzle.paragraph(puzzle.variant.because))
    else:
        tried = base64.b64encode(f"\0{user}\0{given}".encode("utf-8", "replace")).decode()
        blocks.append(puzzle.told("password-wrong", tried=tried, given=given[:80]))
    marked = {
        step.index
        for step in found.steps
        if isinstance(step.event, Command) and step.event.verb == "AUTH"
    }
    blocks.append(Steps(found, tuple(sorted(marked)), frozenset(marked), notes=right))
    return Outcome(right=right, blocks=tuple(blocks), played=found if right else None)


def _login(found: Explanation) -> str:
    """What AUTH PLAIN carries, decoded from the octets that crossed."""
    for event in found.session.events:
        if isinstance(event, Command) and event.verb == "AUTH":
            return base64.b64decode(event.argument.split(" ")[-1]).decode("utf-8", "replace")
    return ""


def _dump(octets: bytes, at: int, length: int) -> str:
    """The place on the wire in hexadecimal and in letters, as `xxd` shows it."""
    rows = []
    first = at - at % 16
    for start in range(first, min(at + length, first + 64), 16):
        row = octets[start : start + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        rows.append(f"{start:08x}  {row.hex(' '):<47}  {text}")
    return "\n".join(rows)
