"""The sandbox: whatever a program does, it ends, and we can say how."""

import os
import sys
import time
from pathlib import Path

import pytest

from simulator.exercises import run
from tests.exercises.clients import BODY, hostile


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CPU_SECONDS", 1)


@pytest.mark.parametrize("what", BODY)
def test_every_program_ends(what: str) -> None:
    began = time.monotonic()
    # Where time is what ends it, it need not be long; elsewhere it must do on a busy machine.
    seconds = 1.5 if BODY[what][1] == "time" else 30
    ran = run.run(hostile(what, "f"), "f", [[]], seconds=seconds)
    assert ran.problem == BODY[what][1], ran
    assert time.monotonic() - began < 45
    assert len(ran.output) <= run.SHOWN


BEHIND_THE_GUARDS_BACK = """
import subprocess, sys
sys.audit = lambda *_: None
def f():
    print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
    while True: pass
"""


@pytest.mark.needs("sleep")
def test_nothing_is_left_running() -> None:
    ran = run.run(BEHIND_THE_GUARDS_BACK, "f", [[]], seconds=5)
    if ran.problem == "error":
        # Whoever is not the superuser cannot even begin another process.
        assert "Error" in ran.error
        return
    started = int(ran.output)
    for _ in range(1000):
        try:
            os.kill(started, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{started}/stat").read_text("utf-8").split()[2] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {started} is still there")


@pytest.mark.parametrize("lie", ["{", "[]", '{"answers": 3}', '{"answers": [], "line": "x"}'])
def test_a_result_that_was_tampered_with(lie: str) -> None:
    program = (
        "import gc, io, os\n"
        "def f():\n"
        "    for file in gc.get_objects():\n"
        "        if isinstance(file, io.TextIOWrapper) and str(file.name).endswith('result'):\n"
        f"            file.write({lie!r}); file.flush(); os._exit(0)\n"
    )
    assert run.run(program, "f", [[]]).problem == "exit"


@pytest.mark.parametrize(
    "module",
    ["asyncio", "base64", "email.message", "http.client", "logging", "pathlib", "re", "selectors"],
)
def test_every_library_is_there_but_one_that_is_a_client(module: str) -> None:
    program = f"import {module}\ndef f(): return {module}.__name__\n"
    assert run.run(program, "f", [[]]).answers == (repr(module),)
    ran = run.run("def f():\n    import smtplib\n", "f", [[]])
    assert (ran.problem, ran.text, ran.line) == ("library", "smtplib", 2)


def test_answers_come_back() -> None:
    program = "def f(a, b):\n    print('seen')\n    return a + b\n"
    ran = run.run(program, "f", [[1, 2], ["x", "y"], [b"\xff", b"\0"]])
    assert ran.answers == ("3", "'xy'", repr(b"\xff\0"))
    assert ran.problem == ""
    assert ran.output == "seen\n" * 3


@pytest.mark.parametrize(
    ("program", "error", "line"),
    [
        ("def f(:\n", "SyntaxError", 1),
        ("x = 1\n", "NameError", 0),
        ("f = 3\n", "NameError", 0),
        ("def f():\n    return 1 / 0\n", "ZeroDivisionError", 2),
        ("\0", "SyntaxError" if sys.version_info >= (3, 11, 4) else "ValueError", 0),
        ("\ud800", "SyntaxError", 1),
        ("import no_such_module\n", "ModuleNotFoundError", 1),
    ],
)
def test_what_python_said(program: str, error: str, line: int) -> None:
    ran = run.run(program, "f", [[]])
    assert (ran.problem, ran.error) == ("error", error)
    assert ran.line == line


def test_what_a_program_may_not_see() -> None:
    program = "import os\ndef f(): return dict(os.environ), os.getcwd()\n"
    [answer] = run.run(program, "f", [[]]).answers
    assert "HOME" not in answer
    assert "EHLO_TWICE" not in answer
    assert not Path(answer.split("'")[-2]).exists()
