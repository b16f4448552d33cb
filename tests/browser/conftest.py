"""A real browser, which reaches nothing but what a test hands it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Playwright,
    Route,
    sync_playwright,
)

from tests.conftest import IN_CI

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SITE = "https://player.example/"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

Open = Callable[..., Page]


def holds(page: Page, expression: str) -> None:
    """Wait until that holds. Playwright's own waiting lets the page evaluate a string where it does
    not hold at once, and a policy may forbid that."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def shown(page: Page) -> None:
    """Wait for the frame that shows what the scripts did, and for what they do with it."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
    yield found
    found.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page with these files, by name; checks at the end that nothing went wrong there."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(message.text)

    def popped(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    def opened(
        files: str | dict[str, str], at: str = "", *, width: int = 1280, **options: Any
    ) -> Page:
        served = {"": files} if isinstance(files, str) else files

        def serve(route: Route) -> None:
            name = route.request.url.removeprefix(SITE).split("#")[0]
            if name not in served:
                troubles.append(f"asked for {route.request.url}")
                route.abort()
                return
            kind = {"json": "application/json", "js": "text/javascript"}.get(
                name.rpartition(".")[2], "text/html"
            )
            route.fulfill(body=served[name].encode(), content_type=f"{kind}; charset=utf-8")

        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.route("**/*", serve)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", logged)
        page.on("dialog", popped)
        page.goto(SITE + at)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which `npm ci` brings."""
    if AXE.exists():
        return AXE.read_text(encoding="utf-8")
    reason = "needs axe-core: run npm ci"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
