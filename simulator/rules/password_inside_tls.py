"""A password that crosses the network in the clear is no secret any more."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command

_READABLE = ("PLAIN", "LOGIN")
"""Mechanisms that send the password as it is, merely in Base64."""


def check(moment: Moment) -> Finding | None:
    """Looks at AUTH by a mechanism that sends the password readable."""
    match moment.event:
        case Command(by="client", verb="AUTH") as command:
            mechanism = command.argument.partition(" ")[0].upper()
        case _:
            return None
    if mechanism not in _READABLE:
        return None
    if command.secure:
        return met(N_("The password crosses the network inside TLS only."))
    return broken(
        N_("{mechanism} sends the password readable, and there is no TLS around it."),
        mechanism=mechanism,
    )


RULE = Rule(
    id="password-inside-tls",
    citation="rfc4616-5-plain-needs-tls",
    level="should",
    text=N_("The client sends a readable password inside TLS only."),
    check=check,
)
