"""What came in the clear behind the 220 is no part of the session inside TLS: the client."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Reply


def check(moment: Moment) -> Finding | None:
    """Looks at replies out of the client's old buffer, and at the first one that shows there were
    none."""
    match moment.event:
        case Reply(stale=True):
            return broken(
                N_("This reply came in the clear, and the client believes it inside TLS.")
            )
        case Reply(secure=True, lost=False):
            if moment.past.behind_220 and moment.past.inside == 1:
                return met(N_("The client threw away what came in the clear behind the 220."))
    return None


RULE = Rule(
    id="client-drops-cleartext",
    citation="rfc3207-6-both-discard",
    level="must",
    text=N_("The client throws away what came in the clear behind the 220."),
    at=(Reply,),
    check=check,
)
