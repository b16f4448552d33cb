"""Postfix: its ordinary log, which tells of sessions without showing them, and the log of -v.

Under -v the marks are those of the process: in smtpd `>` is the server, in smtp the client. The
ordinary log ends a session with counts (`ehlo=2 starttls=1 mail=1`), from which the commands and
their usual order follow.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from simulator.reading.clean import Line
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, Extent
from simulator.reading.marks import continued, learn
from simulator.session import Command, Handshake, Peer, Session

_PEER = r"[^\[\]]{0,200}\[[^\]]{0,80}\](?::\d{1,5})?"
_ID = r"(?P<id>[0-9A-Za-z]{3,20}): "

_PROCESS = re.compile(r"(?:[A-Za-z0-9_.-]{1,40}/){1,4}([a-z][a-z0-9-]{1,20})\[\d{1,10}\]")
_MARKED = re.compile(rf"(?P<mark>[<>]) (?P<peer>{_PEER}): ?(?P<text>.*)")
_CONNECT = re.compile(r"connect from (?P<name>[^\[]{0,200})\[(?P<address>[^\]]{0,80})\]")
_DISCONNECT = re.compile(
    rf"disconnect from {_PEER}(?P<counts>(?: [a-z0-9_]{{1,20}}=\d{{1,9}}(?:/\d{{1,9}})?){{0,30}})"
)
_TLS = re.compile(
    rf"(?:{_ID})?(?P<trust>Anonymous|Untrusted|Trusted|Verified) TLS connection "
    rf"(?:established|reused) (?:from|to) ?(?P<peer>{_PEER})?: "
    r"(?P<version>\S+) with cipher (?P<cipher>\S+)"
)
_CLIENT = re.compile(
    r"(?:[^\[]{0,120}?\bfrom |warning: )(?P<name>[^\[\s]{0,255})\[(?P<address>[^\]]{1,80})\]"
)
"""Whose line it is."""
_SHAKEN = re.compile(r"SSL_accept error|\w{1,12} TLS connection established")
"""What became of the handshake: a session has one."""
_LOST = re.compile(rf"(?:{_ID})?(?:lost connection|timeout) after (?P<verb>[A-Z-]+)")
_FAILED = re.compile(
    rf"SSL_(?:accept|connect) error|(?:{_ID})?Cannot start TLS|.{{0,40}}TLS library problem"
)
_STATUS = re.compile(
    rf"{_ID}to=<.{{0,400}}?relay=(?P<relay>[^,]{{0,200}}),.{{0,400}}?"
    r"status=(?P<status>\w+) \((?P<why>.*)\)"
)
_RELAY = re.compile(r"(?P<name>[^\[\s]{0,200})\[(?P<address>[^\]]{0,80})\]:(?P<port>\d+)")
TO = re.compile(
    rf"(?:{_ID})?(?:SSL_connect error to |\w+ TLS connection (?:established|reused) to "
    r"|setting up TLS connection to |certificate (?:peer name )?verification failed for )"
    r"(?P<peer>[^\[\s]{0,200}\[(?P<address>[^\]]{1,80})\](?::\d{1,5})?)"
)
"""Which server the client is in a handshake with."""
_IN_REPLY = re.compile(
    r"said: (?P<code>[2-5]\d\d)[- ](?P<text>.*?) \(in reply to (?:end of )?(?P<verb>[A-Z]+)"
)
_REJECT = re.compile(
    rf"{_ID}(?:milter-)?reject: (?P<verb>[A-Z]+) from {_PEER}: "
    r"(?P<code>[45]\d\d) (?P<text>[^;]*)"
)
_FILTER = re.compile(
    r"warning: proxy (?P<server_name>\S{1,200}) rejected \"(?P<verb>[A-Z]{4,8})\b[^\"]{0,400}\": "
    r"\"(?P<code>[45]\d\d)[ -](?P<text>[^\"]{0,400})\""
)
"""What the filter before the queue refused: Postfix is its client."""
_LOGIN_FAILED = re.compile(rf"warning: {_PEER}: SASL [A-Z0-9-]{{3,20}} authentication failed")
_PUT_OUT = re.compile(r"too many errors after [A-Z]{4,10} from ")
_OWN_KEY = re.compile(
    r"warning: (?:cannot get \S{1,10} (?:private key|certificate)|No server certs available"
    r"|TLS library problem: .{0,200}(?:system library:|PEM routines|x509 certificate routines"
    r"|BIO routines|DH routines|no start line|key values mismatch))"
)
"""A process that begins, and cannot use its own certificate or key: no handshake is tried."""
_QUEUED = re.compile(_ID)
NEW = re.compile(
    rf"(?:{_ID})?(?:setting up TLS connection|SSL_connect error|connect to "
    r"|\w+ TLS connection (?:established|reused)|certificate (?:peer name )?verification failed)"
)

MOST_MESSAGES = 20_000


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    reader = Reader()
    for line, rest in _unwrapped(lines):
        reader.take(line, rest)
        yield from reader.desk.done()
    yield from reader.desk.finish()


_STAMP = re.compile(r"[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:|\d{4}-\d\d|<\d|\d\d:\d\d")
_REPLY = re.compile(r"\s*[2-5]\d\d[ -]")
_COMPLETE = re.compile(r" commands=\d{1,9}(?:/\d{1,9})?$|\)$|]: connect from \S{1,280}]$| removed$")
"""A line that ends so was not broken, and is not held back until the next one comes."""

_IN_A_WORD = re.compile(r"(?:TLSv?|SSLv?)\n\d|TLSv\d\.?\n[.\d]|\[[\w.:]*\n\]|\n]:")
"""Where a terminal broke a line without a blank."""

MOST_WRAPPED = 4

MOST_HEAD = 200
"""Characters in which a line's head stands again."""


