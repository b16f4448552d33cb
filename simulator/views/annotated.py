"""The annotated log for a terminal: each line, what it means, which rule says so, and both ledgers
where they change."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Iterator

from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.needles import late
from simulator.rules import Note
from simulator.session import Handshake, Message
from simulator.views import esa, outline, prose
from simulator.views.inert import printable
from simulator.views.outline import Row
from simulator.views.view import Page, Story, View, one_by_one

_STYLES = {
    "title": "1", "clear": "33", "tls": "32", "broken": "1;31", "cite": "36", "quiet": "2",
    "line": "1", "gone": "33;9", "amber": "33", "green": "32",
}  # fmt: skip

INDENT = 5
NO_STORY = Story()


class _Ink:
    """Colour where it is wanted."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour and text else text


def render(
    explanation: Explanation,
    language: str = SOURCE,
    *,
    story: Story = NO_STORY,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The annotated log, `width` columns wide."""
    ink = _Ink(colour)
    shown = outline.of(explanation)
    written = [ink("title", prose.title(explanation, story.title))]
    written.append(ink("quiet", f"{shown.client or '?'} ⇄ {shown.server or '?'}"))
    for heading, text in ((prose.QUESTION, story.question), (prose.WATCH, story.watch)):
        written += _told(heading, text, language, width, ink)
    ground = None
    aside: Text | None = None
    for row in shown.rows:
        if row.ground != ground:
            ground = row.ground
            written += ["", _heading(row, language, width, ink)]
        again = row.shape == "aside" and row.step.meaning == aside
        written += _row(row, language, width, ink, again=again)
        aside = row.step.meaning if row.shape == "aside" else None
    outcome = say(explanation.verdict.outcome, language, printable)
    written += ["", *_wrap(outcome, width, "  ", "  ")]
    findings = explanation.findings
    if findings:
        count = Text(N_("Broken rules: {rules}."), {"rules": _rules(findings)})
        written += [ink("broken", "  " + say(count, language))]
    for reason in prose.causes_of(explanation):
        written += _cause(reason, language, width, ink)
    if gap := prose.gap(explanation):
        written += _told(prose.NOT_SHOWN, say(gap.missing, language), language, width, ink)
        written += _told(prose.LOG_MORE, say(gap.log_more, language), language, width, ink)
    written += _told(prose.CONCLUSION, story.conclude, language, width, ink)
    return "\n".join(written) + "\n"


def _cause(reason: prose.Reason, language: str, width: int, ink: _Ink) -> list[str]:
    cause = reason.cause
    title = say(cause.title, language)
    if cause.citation:
        title += f" ({outline.citation(cause.citation)})"
    style = "quiet" if cause.harmless else "broken"
    head = _wrap(f"{reason.mark} {title}", width, "  ", "    ")
    written = ["", *(ink(style, line) for line in head)]
    for heading, text in reason.points(language):
        written += _wrap(f"{heading}: {text}", width, "    ", "    ")
    if cause.experiment:
        command = {"command": f"ehlo-twice replay {cause.experiment}"}
        written += _wrap(say(Text(prose.SEE, command), language), width, "    ", "    ")
    # Never broken: a terminal makes a link of a whole address only.
    page = {"page": prose.page(cause, language)}
    return [*written, "    " + say(Text(prose.ON_SITE, page), language)]


def _told(heading: str, text: str, language: str, width: int, ink: _Ink) -> list[str]:
    if not text:
        return []
    head = say(heading, language)
    first, *rest = _wrap(f"{head}: {printable(text)}", width, "  ", "  ")
    return ["", first.replace(head, ink("title", head), 1), *rest]


def _rules(findings: tuple[Note, ...]) -> str:
    return ", ".join(dict.fromkeys(note.rule for note in findings))


def _heading(row: Row, language: str, width: int, ink: _Ink) -> str:
    words = [prose.LOCK[row.secure], say(prose.GROUND[row.secure], language)]
    if row.zone != "document":
        zone = outline.BEFORE if row.zone == "before" else outline.BEYOND
        words.append(f"({say(zone, language)})")
    head = " ".join(words)
    fill = ("═" if row.secure else "─") * max(2, width - len(head) - 6)
    return ink("tls" if row.secure else "clear", f"── {head} {fill}")


def _row(row: Row, language: str, width: int, ink: _Ink, *, again: bool = False) -> Iterator[str]:
    """The lines of a row. `again`: one more line beside the dialogue that means the same."""
    pad = " " * INDENT
    number = f"{row.step.index + 1:>3}  "
    ground = "tls" if row.secure else "clear"
    if isinstance(row.step.event, Handshake):
        mark = ink("tls" if not row.step.event.error else "broken", "◆")
        label = say(row.label, language, printable) if row.label else ""
        words = "  ".join([label, *(line for line in row.text if line not in label)])
        yield from _wrap(f"{mark} {words}", width, number, pad)
    elif lines := list(_lines(row, language)):
        arrow = _arrow(row, ink)
        for place, line in enumerate(lines):
            head = f"{number}{arrow} " if not place else f"{pad}{' ' * 4}"
            yield f"{head}{ink('line', line)}"
    else:
        words = say(row.label, language, printable) if row.label else ""
        yield f"{number}{ink(ground, '·')} {ink('quiet', words)}"
    meaning = say(row.step.meaning, language, printable)
    if not again and (row.label is None or meaning != say(row.label, language, printable)):
        yield from _wrap(meaning, width, pad, pad)
    for note in row.notes:
        yield from _note(note, language, width, ink)
    for side in ("server", "client") if row.learned or row.forgotten else ():
        for mark, facts in prose.changes(row, side, language):
            gone = mark == "−"
            text = f"{say(prose.HOLDS[side], language)}: {facts}"
            style = "gone" if gone else "green" if row.secure or row.resets else "amber"
            for wrapped in _wrap(text, width - 2, "", "  "):
                yield f"{pad}{ink('quiet', mark) if wrapped[0] != ' ' else ' '} " + ink(
                    style, wrapped
                )


def _lines(row: Row, language: str) -> list[str]:
    quoted = list(esa.quoted(row.step, language))
    if isinstance(row.step.event, Message) and len(quoted) > outline.MESSAGE_LINES:
        quoted = [*quoted[: outline.MESSAGE_LINES - 1], "…", quoted[-1]]
    return quoted or [printable(line) for line in row.text]


def _arrow(row: Row, ink: _Ink) -> str:
    if row.shape == "note":
        return "✎  "
    if row.shape == "aside":
        return "…  "
    arrow = prose.arrow(row)
    if row.step.event.lost:
        arrow = arrow.replace("▶", "✗").replace("◀", "✗")
    return ink("broken" if row.forged or row.step.event.lost else
               "tls" if row.secure else "clear", arrow)  # fmt: skip


def _note(note: Note, language: str, width: int, ink: _Ink) -> Iterator[str]:
    pad = " " * INDENT
    text = say(note.text, language, printable)
    if note.met:
        head = f"✓ {outline.cited(note)}: "
        style = "cite"
    else:
        head = f"✗ {say(prose.LEVEL[note.level], language)}, {outline.cited(note)}: "
        style = "broken"
    for line in _wrap(f"{head}{text}", width, pad, pad + "  "):
        yield pad + ink(style, line[INDENT:])


_ONE_LINE = late(r"[^\s](?:[^\t\n\x0b\x0c\r]*[^\s])?")


@functools.lru_cache(maxsize=4096)
def _wrap(text: str, width: int, first: str, rest: str) -> tuple[str, ...]:
    if len(first) + len(text) <= width and _ONE_LINE.fullmatch(text):
        return (first + text,)  # as `wrap` would say, at a tenth of the cost
    wrapped = textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
    return tuple(wrapped) or (first.rstrip(),)


def _on(explanation: Explanation, page: Page) -> str:
    return render(
        explanation,
        page.language,
        story=page.story,
        width=page.columns(),
        colour=page.colour,
    )


VIEW = View(
    name="annotated",
    about=N_("each line with direction, lock, meaning, rule and what changes in the ledgers"),
    file="annotated.txt",
    render=_on,
    pieces=one_by_one(_on),
    cast=one_by_one(_on),
)
