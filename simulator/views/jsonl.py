"""Explanations as JSON Lines: each line a document of one session, as the view `json` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.explainer import Explanation
from simulator.language import N_
from simulator.session import as_json
from simulator.views import json
from simulator.views.view import Page, View


def pieces(explanations: Iterable[Explanation], page: Page) -> Iterator[str]:
    """A line for each session. Raises `UnknownLanguage`."""
    for explanation in explanations:
        yield as_json(json.explained([explanation], page.language), indented=False)


VIEW = View(
    name="jsonl",
    about=N_("the same as JSON Lines, a session on each, for streams"),
    file="explanation.jsonl",
    render=lambda explanation, page: as_json(
        json.explained([explanation], page.language, page.story.title), indented=False
    ),
    pieces=pieces,
)
