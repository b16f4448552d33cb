"""A session with other names in place of those of hosts, persons and mailboxes.

`identities.toml` says what tells who somebody is. The same real name gets the same other name
throughout a log; the other names come from what is kept for documentation (RFC 2606 for hosts,
RFC 5737 and RFC 3849 for addresses, RFC 7042 for hardware).
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import msgspec

from simulator import toml
from simulator.language import N_, Text
from simulator.masking import leads
from simulator.masking.fields import mapped
from simulator.masking.forms import decoded
from simulator.needles import late
from simulator.session import (
    AnyEvent,
    Certificate,
    Command,
    Handshake,
    Peer,
    Remark,
    Reply,
    Session,
)


class Kind(msgspec.Struct, frozen=True):
    """One way to tell who somebody is: where it stands, and the form of what replaces it."""

    id: str
    of: str
    form: str
    find: str
    examples: tuple[tuple[str, str], ...]
    learn: bool = False
    like: str = msgspec.field(default="", name="as")


class Keep(msgspec.Struct, frozen=True):
    """What is no name although it looks like one."""

    hosts: tuple[str, ...]
    files: tuple[str, ...]
    words: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """All of `identities.toml`."""

    kinds: tuple[Kind, ...]
    keep: Keep


@functools.cache
def table() -> Table:
    """What tells who somebody is."""
    text = (files("simulator.masking") / "identities.toml").read_bytes()
    return toml.read(text, Table, "identities.toml")


@functools.cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(kind.find)) for kind in table().kinds)


@functools.cache
def _forms() -> dict[str, str]:
    return {kind.id: kind.form for kind in table().kinds}


@functools.cache
def _kept() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    keep = table().keep
    return frozenset(keep.hosts), frozenset(keep.files), frozenset(keep.words)


_KEYED = late(
    r"(?i)(?:[\w.-]*(?:from|to|user|username|login|sender|recipient|mail|address|account|rcpt|helo|"
    r"authid|email|emailaddress|auth|id|ruser|cn|uid|by|for))[=:](?=.)"
)
_NETWORKS = tuple(
    ipaddress.IPv4Network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")
)
_HELLO = ("EHLO", "HELO", "LHLO")
_WORD = late(r"[^\W_][\w.-]+")


_CLOSING = late(
    r"(?i)\W*(?:(?:many |best |kind |warm )?(?:regards|wishes|thanks)|thank you|cheers|sincerely|yours|"
    r"mfg|lg|vg|mvh|hilsen|(?:mit )?(?:(?:freundliche[nr]?|viele|liebe|beste|herzliche) )?gr(?:[uü]|ue)(?:ß|ss)e?n?|"
    r"danke|cordialement|merci|(?:un )?saludos?|gracias|atenciosamente|att|abraços?|obrigad[oa]|"
    r"(?:cordiali )?saluti|grazie|(?:met vriendelijke )?groet(?:en)?|bedankt|"
    r"(?:med )?vänliga hälsningar|tack|pozdrawiam|dziękuję|с уважением|спасибо|teşekkürler)\W*"
)
"""How a letter ends; the next line names who wrote it."""
_SIGNATURE = late(
    r"\W{0,4}(?P<s>[^\W\d_a-z][\w'’-]{1,40}(?: [^\W\d_a-z][\w'’.-]{0,40}){0,3})\W{0,3}"
)


class _Span(NamedTuple):
    start: int
    end: int
    text: str


class Names:
    """Another name for each real one, remembered from session to session."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._count: Counter[str] = Counter()
        self._learned: dict[str, str] = {}
        """Names without a dot, in lower case, with what replaces them anywhere."""

    def __call__(self, text: str) -> str:
        """The text with other names in it."""
        spans: list[_Span] = []
        for kind, pattern in _patterns():
            place = 0
            while match := pattern.search(text, place):
                place = max(match.end(), place + 1)
                group = next(
                    (
                        i
                        for i in range(1, pattern.groups + 1)
                        if match[i] and match.re.groupindex.get("lead") != i
                    ),
                    0,
                )
                if not group:
                    continue
                start, end = match.span(group)
                taken = [span.end for span in spans if start < span.end and span.start < end]
                if taken:
                    place = max(taken) if max(taken) < end else place
                    continue
                found = self._replace(kind, text[start:end], start, text)
                if found is not None:
                    spans.append(found)
        if self._learned:
            spans.extend(self._elsewhere(text, spans))
        return _applied(text, spans)

    def told(self) -> Text | None:
        """What was replaced and what stayed, as one sentence; None where nothing was."""
        if not self._count:
            return None
        called = {kind.id: kind.of for kind in table().kinds}
        kinds = Text("")
        for kind, n in self._count.most_common():
            one = Text("{n} × {kind}", {"kind": Text(called[kind]), "n": n})
            kinds = Text("{kinds}; {one}", {"kinds": kinds, "one": one}) if kinds.id else one
        return Text(
            N_(
                "Anonymised, each name by the same other one throughout. Replaced: "
                "{kinds}. Kept on purpose: times, ports, process ids, sizes, this machine's own "
                "addresses, software and its versions, TLS, status codes and the rest of the "
                "replies. Look it through before you post it."
            ),
            {"kinds": kinds},
        )

    # One finding ------------------------------------------------------------------------------------

    def _replace(self, kind: Kind, real: str, start: int, text: str) -> _Span | None:
        end = start + len(real)
        match kind.id:
            case "ip":
                other = self._address(real)
                return _Span(start, end, other) if other else None
            case "mailbox":
                return self._mailbox(real, start)
            case "host":
                return self._dotted(real, start, text)
            case "label" | "syslog":
                real = real.rstrip(".")
                end = start + len(real)
                if real.lower() in _kept()[0]:
                    return _Span(start, end, real)
                return _Span(start, end, self.host(real, learn=True))
            case "certificate" if re.fullmatch(r"\*?[\w-]+(?:\.[\w-]+)+", real):
                return _Span(start, end, self.host(real))
            case "certificate" if "@" in real:
                return None
            case "path" | "user" | "userinfo":
                if real in ("root", "shared", "Public", "www", "unknown") or "***" in real:
                    return _Span(start, end, real)
                if "@" in real or "%40" in real:
                    local, _, host = real.replace("%40", "@").partition("@")
                    return _Span(start, end, f"{self._user(local)}@{self.host(host)}")
                return _Span(start, end, self._user(real))
        other = self.name(kind.id, real)
        if kind.learn:
            self._learn(real, other)
        return _Span(start, end, other)

    def _mailbox(self, real: str, start: int) -> _Span:
        end = start + len(real)
        local, _, host = real.rpartition("@")
        if keyed := _KEYED.match(local):
            start += keyed.end()
            local = local[keyed.end() :]
        if not local.strip("*"):
            return _Span(end - len(host), end, self.host(host))
        stripped = local.lstrip("'`{|=+/*")
        start += len(local) - len(stripped)
        local = stripped or local
        bare = host.rstrip(".-")
        end -= len(host) - len(bare)
        other = f"[{self(bare[1:-1])}]" if bare.startswith("[") else self.host(bare)
        if bare.lower() in _kept()[0]:
            other = bare
        return _Span(start, end, f"{self._user(local)}@{other}")

    def _dotted(self, real: str, start: int, text: str) -> _Span | None:
        if coded := re.match(r"[2-5]\d\d-(?=\w)", real):
            start, real = start + coded.end(), real[coded.end() :]
        lowered = real.lower()
        hosts, endings, _ = _kept()
        ending = lowered.rpartition(".")[2]
        if lowered in hosts or ending in endings or text.startswith("(", start + len(real)):
            return None
        if text[start - 1 : start] in ("/", "\\") and ending in (
            "py",
            "pl",
            "sh",
            "pm",
            "so",
            "md",
            "rs",
        ):
            return None
        if re.search(rf"{re.escape(real)}[\"']?,? line \d", text):
            return None
        return _Span(start, start + len(real), self.host(real))

    def _address(self, real: str) -> str:
        try:
            address = ipaddress.ip_address(real)
        except ValueError:
            return "" if ":" in real or any(int(part) > 255 for part in real.split(".")) else real
        if address.is_loopback or address.is_unspecified:
            return real
        return self.name("ip", address.compressed)

    def host(self, real: str, *, learn: bool = False) -> str:
        """Another name for a host: with a domain, or a bare one."""
        bare = real.rstrip(".")
        if bare.lower() in _kept()[0] or not bare:
            return real
        if "." in bare:
            return self.name("host", bare.lower())
        known = ("host", bare.lower())
        other = self._known.get(known) or self.name("label", bare.lower())
        if learn:
            self._learn(bare, other)
        return other

    def _user(self, real: str) -> str:
        other = self.name("user", real.strip('"').lower())
        if not re.fullmatch(r"user\d+", real):
            self._learn(real.strip('"'), other)
        return other

    def name(self, kind: str, real: str) -> str:
        """The other name for this real one."""
        key = (kind, real.lower())
        found = self._known.get(key)
        if found is None:
            counted = "host" if kind == "label" else kind
            self._count[counted] += 1
            found = self._known[key] = self._form(kind, real, self._count[counted])
        return found

    def _form(self, kind: str, real: str, number: int) -> str:
        if kind == "ip":
            if ":" in real:
                return f"2001:db8::{number:x}"
            for network in _NETWORKS:
                if number < network.num_addresses - 1:
                    return str(network[number])
                number -= network.num_addresses - 2
            return "192.0.2.0"
        return _forms()[kind].format(n=number)

    # Names without a form ---------------------------------------------------------------------------

    def _learn(self, real: str, other: str) -> None:
        lowered = real.lower()
        if len(real) == 2 and real.isupper():
            self._learned[real] = other  # PC, but no word of two letters
        elif len(real) >= 3 and lowered not in _kept()[2] and not real.isdigit():
            self._learned[lowered] = other

    def _elsewhere(self, text: str, spans: list[_Span]) -> list[_Span]:
        found = []
        for match in _WORD.finditer(text):
            for start, word in _parts(match):
                other = self._learned.get(word.lower()) or self._learned.get(word)
                end = start + len(word)
                if other and not any(start < span.end and span.start < end for span in spans):
                    found.append(_Span(start, end, other))
                    break
        return found

    # Sessions -----------------------------------------------------------------------------------------

    def session(self, session: Session) -> Session:
        """The session with other names in place of real ones."""
        self._learn_from(session)
        client, server = self._peer(session.client), self._peer(session.server)
        return msgspec.structs.replace(
            session,
            client=client,
            server=server,
            connection=self(session.connection),
            events=tuple(map(self._event, self._signed(_without_certificates(session.events)))),
            wire=(),
            secrets=(),
        )

    def _signed(self, events: Iterator[AnyEvent]) -> Iterator[AnyEvent]:
        """The events, with the name on the line below the end of a letter replaced."""
        closing = False
        for event in events:
            if isinstance(event, Remark) and (event.text.strip() or not closing):
                lead = leads.of(event.text)
                text = event.text[len(lead) :]
                if closing and (found := _SIGNATURE.fullmatch(text)):
                    other = text.replace(found["s"], self.name("name", found["s"]))
                    event = msgspec.structs.replace(event, text=lead + other)
                closing = _CLOSING.fullmatch(text) is not None
            yield event

    def _learn_from(self, session: Session) -> None:
        """Names that stand where only names stand, before the lines that mention them."""
        for peer in (session.client, session.server):
            if peer.name and "." not in peer.name:
                self.host(peer.name, learn=True)
        helloed = True
        for event in session.events:
            match event:
                case Command():
                    helloed = event.verb in _HELLO
                    name = event.argument.split(" ")[0]
                    if helloed and name and re.fullmatch(r"[\w-]+", name):
                        self.host(name, learn=True)
                case Reply() if event.lines and (helloed or event.code == 220):
                    name = event.lines[0].split(" ")[0]
                    if _is_label(name) and event.code in (220, 250, 554, 421):
                        self.host(name, learn=True)
                    helloed = False
                case Handshake():
                    for certificate in (event.server_certificate, event.client_certificate):
                        for name in certificate.names if certificate else ():
                            if _is_label(name):
                                self.host(name, learn=True)

    def _peer(self, peer: Peer) -> Peer:
        name = (
            self.host(peer.name)
            if re.fullmatch(r"[\w.\u0300-\u036f-]+", peer.name)
            else self(peer.name)
        )
        try:
            ipaddress.ip_address(peer.name)
            name = self._address(peer.name)
        except ValueError:
            pass
        address = self(peer.address)
        if address == peer.address and address and not self._is_address(address):
            address = self.host(address)
        return Peer(name=name, address=address, port=peer.port)

    @staticmethod
    def _is_address(text: str) -> bool:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return False
        return True

    def _event(self, event: AnyEvent) -> AnyEvent:
        gone = msgspec.structs.replace(event, raw=b"", wire=())
        match gone:
            case Command(verb=verb) if verb in _HELLO:
                first, space, rest = gone.argument.partition(" ")
                other = self.host(first) if re.fullmatch(r"[\w-]+", first) else self(first)
                return msgspec.structs.replace(gone, argument=other + space + self(rest))
            case Command(verb=("VRFY" | "EXPN")):
                told = self(f"{gone.verb} {gone.argument}")
                return msgspec.structs.replace(gone, argument=told.partition(" ")[2])
            case Reply(code=334):
                # A challenge may hold the server's name in base64 (RFC 2195).
                lines = tuple(
                    line if not line or _is_prompt(line) else "(challenge)" for line in gone.lines
                )
                return msgspec.structs.replace(gone, lines=lines)
            case Reply() if gone.lines:
                first, space, rest = gone.lines[0].partition(" ")
                known = self._known.get(("label", first.lower()))
                if known and _is_label(first) and gone.code in (220, 250, 554, 421):
                    lines = (known + space + self(rest), *map(self, gone.lines[1:]))
                    return msgspec.structs.replace(gone, lines=lines)
            case Handshake():
                return msgspec.structs.replace(
                    gone,
                    detail=self(gone.detail),
                    server_certificate=self._certificate(gone.server_certificate),
                    client_certificate=self._certificate(gone.client_certificate),
                )
        return mapped(gone, self._kept_verb)

    def _kept_verb(self, text: str) -> str:
        return self(text) if text else text

    def _certificate(self, found: Certificate | None) -> Certificate | None:
        if found is None:
            return None

        def name(text: str) -> str:
            if re.fullmatch(r"\*?[\w.\u0300-\u036f-]+", text):
                return self._address(text) if self._is_address(text) else self.host(text)
            changed = self(text)
            return changed if changed != text else self.name("certificate", text)

        return Certificate(
            subject=name(found.subject) if found.subject else "",
            names=tuple(name(one) for one in found.names),
            issuer=name(found.issuer) if found.issuer else "",
            not_before=found.not_before,
            not_after=found.not_after,
        )


