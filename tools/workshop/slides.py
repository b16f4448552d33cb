"""Slides from Markdown: reveal.js around them, the player live inside, and a PDF for paper.

A line `---` ends a slide; what follows `Note:` is for the teacher alone. Marks work as in the
site's pages: `<!-- show player documented -->` is a session that was really played just now.
A line `Plan: 45 0–5, 90 0–10` above a slide says in which plans it is shown, and at which minutes:
there is a deck for each plan.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from simulator.views import esa, player
from tools.site import assets, documented, ledgers
from tools.site.page import LANGUAGES, MARK, ROOT, Page
from tools.site.plays import play, scenarios
from tools.words import word
from tools.workshop import drawings, paper, quiz

SOURCES = ROOT / "workshop" / "slides"
REVEAL = ROOT / "node_modules" / "reveal.js"
NOTE = re.compile(r"^Note:\n", re.MULTILINE)
WIDTH, HEIGHT = 1280, 720
LIVE = re.compile(r'<smtp-session.*?</smtp-session>|<div class="veil.*?</div>', re.DOTALL)
PLAN = re.compile(r"^Plan: (.+)$", re.MULTILINE)
PLANS = ("45", "90", "240")
"""The minutes of the plans in the guide; the last is half a day."""
ASIDE = re.compile(r"<aside.*?</aside>", re.DOTALL)

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="assets/reset.css">
<link rel="stylesheet" href="assets/reveal.css">
<link rel="stylesheet" href="assets/fonts.css">
<link rel="stylesheet" href="assets/slides.css">
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="assets/reveal.js"></script>
<script src="assets/notes.js"></script>
<script src="assets/player.js"></script>
<script>
// In the player the arrow keys step the session; anywhere else they turn the slides.
Reveal.initialize({{
  width: {width}, height: {height}, margin: 0.03, center: false, hash: true, slideNumber: true,
  controls: false, transition: "none", plugins: [RevealNotes],
  keyboardCondition: () => document.activeElement?.localName !== "smtp-session",
}});
</script>
</body>
</html>
"""

PAPER = """<!doctype html>
<html lang="{language}" class="paper">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="assets/reset.css">
<link rel="stylesheet" href="assets/fonts.css">
<link rel="stylesheet" href="assets/slides.css">
</head>
<body class="reveal">
<div class="slides">
{slides}
</div>
</body>
</html>
"""
"""The same slides one below the other, with drawings for players: nothing runs in it."""


def log(page: Page) -> str:
    """The documented log, restored, with numbers."""
    explanation = play("documented")
    first, last = explanation.session.documented or (0, len(explanation.steps))
    shown = [line for step, line in esa.lines(explanation) if first <= step.index <= last]
    lines = (f"{n:2}  {html.escape(line)}" for n, line in enumerate(shown, 1))
    return "<pre>" + "\n".join(lines) + "</pre>"


def poll(page: Page, name: str) -> str:
    """A question for a show of hands; what is right is not in the page."""
    question = quiz.find(name)
    answers = "".join(
        f"<li><b>{letter}</b> <span>{html.escape(option.of(page.language))}</span></li>"
        for letter, option in question.choices()
    )
    return (
        f'<div class="poll"><p>{html.escape(question.ask(page.language))}</p>'
        f"<ol>{answers}</ol></div>"
    )


def session(page: Page, name: str) -> str:
    """The player, and for paper the drawing of the same session, its halves side by side."""
    explanation = play(name)
    scenario = next(scenario for scenario in scenarios() if scenario.name == name)
    question = html.escape(scenario.prose("question", page.said), quote=True)
    data = player.data([explanation], page.said)
    drawing = drawings.draw(name, page.language).decode()
    drawing = drawing[drawing.index("<svg") :]
    # Ids of one drawing must not meet those of another on the page: it comes as a picture.
    picture = f"{name}.{page.language}.svg"
    (BUILD / "assets").mkdir(parents=True, exist_ok=True)
    (BUILD / "assets" / picture).write_text(drawing, encoding="utf-8")
    parts = "".join(
        f'<img src="assets/{picture}#svgView(viewBox(0,{top:g},{width:g},{height:g}))" '
        f'style="aspect-ratio:{width:g}/{height:g}" alt="">'
        for top, width, height in drawings.pieces(drawing)
    )
    return (
        f'<smtp-session nolink question="{question}">'
        f'<script type="application/json">{data}</script></smtp-session>'
        # The colours of its timeline would answer the poll: it is uncovered by the next key.
        f'<div class="veil fragment fade-out"><span>{question}</span></div>'
        f'<div class="on-paper">{parts}</div>'
    )


