"""Two sessions side by side, in every form."""

from __future__ import annotations

import gettext
import json
import re
from pathlib import Path

import jsonschema
import pytest

from simulator import alignment, language
from simulator.explainer import explain
from simulator.session import Session
from simulator.views import comparison, comparison_figure
from simulator.views.canvas import UnknownForm
from simulator.views.lines import cells
from tests.golden import same
from tests.views import sessions
from tests.views.sheets import collisions, outside, sheet, words
from tests.views.test_drawing import Ideographic, Wordy

GOLDEN = Path(__file__).parent / "golden"
TITLES = ("The documented session", "What if nobody asks again?")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
OTHERS = {
    **{name: session for name, session in sessions.ALL.items() if name != "documented"},
    "itself": sessions.documented(),
}


def skipped() -> Session:
    events = sessions.documented().events
    refused = sessions.reply(503, "send HELO first", secure=True)
    return Session(events=(*events[:7], events[9], refused, *events[-3:]))


def compared(session: Session, titles: tuple[str, str] = TITLES) -> alignment.Comparison:
    return alignment.compare(explain(sessions.documented()), explain(session), titles)


def test_the_text_reads_like_this():
    assert same(GOLDEN / "comparison.txt", comparison.text(compared(skipped())))


def test_the_markdown_reads_like_this():
    assert same(GOLDEN / "comparison.md", comparison.markdown(compared(skipped())))


def test_the_figure_reads_like_this():
    figure = comparison_figure.render(compared(skipped()))
    assert same(GOLDEN / "comparison.figure.txt", words(figure))


@pytest.mark.parametrize("session", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("catalogue", [gettext.NullTranslations, Wordy, Ideographic])
def test_no_text_meets_another_or_leaves_the_sheet(session, catalogue, monkeypatch):
    monkeypatch.setattr(language, "_catalogue", lambda code: catalogue())
    svg = comparison_figure.render(
        compared(session, ("A title of some length " * 3, sessions.EVIL * 3))
    )
    assert collisions(svg) == []
    assert outside(svg) == []


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_the_figure_has_the_same_bytes_every_time(form):
    assert comparison_figure.render(compared(skipped()), form=form) == comparison_figure.render(
        compared(skipped()), form=form
    )


def test_an_unknown_form_is_refused():
    with pytest.raises(UnknownForm):
        comparison_figure.render(compared(skipped()), form="gif")  # type: ignore[arg-type]


@pytest.mark.parametrize("session", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("width", [40, 100, 161])
def test_the_text_stands_in_two_straight_columns(session, width):
    lines = comparison.text(compared(session), width=width).splitlines()
    shown = max(width, comparison.NARROWEST)
    assert max(map(cells, lines)) <= shown
    half = (shown - 3) // 2
    for line in lines:
        before = ""
        while cells(before) < half + 1 and len(before) < len(line):
            before = line[: len(before) + 1]
        rest = line[len(before) :]
        assert not rest or rest[0] in "│┼=≠◂▸━" or "━" in line or line[0].isalpha()


@pytest.mark.parametrize("session", OTHERS.values(), ids=OTHERS)
def test_colour_adds_nothing_but_colour_and_nothing_else_steers_the_terminal(session):
    plain = comparison.text(compared(session))
    assert ESCAPES.sub("", comparison.text(compared(session), colour=True)) == plain
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)


def test_sessions_that_do_not_part_are_said_to_be_alike():
    both = compared(sessions.documented())
    assert "do not part" in comparison.text(both)
    assert "do not part" in comparison.markdown(both)
    assert "do not part" in words(comparison_figure.render(both))
    assert "Here they part" not in comparison.text(both)


def test_a_rule_broken_on_one_side_is_told_on_that_side():
    lines = comparison.text(compared(skipped())).splitlines()
    (line,) = (line for line in lines if "✗ RFC 3207 §4.2 SHOULD" in line)
    assert line.index("✗") > 50


def test_nothing_in_a_table_ends_its_cell():
    evil = "a|b\\|c`|`</code><b>*x*"
    shown = comparison.markdown(
        compared(Session(events=(sessions.command("EHLO", evil),)), ("x|y", "z"))
    )
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    bars = [len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) for row in rows]
    assert set(bars) == {4}
    assert "<b>" not in shown


def test_the_json_follows_its_schema_and_names_the_parting():
    both = compared(skipped())
    found = json.loads(comparison.json(both))
    jsonschema.validate(found, comparison.schema())
    assert found["parting"] == 7
    assert found["pairs"][7] == {"left": 7, "right": None, "same": False}
    assert [s["title"] for s in found["explanations"]["sessions"]] == ["documented", "lab"]


def test_the_figure_is_named_and_described():
    root = sheet(comparison_figure.render(compared(skipped())))
    assert root.attrib["role"] == "img"
    assert root[0].text == " ⇄ ".join(TITLES)
    assert "Here they part" in (root[1].text or "")
