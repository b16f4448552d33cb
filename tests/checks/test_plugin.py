"""The plugin for pytest, in suites of other people."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from simulator.checks import fixture, plugin
from simulator.checks.cases import client_cases

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]

LOADED = fixture.SmtpLab
"""Loaded before any inner run, which forgets afterwards what it has loaded itself."""

CLIENT = """
import smtplib
import pytest

def send(host, port, context, login=None):
    with smtplib.SMTP(host, port, local_hostname="client.example.net", timeout=20) as client:
        client.starttls(context=context)
        if login:
            client.login(*login)
        client.sendmail("a@example.com", ["b@example.com"], "Subject: hi\\r\\n\\r\\nx\\r\\n")

def skips(host, port, context):
    with smtplib.SMTP(host, port, local_hostname="client.example.net", timeout=20) as client:
        client.starttls(context=context)
        client.docmd("MAIL FROM:<a@example.com>")
        client.docmd("RCPT TO:<b@example.com>")
        client.data(b"Subject: hi\\r\\n\\r\\nx\\r\\n")
"""

HERE = "smtp_lab.hostname, smtp_lab.port, smtp_lab.context"


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """What comes of a suite in which the plugin is there once, installed or not."""
    pytester.makepyfile(CLIENT + text)
    known = ("-p", "no:ehlo-twice", "-p", "no:cacheprovider", "-W", "error", "--strict-markers")
    return pytester.runpytest_inprocess(*known, "-rs", *arguments, plugins=[plugin])


def test_three_lines_have_every_case(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        f"""
@pytest.mark.smtp_lab(cases=True)
def test_starttls(smtp_lab):
    smtp_lab.check(send, {HERE})
""",
        "-v",
    )
    found.assert_outcomes(passed=len(client_cases()))
    found.stdout.fnmatch_lines(["*test_starttls?ehlo-again? PASSED*"])


def test_a_client_with_a_fault_fails_with_its_session(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        f"""
@pytest.mark.smtp_lab(cases=["ehlo-again"], without=["stops-at-454"])
def test_starttls(smtp_lab):
    smtp_lab.check(skips, {HERE})
""",
    )
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["✗ ehlo-again*", "*RFC 3207 §4.2 SHOULD*", "*Sent: 'MAIL FROM*"])


def test_what_needs_a_case_that_failed_is_skipped(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        """
@pytest.mark.smtp_lab(cases="checks-the-name")
def test_starttls(smtp_lab):
    smtp_lab.check(lambda: 1 / 0)
""",
    )
    found.assert_outcomes(failed=1, skipped=1)
    found.stdout.fnmatch_lines(["*no client connected*", "*ZeroDivisionError*", "*needs delivers*"])


def test_what_the_server_saw(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        f"""
def test_messages(smtp_lab):
    send({HERE})
    send({HERE})
    assert [message["Subject"] for message in smtp_lab.messages] == ["hi", "hi"]
    assert smtp_lab.messages[0].get_content() == "x\\r\\n"
    assert len(smtp_lab.sessions) == 2
    assert (smtp_lab.verdict.second_ehlo, smtp_lab.verdict.tls) == ("sent", "established")
    assert smtp_lab.explanation.session == smtp_lab.sessions[-1]
    assert smtp_lab.broken == []
    smtp_lab.check(send, {HERE})
    assert smtp_lab.authority.read_bytes().startswith(b"-----BEGIN")

@pytest.mark.smtp_lab("careless")
def test_broken(smtp_lab):
    skips({HERE})
    assert smtp_lab.broken == ["ehlo-before-mail", "second-ehlo"]

@pytest.mark.smtp_lab(server={{"starttls": "hidden"}}, middlebox={{"does": "nothing"}})
def test_policies(smtp_lab):
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send({HERE})
    assert smtp_lab.verdict.tls == "not_offered"

async def later(host, port, context):
    send(host, port, context)

def test_coroutines(smtp_lab):
    smtp_lab.check(later, {HERE})
    assert smtp_lab.messages
""",
    )
    found.assert_outcomes(passed=4)


def test_without_a_case_the_rules_decide(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        f"""
@pytest.mark.smtp_lab("careless")
def test_broken(smtp_lab):
    smtp_lab.check(skips, {HERE})

