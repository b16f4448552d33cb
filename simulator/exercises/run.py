"""Running what a learner wrote: in a process of its own, with limits on time, memory and output.

Where the lab plays in memory, as in a web page, there is no other process: see `inside`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.lab import engine

SECONDS = 8.0
"""Time that a program has, by the clock on the wall."""

CPU_SECONDS = 5
MEMORY = 768 * 1024 * 1024
OUTPUT = 256 * 1024
"""Octets that a program may write, to its output or anywhere."""

SHOWN = 1_500
"""Characters of its output that are shown."""


Problem = Literal["", "error", "time", "cpu", "output", "exit", "memory", "library"]

REFUSED = ("smtplib", "aiosmtplib")
"""What already is a client: with it there would be nothing left to write."""


class _Told(msgspec.Struct, frozen=True):
    """What the harness wrote down; a program might have written into it."""

    answers: tuple[str, ...]
    error: str = ""
    text: str = ""
    line: int = 0


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended. `answers` are what its calls returned, as Python writes it. `problem`:
    why it did not come to its end; then `error`, `text` and `line` (0: none of its own) say what
    Python said."""

    answers: tuple[str, ...] = ()
    problem: Problem = ""
    error: str = ""
    text: str = ""
    line: int = 0
    output: str = ""


def run(
    program: str,
    function: str,
    calls: Sequence[Sequence[Any]],
    *,
    port: int = 0,
    reads: Sequence[Path] = (),
    seconds: float = SECONDS,
) -> Ran:
    """Run `program` and call its `function` once for each of `calls` (texts, numbers, octets).

    It may connect to `port` on 127.0.0.1 only. It never raises over what the program does.
    """
    if engine.chosen() == "memory":
        return _inside(program, function, calls, port, reads, seconds)
    with tempfile.TemporaryDirectory(prefix="ehlo-twice-", ignore_cleanup_errors=True) as folder:
        job, result, output = (Path(folder) / name for name in ("job", "result", "output"))
        text = json.dumps(
            {
                "program": _encodable(program),
                "function": function,
                "calls": [[_sent(argument) for argument in call] for call in calls],
                "port": port,
                "reads": [str(path) for path in reads],
                "refuses": REFUSED,
                "result": str(result),
                "cpu": CPU_SECONDS,
                "memory": MEMORY,
                "writes": OUTPUT,
            }
        )
        job.write_text(text, "utf-8")
        with output.open("wb") as sink:
            started = subprocess.Popen(  # noqa: S603 - our own harness
                [sys.executable, "-I", "-X", "utf8", _harness(), str(job)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(),
                start_new_session=True,
            )
            problem = _watched(started, output, time.monotonic() + seconds)
        return _ran(problem, started.returncode, result, output)


async def meanwhile(
    program: str, function: str, calls: Sequence[Sequence[Any]], *, port: int, reads: Sequence[Path]
) -> Ran:
    """`run`, while the loop and so the program's peers go on."""
    if engine.chosen() == "memory":
        return run(program, function, calls, port=port, reads=reads)
    return await asyncio.to_thread(run, program, function, calls, port=port, reads=reads)


def _inside(
    program: str,
    function: str,
    calls: Sequence[Sequence[Any]],
    port: int,
    reads: Sequence[Path],
    seconds: float,
) -> Ran:
    from simulator.exercises import inside

    told, output = inside.run(
        _encodable(program),
        function,
        [[_sent(argument) for argument in call] for call in calls],
        port=port,
        reads=reads,
        refused=REFUSED,
        limits={"seconds": seconds, "cpu": CPU_SECONDS, "output": OUTPUT},
    )
    found = _said(msgspec.convert(told, _Told), output[:SHOWN])
    stopped: Problem | None = inside.PROBLEMS.get(found.error)
    return Ran(problem=stopped, output=found.output) if stopped else found


def _encodable(program: str) -> str:
    return program.encode("utf-8", "replace").decode()


def _harness() -> str:
    return str(files("simulator.exercises") / "harness.py")


def _environment() -> dict[str, str]:
    kept = ("SYSTEMROOT", "PATH") if sys.platform == "win32" else ()
    return {name: os.environ[name] for name in kept if name in os.environ}


def _watched(
    process: subprocess.Popen[bytes], output: Path, until: float
) -> Literal["", "time", "output"]:
    """Wait for its end, and bring it about where the program does not."""
    problem: Literal["", "time", "output"] = ""
    pause = 0.005
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                problem = "time"
                break
            if output.stat().st_size >= OUTPUT:
                problem = "output"
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
    finally:
        _end(process)
    return problem


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, with all that it started."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()


def _ran(problem: str, code: int, result: Path, output: Path) -> Ran:
    with output.open("rb") as file:
        shown = file.read(4 * SHOWN).decode("utf-8", "replace")[:SHOWN]
    if output.stat().st_size >= OUTPUT:
        return Ran(problem="output", output=shown)
    if problem == "time":
        return Ran(problem="time", output=shown)
    if sys.platform != "win32" and code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Ran(problem="cpu", output=shown)
    try:
        told = msgspec.json.decode(result.read_bytes(), type=_Told)
    except (OSError, msgspec.DecodeError, RecursionError):
        return Ran(problem="exit", text=str(code), output=shown)
    return _said(told, shown)


def _said(told: _Told, shown: str) -> Ran:
    """What the harness wrote down, and what of the program's output is shown."""
    problems: dict[str, Problem] = {
        "": "",
        "MemoryError": "memory",
        "SystemExit": "exit",
        "AlreadyAClient": "library",
    }
    return Ran(
        answers=told.answers,
        problem=problems.get(told.error, "error"),
        error=told.error,
        text=told.text,
        line=told.line,
        output=shown,
    )


def _sent(argument: Any) -> Any:
    return {"hex": argument.hex()} if isinstance(argument, bytes) else argument
