"""Slides, handout and cards, before they are printed."""

import html
import re
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.workshop.conftest import built
from tools.site.page import CITE, MARK
from tools.workshop import drawings, paper, quiz, sheets, slides

LANGUAGES = ("en", "pt-BR")
ROOT = Path(__file__).parents[2]


def sources(kind: str) -> list[str]:
    folder = ROOT / "workshop" / kind
    return [(folder / f"{language}.md").read_text(encoding="utf-8") for language in LANGUAGES]


@pytest.mark.parametrize("kind", ["slides", "handout"])
def test_both_languages_show_and_cite_the_same(kind: str) -> None:
    english, portuguese = sources(kind)
    assert MARK.findall(english) == MARK.findall(portuguese)
    assert CITE.findall(english) == CITE.findall(portuguese)
    assert len(re.findall(r"^#+ ", english, re.M)) == len(re.findall(r"^#+ ", portuguese, re.M))


def test_both_languages_have_the_same_slides_and_notes() -> None:
    english, portuguese = (slides.split(text) for text in sources("slides"))
    assert len(english) == len(portuguese) > 10
    for one, other in zip(english, portuguese, strict=True):
        assert bool(slides.NOTE.search(one)) == bool(slides.NOTE.search(other))
        assert slides.plans(one) == slides.plans(other)
        assert len(MARK.findall(one)) <= 1


def test_every_mark_of_the_slides_can_be_shown() -> None:
    for text in sources("slides"):
        assert {mark[0] for mark in MARK.findall(text)} <= set(slides.SHOWS)


def test_commands_in_the_handout_are_the_same_but_for_the_language() -> None:
    blocks = [re.findall(r"^ehlo-twice \S+", text, re.MULTILINE) for text in sources("handout")]
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) == 5


def test_the_documented_cards_are_the_documented_lines() -> None:
    said = [card.lines[0] if card.lines else "handshake" for card in sheets.deck("documented")]
    assert said == [
        "220 eq-c601.example.com ESMTP",
        "EHLO mx4.example.com",
        "250-eq-c601.example.com",
        "STARTTLS",
        "220 Go ahead with TLS",
        "handshake",
        "EHLO mx4.example.com",
        "250-eq-c601.example.com",
        "MAIL FROM:<postmaster@mx4.example.com> SIZE=107",
    ]


@pytest.mark.parametrize("name", sheets.SETS)
def test_letters_are_unique_stay_the_same_and_do_not_give_the_order_away(name: str) -> None:
    letters = [card.letter for card in sheets.deck(name)]
    assert len(set(letters)) == len(letters)
    assert letters == [card.letter for card in sheets.deck(name)]
    assert letters != sorted(letters)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_card_is_on_the_table_and_in_the_key(language: str) -> None:
    pytest.importorskip("markdown", reason="comes with what builds the site: make site")
    body = sheets.cards(language)
    tables, key = body.split('<div class="page">'), sheets.key(language)
    for name in sheets.SETS:
        for card in sheets.deck(name):
            assert f"<b>{card.letter}</b>" in key
    count = sum(len(sheets.deck(name)) for name in sheets.SETS)
    assert sum(table.count('class="letter"') for table in tables) == count


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", quiz.FORMS)
def test_the_quiz_on_paper_asks_everything_and_solves_nothing(language: str, form: str) -> None:
    body = sheets.questions(language, form)
    assert body.count("★") == 5
    for question in quiz.form(form):
        assert html.escape(question.ask(language)) in body
        for option in question.options:
            assert html.escape(option.of(language)) in body
            assert not option.reveals or html.escape(option.reveals.of(language)) not in body


def test_a_drawing_is_cut_where_a_ground_ends() -> None:
    drawing = drawings.draw("documented", "en").decode()
    (top, width, height), (cut, _, rest) = drawings.pieces(drawing)
    assert (top, cut) == (0, height)
    assert f'<path d="M 0 {cut:g} ' in drawing
    assert f'viewBox="0 0 {width:g} {height + rest:g}"' in drawing
    assert 0.75 < height / rest < 1.33


