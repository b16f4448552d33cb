"""The slides' colours, measured: with the lights on, and for whoever sees no red or no green."""

import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = (ROOT / "workshop" / "slides" / "slides.css").read_text(encoding="utf-8")
PRINTED = (ROOT / "workshop" / "handout" / "sheet.css").read_text(encoding="utf-8")

COLOURS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE))

# Machado, Oliveira and Fernandes 2009 (doi:10.1109/TVCG.2009.113), severity 1.0, on linear RGB.
SEEN = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}

ROOM = 0.1
"""Light of the room on the screen, as a share of the projector's white: curtains half drawn."""


def linear(colour: str) -> list[float]:
    """sRGB as linear light (WCAG 2.2, relative luminance)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def seen(colour: str, by: str) -> list[float]:
    light = linear(colour)
    mixed = (sum(k * c for k, c in zip(row, light, strict=True)) for row in SEEN[by])
    return [min(1.0, max(0.0, c)) for c in mixed]


def luminance(light: list[float]) -> float:
    return sum(k * c for k, c in zip((0.2126, 0.7152, 0.0722), light, strict=True))


def contrast(one: str, other: str, by: str = "all", room: float = 0.0) -> float:
    levels = sorted(luminance(seen(colour, by)) + 0.05 + room for colour in (one, other))
    return levels[1] / levels[0]


TEXTS = [
    ("ink", "paper"), ("ink", "panel"), ("soft", "paper"), ("amber", "amber-bg"),
    ("amber", "paper"), ("green", "green-bg"), ("green", "paper"), ("green", "panel"),
]  # fmt: skip


@pytest.mark.parametrize("by", SEEN)
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_is_read_in_the_dark_and_with_the_lights_on(text: str, ground: str, by: str) -> None:
    one, other = COLOURS[text], COLOURS[ground]
    assert contrast(one, other, by) >= 4.5
    # Large text, as every text of a slide is, wants 3 to 1 (WCAG 2.2, 1.4.3).
    assert contrast(one, other, by, ROOM) >= 3


def test_the_measure_is_the_one_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    # Red and green of one brightness are one colour to whoever lacks the receptor for green.
    red, green = "#d00000", "#00a000"
    far, near = (
        sum(abs(a - b) for a, b in zip(seen(red, by), seen(green, by), strict=True))
        for by in ("all", "deuteranopia")
    )
    assert near < far / 3


def difference(one: list[float], other: list[float]) -> float:
    """How far apart two colours look: CIE 1976, from linear RGB. About 2 is just to be seen."""

    def lab(light: list[float]) -> tuple[float, float, float]:
        rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
        white = (0.9505, 1.0, 1.089)
        x, y, z = (
            c ** (1 / 3) if c > 0.008856 else 7.787 * c + 16 / 116
            for row, w in zip(rows, white, strict=True)
            for c in [sum(k * v for k, v in zip(row, light, strict=True)) / w]
        )
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    return math.dist(lab(one), lab(other))


@pytest.mark.parametrize("by", ["deuteranopia", "protanopia"])
@pytest.mark.parametrize("kind", ["", "-line"])
def test_clear_and_secure_are_told_apart_without_red_and_green(kind: str, by: str) -> None:
    one, other = (seen(COLOURS[f"{name}{kind}"], by) for name in ("amber", "green"))
    assert difference(one, other) > 20


@pytest.mark.parametrize("style", [STYLE, PRINTED], ids=["slides", "paper"])
def test_colour_is_never_the_only_mark(style: str) -> None:
    [clear] = re.findall(r"\.fact\.clear \{ ([^}]+)\}", style)
    [secure] = re.findall(r"\.fact\.secure \{ ([^}]+)\}", style)
    assert " dashed " in clear
    assert " solid " in secure


def test_paper_and_slides_have_the_same_colours() -> None:
    printed = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", PRINTED))
    for name in ("amber", "amber-line", "amber-bg", "green", "green-line", "green-bg", "ink"):
        assert printed[name] == COLOURS[name]
