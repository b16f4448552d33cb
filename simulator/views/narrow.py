"""The sequence diagram on a narrow sheet: a telephone shows all of it, and each letter can be read.

The lifelines stand at the edges and leave no margin for ledgers. What a side learns therefore
follows the line that teaches it, tied to that side's lifeline; what both forget lies within the
band that says so. All else is as on the wide sheet.
"""

from __future__ import annotations

from simulator.explainer import Explanation
from simulator.knowledge import Fact
from simulator.language import N_, SOURCE
from simulator.rules import Note
from simulator.session import Side
from simulator.views import outline
from simulator.views.canvas import AMBER, DARK, GREEN, PAPER, Align, Form, Style
from simulator.views.drawing import CHIP, HEADING, PITCH, SIDES, Host, Sheet, flow
from simulator.views.outline import Row
from simulator.views.view import View


def render(
    explanation: Explanation, language: str = SOURCE, form: Form = "svg", title: str = ""
) -> bytes:
    """The sequence diagram of an explained session, for a telephone: see `drawing.render`."""
    return Narrow(explanation, language, form, title).draw()


class Narrow(Sheet):
    """A sheet as wide as a telephone's page, on which everything stands between the lifelines."""

    margin = 12
    inset = 17
    side = 22
    channel = wider_channel = 316
    ledger = channel - 2 * inset
    headings = (ledger - inset) / 2
    overhang = 0
    buffer = 0.75
    paper = 0.9
    badge = 9
    heading = Style(18, bold=True)
    smallest = 10.5
    enlarged = 2.7
    """A telephone lays out a picture of its own on 980 pixels, and shows all of them."""
    patience = 2

    def _hosts(self) -> None:
        """Client and server side by side, and whoever stands between them below."""
        room = self.wide / 2 - self.margin - 6
        hosts = {party: Host(self, party, room - 24) for party in self._parties()}
        high = max(hosts[side].high for side in SIDES)
        hosts["client"].draw(self.margin, self.y, high)
        hosts["server"].draw(self.wide - self.margin - hosts["server"].wide, self.y, high)
        self.y += high
        self.heads = dict.fromkeys(self._parties(), self.y)
        if middle := hosts.get("middlebox"):
            self.y += 10
            middle.draw(self.x["middlebox"] - middle.wide / 2, self.y, middle.high)
            self.y += middle.high
            self.heads["middlebox"] = self.y

    def _hug(self, side: Side) -> Align:
        return "left" if side == "client" else "right"

    def _at_ledger(self, side: Side, y: float) -> tuple[float, float]:
        return self.x[side] + (self.inset if side == "client" else -self.inset), y

    def _ground_label(self, row: Row) -> None:
        top = self.y
        super()._ground_label(row)
        self._interrupt(top + 8, self.y)

    def _interrupt(self, top: float, bottom: float) -> None:
        """Let no lifeline run through words that stand across the sheet."""
        if self.outline.middlebox:
            x = self.x["middlebox"]
            self.canvas.rect(x - 2, top, 4, bottom - top, fill=self.ground, z=1.5)

    def _row(self, row: Row) -> None:
        # A fact is tied below the arrow that taught it, not before it.
        bottom = self._event(row, self.y + 8)
        self.y = self._notes(row, self._ledger(row, bottom)) + 2

    def _room(self, start: float, end: float) -> float:
        return self.ledger

    def _beside_middlebox(self) -> tuple[float, float]:
        return self._channel()

    def _met(self, note: Note, y: float) -> float:
        bottom = super()._met(note, y)
        self._interrupt(y, bottom)
        return bottom

    def _ledger(self, row: Row, y: float, gone: bool = True) -> float:
        for side in SIDES:
            chips = [self._measured(fact) for fact in row.learned_by(side)]
            y += 2 if chips else 0
            x, _ = self._at_ledger(side, y)
            for group in flow(chips, self.ledger):
                left = x
                if self._hug(side) == "right":
                    left = x - sum(chip.wide + 5 for chip in group) + 5
                self._tie(side, y + 8, group[0].fact)
                for chip in group:
                    self._draw_chip(left, y, chip)
                    left += chip.wide + 5
                y += PITCH + max(chip.high for chip in group) - CHIP
            y += 3 if chips else 0
            if gone and (forgotten := row.forgotten_by(side)):
                y = self._struck(side, y, forgotten)
        return y

    def _tie(self, side: Side, y: float, fact: Fact) -> None:
        """What shows whose fact it is."""
        x, _ = self._at_ledger(side, y)
        self.canvas.line([(self.x[side], y), (x, y)], GREEN if fact.secure else AMBER, 1.1, z=1.5)

    def _consequences(self, row: Row, top: float, bottom: float) -> float:
        return self._notes(row, self._ledger(row, bottom + 4, gone=False))

    def _band(self, row: Row) -> None:
        top = self.y
        y = self._told(self._forgetting(self.ledger), self.wide / 2, top + 10) + 6
        style = HEADING._replace(colour=PAPER)
        for side in SIDES:
            if gone := row.forgotten_by(side):
                for line, full in self._wrap(self.say(outline.KNOWS[side]), style, self.ledger):
                    at = self._at_ledger(side, y + 10)
                    self.canvas.text(*at, line, style, self._hug(side), full)
                    y += 14
                y = self._struck(side, y + 2, gone) + 6
        self.y = y + 6
        self.canvas.rect(0, top, self.wide, self.y - top, fill=DARK, z=1.5)


VIEW = View(
    name="narrow",
    about=N_("the sequence diagram for a telephone, as SVG"),
    file="narrow.svg",
    render=lambda explanation, page: render(
        explanation, page.language, title=page.story.title
    ).decode(),
)
