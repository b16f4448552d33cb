"""The kit for a room without network: what goes in, for whom, and what one types."""

import json
import os
import platform
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.workshop.conftest import built
from tools.site.page import Page
from tools.workshop import hub, kit, lan, trial, wheels

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


def test_a_wheel_is_fetched_whatever_extra_is_asked_of_it() -> None:
    lines = ["one[more]==1 --hash=sha256:a"]
    here = target("linux-x86_64", "3.11")
    assert wheels.wanted(lines, here) == ["one==1 --hash=sha256:a"]
    assert wheels.names(lines, here) == {("one", "1")}
    assert wheels.served([Path("one-1-py3-none-any.whl")], lines, here) == {("one", "1")}


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
    assert bool(wheels.served([Path(wheel)], line, target(system, "3.11"))) == fits


def test_only_what_is_not_there_yet_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[list[str]] = []

    def pip(needed: list[str], *_: object) -> subprocess.CompletedProcess[str]:
        asked.append([line.split("==")[0] for line in needed])
        missing = "No matching distribution found for three==3" if "three" in asked[-1] else ""
        return subprocess.CompletedProcess([], bool(missing), "", missing)

    monkeypatch.setattr(wheels, "_pip", pip)
    (tmp_path / "one-1-py3-none-any.whl").touch()
    lines = [f"{name}=={n} --hash=sha256:a" for n, name in enumerate(["one", "two", "three"], 1)]
    here = target("linux-x86_64", "3.11")
    assert wheels.download(lines, here, tmp_path) == ["three 3"]
    assert asked == [["two", "three"], ["two"]]
    assert wheels.download(lines, here, tmp_path, ["three 3"]) == ["three 3"]
    assert asked[2:] == [["two"]]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_where_to_start_has_three_commands_for_each_system(language: str, tmp_path: Path) -> None:
    missing = {target("macos-x86_64", "3.11"): ["cryptography 50"]}
    for name, lines in kit.commands(language).items():
        system = next(key for key, spoken in kit.SPOKEN.items() if spoken == name)
        kit.start(tmp_path, missing, teacher=False, system=f"{system}-x86_64")
        page = (tmp_path / "START-HERE.html").read_text(encoding="utf-8")
        others = set(kit.SPOKEN.values()) - {name}
        assert f"<h2>{name}</h2>" in page
        assert not any(f"<h2>{other}</h2>" in page for other in others)
        assert "check.py" in page
        assert len(lines) == 4
        assert all("://" not in line for line in lines)
        assert page.count("macos-x86_64, Python 3.11: cryptography 50") == 2
        # Nothing before the first poll says why.
        assert "replay plain --view esa" in lines[2]
        assert not re.search(r"guide|answers|quiz|key|slides/", page)
    kit.start(tmp_path, missing, teacher=True)
    page = (tmp_path / "START-HERE.html").read_text(encoding="utf-8")
    assert "guide.html" in page
    assert "check.py" not in page


@pytest.mark.parametrize("asked", ["", ",", "amiga", "linux,2.7", "linux-x86_64,3.12,x"])
def test_a_kit_for_what_there_is_not_says_what_there_is(asked: str) -> None:
    with pytest.raises(kit.Incomplete, match="linux-x86_64, linux-aarch64"):
        kit.wanted(asked)


def test_a_kit_for_one_laptop_or_one_system() -> None:
    assert kit.wanted("linux-x86_64,3.12") == [target("linux-x86_64", "3.12")]
    assert {found.system for found in kit.wanted("linux")} == {"linux-x86_64", "linux-aarch64"}
    assert {found.python for found in kit.wanted("windows")} == set(wheels.PYTHONS)


def test_learners_are_given_a_site_without_the_teachers_pages(tmp_path: Path) -> None:
    (tmp_path / "teach").mkdir()
    (tmp_path / "search").mkdir()
    for name in ("answers", "guide", "classroom"):
        (tmp_path / "teach" / f"{name}.html").write_text("the answer is c", "utf-8")
    docs = [{"location": f"teach/{name}.html#x", "text": "c"} for name in ("answers", "classroom")]
    index = json.dumps({"config": {}, "docs": docs})
    (tmp_path / "search" / "search_index.js").write_text(f"var __index = {index}", "utf-8")
    kit.without(tmp_path)
    for name, left in (("answers", False), ("guide", False), ("classroom", True)):
        told = (tmp_path / "teach" / f"{name}.html").read_text("utf-8")
        assert ("the answer" in told) == left
    told = (tmp_path / "search" / "search_index.js").read_text("utf-8")
    assert told.startswith("var __index = {")
    assert "classroom" in told
    assert "answers" not in told


