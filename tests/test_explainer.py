"""The explanation is true of any session: cut anywhere, hostile, long, or made of nonsense."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import smtp
from simulator.explainer import Explanation, explain
from simulator.lab import names
from simulator.language import languages, say
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
    Trace,
)
from tests.playing import explanation, session


def everything_said(found: Explanation) -> list[str]:
    said = [say(found.verdict.outcome)]
    for step in found.steps:
        said.append(say(step.meaning))
        said += [say(note.text) for note in step.notes]
    return said


@pytest.mark.parametrize("name", names())
def test_a_session_cut_after_any_event_is_explained_truly(name: str) -> None:
    whole = explanation(name)
    for length in range(len(whole.steps) + 1):
        cut = explain(session(name).until(length))
        assert len(cut.steps) == length
        for step, same in zip(cut.steps, whole.steps, strict=False):
            assert step.meaning == same.meaning
            assert step.notes == same.notes
            assert step.knowledge == same.knowledge
        events = cut.session.events
        verdict = cut.verdict
        assert set(verdict.faults) <= set(whole.verdict.faults)
        if verdict.delivered:
            assert any(
                isinstance(event, Message)
                or (isinstance(event, Command) and smtp.is_last_piece(event.argument))
                for event in events
            )
        if verdict.tls in ("established", "implicit"):
            assert any(isinstance(event, Handshake) and not event.error for event in events)
        if verdict.second_ehlo in ("sent", "missing"):
            assert any(isinstance(event, Command) and event.secure for event in events)
        assert all(everything_said(cut))


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_all_that_is_said_can_be_said(language: str) -> None:
    if language not in languages():
        pytest.skip(f"no catalogue of {language} yet")
    for name in names():
        for step in explanation(name).steps:
            assert say(step.meaning, language)


def cmd(verb: str, argument: str = "", **more: Any) -> Command:
    return Command(by="client", verb=verb, argument=argument, **more)


def rep(code: int, *lines: str, **more: Any) -> Reply:
    return Reply(by="server", code=code, lines=lines, **more)


HOSTILE = ["{name}", "{0.__class__}", "%s%(verb)s", "a}b{", "<b>", "\x1b[31m", "\u202eabc", ""]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_send_is_data(text: str) -> None:
    """A brace in a host name is a brace, never a place for a value."""
    events: list[AnyEvent] = [
        Connect(by="client"),
        rep(220, text),
        cmd("EHLO", text),
        rep(250, text, text),
        cmd("MAIL", text),
        rep(530, text),
        cmd(text, text),
        rep(999, text),
        rep(0, text),
        cmd("AUTH", text),
        Handshake(by="client", error="name-mismatch", detail=text),
        Handshake(by="client", error="other", detail=text),
        Handshake(by="client", version=text, cipher=text),
        cmd("BDAT", text, secure=True),
        Trace(by="server", text=text),
        Remark(by="server", text=text),
    ]
    found = explain(Session(events=tuple(events)))
    said = everything_said(found)
    assert say(found.steps[2].meaning) == (
        f"The client introduces itself as {text} and asks what the server offers."
    )
    assert f"The server wants something else first: {text}" in said


def test_replies_pair_with_commands_as_the_client_counts_and_as_the_server_means() -> None:
    found = explanation("injected-reply-kept")
    pairs = {
        step.index: (step.answers, step.heard_as)
        for step in found.steps
        if isinstance(step.event, Reply) and step.event.secure
    }
    apart = [pair for pair in pairs.values() if pair[0] != pair[1]]
    assert len(apart) == len(pairs)


def test_after_354_all_is_text_of_the_message_to_the_server() -> None:
    found = explanation("injected-envelope-kept")
    swallowed = [
        step.index
        for step in found.steps
        if isinstance(step.event, Command) and step.event.secure and not step.event.stale
    ]
    answered = {step.answers for step in found.steps}
    assert [found.session.events[i] for i in swallowed if i in answered] == [
        event for event in found.session.events if getattr(event, "verb", "") == "QUIT"
    ]


def test_commands_without_replies_pair_with_nothing() -> None:
    found = explain(Session(events=(cmd("EHLO", "a"), cmd("MAIL", "FROM:<a@b>"))))
    assert [(step.answers, step.heard_as) for step in found.steps] == [(None, None)] * 2


def test_a_session_cut_at_starttls_says_so() -> None:
    assert say(explanation("cut-line").verdict.outcome) == (
        "The client asked for TLS, but the session ended before the server answered. "
        "No message was accepted."
    )


ACCEPTED, NONE, UNKNOWN = (
    "The message was accepted, and it crossed the network in the clear.",
    "No message was accepted.",
    "The record does not show whether a message was accepted.",
)
MAIL: list[AnyEvent] = [
    cmd("EHLO", "a"), rep(250, "mx"), cmd("MAIL", "FROM:<a@b>"), rep(250),
    cmd("RCPT", "TO:<a@b>"), rep(250),
]  # fmt: skip
DATA: list[AnyEvent] = [*MAIL, cmd("DATA"), rep(354), Message(by="client")]
QUIT: list[AnyEvent] = [cmd("QUIT"), rep(221)]


@pytest.mark.parametrize(
    ("events", "shown", "delivered", "says"),
    [
        ([*DATA, rep(250)], "all", True, ACCEPTED),
        ([*MAIL, cmd("BDAT", "9 LAST"), rep(250)], "all", True, ACCEPTED),
        (DATA, "all", None, UNKNOWN),
        ([*DATA, cmd("QUIT")], "all", None, UNKNOWN),
        ([cmd("EHLO", "a"), cmd("DATA"), cmd("QUIT")], "all", None, UNKNOWN),
        (MAIL, "all", None, UNKNOWN),
        ([*MAIL, *QUIT], "all", False, NONE),
        ([*MAIL, Disconnect(by="server")], "all", False, NONE),
        ([*MAIL, Handshake(by="client", error="expired")], "all", False, NONE),
        ([*MAIL, Handshake(by="client")], "clear", None, UNKNOWN),
        ([Handshake(by="client"), Disconnect(by="server")], "outline", None, UNKNOWN),
        ([cmd("MAIL", told=True), Disconnect(by="server")], "all", None, UNKNOWN),
    ],
)
def test_no_more_is_said_of_the_message_than_the_log_shows(
    events: list[AnyEvent], shown: Any, delivered: bool | None, says: str
) -> None:
    verdict = explain(Session(source="swaks", shown=shown, events=tuple(events))).verdict
    assert verdict.delivered is delivered
    assert say(verdict.outcome).endswith(f". {says}")


@pytest.mark.parametrize(
    ("connection", "line", "delivered"),
    [
        ("postfix/smtp[4]", "mx postfix/smtp[4]: 4C1: to=<a@b>, status=sent (250 ok)", True),
        ("postfix/smtp[4]", "mx postfix/smtp[9]: 4C1: to=<a@b>, status=sent (250 ok)", None),
        ("postfix/smtp[4]", "mx postfix/smtp[4]: 4C1: to=<a@b>, status=bounced (x)", None),
        ("postfix/smtpd[4]", "postfix/smtpd[4]: disconnect from a[::1] ehlo=2 mail=1 data=1", True),
        ("postfix/smtpd[4]", "postfix/smtpd[4]: disconnect from a[::1] mail=1 data=0/1", None),
        ("1xWFN2-0002TU-2a <= desk [192.0.2.7]", "", True),
        ("1xWFN2-0002TU-2a => mx [192.0.2.7]", "", True),
        ("30911", "mx sm-mta[30911]: x12: to=<a@b>, dsn=2.0.0, stat=Sent (OK)", True),
        ("DCID 7", "Info: Message done DCID 7 MID 1 to RID [0]", True),
        ("", "status=sent", None),
    ],
)  # fmt: skip
def test_a_line_may_say_that_a_message_was_accepted(
    connection: str, line: str, delivered: bool | None
) -> None:
    events = (Handshake(by="client"), Remark(by="client", text=line))
    verdict = explain(
        Session(source="a log", shown="outline", connection=connection, events=events)
    ).verdict
    assert verdict.delivered is delivered
    says = "The log says that a message was accepted." if delivered else UNKNOWN
    assert (
        say(verdict.outcome) == f"TLS was established; what was said inside it is not shown. {says}"
    )


def test_of_what_is_only_told_nothing_is_invented() -> None:
    events = (
        Connect(by="client"),
        cmd("EHLO", told=True),
        Reply(by="server", code=250, lines=("",), told=True),
        cmd("MAIL", told=True),
    )
    found = explain(Session(source="postfix", events=events))
    assert found.notes == ()
    assert found.steps[-1].knowledge.facts == ()
    assert [say(step.meaning) for step in found.steps[1:]] == [
        "The record tells of this command without showing it: EHLO.",
        "The log tells that the server agreed.",
        "The record tells of this command without showing it: MAIL.",
    ]


def test_a_reply_to_nothing() -> None:
    (step,) = explain(Session(events=(rep(421, "closing"),))).steps
    assert (step.answers, step.heard_as) == (None, None)
    assert "closes the connection" in say(step.meaning)


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        (Handshake(by="client", version="TLSv1.2", cipher="X"), "TLS handshake: TLS 1.2 with X."),
        (Handshake(by="client", version="TLSv1.2"), "TLS handshake: TLS 1.2."),
        (Handshake(by="client"), "TLS handshake."),
    ],
)
def test_a_handshake_says_what_is_known_of_it(event: Handshake, meaning: str) -> None:
    (step,) = explain(Session(events=(event,))).steps
    assert say(step.meaning).startswith(f"{meaning} Both sides")


def test_thousands_of_recipients_take_seconds() -> None:
    events: list[AnyEvent] = [
        Connect(by="client"),
        rep(220, "mx"),
        cmd("EHLO", "a"),
        rep(250, "mx", "STARTTLS"),
        cmd("MAIL", "FROM:<a@b>"),
        rep(250),
    ]
    for number in range(20_000):
        events += (cmd("RCPT", f"TO:<{number}@b>"), rep(250))
    began = time.process_time()
    found = explain(Session(events=tuple(events)))
    assert time.process_time() - began < 20
    assert len(found.steps[-1].knowledge.of("server")) == 20_002


def test_many_transactions_take_seconds() -> None:
    events: list[AnyEvent] = []
    for _ in range(5_000):
        events += (
            cmd("EHLO", "a"),
            rep(250, "mx", "SIZE", "DSN", "8BITMIME"),
            cmd("MAIL", "FROM:<a@b> SIZE=1 RET=HDRS"),
            rep(250),
            cmd("RSET"),
            rep(250),
        )
    began = time.process_time()
    explain(Session(events=tuple(events)))
    assert time.process_time() - began < 20


parties = st.sampled_from(["client", "server", "middlebox"])
texts = st.text(max_size=12)
common = {
    "by": parties,
    "secure": st.booleans(),
    "lost": st.booleans(),
    "stale": st.booleans(),
}
verbs = st.sampled_from(
    ["EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "QUIT", "", "X"]
)
codes = st.sampled_from([0, 220, 221, 235, 250, 334, 354, 421, 454, 500, 501, 503, 530, 555, 999])
arguments = st.sampled_from(["", "a", "PLAIN x", "FROM:<a@b> SIZE=3 REQUIRETLS", "{", "TO:<a>"])
lines = st.lists(
    st.sampled_from(["mx", "STARTTLS", "SIZE 3", "AUTH PLAIN", "XXXXXXXA", "", "{}"]), max_size=3
)
events_of_any_kind: st.SearchStrategy[Any] = st.one_of(
    st.builds(Connect, **common),
    st.builds(Reply, code=codes, lines=lines.map(tuple), **common),
    st.builds(Command, verb=verbs, argument=arguments, **common),
    st.builds(AuthResponse, text=texts, **common),
    st.builds(Message, size=st.integers(0, 9), **common),
    st.builds(
        Handshake, error=st.sampled_from(["", "", "expired", "name-mismatch", "other"]), **common
    ),
    st.builds(Trace, text=texts, **common),
    st.builds(Disconnect, **common),
    st.builds(Remark, text=texts, **common),
)


@given(st.lists(events_of_any_kind, max_size=25), st.booleans(), st.sampled_from(["lab", "swaks"]))
def test_any_events_in_any_order_are_explained(
    events: list[AnyEvent], implicit: bool, source: str
) -> None:
    found = explain(Session(source=source, implicit_tls=implicit, events=tuple(events)))
    assert len(found.steps) == len(events)
    assert all(everything_said(found))
    for step in found.steps:
        facts = step.knowledge.facts
        assert [f.learned for f in facts] == sorted(f.learned for f in facts)
        assert all(f.discarded is None or f.discarded <= step.index for f in facts)
        handshake = isinstance(step.event, Handshake) and not step.event.error
        if handshake:
            alive = [*step.knowledge.of("client"), *step.knowledge.of("server")]
            assert {f.kind for f in alive} == {"tls"}
