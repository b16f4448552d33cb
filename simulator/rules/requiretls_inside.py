"""Who requires TLS all the way says so inside TLS."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, keywords_used, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at MAIL with the parameter REQUIRETLS."""
    match moment.event:
        case Command(by="client", verb="MAIL") as command:
            pass
        case _:
            return None
    if "REQUIRETLS" not in keywords_used(command) or moment.in_front:
        return None
    if command.secure:
        return met(N_("REQUIRETLS is asked for inside TLS."))
    return broken(N_("REQUIRETLS is asked for in a session without TLS."))


RULE = Rule(
    id="requiretls-inside",
    citation="rfc8689-2-session-is-tls",
    level="must",
    text=N_("REQUIRETLS is used in a session inside TLS only."),
    at=(Command,),
    verbs=("MAIL",),
    check=check,
)
