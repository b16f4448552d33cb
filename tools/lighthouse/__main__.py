"""How fast and how open to all the built site is, as Lighthouse sees it: `make lighthouse`.

    python -m tools.lighthouse                  # home, documented session, sandbox; both languages
    python -m tools.lighthouse en/bytes/ pt-BR/ # these pages

The site is served from this machine as GitHub Pages would send it, compressed. Each page is
measured as on a telephone and as on a desktop; of several runs the median counts, since a busy
machine makes single ones worse. Exit code 1 where a category stays below the goal.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import mimetypes
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median_low
from typing import Any

from tools import doctor

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
LIGHTHOUSE = ROOT / "build" / "lighthouse" / "node_modules" / ".bin" / "lighthouse"
PAGES = [
    f"{language}/{page}"
    for language in ("en", "pt-BR")
    for page in ("", "documented-session/", "sandbox/")
]
DEVICES = {"mobile": [], "desktop": ["--preset=desktop"]}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time")
GOAL = 95
RUNS = 3
MORE = 2
"""So many times again where the median is below the goal: the machine may have been busy."""

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")

Report = dict[str, Any]


class Compressed(http.server.SimpleHTTPRequestHandler):
    """A static server that compresses what is not compressed yet."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file, or with the index of a folder."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        found = path.is_file()
        body = path.read_bytes() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Cache-Control", "max-age=600")
        if path.suffix not in (".woff2", ".png", ".pcapng", ".zip"):
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: only the table counts."""


class Quiet(http.server.ThreadingHTTPServer):
    """Lighthouse closes connections while they are answered: that is no error."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep a broken connection to itself; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The folder, served; gives its address."""
    with Quiet(("127.0.0.1", 0), functools.partial(Compressed, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def measure(address: str, device: str) -> Report:
    """One run of Lighthouse. Raises `CalledProcessError`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(LIGHTHOUSE), address, *DEVICES[device], "--quiet", "--output=json"]
        command += [f"--output-path={report}", "--no-enable-error-reporting"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        chrome = os.environ.get("CHROME_PATH") or doctor.browser() or ""
        subprocess.run(  # noqa: S603 - our own command
            command, check=True, capture_output=True, env={**os.environ, "CHROME_PATH": chrome}
        )
        found: Report = json.loads(report.read_text(encoding="utf-8"))
        return found


def scores(reports: list[Report]) -> dict[str, int]:
    """The median of each category, in percent."""
    return {
        category: round(100 * median_low(r["categories"][category]["score"] for r in reports))
        for category in CATEGORIES
    }


def row(page: str, device: str, reports: list[Report]) -> str:
    """What stands in the table: the scores, then what the performance is made of."""
    numbers = [f"{score:>16}" for score in scores(reports).values()]
    for audit in TIMES:
        value = median_low(r["audits"][audit]["numericValue"] for r in reports)
        numbers.append(f"{value / 1000:>6.1f} s" if "paint" in audit else f"{value:>5.0f} ms")
    shift = median_low(r["audits"]["cumulative-layout-shift"]["numericValue"] for r in reports)
    return f"{page:<28}{device:<8}{''.join(numbers)}{shift:>7.3f}"


def main(pages: list[str]) -> int:
    """Measure, print the table, and say whether the goal is reached."""
    missing = next((path for path in (SITE / "en", LIGHTHOUSE) if not path.exists()), None)
    if missing:
        print(f"tools.lighthouse: no {missing}: make site lighthouse", file=sys.stderr)
        return 2
    heads = "".join(f"{category:>16}" for category in CATEGORIES)
    print(f"{'page':<28}{'device':<8}{heads}{'FCP':>8}{'LCP':>8}{'TBT':>8}{'CLS':>7}")
    reached = True
    with serving(SITE) as address:
        for page in pages or PAGES:
            for device in DEVICES:
                reports = [measure(address + page, device) for _ in range(RUNS)]
                if min(scores(reports).values()) < GOAL:
                    reports += [measure(address + page, device) for _ in range(MORE)]
                reached = reached and min(scores(reports).values()) >= GOAL
                print(row(page, device, reports), flush=True)
    if not reached:
        print(f"tools.lighthouse: below {GOAL}", file=sys.stderr)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
