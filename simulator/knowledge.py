"""What each side knows about the other, and when it must forget it: the table `DISCARDS`.

RFC 3207 §4.2, when the handshake is done: "The server MUST discard any knowledge obtained from the
client, such as the argument to the EHLO command", and "The client MUST discard any knowledge
obtained from the server, such as the list of SMTP service extensions". The second EHLO is how both
come back. The ledger is kept by the rule book: it says what a side may still rely on, not what a
faulty implementation happens to remember.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Literal, get_args

import msgspec

from simulator import smtp
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Handshake,
    Message,
    Reply,
    Side,
)

Kind = Literal["greeting", "name", "keyword", "envelope", "identity", "tls"]
"""`tls` facts come from the handshake itself; all others were said in SMTP."""


_SAID: tuple[Kind, ...] = ("greeting", "name", "keyword", "envelope", "identity")

DISCARDS: dict[str, tuple[tuple[Side, tuple[Kind, ...], str], ...]] = {
    # what happens: whose facts, of which kinds, by which rule
    "handshake": (
        ("server", _SAID, "rfc3207-4_2-server-discards"),
        ("client", _SAID, "rfc3207-4_2-client-discards"),
    ),
    "EHLO": (
        ("server", ("envelope",), "rfc5321-4_1_4-later-ehlo-resets"),
        ("server", ("name",), "rfc5321-4_1_1_1-initial-state"),
    ),
    "EHLO answered": (("client", ("name", "keyword"), "rfc5321-4_1_1_1-initial-state"),),
    "XCLIENT": (("server", ("name", "envelope", "identity"), "rfc5321-3_2-greeting-then-ehlo"),),
    "XCLIENT answered": (("client", ("greeting",), "rfc5321-3_2-greeting-then-ehlo"),),
    "RSET": (("server", ("envelope",), "rfc5321-4_1_1_5-rset-clears"),),
    "message accepted": (("server", ("envelope",), "rfc5321-4_1_1_4-data-clears"),),
}
"""When a side forgets. The first row is the reason for the second EHLO: what was said in the clear
counts no longer, on both sides, and the client has to ask anew. What a 220 to XCLIENT undoes is
undone at the server alone, and TLS stays on: Postfix's XCLIENT_README says so, and no RFC does."""

EHLO_REFUSED = "rfc5321-4_1_4-refused-ehlo-changes-nothing"
"""By this rule a refused EHLO teaches the server nothing, and takes nothing away."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that `holder` knows about the other side.

    `learned` and `discarded` are indices of events; `secure`: learned inside TLS. `by_rule` is the
    citation that took the fact away.
    """

    holder: Side
    kind: Kind
    name: str
    value: str = ""
    learned: int
    secure: bool
    discarded: int | None = None
    by_rule: str = ""

    @property
    def label(self) -> str:
        """The fact in protocol tokens, such as `EHLO mx4.example.com` or `SIZE 10485760`."""
        return f"{self.name} {self.value}".strip()


