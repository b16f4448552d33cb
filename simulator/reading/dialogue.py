"""One session as it grows line by line.

Readers say who said what; this file knows how SMTP goes on: which lines make one reply, what a
reply answers, where a login or a message ends, and when TLS must have begun although the log does
not say so.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import UTC, datetime
from typing import Literal

import msgspec

from simulator import smtp
from simulator.needles import late
from simulator.pairing import NEVER_TO_HELLO, left_unshown
from simulator.reading import signs
from simulator.reading.clean import Stamp
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    HandshakeError,
    Message,
    Peer,
    Remark,
    Reply,
    Side,
)

Extent = Literal["all", "clear", "outline"]
Tells = Literal["", "not_offered", "not_attempted"]
Reason = Literal["quit", "closed", "cut", "timeout", "given up"]

KEPT = 1 << 16
"""Octets of one message or reply that are kept."""

_GREETING, _AUTH, _MESSAGE = "(greeting)", "(auth)", "(message)"

_COMMAND_LINE = late(
    r"(?:(?:EHLO|HELO|LHLO)(?: +\S+)?|STARTTLS(?: +\S+)?"
    r"|AUTH(?: +[A-Z0-9_-]{3,20}(?: +(?!(?:LOGIN|PLAIN|NTLM|CRAM-MD5|XOAUTH2)\s*$)\S+)?)?"
    r"|(?:MAIL +FROM|RCPT +TO) ?:.*|DATA|BDAT +\d+(?: +LAST)?|RSET|QUIT|NOOP|HELP(?: +\S+)?"
    r"|(?:TURN|ATRN(?: +\S.*)?)|(?:VRFY|EXPN|ETRN|XCLIENT|XFORWARD) +\S.*)\s*",
    re.IGNORECASE,
)
_LAST_WORD = late(
    r"[245]\d\d [245]\.\d{1,3}\.\d{1,3} |(?:250|451|452|550|552|554) .*(?:queued|accepted)"
)
_MASKED = late(r"[<\[({]?.{0,40}(?:credential|password|hidden|suppressed|\*{3,}).{0,60}", re.I)


def _unflatten(text: str) -> str:
    """The lines of a reply whose ends were lost, as in HTML: `250-mx.example250-SIZE250 DSN`."""
    code = text[:3]
    if not code.isdigit() or text.count(f"{code}-") + text.count(f"{code} ") < 2:
        return text
    return re.sub(
        rf"(?<=\S) ?(?={code}[ -](?:[A-Z8][A-Z0-9=-]+(?: |$|{code})|\d\.\d\.\d))", "\n", text
    )


_STAGED = late(r"(?i)\s*[<(\[].{0,60}(?:tls|ssl|handshake|negotiat|encrypt).{0,80}$")
"""What a write-up has the client do in the place of the handshake: `<starts TLS negotiation>`."""


_EXCEPTION = late(r"(?:[A-Za-z_]\w{0,60}\.){1,8}[A-Za-z_]\w{0,60}: |Traceback \(most recent")
"""What a program reports in its own words, behind a mark that somebody quoted it with."""


_SPOKEN_OF = late(
    r"(?i)(?:STARTTLS|AUTH|DATA|QUIT)\s+(?:is|was|not|command|extension|support\w*|required|offered|but"
    r"|fail\w*|error|succe\w+|negotiation)\b(?!=)"
)
"""A sentence about a command, behind the mark of what was said."""


def is_command(text: str) -> bool:
    """Whether a line, alone and without any mark, must be a command of the client."""
    return _COMMAND_LINE.fullmatch(text) is not None


def is_reply(text: str) -> bool:
    """Whether a line, alone and without any mark, must be one of a reply of the server."""
    return len(text) >= 3 and text[0] in "2345" and text[1] in "0123457" and (
        text[:3].isdigit() and (len(text) == 3 or text[3] in " -")
    )  # fmt: skip


class Dialogue:
    """One session, as far as it was read."""

    def __init__(self, source: str, connection: str = "", shown: Extent = "all") -> None:
        self.source = source
        self.connection = connection
        self.shown: Extent = shown
        self.plain = False
        """The log shows what a person typed: nothing but an explicit mark stands for TLS."""
        self.implicit = False
        self.client = Peer()
        self.server = Peer()
        self.marks: dict[str, Side] = {}
        self.bare = False
        """What follows without a mark goes on with the reply, though it bears no code."""
        self.events: list[AnyEvent] = []
        self.remarks = 0
        self.told = False
        """The dialogue is not shown: what is known of it, the log tells in words."""
        self.closed = False
        self.sealed = False
        """From here on the record shows encrypted octets only."""
        self.pending: int | None = None
        """Where the handshake belongs: the 220 to STARTTLS came, and of TLS nothing yet."""
        self._start: Stamp | None = None
        self._at = 0.0
        self._waiting: deque[str] = deque()
        self._reply: list[str] = []
        self._code = 0
        self._reply_line = 0
        self._replied = False
        self._spoke = False
        self._secure = False
        self._failed = False
        self._refused = False
        self._doubted = False
        self._data: list[str] | None = None
        self._data_line = 0
        self._data_size = 0
        self._data_end = ""
        self._data_ends: frozenset[str] = frozenset()
        self._early: tuple[int, int] | None = None
        """Which piece of the message some servers take for its end, and the octets before it."""
        self._by_mark: Handshake | None = None
        """TLS that nothing but the marks of the lines tells of."""
        self._data_over = False
        self.may_end_early = False
        """To some servers a message has ended within itself, and they answer what follows there."""

    @property
    def shows_commands(self) -> bool:
        """The log would show commands, if there had been any."""
        return False

    @property
    def started(self) -> datetime | None:
        """When it began, where the log says so with its date."""
        if self._start is None or not self._start.known or not 0 < self._start.seconds < 4e9:
            return None
        return datetime.fromtimestamp(self._start.seconds, UTC)

    # What readers tell ------------------------------------------------------------------------

    def time(self, when: Stamp | None) -> None:
        """The log's stamp of what comes next."""
        if when is None:
            return
        if self._start is None:
            self._start = when
        at = when.seconds - self._start.seconds
        if at < -43200 and not when.known:
            at += 86400
        self._at = max(self._at, at)

    def connect(self, line: int, text: str = "") -> None:
        """The connection was opened. `text`: the line that tells of it, kept if told again."""
        self.settle()
        if not any(isinstance(event, Connect) for event in self.events):
            self._add(Connect(by="client", at=self._at, line=line))
            self._waiting.append(_GREETING)
        elif text:
            self._add(Remark(by="client", at=self._at, line=line, text=text))

    @property
    def expects_greeting(self) -> bool:
        """A 220 would be the greeting: a first, or that of a new connection."""
        return not {"STARTTLS", "XCLIENT"} & set(self._waiting) and not self._reply

    def answers_starttls(self, text: str) -> bool:
        """In a log that does not show STARTTLS, a reply about TLS answers it."""
        if not self._replied or self._spoke:
            return signs.go_ahead(text)
        return signs.about_tls(text[3:])

    @property
    def took_leave(self) -> bool:
        """The client said QUIT, and the server took its leave of it."""
        if self._reply or self._waiting:
            return False
        said = [e for e in self.events[-4:] if isinstance(e, Command | Reply)]
        match said[-2:]:
            case [Command(verb="QUIT"), Reply(code=221)]:
                return True
        return False

    def left(self, who: Side, text: str) -> bool:
        """After QUIT, in a log that shows refusals at most, comes what can be of another session
        only."""
        if self._reply or not self._waiting or self._waiting[-1] != "QUIT":
            return False
        if any(isinstance(event, Reply) and event.code < 400 for event in self.events):
            return False
        if who == "client":
            return text[:5].upper() in ("EHLO ", "HELO ")
        return len(self._waiting) == 1 and text[:3] in _OF_A_LOGIN

    def take_starttls(self) -> int | None:
        """Take back a STARTTLS that was said inside TLS, and is not answered yet; its line."""
        if not self._secure or not self.remarks or self._reply:
            return None
        if list(self._waiting)[-1:] != ["STARTTLS"]:
            return None
        event = self.events[-1]
        if not isinstance(event, Command) or event.verb != "STARTTLS":
            return None
        self._waiting.pop()
        self.events.pop()
        return event.line or 0

    @property
    def expects_hello(self) -> bool:
        """The server said 220, or TLS came about, and the client has not said who it is; or the
        session is over, and this may be the next."""
        if self._waiting or self._reply:
            return False
        said = (event for event in reversed(self.events[-20:]) if not isinstance(event, Remark))
        match next(said, None):
            case Reply(code=220 | 221) | Handshake(error=""):
                return True
        return False

    @property
    def begun(self) -> bool:
        """Something was already said in this session."""
        return self._spoke or self._replied

    @property
    def hears(self) -> bool:
        """The log shows replies."""
        return self._replied

    @property
    def fell_back(self) -> bool:
        """TLS was refused or failed, and nothing was said since: the client may come again."""
        return self._failed

    @property
    def in_reply(self) -> int:
        """The code of a reply that is not complete, or 0."""
        return self._code if self._reply else 0

    @property
    def in_login(self) -> bool:
        """The server waits for the client's part of a login."""
        return bool(self._waiting) and self._waiting[-1] == _AUTH

    @property
    def in_message(self) -> bool:
        """The client is sending the message."""
        return self._data is not None

    @property
    def is_inside_message(self) -> bool:
        """The client is sending the message, and its final dot has not come."""
        return self._data is not None and not self._data_over

    @property
    def expects_data(self) -> bool:
        """The server asked for the message, and nothing of it came."""
        return self._data is not None and not self._data

    def takes_reply(self, text: str) -> bool:
        """Whether a line that looks like a reply ends the message rather than belongs to it."""
        if self._data_over or not self._data:
            return True
        return _LAST_WORD.match(text) is not None

    def retells(self, text: str) -> bool:
        """Whether an error message only repeats the last reply."""
        if self.waits or self.in_reply or not self.begun:
            return False
        for event in reversed(self.events):
            if isinstance(event, Command):
                return False
            if isinstance(event, Reply):
                said = f"{event.code} {event.lines[0]}"
                return text[:20].replace("-", " ", 1).strip() == said[:20].strip()
        return False

    @property
    def secure(self) -> bool:
        """TLS is on."""
        return self._secure

    def reconnect(self, line: int) -> None:
        """The client came back on a connection of its own, to try again without TLS."""
        self._close_reply()
        self._add(Disconnect(by="server", reason="closed", at=self._at, line=line))
        self._add(Connect(by="client", at=self._at, line=line))
        self._waiting.clear()
        self._waiting.append(_GREETING)
        self.pending = None
        self._failed = self._doubted = False

    def say(self, who: Side, text: str, line: int, *, secure: bool | None = None) -> None:
        """One side said `text`, one line or several."""
        text = text.replace("\r", "").rstrip("\n")
        if who == "server" and text[3:4] == "-" and "\n" not in text:
            text = _unflatten(text)
        for part in text.split("\n"):
            if who == "client":
                self._client(part, line, secure)
            else:
                self._server(part, line, secure)

    def unquote(self) -> None:
        """What was said last are not the log's words, but a reader's for what it tells."""
        last = self.events[-1] if self.events else None
        if isinstance(last, Command | Reply):
            self.events[-1] = msgspec.structs.replace(last, raw=b"", told=True)

    def message(self, text: str, line: int, end: str = "\r\n") -> None:
        """A line of the message, or what the log says in place of it; by its `end` it may be the
        last, or part of one only (RFC 5321 §2.3.8)."""
        self._close_reply()
        if self._data is None:
            self._begin_data(line)
        self._more_data(text, line, end)

    def tls(
        self, line: int, text: str = "", *, version: str = "", cipher: str = "",
        verified: bool = False,
    ) -> None:  # fmt: skip
        """TLS came about. `text` is the line that says so."""
        self._close_reply()
        self._unmark()
        for index, event in enumerate(self.events):
            if isinstance(event, Handshake) and not event.error:
                better = msgspec.structs.replace(
                    event,
                    version=event.version or _version(version),
                    cipher=event.cipher or cipher,
                    verified=event.verified or verified,
                )
                self.events[index] = better
                if text:
                    self._add(Remark(by="client", at=self._at, line=line, text=text))
                return
        self._secured(
            Handshake(
                by="client",
                secure=True,
                at=self._at,
                line=line,
                version=_version(version),
                cipher=cipher,
                verified=verified,
            )
        )

    def _unmark(self) -> None:
        """The marks told of TLS from the beginning, as somebody wrote them down, and it begins now:
        STARTTLS was the last thing that was sent."""
        if self._by_mark is None:
            return
        sent = next((e for e in reversed(self.events) if isinstance(e, Command)), None)
        if sent is None or sent.verb != "STARTTLS" or self._by_mark not in self.events:
            return
        self.events.remove(self._by_mark)
        self.events[:] = [
            e if isinstance(e, Remark) else msgspec.structs.replace(e, secure=False)
            for e in self.events
        ]
        self._secure, self._by_mark, self.pending = False, None, None

    def tls_failed(self, line: int, detail: str, error: HandshakeError = "") -> None:
        """TLS was begun, and did not come about."""
        self._close_reply()
        if self._secure or any(isinstance(event, Handshake) for event in self.events):
            self.pending = None
            self.remark(detail, line)
            return
        if "STARTTLS" in self._waiting and self._replied and self.pending is None:
            self._waiting.remove("STARTTLS")
        event = Handshake(
            by="client", at=self._at, line=line, error=error or signs.error(detail), detail=detail
        )
        if event.error in ("other", "certificate") and (known := self._reason()) is not None:
            event = msgspec.structs.replace(event, error=signs.error(known), detail=known)
        place = len(self.events)
        if self.pending is not None and not self.spoken_since(self.pending):
            place = self.pending
        self.events.insert(place, event)
        self.pending = None
        self._failed = True
        self._doubted = bool(detail) and event.error in _OF_CERTIFICATES

    def _reason(self) -> str | None:
        """The line right before the failure that tells what was wrong with the certificate."""
        for event in reversed(self.events[-3:]):
            if not isinstance(event, Remark) or event.about == "other":
                return None
            text = event.text.strip()
            if _VERIFYING.search(text) and signs.error(text) not in ("other", "certificate"):
                return text
        return None

    def refine(self, text: str) -> bool:
        """Give the failed handshake the reason that a later line tells; whether there was one."""
        for index, event in enumerate(self.events):
            if isinstance(event, Handshake) and event.error:
                if event.error in ("other", "cut", "certificate") and signs.error(text) not in (
                    "other",
                    "cut",
                ):
                    self.events[index] = msgspec.structs.replace(
                        event, error=signs.error(text), detail=text
                    )
                return True
        return False

    def imply(self, verb: str, line: int, code: int = 0, text: str = "") -> None:
        """A command, and its reply, that the log tells of without showing them."""
        self._close_reply()
        self._spoke = True
        self._add(
            Command(
                by="client", verb=verb, at=self._at, secure=self._secure, line=line, told=True
            )
        )  # fmt: skip
        if code:
            self._replied = True
            self._add(
                Reply(
                    by="server", code=code, lines=(text,), at=self._at, secure=self._secure,
                    line=line, told=True,
                )
            )  # fmt: skip

    @property
    def ready_for_tls(self) -> bool:
        """The 220 to STARTTLS was the last thing said."""
        return self.pending is not None

    @property
    def waits(self) -> bool:
        """The client waits for a reply."""
        return bool(self._waiting)

    def ciphertext(self, line: int) -> None:
        """TLS came about, and from here on the record shows encrypted bytes only."""
        self.tls(line)
        self.sealed = True

    def close(self, line: int, by: Side = "client", reason: Reason = "closed") -> None:
        """The connection ended."""
        if self.closed:
            return
        self.settle()
        if self.pending is not None and not self._secure:
            self._unexplained_end(line)
        last = next((e for e in reversed(self.events) if isinstance(e, Command)), None)
        broken = self._failed and not self._refused
        if reason == "closed" and last is not None and last.verb == "QUIT" and not broken:
            reason = "quit"
        self._add(Disconnect(by=by, reason=reason, at=self._at, line=line))
        self.closed = True

    def remark(self, text: str, line: int, tells: Tells = "") -> None:
        """A line that is no part of the dialogue."""
        if not tells and signs.of_another_protocol(text):
            self.beside(text, line)
            return
        if self._failed and not self._secure and signs.failure(text):
            self.refine(text.strip())
        if self._starttls_unanswered and signs.failure(text):
            if not self._replied or signs.error(text) not in ("other", "cut", "timeout"):
                self.pending = len(self.events)
        if self.pending is not None and not self._secure and text.strip():
            now = self.plain or not self.spoken_since(self.pending)
            if signs.failure(text, now=now):
                self.tls_failed(line, text.strip())
                return
            if signs.established(text):
                version, cipher = signs.parameters(text)
                self.tls(line, version=version, cipher=cipher)
                self._add(Remark(by="client", at=self._at, line=line, text=text, tells=tells))
                return
            if self.plain and _is_binary(text) and not self.spoken_since(self.pending):
                self.tls(line)
                self.sealed = True
        self._add(Remark(by="client", at=self._at, line=line, text=text, tells=tells))
        self.remarks += 1

    @property
    def _starttls_unanswered(self) -> bool:
        """STARTTLS was sent, and a reply to it is not shown."""
        if self.pending is not None or self._secure or "STARTTLS" not in list(self._waiting)[-1:]:
            return False
        return not any(isinstance(event, Handshake) for event in self.events)

    def beside(self, text: str, line: int) -> None:
        """A line that another process wrote: it is kept, and tells nothing of this session."""
        self._add(Remark(by="client", at=self._at, line=line, text=text, about="other"))
        self.remarks += 1

    # The server's side ------------------------------------------------------------------------

    def _server(self, text: str, line: int, secure: bool | None) -> None:
        text = text.strip("\r ")
        if text.endswith("\\") and not text.endswith("\\\\"):
            text = text[:-1].rstrip()
        parsed = smtp.parse_reply_line(text) if is_reply(text) else None
        if parsed is None:
            if text:
                self.remark(text, line)
            else:
                self._add(Remark(by="server", at=self._at, line=line, text=""))
            return
        if self._data is not None:
            self._end_data()
        if self._reply and parsed.code != self._code:
            self._close_reply()
        if not self._reply:
            self._code, self._reply_line = parsed.code, line
        if len(self._reply) < 2000:
            self._reply.append(text)
        if secure and not self._secure:
            self._mark_secure(line)
        if not parsed.more:
            self._close_reply()

    def _close_reply(self) -> None:
        if not self._reply:
            return
        code, texts = self._code, self._reply
        self._reply = []
        if code == 250 and set(self._waiting) == {"?"} and _TAKEN.search(texts[0]):
            self._were_message()
        if len(self._waiting) > 1 and self._waiting[0] == _GREETING and code not in (220, 421, 554):
            self._waiting.popleft()
        while len(self._waiting) > 1 and self._waiting[0] in smtp.HELLO and code in NEVER_TO_HELLO:
            self._waiting.popleft()
        asked = ["" if verb == _GREETING else verb for verb in self._waiting]
        for _ in range(left_unshown(code, asked)):
            self._waiting.popleft()
        answered = self._waiting.popleft() if self._waiting else ""
        if code in (220, 454) and not answered and self.answers_starttls(texts[0]):
            answered = "STARTTLS"
            if code == 454:
                self.told = True
                self.imply("STARTTLS", self._reply_line)
        self._replied = True
        if self.pending is not None and not self._secure:
            self._judge_pending(code, " ".join(texts))
        lines = tuple(text[4:] for text in texts)
        self._add(
            Reply(
                by="server",
                code=code,
                lines=lines,
                raw="".join(f"{text}\r\n" for text in texts).encode()[:KEPT],
                at=self._at,
                secure=self._secure,
                line=self._reply_line,
            )
        )
        if answered == "STARTTLS" and not self._secure:
            if code == 220:
                self.pending = len(self.events)
            elif code >= 400:
                self._failed = self._refused = True
        elif answered == "EHLO" and code == 250 and (self._failed or self._doubted):
            # A client that bears a bad certificate goes on; what is offered again, is not on.
            if self._failed or not any(text[4:].upper() == "STARTTLS" for text in texts):
                self._take_back()
        elif code == 334:
            self._waiting.append(_AUTH)
        elif code == 354 and (answered or not (self.may_end_early or self._has_left())):
            self._begin_data(self._reply_line)

    def _has_left(self) -> bool:
        """The client's last command was QUIT."""
        sent = (e.verb for e in reversed(self.events[-20:]) if isinstance(e, Command))
        return next(sent, "") == "QUIT"

    def _were_message(self) -> None:
        """Lines that are no commands, and were taken into the queue: DATA was left out."""
        place = len(self.events)
        while place and isinstance(event := self.events[place - 1], Command | Remark):
            if isinstance(event, Command) and event.verb:
                break
            place -= 1
        lines = [e for e in self.events[place:] if isinstance(e, Command)]
        if not lines:
            return
        kept = [e for e in self.events[place:] if not isinstance(e, Command)]
        self.events[place:] = kept
        self._waiting.clear()
        raw = b"".join(event.raw for event in lines)[:KEPT]
        self._add(
            Message(
                by="client", size=len(raw), raw=raw, at=lines[0].at, secure=lines[0].secure,
                line=lines[0].line,
            )
        )  # fmt: skip
        self._waiting.append(_MESSAGE)

    def _judge_pending(self, code: int, text: str) -> None:
        """A reply to what was said after the 220: TLS was there, or the server lost its way."""
        since = self.spoken_since(self.pending or 0)
        if not since and self._spoke:
            return
        if code >= 400 and signs.about_tls(text) and self._said_since_220() < 2:
            self.tls_failed(self._reply_line, text)
        else:
            self.infer_tls()

    def _said_since_220(self) -> int:
        """How many commands the client sent since the 220 to STARTTLS."""
        return sum(isinstance(event, Command) for event in self.events[self.pending or 0 :])

    # The client's side ------------------------------------------------------------------------

    def _client(self, text: str, line: int, secure: bool | None) -> None:
        text = text.strip("\r\n")
        if self._reply:
            self._close_reply()
        if self.pending is not None and ("\ufffd" in text[:8] or _STAGED.match(text)):
            self.remark(text, line)
            return
        if self._data is not None:
            bare = text.strip()
            if self._data_over and is_command(bare):
                self._end_data()
            elif not self._data and is_command(bare) and bare.upper() in ("QUIT", "RSET"):
                self._end_data()
            else:
                self._more_data(text, line)
                return
        text = text.strip()
        if not text:
            self._add(Remark(by="client", at=self._at, line=line, text=""))
            return
        if secure and not self._secure:
            self._mark_secure(line)
        verb, argument = smtp.parse_command(text)
        if _SPOKEN_OF.match(text):
            self.remark(text, line)
            return
        if verb not in smtp.VERBS:
            if self._expects_login(text):
                self._login(text, line)
                return
            if self._expects_message():
                self._waiting.pop()
                self._begin_data(line)
                self._more_data(text, line)
                return
            if _EXCEPTION.match(text):
                self.remark(text, line)
                return
            verb, argument = "", text
        elif self.in_login and not is_command(text):
            self._login(text, line)
            return
        if self._silent_starttls():
            self.pending = len(self.events)
            self._waiting.clear()
        if self.in_login:
            self._waiting.pop()
        self._spoke = True
        self._failed = self._failed and verb == "QUIT"
        self._add(
            Command(
                by="client",
                verb=verb,
                argument=argument,
                raw=f"{text}\r\n".encode()[:KEPT],
                at=self._at,
                secure=self._secure,
                line=line,
            )
        )
        self._waiting.append(verb or "?")

    def _expects_login(self, text: str) -> bool:
        if self.in_login:
            return True
        last = next((e for e in reversed(self.events) if not isinstance(e, Remark)), None)
        if isinstance(last, AuthResponse) or (isinstance(last, Command) and last.verb == "AUTH"):
            return " " not in text or _MASKED.fullmatch(text) is not None
        return False

    def _login(self, text: str, line: int) -> None:
        if self.in_login:
            self._waiting.pop()
        self._add(
            AuthResponse(
                by="client",
                text=text,
                raw=f"{text}\r\n".encode()[:KEPT],
                at=self._at,
                secure=self._secure,
                line=line,
            )
        )
        self._waiting.append("AUTH")

    def _expects_message(self) -> bool:
        """DATA, and no 354 in a log that shows no replies."""
        return bool(self._waiting) and self._waiting[-1] == "DATA" and not self._replied

    def _silent_starttls(self) -> bool:
        """STARTTLS in a log that shows no replies: what comes next, comes inside TLS."""
        return (
            not self._replied
            and bool(self._waiting)
            and self._waiting[-1] == "STARTTLS"
            and self.pending is None
        )

    # The message ------------------------------------------------------------------------------

    def _begin_data(self, line: int) -> None:
        self._data, self._data_line, self._data_size = [], line, 0
        self._data_end, self._data_ends, self._data_over = "", frozenset(), False
        self._early = None

    def _more_data(self, text: str, line: int, end: str = "\r\n") -> None:
        assert self._data is not None
        if not self._data:
            self._data_line = line
        before, self._data_ends = self._data_ends, self._data_ends | {end}
        begins, self._data_end = self._data_end in ("", "\r\n"), end
        dot = text.strip() == "."
        # Who never sends CR ends the message without.
        ends = dot and ((begins and end == "\r\n") or before == self._data_ends == {"\n"})
        self.may_end_early = self.may_end_early or (dot and not ends)
        self._data_over = self._data_over or ends
        if dot and not ends:
            self._early = len(self._data), self._data_size
        if self._data_size < KEPT:
            self._data.append(f"{text}{end}")
        # A dot more stands before a line that begins with one (RFC 5321 §4.5.2).
        stuffed = text.startswith("..")
        self._data_size += 0 if ends else len(text.encode("utf-8", "replace")) + len(end) - stuffed

    def cut_early(self) -> str:
        """The server answers within the message, so it has seen an end: what goes before may have
        been it, if only commands follow. They are no part of the message then, and returned."""
        if self._data is None or self._early is None or self._data_over:
            return ""
        place, size = self._early
        after = self._data[place + 1 :]
        if place >= len(self._data) or not all(is_command(text.strip()) for text in after):
            return ""
        del self._data[place + 1 :]
        self._data_size, self._data_over = size, True
        return "".join(after)

    def _end_data(self) -> None:
        data, self._data = self._data, None
        assert data is not None
        raw = "".join(data).encode("utf-8", "replace")[:KEPT]
        self._add(
            Message(
                by="client",
                size=self._data_size,
                raw=raw,
                at=self._at,
                secure=self._secure,
                line=self._data_line,
            )
        )
        self._waiting.append(_MESSAGE)

    # TLS --------------------------------------------------------------------------------------

    def spoken_since(self, place: int) -> bool:
        """The client said something after that event."""
        return any(
            isinstance(event, Command | AuthResponse | Message) for event in self.events[place:]
        )

    def _mark_secure(self, line: int) -> None:
        """The log marks a line as inside TLS, and no handshake was seen."""
        self._by_mark = Handshake(by="client", secure=True, at=self._at, line=line)
        self._secured(self._by_mark)

    def infer_tls(self) -> None:
        """TLS came about, or the talk would not have gone on as it did."""
        assert self.pending is not None
        line = self.events[self.pending].line if self.pending < len(self.events) else None
        self._secured(Handshake(by="client", secure=True, at=self._at, line=line))

    def _secured(self, handshake: Handshake) -> None:
        place = len(self.events) if self.pending is None else self.pending
        before = [
            _retold(event) if isinstance(event, Handshake) else event
            for event in self.events[:place]
            if not isinstance(event, Handshake) or event.detail
        ]
        self.events[:place] = before
        place = len(before)
        self.events.insert(place, handshake)
        for index in range(place + 1, len(self.events)):
            event = self.events[index]
            if not isinstance(event, Remark):
                self.events[index] = msgspec.structs.replace(event, secure=True)
        since = [e for e in self.events[place:] if isinstance(e, Command)]
        self._waiting = deque(list(self._waiting)[-len(since) :] if since else ())
        self._secure, self.pending, self._failed = True, None, False

    def _take_back(self) -> None:
        """What looked like a failed handshake was none: the talk goes on as inside TLS."""
        for index, event in enumerate(self.events):
            if isinstance(event, Handshake) and event.error:
                self.events[index] = _retold(event)
                self.pending = index + 1
                self.infer_tls()
                return

    def _unexplained_end(self, line: int) -> None:
        """The connection ended after the 220 to STARTTLS, and no TLS was seen."""
        if self._replied or self.plain:
            since = self.spoken_since(self.pending or 0)
            if self.plain or not since:
                self.tls_failed(line, "", "cut")

    # The end ----------------------------------------------------------------------------------

    def conclude(self) -> None:
        """A reader's last word, for one of its own that knows more than was said."""

    def settle(self) -> None:
        """Nothing more comes: close the message and the reply that are open."""
        if self._data:
            self._end_data()
        self._close_reply()

    def _add(self, event: AnyEvent) -> None:
        self.events.append(event)


