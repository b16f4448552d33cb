"""Fuzz the readers for as long as one likes: no crash, no line lost, no input that takes long.

    python -m tests.formats.fuzz [--inputs 1000000] [--seed 1]

Lines of the examples are cut, joined and dirtied, read by readers they are not meant for, and
explained. An input that fails is printed, so that it can become a test. `guided` does the same with
a guide.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from simulator import formats
from simulator.explainer import explain
from simulator.reading.clean import CannotRead, text
from simulator.session import Remark, Session
from simulator.views import json

HERE = Path(__file__).parent
EXAMPLES = (*sorted((HERE / "transcripts").glob("*.txt")), *sorted((HERE / "real").iterdir()))
DIRT = (
    "250 ", "220 ", "354 go", "STARTTLS", "EHLO x", "DATA", ".", "\0", "\x1b[31m", '"', "'", "\\",
    "\ufffd", " " * 50, "-", "<", ">", "{", "\u2028", "TLS error ",
)  # fmt: skip
LIMIT = 1.0
"""Seconds of processor time that one input may take."""


def lines() -> list[str]:
    """Lines of all examples."""
    return [
        line
        for path in EXAMPLES
        for line in path.read_text("utf-8", "replace").split("\n")[:200]
        if line.strip()
    ]


def said(sessions: Sequence[Session]) -> str:
    """All that the sessions hold, as text."""
    return "\n".join(
        event.text if isinstance(event, Remark) else event.raw.decode("utf-8", "replace")
        for session in sessions
        for event in session.events
    )


def lost(log: str, kind: formats.Format, sessions: Sequence[Session]) -> list[str]:
    """The lines with words of the log of which the sessions hold nothing."""
    numbers = {event.line for session in sessions for event in session.events}
    held = said(sessions)
    return [
        line
        for number, line in text(log).lines
        if number not in numbers
        and kind.name != "dotnet"  # says each line twice
        and "\\" not in line  # an escape stands for another character
        and not line.endswith(">>> ")  # an empty line of a message, as s-nail shows it
        and (words := re.findall(r"[a-z]{4,}", line))
        and words[-1] not in held
        and re.sub(r"^b?['\"]|['\"]$", "", line.split()[-1]) not in held
        and not any(word in held for word in re.findall(r"\w{4,}", line))
    ]


def problem(log: str | bytes, kind: formats.Format | None) -> str:
    """What goes wrong when that is read, by that reader or the one that fits; empty if nothing."""
    began = time.process_time()
    try:
        if isinstance(log, bytes) or kind is None:
            sessions = list(formats.read(log))
        else:
            sessions = list(kind.read(text(log).lines))
        for session in sessions:
            explain(session)
    except CannotRead as error:
        return "a message of several lines" if "\n" in str(error) else ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if time.process_time() - began > LIMIT:
        return "slow"
    if kind is None and (wrong := disagreement(log, sessions)):
        return wrong
    if isinstance(log, str) and kind and (gone := lost(log, kind, sessions)):
        return f"lost: {gone[0]}"
    return ""


def disagreement(log: str | bytes, sessions: list[Session]) -> str:
    """How the ways of asking disagree: a summary of the file, and what was written, read back."""
    explanations = [explain(session) for session in sessions]
    wanted = Counter(repr(e.verdict) for e in explanations if not e.session.stray)
    with tempfile.NamedTemporaryFile() as file:
        file.write(log.encode("utf-8", "replace") if isinstance(log, str) else log)
        file.flush()
        if Counter(repr(t.verdict) for t in formats.verdicts(Path(file.name))) != wanted:
            return "a summary counts otherwise"
    try:
        text = "".join(json.pieces(explanations)).encode()
        if list(formats.read(text)) != sessions:
            return "as JSON it is another"
    except CannotRead as error:
        return f"its JSON: {error}"
    return ""


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


def at_random(inputs: int, seed: int) -> int:
    """How many of so many inputs failed."""
    rng = random.Random(seed)
    known, kinds = lines(), formats.known()
    done = failed = 0
    while done < inputs:
        start, many = rng.randrange(len(known)), rng.randrange(1, 25)
        window = known[start : start + many] if rng.random() < 0.6 else rng.choices(known, k=many)
        log = "\n".join(dirtied(rng, line, known) for line in window)
        for kind in (None, *rng.sample(kinds, 3)):
            done += 1
            if wrong := problem(log, kind):
                failed += 1
                print(f"{wrong} ({kind and kind.name}): {log!r}", flush=True)
        if done % 10_000 < 4:
            print(f"{done} inputs, {failed} failed", flush=True)
    return failed


def main() -> int:
    """Fuzz, and say how many inputs there were; 1 if one failed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--inputs", type=int, default=20_000)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    failed = at_random(given.inputs, given.seed)
    print(f"{given.inputs} inputs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
