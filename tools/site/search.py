"""What the search is told of the pages: which count more, which give answers away, and by what
words they are also looked for."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "docs" / "data" / "search.toml"


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _page(location: str) -> str:
    """The address of an entry's page, alike on a server and from disk."""
    path = location.split("#")[0].removesuffix("index.html").removesuffix(".html")
    return path.strip("/")


def _weight(page: str, *, aid: bool) -> float:
    table: dict[str, float] = _table()["weight"]
    if aid:
        return table["first-aid/"]
    found = [name for name in table if page == name or (name and page.startswith(f"{name}/"))]
    return table[max(found, key=len)] if found else 1


def worded(index: dict[str, Any], language: str) -> None:
    """Give pages the words that people type for them and that do not stand in them, in a field of
    the index that nothing shows."""
    index["config"]["fields"]["words"] = {"boost": _table()["boost"]}
    words = dict(_table()["words"][language])
    for doc in index["docs"]:
        if "#" not in doc["location"] and (typed := words.pop(_page(doc["location"]), "")):
            doc["words"] = typed
    if words:
        raise LookupError(f"docs/data/search.toml: no page {', '.join(words)} in {language}")


def weighed(docs: list[dict[str, Any]], aid: set[str]) -> list[dict[str, Any]]:
    """The entries of the index with their weights, without those left out, and each page of first
    `aid` as one entry that has all its text. `docs` is in the order of MkDocs."""
    kept: list[dict[str, Any]] = []
    firsts: dict[str, dict[str, Any]] = {}
    for doc in docs:
        page = _page(doc["location"])
        if page in _table()["left_out"]:
            continue
        if page in aid and page in firsts:
            firsts[page]["text"] += f" {doc['title']} {doc['text']}"
            continue
        entry = doc | {"boost": _weight(page, aid=page in aid)}
        firsts.setdefault(page, entry)
        kept.append(entry)
    return kept
