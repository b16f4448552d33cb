"""The plugin for pytest: the marker and fixture `smtp_lab`.

It is loaded in every run of pytest wherever this package is installed. So nothing of the lab is
imported before a test asks for the fixture, and where none does, nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.checks.fixture import SmtpLab

MARKER = (
    "smtp_lab(server=NAME or policy, middlebox=policy, cases=True or names, without=names): "
    "which server the fixture smtp_lab is; with cases, the test runs once for each"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each case, if it is marked so."""
    mark = metafunc.definition.get_closest_marker("smtp_lab")
    if mark is None or "smtp_lab" not in metafunc.fixturenames or not mark.kwargs.get("cases"):
        return
    from simulator.checks import fixture

    cases = fixture.cases_of(mark)
    metafunc.parametrize("smtp_lab", cases, indirect=True, ids=[case.id for case in cases])


@pytest.fixture
def smtp_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmtpLab]:
    """An SMTP server on loopback that explains what a client did: `hostname`, `port`, `authority`
    (a PEM file) and `context` to connect with; `messages`, `sessions`, `verdict` and `broken` tell
    what it saw, and `check` fails the test where the client broke a rule."""
    from simulator.checks import fixture

    yield from fixture.lab(request, tmp_path_factory)