def _is_prompt(blob: str) -> bool:
    return decoded(blob).strip(b"\0 ").lower() in (b"username:", b"password:", b"user name")


def _without_certificates(events: tuple[AnyEvent, ...]) -> Iterator[AnyEvent]:
    """The events, without the lines between BEGIN and END, for they name whom they certify."""
    inside = False
    for event in events:
        if isinstance(event, Remark):
            if "-----END" in event.text:
                inside = False
            elif "-----BEGIN" in event.text:
                inside = True
            elif inside:
                event = msgspec.structs.replace(event, text="(certificate)")
        yield event


def _is_label(name: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_][\w-]*", name)) and name.lower() not in _kept()[2]


def _parts(match: re.Match[str]) -> list[tuple[int, str]]:
    """A word, without the full stop of its sentence, and its parts."""
    text = match[0].rstrip(".-")
    parts = [(match.start(), text)]
    if "." in text or "-" in text or "_" in text:
        parts += [(match.start() + one.start(), one[0]) for one in re.finditer(r"[^\W_]+", text)]
    return parts


def _applied(text: str, spans: list[_Span]) -> str:
    out, place = [], 0
    for span in sorted(spans):
        if span.start < place:
            continue
        out += [text[place : span.start], span.text]
        place = span.end
    return "".join((*out, text[place:]))