@pytest.mark.smtp_lab("without")
def test_raises(smtp_lab):
    smtp_lab.check(send, {HERE})

def test_nobody(smtp_lab):
    smtp_lab.check(lambda: None)

def test_nobody_to_explain(smtp_lab):
    smtp_lab.verdict
""",
    )
    found.assert_outcomes(failed=4)
    found.stdout.fnmatch_lines(
        [
            "rules broken: ehlo-before-mail, second-ehlo",
            "*SMTPNotSupportedError*",
            "no client connected",
            "*no client has connected to localhost*",
        ]
    )


def test_credentials_are_in_no_report(pytester: pytest.Pytester) -> None:
    found = ran(
        pytester,
        f"""
def logs_in(host, port, context):
    with smtplib.SMTP(host, port, local_hostname="client.example.net", timeout=20) as client:
        client.starttls(context=context)
        client.ehlo()
        if client.has_extn("auth"):
            client.login("ana", "correct-horse-battery")
        raise ValueError

@pytest.mark.smtp_lab(server={{"auth": "inside"}})
def test_login(smtp_lab):
    with pytest.raises(ValueError):
        smtp_lab.check(logs_in, {HERE})
    assert "AUTH" in smtp_lab.verdict.client_to_server_commands

@pytest.mark.smtp_lab(cases="survives-another-list")
def test_case(smtp_lab):
    smtp_lab.check(logs_in if smtp_lab.case.id != "delivers" else send, {HERE})
""",
    )
    found.assert_outcomes(passed=3, failed=1)
    text = found.stdout.str()
    assert "Sent: 'AUTH" in text
    assert "AGFuYQBjb3JyZWN0LWhvcnNlLWJhdHRlcnk" not in text


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("'carless'", "no server 'carless': there are documented, lax"),
        ("server={'starttls': 'x'}", "server: Invalid enum value 'x'"),
        ("server={'nothing': 1}", "unknown field"),
        ("middlebox={'does': 'x'}", "middlebox: Invalid enum value 'x'"),
        ("sever='lax'", "no 'sever': it takes"),
        ("cases='ehlo-agian'", "did you mean 'ehlo-again'?"),
        ("cases=True, server='lax'", "cases bring servers of their own"),
    ],
)
def test_a_marker_that_cannot_be_read(pytester: pytest.Pytester, mark: str, told: str) -> None:
    found = ran(pytester, f"\n@pytest.mark.smtp_lab({mark})\ndef test_x(smtp_lab): pass\n")
    assert found.ret != 0
    shown = found.stdout.str() + found.stderr.str()
    assert told in shown
    assert "Traceback" not in shown


def test_nothing_happens_where_nobody_asks(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's suite neither waits for the lab nor has it in its process."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
import sys, logging

def test_x(request):
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"aiosmtpd", "msgspec", "click", "trustme", "asyncio"}
    assert {name for name in sys.modules if name.startswith("simulator")} == {
        "simulator", "simulator.checks", "simulator.checks.plugin"
    }
    assert logging.getLogger("mail.log").level == 0
"""
    )
    found = pytester.runpytest_subprocess("-p", plugin.__name__, "--strict-markers", timeout=50)
    found.assert_outcomes(passed=1)


def test_pytest_finds_it_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"ehlo-twice": plugin.__name__}
    assert "pytest" not in " ".join(project["dependencies"])


@pytest.mark.parametrize(("language", "name"), [("en", "send"), ("pt-BR", "enviar")])
def test_what_the_page_shows_runs(pytester: pytest.Pytester, language: str, name: str) -> None:
    page = (ROOT / "docs" / language / "check.md").read_text(encoding="utf-8")
    shown = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    assert len(shown) == 2
    own = CLIENT.replace("def send(", f"def {name}(")
    for subject in ("News", "Novidades"):
        if subject in page:
            own = own.replace("Subject: hi", f"Subject: {subject}")
    pytester.makepyfile(own + "\n\n".join(shown))
    found = pytester.runpytest_inprocess("-p", "no:ehlo-twice", "-W", "error", plugins=[plugin])
    found.assert_outcomes(passed=len(client_cases()) + 2)
