"""The record alone, as JSON that this program reads again: what happened, and nothing of why."""

from __future__ import annotations

from simulator.language import N_
from simulator.session import to_json
from simulator.views.view import View

VIEW = View(
    name="session",
    about=N_("the record alone, for programs"),
    file="session.json",
    render=lambda explanation, page: to_json(explanation.session),
)
