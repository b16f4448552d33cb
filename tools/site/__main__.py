"""Everything the site is made of, as plain Markdown and the files beside it, below build/.

    python -m tools.site             # for a server: build/site/<language>/
    python -m tools.site --offline   # to be opened from disk, without any request:
                                     # build/site-offline-pages/<language>/
    python -m tools.site --zip       # what was built from that, as one file in dist/
    python -m tools.site --press     # .gz and .br beside the files that were built from the first

MkDocs, or whatever follows it, makes pages of that.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.site import (
    anchors,
    assets,
    cells,
    embed,
    engine,
    experiments,
    findings,
    firstaid,
    getting,
    glossary,
    lean,
    notebooks,
    octets,
    reference,
    root,
    sandbox,
    shows,
    wild,
)
from tools.site.page import (
    BUILD,
    LANGUAGES,
    OFFLINE_BUILD,
    ROOT,
    Asset,
    BadPage,
    Page,
    complete,
    save,
    sources,
)
from tools.workshop import papers

OFFLINE = ROOT / "build" / "site-offline"


def assemble(*, offline: bool = False) -> None:
    """Write the pages anew, and take out what is no longer there. Raises `BadPage`."""
    build = OFFLINE_BUILD if offline else BUILD
    kept: set[Path] = set()

    def put(path: str, data: bytes) -> None:
        target = build / path
        kept.add(target)
        save(target, data)

    english: dict[str, str] = {}

    def put_all(pages: Iterable[Page], files: Iterable[Asset], language: str) -> None:
        for page in pages:
            text = getting.with_line(complete(page, shows.ALL), page) + glossary.tips(page)
            text = anchors.alike(text, english.setdefault(page.path, text), page)
            text = anchors.with_parts(text, page)
            put(f"{language}/{page.path}", text.encode())
        for asset in files:
            put(f"{language}/{asset.path}", asset.data)

    # The notebooks run meanwhile, in a process of their own.
    with cells.Running() as running:
        for language in LANGUAGES:
            pages = (
                *sources(language, offline=offline),
                *experiments.pages(language, offline=offline),
                *firstaid.pages(language, offline=offline),
                *findings.pages(language, offline=offline),
            )
            files = (
                *assets.files(),
                *wild.files(language, offline=offline),
                *experiments.files(language, offline=offline),
                *octets.files(language, offline=offline),
                *reference.files(language, offline=offline),
                *sandbox.files(language, offline=offline),
                *(() if offline else (*embed.files(language), *papers.files(language))),
            )
            put_all(pages, files, language)
            listed = (
                experiments.navigation(language)
                | firstaid.navigation(language)
                | findings.navigation(language)
                | notebooks.navigation(language)
            )
            put(f"{language}.nav.json", json.dumps(listed, ensure_ascii=False).encode())
        for language in LANGUAGES:
            books = running.books(language)
            shown = notebooks.pages(books, offline=offline)
            put_all(shown, notebooks.files(books, offline=offline), language)
    for path in build.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    below = OFFLINE if offline else ROOT / "site"
    save(below / ".nojekyll", b"")
    for asset in (*root.files(offline=offline), *getting.files(), *engine.files()):
        save(below / asset.path, asset.data)


def main(arguments: list[str]) -> int:
    """Assemble; one line on stderr and exit code 2 where a page asks for what there is not."""
    if arguments not in ([], ["--offline"], ["--zip"], ["--press"]):
        print(__doc__, file=sys.stderr)
        return 2
    if arguments == ["--zip"]:
        print(shutil.make_archive(str(ROOT / "dist" / "ehlo-twice-site"), "zip", OFFLINE))
        return 0
    if arguments == ["--press"]:
        lean.press(ROOT / "site")
        return 0
    if not (ROOT / "node_modules").is_dir():
        print("tools.site: run `npm ci` first (fonts come from there)", file=sys.stderr)
        return 2
    try:
        assemble(offline="--offline" in arguments)
    except BadPage as error:
        print(f"tools.site: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
