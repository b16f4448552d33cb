"""Whether the message itself could be read on the path."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Message


def check(moment: Moment) -> Finding | None:
    """Looks at the session's first message, or its first piece."""
    match moment.event:
        case Message(secure=secure) | Command(by="client", verb="BDAT", secure=secure) if (
            not moment.past.messages
        ):
            if secure and moment.past.behind_starttls:
                # Whoever slipped a command in may be the one who gets the message.
                return None
            if not secure:
                return broken(N_("Anyone on the path can read the message, and change it."))
            if moment.in_front:
                return None
            if moment.past.tls is not None and moment.past.tls.verified:
                return met(N_("No one on the path can read the message."))
            return met(
                N_(
                    "Whoever only listens cannot read the message. Nothing shows that the client "
                    "checked whose certificate it was, so someone in between could."
                )
            )
    return None


RULE = Rule(
    id="mail-inside-tls",
    citation="rfc3207-1-monitor-or-alter",
    level="risk",
    text=N_("The message crosses the network inside TLS."),
    at=(Message, Command),
    verbs=("BDAT",),
    check=check,
)
