"""What a class on one machine took, and what a larger one would need: figures for the page.

The first are measured (`python -m benchmarks.classroom`), the second calculated from them.
"""

from __future__ import annotations

import json
from functools import cache
from math import ceil
from typing import Any

from tools.site.page import ROOT, Page, table
from tools.words import word

SOURCE = ROOT / "workshop" / "jupyterhub" / "measured.json"
WAIT = 120
"""Seconds a class may wait when everybody presses at the same moment."""
NODE_CORES, NODE_GB, SYSTEM_GB = 8, 32, 2


@cache
def measured() -> dict[str, Any]:
    """The figures of the last measurement."""
    found: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    return found


def figures(page: Page) -> str:
    """The measurement as a table, with its date and its machine."""
    told, language = measured(), page.language
    seconds, memory, machine = told["seconds"], told["memory_mb"], told["machine"]
    rows = [
        ("learners", f"{told['learners']}"),
        ("finished", f"{told['finished']}"),
        ("class", f"{seconds['class']:.0f} s"),
        ("all", word("figure-spread", language, **_whole(seconds["all"]))),
        ("server", word("figure-spread", language, **_whole(seconds["server"]))),
        ("processor", f"{told['processor_seconds']['median']:.0f} s"),
        ("memory", word("figure-memory-spread", language, **_whole(memory))),
        ("together", f"{memory['together'] / 1000:.1f} GB".replace(".", _point(language))),
    ]
    said = [(word(f"figure-{name}", language), value) for name, value in rows]
    where = word(
        "figure-machine",
        language,
        date=told["date"],
        cores=machine["cores"],
        memory=machine["memory_gb"],
        system=machine["system"],
        python=machine["python"],
        notebook=told["notebook"],
    )
    heads = [word("what", language), word("figure", language)]
    return f"{table(heads, said, aligns='lr')}\n\n{where}"


def need(page: Page, learners: str) -> str:
    """What so many learners would need on a cluster: a calculation, step by step."""
    language, many = page.language, int(learners)
    each = ceil(measured()["memory_mb"]["max"] * 1.25 / 10) * 10
    processor = measured()["processor_seconds"]["max"]
    gigabytes = ceil(many * each / 1000)
    cores = ceil(many * processor / WAIT)
    nodes = max(ceil(gigabytes / (NODE_GB - SYSTEM_GB)), ceil(cores / NODE_CORES))
    shown = f"{processor:.1f}".replace(".", _point(language))
    rows = [
        (word("need-memory", language, learners=many, each=each), f"{gigabytes} GB"),
        (
            word("need-cores", language, learners=many, processor=shown, wait=WAIT),
            f"{cores}",
        ),
        (word("need-nodes", language), f"{nodes}"),
    ]
    return table([word("what", language), word("figure", language)], rows, aligns="lr")


def _whole(spread: dict[str, float]) -> dict[str, int]:
    return {name: round(value) for name, value in spread.items()}


def _point(language: str) -> str:
    return "." if language == "en" else ","
