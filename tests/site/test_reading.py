"""What a page is like on paper, by the tab key and on a telephone."""

from __future__ import annotations

import pytest

from tests.site.conftest import LANGUAGES, Open

pytestmark = pytest.mark.needs("chromium")


def test_paper_is_light_in_the_dark_theme(opened: Open) -> None:
    shown = opened("en/what-if/token-login/", scheme="dark")
    dark = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    shown.emulate_media(media="print", color_scheme="dark")
    assert shown.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert dark != shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    frame = "getComputedStyle(document.querySelector('.frame'))"
    assert shown.evaluate(f"[{frame}.backgroundColor, {frame}.borderTopWidth]") == [
        "rgb(255, 255, 255)",
        "0px",
    ]
    assert shown.evaluate("getComputedStyle(document.querySelector('.diagram')).filter") == "none"


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
