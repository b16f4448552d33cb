"""What MkDocs is told while it builds: the pages that the program made, and the site's address.

A builder without hooks makes the same pages; only their list in the sidebar is then missing.
"""

from __future__ import annotations

import json
import os
import re
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_serving = False
_listed: list[tuple[Any, list[Any]]] = []
"""The sections that hold generated pages, each with all of them."""


def on_startup(command: str, dirty: bool) -> None:
    """Remember whether pages are being written while they are looked at."""
    global _serving
    _serving = command == "serve"


def on_config(config: Any) -> Any:
    """Put the generated pages into the navigation, below the page that introduces them."""
    pages = Path(config["docs_dir"])
    language = pages.name
    if address := os.environ.get("SITE_URL"):
        config["site_url"] = f"{address.rstrip('/')}/{language}/"
    config["mdx_configs"]["toc"]["permalink_title"] = config["extra"]["say"]["section"]
    if config["plugins"].get("material/offline", None) and config["extra"].get("offline"):
        config["extra"]["polyfills"] = ["assets/iframe-worker.js"]
    if _serving:
        _assemble()
    _insert(config["nav"], _made(pages))
    return config


def _made(pages: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = json.loads(
        pages.with_name(f"{pages.name}.nav.json").read_text("utf-8")
    )
    return found


def on_nav(nav: Any, config: Any, files: Any) -> None:
    """Remember where the generated pages are listed."""
    made = _made(Path(config["docs_dir"]))
    _listed[:] = [
        (page.parent, page.parent.children) for page in nav.pages if page.file.src_uri in made
    ]


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> None:
    """List the generated pages beside each other alone: every other page would carry them too."""
    for section, below in _listed:
        section.children = below if section.active else below[:1]


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Where a page asks for it, let it load from this site alone, and send nothing anywhere; no
    page loads styles that it has no use for, its small tables fit a telephone, and no option is
    broken at its hyphens."""
    sys.path.insert(0, str(ROOT))
    from tools.site.lean import styled
    from tools.site.options import unbroken
    from tools.site.stacked import stacked

    output = unbroken(stacked(styled(output)))
    if page.meta.get("policy") != "own":
        return output
    scripts = re.findall(r"<script>(.*?)</script>", output, re.DOTALL)
    hashes = {b64encode(sha256(script.encode()).digest()).decode() for script in scripts}
    policy = (
        "default-src 'none'; base-uri 'self'; form-action 'none'; connect-src 'self'; "
        "font-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "worker-src 'self' blob:; script-src 'self' 'wasm-unsafe-eval' "
        + " ".join(f"'sha256-{found}'" for found in sorted(hashes))
    )
    return output.replace(
        "<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )


def on_post_build(config: Any) -> None:
    """Weigh what was found of the pages, which the search plugin has written by now, and take out
    what no browser asks for."""
    sys.path.insert(0, str(ROOT))
    from tools.site.lean import slim
    from tools.site.search import weighed, worded

    path = Path(config["site_dir"]) / "search" / "search_index.json"
    index = json.loads(path.read_text("utf-8"))
    made = _made(Path(config["docs_dir"]))["first-aid.md"]
    aid = {Path(file).stem for entry in made for file in entry.values()}
    index["docs"] = weighed(index["docs"], aid)
    worded(index, Path(config["docs_dir"]).name)
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), "utf-8")
    slim(Path(config["site_dir"]))


def _insert(nav: list[Any], made: dict[str, list[Any]]) -> None:
    for entry in nav:
        for title, below in entry.items() if isinstance(entry, dict) else ():
            if isinstance(below, list):
                _insert(below, made)
            elif below in made:
                entry[title] = [below, *made[below]]


def _assemble() -> None:
    sys.path.insert(0, str(ROOT))
    from tools.site.__main__ import assemble

    assemble()
