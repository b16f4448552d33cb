"""The built site in a browser. It is served out of its folder under its real address, and whatever
else a page asks for is refused and reported: that is the test that no request leaves the site."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
ADDRESS = "https://example.org/ehlo-twice/"
LANGUAGES = ("en", "pt-BR")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

NOTED = """
    const loaded = new Set();
    document.addEventListener("load", ({ target }) => { loaded.add(target.src); }, true);
    window.loaded = (address) => loaded.has(new URL(address, document.baseURI).href);
"""
READY = """
    document.readyState === "complete" &&
    [...document.querySelectorAll("script[data-src]")].every((s) => loaded(s.dataset.src)) &&
    [...document.querySelectorAll("smtp-session")].every((s) => s.shadowRoot?.childElementCount) &&
    !document.querySelector("smtp-sandbox:not([ready]), smtp-bytes:not([ready])")
"""
"""All scripts of a page have run, which come after it is painted, and what they fetch is there."""

Open = Callable[..., Any]

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")


def built(language: str) -> list[str]:
    """The addresses of all pages of a language, below its folder; none if the site is not built."""
    folder = SITE / language
    return sorted(
        "" if path.parent == folder else f"{path.parent.relative_to(folder).as_posix()}/"
        for path in folder.rglob("index.html")
    )


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; what needs it is skipped until `make site` was run."""
    if not (SITE / "en" / "index.html").exists():
        if os.environ.get("CI"):
            pytest.fail("the site is not built: make site", pytrace=False)
        pytest.skip("the site is not built: make site")
    return SITE


@pytest.fixture(scope="session")
def browser(site: Path) -> Iterator[Any]:
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield chromium
        chromium.close()


def watch(page: Any, site: Path, wrong: list[str]) -> None:
    """Serve the site to a page, and list what goes wrong there: errors that were logged, and
    whatever was asked for elsewhere."""

    def serve(route: Any) -> None:
        address = route.request.url.split("?")[0].split("#")[0]
        path = site / address.removeprefix(ADDRESS)
        path = path / "index.html" if path.is_dir() else path
        if not address.startswith(ADDRESS):
            wrong.append(f"asked for {address}")
            route.abort()
        elif not path.is_file():
            wrong.append(f"not found: {address}")
            route.fulfill(status=404, body="")
        else:
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            route.fulfill(body=path.read_bytes(), content_type=kind)

    page.route("**/*", serve)
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script(NOTED)


def show(page: Any, path: str) -> None:
    """Open a page of the site, with all that it fetches."""
    page.goto(ADDRESS + path)
    page.wait_for_function(READY)


@pytest.fixture
def opened(browser: Any, site: Path) -> Iterator[Open]:
    """Open a page of the site in a window of its own. Afterwards: nothing went wrong there."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_page(
        path: str, *, width: int = 1280, scheme: str = "light", motion: bool = False
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            reduced_motion="no-preference" if motion else "reduce",
            # What the tests ask a page is no part of it; its policy has a test of its own.
            bypass_csp=True,
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, site, wrong)
        show(page, path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def window(browser: Any, site: Path) -> Iterator[tuple[Any, list[str]]]:
    """One page for many tests, since a new one takes longer than most; and its troubles."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="light",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    wrong: list[str] = []
    watch(page, site, wrong)
    yield page, wrong
    context.close()
