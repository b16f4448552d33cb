"""Each rule rests on its citation, is met by one experiment and broken by another."""

import pkgutil

import msgspec
import pytest

from simulator import explainer, rules, smtp
from simulator.lab import names
from simulator.language import say
from simulator.session import (
    AnyEvent,
    Certificate,
    Command,
    Connect,
    Handshake,
    Message,
    Reply,
    Session,
    Trace,
)
from tests.playing import explanation

RULES = {rule.id: rule for rule in rules.rules()}
KEYWORDS = {"must": {"MUST", "MUST NOT", "REQUIRED"}, "should": {"SHOULD", "SHOULD NOT"}}

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def of_smtp(citation: smtp.Citation) -> bool:
    """IMAP's rules (RFC 9051) do not bind SMTP, however strong their keyword is there."""
    return citation.rfc != 9051


@each_rule
def test_level_agrees_with_the_citation(rule: rules.Rule) -> None:
    citation = smtp.citations()[rule.citation]
    if rule.level == "risk":
        assert citation.keyword in ("", "MAY") or not of_smtp(citation)
    else:
        assert citation.keyword in KEYWORDS[rule.level]
        assert of_smtp(citation)


@each_rule
def test_no_rule_is_idle(rule: rules.Rule) -> None:
    seen = {
        note.met: name
        for name in names()
        for note in explanation(name).notes
        if note.rule == rule.id
    }
    assert set(seen) == {True, False}


def test_one_file_a_rule() -> None:
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(rules.__path__)}
    assert files == set(RULES)


@each_rule
def test_a_rule_is_one_sentence(rule: rules.Rule) -> None:
    assert say(rule.text).endswith((".", ")."))
    assert len(say(rule.text)) < 120


# ------------------------------------------------------------------ sessions made by hand


def cmd(verb: str, argument: str = "", *, inside: bool = False) -> Command:
    return Command(by="client", verb=verb, argument=argument, secure=inside)


def rep(code: int, *lines: str, inside: bool = False) -> Reply:
    return Reply(by="server", code=code, lines=lines or ("ok",), secure=inside)


CONNECT: list[AnyEvent] = [Connect(by="client"), rep(220, "mx.example.net")]
EHLO: list[AnyEvent] = [
    cmd("EHLO", "a.example.org"),
    rep(250, "mx.example.net", "SIZE", "STARTTLS"),
]
STARTTLS: list[AnyEvent] = [cmd("STARTTLS"), rep(220)]
TLS: list[AnyEvent] = [Handshake(by="client", version="TLSv1.3", cipher="X")]
INSIDE: list[AnyEvent] = [*CONNECT, *EHLO, *STARTTLS, *TLS]


XCLIENT: list[AnyEvent] = [
    cmd("XCLIENT", "ADDR=192.0.2.9", inside=True),
    rep(220, "mx.example.net", inside=True),
]


def hello_inside(*keywords: str) -> list[AnyEvent]:
    return [
        cmd("EHLO", "a.example.org", inside=True),
        rep(250, "mx.example.net", *keywords, inside=True),
    ]


def noted(events: list[AnyEvent], *, source: str = "swaks") -> dict[str, set[bool]]:
    """What each rule notes of a session read from a log: met, broken, or both."""
    found: dict[str, set[bool]] = {}
    for note in explainer.explain(Session(source=source, events=tuple(events))).notes:
        found.setdefault(note.rule, set()).add(note.met)
    return found


MET, BROKEN, BOTH, NOTHING = {True}, {False}, {True, False}, None

