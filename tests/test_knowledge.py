"""What each side knows, and when it must forget it."""

from pathlib import Path
from typing import get_args

import pytest

from simulator import knowledge, smtp
from simulator.knowledge import DISCARDS, EHLO_REFUSED, Fact, Knowledge, Ledger
from simulator.lab import names
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Handshake,
    Message,
    Reply,
    Side,
)
from tests.playing import explanation


def test_every_discarding_rests_on_a_citation() -> None:
    named = {rule for rows in DISCARDS.values() for _, _, rule in rows} | {EHLO_REFUSED}
    assert named <= set(smtp.citations())


def test_the_handshake_takes_all_that_was_said_on_both_sides() -> None:
    said = {"greeting", "name", "keyword", "envelope", "identity"}
    assert [(holder, set(kinds)) for holder, kinds, _ in DISCARDS["handshake"]] == [
        ("server", said),
        ("client", said),
    ]


def labels(known: Knowledge, holder: Side) -> list[str]:
    return [fact.label for fact in known.of(holder)]


def ledgers(name: str, event: int) -> tuple[list[str], list[str]]:
    known = explanation(name).steps[event].knowledge
    return labels(known, "server"), labels(known, "client")


def test_the_documented_session_step_by_step() -> None:
    """The picture the project turns on."""
    tls = "TLS 1.3 TLS_AES_256_GCM_SHA384"
    certificate = "certificate eq-c601.example.com"
    keywords = ["8BITMIME", "SIZE 10485760"]
    assert ledgers("documented", 1) == ([], ["220 eq-c601.example.com"])
    assert ledgers("documented", 5) == (
        ["EHLO mx4.example.com"],
        ["220 eq-c601.example.com", "250 eq-c601.example.com", *keywords, "STARTTLS"],
    )
    assert ledgers("documented", 6) == ([tls], [tls, certificate])
    assert ledgers("documented", 8) == (
        [tls, "EHLO mx4.example.com"],
        [tls, certificate, "250 eq-c601.example.com", *keywords],
    )


def test_facts_tell_where_they_were_learned_and_why_they_went() -> None:
    found = explanation("documented")
    handshake = next(s for s in found.steps if isinstance(s.event, Handshake))
    gone = handshake.knowledge.discarded_at(handshake.index)
    assert {(f.holder, f.secure, f.by_rule) for f in gone} == {
        ("server", False, "rfc3207-4_2-server-discards"),
        ("client", False, "rfc3207-4_2-client-discards"),
    }
    assert {f.secure for f in found.steps[-1].knowledge.of("client")} == {True}


# ------------------------------------------------------------------ sessions made by hand


def known_after(*events: AnyEvent) -> Knowledge:
    """Every reply answers the command before it."""
    ledger = Ledger(events)
    for index, event in enumerate(events):
        asked = index - 1 if isinstance(event, Reply) and index else None
        ledger.see(index, asked, asked)
    return ledger.knowledge


def cmd(verb: str, argument: str = "") -> Command:
    return Command(by="client", verb=verb, argument=argument)


def rep(code: int, *lines: str) -> Reply:
    return Reply(by="server", code=code, lines=lines)


GREETED = (Connect(by="client"), rep(220, "mx"))
EHLO = (cmd("EHLO", "a"), rep(250, "mx", "SIZE 3"))
MAIL = (cmd("MAIL", "FROM:<a@b> SIZE=1"), rep(250), cmd("RCPT", "TO:<c@d>"), rep(250))
TLS = Handshake(
    by="client",
    version="TLSv1.2",
    cipher="X",
    server_certificate=Certificate(subject="mx"),
    client_certificate=Certificate(subject="a"),
)


def test_envelope_and_login_fall_at_the_handshake_too() -> None:
    login = (cmd("AUTH", "LOGIN"), rep(334), AuthResponse(by="client"), rep(235))
    before = known_after(*GREETED, *EHLO, *login, *MAIL)
    assert labels(before, "server") == ["EHLO a", "AUTH", "MAIL FROM <a@b>", "RCPT TO <c@d>"]
    after = known_after(*GREETED, *EHLO, *login, *MAIL, TLS)
    assert labels(after, "server") == ["TLS 1.2 X", "certificate a"]
    assert labels(after, "client") == ["TLS 1.2 X", "certificate mx"]


