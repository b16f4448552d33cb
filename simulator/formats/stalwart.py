# ruff: noqa: E501 - the lines of a sample are as long as the log's
"""Stalwart's log: an event a line, `time LEVEL words (smtp.raw-input) key = value, …`, on one line
or with each key on a line of its own; before 0.9, `session{…}: module: event="write" data="…"`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.format import SECOND_EHLO, Expected, Format, Sample
from simulator.reading.marks import LONGEST, peers, unescape
from simulator.session import Session, Side

_EVENT = late(
    r".{0,160}?\((?P<name>(?:smtp|delivery|tls|network|auth|message-ingest)\.[a-z0-9-]+)\)(?:\s|$)"
)
_KEY = late(r"(?P<key>[A-Za-z]{1,30}) = (?P<value>\"(?:[^\"\\]|\\.){0,4000}\"?|[^,\s]{1,200})")
_ALONE = late(r"\s{0,20}[A-Za-z]{1,30} = \S")
"""A line of the multi-line layout: one key and its value."""

_OLD = late(
    r".{0,60}?(?:TRACE|DEBUG|INFO|WARN|ERROR) (?P<span>session|delivery)\{(?P<in>[^}]{0,400})\}"
    r"(?::\S{1,20}\{(?P<more>[^}]{0,400})\})?: (?P<module>smtp::\S{1,60}): ?(?P<rest>.*)"
)
_OLD_KEY = late(r"(?P<key>[a-z._]{1,30})=(?P<value>\"(?:[^\"\\]|\\.){0,4000}\"?|[^\s]{1,200})")

_RAW: dict[str, Side] = {
    "smtp.raw-input": "client",
    "smtp.raw-output": "server",
    "delivery.raw-output": "client",
    "delivery.raw-input": "server",
}
_TOLD = {
    "smtp.ehlo": "EHLO",
    "smtp.start-tls": "STARTTLS",
    "smtp.mail-from": "MAIL",
    "smtp.rcpt-to": "RCPT",
    "delivery.ehlo": "EHLO",
    "delivery.auth": "AUTH",
    "delivery.mail-from": "MAIL",
    "delivery.rcpt-to": "RCPT",
}
"""Events that stand for a command, in a log without the raw lines."""


def detect(head: str, telling: list[str]) -> float:
    """By the events' names in brackets."""
    hits = sum(_EVENT.match(line) is not None or _OLD.match(line) is not None for line in telling)
    return 0.95 * hits / len(telling) if hits else 0.0


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
        yield from reader.desk.done()
    reader.flush()
    yield from reader.desk.finish()


