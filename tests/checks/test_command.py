"""`ehlo-twice check`, as a person types it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.lab import certificates
from simulator.lab.play import Lab
from simulator.lab.policy import ServerPolicy
from tests.checks.peers import scenario
from tests.command import Command

SMTPLIB = """
import smtplib, ssl, sys
host, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with smtplib.SMTP(host, port, timeout=25) as client:
    client.starttls(context=ssl.create_default_context(cafile=ca))
    client.sendmail("a@example.com", ["b@example.com"], "Subject: x\\r\\n\\r\\nx\\r\\n")
"""


@contextmanager
def serving(policy: ServerPolicy) -> Iterator[int]:
    """A server of the lab in a thread of its own; gives its port."""
    ready: list[int] = []
    up = threading.Event()
    ending: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        ending.append(lambda: loop.call_soon_threadsafe(over.set))
        async with Lab(scenario(policy)).open() as lab:
            ready.append(lab.address[1])
            up.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(20)
        yield ready[0]
    finally:
        ending[0]()
        thread.join()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    path.write_bytes(certificates.authority_pem())
    return path


def test_server(command: Command, authority: Path, tmp_path: Path) -> None:
    trusted = ("--name", "eq-c601.example.com", "--ca", str(authority))
    out = tmp_path / "out"
    with serving(ServerPolicy(again="offer")) as port:
        ran = command("check", "server", f"127.0.0.1:{port}", *trusted, "--out", str(out))
    assert ran.code == 1, ran
    assert "✗ starttls-gone" in ran.out
    assert "RFC 3207 §4.2 MUST NOT" in ran.out
    assert "certificate for" in ran.out
    assert {"check.json", "junit.xml", "starttls-gone.html"} <= {f.name for f in out.iterdir()}
    assert "<smtp-session" in (out / "starttls-gone.html").read_text(encoding="utf-8")


def test_server_with_an_account(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its password is no word of the command."""
    with serving(ServerPolicy(auth="always", keeps_login=True)) as port:
        words = ("check", "server", f"127.0.0.1:{port}", "--only", "forgets-the-login")
        monkeypatch.setenv("EHLO_TWICE_PASSWORD", "correct-horse")
        ran = command(*words, "--user", "ana", "--explain")
        assert ran.code == 1, ran
        assert "✗ forgets-the-login" in ran.out
        assert "correct-horse" not in ran.out + ran.err
        monkeypatch.delenv("EHLO_TWICE_PASSWORD")
        ran = command(*words, "--user", "ana")
    assert ran.code == 2
    assert "--user needs a password: put it into EHLO_TWICE_PASSWORD" in ran.err


def test_server_in_portuguese_as_json(command: Command, authority: Path) -> None:
    trusted = ("--name", "eq-c601.example.com", "--ca", str(authority))
    with serving(ServerPolicy(auth="inside")) as port:
        ran = command(
            *("check", "server", f"localhost:{port}", *trusted),
            *("--view", "json", "--lang", "pt_BR", "--only", "forgets-the-envelope"),
        )
    assert ran.code == 0, ran
    document = json.loads(ran.out)
    assert document["cases"][-1]["title"].startswith("No handshake, um remetente")
    assert document["passed"] is True


def test_nobody_answers(command: Command) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        told = command.fails("check", "server", f"127.0.0.1:{port}")
    assert f"port {port}: no connection ({os.strerror(errno.ECONNREFUSED)})" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["server", "host:"], "is no HOST or HOST:PORT"),
        (["server", "host:99999"], "is no HOST or HOST:PORT"),
        (["server", "h", "--only", "nothing"], "no case 'nothing'"),
        (["server", "h", "--from", "a b"], "--from is one word"),
        (["client", "--", "true"], "has no {port}"),
        (["client", "--", "/no/such/program", "{port}"], "/no/such/program: No such file"),
        (["client", "--without", "ehlo-agian"], "did you mean 'ehlo-again'?"),
    ],
)
def test_what_cannot_be_done(command: Command, arguments: list[str], told: str) -> None:
    assert told in command.fails("check", *arguments)


def test_cases_are_listed(command: Command) -> None:
    assert "ehlo-again\n" in command("check", "client", "--list").out
    assert "RFC 3207 §4.2 SHOULD" in command("check", "client", "--list").out
    assert "starttls-gone\n" in command("check", "server", "--list").out


def test_smtplib_is_checked(command: Command, tmp_path: Path) -> None:
    """What Python's own library does: it forgets, and reads nothing that came in the clear."""
    program = tmp_path / "client.py"
    program.write_text(SMTPLIB, encoding="utf-8")
    ran = command("check", "client", "--", sys.executable, str(program), "{host}", "{port}", "{ca}")
    lines = [line for line in ran.out.splitlines() if line[:1] in "✓✗?·" and line]
    assert {line.split()[1]: line[0] for line in lines} == SMTPLIB_DOES, ran.out


SMTPLIB_DOES = {
    "delivers": "✓",
    "ehlo-again": "✓",
    "forgets-the-list": "✓",
    "survives-another-list": "✓",
    "starttls-once": "✓",
    "drops-injected-replies": "✓",
    "checks-the-name": "✓",
    "stops-at-454": "✓",
    "stays-out-of-the-clear": "✓",
}


def test_a_client_that_never_comes(command: Command) -> None:
    ran = command(
        *("check", "client", "--only", "delivers", "--", sys.executable, "-c", "pass", "{port}")
    )
    assert ran.code == 1
    assert "no client connected" in ran.out


def test_ports_to_point_a_client_at(command: Command) -> None:
    ran = command("check", "client", "--port", "0", "--wait", "0.3", "--only", "ehlo-again")
    assert ran.code == 1
    assert "? delivers" in ran.out
    assert "127.0.0.1:" in ran.err
    assert "BEGIN CERTIFICATE" in ran.err