def test_a_failed_handshake_takes_nothing() -> None:
    failed = Handshake(by="client", error="expired")
    assert known_after(*GREETED, *EHLO, failed).facts == known_after(*GREETED, *EHLO).facts


def test_a_later_ehlo_clears_the_envelope() -> None:
    known = known_after(*GREETED, *EHLO, *MAIL, cmd("EHLO", "z"), rep(250, "mx"))
    assert labels(known, "server") == ["EHLO z"]
    assert labels(known, "client") == ["220 mx", "250 mx"]


def test_a_refused_ehlo_changes_nothing() -> None:
    known = known_after(*GREETED, *EHLO, *MAIL, cmd("EHLO", "?"), rep(501))
    assert labels(known, "server") == ["EHLO a", "MAIL FROM <a@b>", "RCPT TO <c@d>"]
    assert labels(known, "client") == ["220 mx", "250 mx", "SIZE 3"]
    assert not [fact for fact in known.facts if fact.value == "?"]
    first = known_after(*GREETED, cmd("EHLO", "?"), rep(501))
    assert [fact.by_rule for fact in first.facts if fact.holder == "server"] == [EHLO_REFUSED]


def test_after_a_refused_ehlo_the_facts_can_fall_again() -> None:
    known = known_after(
        *GREETED, *EHLO, *MAIL, cmd("EHLO", "?"), rep(501), cmd("RSET"), rep(250), TLS
    )
    assert labels(known, "server") == ["TLS 1.2 X", "certificate a"]
    assert {f.by_rule for f in known.facts if f.kind == "envelope"} == {
        "rfc5321-4_1_1_5-rset-clears"
    }


def test_helo_introduces_but_brings_no_list() -> None:
    known = known_after(*GREETED, cmd("HELO", "a"), rep(250, "mx", "SIZE 3"))
    assert labels(known, "server") == ["HELO a"]
    assert labels(known, "client") == ["220 mx", "250 mx"]


def test_the_end_of_the_message_clears_the_envelope() -> None:
    message = (cmd("DATA"), rep(354), Message(by="client"), rep(250))
    known = known_after(*GREETED, *EHLO, *MAIL, *message)
    assert labels(known, "server") == ["EHLO a"]
    assert {f.by_rule for f in known.facts if f.kind == "envelope"} == {
        "rfc5321-4_1_1_4-data-clears"
    }


def test_the_last_piece_of_the_message_clears_the_envelope_and_no_other() -> None:
    begun = known_after(*GREETED, *EHLO, *MAIL, cmd("BDAT", "5"), rep(250))
    assert begun.find("server", "envelope")
    last = known_after(
        *GREETED, *EHLO, *MAIL, cmd("BDAT", "5"), rep(250), cmd("BDAT", "0 last"), rep(250)
    )
    assert labels(last, "server") == ["EHLO a"]


XCLIENT_TAKEN = (*GREETED, *EHLO, cmd("XCLIENT", "ADDR=192.0.2.9"), rep(220, "mx"))


def test_xclient_takes_from_the_server_who_the_client_is_and_leaves_the_client_its_list() -> None:
    known = known_after(*XCLIENT_TAKEN)
    assert known.of("server") == ()
    assert {f.by_rule for f in known.facts if f.discarded} == {"rfc5321-3_2-greeting-then-ehlo"}
    assert labels(known, "client") == ["250 mx", "SIZE 3", "220 mx"]


def test_a_refused_xclient_changes_nothing() -> None:
    refused = known_after(*GREETED, *EHLO, cmd("XCLIENT", "ADDR=192.0.2.9"), rep(550))
    assert labels(refused, "server") == ["EHLO a"]


