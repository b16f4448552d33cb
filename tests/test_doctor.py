"""What a machine lacks is named before anything long is done, with the line that brings it."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tools import doctor

ROOT = Path(__file__).parent.parent
SHELL = ("sh", "make", "awk", "rm", "mkdir", "touch")
OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "ARGS", "VENV", "PYTHON"}

pytestmark = pytest.mark.needs("make")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder of programs: Python, make, and what a recipe calls; nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in SHELL:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


def make(target: str, path: str, venv: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    around = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    given = [f"{name}={value}" for name, value in settings.items()]
    return subprocess.run(
        ["make", "--no-print-directory", target, f"VENV={venv}", *given],
        cwd=ROOT,
        env=around | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("target", "lacks"),
    [
        ("site", "node"),
        ("site-offline", "node"),
        ("serve", "node"),
        ("slides", "node"),
        ("handout", "node"),
        ("workshop", "node"),
        ("hub", "node"),
        ("lighthouse", "node"),
        ("check-site", "chromium"),
        ("lock", "uv"),
    ],
)
def test_a_missing_tool_is_named_before_anything_is_set_up(
    bare: Path, tmp_path: Path, target: str, lacks: str
) -> None:
    # A port that is free: another program of this machine may have the usual one.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = str(taken.getsockname()[1])
    ran = make(target, str(bare), tmp_path / "venv", PORT=free, EHLO_HUB_PORT=free)
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"{lacks} is missing (")
    for system, line in doctor.TOOLS[lacks].install._asdict().items():
        assert f"{system}: {line}" in ran.stderr
    assert ran.stdout == ""
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("target", "name"), [("serve", "PORT"), ("hub", "EHLO_HUB_PORT")])
def test_a_port_in_use_is_named_first(bare: Path, tmp_path: Path, target: str, name: str) -> None:
    (bare / "npm").symlink_to("/bin/true")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = make(target, str(bare), tmp_path / "venv", **{name: port})
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"port {port} cannot be had (")
    assert f"{name}=" in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_everything_at_once(bare: Path, tmp_path: Path) -> None:
    ran = make("doctor", str(bare), tmp_path / "venv")
    assert ran.returncode == 0, ran.stderr
    for name in doctor.TOOLS:
        there = "there  " if name == "make" else "missing"
        assert f"{there}  {name:<14}  " in ran.stdout


@pytest.mark.parametrize(
    ("system", "machine", "told"),
    [
        ("Darwin", "x86_64", "no wheel for Darwin x86_64"),
        ("Windows", "ARM64", "no wheel for Windows ARM64"),
        ("Darwin", "arm64", None),
        ("Linux", "x86_64", None),
        ("Linux", "aarch64", None),
    ],
)
def test_where_a_package_has_no_wheel(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, told: str | None
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    said = doctor.wheels()
    assert (told in said and "--only-binary cryptography" in said) if told and said else not said


@pytest.mark.parametrize("version", [(3, 7), (3, 10)])
def test_an_old_python_says_so(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]) -> None:
    monkeypatch.setattr("sys.version_info", version)
    assert str(doctor.python()).startswith("Python 3.11 or newer is needed, this is ")


def test_an_unknown_name_is_help() -> None:
    ran = subprocess.run(
        [sys.executable, "tools/doctor.py", "unicorn"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "python tools/doctor.py" in ran.stderr
