"""What the site weighs over the wire, served as GitHub Pages does it: text packed by gzip."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import LANGUAGES, NOTED, READY
from tools.site.lean import SMALLEST

PACKED = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".xml"}
BUDGET = 150_000
"""Octets of home before its player starts."""

PLAYER = ("/assets/player.js", "/data/documented.json")

Sent = dict[str, int]


class Server(ThreadingHTTPServer):
    """Serves a folder on loopback, and notes how many octets each address took."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.sent: Sent = {}


class Handler(SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        if path.suffix in PACKED:
            data = gzip.compress(data, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.server.sent[self.path] = len(data)
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def served(site: Path) -> Iterator[Server]:
    with Server(site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(browser: Any, server: Server, path: str) -> Sent:
    """What a first visit to a page takes, with all that it fetches by itself."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(NOTED)
    page.goto(f"http://127.0.0.1:{server.server_port}/{path}")
    page.wait_for_function(READY)
    context.close()
    return dict(server.sent)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", LANGUAGES)
def test_home_over_the_wire(browser: Any, served: Server, language: str) -> None:
    took = sent(browser, served, f"{language}/")
    before = {path: size for path, size in took.items() if not path.endswith(PLAYER)}
    assert len(took) - len(before) == len(PLAYER)
    assert sum(before.values()) <= BUDGET, json.dumps(took, indent=1)
    assert not [path for path in took if "search" in path and not path.endswith("/search.js")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sandbox_is_not_heavy(site: Path, language: str) -> None:
    data = (site / language / "data" / "sandbox.json").read_bytes()
    assert len(data) < 250_000
    assert len(gzip.compress(data, 6)) < 60_000


def test_nothing_is_there_that_serves_nobody(site: Path) -> None:
    assert not list(site.rglob("*.map"))
    assert not list((site / "en").rglob("lunr*.js"))
    spoken = {path.name for path in (site / "pt-BR").rglob("lunr*.js")}
    assert spoken == {"lunr.pt.min.js", "lunr.stemmer.support.min.js"}
    for path in site.rglob("*.min.*"):
        assert b"sourceMappingURL" not in path.read_bytes()
    for path in site.glob("*/assets/*.css"):
        assert b"/*" not in path.read_bytes()


def test_packed_files_are_the_files(site: Path) -> None:
    brotli = pytest.importorskip("brotli")
    # What is smaller than a packet is not packed.
    pages = [path for path in sorted(site.rglob("index.html")) if path.stat().st_size >= SMALLEST]
    assert len(pages) > 60
    for path in pages[::20]:
        assert gzip.decompress(path.with_name("index.html.gz").read_bytes()) == path.read_bytes()
        packed = path.with_name("index.html.br").read_bytes()
        assert brotli.decompress(packed) == path.read_bytes()
