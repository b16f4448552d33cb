"""The sandbox: whatever a program does, it ends, and we can say how."""

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
    ran = run.run(hostile(what, "f"), "f", [[]], seconds=1.5)
    assert ran.problem == BODY[what][1], ran
    assert time.monotonic() - began < 6
    assert len(ran.output) <= run.SHOWN


def test_nothing_is_left_running(tmp_path: Path) -> None:
    # Behind the guard's back: the module that starts processes, called directly.
    program = "import os\ndef f():\n    os.fork()\n    while True: pass\n"
    assert run.run(program, "f", [[]], seconds=1).problem


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
        ("\0", "SyntaxError", 0),
        ("\ud800", "SyntaxError", 1),
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
