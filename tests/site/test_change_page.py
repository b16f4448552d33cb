"""The page on which an experiment is changed and played: the lab itself, in a worker."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.lab import policy
from tests.site.conftest import ADDRESS, AXE, Open, watch

pytestmark = pytest.mark.timeout(240)


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
    page.goto(f"{ADDRESS}en/change/")
    page.wait_for_selector("smtp-play[ready]")
    yield page, wrong
    context.close()


def begin(page: Any, name: str = "documented") -> None:
    page.select_option("#base", name)
    if page.is_checked("#own"):
        page.uncheck("#own")


def played(page: Any) -> str:
    """Play what the page holds; what it says of the session."""
    before = int(page.get_attribute("smtp-play", "data-played") or 0)
    page.click("smtp-play .go")
    page.wait_for_selector(f"smtp-play[data-played='{before + 1}']", timeout=150_000)
    return str(page.inner_text("smtp-play .answer h2"))


def steps(page: Any) -> list[str]:
    """The lines of the session in the player."""
    return list(
        page.evaluate(
            "document.querySelector('smtp-play smtp-session').data.sessions[0].steps"
            ".map((step) => `${step.by} ${step.secure} ${step.text[0] ?? step.kind}`)"
        )
    )


def test_without_the_second_ehlo_mail_is_refused(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    assert "the second EHLO" in played(page)
    page.select_option("#client-after_handshake", "nothing")
    assert "503" in played(page)
    assert "another one now" in page.inner_text("smtp-play .since")
    assert 'after_handshake = "nothing"' in page.input_value("#toml")
    assert wrong == []


@pytest.mark.parametrize(
    ("keeps", "obeyed"), [(False, False), (True, True)], ids=["dropped", "kept"]
)
def test_a_command_slipped_behind_starttls(
    ready: tuple[Any, list[str]], keeps: bool, obeyed: bool
) -> None:
    page, wrong = ready
    begin(page)
    page.select_option("#middlebox-does", "inject-command")
    page.fill("#middlebox-lines", "RSET")
    if keeps:
        page.uncheck("#server-drops_buffer")
    played(page)
    assert ("middlebox true RSET" in steps(page)) == obeyed
    assert wrong == []


def test_a_line_that_the_attacker_strikes(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    page.select_option("#middlebox-does", "strip")
    assert "cleartext" in played(page) or "clear" in played(page)
    assert not any(" true " in step for step in steps(page))
    page.fill("#middlebox-lines", "SIZE")
    played(page)
    assert any(" true " in step for step in steps(page))
    assert wrong == []


def test_a_client_of_the_readers_own(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    page.check("#own")
    assert "the second EHLO" in played(page)
    code = page.input_value("#code")
    second = '        await smtp.ask("EHLO mx4.example.com")\n'
    assert code.count(second) == 1
    page.fill("#code", code.replace(second, ""))
    assert "503" in played(page)
    page.fill("#code", code.replace(second, "        1 / 0\n"))
    played(page)
    assert "client.py:7: ZeroDivisionError" in page.inner_text("smtp-play .failed")
    page.fill("#code", "async def talk(smtp:")
    page.click("smtp-play .go")
    page.wait_for_selector("smtp-play .status.bad")
    assert page.inner_text("smtp-play .status").startswith("client.py:1: ")
    page.fill("#code", code)
    assert wrong == []


def test_lines_without_end_are_stopped(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    page.check("#own")
    code = page.input_value("#code")
    page.fill("#code", "async def talk(smtp):\n    while True:\n        pass\n")
    page.click("smtp-play .go")
    page.wait_for_selector("smtp-play[busy]")
    page.click("smtp-play button:has-text('Stop')")
    page.wait_for_selector("smtp-play:not([busy])")
    assert page.inner_text("smtp-play .status") == "Stopped."
    page.fill("#code", code)
    assert "the second EHLO" in played(page)
    assert wrong == []


def test_lines_without_end_are_cut_off_and_the_page_goes_on(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    page.check("#own")
    code, form = page.input_value("#code"), page.locator("smtp-play")
    usual = form.get_attribute("data-limit")
    assert f"for {usual} seconds at most" in page.inner_text("#code-about")
    form.evaluate("(form) => { form.dataset.limit = '0.5'; }")
    page.fill("#code", "async def talk(smtp):\n    while True:\n        pass\n")
    page.click("smtp-play .go")
    page.wait_for_selector("smtp-play .status.bad", timeout=150_000)
    said = page.inner_text("smtp-play .status")
    assert said.startswith("Stopped: it had not ended after 0.5 seconds. Look for a loop")
    assert form.get_attribute("busy") is None
    assert page.input_value("#code").endswith("pass\n")
    form.evaluate("(form, usual) => { form.dataset.limit = usual; }", usual)
    page.fill("#code", code)
    assert "the second EHLO" in played(page)
    assert wrong == []


def test_a_link_holds_the_experiment_and_runs_nothing(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page, "skipped-ehlo")
    page.check("#own")
    page.click("smtp-play button:has-text('Link')")
    address, toml = page.url, page.input_value("#toml")
    assert "#x=" in address
    before = page.get_attribute("smtp-play", "data-played")
    begin(page)
    page.evaluate("(address) => { location.href = address; }", address)
    page.wait_for_selector("smtp-play .status:has-text('Nothing of it has run')")
    assert page.input_value("#toml") == toml
    assert page.is_checked("#own")
    assert page.input_value("#client-after_handshake") == "nothing"
    assert page.get_attribute("smtp-play", "data-played") == before
    for damaged in ("#x=AAAA", "#x=%%%"):
        page.evaluate("document.querySelector('smtp-play .status').replaceChildren()")
        page.evaluate("(hash) => { location.hash = hash; }", damaged)
        page.wait_for_selector("smtp-play .status.bad:has-text('damaged')")
    begin(page)
    assert wrong == []


@pytest.mark.parametrize("place", ["what-if/skipped-ehlo/", "teach/notebooks/03-what-if/"])
def test_an_experiment_leads_here_with_itself(opened: Open, place: str) -> None:
    page = opened(f"en/{place}")
    link = page.locator("a[href*='change/#from=']").first
    _, name = link.get_attribute("href").split("#from=")
    link.click()
    page.wait_for_selector("smtp-play[ready]")
    assert page.input_value("#base") == name


def test_what_is_saved_plays_in_a_terminal_and_opens_again(
    ready: tuple[Any, list[str]], tmp_path: Path
) -> None:
    page, wrong = ready
    begin(page, "injected-keywords")
    page.check("#own")
    with page.expect_download() as saved:
        page.click("smtp-play button:has-text('Save')")
    file = tmp_path / "experiment.toml"
    saved.value.save_as(file)
    scenario = policy.load(file)
    assert scenario.middlebox.lines == ("REQUIRETLS",)
    assert scenario.client.uses == ("SIZE", "REQUIRETLS")
    begin(page)
    page.set_input_files("#file", file)
    page.wait_for_selector("smtp-play .status:has-text('open')")
    assert page.is_checked("#own")
    assert page.input_value("#middlebox-lines") == "REQUIRETLS"
    assert wrong == []


def test_a_wrong_file_is_told_in_one_line(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    begin(page)
    page.click("smtp-play summary")
    page.fill("#toml", page.input_value("#toml") + '\n[client]\ntls = "sometimes"\n')
    page.press("#toml", "Tab")
    page.wait_for_selector("smtp-play .status.bad", timeout=150_000)
    said = page.inner_text("smtp-play .status")
    assert said.startswith("experiment.toml:")
    assert "did you mean" in said or "one of" in said or "é um destes" in said
    assert "\n" not in said
    begin(page)
    page.click("smtp-play summary")
    assert wrong == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[client\n", "mine$&.toml: not TOML"),
        (b"", "mine$&.toml:1: title is missing"),
        (bytes(range(256)), "mine$&.toml: not TOML"),
        (b"#" * 300_000, "A file of more than 256 KB"),
    ],
    ids=["broken", "empty", "binary", "large"],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    ready: tuple[Any, list[str]], data: bytes, told: str
) -> None:
    page, wrong = ready
    begin(page, "skipped-ehlo")
    page.check("#own")
    before = page.input_value("#toml")
    # What another test was told on this page may still stand there.
    page.evaluate("document.querySelector('smtp-play .status').classList.remove('bad')")
    page.set_input_files("#file", {"name": "mine$&.toml", "mimeType": "", "buffer": data})
    page.wait_for_selector("smtp-play .status.bad", timeout=150_000)
    said = page.inner_text("smtp-play .status")
    assert said.startswith(told)
    assert "\n" not in said
    assert page.input_value("#toml") == before
    assert page.is_checked("#own")
    begin(page)
    page.evaluate("document.querySelector('smtp-play .status').classList.remove('bad')")
    assert wrong == []


def test_every_experiment_can_be_begun_with(ready: tuple[Any, list[str]]) -> None:
    """What the page writes of each is a scenario file, and means the same."""
    page, wrong = ready
    different = []
    for scenario in policy.scenarios():
        begin(page, scenario.name)
        read = policy.parse(page.input_value("#toml").encode(), "experiment.toml", scenario.name)
        if (read.client, read.server, read.middlebox, read.mail) != (
            (scenario.client, scenario.server, scenario.middlebox, scenario.mail)
        ):
            different.append(scenario.name)
    assert different == []
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_open_to_all(opened: Open, language: str, width: int, scheme: str) -> None:
    page = opened(f"{language}/change/", width=width, scheme=scheme)
    page.check("#own")
    page.click("smtp-play summary")
    page.focus("smtp-play .go")
    page.keyboard.press("Enter")
    page.wait_for_selector("smtp-play[data-played='1']", timeout=150_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    if folder := os.environ.get("SHOTS"):
        page.wait_for_timeout(500)
        page.screenshot(path=f"{folder}/change-{language}-{width}-{scheme}.png", full_page=True)
