"""What a learner has mastered, on one page of A4: solved exercises, and what they refute."""

from __future__ import annotations

from simulator.errors import Error
from simulator.exercises.exercise import load, names, words
from simulator.exercises.progress import Progress
from simulator.language import say
from simulator.views.canvas import AMBER, GREEN, HAIR, QUIET, Canvas, Form, Style

WIDE, HIGH = 842.0, 595.0
"""A4, lying, in points."""

LEFT, RIGHT = 64.0, 790.0
LONGEST = 120
"""Characters of a name."""

FIRST_ROW, ROW = 268.0, 17.0
SHORT = 16
"""Digits of a signature that are printed."""


class NothingMastered(Error, ValueError):
    """There is nothing to certify: the message says what to do first."""


def mastered(progress: Progress) -> tuple[list[str], list[str]]:
    """The exercises that are solved, and the misconceptions, A to G, that they are aimed at."""
    solved = [name for name in names() if progress.of(name).solved]
    ideas = {idea for name in solved for idea in load(name).ideas}
    return solved, sorted(ideas)


def render(progress: Progress, name: str, language: str, form: Form = "pdf") -> bytes:
    """The page for the learner called `name`; an empty name leaves a line to write on.

    Raises `NothingMastered`, `NoFigures`, `UnknownLanguage`.
    """
    solved, ideas = mastered(progress)
    if not solved:
        raise NothingMastered(
            "no exercise is solved yet, so there is nothing to certify: `ehlo-twice exercise`"
        )
    sheet = Canvas(WIDE, language, form)

    def word(key: str, /, **values: object) -> str:
        return say(words()[key], language).format_map(values)

    def put(x: float, y: float, text: str, style: Style, room: float, lines: int = 1) -> float:
        """Lines of text; returns where the next one would stand."""
        for line, _ in sheet.wrap(text, style, room, lines):
            sheet.text(x, y, line, style)
            y += 1.32 * style.size
        return y

    sheet.rect(0, 0, 22, HIGH / 2, AMBER, AMBER)
    sheet.rect(0, HIGH / 2, 22, HIGH / 2, GREEN, GREEN)
    title = word("certificate")
    put(LEFT, 84, title, Style(34, GREEN, bold=True), RIGHT - LEFT)
    put(LEFT, 136, name[:LONGEST], Style(26, bold=True), RIGHT - LEFT)
    sheet.line([(LEFT, 146), (RIGHT, 146)], HAIR, 1)
    told = word("certificate-has", solved=len(solved), total=len(names()))
    put(LEFT, 172, told, Style(13), RIGHT - LEFT, 3)

    middle = (LEFT + RIGHT) / 2 + 24
    head = Style(13, GREEN, bold=True)
    put(LEFT, FIRST_ROW - 26, word("exercises"), head, middle - LEFT - 24)
    put(middle, FIRST_ROW - 26, word("certificate-mastered"), head, RIGHT - middle, 2)
    y = FIRST_ROW
    for number in solved:
        done = progress.of(number).solved
        text = f"{number} · {say(load(number).title, language)}"
        put(LEFT, y, text, Style(10), middle - LEFT - 104)
        sheet.text(middle - 24, y, f"{done:%Y-%m-%d}", Style(9, QUIET, mono=True), "right")
        y += ROW - 1
    y = FIRST_ROW
    for letter in ideas:
        text = f"{letter} · {word(f'idea-{letter}')}"
        y = put(middle, y, text, Style(11.5), RIGHT - middle, 2) + 7
    signature = progress.signature[:SHORT] or "–"
    proof = word("certificate-proof", learner=progress.learner[:SHORT], signature=signature)
    put(LEFT, HIGH - 22, proof, Style(8.5, QUIET), RIGHT - LEFT)
    return sheet.save(HIGH, f"{title}: {name[:LONGEST]}", told)