class _Reader:
    def __init__(self) -> None:
        self.desk = Desk("stalwart")
        self._raw: set[str] = set()
        self._early: dict[str, tuple[Line, dict[str, str]]] = {}
        self._open: list[Line] = []
        """The line of an event, and its keys on lines of their own."""

    def take(self, line: Line) -> None:
        if self._open:
            if _ALONE.match(line.text) and not _EVENT.match(line.text[:LONGEST]):
                self._open.append(line)
                return
            self.flush()
        if _EVENT.match(line.text[:LONGEST]):
            self._open = [line]
        elif (old := _OLD.match(line.text[:LONGEST])) is not None:
            self._old(old, line)
        else:
            self.desk.remark(line.text, line.number)

    def flush(self) -> None:
        """Tell the desk of the event that was kept back."""
        if not self._open:
            return
        first, rest = self._open[0], self._open[1:]
        self._open = []
        match = _EVENT.match(first.text[:LONGEST])
        assert match is not None
        text = ", ".join([first.text[match.end() :], *(line.text.strip() for line in rest)])
        # What the event says itself stands behind what its connection says.
        keys = {found["key"]: _value(found["value"]) for found in _KEY.finditer(text[:LONGEST])}
        self._event(match["name"], keys, first)
        for line in rest:
            self.desk.remark(line.text, line.number)

    def _old(self, match: re.Match[str], line: Line) -> None:
        text = f"{match['in']} {match['more'] or ''} {match['rest']}"
        found = {key["key"]: _value(key["value"]) for key in _OLD_KEY.finditer(text)}
        keys = {
            "remoteIp": found.get("remote.ip", ""),
            "remotePort": found.get("remote.port", ""),
            "queueId": found.get("id", ""),
            "hostname": found.get("mx", ""),
            "domain": found.get("domain", ""),
            "contents": found.get("data", ""),
            "version": found.get("version", ""),
            "details": found.get("cipher", ""),
            "reason": found.get("reason", ""),
        }
        inbound = match["span"] == "session"
        name = {
            "read": "smtp.raw-input" if inbound else "delivery.raw-input",
            "write": "smtp.raw-output" if inbound else "delivery.raw-output",
            "ehlo": "smtp.ehlo",
            "starttls": "smtp.start-tls",
            "disconnect": "smtp.connection-end",
        }.get(found.get("event", ""), "")
        if found.get("context") == "tls":
            name = {
                "handshake": "tls.handshake",
                "success": "delivery.start-tls",
                "error": "tls.handshake-error" if inbound else "delivery.start-tls-error",
                "unavailable": "delivery.start-tls-unavailable",
            }.get(found.get("event", ""), "")
        self._event(name, keys, line)

    def _event(self, name: str, keys: dict[str, str], line: Line) -> None:
        desk = self.desk
        connection = _connection(name, keys)
        if not connection and desk.latest is not None:
            connection = desk.latest.connection
        begins = name in ("smtp.connection-start", "network.connection-start", "delivery.connect")
        if begins and desk.has(connection) and desk.of(connection).begun:
            desk.end(connection)
        if name in _RAW:
            self._raw.add(connection)
            said = keys.get("contents", "").rstrip("\r\n")
            if said:
                desk.speak(connection, _RAW[name], said, line.number, line.text)
                self._peers(connection, keys)
                self._late(connection)
                return
        elif name in _TOLD and connection not in self._raw:
            dialogue = desk.of(connection, line.text)
            dialogue.shown = "outline"
            dialogue.imply(_TOLD[name], line.number)
        elif name in ("tls.handshake", "delivery.start-tls"):
            self._tls(name, connection, keys, line)
            self._peers(connection, keys)
            return
        elif name in ("tls.handshake-error", "delivery.start-tls-error"):
            dialogue = desk.of(connection, line.text)
            if keys.get("localPort") == "465":
                dialogue.implicit = True
            elif name == "delivery.start-tls-error" and connection not in self._raw:
                dialogue.shown = "outline"
                dialogue.imply("STARTTLS", line.number)
            dialogue.tls_failed(line.number, line.text.strip())
            self._peers(connection, keys)
            return
        elif name == "delivery.start-tls-unavailable" and connection not in self._raw:
            dialogue = desk.of(connection, line.text)
            dialogue.shown = "outline"
            code = int(keys["code"]) if keys.get("code", "").isdigit() else 0
            if code >= 400:
                dialogue.imply("STARTTLS", line.number, code, keys.get("details", ""))
            dialogue.remark(line.text, line.number, "" if code >= 400 else "not_offered")
            self._peers(connection, keys)
            return
        if connection and (begins or desk.has(connection)):
            dialogue = desk.of(connection, line.text)
            if begins:
                dialogue.connect(line.number, line.text)
                self._peers(connection, keys)
            elif name.endswith("connection-end"):
                dialogue.remark(line.text, line.number)
                dialogue.close(line.number, "server")
            elif name not in _TOLD or connection in self._raw:
                dialogue.remark(line.text, line.number)
        else:
            desk.remark(line.text, line.number)

    def _tls(self, name: str, connection: str, keys: dict[str, str], line: Line) -> None:
        dialogue = self.desk.of(connection, line.text)
        if name == "delivery.start-tls" and connection not in self._raw:
            dialogue.shown = "outline"
            dialogue.imply("STARTTLS", line.number)
        elif connection in self._raw and not (dialogue.ready_for_tls or dialogue.secure):
            if keys.get("localPort") != "465" and dialogue.begun:
                # Events of one second may be written out of order.
                self._early[connection] = (line, keys)
                return
        dialogue.tls(
            line.number,
            line.text,
            version=keys.get("version", "").replace("_", "."),
            cipher=keys.get("details", ""),
        )

    def _late(self, connection: str) -> None:
        dialogue = self.desk.of(connection)
        if connection in self._early and (dialogue.ready_for_tls or dialogue.secure):
            line, keys = self._early.pop(connection)
            self._tls("tls.handshake", connection, keys, line)

    def _peers(self, connection: str, keys: dict[str, str]) -> None:
        if "queueId" in keys or keys.get("hostname"):
            found = {"server_name": keys.get("hostname", ""), "port": keys.get("remotePort", "")}
        else:
            found = {"client_address": keys.get("remoteIp", ""), "port": keys.get("localPort", "")}
        known = {key: value for key, value in found.items() if value}
        if not known.get("port", "0").isdigit():
            del known["port"]
        peers(self.desk.of(connection), known)


def _connection(name: str, keys: dict[str, str]) -> str:
    if keys.get("remotePort") and not keys.get("queueId"):
        return f"{keys.get('remoteIp', '')}:{keys['remotePort']}"
    return keys.get("queueId", "")


def _value(text: str) -> str:
    return unescape(text.strip('"')) if text.startswith('"') else text


_SESSION = 'listenerId = "smtp", localPort = 25, remoteIp = 198.51.100.7, remotePort = 40100'

