"""How many complete sessions a second, beside the bare TLS handshakes of the same certificates."""

from __future__ import annotations

import asyncio
import collections
import cProfile
import pstats
import ssl
import time
from collections.abc import Iterator

from benchmarks.ratio import Result, median, seconds
from simulator.explainer import explain
from simulator.lab import Scenario, certificates, load
from simulator.lab.play import Lab
from simulator.session import Session

ROUNDS = 11
COUNT = 200
AT_ONCE = 50
TARGET = 0.40


def handshakes(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """`COUNT` TLS handshakes in memory: nothing but OpenSSL, twice."""
    for _ in range(COUNT):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        waiting = [
            client.wrap_bio(to_client, to_server, server_hostname=name),
            server.wrap_bio(to_server, to_client, server_side=True),
        ]
        while waiting:
            peer = waiting.pop(0)
            try:
                peer.do_handshake()
            except ssl.SSLWantReadError:
                waiting.append(peer)


async def sessions(scenario: Scenario) -> list[Session]:
    """`COUNT` sessions over loopback, `AT_ONCE` of them at any time."""
    places = asyncio.Semaphore(AT_ONCE)

    async with Lab(scenario).open() as lab:

        async def one() -> Session:
            async with places:
                return await lab.session()

        return await asyncio.gather(*(one() for _ in range(COUNT)))


OWNERS = {"/simulator/": "the lab", "/aiosmtpd/": "aiosmtpd", "/asyncio/": "asyncio"}
"""Whose code it is, by a part of its path; what is built into the interpreter goes by its name."""


def costs(scenario: Scenario) -> str:
    """Where the processor time goes, in hundredths; a profile adds to each call, so roughly."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(asyncio.run, sessions(scenario))
    spent: collections.Counter[str] = collections.Counter()
    for (path, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[_owner(path, name)] += own
    total = sum(spent.values())
    return ", ".join(f"{who} {100 * own / total:.0f} %" for who, own in spent.most_common())


def _owner(path: str, name: str) -> str:
    if "_ssl" in name:
        return "OpenSSL"
    if "_socket" in name or "epoll" in name:
        return "sockets"
    return next((who for part, who in OWNERS.items() if part in path), "the interpreter")


def complete(session: Session) -> bool:
    """Did the mail get through inside TLS, and is all of it on the record?"""
    verdict = explain(session).verdict
    return verdict.delivered and not verdict.in_clear and len(session.secrets) == 5


def measure() -> Iterator[Result]:
    scenario = load("documented")
    name = scenario.server.name
    server = certificates.server_context("valid", name)
    trusting = certificates.client_context("1.3", name, verify=True, certificate=False)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    client.load_verify_locations(cadata=b"".join(trusting.get_ca_certs(binary_form=True)))
    shares: list[float] = []
    speeds: list[tuple[float, float]] = []
    failed = total = 0
    for _ in range(ROUNDS):
        bare = seconds(lambda: handshakes(server, client, name))
        begun = time.perf_counter()
        played = asyncio.run(sessions(scenario))
        ours = time.perf_counter() - begun
        shares.append(bare / ours)
        speeds.append((COUNT / ours, COUNT / bare))
        failed += sum(not complete(session) for session in played)
        total += len(played)
    # The first round is for warming up.
    share = median(shares[1:])
    a_second, bare_a_second = (median(list(speed)) for speed in zip(*speeds[1:], strict=True))
    yield Result(
        f"{share * 100:.0f} % of bare handshakes ({a_second:.0f} of {bare_a_second:.0f} a second, "
        f"{AT_ONCE} sessions at once)",
        f"{TARGET * 100:.0f} %",
        share >= TARGET,
    )
    yield Result(f"of that: {costs(scenario)}", "only told", True)
    yield Result(f"{failed} of {total} sessions failed", "0", not failed)
