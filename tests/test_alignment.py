"""Two sessions side by side: every event once, and the parting where a reader sees it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.alignment import Comparison, compare
from simulator.explainer import Explanation, explain
from simulator.session import AnyEvent, Handshake, Reply, Session, Trace
from tests.views import sessions
from tests.views.sessions import command, documented, reply


def skipped() -> Session:
    """The documented session without the second EHLO."""
    events = documented().events
    return Session(
        events=(*events[:7], events[9], reply(503, "send HELO first", secure=True), *events[-3:])
    )


def told(comparison: Comparison) -> list[tuple[str, str, bool]]:
    return [
        (_name(comparison.left, pair.left), _name(comparison.right, pair.right), pair.same)
        for pair in comparison.pairs
    ]


def _name(side: Explanation, index: int | None) -> str:
    if index is None:
        return ""
    event = side.steps[index].event
    return str(getattr(event, "verb", getattr(event, "code", type(event).__name__)))


def test_a_skipped_ehlo_parts_the_sessions_right_after_the_handshake():
    found = compare(explain(documented()), explain(skipped()))
    assert found.parting == 7
    assert told(found)[6:11] == [
        ("Handshake", "Handshake", True),
        ("EHLO", "", False),
        ("250", "", False),
        ("MAIL", "MAIL", True),
        ("250", "503", False),
    ]
    assert told(found)[-2:] == [("221", "221", True), ("Disconnect", "Disconnect", True)]


def test_what_is_done_on_another_ground_stands_beside_it_and_is_not_the_same():
    inside = documented().events
    events = [*inside[:3], reply(250, "eq-c601.example.com", "8BITMIME", "SIZE 10485760")]
    clear = Session(
        events=(*events, *(msgspec.structs.replace(e, secure=False) for e in inside[9:]))
    )
    found = told(compare(explain(documented()), explain(clear)))
    assert ("MAIL", "MAIL", False) in found
    assert ("RCPT", "RCPT", False) in found


def test_only_one_side_s_broken_rules_are_told():
    left, right = compare(explain(documented()), explain(skipped())).broken
    assert left == ()
    assert {note.rule for note in right} == {"client-forgets", "ehlo-before-mail", "second-ehlo"}
    assert compare(explain(skipped()), explain(skipped())).broken == ((), ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (reply(250, "OK"), reply(250, "fine"), True),
        (reply(250, "a", "SIZE 1"), reply(250, "b", "SIZE 1"), True),
        (reply(250, "a", "SIZE 1"), reply(250, "a", "SIZE 2"), False),
        (reply(250), reply(450), False),
        (command("EHLO", "a"), command("EHLO", "b"), False),
        (command("EHLO", "a"), command("EHLO", "a", by="middlebox"), False),
        (command("NOOP", at=1.0, raw=b"NOOP\r\n"), command("NOOP"), True),
        (Trace(by="server", text="by x; Mon"), Trace(by="server", text="by x; Tue"), True),
        (Trace(by="server", text="by x; Mon"), Trace(by="server", text="by y; Mon"), False),
        (Handshake(by="client"), Handshake(by="client", resumed=True), False),
        (
            Handshake(by="client", verified=True),
            Handshake(by="client", verified=True, dane=True),
            False,
        ),
    ],
)
def test_what_counts_as_the_same(one: AnyEvent, other: AnyEvent, same: bool) -> None:
    found = compare(explain(Session(events=(one,))), explain(Session(events=(other,))))
    assert [pair.same for pair in found.pairs] == [same] * len(found.pairs)


def test_sessions_without_titles_are_named_by_what_is_known():
    found = compare(
        explain(Session(scenario="stripped")), explain(Session(connection="17")), ("", "")
    )
    assert found.titles == ("stripped", "17")
    assert compare(found.left, found.right, ("A", "B")).titles == ("A", "B")


EVENTS = st.lists(st.sampled_from([e for s in sessions.ALL.values() for e in s.events[:21]]))


@given(EVENTS, EVENTS)
def test_every_event_stands_once_and_in_its_order(one, other):
    found = compare(explain(Session(events=tuple(one))), explain(Session(events=tuple(other))))
    assert [p.left for p in found.pairs if p.left is not None] == list(range(len(one)))
    assert [p.right for p in found.pairs if p.right is not None] == list(range(len(other)))
    assert all(p.left is not None or p.right is not None for p in found.pairs)


@given(EVENTS)
def test_a_session_never_parts_from_itself(events):
    side = explain(Session(events=tuple(events)))
    assert compare(side, side).parting is None


def test_a_reply_is_set_beside_the_reply_to_the_same_command():
    """Not beside any reply with the same code."""
    greeted = documented().events[:4]
    more = (command("NOOP"), reply(250, "OK"), command("RSET"), reply(250, "OK"))
    found = compare(
        explain(Session(events=(*greeted, *more))), explain(Session(events=(*greeted, *more[2:])))
    )
    assert told(found)[4:] == [
        ("NOOP", "", False),
        ("250", "", False),
        ("RSET", "RSET", True),
        ("250", "250", True),
    ]
    assert isinstance(found.right.steps[5].event, Reply)
