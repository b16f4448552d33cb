"""The Received line tells later readers whether TLS was on."""

import re

import msgspec

from simulator.language import N_
from simulator.needles import late
from simulator.rules import Finding, Moment, Rule, broken, met
from simulator.session import Trace

_WITH = late(r"\bwith\s+((?:UTF8)?(?:E?SMTP|LMTP)[SA]*)\b", re.IGNORECASE)

_NAMES_TLS = late(r"[(\s=]TLS(?:v1|1[._]\d|_[A-Z])|[(\s]version=TLS", re.IGNORECASE)
"""How servers say otherwise what came inside TLS: `(using TLSv1.3 …)`, `(version=TLS1_3 …)`,
`tls TLS_AES_128_GCM_SHA256`."""


def check(moment: Moment) -> Finding | None:
    """Looks at the protocol that the Received line names."""
    match moment.event:
        case Trace(text=text) if found := _WITH.search(text):
            said = found[1].upper()
        case _:
            return None
    finding = _finding(said, moment, named=_NAMES_TLS.search(text) is not None)
    if finding is not None and said.startswith("UTF8"):
        return msgspec.structs.replace(finding, citation="rfc6531-3_7_3-protocol-of-with")
    return finding


def _finding(said: str, moment: Moment, *, named: bool) -> Finding | None:
    if moment.in_front:
        # One word cannot tell of a way that was inside TLS for a part of it.
        return None
    marked = said.partition("MTP")[2].startswith("S")
    if marked and moment.past.tls:
        return met(N_("The Received line says {said}: the message came inside TLS."), said=said)
    if marked:
        return broken(N_("The Received line says {said}, but there was no TLS."), said=said)
    if moment.past.tls and not moment.implicit_tls and said != "SMTP" and not named:
        return broken(
            N_("The Received line says {said}, which hides that the message came inside TLS."),
            said=said,
        )
    return None


RULE = Rule(
    id="esmtps-marked",
    citation="rfc3848-1-esmtps",
    level="risk",
    text=N_("The Received line says ESMTPS if, and only if, the message came inside TLS."),
    at=(Trace,),
    check=check,
)
