"""The sequence diagram as SVG: for a page, and for the wall at any size."""

from __future__ import annotations

from simulator.language import N_
from simulator.views import drawing
from simulator.views.view import View

VIEW = View(
    name="svg",
    about=N_("the sequence diagram for the wall, as SVG"),
    file="sequence.svg",
    render=lambda explanation, page: drawing.render(
        explanation, page.language, form="svg", title=page.story.title
    ).decode(),
)
