"""The lab, open in a thread of its own, and what a test asks it."""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from simulator.lab import certificates
from simulator.live.serve import Open, Settings, lab


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Lab:
    """The lab as a test sees it."""

    def __init__(self, found: Open) -> None:
        self.found = found
        self.page, _, self.token = found.page.partition("?token=")

    def port(self, name: str) -> int:
        return next(d.address[1] for d in self.found.doors if d.port.name == name)

    def ask(self, path: str, method: str = "GET", value: Any = None, **headers: str) -> Answer:
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        data = None
        if value is not None:
            data = json.dumps(value).encode()
            told.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.page + path, data, told, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, dict(refused.headers), refused.read())

    def sessions(self, query: str = "") -> list[dict[str, Any]]:
        """What the list tells, once it tells all: what it has no time for comes later."""
        told = until(lambda: self.ask(f"api/sessions{query}").json, lambda told: not told["behind"])
        found: list[dict[str, Any]] = told["sessions"]
        return found

    def settled(self, many: int) -> list[dict[str, Any]]:
        """That many sessions, all over."""
        found: list[dict[str, Any]] = until(
            self.sessions, lambda f: len(f) == many and all(one["over"] for one in f)
        )
        return found


def until(get: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """What `get` gives once it is `good`."""
    for _ in range(1200):
        found = get()
        if good(found):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


@contextmanager
def opened(**settings: Any) -> Iterator[Lab]:
    """A lab with all ports free ones."""
    found: list[Open] = []
    problems: list[BaseException] = []
    up = threading.Event()
    ends: list[Callable[[], object]] = []

    async def keep() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(over.set))

        def ready(lab_open: Open) -> None:
            found.append(lab_open)
            up.set()

        await lab(Settings(**({"smtp": 0, "web": 0} | settings)), ready, over)

    def work() -> None:
        try:
            asyncio.run(keep())
        except BaseException as problem:
            problems.append(problem)
        up.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert up.wait(120)
        if problems:
            raise problems[0]
        yield Lab(found[0])
    finally:
        with suppress(RuntimeError):
            ends[0]()
        thread.join()
    if problems:
        raise problems[0]


def context() -> ssl.SSLContext:
    trusting = ssl.create_default_context()
    trusting.load_verify_locations(cadata=certificates.authority_pem().decode())
    return trusting


def deliver(port: int, name: str = "client.example.net", subject: str = "x") -> None:
    """A message inside TLS, by Python's own library."""
    with smtplib.SMTP("localhost", port, local_hostname=name, timeout=20) as client:
        client.starttls(context=context())
        client.sendmail("a@example.com", ["b@example.com"], f"Subject: {subject}\r\n\r\nx\r\n")
