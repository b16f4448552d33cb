"""What generated pages and sheets say: the English stands in data, a catalogue has the rest."""

from __future__ import annotations

import tomllib
from functools import cache

from tools import catalogues


@cache
def _english() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in tomllib.loads(catalogues.WORDS.read_text(encoding="utf-8")).items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": text for key, text in value.items()}
        else:
            found[name] = value
    return found


@cache
def _translated(language: str) -> dict[str, str]:
    po = catalogues.SITE / language / "LC_MESSAGES" / f"{catalogues.SITE_DOMAIN}.po"
    if not po.exists():
        return {}
    return catalogues.translations(po)


def word(key: str, language: str, **values: object) -> str:
    """The text of that key (`name`, or `section.name`) in a page's language, such as `pt-BR`; its
    English where that language has none. Raises `KeyError`."""
    return translated(_english()[key], language).format_map(values)


def translated(text: str, language: str) -> str:
    """An English text of one of the data files (`catalogues.SITE_PROSE`) in a page's language."""
    return _translated(language.replace("-", "_")).get(text, text)
