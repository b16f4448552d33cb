"""The heat map: every field says in words how it ended, in colour and in grey."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from typing import get_args

import pytest

from simulator import language
from simulator.cells import LABELS, Category, Cell
from simulator.views import heatmap
from simulator.views.canvas import UnknownForm
from tests.golden import same
from tests.views import sessions
from tests.views.sheets import collisions, outside, sheet, texts, words
from tests.views.test_drawing import Ideographic, Wordy

GOLDEN = Path(__file__).parent / "golden"
CATEGORIES: tuple[Category, ...] = get_args(Category)
CLIENTS = {"documented": "says EHLO again", "skips": "skips the second EHLO"}
SERVERS = {"strict": "forgets, insists on EHLO", "lax": "keeps the old EHLO", "plain": "no TLS"}


def cells(clients: dict[str, str] = CLIENTS, servers: dict[str, str] = SERVERS) -> tuple[Cell, ...]:
    """All combinations, ending in all ways in turn."""
    pairs = [(client, server) for client in clients for server in servers]
    return tuple(
        Cell(
            client=client,
            server=server,
            middlebox="nothing",
            category=CATEGORIES[place % len(CATEGORIES)],
            code=503,
        )
        for place, (client, server) in enumerate(pairs)
    )


def test_reads_like_this():
    figure = heatmap.render(cells(), CLIENTS, SERVERS)
    assert same(GOLDEN / "heatmap.txt", words(figure))


@pytest.mark.parametrize("catalogue", [gettext.NullTranslations, Wordy, Ideographic])
@pytest.mark.parametrize("many", [1, 2, 12])
def test_no_text_meets_another_or_leaves_the_sheet(many, catalogue, monkeypatch):
    monkeypatch.setattr(language, "_catalogue", lambda code: catalogue())
    clients = {str(n): f"{sessions.LONG} and says EHLO again {n}" for n in range(many)}
    servers = {str(n): f"{sessions.EVIL} forgets, and insists on EHLO {n}" for n in range(many)}
    figure = heatmap.render(cells(clients, servers), clients, servers)
    assert collisions(figure) == []
    assert outside(figure) == []


def test_every_cell_says_how_it_ended():
    found = [p.text for p in texts(heatmap.render(cells(), CLIENTS, SERVERS))]
    for label in LABELS.values():
        assert label.format(code=503) in found


def test_a_combination_that_was_not_played_stays_empty():
    found = [p.text for p in texts(heatmap.render(cells()[:1], CLIENTS, SERVERS))]
    assert found.count("inside TLS") == 1
    assert "in the clear" not in found


def test_ways_to_end_differ_by_more_than_colour():
    """By a mark of their own: the same field without words and colours is another drawing."""
    drawings = set()
    for category in CATEGORIES:
        cell = Cell(client="a", server="b", middlebox="nothing", category=category)
        svg = heatmap.render([cell], {"a": "A"}, {"b": "B"}).decode()
        drawings.add("".join(re.findall(r'<path d="[^"]*"', svg)))
    assert len(drawings) == len(CATEGORIES)


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_gives_the_same_bytes_every_time(form):
    assert heatmap.render(cells(), CLIENTS, SERVERS, form=form) == heatmap.render(
        cells(), CLIENTS, SERVERS, form=form
    )


def test_an_unknown_form_is_refused():
    with pytest.raises(UnknownForm):
        heatmap.render(cells(), CLIENTS, SERVERS, form="gif")  # type: ignore[arg-type]


def test_the_figure_is_named_and_described():
    root = sheet(heatmap.render(cells(), CLIENTS, SERVERS))
    assert root.attrib["role"] == "img"
    assert "says EHLO again × keeps the old EHLO: in the clear." in (root[1].text or "")


def test_titles_are_shown_as_text():
    evil = {"strict": sessions.EVIL}
    svg = heatmap.render(cells(CLIENTS, evil), CLIENTS, evil).decode()
    assert "<script>" not in svg
    assert not set(svg) & set("\x00\x1b\x9b\u202e\u200b")
