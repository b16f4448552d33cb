"""A server does not invite anybody to send a password in the clear."""

from simulator import smtp
from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Reply

_READABLE = {"PLAIN", "LOGIN"}


def check(moment: Moment) -> Finding | None:
    """Looks at where the server's list offers PLAIN or LOGIN."""
    reply = moment.replied("EHLO")
    if not reply or reply.code != 250:
        return None
    _, keywords = smtp.parse_ehlo_reply(reply.lines)
    offered = {
        mechanism
        for keyword in keywords
        if keyword.name == "AUTH"
        for mechanism in keyword.parameters.upper().split()
    }
    if not offered & _READABLE:
        return None
    if not reply.secure:
        return broken(N_("The server invites the client to send its password in the clear."))
    if moment.in_front or moment.before.forgotten("client", "keyword", "AUTH"):
        return None
    return met(N_("The server offers AUTH with a readable password inside TLS only."))


RULE = Rule(
    id="auth-offered-inside",
    citation="rfc4954-4-no-unprotected-password-site",
    level="should",
    text=N_("The server offers mechanisms with a readable password inside TLS only."),
    at=(Reply,),
    verbs=("EHLO",),
    check=check,
)