BUILD = ROOT / "build" / "workshop" / "slides"
SHOWS: dict[str, Callable[..., str]] = {
    "log": log,
    "poll": poll,
    "player": session,
    "ledgers": ledgers.show,
    "rfc": documented.rfc,
}


def build(*, pdf: bool = True) -> list[Path]:
    """Write both languages below build/workshop/slides; returns the files to open.

    Raises `LookupError` for a mark that nothing shows, `NoBrowser` where none can print.
    """
    shutil.rmtree(BUILD, ignore_errors=True)
    made = []
    for language in LANGUAGES:
        page = Page(path="slides.md", language=language, text="", offline=True)
        text = (SOURCES / f"{language}.md").read_text(encoding="utf-8")
        told = [(plans(part), _slide(part, page)) for part in split(text)]
        title = word("slides-title", language)
        for plan in PLANS:
            shown = "\n".join(
                part.replace(MINUTES, word("slides-minutes", language, minutes=minutes[plan]), 1)
                for minutes, part in told
                if plan in minutes
            )
            target = BUILD / f"{plan}.{language}.html"
            values = {"language": language, "title": f"{title} · {plan} min"}
            size = {"width": WIDTH, "height": HEIGHT}
            target.write_text(PAGE.format(**values, slides=shown, **size), encoding="utf-8")
            made.append(target)
            still = BUILD / f"{plan}.{language}.paper.html"
            shown = ASIDE.sub("", LIVE.sub("", shown))
            still.write_text(PAPER.format(**values, slides=shown), encoding="utf-8")
    _assets(BUILD / "assets")
    for still in BUILD.glob("*.paper.html"):
        if pdf:
            target = BUILD / f"{still.name.removesuffix('.paper.html')}.pdf"
            paper.to_pdf(still, target)
            made.append(target)
        still.unlink()
    return made


def split(text: str) -> list[str]:
    """The slides of a source."""
    return [part.strip() for part in re.split(r"^---$", text, flags=re.MULTILINE)]


def plans(text: str) -> dict[str, str]:
    """In which plans a slide is shown, and at which minutes of each."""
    [told] = PLAN.findall(text)
    return dict(entry.split(" ", 1) for entry in told.split(", "))


MINUTES = "<!--minutes-->"


def _slide(text: str, page: Page) -> str:
    body, *notes = NOTE.split(PLAN.sub("", text), maxsplit=1)
    shown: list[str] = []

    def put(match: re.Match[str]) -> str:
        shown.append(SHOWS[match[1]](page, *match[2].split()))
        return f"\n\n<!--{len(shown) - 1}-->\n\n"

    made = paper.to_html(MARK.sub(put, body))
    for place, piece in enumerate(shown):
        piece = paper.to_html(piece) if piece.startswith('<div class="wide"') else piece
        made = made.replace(f"<!--{place}-->", piece)
    noted = f"<p><b>{MINUTES}</b></p>{paper.to_html(notes[0]) if notes else ''}"
    aside = f'<aside class="notes">{noted}</aside>'
    return f"<section>\n{made}\n{aside}\n</section>"


def _assets(folder: Path) -> None:
    dist = REVEAL / "dist"
    for source in (
        *(dist / "reset.css", dist / "reveal.css", dist / "reveal.js"),
        *(dist / "plugin" / "notes.js", SOURCES / "slides.css"),
    ):
        shutil.copy(source, folder / source.name)
    shutil.copy(REVEAL / "LICENSE", folder / "reveal.js.LICENSE")
    for asset in assets.files():
        if asset.path.startswith(("assets/font", "assets/player")):
            target = folder / asset.path.removeprefix("assets/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(asset.data)
