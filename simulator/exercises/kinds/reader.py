"""Write the function that reads a reply: is TLS offered?

It is called with replies to EHLO that real servers gave, each as octets; what the lab's own client
reads in them is right. A client that does as the function says is then played.
"""

from __future__ import annotations

from typing import Any

import msgspec

from simulator import smtp
from simulator.api import play
from simulator.exercises import answers, run
from simulator.exercises.blocks import Block, Code, Outcome, Steps, Trials
from simulator.exercises.kinds.client import accident
from simulator.exercises.puzzle import Puzzle
from simulator.session import Reply

REVEALS = False


def ask(puzzle: Puzzle) -> list[Block]:
    """What the learner begins with."""
    return [Code(puzzle.exercise.start.strip())]


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Call the function with every reply."""
    program = answers.text(answer, ".py")
    replies = []
    for variant in puzzle.exercise.variant:
        raw = _reply(puzzle, variant)
        replies.append((variant, raw, _offered(raw)))
    ran = run.run(program, puzzle.exercise.function, [[raw] for _, raw, _ in replies])
    rows: list[tuple[str, bool]] = []
    for (variant, raw, offered), said in zip(replies, ran.answers, strict=False):
        good = said == str(offered)
        rows.append((puzzle.say(variant.about), good))
        if not good:
            scenario = puzzle.dressed(variant)
            if said == "True":
                # A client that believes it: it asks for TLS whatever the list says.
                client = msgspec.structs.replace(scenario.client, tls="required", reads="lenient")
            else:
                client = msgspec.structs.replace(scenario.client, tls="never")
            found = play(msgspec.structs.replace(scenario, client=client))
            blocks: tuple[Block | Trials, ...] = (
                Trials(tuple(rows)),
                puzzle.told("reader-wrong", said=said[:60], right=str(offered)),
                Code(raw.decode("utf-8", "replace").replace("\r\n", "\n").strip()),
                puzzle.paragraph(variant.because),
                Steps(found, tuple(range(2, min(len(found.steps), 8))), notes=True),
            )
            return Outcome(right=False, blocks=blocks, played=found)
    if ran.problem or len(ran.answers) < len(replies):
        return Outcome(right=False, blocks=(Trials(tuple(rows)), *accident(puzzle, ran)))
    return Outcome(right=True, blocks=(Trials(tuple(rows)), puzzle.told("reader-right")))


def _reply(puzzle: Puzzle, variant: Any) -> bytes:
    """The octets that the client gets for its first EHLO."""
    found = play(puzzle.dressed(variant))
    for step in found.steps:
        if isinstance(step.event, Reply) and not step.event.lost and step.index > 2:
            return step.event.raw
    return b""


def _offered(raw: bytes) -> bool:
    lines = [smtp.parse_reply_line(line) for line in raw.decode("latin-1").splitlines()]
    texts = tuple(line.text for line in lines if line)
    return any(k.name == "STARTTLS" for k in smtp.parse_ehlo_reply(texts)[1])
