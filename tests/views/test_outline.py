"""What every drawing of a dialogue shows."""

from __future__ import annotations

import pytest

from simulator.explainer import explain
from simulator.language import say
from simulator.session import Connect, Handshake, Peer, Session
from simulator.views import outline
from simulator.views.inert import printable
from tests.views import sessions
from tests.views.sessions import command, reply


def rows(session: Session) -> tuple[outline.Row, ...]:
    return outline.of(explain(session)).rows


def test_a_reply_out_of_step_says_what_it_answers_and_what_it_is_taken_for():
    session = Session(
        events=(
            Connect(by="client"),
            reply(220, "mx.example.net"),
            command("NOOP", by="middlebox"),
            command("EHLO", "c.example.org"),
            reply(250, "OK"),
            reply(250, "mx.example.net"),
        )
    )
    label = rows(session)[4].label
    assert label
    assert say(label) == "answers NOOP, but is taken for the answer to EHLO"
    assert rows(sessions.documented())[3].label is None


@pytest.mark.parametrize(
    ("session", "names"),
    [
        (sessions.documented(), ("mx4.example.com", "eq-c601.example.com")),
        (Session(client=Peer(name="a"), server=Peer(name="b")), ("a", "b")),
        (Session(events=(reply(220, "only.example the rest"),)), ("", "only.example")),
        (Session(client=Peer(name="a\nb")), ("a\\nb", "")),
        (Session(), ("", "")),
    ],
)
def test_peers_have_the_names_they_are_known_by_or_say(session, names):
    shown = outline.of(explain(session))
    assert (shown.client, shown.server) == names


def test_the_ground_changes_with_the_handshake_and_with_the_document():
    grounds = [row.ground for row in rows(sessions.documented())]
    assert list(dict.fromkeys(grounds)) == [
        (False, "before"),
        (False, "document"),
        (True, "document"),
        (True, "beyond"),
    ]


def test_a_rule_met_is_told_once_and_a_broken_one_each_time():
    events = sessions.documented().events
    many = Session(events=(*events[:9], *events[9:11] * 3))
    met = [note.rule for row in rows(many) for note in row.notes if note.met]
    assert len(met) == len(set(met))
    skipped = Session(events=(*events[:7], *events[9:11] * 3))
    broken = [n.rule for row in rows(skipped) for n in row.notes if n.rule == "ehlo-before-mail"]
    assert len(broken) == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("250 OK", "250 OK"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202efed", "abc\\u202efed"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("one\u2028two", "one\\u2028two"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("ação 日本語 é", "ação 日本語 é"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + "\\u0301\\u0301"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("shaken", "checked"),
    [
        ({"verified": True}, "chain and name are right"),
        ({"verified": True, "dane": True}, "the key is that of the TLSA record (DANE)"),
        ({"error": "certificate", "detail": "no such key", "dane": True}, "no such key"),
        ({"error": "certificate", "detail": "alert"}, None),
        ({}, None),
    ],
)
def test_what_was_checked_of_a_certificate_is_what_the_client_went_by(shaken, checked):
    proofs = dict(outline.proofs(Session(), Handshake(by="client", **shaken)))
    told = proofs.get("checked")
    assert (told and say(told)) == checked
