"""Each faulty log has its plain cause, and each cause a log, a citation and an experiment."""

from importlib.resources import files
from pathlib import Path

import pytest

from simulator import causes, formats
from simulator.explainer import explain
from simulator.session import Session
from tests.formats.test_variants import CASES
from tests.formats.test_verdicts import TRANSCRIPTS

GOLDEN = Path(__file__).parent / "causes.txt"


RUBY = r"""-> "220 mx\r\n"
<- "EHLO a\r\n"
-> "250 STARTTLS\r\n"
<- "STARTTLS\r\n"
-> "220 go\r\n"
TLS connection started
"""


def caused(session: Session) -> list[str]:
    return [name for name in explain(session).verdict.faults if name in causes.causes()]


def table() -> str:
    rows = [
        f"{path.stem}: {' '.join(caused(session)) or '-'}\n"
        for path in TRANSCRIPTS
        for session in formats.read(path)
    ]
    rows += [
        f"{name}: {' '.join(caused(session)) or '-'}\n"
        for name, _, log in CASES
        for session in formats.read(log)
    ]
    return "".join(rows)


def test_the_causes_of_the_examples() -> None:
    assert table() == GOLDEN.read_text()


@pytest.mark.parametrize("cause", causes.causes().values(), ids=lambda cause: cause.id)
def test_a_cause_is_complete_and_is_met_in_an_example(cause: causes.Cause) -> None:
    assert cause.title
    assert cause.cause
    assert cause.remedy
    assert cause.when
    assert set(cause.hides) <= set(causes.causes())
    if cause.experiment:
        assert (files("simulator") / "scenarios" / f"{cause.experiment}.toml").is_file()
    shown = {name for row in GOLDEN.read_text().split("\n") for name in row.split(": ")[-1].split()}
    assert cause.id in shown


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("ICID 3 TLS success protocol TLSv1.2 cipher AES", "without showing what was said"),
        ("220 mx\nEHLO a\n250 STARTTLS\nSTARTTLS\n220 go\n", "ends after the 220"),
        ("220 mx\nEHLO a\n", "ends before the reply to EHLO"),
        ("nothing to see", "Nothing of SMTP"),
        (RUBY, "ends at the handshake"),
    ],
)  # fmt: skip
def test_what_the_record_does_not_show_is_said(log: str, said: str) -> None:
    (session,) = formats.read(log)
    verdict = explain(session).verdict
    text = causes.missing(session, verdict.tls, verdict.second_ehlo)
    assert text is not None
    assert said in text.id


def test_nothing_is_missing_in_a_whole_session() -> None:
    log = "220 mx\nEHLO a\n250-mx\n250 SIZE\nQUIT\n221 bye\n"
    (session,) = formats.read(log)
    assert causes.missing(session, "not_offered", "n/a") is None
