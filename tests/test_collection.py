"""Which tests run unless one asks for more does not hang on where the checkout lies."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("folder", ["site", "browser", "ehlo-twice"])
def test_a_checkout_may_lie_in_any_folder(folder: str, tmp_path: Path) -> None:
    tests = tmp_path / folder / "tests"
    (tests / "site").mkdir(parents=True)
    for name in ("conftest.py", "command.py", "__init__.py"):
        if (HERE / name).exists():
            (tests / name).write_bytes((HERE / name).read_bytes())
    (tests / "browser").mkdir()
    quick = "def test_runs():\n    pass\n"
    slow = (
        "import pytest\n\n\n@pytest.fixture\ndef site():\n    pass\n\n\n"
        "@pytest.fixture\ndef page(site):\n    pass\n\n\ndef test_looks(page):\n    pass\n"
    )
    for path, text in (
        (tests / "test_quick.py", quick),
        (tests / "site" / "test_sources.py", quick),
        (tests / "site" / "test_built.py", slow),
        (tests / "browser" / "test_player.py", quick),
    ):
        path.write_text(text, encoding="utf-8")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"),
            *("--rootdir", str(tmp_path / folder), "-o", "pythonpath=.", "--import-mode=importlib"),
        ],
        cwd=tmp_path / folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed, 2 deselected" in run.stdout, run.stdout + run.stderr