def _unwrapped(lines: Iterable[Line]) -> Iterator[tuple[Line, list[Line]]]:
    """Lines that a page or a terminal broke are put together; the pieces come beside them."""
    held: Line | None = None
    rest: list[Line] = []
    for line in lines:
        if not line.text:
            continue
        broken = (
            held is not None
            and len(rest) < MOST_WRAPPED
            and len(held.text) < 2000
            and not _STAMP.match(line.text)
            and not _REPLY.match(line.text)
            and written_by(line.text[:300]) is None
        )
        if broken and held is not None:
            rest.append(line)
            piece = line.text.strip()
            blank = "" if _IN_A_WORD.search(f"{held.text[-8:]}\n{piece[:4]}") else " "
            held = Line(held.number, f"{held.text}{blank}{piece}")
            continue
        if held is not None:
            yield held, rest
        held, rest = None, []
        if _COMPLETE.search(line.text[-300:]) or written_by(line.text[:300]) is None:
            yield line, []
        else:
            held = line
    if held is not None:
        yield held, rest


def written_by(text: str) -> tuple[str, str, str] | None:
    """The process that wrote a line, its daemon, and what it says; None if it is not Postfix's."""
    mark = text.find("]: ")
    for _ in range(3):
        if mark < 0:
            return None
        process = text[text.rfind(" ", 0, mark) + 1 : mark + 1]
        match = _PROCESS.fullmatch(process)
        if match:
            # A page or a second logger may have put the head there twice.
            again = text.rfind(f" {process}: ", mark, mark + MOST_HEAD)
            start = mark + 3 if again < 0 else again + len(process) + 3
            return process, match[1], text[start:]
        mark = text.find("]: ", mark + 1)
    return None


def tells(line: str) -> bool:
    """Whether a line is Postfix's, and shows nothing of the dialogue itself."""
    found = written_by(line[:4000])
    return found is not None and _MARKED.match(found[2]) is None


# Where a line belongs: what the reader asks, and whoever puts lines with their sessions without
# reading them.


def connects(rest: str) -> bool:
    """Whether a line of the server's begins a session."""
    return _CONNECT.match(rest) is not None


def disconnects(rest: str) -> bool:
    """Whether a line of the server's ends one."""
    return _DISCONNECT.match(rest) is not None


def server_begins(rest: str) -> bool:
    """Whether a line of the server's may be the first that is seen of a session."""
    patterns = (_FAILED, _LOST, _TLS, _DISCONNECT, _OWN_KEY)
    return "reject: " in rest[:40] or any(pattern.match(rest) for pattern in patterns)


class Unbegun:
    """What is known of a session of the server's whose beginning the log does not have: lines that
    somebody searched for may be those of many clients, one after another by one process."""

    __slots__ = ("_begun", "_client", "_lost", "_said", "_shaken")

    def __init__(self) -> None:
        self._client = ""
        self._begun = False
        self._shaken = self._lost = False
        self._said: list[str] = []
        """Lines that were not looked at yet: mostly nobody asks for what they tell."""

    def is_over(self, rest: str) -> bool:
        """Whether a line of the same process is one of another session: it names another client, or
        tells of what comes once in a session, or may only come before its end."""
        self._look()
        named = _CLIENT.match(rest)
        if named is not None and self._client not in ("", named["address"]):
            return True
        if not server_begins(rest) or disconnects(rest):
            return False
        return self._lost or (self._shaken and _SHAKEN.match(rest) is not None)

    def note(self, rest: str) -> None:
        """Take a line of the session's."""
        self._said.append(rest)
        if len(self._said) > 20:
            self._look()

    def _look(self) -> None:
        for rest in self._said:
            begins = server_begins(rest)
            self._begun = self._begun or begins
            if (named := _CLIENT.match(rest)) is not None:
                self._client = named["address"] if self._begun else ""
            if not begins:
                continue
            self._shaken = self._shaken or _SHAKEN.match(rest) is not None
            self._lost = self._lost or _LOST.match(rest) is not None
        self._said.clear()


