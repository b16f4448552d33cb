"""testssl.sh with --debug: `=== sending "STARTTLS" ...`, and the reply to that one alone in the
versions that do not wait for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import Expected, Format, Sample
from simulator.reading.marks import continued, unmarked
from simulator.session import Session

_SENT = late(r'\s*=+ sending "(?P<text>[^"]{1,500})"')
_RESULT = late(r"\s*\.{3} received result: ?(?P<text>[2-5]\d\d[ -].*)")
_ITS_OWN = late(
    r'\s*(?:=+ sending "|\.{3} received result|-{2,3}> reply (?:matched|didn)'
    r"|STARTTLS handshake problem|sending client hello)"
)


def detect(head: str, telling: list[str]) -> float:
    """By testssl's own words."""
    hits = sum(_ITS_OWN.match(line) is not None for line in head.split("\n"))
    return 0.5 + 0.05 * min(hits, 8) if hits and _SENT.search(head) else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("testssl")
    held: tuple[str, Line] | None = None
    for line in lines:
        sent = _SENT.match(line.text)
        if held is not None and line.text and (sent or not line.text.startswith(" ")):
            _say(desk, held, answered=sent is None)
            held = None
        result = _RESULT.match(line.text)
        if sent is not None:
            held = sent["text"], line
        elif result is not None:
            desk.speak("", "server", result["text"], line.number)
        elif line.text and not continued(desk, line) and not unmarked(desk, line):
            desk.remark(line.text, line.number)
        yield from desk.done()
    if held is not None:
        _say(desk, held, answered=True)
    yield from desk.finish()


def _say(desk: Desk, held: tuple[str, Line], *, answered: bool) -> None:
    """A command; one that no reply is shown to waits for none."""
    text, line = held
    verb = text.split(" ")[0].upper()
    if answered or verb not in ("EHLO", "HELO"):
        desk.speak("", "client", text, line.number)
    else:
        desk.of("").imply(verb, line.number)
        desk.remark(line.text, line.number)


FORMAT = Format(
    name="testssl",
    title="testssl.sh",
    log_more=N_("Run it with --debug=2 or higher; -t smtp HOST:25 is its STARTTLS test."),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log="""
... received result:
220 mx.example.org ESMTP
=== sending "EHLO testssl.sh" ...
... received result:
250-mx.example.org
250-PIPELINING
250 STARTTLS
=== sending "STARTTLS" ...
... received result:
220 2.0.0 Ready to start TLS
---> reply matched "220"
sending client hello...
TLS handshake done, TLSv1.2 negotiated
""",
            means=Expected(
                tls="established",
                ehlo_before_tls=1,
                client_to_server_commands=("EHLO", "STARTTLS"),
            ),
        ),
        Sample(
            log="""
=== sending "EHLO testssl.sh" ...

=== sending "STARTTLS" ...
... received result:
454 4.7.0 TLS not available due to local problem
---> reply didn't match "220", see /tmp/ssltester.AbC/ddreply.DeF

STARTTLS handshake problem. Either switch to native openssl (--ssl-native),
""",
            means=Expected(
                ehlo_before_tls=1,
                client_to_server_commands=("EHLO", "STARTTLS"),
            ),
        ),
    ),
)
