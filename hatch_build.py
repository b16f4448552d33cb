"""Compile the gettext catalogues whenever the package is built or installed.

Only the ``.po`` files are in git. This hook turns each into the ``.mo`` beside it, for a wheel,
a source distribution and an editable install alike. ``python hatch_build.py`` does the same by
hand, for the catalogues whose ``.mo`` is missing or older than its ``.po``.
"""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCALES = Path(__file__).parent / "simulator" / "locales"


def compile_catalogues(locales: Path = LOCALES) -> list[Path]:
    """Compile every ``.po`` under ``locales`` that is newer than its ``.mo``; return those written."""
    written = []
    for po in sorted(locales.glob("*/LC_MESSAGES/*.po")):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns > po.stat().st_mtime_ns:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parent.parent.name, abort_invalid=True)
        # Written beside and moved into place: a reader never meets half a catalogue.
        partial = mo.with_suffix(".mo.partial")
        with partial.open("wb") as target:
            write_mo(target, catalogue)
        partial.replace(mo)
        written.append(mo)
    return written


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's name for the hook of this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before files are collected."""
        compile_catalogues()


if __name__ == "__main__":
    for path in compile_catalogues():
        print(f"compiled {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
