"""HELO asks for no list, so a client that says HELO never sees STARTTLS."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at HELO: did the server refuse EHLO before?"""
    match moment.event:
        case Command(by="client", verb="HELO"):
            pass
        case _:
            return None
    if moment.past.refused:
        return met(N_("The server refused EHLO, so the client falls back to HELO."))
    return broken(N_("The client says HELO, although nothing kept it from saying EHLO."))


RULE = Rule(
    id="ehlo-rather-than-helo",
    citation="rfc5321-F_3-ehlo-rather-than-helo",
    level="should",
    text=N_("The client says HELO only where the server does not take EHLO."),
    at=(Command,),
    verbs=("HELO",),
    check=check,
)