def stands_alone(rest: str) -> bool:
    """Whether a line of the server's tells what became of a session that shows no other line, as
    one that was searched for does."""
    return _LOGIN_FAILED.match(rest) is not None or _PUT_OUT.match(rest) is not None


def taken(rest: str) -> str | None:
    """The id of the message that the server took from its client, if a line of its tells."""
    queued = _QUEUED.match(rest)
    return queued["id"] if queued is not None and "client=" in rest else None


class ClientSays(NamedTuple):
    """What a line of the client's tells: whether a connection is `new`, the `status` of a message,
    whether it may be the first that is seen of a session (`begins`), and the address of the
    `server` that it names."""

    new: bool
    status: re.Match[str] | None
    begins: bool
    server: str


def client_says(rest: str) -> ClientSays:
    """What a line of the client's tells of where it belongs."""
    new, status = NEW.match(rest) is not None, _STATUS.match(rest)
    begins = new or status is not None
    named = TO.match(rest) if status is None else _RELAY.match(status["relay"])
    return ClientSays(
        new, status, begins or any(p.match(rest) for p in (_FAILED, _TLS, TO)),
        named["address"] if named is not None else "",
    )  # fmt: skip


class _Told(Dialogue):
    """A session that the ordinary log tells of."""

    def __init__(self, source: str, connection: str = "", shown: Extent = "all") -> None:
        super().__init__(source, connection, shown)
        self.rejected: list[tuple[str, int, str]] = []
        """Verb, code and text of replies that are told apart from the commands."""
        self.logins = 0
        """Logins that failed, as the server's warnings tell."""
        self.lost = ""
        """The command after which the connection was lost, where the log tells no more."""
        self.unbegun: Unbegun | None = None
        """What is known of it where it began before the log."""

    @property
    def commands(self) -> bool:
        """Whether any command is known."""
        return any(isinstance(event, Command) for event in self.events)

    @property
    def refused(self) -> bool:
        """STARTTLS was refused."""
        return self._refused

    def broke_off(self, text: str, line: int) -> bool:
        """The connection was lost in the failed handshake; whether there was one."""
        for index, event in enumerate(self.events):
            if isinstance(event, Handshake) and event.error:
                if event.error == "other":
                    self.events[index] = msgspec.structs.replace(event, error="cut")
                self.remark(text, line)
                return True
        return False

    def cleartext(self) -> None:
        """What comes now came before TLS."""
        self._secure, self.pending = False, None

    def inside(self, secure: bool) -> None:
        """What comes now came inside TLS, or did not."""
        self._secure = secure

    def conclude(self) -> None:
        """Where the log tells no more, the command is known after which the connection was lost."""
        if self.lost and not self.commands:
            self.told = True
            place = next(i for i, e in enumerate(self.events) if isinstance(e, Handshake))
            line = self.events[place].line
            asked = Command(by="client", verb=self.lost, at=self._at, line=line, told=True)
            self.events.insert(place, asked)


