"""What the workshop's slow tests share: the class's things as `make workshop` built them."""

import os
from pathlib import Path

import pytest


def built(path: Path) -> Path:
    """That file. Where nobody built it, the test is skipped; in CI that is a failure."""
    if not path.is_file():
        reason = f"there is no {path.name}: make workshop"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path
