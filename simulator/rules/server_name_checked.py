"""TLS hides the talk from others; only a checked certificate says who the other side is."""

import msgspec

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Handshake

_FOUND_WRONG = ("name-mismatch", "expired", "unknown-ca", "certificate")


def check(moment: Moment) -> Finding | None:
    """Looks at what the client made of the server's certificate."""
    match moment.event:
        case Handshake(error="", verified=True, dane=True):
            found = met(N_("The client checked the server's key against its TLSA record (DANE)."))
            return msgspec.structs.replace(
                found, citation="rfc7672-3_1_1-authenticated-without-name", level="must"
            )
        case Handshake(error="", verified=True, resumed=True):
            return met(
                N_("No certificate was sent: the client checked it when this TLS session began.")
            )
        case Handshake(error="", verified=True):
            return met(N_("The client checked who issued the certificate and for which name."))
        case Handshake(error="", untold=False) if moment.played:
            return broken(
                N_("The client does not check the certificate: anyone could be at the other end.")
            )
        case Handshake(error=error) if error in _FOUND_WRONG:
            return met(N_("The client does not accept the certificate, and goes no further."))
    return None


RULE = Rule(
    id="server-name-checked",
    citation="rfc3207-6-check-the-result",
    level="risk",
    text=N_("The client checks the server's certificate before it relies on TLS."),
    at=(Handshake,),
    check=check,
)
