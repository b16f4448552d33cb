"""`ehlo-twice explain`: a log in, the explanation out."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from simulator.views.view import views
from tests.command import Command

LOGS = Path(__file__).parents[1] / "formats" / "transcripts"
FAULTY = str(next(LOGS.glob("t025*.txt")))
FINE = str(next(LOGS.glob("t026*.txt")))
SECRET = "AGFuYQBjb3JyZWN0LWhvcnNl"

LOGIN = f"""\
=== Trying mx.corp.example:587...
=== Connected to mx.corp.example.
<-  220 mx.corp.example ESMTP
 -> EHLO pc.corp.example
<-  250-mx.corp.example
<-  250 STARTTLS
 -> STARTTLS
<-  220 Go ahead
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
 ~> EHLO pc.corp.example
<~  250-mx.corp.example
<~  250 AUTH PLAIN
 ~> AUTH PLAIN {SECRET}
<~  235 2.7.0 Authentication successful
 ~> MAIL FROM:<ana@corp.example>
<~  250 OK
 ~> RCPT TO:<bob@corp.example>
<~  250 OK
 ~> DATA
<~  354 End data
 ~> Subject: private matter
 ~>
 ~> .
<~  250 OK
 ~> QUIT
<~  221 Bye
=== Connection closed with remote host.
"""


@pytest.fixture
def login(tmp_path: Path) -> str:
    path = tmp_path / "login.txt"
    path.write_text(LOGIN)
    return str(path)


def test_cause_remedy_citation_and_experiment(command: Command) -> None:
    ran = command("explain", FAULTY)
    assert ran.code == 0
    assert "After TLS the client did not say EHLO again (RFC 3207 §4.2 SHOULD)" in ran.out
    assert "What to do: Make the client send EHLO" in ran.out
    assert "ehlo-twice replay skipped-ehlo" in ran.out


def test_in_portuguese(command: Command) -> None:
    assert "O que fazer: " in command("explain", FAULTY, "--lang", "pt_BR").out


OF_OCTETS = ["bytes", "pcapng"]
"""Views of what a log does not hold."""

DRAWN = {"pdf": "%PDF", "png": "\N{REPLACEMENT CHARACTER}PNG"}
"""Views that are no text, and how they begin."""

IN_TEXT = sorted(views().keys() - set(OF_OCTETS) - DRAWN.keys())


@pytest.mark.parametrize("view", IN_TEXT)
def test_every_view(command: Command, view: str) -> None:
    ran = command("explain", FAULTY, "--view", view)
    assert ran.code == 0
    assert ran.err == ""
    assert "relay.exam" in ran.out.replace("\\", "") or "exam" not in ran.out
    assert ran.out.strip()


@pytest.mark.parametrize(
    ("view", "begins"), [("pdf", "%PDF"), ("png", "\N{REPLACEMENT CHARACTER}PNG")]
)
def test_a_drawing_that_is_no_text(command: Command, view: str, begins: str) -> None:
    ran = command("explain", FAULTY, "--view", view)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(DRAWN[view])


@pytest.mark.parametrize("view", OF_OCTETS)
def test_a_log_has_no_octets_to_show(command: Command, view: str) -> None:
    assert "none of the octets that crossed the wire" in command.fails(
        "explain", FAULTY, "--view", view
    )


@pytest.mark.parametrize("view", [view.name for view in views().values() if not view.pieces])
def test_a_view_of_one_session_does_not_choose_by_itself(command: Command, view: str) -> None:
    said = command.fails("explain", FAULTY, FINE, "--view", view)
    assert f"--view {view} shows one session" in said
    assert "--session N" in said
    said = command.fails("explain", FAULTY, "--follow", "--view", view)
    assert f"--view {view} shows one session" in said


def test_json_is_what_its_schema_says(command: Command) -> None:
    shown = json.loads(command("explain", FAULTY, FINE, "--view", "json").out)
    jsonschema.validate(shown, json.loads(command("schema", "explanation").out))
    faulty, fine = (entry["verdict"] for entry in shown["sessions"])
    assert (faulty["second_ehlo"], fine["second_ehlo"]) == ("missing", "sent")
    assert [cause["id"] for cause in faulty["causes"]] == ["second-ehlo-not-sent"]


@pytest.mark.parametrize("view", IN_TEXT)
def test_credentials_and_messages_are_masked(command: Command, login: str, view: str) -> None:
    out = command("explain", login, "--view", view).out
    assert SECRET not in out
    assert "private matter" not in out
    assert "AUTH" in out


def test_secrets_on_demand(command: Command, login: str) -> None:
    assert SECRET in command("explain", login, "--show-secrets").out


@pytest.mark.parametrize("view", IN_TEXT)
def test_names_on_demand(command: Command, login: str, view: str) -> None:
    out = command("explain", login, "--anonymise", "--view", view).out
    assert "corp" not in out
    assert "host2.example" in out.replace("\\", "") or "example" not in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([FAULTY], 0), ([FAULTY, "--strict"], 1), ([FINE, "--strict"], 0), ([FINE], 0)],
)
def test_the_exit_code(command: Command, arguments: list[str], code: int) -> None:
    assert command("explain", *arguments).code == code


PROBE = """\
Mar  2 07:23:08 mx postfix/smtps/smtpd[9]: connect from scan-7.example.net[203.0.113.7]
Mar  2 07:23:08 mx postfix/smtps/smtpd[9]: SSL_accept error from scan-7.example.net[203.0.113.7]: \
Connection reset by peer
Mar  2 07:23:08 mx postfix/smtps/smtpd[9]: lost connection after CONNECT from \
scan-7.example.net[203.0.113.7]
Mar  2 07:23:08 mx postfix/smtps/smtpd[9]: disconnect from scan-7.example.net[203.0.113.7] \
commands=0/0
"""


def test_a_probe_is_no_problem_unless_asked_for(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(PROBE)
    assert "○ A probe: nothing to do" in command("explain", str(log)).out
    hidden = command("explain", str(log), "--only-problems", "--strict")
    assert (hidden.code, hidden.out) == (0, "")
    shown = command("explain", str(log), "--only-problems", "--probes")
    assert "A probe: nothing to do" in shown.out


@pytest.mark.parametrize("view", ["annotated", "markdown", "html"])
def test_a_cause_names_its_lines_its_degree_and_what_rules_it_out(
    command: Command, view: str
) -> None:
    said = command("explain", FAULTY, "--view", view).out
    assert "certain · log line" in said
    assert "There is an EHLO between the handshake and the refused command." in said


def test_the_evidence_in_json(command: Command) -> None:
    (session,) = json.loads(command("explain", FAULTY, "--view", "json").out)["sessions"]
    (cause,) = session["verdict"]["causes"]
    rows = Path(FAULTY).read_text().splitlines()
    assert cause["degree"] == "certain"
    assert any("503" in rows[line - 1] for line in cause["lines"])
    assert session["session"]["events"][cause["steps"][-1]]["kind"] == "reply"
    assert cause["ruled_out"]


def test_only_problems(command: Command) -> None:
    shown = json.loads(command("explain", FINE, FAULTY, "--only-problems", "--view", "json").out)
    assert len(shown["sessions"]) == 1


def test_one_session_of_many(command: Command) -> None:
    out = command("explain", FINE, FAULTY, "--session", "2").out
    assert "esa-debug" in out
    assert "swaks" not in out


def test_summary(command: Command) -> None:
    out = command("explain", FINE, FAULTY, "--summary").out
    assert "second EHLO missing" in out
    counted = json.loads(command("explain", FINE, FAULTY, "--summary", "--view", "json").out)
    assert counted["sessions"] == 2
    assert counted["second_ehlo"] == {"sent": 1, "missing": 1}
    assert command("explain", FAULTY, "--summary", "--strict").code == 1
    assert "| --- | ---: |" in command("explain", FINE, "--summary", "--view", "markdown").out


def test_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(LOGIN.encode())))
    assert "(swaks)" in command("explain", "-").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.log"], "none.log: No such file or directory"),
        (["/"], "Is a directory"),
        ([FINE, "--format", "nope"], "no format 'nope'"),
        ([FINE, "--session", "9"], "there are fewer sessions than that"),
        ([FINE, FAULTY, "--follow"], "--follow: give it one file"),
        (["-", "--follow"], "--follow: give it one file"),
    ],
)
def test_what_cannot_be_done(command: Command, arguments: list[str], says: str) -> None:
    assert says in command.fails("explain", *arguments)


def test_hostile_text_does_nothing(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "hostile.txt"
    log.write_text(
        LOGIN.replace("220 mx.corp.example", "220 <script>alert(1)</script>\x1b]0;owned\x07\u202e")
    )
    for view in sorted(set(IN_TEXT) - {"json", "session"}):
        out = command("explain", str(log), "--view", view).out
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "\u202e" not in out
        if view == "html":
            assert "<script" not in out


FORMAT = """\
name = "mine"
title = "A format of mine"
log_more = "It logs everything."
"""


def test_formats_lists_what_can_be_read(command: Command) -> None:
    out = command("formats").out
    for name in ("swaks", "postfix", "esa-debug", "exim"):
        assert f"\n{name}  " in f"\n{out}"


def test_a_format_of_ones_own_that_is_wrong(command: Command, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(FORMAT + "nonsense = 3\n")
    error = command.fails("formats", "--test", str(mine))
    assert "mine.toml" in error
    assert "nonsense" in error


def test_what_a_later_session_shows_to_be_secret_is_masked_in_the_first(
    command: Command, tmp_path: Path
) -> None:
    talk = "220 mx.example.com ESMTP\nEHLO a.example.com\n250 ok\n{}\nQUIT\n221 bye\n"
    log = tmp_path / "log"
    log.write_text(
        talk.format("RSET\n250 tried Zq7-S3cr3t") + talk.format("DEBUG: password=Zq7-S3cr3t")
    )
    for view in ("annotated", "json", "markdown", "html", "jsonl"):
        assert "Zq7-S3cr3t" not in command("explain", "--view", view, str(log)).out
    assert "Zq7-S3cr3t" in command("explain", "--show-secrets", str(log)).out
