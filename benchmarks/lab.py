"""The lab under load: so many clients at once for so long, while somebody reads its page.

    python -m benchmarks.lab                   # 200 clients, 300 seconds
    python -m benchmarks.lab 200 60

Each client delivers one message after the other, inside TLS, under a name that no other session
has, and repeats that name in the subject. Meanwhile others stall, drip octets, send a line without
end, reset, or open connections and say nothing. Told are: sessions delivered, lost and mixed up;
how long the page waits for its list and for one session; the lab's memory, minute by minute. It
runs on one machine with the lab, so the clients take their share of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import random
import re
import ssl
import statistics
import sys
import time
import urllib.request
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Count:
    def __init__(self) -> None:
        self.delivered = 0
        self.failed: list[str] = []
        self.misbehaved = 0


async def deliver(port: int, name: str, context: ssl.SSLContext) -> None:
    """One message inside TLS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(line: str, wanted: str) -> None:
        if line:
            writer.write(f"{line}\r\n".encode())
        while True:
            reply = (await reader.readline()).decode()
            if not reply.startswith(wanted):
                raise ConnectionError(f"{line[:40]!r} was answered {reply!r}")
            if reply[3] == " ":
                return

    try:
        await ask("", "220")
        await ask(f"EHLO {name}", "250")
        await ask("STARTTLS", "220")
        await writer.start_tls(context, server_hostname="localhost")
        await ask(f"EHLO {name}", "250")
        await ask("MAIL FROM:<a@example.com>", "250")
        await ask("RCPT TO:<b@example.com>", "250")
        await ask("DATA", "354")
        await ask(f"Subject: {name}\r\n\r\nx\r\n.", "250")
        await ask("QUIT", "221")
    finally:
        writer.close()


async def client(
    number: int, port: int, until: float, context: ssl.SSLContext, count: Count
) -> None:
    sent = 0
    while time.monotonic() < until:
        sent += 1
        try:
            await asyncio.wait_for(deliver(port, f"c{number}-{sent}.example", context), 60)
            count.delivered += 1
        except (OSError, TimeoutError, ssl.SSLError) as error:
            count.failed.append(f"{type(error).__name__}: {error}")


async def nuisance(port: int, until: float, count: Count) -> None:
    """One client after the other that does what none should."""
    while time.monotonic() < until:
        how = random.choice(["stall", "drip", "endless", "reset", "silent"])
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            count.misbehaved += 1
            if how == "reset":
                writer.transport.abort()
            elif how == "endless":
                for _ in range(200):
                    writer.write(b"x" * 10_000)
                    await asyncio.wait_for(writer.drain(), 5)
            elif how == "drip":
                for octet in b"EHLO drip.example":
                    writer.write(bytes([octet]))
                    await asyncio.sleep(1)
            elif how == "stall":
                writer.write(b"EHLO stall.example\r\n")
                await asyncio.sleep(20)
            else:
                await asyncio.sleep(10)
            writer.close()
        except (OSError, TimeoutError):
            pass
        await asyncio.sleep(0.5)


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


async def look(page: str, until: float, waited: dict[str, list[float]]) -> None:
    """What an open page asks for: its list, and the newest session."""
    while time.monotonic() < until:
        begun = time.monotonic()
        found = json.loads(await asyncio.to_thread(get, f"{page}api/sessions"))["sessions"]
        waited["list"].append(time.monotonic() - begun)
        if found:
            begun = time.monotonic()
            await asyncio.to_thread(get, f"{page}api/sessions/{found[0]['number']}")
            waited["session"].append(time.monotonic() - begun)
        await asyncio.sleep(0.5)


def memory(pid: int) -> float:
    """MB of memory that the process holds."""
    statm = Path(f"/proc/{pid}/statm")
    return int(statm.read_text().split()[1]) * PAGE / 1e6 if statm.exists() else 0.0


async def weigh(pid: int, until: float, weights: list[float]) -> None:
    while time.monotonic() < until:
        weights.append(memory(pid))
        await asyncio.sleep(10)


def mixed(page: str) -> tuple[int, int]:
    """Of the sessions that are kept: those with a message, and those with somebody else's."""
    looked = wrong = 0
    for one in json.loads(get(f"{page}api/sessions"))["sessions"]:
        if not re.fullmatch(r"c\d+-\d+\.example", one["client"]):
            continue
        found = json.loads(get(f"{page}api/sessions/{one['number']}/messages"))["messages"]
        looked += 1
        wrong += [m["headers"] for m in found] != [[["Subject", one["client"]]]]
    return looked, wrong


def middle(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


async def main(clients: int, seconds: float) -> None:
    lab = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "lab", "--port", "0", "--page", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert lab.stdout is not None
        ports: list[int] = []
        while not (
            found := re.match(r"http://\S+", line := (await lab.stdout.readline()).decode())
        ):
            ports += [int(number) for number in re.findall(r"^127\.0\.0\.1:(\d+)", line)]
        page = found[0]
        context = ssl.create_default_context(cadata=get(f"{page}authority.pem").decode())
        count, waited, weights = Count(), {"list": [0.0], "session": [0.0]}, [memory(lab.pid)]
        for known in waited.values():
            known.clear()
        until = time.monotonic() + seconds
        # The first port: strict and right.
        await asyncio.gather(
            *(client(number, ports[0], until, context, count) for number in range(clients)),
            *(nuisance(ports[0], until, count) for _ in range(10)),
            look(page, until, waited),
            weigh(lab.pid, until, weights),
        )
        await asyncio.sleep(3)
        health = json.loads(get(f"{page}api/health"))
        looked, wrong = mixed(page)
        print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
        print(f"{clients} clients, {seconds:.0f} s: {count.delivered} messages delivered,")
        print(f"  {len(count.failed)} failed {sorted(set(count.failed))[:3]}")
        print(f"  {count.misbehaved} connections that misbehaved")
        print(f"  {health['kept']} sessions kept, {health['dropped']} dropped as said;")
        print(f"  of those kept {looked} had a message, {wrong} somebody else's")
        for name, known in waited.items():
            print(
                f"page, {name}: median {statistics.median(known) * 1000:.0f} ms, "
                f"95th percentile {middle(known, 0.95):.0f} ms, worst {max(known) * 1000:.0f} ms"
            )
        print("memory, MB:", " ".join(f"{weight:.0f}" for weight in weights))
    finally:
        lab.terminate()
        await lab.wait()


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]] or [200, 300]
    asyncio.run(main(int(given[0]), given[1] if len(given) > 1 else 300))
