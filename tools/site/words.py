"""The words of generated pages, from words.toml: one text, two languages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def word(key: str, language: str, **values: object) -> str:
    """The text of that key (`section.name`) in a language. Raises `KeyError`."""
    section, _, name = key.partition(".")
    return _table()[section][name][language].format_map(values)
