"""What real software does: tables, a picture, and a page for each session, from the survey's
results; and the list of bugs in docs/data/."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal

from simulator.explainer import explain
from simulator.language import languages, say
from simulator.survey import results
from simulator.survey.questions import MARK, SHOWS, Question, of
from simulator.survey.results import Answer, Found
from simulator.survey.software import Setting, Software, recipes
from simulator.views import player
from simulator.views.inert import printable
from tools.site.experiments import path
from tools.site.page import LANGUAGES, ROOT, SOURCES, Asset, Page, table
from tools.words import translated, word

SURVEY = ROOT / "survey"
FOLDER = "wild"

GROUPS = {
    "skipped": ("mail-unannounced", "mail", "mail-size", "rcpt", "auth", "received"),
    "starttls": (
        "lists",
        "helo-inside",
        "starttls-twice",
        "starttls-unannounced",
        "starttls-after-helo",
        "starttls-in-mail",
    ),
    "left-over": (
        "envelope",
        "envelope-ehlo",
        "login",
        "injected-command",
        "injected-ehlo",
        "injected-later",
    ),
    "resumed": ("resumed-lists", "resumed-mail", "resumed-lists-12", "resumed-mail-12"),
}
"""Which questions to servers stand in which table."""

CHIP = {"heeds": "inside", "lax": "clear", "breaks": "broken"}
COLOUR = {
    "heeds": "#2e7d32",
    "lax": "#b26a00",
    "breaks": "#b3261e",
    "told": "#5b6770",
    "unclear": "#5b6770",
    "unasked": "#d9dee3",
    "withheld": "#3b4a6b",
}
"""How the picture shows each kind of answer, beside its sign."""

Kind = Literal["server", "client"]


@cache
def found() -> dict[str, Found]:
    """What each configuration answered, by name."""
    return results.read(SURVEY / "results")


@cache
def _recipes() -> dict[str, tuple[Software, Setting]]:
    return {
        results.name_of(software.name, setting.name): (software, setting)
        for software in recipes(SURVEY)
        for setting in software.setting
    }


def surveyed(kind: Kind) -> list[Found]:
    """All configurations of servers, or of clients, by what they are called."""
    named = [found()[name] for name, (one, _) in _recipes().items() if one.kind == kind]
    return sorted(named, key=lambda one: one.title.casefold())


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """The measurement itself, the pictures, and a page for each session."""
    yield Asset("data/survey/survey.csv", (SURVEY / "results" / results.TABLE).read_bytes())
    for kind in ("server", "client"):
        yield Asset(f"{FOLDER}/{kind}s.svg", picture(kind, language).encode())
    for name, one in found().items():
        yield Asset(f"data/survey/{name}.json", (SURVEY / "results" / f"{name}.json").read_bytes())
        for answer in one.answers:
            if answer.sessions:
                shown = _session(one, answer, language, offline=offline).encode()
                yield Asset(f"{FOLDER}/{_file(name, answer)}", shown)


def _file(name: str, answer: Answer) -> str:
    return f"{name}.{answer.question}.html"


def _session(one: Found, answer: Answer, language: str, *, offline: bool) -> str:
    """A page of its own: the session that shows an answer, in the player."""
    said = LANGUAGES[language]
    came = printable(_whole(answer, language))
    question = next(q for q in of(one.kind) if q.id == answer.question).said(said)
    # Of several the one that went furthest shows most.
    session = max(answer.sessions, key=lambda session: len(session.events))
    explanation = explain(session)
    # Configurations of one server differ in no more than their setting.
    _, setting = _recipes()[one.name]
    which = "" if setting.name == "default" else f" ({setting.name})"
    heading = html.escape(printable(f"{one.title} {one.release}{which}: {question}"))
    back = "../" + ("in-the-wild.html" if offline else "in-the-wild/")
    other = next(name for name in LANGUAGES if name != language)
    there = f"../../{other}/{FOLDER}/{_file(one.name, answer)}"
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{heading}</title>
<link rel="stylesheet" href="../assets/session.css">
</head>
<body>
<main>
<h1>{heading}</h1>
<p>{_setting(one, language)}</p>
<p><code>{html.escape(came)}</code></p>
<smtp-session focused>
<script type="application/json">{player.data([explanation], said, heading)}</script>
{player.listing(explanation, said)}
</smtp-session>
<p><a href="{back}#{one.kind}s">{word("wild.back", language)}</a> ·
<a href="{there}" hreflang="{other}" lang="{other}">{languages()[LANGUAGES[other]]}</a></p>
</main>
<script src="../assets/player.js"></script>
</body>
</html>
"""