def test_the_check_at_home_says_whether_this_laptop_is_served(tmp_path: Path) -> None:
    # Not LC_ALL: where that language is not installed, Python would read paths as ASCII.
    plain = {name: value for name, value in os.environ.items() if name != "LC_ALL"}

    def checked(missing: kit.Missing, **environment: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "check.py").write_text(kit.check(missing), "utf-8")
        return subprocess.run(
            [sys.executable, "-X", "utf8", "check.py"], cwd=tmp_path, capture_output=True,
            text=True, encoding="utf-8", env={**plain, **environment},
        )  # fmt: skip

    told = checked({})
    assert not told.stderr
    first, *others = told.stdout.splitlines()
    served = "ok  Python" in first
    assert len(others) == 5
    assert served or "is not in the kit" in first
    none = {found: ["x 1"] for found in wheels.TARGETS}
    told = checked(none, LC_MESSAGES="pt_BR.UTF-8")
    assert told.returncode == 1
    assert "não está no kit" in told.stdout.splitlines()[0]
    assert "ainda não serve" in told.stdout.splitlines()[-1]


def test_the_room_is_served_the_kits_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(lan.NoRoom, match="make workshop"):
        lan.offered(tmp_path)
    for name in ("ehlo-twice-workshop.zip", "ehlo-twice-workshop-linux.zip", "secret.zip"):
        (tmp_path / name).write_bytes(name.encode())
    with lan.open_shelf(tmp_path, "127.0.0.1", 0) as shelf:
        thread = threading.Thread(target=shelf.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{shelf.server_address[1]}"
        try:
            with urllib.request.urlopen(f"{address}/") as answer:
                assert b"ehlo-twice-workshop-linux.zip" in answer.read()
            with urllib.request.urlopen(f"{address}/ehlo-twice-workshop-linux.zip") as answer:
                assert answer.read() == b"ehlo-twice-workshop-linux.zip"
            for other in ("ehlo-twice-workshop.zip", "secret.zip", "../secret.zip", "%2e%2e/x"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(f"{address}/{other}")
            with pytest.raises(lan.NoRoom, match="cannot listen"):
                lan.open_shelf(tmp_path, "127.0.0.1", shelf.server_address[1])
        finally:
            shelf.shutdown()
            thread.join()


def test_what_is_installed_comes_from_the_kit_and_is_checked() -> None:
    assert {"--no-index", "--require-hashes"} < set(kit.OFFLINE)


def test_a_kit_without_site_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kit, "SITE", tmp_path)
    with pytest.raises(kit.Incomplete, match="make site-offline"):
        kit.build()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="the network is taken away by Linux's means")
def test_the_kit_works_with_the_network_off() -> None:
    try:
        archive = trial.archive()
    except trial.Failed:
        archive = built(kit.DIST / f"{kit.NAME}-linux-{platform.machine()}.zip")
    assert len(trial.run(archive, sys.executable)) == 4


@pytest.mark.slow
@pytest.mark.parametrize("target", wheels.TARGETS, ids=str)
def test_the_kit_serves_every_laptop_or_says_so(target: wheels.Target) -> None:
    teacher = built(kit.DIST / f"{kit.NAME}.zip")
    with zipfile.ZipFile(teacher) as archive:
        start = archive.read(f"{kit.NAME}/START-HERE.html").decode()
    name, there = f"{kit.NAME}-{target.system}", []
    if (kit.DIST / f"{name}.zip").is_file():
        with zipfile.ZipFile(kit.DIST / f"{name}.zip") as archive:
            there = [Path(path) for path in archive.namelist() if path.endswith(".whl")]
    there = [path for path in there if "ehlo_twice" not in path.name]
    lacking = wheels.names(LOCK, target) - wheels.served(there, LOCK, target)
    told = re.findall(f"<li>{target}: ([^<]*)</li>", start)
    # A laptop that cannot have all is told why.
    assert bool(told) == bool(lacking)


@pytest.mark.slow
@pytest.mark.parametrize("name", [kit.NAME, f"{kit.NAME}-linux-x86_64"])
def test_where_to_start_leads_to_what_is_there(name: str) -> None:
    with zipfile.ZipFile(built(kit.DIST / f"{name}.zip")) as archive:
        names = archive.namelist()
        start = archive.read(f"{name}/START-HERE.html").decode()
    links = re.findall(r'href="([^"]+)"', start)
    assert len(links) > 5
    for link in links:
        assert any(found.startswith(f"{name}/{link}") for found in names), link


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
    both = dict(wheels.named(line) for line in wheels.locked(text))
    for line in LOCK:
        name, version = wheels.named(line)
        assert both.get(name, version) == version or " ; " in line, name
