"""What is committed stands on its own: no machine's paths, no registry hosts, no compiled files."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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
        assert re.match(r"[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==[\w.]+(?: ; .+)?$", head), head
        assert re.fullmatch(r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|$))+", hashes), head


def pinned(lock: Path) -> set[tuple[str, str]]:
    """Names and versions in a lock, without the extras and the systems they are asked with."""
    heads = (Requirement(head) for head in pins(lock))
    return {(head.name, str(head.specifier)) for head in heads}


def test_the_locks_agree_with_one_another() -> None:
    core = pinned(ROOT / "requirements" / "core.txt")
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        found = pinned(lock)
        assert core <= found, f"{lock.name} lacks {core - found}"
        for name in {name for name, _ in found}:
            of_it = sorted(version for pin, version in found if pin == name)
            versions.setdefault(name, set()).add(" ".join(of_it))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    core = project["project"]["dependencies"] + project["build-system"]["requires"]
    # Whoever sets up from a lock can draw.
    wanted = {"core": core + extras.pop("figures")} | extras
    # And whoever tests can count on a cluster.
    wanted["dev"] = wanted["dev"] + wanted.pop("fleet")
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]
    for lock, requirements in wanted.items():
        locked = {name for name, _ in pinned(ROOT / "requirements" / f"{lock}.txt")}
        names = {Requirement(requirement).name.lower() for requirement in requirements}
        assert names <= locked, f"make lock: {lock}.txt lacks {names - locked}"


NOUNS = (
    "Session", "Event", "Reply", "Handshake", "Message", "Fact", "Knowledge", "Ledger",
    "Step", "Rule", "Moment", "Note", "Citation", "Explanation", "Verdict", "Cause", "Scenario",
    "Format", "Line", "Dialogue", "View", "Page", "Shown",
)  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_of_the_engine_means_one_thing(noun: str) -> None:
    """Whoever reads `Rule` in a signature need not ask which one."""
    defined = re.compile(rf"(?m)^(?:class {noun}\b|{noun} = )")
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "simulator").rglob("*.py"))
        if defined.search(path.read_text(encoding="utf-8"))
    ]
    assert len(found) <= 1, found
