"""Explanations as JSON, for programs: everything the other views show.

What it holds is said by `document`, whose schema `ehlo-twice schema explanation` prints.
"""

from __future__ import annotations

from simulator.language import N_
from simulator.views import document
from simulator.views.view import View

VIEW = View(
    name="json",
    about=N_("everything, for programs; reading it back loses nothing"),
    file="explanation.json",
    render=lambda explanation, page: document.render(explanation, page.language, page.story.title),
    pieces=lambda explanations, page: document.pieces(explanations, page.language),
)
