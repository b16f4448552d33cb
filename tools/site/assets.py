"""What pages load beside their text: scripts of our own, the player, fonts out of packages."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.views import player
from tools.site.page import ROOT, Asset

FONTS = {
    "Source Serif 4": "source-serif-4",
    "Source Sans 3": "source-sans-3",
    "Source Code Pro": "source-code-pro",
}
FIRST = {("Source Serif 4", "normal"), ("Source Sans 3", "normal")}
"""What the top of a page is set in. The others come after it is painted."""

SETS = {
    "latin": "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+0304, "
    "U+0308, U+0329, U+2000-206F, U+20AC, U+2122, U+2191, U+2193, U+2212, U+2215, U+FEFF, U+FFFD",
}
"""The letters that both languages need; what else there is comes from the reader's own fonts."""

FACE = """@font-face {{ font-family: "{name}"; src: url("fonts/{file}") format("woff2");
  font-weight: 200 900; font-style: {style}; font-display: swap; unicode-range: {letters}; }}
"""


def files() -> Iterator[Asset]:
    """Everything that is the same in every language."""
    yield Asset("assets/player.js", player.script().encode())
    shim = ROOT / "node_modules" / "iframe-worker" / "shim" / "index.js"
    yield Asset("assets/iframe-worker.js", shim.read_bytes())
    sheets = {"fonts-first": "", "fonts-later": ""}
    for name, package in FONTS.items():
        folder = ROOT / "node_modules" / "@fontsource-variable" / package / "files"
        for letters, ranges in SETS.items():
            for style in ("normal", "italic"):
                file = f"{package}-{letters}-wght-{style}.woff2"
                sheet = "fonts-first" if (name, style) in FIRST else "fonts-later"
                sheets[sheet] += FACE.format(name=name, file=file, style=style, letters=ranges)
                yield Asset(f"assets/fonts/{file}", (folder / file).read_bytes())
    for sheet, faces in sheets.items():
        yield Asset(f"assets/{sheet}.css", faces.encode())
    both = "".join(f'@import "{sheet}.css";\n' for sheet in sheets)
    yield Asset("assets/fonts.css", both.encode())