def _setting(one: Found, language: str) -> str:
    """What is said of a configuration, its code as code."""
    _, setting = _recipes()[one.name]
    text = html.escape(translated(setting.about, language))
    parts = text.split("`")
    return "".join(
        f"<code>{_parted(part)}</code>" if n % 2 else part for n, part in enumerate(parts)
    )


def _parted(code: str) -> str:
    """A setting that a narrow column breaks between its words."""
    return re.sub(r"(?<=[_(=])(?=\w)|(?<=[a-z])(?=[A-Z])", "<wbr>", code)


def servers(page: Page) -> str:
    """How each server answers, a table for each group of questions."""
    parts = [_count(page, "server"), "", _figure(page, "server")]
    for group, ids in GROUPS.items():
        parts += ["", f"### {word(f'wild.{group}', page.language)} {{ #{group} }}", ""]
        parts.append(_table(page, "server", [q for q in of("server") if q.id in ids]))
    return "\n".join(parts)


def clients(page: Page) -> str:
    """What each client makes of each server that it meets."""
    asked = _table(page, "client", of("client"))
    return "\n".join([_count(page, "client"), "", _figure(page, "client"), "", asked])


def _count(page: Page, kind: Kind) -> str:
    """How many were asked."""
    rows = surveyed(kind)
    software = len({one.software for one in rows})
    return word(f"wild.count-{kind}", page.language, software=software, rows=len(rows))


def _table(page: Page, kind: Kind, asked: Sequence[Question]) -> str:
    heads = [word(f"wild.{kind}", page.language), *(q.said(page.said) for q in asked)]
    rows = []
    for one in surveyed(kind):
        name = f"**{html.escape(one.title)} {html.escape(one.release)}**"
        cells = [_cell(page, one, question) for question in asked]
        rows.append([f"{name}<br>{_setting(one, page.language)}", *cells])
    return table(heads, rows)


_YES_OR_NO = re.compile(r"\b(?:yes|no)\b(?=$|,| →)")


def _brief(answer: Answer, language: str) -> str:
    """An answer in short, yes and no in the reader's language."""
    said = answer.brief(LANGUAGES[language])
    return _YES_OR_NO.sub(lambda match: word(f"wild.{match[0]}", language), said)


def _whole(answer: Answer, language: str) -> str:
    """All of it; what became of the lists is all that there is to say of them."""
    if answer.text == answer.short:
        return _brief(answer, language)
    return answer.said(LANGUAGES[language])


def _cell(page: Page, one: Found, question: Question) -> str:
    """What came, as a link to the session; and the report, where there is one."""
    answer = one.answer(question.id)
    if answer is None or answer.kind == "unasked":
        return "–"
    if answer.kind == "withheld":
        return f'<a class="chip" href="#withheld">{say(SHOWS["withheld"], page.said)}</a>'
    chip = f"chip {CHIP.get(answer.kind, '')}".strip()
    shown = _brief(answer, page.language) or say(SHOWS[answer.kind], page.said)
    title = html.escape(printable(_whole(answer, page.language)))
    address = f"{page.up}{FOLDER}/{_file(one.name, answer)}"
    link = f'<a class="{chip}" href="{address}" title="{title}">{html.escape(shown)}</a>'
    if answer.public:
        link += f' <a href="{html.escape(answer.public)}">{word("wild.public", page.language)}</a>'
    return link


def _figure(page: Page, kind: Kind) -> str:
    """The picture, and what its numbers and signs mean."""
    alt = word(f"wild.picture-{kind}", page.language)
    asked = "\n".join(f"<li>{html.escape(q.said(page.said))}</li>" for q in of(kind))
    signs = " ".join(
        f'<span><strong style="color:#fff;background:{COLOUR[shows]}">&nbsp;{mark}&nbsp;</strong> '
        f"{say(SHOWS[shows], page.said)}</span>"
        for shows, mark in MARK.items()
        if mark
    )
    width, height = _size(kind)
    return (
        f'<figure class="wild">\n'
        f'<img src="{page.up}{FOLDER}/{kind}s.svg" alt="{alt}" width="{width}" height="{height}"'
        f' style="max-width:{width * 1.4:.0f}px">\n'
        f"<figcaption>\n<p>{signs}</p>\n<details>\n"
        f"<summary>{word('wild.numbers', page.language)}</summary>\n"
        f"<ol>\n{asked}\n</ol>\n</details>\n</figcaption>\n</figure>"
    )


