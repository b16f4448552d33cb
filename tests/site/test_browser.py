"""The built site as a reader meets it: by mouse and keys, in both languages, light and dark."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from simulator import explainer
from simulator.lab import arena, play
from simulator.views import document
from tests.browser.conftest import shown
from tests.site.conftest import ADDRESS, AXE, LANGUAGES, READY, SITE, Open, built, show

pytestmark = pytest.mark.needs("chromium")

PLAYER = "document.querySelector('smtp-session')"
OWN = ("file:", "data:", "blob:")


TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe that look at colours: what else it finds is alike in both themes."""


def violations(page: Any, *only: str) -> list[str]:
    """What axe finds, players included; by some of its rules `only`, or by all that we keep."""
    shown(page)
    found = page.evaluate(
        "(runOnly) => axe.run(document, {resultTypes: ['violations'], runOnly})",
        {"type": "rule" if only else "tag", "values": only or TAGS},
    )["violations"]
    return [
        f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary'][:300]}"
        for v in found
    ]


@pytest.mark.parametrize(
    ("language", "page"), [(language, page) for language in LANGUAGES for page in built(language)]
)
def test_no_barrier_on_any_page_in_either_theme(
    window: tuple[Any, list[str]], language: str, page: str
) -> None:
    shown, wrong = window
    wrong.clear()
    show(shown, f"{language}/{page}")
    shown.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(shown) == []
    shown.evaluate("document.body.dataset.mdColorScheme = 'slate'")
    assert violations(shown, *COLOURS) == []
    assert wrong == []


@pytest.mark.parametrize("page", ["", "sandbox/", "bytes/", "why-twice/", "in-the-wild/"])
def test_a_telephone_needs_no_sideways_scrolling(opened: Open, page: str) -> None:
    for language in LANGUAGES:
        shown = opened(f"{language}/{page}", width=390)
        assert shown.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("page", ["", "documented-session/", "sandbox/"])
def test_nothing_is_asked_for_twice_and_the_index_only_by_who_searches(
    opened: Open, page: str
) -> None:
    shown = opened(f"en/{page}")
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url.removeprefix(ADDRESS)))
    shown.reload()
    shown.wait_for_function(READY)
    assert sorted(asked) == sorted(set(asked))
    assert "en/assets/player.js" in asked
    assert "en/search/search_index.json" not in asked
    shown.keyboard.press("/")
    shown.locator(".md-search-result__meta", has_text="Type to start searching").wait_for()
    assert asked.count("en/search/search_index.json") == 1


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", ["explain", "exercises", "change"])
def test_nothing_moves_when_what_a_script_builds_is_there(
    opened: Open, page: str, width: int, language: str
) -> None:
    """What is on the screen below it stands, to two lines, where it stood before."""
    shown = opened(f"{language}/{page}/", width=width)
    before, after = shown.evaluate(
        """() => {
            const built = document.querySelector("smtp-explain, smtp-learn, smtp-play");
            const after = built.getBoundingClientRect().height;
            built.removeAttribute("ready");
            return [parseFloat(getComputedStyle(built).minHeight), after];
        }"""
    )
    assert min(before, 800) == pytest.approx(min(after, 800), abs=60)


