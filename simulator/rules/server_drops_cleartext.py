"""What came in the clear behind STARTTLS is no part of the session inside TLS: the server."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Reply


def check(moment: Moment) -> Finding | None:
    """Looks at commands out of the server's old buffer, and at the first reply that shows there
    were none."""
    match moment.event:
        case Command(stale=True) as command:
            return broken(
                N_("{verb} came in the clear, but the server takes it for a command inside TLS."),
                verb=command.verb or "?",
            )
        case Reply(secure=True, by="server", stale=False):
            past = moment.past
            if past.behind_starttls and past.inside == 1 and moment.answers is moment.heard_as:
                return met(N_("The server threw away what came in the clear behind STARTTLS."))
    return None


RULE = Rule(
    id="server-drops-cleartext",
    citation="rfc3207-6-both-discard",
    level="must",
    text=N_("The server throws away what came in the clear behind STARTTLS."),
    at=(Command, Reply),
    check=check,
)
