"""aiosmtpd with a certificate and a password, otherwise as it comes."""

import os
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Taking:
    """Takes every message, and keeps none."""

    async def handle_DATA(self, server, session, envelope):
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"u", b"p"))


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])
controller = Controller(
    Taking(),
    hostname="127.0.0.1",
    port=int(os.environ["PORT"]),
    server_hostname="mail.example.test",
    tls_context=context,
    authenticator=login,
)
controller.start()
signal.pause()
