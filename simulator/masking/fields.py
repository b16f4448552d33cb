"""The texts that an event holds, taken out and put back, so that one function treats them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from simulator.session import (
    AnyEvent,
    AuthResponse,
    Certificate,
    Command,
    Handshake,
    Remark,
    Reply,
    Trace,
)


def texts(event: AnyEvent) -> list[str]:
    """All texts of an event that come from outside."""
    match event:
        case Command():
            return [event.verb, event.argument]
        case Reply():
            return list(event.lines)
        case AuthResponse() | Remark() | Trace():
            return [event.text]
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    mapped(event, note)
    return found


def with_texts(event: AnyEvent, shown: Sequence[str]) -> AnyEvent:
    """The event with other texts, in the order in which `texts` gave them."""
    left = iter(shown)
    return mapped(event, lambda _: next(left))


def mapped(event: AnyEvent, other: Callable[[str], str]) -> AnyEvent:
    """The event with each of its texts changed by `other`."""
    match event:
        case Command():
            return msgspec.structs.replace(
                event, verb=other(event.verb), argument=other(event.argument)
            )
        case Reply():
            return msgspec.structs.replace(event, lines=tuple(other(t) for t in event.lines))
        case AuthResponse() | Remark() | Trace():
            return msgspec.structs.replace(event, text=other(event.text))
        case Handshake():
            return msgspec.structs.replace(
                event,
                detail=other(event.detail),
                server_certificate=_certificate(event.server_certificate, other),
                client_certificate=_certificate(event.client_certificate, other),
            )
    return event


def _certificate(found: Certificate | None, other: Callable[[str], str]) -> Certificate | None:
    if found is None:
        return None
    return Certificate(
        subject=other(found.subject),
        names=tuple(other(name) for name in found.names),
        issuer=other(found.issuer),
        not_before=found.not_before,
        not_after=found.not_after,
    )
