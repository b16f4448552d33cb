"""Keys and certificates in their textual encoding (RFC 7468): where one begins and ends, and the
lines of private keys whose beginning is missing."""

from __future__ import annotations

from simulator.masking import leads
from simulator.masking.words import SMTP_WORDS, mechanisms
from simulator.needles import late

BEGINS = late(r"-{4,5} ?BEGIN (?P<what>[A-Z0-9 ]{0,60})-{4,5}")
ENDS = late(r"-{4,5} ?END (?P<what>[A-Z0-9 ]{0,60})-{4,5}")
LINE = late(
    r"\s*b?[\"']?[A-Za-z0-9+/]*+={0,2}(?:\\[rn])*[\"']?[\s,;.\\]*|=[A-Za-z0-9+/]{4}"
    r"|\s*(?:Proc-Type|DEK-Info): .*"
)
"""A line of a private key (RFC 7468 §3, RFC 1421 §4.6), perhaps quoted as a string of a program."""
_SURE = 16
"""Characters of lines that are more than a word or two."""
_HEAD = "-----BEGIN"
_MARK = late(r"\s*(?:(?:[CS]:|[<>|=~*-]{1,4})\s+)?")


def without_head(text: str, longest: int) -> dict[str, int]:
    """The lines of private keys whose end stands in the text, but not their beginning; and how many
    characters of each are the log's."""
    if not any("PRIVATE" in end["what"] for end in ENDS.finditer(text)):
        return {}
    found: dict[str, int] = {}
    above: list[str] = []
    for whole in text.split("\n"):
        line = whole[:longest]
        end = ENDS.search(line) if "END " in line else None
        begin = BEGINS.search(line) if "BEGIN " in line else None
        if end is not None and begin is None and "PRIVATE" in end["what"]:
            key = _run(above, leads.alike(line[: end.start()].strip(" ")))
            if sum(len(line) - before for line, before in key.items()) >= _SURE:
                found |= key
        if end is not None or begin is not None:
            above = []
        # A key that has its beginning is known by that.
        above.append(_HEAD if begin is not None and "PRIVATE" in begin["what"] else line)
    return found


def _run(above: list[str], prefix: str) -> dict[str, int]:
    """The last lines that may be of a key, each behind what stands before its end, or behind marks
    that logs have."""
    found: dict[str, int] = {}
    apart = False
    # A page may have set each line apart.
    spaced = bool(above) and not _bare(above[-1])
    for line in reversed(above):
        if line == _HEAD:
            return {}
        line = line.strip()
        bare = _bare(line)
        if prefix and leads.alike(line).startswith(prefix):
            bare = line[len(prefix) :].strip()
        # Only its headers stand apart from it.
        if not LINE.fullmatch(bare) or (apart and ": " not in bare):
            break
        apart = apart or not (bare or spaced)
        if any(map(str.isalnum, bare)) and bare.upper() not in SMTP_WORDS | mechanisms():
            found[line.casefold()] = len(line) - len(bare)
    return found


def _bare(line: str) -> str:
    """A line behind what a log writes before it."""
    line = line[len(leads.of(line)) :]
    mark = _MARK.match(line)
    line = line[mark.end() if mark else 0 :]
    # Also where nothing stands behind it.
    return line[len(leads.of(line + " .")) :].strip()
