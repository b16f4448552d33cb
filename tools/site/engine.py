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
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from tools.site.page import LANGUAGES, ROOT, Asset, BadPage

FOLDER = "engine"
PYODIDE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
)
PLATFORM = ("pyemscripten_2026_0_wasm32", "3.14", "cp314")
"""What a wheel must be made for: platform, Python and ABI of the `pyodide` in package.json."""

UNUSED = re.compile(
    r"simulator/(?:cli|exercises/(?:certificate|classroom)|views/drawing|workbench)\b"
)
"""What no page asks for."""

PLAYED = re.compile(r"simulator/(?:lab|scenarios|inplay)\b")
"""What only a page that plays asks for."""

LEARNED = re.compile(r"simulator/(?:exercises|inlearn)\b")
"""What only the page with the exercises asks for."""

SERVING = ("aiosmtpd", "atpublic", "attrs", "ecdsa", "six", "tlslite-ng")
"""What the lab in memory stands on, all of it Python: real aiosmtpd, and TLS."""

COPYLEFT = "tlslite-ng"
"""Whose sources lie beside, since what is loaded is compiled (LGPL-2.1)."""

LEFT_OUT = re.compile(
    r"aiosmtpd/(?:docs|qa|testing|tests)/|tlslite/integration/|.*/test_[a-z0-9_]+\.py$"
)
"""What of these packages is for their own tests, or for other protocols."""

COMPILER = ROOT / "tools" / "site" / "compiled.mjs"

_CACHE = ROOT / "build" / "engine"


def files() -> Iterator[Asset]:
    """Everything that the page's worker fetches. Raises `BadPage` where a wheel cannot be had."""
    pyodide = ROOT / "node_modules" / "pyodide"
    for name in PYODIDE:
        yield Asset(f"{FOLDER}/{name}", (pyodide / name).read_bytes())
    yield Asset(f"{FOLDER}/worker.js", (ROOT / "docs" / "theme" / "worker.js").read_bytes())
    source = _wheel(COPYLEFT)
    yield Asset(f"{FOLDER}/{source.name}", source.read_bytes())
    _, whole = package()
    archives = {
        "python_stdlib": (pyodide / "python_stdlib.zip").read_bytes(),
        "msgspec": _together([_wheel("msgspec").read_bytes()]),
        **{part: _part(whole, part) for part in ("simulator", "lab", "learn")},
        "serving": _together(_wheel(name).read_bytes() for name in SERVING),
    }
    for name, data in zip(archives, _compiled(archives.values()), strict=True):
        yield Asset(f"{FOLDER}/{name}.zip", data)


def _compiled(archives: Iterable[bytes]) -> list[bytes]:
    """Archives with their modules compiled: a page would else do that anew for every visitor, which
    takes longer than all the rest. Raises `BadPage`."""
    stamp = (COMPILER.read_bytes(), (ROOT / "node_modules/pyodide/package.json").read_bytes())
    wanted = [
        (_CACHE / f"compiled-{sha256(b''.join((*stamp, data))).hexdigest()}.zip", data)
        for data in archives
    ]
    for old in set(_CACHE.glob("compiled-*.zip")) - {kept for kept, _ in wanted}:
        old.unlink()
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        made = {kept: Path(folder, kept.name) for kept, _ in wanted if not kept.exists()}
        for kept, data in wanted:
            if kept in made:
                made[kept].write_bytes(data)
        if made:
            done = subprocess.run(  # noqa: S603
                ["node", str(COMPILER), *map(str, made.values())],  # noqa: S607 - the Makefile asks for it
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise BadPage(f"compiling what runs in a page: {done.stderr.strip()}")
        for kept, path in made.items():
            path.replace(kept)
    return [kept.read_bytes() for kept, _ in wanted]


def _wheel(package: str) -> Path:
    """A package for the browser's Python as the locks have it: version and hash."""
    locks = [ROOT / "requirements" / f"{name}.txt" for name in ("core", "docs")]
    pins = [
        pin
        for lock in locks
        for pin in re.findall(rf"^{package}==(?:.*\\\n)*.*$", lock.read_text("utf-8"), re.MULTILINE)
    ]
    if not pins:
        raise BadPage(f"the page that plays needs {package}, which no lock names")
    pin = pins[0]
    [version] = re.findall(r"==(\S+)", pin)
    stem = f"{package.replace('-', '_')}-{version}"
    platform, python, abi = PLATFORM
    if not (kept := sorted(_CACHE.glob(f"{stem}-*.whl"))):
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
            asked = Path(folder, "asked.txt")
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
                raise BadPage(f"what runs in a page needs {stem}: {done.stderr.strip()}")
            [wheel] = Path(folder).glob("*.whl")
            wheel.replace(_CACHE / wheel.name)
        kept = sorted(_CACHE.glob(f"{stem}-*.whl"))
    return kept[-1]


@cache
def package() -> tuple[str, bytes]:
    """The package's own wheel, and its name. Raises `BadPage`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise BadPage(f"the wheel of the package: {done.stderr.strip()}")
        [wheel] = Path(folder).glob("*.whl")
        return wheel.name, wheel.read_bytes()


def _part(wheel: bytes, part: str) -> bytes:
    """What of the package a page has a use for: what only plays (`lab`), what only the exercises
    need (`learn`), or all else."""
    spoken = {f"simulator/locales/{said}/" for said in LANGUAGES.values()}

    def used(name: str) -> bool:
        foreign = name.startswith("simulator/locales/") and not any(map(name.startswith, spoken))
        if foreign or name.endswith(".po") or UNUSED.match(name):
            return False
        return part == (
            "lab" if PLAYED.match(name) else "learn" if LEARNED.match(name) else "simulator"
        )

    return _together([wheel], used)


def _together(wheels: Iterable[bytes], used: Callable[[str], bool] | None = None) -> bytes:
    """The files of some wheels in one archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as kept:
        for wheel in wheels:
            with zipfile.ZipFile(io.BytesIO(wheel)) as whole:
                for entry in whole.infolist():
                    name = entry.filename
                    if not LEFT_OUT.match(name) and (used is None or used(name)):
                        kept.writestr(entry, whole.read(entry), zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()
