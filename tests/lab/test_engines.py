"""The lab in memory against the lab on loopback: the same sessions, whatever they stand on.

What may differ are octets that TLS makes: random numbers, certificates, lengths of records. What
the peers said, what was noted about it and how it ended may not.
"""

import asyncio
import contextlib
import io
import socket
import ssl
import time
from typing import Any

import msgspec
import pytest
from cryptography import x509

from simulator import explainer, formats
from simulator.lab import Scenario, arena, certificates, load, names, play
from simulator.lab.engine import playing_on
from simulator.lab.memory import certificates as pure
from simulator.lab.memory import network
from simulator.session import Command, Handshake, Reply, Session, Trace
from simulator.views import pcapng
from tests.playing import explanation

FIELDS = ("version", "cipher", "verified", "error", "detail", "reason", "code", "verb", "argument")
"""What an event says, beside what all events have."""


def facts(session: Session) -> dict[str, Any]:
    """All of a session that must be the same."""
    found = explainer.explain(session)
    return {
        "events": [event(step) for step in found.steps],
        "verdict": msgspec.to_builtins(found.verdict),
        "secrets": sorted(line.split()[0] for line in session.secrets),
    }


def event(step: explainer.Step) -> dict[str, Any]:
    """One event, with what it answers and what was noted."""
    event = step.event
    said = {
        "kind": type(event).__name__,
        "by": event.by,
        "secure": event.secure,
        "lost": event.lost,
        "stale": event.stale,
        "raw": event.raw,
        "answers": step.answers,
        "heard as": step.heard_as,
        "notes": sorted((note.rule, note.met) for note in step.notes),
        **{field: getattr(event, field) for field in FIELDS if hasattr(event, field)},
    }
    if isinstance(event, Trace):
        said["text"] = event.text.partition(";")[0]
    if isinstance(event, Handshake):
        shown = (event.server_certificate, event.client_certificate)
        said["shown"] = [one and (one.subject, one.names) for one in shown]
    return said


def in_memory(scenario: Scenario) -> Session:
    with playing_on("memory"):
        return play(scenario)


def speaking(scenario: Scenario, version: str) -> Scenario:
    """The same with a client that speaks that version of TLS."""
    client = msgspec.structs.replace(scenario.client, tls_version=version)
    return msgspec.structs.replace(scenario, client=client)


@pytest.mark.parametrize("name", names())
def test_a_scenario_is_the_same_in_memory(name: str) -> None:
    assert facts(in_memory(load(name))) == facts(explanation(name).session)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_scenario_is_the_same_in_memory_in_either_version(name: str, version: str) -> None:
    scenario = speaking(load(name), version)
    assert facts(in_memory(scenario)) == facts(play(scenario))


EVERY = list(arena.combinations())


@pytest.mark.parametrize(
    "some",
    [EVERY[7::60], pytest.param(EVERY, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
    ids=["some", "all"],
)
def test_the_matrix_is_the_same_in_memory(some: list[tuple[str, str, str]]) -> None:
    over_loopback = arena.play_all(some)
    with playing_on("memory"):
        within = arena.play_all(some)
    different = [
        "+".join(names)
        for names, one, other in zip(some, over_loopback, within, strict=True)
        if facts(one) != facts(other)
    ]
    assert different == []


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_what_crossed_in_memory_is_opened_by_other_software(version: str) -> None:
    """The session as a capture with its secrets, decrypted by `cryptography`: the same session."""
    session = in_memory(speaking(load("documented"), version))
    [read] = formats.read(io.BytesIO(pcapng.render(session)))
    said = [event.raw for event in session.events if isinstance(event, Command | Reply)]
    assert [event.raw for event in read.events if isinstance(event, Command | Reply)] == said
    assert any(event.secure for event in read.events if isinstance(event, Command))


def test_a_certificate_made_in_memory_is_read_by_other_software() -> None:
    with playing_on("memory"):
        session = play(load("documented"))
    [handshake] = [event for event in session.events if isinstance(event, Handshake)]
    assert handshake.server_certificate is not None
    der = pure._issued("valid", "eq-c601.example.com").der
    authority = x509.load_pem_x509_certificate(pure.authority_pem())
    x509.load_der_x509_certificate(der).verify_directly_issued_by(authority)
    assert certificates.describe(der) == pure.describe(der)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("server", ["OpenSSL", "memory"])
def test_openssl_and_memory_shake_hands(server: str, version: str) -> None:
    name = "mx.example.com"
    if server == "memory":
        serving: Any = pure.server_context("valid", name)
        asking: Any = ssl.create_default_context(cadata=pure.authority_pem().decode())
        asking.maximum_version = getattr(ssl.TLSVersion, f"TLSv{version.replace('.', '_')}")
        # As every client asks from Python 3.13 on.
        asking.verify_flags |= ssl.VERIFY_X509_STRICT
    else:
        serving = certificates.server_context("valid", name)
        asking = pure.client_context(version, name, verify=False, certificate=False)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(down, up, server_hostname=name)
    there = serving.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (client, there):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    client.write(b"EHLO again\r\n")
    there.write(b"250 hello\r\n")
    assert there.read(100) == b"EHLO again\r\n"
    with contextlib.suppress(ssl.SSLWantReadError):
        client.read(0)
    assert client.read(100) == b"250 hello\r\n"
    assert client.version() == there.version() == f"TLSv{version}"
    assert client.cipher()[0] == there.cipher()[0]


def test_nothing_in_memory_asks_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    session = in_memory(load("stripped"))
    assert session.events


def test_time_in_memory_costs_nothing() -> None:
    scenario = load("silent-server")
    began = time.monotonic()
    session = in_memory(scenario)
    waited = session.events[-1].at
    assert waited >= scenario.client.patience
    assert time.monotonic() - began < waited


def test_a_wait_without_end_is_told() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(network.Stuck, match="stands still"):
        network.run(wait())
