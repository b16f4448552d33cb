"""Why a session failed, in plain words, and what to do about it.

Rules say which sentence of a standard was broken; causes say what went wrong, even where nobody
broke anything, as when a firewall masks a word. A cause is a hypothesis: it comes with the lines
that show it, with what would rule it out, and with a degree. They are data, in `causes.toml`; this
file only looks whether what an entry asks for is there, and where.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

from simulator import needles, smtp, toml
from simulator.language import N_, Text
from simulator.needles import late
from simulator.pairing import GREETINGS, Paired
from simulator.rules import altered
from simulator.session import (
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
)

Degree = Literal["certain", "likely", "one of these"]
"""How sure a cause is: the record shows it; it fits best; it is one of several that fit."""

DEGREES = {
    "certain": N_("certain"),
    "likely": N_("likely"),
    "one of these": N_("one of these"),
}


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows a cause; what is left out is not asked for. `degree` is this evidence's own.

    `tls`, `second_ehlo`: one of these verdicts. `handshake`: TLS failed with one of these errors.
    `implicit`: TLS from the first octet, or a port or service that begins with TLS. `at`: the log
    is one of the server's, or none. `ended`: how the connection did. `silent`: the client sent no
    command. `ehlos`: at least so many EHLOs. `sent`, `unheard`: some, or none, of these verbs was
    sent. `left_over`: a command came between STARTTLS and its reply. `typed`: a command came in the
    clear after the 220, and TLS failed. `unanswered`: the client's last command had one of these
    verbs, got no reply, and the connection ended. `unasked`: so many refusals came to nothing.

    One reply had one of the codes `code`, answered one of the verbs `to`, its text matches `text`
    and not `not_text`, and its AUTH named a `mechanism` of the list or none of it. One command had
    one of the verbs `verb`. `offers`: a list has that keyword; `lacks`: the last one, seen whole,
    has it not. `gave_up`: after the last list the client left without asking for anything.
    `left_at`: it left after a reply with this code. All of this paragraph may be asked for `inside`
    TLS, or outside.

    `keyword`, `first_line`: such a line stands in a list. `greeting`, `said`, `peer`, `remark`:
    there is such a greeting, such a line of the client's that is no command, such a name of the
    client's, such a line of the log beside the dialogue. `tells`: a line says that STARTTLS is not
    offered. `unless`: none of these shows.
    """

    degree: Degree | Literal[""] = ""
    tls: tuple[str, ...] = ()
    second_ehlo: tuple[str, ...] = ()
    handshake: tuple[str, ...] = ()
    implicit: bool | None = None
    at: Literal["", "server", "client"] = ""
    ended: tuple[str, ...] = ()
    silent: bool = False
    ehlos: int = 0
    sent: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    left_over: bool = False
    typed: bool = False
    unanswered: tuple[str, ...] = ()
    unasked: int = 0
    code: tuple[int, ...] = ()
    to: tuple[str, ...] = ()
    text: str = ""
    not_text: str = ""
    mechanism: Literal["", "offered", "not offered"] = ""
    verb: tuple[str, ...] = ()
    offers: str = ""
    lacks: str = ""
    gave_up: bool = False
    left_at: int = 0
    inside: bool | None = None
    keyword: str = ""
    first_line: str = ""
    greeting: str = ""
    said: str = ""
    peer: str = ""
    remark: str = ""
    tells: bool = False
    unless: tuple[When, ...] = ()

    @property
    def absent(self) -> bool:
        """Whether it rests on something that was not seen."""
        return bool(
            self.unheard
            or self.lacks
            or self.silent
            or ({"not_attempted", "not_offered"}.intersection(self.tls) and not self.keyword)
            or self.second_ehlo == ("missing",)
        )


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause: English texts, the citation it rests on, and the experiment that shows it (each may
    be empty).

    `ruled_out` says what would have to be seen for it to be wrong. Of the causes of one `group`,
    which answer the same question, only the surest stands, or those that are `one of these`;
    `hides` are other causes that it brings about. `harmless`: nothing is to be done.
    """

    id: str
    title: str
    cause: str
    ruled_out: str
    remedy: str
    citation: str
    experiment: str
    when: tuple[When, ...]
    degree: Degree = "certain"
    group: str = ""
    hides: tuple[str, ...] = ()
    harmless: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that shows in a session: its id, how sure it is, and what shows it, as `lines` of
    the log (from 1) and as `events` of the session (from 0)."""

    id: str
    degree: Degree
    lines: tuple[int, ...] = ()
    events: tuple[int, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cause: tuple[Cause, ...]


@cache
def causes() -> dict[str, Cause]:
    """All causes by id, in the order in which they are told."""
    text = (files("simulator") / "causes.toml").read_bytes()
    found = toml.read(text, _File, "causes.toml").cause
    for entry in found:
        if entry.citation and entry.citation not in smtp.citations():
            raise LookupError(f"cause {entry.id}: no {entry.citation} in citations.toml")
    return {entry.id: entry for entry in found}


def schema() -> dict[str, object]:
    """The JSON Schema of the table of causes, for editors."""
    return toml.schema(_File, "ehlo-twice causes")


def find(
    session: Session, pairs: Sequence[Paired], tls: str | None, second_ehlo: str | None
) -> tuple[Told, ...]:
    """The causes that show in `session`, in the order in which they are told.

    `pairs` tell what each event answers and what it is taken to answer; `tls` and `second_ehlo` are
    the verdict's.
    """
    facts = _Facts(session, pairs, tls, second_ehlo)
    found = [told for cause, tests in _likely(facts.kind) if (told := _told(cause, tests, facts))]
    return tuple(_without_contradictions(found))


def _told(cause: Cause, tests: tuple[_Test, ...], facts: _Facts) -> Told | None:
    """The cause by its surest evidence; None if nothing shows it."""
    shown = [
        (facts.at_most(test.when.degree or cause.degree, places, test.when), places)
        for test in tests
        if (places := test.look(facts)) is not None
    ]
    if not shown:
        return None
    degree, places = min(shown, key=lambda one: _RANK[one[0]])
    events = {place if isinstance(place, int) else place[0] for place in places}
    lines = {line for place in places if (line := facts.line(place)) is not None}
    return Told(
        id=cause.id, degree=degree, lines=tuple(sorted(lines)), events=tuple(sorted(events))
    )


_RANK = {degree: rank for rank, degree in enumerate(DEGREES)}


def _without_contradictions(found: list[Told]) -> Iterator[Told]:
    known = causes()
    hidden = {name for told in found for name in known[told.id].hides}
    found = [told for told in found if told.id not in hidden]
    best: dict[str, Told] = {}
    for told in found:
        group = known[told.id].group or told.id
        if group not in best or _RANK[told.degree] < _RANK[best[group].degree]:
            best[group] = told
    for told in found:
        first = best[known[told.id].group or told.id]
        if told is first or told.degree == first.degree == "one of these":
            yield told


Place = int | tuple[int, int]
"""What shows a cause: an event by its index, or a row of a reply (from 0)."""


class _List(NamedTuple):
    """A list that the client got: where its reply stands, and whether nothing of it is missing."""

    place: int
    reply: Reply
    keywords: tuple[smtp.Keyword, ...]
    whole: bool

    def row(self, keyword: str) -> Place:
        """Where the keyword stands; the reply, if it is not there."""
        for row, line in enumerate(self.reply.lines):
            found = smtp.parse_keyword(line) if row else None
            if found and found.name == keyword:
                return self.place, row
        return self.place


class _Facts:
    """What the entries ask about, gathered once for a session."""

    def __init__(
        self, session: Session, pairs: Sequence[Paired], tls: str | None, second_ehlo: str | None
    ) -> None:
        self.session = session
        self.tls, self.second_ehlo = tls or "", second_ehlo or ""
        self.commands: list[tuple[int, Command]] = []
        self.handshakes: list[tuple[int, Handshake]] = []
        self.replies: list[tuple[int, Reply, int | None, str]] = []
        self._ended: set[str] = set()
        self._beside = False
        for index, event in enumerate(session.events):
            match event:
                case Command(by="client"):
                    self.commands.append((index, event))
                case Handshake():
                    self.handshakes.append((index, event))
                case Remark():
                    self._beside |= bool(event.tells) or event.about not in _OF_OTHERS
                case Disconnect():
                    self._ended.add(event.reason)
                case Reply():
                    heard_as = pairs[index].heard_as
                    heard = session.events[heard_as] if heard_as is not None else None
                    verb = getattr(heard, "verb", "AUTH" if isinstance(heard, AuthResponse) else "")
                    self.replies.append((index, event, heard_as, verb))

    @property
    def kind(self) -> _Kind:
        return _Kind(
            tls=self.tls,
            second_ehlo=self.second_ehlo,
            verbs=frozenset(command.verb for _, command in self.commands),
            codes=frozenset(reply.code for _, reply, _, _ in self.replies),
            errors=frozenset(shake.error for _, shake in self.handshakes),
            ended=frozenset(self._ended),
            beside=self._beside,
            named=bool(self.session.client.name),
        )

    @cached_property
    def implicit(self) -> bool:
        session = self.session
        begins = re.search(r"(?:^|/)(?:smtps|submissions)\b", session.connection)
        return session.implicit_tls or begins is not None or session.server.port == 465

    @cached_property
    def at(self) -> str:
        said = f"{self.session.connection}\n{self.remarks.text}"
        return "server" if _SERVERS.search(said) else "client"

    @cached_property
    def by_hand(self) -> bool:
        """Somebody typed this into a program that has no TLS."""
        return _BY_HAND.search(self.remarks.text) is not None

    @cached_property
    def remarks(self) -> _Lines:
        """The lines beside the dialogue, and those that tell of a failed handshake.

        The header of a bounce, and the message it returns, tell of other connections.
        """
        return _Lines(
            (index, smtp.nameless(event.text if isinstance(event, Remark) else event.detail))
            for index, event in enumerate(self.session.events)
            if (isinstance(event, Remark) and event.about not in _OF_OTHERS)
            or (isinstance(event, Handshake) and event.error)
        )

    @cached_property
    def greetings(self) -> _Lines:
        return _Lines(
            (index, reply.lines[0])
            for index, reply, _, verb in self.replies
            if reply.code == 220 and verb != "STARTTLS" and reply.lines
        )

    @cached_property
    def said(self) -> _Lines:
        return _Lines((index, e.argument) for index, e in self.commands if not e.verb)

    @cached_property
    def peers(self) -> _Lines:
        named = [(0, self.session.client.name)] if self.session.events else []
        named += [(i, e.argument) for i, e in self.commands if e.verb in ("EHLO", "HELO")]
        return _Lines((index, name) for index, name in named if name)

    @cached_property
    def lists(self) -> list[_List]:
        return [
            _List(index, reply, smtp.parse_ehlo_reply(reply.lines)[1], _whole(reply))
            for index, reply, heard_as, verb in self.replies
            if reply.code == 250 and (verb == "EHLO" or (heard_as is None and len(reply.lines) > 1))
        ]

    @cached_property
    def keyword_lines(self) -> _Lines:
        return _Lines(
            ((entry.place, row), line.strip())
            for entry in self.lists
            for row, line in enumerate(entry.reply.lines)
            if row or len(entry.reply.lines) == 1
        )

    @cached_property
    def first_lines(self) -> _Lines:
        return _Lines(
            (entry.place, entry.reply.lines[0])
            for entry in self.lists
            if len(entry.reply.lines) > 1 and entry.place in self._answers
        )

    def at_most(self, degree: Degree, places: Iterable[Place], when: When) -> Degree:
        """No cause is certain by what is only said of a session: in a sentence that a person wrote,
        behind the session's end, or by a reply that nothing in it asked for; nor by what is absent
        from a record that was not wholly understood; nor by what came in the clear, where the
        record names TLS from the first octet; nor by a refusal that the session got over; nor is a
        failure without its reason, where one line is all that tells of it; nor by the code alone of
        a reply that is quoted without the dialogue around it, or one of several such replies; nor
        by a handshake that failed, where in no format a login was judged as well."""
        if degree != "certain":
            return degree
        if when.absent and self.session.understood < 1:
            return "likely"
        if when.inside is False and self.may_be_implicit:
            return "likely"
        events = {place if isinstance(place, int) else place[0] for place in places}
        if self.one_sentence and any(self._is_vague(event) for event in events):
            return "likely"
        if (
            self.quoted
            and (len(self.refusals) > 1 or not when.text)
            and any(self._is_reply(event) for event in events)
        ):
            return "likely"
        if self.session.source in _NO_FORMAT and any(map(self._is_unwritten, events)):
            return "likely"
        if self.judged_login and any(self._is_failure(event) for event in events):
            return "likely"
        doubtful = any(self._is_hearsay(event) or event in self.got_over for event in events)
        return "likely" if doubtful else degree

    @cached_property
    def one_sentence(self) -> bool:
        """Nothing of the session is known but what one line says of TLS, in no format."""
        return self.session.source in _NO_FORMAT and all(
            isinstance(event, Remark | Handshake) or (isinstance(event, Command) and event.told)
            for event in self.session.events
        )

    @cached_property
    def quoted(self) -> bool:
        """No dialogue is shown, in no format: what commands there are, a line only tells of."""
        return (
            self.session.source in _NO_FORMAT
            and not self.greetings.text
            and all(command.told for _, command in self.commands)
        )

    @cached_property
    def refusals(self) -> set[int]:
        """The codes of all refusals."""
        return {reply.code for _, reply, _, _ in self.replies if reply.code >= 400}

    def _is_unwritten(self, index: int) -> bool:
        """A sentence that no program wrote, as far as it shows: people name codes and times too."""
        event = self.session.events[index]
        if not isinstance(event, Remark):
            return False
        text = event.text[:1000]
        return " " in text and _REPORTS.match(text) is None and _MACHINE.search(text) is None

    @cached_property
    def judged_login(self) -> bool:
        """Whether some server, in no format, judged a login: then a handshake that failed may be an
        earlier one."""
        codes = {reply.code for _, reply, _, _ in self.replies}
        return self.session.source in _NO_FORMAT and not codes.isdisjoint((235, 534, 535))

    def _is_failure(self, index: int) -> bool:
        event = self.session.events[index]
        return isinstance(event, Handshake) and bool(event.error)

    def _is_reply(self, index: int) -> bool:
        return isinstance(self.session.events[index], Reply)

    def _is_vague(self, index: int) -> bool:
        """A handshake that failed, nobody knows why, or after what."""
        event = self.session.events[index]
        if not isinstance(event, Handshake):
            return False
        if event.error == "not-tls":
            return self.remarks.find(_AFTER_STARTTLS) is None
        return event.error in ("other", "cut")

    @cached_property
    def may_be_implicit(self) -> bool:
        """Whether a line beside the dialogue names TLS from the first octet, and no list has
        STARTTLS."""
        if any(keyword.name == "STARTTLS" for entry in self.lists for keyword in entry.keywords):
            return False
        return self.remarks.find(_IMPLICIT) is not None

    @cached_property
    def got_over(self) -> frozenset[int]:
        """The refusals of a command that the server took when it came again."""
        found: set[int] = set()
        taken: set[str] = set()
        for index, reply, _, verb in reversed(self.replies):
            if reply.code < 300:
                taken.add(verb)
            elif reply.code >= 400 and verb in _REPEATED and verb in taken:
                found.add(index)
        return frozenset(found)

    def _is_hearsay(self, index: int) -> bool:
        match self.session.events[index]:
            case Remark(text=text, by="client"):
                return _is_prose(text) or (index > self.end and not _REPORTS.match(text))
            case Handshake(detail=detail) if detail:
                return _is_prose(detail)
            case Reply():
                return index in self.unasked
        return False

    @cached_property
    def _answers(self) -> frozenset[int]:
        """The replies to something that is shown."""
        return frozenset(index for index, _, heard_as, _ in self.replies if heard_as is not None)

    @cached_property
    def end(self) -> int:
        """Where the session ends; behind it, others speak."""
        ends = [i for i, reply, _, verb in self.replies if verb == "QUIT"]
        return ends[-1] if ends else len(self.session.events)

    @cached_property
    def unasked(self) -> frozenset[int]:
        """The refusals of nothing that is shown, but for those that a server may say unasked."""
        said = ((i, e) for i, e in enumerate(self.session.events) if not isinstance(e, Remark))
        first, event = next(said, (0, None))
        greeted = isinstance(event, Connect) or getattr(event, "code", 0) == 220
        return frozenset(
            index
            for index, reply, heard_as, _ in self.replies
            if heard_as is None
            and reply.code >= 400
            and not (reply.code in GREETINGS and (greeted or index == first) and index <= self.end)
        )

    def line(self, place: Place) -> int | None:
        """The line of the log; that of the whole reply where its rows do not follow each other."""
        event, row = (place, 0) if isinstance(place, int) else place
        line = self.session.events[event].line
        if line is None or not row:
            return line
        reply = self.session.events[event]
        later = (e.line for e in self.session.events[event + 1 :] if e.line is not None)
        after = next(later, None)
        whole = isinstance(reply, Reply) and after == line + len(reply.lines)
        return line + row if whole else line

    def mechanism(self, reply: int) -> tuple[str, Place]:
        """Whether the mechanism of the AUTH before that reply stood in the list, "" if unknown, and
        which reply had the list."""
        asked = next(
            (e for i, e in reversed(self.commands) if i < reply and e.verb == "AUTH"), None
        )
        if asked is None or not asked.argument:
            return "", reply
        wanted = asked.argument.split()[0].upper()
        seen = [e for e in self.lists if e.place < reply and e.reply.secure == asked.secure]
        if not seen:
            return "", reply
        lines = [k.parameters.upper().split() for k in seen[-1].keywords if k.name == "AUTH"]
        where = seen[-1].row("AUTH")
        if any(wanted in line for line in lines):
            return "offered", where
        return "not offered" if any(lines) else "", where


_OF_OTHERS = ("header", "message", "other")
"""What a line beside the dialogue is about, if it tells of other connections."""

_NO_FORMAT = frozenset(("checker", "fragments", "json-lines", "plain", "unknown"))
"""The readers of what no program's own format shows."""

_AFTER_STARTTLS = (
    r"(?i)convert socket to tls|, in starttls\b|\.startTLS\(|stream_socket_enable_crypto"
)
"""What a library says, or has in its stack, only where TLS is begun by STARTTLS."""

_BY_HAND = late(r"(?m)Escape character is|^\W*(?:\S+[#$>] )?(?:telnet|nc|ncat|netcat) [\w.-]+ \d+")
"""What telnet says, and the line of a shell that starts it or one of its kin."""

_IMPLICIT = (
    r"(?i)(?<![\d.])465(?![\d.])|\bssl(?:v23)?://|\bsmtps\b|\bsubmissions\b"
    r"|\bs_client\b(?!.*-starttls)|tls-?on-?connect|ssl-?on-?connect|\bsecure\W{1,6}(?:ssl|true)\b"
)
"""How TLS from the first octet is named: by its port, a URL, a service, an option, a setting."""

_REPEATED = frozenset(("EHLO", "HELO", "AUTH", "MAIL"))
"""What comes again after a refusal to the same end; another RCPT is for another recipient."""

_SERVERS = late(
    r"(?i)SSL_accept|smtpd\b|lost connection after|on connection from|STARTTLS=server"
    r"|TLS handshake error (?:from|for)\b|(?:process|get|reading)[ _]client[ _]hello|ACCEPT_SR_CLNT"
    r"|\bICID\b|\bsmtp-server/lib/smtp-server\.js\b|remoteIp ="
    r"|\bhandler error:|\) handling connection"
)
"""What only a server's log says: Postfix's, Exim's, sendmail's, those of servers in Go and Node."""


_PERSON = late(
    r"(?<![\w'\".<-])(?:I|I'[a-z]{1,2}|[Mm]y|[Ww]e|[Oo]ur|[Yy]ou|[Tt]hanks|[Hh]ello|[Hh]i|[Hh]ow"
    r"|[Ww]hy|[Ss]o|[Bb]ut|[Ii]ch|[Mm]eine?[mnrs]?|[Ww]ir|[Uu]nser\w*|[Jj]e|[Mm]on|[Nn]ous|[Ee]u"
    r"|[Mm]eu|[Mm]inha|[Ee]stou|[Mm]io?|[Yy]o|[Tt]engo|[Hh]o|[Яя]|[Мм]о[йяеёи]|[Мм]ы|[Уу] меня)"
    r"(?![\w'\"@:.=>-])|[我私僕您]|저는|제가|\?\s*$|？"
)
"""What a person says of himself and to others, in the languages of this program."""

_REPORTS = late(
    r"\W{0,3}(?:\d(?!\d?[.)] [A-Za-z])|\w{3} \w{3} +\d|\w{3} +\d|[\w.-]+\[\d+\]:"
    r"|[A-Z]+[ :\[]{1,2}[\w.\[]+[\]:])"
    r"|\W*[\w.$-]*(?i:error|exception|fail\w*|warn\w*|fatal)\b"
    r"|\W*(?!(?i:edit|update|note|ps|question|problem|answer|solution):)[\w./\[\]-]+:(?: |$)"
)
"""How a program begins its lines: with the time, its own name, or what it is about to tell."""

_MACHINE = late(r"(?i)\w_\w|\w\(|\w::\w|\w\.\w+\.\w|exception|error\b|failed:")
"""What stands somewhere in what a program writes: an address, a function's name."""


def _is_prose(text: str) -> bool:
    """Whether a person wrote the line, about the log or a program, rather than a program."""
    text = text[:1000]
    return _REPORTS.match(text) is None and _PERSON.search(text) is not None


class _Kind(NamedTuple):
    """What a session is like in a few words, which many have in common."""

    tls: str
    second_ehlo: str
    verbs: frozenset[str]
    codes: frozenset[int]
    errors: frozenset[str]
    ended: frozenset[str]
    beside: bool
    """There are lines beside the dialogue."""
    named: bool
    """The client has a name, whatever it said of itself."""

    def admits(self, when: When) -> bool:
        """Whether an entry may show in such a session; most cannot, and are not looked at."""
        starts = "STARTTLS" in self.verbs or not (when.left_over or when.typed)
        return (
            starts
            and self._has_lines(when)
            and (not when.handshake or not self.errors.isdisjoint(when.handshake))
            and (not when.ended or not self.ended.isdisjoint(when.ended))
            and (not when.tls or self.tls in when.tls)
            and (not when.second_ehlo or self.second_ehlo in when.second_ehlo)
            and (not when.code or not self.codes.isdisjoint(when.code))
            and (not when.left_at or when.left_at in self.codes)
            and self.verbs.isdisjoint(when.unheard)
            and not (when.silent and self.verbs)
            and (not when.ehlos or "EHLO" in self.verbs)
            and all(
                not asked or not self.verbs.isdisjoint(asked)
                for asked in (when.sent, when.verb, when.unanswered)
            )
        )

    def _has_lines(self, when: When) -> bool:
        """Whether there are any lines of each kind in which an entry looks for one."""
        listed = when.offers or when.lacks or when.keyword or when.first_line or when.gave_up
        beside = self.beside or any(self.errors)
        return bool(
            (not listed or 250 in self.codes)
            and (not when.greeting or 220 in self.codes)
            and (not when.said or "" in self.verbs)
            and (not when.peer or self.named or not self.verbs.isdisjoint(("EHLO", "HELO")))
            and (not when.remark or beside)
            and (not when.tells or self.beside)
            and (not when.typed or any(self.errors))
        )


class _Lines:
    """Lines of text with the events they belong to, searched all at once."""

    def __init__(self, lines: Iterable[tuple[Place, str]]) -> None:
        self._events: list[Place] = []
        self._starts: list[int] = []
        texts, at = [], 0
        for event, text in lines:
            text = text[:1000].replace("\n", " ")
            self._events.append(event)
            self._starts.append(at)
            texts.append(text)
            at += len(text) + 1
        self.text = "\n".join(texts)
        self._searched: needles.Haystack | None = None

    def find(self, pattern: str) -> list[Place] | None:
        """The event of the first line that matches; None if there is none."""
        if not self._events:
            return None
        if self._searched is None:
            self._searched = needles.Haystack(self.text)
        match = self._searched.search(pattern)
        return [self._events[bisect_right(self._starts, match.start()) - 1]] if match else None


_NEVER_A_NAME = frozenset((
    "", "8BITMIME", "AUTH", "BINARYMIME", "CHUNKING", "DELIVERBY", "DSN", "ENHANCEDSTATUSCODES",
    "ETRN", "EXPN", "HELP", "PIPELINING", "REQUIRETLS", "SIZE", "SMTPUTF8", "STARTTLS", "VRFY",
))  # fmt: skip
_CUT = late(r"\.{3}\s*$|…|^\s*(?:\.\.+|[\[(<]\s*(?:\.|…|snip|cut|skipped))", re.IGNORECASE)


def _whole(reply: Reply) -> bool:
    """Whether a list shows from its first line to the closing `250 ` (RFC 5321 §4.2.1).

    A single line, or a list without a name in its first line, may be what a filter left; a masked
    one shows not what the server sent.
    """
    rows = reply.raw.decode("utf-8", "replace").splitlines()
    if len(rows) < 2 or reply.told or len(rows) != len(reply.lines) or altered(reply):
        return False
    if not re.match(r"[0-9]{3}(?: |$)", rows[-1]) or any(_CUT.search(line) for line in reply.lines):
        return False
    return reply.lines[0].split(" ", 1)[0].upper() not in _NEVER_A_NAME


Look = Callable[[When, _Facts], Iterable[Place] | None]
"""Looks for one thing that an entry asks for: the events that show it, or None."""


class _Test(NamedTuple):
    """An entry, and the looks that it takes."""

    when: When
    looks: tuple[Look, ...]
    unless: tuple[_Test, ...]

    @classmethod
    def of(cls, when: When) -> _Test:
        """Only what is asked for is looked at."""
        nothing = When()
        asked = {
            look: None
            for fields, look in _LOOKS
            if any(getattr(when, field) != getattr(nothing, field) for field in fields)
        }
        return cls(when, tuple(asked), tuple(cls.of(other) for other in when.unless))

    def look(self, facts: _Facts) -> set[Place] | None:
        """The places that show what the entry asks for; None if something of it is missing."""
        shown: set[Place] = set()
        for look in self.looks:
            found = look(self.when, facts)
            if found is None:
                return None
            shown.update(found)
        if any(other.look(facts) is not None for other in self.unless):
            return None
        return shown


@cache
def _tests() -> tuple[tuple[Cause, tuple[_Test, ...]], ...]:
    return tuple((cause, tuple(map(_Test.of, cause.when))) for cause in causes().values())


@lru_cache(maxsize=4096)
def _likely(kind: _Kind) -> tuple[tuple[Cause, tuple[_Test, ...]], ...]:
    """The entries that may show in a session of that kind."""
    admitted = (
        (cause, tuple(test for test in tests if kind.admits(test.when)))
        for cause, tests in _tests()
    )
    return tuple((cause, tests) for cause, tests in admitted if tests)


def _if(holds: bool) -> tuple[()] | None:
    """What holds for the session as a whole has no line of its own."""
    return () if holds else None


def _second_ehlo(when: When, facts: _Facts) -> Iterable[int] | None:
    if facts.second_ehlo not in when.second_ehlo:
        return None
    return [i for i, e in facts.handshakes if not e.error][-1:]


def _handshake(when: When, facts: _Facts) -> Iterable[int] | None:
    if facts.tls != "failed":
        return None
    for index, shake in facts.handshakes:
        if shake.error in when.handshake:
            return [index, *_told_by(shake, facts)]
    return None


def _told_by(shake: Handshake, facts: _Facts) -> list[int]:
    """The line that tells why, where it is not the one that tells that the handshake failed."""
    if not shake.detail:
        return []
    remarks = ((i, e) for i, e in enumerate(facts.session.events) if isinstance(e, Remark))
    return [i for i, e in remarks if shake.detail in e.text and e.line != shake.line][:1]


def _ended(when: When, facts: _Facts) -> Iterable[int] | None:
    events = enumerate(facts.session.events)
    return [i for i, e in events if isinstance(e, Disconnect) and e.reason in when.ended] or None


def _ehlos(when: When, facts: _Facts) -> Iterable[int] | None:
    found = [i for i, e in facts.commands if e.verb == "EHLO"]
    return found if len(found) >= when.ehlos else None


def _sent(when: When, facts: _Facts) -> Iterable[int] | None:
    return [i for i, e in facts.commands if e.verb in when.sent][:1] or None


def _unheard(when: When, facts: _Facts) -> Iterable[int] | None:
    return _if(all(e.verb not in when.unheard for _, e in facts.commands))


def _left_over(_: When, facts: _Facts) -> Iterable[int] | None:
    """A command in the clear between STARTTLS and its 220."""
    asked: list[int] = []
    for index, event in enumerate(facts.session.events):
        match event:
            case Command(verb="STARTTLS", secure=False):
                asked = [index]
            case Command(secure=False, by="client") if asked and not event.told:
                asked.append(index)
            case Reply(code=220) if len(asked) > 1:
                return asked[:2]
            case Reply() | Handshake():
                asked = []
    return None


def _typed(_: When, facts: _Facts) -> Iterable[int] | None:
    """A command in the clear after the 220 to STARTTLS, and a handshake that failed."""
    asked = False
    ready: int | None = None
    for index, event in enumerate(facts.session.events):
        match event:
            case Command(verb="STARTTLS", secure=False):
                asked = True
            case Reply(code=220) if asked:
                ready, asked = index, False
            case Handshake(error=""):
                ready = None
            case Command() | AuthResponse() | Message() if ready is not None and not event.secure:
                failed = [i for i, e in facts.handshakes if e.error]
                typed = getattr(event, "verb", "") != "QUIT" or facts.by_hand
                return [ready, index, *failed[:1]] if failed and typed else None
            case Handshake():
                ready = None if event.detail else ready
    return None


def _unanswered(when: When, facts: _Facts) -> Iterable[int] | None:
    if not facts.commands:
        return None
    index, last = facts.commands[-1]
    if last.verb not in when.unanswered or last.told or when.inside not in (None, last.secure):
        return None
    rest = list(enumerate(facts.session.events))[index + 1 :]
    if any(isinstance(e, Reply | Handshake) for _, e in rest):
        return None
    ends = [
        i
        for i, e in rest
        if (isinstance(e, Disconnect) and e.reason != "quit")
        or (isinstance(e, Remark) and _ENDED.search(e.text[:1000]))
    ]
    return [index, *ends[:1]] if ends else None


_ENDED = late(r"(?i)clos(?:ed|ing)|reset|lost connection|timed? ?out|timeout|\beof\b")


def _unasked(when: When, facts: _Facts) -> Iterable[int] | None:
    found = [i for i, e, heard_as, _ in facts.replies if heard_as is None and e.code in when.code]
    return found if len(found) >= when.unasked else None


def _reply(when: When, facts: _Facts) -> Iterable[Place] | None:
    if when.unasked:
        return ()
    for index, reply, heard_as, verb in facts.replies:
        text = " ".join(reply.lines)[:1000]
        if (
            (not when.code or reply.code in when.code)
            and (not when.to or verb in when.to)
            and when.inside in (None, reply.secure)
            and (not when.text or needles.compiled(when.text).search(text) is not None)
            and (not when.not_text or needles.compiled(when.not_text).search(text) is None)
        ):
            shown = [index] if heard_as is None else [heard_as, index]
            if not when.mechanism:
                return shown
            found, where = facts.mechanism(index)
            if found == when.mechanism:
                return [where, *shown]
    return None


def _verb(when: When, facts: _Facts) -> Iterable[int] | None:
    commands = [(i, e) for i, e in facts.commands if when.inside in (None, e.secure)]
    return [i for i, e in commands if e.verb in when.verb][:1] or None


def _on_ground(when: When, facts: _Facts) -> list[_List]:
    return [e for e in facts.lists if when.inside in (None, e.reply.secure)]


def _offers(when: When, facts: _Facts) -> Iterable[Place] | None:
    found = [e for e in _on_ground(when, facts) if any(k.name == when.offers for k in e.keywords)]
    return [found[-1].row(when.offers)] if found else None


def _lacks(when: When, facts: _Facts) -> Iterable[Place] | None:
    last = _on_ground(when, facts)[-1:]
    if not last or not last[0].whole or any(k.name == when.lacks for k in last[0].keywords):
        return None
    return [last[0].place, (last[0].place, len(last[0].reply.lines) - 1)]


_LEAVING = frozenset(("QUIT", "RSET", "NOOP", "HELP"))


def _gave_up(when: When, facts: _Facts) -> Iterable[int] | None:
    last = _on_ground(when, facts)[-1:]
    if not last or last[0] is not facts.lists[-1]:
        return None
    after = [(i, e.verb) for i, e in facts.commands if i > last[0].place]
    if any(verb not in _LEAVING for _, verb in after):
        return None
    if any(i > last[0].place for i, _ in facts.handshakes):
        return None
    events = enumerate(facts.session.events)
    left = [i for i, verb in after if verb == "QUIT"]
    left += [i for i, e in events if isinstance(e, Disconnect) and i > last[0].place]
    return left[:1] or None


def _left_at(when: When, facts: _Facts) -> Iterable[int] | None:
    events = facts.session.events
    for index, reply, _, _ in facts.replies:
        if reply.code != when.left_at or when.inside not in (None, reply.secure):
            continue
        for after in range(index + 1, len(events)):
            match events[after]:
                case Command(verb="QUIT") | Disconnect():
                    return [index, after]
                case Remark():
                    continue
            break
    return None


def _says_not_offered(_: When, facts: _Facts) -> Iterable[int] | None:
    events = enumerate(facts.session.events)
    return [i for i, e in events if isinstance(e, Remark) and e.tells == "not_offered"][:1] or None


_LOOKS: tuple[tuple[tuple[str, ...], Look], ...] = (
    (("tls",), lambda when, facts: _if(facts.tls in when.tls)),
    (("second_ehlo",), _second_ehlo),
    (("handshake",), _handshake),
    (("implicit",), lambda when, facts: _if(when.implicit == facts.implicit)),
    (("unheard",), _unheard),
    (("silent",), lambda _, facts: _if(not facts.commands)),
    (("sent",), _sent),
    (("ehlos",), _ehlos),
    (("verb",), _verb),
    (("ended",), _ended),
    (("left_over",), _left_over),
    (("typed",), _typed),
    (("unanswered",), _unanswered),
    (("unasked",), _unasked),
    (("code", "to", "text", "not_text", "mechanism"), _reply),
    (("offers",), _offers),
    (("lacks",), _lacks),
    (("gave_up",), _gave_up),
    (("left_at",), _left_at),
    (("tells",), _says_not_offered),
    (("keyword",), lambda when, facts: facts.keyword_lines.find(when.keyword)),
    (("first_line",), lambda when, facts: facts.first_lines.find(when.first_line)),
    (("greeting",), lambda when, facts: facts.greetings.find(when.greeting)),
    (("said",), lambda when, facts: facts.said.find(when.said)),
    (("peer",), lambda when, facts: facts.peers.find(when.peer)),
    (("remark",), lambda when, facts: facts.remarks.find(when.remark)),
    (("at",), lambda when, facts: _if(when.at == facts.at)),
)  # fmt: skip
"""How each thing is looked for, the cheap first. What is asked of one reply is one look."""


NOT_SHOWN = {
    "outline": N_(
        "This log tells of the session without showing what was said, so EHLO cannot be counted."
    ),
    "clear": N_("What was said inside TLS is not shown, so the second EHLO cannot be seen."),
    "ends-at-220": N_(
        "The record ends after the 220 to STARTTLS: whether TLS was established is not shown."
    ),
    "ends-inside": N_("The record ends at the handshake: the client's next command is not shown."),
    "no-reply": N_(
        "The record ends before the reply to EHLO: what the server offers is not shown."
    ),
    "nothing": N_("Nothing of SMTP was found in it."),
    "layout": N_(
        "Too little was understood to say anything: name the log's format with --format, make the "
        "software log more, or add a format of your own."
    ),
}


def missing(session: Session, tls: str | None, second_ehlo: str | None) -> Text | None:
    """What the record does not show and a verdict would need; None if nothing is missing."""
    said = [e for e in session.events if isinstance(e, Command | Reply | Handshake)]
    key = ""
    if not session.is_understood:
        key = "layout"
    elif not said and not any(_tells(event) for event in session.events):
        key = "nothing"
    elif session.shown == "outline" or not said:
        key = "outline"
    elif session.shown == "clear" and tls in ("established", "implicit"):
        key = "clear"
    elif tls is None and any(isinstance(e, Command) and e.verb == "STARTTLS" for e in said):
        key = "ends-at-220"
    elif tls is None and any(isinstance(e, Command) and e.verb == "EHLO" for e in said):
        key = "no-reply"
    elif tls == "established" and second_ehlo is None:
        key = "ends-inside"
    return Text(NOT_SHOWN[key]) if key else None


def _tells(event: object) -> bool:
    """Whether a line is about SMTP, though it shows nothing of what was said."""
    return isinstance(event, Remark) and (
        bool(event.tells) or re.search(r"(?i)starttls|\be?smtps?\b", event.text[:1000]) is not None
    )