@pytest.mark.parametrize(("scheme", "colours"), [("light", "default"), ("dark", "slate")])
def test_the_first_picture_has_the_colours_that_the_reader_prefers(
    browser: Any, site: Path, scheme: str, colours: str
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto((site / "en" / "index.html").as_uri())
    assert page.evaluate("document.body.dataset.mdColorScheme") == colours
    context.close()


def test_without_its_scripts_a_page_shows_the_session_as_a_list(browser: Any, site: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/player.js", lambda route: route.abort())
    page.goto((site / "en" / "index.html").as_uri())
    page.locator("smtp-session ol > li").nth(10).wait_for()
    context.close()


def test_the_drawer_shows_its_links_when_it_is_open_and_only_then(opened: Open) -> None:
    shown = opened("en/why-twice/", width=390)
    link = shown.locator(".md-sidebar--primary a[href='../bytes/']")
    assert not link.is_visible()
    shown.locator("label.md-header__button[for=__drawer]").click()
    link.click()
    shown.wait_for_url("**/en/bytes/")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_documented_session_by_keys(
    opened: Open, language: str, width: int, scheme: str
) -> None:
    shown = opened(f"{language}/documented-session/", width=width, scheme=scheme)
    length = shown.evaluate(f"{PLAYER}.length")
    shown.locator("smtp-session .toggle").first.focus()
    for step in range(1, length):
        shown.keyboard.press("ArrowRight")
        assert shown.evaluate(f"{PLAYER}.step") == step
        assert shown.evaluate("location.hash") == f"#t={step + 1}"
    shown.keyboard.press("Home")
    assert shown.evaluate(f"{PLAYER}.step") == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_session_by_mouse(opened: Open, language: str) -> None:
    shown = opened(f"{language}/")
    shown.locator("smtp-session .poster").click()
    shown.evaluate(f"{PLAYER}.pause()")
    start = shown.evaluate(f"{PLAYER}.step")
    shown.locator("smtp-session button.next").click()
    assert shown.evaluate(f"{PLAYER}.step") == start + 1


def test_a_link_to_a_step_and_the_language_switch_keep_the_place(opened: Open) -> None:
    shown = opened("en/documented-session/#t=7")
    assert shown.evaluate(f"{PLAYER}.step") == 6
    shown.locator(".language a").click()
    shown.wait_for_url("**/pt-BR/documented-session/#t=7")
    shown.wait_for_function(f"{PLAYER}?.length > 0")
    assert shown.evaluate(f"{PLAYER}.step") == 6


@pytest.mark.parametrize(
    ("address", "anchor"),
    [
        (
            "pt-BR/questions/#e-um-bug-o-ehlo-ser-enviado-duas-vezes",
            "is-it-a-bug-that-ehlo-is-sent-twice",
        ),
        ("pt-BR/what-if/plain/#o-que-se-conclui", "what-follows"),
        ("en/what-if/plain/#what-follows", "what-follows"),
    ],
)
def test_the_language_switch_keeps_the_heading(opened: Open, address: str, anchor: str) -> None:
    shown = opened(address)
    language, _, page = address.partition("#")[0].partition("/")
    [other] = set(LANGUAGES) - {language}
    shown.locator(".language a").click()
    shown.wait_for_url(f"**/{other}/{page}#{anchor}")
    assert shown.evaluate("document.querySelector(':target')?.localName") in ("h2", "h3")


def test_a_link_to_the_other_language_has_the_place_before_it_is_opened_elsewhere(
    opened: Open,
) -> None:
    shown = opened("en/questions/#must-the-client-send-it-again")
    link = shown.locator(".language a")
    link.dispatch_event("pointerdown", {"button": 1})
    assert link.evaluate("link => link.hash") == "#must-the-client-send-it-again"


LONG = ("what-if/", "in-the-wild/", "questions/", "teach/guide/", "reference/citations/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_page_begins_with_a_list_of_its_parts(
    browser: Any, site: Path, language: str
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    for path in LONG:
        page.goto((site / language / path / "index.html").as_uri())
        links = page.locator("nav.parts a")
        assert links.count() >= 4
        assert links.first.bounding_box()["y"] < 1000
        assert all(len(text) < 60 for text in links.all_inner_texts())
        for anchor in links.evaluate_all("all => all.map((a) => a.hash)"):
            assert page.locator(f".md-content {anchor}").count() == 1
    page.context.close()


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("your-log/#second-ehlo", "causes/ehlo/#second-ehlo"),
        ("causes/#handshake-cut", "causes/no-tls/#handshake-cut"),
        ("causes/#probe", "causes/other/#probe"),
    ],
)
def test_the_address_of_a_cause_leads_to_it(opened: Open, address: str, page: str) -> None:
    shown = opened("pt-BR/")
    shown.goto(f"{ADDRESS}en/{address}")
    shown.wait_for_url(f"**/en/{page}")


SEARCHES: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "searches.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_search_finds_the_page_that_answers_among_the_first_two(
    opened: Open, language: str
) -> None:
    assert len(SEARCHES[language]) >= 30
    shown = opened(f"{language}/reference/")
    shown.keyboard.press("/")
    lost = {}
    for typed, wanted in SEARCHES[language].items():
        found = searched(shown, typed)
        if not set(found[:2]) & set(wanted):
            lost[typed] = found[:5]
    assert lost == {}


def searched(shown: Any, typed: str) -> list[str]:
    """The pages that the search finds for what was typed, best first. The field is emptied
    before, so that what is read afterwards answers this question and no earlier one."""
    shown.locator("[data-md-component=search-query]").fill("")
    shown.keyboard.press("Shift")
    shown.wait_for_function("!document.querySelector('.md-search-result__item')")
    shown.locator("[data-md-component=search-query]").fill(typed)
    shown.keyboard.press("Shift")
    shown.wait_for_selector(".md-search-result__item", state="attached")
    found: list[str] = shown.evaluate(
        """[...document.querySelectorAll(".md-search-result__item > a")].map(({ href }) =>
        new URL(href).pathname.split("/").slice(3).join("/").replace(/\\/$/, ""))"""
    )
    return list(dict.fromkeys(found))


