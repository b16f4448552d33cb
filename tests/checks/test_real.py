"""Against software that others wrote: what is known of it is found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.checks import cases, client, server
from simulator.lab import certificates
from simulator.lab.play import run
from tests.checks.peers import told

AIOSMTPD = """
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP
from aiosmtpd.handlers import Sink
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
async def main():
    loop = asyncio.get_running_loop()
    make = lambda: SMTP(Sink(), hostname="mx.example.org", tls_context=context, loop=loop)
    server = await loop.create_server(make, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def aiosmtpd(folder: Path, release: Path | None = None) -> Iterator[server.Host]:
    """aiosmtpd as it comes, perhaps another release of it, in a process of its own."""
    authority = folder / "authority.pem"
    authority.write_bytes(certificates.authority_pem())
    leaf = certificates._issued("valid", "mx.example.org")
    chain = folder / "server.pem"
    chain.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    path = [f"import sys; sys.path.insert(0, {str(release)!r})"] if release else []
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", "\n".join([*path, AIOSMTPD]), str(chain)],
        stdout=subprocess.PIPE,
        # It tells of handshakes that fail.
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield server.Host(
            host="127.0.0.1", port=port, name="mx.example.org", authority=str(authority), pause=0
        )
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_aiosmtpd_as_it_is(tmp_path: Path) -> None:
    """It begins TLS inside TLS, which is a risk and breaks nothing that binds a server."""
    with aiosmtpd(tmp_path) as host:
        found = told(run(server.check(host)))
    wrong = {name for name, status in found.items() if status in ("failed", "unclear")}
    assert wrong == {"starttls-refused-inside"}


def installed(what: str, where: Path) -> None:
    """A release of something, in a folder of its own."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--disable-pip-version-check", "--target", str(where), what),
        ],
        check=True,
    )


@pytest.mark.slow
def test_aiosmtpd_before_its_repair_obeys_what_was_injected(tmp_path: Path) -> None:
    """CVE-2024-34083, repaired in 1.4.6."""
    release = tmp_path / "release"
    installed("aiosmtpd==1.4.5", release)
    with aiosmtpd(tmp_path, release) as host:
        found = told(run(server.check(host)))
    wrong = {name for name, status in found.items() if status in ("failed", "unclear")}
    assert wrong == {"starttls-refused-inside", "drops-what-was-pipelined"}


def client_found(*words: str) -> dict[str, str]:
    results = run(client.check(client.Program(words, 20)))
    return told(results)


@pytest.mark.needs("swaks")
def test_swaks() -> None:
    """It says EHLO again, forgets the first list, and verifies only if it is told to."""
    only = cases.chosen(cases.client_cases(), ("ehlo-again", "forgets-the-list", "checks-the-name"))
    words = ("swaks", "--server", "{host}:{port}", "--tls", "--to", "b@example.org")
    found = told(run(client.check(client.Program(words, 20), only)))
    failed = {name for name, status in found.items() if status != "passed"}
    assert failed == {"checks-the-name"}


@pytest.mark.needs("curl")
def test_curl(tmp_path: Path) -> None:
    """It verifies, stays out of the clear and says EHLO again; what it keeps depends on its age."""
    message = tmp_path / "message.txt"
    message.write_bytes(b"Subject: x\r\n\r\nx\r\n")
    found = client_found(
        *("curl", "--silent", "--ssl-reqd", "--cacert", "{ca}", "smtp://{host}:{port}"),
        *("--mail-from", "a@example.org", "--mail-rcpt", "b@example.org"),
        *("--upload-file", str(message)),
    )
    failed = {name for name, status in found.items() if status != "passed"}
    assert failed <= {"forgets-the-list"}


@pytest.mark.needs("openssl")
def test_s_client_delivers_nothing() -> None:
    """It can begin TLS and no more: that much is seen, and nothing is claimed of the rest."""
    found = client_found(
        *("openssl", "s_client", "-quiet", "-starttls", "smtp", "-connect", "{host}:{port}")
    )
    assert found["delivers"] == "failed"
    assert found["ehlo-again"] == "skipped"


@pytest.mark.needs("msmtp")
def test_msmtp(tmp_path: Path) -> None:
    """It takes the message from its standard input, so a shell runs it."""
    message = tmp_path / "message.txt"
    message.write_bytes(b"Subject: x\n\nx\n")
    words = (
        "msmtp --host={host} --port={port} --tls=on --tls-starttls=on --tls-trust-file={ca} "
        '--auth=off --from=a@example.org b@example.org < "$0"'
    )
    found = client_found("sh", "-c", words, str(message))
    assert {name for name, status in found.items() if status != "passed"} == set()


AIOSMTPLIB = """
import asyncio, ssl, sys
sys.path.insert(0, sys.argv[4])
from aiosmtplib import SMTP
async def main():
    host, port = sys.argv[1], int(sys.argv[2])
    trusted = ssl.create_default_context(cafile=sys.argv[3])
    async with SMTP(hostname=host, port=port, start_tls=True, tls_context=trusted) as client:
        await client.sendmail("a@example.org", ["b@example.org"], "Subject: x\\r\\n\\r\\nx\\r\\n")
asyncio.run(main())
"""


@pytest.mark.slow
def test_aiosmtplib(tmp_path: Path) -> None:
    release = tmp_path / "release"
    installed("aiosmtplib==5.1.3", release)
    program = tmp_path / "program.py"
    program.write_text(AIOSMTPLIB, encoding="utf-8")
    found = client_found(sys.executable, str(program), "{host}", "{port}", "{ca}", str(release))
    assert {name for name, status in found.items() if status != "passed"} == set()
