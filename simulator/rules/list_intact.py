"""In the clear, anyone on the path can alter the list."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, altered, broken, met
from simulator.session import Reply


def check(moment: Moment) -> Finding | None:
    """Looks at what the client takes for the reply to EHLO."""
    reply = moment.heard("EHLO")
    if not reply or reply.code != 250:
        return None
    if altered(reply):
        if reply.by == "middlebox":
            return broken(N_("The client does not get the list that the server sent."))
        return broken(N_("A line of the list is overwritten with X: a firewall masked it."))
    if not reply.secure:
        return None
    if moment.past.tls is not None and moment.past.tls.in_front:
        return None
    if moment.past.tls is not None and moment.past.tls.verified:
        return met(N_("Inside TLS no one on the path can alter the list."))
    return met(
        N_(
            "Inside TLS only the other end can have written the list. Nothing shows that the "
            "client checked who that is."
        )
    )


RULE = Rule(
    id="list-intact",
    citation="rfc3207-6-cleartext-may-be-modified",
    level="risk",
    text=N_("The client gets the list as the server sent it."),
    at=(Reply,),
    verbs=("EHLO",),
    check=check,
)
