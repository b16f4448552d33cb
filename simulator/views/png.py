"""The sequence diagram as PNG, for whatever shows pictures of pixels alone."""

from __future__ import annotations

from simulator.language import N_
from simulator.views import drawing
from simulator.views.view import View

VIEW = View(
    name="png",
    about=N_("the sequence diagram for the wall, as PNG"),
    file="sequence.png",
    render=lambda explanation, page: drawing.render(
        explanation, page.language, form="png", title=page.story.title
    ),
)
