"""Put the client's lines in order; a client then says them in just that order to a real server.

`lines` are what the client says, `TLS` for the handshake and `MESSAGE` for the message with its
dot. There may be more than one right order: whatever gets the mail through by the rules is right.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from simulator import explainer
from simulator.exercises.answers import NoAnswer, letters
from simulator.exercises.blocks import Block, Items, Outcome, Steps
from simulator.exercises.endings import endings
from simulator.exercises.puzzle import PATIENCE, Puzzle
from simulator.explainer import Explanation, Step
from simulator.lab import witness
from simulator.lab.engine import certificates
from simulator.lab.play import run as run_lab
from simulator.session import Command, Handshake, Reply

REVEALS = False

_LETTERS = "ABCDEFGHIJKLMNOP"


def ask(puzzle: Puzzle) -> list[Block]:
    """The lines in the order in which this learner's cards were dealt."""
    return [
        puzzle.paragraph(puzzle.variant.about),
        Items(tuple((letter, _shown(puzzle, line)) for letter, line in _cards(puzzle).items())),
    ]


def _cards(puzzle: Puzzle) -> dict[str, str]:
    lines = [_filled(puzzle, line) for line in puzzle.exercise.lines]
    in_order = list(lines)
    chance = puzzle.random("cards")
    while lines == in_order:
        chance.shuffle(lines)
    return dict(zip(_LETTERS, lines, strict=False))


def _filled(puzzle: Puzzle, line: str) -> str:
    client = puzzle.scenario.client
    secret = base64.b64encode(f"\0{client.user}\0{client.password}".encode()).decode()
    return line.format_map({**puzzle.values(), "secret": secret})


def _shown(puzzle: Puzzle, line: str) -> str:
    if line in ("TLS", "MESSAGE"):
        return puzzle.says(f"line-{line}")
    return f"`{line}`"


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Say the lines in that order to the server, and tell how far it got."""
    cards = _cards(puzzle)
    given = letters(answer, "".join(cards))
    missing = [letter for letter in cards if letter not in given]
    if missing:
        raise NoAnswer("letters-missing", letters=" ".join(missing))
    found = _said(puzzle, [cards[letter] for letter in given])
    right = (
        {"inside", "nothing clear"} <= endings(found)
        and _said_goodbye(found)
        and not any(_broken(step) for step in found.steps)
    )
    blocks: list[Block] = []
    if right:
        blocks.append(puzzle.told("order-right"))
        blocks.append(Steps(found, tuple(range(len(found.steps))), notes=False))
    else:
        blocks += _stopped(puzzle, found)
    return Outcome(right=right, blocks=tuple(blocks), played=found)


def _broken(step: Step) -> bool:
    """Does the client break a rule here? What the server does is not the learner's doing."""
    return step.event.by == "client" and any(not note.met for note in step.notes)


def _said_goodbye(found: Explanation) -> bool:
    said = found.verdict.client_to_server_commands
    return bool(said) and said[-1] == "QUIT"


def _stopped(puzzle: Puzzle, found: Explanation) -> list[Block]:
    """Where it went wrong for the first time, and what the server and the rules say to that."""
    for step in found.steps:
        event = step.event
        if isinstance(event, Handshake) and event.error:
            return [puzzle.told("order-no-tls"), _around(found, step)]
        if isinstance(event, Reply) and event.code >= 400:
            heard = None if step.heard_as is None else found.session.events[step.heard_as]
            verb = heard.verb if isinstance(heard, Command) else ""
            why = "order-no-data" if verb == "FROM:" else "order-refused"
            return [
                puzzle.told(why, verb=verb or "?", code=event.code),
                _around(found, step),
            ]
    for step in found.steps:
        if _broken(step):
            return [puzzle.told("order-rule"), _around(found, step)]
    last = len(found.steps)
    return [
        puzzle.told("order-unfinished"),
        Steps(found, tuple(range(max(0, last - 5), last)), notes=True),
    ]


def _around(found: Explanation, step: Step) -> Steps:
    shown = range(max(0, step.index - 3), min(len(found.steps), step.index + 2))
    return Steps(found, tuple(shown), frozenset({step.index}), notes=True)


def _said(puzzle: Puzzle, lines: list[str]) -> Explanation:
    async def talk(address: tuple[str, int]) -> None:
        await _Script(puzzle, lines).say(address)

    sessions = run_lab(witness.witnessed(puzzle.scenario, talk))
    return explainer.explain(sessions[0])


class _Script:
    """A client that says what it is told, in the order in which it is told, until it is refused."""

    def __init__(self, puzzle: Puzzle, lines: list[str]) -> None:
        self._puzzle = puzzle
        self._lines = lines

    async def say(self, address: tuple[str, int]) -> None:
        """Say it all."""
        reader, writer = await asyncio.open_connection(*address)
        try:
            async with asyncio.timeout(2 * PATIENCE):
                await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        scenario = self._puzzle.scenario
        await _reply(reader)
        for line in self._lines:
            if line == "TLS":
                context = certificates.client_context(
                    "1.3", scenario.client.name, verify=True, certificate=False
                )
                await writer.start_tls(context, server_hostname=scenario.server.name)
                continue
            if line == "MESSAGE":
                mail = scenario.mail
                line = f"From: <{mail.sender}>\r\nSubject: {mail.subject}\r\n\r\n{mail.body}."
                line = line.replace("\r\n", "\n").replace("\n", "\r\n")
            writer.write(f"{line}\r\n".encode())
            await writer.drain()
            if await _reply(reader) >= 400:
                writer.write(b"QUIT\r\n")
                await writer.drain()
                await _reply(reader)
                return


async def _reply(reader: asyncio.StreamReader) -> int:
    """Read one reply to its last line; its code."""
    while True:
        line = await reader.readuntil(b"\n")
        if line[3:4] != b"-":
            return int(line[:3])
