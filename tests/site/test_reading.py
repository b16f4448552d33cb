"""What a page is like on paper, by the tab key and on a telephone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.site.conftest import LANGUAGES, Open

pytestmark = pytest.mark.needs("chromium")


def test_paper_is_light_in_the_dark_theme(opened: Open) -> None:
    shown = opened("en/what-if/token-login/", scheme="dark")
    dark = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    shown.emulate_media(media="print", color_scheme="dark")
    assert shown.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert dark != shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    drawn = shown.locator(".diagram img")
    assert drawn.evaluate("(drawn) => getComputedStyle(drawn).filter") == "none"


def test_a_diagram_stands_on_one_sheet_of_paper(opened: Open) -> None:
    shown = opened("en/what-if/injected-reply-kept/")
    drawn = shown.locator(".diagram img")
    drawn.scroll_into_view_if_needed()
    drawn.evaluate("(drawn) => drawn.decode()")
    shown.emulate_media(media="print")
    assert drawn.evaluate("(drawn) => drawn.currentSrc").endswith("kept.svg#light")
    assert 500 < drawn.bounding_box()["height"] <= (279 - 2 * 15) / 25.4 * 96
    kept = "(drawn) => getComputedStyle(drawn.closest('.diagram')).breakInside"
    assert drawn.evaluate(kept) == "avoid"


@pytest.mark.parametrize(
    ("width", "ending", "units", "least"),
    [(390, ".narrow.svg", 360, 10.5), (1280, ".svg", 1064, 9.5)],
)
@pytest.mark.parametrize("page", ["what-if/documented/", "teach/notebooks/01-documented-session/"])
def test_the_letters_of_a_diagram_can_be_read(
    opened: Open, page: str, width: int, ending: str, units: float, least: float
) -> None:
    """On a telephone they are those of the narrow sheet, and all of it is there; a click opens the
    sheet that shows."""
    shown = opened(f"pt-BR/{page}", width=width)
    drawn = shown.locator(".diagram:has(source) img").first
    drawn.scroll_into_view_if_needed()
    drawn.evaluate("(drawn) => drawn.decode()")
    address = drawn.evaluate("(drawn) => drawn.currentSrc")
    name = address.rpartition("/")[2].removesuffix("#light")
    assert name.endswith(ending)
    assert (".narrow." in name) == (".narrow." in ending)
    box = drawn.bounding_box()
    assert least * box["width"] / units >= (10 if width == 390 else 8)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    whole = "(drawn) => drawn.naturalHeight / drawn.naturalWidth"
    assert box["height"] / box["width"] == pytest.approx(drawn.evaluate(whole), rel=0.01)
    drawn.locator("xpath=ancestor::a").press("Enter")
    shown.wait_for_url(f"**/{name}")


def brightness(picture: Any) -> int:
    """Of the paper in a picture's corner, from 0 to 255."""
    seen = Image.open(io.BytesIO(picture.screenshot()))
    return seen.convert("RGB").resize((1, 1), box=(20, 20, 21, 21)).convert("L").tobytes()[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("chosen", ["default", "slate"])
def test_a_diagram_is_dark_on_a_dark_page(opened: Open, chosen: str, scheme: str) -> None:
    """Turned dark once, by what the reader has chosen and not by what the system has."""
    shown = opened("en/what-if/token-login/", scheme=scheme)
    shown.evaluate("(chosen) => { document.body.dataset.mdColorScheme = chosen; }", chosen)
    drawn = shown.locator(".diagram img")
    drawn.scroll_into_view_if_needed()
    drawn.evaluate("(drawn) => drawn.decode()")
    paper = brightness(drawn)
    assert paper > 250 if chosen == "default" else paper < 40


@pytest.mark.parametrize("name", ["token-login.svg", "token-login.narrow.svg"])
def test_a_diagram_of_its_own_is_dark_where_the_system_is(opened: Open, name: str) -> None:
    assert brightness(opened(f"en/what-if/{name}").locator(":root")) > 250
    assert brightness(opened(f"en/what-if/{name}", scheme="dark").locator(":root")) < 40


@pytest.mark.parametrize("width", [390, 1280])
def test_the_tab_key_passes_a_closed_search_by(opened: Open, width: int) -> None:
    shown = opened("en/why-twice/", width=width)
    for _ in range(8):
        shown.keyboard.press("Tab")
        assert not shown.evaluate("!!document.activeElement.closest('.md-search__output')")


@pytest.mark.parametrize("page", ["auth/", "check/", "documented-session/", "why-twice/"])
def test_a_table_that_fits_does_not_scroll(opened: Open, page: str) -> None:
    shown = opened(f"en/{page}")
    wide = "[...document.querySelectorAll('.wide')].map((e) => e.scrollWidth - e.clientWidth)"
    beyond = shown.evaluate(wide)
    assert beyond
    assert set(beyond) == {0}


@pytest.mark.parametrize("page", ["documented-session/", "wrong-version-number/", "check/"])
def test_a_telephone_shows_whole_lines_of_code(opened: Open, page: str) -> None:
    shown = opened(f"en/{page}", width=390)
    codes = "[...document.querySelectorAll('.highlight pre > code')]"
    beyond = shown.evaluate(f"{codes}.map((e) => e.scrollWidth - e.clientWidth)")
    assert beyond
    assert set(beyond) == {0}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_pane_of_bytes_says_whose_it_is_on_a_telephone(opened: Open, language: str) -> None:
    shown = opened(f"{language}/bytes/", width=390)
    first = shown.locator("smtp-bytes section.row").first
    assert first.locator(".which").all_inner_texts() == ["TLS 1.3", "TLS 1.2"]
    way = first.locator(".way").first.inner_text()
    assert way.endswith(("0.000 s", "0.001 s") if language == "en" else ("0,000 s", "0,001 s"))
