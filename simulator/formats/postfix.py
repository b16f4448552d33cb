"""Postfix: how its log is known, and read; a large one by its lines alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from simulator.formats import maillog
from simulator.language import N_
from simulator.reading.format import Format, Keep, Tallied, Unread


def detect(head: str, telling: list[str]) -> float:
    """By the names of the processes."""
    hits = sum(maillog.written_by(line[:300]) is not None for line in telling)
    if not hits:
        return 0.0
    named = re.search(r"(?m)postfix[A-Za-z0-9_.-]*/(?:[a-z]+/)?[a-z]+\[\d+\]:", head) is not None
    return 0.5 * hits / len(telling) + (0.45 if named else 0.0)


def _sift(path: Path, keep: Keep) -> Iterator[Unread] | None:
    from simulator.formats import sieve  # not at the top: few logs are so large, and it takes long

    return sieve.sift(path, keep)


def _tally(path: Path, workers: int) -> Iterator[Tallied] | None:
    from simulator.formats import tally  # as above

    return tally.verdicts(path, maillog.read, workers=workers)


FORMAT = Format(
    name="postfix",
    title=N_("Postfix (mail log, and -v)"),
    log_more=N_(
        "Set debug_peer_list to the peer's name and debug_peer_level = 2, or add -v to the service "
        "in master.cf; smtp_tls_loglevel = 1 and smtpd_tls_loglevel = 1 tell of each handshake."
    ),
    detect=detect,
    read=maillog.read,
    knows=maillog.tells,
    tally=_tally,
    sift=_sift,
)
