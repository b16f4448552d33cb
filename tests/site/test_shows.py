"""What the program shows in pages: it is run when they are built."""

import re
import tempfile

import pytest

from simulator.causes import causes
from simulator.language import say
from tools.site import shows
from tools.site.page import MARK, SOURCES, BadPage, Page

LANGUAGES = {"en": "en", "pt-BR": "pt_BR"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_logs_begins_with_what_the_program_says_of_one(language: str) -> None:
    text = (SOURCES / language / "your-log.md").read_text(encoding="utf-8")
    marks = [(match[1], match[2].split()) for match in MARK.finditer(text)]
    assert marks[0] == ("explain", ["session.log"])
    page = Page(path="your-log.md", language=language, text=text)
    shown = [shows.explain(page, *words) for name, words in marks if name == "explain"]
    titles = [
        say(causes()[cause].title, LANGUAGES[language])
        for cause in (
            "second-ehlo-not-sent",
            "starttls-unavailable",
            "starttls-unavailable",
            "tls-required",
        )
    ]
    for output, title in zip(shown, titles, strict=True):
        assert title in output
        assert tempfile.gettempdir() not in output
    # With other names for hosts, as the page says.
    assert "mx4.example.com" in shown[0]
    assert "example.com" not in shown[2]


def test_what_cannot_be_run_stops_the_build() -> None:
    page = Page(path="your-log.md", language="en", text="")
    with pytest.raises(BadPage, match=re.escape("docs/en/your-log.md: ehlo-twice explain no.log")):
        shows.explain(page, "no.log")
