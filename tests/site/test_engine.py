"""What the pages that run the program load."""

import re
import zipfile
from pathlib import Path

import pytest

from tests.site.conftest import LANGUAGES
from tools.site import engine
from tools.words import word

ALWAYS = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "worker.js")
EXPLAIN = ("python_stdlib.zip", "msgspec.zip", "simulator.zip")
PLAY = (*EXPLAIN, "lab.zip", "serving.zip")
LEARN = (*PLAY, "learn.zip")


def sent(folder: Path, name: str) -> int:
    """Octets over the wire, as a host sends them that packs text by gzip."""
    packed = folder / f"{name}.gz"
    return (packed if packed.exists() else folder / name).stat().st_size


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "archives"),
    [
        ("paste.working", EXPLAIN),
        ("play.loading", PLAY),
        ("learn.loading", LEARN),
        ("learn.begin", LEARN),
    ],
)
def test_what_a_page_says_it_loads_is_what_it_loads(
    site: Path, key: str, archives: tuple[str, ...], language: str
) -> None:
    folder = site / engine.FOLDER
    megabytes = sum(sent(folder, name) for name in (*ALWAYS, *archives)) / 1e6
    [told] = re.findall(r"\d+(?= MB)", word(key, language))
    assert abs(int(told) - megabytes) < 1


def test_modules_are_compiled_and_what_must_come_as_source_does(site: Path) -> None:
    folder = site / engine.FOLDER
    for name in LEARN:
        with zipfile.ZipFile(folder / name) as archive:
            endings = {Path(entry).suffix for entry in archive.namelist()}
        assert ".py" not in endings
        assert ".pyc" in endings
    [source] = folder.glob("tlslite_ng-*.whl")
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
    assert "tlslite/tlsconnection.py" in names
    assert any("LICENSE" in name for name in names)
    with zipfile.ZipFile(folder / "serving.zip") as archive:
        assert any("LICENSE" in name for name in archive.namelist() if "tlslite" in name)
