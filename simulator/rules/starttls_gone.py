"""Inside TLS the keyword STARTTLS is gone."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Reply


def check(moment: Moment) -> Finding | None:
    """Looks at a reply to EHLO that came inside TLS."""
    reply = moment.replied("EHLO")
    if not reply or not reply.secure or reply.code != 250 or reply.by != "server":
        return None
    if any(line.split(" ")[0].upper() == "STARTTLS" for line in reply.lines[1:]):
        return broken(
            N_(
                "The server still lists STARTTLS, although TLS is on: it does not look, or TLS "
                "ends in front of it, and it knows of none."
            )
        )
    return met(N_("STARTTLS is no longer in the list, because TLS is on."))


RULE = Rule(
    id="starttls-gone",
    citation="rfc3207-4_2-no-starttls-inside",
    level="must",
    text=N_("Inside TLS the server no longer lists STARTTLS."),
    at=(Reply,),
    verbs=("EHLO",),
    check=check,
)