def test_a_drawing_of_one_ground_stays_whole() -> None:
    drawing = drawings.draw("stripped", "en").decode()
    assert len(drawings.pieces(drawing)) == 1


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(paper.NoBrowser, match="apt install chromium"):
        paper.chromium()


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_printed_on_the_pages_it_should(language: str) -> None:
    counts = {"handout": 2, "key": 2, "cards": len(sheets.SETS)}
    assert pages(built(sheets.BUILD / f"solutions.{language}.pdf")) > 5
    for name in set(sheets.SHEETS) - {"solutions"}:
        assert pages(built(sheets.BUILD / f"{name}.{language}.pdf")) == counts.get(name, 1), name
    source = dict(zip(LANGUAGES, sources("slides"), strict=True))[language]
    for plan in slides.PLANS:
        shown = [part for part in slides.split(source) if plan in slides.plans(part)]
        assert pages(built(slides.BUILD / f"{plan}.{language}.pdf")) == len(shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wall_has_the_session_and_the_log_no_word_of_tls(language: str) -> None:
    wall = sheets.wall(language)
    assert wall.count("EHLO mx4.example.com") == 2
    assert wall.index("<s>STARTTLS</s>") < wall.index('class="row secure client"')
    told = sheets.log(language)
    assert told.count("<li>") == 12
    assert not re.search(r"TLSv|handshake|2005", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_handout_shows_beside_each_line_what_it_taught(language: str) -> None:
    pytest.importorskip("markdown", reason="the extra docs is not installed")
    handout = sheets.handout(language)
    assert handout.count("<h1") == 1
    rows = re.findall(r"<tr class=.*?</tr>", handout, re.DOTALL)
    [forgot] = [n for n, row in enumerate(rows) if 'class="bar"' in row]
    for name in ("STARTTLS", "SIZE 10485760", "EHLO mx4.example.com"):
        assert f"<s>{name}</s>" in rows[forgot]
    before, after = ("".join(rows[:forgot]), "".join(rows[forgot:]))
    assert '<span class="fact clear">STARTTLS</span>' in before
    assert '<span class="fact secure">SIZE 10485760</span>' in after
    assert "STARTTLS</span>" not in after


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("name", ["wall", "log", "handout"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_the_wall_is_cut_off(name: str, language: str) -> None:
    built(sheets.BUILD / f"{name}.{language}.pdf")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=paper.chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1600})
        page.goto((sheets.BUILD / f"{name}.{language}.html").as_uri())
        over = page.evaluate(
            """() => [...document.querySelectorAll('.wall-a3, .log-a3, .page, .row, p, td')]
                .filter(e => e.scrollWidth > e.clientWidth + 1
                    || e.matches('div') && e.scrollHeight > e.clientHeight + 1)
                .map(e => e.outerHTML.slice(0, 80))"""
        )
        browser.close()
    assert over == []


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("plan", slides.PLANS)
def test_whoever_prints_the_slides_themselves_gets_a_page_for_each(
    plan: str, tmp_path: Path
) -> None:
    page = built(slides.BUILD / f"{plan}.en.html")
    paper.to_pdf(page, tmp_path / "printed.pdf")
    assert pages(tmp_path / "printed.pdf") == page.read_text("utf-8").count("<section>")


def pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf.read_bytes()))


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", LANGUAGES)
def test_slides_play_from_disk_and_ask_nobody(language: str) -> None:
    page_file = built(slides.BUILD / f"90.{language}.html")
    wrong: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=paper.chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda r: (
                None if r.url.startswith(("file:", "data:", "blob:")) else wrong.append(r.url)
            ),
        )
        page.goto(page_file.as_uri() + "#/5")
        session = "document.querySelector('.present smtp-session')"
        page.wait_for_function(f"{session}?.length > 0")
        # Until the next key the player is covered: its colours would answer the poll.
        assert page.locator(".present .veil").is_visible()
        page.keyboard.press("ArrowRight")
        page.locator(".present smtp-session .poster").click()
        page.evaluate(f"{session}.pause()")
        before = page.evaluate(f"{session}.step")
        page.locator(".present smtp-session .toggle").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate(f"{session}.step") == before + 1
        assert page.evaluate("Reveal.getIndices().h") == 5
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("Reveal.getIndices().h") == 6
        browser.close()
    assert wrong == []
