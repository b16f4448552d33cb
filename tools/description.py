"""What a package says of itself: its addresses, and the README with links that work anywhere.

Both need to know where the project lives, and only whoever releases it does: EHLO_TWICE_HOME (an
address like https://forge.example/owner/ehlo-twice), or what GitHub tells its workflows. Without
them nothing is made up: no addresses, and the README as it stands. The package builder loads this
file as its hook.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)]+)\)")


def home(environment: Mapping[str, str]) -> str:
    """The project's address, or nothing."""
    told = environment.get("EHLO_TWICE_HOME", "")
    if not told and environment.get("GITHUB_REPOSITORY"):
        server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        told = f"{server}/{environment['GITHUB_REPOSITORY']}"
    return told.rstrip("/")


def absolute(readme: str, address: str, version: str) -> str:
    """The README with every link and picture as that release has it."""
    if not address:
        return readme

    def link(match: re.Match[str]) -> str:
        picture, text, path = match.groups()
        kind = "raw" if picture else "blob"
        return f"{picture}[{text}]({address}/{kind}/v{version}/{path})"

    return RELATIVE.sub(link, readme)


class DescriptionHook(MetadataHookInterface):
    """What the package builder calls for the fields that pyproject.toml leaves to it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the addresses and the description."""
        address = home(os.environ)
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, address, metadata["version"]),
        }
        if address:
            metadata["urls"] = {
                "Homepage": address,
                "Changelog": f"{address}/blob/v{metadata['version']}/CHANGELOG.md",
                "Issues": f"{address}/issues",
            }