class Reader:
    """Reads such a log line by line; what is complete comes from its desk."""

    def __init__(self) -> None:
        self.desk = Desk("postfix", shown="outline", dialogue=_Told)
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._delivered: dict[str, str] = {}

    def _of(self, process: str, line: str = "") -> _Told:
        found = self.desk.of(process, line)
        assert isinstance(found, _Told)
        return found

    def take(self, line: Line, rest: list[Line]) -> None:
        """Read a line; `rest` are the pieces that it was broken into."""
        found = written_by(line.text[:4000])
        if found is None:
            if _STAMP.match(line.text):
                self.desk.beside(line.text, line.number)
            elif not continued(self.desk, line):
                self.desk.remark(line.text, line.number)
            return
        process, daemon, said = found
        for piece in rest:
            if self.desk.has(process):
                self.desk.remark(piece.text, piece.number, process)
            else:
                self.desk.loose(piece.text, piece.number)
        if daemon in ("smtpd", "postscreen"):
            self._server(process, said, line)
        elif daemon in ("smtp", "lmtp", "relay"):
            self._client(process, said, line)
        else:
            self._other(said, line)

    def _other(self, rest: str, line: Line) -> None:
        queued = _QUEUED.match(rest)
        owner = self._owners.get(queued["id"], "") if queued else ""
        if owner and self.desk.has(owner):
            self.desk.beside(line.text, line.number, owner)
        else:
            self.desk.loose(line.text, line.number)

    # The server -------------------------------------------------------------------------------

    def _server(self, process: str, rest: str, line: Line) -> None:
        desk = self.desk
        if (match := _MARKED.match(rest)) is not None:
            self._marked(process, match, line)
            return
        if (match := _CONNECT.match(rest)) is not None:
            desk.end(process)
            dialogue = self._of(process, line.text)
            dialogue.connect(line.number)
            self._client_is(dialogue, match)
            dialogue.implicit = "smtps" in process or "submissions" in process
            return
        if (match := _FILTER.match(rest)) is not None:
            before = desk.latest.connection if desk.latest is not None else ""
            dialogue = self._of(f"{process} to {match['server_name']}", line.text)
            dialogue.told = True
            dialogue.imply(match["verb"], line.number, int(match["code"]), match["text"])
            dialogue.remark(line.text, line.number)
            desk.end(dialogue.connection)
            if desk.has(before):
                self._of(before)
            return
        if desk.has(process):
            unbegun = self._of(process).unbegun
            if unbegun is not None and unbegun.is_over(rest):
                desk.end(process)
        begins = not desk.has(process)
        if begins and not server_begins(rest):
            (desk.apart if stands_alone(rest) else desk.loose)(line.text, line.number)
            return
        dialogue = self._of(process, line.text)
        if begins:
            dialogue.unbegun = Unbegun()
        if dialogue.unbegun is not None:
            dialogue.unbegun.note(rest)
            self._client_is(dialogue, _CLIENT.match(rest))
        if (match := _DISCONNECT.match(rest)) is not None:
            if not dialogue.commands and match["counts"]:
                _from_counts(dialogue, match["counts"], line)
            dialogue.close(line.number)
            dialogue.remark(line.text, line.number)
            desk.end(process)
        elif (match := _LOST.match(rest)) is not None:
            self._lost(dialogue, match["verb"], line)
        elif not self._about_tls(dialogue, rest, line):
            if (match := _REJECT.match(rest)) is not None and not dialogue.secure:
                dialogue.rejected.append((match["verb"], int(match["code"]), match["text"]))
            dialogue.logins += _LOGIN_FAILED.match(rest) is not None
            if (message := taken(rest)) is not None:
                self._owners[message] = process
                if len(self._owners) > MOST_MESSAGES:
                    self._owners.popitem(last=False)
            dialogue.remark(line.text, line.number)

    def _client_is(self, dialogue: _Told, match: re.Match[str] | None) -> None:
        if match is not None and not dialogue.client.address:
            name = "" if match["name"] == "unknown" else match["name"]
            dialogue.client = Peer(name=name, address=match["address"])

    def _lost(self, dialogue: _Told, verb: str, line: Line) -> None:
        if verb == "STARTTLS" and not dialogue.secure:
            if not dialogue.commands:
                dialogue.lost = "STARTTLS"
            if not dialogue.broke_off(line.text.strip(), line.number):
                dialogue.tls_failed(line.number, line.text.strip(), "cut")
        else:
            dialogue.remark(line.text, line.number)

    def _marked(self, process: str, match: re.Match[str], line: Line) -> None:
        desk = self.desk
        dialogue = self._of(process, line.text)
        dialogue.told = False
        dialogue.shown = "all"
        side = learn(dialogue, match["mark"], match["text"])
        if side is None:
            dialogue.remark(line.text, line.number)
            return
        found = desk.speak(process, side, match["text"], line.number, line.text)
        found.marks.update(dialogue.marks)
        found.shown = "all"

    def _about_tls(self, dialogue: _Told, rest: str, line: Line) -> bool:
        if (match := _TLS.match(rest)) is not None:
            dialogue.tls(
                line.number,
                line.text,
                version=match["version"],
                cipher=match["cipher"],
                verified=match["trust"] == "Verified",
            )
            return True
        if _OWN_KEY.match(rest) is not None:
            return False
        if _FAILED.match(rest) is not None and not dialogue.secure and not dialogue.refused:
            if not dialogue.refine(rest):
                dialogue.tls_failed(line.number, rest)
            else:
                dialogue.remark(line.text, line.number)
            return True
        return False

    # The client -------------------------------------------------------------------------------

    def _client(self, process: str, rest: str, line: Line) -> None:
        desk = self.desk
        if (match := _MARKED.match(rest)) is not None:
            self._marked(process, match, line)
            self._peer(self._of(process), match["peer"])
            return
        if "/lmtp[" in process and not desk.has(process):
            # Delivery inside the house, by a socket or LMTP: no session of SMTP unless it is shown.
            self._other(rest, line)
            return
        said = client_says(rest)
        status = said.status
        done = self._delivered.get(process)
        if done and (said.new or (status is not None and status["id"] != done)):
            desk.end(process)
            self._delivered.pop(process, None)
        elif desk.has(process) and _elsewhere(self._of(process), said.server):
            desk.end(process)
            self._delivered.pop(process, None)
        if not desk.has(process) and not said.begins:
            desk.loose(line.text, line.number)
            return
        dialogue = self._of(process, line.text)
        if (to := TO.match(rest)) is not None:
            self._peer(dialogue, to["peer"])
        if self._about_tls(dialogue, rest, line):
            pass
        elif status is not None:
            self._delivered[process] = status["id"]
            self._peer(dialogue, status["relay"])
            self._status(dialogue, status["why"], line)
        else:
            dialogue.remark(line.text, line.number)

    def _status(self, dialogue: _Told, why: str, line: Line) -> None:
        if dialogue.commands:
            dialogue.remark(line.text, line.number)
            return
        reply = _IN_REPLY.search(why)
        if reply is not None:
            dialogue.told = True
            dialogue.imply(reply["verb"], line.number, int(reply["code"]), reply["text"])
        dialogue.remark(line.text, line.number)

    def _peer(self, dialogue: _Told, peer: str) -> None:
        match = _RELAY.match(peer)
        if match is not None and not dialogue.server.address:
            dialogue.server = Peer(
                name=match["name"], address=match["address"], port=int(match["port"])
            )


