"""Twisted's ESMTP sender, as its documentation has it."""

import os
import sys
from io import BytesIO

from twisted.internet import defer, reactor, ssl
from twisted.mail.smtp import ESMTPSenderFactory
from twisted.python import log

if os.environ.get("VERBOSE"):
    log.startLogging(sys.stdout)
host, port = sys.argv[1:]
done = defer.Deferred()
factory = ESMTPSenderFactory(
    None,
    None,
    b"a@example.org",
    b"b@example.org",
    BytesIO(b"Subject: survey\r\n\r\nhi\r\n"),
    done,
    contextFactory=ssl.optionsForClientTLS(host),
    requireTransportSecurity=True,
    requireAuthentication=False,
    retries=0,
    timeout=10,
    hostname="client.example",
)
done.addErrback(lambda failure: sys.stderr.write(f"{failure.value}\n"))
done.addBoth(lambda _: reactor.stop())
reactor.connectTCP(host, int(port), factory)
reactor.run()
