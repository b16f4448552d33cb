"""Write a client: it meets real servers, one after the other, each stricter or stranger than the
one before, and the servers write down what it does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from simulator import explainer
from simulator.exercises import answers, run
from simulator.exercises.blocks import Block, Code, Outcome, Trials
from simulator.exercises.endings import endings, fitting, meets
from simulator.exercises.exercise import Trial
from simulator.exercises.kinds.repair import telling
from simulator.exercises.puzzle import Puzzle
from simulator.explainer import Explanation
from simulator.lab import Scenario, witness
from simulator.lab.engine import certificates
from simulator.lab.play import run as run_lab
from simulator.session import Message, Session

REVEALS = False


def ask(puzzle: Puzzle) -> list[Block]:
    """What the learner begins with."""
    return [Code(puzzle.exercise.start.strip())]


def check(puzzle: Puzzle, answer: Any) -> Outcome:
    """Let the program meet every server."""
    program = answers.text(answer, ".py")
    rows: list[tuple[str, bool]] = []
    found: Explanation | None = None
    good = False
    for trial in puzzle.exercise.trial:
        scenario = puzzle.tried(puzzle.scenario, trial)
        ran, sessions = _met(puzzle, program, scenario, trial)
        explained = [explainer.explain(session) for session in sessions]
        # A program may connect more than once: every connection counts.
        held = [endings(each, scenario.middlebox.does) for each in explained]
        good = bool(held) and all(meets(trial.wants, each) for each in held)
        good = good and ran.problem in ("", "error")
        altered = good and any(_altered(puzzle, session) for session in sessions)
        rows.append((puzzle.say(trial.about), good and not altered))
        found = explained[-1] if explained else None
        if altered:
            return Outcome(
                right=False,
                blocks=(Trials(tuple(rows)), puzzle.told("client-altered"), Code(_text(puzzle))),
                played=found,
            )
        if not good:
            failed = puzzle.paragraph(trial.failed)
            blocks: list[Block | Trials] = [Trials(tuple(rows)), failed]
            if found is not None:
                blocks.append(telling(found))
                elsewhere = fitting(trial.fits, found, held[-1])
                blocks += [puzzle.paragraph(elsewhere)] if elsewhere else []
            blocks += accident(puzzle, ran)
            return Outcome(right=False, blocks=tuple(blocks), played=found)
    done: tuple[Block | Trials, ...] = (Trials(tuple(rows)), puzzle.told("client-right"))
    return Outcome(right=True, blocks=done, played=found)


def _met(
    puzzle: Puzzle, program: str, scenario: Scenario, trial: Trial
) -> tuple[run.Ran, list[Session]]:
    """The program meets one server."""
    ended: list[run.Ran] = []
    mail = scenario.mail

    async def talk(address: tuple[str, int]) -> None:
        with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
            authority = Path(folder) / "authority.pem"
            authority.write_bytes(certificates.authority_pem())
            given = [
                address[0], address[1], scenario.server.name, str(authority),
                scenario.client.name, mail.sender, mail.recipients[0], _text(puzzle),
            ]  # fmt: skip
            ended.append(
                await run.meanwhile(
                    program,
                    puzzle.exercise.function,
                    [given],
                    port=address[1],
                    reads=[authority],
                )
            )

    sessions = run_lab(witness.witnessed(scenario, talk, dribbles=trial.dribbles))
    return (ended[0] if ended else run.Ran(problem="exit")), sessions


def _text(puzzle: Puzzle) -> str:
    """The message, with a line that begins with a dot (RFC 5321 §4.5.2)."""
    mail = puzzle.scenario.mail
    head = f"From: <{mail.sender}>\r\nSubject: {mail.subject}\r\n\r\n"
    return f"{head}{mail.body.strip()}\r\n.This line begins with a dot.\r\n"


def _altered(puzzle: Puzzle, session: Session) -> bool:
    """Did the server get another message than it should have?"""
    messages = [event for event in session.events if isinstance(event, Message)]
    wanted = _text(puzzle).encode().rstrip()
    return any(m.raw.removesuffix(b".\r\n").rstrip() != wanted for m in messages)


def accident(puzzle: Puzzle, ran: run.Ran) -> list[Block]:
    """What stopped the program, and what it had written."""
    blocks: list[Block] = []
    if ran.problem:
        nowhere = ran.problem == "error" and not ran.line
        limit = run.CPU_SECONDS if ran.problem == "cpu" else run.SECONDS
        blocks.append(
            puzzle.told(
                "ran-error-nowhere" if nowhere else f"ran-{ran.problem}",
                error=ran.error,
                text=ran.text,
                line=ran.line,
                seconds=int(limit),
                kilobytes=run.OUTPUT // 1024,
            )
        )
    if ran.output.strip():
        blocks.append(puzzle.told("ran-wrote"))
        blocks.append(Code(ran.output.rstrip()))
    return blocks
