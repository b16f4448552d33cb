"""What a format is, be it data or a module: how likely a log is of it, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from simulator.reading.clean import Line
from simulator.session import Session
from simulator.verdict import Verdict

Detect = Callable[[str, list[str]], float]
"""How likely a log is of this format: by its beginning, and the lines that seem to be about SMTP
or TLS."""

Read = Callable[[Iterable[Line]], Iterator[Session]]


Knows = Callable[[str], bool]


def _none(line: str) -> bool:
    return False


class Tallied(NamedTuple):
    """A session: its connection (as `postfix/smtpd[411]`), and the verdict over it."""

    connection: str
    verdict: Verdict


Tally = Callable[[Path, int], Iterator[Tallied] | None]
"""The verdicts over the sessions of a file, fast, by so many processes; None if it has to be read
to know them."""


Keep = Callable[[Verdict], bool]
"""Whether sessions with that verdict are wanted."""


class Likeness(NamedTuple):
    """What a session's lines say but for times, numbers and addresses (`form`), and these, in an
    order of their own (`values`)."""

    form: tuple[Hashable, ...]
    values: tuple[str, ...]


class Unread(Protocol):
    """A session whose lines are known, and which is read when it is asked for."""

    def sessions(self) -> list[Session]:
        """What is read of the lines: nearly always one session."""

    def likeness(self) -> Likeness | None:
        """The form of its lines; None if no other session is likely to have it."""

    def other(self) -> tuple[Unread, tuple[str, ...]] | None:
        """Another session of the same form, all of whose values are different, and no two alike;
        None if it has no likeness."""


Sift = Callable[[Path, Keep], Iterator[Unread] | None]
"""Of the sessions of a file at least those that are wanted, fast; None if it has to be read to know
them."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sample means: the keys of a verdict that the sample is about."""

    tls: str | None = None
    ehlo_before_tls: int | None = None
    ehlo_after_tls: int | None = None
    second_ehlo: str | None = None
    second_ehlo_reply_code: int | None = None
    client_to_server_commands: tuple[str, ...] | None = None


SECOND_EHLO = Expected(
    tls="established",
    ehlo_before_tls=1,
    ehlo_after_tls=1,
    second_ehlo="sent",
    second_ehlo_reply_code=250,
    client_to_server_commands=("EHLO", "STARTTLS", "EHLO"),
)
"""What the documented session comes to, as far as the second EHLO."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines of a log, and what they mean."""

    log: str
    means: Expected
    sessions: int = 1


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of log. `log_more` says how to make that software log the dialogue; `sampled` gives
    logs with what they mean, where the format has any of its own. `knows` says of a line that it is
    one of this format's and no part of a dialogue. `fallback`: it knows no software, and reads
    whatever log there is. `tally`: a fast way to the verdicts; `sift`: one to the sessions that
    are wanted by their verdict."""

    name: str
    title: str
    log_more: str
    detect: Detect
    read: Read
    sampled: Callable[[], tuple[Sample, ...]] = tuple
    knows: Knows = _none
    fallback: bool = False
    tally: Tally | None = None
    sift: Sift | None = None

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Logs of this format, with what they mean."""
        return self.sampled()
