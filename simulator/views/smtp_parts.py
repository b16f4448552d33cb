"""The parts of SMTP text, down to the hyphen behind a reply code and the dot that ends a message.

They cover the text without gap or overlap, whatever it is: peers send what they like.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from simulator.needles import late
from simulator.session import AnyEvent, AuthResponse, Message, Reply

Part = tuple[int, int, int, str]
"""Start, end, depth, name."""

_ENHANCED = late(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?= |$)")
_REPLY_CODE = late(rb"[0-9]{3}(?=[ -]|$)")


def parts_of(event: AnyEvent, data: bytes, after_ehlo: bool) -> list[Part]:
    """The parts of what an event said. `after_ehlo`: it answers EHLO, so it brings the list."""
    match event:
        case Message():
            return _message_parts(data)
        case Reply():
            return reply_parts(data, after_ehlo)
        case AuthResponse():
            return _lines_parts(data, lambda _: lambda _, at: [(at, "response")])
    return command_parts(data)


_Splitter = Callable[[bytes, int], list[tuple[int, str]]]
"""A line without its end, and where it stands: where each part begins, and its name."""


def _line_parts(line: bytes, at: int, depth: int, split: _Splitter) -> list[Part]:
    """The parts of a line, its end included."""
    end = at + len(line)
    stop = end
    marks: list[tuple[int, str]] = []
    if line.endswith(b"\r\n"):
        stop = end - 2
        marks = [(stop, "line-end")]
    elif line.endswith(b"\n"):
        stop = end - 1
        marks = [(stop, "bare-line-end")]
    marks = [*split(line[: stop - at], at), *marks]
    ends = [start for start, _ in marks[1:]] + [end]
    return [
        (start, finish, depth, name)
        for (start, name), finish in zip(marks, ends, strict=True)
        if start < finish
    ]


def _command_line(line: bytes, at: int) -> list[tuple[int, str]]:
    verb = line.find(b" ")
    if verb < 0:
        return [(at, "verb")]
    argument = len(line) - len(line[verb:].lstrip(b" "))
    return [(at, "verb"), (at + verb, "space"), (at + argument, "argument")]


def _lines_parts(data: bytes, splitter_of: Callable[[int], _Splitter]) -> list[Part]:
    """The parts of one line, or those of each line below a part of its own."""
    lines = _split_lines(data)
    found: list[Part] = []
    at = 0
    for number, line in enumerate(lines):
        depth = 1
        if len(lines) > 1:
            found.append((at, at + len(line), 1, "line"))
            depth = 2
        found += _line_parts(line, at, depth, splitter_of(number))
        at += len(line)
    return found


def command_parts(data: bytes) -> list[Part]:
    """The parts of command lines."""
    return _lines_parts(data, lambda _: _command_line)


def reply_parts(data: bytes, after_ehlo: bool) -> list[Part]:
    """The parts of reply lines."""

    def splitter(number: int) -> _Splitter:
        listed = "keyword" if number else "server-name"
        return functools.partial(_reply_line, listed=listed if after_ehlo else "")

    return _lines_parts(data, splitter)


def _reply_line(line: bytes, at: int, listed: str) -> list[tuple[int, str]]:
    if not _REPLY_CODE.match(line):
        return [(at, "text")]
    if len(line) == 3:
        return [(at, "code")]
    marks = [(at, "code"), (at + 3, "hyphen" if line[3:4] == b"-" else "last-line")]
    rest = line[4:]
    begin = at + 4
    first = listed
    if not listed and _ENHANCED.match(rest):
        first = "enhanced-code"
    marks.append((begin, first or "text"))
    word = rest.find(b" ")
    if first and word >= 0:
        marks.append((begin + word, "space"))
        marks.append((begin + word + 1, "parameters" if listed == "keyword" else "text"))
    return marks


def _message_parts(data: bytes) -> list[Part]:
    stop = len(data)
    if data == b".\r\n" or data.endswith(b"\r\n.\r\n"):
        stop -= 3
    blank = data.find(b"\r\n\r\n", 0, stop)
    header, body = (blank + 2, blank + 4) if blank >= 0 else (stop, stop)
    marks = [(0, "header"), (header, "empty-line"), (body, "body"), (stop, "lone-dot")]
    ends = [start for start, _ in marks[1:]] + [len(data)]
    return [
        (start, end, 1, name) for (start, name), end in zip(marks, ends, strict=True) if start < end
    ]


def _split_lines(data: bytes) -> list[bytes]:
    """Lines with their ends; only LF ends one."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def text_lines(data: bytes) -> list[str]:
    """The lines of a text without their ends; octets that are not UTF-8 as escapes."""
    return [
        line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
        for line in _split_lines(data)
    ]
