"""Drawings on pages: as wide as the page, or, on a telephone, the narrow sheet of the same."""

from __future__ import annotations

import re

from simulator.views.canvas import LIGHT

TELEPHONE = "screen and (max-width: 60em)"
"""Where the letters of a wide drawing could not be read."""


def show(base: str, alt: str, wide: str, narrow: str = "") -> str:
    """The drawing `base`.svg, or on a telephone `base`.narrow.svg; a click opens what shows.

    `alt` is HTML. The pictures stay light: it is the page that turns them dark.
    """
    small = narrow and (
        f'<source media="{TELEPHONE}" srcset="{base}.narrow.svg#{LIGHT}" {_size(narrow)}>'
    )
    return (
        f'<div class="diagram"><a href="{base}.svg"><picture>{small}<img src="{base}.svg#{LIGHT}" '
        f'alt="{alt}" loading="lazy" {_size(wide)}></picture></a></div>'
    )


def _size(svg: str) -> str:
    """Width and height in pixels, so that the page does not jump when the picture comes."""
    return " ".join(
        f'{name}="{float(number) * (4 / 3 if unit else 1):.0f}"'
        for name, number, unit in re.findall(r' (width|height)="([\d.]+)(pt)?"', svg[:600])
    )
