"""A summary of many sessions: a table with bars, for a terminal, as Markdown or as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from simulator.causes import causes
from simulator.language import N_, SOURCE, say
from simulator.rules import rules
from simulator.session import as_json
from simulator.summary import Summary
from simulator.views.markdown import escape
from simulator.views.table import columns

TLS = {
    "established": N_("TLS was established"),
    "implicit": N_("TLS from the first byte"),
    "refused": N_("STARTTLS refused"),
    "not_offered": N_("STARTTLS not offered"),
    "failed": N_("handshake failed"),
    "not_attempted": N_("STARTTLS offered, not used"),
    "unknown": N_("not shown"),
}
SECOND = {
    "sent": N_("second EHLO sent"),
    "missing": N_("second EHLO missing"),
    "n/a": N_("no second EHLO needed"),
    "unknown": N_("not shown"),
}
HEADINGS = (N_("TLS"), N_("Second EHLO"), N_("Problems by cause"), N_("Rules broken"))
SESSIONS = N_("Sessions")
PROBLEMS = N_("with problems")
DELIVERED = N_("with a message accepted")
IN_CLEAR = N_("with a message in the clear")

BAR = 40
"""Columns of the longest bar."""

Row = tuple[str, int]


def _groups(summary: Summary, language: str) -> Iterator[tuple[str, list[Row]]]:
    yield (
        say(SESSIONS, language),
        [
            (say(SESSIONS, language), summary.sessions),
            (say(PROBLEMS, language), summary.problems),
            (say(DELIVERED, language), summary.delivered),
            (say(IN_CLEAR, language), summary.in_clear),
        ],
    )
    why = {cause.id: cause.title for cause in causes().values()}
    broken = {rule.id: rule.text for rule in rules()}
    for heading, names, counts in (
        (HEADINGS[0], TLS, summary.tls),
        (HEADINGS[1], SECOND, summary.second_ehlo),
        (HEADINGS[2], why, summary.faults),
        (HEADINGS[3], broken, summary.faults),
    ):
        found = [(say(names[key], language), n) for key, n in counts.most_common() if key in names]
        if found:
            yield say(heading, language), found


def render(summary: Summary, language: str = SOURCE) -> str:
    """The summary as plain text, each count with a bar."""
    written: list[str] = []
    for heading, rows in _groups(summary, language):
        cells = [(label, f"{count}", _bar(count, summary.sessions)) for label, count in rows]
        written += [heading, *(f"  {line}" for line in columns(cells)), ""]
    return "\n".join(written)


def _bar(count: int, total: int) -> str:
    eighths = round(BAR * 8 * count / total) if total else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[part] if part else "") or ("▏" if count else "")


def markdown(summary: Summary, language: str = SOURCE) -> str:
    """The summary as Markdown tables."""
    written: list[str] = []
    for heading, rows in _groups(summary, language):
        written += [f"## {heading}", "", "| | |", "| --- | ---: |"]
        written += [f"| {escape(label)} | {count} |" for label, count in rows]
        written.append("")
    return "\n".join(written)


def json(summary: Summary) -> str:
    """The counts as JSON."""
    return as_json(
        {"format": "ehlo-twice/summary", "version": 1, **msgspec.structs.asdict(summary)}
    )
