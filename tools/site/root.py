"""What stands above both languages: pages that send on to the reader's own, by script, and that
have links to both for whoever has none."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator, Sequence
from string import Template
from urllib.parse import urlsplit

from simulator.language import languages
from tools.site import firstaid
from tools.site.page import LANGUAGES, ROOT, SOURCES, Asset
from tools.words import translated, word

NAMES = languages()
CLOSE = {"aid": "first-aid", "explain": "explain", "experiments": "what-if"}
HOME = '<meta name="description" content="Why an SMTP client says EHLO twice, in two languages.">'
HIDDEN = '<meta name="robots" content="noindex">'

Links = Sequence[tuple[str, str]]
"""Addresses, and what each link says."""


def files(*, offline: bool = False) -> Iterator[Asset]:
    """Home; and, where a server shows them, each thing of first aid by its short address, and the
    page for addresses that there are not."""
    yield Asset("index.html", _home().encode())
    if not offline:
        yield Asset("404.html", _lost(_path()).encode())
        for key in firstaid.entries():
            yield Asset(f"{key}/index.html", _short(key).encode())


def _page(about: str, title: str, lists: dict[str, str], script: str) -> str:
    return Template((SOURCES / "root.html").read_text(encoding="utf-8")).substitute(
        about=about,
        title=html.escape(title),
        english=lists["en"],
        portuguese=lists["pt-BR"],
        script=script,
    )


def _list(links: Links) -> str:
    rows = (f'<li><a href="{address}">{html.escape(said)}</a></li>' for address, said in links)
    return "\n".join(["<ul>", *rows, "</ul>"])


def _home() -> str:
    lists = {
        language: _list([(f"{language}/index.html", NAMES[LANGUAGES[language]])])
        for language in LANGUAGES
    }
    return _page(HOME, "EHLO twice", lists, 'location.replace(language + "/index.html");')


def _short(key: str) -> str:
    title = firstaid.entries()[key]["title"]
    lists = {
        language: _list([(f"../{language}/{key}/", translated(title, language))])
        for language in LANGUAGES
    }
    script = f'location.replace("../" + language + {json.dumps(f"/{key}/")} + location.hash);'
    return _page(HIDDEN, key, lists, script)


def _path() -> str:
    """The path below which the site is to stand."""
    address = os.environ.get("SITE_URL")
    if not address:
        settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
        address = re.findall(r"^site_url: (\S+)/en/$", settings, re.MULTILINE)[0]
    return urlsplit(f"{address.rstrip('/')}/").path


LOST = Template("""\
// The server shows this file for any address that it does not know, below other folders, too.
const path = location.pathname.replace(/^[/]+/, "/");
const [, above, there] = path.match(/^(.*?[/])(en|pt-BR)[/]/) ?? [];
const root = above ?? (path.startsWith($root) ? $root : "/");
const beyond = (whole, start) => whole.slice(start.length);
if (there) {
  for (const a of document.links) a.href = root + beyond(a.getAttribute("href"), $root);
} else {
  const { search, hash } = location;
  location.replace(root + language + "/" + beyond(path, root) + search + hash);
}
""")


def _lost(root: str) -> str:
    """Of an address without a language, that of the reader is tried first."""
    lists = {}
    for language in LANGUAGES:
        links = [
            (f"{root}{language}/", NAMES[LANGUAGES[language]]),
            *(
                (f"{root}{language}/{place}/", word(f"root.{name}", language))
                for name, place in CLOSE.items()
            ),
        ]
        lists[language] = f"<p>{word('root.lost', language)}</p>\n{_list(links)}"
    return _page(HIDDEN, "EHLO twice", lists, LOST.substitute(root=json.dumps(root)).rstrip())
