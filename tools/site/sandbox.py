"""The sandbox: every combination of policies, played, as compact data."""

from __future__ import annotations

from collections.abc import Iterator

from tools.site.page import Asset


def files(language: str, *, offline: bool = False) -> Iterator[Asset]:
    """The sessions."""
    yield from ()
