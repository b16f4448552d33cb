"""Explanations spelt out: everything the other views show, in the words of one language.

It feeds the player, in which nothing may be left to work out; what programs keep is the view
`json`, which leaves out what can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from simulator import smtp
from simulator.causes import DEGREES, Degree, Told, causes, missing
from simulator.explainer import Explanation, Step
from simulator.knowledge import Fact
from simulator.language import N_, SOURCE, Text, say
from simulator.needles import late
from simulator.rules import Note
from simulator.session import (
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
    Side,
    Trace,
    as_json,
)


class SaidFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of a ledger, as shown."""

    label: str
    kind: str
    secure: bool
    learned: int


class SaidNote(msgspec.Struct, frozen=True, kw_only=True):
    """A rule met or broken, with its citation spelled out."""

    rule: str
    level: str
    met: bool
    text: str
    place: str
    keyword: str
    quote: str
    url: str


class SaidLedger(msgspec.Struct, frozen=True, kw_only=True):
    """What each side knows: `server` of the client, `client` of the server."""

    server: tuple[SaidFact, ...]
    client: tuple[SaidFact, ...]


class SaidStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event with its prose. `text` is what was said, line by line, in SMTP's own words."""

    index: int
    kind: str
    at: float
    by: str
    to: str
    secure: bool
    lost: bool
    stale: bool
    documented: bool
    text: tuple[str, ...]
    meaning: str
    notes: tuple[SaidNote, ...]
    learned: SaidLedger
    discarded: SaidLedger
    ledger: SaidLedger
    answers: int | None
    heard_as: int | None


class SaidCause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a session failed and what to do about it.

    `degree` is how sure that is (`said_degree` in words), `ruled_out` what would have to be seen
    for it to be wrong; `lines` of the log (from 1) and `steps` (by their index) show it.
    `experiment` is a scenario that shows it, and `page` the place on the site that tells of it.
    """

    id: str
    degree: Degree
    said_degree: str
    lines: tuple[int, ...]
    steps: tuple[int, ...]
    title: str
    cause: str
    ruled_out: str
    remedy: str
    place: str
    keyword: str
    url: str
    experiment: str
    page: str


class SaidVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, with its sentence in prose; the other keys are those of `verdict.Verdict`."""

    format: str
    tls: str | None
    ehlo_before_tls: int | None
    ehlo_after_tls: int | None
    second_ehlo: str | None
    second_ehlo_reply_code: int | None
    client_to_server_commands: tuple[str, ...]
    delivered: bool | None
    in_clear: bool
    faults: tuple[str, ...]
    outcome: str
    causes: tuple[SaidCause, ...]
    not_shown: str
    understood: float


class SpeltSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session, explained."""

    title: str
    session: Session
    steps: tuple[SaidStep, ...]
    verdict: SaidVerdict


class SpeltOut(msgspec.Struct, frozen=True, kw_only=True):
    """One or more explained sessions in one language."""

    format: Literal["ehlo-twice/explanation"] = "ehlo-twice/explanation"
    version: Literal[1] = 1
    language: str
    sessions: tuple[SpeltSession, ...]


_BARE = late(r"(?<!\r)\n")
"""A line feed alone, which does not end a line (RFC 5321 §2.3.8)."""


def wire_text(step: Step) -> tuple[str, ...]:
    """What was said at a step, in SMTP's own words; empty for events that say nothing in SMTP."""
    match step.event:
        case Command(told=True, argument=""):
            return ()
        case Reply(told=True, lines=lines) if not any(lines):
            return ()
        case Reply(code=0, lines=lines):
            return lines
        case Reply(code=code, lines=(line,)):
            return (f"{code:03d} {line}".rstrip(),)
        case Reply(code=code, lines=lines):
            last = len(lines) - 1
            return tuple(
                f"{code:03d}{'-' if i < last else ' '}{line}".rstrip()
                for i, line in enumerate(lines)
            ) or (f"{code:03d}",)
        case Command(verb=verb, argument=argument):
            return (f"{verb} {argument}".strip(),)
        case Remark(text=text):
            return tuple(text.split("\n"))
        case AuthResponse(text=text) | Trace(text=text):
            return (text,)
        case Message(raw=raw):
            return tuple(_BARE.sub(r"<LF>\n", raw.decode("utf-8", "replace")).splitlines())
        case Handshake(error="", version=version, cipher=cipher):
            return (f"{version} {cipher}".strip(),)
        case Handshake(detail=detail):
            return (detail,) if detail else ()
        case Connect() | Disconnect():
            return ()
    raise TypeError(f"no text for {type(step.event).__name__}")


