"""Peers to check: servers and clients of the lab, by their policies."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import msgspec

from simulator.checks import client, server
from simulator.checks.cases import ClientCase, Result, chosen, server_cases
from simulator.lab.client import Client
from simulator.lab.play import Lab, run
from simulator.lab.policy import ClientPolicy, Mail, Scenario, ServerPolicy
from simulator.lab.tap import Tap

NOTHING = ""
USER, PASSWORD = "ana", "correct-horse"


def scenario(policy: ServerPolicy) -> Scenario:
    return Scenario(title=NOTHING, question=NOTHING, watch=NOTHING, conclude=NOTHING, server=policy)


def host_of(policy: ServerPolicy, port: int, authority: Path) -> server.Host:
    return server.Host(
        host="127.0.0.1",
        port=port,
        name=policy.name,
        authority=str(authority),
        implicit_tls=policy.implicit_tls,
        user=USER,
        password=PASSWORD,
        pause=0,
        patience=3,
    )


def server_checked(
    policy: ServerPolicy, authority: Path, user: str = USER, *only: str
) -> list[Result]:
    """What the checks find of a server with that policy."""

    async def checked() -> list[Result]:
        async with Lab(scenario(policy)).open() as lab:
            host = msgspec.structs.replace(host_of(policy, lab.address[1], authority), user=user)
            return await server.check(host, chosen(server_cases(), only))

    return run(checked())


def client_checked(policy: ClientPolicy) -> list[Result]:
    """What the checks find of a client with that policy."""
    hurried = msgspec.structs.replace(policy, patience=3.0)

    async def meet(case: ClientCase, address: tuple[str, int]) -> None:
        with socket.socket() as connection:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, address)
            await Client(hurried, Mail(), Tap(), case.server.name).run(connection)

    return run(client.check(meet))


def told(results: list[Result]) -> dict[str, str]:
    return {result.case.id: result.status for result in results}
