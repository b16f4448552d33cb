"""Where a line ends, and with it the message: at CR and LF together, and nowhere else."""

import msgspec

from simulator.language import N_
from simulator.needles import late
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Command, Message, Reply

_BARE = late(rb"(?<!\r)\n")
_EARLY_END = late(rb"(?<!\r)\n\.\r?\n|(?:\A|\n)\.\n")
"""A dot on a line of its own, with a bare line feed before or behind it."""
_ENDED = late(rb"\n\.\r?\n\Z")
"""Its end, as some server took it."""


def check(moment: Moment) -> Finding | None:
    """Looks at the message as the client sent it, and at what the server makes of a dot between
    bare line feeds in it."""
    match moment.event, moment.answers:
        case Message(by="client", raw=raw), _ if not moment.past.in_pieces and _BARE.search(raw):
            return broken(
                N_(
                    "Within the message the client sends LF without CR. To some servers, the "
                    "message may end there."
                )
            )
        case Command(by="message"), _ if not moment.past.taken_out:
            found = broken(
                N_(
                    "The server takes an LF without CR for the end of a line. So to it the message "
                    "is over, and what follows in it are commands."
                )
            )
        case Reply(by="server", code=code), Message(by="client", raw=raw) if (
            moment.played
            and code < 400
            and _EARLY_END.search(_ENDED.sub(b"", raw))
            and not moment.past.taken_out
        ):
            found = met(
                N_("To the server, a dot between LF and LF is text: the message stays whole.")
            )
        case _:
            return None
    return msgspec.structs.replace(found, citation="rfc5321-4_1_1_4-bare-line-feed-ends-nothing")


RULE = Rule(
    id="no-bare-line-feed",
    citation="rfc5321-2_3_8-bare-line-feed",
    level="must",
    text=N_(
        "Lines end in CR and LF together: a client sends no LF alone, and a server takes none for "
        "the end of a line."
    ),
    at=(Command, Message, Reply),
    check=check,
)