CASES: list[tuple[str, str, list[AnyEvent], set[bool] | None]] = [
    ("a second EHLO", "second-ehlo", [*INSIDE, *hello_inside()], MET),
    ("AUTH before EHLO", "second-ehlo", [*INSIDE, cmd("AUTH", "PLAIN x", inside=True)], BROKEN),
    ("only the first command counts", "second-ehlo",
     [*INSIDE, *hello_inside(), cmd("NOOP", inside=True)], MET),
    ("no handshake", "second-ehlo", [*CONNECT, *EHLO], NOTHING),
    ("a failed handshake", "second-ehlo",
     [*CONNECT, *EHLO, *STARTTLS, Handshake(by="client", error="expired"), cmd("QUIT")], NOTHING),
    ("STARTTLS is gone", "starttls-gone", [*INSIDE, *hello_inside("SIZE")], MET),
    ("lower case is a keyword too", "starttls-gone", [*INSIDE, *hello_inside("starttls")], BROKEN),
    ("a whole keyword, not a piece of a parameter", "starttls-gone",
     [*INSIDE, *hello_inside("XSECURITY=NONE,STARTTLS")], MET),
    ("MAIL without any EHLO", "ehlo-before-mail",
     [*CONNECT, cmd("MAIL", "FROM:<a@b>"), rep(250)], BROKEN),
    ("MAIL after a refused EHLO", "ehlo-before-mail",
     [*CONNECT, cmd("EHLO", "?"), rep(501), cmd("MAIL", "FROM:<a@b>")], BROKEN),
    ("MAIL after XCLIENT", "ehlo-before-mail",
     [*INSIDE, *hello_inside("XCLIENT ADDR"), *XCLIENT, cmd("MAIL", "FROM:<a@b>", inside=True)],
     BROKEN),
    ("a 503 after XCLIENT is no sign that the handshake was heeded", "server-forgets",
     [*INSIDE, *hello_inside("XCLIENT ADDR"), *XCLIENT, cmd("MAIL", "FROM:<a@b>", inside=True),
      rep(503, inside=True)], NOTHING),
    ("EHLO after XCLIENT", "ehlo-before-mail",
     [*INSIDE, *hello_inside("XCLIENT ADDR"), *XCLIENT, *hello_inside(),
      cmd("MAIL", "FROM:<a@b>", inside=True)], MET),
    ("a refused XCLIENT", "ehlo-before-mail",
     [*INSIDE, *hello_inside(), cmd("XCLIENT", "ADDR=192.0.2.9", inside=True),
      rep(550, inside=True), cmd("MAIL", "FROM:<a@b>", inside=True)], MET),
    ("MAIL after HELO", "ehlo-before-mail",
     [*CONNECT, cmd("HELO", "a"), rep(250), cmd("MAIL", "FROM:<a@b>")], NOTHING),
    ("a log that begins in the middle", "ehlo-before-mail",
     [cmd("MAIL", "FROM:<a@b>"), rep(250)], NOTHING),
    ("a log without replies", "ehlo-before-mail",
     [cmd("EHLO", "a"), cmd("MAIL", "FROM:<a@b>")], MET),
    ("a token in the clear", "password-inside-tls",
     [*CONNECT, *EHLO, cmd("AUTH", "OAUTHBEARER x")], BROKEN),
    ("a token of the older mechanism in the clear", "password-inside-tls",
     [*CONNECT, *EHLO, cmd("AUTH", "XOAUTH2 x")], BROKEN),
    ("a token inside TLS", "password-inside-tls",
     [*INSIDE, *hello_inside("AUTH XOAUTH2"), cmd("AUTH", "XOAUTH2 x", inside=True)], MET),
    ("a challenge answered in the clear gives no password away", "password-inside-tls",
     [*CONNECT, *EHLO, cmd("AUTH", "CRAM-MD5")], NOTHING),
    ("a log without replies is no pipelining", "waits-for-reply",
     [cmd("EHLO", "a"), cmd("STARTTLS"), cmd("MAIL", "FROM:<a@b>")], NOTHING),
    ("a log without replies has no groups", "starttls-last-in-group",
     [cmd("EHLO", "a"), cmd("STARTTLS"), cmd("MAIL", "FROM:<a@b>")], NOTHING),
    ("a log without the replies that came inside", "waits-for-reply",
     [*INSIDE, cmd("EHLO", "a", inside=True), cmd("MAIL", "FROM:<a@b>", inside=True)], NOTHING),
    ("a log without the greeting", "waits-for-reply",
     [Connect(by="client"), cmd("HELO", "a"), rep(250), cmd("MAIL", "FROM:<a@b>")], NOTHING),
    ("groups where PIPELINING is offered", "waits-for-reply",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "PIPELINING"),
      cmd("MAIL", "FROM:<a@b>"), cmd("RCPT", "TO:<a@b>")], MET),
    ("groups where it is not", "waits-for-reply",
     [*CONNECT, *EHLO, cmd("MAIL", "FROM:<a@b>"), cmd("RCPT", "TO:<a@b>")], BROKEN),
    ("PIPELINING learned in the clear is gone inside", "waits-for-reply",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "PIPELINING", "STARTTLS"), *STARTTLS, *TLS,
      *hello_inside("SIZE"),
      cmd("MAIL", "FROM:<a@b>", inside=True), cmd("RCPT", "TO:<a@b>", inside=True)], BROKEN),
    ("something behind STARTTLS", "starttls-last-in-group",
     [*CONNECT, *EHLO, cmd("STARTTLS"), cmd("EHLO", "a")], BROKEN),
    ("STARTTLS last of its group", "starttls-last-in-group",
     [*CONNECT, *EHLO, cmd("RSET"), cmd("STARTTLS"), rep(250), rep(220)], MET),
    ("STARTTLS first and not last", "starttls-last-in-group",
     [*CONNECT, *EHLO, cmd("RSET"), cmd("STARTTLS"), cmd("NOOP"), rep(250), rep(220)], BROKEN),
    ("STARTTLS alone", "starttls-last-in-group", [*CONNECT, *EHLO, *STARTTLS], NOTHING),
    ("TLS after the 220", "tls-after-220", INSIDE, MET),
    ("a handshake that fails was begun all the same", "tls-after-220",
     [*CONNECT, *EHLO, *STARTTLS, Handshake(by="client", error="expired")], MET),
    ("plain text after the 220", "tls-after-220",
     [*CONNECT, *EHLO, *STARTTLS, cmd("EHLO", "a")], BROKEN),
    ("STARTTLS refused", "tls-after-220",
     [*CONNECT, *EHLO, cmd("STARTTLS"), rep(454), cmd("MAIL", "FROM:<a@b>")], NOTHING),
    ("no certificate in a log proves nothing", "server-name-checked", INSIDE, NOTHING),
    ("a log that says verified", "server-name-checked",
     [*CONNECT, Handshake(by="client", verified=True)], MET),
    ("a masked list in a log", "list-intact",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "SIZE", "XXXXXXXA")], BROKEN),
    ("masked with one X fewer", "list-intact",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "XXXXXXA")], BROKEN),
    ("a private keyword is no mask", "list-intact",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "XFORWARD NAME", "XXX", "XXXB")], NOTHING),
    ("the list inside is safe", "list-intact",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "XXXXXXXA", "STARTTLS"), *STARTTLS, *TLS,
      *hello_inside("SIZE")], BOTH),
    ("SIZE is in the new list", "client-forgets",
     [*INSIDE, *hello_inside("SIZE"), cmd("MAIL", "FROM:<a@b> SIZE=3", inside=True)], MET),
    ("SIZE is not", "client-forgets",
     [*INSIDE, *hello_inside("DSN"), cmd("MAIL", "FROM:<a@b> SIZE=3", inside=True)], BROKEN),
    ("a keyword nobody ever offered was not forgotten", "client-forgets",
     [*INSIDE, *hello_inside("SIZE"), cmd("MAIL", "FROM:<a@b> SMTPUTF8", inside=True)], NOTHING),
    ("but it was not offered", "keyword-offered",
     [*INSIDE, *hello_inside("SIZE"), cmd("MAIL", "FROM:<a@b> SMTPUTF8", inside=True)], BROKEN),
    ("a log without replies shows no list", "keyword-offered",
     [cmd("EHLO", "a"), cmd("AUTH", "PLAIN x"), cmd("MAIL", "FROM:<a@b> SIZE=3")], NOTHING),
    ("a log without the list inside", "keyword-offered",
     [*INSIDE, cmd("EHLO", "a", inside=True), cmd("AUTH", "PLAIN x", inside=True)], NOTHING),
    ("a log with the last line of each reply only", "keyword-offered",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "8BITMIME"), cmd("AUTH", "PLAIN x")], NOTHING),
    ("HELO brought no list", "keyword-offered",
     [*CONNECT, cmd("HELO", "a"), rep(250), cmd("AUTH", "PLAIN x")], BROKEN),
    ("RET belongs to DSN", "keyword-offered",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "DSN"), cmd("MAIL", "FROM:<a@b> RET=HDRS")], MET),
    ("BODY=7BIT belongs to 8BITMIME", "keyword-offered",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "8BITMIME"), cmd("MAIL", "FROM:<a@b> BODY=7BIT")],
     MET),
    ("AUTH in an old form", "keyword-offered",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "AUTH=LOGIN"), cmd("AUTH", "LOGIN")], MET),
    ("a readable password in the clear", "password-inside-tls",
     [*CONNECT, *EHLO, cmd("AUTH", "login")], BROKEN),
    ("inside TLS", "password-inside-tls",
     [*INSIDE, cmd("AUTH", "PLAIN x", inside=True)], MET),
    ("a mechanism that hides it", "password-inside-tls",
     [*CONNECT, *EHLO, cmd("AUTH", "CRAM-MD5")], NOTHING),
    ("LOGIN offered in the clear", "auth-offered-inside",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "AUTH CRAM-MD5 LOGIN")], BROKEN),
    ("only mechanisms that hide the password", "auth-offered-inside",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "AUTH CRAM-MD5")], NOTHING),
    ("offered inside as well as outside", "auth-offered-inside",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "AUTH PLAIN", "STARTTLS"), *STARTTLS, *TLS,
      *hello_inside("AUTH PLAIN")], BROKEN),
    ("STARTTLS once more", "starttls-once",
     [*INSIDE, *hello_inside(), cmd("STARTTLS", inside=True)], BROKEN),
    ("no temptation, no note", "starttls-once",
     [*INSIDE, *hello_inside(), cmd("MAIL", "FROM:<a@b>", inside=True)], NOTHING),
    ("a message in pieces, in the clear", "mail-inside-tls",
     [*CONNECT, *EHLO, cmd("BDAT", "5"), rep(250), cmd("BDAT", "5 LAST"), rep(250)], BROKEN),
    ("a message in pieces, inside TLS", "mail-inside-tls",
     [*INSIDE, cmd("BDAT", "5 LAST", inside=True)], MET),
    ("two messages, one note", "mail-inside-tls",
     [*INSIDE, Message(by="client", secure=True), Message(by="client", secure=True)], MET),
    ("the old name in Received", "server-forgets",
     [*INSIDE, Trace(by="server", text="Received: from a.example.org by mx with ESMTPS")], BROKEN),
    ("another name", "server-forgets",
     [*INSIDE, Trace(by="server", text="Received: from localhost by mx with ESMTPS")], MET),
    ("the name was said again", "server-forgets",
     [*INSIDE, *hello_inside(),
      Trace(by="server", text="Received: from a.example.org by mx with ESMTPS")], NOTHING),
    ("no name in it", "server-forgets",
     [*INSIDE, Trace(by="server", text="Received: by mx with ESMTPS")], NOTHING),
    ("503 to MAIL", "server-forgets",
     [*INSIDE, cmd("MAIL", "FROM:<a@b>", inside=True), rep(503, inside=True)], MET),
    ("UTF8SMTPS is marked too", "esmtps-marked",
     [*INSIDE, Trace(by="server", text="from a by b with UTF8SMTPSA id 1")], MET),
    ("ESMTP in a TLS session", "esmtps-marked",
     [*INSIDE, Trace(by="server", text="from a by b with ESMTP id 1")], BROKEN),
    *(
        (f"ESMTP, and TLS named as {words}", "esmtps-marked",
         [*INSIDE, Trace(by="server", text=f"from tls1.example by b {words}")], NOTHING)
        for words in (
            "with ESMTP id 1 (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)",
            "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) with ESMTP id 1",
            "with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA) id 1",
            "with ESMTP (TLS1.3) id 1", "with ESMTP tls TLS_AES_128_GCM_SHA256 id 1",
        )
    ),
    ("a host's name names no TLS", "esmtps-marked",
     [*INSIDE, Trace(by="server", text="from tls1.example by b with ESMTP id 1")], BROKEN),
    ("HELO has no S to carry", "esmtps-marked",
     [*INSIDE, Trace(by="server", text="from a by b with SMTP id 1")], NOTHING),
    ("ESMTPS without TLS", "esmtps-marked",
     [*CONNECT, Trace(by="server", text="from a by b with ESMTPS")], BROKEN),
    ("HELO after a refused EHLO", "ehlo-rather-than-helo",
     [*CONNECT, cmd("EHLO", "a"), rep(502), cmd("HELO", "a")], MET),
    ("HELO after a good EHLO", "ehlo-rather-than-helo",
     [*CONNECT, *EHLO, cmd("HELO", "a")], BROKEN),
    ("the name comes first", "ehlo-reply-form", [*CONNECT, *EHLO], MET),
    ("a keyword comes first", "ehlo-reply-form",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "starttls", "mx")], BROKEN),
    ("no offer, no note", "ehlo-reply-form",
     [*CONNECT, cmd("EHLO", "a"), rep(250, "mx", "SIZE")], NOTHING),
    ("REQUIRETLS inside", "requiretls-inside",
     [*INSIDE, *hello_inside("REQUIRETLS"), cmd("MAIL", "FROM:<a@b> requiretls", inside=True)],
     MET),
    ("REQUIRETLS in the clear", "requiretls-inside",
     [*CONNECT, *EHLO, cmd("MAIL", "FROM:<a@b> REQUIRETLS")], BROKEN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "events", "expected"),
    [case[1:] for case in CASES],
    ids=[f"{rule}: {what}" for what, rule, _, _ in CASES],
)
def test_rule(rule: str, events: list[AnyEvent], expected: set[bool] | None) -> None:
    assert rule in RULES
    assert noted(events).get(rule) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "auth-offered-inside",
        "esmtps-marked",
        "list-intact",
        "mail-inside-tls",
        "password-inside-tls",
        "requiretls-inside",
        "starttls-gone",
    ],
)
def test_tls_that_ends_in_front_of_the_server_does_not_keep_what_is_inside(rule: str) -> None:
    inside = [
        rep(220, "mx.example.net", inside=True),
        *hello_inside("AUTH PLAIN", "REQUIRETLS"),
        cmd("AUTH", "PLAIN AGEAYg==", inside=True),
        rep(235, inside=True),
        cmd("AUTH", "OAUTHBEARER bixhPQ==", inside=True),
        rep(235, inside=True),
        cmd("MAIL", "FROM:<a@example.org> REQUIRETLS", inside=True),
        rep(250, inside=True),
        Message(by="client", raw=b"Subject: x\r\n", secure=True),
        Trace(by="server", text="from a.example.org by mx.example.net with ESMTPSA;", secure=True),
    ]
    met = []
    for in_front in (False, True):
        handshake = msgspec.structs.replace(TLS[0], in_front=in_front)
        events = (Connect(by="client"), handshake, *inside)
        found = explainer.explain(Session(source="swaks", implicit_tls=True, events=events))
        met.append({note.rule for note in found.notes if note.met})
    assert rule in met[0]
    assert rule not in met[1]


