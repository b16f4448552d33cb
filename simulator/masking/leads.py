"""What a log writes before each of its lines: the time, the process, the level."""

from __future__ import annotations

import re

from simulator.masking.words import name
from simulator.needles import late

_DATE = r"\d{4}[-/.]\d\d[-/.]\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_PROCESS = r"[\w./()-]{1,60}(?:\[\d+\])?: "
_GAP = r"(?: - | ?[:|,] ?| )"
_LEVEL = r"(?:DEBUG|INFO|TRACE|WARN(?:ING)?|ERROR|NOTICE|CRITICAL|FINE|SEVERE)"
_STAMPS = tuple(
    late(expression)
    for expression in (
        r"<\d{1,3}>\d? ?",
        rf"\[?{_DATE}(?:[T ,]{{1,2}}{_CLOCK})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?\]?{_GAP}",
        rf"\[?(?:[A-Z][a-z]{{2}},? )?[A-Z][a-z]{{2}} {{1,2}}\d{{1,2}},?(?: \d{{4}})?,? {_CLOCK}(?: \d{{4}})?\]?[: ] ?(?:[\w.-]{{1,64}} (?={_PROCESS}))?",
        rf"\[?{_CLOCK}\]?{_GAP}",
        r"[\w./()-]{1,60}\[\d{1,8}\]: ?",
        r"[\w.-]{1,40} {1,20}\| ",
        r"\[[\w .:/-]{1,40}\] (?=\S)",
        rf"(?:\w{{1,20}}\.)?{_LEVEL}(?:: |\] | {{1,3}}(?:[A-Za-z][\w.$\[\]]{{1,80}}:? - |- )?|:[a-z][a-z0-9_.]{{0,40}}:(?!/|\d))",
    )
)
_BRACKETS = _STAMPS[-2]
_PART = late(
    r"(?!\S*(?i:user|login|auth|account|ur[li]|dsn|api)|[upUP]: )"
    r"[A-Za-z][\w.$-]{0,60}(?:\[[\w.-]{1,40}\])?: (?=\s*\S)"
)
"""The part of a program that logs, behind the level."""
_BOUNDARY = late(
    r"(?:[\]:<>|)=*~-]|\b(?:DEBUG|INFO|TRACE|WARN(?:ING)?|ERROR|NOTICE))(?: |(?<=\|)|$)"
)

SIDE = late(
    r"(?:(?:^|(?<=[\s\[(|\]\"']))(?:[CS]|(?i:[\w.:-]{0,40}(?:client|server|peer)|sen[dt]|recv|received?|reply|response"
    r"|request|command)):|(?<![<>~=*-])(?:[-~=*]{1,4}[<>]{1,8}|[<>]{1,8}[-~=*]{1,4}|[<>]{2,8}|(?<!\S)[<>]|[←→])"
    r"|(?<!\S)(?:={2,4}|\*{2,4}))"
    r"[\])]?:?(?: [\w.-]{1,255}\[[\w.:]{1,45}\](?::\d{1,5})?:)?\s+(?=\S)"
)
"""What a log writes before the words of one side, and perhaps the peer's name behind it."""
REACH = 200
"""Characters of a line in which its marks stand."""

_DIGITS = str.maketrans("0123456789", "0000000000")


def of(line: str) -> str:
    """What stands before the text of a line, as any logger may have put it there."""
    place = level = 0
    for _ in range(6):
        for stamp in _STAMPS:
            match = stamp.match(line, place)
            if match and match.end() < len(line):
                if stamp is _BRACKETS and name().search(match[0]):
                    continue
                place = match.end()
                level = place if stamp is _STAMPS[-1] else level
                break
        else:
            break
    if level and level == place and (part := _PART.match(line, place)):
        place = place if name().search(part[0]) else part.end()
    return line[:place]


def shared(before: str, line: str) -> str:
    """What stands before the text of both lines, whatever the numbers in it are."""
    ends = [match.end() for match in _BOUNDARY.finditer(before[:160])]
    for end in reversed(ends[:12]):
        same = re.sub(r"\d+", r"\\d+", re.escape(before[:end]))
        if match := re.match(same, line):
            return match[0]
    return ""


def alike(line: str) -> str:
    """A line, whatever its numbers are: those of the time differ from line to line."""
    return line.translate(_DIGITS)
