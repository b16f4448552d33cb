"""Fonts out of packages, cut to what the pages set in them: their letters, their weights.

The licence (SIL OFL 1.1) lets a font be changed under another name than its own: so the names
inside are others; copyright and licence stay in it.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

WEIGHTS = (400, 700)
"""From plain text to bold; nothing is set lighter or heavier."""

LETTERS = (
    (0x20, 0x7E), (0xA0, 0xFF), (0x131, 0x131), (0x152, 0x153), (0x2010, 0x2015), (0x2018, 0x201E),
    (0x2022, 0x2022), (0x2026, 0x2026), (0x2030, 0x2030), (0x2039, 0x203A), (0x20AC, 0x20AC),
    (0x2122, 0x2122), (0x2191, 0x2191), (0x2193, 0x2193), (0x2212, 0x2212), (0x2215, 0x2215),
)  # fmt: skip
"""What both languages are written in, first and last of each row in Unicode; all other letters come
from the reader's own fonts."""

FEATURES = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum"]
"""OpenType features that text is set with; small capitals, fractions and swashes are not."""

_NAMES = (1, 3, 4, 6, 16, 25)
"""Records of a font's table of names that hold its own name."""


@cache
def cut(path: Path) -> bytes:
    """The font at `path` as WOFF2, with those of `LETTERS` that it has. Raises OSError."""
    font = TTFont(path)
    options = subset.Options(layout_features=FEATURES, hinting=False, notdef_outline=True)
    cutting = subset.Subsetter(options)
    cutting.populate(unicodes=[code for a, b in LETTERS for code in range(a, b + 1)])
    cutting.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    for record in font["name"].names:
        if record.nameID in _NAMES:
            record.string = str(record).replace("Source", "Twice")
    font.flavor = "woff2"
    # When it was made would make it another file each time.
    font.recalcTimestamp = False
    written = BytesIO()
    font.save(written)
    return written.getvalue()
