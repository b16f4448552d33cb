"""How long the page that explains a log takes, in Chromium: `make site`, then

    python -m benchmarks.page [--runs 5] [--megabits 50]

The first verdict is cold: a browser with an empty profile each time, the example log pasted into
the page as soon as it is shown, so that all of the program is loaded and started after the paste.
It is served from this machine, compressed as by GitHub Pages, first as fast as it goes, then over
so many megabits a second. Then Postfix logs of 1 and 10 MB, each in a page that has explained one
before: how long it takes, and the longest time in which the page drew nothing. The target is told,
also where it is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import logs
from benchmarks.ratio import Result
from tools import doctor

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
LOG = ROOT / "docs" / "data" / "pasted" / "esa.log"
TARGET = 4.0
"""Seconds from the first paste to the verdict."""

PATIENCE = 300_000
"""Milliseconds."""

PASTED = """
    (log) => new Promise((done) => {
        const form = document.querySelector("smtp-explain"), field = form.querySelector("#log");
        new MutationObserver(() => requestAnimationFrame(() => done(performance.now() - began)))
            .observe(form, { attributes: true, attributeFilter: ["explained"] });
        const began = performance.now();
        field.focus();
        field.value = log;
        field.dispatchEvent(new Event("paste"));
    })
"""
WATCHED = """
    () => {
        const form = document.querySelector("smtp-explain");
        form.removeAttribute("explained");
        window.measured = new Promise((done) => {
            let began, last, longest = 0;
            (function frame(now) {
                if (form.hasAttribute("explained"))
                    return done([performance.now() - began, longest]);
                if (form.hasAttribute("busy")) {
                    began ??= now;
                    if (last !== undefined) longest = Math.max(longest, now - last);
                    last = now;
                }
                requestAnimationFrame(frame);
            })(performance.now());
        });
    }
"""


class Line:
    """A line over which so many octets a second go, whoever sends them."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._free = 0.0
        self._lock = threading.Lock()

    def wait(self, octets: int) -> None:
        with self._lock:
            self._free = max(self._free, time.monotonic()) + octets / self._speed
            until = self._free
        time.sleep(max(0.0, until - time.monotonic()))


class Handler(SimpleHTTPRequestHandler):
    """Sends what was compressed when the site was built."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *given: Any, line: Line | None, **named: Any) -> None:
        self._line = line
        super().__init__(*given, **named)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        packed = path.with_name(f"{path.name}.gz")
        body = packed if packed.is_file() else path
        data = body.read_bytes() if body.is_file() else b""
        self.send_response(200 if body.is_file() else 404)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(data)))
        if body == packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        step = 1 << 14
        for at in range(0, len(data), step):
            if self._line:
                self._line.wait(min(step, len(data) - at))
            self.wfile.write(data[at : at + step])

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(line: Line | None) -> Iterator[str]:
    handler = partial(Handler, line=line, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/en/explain/"
        server.shutdown()


@contextmanager
def page(address: str) -> Iterator[Page]:
    """The page in a browser that has never been there."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=doctor.browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        opened = browser.new_page()
        opened.set_default_timeout(PATIENCE)
        opened.goto(address)
        opened.wait_for_selector("smtp-explain[ready]")
        yield opened
        browser.close()


def processor(opened: Page) -> float:
    """Seconds of processor time that all of the browser has used."""
    browser = opened.context.browser
    assert browser is not None
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return float(sum(process["cpuTime"] for process in told["processInfo"]))


def cold(address: str) -> tuple[float, float]:
    """Seconds until the verdict, and of processor time, which bears a busy machine."""
    with page(address) as opened:
        used = processor(opened)
        took = float(opened.evaluate(PASTED, LOG.read_text("utf-8"))) / 1000
        return took, processor(opened) - used


def warm(opened: Page, log: Path) -> tuple[float, float]:
    """Seconds until it is explained, and the longest without a new picture."""
    opened.evaluate(WATCHED)
    opened.set_input_files("#log-file", log)
    took, longest = opened.evaluate("measured")
    return took / 1000, longest / 1000


def told(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.1f} / {median(seconds):.1f} / {max(seconds):.1f} s"


def measure(runs: int, megabits: float) -> Iterator[Result]:
    for speed in (0.0, megabits):
        how = f"{speed:.0f} Mbit/s" if speed else "loopback"
        with serving(Line(speed * 1e6 / 8) if speed else None) as address:
            found, used = zip(*(cold(address) for _ in range(runs)), strict=True)
        yield Result(
            f"first verdict, cold, {how}: {told(found)} (least, median, most of {runs}), "
            f"processor {told(used)}",
            f"{TARGET:.0f} s",
            median(found) <= TARGET,
        )
    with tempfile.TemporaryDirectory() as folder, serving(None) as address, page(address) as opened:
        opened.evaluate(PASTED, LOG.read_text("utf-8"))
        for megabytes in (1, 10):
            log = Path(folder, f"{megabytes}.log")
            size = logs.write(log, 900 * megabytes, megabytes)
            took, longest = zip(*(warm(opened, log) for _ in range(min(runs, 3))), strict=True)
            yield Result(
                f"Postfix, {size / 1e6:.1f} MB: {told(took)}; "
                f"longest without a picture {max(longest):.2f} s",
                "none",
                True,
            )


def machine() -> str:
    names = Path("/proc/cpuinfo")
    found = names.read_text().split("model name\t: ")[1:] if names.exists() else []
    kind = found[0].split("\n")[0] if found else platform.processor()
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load not known"
    return f"{os.cpu_count()} cores, {kind}, {platform.system()}, {load}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megabits", type=float, default=50)
    given = parser.parse_args()
    if not (SITE / "en").is_dir() or doctor.browser() is None:
        sys.exit("benchmarks.page needs the built site (make site) and chromium")
    print(f"page: {machine()}", flush=True)
    met = True
    for result in measure(given.runs, given.megabits):
        print(f"page: {result}", flush=True)
        met = met and result.met
    sys.exit(not met)


if __name__ == "__main__":
    main()