def test_an_unchecked_certificate_is_a_finding_where_the_lab_saw_it() -> None:
    events: list[AnyEvent] = [
        *CONNECT, *EHLO, *STARTTLS,
        Handshake(by="client", server_certificate=Certificate(subject="x")),
    ]  # fmt: skip
    assert noted(events, source="lab")["server-name-checked"] == BROKEN
    events[-1] = msgspec.structs.replace(events[-1], untold=True)
    assert "server-name-checked" not in noted(events, source="lab")


def test_an_appendix_is_linked_as_one() -> None:
    citation = smtp.citations()[RULES["ehlo-rather-than-helo"].citation]
    assert citation.url == "https://www.rfc-editor.org/rfc/rfc5321#appendix-F.3"
    second = smtp.citations()[RULES["second-ehlo"].citation]
    assert second.url == "https://www.rfc-editor.org/rfc/rfc3207#section-4.2"


@pytest.mark.parametrize(
    ("said", "citation"),
    [
        ("ESMTPS", "rfc3848-1-esmtps"),
        ("ESMTP", "rfc3848-1-esmtps"),
        ("UTF8SMTPS", "rfc6531-3_7_3-protocol-of-with"),
        ("UTF8SMTP", "rfc6531-3_7_3-protocol-of-with"),
    ],
)
def test_what_received_says_rests_on_the_rfc_that_has_the_word(said: str, citation: str) -> None:
    session = Session(events=(*INSIDE, Trace(by="server", text=f"from a by b with {said} id 1")))
    notes = {note.rule: note.citation for note in explainer.explain(session).notes}
    assert notes["esmtps-marked"] == citation


