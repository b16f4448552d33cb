"""What all tests share: real software that may be missing, and repeatable random examples."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tests.command import Command

HERE = Path(__file__).parent
IN_CI = bool(os.environ.get("CI"))

# What a system and a terminal are set to is tried by tests of its own.
os.environ["LC_ALL"] = "C.UTF-8"
for _name in (
    "EHLO_TWICE_LANG",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
):
    os.environ.pop(_name, None)

# No deadline: a busy machine is no fault of the code. The same examples on every machine, so that
# what passes here passes for everybody; to look for new ones: --hypothesis-profile=search
settings.register_profile("same", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("same")


SLOW = {"browser", "site"}
"""What makes a test slow, seconds each: to stand in the folder that drives a browser, or to ask for
the built site or a browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow. A test of the site's sources is not: it needs nothing that was built."""
    for item in items:
        asked = getattr(item, "fixturenames", ())
        if item.path.is_relative_to(HERE / "browser") or SLOW.intersection(asked):
            item.add_marker("slow")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs` where a program is missing; in CI that is a failure."""
    wanted = [program for mark in item.iter_markers("needs") for program in mark.args]
    missing = [program for program in wanted if shutil.which(program) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}, which is not installed"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """`ehlo-twice`, run in this process."""
    return Command(monkeypatch, capfd)
