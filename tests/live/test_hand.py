"""A session played by hand: what a side may say, what is said of what it may not, what is kept."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from simulator.explainer import explain
from simulator.live import hand, lawful
from simulator.live.hand import Room, Rooms
from simulator.live.store import Store
from simulator.session import Handshake, from_json
from tests.live.opened import Lab, opened

LIST = "250-mail.example.com\n250-8BITMIME\n250-SIZE 10485760\n250 STARTTLS"


def room(*moves: tuple[str, str]) -> Room:
    """A game after these moves: who, and what is said; `!` before an act."""
    game = Room(1, None)
    game.begin()
    for side, text in moves:
        if text.startswith("!"):
            game.act(side, text[1:])  # type: ignore[arg-type]
        else:
            game.say(side, text)  # type: ignore[arg-type]
    return game


GREETED = (("server", "220 mail.example.com ESMTP"),)
LISTED = (*GREETED, ("client", "EHLO client.example.net"), ("server", LIST))
READY = (*LISTED, ("client", "STARTTLS"), ("server", "220 Ready to start TLS"))
INSIDE = (*READY, ("client", "!handshake"))
AGAIN = (*INSIDE, ("client", "EHLO client.example.net"), ("server", "250 mail.example.com"))
SENT = (*AGAIN, ("client", "MAIL FROM:<a@b.example>"), ("server", "250 OK"))
NAMED = (*SENT, ("client", "RCPT TO:<c@d.example>"), ("server", "250 OK"))
WANTED = (*NAMED, ("client", "DATA"), ("server", "354 Go on"))
GOODBYE = (*AGAIN, ("client", "QUIT"), ("server", "221 Bye"))


@pytest.mark.parametrize(
    ("moves", "turn", "client", "server"),
    [
        ((), "server", [], ["220", "554"]),
        (GREETED, "client", ["EHLO", "RSET", "NOOP", "QUIT"], []),
        (LISTED[:2], "server", [], ["250"]),
        (LISTED, "client", ["EHLO", "STARTTLS", "MAIL", "RSET", "NOOP", "QUIT"], []),
        (READY[:4], "server", [], ["220", "454"]),
        (READY, "client", [], []),
        # What was said in the clear counts no longer: there is but one thing to say.
        (INSIDE, "client", ["EHLO"], []),
        ((*INSIDE, ("client", "MAIL FROM:<a@b>")), "server", [], ["503"]),
        (AGAIN, "client", ["EHLO", "MAIL", "RSET", "NOOP", "QUIT"], []),
        (SENT, "client", ["EHLO", "RCPT", "RSET", "NOOP", "QUIT"], []),
        (NAMED, "client", ["EHLO", "RCPT", "DATA", "RSET", "NOOP", "QUIT"], []),
        ((*NAMED, ("client", "DATA")), "server", [], ["354"]),
        (WANTED, "client", [], []),
        ((*WANTED, ("client", "Subject: x\n\nx")), "server", [], ["250", "554"]),
        ((*AGAIN, ("client", "STARTTLS")), "server", [], ["503"]),
        (GOODBYE, "server", [], []),
        ((*GOODBYE, ("server", "!close")), "", [], []),
    ],
)
def test_each_side_may_say_what_breaks_no_rule(
    moves: tuple[tuple[str, str], ...], turn: str, client: list[str], server: list[str]
) -> None:
    game = room(*moves)
    own, other = game.moves("client"), game.moves("server")
    assert own.turn == other.turn == turn
    assert [line.split()[0] for line in own.lines] == client
    assert [line[:3] for line in other.lines] == server
    assert (own.asked == "message") is (moves == WANTED)
    assert own.handshake is (moves == READY)


@pytest.mark.parametrize(
    ("moves", "citation"),
    [
        ((("client", "EHLO x"),), "rfc5321-4_3_1-wait-for-greeting"),
        ((*LISTED[:2], ("client", "NOOP")), "rfc5321-4_3_1-wait-for-reply"),
        ((*GREETED, ("client", "STARTTLS")), "rfc3207-3-keyword-means"),
        ((*GREETED, ("client", "MAIL FROM:<a@b>")), "rfc5321-4_1_4-mail-needs-ehlo"),
        ((*READY, ("client", "EHLO x")), "rfc3207-4-tls-before-other-commands"),
        ((*INSIDE, ("client", "NOOP")), "rfc3207-4_2-client-ehlo"),
        ((*INSIDE, ("client", "MAIL FROM:<a@b>")), "rfc3207-4_2-client-ehlo"),
        ((*AGAIN, ("client", "STARTTLS")), "rfc3207-4_2-no-second-tls"),
        ((*AGAIN[:-1], ("server", LIST)), "rfc3207-4_2-no-starttls-inside"),
        ((*AGAIN, ("client", "RCPT TO:<a@b>")), "rfc5321-4_1_4-out-of-order-503"),
        (
            (*AGAIN, ("client", "RCPT TO:<a@b>"), ("server", "250 OK")),
            "rfc5321-4_1_4-out-of-order-503",
        ),
        ((*SENT, ("client", "MAIL FROM:<a@b>")), "rfc5321-4_1_4-out-of-order-503"),
        ((*LISTED, ("server", "250 OK")), "rfc5321-4_2-one-reply-each"),
        ((*LISTED[:2], ("server", "hello")), "rfc5321-4_2_1-multiline-reply"),
        ((*LISTED[:2], ("server", "250-a\n251 b")), "rfc5321-4_2_1-multiline-reply"),
        ((*LISTED[:2], ("server", "250-a\n250-b")), "rfc5321-4_2_1-multiline-reply"),
        ((*LISTED, ("client", "AUTH PLAIN AGEAYg==")), "rfc5321-4_1_1_2-mail-parameters"),
        ((*READY, ("client", "!handshake-unchecked")), "rfc3207-6-check-the-result"),
    ],
)
def test_what_is_unlawful_stands_and_is_told(
    moves: tuple[tuple[str, str], ...], citation: str
) -> None:
    steps = explain(room(*moves).session()).steps
    assert citation in [note.citation for note in lawful.broken(steps, len(steps) - 1)]


@pytest.mark.parametrize(
    "moves", [LISTED, INSIDE, AGAIN, (*WANTED, ("client", "x"), ("server", "250 OK")), GOODBYE]
)
def test_what_is_lawful_is_not_blamed(moves: tuple[tuple[str, str], ...]) -> None:
    steps = explain(room(*moves).session()).steps
    assert [note for step in steps for note in lawful.broken(steps, step.index)] == []


def test_both_ledgers_are_emptied_at_a_real_handshake() -> None:
    game = room(*READY)
    before = explain(game.session()).steps[-1].knowledge
    assert before.of("client")
    assert before.of("server")
    game.act("client", "handshake")
    session = game.session()
    shaken = session.events[-1]
    assert isinstance(shaken, Handshake)
    assert (shaken.version, shaken.verified) == ("TLSv1.3", True)
    assert shaken.server_certificate is not None
    after = explain(session).steps[-1].knowledge
    assert {fact.kind for side in ("client", "server") for fact in after.of(side)} == {"tls"}
    assert session.secrets
    game.say("client", "EHLO client.example.net")
    session = game.session()
    last = session.events[-1]
    assert b"EHLO" not in session.bytes_at(last.wire[0])
    assert session.stream("server").count(b"EHLO") == 1


@pytest.mark.parametrize(
    ("moves", "side", "move", "why"),
    [
        (LISTED, "client", {"act": "handshake"}, "after a 220"),
        (READY, "server", {"act": "handshake"}, "The client begins"),
        (LISTED, "client", {"say": "  "}, "Nothing was said."),
        (LISTED, "client", {"say": "NOOP\nNOOP"}, "one line"),
        (LISTED, "client", {"say": "NOOP\rNOOP"}, "one line"),
        (LISTED, "client", {"say": "x" * 9000}, "too long"),
        ((*LISTED, ("client", "!close")), "server", {"say": "250 OK"}, "is over"),
        ((*LISTED, ("client", "!close")), "server", {"act": "close"}, "is over"),
    ],
)
def test_what_cannot_be_done_is_told(
    moves: tuple[tuple[str, str], ...], side: str, move: dict[str, str], why: str
) -> None:
    game = room(*moves)
    many = len(game.session().events)
    go: Any = game.act if "act" in move else game.say
    with pytest.raises(hand.NotNow, match=why):
        go(side, *move.values())
    assert len(game.session().events) == many


def test_a_game_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand, "EVENTS", 5)
    game = room(*LISTED[:2], ("server", LIST), ("client", "NOOP"))
    with pytest.raises(hand.NotNow, match="Enough"):
        game.say("server", "250 OK")
    game.act("client", "close")


# In the lab ------------------------------------------------------------------------------------


def begin(lab: Lab) -> int:
    number: int = lab.ask("api/hand", "POST", {}).json["number"]
    return number


def say(lab: Lab, number: int, moves: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for side, text in moves:
        move = {"act": text[1:]} if text.startswith("!") else {"say": text}
        answer = lab.ask(f"api/hand/{number}/{side}", "POST", move)
        assert answer.status == 200, answer.body
        told = answer.json
    return told


def test_it_is_a_session_like_others(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    with opened(save=file) as lab:
        number = begin(lab)
        say(lab, number, INSIDE)
        told = say(lab, number, (("client", "MAIL FROM:<a@b>"),))
        assert [n["place"] for n in told["said"][-1]["broken"]] == [
            "RFC 5321 §4.1.4",
            "RFC 3207 §4.2",
        ]
        assert {fact["place"] for fact in told["forgotten"]} == {"RFC 3207 §4.2"}
        assert lab.ask(f"api/hand/{number}/server?lang=pt_BR").json["said"][0]["meaning"] == (
            "O cliente abre uma conexão TCP com o servidor."
        )
        assert lab.sessions()[0]["over"] is False
        assert lab.ask("api/hand").json["going"] == [number]
        say(lab, number, (("client", "!close"),))
        [one] = lab.settled(1)
        assert (one["second_ehlo"], one["client"]) == ("missing", "client.example.net")
        assert "By hand" in one["title"]
        assert lab.ask(f"hand/{number}/client").status == 200
        other = begin(lab)
    with opened(save=file) as lab:
        seen = lab.ask(f"api/hand/{other}/server").json
        assert (seen["ended"], seen["over"]) == (True, True)
        assert lab.ask(f"api/hand/{other}/server", "POST", {"say": "220 x"}).status == 409
        assert from_json(lab.ask(f"api/sessions/{number}/session").body).events


@pytest.mark.needs("tshark")
def test_its_capture_is_opened_by_tshark(tmp_path: Path) -> None:
    with opened() as lab:
        number = begin(lab)
        say(lab, number, (*AGAIN, ("client", "!close")))
        path = tmp_path / "hand.pcapng"
        path.write_bytes(lab.ask(f"api/sessions/{number}/pcapng").body)
        command = ["tshark", "-n", "-r", str(path), "-Y", "smtp.req", "-T", "fields", "-e"]
        run = subprocess.run(
            [*command, "smtp.req.command"], capture_output=True, check=True, timeout=120
        )
        assert run.stdout.decode().split() == ["EHLO", "STAR", "EHLO"]


def test_the_one_quiet_longest_makes_room() -> None:
    store = Store()
    rooms = Rooms(store, most=2)
    first, second = rooms.begin(), rooms.begin()
    rooms.say(first, "server", "220 mail.example.com")
    third = rooms.begin()
    assert rooms.going() == [third.number, first.number]
    dropped = store.get(second.number)
    assert dropped is not None
    assert dropped.over
    assert rooms.get(second.number) is None
    store.clear(first.number)
    assert rooms.get(first.number) is None


def test_who_is_not_of_the_lab_plays_not() -> None:
    with opened(token="secret") as lab:
        assert lab.ask("api/hand", "POST", {}).status == 401
        assert lab.ask("hand").status == 401
        pass_ = {"Authorization": "Bearer secret"}
        assert lab.ask("api/hand", "POST", {}, **pass_).status == 200
        assert (
            lab.ask("api/hand", "POST", {}, Origin="http://attacker.example", **pass_).status == 403
        )
        assert lab.ask("api/hand", "POST", {}, Host="attacker.example", **pass_).status == 421
        plain = lab.ask("api/hand", "POST", {}, Content_Type="text/plain", **pass_)
        assert plain.status == 415


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        ("api/hand/9/client", {"say": "NOOP"}, 404),
        ("api/hand/1/middlebox", {"say": "NOOP"}, 404),
        ("api/hand/1/client", {"act": "dance"}, 422),
        ("api/hand/1/client", {"shout": "NOOP"}, 422),
        ("api/hand/1/client", {"say": 7}, 422),
    ],
)
def test_what_cannot_be_asked(path: str, value: Any, status: int) -> None:
    with opened() as lab:
        begin(lab)
        assert lab.ask(path, "POST", value).status == status


def test_a_password_said_by_hand_is_masked() -> None:
    secret = "AGFuYQBjb3JyZWN0LWhvcnNl"
    with opened() as lab:
        number = begin(lab)
        say(lab, number, (*AGAIN, ("client", f"AUTH PLAIN {secret}")))
        for path in (f"api/hand/{number}/server", f"api/sessions/{number}/session"):
            assert secret.encode() not in lab.ask(path).body
