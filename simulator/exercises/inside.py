"""Running what a learner wrote where there is no other process: in a web page.

The program, its calls and what is told of them are those of `run`. Its sockets, TLS and clock are
those of the lab in memory; limits on time and output are kept here as far as Python can keep them.
What does not end even so is ended with the worker that the page runs this in.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import io
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from simulator.exercises import harness
from simulator.lab.memory.blocking import TimeUp, World
from simulator.lab.memory.network import Loop

OUTSIDE = ("js", "pyodide", "pyodide_js", "_pyodide")
"""Modules that reach the page around."""


class OutOfProcessorTime(BaseException):
    """The program went on for too long without waiting for anything."""


class TooMuchOutput(BaseException):
    """The program wrote too much."""


class _Output(io.StringIO):
    """What the program writes, up to a limit."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def write(self, text: str) -> int:
        self._left -= len(text)
        if self._left < 0:
            raise TooMuchOutput
        return super().write(text)


def run(
    program: str,
    function: str,
    calls: Sequence[Sequence[Any]],
    *,
    port: int,
    reads: Sequence[Path],
    refused: Sequence[str],
    limits: Mapping[str, float],
) -> tuple[dict[str, Any], str]:
    """Run it: what `harness.called` tells, and what the program wrote.

    `limits` are `seconds` by the clock of the loop in memory, `cpu` seconds without waiting, and
    `output` characters.
    """
    world = World(_loop(), port, limits["seconds"])
    output = _Output(int(limits["output"]))
    space = {"__name__": "client", "__builtins__": _builtins(world, reads, refused)}
    traced = sys.gettrace()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            sys.settrace(_watched(world, limits["cpu"]))
            try:
                told = harness.called(program, function, list(calls), space)
            finally:
                sys.settrace(traced)
    finally:
        world.close()
    return told, output.getvalue()


def _loop() -> Loop | None:
    """The lab's loop that this runs on, if it does."""
    try:
        found = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return found if isinstance(found, Loop) else None


def _watched(world: World, cpu: float) -> Any:
    """Ends the program where it runs for too long; what its peers and TLS take does not count."""
    until = time.monotonic() + cpu

    def line(frame: FrameType, event: str, _argument: Any) -> Any:
        if time.monotonic() - world.uncounted > until:
            raise OutOfProcessorTime
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != harness.NAME:
            return None
        # A loop within one line is no new line.
        frame.f_trace_opcodes = True
        return line

    return call


def _builtins(world: World, reads: Sequence[Path], refused: Sequence[str]) -> dict[str, Any]:
    """What a program finds without importing anything, and how it imports."""
    ours = world.modules()
    known = {os.path.realpath(path) for path in reads}

    def imported(name: str, *rest: Any, **named: Any) -> Any:
        if name in refused:
            raise harness.AlreadyAClient(name)
        if name.partition(".")[0] in OUTSIDE:
            raise PermissionError(f"{name} is not allowed here")
        return ours.get(name) or builtins.__import__(name, *rest, **named)

    def opened(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        reading = not any(sign in mode for sign in "wax+")
        if not (reading and not isinstance(file, int) and os.path.realpath(file) in known):
            raise PermissionError(f"opening {str(file)[:100]!r} is not allowed here")
        return open(file, mode, *rest, **named)  # noqa: PTH123 - as the program asks

    return {**vars(builtins), "__import__": imported, "open": opened}


PROBLEMS: dict[str, Literal["time", "cpu", "output"]] = {
    TimeUp.__name__: "time",
    OutOfProcessorTime.__name__: "cpu",
    TooMuchOutput.__name__: "output",
}
"""Why a program was stopped, by what stopped it."""
