"""Logs counted on a cluster: what the command says, and that nothing is lost with a worker."""

from __future__ import annotations

import gzip
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import fleet, formats
from simulator.language import say
from simulator.summary import Summary, summarise
from simulator.views import overview
from tests.command import Command

distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")

# Of a busy machine the library warns: that a scratch folder takes long, or a worker to go.
pytestmark = pytest.mark.filterwarnings("default")

SESSION = """220 mx.example.org ESMTP
EHLO mail.example.net
250-mx.example.org
250 STARTTLS
STARTTLS
220 Go ahead
EHLO mail.example.net
250 mx.example.org
MAIL FROM:<a@example.net>
250 OK
QUIT
221 Bye
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler, and two workers that are processes of their own."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as found:
        yield found


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """Twelve logs, every third of them packed."""
    made = []
    for number in range(12):
        text = SESSION.replace("mail.", f"mail{number}.").encode()
        packed = number % 3 == 0
        log = tmp_path / f"{number:02}.log{'.gz' if packed else ''}"
        log.write_bytes(gzip.compress(text) if packed else text)
        made.append(log)
    return made


def alone(logs: list[Path]) -> Summary:
    """What one process says of them."""
    return summarise(t.verdict for log in logs for t in formats.verdicts(log))


@pytest.mark.slow
def test_a_cluster_counts_what_one_process_counts(
    cluster: Any, logs: list[Path], command: Command
) -> None:
    folder, address = logs[0].parent, cluster.scheduler_address
    paths = [str(logs[1]), f"{folder}/*.gz", f"file://{folder}/*1.log"]
    named = [logs[1], *logs[::3], logs[1], logs[11]]
    found = list(fleet.summaries(fleet.expand(paths), address))
    assert len(found) == len(named)
    assert [one.trouble for one in found if one.trouble] == []
    assert sum((one.summary for one in found), Summary()) == alone(named)
    ran = command("explain", "--summary", "--dask", address, "--view", "json", f"{folder}/*")
    assert ran.code == 0
    expected = alone(logs)
    assert expected.sessions == 12
    assert ran.out.strip() == overview.json(expected).strip()


@pytest.mark.slow
def test_a_worker_that_dies_takes_no_file_with_it(cluster: Any, logs: list[Path]) -> None:
    with distributed.Client(cluster.scheduler_address) as client:
        [victim, _] = client.run(os.getpid).values()
    found = fleet.summaries([str(log) for log in logs], cluster.scheduler_address)
    total = next(found).summary
    os.kill(victim, signal.SIGKILL)
    for one in found:
        assert one.trouble == ""
        total += one.summary
    assert total == alone(logs)


@pytest.mark.slow
def test_a_broken_file_is_named_and_the_rest_counts(
    cluster: Any, logs: list[Path], command: Command
) -> None:
    (broken := logs[0].parent / "broken.bin").write_bytes(bytes(range(8)) * 40)
    missing = logs[0].parent / "missing.log"
    paths = [*map(str, logs), str(broken), str(missing)]
    address = cluster.scheduler_address
    ran = command("explain", "--summary", "--dask", address, "--view", "json", *paths)
    assert ran.code == 2
    assert '"sessions":12' in ran.out.replace(" ", "")
    assert str(broken) in ran.err
    assert "(2 of 14 files)" in ran.err


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_said_in_one_line(
    cluster: Any, logs: list[Path], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(futures: dict[Any, str]) -> Iterator[Any]:
        """All that was asked for is given up, as when the connection is lost."""
        for future in futures:
            future.cancel(force=True)
            yield future

    monkeypatch.setattr(distributed, "as_completed", left)
    said = command.fails_after_work(
        *("explain", "--summary", "--dask", cluster.scheduler_address, str(logs[1]))
    )
    assert "the scheduler went away" in said


def test_a_worker_of_another_release_counts_nothing(logs: list[Path]) -> None:
    counted = fleet.count(str(logs[1]), "0.0.1")
    assert counted.summary == Summary()
    assert "not 0.0.1; install the same on both" in say(counted.trouble)


def test_what_is_not_of_this_machine_is_brought(logs: list[Path]) -> None:
    import fsspec

    with fsspec.open("memory://fleet/a.log.gz", "wb") as target:
        target.write(logs[0].read_bytes())
    [path] = fleet.expand(["memory://fleet/*.gz"])
    assert path == "memory:///fleet/a.log.gz"
    assert fleet.count(path).summary == alone(logs[:1])


def test_a_path_is_whole_and_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text(SESSION)
    monkeypatch.chdir(tmp_path)
    assert fleet.expand(["a.log", "*.log"]) == [str(tmp_path / "a.log")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dask", "tcp://127.0.0.1:1", "nothing-*.log"], "no file is named like that"),
        (["--dask", "tcp://127.0.0.1:1", "nowhere://a/b"], "nowhere"),
        (["--dask", "tcp://127.0.0.1:1", "-"], "cannot read standard input"),
        (["--dask", "no port", __file__], "no scheduler answers"),
        (["--dask", "tcp://127.0.0.1:1", "--session", "1", __file__], "--summary alone"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    arguments: list[str], says: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "PATIENCE", 1)
    assert says in command.fails("explain", "--summary", *arguments)


def test_a_store_that_cannot_be_listed_is_said_in_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoCredentials(Exception):
        pass

    def glob(*_: object) -> None:
        raise NoCredentials("Unable to locate\ncredentials")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.glob", glob)
    where = ("--dask", "tcp://127.0.0.1:1", "memory://logs/*.gz")
    said = command.fails("explain", "--summary", *where)
    assert said == "memory://logs/*.gz: Unable to locate credentials"


def test_without_the_extra_it_says_what_to_install(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    said = command.fails("explain", "--summary", "--dask", "tcp://127.0.0.1:1", __file__)
    assert "pip install 'ehlo-twice[fleet]'" in said
