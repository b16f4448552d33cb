"""openssl s_client: what it says of TLS, then what was typed into it and what the server replied.

With -starttls it sends the first EHLO and STARTTLS itself and shows neither; the last line of the
list is all that is left of them. Without -quiet it takes a line that begins with R for a wish to
renegotiate, so RCPT never reaches the server. With -debug all octets are shown, so are these two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, is_reply
from simulator.reading.format import SECOND_EHLO, Expected, Format, Sample
from simulator.reading.marks import unmarked
from simulator.session import Command, Handshake, Remark, Reply, Session, Side

_SIGNATURE = late(
    r"(?m)^\s*CONNECTED\([0-9A-F]+\)|openssl s_client|^depth=\d .*\nverify (?:return|error)"
    r"|^verify return:\d|^New, .{0,20}Cipher is |^SSL handshake has read"
)
_TLS = late(r"New, (?P<version>[^,]+), Cipher is (?P<cipher>\S+)")
_ERROR = late(r"(?:[0-9A-F]+:)?error:[0-9A-Fa-f]+:|.*(?:no peer certificate|handshake failure)")
_UNREACHED = late(r"BIO_connect:|system library:(?:BIO_)?connect:|connect:errno=|BIO_lookup_ex")
"""No connection came about: what failed is no handshake."""

_OUTPUT = late(r"(?i)^\s*(?:CONNECTED\(|Connecting to )|errno|\berror\b|refused|timed? ?out")
"""What the tool says first, or that it failed."""

_NOTHING_READ = late(r"SSL handshake has read 0 bytes and written ")
"""The tool counts the cleartext before TLS as well."""

_DUMP = late(
    r"\s{0,40}(?P<way>write to|read from) 0x\S{1,20} \[0x\S{1,20}\]"
    r" \(\d{1,9} bytes => (?P<size>-?\d{1,9})"
)
_ROW = late(r"\s{0,40}[0-9a-f]{4} - (?P<octets>(?:[0-9a-f]{2}[ -]){1,16})")
_MESSAGE = late(
    r"\s{0,40}(?:>>>|<<<) (?:\?\?\?|TLS|SSL)|\s{0,40}(?:[0-9a-f]{2} ){1,15}[0-9a-f]{2}$"
)
"""A line of -msg, and the octets that it is about."""


def detect(head: str, telling: list[str]) -> float:
    """By the words of the tool."""
    return 0.85 if _SIGNATURE.search(head) else 0.0


class _Run(Dialogue):
    """One run: what is typed into it is echoed by the terminal, so the log would show commands."""

    @property
    def shows_commands(self) -> bool:
        """Unless -quiet hid the typing: then a reply came inside TLS without one."""
        return not any(isinstance(event, Reply) and event.secure for event in self.events)

    @property
    def ran(self) -> bool:
        """Whether the tool said anything yet: a page may name its command line more than once."""
        return any(
            not isinstance(event, Remark) or _OUTPUT.search(event.text) for event in self.events
        )

    def nothing_heard(self, line: int) -> None:
        """Not one octet came: what the tool says of the list, it says of none."""
        if any(isinstance(event, Handshake) for event in self.events):
            return
        self.events = [
            msgspec.structs.replace(e, tells="") if isinstance(e, Remark) else e
            for e in self.events
        ]
        if not any(isinstance(event, Command) for event in self.events):
            self.told = True
            self.imply("EHLO", line)
        self.close(line, "server", "cut")


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The session of one run."""
    desk = Desk("s_client", dialogue=_Run)
    starttls: bool | None = None
    shake: Line | None = None
    version = cipher = ""
    known = False
    dump = _Dump()
    for line in lines:
        text = line.text.strip()
        if dump.takes(desk, line, clear=shake is None and not known):
            continue
        if "openssl s_client" in text or "s_client " in text:
            if isinstance(desk.latest, _Run) and desk.latest.ran:
                desk.end(desk.latest.connection)
            starttls, shake, known = "-starttls" in text, None, False
            dialogue = desk.of("")
            if (host := re.search(r"-connect (\[[^\]]+\]|[^\s:]+):(\d+)", text)) is not None:
                dialogue.server = dialogue.server.__class__(name=host[1], port=int(host[2]))
            dialogue.remark(line.text, line.number)
            continue
        dialogue = desk.of("")
        assert isinstance(dialogue, _Run)
        if not known and (match := _TLS.match(text)) and "(NONE)" not in text:
            shake, version, cipher = line, match["version"], match["cipher"]
        elif not known and shake is None and text.startswith("verify return:"):
            shake = line
        if not known and shake is not None and _dialogue_begins(text):
            known = True
            if text.startswith("220"):
                dialogue.implicit = not starttls
            elif is_reply(text) and dump.spoke:
                # The last line of the list, which the octets showed already.
                dialogue.tls(shake.number, version=version, cipher=cipher)
                dialogue.remark(line.text, line.number)
                continue
            elif is_reply(text):
                dialogue.say("server", text, line.number)
                dialogue.tls(shake.number, version=version, cipher=cipher)
                continue
            dialogue.tls(shake.number, version=version, cipher=cipher)
        elif not known and starttls and text[:4] == "250 " and not dump.spoke:
            # With -quiet nothing tells of the handshake but that the list is shown.
            known = True
            dialogue.say("server", text, line.number)
            dialogue.tls(line.number)
            continue
        if known and unmarked(desk, line, ""):
            continue
        if shake is None and not known and "starttls in server response" in text.lower():
            # Where not one octet came, there was no list either.
            dialogue.remark(line.text, line.number, "" if dump.silent else "not_offered")
            known = True
            continue
        if known and _NOTHING_READ.match(text):
            dialogue.nothing_heard(line.number)
        if shake is None and not known and text and _failed(text):
            dialogue.implicit = not starttls
            dialogue.tls_failed(line.number, text)
            known = True
            continue
        if text:
            dialogue.remark(line.text, line.number)
        yield from desk.done()
    if desk.latest is not None and not known and shake is not None:
        if starttls is False and desk.latest.server.port == 465:
            desk.latest.implicit = True
        desk.latest.tls(shake.number, version=version, cipher=cipher)
    yield from desk.finish()


