"""The gettext catalogues: extracted from the sources, merged into each language, compiled.

Only the ``.po`` files are in git. The package builder has the ``.mo`` compiled (`tools/build.py`),
and `make` where a checkout is run. By hand::

    python tools/catalogues.py compile         # every .mo that is missing or older than its .po
    python tools/catalogues.py update [CODE]   # bring every .po up to date; start one for CODE

The ``.po`` files carry no dates and no line numbers: they change only when a text changes.
"""

from __future__ import annotations

import io
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "simulator" / "locales"
DOMAIN = "ehlo_twice"
SITE = ROOT / "tools" / "locales"
SITE_DOMAIN = "site"
"""What the site and the workshop say stays out of the package; it is read as the `.po` has it."""
WORDS = ROOT / "tools" / "words.toml"
SITE_PROSE: tuple[tuple[Path, set[str]], ...] = (
    (WORDS, set()),
    *((recipe, {"about"}) for recipe in sorted((ROOT / "survey").glob("*/software.toml"))),
    (ROOT / "docs" / "data" / "bugs.toml", {"title", "as"}),
    (ROOT / "docs" / "data" / "findings.toml", {"title", "sign", "cause", "remedy"}),
    (ROOT / "docs" / "data" / "first-aid.toml", {"label", "title", "means", "now", "tells"}),
    (ROOT / "docs" / "data" / "glossary.toml", {"word", "says"}),
    (ROOT / "workshop" / "quiz.toml", {"idea", "text", "reveals"}),
    (ROOT / "workshop" / "solutions" / "changes.toml", {"text"}),
)
COMPLETE = "pt_BR"
"""The language that lacks nothing; in the others a text without translation stays English."""
KEYWORDS = {"N_": None, "_": None}
# A fixed date instead of today's: the same sources give the same bytes.
DATE = datetime(2005, 5, 16, tzinfo=UTC)
# Header lines that change without a text changing, or that say nothing.
NOISE = re.compile(
    r'^# \|.*\n|^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date'
    r"|Last-Translator|Language-Team|Generated-By): .*\n",
    re.MULTILINE,
)


# Data that holds prose for translation: which files, and below which of their keys.
PROSE: tuple[tuple[str, set[str]], ...] = (
    ("causes.toml", {"title", "cause", "ruled_out", "remedy"}),
    ("checks/*.toml", {"title", "fix"}),
    (
        "exercises/tasks/**.toml",
        {"title", "task", "hints", "says", "about", "because", "failed", "fits"},
    ),
    ("exercises/words.toml", set()),
    ("formats/**.toml", {"title", "log_more"}),
    ("lab/arena.toml", {"title"}),
    ("lab/keys.toml", set()),
    ("masking/identities.toml", {"of"}),
    ("scenarios/**.toml", {"title", "question", "watch", "conclude"}),
    ("statuses.toml", {"means"}),
    ("survey/questions.toml", {"about"}),
)


def prose(keys: set[str]) -> Callable[..., Iterator[tuple[int, str, str, list[str]]]]:
    """A reader, as Babel wants it, of the texts below those keys of a TOML file; of all its texts
    where no key is named."""

    def texts(found: Any, ours: bool) -> Iterator[str]:
        if isinstance(found, str):
            yield from [found] if ours and found else ()
        elif isinstance(found, dict):
            for key, value in found.items():
                yield from texts(value, ours or key in keys)
        elif isinstance(found, list):
            for value in found:
                yield from texts(value, ours and isinstance(value, str))

    def extract(file: IO[bytes], *_: Any, **__: Any) -> Iterator[tuple[int, str, str, list[str]]]:
        return ((1, "N_", text, []) for text in texts(tomllib.load(file), not keys))

    return extract


def template(domain: str = DOMAIN) -> Catalog:
    """Every text of that domain that is marked for translation, and the file that has it."""
    catalogue = Catalog(project="ehlo-twice", charset="utf-8")
    if domain == SITE_DOMAIN:
        for path, keys in SITE_PROSE:
            with path.open("rb") as source:
                for _, _, text, _ in prose(keys)(source):
                    catalogue.add(text, None, [(path.relative_to(ROOT).as_posix(), 1)])
        return catalogue
    for file, line, message, comments, context in _marked():
        place = (f"simulator/{Path(file).as_posix()}", line)
        catalogue.add(message, None, [place], auto_comments=comments, context=context)
    return catalogue


