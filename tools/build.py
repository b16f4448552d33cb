"""What the package builder does before it collects files: catalogues compiled, data read.

So a wheel, a source distribution and an editable install all hold what git does not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import catalogues, data


class Hook(BuildHookInterface[Any]):
    """What the package builder calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make all of it, whatever the file times say: an archive may have lost them."""
        catalogues.compile_all(catalogues.catalogues())
        data.write()
