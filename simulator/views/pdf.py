"""The sequence diagram as PDF, to be printed."""

from __future__ import annotations

from simulator.language import N_
from simulator.views import drawing
from simulator.views.view import View

VIEW = View(
    name="pdf",
    about=N_("the sequence diagram for the wall, as PDF"),
    file="sequence.pdf",
    render=lambda explanation, page: drawing.render(
        explanation, page.language, form="pdf", title=page.story.title
    ),
)
