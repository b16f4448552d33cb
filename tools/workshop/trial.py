"""Try the kit as a learner would: unpacked in an empty folder, with the network off.

Linux only. The network is taken away by a namespace of its own in which there is loopback and
nothing else. Where neither root nor users may have such namespaces, as in some containers, every
proxy that a program asks for is a port at which nobody listens: `alone` tells which of the two.
"""

from __future__ import annotations

import fcntl
import os
import platform
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from functools import cache
from pathlib import Path

from tools.site.page import ROOT
from tools.workshop import kit

IFF_UP, IFF_RUNNING = 0x1, 0x40
SIOCSIFFLAGS = 0x8914
NOWHERE = "http://127.0.0.1:9"


class Failed(Exception):
    """The kit does not work: the message says which command, and what it wrote."""


def run(archive: Path, python: str) -> list[tuple[str, float]]:
    """What was typed and how long it took. Raises `Failed`."""
    with tempfile.TemporaryDirectory(prefix="ehlo-room-") as folder:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        room = Path(folder) / archive.stem
        made = []
        notebook = "notebooks/en/01-documented-session.ipynb"
        for line in (
            *kit.commands("pt-BR")["Linux"][:3],
            f"room/bin/jupyter execute {notebook}",
        ):
            command = line.replace("python3", python, 1) if line.startswith("python3") else line
            began = time.monotonic()
            _type(command, room)
            made.append((line, time.monotonic() - began))
        return made


def archive(named: str = "") -> Path:
    """The zip to try: the one named, or that for this Linux. Raises `Failed`."""
    system = f"linux-{platform.machine()}"
    found = [Path(named)] if named else sorted(kit.DIST.glob(f"{kit.NAME}-{system}*.zip"))
    if not found or not found[0].is_file():
        raise Failed(f"no zip for {system} in dist/: run `make workshop` first, or name one")
    return found[0]


@cache
def alone() -> tuple[str, ...]:
    """What to put before a command that is to have no network; nothing where that is refused."""
    for command in (("unshare", "--net"), ("unshare", "--net", "--map-root-user")):
        try:
            subprocess.run([*command, "true"], check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError):
            continue
        return command
    return ()


def _type(command: str, room: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(room),
        "LANG": "C.UTF-8",
        "EHLO_TWICE_PREDICT": "off",
    }
    if alone():
        line = [*alone(), sys.executable, str(Path(__file__).resolve()), command]
        environment["PYTHONPATH"] = str(ROOT)
    else:
        line = command.split()
        environment |= dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOWHERE)
    result = subprocess.run(  # noqa: S603
        line,
        cwd=room,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if result.returncode:
        raise Failed(f"{command}\n{result.stdout[-1500:]}\n{result.stderr[-1500:]}")


def _inside(command: str) -> int:
    """In a namespace without network: loopback on, then the command as it is typed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=3).close()
    except OSError:
        pass
    else:
        return 99
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command.split(), env=environment, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(_inside(sys.argv[1]))
