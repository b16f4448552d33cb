"""Against servers that carry mail: each case, on Postfix, Exim and OpenSMTPD as Debian has them,
receiving and sending, and on two releases of aiosmtpd. They are installed and started as the survey
does it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from simulator.checks.cases import Case, Status, client_cases, server_cases
from simulator.survey import survey
from simulator.survey.places import Failed, install, lacking
from simulator.survey.software import Software, recipes
from tests.conftest import IN_CI

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "survey"

BUDGET = 300.0
"""Seconds that all installations have together."""
TRIES = 2
OUT_OF_REACH = (
    "not done after",
    "Failed getting",
    "Couldn't download",
    "Failed to fetch",
    "index files failed to download",
    "No matching distribution found",
)
"""What debootstrap, apt and pip say last where what they ask is slow, or not to be reached: that is
no fault of what is tried here."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Found = dict[str, tuple[Status, str]]
Expected = tuple[str, str, dict[str, str]]

LOGIN_INSIDE = {"forgets-the-login": "skipped"}
NO_EHLO_NEEDED = {"mail-needs-ehlo": "failed", "forgets-the-name": "skipped"}
STARTTLS_TWICE = {"starttls-refused-inside": "failed"}


SOFTWARE = {
    software.name: software
    for software in recipes(
        ROOT / "survey",
        [
            *("postfix", "exim", "opensmtpd", "aiosmtpd-1.4.5", "aiosmtpd"),
            *("postfix-client", "exim-client", "opensmtpd-client"),
        ],
    )
}


@pytest.fixture(scope="module")
def missing() -> dict[str, str]:
    """By name, why software could not be installed; empty where it was."""
    until = time.monotonic() + BUDGET
    groups = defaultdict(list)
    for software in SOFTWARE.values():
        if not lacking(software):
            # What stands on one base waits for it.
            groups[software.install.suite if software.isolated else software.name].append(software)

    def together(group: list[Software]) -> dict[str, str]:
        found: dict[str, str] = {}
        for software in group:
            # Where the first was not to be had, the others are not tried.
            found[software.name] = next(iter(found.values()), "") or _missing(software, until)
        return found

    with ThreadPoolExecutor() as pool:
        return {
            name: why for one in pool.map(together, groups.values()) for name, why in one.items()
        }


def _missing(software: Software, until: float) -> str:
    why = f"not done after {BUDGET:g} seconds"
    for _ in range(TRIES):
        if (left := until - time.monotonic()) < 1:
            break
        try:
            install(software, CACHE, left)
        except Failed as failed:
            why = str(failed)
        else:
            return ""
    return why


SERVERS: list[Expected] = [
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
]


CLIENTS: list[Expected] = [
    ("postfix-client", "secure", {}),
    ("postfix-client", "default", {"checks-the-name": "failed"}),
    (
        "postfix-client",
        "may",
        {
            "checks-the-name": "failed",
            "stops-at-454": "failed",
            "stays-out-of-the-clear": "failed",
        },
    ),
    ("exim-client", "default", {"checks-the-name": "failed"}),
    ("opensmtpd-client", "default", {}),
]


@pytest.fixture(scope="module")
def asked(missing: dict[str, str]) -> dict[tuple[str, str], Future[Found]]:
    """What each case came to: all ask at once, since clients mostly wait."""
    with ThreadPoolExecutor(4) as pool:
        return {
            (name, setting): pool.submit(_checked, name, setting)
            for name, setting, _ in (*CLIENTS, *SERVERS)
            if not missing.get(name, "lacking")
        }


def _checked(name: str, setting: str) -> Found:
    software = SOFTWARE[name]
    [chosen] = [one for one in software.setting if one.name == setting]
    return survey.check(software, chosen, CACHE)


def _wrong(
    name: str,
    setting: str,
    missing: dict[str, str],
    asked: dict[tuple[str, str], Future[Found]],
    cases: Sequence[Case],
) -> dict[str, str]:
    """What came of the cases that did not pass."""
    if reason := lacking(SOFTWARE[name]):
        # CI installs what is missing; what its machine does not grant cannot be had.
        if IN_CI and "does not grant" not in reason:
            pytest.fail(f"{name} {reason}", pytrace=False)
        pytest.skip(f"{name} {reason}")
    if why := missing[name]:
        assert any(words in why for words in OUT_OF_REACH), why
        pytest.skip(f"{name} is out of reach: {why}")
    found = asked[name, setting].result()
    assert set(found) == {case.id for case in cases}
    wrong = {case: told for case, told in found.items() if told[0] != "passed"}
    # With their reasons, for whoever reads what a test that fails has to say.
    print(wrong)
    return {case: status for case, (status, _) in wrong.items()}


@pytest.mark.parametrize(("name", "setting", "expected"), SERVERS)
def test_server_of_others(
    name: str,
    setting: str,
    expected: dict[str, str],
    missing: dict[str, str],
    asked: dict[tuple[str, str], Future[Found]],
) -> None:
    """All cases pass but those."""
    assert _wrong(name, setting, missing, asked, server_cases()) == expected


@pytest.mark.parametrize(("name", "setting", "expected"), CLIENTS)
def test_client_of_others(
    name: str,
    setting: str,
    expected: dict[str, str],
    missing: dict[str, str],
    asked: dict[tuple[str, str], Future[Found]],
) -> None:
    """They relay one message to each server; all cases pass but those."""
    assert _wrong(name, setting, missing, asked, client_cases()) == expected
