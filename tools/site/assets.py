"""What pages load beside their text: scripts of our own, the player, fonts out of packages."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.views import player
from tools.site import fonts
from tools.site.page import ROOT, Asset

FONTS = {
    "Source Serif 4": "source-serif-4",
    "Source Sans 3": "source-sans-3",
    "Source Code Pro": "source-code-pro",
}
FIRST = {("Source Serif 4", "normal"), ("Source Sans 3", "normal")}
"""What the top of a page is set in. The others come after it is painted."""

RANGE = ", ".join(f"U+{first:04X}-{last:04X}" for first, last in fonts.LETTERS)

FACE = """@font-face {{ font-family: "{name}"; src: url("fonts/{file}") format("woff2");
  font-weight: 400 700; font-style: {style}; font-display: swap; unicode-range: {letters}; }}
"""


def files() -> Iterator[Asset]:
    """Everything that is the same in every language."""
    yield Asset("assets/player.js", player.script().encode())
    shim = ROOT / "node_modules" / "iframe-worker" / "shim" / "index.js"
    yield Asset("assets/iframe-worker.js", shim.read_bytes())
    sheets = {"fonts-first": "", "fonts-later": ""}
    for name, package in FONTS.items():
        folder = ROOT / "node_modules" / "@fontsource-variable" / package / "files"
        for style in ("normal", "italic"):
            file = f"{package}-latin-wght-{style}.woff2"
            sheet = "fonts-first" if (name, style) in FIRST else "fonts-later"
            sheets[sheet] += FACE.format(name=name, file=file, style=style, letters=RANGE)
            yield Asset(f"assets/fonts/{file}", fonts.cut(folder / file))
    for sheet, faces in sheets.items():
        yield Asset(f"assets/{sheet}.css", faces.encode())
    both = "".join(f'@import "{sheet}.css";\n' for sheet in sheets)
    yield Asset("assets/fonts.css", both.encode())
