"""Without the extra `figures`: all but drawings, and one line where a drawing is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = "import sys; sys.modules['matplotlib'] = None; from simulator.cli import main; main()"


def typed(*arguments: str, here: Path) -> subprocess.CompletedProcess[str]:
    """The command on a machine that has no matplotlib."""
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=here, check=False)


@pytest.mark.parametrize(
    "line",
    [
        "replay --view svg",
        "replay --out session",
        "compare skipped-ehlo --out both.svg",
        "matrix --out matrix.pdf",
    ],
)
def test_a_drawing_says_what_it_needs(line: str, tmp_path: Path) -> None:
    ran = typed(*line.split(), here=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("ehlo-twice: drawings need matplotlib: `pip install 'ehlo-twice[")
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("view", ["annotated", "json", "sequence"])
def test_text_needs_nothing(view: str, tmp_path: Path) -> None:
    ran = typed("replay", "--view", view, here=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "STARTTLS" in ran.stdout


def test_a_notebook_shows_the_player_all_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None; from simulator import replay; "
        "shown = replay(); print(shown._repr_svg_(), len(shown._repr_html_()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    nothing, size = ran.stdout.split()
    assert nothing == "None"
    assert int(size) > 10_000


def test_no_word_about_a_cache_that_cannot_be_kept(tmp_path: Path) -> None:
    code = (
        "from simulator.views import canvas; canvas.ready(); "
        "import matplotlib; print(matplotlib.get_cachedir())"
    )
    (tmp_path / "no-folder").touch()
    around = {"HOME": str(tmp_path / "no-folder"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, env=around, check=True)
    assert ran.stderr == ""
    assert Path(ran.stdout).parent == tmp_path
