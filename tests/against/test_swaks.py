"""Against swaks, which mail administrators know: its own transcript says what it saw."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from simulator.lab import Scenario
from simulator.lab.play import Lab
from tests.lab.peers import DOCUMENTED, scenario

pytestmark = pytest.mark.needs("swaks")

NO_TLS_OFFERED = 29
"""swaks' exit code where it was told to use TLS and could not."""


def swaks_meets(server: Scenario, *options: str) -> tuple[int, list[str]]:
    """swaks' exit code, and its dialogue: `->` and `<-` in the clear, `~>` and `<~` inside TLS."""

    async def both() -> tuple[int, list[str]]:
        async with Lab(server).open() as lab:
            host, port = lab.address
            swaks = await asyncio.create_subprocess_exec(
                *("swaks", "--server", host, "--port", str(port), "--timeout", "5"),
                *("--ehlo", "mx4.example.com", "--from", "a@example.com", "--to", "b@example.com"),
                *options,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await swaks.communicate()
            assert swaks.returncode is not None
            return swaks.returncode, _dialogue(output.decode().splitlines())

    return asyncio.run(both())


def _dialogue(transcript: Sequence[str]) -> list[str]:
    lines = [re.sub(" +", " ", line.strip()) for line in transcript]
    return [line for line in lines if re.match(r"(->|<-|~>|<~|\*\*|<\*\*) ", line)]


def test_swaks_sees_the_documented_session() -> None:
    code, dialogue = swaks_meets(DOCUMENTED, "--tls")
    assert code == 0
    until_mail = dialogue[: dialogue.index("~> MAIL FROM:<a@example.com>") + 2]
    assert until_mail == [
        "<- 220 eq-c601.example.com ESMTP",
        "-> EHLO mx4.example.com",
        "<- 250-eq-c601.example.com",
        "<- 250-8BITMIME",
        "<- 250-SIZE 10485760",
        "<- 250 STARTTLS",
        "-> STARTTLS",
        "<- 220 Go ahead with TLS",
        "~> EHLO mx4.example.com",
        "<~ 250-eq-c601.example.com",
        "<~ 250-8BITMIME",
        "<~ 250 SIZE 10485760",
        "~> MAIL FROM:<a@example.com>",
        "<~ 250 OK",
    ]
    assert dialogue[-2:] == ["~> QUIT", "<~ 221 Bye"]


@pytest.mark.parametrize(
    "server", [scenario(server={"starttls": "hidden"}), scenario(middlebox={"does": "strip"})]
)
def test_swaks_is_offered_no_tls(server: Scenario) -> None:
    code, dialogue = swaks_meets(server, "--tls")
    assert code == NO_TLS_OFFERED
    assert "<- 250 SIZE 10485760" in dialogue


def test_swaks_needs_one_ehlo_with_implicit_tls() -> None:
    code, dialogue = swaks_meets(scenario(server={"implicit_tls": True}), "--tls-on-connect")
    assert code == 0
    assert [line for line in dialogue if "EHLO" in line] == ["~> EHLO mx4.example.com"]
    assert dialogue[0] == "<~ 220 eq-c601.example.com ESMTP"


def test_swaks_logs_in_inside_tls_only() -> None:
    options = ("--auth", "PLAIN", "--auth-user", "ana", "--auth-password", "correct-horse")
    server = scenario(server={"auth": "inside"})
    code, dialogue = swaks_meets(server, "--tls", *options)
    assert code == 0
    assert "<~ 250-AUTH PLAIN" in dialogue or "<~ 250 AUTH PLAIN" in dialogue
    assert "<~ 235 2.7.0 Authentication successful" in dialogue
    code, dialogue = swaks_meets(server, *options)
    assert code != 0
    assert not [line for line in dialogue if "AUTH" in line and line.startswith("<-")]