def test_search_gives_no_answers_away(opened: Open) -> None:
    shown = opened("en/reference/")
    shown.keyboard.press("/")
    for page in ("teach/answers", "teach/guide"):
        assert page not in searched(shown, "misconceptions answer key instructor guide quiz")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ["503", "hangs-after-220"])
def test_first_aid_is_one_tap_from_home_on_a_telephone(
    opened: Open, language: str, key: str
) -> None:
    shown = opened(f"{language}/", width=390)
    shown.locator(f"nav.aid a[href='{key}/']").click()
    shown.wait_for_url(f"**/{language}/{key}/")
    assert shown.evaluate("document.documentElement.scrollWidth") == 390


def test_portuguese_search_knows_plurals(opened: Open) -> None:
    found = []
    for typed in ("servidor", "servidores"):
        shown = opened("pt-BR/")
        shown.keyboard.press("/")
        shown.keyboard.type(typed)
        shown.wait_for_selector(".md-search-result__item")
        found.append(shown.locator(".md-search-result__item").count())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "names",
    [
        ("documented", "documented", "nothing"),
        ("skips", "documented", "nothing"),
        ("stale", "shorter", "nothing"),
        ("required", "documented", "strip"),
        ("keeps", "documented", "inject-reply"),
    ],
)
def test_the_sandbox_shows_what_was_really_played(
    opened: Open, names: tuple[str, str, str]
) -> None:
    shown = opened(f"en/sandbox/#a={'+'.join(names)}&b=documented+documented+nothing")
    shown.wait_for_function("document.querySelector('#session-a')?.length > 0")
    entry = shown.evaluate("document.querySelector('#session-a').data.sessions[0]")
    played = explainer.explain(play(arena.scenario(*names)))
    [wanted] = document.document([played]).sessions
    told = [(step["kind"], step["by"], step["secure"], step["meaning"]) for step in entry["steps"]]
    assert [line for line in told if line[0] != "trace"] == [
        (step.kind, step.by, step.secure, step.meaning)
        for step in wanted.steps
        if step.kind != "trace"
    ]
    assert entry["verdict"]["outcome"] == wanted.verdict.outcome


def test_sandbox_players_run_in_step_and_the_address_keeps_the_choice(opened: Open) -> None:
    shown = opened("en/sandbox/")
    shown.wait_for_function("document.querySelector('#session-b')?.length > 0")
    shown.evaluate("document.querySelector('#session-a').step = 4")
    assert shown.evaluate("document.querySelector('#session-b').step") == 4
    shown.locator("fieldset.b select").nth(2).select_option("strip")
    assert "b=skips+documented+strip" in shown.evaluate("location.hash")
    shown.locator(".matrix button").first.click()
    assert "b=documented+documented+strip" in shown.evaluate("location.hash")


def test_every_byte_can_be_read_by_keys(opened: Open) -> None:
    shown = opened("en/bytes/")
    shown.wait_for_selector("smtp-bytes .hex")
    total = shown.evaluate("[...document.querySelectorAll('smtp-bytes .piece')].length")
    assert total > 40
    shown.locator("smtp-bytes .hex").first.focus()
    shown.keyboard.press("ArrowRight")
    assert "code" in shown.locator("smtp-bytes .reader").first.inner_text()


def test_code_can_be_copied(opened: Open) -> None:
    shown = opened("en/")
    shown.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.locator("button.md-clipboard, .md-code__button").first.click()
    shown.wait_for_selector(".md-dialog--active")
    assert shown.evaluate("navigator.clipboard.readText()").strip() == "ehlo-twice replay"


def test_without_script_the_session_is_a_list(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "en" / "index.html").as_uri())
    assert page.locator("smtp-session ol > li").count() > 15
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_script_the_sandbox_tells_how_every_session_ended(
    browser: Any, site: Path, language: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / language / "sandbox" / "index.html").as_uri())
    sides = arena.sides()
    cells = page.locator("smtp-sandbox .matrix td .cell")
    assert cells.count() == len(sides.client) * len(sides.server)
    assert cells.first.is_visible()
    page.locator("smtp-sandbox a[href$='what-if/']").wait_for()
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_works_from_disk(browser: Any, language: str) -> None:
    folder = SITE.parent / "build" / "site-offline" / language
    if not folder.exists():
        pytest.skip("not built: make site-offline")
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else wrong.append(r.url),
    )
    for name, ready in (
        ("index", f"{PLAYER}?.length > 0"),
        ("bytes", "document.querySelector('smtp-bytes .hex')"),
        ("sandbox", "document.querySelector('#session-b')?.length > 0"),
    ):
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_function(ready)
    page.keyboard.press("/")
    page.keyboard.type("starttls")
    page.wait_for_selector(".md-search-result__item")
    context.close()
    assert wrong == []
