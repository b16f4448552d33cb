"""Programs where there is no other process, as in a page: what comes of them is what comes of them
on loopback."""

import re
from pathlib import Path

import pytest

from simulator.exercises import check, run, start
from simulator.lab.engine import playing_on
from tests.exercises.clients import BODY, CLIENT, READER, hostile

pytest.importorskip("tlslite")

LEARNER = '{"format": "ehlo-twice/progress", "version": 1, "learner": "l1"}'


def told(progress: Path, name: str, answer: str) -> str:
    """What the exercise says to that answer, but for the hour and OpenSSL's own line numbers."""
    progress.write_text(LEARNER, "utf-8")
    said = str(check(name, answer, language="en"))
    return re.sub(r"\s+", " ", re.sub(r"\d\d:\d\d:\d\d|\(_ssl\.c:\d+\)", "", said))


def both(progress: Path, name: str, answer: str) -> tuple[str, str]:
    with playing_on("memory"):
        inside = told(progress, name, answer)
    return told(progress, name, answer), inside


def replaced(old: str, new: str) -> str:
    assert old in CLIENT
    return CLIENT.replace(old, new)


CLIENTS = {
    "right": CLIENT,
    "trusts nobody": replaced("cafile=authority", ""),
    "looks at no certificate": replaced(
        "ssl.create_default_context(cafile=authority)", "ssl._create_unverified_context()"
    ),
    "asks all the same": replaced('if "STARTTLS" not in offered:', "if False:"),
    "no function": "x = 1",
    "no Python": "def send(:",
    "writes, and fails": "def send(*given):\n    print(len(given))\n    raise ValueError('no')\n",
    "waits for nobody": (
        "import socket\n"
        "def send(host, port, *given):\n"
        "    with socket.create_connection((host, port), 1) as connection:\n"
        "        while connection.recv(100):\n"
        "            pass\n"
    ),
    "reads text, closes early": (
        "import socket, ssl\n"
        "def send(host, port, name, authority, me, *given):\n"
        "    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
        "    s.settimeout(3)\n"
        "    s.connect((host, port))\n"
        "    file = s.makefile('rw', newline='\\r\\n')\n"
        "    print(file.readline()[:4])\n"
        "    file.write(f'EHLO {me}\\r\\n')\n"
        "    file.flush()\n"
        "    print(file.readline()[:4])\n"
        "    s.close()\n"
    ),
}


@pytest.mark.parametrize("which", CLIENTS)
def test_a_client_meets_the_same_servers_and_the_same_end(progress: Path, which: str) -> None:
    loopback, inside = both(progress, "18", CLIENTS[which])
    assert inside == loopback
    assert ("✓ 18" in inside) == (which in ("right", "asks all the same"))


def test_what_the_exercise_begins_with(progress: Path) -> None:
    loopback, inside = both(progress, "18", start("18"))
    assert inside == loopback
    assert "MAIL FROM" in inside


@pytest.mark.parametrize("program", [READER, start("13")])
def test_a_function_is_called_with_the_same_replies(progress: Path, program: str) -> None:
    loopback, inside = both(progress, "13", program)
    assert inside == loopback


ENDED = (
    "an endless loop", "an endless sleep", "an early exit", "too much output",
    "a client that is there already", "another host", "another port", "a file of ours",
    "a new file", "an error that cannot be told",
)  # fmt: skip


@pytest.mark.parametrize("what", ENDED)
def test_what_can_be_ended_without_a_process_is(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The others come to another end first, on a busy machine too.
    monkeypatch.setattr(run, "CPU_SECONDS", 1 if what == "an endless loop" else 60)
    with playing_on("memory"):
        ran = run.run(hostile(what, "f"), "f", [[]])
    assert ran.problem == ("cpu" if what == "an endless loop" else BODY[what][1]), ran


def test_what_reaches_the_page_around_is_refused() -> None:
    with playing_on("memory"):
        ran = run.run("def f():\n    import js\n", "f", [[]])
    assert (ran.error, ran.line) == ("PermissionError", 2)
