"""What came of a check, for a person, for a program, and for a CI that reads JUnit's XML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from simulator.checks.cases import Result, Status
from simulator.explainer import explain
from simulator.language import N_, SOURCE, Text, say
from simulator.session import Handshake, Reply, as_json
from simulator.views import annotated
from simulator.views.inert import printable
from simulator.views.prose import LEVEL, REMEDY

FORMAT = "ehlo-twice/check"

STATUS: dict[Status, str] = {
    "passed": N_("passed"),
    "failed": N_("failed"),
    "unclear": N_("unclear"),
    "skipped": N_("skipped"),
}
MARK: dict[Status, str] = {"passed": "✓", "failed": "✗", "unclear": "?", "skipped": "·"}
STYLE: dict[Status, str] = {"passed": "32", "failed": "1;31", "unclear": "33", "skipped": "2"}

Ink = Callable[[str, str], str]
"""Gives a text in a style of the terminal (SGR), or as it is."""


def plain(_style: str, text: str) -> str:
    """No colour."""
    return text


def line(result: Result, language: str = SOURCE, ink: Ink = plain) -> str:
    """One result on one line: its mark, the case's name, and its title."""
    head = ink(STYLE[result.status], f"{MARK[result.status]} {result.case.id:<24}")
    return f"{head}  {result.case.titled(language)}"


def told(
    result: Result, language: str = SOURCE, width: int = 100, ink: Ink = plain
) -> Iterator[str]:
    """The lines of one result: what is not as it should be with its reason, place and remedy."""
    case = result.case
    yield line(result, language, ink)
    if result.status == "passed":
        return
    pad = " " * 4

    def wrapped(text: str) -> list[str]:
        return textwrap.wrap(
            text, width, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False
        )

    yield from wrapped(say(result.why, language, printable))
    if result.status == "skipped":
        return
    level = say(LEVEL[case.level], language)
    cited = case.cited
    place = " ".join(filter(None, (cited.place, cited.keyword)))
    head = f"{level}, {place}" if result.status == "failed" else place
    yield from wrapped(f"{head}: “{cited.quote}”")
    if result.status == "failed":
        yield from wrapped(f"{say(REMEDY, language)}: {case.fixed(language)}")


def sessions(result: Result, language: str = SOURCE, width: int = 100) -> Iterator[str]:
    """The sessions that show it, annotated."""
    for session in result.sessions:
        yield annotated.render(explain(session), language, width=width)


def summary(results: Sequence[Result], language: str = SOURCE) -> str:
    """How many passed, and how many did not."""
    counts: dict[str, int | str] = {
        status: sum(result.status == status for result in results) for status in STATUS
    }
    text = N_("{passed} passed, {failed} failed, {unclear} unclear, {skipped} skipped")
    return say(Text(text, counts), language)


def facts(results: Sequence[Result], language: str = SOURCE) -> list[tuple[str, str]]:
    """What was learned of a server beside the cases: its lists, TLS versions, certificate."""
    events = [event for result in results for s in result.sessions for event in s.events]
    found: dict[str, str] = {}
    for event in events:
        match event:
            case Reply(code=250, lines=lines) if len(lines) > 1:
                label = N_("list inside TLS") if event.secure else N_("list in the clear")
                found.setdefault(label, " · ".join(lines[1:]))
            case Handshake(error="", server_certificate=shown):
                seen = found.get(N_("TLS"), "")
                how = f"{event.version} ({event.cipher})"
                if how not in seen:
                    found["TLS"] = " · ".join(filter(None, (seen, how)))
                if shown:
                    found[N_("certificate for")] = ", ".join(shown.names or (shown.subject,))
                    found[N_("issued by")] = shown.issuer
                    found[N_("valid until")] = shown.not_after
    return [(say(label, language), printable(value)) for label, value in found.items()]


def as_document(
    subject: str, results: Sequence[Result], language: str = SOURCE
) -> dict[str, object]:
    """The results as plain values: cases with citation, reason and sessions."""
    return {
        "format": FORMAT,
        "version": 1,
        "language": language,
        "subject": subject,
        "passed": not any(result.bad for result in results),
        "cases": [
            {
                "id": result.case.id,
                "status": result.status,
                "level": result.case.level,
                "title": result.case.titled(language),
                "why": say(result.why, language, printable),
                "fix": result.case.fixed(language) if result.status == "failed" else "",
                "citation": {
                    "place": result.case.cited.place,
                    "keyword": result.case.cited.keyword,
                    "quote": result.case.cited.quote,
                    "url": result.case.cited.url,
                },
                "sessions": result.sessions,
            }
            for result in results
        ],
    }


def json(subject: str, results: Sequence[Result], language: str = SOURCE) -> str:
    """The same as JSON text."""
    return as_json(as_document(subject, results, language))


def junit(
    subject: str, results: Sequence[Result], language: str = SOURCE, *, strict: bool = False
) -> str:
    """The XML that CI servers read: a test for each case; what could not be told is an error, and
    a risk is a failure only where it is `strict`."""
    suite = Element(
        "testsuite",
        name=f"ehlo-twice check {subject}",
        tests=str(len(results)),
    )
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for result in results:
        case = SubElement(
            suite,
            "testcase",
            classname=f"ehlo-twice.{subject.partition(' ')[0]}",
            name=f"{result.case.id}: {result.case.titled(language)}",
        )
        kind = _KIND.get(result.status, "")
        if kind == "failure" and result.case.level == "risk" and not strict:
            kind = ""
        if kind:
            counts[kind] += 1
            why = say(result.why, language, printable)
            SubElement(case, kind, message=_legal(why)).text = _legal(
                "\n".join(told(result, language))
            )
        if result.status in ("failed", "unclear"):
            SubElement(case, "system-out").text = _legal("\n".join(sessions(result, language)))
    for name, key in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(counts[key]))
    indent(suite)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        + tostring(suite, encoding="unicode", short_empty_elements=True)
        + "\n"
    )


_KIND = {"failed": "failure", "unclear": "error", "skipped": "skipped"}
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no place for."""


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
