"""Against servers that carry mail: each case, on Postfix, Exim and OpenSMTPD as Debian has them,
and on two releases of aiosmtpd. They are installed and started as the survey does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.checks.cases import server_cases
from simulator.survey import survey
from simulator.survey.places import lacking
from simulator.survey.software import recipes
from tests.conftest import IN_CI

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "survey"

# The first of a release of Debian has to install all of it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

LOGIN_INSIDE = {"forgets-the-login": "skipped"}
NO_EHLO_NEEDED = {"mail-needs-ehlo": "failed", "forgets-the-name": "skipped"}
STARTTLS_TWICE = {"starttls-refused-inside": "failed"}


@pytest.mark.parametrize(
    ("name", "setting", "expected"),
    [
        ("postfix", "helo-required", LOGIN_INSIDE),
        ("postfix", "default", {**NO_EHLO_NEEDED, **LOGIN_INSIDE, "auth-needs-ehlo": "failed"}),
        (
            "postfix",
            "auth-in-clear",
            {**NO_EHLO_NEEDED, "auth-needs-ehlo": "failed", "auth-not-in-clear": "failed"},
        ),
        ("exim", "default", LOGIN_INSIDE),
        ("exim", "helo-not-required", {**NO_EHLO_NEEDED, **LOGIN_INSIDE}),
        ("opensmtpd", "default", LOGIN_INSIDE),
        # CVE-2024-34083, repaired in 1.4.6.
        (
            "aiosmtpd-1.4.5",
            "default",
            {**STARTTLS_TWICE, **LOGIN_INSIDE, "drops-what-was-pipelined": "failed"},
        ),
        ("aiosmtpd", "default", {**STARTTLS_TWICE, **LOGIN_INSIDE}),
    ],
)
def test_server_of_others(name: str, setting: str, expected: dict[str, str]) -> None:
    """All cases pass but those."""
    [software] = recipes(ROOT / "survey", [name])
    if reason := lacking(software):
        if IN_CI:
            pytest.fail(f"{name} {reason}", pytrace=False)
        pytest.skip(f"{name} {reason}")
    [chosen] = [one for one in software.setting if one.name == setting]
    found = survey.check(software, chosen, CACHE)
    assert set(found) == {case.id for case in server_cases()}
    wrong = {case: (status, why) for case, (status, why) in found.items() if status != "passed"}
    assert {case: status for case, (status, _) in wrong.items()} == expected, wrong
