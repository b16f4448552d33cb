"""After the 220 to STARTTLS comes TLS, and nothing before it."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Handshake


def check(moment: Moment) -> Finding | None:
    """Looks at what the client does first after the 220."""
    if not moment.past.ready:
        return None
    match moment.event:
        case Command(by="client", secure=False) as command:
            return broken(
                N_("After the 220 the client must begin TLS; it sends {verb} in the clear."),
                verb=command.verb or "?",
            )
        case Handshake(by="client"):
            return met(N_("After the 220 the client begins TLS before any other command."))
    return None


RULE = Rule(
    id="tls-after-220",
    citation="rfc3207-4-tls-before-other-commands",
    level="must",
    text=N_("After the 220 to STARTTLS the client begins TLS before it gives any other command."),
    at=(Command, Handshake),
    check=check,
)
