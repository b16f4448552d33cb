"""Fuzz the readers with a guide: atheris changes octets so that they reach more of the code.

    pip install atheris
    python -m tests.formats.guided build/corpus -runs=1000000

It keeps in that folder what reached something new, so that a later run goes on from there. What
follows the folder is for libFuzzer. An input that fails is printed, so that it can become a test.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

atheris = importlib.import_module("atheris")
with atheris.instrument_imports(include=["simulator.formats", "simulator.explainer"]):
    from simulator import formats
    from tests.formats.fuzz import EXAMPLES, problem

KINDS = formats.known()
WHOLE = 255
"""The first octet of an input that is a whole file; else it is the number of a reader."""


def one(data: bytes) -> None:
    """Read that, and explain it. Raises AssertionError if something goes wrong."""
    number = data[0] if data else WHOLE
    kind = KINDS[number] if number < len(KINDS) else None
    log = data[1:].decode("utf-8", "replace") if kind else data[1:]
    if wrong := problem(log, kind):
        raise AssertionError(f"{wrong} ({kind and kind.name}): {log!r}")


def seed(corpus: Path) -> None:
    """Begin with the examples, each as a file and for its own reader."""
    corpus.mkdir(parents=True, exist_ok=True)
    for path in EXAMPLES:
        for number in (WHOLE, *range(len(KINDS))):
            if number == WHOLE or KINDS[number].name in path.name:
                begun = bytes([number]) + path.read_bytes()[:1500]
                (corpus / f"{path.name}.{number}").write_bytes(begun)


if __name__ == "__main__":
    seed(Path(sys.argv[1]))
    atheris.Setup([*sys.argv[:2], "-max_len=2000", *sys.argv[2:]], one)
    atheris.Fuzz()
