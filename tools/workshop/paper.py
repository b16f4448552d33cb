"""Markdown to HTML, and HTML to PDF by the machine's own Chromium, without network."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from tools import doctor


class NoBrowser(Exception):
    """There is no Chromium here that could print: the message says what to install."""


def to_html(text: str) -> str:
    """Markdown as HTML, with tables and with Markdown inside HTML."""
    # It comes with MkDocs, in the environment that builds the site.
    markdown: Any = import_module("markdown")
    return str(markdown.markdown(text, extensions=["tables", "md_in_html", "fenced_code"]))


def chromium() -> str:
    """The browser that prints. Raises `NoBrowser`."""
    if found := doctor.browser():
        return found
    raise NoBrowser(doctor.tool("chromium") or "printing needs Chromium")


def to_pdf(page: Path, target: Path) -> None:
    """Print an HTML file, unless what is there was printed from just that.

    Raises `NoBrowser`, `CalledProcessError`.
    """
    browser, digest = chromium(), _digest(page)
    kept = target.parent / ".printed" / f"{target.name}.sha256"
    if target.is_file() and kept.is_file() and kept.read_text("ascii") == digest:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="ehlo-print-") as profile:
        # The arguments are ours; a page of ours, and no address outside is ever resolved.
        subprocess.run(  # noqa: S603
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run"),
                *(f"--user-data-dir={profile}", "--no-pdf-header-footer"),
                f"--print-to-pdf={target}",
                page.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=180,
        )
    kept.write_text(digest, encoding="ascii")


def _digest(page: Path) -> str:
    """Of a page with its styles and pictures."""
    digest = hashlib.sha256(page.read_bytes())
    for path in sorted((page.parent / "assets").glob("*")):
        if path.suffix in (".css", ".svg"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
