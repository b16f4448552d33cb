"""The server's half of the reset."""

import re

from simulator.language import N_
from simulator.needles import late
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Reply, Trace

_FROM = late(r"from\s+(\S+)", re.IGNORECASE)

_FORGOTTEN = N_("The Received line does not use the name that was said in the clear.")


def check(moment: Moment) -> Finding | None:
    """Looks at what shows the server's memory: its Received line, or its answer to MAIL."""
    if isinstance(moment.event, Reply) and moment.event.code != 503:
        return None
    gone = moment.before.forgotten("server", "name")
    if not gone:
        return None
    known = moment.before.find("server", "name")
    match moment.event:
        case Trace(text=text) if name := _FROM.search(text):
            said = name[1].lower()
            if known and said == known.value.lower() and known.secure:
                return None if said == gone.value.lower() else met(_FORGOTTEN)
            if said in (gone.value.lower(), known.value.lower() if known else None):
                return broken(
                    N_(
                        "The Received line says {name}: the server still uses a name "
                        "that was said in the clear."
                    ),
                    name=name[1],
                )
            return met(_FORGOTTEN)
        case Reply(code=503) if (
            isinstance(moment.answers, Command) and not known and not moment.past.restarted
        ):
            return met(
                N_("The server has forgotten the first EHLO, so {verb} is out of sequence: 503."),
                verb=moment.answers.verb,
            )
    return None


RULE = Rule(
    id="server-forgets",
    citation="rfc3207-4_2-server-discards",
    level="must",
    text=N_("At the handshake the server forgets what the client said in the clear."),
    at=(Trace, Reply),
    check=check,
)
