"""A sheet to draw on, in points from its upper left corner, and the measuring of text.

All figures of this project are laid out on such a sheet: texts are measured before they are placed,
so that boxes fit what stands in them. Matplotlib is loaded when a sheet is made, not before.

Texts are drawn as they are (no mathtext, no TeX) after `inert.printable`. They are measured in
DejaVu, which comes with matplotlib and is wider than most fonts; letters that DejaVu lacks count as
one em. An SVG holds real text and names fonts for every system, so a browser finds the letters of
any language. A PNG or PDF needs a font that is installed here: see `drawable`.
"""

from __future__ import annotations

import io
import logging
import math
import re
import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from simulator.errors import Error
from simulator.views.inert import escape, printable
from simulator.views.lines import MOST
from simulator.views.lines import wrap as broken

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Form = Literal["svg", "png", "pdf"]
Align = Literal["left", "center", "right"]
FORMS: tuple[str, ...] = get_args(Form)

INK = "#1c2730"
QUIET = "#55616b"
FAINT = "#8b949c"
HAIR = "#cfd4d8"
PAPER = "#ffffff"
AMBER, AMBER_FILL, AMBER_GROUND = "#8a5200", "#ffe9bd", "#fffaf0"
GREEN, GREEN_FILL, GREEN_GROUND = "#14603c", "#c3e6cf", "#e3f1e8"
RED, RED_FILL = "#a81e16", "#fdecea"
DARK = "#22303c"

_SANS, _MONO = "DejaVu Sans", "DejaVu Sans Mono"
_OTHER_SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC",
    "Noto Sans KR", "Source Han Sans", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo",
    "Yu Gothic", "Meiryo", "Microsoft YaHei", "Malgun Gothic", "WenQuanYi Zen Hei",
    "IPAexGothic", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip
_REGION = {"ja": "JP", "zh_CN": "SC", "ko": "KR"}
_CSS = {
    # Same ancestor or same widths first, then whatever the system has.
    _SANS: ("Verdana", "Bitstream Vera Sans"),
    _MONO: ("Menlo", "Consolas", "Liberation Mono"),
}
_GENERIC = {_SANS: "sans-serif", _MONO: "monospace"}

_CLASS = "ehlo-twice-mono"

LIGHT = "light"
"""The fragment that keeps an SVG light: for a page that turns its pictures dark by itself."""

_DARK = (
    "@media screen and (prefers-color-scheme: dark) {"
    " svg:root:not(:target) { background: #171717 }"
    " svg:root:not(:target) > g { filter: invert(.91) hue-rotate(180deg) } }"
)
"""Only where an SVG is a document of its own: within a page, `:root` is the page."""

_PIXELS = 40e6
_LONGEST = 30_000
"""No PNG has more pixels, or more of them in one direction: it must open everywhere."""


class Style(NamedTuple):
    """How a text looks; `size` in points."""

    size: float
    colour: str = INK
    mono: bool = False
    bold: bool = False
    italic: bool = False


class UnknownForm(Error, ValueError):
    """There is no such form of a figure."""


class NoFigures(Error, ImportError):
    """What draws is not installed."""


@cache
def ready() -> None:
    """Is there what draws? Raises `NoFigures`."""
    # Where it keeps its cache, or that it is building one, is nothing to whoever wants a drawing.
    logging.getLogger("matplotlib").addHandler(logging.NullHandler())
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise NoFigures(
            "drawings need matplotlib: `pip install 'ehlo-twice[figures]'`, or in a checkout "
            "`pip install '.[figures]'`"
        ) from error


@cache
def _face(mono: bool, bold: bool) -> Any:
    ready()
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    name = f"DejaVuSans{'Mono' if mono else ''}{'-Bold' if bold else ''}.ttf"
    face = FT2Font(f"{get_data_path()}/fonts/ttf/{name}")
    face.set_size(100, 72)
    return face


