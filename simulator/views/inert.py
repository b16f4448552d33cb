"""Text from outside, made harmless to show.

Host names, replies and messages come from anybody. What steers a terminal, turns the direction of
reading round or cannot be seen at all is shown as an escape, so that a view prints what was sent
and does nothing else.
"""

from __future__ import annotations

import unicodedata

MARKS = 3
"""Combining marks shown on one letter; more would pile up over the lines above and below."""

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def printable(text: str) -> str:
    """`text` on one line, its control, format and unassigned characters as visible escapes.

    C0 and C1 controls come out as `\\x1b`, others (bidi overrides, zero-width characters, line
    separators, lone surrogates) as `\\u202e`. Everything else stays as it is.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in _UNSEEN or marks > MARKS:
            shown.append(escape(char))
        else:
            shown.append(char)
    return "".join(shown)


def escape(char: str) -> str:
    """A character as a visible escape, such as `\\x1b` or `\\u202e`."""
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
