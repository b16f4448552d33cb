"""A page: Markdown with marks in it, and where it will stand on the site.

A mark is a comment on a line of its own, `<!-- show player documented -->`: what the program shows
takes its place. Within a line, `{cite:ID}` becomes the citation of that id, with its keyword and,
as a tooltip, its words: no page can say more than the RFC does. `{page:why-twice.md}` becomes that
page's address, for HTML that stands in Markdown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from simulator import smtp

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "docs"
BUILD = ROOT / "build" / "site"
OFFLINE_BUILD = ROOT / "build" / "site-offline-pages"
LANGUAGES = {"en": "en", "pt-BR": "pt_BR"}
"""Folder and address of each language, and its name in the program."""

MARK = re.compile(r"^<!-- show ([\w-]+)((?: [^\s>]+)*) -->$", re.MULTILINE)
CITE = re.compile(r"\{cite:([\w-]+)\}")
PAGE = re.compile(r"\{page:([\w./-]+\.md)(#[\w-]+)?\}")


class BadPage(Exception):
    """A page asks for what there is not: the message says which page, and what."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one language. `path` is its file below docs/<language>/."""

    path: str
    language: str
    text: str
    offline: bool = False

    @property
    def said(self) -> str:
        """The program's name for the page's language."""
        return LANGUAGES[self.language]

    @property
    def up(self) -> str:
        """From the page's address to the language's root: empty, or some `../`."""
        parts = Path(self.path).parts
        depth = len(parts) - 1
        if not self.offline and parts[-1] != "index.md":
            depth += 1
        return "../" * depth

    def address(self, path: str) -> str:
        """From this page's address to that of another page, named by its file."""
        if self.offline:
            return self.up + path.removesuffix(".md") + ".html"
        return (self.up + re.sub(r"(^|/)index\.md$", r"\1", path).replace(".md", "/")) or "./"


class Asset(NamedTuple):
    """A file that stands beside the pages."""

    path: str
    data: bytes


Show = Callable[..., str]
"""What a mark calls: the page, then the mark's words; it gives Markdown."""


def complete(page: Page, shows: dict[str, Show]) -> str:
    """The page's Markdown with everything the program shows in it. Raises `BadPage`."""

    def shown(match: re.Match[str]) -> str:
        name, words = match[1], match[2].split()
        if name not in shows:
            raise BadPage(f"docs/{page.language}/{page.path}: nothing shows {name!r}")
        try:
            return shows[name](page, *words).strip("\n")
        except (LookupError, TypeError, ValueError) as error:
            raise BadPage(f"docs/{page.language}/{page.path}: {match[0]}: {error}") from error

    text = MARK.sub(shown, page.text)
    text = CITE.sub(lambda match: cite(match[1], page), text)
    text = PAGE.sub(lambda match: page.address(match[1]) + (match[2] or ""), text)
    return with_scripts(text, page)


def cite(key: str, page: Page | None = None) -> str:
    """A citation within a line, as HTML. Raises `BadPage` for an id that does not exist."""
    found = smtp.citations().get(key)
    if found is None:
        raise BadPage(f"docs/{page.language}/{page.path}: no citation {key}" if page else key)
    keyword = f" <b>{found.keyword}</b>" if found.keyword else ""
    return (
        f'<a class="cite" href="{found.url}" title="{html.escape(found.quote)}">'
        f"{found.place}{keyword}</a>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, aligns: str = "") -> str:
    """A Markdown table that scrolls where it is too wide. `aligns`: `r` for a column of numbers."""
    rules = ("---:" if align == "r" else "---" for align in aligns.ljust(len(heads)))
    lines = [heads, list(rules), *rows]
    cells = ([cell.replace("|", "&#124;") for cell in line] for line in lines)
    shown = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    return f'<div class="wide" markdown>\n\n{shown}\n\n</div>'


SCRIPTS = {
    "<smtp-session": "player",
    "<smtp-bytes": "bytes",
    "<smtp-sandbox": "sandbox",
    "<smtp-explain": "explain",
    "<smtp-play": "play",
    "<smtp-quiz": "quiz",
    "<smtp-learn": "learn",
}
"""Which script a page needs: the one whose element stands in it."""


def with_scripts(text: str, page: Page) -> str:
    """The text with the scripts it needs named in its front matter; the theme loads them."""
    needed = [script for element, script in SCRIPTS.items() if element in text]
    if {"sandbox", "explain", "play", "learn"} & set(needed) and "player" not in needed:
        needed.insert(0, "player")
    if {"explain", "play", "learn", "quiz"} & set(needed):
        needed.insert(0, "common")
    if not needed:
        return text
    line = f"scripts: [{', '.join(needed)}]\n"
    if text.startswith("---\n"):
        return f"---\n{line}{text[4:]}"
    return f"---\n{line}---\n\n{text}"


def sources(language: str, *, offline: bool = False) -> list[Page]:
    """The pages that were written by hand."""
    folder = SOURCES / language
    return [
        Page(
            path=path.relative_to(folder).as_posix(),
            language=language,
            text=path.read_text(encoding="utf-8"),
            offline=offline,
        )
        for path in sorted(folder.rglob("*.md"))
    ]


def save(target: Path, data: bytes) -> None:
    """Write a file unless it already says so: what watches the folder is not woken for nothing."""
    if target.is_file() and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
