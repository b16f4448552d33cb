"""The page that explains a log: the program itself, in a worker, and nothing leaves the page."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command
from tests.site.conftest import ADDRESS, Open, watch

TRANSCRIPTS = sorted((Path(__file__).parents[1] / "formats" / "transcripts").glob("*.txt"))
SAID = "smtp-explain[explained]:not([busy])"
HOSTILE = (
    "220 <img src=x onerror=alert(1)>.example ESMTP\n"
    "EHLO </textarea><script>alert(2)</script>\n"
    "250-mx.example\n250 STARTTLS\nSTARTTLS\n454 4.7.0 <svg/onload=alert(3)> not now\n"
)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def ready(browser: Any, site: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page in English with the program loaded, and what went wrong there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    watch(page, site, wrong)

    def refuse(dialog: Any) -> None:
        wrong.append("a dialog")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', "
        "({ blockedURI }) => console.error(`against the policy: ${blockedURI}`))"
    )
    page.goto(f"{ADDRESS}en/explain/")
    page.wait_for_selector("smtp-explain[ready]")
    yield page, wrong
    context.close()


def explained(page: Any, log: str) -> str:
    """What the page says of a log, as one text."""
    page.fill("#log", log)
    page.evaluate("document.querySelector('smtp-explain').removeAttribute('explained')")
    page.click("smtp-explain .go")
    page.wait_for_selector(SAID, timeout=120_000)
    return str(page.inner_text("smtp-explain .answer"))


def test_a_log_is_explained_with_its_cause_and_the_line_that_decides(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    log = next(p for p in TRANSCRIPTS if p.name.startswith("t025")).read_text("utf-8")
    answer = explained(page, log)
    assert "After TLS the client did not say EHLO again" in answer
    assert "503 5.5.1" in page.inner_text("smtp-explain .deciding")
    assert page.get_attribute("smtp-explain .cause .more a >> nth=-1", "href").endswith(
        "what-if/skipped-ehlo/"
    )
    assert page.locator("smtp-explain smtp-session").count() == 1
    assert wrong == []


def test_page_and_command_give_the_same_json(
    ready: tuple[Any, list[str]], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, wrong = ready
    different = []
    for path in TRANSCRIPTS:
        octets = list(path.read_bytes())
        told = page.evaluate(
            "([octets]) => document.querySelector('smtp-explain').json(new Uint8Array(octets))",
            [octets],
        )
        said = command("explain", "--view", "json", str(path))
        if json.loads(told) != json.loads(said.out):
            different.append(path.name)
    assert different == []
    assert wrong == []


def test_nothing_in_a_log_runs(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    answer = explained(page, HOSTILE)
    assert "454" in answer
    assert page.locator("smtp-explain .answer :is(img, script, svg[onload])").count() == 0
    assert wrong == []


def test_a_file_that_is_no_log_is_told_in_one_line(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    page.set_input_files(
        "#log-file", {"name": "x.zip", "mimeType": "", "buffer": b"PK\x03\x04" + bytes(64)}
    )
    page.wait_for_selector("smtp-explain .status.bad", timeout=60_000)
    said = page.inner_text("smtp-explain .status")
    assert "zip" in said
    assert "Traceback" not in said
    assert "\n" not in said
    assert wrong == []


def test_the_page_in_portuguese(opened: Open) -> None:
    page = opened("pt-BR/explain/", width=390)
    page.click("smtp-explain .examples button >> nth=1")
    page.wait_for_selector(SAID, timeout=120_000)
    assert "O que fazer:" in page.inner_text("smtp-explain .cause")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.skipif(not os.environ.get("SHOTS"), reason="pictures to look at: SHOTS=folder")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pictures(opened: Open, width: int, scheme: str) -> None:
    page = opened("en/explain/", width=width, scheme=scheme)
    folder = os.environ["SHOTS"]
    page.screenshot(path=f"{folder}/explain-{width}-empty.png")
    page.click("smtp-explain .examples button >> nth=0")
    page.wait_for_selector(SAID, timeout=120_000)
    page.wait_for_timeout(500)
    page.screenshot(path=f"{folder}/explain-{width}.png", full_page=True)
    print("took", page.get_attribute("smtp-explain", "data-took"))
