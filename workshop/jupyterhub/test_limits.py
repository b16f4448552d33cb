"""What the hub promises, tried on a hub that runs: limits, ports, culling, and who reads what.

    make test-hub

Learners' files are theirs alone where root starts the hub; else all learners are one user, as the
configuration says, and that is what is found.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import requests

from benchmarks.classroom import Failed, Learner, running_hub, sign_in

PATIENCE = 120
NOTEBOOK = "00-start.ipynb"
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module", autouse=True)
def proxy() -> None:
    """Skip where the hub's proxy cannot run; in CI that is a failure."""
    if shutil.which("node") is None:
        reason = "needs node, which is not installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


class Class(NamedTuple):
    """A hub with learners whose servers are up."""

    address: str
    process: psutil.Process
    folder: Path
    learners: list[Learner]
    password: str


@contextlib.contextmanager
def attending(count: int) -> Iterator[Class]:
    """A hub of its own, with that many learners."""
    token, password = secrets.token_hex(16), secrets.token_hex(8)
    with (
        tempfile.TemporaryDirectory(prefix="ehlo-class-") as folder,
        running_hub(Path(folder), count, token, password) as (address, process),
    ):
        learners = [Learner(f"learner{n:02}", address, token) for n in range(1, count + 1)]
        for learner in learners:
            learner.spawn(time.monotonic() + PATIENCE)
        home = Path(folder) / "hub"
        yield Class(address, psutil.Process(process.pid), home, learners, password)


@pytest.fixture(scope="module")
def room() -> Iterator[Class]:
    """Two learners on one hub, as it comes."""
    with attending(2) as found:
        yield found


def test_a_learner_who_predicts_gets_to_the_last_cell(room: Class) -> None:
    until = time.monotonic() + PATIENCE
    learner = room.learners[0]
    with learner.kernel(NOTEBOOK) as execute, pytest.raises(Failed, match="NoPrediction"):
        execute("from simulator.workbench import predict; predict(...)", "the dots", until)
    learner.run(NOTEBOOK, until)


def test_a_cell_that_takes_too_much_fails_alone(room: Class) -> None:
    one, other = room.learners
    until = time.monotonic() + PATIENCE
    with one.kernel(NOTEBOOK) as greedy, other.kernel(NOTEBOOK) as modest:
        greedy("kept = bytearray(100_000_000)", "what a notebook may take", until)
        with pytest.raises(Failed, match="MemoryError"):
            greedy("more = bytearray(1_000_000_000)", "too much", until)
        assert greedy("print(len(kept))", "afterwards", until) == "100000000\n"
        assert modest("print(6 * 7)", "the neighbour", until) == "42\n"
        session = "import simulator; print(simulator.replay('documented').verdict.second_ehlo)"
        assert modest(session, "the neighbour's session", until) == "sent\n"


def test_nothing_listens_where_the_room_could_reach_it(room: Class) -> None:
    with room.learners[0].kernel(NOTEBOOK):
        found = {
            connection.laddr
            for process in [room.process, *room.process.children(recursive=True)]
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
    port = int(room.address.rpartition(":")[2])
    # The proxy, its interface and the hub; a server for each learner.
    wanted = {*range(port, port + 3), port + 10, port + 11}
    assert wanted < {place.port for place in found}
    assert {place.ip for place in found} <= {"127.0.0.1", "::1"}


def test_a_learner_reads_what_is_theirs(room: Class) -> None:
    one, other = room.learners
    until = time.monotonic() + PATIENCE
    with one.kernel(NOTEBOOK) as mine, other.kernel(NOTEBOOK) as theirs:
        mine("open('kept.txt', 'w').write('mine')", "writing", until)
        own = Path(mine("import os; print(os.getcwd())", "where", until).strip())
        assert (own / "kept.txt").read_text() == "mine"
        assert own.is_relative_to(room.folder / "learners" / one.name)
        assert not Path(str(own).replace(one.name, other.name), "kept.txt").exists()
        users = {run("import os; print(os.getuid())", "who", until) for run in (mine, theirs)}
        if not ROOT:
            assert users == {f"{os.getuid()}\n"}
            return
        assert len(users) == 2
        assert "0\n" not in users
        for path in (
            own / "kept.txt",
            own,
            room.folder / "jupyterhub.sqlite",
            room.folder / "jupyterhub_cookie_secret",
        ):
            assert path.exists()
            look = f"import os; os.listdir({str(path)!r})"
            look = look if path.is_dir() else f"open({str(path)!r}).read()"
            with pytest.raises(Failed, match="PermissionError"):
                theirs(look, f"reading {path}", until)


def test_a_learner_is_not_let_in_at_anothers_server(room: Class) -> None:
    one, other = room.learners
    web = sign_in(room.address, other.name, room.password)
    assert web.get(f"{room.address}/user/{other.name}/lab", timeout=60).ok
    assert web.get(f"{room.address}/user/{other.name}/api/contents", timeout=60).ok
    assert web.get(f"{room.address}/user/{one.name}/lab", timeout=60).status_code == 403
    # Past the proxy, at the port of that server itself.
    port = int(room.address.rpartition(":")[2]) + 10
    for address in (room.address, f"http://127.0.0.1:{port}"):
        contents = f"{address}/user/{one.name}/api/contents"
        assert web.get(contents, timeout=60).status_code == 403
        assert requests.get(contents, timeout=60).status_code == 403


def test_who_leaves_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHLO_HUB_IDLE", "4")
    with attending(1) as left:
        [learner] = left.learners
        until = time.monotonic() + PATIENCE
        address = f"{left.address}/hub/api/users/{learner.name}"
        while learner.web.get(address, timeout=60).json()["servers"]:
            assert time.monotonic() < until
            time.sleep(0.5)
        names = {process.environ().get("JUPYTERHUB_USER") for process in alive(left.process)}
        assert learner.name not in names


def alive(process: psutil.Process) -> list[psutil.Process]:
    """What runs below that process."""
    found = process.children(recursive=True)
    return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
