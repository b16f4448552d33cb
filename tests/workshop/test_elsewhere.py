"""Binder and dev containers: what they would run, run here in an empty environment.

What needs Docker itself is not tried. The slow tests ask the network for packages.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_binder_and_dev_container_read_what_is_there() -> None:
    [line] = [
        line
        for line in (ROOT / "binder" / "requirements.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert (ROOT / "binder" / line.removeprefix("-r ")).is_file()
    told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    targets = re.findall(r"make ([\w-]+)", told["postCreateCommand"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets
    for name in targets:
        assert f"\n{name}:" in makefile


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone of this commit would hold, the changes of today included."""
    told = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, told.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "ARGS", "VENV", "PYTHON"}
"""What a `make` that runs these tests would hand on to one that they run."""


def typed(line: str, place: Path, **environment: str) -> None:
    """A command that must end well."""
    around = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    done = subprocess.run(
        line,
        shell=True,
        cwd=place,
        env=environment or around,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_repo2docker_would_run_works_in_an_empty_environment(checkout: Path) -> None:
    room = checkout / "room" / "bin"
    typed(f"{sys.executable} -m venv room", checkout)
    typed(f"{room}/python -m pip install --quiet -r binder/requirements.txt", checkout)
    typed("binder/postBuild", checkout, PATH=f"{room}:/usr/bin:/bin", HOME=str(checkout))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_a_dev_container_would_run_works_in_an_empty_checkout(checkout: Path) -> None:
    told = json.loads((checkout / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    command = told["postCreateCommand"].replace("make ", f"make PYTHON={sys.executable} ")
    typed(command, checkout)
