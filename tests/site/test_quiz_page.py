"""The quiz in the page: answered by keys, kept in the browser, and still there without script."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.site.conftest import ADDRESS, AXE, LANGUAGES, SITE, Open, watch
from tools.workshop import quiz

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(120)]

FORM_A = quiz.form("A")


@contextmanager
def shown(browser: Any, **settings: Any) -> Iterator[Any]:
    """The page in English, in a window of its own; afterwards nothing went wrong there."""
    context = browser.new_context(reduced_motion="reduce", **settings)
    page = context.new_page()
    wrong: list[str] = []
    watch(page, SITE, wrong)
    yield page
    context.close()
    assert wrong == []


def opened_at(page: Any) -> None:
    page.goto(f"{ADDRESS}en/teach/quiz/")
    page.wait_for_selector("smtp-quiz-result[data-form=A][ready]")


def by_keys(page: Any, question: quiz.Question, letter: str) -> None:
    """Answer a question without the mouse: arrows choose, Enter answers."""
    page.focus(f"smtp-quiz[data-question='{question.id}'] input")
    page.keyboard.press("Space")
    for _ in range(quiz.LETTERS.index(letter)):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def told(page: Any, question: quiz.Question) -> str:
    return str(page.inner_text(f"smtp-quiz[data-question='{question.id}'] .told"))


def test_a_form_by_keys_is_told_counted_and_kept(browser: Any, site: Any) -> None:
    first, *others = FORM_A
    missed = next(letter for letter, option in first.choices() if option.reveals)
    reveals = dict(first.choices())[missed].reveals
    assert reveals is not None
    with shown(browser) as page:
        opened_at(page)
        assert page.locator("smtp-quiz details:visible").count() == 0
        page.click("smtp-quiz .go >> nth=0")
        assert told(page, first) == "Choose one of the answers first."
        by_keys(page, first, missed)
        assert reveals in told(page, first)
        assert first.options[0].text in told(page, first)
        result = page.locator("smtp-quiz-result[data-form=A]")
        assert "1 of 8 answered" in result.inner_text()
        for question in others:
            by_keys(page, question, question.right)
            assert told(page, question) == "✓ Right."
        said = result.inner_text()
        assert "Form A: 7 of 8 right." in said
        assert quiz.load().idea[first.ideas[0]] in said
        assert page.locator("smtp-quiz input:enabled").count() == sum(
            len(question.options) for question in quiz.form("B")
        )
        opened_at(page)
        assert "Form A: 7 of 8 right." in result.inner_text()
        result.locator("button").click()
        assert "0 of 8 answered" in result.inner_text()
        assert page.evaluate("document.activeElement.name") == first.id


def test_where_the_browser_keeps_nothing_it_is_said(browser: Any, site: Any) -> None:
    with shown(browser) as page:
        page.add_init_script(
            "for (const name of ['getItem', 'setItem']) { const done = Storage.prototype[name];"
            "Storage.prototype[name] = function (key, value) {"
            "if (key === 'ehlo-twice.quiz') throw new DOMException('no', 'SecurityError');"
            "return done.call(this, key, value); }; }"
        )
        opened_at(page)
        by_keys(page, FORM_A[0], FORM_A[0].right)
        assert "1 of 8 answered" in page.inner_text("smtp-quiz-result[data-form=A]")
        assert "keeps nothing" in page.inner_text("smtp-quiz-result[data-form=A]")


def test_what_was_damaged_is_begun_anew(browser: Any, site: Any) -> None:
    with shown(browser) as page:
        kept = json.dumps('{"twice": "<b>", "auth": 7, "skipped"')
        page.add_init_script(f"localStorage.setItem('ehlo-twice.quiz', {kept});")
        opened_at(page)
        assert "0 of 8 answered" in page.inner_text("smtp-quiz-result[data-form=A]")


def test_without_script_the_answers_can_be_opened(browser: Any, site: Any) -> None:
    with shown(browser, java_script_enabled=False) as page:
        page.goto(f"{ADDRESS}en/teach/quiz/")
        page.click("smtp-quiz summary >> nth=0")
        said = page.inner_text("smtp-quiz details >> nth=0")
        assert all(option.reveals in said for option in FORM_A[0].options if option.reveals)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_answered_is_open_to_all(
    opened: Open, language: str, width: int, scheme: str
) -> None:
    page = opened(f"{language}/teach/quiz/", width=width, scheme=scheme)
    for question, right in zip(FORM_A, [True, False] * 4, strict=True):
        place = f"smtp-quiz[data-question='{question.id}']"
        letter = question.right if right else next(k for k, o in question.choices() if o.reveals)
        page.check(f"{place} input[value='{letter}']")
        page.click(f"{place} .go")
    page.click("smtp-quiz[data-question='twice'] summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
