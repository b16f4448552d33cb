"""A log in a layout that nobody knows, read by what looks like SMTP in its lines alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading import fragments, signs
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue
from simulator.reading.format import Format
from simulator.session import Command, Remark, Session

_LOGIN = late(r"[A-Za-z0-9+/]{4,}={0,2}|\*{4,}|[<\[(][^<>]{2,40}[>\])]")


def detect(head: str, telling: list[str]) -> float:
    """It reads any log, and none better than one who knows it."""
    return 0.01 if any(map(fragments.of, telling)) else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("fragments")
    for line in lines:
        if line.text:
            _take(desk, line)
        yield from desk.done()
    yield from desk.finish()


def _take(desk: Desk, line: Line) -> None:
    found = fragments.of(line.text)
    latest = desk.latest
    if latest is not None and latest.in_message:
        if not any(f.who == "server" and latest.takes_reply(f.text) for f in found):
            latest.message(line.text, line.number)
            return
    if not found:
        _unsaid(desk, line)
    if (answers := _TO.search(line.text[:200])) is not None:
        asked = desk.speak("", "client", answers[1], line.number, line.text)
        asked.unquote()
        asked.told = True
    for fragment in found:
        if latest is not None and fragment.who == "server" and latest.retells(fragment.text):
            desk.remark(line.text, line.number)
        elif (
            latest is not None
            and fragment.who == "client"
            and (_names_again(latest, fragment, line) or _blames(latest, fragment, line))
        ):
            desk.remark(line.text, line.number)
        else:
            said = desk.speak("", fragment.who, fragment.text, line.number, line.text)
            if fragment.who == "server":
                continue
            if len(found) == 1 and fragments.complains(line.text):
                said.unquote()
                said.told = said.told or not said.hears
                desk.remark(line.text, line.number)
            elif len(found) > 1 and fragment.text.endswith(":") and not said.hears:
                # An error names the command that was refused, and not what it was about.
                said.unquote()
                said.told = True


_TO = late(
    r"(?i)\b(?:reply|response|answer|antwort|resposta|respuesta|réponse|risposta)"
    r" (?:to|auf|a|à|al) \W?(ehlo|helo|starttls|auth|quit)\b[^\w:=]{0,3}[:=]\s{0,4}[2-5]\d\d\b"
)
"""A program that prints what came back, and after what: `reply to starttls: 503`."""

_NAMED = late(r"\W{0,3}[A-Za-z_.-]{1,40}[\"']?\s{0,4}(?:=>?|:)\s{0,4}[\"']")


def _names_again(latest: Dialogue, fragment: fragments.Fragment, line: Line) -> bool:
    """Whether a value only names the command that a complaint above it was about."""
    said = next((e for e in reversed(latest.events) if not isinstance(e, Remark)), None)
    return (
        isinstance(said, Command)
        and said.told
        and said.verb == fragment.key[1]
        and _NAMED.match(line.text.strip()) is not None
        and not fragments.complains(line.text)
    )


_BLAMED = late(
    r"(?i)\b(?:error|fail(?:ed|ure)?|could not|cannot|unable)\b[^:]{0,60}\bcommand ?: ?[\"'`<(]?"
    r"(?P<text>[A-Z].*)"
)


def _blames(latest: Dialogue, fragment: fragments.Fragment, line: Line) -> bool:
    """Whether an error repeats the command that it is about, which was the last to be shown."""
    blamed = _BLAMED.search(line.text[: fragments.LONGEST])
    if blamed is None or not blamed["text"].startswith(fragment.text):
        return False
    said = next((e for e in reversed(latest.events[-20:]) if isinstance(e, Command)), None)
    return said is not None and not said.told and said.verb == fragment.key[1].split(" ")[0]


def _unsaid(desk: Desk, line: Line) -> None:
    """A line without a fragment: a login's, or one that tells of TLS where nothing else does."""
    latest = desk.latest
    last = line.text.rstrip().split(" ")[-1].strip("'\"")
    if latest is not None and latest.in_login and _LOGIN.fullmatch(last):
        desk.speak("", "client", last, line.number, line.text)
        return
    if latest is None and not desk.count and _tells_of_tls(line.text):
        version, cipher = signs.parameters(line.text)
        desk.of("", line.text).tls(line.number, version=version, cipher=cipher)
    desk.remark(line.text, line.number)


def _tells_of_tls(text: str) -> bool:
    """Whether a program says that TLS came about; a person's sentence may be about anything."""
    return signs.established(text) and (signs.written(text) or text.count(" ") < SENTENCE)


SENTENCE = 9
"""Blanks in a line of so many words that a person must have written it."""

FORMAT = Format(
    name="fragments",
    title=N_("A log in a layout that nobody knows, by what looks like SMTP in it"),
    log_more=N_(
        "Look for a debug or protocol log level, or put a capture (tcpdump port 25) beside it."
    ),
    detect=detect,
    read=read,
    fallback=True,
)
