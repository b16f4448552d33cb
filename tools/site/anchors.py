"""The anchors of headings: in every language those of the English page, so that a link to a place,
and the switch between languages, lead to that place whatever the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.site.page import BadPage, Page
from tools.words import word

HEADING = re.compile(r"(#{1,6}) +(.*?)(?:\s*\{ *#([\w-]+)[^}]*\})?\s*")
FENCE = re.compile(r"\s*(`{3,}|~{3,})")
PARTS = re.compile(r"^<!-- parts (\d) -->$", re.MULTILINE)


class Heading(NamedTuple):
    """A heading: the line it stands on, its level and words, and the anchor it was `given`."""

    line: int
    level: int
    words: str
    given: str | None


class Place(NamedTuple):
    """What the builder makes of a heading."""

    level: int
    anchor: str
    label: str


def alike(text: str, english: str, page: Page) -> str:
    """The text of a page with the anchors of the English one. Those that it would have by its own
    words lead there, too. Raises `BadPage` where the headings of the two are not alike."""
    lines = text.split("\n")
    headings, wanted = _headings(lines), _headings(english.split("\n"))
    if [heading.level for heading in headings] != [heading.level for heading in wanted]:
        raise BadPage(f"docs/{page.language}/{page.path}: its headings are not the English ones")
    own, first = _places(headings), _places(wanted)
    for heading, here, there in zip(headings, own, first, strict=True):
        if not heading.given and here.anchor != there.anchor:
            lines[heading.line] = (
                f'{"#" * heading.level} <a id="{here.anchor}"></a>{heading.words} '
                f"{{ #{there.anchor} }}"
            )
    return "\n".join(lines)


def asked(page: Page, deepest: str = "2") -> str:
    """A mark for `with_parts`: what the page consists of is known when all of it is there."""
    return f"<!-- parts {int(deepest)} -->"


def with_parts(text: str, page: Page) -> str:
    """The page with a list of its headings where it asks for one."""

    def shown(match: re.Match[str]) -> str:
        links = " ".join(
            f'<a href="#{place.anchor}">{place.label}</a>'
            for place in _places(_headings(text.split("\n")))
            if 1 < place.level <= int(match[1])
        )
        lead = word("parts", page.language)
        return (
            f'<nav class="aid parts" aria-label="{lead}" data-search-exclude>'
            f"<strong>{lead}</strong> {links}</nav>"
        )

    return PARTS.sub(shown, text)


def _headings(lines: list[str]) -> list[Heading]:
    """All headings outside code."""
    found, fence = [], ""
    for number, line in enumerate(lines):
        if mark := FENCE.match(line):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence):
                fence = ""
        elif not fence and (heading := HEADING.fullmatch(line)):
            found.append(Heading(number, len(heading[1]), heading[2], heading[3]))
    return found


def _places(headings: list[Heading]) -> list[Place]:
    # What builds the site is not there wherever a test asks what a page shows.
    from markdown import Markdown

    markdown = Markdown(extensions=["attr_list", "toc"])
    markdown.convert(
        "\n\n".join(
            f"{'#' * heading.level} {heading.words}"
            + (f" {{ #{heading.given} }}" if heading.given else "")
            for heading in headings
        )
    )
    return list(_flat(markdown.toc_tokens))


def _flat(tokens: list[dict[str, Any]]) -> Iterator[Place]:
    for token in tokens:
        yield Place(token["level"], token["id"], token["name"])
        yield from _flat(token["children"])
