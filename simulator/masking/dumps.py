"""Octets that a log shows as a dump, as numbers or in hexadecimal."""

from __future__ import annotations

import re

from simulator.masking import leads
from simulator.needles import late

_DUMP = late(
    r"^(?P<lead>\s{0,20}(?:\S{1,40}\s{1,20})?(?:0x)?[0-9A-Fa-f]{4,8}:?\s{1,4}-?\s?)"
    r"(?P<hex>[0-9A-Fa-f]{2}(?:[ -]{0,3}[0-9A-Fa-f]{2}){0,40}[ -]{0,2})(?P<text>(?:\s{1,60}\S.*)?)$"
)


NUMBERS = late(r"\[((?:\d{1,3}, ?){7,4000}\d{1,3})\]")
HEXADECIMAL = late(r"(?<![0-9A-Za-z])(?:[0-9a-f]{2}){8,2000}(?![0-9A-Za-z])")
ROW_WITHIN = late(
    r"(?<=\s)(?:0x)?[0-9A-Fa-f]{4,8}:?\s{1,4}(?P<hex>(?:[0-9A-Fa-f]{2}){1,2}"
    r"(?:[ -]{1,3}(?:[0-9A-Fa-f]{2}){1,2}){2,31})(?=\s|$)"
)
"""A row of a dump that a reader joined with the line before it."""


def dumped(line: str) -> tuple[str, bytes] | None:
    """What goes before the octets on a line of a dump, and the octets."""
    before = leads.of(line)
    match = _DUMP.match(line[len(before) :])
    if not match and (mark := leads.SIDE.search(line[: leads.REACH])):
        before = line[: mark.end()]
        match = _DUMP.match(line[mark.end() :])
    if not match or not (
        re.search(r"[0-9A-Fa-f]{2}[ -][0-9A-Fa-f]{2}", match["hex"]) or ":" in match["lead"]
    ):
        return None
    digits = re.sub(r"[ -]", "", match["hex"])
    text = match["text"].strip()
    octets = bytes.fromhex(digits)
    if text and not re.fullmatch(r"[.\x20-\x7e|�·]{1,80}", text):
        return None
    return before + match["lead"], octets
