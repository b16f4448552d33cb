"""What strangers may see: no credential, no message, and on demand no name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.lab import load, play
from simulator.masking import MASK, masked, without_secrets
from simulator.masking.identities import Names
from simulator.session import AuthResponse, Command, Message, Remark, Reply, Session, to_json

SECRET = "AGFuYQBjb3JyZWN0LWhvcnNl"


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        (f"PLAIN {SECRET}", f"PLAIN {MASK}"),
        ("LOGIN", "LOGIN"),
        ("PLAIN =", "PLAIN ="),
        (f"LOGIN {SECRET}", f"LOGIN {MASK}"),
    ],
)
def test_auth_is_masked(argument: str, shown: str) -> None:
    session = Session(
        events=(Command(by="client", verb="AUTH", argument=argument, raw=argument.encode()),)
    )
    (event,) = masked(session).events
    assert isinstance(event, Command)
    assert event.argument == shown
    assert event.raw == b""


def test_what_follows_a_334_is_a_secret_whatever_it_was_read_as() -> None:
    session = Session(
        events=(
            Reply(by="server", code=334, lines=("UGFzc3dvcmQ6",)),
            Remark(by="client", text="between"),
            Command(by="client", verb="HUNTER2", argument=""),
            Reply(by="server", code=334, lines=("",)),
            AuthResponse(by="client", text="hunter2"),
        )
    )
    assert "unter2" not in to_json(masked(session)).lower()


def test_who_logs_in_stays_where_it_is_no_answer() -> None:
    session = Session(
        events=(
            Reply(by="server", code=334, lines=("VXNlcm5hbWU6",)),
            AuthResponse(by="client", text="YW5hQGNvcnAuZXhhbXBsZQ=="),
            Reply(by="server", code=334, lines=("UGFzc3dvcmQ6",)),
            AuthResponse(by="client", text="aHVudGVyMjI="),
            Reply(by="server", code=535, lines=("YW5hQGNvcnAuZXhhbXBsZQ== hunter22",)),
            Command(by="client", verb="MAIL", argument="FROM:<ana@corp.example>"),
        )
    )
    shown = to_json(masked(session))
    assert not re.search("YW5hQ|aHVud|hunter22", shown)
    assert "FROM:<ana@corp.example>" in shown


def test_the_message_is_taken_out_and_its_size_stays() -> None:
    session = Session(events=(Message(by="client", raw=b"Dear Ana", size=8),))
    (event,) = masked(session).events
    assert isinstance(event, Message)
    assert (event.raw, event.size) == (b"", 8)


def test_nothing_of_a_played_login_is_left() -> None:
    session = play(load("login-in-clear"))
    assert SECRET in to_json(session)
    shown = to_json(masked(session))
    assert SECRET not in shown
    assert masked(session).wire == ()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"CLIENT -> SERVER: AUTH PLAIN {SECRET}", f"CLIENT -> SERVER: AUTH PLAIN {MASK}"),
        ("password=hunter2 user=ana", f"password={MASK} user=ana"),
        ("'password' => 'hunter2',", f"'password' => '{MASK}',"),
        ("Authorization: Bearer abcdef.ghijkl", f"Authorization: Bearer {MASK}"),
        ("250 AUTH PLAIN LOGIN", "250 AUTH PLAIN LOGIN"),
        ("nothing secret here", "nothing secret here"),
    ],
)
def test_lines_outside_the_dialogue(line: str, shown: str) -> None:
    assert without_secrets(line) == shown


def test_the_same_name_gets_the_same_other_name() -> None:
    session = Session(
        events=(
            Reply(by="server", code=250, lines=("mx.corp.example hello [203.0.113.9]",)),
            Command(by="client", verb="MAIL", argument="FROM:<ana@corp.example>"),
            Command(by="client", verb="RCPT", argument="TO:<bob@mx.corp.example> ORCPT=x"),
            Remark(by="client", text="2001:db8:1::7 at 18:34:30 from mx.corp.example. 5.7.0"),
        )
    )
    reply, mail, rcpt, remark = Names().session(session).events
    assert isinstance(reply, Reply)
    assert isinstance(mail, Command)
    assert isinstance(rcpt, Command)
    assert isinstance(remark, Remark)
    assert reply.lines == ("host1.example hello [192.0.2.1]",)
    assert mail.argument == "FROM:<user1@host2.example>"
    assert rcpt.argument == "TO:<user2@host1.example> ORCPT=x"
    assert "18:34:30" in remark.text
    assert "5.7.0" in remark.text
    assert "corp" not in remark.text


def test_names_are_remembered_from_session_to_session() -> None:
    names = Names()
    first, second = (
        names.session(Session(events=(Command(by="client", verb="EHLO", argument=host),))).events[0]
        for host in ("a.corp.example", "b.corp.example")
    )
    assert isinstance(first, Command)
    assert isinstance(second, Command)
    assert (first.argument, second.argument) == ("host1.example", "host2.example")


@given(st.text())
def test_any_line_can_be_masked_and_anonymised(line: str) -> None:
    session = Session(events=(Remark(by="client", text=line),))
    assert len(Names().session(masked(session)).events) == 1
