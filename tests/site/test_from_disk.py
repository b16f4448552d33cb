"""The zip: opened from disk it says what starts the program, and started so, the pages run it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.site.conftest import LANGUAGES, SITE
from tools.words import word

FOLDER = SITE.parent / "build" / "site-offline"
PAGES = {
    "explain": ("smtp-explain", ".examples button", "smtp-explain[explained]:not([busy])"),
    "change": ("smtp-play", ".go", "smtp-play[data-played='1']"),
    "exercises": ("smtp-learn", ".tasks button", "smtp-learn[data-shown='1']"),
}
"""The page, its element, what one clicks there, and what comes of it."""

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(280)]


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    if not (FOLDER / "engine").is_dir():
        pytest.skip("not built: make site-offline")
    context = browser.new_context(reduced_motion="reduce")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def served() -> Iterator[str]:
    """The folder, by the one command that the page names, on a port that is free."""
    command = re.findall(r"`python3 (-m http\.server)`", word("paste.disk", "en"))[0].split()
    arguments = [sys.executable, "-u", *command, "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        arguments, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        [port] = re.findall(r"port (\d+)", server.stdout.readline())
        yield f"http://127.0.0.1:{port}/"
        server.kill()


@pytest.mark.parametrize("name", PAGES)
def test_from_disk_it_is_said_what_to_do(page: Any, name: str) -> None:
    element, button, _ = PAGES[name]
    page.goto((FOLDER / "en" / f"{name}.html").as_uri())
    page.click(f"{element} {button} >> nth=0")
    page.wait_for_selector(f"{element} .status.bad")
    assert page.inner_text(f"{element} .status") == word("paste.disk", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_served_by_that_command_the_pages_run(page: Any, served: str, language: str) -> None:
    for name, (element, button, done) in PAGES.items():
        page.goto(f"{served}{language}/{name}.html")
        page.click(f"{element} {button} >> nth=0")
        page.wait_for_selector(done, timeout=80_000)
