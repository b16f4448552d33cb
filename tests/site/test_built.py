"""The built site as files: links, anchors, languages, and nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.site.conftest import LANGUAGES, SITE, built

LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("source", "src"),
    ("source", "srcset"),
    ("iframe", "src"),
}
NOT_LOADED = ("canonical", "alternate", "prev", "next")


class Reader(HTMLParser):
    """Ids, links, and what is loaded."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.language = ""
        self.headings = 0
        self.anchors: list[tuple[str, str | None]] = []
        self.once: set[str] = set()
        self.within = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.update(filter(None, (found.get("id"), found.get("name"))))
        if tag == "html":
            self.language = found.get("lang") or ""
        if tag == "h1":
            self.headings += 1
        if re.fullmatch("h[1-6]", tag):
            self.anchors.append((tag, found.get("id")))
            self.within = True
        if tag == "a" and self.within and "href" not in found:
            self.once.add(found.get("id") or "")
        if tag == "a" and found.get("href") is not None:
            self.links.append(found["href"] or "")
        for name, value in attrs:
            if (tag, name) in LOADED and found.get("rel") not in NOT_LOADED and value:
                self.loaded.append(value)
        if tag == "smtp-session" and found.get("src"):
            self.loaded.append(found["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.within = False


def all_pages() -> list[str]:
    return [f"{language}/{page}" for language in LANGUAGES for page in built(language)]


@pytest.fixture(scope="module")
def read(site: Path) -> dict[Path, Reader]:
    return {path: Reader(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_both_languages_have_the_same_pages(site: Path) -> None:
    assert built("en") == built("pt-BR")
    assert len(built("en")) > 60


def test_every_page_names_its_language_and_has_one_heading(read: dict[Path, Reader]) -> None:
    for path, reader in read.items():
        language = path.relative_to(SITE).parts[0]
        if language in LANGUAGES:
            assert (reader.language, reader.headings) == (language, 1), path


def test_headings_have_the_same_anchors_in_both_languages(read: dict[Path, Reader]) -> None:
    # What is embedded elsewhere, or printed, is not switched.
    pages = [SITE / "en" / page / "index.html" for page in built("en")]
    pages += sorted(SITE.glob("en/wild/*.html"))
    there = {path: SITE / "pt-BR" / path.relative_to(SITE / "en") for path in pages}
    assert sum(len(read[path].anchors) for path in pages) > 1000
    differ = [path for path in pages if read[path].anchors != read[there[path]].anchors]
    assert differ == []


def test_old_anchors_lead_on_and_nothing_here_asks_for_them(read: dict[Path, Reader]) -> None:
    questions = read[SITE / "pt-BR" / "questions" / "index.html"]
    assert "e-um-bug-o-ehlo-ser-enviado-duas-vezes" in questions.once
    old = [
        f"{path.relative_to(SITE)}: {address}"
        for path, reader in read.items()
        for address in reader.links
        if not urlsplit(address).scheme
        and (found := read.get(target(path, address)))
        and unquote(urlsplit(address).fragment) in found.once
    ]
    assert old == []


def target(path: Path, address: str) -> Path:
    found = path.parent / unquote(urlsplit(address).path)
    found = found.resolve() if urlsplit(address).path else path
    return found / "index.html" if found.is_dir() else found


def test_every_link_and_anchor_leads_somewhere(read: dict[Path, Reader]) -> None:
    broken = []
    for path, reader in read.items():
        for address in reader.links:
            parts = urlsplit(address)
            if parts.scheme or address.startswith("//"):
                continue
            found = target(path, address)
            if not found.is_file():
                broken.append(f"{path.relative_to(SITE)}: {address}")
            elif parts.fragment and "=" not in parts.fragment and found.suffix == ".html":
                if unquote(parts.fragment) not in read[found].ids:
                    broken.append(f"{path.relative_to(SITE)}: {address}")
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_address_is_no_dead_end(site: Path, language: str) -> None:
    text = (site / language / "404.html").read_text(encoding="utf-8")
    article = text.partition("<article")[2].partition("</article>")[0]
    for page in ("first-aid", "explain", "what-if"):
        assert f'/{language}/{page}/"' in article
    assert "Not found" not in article


def test_pages_load_only_what_the_site_has(read: dict[Path, Reader]) -> None:
    wrong = [
        f"{path.relative_to(SITE)}: {address}"
        for path, reader in read.items()
        for address in reader.loaded
        if urlsplit(address).scheme or not target(path, address).is_file()
    ]
    assert wrong == []


def test_style_sheets_load_only_what_the_site_has(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text(encoding="utf-8")):
            if not address.startswith("data:"):
                assert (sheet.parent / address).is_file(), f"{sheet}: {address}"


def test_external_links_are_encrypted(read: dict[Path, Reader]) -> None:
    # What the reader's own machine serves is reached without any network.
    schemes = {
        urlsplit(address).scheme
        for reader in read.values()
        for address in reader.links
        if urlsplit(address).hostname != "127.0.0.1"
    }
    assert schemes <= {"", "https"}


LEFT_OVER = re.compile(r"\\[!-/:-@\[-`{-~]|\*\*|`|\{(?:cite|page):")
"""Marks of Markdown, or of our own, that a page should have turned into something."""

SHOWN = ("alt", "title", "aria-label", "content")
AS_IT_IS = {"script", "style", "code", "pre", "template", "smtp-session"}


class VisibleText(HTMLParser):
    """What a reader sees or hears: text, and the attributes that are read out."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in AS_IT_IS:
            self.open.append(tag)
        self.texts += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            self.open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.texts.append(data)


def test_the_link_to_a_section_is_named_in_the_language_of_the_page(site: Path) -> None:
    names = {"en": "Link to this section", "pt-BR": "Link para esta seção"}
    for language, name in names.items():
        for page in built(language):
            text = (site / language / page / "index.html").read_text(encoding="utf-8")
            assert set(re.findall(r'class="headerlink"[^>]* title="([^"]*)"', text)) == {name}


def test_no_mark_of_the_sources_is_left(site: Path) -> None:
    wrong = [
        f"{path.relative_to(site)}: {text.strip()[:120]}"
        for path in site.rglob("*.html")
        for text in VisibleText(path).texts
        if LEFT_OVER.search(text)
    ]
    assert wrong == []
