"""Captures (pcap, pcapng)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simulator.formats.clean import Source
from simulator.session import Session


class Captured(NamedTuple):
    """The sessions of a capture; none if it is none, and `rest` is then the source, whole."""

    sessions: Iterator[Session] | None
    rest: Source


def sessions(source: Source) -> Captured:
    """Read `source` if it is a capture."""
    return Captured(None, source)
