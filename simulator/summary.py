"""Many sessions in a few numbers: how many had TLS, how many said EHLO again, and why some failed.

It is counted session by session, so that a log of any length needs no memory. Summaries are values
that can be added in any grouping: many logs, on many machines, are one map and one fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from simulator.verdict import Verdict


class Summary(msgspec.Struct):
    """Counts over the sessions of a log.

    `tls` and `second_ehlo` count verdicts by their value (`unknown` where the log does not show
    it), `faults` the sessions that have each fault.
    """

    sessions: int = 0
    problems: int = 0
    delivered: int = 0
    in_clear: int = 0
    tls: Counter[str] = msgspec.field(default_factory=Counter)
    second_ehlo: Counter[str] = msgspec.field(default_factory=Counter)
    faults: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one more session."""
        self.sessions += 1
        self.problems += verdict.problem
        self.delivered += bool(verdict.delivered)
        self.in_clear += verdict.in_clear
        self.tls[verdict.tls or "unknown"] += 1
        self.second_ehlo[verdict.second_ehlo or "unknown"] += 1
        self.faults.update(verdict.faults)

    def __add__(self, other: Summary) -> Summary:
        """The counts of both."""
        return Summary(
            sessions=self.sessions + other.sessions,
            problems=self.problems + other.problems,
            delivered=self.delivered + other.delivered,
            in_clear=self.in_clear + other.in_clear,
            tls=self.tls + other.tls,
            second_ehlo=self.second_ehlo + other.second_ehlo,
            faults=self.faults + other.faults,
        )


def summarise(verdicts: Iterable[Verdict]) -> Summary:
    """Count all verdicts, one by one."""
    summary = Summary()
    for verdict in verdicts:
        summary.add(verdict)
    return summary
