"""Tables on a telephone: row by row, no word broken, nothing cut."""

from __future__ import annotations

import pytest

from tests.site.conftest import LANGUAGES, Open
from tools.site.stacked import stacked

TABLE = """<table>
<thead>
<tr>
<th>Case</th>
<th>What is <em>checked</em></th>
<th>"Rests" on</th>
</tr>
</thead>
<tbody>
<tr>
<td>a</td>
<td style="text-align: right;">b</td>
<td></td>
</tr>
</tbody>
</table>"""


def test_cells_bear_the_names_of_their_columns() -> None:
    shown = stacked(f"<p>before</p>{TABLE}<p>behind</p>")
    assert shown.startswith('<p>before</p><table data-stacked role="table">')
    assert '<td role="cell">a</td>' in shown
    assert '<td role="cell" data-head="What is checked" style="text-align: right;">b</td>' in shown
    assert '<td role="cell" data-head="&quot;Rests&quot; on"></td>' in shown
    assert shown.count('role="columnheader"') == 3
    assert shown.count('role="row"') == 2
    assert "<thead>" in shown


@pytest.mark.parametrize(
    "table",
    [
        '<table class="matrix"><tr><td>1</td></tr></table>',
        f"<table><thead><tr>{'<th>h</th>' * 5}</tr></thead></table>",
        "<table><tr><td>no heads</td></tr></table>",
    ],
)
def test_a_grid_stays_as_it_is(table: str) -> None:
    assert stacked(table) == table


BROKEN = """() => {
    const found = [];
    for (const table of document.querySelectorAll(".md-content table:not([class])")) {
        const fits = table.scrollWidth <= table.clientWidth + 1;
        if ("stacked" in table.dataset && !fits) found.push(`cut: ${table.textContent}`);
        const walker = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            if (node.parentElement.closest("thead")) continue;
            for (const { 0: word, index } of node.data.matchAll(/[\\p{L}\\d]{2,32}/gu)) {
                const range = document.createRange();
                range.setStart(node, index);
                range.setEnd(node, index + word.length);
                const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
                if (new Set(tops).size > 1) found.push(word);
            }
        }
    }
    return [document.querySelectorAll("table[data-stacked]").length, found];
}"""


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["better-log/", "check/", "documented-session/", "503/", "bugs/"])
def test_no_word_of_a_table_is_broken_on_a_telephone(
    opened: Open, language: str, page: str
) -> None:
    shown = opened(f"{language}/{page}", width=390)
    count, broken = shown.evaluate(BROKEN)
    assert count
    assert broken == []
    assert shown.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_names_of_a_large_table_stay_while_one_scrolls(opened: Open, language: str) -> None:
    shown = opened(f"{language}/in-the-wild/", width=390)
    grid = shown.locator(".wide:has(table:not([class], [data-stacked]))").first
    name = grid.locator("tbody tr").first.locator("td").first
    name.scroll_into_view_if_needed()
    before = name.bounding_box()
    grid.evaluate("grid => { grid.scrollLeft = 150; }")
    assert grid.evaluate("grid => grid.scrollLeft") == 150
    assert abs(name.bounding_box()["x"] - before["x"]) < 3
