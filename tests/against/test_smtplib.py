"""Against independent peers in Python: smtplib talks to the lab's server, and the lab's client to
an aiosmtpd that nobody has bent."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from typing import Literal

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Known

from simulator import explain
from simulator.lab import Scenario, certificates
from simulator.lab.play import Lab
from simulator.session import Session
from tests.lab.peers import DOCUMENTED, NAME, ending, scenario

MESSAGE = "Subject: Why twice?\r\n\r\n.A line that begins with a dot.\r\n"


def trusting() -> ssl.SSLContext:
    """Trusts the lab's authority. The name is not checked: smtplib would ask for 127.0.0.1."""
    lab = certificates.client_context("1.3", NAME, verify=True, certificate=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=b"".join(lab.get_ca_certs(binary_form=True)))
    context.check_hostname = False
    return context


def smtplib_meets(server: Scenario, talk: Callable[[smtplib.SMTP], None]) -> None:
    def client(address: tuple[str, int]) -> None:
        name = "a.example.com"
        if server.server.implicit_tls:
            tls = trusting()
            with smtplib.SMTP_SSL(*address, name, timeout=5, context=tls) as connection:
                talk(connection)
        else:
            with smtplib.SMTP(*address, name, timeout=5) as connection:
                talk(connection)

    async def both() -> None:
        async with Lab(server).open() as lab:
            await asyncio.to_thread(client, lab.address)

    asyncio.run(both())


def test_smtplib_says_ehlo_twice() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        assert connection.ehlo()[0] == 250
        assert connection.esmtp_features == {"8bitmime": "", "size": "10485760", "starttls": ""}
        assert connection.starttls(context=trusting()) == (220, b"Go ahead with TLS")
        # It forgets, as RFC 3207 §4.2 wants it.
        assert connection.ehlo_resp is None
        assert connection.ehlo()[0] == 250
        assert connection.esmtp_features == {"8bitmime": "", "size": "10485760"}
        assert connection.sendmail("a@example.com", ["b@example.com"], MESSAGE) == {}

    smtplib_meets(DOCUMENTED, talk)


def test_smtplib_sends_a_whole_message_by_itself() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        connection.starttls(context=trusting())
        assert connection.sendmail("a@example.com", ["b@example.com"], MESSAGE) == {}

    smtplib_meets(DOCUMENTED, talk)


def test_server_forgets_smtplib() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        connection.starttls(context=trusting())
        assert connection.docmd("MAIL", "FROM:<a@example.com>")[0] == 503
        assert connection.docmd("EHLO", "a.example.com")[0] == 250
        assert connection.docmd("MAIL", "FROM:<a@example.com>")[0] == 250
        assert connection.docmd("STARTTLS")[0] == 503
        assert connection.docmd("RCPT", "TO:<b@example.com>")[0] == 250

    smtplib_meets(DOCUMENTED, talk)


def test_smtplib_logs_in_inside_tls_only() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            connection.login("ana", "correct-horse")
        connection.starttls(context=trusting())
        assert connection.login("ana", "correct-horse")[0] == 235

    smtplib_meets(scenario(server={"auth": "inside"}), talk)


def test_smtplib_is_offered_no_tls() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            connection.starttls(context=trusting())

    smtplib_meets(scenario(server={"starttls": "hidden"}), talk)
    smtplib_meets(scenario(middlebox={"does": "strip"}), talk)


def test_smtplib_needs_one_ehlo_with_implicit_tls() -> None:
    def talk(connection: smtplib.SMTP) -> None:
        assert connection.ehlo()[0] == 250
        assert not connection.has_extn("starttls")
        assert connection.sendmail("a@example.com", ["b@example.com"], MESSAGE) == {}

    smtplib_meets(scenario(server={"implicit_tls": True}), talk)


class Mailbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.came: list[tuple[str | None, list[str], bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Known, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        _, _, body = envelope.content.partition(b"\r\n\r\n")
        self.came.append((envelope.mail_from, envelope.rcpt_tos, body))
        return "250 OK"


def client_meets(client: Scenario, make: Callable[[Mailbox], SMTP]) -> tuple[Session, Mailbox]:
    mailbox = Mailbox()

    async def both() -> Session:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: make(mailbox), "127.0.0.1", 0)
        lab = Lab(client)
        lab.address = server.sockets[0].getsockname()[:2]
        try:
            return await lab.session()
        finally:
            server.close()
            await asyncio.sleep(0.01)

    return asyncio.run(both()), mailbox


def plain_aiosmtpd(mailbox: Mailbox) -> SMTP:
    return SMTP(mailbox, hostname=NAME, loop=asyncio.get_running_loop())


def aiosmtpd_with_tls(mailbox: Mailbox) -> SMTP:
    return SMTP(
        mailbox,
        hostname=NAME,
        tls_context=certificates.server_context("valid", NAME),
        require_starttls=True,
        loop=asyncio.get_running_loop(),
    )


BODIES = {
    "": b"",
    "No line end": b"No line end\r\n",
    "Line ends\r\nof Windows\r\n": b"Line ends\r\nof Windows\r\n",
    ".A dot\n..\n.\n": b".A dot\r\n..\r\n.\r\n",
    "E finalmente: ação.\n": "E finalmente: ação.\r\n".encode(),
    "x" * 900 + "\n" * 3000: b"x" * 900 + b"\r\n" * 3000,
}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_client_delivers_the_message_as_it_is(body: str) -> None:
    session, mailbox = client_meets(scenario(mail={"body": body}), aiosmtpd_with_tls)
    assert ending(session) == ("server", "quit")
    assert [came for _, _, came in mailbox.came] == [BODIES[body]]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_client_delivers_inside_tls(tls: Literal["1.2", "1.3"]) -> None:
    session, mailbox = client_meets(scenario(client={"tls_version": tls}), aiosmtpd_with_tls)
    assert ending(session) == ("server", "quit")
    verdict = explain(session).verdict
    assert (verdict.tls, verdict.second_ehlo) == ("established", "sent")
    assert (verdict.delivered, verdict.in_clear) == (True, False)
    assert [(sender, recipients) for sender, recipients, _ in mailbox.came] == [
        (DOCUMENTED.mail.sender, list(DOCUMENTED.mail.recipients))
    ]


def test_client_goes_on_in_the_clear() -> None:
    session, mailbox = client_meets(DOCUMENTED, plain_aiosmtpd)
    assert ending(session) == ("server", "quit")
    verdict = explain(session).verdict
    assert (verdict.tls, verdict.delivered, verdict.in_clear) == ("not_offered", True, True)
    assert len(mailbox.came) == 1


def test_client_gives_up_without_tls() -> None:
    session, mailbox = client_meets(scenario(client={"tls": "required"}), plain_aiosmtpd)
    assert ending(session) == ("client", "given up")
    assert mailbox.came == []


@pytest.mark.parametrize("skips", [True, False])
def test_aiosmtpd_itself_insists_on_the_second_ehlo(skips: bool) -> None:
    client = scenario(client={"after_handshake": "nothing" if skips else "EHLO"})
    session, mailbox = client_meets(client, aiosmtpd_with_tls)
    assert len(mailbox.came) == (0 if skips else 1)
    assert (503 in [getattr(event, "code", 0) for event in session.events]) == skips