def _elsewhere(dialogue: _Told, server: str) -> bool:
    """Another server than the one that this session is with: the first may have failed."""
    return server != "" and dialogue.server.address not in ("", server)


_ORDER = ("auth", "mail", "rcpt", "data", "bdat", "vrfy", "expn", "etrn", "noop", "rset", "quit")


def _from_counts(dialogue: _Told, counts: str, line: Line) -> None:
    """The commands of a session, from `ehlo=2 starttls=1 mail=1 rcpt=0/1 quit=1 commands=5/6`."""
    number: dict[str, int] = {}
    worked: dict[str, int] = {}
    for name, good, _, all_of in re.findall(r" ([a-z0-9_]+)=(\d+)(/(\d+))?", counts):
        worked[name] = int(good)
        number[name] = min(int(all_of or good), 500)
    if "commands" not in number:
        # The line was cut: what other lines tell of, was sent as well.
        number.setdefault("auth", dialogue.logins)
        for verb, _, _ in dialogue.rejected:
            number.setdefault(verb.lower(), 1)
    before = after = 0
    hellos = number.get("ehlo", 0)
    tls = dialogue.secure or worked.get("starttls", 0) > 0
    implicit = dialogue.secure and not number.get("starttls")
    if implicit:
        after = hellos
    elif tls:
        before, after = min(1, hellos), max(0, hellos - 1)
    else:
        before = hellos
    shake = [e for e in dialogue.events if isinstance(e, Handshake)]
    dialogue.events = [e for e in dialogue.events if not isinstance(e, Handshake)]
    secure = dialogue.secure
    dialogue.cleartext()
    if number.get("helo") and not implicit:
        for _ in range(number["helo"]):
            dialogue.imply("HELO", line.number)
    for _ in range(before):
        dialogue.imply("EHLO", line.number)
    for _ in range(number.get("starttls", 0)):
        dialogue.imply("STARTTLS", line.number)
    if shake and shake[0].error and worked.get("starttls"):
        # Postfix counts a STARTTLS as good once the handshake is done.
        dialogue.tls(line.number)
        dialogue.remark(shake[0].detail, shake[0].line or line.number)
    elif shake:
        dialogue.events.append(shake[0])
    elif tls:
        dialogue.tls(line.number)
    dialogue.implicit = dialogue.implicit or implicit
    dialogue.inside(secure or tls)
    for _ in range(after):
        dialogue.imply("EHLO", line.number)
    for verb in _ORDER:
        for _ in range(number.get(verb, 0)):
            refused = next((r for r in dialogue.rejected if r[0] == verb.upper()), None)
            if refused is not None:
                dialogue.rejected.remove(refused)
                dialogue.imply(verb.upper(), line.number, refused[1], refused[2])
            else:
                dialogue.imply(verb.upper(), line.number)
    dialogue.shown = "all"
    dialogue.told = False
