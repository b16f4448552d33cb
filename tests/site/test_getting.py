"""How a reader gets the program: the wheel that the site carries, and the line that leads to it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

from tools.site import getting
from tools.site.page import LANGUAGES, Page, sources

NAMED = """
```sh
make site
```

```sh
ehlo-twice replay
```

The end.
"""


def page(text: str, path: str = "some.md", language: str = "en") -> Page:
    return Page(path=path, language=language, text=text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_line_stands_behind_the_first_command_that_needs_it(language: str) -> None:
    said = getting.with_line(NAMED, page(NAMED, language=language))
    assert re.search(
        r'ehlo-twice replay\n```\n\n<p class="get">[^\n]*href="\.\./get/"[^\n]*</p>\n', said
    )
    assert said.count('class="get"') == 1


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (NAMED, "get.md"),
        ("[Get it](get.md), then\n" + NAMED, "explain.md"),
        ("```sh\nmake site\n```\n\nNo command.\n", "some.md"),
    ],
    ids=["the page itself", "a page that tells", "nothing to run"],
)
def test_no_line_where_it_is_told_already_or_not_needed(text: str, path: str) -> None:
    assert getting.with_line(text, page(text, path)) == text


def test_a_command_within_a_sentence_has_its_line_at_the_end() -> None:
    text = "Run `ehlo-twice replay`.\n"
    assert getting.with_line(text, page(text)).endswith("</p>\n")


def test_the_wheel_is_the_package() -> None:
    [(name, data)] = getting.files()
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        names = wheel.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        version = re.search(r"^Version: (.+)$", wheel.read(metadata).decode(), re.MULTILINE)
    assert version
    assert name == f"ehlo_twice-{version[1]}-py3-none-any.whl"
    assert "simulator/locales/pt_BR/LC_MESSAGES/ehlo_twice.mo" in names


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_names_the_wheel(language: str) -> None:
    [(name, _)] = getting.files()
    [told] = [page for page in sources(language) if page.path == getting.PATH]
    assert f'href="../../{name}"' in getting.wheel(told)
    assert getting.commands(told).count(name) == len(getting.COMMANDS)


def test_the_sources_are_named_only_where_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    [told] = [page for page in sources("en") if page.path == getting.PATH]
    for variable in ("EHLO_TWICE_HOME", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(variable, raising=False)
    assert "http" not in getting.sources(told)
    monkeypatch.setenv("EHLO_TWICE_HOME", "https://forge.example/owner/ehlo-twice")
    assert "git clone https://forge.example/owner/ehlo-twice" in getting.sources(told)


def test_the_page_is_there_in_both_languages() -> None:
    root = Path(__file__).parents[2] / "docs"
    assert all((root / language / getting.PATH).is_file() for language in LANGUAGES)
