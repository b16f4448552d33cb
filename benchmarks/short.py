"""How long `explain` takes for a short log, which is mostly its start, beside another checkout.

    python -m benchmarks.short FOLDER [--times 7] [LOG...]

FOLDER is the other checkout (`git worktree add FOLDER COMMIT`); without any LOG, the seven largest
of `tests/formats/transcripts` are taken. The two take turns, both with their modules compiled and
without the sharing of a warm process; what counts is processor time, the median of all times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.logs import processor, target

HERE = Path(__file__).resolve().parents[1]
EXAMPLES = HERE / "tests" / "formats" / "transcripts"


def largest(folder: Path, count: int) -> list[Path]:
    """The largest logs of a folder."""
    return sorted(folder.glob("*.txt"), key=lambda path: -path.stat().st_size)[:count]


def seconds(checkout: Path, log: Path) -> float:
    """Processor time of one `explain` by that checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = processor()
    subprocess.run(
        [sys.executable, "-m", "simulator", "explain", str(log)],
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return processor() - before


def main() -> int:
    """Measure, and say whether this checkout is no slower."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("other", type=Path, help="a checkout to compare with")
    ask.add_argument("logs", type=Path, nargs="*", metavar="LOG")
    ask.add_argument("--times", type=int, default=7)
    given = ask.parse_args()
    logs = [path.resolve() for path in given.logs] or largest(EXAMPLES, 7)
    checkouts = (given.other.resolve(), HERE)
    for checkout in checkouts:
        seconds(checkout, logs[0])  # compiles its modules
    totals = [0.0, 0.0]
    for log in logs:
        turns = [[seconds(checkout, log) for checkout in checkouts] for _ in range(given.times)]
        theirs, ours = (statistics.median(column) for column in zip(*turns, strict=True))
        totals = [totals[0] + theirs, totals[1] + ours]
        print(f"{log.name:48} other {theirs:.2f} s, this {ours:.2f} s", flush=True)
    return 0 if target("the other beside this one", totals[0] / totals[1], 1) else 1


if __name__ == "__main__":
    sys.exit(main())
