"""Where a command's output cannot go, or nobody reads on: a line at most, and a code."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "restore"
COMMANDS = [
    "--version",
    "--help",
    "explain --help",
    "languages",
    "replay --view esa",
    f"restore {shlex.quote(str(DATA / 'page_de.found.md'))}",
    f"explain {shlex.quote(str(DATA / 'documented.restored.txt'))}",
]


def shell(line: str, *, unbuffered: bool = False) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `it` is the command. Python buffers, unless told not to."""
    around = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if unbuffered:
        around["PYTHONUNBUFFERED"] = "1"
    line = f'it() {{ {shlex.quote(sys.executable)} -m simulator "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", line], env=around, capture_output=True, text=True, timeout=240, check=False
    )


pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
FULL = "ehlo-twice: standard output: No space left on device\n"


@pytest.mark.parametrize("unbuffered", [False, True], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("typed", COMMANDS)
def test_a_full_disk(typed: str, unbuffered: bool) -> None:
    ran = shell(f"it {typed} >/dev/full", unbuffered=unbuffered)
    assert (ran.returncode, ran.stderr) == (2, FULL)


@pytest.mark.parametrize("typed", COMMANDS)
def test_no_standard_output(typed: str) -> None:
    ran = shell(f"it {typed} >&-")
    assert (ran.returncode, ran.stderr) == (2, "ehlo-twice: standard output: is closed\n")


@pytest.mark.parametrize("typed", COMMANDS)
def test_nobody_reads_on(typed: str) -> None:
    # The reader is gone before the first word.
    ran = shell(f"{{ sleep 0.1; it {typed}; echo $? >&2; }} | true")
    assert ran.stderr == "141\n"


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("typed", ["nonsense", "languages >/dev/full"])
def test_nowhere_to_say_so(typed: str, where: str) -> None:
    ran = shell(f"it {typed} {where}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", "")


def test_files_are_written_whatever_becomes_of_their_names(tmp_path: Path) -> None:
    ran = shell(f"it replay --out {shlex.quote(str(tmp_path))}/session >/dev/full")
    assert (ran.returncode, ran.stderr) == (2, FULL)
    assert (tmp_path / "session" / "player.html").stat().st_size > 10_000
