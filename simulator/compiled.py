"""What was worked out of this package's data when it was built, so that no start does it again.

`data.json` is made by `tools/data.py`, and git has none. Where it is missing, or a text is another
than the one it was made of, all is worked out anew: that takes longer, and changes nothing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Data(NamedTuple):
    """TOML texts with what they hold, and patterns with the words that they need."""

    tables: dict[str, dict[str, Any]]
    words: dict[str, list[str]]


@cache
def data() -> Data:
    """What there is; nothing where the package was not built."""
    try:
        raw = (files("simulator") / "data.json").read_bytes()
    except FileNotFoundError:
        return Data({}, {})
    # The builder has no msgspec, and imports what this module serves.
    import msgspec

    return Data(**msgspec.json.decode(raw))
