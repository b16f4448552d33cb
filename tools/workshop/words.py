"""The words of the workshop's sheets, from workshop/words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "workshop" / "words.toml"


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["words"]
    return table


def word(key: str, language: str, **values: object) -> str:
    """The text of that key in a page's language. Raises `KeyError`."""
    return _table()[key][language].format_map(values)
