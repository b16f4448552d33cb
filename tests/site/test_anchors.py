"""Anchors of headings: alike in every language, and lists of them."""

from __future__ import annotations

import re

import pytest

from tools.site import anchors
from tools.site.page import BadPage, Page

pytest.importorskip("markdown")

ENGLISH = """# What if…

## The `EHLO`

```sh
# no heading
```

## Again

## Again

### Kept { #kept }
"""
PORTUGUESE = """# E se…

## O `EHLO`

```sh
# não é título
```

## De novo

## De novo

### Mantido { #kept }
"""


def page(language: str = "pt-BR") -> Page:
    return Page(path="some.md", language=language, text="")


def test_a_translation_has_the_anchors_of_the_english_page_and_its_own_lead_there() -> None:
    assert anchors.alike(PORTUGUESE, ENGLISH, page()).split("\n") == [
        '# <a id="e-se"></a>E se… { #what-if }',
        "",
        '## <a id="o-ehlo"></a>O `EHLO` { #the-ehlo }',
        "",
        *PORTUGUESE.split("\n")[4:8],
        '## <a id="de-novo"></a>De novo { #again }',
        "",
        '## <a id="de-novo_1"></a>De novo { #again_1 }',
        "",
        *PORTUGUESE.split("\n")[12:],
    ]


def test_the_english_page_stays_as_it_is() -> None:
    assert anchors.alike(ENGLISH, ENGLISH, page("en")) == ENGLISH


@pytest.mark.parametrize("text", ["# E se…", PORTUGUESE.replace("### ", "## ")])
def test_a_translation_with_other_headings_stops_the_build(text: str) -> None:
    with pytest.raises(BadPage, match=r"docs/pt-BR/some\.md"):
        anchors.alike(text, ENGLISH, page())


@pytest.mark.parametrize(
    ("deepest", "links"),
    [("2", ["the-ehlo", "again", "again_1"]), ("3", ["the-ehlo", "again", "again_1", "kept"])],
)
def test_a_list_of_the_parts_of_a_page(deepest: str, links: list[str]) -> None:
    text = f"{anchors.asked(page(), deepest)}\n\n{ENGLISH}"
    shown = anchors.with_parts(anchors.alike(text, text, page()), page())
    assert re.findall(r'<a href="#([^"]+)">', shown) == links
    assert 'aria-label="Nesta página"' in shown
    assert ">The EHLO</a>" in shown
