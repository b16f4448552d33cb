"""The judge: formats propose, the grammar of SMTP decides, and what was not understood is said."""

from collections.abc import Callable

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.session import BAR, Remark
from tests.formats.test_verdicts import HERE, TRANSCRIPTS, expectation, misses

SESSION = """\
220 mx.example.org ESMTP
EHLO client.example
250-mx.example.org
250 STARTTLS
STARTTLS
220 2.0.0 Ready
EHLO client.example
250 mx.example.org
QUIT
221 2.0.0 Bye
"""


def _prefixed(number: int, line: str) -> str:
    return f"12:33:{number:02} job-{number % 3} relay.Sender$Out - {line}"


WRAPPINGS: dict[str, Callable[[int, str], str]] = {
    "prefix": _prefixed,
    "suffix": lambda number, line: f"{line} (relay.c:{200 + number})",
    "border": lambda number, line: f"│ {line:<60}│",
    "literal ends": lambda number, line: f'log.write("{line}\\r\\n")',
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_wrapped_dialogue_is_read_as_the_bare_one(wrapping: str) -> None:
    lines = SESSION.splitlines()
    wrapped = "\n".join(WRAPPINGS[wrapping](n, line) for n, line in enumerate(lines))
    (session,) = formats.read(wrapped)
    verdict = explain(session).verdict
    assert (verdict.tls, verdict.second_ehlo, verdict.second_ehlo_reply_code) == (
        "established", "sent", 250,
    )  # fmt: skip
    assert verdict.client_to_server_commands == ("EHLO", "STARTTLS", "EHLO", "QUIT")


@pytest.mark.parametrize(
    ("first", "second"),
    [("swaks.txt", "curl.txt"), ("server_haraka_protocol.log", "msmtp.txt")],
)
def test_a_file_with_two_logs_is_read_by_two_readers(first: str, second: str) -> None:
    texts = [(HERE / "real" / name).read_text() for name in (first, second)]
    alone = [explain(session).verdict for text in texts for session in formats.read(text)]
    both = [explain(session).verdict for session in formats.read("\n".join(texts))]
    assert both == alone


LAWLESS = "\n".join(
    f"> {line}"
    for line in (
        "250-mx.example.org", "MAIL FROM:<a@example.org> 354 go", "221 bye", "250 STARTTLS",
        "334 x", "EHLO a", "EHLO a", "221 bye", "354 go ahead", "QUIT", "235 ok", "EHLO b",
    )
)  # fmt: skip


def test_what_was_not_understood_is_said_and_nothing_else() -> None:
    sessions = list(formats.read(LAWLESS))
    assert sessions
    for session in sessions:
        found = explain(session)
        assert found.verdict.understood < BAR
        assert found.verdict.tls is None
        assert found.verdict.faults == ()
        assert found.notes == ()
        assert found.verdict.client_to_server_commands == ()


def test_the_bar_costs_no_right_verdict() -> None:
    lost = []
    for path in TRANSCRIPTS:
        for session in formats.read(path):
            if not all(isinstance(event, Remark) for event in session.events):
                if not session.is_understood and misses(
                    explain(session).verdict, expectation(path)
                ):
                    lost.append(path.stem)
    assert lost == []


def test_why_a_log_is_read_as_it_is_can_be_told() -> None:
    judgement = formats.why(HERE / "transcripts" / "t026_swaks_ok.txt")
    assert judgement is not None
    assert [part.format.name for part in judgement.parts] == ["swaks"]
    assert judgement.parts[0] in judgement.tried
    assert max(judgement.tried, key=lambda one: one.score.value).format.name == "swaks"


BOUNCE = """Reporting-MTA: dns; out.shop.example
Arrival-Date: Mon, 6 May 2024 10:00:00 -0300

Final-Recipient: rfc822; desk@far.example
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550 5.7.1 Rejected for what it says
"""

BESIDE_IT = """
And in the log:

May  6 10:00:02 out postfix/smtp[4412]: Untrusted TLS connection established to \
mx.far.example[203.0.113.5]:25: TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)
May  6 10:00:04 out postfix/smtp[4412]: 5D1F2200A1: to=<desk@far.example>, \
relay=mx.far.example[203.0.113.5]:25, delay=2, delays=0/0/1/1, dsn=5.7.1, status=bounced (host \
mx.far.example[203.0.113.5] said: 550 5.7.1 Rejected for what it says (in reply to end of DATA \
command))
""".replace("\\\n", "")


def test_a_mail_log_below_a_bounce_is_read_as_a_log() -> None:
    assert [s.source for s in formats.read(BOUNCE)] == ["bounce"]
    sessions = list(formats.read(BOUNCE + BESIDE_IT))
    assert [s.source for s in sessions] == ["bounce", "postfix"]
    assert [explain(s).verdict.tls for s in sessions] == [None, "established"]
