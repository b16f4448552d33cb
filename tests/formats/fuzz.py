"""Fuzz the readers for as long as one likes: no crash, no input that takes long.

    python -m tests.formats.fuzz [--seconds 60] [--seed 1]

Lines of the examples are cut, joined and dirtied, read by readers they are not meant for, and
explained. An input that fails is printed, so that it can become a test.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from simulator import formats
from simulator.explainer import explain
from simulator.formats.clean import text

HERE = Path(__file__).parent
DIRT = (
    "250 ", "220 ", "354 go", "STARTTLS", "EHLO x", "DATA", ".", "\0", "\x1b[31m", '"', "'", "\\",
    "\ufffd", " " * 50, "-", "<", ">", "{", "\u2028", "TLS error ",
)  # fmt: skip
LIMIT = 1.0
"""Seconds of processor time that one input may take."""


def lines() -> list[str]:
    """Lines of all examples."""
    paths = [*(HERE / "transcripts").glob("*.txt"), *(HERE / "real").iterdir()]
    return [
        line
        for path in sorted(paths)
        for line in path.read_text("utf-8", "replace").split("\n")[:200]
        if line.strip()
    ]


def dirtied(rng: random.Random, line: str, all_lines: list[str]) -> str:
    """The line, or something made of it."""
    chance = rng.random()
    if chance < 0.5:
        return line
    place = rng.randrange(len(line) + 1)
    if chance < 0.65:
        return line[:place] + rng.choice(DIRT) + line[place:]
    if chance < 0.8:
        return line[:place]
    if chance < 0.9:
        return line + rng.choice(all_lines)
    return "".join(chr(rng.randrange(32, 0x300)) for _ in range(rng.randrange(40)))


def main() -> int:
    """Fuzz, and say how many inputs there were; 1 if one failed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=60)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    rng = random.Random(given.seed)
    known, kinds = lines(), formats.known()
    end = time.monotonic() + given.seconds
    inputs = failed = 0
    while time.monotonic() < end:
        start, many = rng.randrange(len(known)), rng.randrange(1, 25)
        window = known[start : start + many] if rng.random() < 0.6 else rng.choices(known, k=many)
        log = "\n".join(dirtied(rng, line, known) for line in window)
        for kind in (None, *rng.sample(kinds, 3)):
            inputs += 1
            began = time.process_time()
            try:
                read = formats.read(log) if kind is None else kind.read(text(log).lines)
                for session in read:
                    explain(session)
            except Exception as error:
                failed += 1
                print(f"{type(error).__name__}: {error} ({kind and kind.name}): {log!r}")
            if time.process_time() - began > LIMIT:
                failed += 1
                print(f"slow ({kind and kind.name}): {log!r}")
    print(f"{inputs} inputs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
