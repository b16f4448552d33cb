"""The challenge: each server is met by a client that is right, and by one with the fault it is
there to find."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from simulator.live import challenge
from tests.live.opened import Lab, context, deliver, opened, until

SERVERS = [port.name for port in challenge.servers()]


def lines(port: int, *said: str, tls: ssl.SSLContext | None = None, reads: int = 4096) -> None:
    """A client that says its lines, one after the other, whatever the answers are."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        stream: socket.socket = connection
        try:
            stream.recv(reads)
            for line in said:
                stream.sendall(f"{line}\r\n".encode())
                stream.recv(reads)
                if line == "STARTTLS":
                    assert tls is not None
                    stream = tls.wrap_socket(stream, server_hostname="localhost")
        except OSError:
            pass
        finally:
            stream.close()


MAIL = ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA", "Subject: x\r\n\r\nx\r\n.")


def careless(port: int) -> None:
    """Trusts everybody, gives up nothing."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    name = "careless.example.net"
    with smtplib.SMTP("localhost", port, local_hostname=name, timeout=10) as client:
        try:
            client.starttls(context=trusting)
        except smtplib.SMTPException:
            pass
        client.sendmail("a@example.com", ["b@example.com"], "Subject: x\r\n\r\nx\r\n")


def skips(port: int) -> None:
    """Says EHLO once."""
    said = ("EHLO skips.example.net", "STARTTLS", *MAIL, "QUIT")
    lines(port, *said, tls=context())


def hasty(port: int) -> None:
    """Takes seven octets for a reply, and leaves when it is puzzled."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.recv(7)
        connection.sendall(b"EHLO hasty.example.net\r\n")
        connection.recv(7)


def file_kept(port: int) -> None:
    """Reads on from the file that it had before the handshake: what was slipped in comes first."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        file = connection.makefile("rb")
        file.readline()
        connection.sendall(b"EHLO kept.example.net\r\n")
        while file.readline()[3:4] == b"-":
            pass
        connection.sendall(b"STARTTLS\r\n")
        file.readline()
        with context().wrap_socket(connection, server_hostname="localhost") as inside:
            inside.sendall(b"EHLO kept.example.net\r\n")
            file.readline()
            inside.sendall(b"MAIL FROM:<a@example.com>\r\n")
            assert file.readline().startswith(b"550")
            inside.sendall(b"QUIT\r\n")
            inside.recv(4096)
            file.close()


@pytest.fixture
def lab() -> Any:
    with opened(challenge=True) as found:
        yield found


def met(lab: Lab, server: int, client: Callable[[int], None]) -> dict[str, Any]:
    """What is told of one connection to that server."""
    client(lab.port(f"challenge-{server}"))
    [one] = until(lab.sessions, lambda found: len(found) == 1 and found[0]["over"])
    feedback: dict[str, Any] = one["feedback"]
    return feedback


def test_a_right_client_passes_everywhere(lab: Lab) -> None:
    assert len(SERVERS) == 6
    for name in SERVERS:
        try:
            deliver(lab.port(name))
        except (smtplib.SMTPException, ssl.SSLError):
            pass
    found = lab.settled(6)
    told = {one["port"]: one["feedback"] for one in found}
    assert told == {name: {"passed": True, "failed": "", "fits": "", "step": 0} for name in SERVERS}


@pytest.mark.parametrize(
    ("server", "client", "would_fit"),
    [
        (1, skips, "remembers the EHLO from before"),
        (2, hasty, "each reply arrives in one piece"),
        (3, careless, "has no TLS"),
        (4, careless, "has no TLS"),
        (5, careless, "nobody but the server can answer"),
        (6, file_kept, "TLS before the greeting"),
    ],
)
def test_a_fault_is_told_with_what_it_would_have_fitted(
    lab: Lab, server: int, client: Callable[[int], None], would_fit: str
) -> None:
    feedback = met(lab, server, client)
    assert not feedback["passed"]
    assert feedback["failed"] == challenge.exercise().trial[server - 1].failed
    assert would_fit in feedback["fits"]
    assert feedback["step"] > 0


def test_the_step_that_broke_the_rule_is_shown(lab: Lab) -> None:
    step = met(lab, 1, skips)["step"]
    [one] = lab.sessions()
    steps = lab.ask(f"api/sessions/{one['number']}").json["sessions"][0]["steps"]
    assert steps[step - 1]["text"] == ["MAIL FROM:<a@example.com>"]


def test_the_servers_stay_as_they_are(lab: Lab) -> None:
    assert lab.ask("api/ports").json["challenge"] is True
    refused = lab.ask("api/ports/challenge-1", "PUT", {"middlebox": {"does": "strip"}})
    assert refused.status == 409


def test_the_certificate_to_trust_is_there(lab: Lab) -> None:
    trusting = ssl.create_default_context(cadata=lab.ask("authority.pem").body.decode())
    with smtplib.SMTP("localhost", lab.port("challenge-1"), timeout=20) as client:
        client.starttls(context=trusting)
        assert client.ehlo("x.example")[0] == 250


def test_other_labs_judge_nothing() -> None:
    with opened() as lab:
        deliver(lab.port("documented"))
        [one] = lab.settled(1)
        assert one["feedback"] is None
