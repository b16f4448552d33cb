"""All views: found in one place, and each called as a person types it."""

import sys
from importlib import import_module
from subprocess import run

import pytest

from simulator.explainer import explain
from simulator.views.view import NoSuchView, Page, view, views
from tests.views import sessions

STACKED = sorted(name for name, found in views().items() if found.pieces and name != "bytes")
"""Views of any number of sessions; those made by hand here have no octets."""


@pytest.mark.parametrize("name", views())
def test_a_view_is_the_module_that_is_called_like_it(name: str) -> None:
    assert import_module(f"simulator.views.{name}").VIEW is view(name)
    assert view(name).name == name


def test_no_two_views_take_one_file() -> None:
    assert len({found.file for found in views().values()}) == len(views())


@pytest.mark.parametrize("name", ["", "nope", "view", "prose", "canvas", "..cli", "svg.svg"])
def test_what_is_no_view(name: str) -> None:
    with pytest.raises(NoSuchView, match="no view"):
        view(name)


def test_a_view_that_is_asked_for_loads_no_other() -> None:
    code = (
        "import sys; from simulator.views.view import view; view('esa');"
        "sys.exit(any(f'simulator.views.{name}' in sys.modules for name in ('player', 'drawing')))"
    )
    assert run([sys.executable, "-c", code], timeout=240, check=False).returncode == 0


@pytest.mark.parametrize("name", STACKED)
def test_several_sessions_come_one_by_one(name: str) -> None:
    found = view(name)
    assert found.pieces
    both = [explain(sessions.documented("one.example")), explain(sessions.implicit())]
    shown = "".join(found.pieces(iter(both), Page()))
    hosts = ("one.example", "mx.example.net")
    if all(host in str(found.render(one, Page())) for host, one in zip(hosts, both, strict=True)):
        assert shown.index(hosts[0]) < shown.index(hosts[1])
    else:
        first, second = (str(found.render(one, Page())).strip() for one in both)
        assert shown.index(first) < shown.rindex(second)


@pytest.mark.parametrize(
    ("width", "columns"), [(None, 100), (10, 60), (80, 80), (500, 110), (0, 100)]
)
def test_columns_stay_within_reason(width: int | None, columns: int) -> None:
    assert Page(width=width).columns() == columns
