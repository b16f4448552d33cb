"""Odoo's log of what Python's smtplib says: a record a line, or, as smtplib prints word by word, a
record for `send:`, one for the space after it, one for the command and one for the line's end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import SECOND_EHLO, Expected, Format, Sample
from simulator.reading.marks import LONGEST, unescape
from simulator.session import Session, Side

_RECORD = late(
    r".{0,80}?\b\d{1,8} (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<base>\S{1,60}) "
    r"(?:odoo|openerp)\.addons\.base\.\S{0,40}ir_mail_server: ?(?P<text>.*)"
)
_ALONE = late(r"(?:send|reply|connect|data):\s*")
_SAID = late(r"(?P<way>send|reply): b?(?P<quote>['\"])(?P<text>.*)(?P=quote)\s*")
_CONNECT = late(r"connect: (?:to )?\('(?P<server_name>[^']{1,200})', (?P<port>\d{1,5})\)")


def detect(head: str, telling: list[str]) -> float:
    """By the records of the module that sends mail, with smtplib's words in them."""
    records = [match for line in head.split("\n") if (match := _RECORD.match(line)) is not None]
    spoke = any(_SAID.match(r["text"]) or _ALONE.fullmatch(r["text"]) for r in records)
    return 0.9 if spoke else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("odoo")
    held: list[Line] = []
    """Records of one line of smtplib's: its first word, and what came after it."""
    for line in lines:
        match = _RECORD.match(line.text[:LONGEST])
        text = match["text"].strip() if match is not None else line.text.strip()
        if held and match is not None and not text:
            held.append(line)
        elif held and match is not None:
            _say(desk, f"{_text(held[0])} {text}", line)
            _keep(desk, held)
            held = []
        elif match is not None and _ALONE.fullmatch(text):
            held = [line]
        elif match is not None and text:
            _say(desk, text, line)
        elif line.text:
            desk.remark(line.text, line.number)
        yield from desk.done()
    _keep(desk, held)
    yield from desk.finish()


def _text(line: Line) -> str:
    match = _RECORD.match(line.text[:LONGEST])
    return match["text"].strip() if match is not None else line.text


def _keep(desk: Desk, held: list[Line]) -> None:
    for line in held:
        desk.remark(line.text, line.number)


def _say(desk: Desk, text: str, line: Line) -> None:
    if (connect := _CONNECT.match(text)) is not None:
        if desk.latest is not None and desk.latest.begun:
            desk.end("")
        dialogue = desk.of("", line.text)
        dialogue.server = dialogue.server.__class__(
            name=connect["server_name"], port=int(connect["port"])
        )
        dialogue.connect(line.number, line.text)
    elif (said := _SAID.match(text)) is not None:
        who: Side = "client" if said["way"] == "send" else "server"
        desk.speak("", who, unescape(said["text"]).rstrip("\r\n"), line.number, line.text)
    else:
        desk.remark(line.text, line.number)


_HEAD = "2026-03-04 10:15:44,404 2711 DEBUG shop odoo.addons.base.models.ir_mail_server:"


def _split(*words: str) -> str:
    """The records of one line that smtplib prints word by word."""
    return "".join(f"{_HEAD} {word}\n" for word in (words[0], " ", words[1], "")) + "\n"


FORMAT = Format(
    name="odoo",
    title=N_("Odoo (outgoing mail server with debugging)"),
    log_more=N_(
        "Switch Debugging on in the outgoing mail server and start Odoo with --log-level=debug."
    ),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log=(
                _split("reply:", r"b'220 mx.example.org ESMTP\r\n'")
                + _split("send:", r"'ehlo [127.0.1.1]\r\n'")
                + _split("reply:", r"b'250-mx.example.org\r\n'")
                + _split("reply:", r"b'250 STARTTLS\r\n'")
                + _split("send:", r"'STARTTLS\r\n'")
                + _split("reply:", r"b'220 2.0.0 Ready to start TLS\r\n'")
                + _split("send:", r"'ehlo [127.0.1.1]\r\n'")
                + _split("reply:", r"b'250 mx.example.org\r\n'")
            ),
            means=SECOND_EHLO,
        ),
        Sample(
            log=rf"""
{_HEAD} send: 'ehlo [127.0.1.1]\r\n'
{_HEAD} reply: b'250-mx.example.org\r\n'
{_HEAD} reply: b'250 STARTTLS\r\n'
{_HEAD} reply: retcode (250); Msg: b'mx.example.org\nSTARTTLS'
{_HEAD} send: 'STARTTLS\r\n'
{_HEAD} reply: b'454 4.7.0 TLS not available\r\n'
""",
            means=Expected(tls="refused", client_to_server_commands=("EHLO", "STARTTLS")),
        ),
    ),
)
