"""Pages on paper: few sheets, and nothing cut by the edge of one."""

from __future__ import annotations

import pytest

from tests.site.conftest import LANGUAGES, Open

pytestmark = pytest.mark.needs("chromium")

# A sheet between its margins of 15 mm: as wide as A4, as high as the shorter Letter. In pixels.
WIDTH, HEIGHT = round(180 / 25.4 * 96), round(249.4 / 25.4 * 96)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_home_takes_three_sheets_at_most(opened: Open, language: str, paper: str) -> None:
    shown = opened(f"{language}/")
    sheets = shown.pdf(format=paper, print_background=True).count(b"/Type /Page\n")
    assert 1 <= sheets <= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["skipped-ehlo", "smuggled-message"])
def test_no_row_and_no_drawing_is_cut(opened: Open, language: str, page: str) -> None:
    shown = opened(f"{language}/what-if/{page}/", width=WIDTH)
    shown.emulate_media(media="print")
    blocks = shown.locator(".md-typeset :is(tbody tr, .frame)")
    assert blocks.count() > 3
    styles = blocks.evaluate_all("all => all.map((one) => getComputedStyle(one).breakInside)")
    assert set(styles) == {"avoid"}
    # With its heading, which stays beside it.
    heights = blocks.evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert max(heights) < HEIGHT - 60
