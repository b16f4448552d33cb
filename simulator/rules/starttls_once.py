"""TLS is started once: the client does not ask for it again inside TLS."""

from simulator.knowledge import Fact
from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at STARTTLS inside TLS, and at the first chance to send it there."""
    match moment.event:
        case Command(by="client", secure=True, verb="STARTTLS"):
            return broken(N_("The client asks for TLS although TLS is on already."))
        case Command(by="client", secure=True):
            offers = moment.before.learned_at(moment.index - 1)
            if any(_is_offer(fact) for fact in offers):
                return met(N_("TLS is on already, so the client does not take the offer."))
    return None


def _is_offer(fact: Fact) -> bool:
    return fact.holder == "client" and fact.name == "STARTTLS" and fact.secure


RULE = Rule(
    id="starttls-once",
    citation="rfc3207-4_2-no-second-tls",
    level="must",
    text=N_("Inside TLS the client does not send STARTTLS again."),
    at=(Command,),
    check=check,
)