_TAKEN = late(r"(?i)\bqueued\b|accepted for delivery|message accepted")
"""What a server says of a message that it took."""

_OF_A_LOGIN = frozenset(("235", "334", "534", "535", "538"))
"""Replies that only AUTH gets (RFC 4954 §4, §6)."""

_OF_CERTIFICATES = frozenset(("name-mismatch", "expired", "unknown-ca", "certificate"))
"""The errors after which a client may go on, if it is told to."""

_VERIFYING = late(r"(?i)certificate verif\w+ fail|verify error")
"""What says that a certificate was looked at, and found bad."""


def _is_binary(text: str) -> bool:
    """Bytes of TLS as a tool shows them: dots, or what no text has."""
    strange = sum(c in ".\ufffd" or (ord(c) > 126 and not c.isalpha()) for c in text)
    return len(text) >= 6 and strange >= 0.4 * len(text)


def _retold(failed: Handshake) -> Remark:
    """The line that looked like the failure of a handshake which came about after all."""
    return Remark(by="client", at=failed.at, line=failed.line, text=failed.detail)


def _version(said: str) -> str:
    """The name of a TLS version as OpenSSL writes it."""
    match = re.search(r"(?i)(TLS|SSL)[ _]?v?[ _]?([123])(?:[._](\d))?", said)
    if match is None:
        return ""
    if match[1].upper() == "SSL":
        return f"SSLv{match[2]}"
    return f"TLSv{match[2]}.{match[3] or 0}" if match[3] else f"TLSv{match[2]}"