def direction(step: Step) -> str:
    """To which side an event goes: `server`, `client`, `both`, or `` for none."""
    match step.event:
        case Connect() | Command() | AuthResponse() | Message():
            return "server"
        case Reply():
            return "client"
        case Handshake():
            return "both"
        case Disconnect(by=by):
            return "client" if by == "server" else "server"
    return ""


def document(
    explanations: Iterable[Explanation], language: str = SOURCE, title: str = ""
) -> SpeltOut:
    """All of the explanations as one document, under one title or each under what names its
    session. Raises `UnknownLanguage`."""
    return SpeltOut(
        language=language,
        sessions=tuple(_entry(explanation, language, title) for explanation in explanations),
    )


def render(explanation: Explanation, language: str = SOURCE, title: str = "") -> str:
    """One explanation as JSON text, indented for people."""
    return as_json(document([explanation], language, title))


def _entry(explanation: Explanation, language: str, title: str) -> SpeltSession:
    session = explanation.session
    return SpeltSession(
        title=title or session.name,
        session=session,
        steps=tuple(_step(step, session, language) for step in explanation.steps),
        verdict=said_verdict(explanation, language),
    )


def said_verdict(explanation: Explanation, language: str) -> SaidVerdict:
    """The verdict with its sentences and causes in `language`. Raises `UnknownLanguage`."""
    session = explanation.session
    verdict = msgspec.structs.asdict(explanation.verdict)
    verdict["outcome"] = say(explanation.verdict.outcome, language)
    gap = missing(session, explanation.verdict.tls, explanation.verdict.second_ehlo)
    verdict["not_shown"] = say(gap, language) if gap and session.source != "lab" else ""
    verdict["causes"] = tuple(_cause(told, language) for told in explanation.verdict.causes)
    return SaidVerdict(**verdict)


def _cause(told: Told, language: str) -> SaidCause:
    cause = causes()[told.id]
    citation = smtp.citations().get(cause.citation)
    return SaidCause(
        id=cause.id,
        degree=told.degree,
        said_degree=say(DEGREES[told.degree], language),
        lines=told.lines,
        steps=told.events,
        title=say(cause.title, language),
        cause=say(cause.cause, language),
        ruled_out=say(cause.ruled_out, language),
        remedy=say(cause.remedy, language),
        place=citation.place if citation else "",
        keyword=citation.keyword if citation else "",
        url=citation.url if citation else "",
        experiment=cause.experiment,
        page=f"causes/#{cause.id}",
    )


def _step(step: Step, session: Session, language: str) -> SaidStep:
    event = step.event
    first, last = session.documented or (0, len(session.events) - 1)
    # The documented log has no line for it.
    shakes = isinstance(event, Handshake)
    return SaidStep(
        index=step.index,
        kind=str(event.__struct_config__.tag),
        at=event.at,
        by=event.by,
        to=direction(step),
        secure=event.secure,
        lost=event.lost,
        stale=event.stale,
        documented=first <= step.index <= last and not (session.documented and shakes),
        text=wire_text(step),
        meaning=say(step.meaning, language),
        notes=tuple(said_note(note, language) for note in step.notes),
        learned=_ledger(step.knowledge.learned_at(step.index), language),
        discarded=_ledger(step.knowledge.discarded_at(step.index), language),
        ledger=_ledger((*step.knowledge.of("server"), *step.knowledge.of("client")), language),
        answers=step.answers,
        heard_as=step.heard_as,
    )


def _ledger(facts: Iterable[Fact], language: str) -> SaidLedger:
    return SaidLedger(**said_facts(facts, language))


def said_facts(facts: Iterable[Fact], language: str) -> dict[Side, tuple[SaidFact, ...]]:
    """The facts that each side holds, as shown. Raises `UnknownLanguage`."""
    said: dict[Side, list[SaidFact]] = {"server": [], "client": []}
    for fact in facts:
        said[fact.holder].append(
            SaidFact(
                label=label(fact, language),
                kind=fact.kind,
                secure=fact.secure,
                learned=fact.learned,
            )
        )
    return {side: tuple(found) for side, found in said.items()}


def label(fact: Fact, language: str) -> str:
    """A fact as it is shown: protocol tokens as they are, a certificate in words."""
    if fact.kind == "tls" and fact.name == "certificate":
        return say(Text(N_("certificate of {name}"), {"name": fact.value}), language)
    return fact.label


def said_note(note: Note, language: str) -> SaidNote:
    """A note with its citation spelt out. Raises `UnknownLanguage`."""
    citation = smtp.citations()[note.citation]
    return SaidNote(
        rule=note.rule,
        level=note.level,
        met=note.met,
        text=say(note.text, language),
        place=citation.place,
        keyword=citation.keyword,
        quote=citation.quote,
        url=citation.url,
    )
