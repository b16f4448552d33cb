"""What counting a fleet's logs took, and what a terabyte would take: figures for the page.

The first are measured (`python -m benchmarks.fleet --keep`), the second calculated from them.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tools.site.page import ROOT, Page, table
from tools.words import word

SOURCE = ROOT / "docs" / "data" / "fleet.json"
TERABYTE = 1e12
PRICE = 0.05
"""Dollars for an hour of one core: assumed, for an example."""
FLEETS = (2, 16, 100)


@cache
def measured() -> dict[str, Any]:
    """The figures of the last measurement."""
    found: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    return found


def each(told: dict[str, Any]) -> float:
    """Octets a second of one worker, while all of them work."""
    return float(told["gigabytes"] * 1e9 / told["seconds"]["together"] / told["workers"])


def figures(page: Page) -> str:
    """The measurement as a table, with its date and its machine."""
    told, language = measured(), page.language
    seconds, octets = told["seconds"], told["gigabytes"] * 1e9
    rows = [
        (
            word(f"fleet.{name}", language, workers=told["workers"]),
            f"{_number(took, 1, language)} s",
            f"{octets / took / 1e6:.0f} MB/s",
        )
        for name, took in seconds.items()
    ]
    heads = [word(f"fleet.{name}", language) for name in ("how", "time", "rate")]
    values = {
        "times": _number(seconds["alone"] / seconds["together"], 2, language),
        "gigabytes": _number(told["gigabytes"], 2, language),
        "sessions": _grouped(told["sessions"], language),
    }
    where = word("fleet.where", language, **{**told, **told["machine"], **values})
    return f"{table(heads, rows, aligns='lrr')}\n\n{where}"


def need(page: Page) -> str:
    """What a terabyte would take: a calculation, step by step."""
    language = page.language
    rate = each(measured())
    hours = TERABYTE / rate / 3600
    rows = [
        (word("fleet.each", language), f"{rate / 1e6:.0f} MB/s"),
        (word("fleet.hours", language), f"{_number(hours, 1, language)} h"),
        *(
            (
                word("fleet.workers", language, workers=workers),
                _lasts(hours / workers, language),
            )
            for workers in FLEETS
        ),
        (
            word("fleet.cost", language, price=_number(PRICE, 2, language)),
            f"US$ {_number(hours * PRICE, 2, language)}",
        ),
    ]
    heads = [word("fleet.what", language), word("fleet.figure", language)]
    return table(heads, rows, aligns="lr")


def _lasts(hours: float, language: str) -> str:
    if hours >= 1:
        return f"{_number(hours, 1, language)} h"
    return f"{_number(hours * 60, 0 if hours > 1 / 6 else 1, language)} min"


def _number(value: float, places: int, language: str) -> str:
    shown = f"{value:.{places}f}"
    return shown if language == "en" else shown.replace(".", ",")


def _grouped(value: int, language: str) -> str:
    shown = f"{value:,}"
    return shown if language == "en" else shown.replace(",", ".")
