"""The question itself: after the handshake, the client should say EHLO first."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at the client's first command inside TLS."""
    command = moment.event
    if not isinstance(command, Command) or not moment.first_inside:
        return None
    if command.verb == "EHLO":
        return met(N_("The client says EHLO first, as it should after a successful handshake."))
    return broken(
        N_("After the handshake the client should say EHLO first; it says {verb}."),
        verb=command.verb or "?",
    )


RULE = Rule(
    id="second-ehlo",
    citation="rfc3207-4_2-client-ehlo",
    level="should",
    text=N_("After the handshake the client says EHLO first."),
    at=(Command,),
    check=check,
)
