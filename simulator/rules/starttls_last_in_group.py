"""Where commands are sent in groups, STARTTLS is the last of its group."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Reply


def check(moment: Moment) -> Finding | None:
    """Looks at what the client sends behind STARTTLS, and at the reply to a STARTTLS in a group."""
    match moment.event:
        case Command(by="client", secure=False) as command:
            if moment.past.asked_for_tls and moment.past.replies:
                return broken(
                    N_("{verb} stands behind STARTTLS in the same group: it is bound to be lost."),
                    verb=command.verb or "?",
                )
    if moment.heard("STARTTLS") and moment.grouped and not moment.past.behind_starttls:
        return met(N_("STARTTLS was the last command of its group."))
    return None


RULE = Rule(
    id="starttls-last-in-group",
    citation="rfc3207-4-last-in-group",
    level="risk",
    text=N_("With pipelining, STARTTLS is the last command of its group."),
    at=(Command, Reply),
    check=check,
)
