"""Explained sessions as one HTML page without scripts, to keep or to send to a colleague."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from simulator import smtp
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.rules import Note
from simulator.views import esa, outline, prose
from simulator.views.inert import printable
from simulator.views.outline import Row
from simulator.views.view import View

TITLE = N_("Explained SMTP sessions")

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2530;--paper:#fff;--quiet:#5b6672;--line:#d9dee3;
--amber:#8a5a00;--amber-ground:#fff7e6;--green:#0b6b43;--green-ground:#eaf6ef;--red:#a3231b}
@media(prefers-color-scheme:dark){:root{--ink:#e7ecf1;--paper:#12181f;--quiet:#a3afbb;
--line:#2c3742;--amber:#f2c46d;--amber-ground:#2a2213;--green:#7fd6a8;--green-ground:#11271d;
--red:#ff9a91}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:56rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;overflow-wrap:anywhere}
ol{list-style:none;padding:0}
li{border-left:4px solid var(--line);padding:.4rem 0 .4rem .9rem;margin:.3rem 0}
li.clear{border-color:var(--amber);border-left-style:dashed;background:var(--amber-ground)}
li.tls{border-color:var(--green);background:var(--green-ground)}
pre{margin:0;font:600 .9rem/1.45 ui-monospace,monospace;white-space:pre-wrap;
overflow-wrap:anywhere}
p{margin:.2rem 0}.who{color:var(--quiet);font-size:.85rem}.broken{color:var(--red)}
.met{color:var(--green)}.ledger{font-size:.9rem;overflow-wrap:anywhere}
.outcome{font-size:1.1rem;font-weight:600}
.cause{border:1px solid var(--red);border-radius:.5rem;padding:.6rem 1rem;margin:.8rem 0}
a{color:inherit}
"""


def render(explanations: Iterable[Explanation], language: str = SOURCE) -> str:
    """The page. Whatever came from a log stands in it as text."""
    return "".join(pieces(explanations, language))


def pieces(explanations: Iterable[Explanation], language: str = SOURCE) -> Iterator[str]:
    """The page piece by piece, for a log of any length."""
    title = escape(say(TITLE, language))
    yield (
        f'<!doctype html>\n<html lang="{language.replace("_", "-")}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n"
    )
    for number, explanation in enumerate(explanations, 1):
        yield from _session(number, explanation, language)
    yield "</main>\n</body>\n</html>\n"


def _session(number: int, explanation: Explanation, language: str) -> Iterator[str]:
    shown = outline.of(explanation)
    names = f"{shown.client or '?'} ⇄ {shown.server or '?'}"
    yield f'<section>\n<h2>{number}. {_text(names)}</h2>\n<p class="outcome">'
    yield f"{_said(explanation.verdict.outcome, language)}</p>\n"
    for reason in prose.causes_of(explanation):
        yield _cause(reason, language)
    if gap := prose.gap(explanation):
        for heading, text in ((prose.NOT_SHOWN, gap.missing), (prose.LOG_MORE, gap.log_more)):
            if text:
                yield f"<p><b>{_said(heading, language)}:</b> {_said(text, language)}</p>\n"
    yield "<ol>\n"
    for row in shown.rows:
        yield _row(row, language)
    yield "</ol>\n</section>\n"


def _cause(reason: prose.Reason, language: str) -> str:
    cause = reason.cause
    place = ""
    if cause.citation:
        found = smtp.citations()[cause.citation]
        place = f' (<a href="{escape(found.url)}">{found.place}</a> {found.keyword})'
    see = ""
    if cause.experiment:
        command = {"command": f"ehlo-twice replay {cause.experiment}"}
        see = f"<p>{_said(Text(prose.SEE, command), language)}</p>"
    page = escape(prose.page(cause, language))
    shown = f'<a href="{page}">{page}</a>' if "://" in page else f"<code>{page}</code>"
    on_site = say(Text(prose.ON_SITE, {"page": shown}), language)
    points = "".join(
        f"<p><b>{_text(heading)}:</b> {_text(text)}</p>"
        for heading, text in reason.points(language)
    )
    kind, title = ("who" if cause.harmless else "broken"), _said(cause.title, language)
    return (
        f'<div class="cause"><p class="{kind}"><b>{reason.mark} {title}</b>{place}</p>'
        f"{points}{see}<p>{on_site}</p></div>\n"
    )


def _row(row: Row, language: str) -> str:
    lines = list(esa.quoted(row.step, language)) or list(row.text)
    ground = say(prose.GROUND[row.secure], language)
    who = f"{row.step.index + 1} · {prose.speaker(row, language)} · {ground}"
    parts = [f'<p class="who">{_text(who)}</p>']
    if lines:
        written = "\n".join(_text(line) for line in lines)
        parts.append(f"<pre>{written}</pre>")
    parts.append(f"<p>{_said(row.step.meaning, language)}</p>")
    parts += [_note(note, language) for note in row.notes]
    for side in ("server", "client"):
        for mark, facts in prose.changes(row, side, language):
            holds = say(prose.HOLDS[side], language)
            parts.append(f'<p class="ledger">{mark} {_text(holds)}: {_text(facts)}</p>')
    return f'<li class="{"tls" if row.secure else "clear"}">{"".join(parts)}</li>\n'


def _note(note: Note, language: str) -> str:
    found = smtp.citations()[note.citation]
    mark, kind = ("✓", "met") if note.met else ("✗", "broken")
    level = "" if note.met else f"{_said(prose.LEVEL[note.level], language)}, "
    place = f'<a href="{escape(found.url)}">{found.place}</a> {found.keyword}'.rstrip()
    return f'<p class="{kind}">{mark} {level}{place}: {_said(note.text, language)}</p>'


def _said(text: Text | str, language: str) -> str:
    return escape(say(text, language, printable))


def _text(text: str) -> str:
    return escape(printable(text))


VIEW = View(
    name="html",
    about=N_("a page without scripts, to keep or to send"),
    file="session.html",
    render=lambda explanation, page: render([explanation], page.language),
    pieces=lambda explanations, page: pieces(explanations, page.language),
)
