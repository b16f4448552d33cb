"""The client's half of the reset."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, keywords_used, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at a command inside TLS that makes use of a keyword of the first list."""
    match moment.event:
        case Command(by="client", secure=True) as command:
            pass
        case _:
            return None
    known = moment.before
    used = keywords_used(command)
    if not used:
        return None
    listed = [keyword for keyword in used if known.find("client", "keyword", keyword)]
    for keyword in used:
        if keyword not in listed and known.forgotten("client", "keyword", keyword):
            return broken(
                N_(
                    "The client relies on {keyword}, which it learned in the clear "
                    "and had to discard at the handshake."
                ),
                keyword=keyword,
            )
    if listed and known.forgotten("client", "keyword"):
        return met(
            N_("The client relies on {keyword} because the list inside TLS has it."),
            keyword=", ".join(listed),
        )
    return None


RULE = Rule(
    id="client-forgets",
    citation="rfc3207-4_2-client-discards",
    level="must",
    text=N_("At the handshake the client forgets the keywords it learned in the clear."),
    at=(Command,),
    check=check,
)
