"""Swift Mailer's log on one line, as the message of an exception has it: `Log data: ++ Starting
Swift_SmtpTransport << 220 … >> EHLO … << 250-… 250 … !! Unable to connect with TLS encryption`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import SECOND_EHLO, Expected, Format, Sample
from simulator.session import Session

_BEGINS = late(r"\+\+ Starting Swift_\w{1,60} (?=<<|!!|>>)")
_PIECE = late(r"(?:^|(?<=\s))(?=(?:<<|>>|\+\+|!!) )")
_MOST = 20_000


def detect(head: str, telling: list[str]) -> float:
    """By the beginning of the log and what follows it on the same line."""
    return 0.95 if _BEGINS.search(head) else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("swiftmailer-line")
    for line in lines:
        begins = _BEGINS.search(line.text[:_MOST])
        if begins is None:
            if line.text:
                desk.remark(line.text, line.number)
            continue
        if desk.latest is not None and desk.latest.begun:
            desk.end("")
        dialogue = desk.of("", line.text)
        for piece in _PIECE.split(line.text[:_MOST]):
            mark, text = piece[:2], piece[3:].strip()
            if mark == "<<":
                for part in _replies(text):
                    desk.speak("", "server", part, line.number)
            elif mark == ">>":
                desk.speak("", "client", text, line.number)
            elif mark == "!!" and "TLS" in text and dialogue.ready_for_tls:
                dialogue.tls_failed(line.number, text)
            elif piece.strip():
                dialogue.remark(piece.strip(), line.number)
        if len(line.text) > _MOST:
            desk.remark(line.text[_MOST:], line.number)
        yield from desk.done()
    yield from desk.finish()


def _replies(text: str) -> list[str]:
    """The lines of a reply that lost its line ends."""
    code = text[:3]
    if not code.isdigit():
        return [text]
    return re.split(rf"\s(?={code}[- ])", text)


FORMAT = Format(
    name="swiftmailer-line",
    title=N_("Swift Mailer, its log on one line"),
    log_more=N_("Register Swift_Plugins_LoggerPlugin with an ArrayLogger and print its dump()."),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log=(
                "Error: Unable to connect with TLS encryption Log data: ++ Starting "
                "Swift_SmtpTransport << 220 mx.example.org ESMTP >> EHLO web.example.com "
                "<< 250-mx.example.org 250-SIZE 250 STARTTLS >> STARTTLS "
                "<< 220 2.0.0 Ready to start TLS !! Unable to connect with TLS encryption (code: 0)"
            ),
            means=Expected(
                tls="failed", ehlo_before_tls=1, client_to_server_commands=("EHLO", "STARTTLS")
            ),
        ),
        Sample(
            log=(
                "++ Starting Swift_SmtpTransport << 220 mx.example.org ESMTP >> EHLO web "
                "<< 250-mx.example.org 250 STARTTLS >> STARTTLS << 220 2.0.0 Ready to start TLS "
                ">> EHLO web << 250-mx.example.org 250 AUTH PLAIN ++ Swift_SmtpTransport started"
            ),
            means=SECOND_EHLO,
        ),
    ),
)
