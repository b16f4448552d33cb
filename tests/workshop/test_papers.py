"""Slides, sheets and snippets on the site: what is there for whom."""

import html
import re

import pytest

from tools.site import embed
from tools.site.page import Page
from tools.site.plays import scenarios
from tools.workshop import papers

LANGUAGES = ("en", "pt-BR")


def page(language: str, *, offline: bool = False) -> Page:
    return Page(path="teach/take.md", language=language, text="", offline=offline)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_machine_that_prints_links_pdfs_and_another_does_not(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prints in (True, False):
        monkeypatch.setattr(papers, "printable", lambda prints=prints: prints)
        shown = papers.show_sheets(page(language)) + papers.show_slides(page(language))
        links = re.findall(r'href="\.\./\.\./teach/print/([^"]+)"', shown)
        pages = {f"{name}.{language}.html" for name in (*papers.SHEETS, *papers.PLANS)}
        assert {name for name in links if name.endswith(".html")} == pages
        assert (len([name for name in links if name.endswith(".pdf")]) == len(pages)) == prints


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_teacher_alone_has_is_linked_nowhere(language: str) -> None:
    shown = papers.show_sheets(page(language))
    for name in papers.ONLY_TEACHER:
        assert f"{name}.{language}" not in shown
    from_disk = papers.show_sheets(page(language, offline=True))
    assert "href" not in from_disk
    assert f"`print/handout.{language}.pdf`" in from_disk


def test_copies_are_counted_for_a_class() -> None:
    shown = papers.show_sheets(page("en"))
    assert "| Handout, both sides | A4 | 30 (one each) |" in shown
    assert "| 15 (one for two) |" in shown
    assert "copies for 30 learners" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_session_can_be_embedded_and_leads_back(language: str) -> None:
    made = {asset.path: asset.data.decode() for asset in embed.files(language)}
    assert set(made) == {f"embed/{scenario.name}.html" for scenario in scenarios()}
    for path, text in made.items():
        name = path.removeprefix("embed/").removesuffix(".html")
        assert f'<smtp-session src="../data/{name}.json"' in text
        assert f'href="../what-if/{name}/" target="_blank"' in text
        assert "<ol>" in text


@pytest.mark.parametrize("what", embed.SNIPPETS)
def test_a_snippet_is_whole_and_names_this_site(what: str) -> None:
    shown = embed.show(page("pt-BR"), what)
    plain = html.unescape(re.sub(r"<[^>]+>", "", shown))
    assert plain.count("https://…/pt-BR/") == shown.count("data-here=")
    if what == "frame":
        assert re.fullmatch(r'<iframe src="[^"]+"\s+title="[^"]+".*></iframe>', plain, re.DOTALL)
    else:
        assert plain.startswith('<smtp-session src="')
        assert '<a href="https://…/pt-BR/what-if/skipped-ehlo/">' in plain
