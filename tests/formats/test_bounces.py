"""Bounces: who reported, which reply to which command, and nothing that the bounce does not say."""

import base64
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import formats, masking, smtp
from simulator.explainer import explain
from simulator.reading.clean import text
from simulator.session import Command, Connect, Handshake, Remark, Reply, Session
from simulator.views import annotated
from tests.formats import fuzz

CASES = tomllib.loads((Path(__file__).parent / "bounces.toml").read_text("utf-8"))["bounce"]
BOUNCE = next(kind for kind in formats.known() if kind.name == "bounce")


def source(case: dict[str, Any]) -> str:
    """The bounce as it is read."""
    if "base64" not in case:
        return str(case["text"]).lstrip("\n")
    body = base64.encodebytes(case["text"].encode()).decode()
    return (
        "From: postmaster@example.com\nSubject: Undeliverable: hello\nMIME-Version: 1.0\n"
        f"Content-Type: {case['base64']}; charset=utf-8\n"
        f"Content-Transfer-Encoding: base64\n\n{body}"
    )


def told(session: Session) -> list[str | int]:
    """What a session tells: recipient, action, status, command, reply code."""
    word = next(e for e in session.events if isinstance(e, Remark) and e.action)
    reply = next((e for e in session.events if isinstance(e, Reply)), None)
    verb = next((e.verb for e in session.events if isinstance(e, Command)), "")
    if any(isinstance(e, Connect) for e in session.events):
        verb = "(connect)"
    return [session.connection, word.action, word.status, verb, reply.code if reply else 0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_bounce_tells_what_it_tells(case: dict[str, Any]) -> None:
    sessions = list(formats.read(source(case)))
    assert [session.source for session in sessions] == ["bounce"] * len(case["told"])
    assert [told(session) for session in sessions] == case["told"]
    first = sessions[0]
    explained = explain(first)
    assert explained.verdict.tls == case.get("tls")
    assert explained.verdict.ehlo_before_tls is None
    if "reporter" in case:
        assert first.client.name == case["reporter"]
    if "remote" in case:
        assert first.server.name == case["remote"]
    if "argument" in case:
        command = next(e for e in first.events if isinstance(e, Command))
        assert command.argument == case["argument"]
    if "lines" in case:
        assert list(next(e for e in first.events if isinstance(e, Reply)).lines) == case["lines"]
    if "cause" in case:
        assert case["cause"] in explained.verdict.faults


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_no_line_of_a_bounce_is_lost(case: dict[str, Any]) -> None:
    log = source(case)
    sessions = list(BOUNCE.read(text(log).lines))
    assert fuzz.lost(log, BOUNCE, sessions) == []


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_the_status_code_is_explained_with_its_rfc(language: str) -> None:
    session = next(formats.read(source(CASES[0])))
    shown = annotated.render(explain(session), language)
    assert "out.example.com ⇄ mx.example.org" in shown
    assert "550 5.1.1 <lena@example.org>: no such mailbox here" in shown
    assert "RFC 3463 §3.2" in shown


def test_the_message_that_came_back_is_masked() -> None:
    session = next(formats.read(source(CASES[0])))
    returned = [e for e in session.events if isinstance(e, Remark) and e.about == "message"]
    assert any("220 is a number" in e.text for e in returned)
    assert "220 is a number" not in fuzz.said([masking.masked(session)])


def test_the_trace_of_another_connection_is_no_tls_of_this_one() -> None:
    mail = (
        "Received: from a.example.com (a.example.com [192.0.2.1])\n"
        "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384) by b.example.com with ESMTPS\n"
        "From: carla@example.com\nSubject: lunch\nMessage-ID: <1@example.com>\n\nAt noon?\n"
    )
    sessions = list(formats.read(mail))
    assert [explain(session).verdict.tls for session in sessions] == [None]
    assert not any(isinstance(e, Handshake) for e in sessions[0].events)


def test_a_log_that_speaks_of_bounces_is_no_bounce() -> None:
    log = (
        "Nov 26 09:14:02 out postfix/smtp[811]: 4XkQ2n5Vh8: to=<lena@example.org>, "
        "relay=mx.example.org[198.51.100.7]:25, delay=1, dsn=5.1.1, status=bounced (host "
        "mx.example.org[198.51.100.7] said: 550 5.1.1 unknown (in reply to RCPT TO command))\n"
        "Nov 26 09:14:02 out postfix/bounce[812]: 4XkQ2n5Vh8: sender non-delivery notification\n"
        "Nov 26 09:14:03 out postfix/qmgr[80]: 4XkQ2n5Vh8: from=<>, removed: undeliverable\n"
    )
    assert formats.detect(log.splitlines()).name == "postfix"


def test_a_file_of_many_bounces_is_read_one_by_one() -> None:
    mails = "".join(
        f"From MAILER-DAEMON Thu Nov 26 09:14:0{n} 2026\n{source(CASES[0])}\n" for n in range(3)
    )
    assert [told(session)[0] for session in formats.read(mails)] == ["lena@example.org"] * 3


def test_what_a_status_code_means_is_cited() -> None:
    assert smtp.status_detail("5.7.26") == smtp.status_detail("4.7.26")
    assert smtp.status_detail("5.7.26").place == "RFC 7372 §3.4"  # type: ignore[union-attr]
    assert smtp.status_detail("5.7.599").place == "RFC 3463 §3.8"  # type: ignore[union-attr]
    assert smtp.status_class("3.1.1") is None
    assert smtp.status_detail("5.9.1") is None


LINES = [line for case in CASES for line in source(case).split("\n")]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(LINES),
            st.builds(lambda line, cut: line[:cut], st.sampled_from(LINES), st.integers(0, 60)),
            st.text(max_size=40),
        ),
        max_size=40,
    )
)
@settings(max_examples=200)
def test_any_part_of_any_bounce_is_read_and_explained(lines: list[str]) -> None:
    log = "\n".join(lines)
    sessions = list(BOUNCE.read(text(log).lines))
    for session in sessions:
        explain(session)
    assert fuzz.lost(log, BOUNCE, sessions) == []
