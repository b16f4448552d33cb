"""The page with the exercises: which there are, and what is said around them."""

from __future__ import annotations

import html
import json

from simulator import exercises
from simulator.exercises.exercise import load
from simulator.language import say
from tools.site.page import Page
from tools.words import word

WORDS = (
    "tasks", "counted", "begin", "solved", "once", "tried", "answer", "program", "go", "hint",
    "again", "onward", "next", "empty", "loading", "working", "stop", "stopped", "late", "cannot",
    "disk", "save", "open", "anew", "sure", "forgotten", "saved", "opened", "big", "stays",
    "not-kept",
)  # fmt: skip

LIMIT = 60
"""Seconds that an answer may take."""


def show(page: Page) -> str:
    """The element; without script, the exercises and the command that sets them."""
    titles = {name: say(load(name).title, page.said) for name in exercises.names()}
    attributes = {
        "language": page.said,
        "engine": f"{page.up}../engine/",
        "limit": str(LIMIT),
        "words": json.dumps(
            {name: word(f"learn.{name}", page.language) for name in WORDS}, ensure_ascii=False
        ),
        "titles": json.dumps(titles, ensure_ascii=False),
    }
    quoted = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in attributes.items())
    listed = "".join(f'<li id="{name}">{html.escape(said)}</li>' for name, said in titles.items())
    return (
        f'<div class="learn" data-search-exclude>\n<smtp-learn {quoted}>\n'
        f"<p>{word('learn.script', page.language)}</p>\n<ol>{listed}</ol>\n</smtp-learn>\n</div>"
    )
