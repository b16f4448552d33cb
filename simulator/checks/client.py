"""Checking a client: it meets one server after the other, and each writes down what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from simulator.checks.cases import ClientCase, Result, Status, client_cases, lacking
from simulator.errors import Error
from simulator.exercises.endings import endings
from simulator.explainer import explain
from simulator.lab import certificates
from simulator.lab.play import Lab
from simulator.lab.policy import Scenario, stage
from simulator.lab.witness import Watched
from simulator.language import N_, Text
from simulator.masking import masked
from simulator.session import Session

Stranger = Callable[[ClientCase, tuple[str, int]], Awaitable[None]]
"""A client: told the case and the address, it connects, and returns when it is done."""


class NotRun(Error, OSError):
    """The client's command cannot be run: the message says why."""


def scenario_of(case: ClientCase) -> Scenario:
    """The server of a case, and who is on the path to it."""
    return stage(case.id, case.title, case.server, case.middlebox)


async def check(
    stranger: Stranger,
    cases: Sequence[ClientCase] = (),
    done: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Let a client meet each server, one after the other; `done` is told each result.

    Raises `LabError`, and what `stranger` raises.
    """
    results: dict[str, Result] = {}
    for case in cases or client_cases():
        result = needing(case, results)
        if result is None:
            async with Watched(scenario_of(case)).open() as lab:
                await stranger(case, lab.address)
                result = await met(case, lab)
        results[case.id] = result
        done(result)
    return list(results.values())


@contextlib.asynccontextmanager
async def ports(
    cases: Sequence[ClientCase], first: int
) -> AsyncIterator[list[tuple[ClientCase, Lab]]]:
    """A port for each case, one above the other from `first` (0: any that are free)."""
    async with contextlib.AsyncExitStack() as open_ports:
        labs = []
        for number, case in enumerate(cases):
            lab = Watched(scenario_of(case), first and first + number)
            labs.append((case, await open_ports.enter_async_context(lab.open())))
        yield labs


async def judged(labs: Sequence[tuple[ClientCase, Lab]]) -> list[Result]:
    """What came of the cases up to now."""
    results: dict[str, Result] = {}
    for case, lab in labs:
        results[case.id] = needing(case, results) or await met(case, lab)
    return list(results.values())


def needing(case: ClientCase, results: dict[str, Result]) -> Result | None:
    """That the case was not tried, if one that it needs has not passed."""
    status = {name: result.status for name, result in results.items()}
    if need := lacking(case, status):
        text = N_("not tried: it needs {case}")
        return Result(case=case, status="skipped", why=Text(text, {"case": need}))
    return None


async def met(case: ClientCase, lab: Lab) -> Result:
    """What the servers of a case have seen."""
    assert isinstance(lab, Watched)
    await lab.settled()
    sessions = lab.sessions()
    if not sessions:
        return Result(case=case, status="unclear", why=Text(N_("no client connected")))
    status, why = _judged(case, sessions)
    # A report goes far: what a login carried stays here.
    shown = tuple(map(masked, sessions))
    return Result(case=case, status=status, why=why, sessions=shown)


def _judged(case: ClientCase, sessions: Sequence[Session]) -> tuple[Status, Text]:
    """A client may connect more than once: a fault in any of the sessions counts, and so does what
    it got done in any."""
    held: set[str] = set()
    findings = []
    silent = True
    for session in sessions:
        explanation = explain(session)
        words = endings(explanation, case.middlebox.does)
        silent = silent and "silent" in words
        held |= words
        for note in explanation.notes:
            held.add(f"{'met' if note.met else 'broken'} {note.rule}")
            findings.append(note)
    if not silent:
        held.discard("silent")
    for word in case.fails:
        if word in held and not _made_good(case, word, held):
            told = next((n.text for n in findings if f"broken {n.rule}" == word), None)
            return "failed", told or Text(_ENDED[word])
    for word in case.passes:
        if word in held:
            told = next((n.text for n in findings if f"met {n.rule}" == word), None)
            return "passed", told or Text(_ENDED[word])
    return "unclear", Text(N_("the session does not show it: the client did not get that far"))


def _made_good(case: ClientCase, word: str, held: set[str]) -> bool:
    """Was a first try, which brought nothing, followed by one that did; or is leaving all right?"""
    return word == "not delivered" and bool({"inside", "no tls", *case.passes} & held)


_ENDED = {
    "inside": N_("The message was delivered inside TLS."),
    "clear": N_("The message was delivered in the clear."),
    "refused": N_("The server refused what the client told it."),
    "fooled": N_("Someone on the path got what they wanted."),
    "not delivered": N_("The message was not delivered."),
    "nothing clear": N_("Nothing was told in the clear."),
    "no tls": N_("The client gave TLS up."),
    "silent": N_("The client gave TLS up."),
}


class Program:
    """A client that is a program: words of its command line, with placeholders.

    `{host}` and `{port}` are where it is to connect, `{ca}` a file with the certificate to trust,
    which is also in its environment as SSL_CERT_FILE. It has `patience` seconds.
    """

    def __init__(self, words: Sequence[str], patience: float) -> None:
        self.words = words
        self.patience = patience

    async def __call__(self, _case: ClientCase, address: tuple[str, int]) -> None:
        """Run it once. Raises `NotRun`."""
        with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
            authority = Path(folder) / "authority.pem"
            authority.write_bytes(certificates.authority_pem())
            filled = {"host": "localhost", "port": str(address[1]), "ca": str(authority)}
            words = [_filled(word, filled) for word in self.words]
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    env=os.environ | {"SSL_CERT_FILE": str(authority)},
                )
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise NotRun(f"{words[0]}: {why}") from None
            try:
                async with asyncio.timeout(self.patience):
                    await process.wait()
            except TimeoutError:
                pass
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


def _filled(word: str, values: dict[str, str]) -> str:
    """The word with its placeholders filled; other braces stay."""
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word