LABEL, CELL, ROW, HEAD, FOOT = 138, 11, 21, 20, 18


def _size(kind: Kind) -> tuple[int, int]:
    return LABEL + CELL * len(of(kind)) + 4, HEAD + ROW * len(surveyed(kind)) + FOOT


def picture(kind: Kind, language: str) -> str:
    """Configurations by questions, in colour, with versions and the date."""
    width, height = _size(kind)
    asked = of(kind)
    rows = surveyed(kind)
    dates = sorted({one.date for one in rows})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<g font-family="system-ui, sans-serif">',
    ]
    for number in range(len(asked)):
        x = LABEL + CELL * number + CELL / 2
        parts.append(
            f'<text x="{x:g}" y="{HEAD - 6}" font-size="7.5" fill="#333" '
            f'text-anchor="middle">{number + 1}</text>'
        )
    for line, one in enumerate(rows):
        y = HEAD + ROW * line
        setting = "" if one.setting == "default" else one.setting
        release = one.release.partition("-")[0]
        name = html.escape(one.title if len(one.title) < 20 else one.title.partition(" ")[0])
        second = html.escape(" ".join(filter(None, (release, setting))))
        parts.append(f'<text x="3" y="{y + 9}" font-size="10" fill="#111">{name}</text>')
        parts.append(f'<text x="3" y="{y + 17.5}" font-size="7.5" fill="#444">{second}</text>')
        for number, question in enumerate(asked):
            answer = one.answer(question.id)
            shows = answer.kind if answer else "unasked"
            mark, colour = MARK[shows], COLOUR[shows]
            x = LABEL + CELL * number
            parts.append(
                f'<rect x="{x + 0.5}" y="{y + 1}" width="{CELL - 1}" height="{ROW - 2}" rx="2" '
                f'fill="{colour}"/>'
            )
            if mark:
                parts.append(
                    f'<text x="{x + CELL / 2:g}" y="{y + 14.5}" font-size="11" fill="#fff" '
                    f'text-anchor="middle">{mark}</text>'
                )
    when = word("wild.measured", language, date=" – ".join(dict.fromkeys((dates[0], dates[-1]))))
    parts.append(f'<text x="3" y="{height - 5}" font-size="9" fill="#444">{when}</text>')
    return "\n".join([*parts, "</g>", "</svg>\n"])


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((SOURCES / "data" / name).read_text(encoding="utf-8"))


def bug_kinds(page: Page) -> str:
    """The kinds of bugs, as links; where they once stood, their addresses lead on."""
    address = page.address("bugs.md")
    rows = (
        f'<li id="bug-{kind}"><a href="{address}#bug-{kind}">'
        f"{html.escape(translated(told['title'], page.language))}</a></li>"
        for kind, told in _toml("bugs.toml")["kind"].items()
    )
    return "\n".join(["<ul>", *rows, "</ul>"])


def _named(bug: dict[str, str], page: Page) -> str:
    if "as" not in bug:
        return bug["software"]
    return f"{bug['software']} ({translated(bug['as'], page.language)})"


def bugs(page: Page) -> str:
    """Bugs of real software, by kind, each with its reference and the experiment that shows it."""
    listed = _toml("bugs.toml")
    parts = []
    for kind, told in listed["kind"].items():
        parts += [f"## {translated(told['title'], page.language)} {{ #bug-{kind} }}", ""]
        rows = [
            [_named(bug, page), f"[{bug['label']}]({bug['url']})", bug["fixed"] or "–"]
            for bug in listed["bug"]
            if bug["kind"] == kind
        ]
        heads = [word(f"wild.{head}", page.language) for head in ("software", "reference", "fixed")]
        parts += [table(heads, rows), ""]
        parts += [f"[{word('wild.see', page.language)}]({path(told['experiment'])})", ""]
    return "\n".join(parts)
