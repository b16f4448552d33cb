"""What `ehlo-twice --version` costs over a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.ratio import Result, by_turns, median

ROUNDS = 15
TARGET = 0.100

HEAVY = ("matplotlib", "aiosmtpd", "trustme", "asyncio")
"""What must be loaded only when it is used."""

LOADED = f"""
import runpy, sys
sys.argv = ["ehlo-twice", "--version"]
try:
    runpy.run_module("simulator", run_name="__main__")
except SystemExit:
    pass
print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)


def measure() -> Iterator[Result]:
    rounds = by_turns(
        lambda: _python("-c", "pass"), lambda: _python("-m", "simulator", "--version"), ROUNDS
    )
    cost = median([ours - bare for bare, ours in rounds])
    bare = median([bare for bare, _ in rounds])
    yield Result(
        f"--version costs {cost * 1000:.0f} ms over python -c pass ({bare * 1000:.0f} ms)",
        f"{TARGET * 1000:.0f} ms",
        cost <= TARGET,
    )
    loaded = _python("-c", LOADED).stderr.split()
    yield Result(
        f"--version loads {', '.join(loaded) or 'nothing heavy'}",
        f"none of {', '.join(HEAVY)}",
        not loaded,
    )
