"""What stands above both languages: short addresses, and addresses that there are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.site.conftest import LANGUAGES, SITE
from tools.site import firstaid, root

HOST = "https://example.org"
THERE = "<!doctype html><title>there</title>"


def made() -> dict[str, str]:
    return {asset.path: asset.data.decode() for asset in root.files()}


def test_every_entry_of_first_aid_has_a_short_address_without_a_language() -> None:
    pages = made()
    assert set(pages) == {"index.html", "404.html"} | {
        f"{k}/index.html" for k in firstaid.entries()
    }
    for key in firstaid.entries():
        links = re.findall(r'<a href="([^"]+)">', pages[f"{key}/index.html"])
        assert links == [f"../{language}/{key}/" for language in LANGUAGES]


def test_a_site_from_disk_has_no_addresses_to_type() -> None:
    assert [asset.path for asset in root.files(offline=True)] == ["index.html"]


def test_the_site_that_is_built_has_them(site: Any) -> None:
    for path in made():
        assert (SITE / path).is_file()


@pytest.mark.parametrize("address", ["https://smtp.example.org", "https://example.com/a/b/"])
def test_links_from_a_wrong_address_start_where_the_site_is_to_stand(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SITE_URL", address)
    links = re.findall(r'<a href="([^"]+)">', made()["404.html"])
    below = {"https://smtp.example.org": "/"}.get(address, "/a/b/")
    assert links
    assert all(re.match(rf"{below}(en|pt-BR)/", link) for link in links)


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Open an address of a site at `above`, as a server shows it that has a page for whatever it
    does not know. Below the languages it knows the pages named, and home."""
    contexts: list[Any] = []

    def visited(
        address: str, *known: str, above: str = "/ehlo-twice/", locale: str = "en", **how: Any
    ) -> Any:
        pages = made()
        context = browser.new_context(locale=locale, **how)
        contexts.append(context)
        page = context.new_page()

        def serve(route: Any) -> None:
            path = re.split("[?#]", route.request.url)[0].removeprefix(HOST).removeprefix(above)
            found = pages.get(f"{path}index.html")
            if path in {"en/", "pt-BR/", "en/index.html", "pt-BR/index.html", *known}:
                found = THERE
            status = 404 if found is None else 200
            route.fulfill(status=status, body=found or pages["404.html"], content_type="text/html")

        page.route("**/*", serve)
        page.goto(f"{HOST}{above}{address}")
        page.wait_for_load_state()
        return page

    yield visited
    for context in contexts:
        context.close()


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("locale", "language"), [("pt-PT", "pt-BR"), ("de", "en")])
@pytest.mark.parametrize("above", ["/ehlo-twice/", "/", "/other/place/"])
def test_a_short_address_leads_to_the_readers_language(
    visit: Visit, above: str, locale: str, language: str
) -> None:
    shown = visit("503/#now", f"{language}/503/", above=above, locale=locale)
    shown.wait_for_url(f"{HOST}{above}{language}/503/#now")
    assert shown.title() == "there"


@pytest.mark.needs("chromium")
def test_an_address_that_lacks_its_language_is_given_the_readers(visit: Visit) -> None:
    shown = visit("what-if/plain/?a#b", "pt-BR/what-if/plain/", locale="pt-BR")
    shown.wait_for_url("**/ehlo-twice/pt-BR/what-if/plain/?a#b")
    assert shown.title() == "there"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    ("above", "address"),
    [
        ("/ehlo-twice/", "no/such/page"),
        ("/ehlo-twice/", "en/no/such/page/"),
        ("/", "no/such/page"),
        ("/", "pt-BR/no/such/page/"),
        ("/other/place/", "en/no/such/page/"),
    ],
)
def test_every_link_from_a_wrong_address_leads_into_the_site(
    visit: Visit, above: str, address: str
) -> None:
    shown = visit(address, above=above)
    shown.wait_for_function(r"/\/(en|pt-BR)\//.test(location.pathname)")
    links = shown.locator("a").evaluate_all("all => all.map((a) => a.href)")
    wanted = ["", *(f"{place}/" for place in root.CLOSE.values())]
    assert links == [f"{HOST}{above}{language}/{p}" for language in LANGUAGES for p in wanted]


@pytest.mark.needs("chromium")
def test_no_link_from_a_wrong_address_leads_to_another_host(visit: Visit) -> None:
    shown = visit("/elsewhere.example/en/no/", above="/")
    links = shown.locator("a").evaluate_all("all => all.map((a) => a.host)")
    assert set(links) == {"example.org"}


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("address", ["no/such/page", "503/"])
def test_without_script_there_are_links_to_both(visit: Visit, address: str) -> None:
    shown = visit(address, java_script_enabled=False)
    for language in LANGUAGES:
        assert shown.locator(f'a[href*="/{language}/"]').first.is_visible()
