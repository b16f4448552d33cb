"""The log as the mail gateway itself would have written it, in English or translated.

Translated as a person would: the prose is rendered, verbs, keywords, codes and host names stay as
sent. In English it is what `--check` compares with the restored document.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator import smtp
from simulator.explainer import Explanation, Step
from simulator.language import N_, SOURCE, Text, say
from simulator.session import AuthResponse, Command, Message, Reply
from simulator.views.document import wire_text
from simulator.views.inert import printable
from simulator.views.outline import BEFORE, BEYOND
from simulator.views.view import Page, View, one_by_one

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
MONTHS = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip

REPLY_PROSE = (
    N_("Go ahead with TLS"),
    N_("Ready to start TLS"),
    N_("End data with <CR><LF>.<CR><LF>"),
    N_("Error: send HELO first"),
    N_("Error: send EHLO first"),
    N_("TLS is already active"),
    N_("TLS not available due to temporary reason"),
    N_("Must issue a STARTTLS command first"),
    N_("AUTH is not offered here"),
    N_("Authentication successful"),
    N_("Authentication credentials invalid"),
    N_("Bye"),
)
"""What people wrote into replies, and can therefore be translated."""

DOCUMENT = N_("the documented log")


def when(explanation: Explanation, step: Step, *, running: bool) -> datetime | None:
    """The log's time of a step. The documented clock stands still; a `running` one goes on."""
    started = explanation.session.started
    if started is None:
        return None
    return started + timedelta(seconds=step.event.at if running else 0)


def stamp(moment: datetime, language: str = SOURCE) -> str:
    """A time as the ESA writes it, such as `Mon May 16 18:34:30 2005`."""
    return say(
        Text(
            N_("{weekday} {month} {day} {time} {year}"),
            {
                "weekday": Text(WEEKDAYS[moment.weekday()]),
                "month": Text(MONTHS[moment.month - 1]),
                "day": f"{moment.day:2d}",
                "time": f"{moment:%H:%M:%S}",
                "year": f"{moment.year}",
            },
        ),
        language,
    )


def quoted(step: Step, language: str = SOURCE, *, rendered: bool = False) -> Iterator[str]:
    """The lines of a step as the log quotes them, such as `Sent: 'EHLO mx4.example.com'`.

    Quoted is what crossed the wire; `rendered` puts what a person wrote into a reply in `language`,
    as a whole log in that language would have it. Nothing for what the ESA's log does not show,
    such as the handshake, or what the server takes out of a message.
    """
    match step.event:
        case _ if step.event.by == "message":
            return
        case Command() | AuthResponse() | Message():
            mark = say(N_("Sent"), language)
        case Reply():
            mark = say(N_("Rcvd"), language)
        case _:
            return
    for line in wire_text(step):
        shown = line
        if rendered and isinstance(step.event, Reply):
            shown = translated(line, language)
        yield f"{mark}: '{printable(shown)}'"


def translated(line: str, language: str) -> str:
    """A reply line with its human part in `language`, where that is known."""
    parsed = smtp.parse_reply_line(line)
    if language == SOURCE or not parsed:
        return line
    enhanced = smtp.enhanced_code(parsed.text)
    prose = parsed.text[len(enhanced) :].strip()
    if prose not in REPLY_PROSE:
        return line
    return f"{line[:4]}{f'{enhanced} ' if enhanced else ''}{say(prose, language)}"


def lines(
    explanation: Explanation, language: str = SOURCE, *, running: bool = False
) -> Iterator[tuple[Step, str]]:
    """Every log line with the step it belongs to."""
    session = explanation.session
    info = say(N_("Info"), language)
    for step in explanation.steps:
        moment = when(explanation, step, running=running or session.documented is None)
        head = f"{stamp(moment, language)} {info}: " if moment else f"{info}: "
        for line in quoted(step, language, rendered=True):
            yield step, f"{head}{printable(session.connection)} {line}"


def documented(explanation: Explanation, *, running: bool = False) -> list[str]:
    """The log lines of the documented part, in English; all lines where there is no document."""
    first, last = explanation.session.documented or (0, len(explanation.steps))
    return [
        line for step, line in lines(explanation, running=running) if first <= step.index <= last
    ]


def render(explanation: Explanation, language: str = SOURCE, *, running: bool = False) -> str:
    """The whole log. What the document does not show stands under a line that says so."""
    first, last = explanation.session.documented or (0, len(explanation.steps))
    written = []
    zone = ""
    for step, line in lines(explanation, language, running=running):
        here = BEFORE if step.index < first else BEYOND if step.index > last else ""
        if here != zone:
            written.append(f"--- {say(here or DOCUMENT, language)} ---")
            zone = here
        written.append(line)
    return "\n".join(written) + "\n"


def _on(explanation: Explanation, page: Page) -> str:
    return render(explanation, page.language, running=page.running)


VIEW = View(
    name="esa",
    about=N_("the log as the mail gateway would have written it"),
    file="log.txt",
    render=_on,
    pieces=one_by_one(_on),
)
