"""A file that grows while it is read, as a log does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from simulator.reading.clean import CHUNK, CannotRead

PAUSE = 0.2
"""Seconds between two looks at the file."""


def never() -> bool:
    """Go on for ever."""
    return False


def pieces(path: Path, stop: Callable[[], bool] = never, pause: float = PAUSE) -> Iterator[bytes]:
    """What is in the file, and what is written to it later, until `stop` says so.

    The first piece is everything that is there already, once that is a line at least. A file that
    was cut short or replaced, as log rotation does, is read from its start.
    Raises `CannotRead` if there is no such file.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror or error}") from None
    try:
        begun = b""
        while b"\n" not in begun and not stop():
            begun += file.read(CHUNK)
            if b"\n" not in begun:
                time.sleep(pause)
        yield begun
        while True:
            if data := file.read(CHUNK):
                yield data
                continue
            if stop():
                return
            time.sleep(pause)
            if _replaced(path, file.tell(), file.fileno()):
                file.close()
                file = path.open("rb")
    finally:
        file.close()


def _replaced(path: Path, read: int, number: int) -> bool:
    """Is there another file of that name now, or less in it than was read already?"""
    try:
        there, ours = path.stat(), os.fstat(number)
    except OSError:
        return False
    return (there.st_ino, there.st_dev) != (ours.st_ino, ours.st_dev) or there.st_size < read
