"""A class at once: so many learners sign in to the hub and run the same notebook.

    python -m benchmarks.classroom            # 30 learners, notebook 03; writes measured.json

Starts the hub as `workshop/jupyterhub/` configures it, on loopback ports of its own, in a folder of
its own; presses every learner's buttons at the same moment through the same addresses a browser
uses; ends the hub. Runs in the environment that `make hub` sets up.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import requests
import websocket

ROOT = Path(__file__).resolve().parents[1]
HUB = ROOT / "workshop" / "jupyterhub"
PATIENCE = 600
"""Seconds after which a class that is not done has failed."""

CONFIGURATION = """
exec(compile(open({path!r}).read(), {path!r}, "exec"), dict(globals(), __file__={path!r}))
c.JupyterHub.services.append({{"name": "class", "api_token": {token!r}}})
c.JupyterHub.load_roles.append({{"name": "class", "services": ["class"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}})
"""
"""The configuration as it is, and one more service that may press the learners' buttons."""


GUESS = "guess = ..."


def typed(source: str) -> str:
    """A cell as a learner leaves it: where a prediction is asked for, there is one."""
    return source.replace(GUESS, "guess = 0")


class Failed(Exception):
    """A learner did not get to the end: who, where, and what was said."""


def free_ports(learners: int) -> int:
    """The first of as many neighbouring loopback ports as the hub takes, which nobody has.

    Below those that the system hands out by itself, which the class will take by the hundred.
    """
    for port in random.sample(range(20000, 30000, 100), 50):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for number in range(port, port + 10 + learners):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise Failed("no neighbouring ports are free")


class Learner:
    """One of the class, and how long what took."""

    def __init__(self, name: str, hub: str, token: str) -> None:
        self.name, self.hub, self.token = name, hub, token
        self.web = requests.Session()
        self.web.headers["Authorization"] = f"token {token}"
        self.server = f"{hub}/user/{name}"
        self.seconds: dict[str, float] = {}

    def attend(self, notebook: str, start: threading.Barrier) -> None:
        """Start the server, open the notebook, run it to the end. Raises `Failed`."""
        start.wait()
        began = time.monotonic()
        self.spawn(began + PATIENCE)
        self.seconds["server"] = time.monotonic() - began
        self.run(notebook, began + PATIENCE)
        self.seconds["all"] = time.monotonic() - began

    def spawn(self, until: float) -> None:
        """Press the button, and wait until the server is there. Raises `Failed`."""
        address = f"{self.hub}/hub/api/users/{self.name}/server"
        while (answer := self.web.post(address, timeout=60)).status_code == 429:
            # The hub starts ten at a time and asks the others to come again: a browser does so.
            time.sleep(float(answer.headers.get("Retry-After", 2)))
            self._hurry(until, "waiting for a server")
        self._check(answer)
        while True:
            user = self._check(self.web.get(f"{self.hub}/hub/api/users/{self.name}", timeout=60))
            server = user["servers"].get("", {})
            if server.get("ready"):
                return
            if not server.get("pending"):
                raise Failed(f"{self.name}: the server did not come up")
            self._hurry(until, "starting the server")
            time.sleep(0.5)

    def run(self, notebook: str, until: float) -> None:
        """Run every cell of the notebook, from top to bottom. Raises `Failed`."""
        content = self._check(
            self.web.get(f"{self.server}/api/contents/{notebook}?content=1", timeout=60)
        )["content"]
        with self.kernel(notebook) as execute:
            for number, cell in enumerate(content["cells"], 1):
                source = cell["source"]
                source = typed(source if isinstance(source, str) else "".join(source))
                if cell["cell_type"] == "code" and source.strip():
                    execute(source, f"{notebook}, cell {number}", until)

    @contextlib.contextmanager
    def kernel(self, notebook: str) -> Iterator[Callable[[str, str, float], str]]:
        """What runs a cell of that notebook and returns what it printed. Raises `Failed`."""
        opened = self._check(
            self.web.post(
                f"{self.server}/api/sessions",
                json={
                    "path": notebook,
                    "name": notebook,
                    "type": "notebook",
                    "kernel": {"name": "python3"},
                },
                timeout=120,
            )
        )
        kernel = opened["kernel"]["id"]
        channel = websocket.create_connection(
            f"{self.server.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels",
            header=[f"Authorization: token {self.token}"],
            # It is answered when the kernel is up, which takes its time where thirty are started.
            timeout=120,
        )
        # Shorter than between two pings, which would let it wait for ever.
        channel.settimeout(5)
        try:
            yield partial(self._execute, channel)
        finally:
            channel.close()

    def _execute(self, channel: websocket.WebSocket, source: str, place: str, until: float) -> str:
        asked = uuid.uuid4().hex
        channel.send(
            json.dumps(
                {
                    "channel": "shell",
                    "parent_header": {},
                    "metadata": {},
                    "buffers": [],
                    "header": {
                        "msg_id": asked,
                        "msg_type": "execute_request",
                        "session": self.name,
                        "username": self.name,
                        "version": "5.3",
                        "date": "",
                    },
                    "content": {
                        "code": source,
                        "silent": False,
                        "store_history": True,
                        "user_expressions": {},
                        "allow_stdin": False,
                        # Else the kernel passes over what comes right after an error.
                        "stop_on_error": False,
                    },
                }
            )
        )
        printed = error = ""
        while True:
            self._hurry(until, place)
            try:
                said = json.loads(channel.recv())
            except websocket.WebSocketTimeoutException:
                continue
            if said["parent_header"].get("msg_id") != asked:
                continue
            told = said["content"]
            if said["msg_type"] == "error":
                error = f"{self.name}: {place}: {told['ename']}: {told['evalue']}"
            if said["msg_type"] == "stream" and told["name"] == "stdout":
                printed += told["text"]
            if said["msg_type"] == "status" and told["execution_state"] == "idle":
                if error:
                    raise Failed(error)
                return printed

    def _check(self, answer: requests.Response) -> dict:
        if answer.status_code >= 400:
            raise Failed(f"{self.name}: {answer.url}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else {}

    def _hurry(self, until: float, doing: str) -> None:
        if time.monotonic() > until:
            raise Failed(f"{self.name}: {doing}: not done after {PATIENCE} s")


class Watch(threading.Thread):
    """Looks at every learner's processes while the class works: memory, and processor time."""

    def __init__(self, hub: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.hub, self.done = hub, threading.Event()
        self.memory: dict[str, int] = {}
        self.processor: dict[int, tuple[str, float]] = {}
        self.together = 0

    def run(self) -> None:
        while not self.done.wait(3):
            self.look()

    def look(self) -> None:
        """One look. Memory that processes share is divided among them (PSS)."""
        now: dict[str, int] = {}
        for process in [self.hub, *self.hub.children(recursive=True)]:
            with contextlib.suppress(psutil.Error, FileNotFoundError):
                owner = self._owner(process)
                now[owner] = now.get(owner, 0) + process.memory_full_info().pss
                used = process.cpu_times()
                self.processor[process.pid] = (owner, used.user + used.system)
        for owner, size in now.items():
            self.memory[owner] = max(size, self.memory.get(owner, 0))
        self.together = max(self.together, sum(now.values()))

    def _owner(self, process: psutil.Process) -> str:
        """Whose process it is: what its environment says, else the hub's."""
        return process.environ().get("JUPYTERHUB_USER", "hub")

    def seconds(self, owner: str) -> float:
        """Processor time of all processes of one owner."""
        return sum(used for whose, used in self.processor.values() if whose == owner)


def sign_in(hub: str, name: str, password: str) -> requests.Session:
    """Through the form, as a person does; returns their browser. Raises `Failed`."""
    web = requests.Session()
    form = web.get(f"{hub}/hub/login", timeout=60)
    [token] = re.findall(r'name="_xsrf" value="([^"]+)"', form.text)[:1]
    fields = {"username": name, "password": password, "_xsrf": token}
    answer = web.post(f"{hub}/hub/login", data=fields, allow_redirects=False, timeout=60)
    if answer.status_code != 302:
        raise Failed(f"{name} cannot sign in: {answer.status_code}")
    refused = requests.Session()
    form = refused.get(f"{hub}/hub/login", timeout=60)
    [token] = re.findall(r'name="_xsrf" value="([^"]+)"', form.text)[:1]
    fields = {"username": name, "password": "wrong" + password, "_xsrf": token}
    if refused.post(f"{hub}/hub/login", data=fields, timeout=60).status_code != 403:
        raise Failed(f"{name} signs in with a wrong password")
    return web


@contextlib.contextmanager
def running_hub(folder: Path, learners: int, token: str, password: str):
    """The hub while it runs: its address and its process."""
    folder.chmod(0o711)
    port = free_ports(learners)
    configuration = folder / "configuration.py"
    path = str(HUB / "jupyterhub_config.py")
    configuration.write_text(CONFIGURATION.format(path=path, token=token))
    environment = {
        **os.environ,
        "EHLO_HUB_FOLDER": str(folder / "hub"),
        "EHLO_HUB_PORT": str(port),
        "EHLO_HUB_LEARNERS": str(learners),
        "EHLO_HUB_PASSWORD": password,
        "EHLO_HUB_PROXY": os.environ.get("EHLO_HUB_PROXY") or str(ROOT / "build/hub/node_modules"),
    }
    log = (folder / "hub.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub", "-f", str(configuration)],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{address}/hub/api/", timeout=5).ok:
                    break
            if process.poll() is not None:
                break
            time.sleep(0.5)
        else:
            process.kill()
        if process.poll() is not None:
            raise Failed("the hub does not start: " + (folder / "hub.log").read_text()[-2000:])
        yield address, process
    except Failed as error:
        told = (folder / "hub.log").read_text().splitlines()
        told = [line for line in told if "GET /hub/api/users" not in line]
        raise Failed("\n".join([*told[-25:], str(error)])) from error
    finally:
        tree = (
            psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        )
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        for left in [process, *tree]:
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                left.kill()
        process.wait()
        log.close()


def measure(learners: int, notebook: str) -> dict:
    """Have the class attend; what it took. Raises `Failed`."""
    token, password = secrets.token_hex(16), secrets.token_hex(8)
    names = [f"learner{number:02}" for number in range(1, learners + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="ehlo-class-") as folder,
        running_hub(Path(folder), learners, token, password) as (address, process),
    ):
        sign_in(address, names[0], password)
        watch = Watch(psutil.Process(process.pid))
        watch.start()
        start = threading.Barrier(learners)
        attending = [Learner(name, address, token) for name in names]
        began = time.monotonic()
        with ThreadPoolExecutor(learners) as pool:
            done = [pool.submit(learner.attend, notebook, start) for learner in attending]
            for one in done:
                one.result()
        took = time.monotonic() - began
        watch.done.set()
        watch.join()
        watch.look()
    mega = 1_000_000
    memory = [watch.memory[name] / mega for name in names]
    processor = [watch.seconds(name) for name in names]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "learners": learners,
        "notebook": Path(notebook).stem,
        "finished": len(done),
        "seconds": {
            "class": round(took, 1),
            "server": spread([learner.seconds["server"] for learner in attending]),
            "all": spread([learner.seconds["all"] for learner in attending]),
        },
        "processor_seconds": spread(processor),
        "memory_mb": {
            **spread(memory),
            "hub": round(watch.memory["hub"] / mega),
            "together": round(watch.together / mega),
        },
    }


def spread(values: list[float]) -> dict[str, float]:
    """The least, the middle and the greatest."""
    return {
        "min": round(min(values), 1),
        "median": round(statistics.median(values), 1),
        "max": round(max(values), 1),
    }


def main() -> int:
    """Measure, show, and keep."""
    told = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    told.add_argument("--learners", type=int, default=30, choices=range(1, 61), metavar="1-60")
    told.add_argument("--notebook", default="03-what-if.ipynb")
    told.add_argument("--out", type=Path, help="write the figures there too")
    options = told.parse_args()
    try:
        figures = measure(options.learners, options.notebook)
    except Failed as error:
        print(f"benchmarks.classroom: {error}", file=sys.stderr)
        return 1
    text = json.dumps(figures, indent=2) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
