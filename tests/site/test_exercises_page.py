"""The exercises in the page: set, answered, kept, saved and opened, under the page's own policy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import exercises
from tests.site.conftest import ADDRESS, AXE, Open, watch

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
CLIENT = (ROOT / "workshop" / "solutions" / "18.py").read_text(encoding="utf-8")
LOADED = 200_000
"""Milliseconds that loading the program may take on a busy machine."""


@pytest.fixture(scope="module")
def ready(browser: Any, site: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page in English under its own policy, and what went wrong there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    watch(page, site, wrong)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', "
        "({ blockedURI }) => console.error(`against the policy: ${blockedURI}`))"
    )
    page.goto(f"{ADDRESS}en/exercises/")
    page.wait_for_selector("smtp-learn[ready]")
    yield page, wrong
    context.close()


def count(page: Any, what: str) -> int:
    return int(page.get_attribute("smtp-learn", f"data-{what}") or 0)


def begin(page: Any, name: str) -> None:
    """Open an exercise, by key."""
    before = count(page, "shown")
    page.focus(f"smtp-learn .tasks li:nth-child({int(name)}) button")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"smtp-learn[data-shown='{before + 1}']", timeout=LOADED)


def answered(page: Any, given: str) -> str:
    """Answer; what is said to it."""
    before = count(page, "checked")
    page.fill("#given", given)
    page.click("smtp-learn .reply .go")
    page.wait_for_selector(f"smtp-learn[data-checked='{before + 1}']", timeout=LOADED)
    return str(page.inner_text("smtp-learn .came .ehlo-card"))


def progress(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("localStorage['ehlo-twice.progress']"))
    return found


def test_an_answer_is_played_kept_and_goes_on_in_a_terminal(
    ready: tuple[Any, list[str]], tmp_path: Path
) -> None:
    page, wrong = ready
    begin(page, "01")
    assert "How many times" in page.inner_text("smtp-learn .task")
    assert "not yet" in answered(page, "77")
    page.wait_for_selector("smtp-learn .came smtp-session")
    page.click("smtp-learn .came .go")
    page.wait_for_selector("smtp-learn .reply:not([hidden])", timeout=LOADED)
    assert progress(page)["exercises"]["01"]["attempts"] == 1
    with page.expect_download() as saved:
        page.click("smtp-learn button:has-text('Save')")
    file = tmp_path / "progress.json"
    saved.value.save_as(file)
    assert json.loads(file.read_text("utf-8")) == progress(page)
    task = exercises.show("01", language="en", progress=file)
    about = str(task).split("\n\n")[2]
    assert " ".join(about.split()) in " ".join(page.inner_text("smtp-learn .task").split())
    assert wrong == []


def test_a_file_from_a_terminal_goes_on_here(ready: tuple[Any, list[str]], tmp_path: Path) -> None:
    page, wrong = ready
    file = tmp_path / "mine.json"
    done = {"08": {"solved": "2026-01-02", "attempts": 3}}
    file.write_text(json.dumps({"learner": "someone", "exercises": done}), "utf-8")
    page.set_input_files("#progress-file", file)
    page.wait_for_selector("smtp-learn .status:has-text('mine.json is open')", timeout=LOADED)
    assert page.inner_text("smtp-learn .counted") == "1 of 18 solved"
    assert "solved" in page.inner_text("smtp-learn .tasks li:nth-child(8)")
    for broken in ("{", "[]", ""):
        page.evaluate("document.querySelector('smtp-learn .status').classList.remove('bad')")
        file.write_text(broken, "utf-8")
        page.set_input_files("#progress-file", file)
        page.wait_for_selector("smtp-learn .status.bad", timeout=LOADED)
        assert page.inner_text("smtp-learn .status").startswith("mine.json: not a progress file")
        assert progress(page)["learner"] == "someone"
    assert wrong == []


def test_a_client_of_the_learners_own_meets_its_servers_and_is_stopped(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    begin(page, "18")
    assert "right" in answered(page, CLIENT).split("\n")[0]
    begin(page, "18")
    assert page.input_value("#given") == CLIENT
    page.fill("#given", "def send(*given):\n    sum(iter(int, 1))\n")
    page.click("smtp-learn .reply .go")
    page.wait_for_selector("smtp-learn[busy]")
    page.click("smtp-learn button:has-text('Stop')")
    assert page.inner_text("smtp-learn .status") == "Stopped. This attempt does not count."
    assert progress(page)["exercises"]["18"]["attempts"] == 1
    begin(page, "13")
    assert "not yet" in answered(page, "def offers_starttls(reply):\n    return True\n")
    assert wrong == []


def test_a_client_that_python_cannot_end_is_ended_with_its_worker(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    begin(page, "18")
    attempts = progress(page)["exercises"]["18"]["attempts"]
    form = page.locator("smtp-learn")
    usual = form.get_attribute("data-limit")
    form.evaluate("(form) => { form.dataset.limit = '1'; }")
    page.fill("#given", "def send(*given):\n    sum(iter(int, 1))\n")
    page.click("smtp-learn .reply .go")
    page.wait_for_selector("smtp-learn .status.bad", timeout=LOADED)
    said = page.inner_text("smtp-learn .status")
    assert said.startswith("Stopped: it had not ended after 1 seconds.")
    assert said.endswith("This attempt does not count.")
    assert form.get_attribute("busy") is None
    assert page.input_value("#given").startswith("def send")
    assert progress(page)["exercises"]["18"]["attempts"] == attempts
    form.evaluate("(form, usual) => { form.dataset.limit = usual; }", usual)
    assert "right" in answered(page, CLIENT).split("\n")[0]
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", 1280, "light"), ("pt-BR", 390, "dark")]
)
def test_an_exercise_is_open_to_all(opened: Open, language: str, width: int, scheme: str) -> None:
    page = opened(f"{language}/exercises/", width=width, scheme=scheme)
    begin(page, "02")
    page.add_script_tag(path=str(AXE))
    begin(page, "08")
    answered(page, page.input_value("#given"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
