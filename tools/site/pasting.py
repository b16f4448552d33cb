"""The field that takes a log and explains it in the page."""

from __future__ import annotations

import html
import json

from tools.site.page import ROOT, Page
from tools.words import word

WORDS = (
    "paste", "placeholder", "go", "choose", "cancel", "cancelled", "progress", "examples", "stays",
    "empty", "disk", "big", "working", "late", "cannot", "nothing", "counted", "left", "which",
    "deciding", "line", "copy", "copied", "keep", "kept", "more", "experiment", "remedy", "unless",
)  # fmt: skip

EXAMPLES = ("esa", "postfix", "smtplib")

LIMIT = 60
"""Seconds after which a reading that gets no further is ended."""


def show(page: Page) -> str:
    """The element; without script, how to have the same at home."""
    words = {name: word(f"paste.{name}", page.language) for name in WORDS}
    examples = [
        {
            "title": word(f"paste.{name}", page.language),
            "log": (ROOT / "docs" / "data" / "pasted" / f"{name}.log").read_text("utf-8"),
        }
        for name in EXAMPLES
    ]
    attributes = {
        "language": page.said,
        "engine": f"{page.up}../engine/",
        "limit": str(LIMIT),
        "up": page.up,
        "words": json.dumps(words, ensure_ascii=False),
        "examples": json.dumps(examples, ensure_ascii=False),
    }
    quoted = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in attributes.items())
    return (
        f'<div class="paste" data-search-exclude>\n<smtp-explain {quoted}>\n'
        f"<p>{word('paste.script', page.language)}</p>\n</smtp-explain>\n</div>"
    ).replace("\n\n", "\n")
