"""Whether the message itself could be read on the way."""

from simulator.language import N_
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Message


def check(moment: Moment) -> Finding | None:
    """Looks at the session's first message."""
    match moment.event:
        case Message(secure=secure) if not moment.past.messages:
            if secure and moment.past.behind_starttls:
                # Whoever slipped a command in may be the one who gets the message.
                return None
            if secure:
                return met(N_("Nobody on the way can read the message."))
            return broken(N_("Anybody on the way can read the message, and change it."))
    return None


RULE = Rule(
    id="mail-inside-tls",
    citation="rfc7672-1_3_1-starttls-suppressed",
    level="risk",
    text=N_("The message crosses the network inside TLS."),
    check=check,
)
