"""The program itself as the site serves it: Python for the browser, and the package's own wheel.

It stands once beside both languages. Nothing of it is loaded before somebody brings a log.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.site.page import LANGUAGES, ROOT, Asset, BadPage

FOLDER = "engine"
PYODIDE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
PLATFORM = ("pyemscripten_2026_0_wasm32", "3.14", "cp314")
"""What a wheel must be made for: platform, Python and ABI of the `pyodide` in package.json."""

UNUSED = re.compile(r"simulator/(?:cli|exercises|lab|scenarios|views/drawing|workbench)\b")
"""What explaining a log never asks for."""

_CACHE = ROOT / "build" / "engine"


def files() -> Iterator[Asset]:
    """Everything that the page's worker fetches. Raises `BadPage` where a wheel cannot be had."""
    package = ROOT / "node_modules" / "pyodide"
    for name in PYODIDE:
        yield Asset(f"{FOLDER}/{name}", (package / name).read_bytes())
    yield Asset(f"{FOLDER}/worker.js", (ROOT / "docs" / "theme" / "worker.js").read_bytes())
    yield Asset(f"{FOLDER}/msgspec.zip", _msgspec())
    yield Asset(f"{FOLDER}/simulator.zip", _package())


def _msgspec() -> bytes:
    """The one package that the explainer stands on, as the lock has it: version and hash."""
    lock = (ROOT / "requirements" / "core.txt").read_text("utf-8")
    [pin] = re.findall(r"^msgspec==(?:.*\\\n)*.*$", lock, re.MULTILINE)
    [version] = re.findall(r"==(\S+)", pin)
    platform, python, abi = PLATFORM
    wheel = _CACHE / f"msgspec-{version}-{abi}-{abi}-{platform}.whl"
    if not wheel.is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            asked = Path(folder, "msgspec.txt")
            asked.write_text(pin + "\n", "utf-8")
            done = subprocess.run(  # noqa: S603
                [
                    *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"),
                    *("download", "--no-deps", "--require-hashes", "--requirement", str(asked)),
                    *("--platform", platform, "--python-version", python, "--abi", abi),
                    *("--only-binary", ":all:", "--dest", folder),
                ],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise BadPage(f"the page that explains needs {wheel.name}: {done.stderr.strip()}")
            Path(folder, wheel.name).replace(wheel)
    return wheel.read_bytes()


def _package() -> bytes:
    """The wheel of this very checkout, less what a page has no use for."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise BadPage(f"the wheel of the package: {done.stderr.strip()}")
        [wheel] = Path(folder).glob("*.whl")
        return _less(wheel.read_bytes())


def _less(wheel: bytes) -> bytes:
    spoken = {f"simulator/locales/{said}/" for said in LANGUAGES.values()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel)) as whole, zipfile.ZipFile(made, "w") as kept:
        for entry in whole.infolist():
            name = entry.filename
            foreign = name.startswith("simulator/locales/") and not any(
                map(name.startswith, spoken)
            )
            if foreign or name.endswith(".po") or UNUSED.match(name):
                continue
            kept.writestr(entry, whole.read(entry), zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()
