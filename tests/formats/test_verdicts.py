"""Every example of a log has its right verdict, and no line of it is lost."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.reading.clean import text
from simulator.session import Command, Message, Remark, Session
from simulator.verdict import Verdict
from simulator.views import annotated, document, esa

HERE = Path(__file__).parent
TRANSCRIPTS = sorted((HERE / "transcripts").glob("*.txt"))
REAL = sorted((HERE / "real").iterdir())
KEYS = (
    "tls", "ehlo_before_tls", "ehlo_after_tls", "second_ehlo", "second_ehlo_reply_code",
    "client_to_server_commands",
)  # fmt: skip


EMPTY = re.compile(r"(?:>>>|->\]|SERVER:|Send:|\[MSG\]|\[EOM\]|readline: b')\W*$")
"""How a line ends whose text is an empty line of the message, or has no word."""


def expectation(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "expected" / f"{path.stem}.json").read_text())
    return found


def misses(verdict: Verdict, expected: dict[str, Any]) -> list[str]:
    """The scored keys that are neither as expected nor one of what else can be defended."""
    accept = expected.get("accept", {})
    wrong = []
    for key in KEYS:
        found = getattr(verdict, key)
        found = list(found) if isinstance(found, tuple) else found
        if found != expected[key] and found not in accept.get(key, []):
            wrong.append(f"{key}: {found!r}, not {expected[key]!r}")
    return wrong


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_has_the_expected_verdict(path: Path) -> None:
    expected = expectation(path)
    sessions = list(formats.read(path))
    assert 1 <= len(sessions) <= 4
    best = min((misses(explain(s).verdict, expected) for s in sessions), key=len)
    assert best == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_log_has_the_right_verdict(path: Path) -> None:
    wanted = tomllib.loads((HERE / "real.toml").read_text())[path.name]["sessions"]
    found = [explain(session).verdict for session in formats.read(path)]
    assert [_short(verdict) for verdict in found] == [
        (w["tls"], w.get("second", ""), w.get("commands", "")) for w in wanted
    ]


def _short(verdict: Verdict) -> tuple[str, str, str]:
    second = f"{verdict.second_ehlo or ''} {verdict.second_ehlo_reply_code or ''}".strip()
    return verdict.tls or "", second, " ".join(verdict.client_to_server_commands)


@pytest.mark.parametrize("path", [*TRANSCRIPTS, *REAL], ids=lambda path: path.name)
def test_no_line_is_lost(path: Path) -> None:
    sessions = list(formats.read(path))
    kept = {event.line for session in sessions for event in session.events}
    said = "\n".join(_said(sessions))
    for number, line in text(path).lines:
        bare = line.replace("\\r", "").replace("\\n", "")
        words = re.findall(r"\w+", bare)
        if number in kept or not words or EMPTY.search(bare):
            continue
        assert words[-1][-40:] in said, f"line {number}: {line}"


def _said(sessions: list[Session]) -> Iterator[str]:
    for session in sessions:
        for event in session.events:
            yield event.raw.decode("utf-8", "replace")
            if isinstance(event, Remark):
                yield event.text


def test_the_body_of_a_message_is_no_dialogue() -> None:
    (session,) = formats.read(HERE / "real" / "git_send_email.txt")
    (message,) = (event for event in session.events if isinstance(event, Message))
    assert b"From: A <a@example.org>" in message.raw
    assert message.size > 500


@pytest.mark.parametrize(
    "name", ["real/server_postfix_default_maillog.log", "transcripts/t130_dma_confusing.txt"]
)
def test_a_log_that_only_tells_is_not_quoted(name: str) -> None:
    (session,) = formats.read(HERE / name)
    found = explain(session)
    told = [step for step in found.steps if isinstance(step.event, Command)]
    assert told
    assert [step.notes for step in found.steps if step.notes] == []
    assert [line for step in told for line in (*document.wire_text(step), *esa.quoted(step))] == []
    assert {fact.kind for fact in found.steps[-1].knowledge.facts} == {"tls"}
    shown = annotated.render(found)
    assert "Sent: " not in shown
    assert "Rcvd: " not in shown
    assert "The log says that a message was accepted." in shown


def test_lines_that_are_no_part_of_the_dialogue_are_told_of_once() -> None:
    (session, *_) = formats.read(HERE / "real" / "openssl_s_client.txt")
    shown = annotated.render(explain(session)).splitlines()
    assert shown.count("     A line that is no part of the dialogue.") < 12
    remarks = [event.text for event in session.events if isinstance(event, Remark)]
    assert len(remarks) > 30
    assert all(any(line.endswith(text.strip()) for line in shown) for text in remarks if text)


def test_a_refused_second_ehlo_is_forgotten_by_nobody() -> None:
    (path,) = (HERE / "transcripts").glob("t131*")
    (session,) = formats.read(path)
    knowledge = explain(session).steps[-1].knowledge
    assert "EHLO example.org" in [fact.label for fact in knowledge.of("server")]
    assert not any(fact.discarded is not None for fact in knowledge.facts)