@cache
def _advance(char: str, mono: bool, bold: bool) -> float:
    """The width of a letter in em."""
    face = _face(mono, bold)
    if face.get_char_index(ord(char)):
        advance: int = face.load_char(ord(char)).linearHoriAdvance
        return advance / 65536 / 100
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0.0
    return 1.4 if ord(char) >= 0x1F000 else 1.05


def width(text: str, style: Style) -> float:
    """How wide `text` is, in points."""
    return style.size * sum(_advance(char, style.mono, style.bold) for char in text)


@cache
def _installed() -> frozenset[str]:
    ready()
    from matplotlib.font_manager import fontManager

    return frozenset(fontManager.get_font_names())


def _others(language: str) -> tuple[str, ...]:
    """Font families for letters that DejaVu lacks, those of the language first."""
    region = _REGION.get(language, "JP")
    return tuple(sorted(_OTHER_SCRIPTS, key=lambda name: not name.endswith(region)))


@cache
def _drawn(char: str) -> bool:
    """Whether a font of this machine has the letter."""
    ready()
    from matplotlib.font_manager import FontProperties, fontManager
    from matplotlib.ft2font import FT2Font

    if _face(False, False).get_char_index(ord(char)):
        return True
    files = (
        fontManager.findfont(FontProperties(family=name))
        for name in _OTHER_SCRIPTS
        if name in _installed()
    )
    return any(FT2Font(file).get_char_index(ord(char)) for file in files)


def drawable(sample: str, form: Form) -> bool:
    """Whether the letters of `sample` can be drawn in that form on this machine.

    An SVG is always drawable: the letters come from the reader's fonts. A PNG or PDF is drawn
    here, and a machine without a font for, say, Japanese would give empty boxes.
    """
    return form == "svg" or all(char.isascii() or _drawn(char) for char in sample)


