"""Every scenario is played once for all tests that look at it."""

import re
from functools import cache

from simulator import explainer
from simulator.explainer import Explanation
from simulator.lab import load, play
from simulator.language import say
from simulator.session import Handshake, Session, Trace
from simulator.views.document import wire_text


@cache
def session(name: str) -> Session:
    return play(load(name))


@cache
def explanation(name: str) -> Explanation:
    return explainer.explain(session(name))


def retold(found: Explanation) -> list[str]:
    """All that is said of a session but times, ports and what TLS makes up anew each time."""
    lines = []
    for step in found.steps:
        event = step.event
        text = " / ".join(wire_text(step)) if not isinstance(event, Handshake) else event.error
        if isinstance(event, Trace):
            text = text.partition(";")[0]
        marks = " ".join(mark for mark in ("secure", "lost", "stale") if getattr(event, mark))
        lines.append(f"{step.index} {event.by} {type(event).__name__} [{marks}] {text}")
        lines.append(f"  {say(step.meaning).partition(';')[0]} {step.answers} {step.heard_as}")
        lines += [f"  {note.rule} {note.met} {say(note.text)}" for note in step.notes]
        lines += [
            f"  + {fact.holder} {fact.label}" for fact in step.knowledge.learned_at(step.index)
        ]
    lines.append(f"{found.verdict.tls} {found.verdict.second_ehlo} {say(found.verdict.outcome)}")
    return lines


def received(found: Session) -> str:
    """Name and protocol of the Received line, or a hyphen."""
    for event in found.events:
        if isinstance(event, Trace):
            match = re.search(r"from (\S+) .* with (\w+);", event.text)
            assert match, event.text
            return f"{match[1]} {match[2]}"
    return "-"
