"""A client uses what the server offers, and nothing else."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, keywords_used, met
from simulator.session import Command


def check(moment: Moment) -> Finding | None:
    """Looks at a command that makes use of a keyword; what was forgotten is `client-forgets`."""
    match moment.event:
        case Command(by="client") as command:
            used = keywords_used(command)
        case _:
            return None
    if not used or moment.partial:
        return None
    known = moment.before
    if not moment.played and not _list_shown(moment):
        return None
    listed = [keyword for keyword in used if known.find("client", "keyword", keyword)]
    never = [
        keyword
        for keyword in used
        if keyword not in listed and not known.forgotten("client", "keyword", keyword)
    ]
    if never:
        return broken(
            N_("The client uses {keyword}, which the server did not offer."),
            keyword=", ".join(never),
        )
    if known.forgotten("client", "keyword"):
        return None
    return met(N_("The client uses {keyword} because the list has it."), keyword=", ".join(listed))


def _list_shown(moment: Moment) -> bool:
    """Whether the log would show that a keyword was offered. Some leave the replies out, and some
    show only the last line of each, where the server's name never stands."""
    known = moment.before
    name = known.find("client", "name")
    if name is None:
        return not known.find("server", "name") and bool(moment.past.replies)
    introduced = known.find("server", "name")
    by_ehlo = introduced is not None and introduced.name == "EHLO"
    return not by_ehlo or "." in name.value or known.find("client", "keyword") is not None


RULE = Rule(
    id="keyword-offered",
    citation="rfc5321-4_1_1_2-mail-parameters",
    level="risk",
    text=N_("The client uses only the extensions that the server's list offers."),
    at=(Command,),
    check=check,
)
