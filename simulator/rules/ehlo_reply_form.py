"""The reply to EHLO has a form: first the server's name, then one keyword a line."""

from simulator import smtp
from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Reply


def check(moment: Moment) -> Finding | None:
    """Looks at where STARTTLS stands in the list."""
    reply = moment.replied("EHLO")
    if not reply or reply.code != 250 or not reply.lines:
        return None
    if reply.lines[0].split(" ")[0].upper() == "STARTTLS":
        return broken(
            N_(
                "STARTTLS stands in the first line, where the server's name belongs: "
                "a strict client does not see the offer."
            )
        )
    _, keywords = smtp.parse_ehlo_reply(reply.lines)
    if not reply.secure and any(keyword.name == "STARTTLS" for keyword in keywords):
        return met(N_("STARTTLS has a line of its own behind the server's name: TLS is offered."))
    return None


RULE = Rule(
    id="ehlo-reply-form",
    citation="rfc5321-4_1_1_1-ehlo-ok-rsp",
    level="risk",
    text=N_("The first line of the reply to EHLO is the server's name; the keywords follow."),
    at=(Reply,),
    verbs=("EHLO",),
    check=check,
)
