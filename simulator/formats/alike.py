"""The lines of one session of a Postfix log, unread, and another session that is like it.

Two sessions are alike whose lines say the same but for times, numbers and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

from simulator.formats import maillog
from simulator.needles import late
from simulator.reading.clean import line_of
from simulator.reading.format import Likeness
from simulator.session import Session

LOOSE, OWN, BESIDE, APART = range(4)
"""A line of no session that was open, one of the process that serves the session, one of another
process that tells of it, and one that tells of a session by itself."""

Kept = tuple[int, bytes, int]
"""A line that was put with a session: its number, its octets, and how it belongs there."""

_MOST_ALIKE = 12
"""Lines of a session beyond which no other is likely to be the same."""

_STAMP = late(
    rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?=\S)"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?(?:[+-]\d\d:\d\d|Z) (?=\S)"
)
_PID = late(rb"\[([1-9]\d{1,9})\]")
_FROM = late(rb"connect from (?P<peer>(?P<name>[\w.-]{1,200})\[(?P<address>[0-9.]{7,15})\])")
_TELLING = late(
    rb"(?i)tls|ssl|port|v\d|(?<!\d)[45]\d\d(?!\d)|(?<![a-z\d])[23]\d\d(?!\d)|[23]\d\d[-_]"
)
"""A name with numbers that may be more than that: a version, a port, the code of a reply."""
_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")
_THREE_MORE = bytes.maketrans(b"0123456789", b"3456789012")


class Sifted:
    """The lines of one session, put as they were."""

    __slots__ = ("_begun", "_lines", "_process")

    def __init__(self, process: bytes, lines: list[Kept], begun: bool) -> None:
        self._process, self._lines, self._begun = process, lines, begun

    def sessions(self) -> list[Session]:
        """What the reader reads of the lines."""
        reader = maillog.Reader()
        reader.desk.count = int(self._begun)
        for number, octets, how in self._lines:
            line = line_of(number, octets)
            if how == OWN:
                reader.take(line, [])
            elif how == BESIDE:
                reader.desk.beside(line.text, number, self._process.decode())
            elif how == APART:
                reader.desk.apart(line.text, number)
            else:
                reader.desk.loose(line.text, number)
        return list(reader.desk.finish())

    def likeness(self) -> Likeness | None:
        """The form of a session of the server's of which all lines are its own.

        Names are taken out for their numbers only: a word in one might tell something.
        """
        process, lines = self._process, self._lines
        pid = _PID.search(process)
        if pid is None or not lines or len(lines) > _MOST_ALIKE or b"/smtpd[" not in process:
            return None
        first = lines[0][1]
        began = _FROM.search(first, first.find(process))
        if began is None:
            return None
        peer, name = began["peer"], began["name"]
        values = [pid[1], began["address"]]
        alike = name
        if _TELLING.search(name) is None:
            values.append(name)
            alike = name.translate(_DIGITS)
        form: list[Hashable] = [
            process[: pid.start()], len(pid[1]), alike, len(began["address"]),
        ]  # fmt: skip
        for number, line, how in lines:
            stamp = _STAMP.match(line)
            if how != OWN or stamp is None:
                return None
            rest = line[stamp.end() :].replace(process, b"\1").replace(peer, b"\2")
            form += (stamp[0][3:].translate(_DIGITS), rest, len(str(number)))
            values += (stamp[0][:-1], b"%d" % number)
        return Likeness(tuple(form), tuple(value.decode() for value in values))

    def other(self) -> tuple[Sifted, tuple[str, ...]] | None:
        """Another session with the same likeness, all of whose values are different."""
        likeness = self.likeness()
        if likeness is None:
            return None
        pid, address, *more = (value.encode() for value in likeness.values)
        began = _FROM.search(self._lines[0][1])
        assert began is not None
        process = self._process.replace(b"[%s]" % pid, b"[%s]" % _other(pid))
        name = _other(began["name"]) if more[0] == began["name"] else began["name"]
        peer = b"%s[%s]" % (name, _other(address))
        lines: list[Kept] = []
        for place, (number, line, how) in enumerate(self._lines):
            stamp = _STAMP.match(line)
            assert stamp is not None
            rest = line[stamp.end() :].replace(self._process, process).replace(began["peer"], peer)
            line = _other_time(stamp[0], place) + rest
            lines.append((_other_number(number, place, len(self._lines)), line, how))
        found = Sifted(process, lines, self._begun)
        same = found.likeness()
        if same is None or same.form != likeness.form or len(set(same.values)) < len(same.values):
            return None
        return found, same.values


def _other(text: bytes) -> bytes:
    """A text with other numbers, as long, none of them more than 199."""
    return re.sub(rb"\d+", lambda found: _other_digits(found[0]), text)


def _other_digits(digits: bytes) -> bytes:
    first = b"1" if digits[:1] != b"1" or len(digits) == 3 else b"6"
    return first + digits[1:].translate(_THREE_MORE)


def _other_time(stamp: bytes, place: int) -> bytes:
    """Another time, as long; a later one for a later place."""
    clock = stamp.index(b":") - 2
    if stamp[:1].isalpha():
        month, day = (b"Mar" if stamp[:3] != b"Mar" else b"Apr"), stamp[4:6]
        if day < b"10":
            day = b" 3" if day != b" 3" else b" 4"
        else:
            day = b"14" if day != b"14" else b"15"
        date = b"%s %s " % (month, day)
    else:
        year, other = stamp[:4], stamp[5:10]
        date = (b"2031" if year != b"2031" else b"2032") + b"-"
        date += (b"03-14" if other[:2] != b"03" and other[3:] != b"14" else b"04-15") + b"T"
    hour, minute = stamp[clock : clock + 2], stamp[clock + 3 : clock + 5]
    time = b"%s:%s:%02d" % (
        b"11" if hour != b"11" else b"12", b"41" if minute != b"41" else b"42", 20 + place
    )  # fmt: skip
    return date + time + stamp[clock + 8 :]


def _other_number(number: int, place: int, places: int) -> int:
    """Another number of a line, as long; a higher one for a higher place."""
    least = int(f"1{'0' * (len(str(number)) - 1)}")
    other = least + (place + 1) * (9 * least) // (places + 2)
    return other + (other == number)
