"""The notebooks' pages: all that the cells showed, and nothing of the machine that ran them."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import AXE, LANGUAGES, NOTED, READY, SITE, Open
from tests.site.test_browser import violations
from tools.site import cells, notebooks
from tools.site.cells import BadCell, Book, Drawing, Frame, Knobs, Player, Text
from tools.site.page import BadPage, Page, complete

NAMES = [book.name for book in cells.sources("en")]
PAGES = [(language, name) for language in LANGUAGES for name in NAMES]

SHOWS = {
    "print": "<samp>",
    "replay": "<smtp-session",
    "explain": "<smtp-session",
    "drawing": "<img",
    "beside": "<img",
    "heat": "<img",
    "figure, axes = plt.subplots": "<img",
    "ledgers": "<li>",
    "wire": "<table>",
    "knobs": '<dl class="knobs">',
    "show": "ehlo-card",
    "check": "ehlo-card",
}
"""What a call at the beginning of a line puts on the page."""

ATTACK = "<img/src=x/onerror=alert(1)>\n\n[x](javascript:alert(1)) {cite:none}\n```\n# heading"


def small(*code: str, outputs: list[list[cells.Output]] | None = None) -> Book:
    return Book(
        name="00-small",
        language="en",
        description="Small.",
        cells=[("markdown", "# Small\n\nText."), *(("code", source) for source in code)],
        outputs=outputs or [],
    )


def built(language: str, name: str) -> str:
    page = SITE / language / "teach" / "notebooks" / name / "index.html"
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ('show("04")\ncheck("04", "…")', "../../../exercises/#04"),
        ('check("18", send)', "../../../exercises/#18"),
        ('plain = lab.load("plain")', "../../../change/#from=plain"),
        ("for found in read(mine):", "../../../explain/"),
        ('replay("documented")', ""),
    ],
)
def test_a_cell_leads_to_the_page_that_plays_the_same(code: str, place: str) -> None:
    path = "teach/notebooks/00-small.md"
    page = Page(path=path, language="en", text="")
    shown = "\n".join(notebooks._page(small(code, outputs=[[], []]), page))
    found = re.findall(r'<p class="try"><a href="([^"]*)">', shown)
    assert found == ([place] if place else [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exercise_of_a_notebook_can_be_answered_in_a_page(language: str) -> None:
    for book in cells.sources(language):
        asked = [
            number
            for kind, source in book.cells
            if kind == "code"
            for number in re.findall(r'\bcheck\("(\d\d)"', source)
        ]
        page = Page(path="teach/notebooks/x.md", language=language, text="")
        given = "".join(notebooks._tried(source, page) for _, source in book.cells)
        assert re.findall(r"exercises/#(\d\d)", given) == asked


def test_a_cell_shows_what_it_prints_and_what_it_ends_in(tmp_path: Path) -> None:
    book = cells.run(small("x = 6\nprint(x)", "x * 7", "x"), tmp_path)
    assert book.outputs == [[], [Text("6")], [Text("42")], [Text("6")]]


@pytest.mark.parametrize("code", ["1 / 0", "exit()", "import no_such_module", "def"])
def test_a_cell_that_fails_is_named(code: str, tmp_path: Path) -> None:
    with pytest.raises(BadCell, match=r"notebooks/en/00-small\.ipynb, cell 2: \w+"):
        cells.run(small("x = 1", code), tmp_path)


def test_what_runs_finds_its_files_and_leaves_the_folder(tmp_path: Path) -> None:
    here = Path.cwd()
    (tmp_path / "beside").touch()
    code = "from pathlib import Path\nPath('beside').exists()"
    assert cells.run(small(code), tmp_path).outputs[1] == [Text("True")]
    assert Path.cwd() == here


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize(
    "output",
    [
        Text(ATTACK),
        Drawing("<svg></svg>", ATTACK, ATTACK),
        Frame([ATTACK, ATTACK], [[ATTACK, ATTACK]]),
        Knobs([(ATTACK, ATTACK)], ["a", "b", "c"], "<p>safe</p>"),
        Player("{}", "<ol><li>safe</li></ol>", ATTACK),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_stranger_wrote_stays_text(output: cells.Output, offline: bool) -> None:
    [page] = notebooks.pages([small("x", outputs=[[], [output]])], offline=offline)
    text = complete(page, {})
    assert "alert(1)" in text
    assert "<img/" not in text
    # Neither an empty line, where the element would end, nor one that begins as Markdown does.
    shown = text[text.index("```python\nx\n```") + len("```python\nx\n```") :].strip()
    assert "\n\n" not in shown
    assert not re.search(r"^(?:```|#|\[)", shown, re.MULTILINE)


def test_a_picture_needs_words() -> None:
    book = small("x", outputs=[[], [Drawing("<svg></svg>")]])
    with pytest.raises(BadPage, match="00-small"):
        list(notebooks.pages([book]))


@pytest.mark.parametrize(("language", "name"), PAGES)
def test_each_notebook_has_its_page_with_all_that_it_shows(
    site: Path, language: str, name: str
) -> None:
    page = built(language, name)
    [book] = [book for book in cells.sources(language) if book.name == name]
    # What stands behind each cell of code, up to the next.
    shown = page.split('<div class="highlight">')[1:]
    code = [source for kind, source in book.cells if kind == "code"]
    assert len(shown) == len(code)
    for source, html in zip(code, shown, strict=True):
        for call, element in SHOWS.items():
            if re.search(rf"^ *{re.escape(call)}\(", source, re.MULTILINE):
                assert element in html, source
    for never in ("Traceback", "interactive(", "data:image", "ehlo-card right", "{cite:"):
        assert never not in page


@pytest.mark.parametrize(("language", "name"), PAGES)
def test_nothing_tells_of_the_machine_that_built_it(site: Path, language: str, name: str) -> None:
    folder = SITE / language / "teach" / "notebooks"
    texts = [built(language, name)]
    beside = [path for path in folder.glob(f"{name}-*.*") if path.suffix not in (".br", ".gz")]
    texts += [path.read_text("utf-8") for path in beside]
    for text in texts:
        for path in (str(Path.cwd()), tempfile.gettempdir(), str(Path.home()) + "/", "\\Users\\"):
            assert path not in text
        assert not re.search(r"\bat 0x[0-9a-f]{6,}", text)


@pytest.mark.parametrize(("language", "name"), PAGES)
def test_each_notebook_can_be_taken_along(site: Path, language: str, name: str) -> None:
    assert f'download="{name}.ipynb" href="../{name}.ipynb"' in built(language, name)
    source = cells.BOOKS / language / f"{name}.ipynb"
    assert (SITE / language / "teach" / "notebooks" / source.name).read_bytes() == (
        source.read_bytes()
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sidebar_and_the_page_before_lead_to_all_of_them(site: Path, language: str) -> None:
    page = (SITE / language / "teach" / "notebooks" / "index.html").read_text(encoding="utf-8")
    _, _, content = page.partition("<article")
    for name in NAMES:
        assert f'href="{name}/" class="md-nav__link"' in page
        assert f'href="{name}/"' in content or f'href="../../teach/notebooks/{name}/"' in content


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("language", "name"), PAGES)
def test_a_notebook_can_be_read_on_a_telephone(opened: Open, language: str, name: str) -> None:
    shown = opened(f"{language}/teach/notebooks/{name}/", width=390, scheme="dark")
    assert shown.evaluate("document.documentElement.scrollWidth") == 390
    shown.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    assert violations(shown) == []
    for player in shown.locator("smtp-session").all():
        assert player.evaluate("(element) => element.length") > 5


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("language", "typed"), [("en", "ledgers"), ("pt-BR", "memórias")])
def test_search_finds_a_notebook_by_its_text(opened: Open, language: str, typed: str) -> None:
    shown = opened(f"{language}/")
    shown.keyboard.press("/")
    shown.keyboard.type(typed)
    shown.wait_for_selector(".md-search-result__link[href*='notebooks/02-two-ledgers']")


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", LANGUAGES)
def test_notebooks_work_from_disk(browser: Any, language: str) -> None:
    folder = SITE.parent / "build" / "site-offline" / language / "teach" / "notebooks"
    if not (folder / "index.html").exists():
        pytest.skip("not built: make site-offline")
    page = browser.new_page()
    page.add_init_script(NOTED)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url}: {request.failure}"))
    for name in NAMES:
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_function(READY)
        players = page.evaluate(
            "[...document.querySelectorAll('smtp-session')].map((player) => player.length)"
        )
        assert all(length > 5 for length in players)
        pictures = page.evaluate(
            "Promise.all([...document.querySelectorAll('.output img')].map((picture) => {"
            " picture.loading = 'eager'; return picture.decode(); }))"
        )
        assert pictures
        assert (folder / f"{name}.ipynb").is_file()
    page.close()
    # What the reader leaves behind by going to the next page, such as the index of the search.
    assert [one for one in wrong if not one.endswith(": net::ERR_ABORTED")] == []
