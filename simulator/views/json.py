"""Explanations as JSON, for programs: what was recorded, what it means, and the verdict.

The session inside is complete, so that reading the document back loses nothing. A step says what
its event does not, and refers to it by its index; what has nothing to say of an event is left out,
as everything is that has the value which the schema gives as its default. `document` spells all of
it out, for the player.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from simulator import explainer
from simulator.explainer import Explanation
from simulator.knowledge import Fact
from simulator.language import N_, SOURCE, say
from simulator.session import Remark, Session, as_json
from simulator.views import document
from simulator.views.document import SaidFact, SaidNote, SaidVerdict
from simulator.views.view import View


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to the ledgers: `server` is what the server knows of the client, `client` what
    the client knows of the server."""

    server: tuple[SaidFact, ...] = ()
    client: tuple[SaidFact, ...] = ()


NOTHING = Facts()


class SaidEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of one event: of the session's `events` the one with this `index`, from 0.

    `answers` is the index of the command that a reply answers, `heard_as` that of what a middlebox
    made of an event. Lines that are no part of the dialogue, and to which no rule speaks, have no
    step.
    """

    index: int
    meaning: str = ""
    notes: tuple[SaidNote, ...] = ()
    learned: Facts = NOTHING
    discarded: Facts = NOTHING
    answers: int | None = None
    heard_as: int | None = None


class SaidSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session, explained."""

    title: str
    session: Session
    steps: tuple[SaidEvent, ...]
    verdict: SaidVerdict


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One or more explained sessions in one language."""

    format: Literal["ehlo-twice/explanation"] = "ehlo-twice/explanation"
    version: Literal[2] = 2
    language: str
    sessions: tuple[SaidSession, ...]


def explained(
    explanations: Iterable[Explanation], language: str = SOURCE, title: str = ""
) -> Explained:
    """All of the explanations as one document, under one title or each under what names its
    session. Raises `UnknownLanguage`."""
    return Explained(
        language=language,
        sessions=tuple(_entry(explanation, language, title) for explanation in explanations),
    )


def render(explanation: Explanation, language: str = SOURCE, title: str = "") -> str:
    """One explanation as JSON text, indented for people."""
    return as_json(explained([explanation], language, title))


def pieces(explanations: Iterable[Explanation], language: str = SOURCE) -> Iterator[str]:
    """A document of any number of sessions as JSON text, a session on each line."""
    whole = as_json(explained([], language), indented=False)
    head, _, tail = whole.rpartition("[]")
    yield f"{head}["
    for number, explanation in enumerate(explanations):
        entry = as_json(_entry(explanation, language), indented=False)
        yield ("," if number else "") + "\n" + entry.rstrip("\n")
    yield f"\n]{tail}"


def schema() -> dict[str, object]:
    """The JSON Schema of a document (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ehlo-twice explanation, version 2",
        **msgspec.json.schema(Explained),
    }


def _entry(explanation: Explanation, language: str, title: str = "") -> SaidSession:
    session = explanation.session
    return SaidSession(
        title=title or session.name,
        session=session,
        steps=tuple(
            _said(step, language)
            for step in explanation.steps
            if step.notes or not isinstance(step.event, Remark)
        ),
        verdict=document.said_verdict(explanation, language),
    )


def _said(step: explainer.Step, language: str) -> SaidEvent:
    return SaidEvent(
        index=step.index,
        meaning=say(step.meaning, language),
        notes=tuple(document.said_note(note, language) for note in step.notes),
        learned=_facts(step.knowledge.learned_at(step.index), language),
        discarded=_facts(step.knowledge.discarded_at(step.index), language),
        answers=step.answers,
        heard_as=step.heard_as,
    )


def _facts(facts: Iterable[Fact], language: str) -> Facts:
    said = document.said_facts(facts, language)
    return Facts(**said) if any(said.values()) else NOTHING


VIEW = View(
    name="json",
    about=N_("everything, for programs; reading it back loses nothing"),
    file="explanation.json",
    render=lambda explanation, page: render(explanation, page.language, page.story.title),
    pieces=lambda explanations, page: pieces(explanations, page.language),
)
