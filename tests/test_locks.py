"""The locks, on the day after: a newer release of everything in them is out."""

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = [
    *sorted((ROOT / "requirements").glob("*.txt")),
    ROOT / "workshop" / "jupyterhub" / "requirements.txt",
]
OLDEST_PIP = "22.3"
"""What the first Python 3.11 came with."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="that pip is too old for this Python"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the oldest pip."""
    folder = tmp_path_factory.mktemp("oldest")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"pip=={OLDEST_PIP}"], check=True)
    return python


def newer(lock: Path, folder: Path) -> list[str]:
    """A newer release of each package of that lock, laid into the folder; their names."""
    names = re.findall(
        r"^([a-z0-9-]+)(?:\[.+\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE
    )
    for name in names:
        stem = f"{name.replace('-', '_')}-9999"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            about = f"{stem}.dist-info"
            told = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9999\n"
            wheel.writestr(f"{about}/METADATA", told)
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return names


def installs(python: Path, lock: Path, offered: Path) -> subprocess.CompletedProcess[str]:
    """Try that lock, as Binder would: `make` leaves even less to pip, it says --no-deps."""
    command: list[str | Path] = [
        *(python, "-m", "pip", "install", "--quiet", "--dry-run", "--disable-pip-version-check"),
        *("--require-hashes", "--find-links", offered, "--requirement", lock),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parent.name}/{lock.name}")
def test_each_lock_installs_though_newer_releases_are_out(
    python: Path, lock: Path, tmp_path: Path
) -> None:
    assert len(newer(lock, tmp_path)) > 20
    ran = installs(python, lock, tmp_path)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_a_lock_without_its_extras_does_not(python: Path, tmp_path: Path) -> None:
    """So that the test above is known to see the fault."""
    lock = tmp_path / "lock.txt"
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    lock.write_text(text.replace("coverage[toml]==", "coverage=="), encoding="utf-8")
    newer(lock, tmp_path)
    ran = installs(python, lock, tmp_path)
    assert "coverage[toml]" in ran.stderr
    assert ran.returncode != 0
