"""What a built site does without, and how its files are packed for hosts that send them so.

python -m tools.site --press     # `.gz` and `.br` beside each file of site/ that they shorten
"""

from __future__ import annotations

import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

TEXT = frozenset((".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".wasm", ".xml"))
SMALLEST = 1024
"""Octets below which a file is not worth two more."""

LARGE = 1 << 20
"""Octets from which on brotli's last tenth is not worth its minutes."""

_MAPPED = re.compile(rb"\s*(?://|/\*)# sourceMappingURL=[^\s*]+(?:\s*\*/)?\s*$")
_COMMENT = re.compile(rb"/\*.*?\*/\n?", re.DOTALL)
_REFERENCE = re.compile(r'\s*<link rel="stylesheet" href="[^"]*/_mkdocstrings\.css">')


def styled(page: str) -> str:
    """The page without the styles of the Python reference, unless it has some of that."""
    return page if 'class="doc ' in page else _REFERENCE.sub("", page)


def slim(folder: Path) -> None:
    """Take out of one language's pages what no reader's browser asks for: source maps, comments on
    styles, what the search would load for languages that these pages are not in."""
    for path in folder.rglob("*.map"):
        path.unlink()
    for path in (folder / "assets").glob("*.css"):
        path.write_bytes(_COMMENT.sub(b"", path.read_bytes()))
    for path in (*folder.rglob("*.min.js"), *folder.rglob("*.min.css")):
        data = path.read_bytes()
        if (bare := _MAPPED.sub(b"", data)) != data:
            path.write_bytes(bare + b"\n")
    index = json.loads((folder / "search" / "search_index.json").read_text("utf-8"))
    spoken = [lang for lang in index["config"]["lang"] if lang != "en"]
    kept = {f"lunr.{name}.min.js" for name in (*spoken, *(["stemmer.support"] if spoken else []))}
    for path in (folder / "assets" / "javascripts" / "lunr").rglob("*.js"):
        if path.name not in kept:
            path.unlink()


def press(root: Path) -> None:
    """Write `.gz` and `.br` beside the files of a site, but the smallest."""
    # Not at the top: what is told of pages while they are built needs none of it.
    import brotli

    def pack(path: Path) -> None:
        data = path.read_bytes()
        quality = 11 if len(data) < LARGE else 9
        packed = {
            ".gz": partial(gzip.compress, compresslevel=9, mtime=0),
            ".br": partial(brotli.compress, quality=quality),
        }
        for suffix, squeeze in packed.items():
            beside = path.with_name(path.name + suffix)
            if len(data) < SMALLEST:
                beside.unlink(missing_ok=True)
            elif not beside.exists() or beside.stat().st_mtime < path.stat().st_mtime:
                beside.write_bytes(squeeze(data))

    # Both packers let go of the interpreter while they work.
    with ThreadPoolExecutor() as pool:
        list(pool.map(pack, [path for path in root.rglob("*") if path.suffix in TEXT]))
