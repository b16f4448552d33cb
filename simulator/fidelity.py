"""Does a replayed log say what the documented one says? Line by line, and where not, how."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import msgspec

from simulator.restore import Restoration


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines agree, of how many, and the difference as the lines of a unified diff."""

    agree: int
    total: int
    difference: tuple[str, ...]


def compare(restored: Restoration, replayed: Sequence[str]) -> Agreement:
    """Compare the restored document with the lines of a replay.

    Where the document cuts a line short, a line that begins so agrees with it.
    """
    documented = restored.text.splitlines()
    cut = _places(restored)
    wanted = [
        mine if place in cut and mine.startswith(line.rstrip("'")) else line
        for place, (line, mine) in enumerate(zip(documented, replayed, strict=False))
    ] + documented[len(replayed) :]
    return Agreement(
        agree=sum(line == mine for line, mine in zip(wanted, replayed, strict=False)),
        total=max(len(wanted), len(replayed)),
        difference=tuple(
            difflib.unified_diff(wanted, replayed, "documented", "replayed", lineterm="")
        ),
    )


def _places(restored: Restoration) -> set[int]:
    """Places in the restored text, from 0, of the lines that the document cuts short."""
    left_out = set(restored.left_out)
    return {line - 1 - sum(out < line for out in left_out) for line in restored.cut}
