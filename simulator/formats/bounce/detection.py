"""Whether a text is a bounce."""

from __future__ import annotations

import re

from simulator.formats.bounce.words import FIELD_SET, patterns
from simulator.needles import folded, late

MOST_TEXT = 50_000
"""Characters that show whether it is a bounce."""


def detect(head: str, telling: list[str]) -> float:
    """By what only bounces say."""
    text = head[:MOST_TEXT]
    low = folded(text)
    found = sum(begin.search(text, low) is not None for begin in patterns().begins)
    if FIELD_SET.search(text):
        return 0.99
    coded = _STATUS.search(text) is not None or _CODED.search(text) is not None
    if _DIALOGUE.search(text):
        return 0.0
    if _HEADED.match(text):
        if found >= 2 or (found and coded):
            return 0.97
        head, _, body = text.partition("\n\n")
        spoken = (line for line in body.split("\n") if not _TRACE.match(line))
        return 0.9 if _RECEIVED.search(head) and not any(map(_TALK.search, spoken)) else 0.0
    if found >= 2 and coded:
        return 0.95
    return 0.9 if found and _WHOLE_REPLY.search(text) and not _COMMANDS.search(text) else 0.0


_WHOLE_REPLY = late(r"(?<![\w.])[45][0-57]\d[ -]#?[45]\.\d{1,3}\.\d{1,3}(?![\w.])")
_COMMANDS = late(r"(?im)\b(?:ehlo|helo) \S|\bstarttls\b|^\W{0,6}(?:mail from|data|quit)\b")
_STATUS = late(r"(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w.])")
_CODED = late(r"(?<![\w.])[45][0-57]\d[ -](?=[\w<(\"'#])")
_HEADED = late(
    r"[>\s]{0,8}(?:From [^\n]{1,200}|[A-Za-z][A-Za-z0-9-]{1,40}: ?[^\n]{0,900})\n"
    r"(?:[>\s]{0,8}[ \t][^\n]{0,900}\n){0,10}[>\s]{0,8}[A-Za-z][A-Za-z0-9-]{1,40}: ?"
)
_RECEIVED = late(r"(?m)^received: ?from ", re.IGNORECASE)
_TRACE = late(r"[>\s]{0,8}(?:\s+\S|[A-Za-z][A-Za-z0-9-]{1,60}:)")
_TALK = late(
    r"(?i)\b(?:ehlo|helo|starttls|rcpt to|mail from)\b|\b(?:ssl|tls)[ _:v\d]"
    r"|^.{0,40}[<>-]{1,3} ?[245]\d\d[ -]|^[245]\d\d[- ]"
)
"""What may be a dialogue, in the text of a message that is no bounce."""
_DIALOGUE = late(
    r"(?m)^[>\s<-]{0,8}250[- ](?:\S+ )?(?:STARTTLS|PIPELINING|SIZE|8BITMIME)"
    r"|(?:postfix|exim|sendmail|dovecot)[\w./-]{0,40}\[\d{1,10}\]: |SMTP(?:>>|<<)"
    r"|^(?!\s{0,8}>>> )(?:.{0,60}\W)?(?:EHLO|HELO) [\w.\[\]-]{1,100}\s?$"
)
"""What a log has and no bounce: a list of keywords, the name of a process, an EHLO."""
