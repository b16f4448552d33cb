"""The kit for a room without network: what goes in, for whom, and what one types."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workshop.conftest import heavy
from tools.site.page import Page
from tools.workshop import hub, kit, trial, wheels

ROOT = Path(__file__).parents[2]
LOCK = wheels.locked((ROOT / "requirements" / "notebooks.txt").read_text(encoding="utf-8"))


def target(system: str, python: str) -> wheels.Target:
    [found] = [t for t in wheels.TARGETS if (t.system, t.python) == (system, python)]
    return found


def test_every_requirement_of_the_lock_is_read_with_its_hashes() -> None:
    text = (ROOT / "requirements" / "notebooks.txt").read_text(encoding="utf-8")
    assert len(LOCK) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 50
    assert all(" --hash=sha256:" in line for line in LOCK)


@pytest.mark.parametrize(
    ("name", "systems"),
    [
        ("pywinpty", {"windows-amd64"}),
        ("appnope", {"macos-arm64", "macos-x86_64"}),
        ("aiosmtpd", set(wheels.SYSTEMS)),
    ],
)
def test_each_system_gets_what_its_markers_say(name: str, systems: set[str]) -> None:
    assert systems == {
        t.system for t in wheels.TARGETS if name in {n for n, _ in wheels.names(LOCK, t)}
    }


def test_both_versions_come_along_where_releases_of_one_python_differ() -> None:
    lines = [
        "one==1 ; python_full_version < '3.11.5' --hash=sha256:a",
        "one==2 ; python_full_version >= '3.11.5' --hash=sha256:b",
    ]
    assert wheels.names(lines, target("linux-x86_64", "3.11")) == {("one", "1"), ("one", "2")}
    assert wheels.names(lines, target("linux-x86_64", "3.12")) == {("one", "2")}


@pytest.mark.parametrize(
    ("wheel", "system", "fits"),
    [
        ("aiosmtpd-1-py3-none-any.whl", "windows-amd64", True),
        ("aiosmtpd-1-cp311-cp311-win_amd64.whl", "windows-amd64", True),
        ("aiosmtpd-1-cp311-cp311-win_amd64.whl", "linux-x86_64", False),
        ("aiosmtpd-1-cp312-cp312-win_amd64.whl", "windows-amd64", False),
        ("aiosmtpd-1-cp39-abi3-manylinux_2_28_x86_64.whl", "linux-x86_64", True),
        ("aiosmtpd-1-cp311-cp311-macosx_11_0_arm64.whl", "macos-arm64", True),
        ("aiosmtpd-1-cp311-cp311-macosx_11_0_arm64.whl", "macos-x86_64", False),
        ("aiosmtpd-1-cp311-cp311-macosx_10_9_universal2.whl", "macos-x86_64", True),
        ("aiosmtpd-2-py3-none-any.whl", "linux-x86_64", False),
        ("other-1-py3-none-any.whl", "linux-x86_64", False),
    ],
)
def test_only_wheels_that_a_laptop_can_install_count(wheel: str, system: str, fits: bool) -> None:
    line = ["aiosmtpd==1 --hash=sha256:a"]
    found = wheels.serve([Path(wheel)], line, target(system, "3.11"))
    assert found == ({Path(wheel)} if fits else set())
    assert wheels.gathered([Path(wheel)], line, target(system, "3.11")) == fits


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_where_to_start_has_three_commands_for_each_system(language: str, tmp_path: Path) -> None:
    kit.start(tmp_path, {target("macos-x86_64", "3.11"): ["cryptography 50"]})
    page = (tmp_path / "START-HERE.html").read_text(encoding="utf-8")
    assert set(kit.TOLD["en"]) == set(kit.TOLD[language])
    for system, lines in kit.commands(language).items():
        assert system in page
        assert len(lines) == 4
        assert all("://" not in line for line in lines)
    assert page.count("macos-x86_64, Python 3.11: cryptography 50") == 2


def test_what_is_installed_comes_from_the_kit_and_is_checked() -> None:
    assert {"--no-index", "--require-hashes"} < set(kit.OFFLINE)


def test_a_kit_without_site_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kit, "SITE", tmp_path)
    with pytest.raises(kit.Incomplete, match="make site-offline"):
        kit.build()


# --- the hub ------------------------------------------------------------------------------------


def test_the_measured_class_all_finished() -> None:
    told = hub.measured()
    assert told["learners"] == told["finished"] == 30
    assert told["machine"]["cores"] == 2
    assert told["notebook"].startswith("03-")
    assert (ROOT / "notebooks" / "en" / f"{told['notebook']}.ipynb").is_file()


def test_what_three_hundred_need_follows_from_what_thirty_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"memory_mb": {"max": 200.0}, "processor_seconds": {"max": 8.0}}
    monkeypatch.setattr(hub, "measured", lambda: told)
    table = hub.need(Page(path="teach/classroom.md", language="en", text=""), "300")
    assert "300 × 250 MB" in table
    assert "| 75 GB |" in table
    assert "300 × 8.0 s ÷ 120 s | 20 |" in table
    assert table.splitlines()[-3].endswith("| 3 |")


def test_locks_of_the_hub_name_no_registry() -> None:
    folder = ROOT / "workshop" / "jupyterhub"
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    assert all("resolved" not in entry for entry in lock["packages"].values())
    assert "://" not in (folder / "requirements.txt").read_text(encoding="utf-8")


def test_hub_and_notebooks_agree_on_versions() -> None:
    text = (ROOT / "workshop" / "jupyterhub" / "requirements.txt").read_text(encoding="utf-8")
    both = dict(line.split(" --hash=")[0].split(" ")[0].split("==") for line in wheels.locked(text))
    for line in LOCK:
        name, version = line.split(" ")[0].split("==")
        assert both.get(name, version) == version or " ; " in line, name


# --- elsewhere ----------------------------------------------------------------------------------


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


def typed(line: str, place: Path, **environment: str) -> None:
    """A command that must end well."""
    done = subprocess.run(
        line,
        shell=True,
        cwd=place,
        env=environment or None,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@heavy
@pytest.mark.timeout(900)
def test_what_repo2docker_would_run_works_in_an_empty_environment(checkout: Path) -> None:
    room = checkout / "room" / "bin"
    typed(f"{sys.executable} -m venv room", checkout)
    typed(f"{room}/python -m pip install --quiet -r binder/requirements.txt", checkout)
    typed("binder/postBuild", checkout, PATH=f"{room}:/usr/bin:/bin", HOME=str(checkout))


@heavy
@pytest.mark.timeout(900)
def test_what_a_dev_container_would_run_works_in_an_empty_checkout(checkout: Path) -> None:
    told = json.loads((checkout / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    command = told["postCreateCommand"].replace("make ", f"make PYTHON={sys.executable} ")
    typed(command, checkout)


@heavy
@pytest.mark.timeout(900)
def test_the_kit_works_with_the_network_off() -> None:
    if not kit.ZIP.is_file():
        pytest.skip("no kit: make workshop")
    if sys.platform != "linux":
        pytest.skip("the network is taken away by means of Linux")
    assert len(trial.run(kit.ZIP, sys.executable)) == 4