FORMAT = Format(
    name="stalwart",
    title="Stalwart",
    log_more=N_("Set the log level to trace: it shows each line that was received and sent."),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log=f"""
2026-03-04T08:15:30Z TRACE Raw SMTP output sent (smtp.raw-output) {_SESSION}, size = 25, contents = "220 mx.example.org ESMTP\\r\\n"
2026-03-04T08:15:30Z TRACE Raw SMTP input received (smtp.raw-input) {_SESSION}, size = 23, contents = "EHLO desk.example.com\\r\\n"
2026-03-04T08:15:30Z INFO SMTP EHLO command (smtp.ehlo) {_SESSION}, domain = "desk.example.com"
2026-03-04T08:15:30Z TRACE Raw SMTP output sent (smtp.raw-output) {_SESSION}, size = 36, contents = "250-mx.example.org\\r\\n250 STARTTLS\\r\\n"
2026-03-04T08:15:31Z INFO TLS handshake (tls.handshake) {_SESSION}, version = "TLSv1_3", details = "TLS13_AES_256_GCM_SHA384"
2026-03-04T08:15:31Z TRACE Raw SMTP input received (smtp.raw-input) {_SESSION}, size = 10, contents = "STARTTLS\\r\\n"
2026-03-04T08:15:31Z DEBUG SMTP STARTTLS command (smtp.start-tls) {_SESSION}
2026-03-04T08:15:31Z TRACE Raw SMTP output sent (smtp.raw-output) {_SESSION}, size = 31, contents = "220 2.0.0 Ready to start TLS.\\r\\n"
2026-03-04T08:15:31Z TRACE Raw SMTP input received (smtp.raw-input) {_SESSION}, size = 23, contents = "EHLO desk.example.com\\r\\n"
2026-03-04T08:15:31Z TRACE Raw SMTP output sent (smtp.raw-output) {_SESSION}, size = 33, contents = "250-mx.example.org\\r\\n250 SIZE 9\\r\\n"
""",
            means=SECOND_EHLO,
        ),
        Sample(
            log="""
2026-03-04T08:15:30Z DEBUG SMTP STARTTLS command (smtp.start-tls)
\tlistenerId = "smtp"
\tlocalPort = 25
\tremoteIp = 198.51.100.7
\tremotePort = 40100
2026-03-04T08:15:30Z DEBUG TLS handshake error (tls.handshake-error)
\tlistenerId = "smtp"
\tlocalPort = 25
\tremoteIp = 198.51.100.7
\tremotePort = 40100
\treason = "received fatal alert: CertificateUnknown"
""",
            means=Expected(tls="failed", client_to_server_commands=("STARTTLS",)),
        ),
        Sample(
            log="""
2023-12-14T09:44:59.950966Z TRACE session{instance="submission" protocol=Smtp remote.ip="198.51.100.7" remote.port=36002}: smtp::inbound::session: event="write" data="220 mx.example.org ESMTP\\r\\n" size=26
2023-12-14T09:44:59.952034Z TRACE session{instance="submission" protocol=Smtp remote.ip="198.51.100.7" remote.port=36002}: smtp::inbound::session: event="read" data="EHLO desk.example.com\\r\\n" size=23
2023-12-14T09:44:59.952130Z DEBUG session{instance="submission" protocol=Smtp remote.ip="198.51.100.7" remote.port=36002}: smtp::inbound::ehlo: context="ehlo" event="ehlo" domain="desk.example.com"
2023-12-14T09:44:59.952302Z TRACE session{instance="submission" protocol=Smtp remote.ip="198.51.100.7" remote.port=36002}: smtp::inbound::session: event="write" data="250-mx.example.org says hello\\r\\n250-STARTTLS\\r\\n250 8BITMIME\\r\\n" size=60
2023-12-14T09:44:59.953299Z TRACE session{instance="submission" protocol=Smtp remote.ip="198.51.100.7" remote.port=36002}: smtp::inbound::session: event="read" data="QUIT\\r\\n" size=6
""",
            means=Expected(tls="not_attempted", client_to_server_commands=("EHLO", "QUIT")),
        ),
        Sample(
            log="""
2026-03-04T08:15:30Z INFO Connecting to remote server (delivery.connect) queueId = 12, from = "ana@example.org", domain = "example.net", hostname = "mx.example.net", localIp = 0.0.0.0, remoteIp = 192.0.2.9, remotePort = 25, elapsed = 94ms
2026-03-04T08:15:30Z INFO SMTP EHLO command (delivery.ehlo) queueId = 12, from = "ana@example.org", domain = "example.net", hostname = "mx.example.net", details = ["STARTTLS", "SIZE"], elapsed = 20ms
2026-03-04T08:15:31Z INFO STARTTLS error (delivery.start-tls-error) queueId = 12, from = "ana@example.org", domain = "example.net", hostname = "mx.example.net", reason = "received fatal alert: HandshakeFailure", elapsed = 20ms
""",
            means=Expected(tls="failed", client_to_server_commands=("EHLO", "STARTTLS")),
        ),
    ),
)
