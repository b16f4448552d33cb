"""How the hub starts, and how it does not: certificate, passwords, settings that cannot be.

make test-hub
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
import websocket

from benchmarks.classroom import HUB, ROOT, Failed, Learner, free_ports, running_hub, sign_in

PATIENCE = 120


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that learners can get through, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="ehlo-class-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


def hub(folder: Path, **settings: object) -> subprocess.Popen[str]:
    """The hub by its documented command, with these settings, seen from that folder."""
    around = {k: v for k, v in os.environ.items() if not k.startswith("EHLO_HUB_")}
    told = {f"EHLO_HUB_{name}": str(value) for name, value in settings.items()}
    proxy = os.environ.get("EHLO_HUB_PROXY") or str(ROOT / "build/hub/node_modules")
    return subprocess.Popen(
        [sys.executable, "-m", "jupyterhub", "-f", str(HUB / "jupyterhub_config.py")],
        env={**around, "EHLO_HUB_FOLDER": "hub", "EHLO_HUB_PROXY": proxy, **told},
        cwd=folder,
        text=True,
        stdout=(folder / "hub.log").open("w"),
        stderr=subprocess.STDOUT,
    )


def end(process: subprocess.Popen[str]) -> None:
    tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(60)
    for left in tree:
        with contextlib.suppress(psutil.Error):
            left.kill()
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("PASSWORD", "short", "eight characters"),
        ("IP", "no such host", "no address or name"),
        ("IP", "192.0.2.10", "make hub-cert EHLO_HUB_IP=192.0.2.10"),
        ("CERT", "missing.pem", "No such file"),
        ("CERT", "empty.pem", "not a certificate with its key"),
        ("PORT", "eighty", "a whole number"),
        ("LEARNERS", "0", "a whole number"),
        ("MEMORY", "plenty", "a size such as 512M"),
        ("IDLE", "-1", "a whole number"),
        ("LANG", "xx", "no notebooks"),
    ],
)
def test_what_cannot_be_is_one_line(setting: str, value: str, says: str, folder: Path) -> None:
    (folder / "empty.pem").touch()
    process = hub(folder, **{setting: value})
    assert process.wait(PATIENCE) != 0
    told = (folder / "hub.log").read_text("utf-8").strip()
    assert "Traceback" not in told
    line = told.splitlines()[-1]
    assert line.startswith(f"EHLO_HUB_{setting}=")
    assert says in line


@contextlib.contextmanager
def room(folder: Path) -> Iterator[str]:
    """A hub with a certificate of its own, named as somebody in that folder would name it."""
    subprocess.run(
        [sys.executable, "-m", "tools.workshop.certificate", "127.0.0.1"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    port = free_ports(2)
    process = hub(folder, IP="127.0.0.1", PORT=port, LEARNERS=2, CERT="room.pem", KEY="room.key")
    address = f"https://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{address}/hub/api/", verify=folder / "room.pem", timeout=5).ok:
                    break
            time.sleep(0.5)
        else:
            pytest.fail((folder / "hub.log").read_text("utf-8")[-2000:])
        yield address
    finally:
        end(process)


def test_a_certificate_beside_one_and_a_password_for_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with room(folder) as address:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "room.pem"))
        words = json.loads((folder / "hub" / "passwords.json").read_text("utf-8"))
        assert len(set(words.values())) == 2
        web = sign_in(address, "learner01", words["learner01"])
        assert web.get(f"{address}/hub/home", timeout=60).ok
        with pytest.raises(Failed, match="403"):
            sign_in(address, "learner01", words["learner02"])
        slips = folder / "hub" / "passwords.html"
        assert words["learner02"] in slips.read_text("utf-8")
        assert slips.stat().st_mode & 0o077 == 0


def typed(learner: Learner, line: str, until: float) -> str:
    """What a terminal of that learner shows for a line."""
    name = learner.web.post(f"{learner.server}/api/terminals", timeout=60).json()["name"]
    channel = websocket.create_connection(
        f"{learner.server.replace('http', 'ws', 1)}/terminals/websocket/{name}",
        header=[f"Authorization: token {learner.token}"],
        # Shorter than between two pings, which would let it wait for ever.
        timeout=5,
    )
    shown = ""
    channel.send(json.dumps(["stdin", f"{line}; echo e''nd\r"]))
    while "end\r\n" not in shown:
        assert time.monotonic() < until, shown
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            kind, *text = json.loads(channel.recv())
            shown += text[0] if kind == "stdout" else ""
    channel.close()
    return shown


def test_what_a_learner_has_and_may_take(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FILE", "1M"), ("PROCESSES", "60"), ("DISK", "20M"), ("CPU", "60")):
        monkeypatch.setenv(f"EHLO_HUB_{name}", value)
    with running_hub(folder, 2, "t" * 32, "p" * 16) as (address, _):
        one, other = (Learner(name, address, "t" * 32) for name in ("learner01", "learner02"))
        until = time.monotonic() + PATIENCE
        for learner in (one, other):
            learner.spawn(until)
        assert "EHLO commands" not in typed(one, "true", until)
        assert "documented" in typed(one, "ehlo-twice scenarios", until)
        page = one.web.get(f"{one.server}/", timeout=60, allow_redirects=True)
        assert page.url.endswith("/lab/tree/00-start.ipynb")
        assert '"news": {"disabled": true}' in " ".join(page.text.split())
        assert "File too large" in typed(one, "head -c 2000000 /dev/zero > big", until)
        if os.geteuid() == 0:
            shown = typed(one, "bash -c 'for n in $(seq 90); do sleep 30 & done' 2>&1", until)
            assert "Resource temporarily unavailable" in shown
        # The neighbour never notices.
        with other.kernel("00-start.ipynb") as execute:
            assert execute("print(6 * 7)", "the neighbour", until) == "42\n"
        # By the server itself: the terminal's sleepers leave it no process more.
        for number in range(40):
            text = {"type": "file", "format": "text", "content": "x" * 900_000}
            one.web.put(f"{one.server}/api/contents/{number}.txt", json=text, timeout=60)
        while one.web.get(f"{address}/hub/api/users/{one.name}", timeout=60).json()["servers"]:
            assert time.monotonic() < until
            time.sleep(1)