def test_what_xclient_says_in_place_of_ehlo_and_auth_is_kept() -> None:
    told = cmd("XCLIENT", "helo=c.example.org LOGIN=ana NAME=[UNAVAILABLE]")
    known = known_after(*GREETED, *EHLO, told, rep(220))
    assert labels(known, "server") == ["HELO c.example.org", "XCLIENT ana"]


def test_a_refused_message_leaves_the_envelope() -> None:
    message = (cmd("DATA"), rep(354), Message(by="client"), rep(452))
    assert known_after(*GREETED, *EHLO, *MAIL, *message).find("server", "envelope")


def test_a_reply_that_was_lost_teaches_the_client_nothing() -> None:
    lost = Reply(by="server", code=250, lines=("mx", "STARTTLS"), lost=True)
    known = known_after(*GREETED, cmd("EHLO", "a"), lost)
    assert labels(known, "client") == ["220 mx"]
    assert labels(known, "server") == ["EHLO a"]


def test_a_command_that_was_not_read_teaches_the_server_nothing() -> None:
    events = (*GREETED, *EHLO, cmd("STARTTLS"), cmd("EHLO", "z"))
    ledger = Ledger(events)
    for index in range(len(events)):
        ledger.see(index, unread=index == len(events) - 1)
    assert labels(ledger.knowledge, "server") == ["EHLO a"]


def test_what_came_out_of_an_old_buffer_was_learned_in_the_clear() -> None:
    stale = Command(by="middlebox", verb="EHLO", argument="evil", secure=True, stale=True)
    fact = known_after(*GREETED, *EHLO, TLS, stale).find("server", "name")
    assert fact is not None
    assert (fact.value, fact.secure) == ("evil", False)


def labels_of_both(known: Knowledge) -> tuple[list[str], list[str]]:
    return labels(known, "server"), labels(known, "client")


def size(known: Knowledge) -> Fact | None:
    return known.find("client", "keyword", "SIZE")


def test_knowledge_stays_as_it_was_while_the_session_goes_on() -> None:
    events = (*GREETED, *EHLO, *MAIL, TLS, *EHLO)
    ledger = Ledger(events)
    told = []
    seen = []
    for index, event in enumerate(events):
        asked = index - 1 if isinstance(event, Reply) and index else None
        seen.append(ledger.see(index, asked, asked))
        told.append((seen[-1].facts, *labels_of_both(seen[-1]), size(seen[-1])))
    assert [(known.facts, *labels_of_both(known), size(known)) for known in seen] == told
    assert seen[0] != seen[-1]
    assert seen[8].forgotten("client", "keyword") is not None
    assert seen[7].forgotten("client", "keyword") is None


@pytest.mark.parametrize("name", names())
def test_what_a_side_knows_are_its_facts_that_were_not_taken_away(name: str) -> None:
    for step in explanation(name).steps:
        for side in get_args(Side):
            facts = step.knowledge.facts
            left = tuple(f for f in facts if f.holder == side and f.discarded is None)
            assert step.knowledge.of(side) == left


def test_the_newest_fact_is_found() -> None:
    known = known_after(*GREETED, *EHLO, cmd("EHLO", "z"), rep(250, "mx", "SIZE 9"))
    size = known.find("client", "keyword", "SIZE")
    assert size is not None
    assert size.label == "SIZE 9"
    assert known.find("client", "keyword", "DSN") is None
    assert known.find("server", "envelope") is None


def test_knowledge_shows_itself() -> None:
    assert "EHLO" in repr(known_after(*GREETED, *EHLO))
    assert known_after(*EHLO) == known_after(*EHLO)
    assert known_after(*EHLO) != "EHLO"


def test_the_reset_stands_on_the_first_screen() -> None:
    lines = Path(knowledge.__file__).read_text(encoding="utf-8").splitlines()
    screen = "\n".join(lines[:45])
    assert screen.count("MUST discard any") == 2
    assert "rfc3207-4_2-server-discards" in screen
    assert "rfc3207-4_2-client-discards" in screen