class Canvas:
    """A sheet, `wide` points wide; how high it is, is said when it is saved.

    No letter is smaller than `smallest`, whatever its style says. An SVG is shown `enlarged` so
    many times. Raises `UnknownForm`.
    """

    def __init__(
        self,
        wide: float,
        language: str = "en",
        form: Form = "svg",
        smallest: float = 0,
        enlarged: float = 1,
    ) -> None:
        if form not in FORMS:
            raise UnknownForm(f"no form {form!r}: there are {', '.join(FORMS)}")
        ready()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.wide = wide
        self.form = form
        self.smallest = smallest
        self.enlarged = enlarged
        self._figure = Figure(facecolor=PAPER)
        FigureCanvasAgg(self._figure)
        self._down = Affine2D()
        self._transform = self._down + self._figure.dpi_scale_trans
        self._others = _others(language)
        present = [name for name in self._others if name in _installed()]
        self._families = {mono: [_MONO if mono else _SANS, *present] for mono in (True, False)}
        self._full: dict[str, str] = {}

    def shown(self, text: str) -> str:
        """`text` as it will stand on the sheet: a letter that cannot be drawn is an escape."""
        text = printable(text)
        if text.isascii() or self.form == "svg":
            return text
        return "".join(c if drawable(c, self.form) else escape(c) for c in text)

    def style(self, style: Style) -> Style:
        """How a text of that style looks on this sheet."""
        return style._replace(size=max(style.size, self.smallest))

    def width(self, text: str, style: Style) -> float:
        """How wide `text` is on this sheet, in points."""
        return width(text, self.style(style))

    def wrap(self, text: str, style: Style, room: float, lines: int = 1) -> list[tuple[str, str]]:
        """Break `text` into at most so many lines, each at most `room` points wide.

        Each line comes with the full text, where something had to be left out.
        """
        em = self.style(style).size

        def advance(char: str) -> float:
            return em * _advance(char, style.mono, style.bold)

        found, cut = broken(self.shown(text[: MOST + 1]), room, lines, advance)
        return [(line, text if cut else "") for line in found]

    def _add(self, artist: Artist, z: float) -> None:
        artist.set_transform(self._transform)
        artist.set_zorder(z)
        self._figure.add_artist(artist)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        style: Style,
        align: Align = "left",
        full: str = "",
        z: float = 5,
    ) -> None:
        """One line of text, its base line at `y`. `full`: what an SVG tells on pointing at it."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.text import Text

        font = FontProperties(
            family=self._families[style.mono],
            size=self.style(style).size,
            weight="bold" if style.bold else "normal",
            style="italic" if style.italic else "normal",
        )
        artist = Text(
            x,
            y,
            self.shown(text),
            color=style.colour,
            fontproperties=font,
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
            usetex=False,
        )
        if full:
            gid = f"full-{len(self._full)}"
            self._full[gid] = full[:MOST] + ("…" if len(full) > MOST else "")
            artist.set_gid(gid)
        self._add(artist, z)

    def rect(
        self,
        x: float,
        y: float,
        wide: float,
        high: float,
        fill: str = "none",
        edge: str = "none",
        line: float = 1,
        dash: Any = "-",
        corner: float = 0,
        hatch: str = "",
        z: float = 2,
    ) -> None:
        """A rectangle; `corner` is the radius of its corners."""
        from matplotlib.patches import FancyBboxPatch, Rectangle

        look: dict[str, Any] = {
            "facecolor": fill,
            "edgecolor": edge,
            "linewidth": line if edge != "none" else 0,
            "linestyle": dash,
            "hatch": hatch or None,
        }
        if corner:
            shape = f"round,pad=0,rounding_size={corner}"
            self._add(FancyBboxPatch((x, y), wide, high, boxstyle=shape, **look), z)
        else:
            self._add(Rectangle((x, y), wide, high, **look), z)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str = INK,
        line: float = 1,
        dash: Any = "-",
        z: float = 3,
        fill: str = "",
        curved: bool = False,
    ) -> None:
        """A line through the points, or a filled shape. `curved`: a Bézier of four points."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = [Path.MOVETO, *[Path.CURVE4 if curved else Path.LINETO] * (len(points) - 1)]
        look = {"facecolor": fill or "none", "edgecolor": colour, "linewidth": line}
        patch = PathPatch(Path(list(points), codes), linestyle=dash, capstyle="butt", **look)
        self._add(patch, z)

    def circle(self, x: float, y: float, radius: float, fill: str, edge: str, z: float = 6) -> None:
        """A circle around a point."""
        from matplotlib.patches import Circle

        self._add(Circle((x, y), radius, facecolor=fill, edgecolor=edge, linewidth=1), z)

    def arrow(
        self, x1: float, x2: float, y: float, colour: str = INK, line: float = 1.5, dash: Any = "-"
    ) -> None:
        """A level arrow from `x1` to `x2`."""
        back = -9 if x2 > x1 else 9
        self.line([(x1, y), (x2 + back * 0.8, y)], colour, line, dash, z=4)
        head = [(x2, y), (x2 + back, y - 4.5), (x2 + back, y + 4.5), (x2, y)]
        self.line(head, colour, 0, z=4, fill=colour)

    def lock(self, x: float, y: float, size: float, closed: bool, colour: str) -> None:
        """A padlock, its body's foot centred at (x, y)."""
        body = size * 0.58
        half = size * 0.4
        self.rect(
            x - half,
            y - body,
            2 * half,
            body,
            fill=colour if closed else PAPER,
            edge=colour,
            line=size / 9,
            corner=size / 12,
            z=6,
        )
        leg, foot, top = size * 0.25, y - body, y - size * 1.15
        arc = [(x - leg, top + leg), (x - leg, top - leg / 2), (x + leg, top - leg / 2)]
        shift = 0.0 if closed else size * 0.5
        points = [(px + shift, py) for px, py in [*arc, (x + leg, top + leg)]]
        self.line(points, colour, size / 8, curved=True, z=6)
        self.line([(points[0][0], top + leg), (points[0][0], foot)], colour, size / 8, z=6)
        end = foot if closed else top + leg * 1.4
        self.line([(points[3][0], top + leg), (points[3][0], end)], colour, size / 8, z=6)

    def tick(self, x: float, y: float, size: float, colour: str) -> None:
        """A tick, its lowest point at (x, y)."""
        self.line(
            [(x - size * 0.4, y - size * 0.4), (x, y), (x + size * 0.7, y - size * 0.9)],
            colour,
            size / 5,
            z=6,
        )

    def cross(self, x: float, y: float, size: float, colour: str, line: float = 2) -> None:
        """A cross centred at (x, y)."""
        half = size / 2
        self.line([(x - half, y - half), (x + half, y + half)], colour, line, z=6)
        self.line([(x - half, y + half), (x + half, y - half)], colour, line, z=6)

    def save(self, high: float, title: str, description: str) -> bytes:
        """The finished sheet, `high` points high; the same bytes every time."""
        from matplotlib import style

        inches = (self.wide / 72, high / 72)
        self._figure.set_size_inches(*inches)
        self._down.clear().scale(1 / 72, -1 / 72).translate(0, high / 72)
        out = io.BytesIO()
        dense = min(144, math.sqrt(_PIXELS / (inches[0] * inches[1])), _LONGEST / max(inches))
        options: dict[str, Any] = {
            "svg": {"metadata": {"Date": None}},
            "png": {"metadata": {"Software": None}, "dpi": dense},
            "pdf": {"metadata": {"Title": printable(title), "CreationDate": None}},
        }
        settings = {
            "svg.fonttype": "none",
            "svg.hashsalt": "ehlo-twice",
            "pdf.fonttype": 42,
            # Hinting moves letters to whole pixels, and a line comes out wider than measured.
            "text.hinting": "none",
        }
        with warnings.catch_warnings(), style.context(["default", settings]):
            # A letter that no font here has: an SVG's reader may have one, see `drawable`.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self._figure.savefig(out, format=self.form, facecolor=PAPER, **options[self.form])
        if self.form == "svg":
            text = out.getvalue().decode()
            return self._accessible(text, title, description).encode()
        return out.getvalue()

    def _accessible(self, svg: str, title: str, description: str) -> str:
        """Name and description for who cannot see it, and nothing that acts outside the figure.

        Matplotlib escapes `<` and `>` in texts and attributes, so a pattern that begins with `<`
        meets its markup only.
        """
        box = re.search(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', svg)
        assert box
        body = svg[box.end() :]
        body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, count=1, flags=re.S)
        body = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", body, count=1, flags=re.S)
        body = re.sub(r'<g id="(?!full-)[^"]*">', "<g>", body)
        body = re.sub(r'<g id="(full-\d+)">', self._title, body)
        body = re.sub(r"<text [^>]*>", self._fonts, body)
        x, y, wide, high = box[1].split()
        shown = [f"{float(length) * self.enlarged:g}" for length in (wide, high)]
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' id="{LIGHT}" width="{shown[0]}" height="{shown[1]}"'
            f' viewBox="{x} {y} {wide} {high}" role="img"'
            ' style="max-width: 100%; height: auto; stroke-linejoin: round; stroke-linecap: butt;'
            f' font-family: {self._stack(_SANS)}">'
            f"\n <title>{_escaped(title)}</title>\n <desc>{_escaped(description)}</desc>"
            f"\n <style>.{_CLASS} {{ font-family: {self._stack(_MONO)} }} {_DARK}</style>{body}"
        )

    def _title(self, match: re.Match[str]) -> str:
        return f"<g><title>{_escaped(self._full[match[1]])}</title>"

    def _fonts(self, match: re.Match[str]) -> str:
        """The families stand once, on the whole figure: twenty names at each text are a burden."""
        mono = _MONO in match[0]
        bare = re.sub(r" font-family: [^;\"]*;?", "", match[0], count=1)
        return bare.replace(
            "<text", f"<text{' class=' + chr(34) + _CLASS + chr(34) if mono else ''}", 1
        ).replace("<text", '<text xml:space="preserve"', 1)

    def _stack(self, base: str) -> str:
        names = (base, *_CSS[base], *self._others)
        return ", ".join([*(f"'{name}'" for name in names), _GENERIC[base]])


def _escaped(text: str) -> str:
    """Text of several lines as text of XML, harmless in each line."""
    text = "\n".join(printable(line) for line in text.split("\n"))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
