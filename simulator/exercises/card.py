"""How an exercise looks: in a terminal, and in a notebook.

Every value may have been written by a stranger, and is made harmless on its way out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from html import escape as html_escape

from simulator.exercises.blocks import Block, Code, Items, Say, Steps, Trials
from simulator.explainer import Step
from simulator.language import say
from simulator.rules import Note
from simulator.session import Connect, Disconnect, Handshake
from simulator.smtp import citations
from simulator.views import prose
from simulator.views.document import wire_text
from simulator.views.inert import printable

Blocks = Iterable[Block | Trials]

STYLE = """
.ehlo-card{font:14px/1.5 system-ui,sans-serif;border:1px solid color-mix(in srgb,currentColor 25%,
transparent);border-left:6px solid var(--ink);border-radius:6px;padding:.7em 1.1em;margin:.4em 0;
max-width:60em;--ink:color-mix(in srgb,currentColor 30%,#2f7dd1)}
.ehlo-card.right{--ink:color-mix(in srgb,currentColor 30%,#1f9d57)}
.ehlo-card.wrong{--ink:color-mix(in srgb,currentColor 30%,#d9622b)}
.ehlo-card h3{margin:.1em 0 .5em;font-size:1.1em;color:var(--ink)}
.ehlo-card p{margin:.45em 0}
.ehlo-card.ehlo-card code,.ehlo-card.ehlo-card pre{font-size:.93em;
font-family:ui-monospace,monospace;
background:color-mix(in srgb,currentColor 8%,transparent);color:inherit;
border-radius:3px;padding:0 .25em}
.ehlo-card.ehlo-card pre{padding:.6em .8em;overflow-x:auto;line-height:1.4;margin:.5em 0}
.ehlo-card ol.log{list-style:none;margin:.6em 0;padding:.3em 0;border-block:1px solid
color-mix(in srgb,currentColor 18%,transparent)}
.ehlo-card ol.log li{display:grid;grid-template-columns:2.4em 2em 1fr;gap:0 .3em;padding:.08em .3em;
font-family:ui-monospace,monospace;font-size:.93em;border-left:4px solid #b8860b}
.ehlo-card ol.log li.tls{border-left-color:#1d7f46}
.ehlo-card ol.log li.marked{background:color-mix(in srgb,var(--ink) 16%,transparent);
font-weight:600}
.ehlo-card ol.log .n{opacity:.75;text-align:right;padding-right:.4em}
.ehlo-card ol.log .t{white-space:pre-wrap;overflow-wrap:anywhere}
.ehlo-card ol.log .note{grid-column:3;font:.93em/1.4 system-ui,sans-serif;font-weight:400}
.ehlo-card ol.log .note.broken{color:color-mix(in srgb,currentColor 45%,#d9622b)}
.ehlo-card dl{display:grid;grid-template-columns:max-content 1fr;gap:.25em .8em;margin:.5em 0}
.ehlo-card dt{font-weight:700;font-family:ui-monospace,monospace}.ehlo-card dd{margin:0}
"""
"""Colours are mixed with that of the text, so that they can be read on light and on dark."""


def text(title: str, blocks: Blocks, language: str, *, width: int = 100, mark: str = "") -> str:
    """For a terminal."""
    written = [f"{mark} {title}".strip(), ""]
    for block in blocks:
        lines = list(_text(block, language, width))
        if any(lines):
            written += [*lines, ""]
    return "\n".join(written).rstrip() + "\n"


def _text(block: Block | Trials, language: str, width: int) -> Iterator[str]:
    match block:
        case Say():
            for paragraph in _filled(block, printable).replace("**", "").split("\n"):
                yield from textwrap.wrap(paragraph, width, break_on_hyphens=False) or [""]
        case Code(text=found):
            yield from (f"    {printable(line)}" for line in found.split("\n"))
        case Items(rows=rows):
            for letter, item in rows:
                yield from _text_row(letter, item, width)
        case Trials(rows=rows):
            for about, good in rows:
                yield from _text_row("✓" if good else "✗", about, width)
        case Steps():
            for index in block.indices:
                yield from _text_step(block, block.explanation.steps[index], language, width)


def _text_row(mark: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        printable(text).replace("`", ""),
        width,
        initial_indent=f"  {mark}  ",
        subsequent_indent="     ",
        break_on_hyphens=False,
    )


def _text_step(block: Steps, step: Step, language: str, width: int) -> Iterator[str]:
    pointer = "▸" if step.index in block.marked else " "
    for place, line in enumerate(_lines(step, language)):
        number = f"{step.index + 1:>3}" if not place else "   "
        arrow = _arrow(step) if not place else "   "
        yield f"{pointer if not place else ' '}{number}  {arrow} {line}"
    for note in _notes(block, step):
        yield from textwrap.wrap(
            f"{'✓' if note.met else '✗'} {_cited(note)}: {say(note.text, language, printable)}",
            width,
            initial_indent="          ",
            subsequent_indent="            ",
            break_on_hyphens=False,
        )


def html(title: str, blocks: Blocks, language: str, *, tone: str = "", mark: str = "") -> str:
    """For a notebook: one element, without an empty line in it."""
    parts = [f"<style>{STYLE.replace(chr(10), '')}</style>"]
    parts.append(f'<div class="ehlo-card {tone}" lang="{language.replace("_", "-")}">')
    parts.append(f"<h3>{_inert(f'{mark} {title}'.strip())}</h3>")
    for block in blocks:
        parts += _html(block, language)
    parts.append("</div>")
    return "\n".join(parts)


def _html(block: Block | Trials, language: str) -> Iterator[str]:
    match block:
        case Say():
            for paragraph in _filled(block, _inert).split("\n"):
                if paragraph.strip():
                    yield f"<p>{marked_up(paragraph)}</p>"
        case Code(text=found):
            # Not one line of source is empty: that would end the element in a page from Markdown.
            lines = map(_inert, found.split("\n"))
            yield f"<pre>{'<br>'.join(lines)}</pre>"
        case Items(rows=rows):
            items = (f"<dt>{_inert(k)}</dt><dd>{_item(v)}</dd>" for k, v in rows)
            yield f"<dl>{''.join(items)}</dl>"
        case Trials(rows=rows):
            items = (
                f"<dt>{'✓' if good else '✗'}</dt><dd>{_item(about)}</dd>" for about, good in rows
            )
            yield f"<dl>{''.join(items)}</dl>"
        case Steps():
            yield '<ol class="log">'
            for index in block.indices:
                yield _html_step(block, block.explanation.steps[index], language)
            yield "</ol>"


def _html_step(block: Steps, step: Step, language: str) -> str:
    classes = ["tls"] if step.event.secure or isinstance(step.event, Handshake) else []
    classes += ["marked"] if step.index in block.marked else []
    lines = "<br>".join(map(_inert, _lines(step, language)))
    notes = "".join(
        f'<span class="note{"" if note.met else " broken"}">{"✓" if note.met else "✗"} '
        f"{_inert(_cited(note))}: {_inert(say(note.text, language))}</span>"
        for note in _notes(block, step)
    )
    return (
        f'<li class="{" ".join(classes)}"><span class="n">{step.index + 1}</span>'
        f'<span>{_arrow(step).strip()}</span><span class="t">{lines}</span>{notes}</li>'
    )


def _lines(step: Step, language: str) -> list[str]:
    """What a step says, or is."""
    match step.event:
        case Handshake():
            words = [say("TLS handshake", language), step.event.version, step.event.cipher]
            return [printable(" ".join(filter(None, [*words, step.event.error])))]
        case Connect() | Disconnect():
            return [say(step.meaning, language, printable)]
    lines = [printable(line) for line in wire_text(step)]
    return lines or [say(step.meaning, language, printable)]


def _arrow(step: Step) -> str:
    event = step.event
    if isinstance(event, Handshake):
        return " ◆ "
    if isinstance(event, Connect | Disconnect) or not event.raw:
        return " · "
    to = "client" if type(event).__name__ == "Reply" else "server"
    arrow = prose.ARROW[event.secure, to]
    return arrow.replace("▶", "✗").replace("◀", "✗") if event.lost else arrow


def _notes(block: Steps, step: Step) -> tuple[Note, ...]:
    """Broken rules, and those that were met at the steps to look at."""
    if not block.notes:
        return ()
    return tuple(note for note in step.notes if not note.met or step.index in block.marked)


def _cited(note: Note) -> str:
    citation = citations()[note.citation]
    return " ".join(filter(None, (citation.place, citation.keyword)))


def _filled(block: Say, escape: object) -> str:
    assert callable(escape)
    values = {
        key: escape(value) if isinstance(value, str) else value
        for key, value in block.values.items()
    }
    return block.text.format_map(values)


def _inert(value: str) -> str:
    return html_escape(printable(value)).replace("`", "&#96;") if value else ""


def _item(text: str) -> str:
    return marked_up(html_escape(printable(text)))


def marked_up(paragraph: str) -> str:
    """The little markup that texts have: `code` and **bold**."""
    paragraph = re.sub(r"`([^`]*)`", r"<code>\1</code>", paragraph)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", paragraph)
