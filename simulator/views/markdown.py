"""The annotated log as Markdown, for a wiki, a ticket or a page.

What a peer sent stands in code, fenced so that nothing in it can end the fence; values inside
prose are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from simulator import smtp
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.needles import late
from simulator.views import esa, outline, prose
from simulator.views.inert import printable
from simulator.views.outline import Row
from simulator.views.view import Page, Story, View, one_by_one

NO_STORY = Story()

_SPECIAL = late(r"[\\`*_{}\[\]()#+\-.!|<>&~$@]|:(?=[\w/+-])")
"""A colon makes links and pictures of what follows it at once (`https://`, `:smile:`)."""

_NAMED = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_BACKSLASHED = frozenset("\\`*_{}[]()#+-.!")
"""What every Markdown takes back from behind a backslash; of the rest some show the backslash."""


def escape(text: str) -> str:
    """Text from outside as plain text of Markdown, on one line."""
    return _SPECIAL.sub(lambda found: _escaped(found[0]), printable(text))


def _escaped(char: str) -> str:
    return f"\\{char}" if char in _BACKSLASHED else _NAMED.get(char, f"&#{ord(char)};")


def code(text: str) -> str:
    """A code span that nothing inside can end."""
    shown = printable(text)
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence(lines: list[str]) -> list[str]:
    """A code block that nothing inside can end."""
    ticks = "`" * max(3, max((_longest_run(line) for line in lines), default=0) + 1)
    return [f"{ticks}text", *lines, ticks]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def render(explanation: Explanation, language: str = SOURCE, *, story: Story = NO_STORY) -> str:
    """The annotated log as Markdown text."""
    shown = outline.of(explanation)
    written = [f"# {escape(prose.title(explanation, story.title))}", ""]
    written += [f"{code(shown.client or '?')} ⇄ {code(shown.server or '?')}", ""]
    for heading, text in ((prose.QUESTION, story.question), (prose.WATCH, story.watch)):
        written += _told(heading, text, language)
    written += [f"**{say(explanation.verdict.outcome, language, escape)}**", ""]
    ground = None
    for row in shown.rows:
        if row.ground != ground:
            ground = row.ground
            written += [f"## {_heading(row, language)}", ""]
        written += _row(row, language)
    for reason in prose.causes_of(explanation):
        written += _cause(reason, language)
    if gap := prose.gap(explanation):
        written += _told(prose.NOT_SHOWN, say(gap.missing, language), language)
        written += _told(prose.LOG_MORE, say(gap.log_more, language), language)
    written += _told(prose.CONCLUSION, story.conclude, language)
    return "\n".join(written).rstrip() + "\n"


def _cause(reason: prose.Reason, language: str) -> list[str]:
    cause = reason.cause
    written = [f"## {reason.mark} {say(cause.title, language)}", ""]
    for heading, text in reason.points(language):
        written += [f"**{heading}:** {text}", ""]
    if cause.citation:
        found = smtp.citations()[cause.citation]
        written += [f"[{found.place}]({found.url}) {found.keyword}".rstrip(), ""]
    if cause.experiment:
        command = {"command": code(f"ehlo-twice replay {cause.experiment}")}
        written += [say(Text(prose.SEE, command), language), ""]
    page = prose.page(cause, language)
    shown = f"<{page}>" if "://" in page else code(page)
    return [*written, say(Text(prose.ON_SITE, {"page": shown}), language), ""]


def _told(heading: str, text: str, language: str) -> list[str]:
    return [f"**{say(heading, language)}:** {escape(text)}", ""] if text else []


def _heading(row: Row, language: str) -> str:
    words = [prose.LOCK[row.secure], say(prose.GROUND[row.secure], language)]
    if row.zone != "document":
        zone = outline.BEFORE if row.zone == "before" else outline.BEYOND
        words.append(f"({say(zone, language)})")
    return " ".join(words)


def _row(row: Row, language: str) -> Iterator[str]:
    arrow = {"client": "←", "server": "→"}.get(row.target, "→") if row.shape == "arrow" else ""
    yield f"### {row.step.index + 1} · {prose.speaker(row, language)} {arrow}".rstrip()
    yield ""
    lines = list(esa.quoted(row.step, language)) or [printable(line) for line in row.text]
    if lines:
        yield from fence(lines)
        yield ""
    yield say(row.step.meaning, language, escape)
    yield ""
    for note in row.notes:
        found = smtp.citations()[note.citation]
        place = f"[{found.place}]({found.url})" + (f" **{found.keyword}**" if found.keyword else "")
        level = "" if note.met else f"**{say(prose.LEVEL[note.level], language)}** · "
        mark = "✓" if note.met else "✗"
        yield f"> {mark} {level}{place} — {say(note.text, language, escape)}"
        yield ""
    ledger = [
        f"- {escape(mark)} {say(prose.HOLDS[side], language)}: {escape(facts)}"
        for side in ("server", "client")
        for mark, facts in prose.changes(row, side, language)
    ]
    if ledger:
        yield from ledger
        yield ""


def _on(explanation: Explanation, page: Page) -> str:
    return render(explanation, page.language, story=page.story)


VIEW = View(
    name="markdown",
    about=N_("the annotated log as Markdown"),
    file="annotated.md",
    render=_on,
    pieces=one_by_one(_on),
    cast=one_by_one(_on),
)
