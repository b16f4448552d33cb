"""The words of the site in both languages, and the explanations that stand at them as tooltips."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from tools.site.page import LANGUAGES, SOURCES, Page
from tools.words import translated


@cache
def _words() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(
        (SOURCES / "data" / "glossary.toml").read_text(encoding="utf-8")
    )["word"]
    return found


def show(page: Page) -> str:
    """All words in the order of the page's language, each with the other language's word."""
    [other] = [language for language in LANGUAGES if language != page.language]
    parts = []
    for word, entry in sorted(_named(page.language), key=lambda named: named[0].casefold()):
        foreign = f' <span lang="{other}" class="other">{translated(entry["word"], other)}</span>'
        parts += [f"{word}{foreign}", f":   {translated(entry['says'], page.language)}", ""]
    return "\n".join(parts)


def tips(page: Page) -> str:
    """Definitions for the words of this page that are explained wherever they stand."""
    if page.path == "glossary.md":
        return ""
    found = [
        f"*[{word}]: {translated(entry['says'], page.language)}"
        for word, entry in _named(page.language)
        if entry.get("tip") and word in page.text
    ]
    return "\n\n" + "\n".join(found) + "\n" if found else ""


def _named(language: str) -> list[tuple[str, dict[str, Any]]]:
    return [(translated(entry["word"], language), entry) for entry in _words()]
