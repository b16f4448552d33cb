"""The player's page, its fragment and its data: self-contained, harmless whatever is in them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from simulator import formats
from simulator.explainer import Explanation, explain
from simulator.language import UnknownLanguage, languages
from simulator.session import Command, Connect, Peer, Reply, Session
from simulator.views import document, player
from tests.views import sessions

ATTACKS = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]></style><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "# *Markdown* [x](javascript:alert(1)) `code`\n\n<b>",
    "\x1b[2J\u202egnp.exe\u2066\u200b",
    "&lt;b&gt; &#60;i&#62;",
)


def attacked(text: str) -> Session:
    """A session in which everything that comes from outside is that text."""
    return Session(
        scenario=text,
        client=Peer(name=text),
        server=Peer(name=text),
        events=(
            Connect(by="client"),
            Reply(by="server", code=220, lines=(text,), raw=text.encode()),
            Command(by="client", verb="EHLO", argument=text),
            Reply(by="server", code=250, lines=(text, text)),
        ),
    )


class Page(HTMLParser):
    """The elements of a page, what stands in its scripts and styles, and the text of the rest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw[self.cdata_elem][-1] += data
        else:
            self.text += data


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("view", [player.render, player.fragment])
def test_text_from_outside_stays_text(view: Callable[[Explanation], str], text: str) -> None:
    page = Page(view(explain(attacked(text))))
    harmless = Page(view(explain(attacked("harmless"))))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in harmless.tags}
    assert len(page.raw["script"]) == len(harmless.raw["script"]) == 2
    assert {name for _, attributes in page.tags for name in attributes if name[:2] == "on"} == set()
    found = json.loads(page.raw["script"][0])
    assert found["sessions"][0]["session"]["client"]["name"] == text
    assert page.raw["script"][-1].split() == player.script().split()
    unseen = {char for char in page.text if unicodedata.category(char) in ("Cc", "Cf")}
    assert unseen <= {"\n"}


@pytest.mark.parametrize("name", sessions.ALL)
def test_the_data_is_the_document_and_the_labels(name: str) -> None:
    explanation = explain(sessions.ALL[name])
    data = player.data([explanation])
    assert data.isascii()
    assert not set("<>&\n") & set(data)
    if name != "nasty":  # half a surrogate pair is no JSON for `document`
        found = json.loads(data)
        assert found.pop("labels") == {}
        assert found == json.loads(document.render(explanation))
        assert list(formats.read(data.encode())) == [explanation.session]


def test_the_page_loads_nothing_and_its_policy_allows_nothing_else() -> None:
    page = Page(player.render(explain(sessions.documented())))
    loading = {"src", "srcset", "data", "action", "background", "poster", "style"}
    assert [tag for tag, attributes in page.tags if loading & set(attributes)] == []
    assert "link" not in [tag for tag, _ in page.tags]
    [policy] = [
        attributes["content"] or ""
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind, inside in (
        ("script-src", page.raw["script"][-1]),
        ("style-src", page.raw["style"][0]),
    ):
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"


def test_the_fragment_is_one_block_of_markdown() -> None:
    piece = player.fragment(explain(attacked("a\n\nb")))
    lines = piece.splitlines()
    assert lines[0] == "<div>"
    assert lines[-1] == "</div>"
    assert [line for line in lines if not line.strip()] == []
    assert piece.count("</div>") == 1


def test_the_list_says_what_the_player_says() -> None:
    explanation = explain(sessions.documented())
    text = " ".join(Page(player.listing(explanation)).text.split())
    for step in document.document([explanation]).sessions[0].steps:
        assert step.meaning in text
        for note in step.notes:
            assert note.quote in text
        for fact in (*step.discarded.client, *step.learned.server):
            assert fact.label in text


def test_a_title_stands_over_the_page_and_in_the_data() -> None:
    html = player.render(explain(sessions.documented()), title="Twice & <twice>")
    assert "<h1>Twice &amp; &lt;twice&gt;</h1>" in html
    assert json.loads(Page(html).raw["script"][0])["sessions"][0]["title"] == "Twice & <twice>"


@pytest.mark.parametrize("language", languages())
def test_labels_come_in_the_language_with_their_places(language: str) -> None:
    found = player.labels(language)
    assert set(found) == (set() if language == "en" else set(player.LABELS))
    places = re.compile(r"\{\w+\}")
    for label, translated in found.items():
        assert sorted(places.findall(translated)) == sorted(places.findall(label)), label


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownLanguage):
        player.render(explain(Session()), "xx")


def test_the_component_keeps_within_its_budget() -> None:
    script = player.script()
    assert len(script.encode()) <= 60 * 1024
    assert "</script" not in script
    assert "<!--" not in script
