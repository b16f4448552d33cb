"""Every byte of the documented session, TLS 1.2 beside 1.3, for the page that shows them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Literal

from simulator.views import bytes as octets
from simulator.views import pcapng
from tools.site.page import LANGUAGES, Asset, Page
from tools.site.plays import play
from tools.words import word

VERSIONS: tuple[Literal["1.3", "1.2"], ...] = ("1.3", "1.2")
WORDS = ("step", "client", "server", "clear", "secure", "inside", "hint", "more")


def show(page: Page) -> str:
    """The element, and what stands there without script: the same as text to read."""
    words = html.escape(json.dumps({name: word(f"bytes.{name}", page.language) for name in WORDS}))
    if page.offline:
        attribute = ""
        inside = "".join(
            f'\n<script type="application/json">{_data(version, page.language)}</script>'
            for version in VERSIONS
        )
    else:
        inside = ""
        sources = " ".join(f"{page.up}{_path(version)}.json" for version in VERSIONS)
        attribute = f' src="{sources}"'
    links = ", ".join(
        f'<a href="{page.up}{_path(version)}.txt">TLS {version}</a>' for version in VERSIONS
    )
    return (
        f'<div class="octets" data-search-exclude>\n<smtp-bytes{attribute} data-words="{words}">'
        f"{inside}\n<p>{word('bytes.text', page.language)} {links}</p>\n</smtp-bytes>\n</div>"
    )


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """The bytes as data and as text, and the captures."""
    for version in VERSIONS:
        explanation = play("documented", version)
        if not offline:
            yield Asset(f"{_path(version)}.json", _data(version, language).encode())
        text = octets.render(explanation, LANGUAGES[language])
        yield Asset(f"{_path(version)}.txt", text.encode())
        yield Asset(f"{_path(version)}.pcapng", pcapng.render(explanation.session))


def _path(version: str) -> str:
    return f"data/documented-tls{version}"


def _data(version: Literal["1.2", "1.3"], language: str) -> str:
    pieces = octets.as_data(play("documented", version), LANGUAGES[language])
    text = json.dumps({"title": f"TLS {version}", "pieces": pieces}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("&", "\\u0026")
