"""Slides and sheets on the site, to be opened and printed by whoever has no checkout.

The pages are always there; the PDFs where the machine that builds the site has Chromium. What only
a teacher is to have stays out: key and solutions are in the kit.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

from tools import doctor
from tools.site.page import LANGUAGES, Asset, Page, table
from tools.words import word
from tools.workshop import sheets, slides

FOLDER = "teach/print"
SHEETS = {
    "wall": ("A3", "one"),
    "log": ("A3", "one"),
    "handout": ("A4", "each"),
    "cards": ("A4", "pair"),
    "quiz-A": ("A4", "each"),
    "quiz-B": ("A4", "each"),
}
"""What is printed for a class: its paper, and for whom."""

ONLY_TEACHER = {"key": ("A4", "one"), "solutions": ("A4", "one")}
"""What the kit alone has."""

PLANS = ("45", "90", "240")
CLASS = 30
"""The class that copies are counted for."""

COPIES = {"one": 1, "pair": CLASS // 2, "each": CLASS}


def files(language: str) -> Iterator[Asset]:
    """The pages, what they load, and their PDFs where they can be printed."""
    made = _made()
    for name in (*SHEETS, *PLANS):
        for ending in ("html", *(["pdf"] if printable() else [])):
            folder = made["slides" if name in PLANS else "print"]
            path = folder / f"{name}.{language}.{ending}"
            yield Asset(f"{FOLDER}/{path.name}", path.read_bytes())
    other = {f".{one}.svg" for one in LANGUAGES if one != language}
    for folder in made.values():
        for path in sorted((folder / "assets").rglob("*")):
            if path.is_file() and not any(path.name.endswith(end) for end in other):
                name = path.relative_to(folder).as_posix()
                yield Asset(f"{FOLDER}/{name}", path.read_bytes())


def printable() -> bool:
    """Is there a browser here that prints?"""
    return bool(doctor.browser())


_built: dict[str, Path] = {}


def _made() -> dict[str, Path]:
    """Build them once, for both languages."""
    if not _built:
        sheets.build(pdf=printable(), only=tuple(SHEETS))
        slides.build(pdf=printable())
        _built.update({"print": sheets.BUILD, "slides": slides.BUILD})
    return _built


def show_slides(page: Page) -> str:
    """The decks, each to show and to print."""
    heads = [word(head, page.language) for head in ("papers-plan", "papers-show", "papers-print")]
    rows = [
        [
            word(f"papers-{plan}", page.language),
            _link(page, f"{plan}.{page.language}.html", "papers-open"),
            _link(page, f"{plan}.{page.language}.pdf", "papers-pdf"),
        ]
        for plan in PLANS
    ]
    return table(heads, rows)


def show_sheets(page: Page) -> str:
    """What is printed, on which paper, and how often for a class of thirty."""
    language = page.language
    columns = ("papers-sheet", "papers-paper", "papers-copies", "papers-print")
    heads = [word(head, language, learners=CLASS) for head in columns]
    rows = []
    for name, (paper, each) in (SHEETS | ONLY_TEACHER).items():
        links = word("papers-kit", language)
        if name in SHEETS:
            links = " · ".join(
                _link(page, f"{name}.{language}.{ending}", f"papers-{text}")
                for ending, text in (("html", "open"), ("pdf", "pdf"))
                if ending == "html" or printable() or page.offline
            )
        copies = f"{COPIES[each]}"
        if each != "one":
            copies += f" ({word(f'papers-{each}', language)})"
        rows.append([word(f"papers-{name}", language), paper, copies, links])
    return table(heads, rows)


def _link(page: Page, name: str, text: str) -> str:
    """A link to a file; in a page opened from disk its name in the kit."""
    if page.offline:
        folder = "slides" if name.partition(".")[0] in PLANS else "print"
        return f"`{folder}/{name}`"
    if name.endswith(".pdf") and not printable():
        return "–"
    shown = html.escape(word(text, page.language))
    return f'<a href="{page.up}{FOLDER}/{name}">{shown}</a>'
