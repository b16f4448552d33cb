"""The sequence diagram in plain text: straight columns, whatever is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.explainer import explain
from simulator.session import Session
from simulator.views import sequence
from simulator.views.lines import cells, wrap
from tests.golden import same
from tests.views import sessions

GOLDEN = Path(__file__).parent / "golden"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
LIFELINES = "┆║┏┃┗┴"


def draw(session: Session, width: int = 100, *, colour: bool = False) -> str:
    return sequence.render(explain(session), width=width, colour=colour, title="Why twice?")


@pytest.mark.parametrize("name", ["documented", "attacked"])
def test_reads_like_this(name):
    assert same(GOLDEN / f"sequence.{name}.txt", draw(sessions.ALL[name]))


@pytest.mark.parametrize("width", [72, 100, 181])
@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
def test_the_left_lifeline_is_straight_and_no_line_too_long(session, width):
    lines = draw(session, width).splitlines()
    assert max(map(cells, lines)) <= width
    start = next((i for i, line in enumerate(lines) if "┆" in line), len(lines))
    end = next((i for i, line in enumerate(lines) if "┴" in line), start + 1)
    places = {_lifeline(line) for line in lines[start:end] if not line.startswith("━")}
    assert len(places) <= 1


def _lifeline(line: str) -> int:
    """The cells before the first lifeline."""
    return cells(re.split(f"[{LIFELINES}]", line, maxsplit=1)[0])


@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
def test_colour_adds_nothing_but_colour(session):
    plain = draw(session)
    painted = draw(session, colour=True)
    assert ESCAPES.sub("", painted) == plain
    if session.events:
        assert "\x1b[33m" in painted


@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
def test_nothing_steers_the_terminal(session):
    drawn = draw(session)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", drawn)


def test_a_narrow_terminal_gets_the_narrowest_diagram():
    assert draw(sessions.documented(), 10) == draw(sessions.documented(), sequence.NARROWEST)


def test_what_a_middlebox_keeps_ends_halfway():
    drawn = draw(sessions.attacked())
    assert "✗─" in drawn
    assert "◆ 7 ╌" in drawn


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 8, ["one two", "three"]),
        ("mail.example.com", 10, ["mail.", "example.", "com"]),
        ("EHLO a-long-host.example.com", 14, ["EHLO a-long-", "host.example.", "com"]),
        ("日本語のテキスト", 8, ["日本語の", "テキスト"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
    ],
)
def test_lines_are_broken_where_a_reader_expects_it(text, room, lines):
    found, cut = wrap(text, room, 5)
    assert found == lines
    assert not cut


def test_what_does_not_fit_ends_in_an_ellipsis():
    assert wrap("a b c d e f", 3, 2) == (["a b", "c…"], True)
