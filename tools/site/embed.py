"""A session for other people's pages: a frame of its own for each experiment, with the way back."""

from __future__ import annotations

import html
from collections.abc import Iterator

from simulator.views import player
from tools.site import experiments
from tools.site.page import LANGUAGES, Asset, Page
from tools.site.plays import play, scenarios
from tools.words import word

FOLDER = "embed"
HIGH = 720
"""Pixels that the player wants in a column of a course."""

FRAME = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1rem; margin: .4rem .6rem; }}
.back {{ margin: .4rem .6rem; }}
.back a {{ color: light-dark(#0d6138, #7fd6a8); }}
</style>
</head>
<body>
<h1>{title}</h1>
<smtp-session src="../data/{name}.json" question="{question}">
{listing}
</smtp-session>
<p class="back"><a href="../{page}" target="_blank" rel="noopener">{back}</a></p>
<script src="../assets/player.js"></script>
</body>
</html>
"""

SNIPPETS = {
    "frame": '<iframe src="{frame}"\n'
    '  title="{title}" width="100%" height="{high}"\n'
    '  loading="lazy" style="border:0"></iframe>',
    "element": '<smtp-session src="{data}" nolink></smtp-session>\n'
    '<p><a href="{back}">{title}</a></p>\n'
    '<script src="{script}"></script>',
}
SHOWN = "skipped-ehlo"


def files(language: str) -> Iterator[Asset]:
    """A page for a frame, for each experiment."""
    for scenario in scenarios():
        title = html.escape(experiments.title(scenario, language))
        question = scenario.prose("question", LANGUAGES[language])
        text = FRAME.format(
            language=language,
            title=title,
            name=scenario.name,
            question=html.escape(question, quote=True),
            listing=player.listing(play(scenario.name), LANGUAGES[language]),
            page=f"{experiments.FOLDER}/{scenario.name}/",
            back=html.escape(word("embed.back", language)),
        )
        yield Asset(f"{FOLDER}/{scenario.name}.html", text.encode())


def show(page: Page, what: str) -> str:
    """A snippet to copy (`frame`, `element`), or the `list` of all that can be had.

    The address is the reader's own: a script puts in where this page was opened.
    """
    language = page.language
    if what == "list":
        rows = (
            f'<li><a href="{page.up}{FOLDER}/{scenario.name}.html">'
            f"<code>{scenario.name}</code></a> "
            f"{html.escape(experiments.title(scenario, language))}</li>"
            for scenario in scenarios()
        )
        return f"<ul>\n{chr(10).join(rows)}\n</ul>"
    scenario = next(found for found in scenarios() if found.name == SHOWN)

    def here(path: str) -> str:
        return f'<span data-here="{page.up}{path}">https://…/{language}/{path}</span>'

    shown = html.escape(SNIPPETS[what], quote=False).format(
        frame=here(f"{FOLDER}/{SHOWN}.html"),
        data=here(f"data/{SHOWN}.json"),
        script=here("assets/player.js"),
        back=here(f"{experiments.FOLDER}/{SHOWN}/"),
        title=html.escape(experiments.title(scenario, language), quote=False),
        high=HIGH,
    )
    return f'<div class="highlight"><pre><code>{shown}</code></pre></div>'
