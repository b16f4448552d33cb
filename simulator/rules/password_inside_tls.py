"""A password or a token that crosses the network in the clear is no secret any more."""

from simulator.language import N_, Text
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command

_READABLE = ("PLAIN", "LOGIN")
"""Mechanisms that send the password as it is, merely in Base64."""

_TOKENS = ("OAUTHBEARER", "XOAUTH2")
"""Mechanisms that send an access token as it is: whoever has it is let in until it expires."""


def check(moment: Moment) -> Finding | None:
    """Looks at AUTH by a mechanism that sends the password, or a token, readable."""
    match moment.event:
        case Command(by="client", verb="AUTH") as command:
            mechanism = command.argument.partition(" ")[0].upper()
        case _:
            return None
    if moment.in_front:
        return None
    if mechanism in _TOKENS:
        return _token(mechanism, inside=command.secure)
    if mechanism not in _READABLE:
        return None
    if command.secure:
        return met(N_("The password crosses the network inside TLS only."))
    return broken(
        N_("{mechanism} sends the password readable, and there is no TLS around it."),
        mechanism=mechanism,
    )


def _token(mechanism: str, *, inside: bool) -> Finding:
    # The MUST is OAUTHBEARER's; XOAUTH2 came before it, in no RFC, with the same token.
    text = (
        Text(N_("The access token crosses the network inside TLS only."))
        if inside
        else Text(
            N_("{mechanism} sends the access token readable, and there is no TLS around it."),
            {"mechanism": mechanism},
        )
    )
    return Finding(
        met=inside,
        text=text,
        citation="rfc7628-3-bearer-needs-tls",
        level="must" if mechanism == "OAUTHBEARER" else "risk",
    )


RULE = Rule(
    id="password-inside-tls",
    citation="rfc4616-5-plain-needs-tls",
    level="should",
    text=N_("The client sends a readable password inside TLS only."),
    at=(Command,),
    verbs=("AUTH",),
    check=check,
)
