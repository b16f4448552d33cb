"""A learner of one's own for every test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress.json"
    monkeypatch.setenv("EHLO_TWICE_PROGRESS", str(path))
    return path