def test_of_what_is_not_shown_nothing_is_noted() -> None:
    told = Command(by="client", verb="MAIL", told=True)
    assert noted([*CONNECT, *EHLO, told]) == noted([*CONNECT, *EHLO])
    outline = Session(source="postfix", shown="outline", events=tuple(INSIDE))
    assert explainer.explain(outline).notes == ()


def test_notes_name_event_and_level() -> None:
    (note,) = explanation("skipped-ehlo").findings[1:]
    assert (note.rule, note.level, note.citation) == (
        "second-ehlo",
        "should",
        "rfc3207-4_2-client-ehlo",
    )
    event = explanation("skipped-ehlo").session.events[note.event]
    assert isinstance(event, Command)
    assert event.verb == "MAIL"


@pytest.mark.parametrize(
    ("verb", "argument", "keywords"),
    [
        ("AUTH", "PLAIN x", ("AUTH",)),
        ("BDAT", "10 LAST", ("CHUNKING",)),
        ("MAIL", "FROM:<> SIZE=3 BODY=8BITMIME", ("SIZE", "8BITMIME")),
        ("MAIL", "FROM:<> BODY=BINARYMIME", ("BINARYMIME",)),
        ("RCPT", "TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a@b", ("DSN",)),
        ("MAIL", "FROM:<a@b>", ()),
        ("DATA", "", ()),
    ],
)
def test_keywords_used(verb: str, argument: str, keywords: tuple[str, ...]) -> None:
    assert rules.keywords_used(cmd(verb, argument)) == keywords


ONLY_IF_VERIFIED = (
    "No one on the path can read the message.",
    "Inside TLS no one on the path can alter the list.",
)
"""What may be said only of a server whose certificate the client checked (RFC 3207 §6)."""


@pytest.mark.parametrize("name", names())
def test_no_two_findings_contradict_each_other(name: str) -> None:
    notes = explanation(name).notes
    said = {say(note.text) for note in notes}
    if any(note.rule == "server-name-checked" and not note.met for note in notes):
        assert said.isdisjoint(ONLY_IF_VERIFIED)
    found = {(note.rule, note.event, note.met) for note in notes}
    assert {(rule, event) for rule, event, met in found if (rule, event, not met) in found} == set()


def test_what_needs_a_checked_certificate_is_said_where_it_was() -> None:
    said = {say(note.text) for note in explanation("documented").notes}
    assert said.issuperset(ONLY_IF_VERIFIED)
