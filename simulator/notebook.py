"""What shows itself: explanations, comparisons and the matrix, as a notebook has them."""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from simulator.alignment import Comparison
from simulator.cells import Cell
from simulator.explainer import Explanation
from simulator.language import SOURCE, UnknownLanguage, languages, say

_spoken = {"language": os.environ.get("EHLO_TWICE_LANG", SOURCE).replace("-", "_")}


def speak(language: str) -> None:
    """Show everything in `language` from now on (at first that of EHLO_TWICE_LANG, or English).

    Raises `UnknownLanguage`.
    """
    code = language.replace("-", "_")
    if code not in languages():
        raise UnknownLanguage(f"no language {language!r}: there are {', '.join(languages())}")
    _spoken["language"] = code


def spoken() -> str:
    """The language things are shown in."""
    return _spoken["language"]


class Shown(Explanation, frozen=True, kw_only=True):
    """An `Explanation` that a notebook shows as the player when a cell ends in it."""

    def _repr_html_(self) -> str:
        from simulator.views import player

        return player.fragment(self, spoken())

    def _repr_markdown_(self) -> str:
        from simulator.views import markdown

        return markdown.render(self, spoken())

    def _repr_svg_(self) -> str | None:
        from simulator.views.canvas import NoFigures

        try:
            return self.drawing().decode()
        except NoFigures:
            return None

    def __repr__(self) -> str:
        return f"<explanation of {self.session.name!r}: {self.outcome}>"

    def __str__(self) -> str:
        """The annotated log."""
        from simulator.views import annotated

        return annotated.render(self, spoken())

    @property
    def outcome(self) -> str:
        """The verdict's sentence."""
        return say(self.verdict.outcome, spoken())

    def drawing(self, form: Literal["svg", "png", "pdf"] = "svg") -> bytes:
        """The sequence diagram."""
        from simulator.views import drawing

        return drawing.render(self, spoken(), form=form)


def shown(explanation: Explanation) -> Shown:
    """The same explanation, able to show itself."""
    return Shown(session=explanation.session, sealed=explanation.sealed)


class Beside(Comparison, frozen=True, kw_only=True):
    """A `Comparison` that a notebook shows as a figure when a cell ends in it."""

    def _repr_svg_(self) -> str:
        return self.drawing().decode()

    def __repr__(self) -> str:
        return f"<comparison of {self.titles[0]!r} and {self.titles[1]!r}>"

    def __str__(self) -> str:
        """Both sessions, event by event."""
        from simulator.views import comparison

        return comparison.text(self, spoken())

    def drawing(self, form: Literal["svg", "png", "pdf"] = "svg") -> bytes:
        """Both sessions as a figure."""
        from simulator.views import comparison_figure

        return comparison_figure.render(self, spoken(), form)


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Every client policy against every server policy, with `middlebox` between them: how each
    session ended. A notebook shows it as a figure when a cell ends in it."""

    middlebox: str
    cells: tuple[Cell, ...]

    def _repr_svg_(self) -> str:
        return self.drawing().decode()

    def __repr__(self) -> str:
        return f"<matrix of {len(self.cells)} sessions, in between: {self.middlebox}>"

    def __str__(self) -> str:
        """Clients down, servers across."""
        from simulator.views import grid

        clients, servers, _ = self.titles(spoken())
        return grid.text(self.cells, clients, servers, spoken())

    def drawing(self, form: Literal["svg", "png", "pdf"] = "svg", language: str = "") -> bytes:
        """The same as a heat map."""
        from simulator.views import heatmap

        said = language or spoken()
        clients, servers, between = self.titles(said)
        return heatmap.render(self.cells, clients, servers, said, form, between)

    def titles(self, language: str) -> tuple[dict[str, str], dict[str, str], str]:
        """The policies of clients and servers by name, and what stands in between, in words."""
        from simulator.lab import arena

        sides = arena.sides()
        clients, servers = (
            {name: entry.said(language) for name, entry in group.items()}
            for group in (sides.client, sides.server)
        )
        return clients, servers, sides.middlebox[self.middlebox].said(language)
