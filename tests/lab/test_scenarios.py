"""Every experiment is played, and ends as `outcomes.txt` says: a table to be read by people."""

import asyncio
import base64
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator import explainer, formats, smtp, tls
from simulator.explainer import Explanation, veiled
from simulator.lab import ClientPolicy, Scenario, load, names
from simulator.lab.client import Client
from simulator.lab.engine import Engine, playing_on
from simulator.lab.play import Lab, play, run
from simulator.lab.witness import witnessed
from simulator.language import Text, say
from simulator.masking import Veil
from simulator.session import (
    AuthResponse,
    Command,
    Disconnect,
    Handshake,
    Message,
    Reply,
    Session,
    Trace,
    to_json,
)
from simulator.views import bytes as bytes_view
from simulator.views import pcapng
from simulator.views.outline import proofs
from tests.playing import explanation, received, retold

OUTCOMES = Path(__file__).with_name("outcomes.txt").read_text().splitlines()


@pytest.fixture(autouse=True)
def _asyncio_says_nothing(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task is destroyed while pending, no exception is never retrieved."""
    with caplog.at_level(logging.ERROR, "asyncio"):
        yield
    said = [record.getMessage() for record in caplog.records]
    assert [text for text in said if "destroyed" in text or "never retrieved" in text] == []


def outcome(name: str) -> list[str]:
    """One row of the table."""
    found = explanation(name)
    verdict = found.verdict
    delivered = "clear" if verdict.in_clear else "inside"
    codes = [str(e.code) for e in found.session.events if isinstance(e, Reply) and not e.lost]
    return [
        name,
        verdict.tls or "?",
        verdict.second_ehlo or "?",
        str(verdict.second_ehlo_reply_code or "-"),
        delivered if verdict.delivered else "no",
        received(found.session),
        " ".join(codes[-4:]) or "-",
        " ".join(sorted({note.rule for note in found.findings})) or "-",
    ]


@pytest.mark.parametrize("row", OUTCOMES[1:], ids=lambda row: row.split("|")[0].strip())
def test_outcome(row: str) -> None:
    expected = [cell.strip() for cell in row.split("|")]
    assert outcome(expected[0]) == expected


def test_every_scenario_has_a_row() -> None:
    assert sorted(row.split("|")[0].strip() for row in OUTCOMES[1:]) == sorted(names())


def lists(found: Explanation) -> list[str]:
    """The lists that the server sent in reply to EHLO, one string each."""
    return [
        " / ".join(step.event.lines[1:])
        for step in found.steps
        if isinstance(step.event, Reply)
        and step.answers is not None
        and isinstance(asked := found.session.events[step.answers], Command)
        and asked.verb == "EHLO"
        and step.event.code == 250
    ]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("documented", "8BITMIME / SIZE 10485760 / STARTTLS", "8BITMIME / SIZE 10485760"),
        (
            "auth-only-inside",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / AUTH PLAIN",
        ),
        (
            "client-certificate",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / AUTH PLAIN EXTERNAL",
        ),
        (
            "token-login",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / AUTH OAUTHBEARER XOAUTH2",
        ),
        (
            "requiretls",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / REQUIRETLS",
        ),
        ("stale-keywords", "8BITMIME / SIZE 10485760 / STARTTLS", "8BITMIME"),
        (
            "limits",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / LIMITS RCPTMAX=1",
        ),
        (
            "smtputf8",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / SMTPUTF8",
        ),
        (
            "chunking-remembered",
            "8BITMIME / SIZE 10485760 / CHUNKING / STARTTLS",
            "8BITMIME / SIZE 10485760",
        ),
        (
            "starttls-still-offered",
            "8BITMIME / SIZE 10485760 / STARTTLS",
            "8BITMIME / SIZE 10485760 / STARTTLS",
        ),
    ],
)
def test_both_lists(name: str, first: str, second: str) -> None:
    assert lists(explanation(name)) == [first, second]


def test_external_is_offered_to_a_verified_client_certificate_only() -> None:
    scenario = load("client-certificate")
    bare = msgspec.structs.replace(scenario.client, certificate=False, login="PLAIN")
    found = explainer.explain(asyncio.run(_once(msgspec.structs.replace(scenario, client=bare))))
    assert lists(found)[1].endswith("AUTH PLAIN")
    handshake = next(
        e for e in explanation(scenario.name).session.events if isinstance(e, Handshake)
    )
    assert handshake.client_certificate is not None
    assert handshake.client_certificate.names == (scenario.client.name,)


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
@pytest.mark.parametrize("engine", ["loopback", "memory"])
def test_a_hello_gets_through_that_fits_one_packet(engine: Engine, tls_version: Any) -> None:
    scenario = load("large-hello")

    def played(*, large: bool) -> Session:
        client = msgspec.structs.replace(
            scenario.client, large_hello=large, tls_version=tls_version, patience=5 - 4.7 * large
        )
        with playing_on(engine):
            return play(msgspec.structs.replace(scenario, client=client))

    dropped, passed = played(large=True), played(large=False)
    [hello] = tls.records(dropped.stream("server"), dropped.stream("server").find(b"\x16\x03"))
    assert 1460 < hello.end - hello.start < 2 * 1460
    assert dropped.stream("server", "server").endswith(b"STARTTLS\r\n")
    assert [e.error for e in dropped.events if isinstance(e, Handshake)] == ["timeout"]
    # Nor does it take a message inside TLS for a hello.
    assert [e.error for e in passed.events if isinstance(e, Handshake)] == [""]
    assert explainer.explain(passed).verdict.delivered


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
@pytest.mark.parametrize("engine", ["loopback", "memory"])
def test_a_certificate_gets_through_that_fits_one_packet(engine: Engine, tls_version: Any) -> None:
    scenario = load("path-mtu")

    def played(*, large: bool) -> Session:
        client = msgspec.structs.replace(
            scenario.client, tls_version=tls_version, patience=5 - 4.7 * large
        )
        server = msgspec.structs.replace(
            scenario.server, certificate="many-names" if large else "valid"
        )
        with playing_on(engine):
            return play(msgspec.structs.replace(scenario, client=client, server=server))

    dropped, passed = played(large=True), played(large=False)
    # The hello arrives and is answered; of the answer nothing comes.
    assert dropped.stream("server", "server") == dropped.stream("server")
    sent, came = dropped.stream("client", "server"), dropped.stream("client")
    assert sent.startswith(came)
    assert 1460 < len(sent) - len(came) < 3 * 1460
    assert [e.error for e in dropped.events if isinstance(e, Handshake)] == ["timeout"]
    assert explainer.explain(passed).verdict.delivered


@pytest.mark.parametrize("engine", ["loopback", "memory"])
def test_of_tls_that_ends_in_front_of_it_a_server_knows_nothing(engine: Engine) -> None:
    with playing_on(engine):
        session = play(load("tls-ended-in-front"))
    assert b"EHLO" not in session.stream("server")
    assert session.stream("server", "server").startswith(b"EHLO ")
    assert session.stream("client", "server").startswith(b"220 ")
    found = explainer.explain(session)
    facts = found.steps[-1].knowledge.facts
    assert [(f.name, f.secure) for f in facts if f.holder == "server"] == [("EHLO", False)]
    assert {f.name for f in facts if f.holder == "client" and f.kind == "tls"} >= {"TLS"}
    assert lists(found) == ["8BITMIME / SIZE 10485760 / STARTTLS"]
    assert found.verdict.tls == "implicit"
    # Its leg is told for what it is, by its port too.
    _, behind = formats.read(pcapng.render(session))
    assert (behind.implicit_tls, behind.server.port) == (False, 25)
    assert explainer.explain(behind).verdict.tls == "not_attempted"
    pieces = [p for p in bytes_view.describe(found) if p.link == "server" and not p.depth]
    assert all(p.events and not p.secure for p in pieces)


def ended_in_front(**tables: dict[str, Any]) -> Session:
    """A session in which TLS ends in front of a server that does not mind."""
    given = load("tls-ended-in-front")
    tables = {"server": {}, "client": {}} | tables
    tables["server"] = {"requires_tls": False} | tables["server"]
    changed = {
        table: msgspec.structs.replace(getattr(given, table), **values)
        for table, values in tables.items()
    }
    return play(msgspec.structs.replace(given, **changed))


def test_where_tls_ends_in_front_nothing_need_cross_behind_it() -> None:
    # Each waits for the other: the server for the header of a proxy.
    session = ended_in_front(client={"patience": 0.4}, server={"expects_proxy": True})
    assert not session.stream("client", "server") + session.stream("server", "server")
    found = explainer.explain(session)
    assert {piece.link for piece in bytes_view.describe(found)} == {"client"}
    assert pcapng.render(session)
    assert say(found.verdict.outcome).startswith("TLS ended in front of the server:")


def test_what_tls_that_ends_in_front_did_for_a_message_is_not_overstated() -> None:
    found = explainer.explain(ended_in_front())
    assert found.verdict.delivered
    assert say(found.verdict.outcome) == (
        "TLS ended in front of the server: what reached the server came in the clear. "
        "The message was accepted."
    )
    noted = {note.rule for step in found.steps for note in step.notes if note.met}
    assert not noted & {"mail-inside-tls", "list-intact", "esmtps-marked", "starttls-gone"}


def test_tls_ends_in_front_of_a_server_also_where_the_client_refuses_its_certificate() -> None:
    session = ended_in_front(client={"verify": True}, server={"certificate": "expired"})
    (handshake,) = [event for event in session.events if isinstance(event, Handshake)]
    assert (handshake.error, handshake.in_front) == ("expired", True)
    assert say(explainer.explain(session).verdict.outcome).startswith("TLS was begun, but")


def test_tls_that_ends_in_front_keeps_nobody_from_the_list() -> None:
    noted = {note.rule for step in explanation("tls-ended-in-front").steps for note in step.notes}
    assert "starttls-gone" in noted
    assert "list-intact" not in noted
    assert "list-intact" in {
        note.rule for step in explanation("implicit-tls").steps for note in step.notes
    }


@pytest.mark.parametrize("engine", ["loopback", "memory"])
def test_a_certificate_may_be_for_many_names(engine: Engine) -> None:
    with playing_on(engine):
        session = changed("documented", server={"certificate": "many-names"})
    [shaken] = [event for event in session.events if isinstance(event, Handshake)]
    assert shaken.verified
    assert shaken.server_certificate is not None
    assert shaken.server_certificate.names[0] == load("documented").server.name
    assert len(shaken.server_certificate.names) > 50


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("PLAIN", b"\0ana\0ya29.token"),
        ("OAUTHBEARER", b"n,a=ana,\1auth=Bearer ya29.token\1\1"),
        ("XOAUTH2", b"user=ana\1auth=Bearer ya29.token\1\1"),
    ],
)
def test_a_login_says_what_its_mechanism_wants(login: Any, said: bytes) -> None:
    scenario = load("token-login")
    client = msgspec.structs.replace(scenario.client, login=login, password="ya29.token")
    server = msgspec.structs.replace(scenario.server, mechanisms=(login,))
    changed = msgspec.structs.replace(scenario, client=client, server=server)
    session = asyncio.run(_once(changed))
    [sent] = [e for e in session.events if isinstance(e, Command) and e.verb == "AUTH"]
    mechanism, _, initial = sent.argument.partition(" ")
    assert (mechanism, base64.b64decode(initial)) == (login, said)
    answer = session.events[session.events.index(sent) + 1]
    assert isinstance(answer, Reply)
    assert answer.code == 235


@pytest.mark.parametrize(
    ("answer", "end"),
    [("AQ==", "535 5.7.8"), ("*", "501 5.7.0")],
)
@pytest.mark.parametrize("sent", ["=", "no-Base64", base64.b64encode(b"\0ana\0x").decode()])
def test_no_token_lets_nobody_in(sent: str, answer: str, end: str) -> None:
    scenario = load("token-login")
    server = msgspec.structs.replace(scenario.server, auth="always")
    said = asyncio.run(
        _said(
            msgspec.structs.replace(scenario, server=server),
            ["EHLO mx4.example.com", f"AUTH OAUTHBEARER {sent}", answer, "QUIT"],
        )
    )
    code, _, why = said[2].partition(" ")
    assert (code, base64.b64decode(why)) == ("334", b'{"status":"invalid_token"}')
    assert said[3].startswith(end)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("handshake-fails-name", ("name-mismatch", ("other.example.com",))),
        ("handshake-fails-expired", ("expired", ("eq-c601.example.com",))),
        ("handshake-fails-unknown-ca", ("unknown-ca", ("eq-c601.example.com",))),
    ],
)
def test_a_refused_certificate_is_on_the_record(name: str, says: tuple[str, object]) -> None:
    failed = next(e for e in explanation(name).session.events if isinstance(e, Handshake))
    assert failed.server_certificate is not None
    assert (failed.error, failed.server_certificate.names) == says


def heard_for(found: Explanation, verb: str) -> tuple[Reply, Command | None]:
    """What the client takes for the reply to its first secure `verb`, and what that answers."""
    events = found.session.events
    for step in found.steps:
        if isinstance(step.event, Reply) and step.heard_as is not None:
            heard = events[step.heard_as]
            if isinstance(heard, Command) and heard.secure and heard.verb == verb:
                asked = events[step.answers] if step.answers is not None else None
                assert asked is None or isinstance(asked, Command)
                return step.event, asked
    raise LookupError(verb)


def test_a_kept_command_is_answered_in_place_of_the_second_ehlo() -> None:
    found = explanation("injected-command-kept")
    reply, asked = heard_for(found, "EHLO")
    assert asked is not None
    assert (asked.by, asked.stale, asked.argument) == ("middlebox", True, "evil.example.net")
    assert reply.secure
    assert heard_for(found, "DATA")[0].code == 250


def test_a_dropped_command_is_not_answered() -> None:
    found = explanation("injected-command-dropped")
    assert heard_for(found, "EHLO")[1] in found.session.events
    assert not any(event.stale for event in found.session.events)


def test_a_kept_reply_is_taken_for_the_answer_to_the_second_ehlo() -> None:
    reply, asked = heard_for(explanation("injected-reply-kept"), "EHLO")
    assert (reply.by, reply.stale, reply.lines[1]) == ("middlebox", True, "AUTH PLAIN")
    assert asked is None


def test_a_kept_envelope_takes_the_message_along() -> None:
    """The client sees success, and the message has gone to the attacker."""
    found = explanation("injected-envelope-kept")
    last = found.steps[-1].knowledge
    envelope = [fact.label for fact in last.facts if fact.kind == "envelope"]
    assert envelope == [
        "MAIL FROM <mallory@evil.example.net>",
        "RCPT TO <mallory@eq-c601.example.com>",
    ]
    assert heard_for(found, "DATA")[0].code == 354
    message = next(i for i, e in enumerate(found.session.events) if isinstance(e, Message))
    answer = next(s for s in found.steps if s.answers == message)
    assert isinstance(answer.event, Reply)
    assert (answer.event.code, answer.heard_as) == (250, message)


def test_an_added_keyword_falls_at_the_handshake() -> None:
    found = explanation("injected-keywords")
    gone = [f for f in found.steps[-1].knowledge.facts if f.name == "REQUIRETLS"]
    assert [(f.holder, f.secure, f.by_rule) for f in gone] == [
        ("client", False, "rfc3207-4_2-client-discards")
    ]


@pytest.mark.parametrize(
    ("name", "by", "reason"),
    [
        ("documented", "server", "quit"),
        ("required-but-missing", "client", "given up"),
        ("handshake-fails-name", "client", "given up"),
        ("plain-after-220", "server", "closed"),
        ("silent-server", "client", "timeout"),
        ("both-wait", "client", "timeout"),
        ("proxy-missing", "client", "timeout"),
        ("dane-previous-key", "client", "given up"),
        ("no-sni", "client", "given up"),
        ("cut-line", "middlebox", "cut"),
        ("cut-inside", "server", "cut"),
    ],
)
def test_who_ends_the_session(name: str, by: str, reason: str) -> None:
    last = explanation(name).session.events[-1]
    assert isinstance(last, Disconnect)
    assert (last.by, last.reason) == (by, reason)


def test_nothing_of_the_message_crosses_in_the_clear_where_tls_is_required() -> None:
    for name in names():
        if load(name).client.tls == "required":
            wire = explanation(name).session.stream("server", "client")
            assert b"MAIL FROM" not in wire, name


def said(found: Session, *verbs: str) -> list[str]:
    """The commands with these verbs, each with the code that its reply had for the client."""
    steps = explainer.explain(found).steps
    codes = {
        step.heard_as: step.event.code
        for step in steps
        if isinstance(step.event, Reply) and step.heard_as is not None
    }
    return [
        f"{event.verb} {event.argument} {codes.get(index, '-')}".replace("  ", " ")
        for index, event in enumerate(found.events)
        if isinstance(event, Command) and event.by == "client" and event.verb in verbs
    ]


def changed(name: str, **tables: dict[str, Any]) -> Session:
    """The session of that scenario with other values in some of its tables."""
    found = load(name)
    policies = {
        table: msgspec.structs.replace(getattr(found, table), **values)
        for table, values in tables.items()
    }
    return play(msgspec.structs.replace(found, **policies))


def test_a_limit_is_kept_by_further_transactions() -> None:
    assert said(explanation("limits").session, "MAIL", "RCPT", "DATA") == [
        "MAIL FROM:<postmaster@mx4.example.com> SIZE=107 250",
        "RCPT TO:<ana@eq-c601.example.com> 250",
        "DATA 354",
        "MAIL FROM:<postmaster@mx4.example.com> SIZE=107 250",
        "RCPT TO:<rui@eq-c601.example.com> 250",
        "DATA 354",
    ]


def test_who_does_not_heed_the_limit_is_refused_the_second_recipient() -> None:
    heedless = changed("limits", client={"uses": ("SIZE",)})
    assert said(heedless, "RCPT", "DATA") == [
        "RCPT TO:<ana@eq-c601.example.com> 250",
        "RCPT TO:<rui@eq-c601.example.com> 452",
    ]


def test_a_limit_of_the_first_list_alone_binds_nobody() -> None:
    gone = {"keywords": ("LIMITS RCPTMAX=1",), "inside": (), "withdrawn": ("LIMITS",)}
    assert len(said(changed("limits", server=gone), "MAIL")) == 1
    assert len(said(changed("limits", server=gone, client={"forgets": False}), "MAIL")) == 2


def test_an_address_of_other_letters_goes_where_smtputf8_is_offered() -> None:
    played = explanation("smtputf8").session
    assert said(played, "MAIL") == ["MAIL FROM:<josé@mx4.example.com> SIZE=126 SMTPUTF8 250"]
    # Not where it is not offered, unless the client insists: then the server says that it is none.
    nowhere = {"inside": ()}
    assert said(changed("smtputf8", server=nowhere), "MAIL") == []
    assert said(changed("smtputf8", server=nowhere, client={"insists": ("SMTPUTF8",)}), "MAIL") == [
        "MAIL FROM:<josé@mx4.example.com> SIZE=126 SMTPUTF8 500"
    ]
    # What it offered in the clear, a server that forgets has forgotten.
    before = {"keywords": ("SMTPUTF8", "SIZE 10485760"), "withdrawn": ("SMTPUTF8",), "inside": ()}
    assert said(changed("smtputf8", server=before, client={"forgets": False}), "MAIL")[0].endswith(
        " 500"
    )


def test_a_message_in_one_piece() -> None:
    played = explanation("chunking").session
    assert said(played, "DATA", "BDAT") == ["BDAT 107 LAST 250"]
    piece = next(e for e in played.events if isinstance(e, Command) and e.verb == "BDAT")
    line, _, data = piece.raw.partition(b"\r\n")
    assert (line, len(data)) == (b"BDAT 107 LAST", 107)
    assert data.endswith(b"The Received line tells how this message came.\r\n")
    grouped = changed(
        "chunking", client={"pipelines": True}, server={"inside": ("CHUNKING", "PIPELINING")}
    )
    assert said(grouped, "RCPT", "BDAT")[-1] == "BDAT 107 LAST 250"


def test_a_piece_that_is_refused_is_read_to_its_end() -> None:
    """None of it is taken for a command."""
    assert said(explanation("chunking-remembered").session, "BDAT", "QUIT") == [
        "BDAT 107 LAST 503",
        "QUIT 221",
    ]


BEGUN = [("MAIL FROM:<a@example.org>", b"", 250), ("RCPT TO:<b@example.org>", b"", 250)]
WHOLE = [("DATA", b"", 354), (".", b"", 250)]
PIECES: dict[str, list[tuple[str, bytes, int]]] = {
    "two": [*BEGUN, ("BDAT 6", b"QUIT\r\n", 250), ("bdat 6 last", b"QUIT\r\n", 250)],
    "no sender": [("BDAT 6 LAST", b"QUIT\r\n", 503), ("NOOP", b"", 250)],
    "no number": [*BEGUN, ("BDAT", b"", 501), ("BDAT six", b"", 501), ("BDAT 0 FIRST", b"", 501)],
    "too much": [*BEGUN, ("BDAT 60", bytes(60), 250), ("BDAT 60", bytes(60), 552), *BEGUN],
    "DATA between": [*BEGUN, ("BDAT 6", b"QUIT\r\n", 250), ("DATA", b"", 503)],
    "RSET between": [*BEGUN, ("BDAT 6", b"QUIT\r\n", 250), ("RSET", b"", 250), *BEGUN, *WHOLE],
}
"""What is sent inside TLS, each line with the octets that are part of it, and the reply's code."""


def _sending(
    monkeypatch: pytest.MonkeyPatch, lines: list[tuple[str, bytes, int]]
) -> list[tuple[str, bytes, int]]:
    """Have the client send those lines in place of a message; the replies come to what is given."""
    got: list[tuple[str, bytes, int]] = []

    async def send(client: Client) -> None:
        for line, data, _ in lines:
            client.group(line, data=data)
            got.append((line, data, (await client.reply()).code))

    monkeypatch.setattr(Client, "_send_mail", send)
    return got


@pytest.mark.parametrize("lines", PIECES.values(), ids=PIECES)
def test_pieces_are_taken_as_the_rfc_has_it(
    lines: list[tuple[str, bytes, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    got = _sending(monkeypatch, lines)
    changed("chunking", server={"keywords": ("SIZE 100", "STARTTLS"), "inside": ("CHUNKING",)})
    assert got == lines


def test_a_piece_that_comes_before_tls_is_read_to_its_end_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [("BDAT 6 LAST", b"QUIT\r\n", 530), ("NOOP", b"", 250)]
    got = _sending(monkeypatch, lines)
    changed("chunking", server={"requires_tls": True}, client={"tls": "never"})
    assert got == lines


def test_a_header_that_the_server_expects_tells_it_whose_connection_it_is() -> None:
    expected = changed("proxy-unexpected", server={"expects_proxy": True})
    found = explainer.explain(expected)
    assert (found.verdict.second_ehlo, found.verdict.delivered) == ("sent", True)
    [line] = [event.text for event in expected.events if isinstance(event, Trace)]
    assert "from mx4.example.com ([192.0.2.25]) by" in line


def test_a_header_that_is_none_ends_the_connection() -> None:
    nonsense = {"does": "proxy", "lines": ("PROXY who knows",)}
    ended = changed("proxy-unexpected", server={"expects_proxy": True}, middlebox=nonsense)
    assert not any(isinstance(event, Reply) for event in ended.events)
    last = ended.events[-1]
    assert isinstance(last, Disconnect)
    assert (last.by, last.reason) == ("server", "closed")


@pytest.mark.parametrize("kind", ["valid", "many-names", "other-name", "expired", "unknown-ca"])
@pytest.mark.parametrize(("tlsa", "error"), [("present", ""), ("previous", "certificate")])
def test_by_dane_the_key_counts_and_nothing_else(kind: str, tlsa: str, error: str) -> None:
    played = changed("dane", client={"tlsa": tlsa}, server={"certificate": kind})
    [shaken] = [event for event in played.events if isinstance(event, Handshake)]
    assert (shaken.error, shaken.verified, shaken.dane) == (error, not error, True)
    assert explainer.explain(played).verdict.delivered is not bool(error)
    checked = [value for name, value in proofs(played, shaken) if name == "checked"]
    told = Text("the key is that of the TLSA record (DANE)")
    assert checked == [shaken.detail if error else told]


@pytest.mark.parametrize("name", ["both-wait", "proxy-missing"])
def test_where_both_sides_wait_tls_was_never_begun(name: str) -> None:
    waited = "TLS was never begun: each side waited for the other."
    found = explanation(name)
    assert found.verdict.tls is None
    assert say(found.verdict.outcome).startswith(waited)
    cut = explainer.explain(found.session.until(1))
    assert waited not in say(cut.verdict.outcome)


FURTHER = "From the rest of it the server made a second message, and accepted that too."


def dialogue(played: Session) -> list[tuple[str, str]]:
    """From the message on: who said what, and what a reply answers and is taken to answer."""
    found = explainer.explain(played).steps
    start = next(step.index for step in found if isinstance(step.event, Message))

    def named(index: int | None) -> str:
        event = None if index is None else played.events[index]
        kind = "answer" if isinstance(event, AuthResponse) else "-"
        kind = "message" if isinstance(event, Message) else kind
        return getattr(event, "verb", kind)

    return [
        (step.event.by, f"{step.event.code} {named(step.answers)} {named(step.heard_as)}")
        if isinstance(step.event, Reply)
        else (step.event.by, named(step.index))
        for step in found[start:]
        if isinstance(step.event, AuthResponse | Command | Reply | Message)
    ]


@pytest.mark.parametrize("engine", ["loopback", "memory"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_takes_bare_line_feeds_makes_two_messages_of_one(
    version: str, engine: Engine
) -> None:
    with playing_on(engine):
        played = changed("smuggled-message", client={"tls_version": version})
    assert dialogue(played) == [
        ("client", "message"),
        ("message", "MAIL"),
        ("message", "RCPT"),
        ("message", "DATA"),
        ("message", "message"),
        ("server", "250 message message"),
        ("client", "QUIT"),
        ("server", "250 MAIL QUIT"),
        ("server", "250 RCPT -"),
        ("server", "354 DATA -"),
        ("server", "250 message -"),
        ("server", "221 QUIT -"),
    ]
    assert [event.by for event in played.events if isinstance(event, Trace)] == ["server"] * 2
    whole, rest = (event for event in played.events if isinstance(event, Message))
    assert b"\n.\nMAIL FROM:<boss@mx4.example.com>\n" in whole.raw
    assert whole.raw.endswith(rest.raw)
    assert rest.size == len(rest.raw) - len(".\r\n")
    found = explainer.explain(played)
    assert found.verdict.client_to_server_commands[-2:] == ("DATA", "QUIT")
    assert say(found.verdict.outcome).endswith(f"inside TLS. {FURTHER}")
    assert [note.citation for note in found.findings if note.rule == "no-bare-line-feed"] == [
        "rfc5321-2_3_8-bare-line-feed",
        "rfc5321-4_1_1_4-bare-line-feed-ends-nothing",
    ]


def strangers(*sent: bytes, policy: dict[str, Any] | None = None) -> Session:
    """What a stranger says in the clear to the server that takes bare line feeds: each piece when
    the last was answered; up to DATA it is all in order."""

    async def talk(address: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*address)
        head = b"EHLO me\r\n", b"MAIL FROM:<a@a.example>\r\n", b"RCPT TO:<b@b.example>\r\n"
        for piece in (b"", *head, b"DATA\r\n", *sent):
            writer.write(piece)
            while (await reader.readline())[3:4] == b"-":
                pass
        await reader.read()
        writer.close()

    scenario = load("smuggled-message")
    server = msgspec.structs.replace(scenario.server, **(policy or {}))
    [seen] = run(witnessed(msgspec.structs.replace(scenario, server=server), talk))
    return seen


def test_what_a_stranger_smuggles_is_no_command_of_the_strangers() -> None:
    within = b"Hello\r\n.\nMAIL FROM:<c@c.example>\nRSET\r\n.\r\nQUIT\r\n"
    assert dialogue(strangers(within)) == [
        ("client", "message"),
        ("server", "250 message message"),
        ("message", "MAIL"),
        ("server", "250 MAIL -"),
        ("message", "RSET"),
        ("server", "250 RSET -"),
        ("message", ""),
        ("server", "500  -"),
        ("client", "QUIT"),
        ("server", "221 QUIT QUIT"),
    ]


def test_a_login_that_a_stranger_smuggles_is_told_once() -> None:
    within = b"Hello\r\n.\nAUTH LOGIN\nYWxpY2U=\nczNjcjN0\nNOOP\r\n.\r\nQUIT\r\n"
    seen = strangers(within, policy={"auth": "always", "mechanisms": ("LOGIN",)})
    assert [text for _, text in dialogue(seen)] == [
        "message", "250 message message", "AUTH", "334 AUTH -", "answer", "334 answer -", "answer",
        "235 answer -", "NOOP", "250 NOOP -", "", "500  -", "QUIT", "221 QUIT QUIT",
    ]  # fmt: skip


@pytest.mark.parametrize("sent", [b"Subject: x\n\nHello\n.\n", b"Subject: x\r\n\r\nHello\n.\n"])
def test_a_stranger_who_waits_has_ended_the_message(sent: bytes) -> None:
    seen = strangers(sent, b"RSET\n", b"QUIT\n")
    assert dialogue(seen) == [
        ("client", "message"),
        ("server", "250 message message"),
        ("client", "RSET"),
        ("server", "250 RSET RSET"),
        ("client", "QUIT"),
        ("server", "221 QUIT QUIT"),
    ]
    assert [event.raw for event in seen.events if isinstance(event, Message)] == [sent]
    assert "no-bare-line-feed" in explainer.explain(seen).verdict.faults


def test_a_server_of_the_standard_keeps_the_message_whole() -> None:
    played = explanation("smuggled-message-whole").session
    assert dialogue(played)[1:] == [
        ("server", "250 message message"),
        ("client", "QUIT"),
        ("server", "221 QUIT QUIT"),
    ]
    # Nor is anything smuggled by a client that sends CR with each line feed, and doubles the dot.
    careful = changed("smuggled-message", client={"sends_bare_lf": False})
    assert dialogue(careful)[1:] == dialogue(played)[1:]
    assert not explainer.explain(careful).findings


MAIL_AND_RCPT = "MAIL FROM:<c@c.example>\nRCPT TO:<ana@eq-c601.example.com>\n"


@pytest.mark.parametrize("engine", ["loopback", "memory"])
@pytest.mark.parametrize(
    ("within", "taken", "answers", "further"),
    [
        ("", [""], ["500"], False),
        ("MAIL FROM:<c@c.example> REQUIRETLS\nDATA\n\nTo: ana\n", ["MAIL", "DATA", "", "", ""],
         ["555 MAIL", "503 DATA", "500", "500", "500"], False),
        (".\n" + MAIL_AND_RCPT + "DATA\nx\n", ["", "MAIL", "RCPT", "DATA", "message"],
         ["500", "250 MAIL", "250 RCPT", "354 DATA", "250 message"], True),
        (MAIL_AND_RCPT + "DATA\n" + "x" * 5000 + "\n", ["MAIL", "RCPT", "DATA", "message"],
         ["250 MAIL", "250 RCPT", "354 DATA", "500 message"], False),
        (MAIL_AND_RCPT + "BDAT 3 LAST\nabcNOOP\n", ["MAIL", "RCPT", "BDAT", "NOOP", ""],
         ["250 MAIL", "250 RCPT", "250 BDAT", "250 NOOP", "500"], True),
        ("é\n\0\n", ["", "", ""], ["500", "500", "500"], False),
        ("QUIT now\nNOOP\n", ["QUIT", "NOOP", ""], ["501 QUIT", "250 NOOP", "500"], False),
        ("DATA\n.\r\nNOOP\n", ["DATA", "", "NOOP", ""], ["503 DATA", "500", "250 NOOP", "500"],
         False),
        ("AUTH LOGIN\ndTVlckM0bmFyeQ==\nWnE3LVMzY3IzdFB3\n", ["AUTH", "answer", "answer", ""],
         ["334 AUTH", "334 answer", "235 answer", "500"], False),
    ],
)  # fmt: skip
def test_what_stands_in_a_message_is_taken_line_by_line(
    within: str, taken: list[str], answers: list[str], further: bool, engine: Engine
) -> None:
    keywords = ("SIZE 10485760", "CHUNKING", "8BITMIME")
    with playing_on(engine):
        played = changed(
            "smuggled-message",
            mail={"body": f"Hello.\n.\n{within}"},
            server={"keywords": keywords, "auth": "always", "mechanisms": ("LOGIN",)},
        )
    said = dialogue(played)
    assert [verb for by, verb in said if by == "message"] == taken
    assert [text.rpartition(" ")[0].strip() for by, text in said if by == "server"] == [
        "250 message", *answers, "221 QUIT",
    ]  # fmt: skip
    assert [verb for by, verb in said if by == "client"] == ["message", "QUIT"]
    assert say(explainer.explain(played).verdict.outcome).endswith(FURTHER) is further


def test_a_smuggled_quit_ends_the_session() -> None:
    played = changed("smuggled-message", mail={"body": "Hello.\n.\nQUIT\nNOOP\n"})
    assert [verb for by, verb in dialogue(played) if by == "message"] == ["QUIT"]


def test_the_dot_behind_a_line_that_is_too_long_is_an_end_all_the_same() -> None:
    for length in range(990, 1100):
        body = f"Hello.\n{'x' * length}\n"
        careful = {"sends_bare_lf": False}
        played = changed("smuggled-message", mail={"body": body}, client=careful)
        assert [by for by, _ in dialogue(played)] == ["client", "server", "client", "server"]


def test_what_a_message_smuggles_is_masked() -> None:
    plain = base64.b64encode(b"\0ana\0Zq7-S3cr3tPw").decode()
    body = f"Hello.\n.\nAUTH PLAIN {plain}\nNOOP\nmy BODYCANARY\nhunter2222xy\n"
    found = veiled(explainer.explain(changed("smuggled-message", mail={"body": body})), Veil())
    told = to_json(found.session)
    assert "NOOP" in told
    assert plain not in told
    assert "BODYCANARY" not in told
    assert "hunter2222xy" not in told.lower()


@pytest.mark.parametrize("engine", ["loopback", "memory"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("client", "error", "names"),
    [
        ({"names_server": False}, "name-mismatch", ("other.example.com",)),
        ({"names_server": False, "verify": False}, "", ("other.example.com",)),
        ({"names_server": True}, "", ("eq-c601.example.com",)),
        ({"names_server": True, "tlsa": "present"}, "", ("eq-c601.example.com",)),
        ({"names_server": False, "tlsa": "present"}, "certificate", ("other.example.com",)),
    ],
)
def test_who_does_not_name_the_server_gets_the_certificate_of_another(
    client: dict[str, Any], error: str, names: tuple[str, ...], version: str, engine: Engine
) -> None:
    with playing_on(engine):
        played = changed("no-sni", client=client | {"tls_version": version})
    [shaken] = [event for event in played.events if isinstance(event, Handshake)]
    assert (shaken.error, shaken.server_certificate and shaken.server_certificate.names) == (
        error,
        names,
    )
    hello = next(s.data for s in played.wire if s.to == "server" and s.data[:1] == b"\x16")
    assert (b"eq-c601.example.com" in hello) is client["names_server"]


def test_a_session_resumed_without_a_name_was_checked_before() -> None:
    client = {"resumes": True, "names_server": False}
    played = changed("no-sni", client=client, server={"certificate": "valid"})
    [shaken] = [event for event in played.events if isinstance(event, Handshake)]
    assert (shaken.error, shaken.resumed, shaken.verified) == ("", True, True)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_of_either_version_is_really_resumed(version: str) -> None:
    played = changed("resumed", client={"tls_version": version})
    [shaken] = [event for event in played.events if isinstance(event, Handshake)]
    assert (shaken.resumed, shaken.version) == (True, f"TLSv{version}")
    assert shaken.server_certificate is None
    assert ("the certificates", Text("did not cross: an earlier TLS session was resumed")) in [
        *proofs(played, shaken)
    ]
    assert explainer.explain(played).verdict.second_ehlo == "sent"


def test_the_connection_before_is_no_part_of_what_is_told() -> None:
    played = explanation("resumed").session
    assert [type(event).__name__ for event in played.events].count("Connect") == 1
    assert played.stream("server", "client").startswith(b"EHLO ")
    assert played.stream("server", "client").count(b"STARTTLS") == 1


def test_without_a_tls_session_there_is_nothing_to_resume() -> None:
    """The earlier connection gets no further than its handshake, so the later one has a whole."""
    refused = changed("resumed", server={"certificate": "expired"})
    assert [event.error for event in refused.events if isinstance(event, Handshake)] == ["expired"]


def test_xclient_tells_the_server_whom_it_serves_and_resets_it() -> None:
    found = explanation("xclient")
    assert said(found.session, "EHLO", "XCLIENT") == [
        "EHLO mx4.example.com 250",
        "EHLO mx4.example.com 250",
        "XCLIENT ADDR=192.0.2.25 NAME=mx4.example.com 220",
        "EHLO mx4.example.com 250",
    ]
    assert "STARTTLS" not in lists(found)[2]
    [line] = [event.text for event in found.session.events if isinstance(event, Trace)]
    assert "from mx4.example.com ([192.0.2.25]) by" in line


XCLIENT: dict[str, list[tuple[str, bytes, int]]] = {
    "nothing": [("XCLIENT", b"", 501), ("XCLIENT ADDR", b"", 501)],
    "in a transaction": [*BEGUN, ("XCLIENT ADDR=192.0.2.9", b"", 503), *WHOLE],
    "a name of its own": [("XCLIENT HELO=a.example.org", b"", 220), *BEGUN, *WHOLE],
    "an unknown name": [("XCLIENT HELO=[UNAVAILABLE]", b"", 220), ("MAIL FROM:<a@b.c>", b"", 503)],
}
"""What is sent inside TLS, with the replies' codes, as Postfix's XCLIENT_README has them."""


@pytest.mark.parametrize("lines", XCLIENT.values(), ids=XCLIENT)
def test_xclient_is_taken_as_postfix_has_it(
    lines: list[tuple[str, bytes, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    got = _sending(monkeypatch, lines)
    changed("xclient", client={"xclient": ""})
    assert got == lines


def test_xclient_where_the_list_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [("XCLIENT ADDR=192.0.2.9", b"", 550), *BEGUN]
    got = _sending(monkeypatch, lines)
    changed("xclient", server={"inside": ()})
    assert got == lines


async def _once(scenario: Scenario) -> Session:
    async with Lab(scenario).open() as lab:
        return await lab.session()


async def _said(scenario: Scenario, commands: list[str]) -> list[str]:
    """The last lines of greeting and replies that these commands get in the clear."""
    async with Lab(scenario).open() as lab:
        reader, writer = await asyncio.open_connection(*lab.address)
        last = []
        for command in (*commands, ""):
            while (line := await reader.readline())[3:4] == b"-":
                pass
            last.append(line.decode().strip())
            writer.write(f"{command}\r\n".encode())
        writer.close()
        return last


async def _many(scenario: Scenario, times: int) -> AsyncIterator[Session]:
    async with Lab(scenario).open() as lab:
        for _ in range(times // 25):
            for found in await asyncio.gather(*(lab.session() for _ in range(25))):
                yield found


RACY = [
    "injected-command-dropped",
    "injected-command-kept",
    "injected-envelope-kept",
    "injected-reply-dropped",
    "injected-reply-kept",
    "injected-keywords",
    "stripped",
    "plain-after-220",
    "no-tls-after-220",
    "wrong-port",
    "both-wait",
    "silent-server",
    "cut-line",
    "cut-inside",
    "client-certificate",
    "handshake-fails-name",
    "pipelined-past-starttls",
    "pipelining",
    "proxy-unexpected",
    "chunking-remembered",
    "dane-previous-key",
    "no-sni",
    "path-mtu",
    "resumed",
    "tls-ended-in-front",
    "xclient-skipped-ehlo",
]


@pytest.mark.parametrize("name", RACY)
def test_a_hundred_times_the_same(name: str) -> None:
    scenario = load(name)
    # Twenty-five at once take their time where the machine has other work.
    waits = scenario.client.patience < ClientPolicy().patience
    patient = msgspec.structs.replace(scenario.client, patience=1 if waits else 60)
    scenario = msgspec.structs.replace(scenario, client=patient)

    async def all_told() -> set[str]:
        return {"\n".join(retold(explainer.explain(found))) async for found in _many(scenario, 100)}

    assert len(asyncio.run(all_told())) == 1


def test_citations_of_the_notes_exist() -> None:
    used = {note.citation for name in names() for note in explanation(name).notes}
    assert used <= set(smtp.citations())


def test_where_tls_ends_in_front_nothing_goes_wrong_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A task that failed says so only when nobody can ask it any more."""
    for _ in range(3):
        play(load("tls-ended-in-front"))
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
