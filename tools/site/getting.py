"""How to get the program: its wheel, which the site carries, and the line on pages that name it."""

from __future__ import annotations

import os
import re

from tools.description import home
from tools.site import engine
from tools.site.page import Asset, Page, table
from tools.words import word

PATH = "get.md"

COMMANDS = {
    "pipx": "pipx install ./{name}",
    "system": "python3 -m venv ehlo && ehlo/bin/pip install ./{name} && ehlo/bin/ehlo-twice replay",
    "windows": r"py -m venv ehlo; "
    r"ehlo\Scripts\pip install .\{name}; ehlo\Scripts\ehlo-twice replay",
    "uv": "uv tool install ./{name}",
}

_BLOCK = re.compile(r"^([ \t]*)```.*?^\1```$", re.MULTILINE | re.DOTALL)


def files() -> list[Asset]:
    """The wheel, at the site's root: both languages offer the same."""
    name, data = engine.package()
    return [Asset(name, data)]


def wheel(page: Page) -> str:
    """The link to the wheel, with its size."""
    name, data = engine.package()
    size = f"{len(data) / 1e6:.1f}"
    if page.language != "en":
        size = size.replace(".", ",")
    return f'<p><a href="{page.up}../{name}" download>{name}</a> ({size} MB)</p>'


def commands(page: Page) -> str:
    """What to type, by what the reader has."""
    name, _ = engine.package()
    rows = (
        (word(f"get.{has}", page.language), f"`{line.format(name=name)}`")
        for has, line in COMMANDS.items()
    )
    return table([word("get.have", page.language), word("get.type", page.language)], rows)


def sources(page: Page) -> str:
    """Where the sources live, if whoever built the site has told."""
    address = home(os.environ)
    if not address:
        return word("get.copy", page.language)
    return (
        word("get.clone", page.language, address=address) + f"\n\n```sh\ngit clone {address}\n```"
    )


def with_line(text: str, page: Page) -> str:
    """The page's text, with a way to the program behind the first command that needs it."""
    if page.path == PATH or "](get.md)" in text:
        return text
    line = f'<p class="get">{word("get.line", page.language, address=page.address(PATH))}</p>'
    for block in _BLOCK.finditer(text):
        if "ehlo-twice " in block[0]:
            return f"{text[: block.end()]}\n\n{block[1]}{line}\n{text[block.end() :]}"
    return f"{text.rstrip()}\n\n{line}\n" if "`ehlo-twice " in text else text
