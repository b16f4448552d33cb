"""Why the second EHLO cannot be left out by a client that sends mail."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at MAIL: has the client introduced itself since the session was (re)set?"""
    match moment.event:
        case Command(by="client", verb="MAIL", lost=False):
            pass
        case _:
            return None
    known = moment.before.find("server", "name")
    if known and known.name == "HELO":
        return None
    if known:
        return met(
            N_("The server knows the client as {name}, so a mail transaction may begin."),
            name=known.value or known.name,
        )
    if moment.past.restarted:
        return broken(
            N_(
                "XCLIENT took the session back to the greeting and no EHLO came since: "
                "a mail transaction must not begin yet."
            )
        )
    if moment.before.forgotten("server", "name"):
        return broken(
            N_(
                "The handshake reset the session and no EHLO came since: "
                "a mail transaction must not begin yet."
            )
        )
    if moment.partial:
        return None
    return broken(N_("No EHLO was accepted: a mail transaction must not begin yet."))


RULE = Rule(
    id="ehlo-before-mail",
    citation="rfc5321-4_1_4-mail-needs-ehlo",
    level="must",
    text=N_("A session with mail transactions is first initialised by EHLO."),
    at=(Command,),
    verbs=("MAIL",),
    check=check,
)
