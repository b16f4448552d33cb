"""Bounces: the delivery reports of RFC 3464, whole or pasted in part, and what programs write to
people in place of one or beside it.

A bounce is no log: it tells of one reply to one command, seldom of more. So a session is made of
it for each recipient, with what is told of (who reported, whom it talked to, at which command, the
reply, the status) and nothing else. The trace fields of a bounce and of the message it returns tell
of other sessions, and are never taken for this one's.
"""

from __future__ import annotations

from simulator.formats.bounce.detection import detect
from simulator.formats.bounce.sessions import NAME, read
from simulator.language import N_
from simulator.reading.format import Format

FORMAT = Format(
    name=NAME,
    title=N_("A bounce: delivery report or failure notice"),
    log_more=N_(
        "A bounce quotes one reply. The whole session is in the mail log of the server that "
        "reported, at the time of the bounce."
    ),
    detect=detect,
    read=read,
    # It is a document, not a log: each of its lines is a part of it.
    knows=lambda _line: True,
)