class Knowledge:
    """The facts of both sides after an event, those already discarded included, oldest first."""

    __slots__ = ("_count", "_event", "_ledger")

    def __init__(self, ledger: Ledger, event: int, count: int) -> None:
        self._ledger = ledger
        self._event = event
        self._count = count

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts as they stood after the event."""
        return tuple(self._as_it_stood(range(self._count)))

    def of(self, holder: Side) -> tuple[Fact, ...]:
        """What `holder` knows now."""
        places = sorted(
            place
            for kind in get_args(Kind)
            for place in self._ledger.since(holder, kind, self._event, self._count)
        )
        return tuple([f for f in self._as_it_stood(places) if f.discarded is None])

    def find(self, holder: Side, kind: Kind, name: str = "") -> Fact | None:
        """The newest fact of that kind (and name) that `holder` still has."""
        places = self._ledger.learned.get((holder, kind, name), ())
        until = bisect_left(places, self._count)
        for fact in self._as_it_stood(places[i] for i in range(until - 1, -1, -1)):
            if fact.discarded is None:
                return fact
        return None

    def forgotten(self, holder: Side, kind: Kind, name: str = "") -> Fact | None:
        """The newest fact of that kind (and name) that `holder` had to discard at a handshake."""
        for event, place in reversed(self._ledger.forgotten.get((holder, kind, name), ())):
            if event <= self._event:
                return next(self._as_it_stood((place,)))
        return None

    def learned_at(self, event: int) -> tuple[Fact, ...]:
        """The facts that the event taught."""
        return tuple([f for f in self._changed_at(event) if f.learned == event])

    def discarded_at(self, event: int) -> tuple[Fact, ...]:
        """The facts that the event took away."""
        return tuple([f for f in self._changed_at(event) if f.discarded == event])

    def _changed_at(self, event: int) -> Iterator[Fact]:
        places = self._ledger.changed.get(event)
        if not places:
            return iter(())
        return self._as_it_stood(place for place in places if place < self._count)

    def _as_it_stood(self, places: Iterable[int]) -> Iterator[Fact]:
        for place in places:
            for since, fact in reversed(self._ledger.facts[place]):
                if since <= self._event:
                    yield fact
                    break

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Knowledge) and self.facts == other.facts

    def __repr__(self) -> str:
        return f"Knowledge(facts={self.facts!r})"

    __hash__ = None  # type: ignore[assignment]


class Ledger:
    """The book in which both sides' facts are entered while a session goes on.

    Every fact has its place, and at its place every state it was in, each with the event since
    which it holds; so `Knowledge` can tell how things stood after any event.
    """

    def __init__(self, events: Sequence[AnyEvent]) -> None:
        self._events = events
        self._index = -1
        self._in_front = False
        self.facts: list[list[tuple[int, Fact]]] = []
        self.changed: dict[int, list[int]] = defaultdict(list)
        self.learned: dict[tuple[Side, Kind, str], list[int]] = defaultdict(list)
        self.forgotten: dict[tuple[Side, Kind, str], list[tuple[int, int]]] = defaultdict(list)
        self._held: dict[tuple[Side, Kind], dict[int, None]] = defaultdict(dict)
        self._cleared: dict[tuple[Side, Kind], list[tuple[int, int]]] = defaultdict(list)

    @property
    def knowledge(self) -> Knowledge:
        """What both sides know now."""
        return Knowledge(self, self._index, len(self.facts))

    def see(
        self,
        index: int,
        answers: int | None = None,
        heard_as: int | None = None,
        *,
        unread: bool = False,
    ) -> Knowledge:
        """Enter what the session's event number `index` teaches and takes away.

        For a reply, `answers` is the command that the server answered with it, and `heard_as` the
        one that the client takes it to answer; they differ only where somebody injected something.
        `unread`: the server has not read the command yet, and perhaps never will, because it is
        still busy with a STARTTLS, or with what somebody slipped in.
        """
        self._index = index
        event = self._events[index]
        match event:
            case Handshake(error=""):
                self._discard("handshake")
                self._in_front = event.in_front
                self._proved(event)
            case Command(verb=("EHLO" | "HELO" | "LHLO"), lost=False) if not unread:
                # A later one changes nothing unless the server takes it (RFC 5321 §4.1.4).
                if not self._held["server", "name"]:
                    self._introduced(event)
            case Reply():
                if event.by == "server" and answers is not None:
                    self._server_learns(event, answers)
                if not event.lost:
                    heard = self._events[heard_as] if heard_as is not None else None
                    self._client_learns(event, heard)
        return self.knowledge

    def since(self, holder: Side, kind: Kind, event: int, count: int) -> list[int]:
        """The places, below `count`, of what the side learned of that kind since all of that kind
        was last taken away, as of that event."""
        places = self.learned.get((holder, kind, ""), [])
        cleared = self._cleared.get((holder, kind), ())
        last = bisect_right(cleared, event, key=itemgetter(0))
        return places[cleared[last - 1][1] if last else 0 : bisect_left(places, count)]

    def _learn(self, holder: Side, kind: Kind, name: str, value: str = "") -> None:
        event = self._events[self._index]
        place = len(self.facts)
        fact = Fact(
            holder=holder,
            kind=kind,
            name=name,
            value=value,
            learned=self._index,
            secure=kind == "tls"
            or (event.secure and not event.stale and not (holder == "server" and self._in_front)),
        )
        self.facts.append([])
        self.learned[holder, kind, name].append(place)
        self.learned[holder, kind, ""].append(place)
        self._enter(place, fact)

    def _discard(self, what: str) -> None:
        for holder, kinds, rule in DISCARDS[what]:
            for kind in kinds:
                for place in list(self._held[holder, kind]):
                    fact = self.facts[place][-1][1]
                    self._enter(
                        place, msgspec.structs.replace(fact, discarded=self._index, by_rule=rule)
                    )
                    if what == "handshake":
                        self.forgotten[holder, kind, fact.name].append((self._index, place))
                        self.forgotten[holder, kind, ""].append((self._index, place))
                self._cleared[holder, kind].append(
                    (self._index, len(self.learned[holder, kind, ""]))
                )

    def _enter(self, place: int, fact: Fact) -> None:
        self.facts[place].append((self._index, fact))
        self.changed[self._index].append(place)
        held = self._held[fact.holder, fact.kind]
        if fact.discarded is None:
            held[place] = None
        else:
            held.pop(place, None)

    def _proved(self, event: Handshake) -> None:
        tls = f"{event.version.removeprefix('TLSv')} {event.cipher}".strip()
        proofs: dict[Side, Certificate | None] = {
            "server": event.client_certificate,
            "client": event.server_certificate,
        }
        if event.in_front:
            del proofs["server"]
        for holder, shown in proofs.items():
            self._learn(holder, "tls", "TLS", tls)
            if shown:
                self._learn(holder, "tls", "certificate", shown.subject)

    def _introduced(self, command: Command) -> None:
        self._discard("EHLO")
        self._learn("server", "name", command.verb, command.argument)

    def _refused(self, command: int) -> None:
        """The server refused to be introduced: all is as it was before it was asked."""
        for place in list(self.changed.get(command, ())):
            since, fact = self.facts[place][-1]
            if since == fact.learned == command:
                self._enter(
                    place,
                    msgspec.structs.replace(fact, discarded=self._index, by_rule=EHLO_REFUSED),
                )

    def _spoken_for(self, attributes: str) -> None:
        """What XCLIENT says of the client in place of EHLO and AUTH, the server keeps."""
        told = smtp.xclient_attributes(attributes)
        if helo := told.get("HELO"):
            self._learn("server", "name", "HELO", helo)
        if login := told.get("LOGIN"):
            self._learn("server", "identity", "XCLIENT", login)

    def _client_learns(self, reply: Reply, heard_as: AnyEvent | None) -> None:
        name = reply.lines[0].split(" ", 1)[0] if reply.lines else ""
        match heard_as:
            case None | Connect() if reply.code == 220 and not reply.stale and name:
                self._learn("client", "greeting", "220", name)
            case Command(verb="XCLIENT") if reply.code == 220 and name:
                self._discard("XCLIENT answered")
                self._learn("client", "greeting", "220", name)
            case Command(verb=("EHLO" | "LHLO")) if reply.code == 250:
                self._discard("EHLO answered")
                if name:
                    self._learn("client", "name", "250", name)
                for keyword in smtp.parse_ehlo_reply(reply.lines)[1]:
                    self._learn("client", "keyword", keyword.name, keyword.parameters)
            case Command(verb="HELO") if reply.code == 250:
                self._discard("EHLO answered")
                self._learn("client", "name", "250", name)

    def _server_learns(self, reply: Reply, answers: int) -> None:
        positive = 200 <= reply.code < 300
        match self._events[answers]:
            case Command(verb=("EHLO" | "HELO" | "LHLO")) as command:
                if reply.code >= 400:
                    self._refused(answers)
                elif answers not in self.changed:
                    self._introduced(command)
            case Command(verb="MAIL") as command if positive:
                self._learn("server", "envelope", "MAIL FROM", _path(command))
            case Command(verb="RCPT") as command if positive:
                self._learn("server", "envelope", "RCPT TO", _path(command))
            case Command(verb="XCLIENT", argument=attributes) if reply.code == 220:
                self._discard("XCLIENT")
                self._spoken_for(attributes)
            case Command(verb="RSET") if positive:
                self._discard("RSET")
            case Message() if positive:
                self._discard("message accepted")
            case Command(verb="BDAT", argument=size) if positive and smtp.is_last_piece(size):
                self._discard("message accepted")
            case Command(verb="AUTH") as command if reply.code == 235:
                self._learn("server", "identity", "AUTH", command.argument.split(" ")[0])
            case AuthResponse() if reply.code == 235:
                self._learn("server", "identity", "AUTH")


def _path(command: Command) -> str:
    return f"<{smtp.mail_parameters(command.argument)[0]}>"
