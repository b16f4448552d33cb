"""How long the documented diagram takes to draw, once matplotlib is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.ratio import Result, median

ROUNDS = 5
TARGET = 1.0

DRAW = """
import time
from simulator import replay
from simulator.views import drawing
explanation = replay("documented")
begun = time.perf_counter()
import matplotlib.figure
import matplotlib.backends.backend_svg
imported = time.perf_counter()
drawing.render(explanation)
print(imported - begun, time.perf_counter() - imported)
"""


def measure() -> Iterator[Result]:
    # In a process of its own each time: what the first drawing costs is what a user waits for.
    figures = [
        subprocess.run(
            [sys.executable, "-c", DRAW], check=True, capture_output=True, text=True
        ).stdout.split()
        for _ in range(ROUNDS)
    ]
    importing = median([float(first) for first, _ in figures])
    drawing = median([float(second) for _, second in figures])
    yield Result(
        f"the documented diagram as SVG in {drawing * 1000:.0f} ms after import"
        f" (import {importing * 1000:.0f} ms)",
        f"{TARGET * 1000:.0f} ms",
        drawing <= TARGET,
    )
