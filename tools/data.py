"""The package's TOML as the program wants it: read, and the words of its patterns read off.

Only the TOML is in git; what comes of it, `simulator/data.json`, the package builder makes, and
`make` where a checkout is run. By hand: python tools/data.py
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from simulator import needles  # noqa: E402

PACKAGE = ROOT / "simulator"
TARGET = PACKAGE / "data.json"
ONE_BY_ONE = {"scenarios", "tasks", "lexicons"}
"""Folders whose files are read one at a time, when somebody asks for one."""
SAMPLES = "\n[[sample]]"
"""Where the samples of a format begin, which no start reads."""
PATTERNS = {"pattern", "signature", "remark", "begins"}
"""Keys whose texts are patterns that are tried only where their words are."""


def made() -> dict[str, dict[str, Any]]:
    """What `simulator.compiled` has."""
    paths = sorted(PACKAGE.rglob("*.toml"))
    texts = [path.read_bytes().decode() for path in paths if path.parent.name not in ONE_BY_ONE]
    tables = {rules: tomllib.loads(rules) for rules in (t.partition(SAMPLES)[0] for t in texts)}
    patterns = {
        one
        for table in tables.values()
        for pattern in _patterns(table)
        for one in (pattern, *needles.alternatives(pattern))
    }
    return {
        "tables": tables,
        "words": {pattern: needles.read_off(pattern) for pattern in sorted(patterns)},
    }


def _patterns(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from _patterns(inside, name)
    elif isinstance(value, list):
        for inside in value:
            yield from _patterns(inside, key)
    elif isinstance(value, str) and key in PATTERNS:
        yield value


def write() -> None:
    """Make it. A running program never meets half of it."""
    partial = TARGET.with_suffix(".partial")
    partial.write_text(json.dumps(made(), ensure_ascii=False, separators=(",", ":")), "utf-8")
    partial.replace(TARGET)


if __name__ == "__main__":
    write()