class _Dump:
    """The octets that -debug shows: who sent them, and what they say if it is not TLS yet."""

    def __init__(self) -> None:
        self.spoke = False
        self.heard = self.silent = False
        """The server was listened to, and nothing came."""
        self._who: Side | None = None
        self._octets = b""
        self._left = 0
        self._line = 0

    def takes(self, desk: Desk, line: Line, *, clear: bool) -> bool:
        """Whether the line belongs to it. `clear`: TLS was not heard of yet."""
        begins = _DUMP.match(line.text)
        row = _ROW.match(line.text) if self._left > 0 else None
        if begins is None and row is None and not _MESSAGE.match(line.text):
            return False
        # No remark: octets of a TLS record are no sentence about TLS.
        kept = Remark(by="client", line=line.number, text=line.text)
        desk.of("").events.append(kept)
        if begins is not None:
            self._who = "client" if begins["way"] == "write to" else "server"
            self._octets, self._left, self._line = b"", int(begins["size"]), line.number
            if self._who == "server":
                self.heard = self.heard or self._left > 0
                self.silent = not self.heard
        elif row is not None:
            self._octets += bytes.fromhex(row["octets"].replace("-", " "))
            self._left -= len(row["octets"]) // 3
            text = self._octets.decode("latin-1")
            if self._left <= 0 and clear and self._who and text.isascii() and "\r\n" in text:
                desk.speak("", self._who, text.rstrip("\r\n"), self._line)
                self.spoke = True
        return True


def _dialogue_begins(text: str) -> bool:
    return (
        is_reply(text)
        or re.match(r"(?i)(?:ehlo|helo|auth|mail from|starttls|quit)\b", text) is not None
    )


def _failed(text: str) -> bool:
    return (
        _ERROR.match(text) is not None
        and "verify error" not in text
        and not _UNREACHED.search(text)
    )


_BEGUN = """
CONNECTED(00000003)
read from 0x55d0c0 [0x55d0c1] (14 bytes => 14 (0xE))
0000 - 32 32 30 20 6d 78 20 45-53 4d 54 50 0d 0a         220 mx ESMTP..
write to 0x55d0c0 [0x55d0c1] (11 bytes => 11 (0xB))
0000 - 45 48 4c 4f 20 64 65 73-6b 0d 0a                  EHLO desk..
read from 0x55d0c0 [0x55d0c1] (22 bytes => 22 (0x16))
0000 - 32 35 30 2d 6d 78 0d 0a-32 35 30 20 53 54 41 52   250-mx..250 STAR
0010 - 54 54 4c 53 0d 0a                                 TTLS..
write to 0x55d0c0 [0x55d0c1] (10 bytes => 10 (0xA))
0000 - 53 54 41 52 54 54 4c 53-0d 0a                     STARTTLS..
read from 0x55d0c0 [0x55d0c1] (11 bytes => 11 (0xB))
0000 - 32 32 30 20 52 65 61 64-79 0d 0a                  220 Ready..
write to 0x55d0c0 [0x55d0c1] (8 bytes => 8 (0x8))
0000 - 16 03 01 00 f1 01 00 00                           ........
"""
"""A session as far as the ClientHello."""

FORMAT = Format(
    name="s_client",
    title="openssl s_client",
    log_more=N_(
        "Add -msg to see the handshake, -crlf for line ends, and -quiet so that R is no command."
    ),
    detect=detect,
    read=read,
    sampled=lambda: (
        Sample(
            log=_BEGUN
            + """\
>>> TLS 1.3, Handshake [length 00f1], ClientHello
    01 00 00 ed 03 03
verify return:1
New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
---
250 STARTTLS
EHLO desk
250 AUTH PLAIN
""",
            means=SECOND_EHLO,
        ),
        Sample(
            log=_BEGUN
            + """\
140:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading
""",
            means=Expected(
                tls="failed",
                ehlo_before_tls=1,
                client_to_server_commands=("EHLO", "STARTTLS"),
            ),
        ),
        Sample(
            log="""\
$ openssl s_client -connect mx.example.org:465
CONNECTED(00000003)
depth=0 CN = mx.example.org
verify return:1
---
Certificate chain
""",
            means=Expected(tls="implicit"),
        ),
    ),
)
