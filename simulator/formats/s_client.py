"""openssl s_client: what it says of TLS, then what was typed into it and what the server replied.

With -starttls it sends the first EHLO and STARTTLS itself and shows neither; the last line of the
list is all that is left of them. Without -quiet it takes a line that begins with R for a wish to
renegotiate, so RCPT never reaches the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, is_reply
from simulator.reading.format import Format
from simulator.reading.marks import unmarked
from simulator.session import Reply, Session

_SIGNATURE = re.compile(
    r"(?m)^CONNECTED\([0-9A-F]+\)|openssl s_client|^depth=\d .*\nverify (?:return|error)"
    r"|^verify return:\d|^New, .{0,20}Cipher is |^SSL handshake has read"
)
_TLS = re.compile(r"New, (?P<version>[^,]+), Cipher is (?P<cipher>\S+)")
_ERROR = re.compile(
    r"(?:[0-9A-F]+:)?error:[0-9A-Fa-f]+:|.*(?:no peer certificate|handshake failure)"
)


def detect(head: str, telling: list[str]) -> float:
    """By the words of the tool."""
    return 0.85 if _SIGNATURE.search(head) else 0.0


class _Run(Dialogue):
    """One run: what is typed into it is echoed by the terminal, so the log would show commands."""

    @property
    def shows_commands(self) -> bool:
        """Unless -quiet hid the typing: then a reply came inside TLS without one."""
        return not any(isinstance(event, Reply) and event.secure for event in self.events)


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The session of one run."""
    desk = Desk("s_client", dialogue=_Run)
    starttls: bool | None = None
    shake: Line | None = None
    version = cipher = ""
    known = False
    for line in lines:
        text = line.text.strip()
        if "openssl s_client" in text or "s_client " in text:
            if desk.latest is not None:
                desk.end(desk.latest.connection)
            starttls, shake, known = "-starttls" in text, None, False
            dialogue = desk.of("")
            if (host := re.search(r"-connect (\[[^\]]+\]|[^\s:]+):(\d+)", text)) is not None:
                dialogue.server = dialogue.server.__class__(name=host[1], port=int(host[2]))
            dialogue.remark(line.text, line.number)
            continue
        dialogue = desk.of("")
        if not known and (match := _TLS.match(text)) and "(NONE)" not in text:
            shake, version, cipher = line, match["version"], match["cipher"]
        elif not known and shake is None and text.startswith("verify return:"):
            shake = line
        if not known and shake is not None and _dialogue_begins(text):
            known = True
            if text.startswith("220"):
                dialogue.implicit = not starttls
            elif is_reply(text):
                dialogue.say("server", text, line.number)
                dialogue.tls(shake.number, version=version, cipher=cipher)
                continue
            dialogue.tls(shake.number, version=version, cipher=cipher)
        elif not known and starttls and text[:4] == "250 ":
            # With -quiet nothing tells of the handshake but that the list is shown.
            known = True
            dialogue.say("server", text, line.number)
            dialogue.tls(line.number)
            continue
        if known and unmarked(desk, line, ""):
            continue
        if shake is None and not known and "tarttls in server response" in text:
            dialogue.remark(line.text, line.number, "not_offered")
            known = True
            continue
        if shake is None and not known and text and _failed(text):
            dialogue.implicit = not starttls
            dialogue.tls_failed(line.number, text)
            known = True
            continue
        if text:
            dialogue.remark(line.text, line.number)
        yield from desk.done()
    if desk.latest is not None and not known and shake is not None:
        desk.latest.tls(shake.number, version=version, cipher=cipher)
    yield from desk.finish()


def _dialogue_begins(text: str) -> bool:
    return (
        is_reply(text)
        or re.match(r"(?i)(?:ehlo|helo|auth|mail from|starttls|quit)\b", text) is not None
    )


def _failed(text: str) -> bool:
    return _ERROR.match(text) is not None and "verify error" not in text


FORMAT = Format(
    name="s_client",
    title="openssl s_client",
    log_more=N_(
        "Add -msg to see the handshake, -crlf for line ends, and -quiet so that R is no command."
    ),
    detect=detect,
    read=read,
)