@cache
def _marked() -> list[Any]:
    """Where each stands; it takes a while to find."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as cfg:
        methods, options = parse_mapping_cfg(cfg)  # type: ignore[no-untyped-call]
    data: list[Any] = [(pattern, prose(keys)) for pattern, keys in PROSE]
    found = extract_from_dir(
        ROOT / "simulator",
        [*methods, *data],
        options,
        KEYWORDS,
        ["Translators:"],
        strip_comment_tags=True,
    )
    return sorted(found, key=lambda found: found[:2])


def catalogues(locales: Path = LOCALES) -> list[Path]:
    """The ``.po`` file of each language, sorted."""
    return sorted(locales.glob("*/LC_MESSAGES/*.po"))


def read(po: Path) -> Catalog:
    """Read a ``.po``; the folder two above names its language. Raises ``PoFileError``."""
    with po.open("rb") as source:
        return read_po(source, locale=po.parent.parent.name, abort_invalid=True)


def translations(po: Path) -> dict[str, str]:
    """Each text that a language has, and what it says there; not what is only a guess."""
    return {str(m.id): str(m.string) for m in read(po) if m.id and m.string and not m.fuzzy}


def lacking(po: Path) -> list[str]:
    """The texts that a language shows in English: not translated, or no longer surely so."""
    known = translations(po)
    return [str(m.id) for m in template(po.stem) if m.id and m.id not in known]


def report(locales: Path = LOCALES) -> list[str]:
    """One line for each language that has texts to translate."""
    found = [(po, left) for po in catalogues(locales) if (left := lacking(po))]
    return [
        f"{po.parts[-3]}: {len(left)} of {len(template(po.stem))} texts are in English, "
        f"first {left[0]!r}"
        for po, left in found
    ]


def update(new: str | None = None, locales: Path = LOCALES) -> list[Path]:
    """Merge the template into every ``.po``, and a new one for ``new``; return the changed."""
    if new is not None:
        po = locales / new / "LC_MESSAGES" / f"{DOMAIN}.po"
        if not po.exists():
            po.parent.mkdir(parents=True, exist_ok=True)
            with po.open("wb") as target:
                write_po(target, Catalog(locale=new, project="ehlo-twice", charset="utf-8"))
    changed = []
    for po in catalogues(locales):
        catalogue = read(po)
        catalogue.header_comment = f"# ehlo-twice in {catalogue.locale_identifier}."
        code = po.parts[-3]
        # A guess helps who translates at once; where nobody does, it would stand there for ever.
        catalogue.update(template(po.stem), no_fuzzy_matching=code != COMPLETE)
        catalogue.fuzzy = False
        after = _as_text(catalogue)
        if after != po.read_text(encoding="utf-8"):
            po.write_text(after, encoding="utf-8", newline="\n")
            changed.append(po)
    return changed


def _as_text(catalogue: Catalog) -> str:
    buffer = io.BytesIO()
    write_po(
        buffer,
        catalogue,
        width=99,
        sort_by_file=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    return NOISE.sub("", buffer.getvalue().decode("utf-8"))


def compile_all(pos: Iterable[Path]) -> list[Path]:
    """Write the ``.mo`` beside each ``.po``; return them."""
    written = []
    for po in pos:
        catalogue = read(po)
        catalogue.creation_date = catalogue.revision_date = DATE
        mo = po.with_suffix(".mo")
        # Written beside and moved into place: a running program never meets half a catalogue.
        partial = mo.with_suffix(".mo.partial")
        with partial.open("wb") as target:
            write_mo(target, catalogue)
        partial.replace(mo)
        written.append(mo)
    return written


def stale(po: Path) -> bool:
    """Is the ``.mo`` missing, or older than its ``.po``?"""
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns


def main(arguments: list[str]) -> int:
    """Run the command named first; exit code 2 when there is no such command."""
    match arguments:
        case ["compile"]:
            done, paths = "compiled", compile_all(filter(stale, catalogues()))
        case ["update"]:
            done, paths = "updated", [*update(), *update(locales=SITE)]
        case ["update", code]:
            done, paths = "updated", [*update(code), *update(locales=SITE)]
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for path in paths:
        print(done, path.relative_to(ROOT))
    if done == "updated":
        for line in (*report(), *report(SITE)):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
