"""Without pipelining, each command waits for the reply to the one before."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at a command that the client sends while another one still waits for its reply."""
    match moment.event:
        case Command(by="client") as command if moment.grouped and moment.past.replies:
            pass
        case _:
            return None
    if moment.before.find("client", "keyword", "PIPELINING"):
        return met(N_("The client sends commands in groups because the list has PIPELINING."))
    if moment.partial:
        return None
    return broken(
        N_("{verb} is sent before the command ahead of it was answered."),
        verb=command.verb or "?",
    )


RULE = Rule(
    id="waits-for-reply",
    citation="rfc5321-4_3_1-wait-for-reply",
    level="must",
    text=N_("The client waits for each reply, unless the server offers PIPELINING."),
    at=(Command,),
    check=check,
)
