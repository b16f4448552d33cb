"""python-slimta's SMTP edge with a certificate and a password, otherwise as it comes."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

import gevent  # noqa: E402
from gevent.ssl import PROTOCOL_TLS_SERVER, SSLContext  # noqa: E402
from slimta.edge.smtp import SmtpEdge, SmtpValidators  # noqa: E402


class Taking:
    """Takes every message, and keeps none."""

    def enqueue(self, envelope):
        return [(envelope, "1")]

    def kill(self):
        pass


class Validators(SmtpValidators):
    """Knows one user."""

    def handle_auth(self, reply, creds):
        if creds.authcid != "u":
            reply.code, reply.message = "535", "5.7.8 no"


context = SSLContext(PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])
SmtpEdge(
    ("127.0.0.1", int(os.environ["PORT"])),
    Taking(),
    context=context,
    auth=True,
    validator_class=Validators,
    hostname="mail.example.test",
).start()
gevent.sleep(10**6)
