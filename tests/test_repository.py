"""What is committed stands on its own: no machine's paths, no registry hosts, no compiled files."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

# Written as patterns that do not match themselves.
FORBIDDEN = {
    "a registry's host name": r"\b(?:pypi|pythonhosted|npmjs|deb\.debian)\.(?:org|com)",
    "a path of one machine": r"(?<![\w.~$})-])/(?:work|root|home|Users)/[\w.]",
    "a place outside the repository": r"\.\./share[d]\b|\.librar[y]\b|\bworkplac[e]\b",
}


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_committed_file_names(what: str, committed: list[Path]) -> None:
    pattern = re.compile(FORBIDDEN[what].encode(), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()[:100]}"
        for path in committed
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a registry's host name", "--index-url https://pypi" + ".org/simple"),
        ("a path of one machine", "open('/ro" + "ot/x')"),
        ("a place outside the repository", "see ../sha" + "red/facts.md"),
    ],
)
def test_the_patterns_find_what_they_forbid(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line, re.IGNORECASE)


def test_nothing_generated_is_committed(committed: list[Path]) -> None:
    generated = {".mo", ".pot", ".pyc", ".whl"}
    assert [path.name for path in committed if path.suffix in generated] == []


def pins(lock: Path) -> dict[str, str]:
    """Each requirement line of a lock (name, version, marker) and the hashes that follow it."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    return {
        head.removesuffix("\\").strip(): hashes
        for head, _, hashes in (entry.partition("\n") for entry in entries)
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_hashes_and_nothing_else(lock: Path) -> None:
    assert pins(lock)
    for head, hashes in pins(lock).items():
        assert re.match(r"[a-z0-9-]+==[\w.]+(?: ; .+)?$", head), head
        assert re.fullmatch(r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|$))+", hashes), head


def test_the_locks_agree_with_one_another() -> None:
    core = pins(ROOT / "requirements" / "core.txt")
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        found = pins(lock)
        missing = {head.split(" ; ")[0] for head in core} - {h.split(" ; ")[0] for h in found}
        assert not missing, f"{lock.name} lacks {missing}"
        for name in {head.split("==")[0] for head in found}:
            pinned = {head.split(" ; ")[0] for head in found if head.split("==")[0] == name}
            versions.setdefault(name, set()).add(" ".join(sorted(pinned)))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {"core": project["project"]["dependencies"] + project["build-system"]["requires"]}
    wanted |= project["project"]["optional-dependencies"]
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]
    for lock, requirements in wanted.items():
        locked = {head.split("==")[0] for head in pins(ROOT / "requirements" / f"{lock}.txt")}
        names = {re.split(r"[^\w-]", requirement)[0].lower() for requirement in requirements}
        assert names <= locked, f"make lock: {lock}.txt lacks {names - locked}"
