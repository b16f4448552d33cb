"""What is released: built, looked at, and run where the checkout is not."""

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from simulator.language import languages
from tools import description

ROOT = Path(__file__).parent.parent
HOME = "https://forge.example/owner/ehlo-twice"


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, ""),
        ({"EHLO_TWICE_HOME": f"{HOME}/"}, HOME),
        ({"GITHUB_REPOSITORY": "owner/name"}, "https://github.com/owner/name"),
        ({"GITHUB_REPOSITORY": "o/n", "GITHUB_SERVER_URL": "https://ghe"}, "https://ghe/o/n"),
    ],
)
def test_where_the_project_lives_is_told_not_made_up(
    environment: dict[str, str], told: str
) -> None:
    assert description.home(environment) == told


@pytest.mark.parametrize(
    ("written", "released"),
    [
        ("[a](docs/a.md)", f"[a]({HOME}/blob/v1/docs/a.md)"),
        ("![a](a.svg)", f"![a]({HOME}/raw/v1/a.svg)"),
        ("[a](https://b.example/)", "[a](https://b.example/)"),
        ("[a](#b)", "[a](#b)"),
        ("[a] (b)", "[a] (b)"),
    ],
)
def test_links_are_absolute(written: str, released: str) -> None:
    assert description.absolute(written, HOME, "1") == released
    assert description.absolute(written, "", "1") == written


def run(*command: str | Path, cwd: Path, **around: str) -> str:
    told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | around
    ran = subprocess.run(command, cwd=cwd, env=told, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-1000:]}{ran.stderr[-2000:]}"
    return ran.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages; the wheel is built from the source distribution alone, as on an index."""
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "hatchling", "build", "-d", folder)
    run(*build, "-t", "sdist", cwd=ROOT, EHLO_TWICE_HOME=HOME)
    [sdist] = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    [unpacked] = (folder / "unpacked").iterdir()
    run(*build, "-t", "wheel", cwd=unpacked)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    [found] = dist.glob("*.whl")
    return found


def about(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.mark.slow
def test_what_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"simulator", "ehlo_twice"}
    suffixes = {Path(name).suffix for name in names}
    assert ".po" not in suffixes
    assert sum(name.endswith(".mo") for name in names) == len(languages()) - 1
    assert "simulator/data.json" in names


@pytest.mark.slow
def test_what_is_in_the_source_distribution(dist: Path) -> None:
    [sdist] = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "pyproject.toml" in names
    assert sum(name.endswith(".po") for name in names) == len(languages()) - 1
    assert not [name for name in names if name.startswith("tests/")], "they need the checkout"


@pytest.mark.slow
def test_what_an_index_would_show(wheel: Path) -> None:
    told = about(wheel)
    addresses = dict(line.split(", ") for line in told.get_all("Project-URL", []))
    assert addresses["Homepage"] == HOME
    text = told.get_payload()
    assert isinstance(text, str)
    assert "![The documented session" in text
    assert description.RELATIVE.findall(text) == []
    assert set(told.get_all("Provides-Extra", [])) >= {"figures", "notebooks"}
    assert not [line for line in told.get_all("Requires-Dist", []) if line == "matplotlib>=3.9"]


@pytest.mark.slow
def test_the_wheel_works_where_the_checkout_is_not(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        place,
        wheel,
        cwd=tmp_path,
    )
    around = {"PYTHONPATH": str(place)}
    here = run(
        sys.executable, "-c", "import simulator; print(simulator.__file__)", cwd=tmp_path, **around
    )
    assert Path(here.strip()).is_relative_to(place)
    command = (sys.executable, "-m", "simulator")
    assert run(*command, "replay", "--check", cwd=tmp_path, **around) == "12 of 12 lines agree\n"
    assert "A sessão documentada" in run(
        *command, "scenarios", "--lang", "pt_BR", cwd=tmp_path, **around
    )
    assert len(run(*command, "languages", cwd=tmp_path, **around).splitlines()) == len(languages())
