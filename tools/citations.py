"""The quotations of the RFCs: compared with the RFCs' own texts, and sealed against slips.

    python tools/citations.py FOLDER    # compare with the texts in FOLDER (rfc3207.txt …), and seal
    python tools/citations.py           # say which quotations changed since, or were never compared

Each table of `simulator/citations.toml` ends in a `fingerprint` of its quotation as it stood when
it was last found in the RFC. Only this tool writes one, and only for what it found there, within
the section that the table names; that of a quotation which was not compared yet is empty.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from simulator.smtp import Citation, citations

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "simulator" / "citations.toml"

_PAGE = re.compile(r"\n*[^\n]*\[Page \d+\][ \t]*\n*(?:\f\n?RFC \d+[^\n]*\n*)?", re.IGNORECASE)
_HEADING = re.compile(r"(?m)^(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)\.? +\S")


def fingerprint(cited: Citation) -> str:
    """Twelve hexadecimal digits that change with the RFC's number, the section or the quotation."""
    told = f"{cited.rfc} {cited.section} {cited.keyword} {cited.quote}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def words(text: str) -> str:
    """A text without what only its lines and pages bring: breaks, headers, indents, hyphens at the
    end of a line."""
    return re.sub(r"(?<=\w[-/]) (?=\w)", "", " ".join(text.split()))


def sections(text: str) -> dict[str, str]:
    """An RFC's text by section number, each with the sections below it."""
    whole = _PAGE.sub("\n", text.replace("\r\n", "\n"))
    # The table of contents has the same headings: the later one counts.
    found = {match[1]: match.start() for match in _HEADING.finditer(whole)}
    starts = sorted(found.items(), key=lambda item: item[1])
    parts = {}
    for place, (number, start) in enumerate(starts):
        below = (at for other, at in starts[place + 1 :] if not other.startswith(f"{number}."))
        parts[number] = words(whole[start : next(below, len(whole))])
    return parts


def compare(folder: Path) -> dict[str, str]:
    """Of each citation whose RFC is in the folder: what is wrong, or nothing if it stands there."""
    texts: dict[int, dict[str, str]] = {}
    for rfc in {cited.rfc for cited in citations().values()}:
        path = folder / f"rfc{rfc}.txt"
        if path.is_file():
            texts[rfc] = sections(path.read_text(encoding="utf-8", errors="replace"))
    told = {}
    for key, cited in citations().items():
        if cited.rfc in texts:
            there = texts[cited.rfc].get(cited.section)
            if there is None:
                told[key] = f"RFC {cited.rfc} has no section {cited.section}"
            elif words(cited.quote) not in there:
                told[key] = f"{cited.place} does not say: {cited.quote}"
            else:
                told[key] = ""
    return told


def seal(found: set[str], source: str) -> str:
    """The text of `citations.toml` with the fingerprints of those that were found in the RFC."""
    tables = re.split(r"(?m)^(?=\[)", source)
    for place, table in enumerate(tables):
        key = table[1 : table.index("]")] if table.startswith("[") else ""
        if key in found:
            line = f'fingerprint = "{fingerprint(citations()[key])}"\n'
            bare = re.sub(r"(?m)^fingerprint = .*\n", "", table)
            tables[place] = re.sub(r"(?m)^remark = .*\n", rf"\g<0>{line}", bare)
    return "".join(tables)


def changed() -> list[str]:
    """The citations whose quotation is no longer what was compared."""
    return [
        key
        for key, cited in citations().items()
        if cited.fingerprint and cited.fingerprint != fingerprint(cited)
    ]


def uncompared() -> list[str]:
    """The citations whose quotation nobody has compared with the RFC's text."""
    return [key for key, cited in citations().items() if not cited.fingerprint]


def main(arguments: list[str]) -> int:
    """Compare or check; exit code 1 if a quotation is wrong, 2 if there is nothing to compare."""
    if not arguments:
        for key in changed():
            print(f"{key}: changed since it was compared with the RFC")
        for key in uncompared():
            print(f"{key}: never compared with the RFC")
        return 1 if changed() else 0
    folder = Path(arguments[0])
    told = compare(folder)
    if not told:
        print(f"{folder}: no text of a cited RFC in it, such as rfc3207.txt", file=sys.stderr)
        return 2
    found = {key for key, wrong in told.items() if not wrong}
    source = SOURCE.read_text(encoding="utf-8")
    SOURCE.write_text(seal(found, source), encoding="utf-8", newline="\n")
    for key, wrong in told.items():
        if wrong:
            print(f"{key}: {wrong}")
    print(f"{len(found)} of {len(told)} quotations stand in their RFC")
    missing = sorted({cited.rfc for key, cited in citations().items() if key not in told})
    if missing:
        print(f"not in {folder}: {', '.join(f'rfc{rfc}.txt' for rfc in missing)}")
    return 1 if len(found) < len(told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
