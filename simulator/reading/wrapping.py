"""What something between the program and the reader did to the lines of a log, undone.

Each way of undoing is learned from the head of a log and then goes line by line, so that it works
on a log of any size. Lines keep their numbers; one may become several.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from simulator.needles import late
from simulator.reading import fragments
from simulator.reading.clean import Line, stamp

Undo = Callable[[str], list[str]]
"""The lines that one line was, before something was done to it."""

SHARE = 0.5
"""The share of lines that must show a wrapping."""

_BORDER = late(r"^\s*[│┃║|]\s?|\s*[│┃║|]\s*$")
_CLOSED = late(r"[│┃║|]\s*$")


def _border(head: list[str]) -> Undo | None:
    """The frame that a terminal or a table drew around the log."""
    if not _shown(_CLOSED, head):
        return None
    return lambda line: [_BORDER.sub("", line)]


_ESCAPED = late(r"\\[\"']|\\\\[rn]|\\$")


def _escaped(head: list[str]) -> Undo | None:
    """Escaped quotes and backslashes, and one at the end of each line."""
    if not _shown(_ESCAPED, head, 0.3):
        return None

    def undo(line: str) -> list[str]:
        line = line.replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")
        return [line.rstrip("\\ ")]

    return undo


_LINE_END = late(r"<EOL>|<CRLF>|<CR><LF>|\\r\\n|\\n(?!\w*\\)|\\015\\012|␍␊")


def _line_ends(head: list[str]) -> Undo | None:
    """Line ends that are written out: in several lines, or several times in one."""
    ends = sum(_LINE_END.search(line) is not None for line in head)
    if ends < min(2, len(head)) and not any(line.count("\\n") >= MOST_ENDS for line in head):
        return None
    return lambda line: [p for p in _LINE_END.split(line) if p.strip("'\" ,")] or [line]


MOST_ENDS = 4
"""Line ends on one line that show a whole log in it, as a dump of a database has it."""

_NUMBERED = late(r"\s{0,8}(\d{1,6})(?:[:.|)]\s?|\s{1,8}|$)")


def _numbers(head: list[str]) -> Undo | None:
    """The number that an editor or a page gives each line, one more than the line before."""
    found = [_NUMBERED.match(line) for line in head if line.strip()]
    numbers = [int(match[1]) for match in found if match is not None]
    if len(numbers) < max(4, len(found)):
        return None
    if not all(1 <= later - earlier <= 3 for earlier, later in pairwise(numbers)):
        return None
    return lambda line: [_NUMBERED.sub("", line, count=1)]


_RECORD = late(
    r"(?<=\S)\s*(?=\[\d{1,2}-\w{3}-\d{4} \d\d:\d\d|\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)"
    r"| (?=(?:<<|>>|\+\+|!!) )"
)


def _records(head: list[str]) -> Undo | None:
    """Several records on a line."""
    if not any(len(_RECORD.split(line)) > 2 for line in head):
        return None
    return lambda line: [piece.strip() for piece in _RECORD.split(line) if piece.strip()] or [line]


LONGEST_AFFIX = 200


def _affix(head: list[str]) -> Undo | None:
    """What stands before, and behind, nearly every line, whatever its numbers."""
    full = [line for line in head if line.strip()]
    before = _common([_shape(line[:LONGEST_AFFIX]) for line in full])
    behind = _common([_shape(line[-LONGEST_AFFIX:])[::-1] for line in full])[::-1]
    before = before if len(before.strip(" \t0")) > 1 else ""
    behind = behind if len(behind.strip()) > 2 else ""
    if len(full) < 4 or not (before or behind):
        return None
    start, end = _literal(before), _literal(behind)
    first, last = re.compile(start), re.compile(f"{end}$")

    def undo(line: str) -> list[str]:
        if before and (match := first.match(line)) is not None:
            line = line[match.end() :]
        if behind and (match := last.search(line, max(0, len(line) - 2 * LONGEST_AFFIX))):
            line = line[: match.start()]
        return [line]

    return undo


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _literal(shape: str) -> str:
    return r"\d+".join(re.escape(part) for part in shape.split("0"))


def _common(texts: list[str], share: float = 0.7) -> str:
    """The longest beginning that at least that share of the texts has, up to a word's end."""
    found = ""
    while len(found) < LONGEST_AFFIX:
        size = len(found) + 1
        counts = Counter(t[:size] for t in texts if len(t) >= size and t.startswith(found))
        best, count = counts.most_common(1)[0] if counts else ("", 0)
        if not count or count < share * len(texts):
            break
        found = best
    # Not into a word or a reply code that all lines happen to begin with.
    return found[: max((i for i, c in enumerate(found, 1) if not c.isalnum()), default=0)]


def _shown(pattern: re.Pattern[str], head: list[str], share: float = SHARE) -> bool:
    full = [line for line in head if line.strip()]
    hits = sum(pattern.search(line) is not None for line in full)
    return hits > 0 and hits >= share * len(full)


_WAYS = {
    "affix": _affix,
    "border": _border,
    "escapes": _escaped,
    "line ends": _line_ends,
    "numbers": _numbers,
    "records": _records,
}
NEWEST_FIRST = "newest first"


def undoings(head: list[str]) -> dict[str, Undo]:
    """The ways of undoing that the head of a log calls for, by what they undo."""
    return {name: undo for name, learn in _WAYS.items() if (undo := learn(head)) is not None}


def undone(lines: Iterable[Line], undo: Undo) -> Iterator[Line]:
    """The lines before it was done to them."""
    for line in lines:
        if not line.text:
            yield line
            continue
        for text in undo(line.text):
            yield Line(line.number, text.rstrip())


def is_newest_first(head: list[str]) -> bool:
    """Whether the stamps go backwards, as in the log viewers of web pages; where there are none,
    whether the log ends with a greeting or begins with a farewell."""
    if (steps := _steps(head)) is not None:
        back = sum(step < 0 for step in steps)
        return back > 0 and sum(step > 0 for step in steps) <= back // 4
    said = [found for line in head for found in fragments.of(line)]
    if len(said) < 4:
        return False
    first, last = said[0].text.upper(), said[-1].text.upper()
    return not first.startswith("220") and (
        last.startswith("220 ") or (first.startswith("221") and last.startswith(("220", "EHLO")))
    )


def is_surely_newest_first(head: list[str]) -> bool:
    """Whether the stamps go backwards more than once, and never forwards."""
    steps = _steps(head) or []
    return sum(step < 0 for step in steps) > 1 and not any(step > 0 for step in steps)


def _steps(head: list[str]) -> list[float] | None:
    """Seconds from stamp to stamp, of stamps of one kind; None if there are not enough."""
    stamps = [found for line in head if line and (found := stamp(line)) is not None]
    if len(stamps) < 3:
        return None
    return [b.seconds - a.seconds for a, b in pairwise(stamps) if a.known == b.known]


def oldest_first(lines: list[Line]) -> list[Line]:
    """The records of a log in the other order; what has no stamp goes on with the record before."""
    stamped = [bool(line.text) and stamp(line.text) is not None for line in lines]
    if not any(stamped):
        return lines[::-1]
    records: list[list[Line]] = []
    for line, begins in zip(lines, stamped, strict=True):
        if begins or not records:
            records.append([])
        records[-1].append(line)
    return [line for record in reversed(records) for line in record]
