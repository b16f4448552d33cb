"""Golden files: what a view shows, kept where a person can read it.

UPDATE_GOLDEN=1 writes them anew; then look at the difference before you commit it.
"""

import os
from pathlib import Path


def same(golden: Path, shown: str) -> bool:
    """Does the view show what the file holds?"""
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8", newline="\n")
    return shown == golden.read_text(encoding="utf-8")
