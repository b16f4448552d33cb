"""A log as it stands, line by line, without what its sessions hold in secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

from simulator.masking.fields import texts
from simulator.masking.prose import Masker
from simulator.masking.secrets import Secrets
from simulator.masking.words import MASK
from simulator.session import Message, Session


def without_secrets(log: str, sessions: Iterable[Session]) -> tuple[str, Secrets]:
    """The log with secrets and messages masked in their places, its line ends as they are.

    `sessions` are those that were read of it; lines that are in none of them are masked by
    themselves. With it comes the memory of what was masked, for what else is told of the log.
    """
    secrets = Secrets()
    lines = re.findall(r"[^\n]*\n|[^\n]+", log)
    read: set[int] = set()
    for session in sessions:
        for event, shown in zip(session.events, secrets(session).events, strict=True):
            place = (event.line or 0) - 1
            if not 0 <= place < len(lines):
                continue
            if isinstance(event, Message):
                read |= _cover(event, place, lines)
                continue
            pairs = list(zip(texts(event), texts(shown), strict=True))
            # What the event does not hold as it stands is looked at as a line of its own.
            if all(real in log if real else not other for real, other in pairs):
                read.add(place)
            for real, other in pairs:
                if real == other or not real:
                    continue
                for number in range(place, min(place + 1 + real.count("\n"), len(lines))):
                    lines[number] = lines[number].replace(real, other)
    masker = Masker()
    masker.prepare(log)
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        shown_line = text if number in read else masker.line(text)
        lines[number] = secrets.text(shown_line) + line[len(text) :]
    return "".join(lines), secrets


_APART = 20
"""Lines that may stand in a log between two of the same message."""


def _cover(message: Message, place: int, lines: list[str]) -> set[int]:
    """Mask the lines of a message, which begin there, and say which they are."""
    covered = set()
    for text in message.raw.decode("utf-8", "replace").splitlines():
        for number in range(place, min(place + _APART, len(lines))):
            if text in lines[number]:
                if text.strip(". "):
                    lines[number] = lines[number].replace(text, MASK)
                    covered.add(number)
                place = number + (1 if text else 0)
                break
    return covered
