"""Following a log while it is written."""

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import formats
from simulator.reading import growing
from simulator.session import Session

POSTFIX = """\
Feb 16 12:33:0{n} mx postfix/smtpd[{n}]: connect from a.example[192.0.2.1]
Feb 16 12:33:0{n} mx postfix/smtpd[{n}]: Anonymous TLS connection established from \
a.example[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Feb 16 12:33:0{n} mx postfix/smtpd[{n}]: disconnect from a.example[192.0.2.1] ehlo=2 starttls=1 \
mail=1 rcpt=1 data=1 quit=1 commands=7
"""


class Follower:
    """Follows a log in a thread, and hands over what it finds."""

    def __init__(self, path: Path) -> None:
        self.found: queue.Queue[Session] = queue.Queue()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(path,))
        self.thread.start()

    def _run(self, path: Path) -> None:
        for session in formats.follow(path, stop=self.done.is_set):
            self.found.put(session)

    def next(self) -> Session:
        return self.found.get(timeout=120)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Path, Follower]]:
    path = tmp_path / "mail.log"
    path.write_text(POSTFIX.format(n=1))
    follower = Follower(path)
    yield path, follower
    follower.done.set()
    follower.thread.join(timeout=120)
    assert not follower.thread.is_alive()


def test_what_is_written_later_is_read(log: tuple[Path, Follower]) -> None:
    path, follower = log
    first = follower.next()
    with path.open("a") as file:
        file.write(POSTFIX.format(n=2)[:100])
        file.flush()
        file.write(POSTFIX.format(n=2)[100:])
    second = follower.next()
    assert first.source == second.source == "postfix"


def test_a_rotated_log_is_read_from_its_start(log: tuple[Path, Follower]) -> None:
    path, follower = log
    follower.next()
    fresh = path.with_name("fresh.log")
    fresh.write_text(POSTFIX.format(n=3))
    fresh.replace(path)
    assert follower.next().source == "postfix"


def test_a_log_cut_short_is_read_from_its_start(log: tuple[Path, Follower]) -> None:
    path, follower = log
    follower.next()
    os.truncate(path, 0)
    follower.done.wait(2 * growing.PAUSE)
    with path.open("a") as file:
        file.write(POSTFIX.format(n=4))
    assert follower.next().source == "postfix"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(formats.CannotRead, match="No such file"):
        next(formats.follow(tmp_path / "none.log"))
