"""Debian's Firefox, driven over the protocol that it speaks itself (Marionette): numbered messages
in JSON over TCP, each after its length. No other driver is needed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PREFERENCES = {
    "marionette.port": 0,  # whichever is free: it is told in a file
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
PATIENCE = 120
"""Seconds that Firefox may take to start, and a page to load."""

LONGEST = 280
"""Seconds that a script in a page may take."""


class Firefox:
    """One window."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), LONGEST + 10)
        self._heard = self._socket.makefile("rb")
        self._asked = 0
        self._message()
        self._ask("WebDriver:NewSession", capabilities={})
        limits = {"script": LONGEST * 1000, "pageLoad": PATIENCE * 1000}
        self._ask("WebDriver:SetTimeouts", **limits)

    def _message(self) -> Any:
        size = b""
        while (sign := self._heard.read(1)) != b":":
            assert sign, "Firefox has gone"
            size += sign
        return json.loads(self._heard.read(int(size)))

    def _ask(self, command: str, **parameters: object) -> Any:
        self._asked += 1
        data = json.dumps([0, self._asked, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(data), data))
        _, number, error, result = self._message()
        assert (number, error) == (self._asked, None)
        return result

    def show(self, address: str) -> None:
        """Open a page, and wait until it is loaded."""
        self._ask("WebDriver:Navigate", url=address)

    def run(self, script: str, *given: object) -> Any:
        """What an asynchronous function with this body returns; `given` are its `arguments`."""
        body = (
            "const given = [...arguments], done = given.pop();"
            f"(async function () {{ {script} }})(...given).then("
            "(value) => done({ value }), (error) => done({ error: String(error) }));"
        )
        found = self._ask("WebDriver:ExecuteAsyncScript", script=body, args=given)["value"]
        assert "error" not in found, found["error"]
        return found.get("value")

    def quit(self) -> None:
        """End it."""
        self._ask("Marionette:Quit", flags=["eForceQuit"])

    def close(self) -> None:
        """Let go of it, however it went."""
        self._heard.close()
        self._socket.close()


@contextmanager
def started(program: str, folder: Path) -> Iterator[Firefox]:
    """Firefox, with a profile and a home of its own in that folder."""
    profile = folder / "profile"
    profile.mkdir()
    lines = (f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines), "utf-8")
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    # A container may not let it build its own sandbox.
    there = {**os.environ, "HOME": str(folder), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=there, stdout=quiet, stderr=quiet) as process:
        try:
            with closing(Firefox(_port(process, profile / "MarionetteActivePort"))) as window:
                yield window
                window.quit()
                process.wait(PATIENCE)
        finally:
            process.kill()


def _port(process: subprocess.Popen[bytes], told: Path) -> int:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, "Firefox ended at once"
        if told.exists() and (text := told.read_text("utf-8").strip()):
            return int(text)
        time.sleep(0.1)
    raise AssertionError("Firefox did not start")
