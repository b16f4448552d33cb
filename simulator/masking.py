"""A session that can be shown to strangers: no credentials, no message, and on demand no names.

Logs are pasted into public questions. What AUTH carries, passwords and message texts are taken
out by default; `anonymised` also puts other names and addresses in place of the real ones, the
same one for the same one throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Handshake,
    Message,
    Peer,
    Remark,
    Reply,
    Session,
)

MASK = "********"

_MECHANISM = r"(?:PLAIN|LOGIN|EXTERNAL|NTLM|GSSAPI|XOAUTH2?|OAUTHBEARER|CRAM-|DIGEST-|SCRAM-)"
_AUTH = re.compile(
    rf"(?i)\b(AUTH(?:ENTICATE)? +{_MECHANISM}\S{{0,20}} +)(?!{_MECHANISM})[^\s'\"\\]{{3,}}"
)
_PASSWORD = re.compile(
    r"(?i)\b((?:pass(?:word|wd|phrase)?|pwd|secret|token|senha|kennwort|mot de passe)"
    r"['\"]?\s{0,3}(?:=>|[=:])\s{0,3})(['\"]?)[^\s'\",;]{1,200}\2"
)
_BEARER = re.compile(r"(?i)\b(bearer )[A-Za-z0-9._~+/=-]{8,4000}")


def masked(session: Session) -> Session:
    """The session without credentials and message texts, and without the bytes that hold them."""
    events: list[AnyEvent] = []
    asked_for_secret = False
    for event in session.events:
        events.append(_masked(event, asked_for_secret=asked_for_secret))
        if isinstance(event, Reply):
            asked_for_secret = event.code == 334
        elif not isinstance(event, Remark):
            asked_for_secret = False
    return msgspec.structs.replace(session, events=tuple(events), wire=(), secrets=())


def _masked(event: AnyEvent, *, asked_for_secret: bool) -> AnyEvent:
    match event:
        case AuthResponse():
            return msgspec.structs.replace(event, text=MASK, raw=b"", wire=())
        case Command() if asked_for_secret:
            return msgspec.structs.replace(event, verb="", argument=MASK, raw=b"", wire=())
        case Command(verb="AUTH"):
            mechanism, _, secret = event.argument.partition(" ")
            shown = f"{mechanism} {MASK}" if secret.strip() not in ("", "=") else event.argument
            return msgspec.structs.replace(event, argument=shown, raw=b"", wire=())
        case Message():
            return msgspec.structs.replace(event, raw=b"", wire=())
        case Remark(about="message"):
            return msgspec.structs.replace(event, text=MASK, raw=b"", wire=())
        case Remark():
            return msgspec.structs.replace(
                event, text=without_secrets(event.text), raw=b"", wire=()
            )
    return msgspec.structs.replace(event, raw=b"", wire=())


def without_secrets(line: str) -> str:
    """A line of a log with what looks like a credential masked."""
    line = _AUTH.sub(rf"\g<1>{MASK}", line)
    line = _BEARER.sub(rf"\g<1>{MASK}", line)
    return _PASSWORD.sub(rf"\g<1>{MASK}", line)


_NAMES = re.compile(
    r"(?P<mailbox>[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@(?P<at>[A-Za-z0-9.-]{1,255})"
    r"|(?<![\w.:])(?P<ip4>\d{1,3}(?:\.\d{1,3}){3})(?![\w.])"
    r"|(?<![\w:.])(?P<ip6>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:])"
    r"|(?<![\w.-])(?P<host>(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.){1,10}[A-Za-z]{2,24})(?![\w-]|\.\w)"
)

_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


class _Names:
    """Another name for each real one, from the ranges kept for documentation (RFC 5737, 2606)."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        return _NAMES.sub(self._other, text)

    def _other(self, match: re.Match[str]) -> str:
        if match["mailbox"]:
            user = self._name("user", match["mailbox"], "user{}")
            return f"{user}@{self._host(match['at'])}"
        if match["ip4"]:
            return self._name("ip4", match["ip4"], "192.0.2.{}")
        if match["ip6"]:
            if _TIME.fullmatch(match["ip6"]):
                return match["ip6"]
            return self._name("ip6", match["ip6"], "2001:db8::{}")
        return self._host(match["host"])

    def _host(self, name: str) -> str:
        return self._name("host", name.rstrip("."), "host{}.example")

    def _name(self, kind: str, real: str, form: str) -> str:
        key = f"{kind} {real.lower()}"
        if key not in self._known:
            self._count[kind] = self._count.get(kind, 0) + 1
            self._known[key] = form.format(self._count[kind])
        return self._known[key]


def anonymised(session: Session, names: Callable[[str], str] | None = None) -> Session:
    """The session with other names in place of hosts, mailboxes and addresses.

    `names` may be handed on from session to session, so that a host keeps its other name.
    """
    other = names or _Names()

    def peer(real: Peer) -> Peer:
        return Peer(name=_whole(other, real.name), address=_whole(other, real.address))

    return msgspec.structs.replace(
        session,
        client=peer(session.client),
        server=peer(session.server),
        events=tuple(_anonymous(event, other) for event in session.events),
        wire=(),
        secrets=(),
    )


def namer() -> Callable[[str], str]:
    """A memory of other names, to be handed on from session to session."""
    return _Names()


def _whole(other: Callable[[str], str], text: str) -> str:
    """A name that is not written like one (a bare `localhost`) is a name all the same."""
    return other(text) if text else text


def _anonymous(event: AnyEvent, other: Callable[[str], str]) -> AnyEvent:
    changed: dict[str, Any] = {"raw": b"", "wire": ()}
    match event:
        case Command():
            changed["argument"] = other(event.argument)
        case Reply():
            changed["lines"] = tuple(other(line) for line in event.lines)
        case Handshake():
            changed["detail"] = other(event.detail)
            for field in ("server_certificate", "client_certificate"):
                certificate: Certificate | None = getattr(event, field)
                if certificate:
                    changed[field] = Certificate(
                        subject=other(certificate.subject),
                        names=tuple(other(name) for name in certificate.names),
                        issuer=other(certificate.issuer),
                        not_before=certificate.not_before,
                        not_after=certificate.not_after,
                    )
        case _ if hasattr(event, "text"):
            changed["text"] = other(event.text)
    return msgspec.structs.replace(event, **changed)
