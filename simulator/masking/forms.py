"""What tells a secret by its form alone: base64 of SASL responses, keys, words that are none."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache

from simulator.masking.words import prompts
from simulator.needles import late


def looks_secret(word: str) -> bool:
    """Whether one word of a sentence looks like no word, but like a password."""
    word = word.strip("\"'`.,;:!?()[]<>")
    if len(word) < 4 or "://" in word or re.match(r"[245]\.\d\.\d|[/~][\w.-]+/|\d{3}[ -]?$", word):
        return False
    letters = any(c.isalpha() for c in word)
    if any(c.isdigit() for c in word):
        return True
    if re.search(r"[a-z][A-Z]", word):
        return True
    return letters and re.search(r"[^\w\s.'’/-]", word) is not None


@lru_cache(maxsize=1024)
def decoded(blob: str) -> bytes:
    """A blob's octets, empty if it is no base64 (RFC 4648)."""
    text = blob.rstrip("=").replace("-", "+").replace("_", "/")
    if len(text) % 4 == 1:
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


SASL = late(
    rb"(?s)^[^\0]{0,255}\0[^\0]{1,255}\0?.*|.*\x01auth=|^[npy],,|^c=[a-zA-Z0-9+/=]+,r=|^NTLMSSP"
    rb"|.*[ ][0-9a-f]{32}$|.*response=|\x60\x82|^user=|^username="
)


def is_sasl(blob: str) -> bool:
    """Whether base64 holds what a client answers in a SASL exchange."""
    octets = decoded(blob)
    if not octets or not SASL.match(octets):
        return False
    if octets.startswith((b"NTLMSSP", b"\x60\x82")):
        return True
    printable = sum(32 <= c < 127 or c in (0, 1) for c in octets)
    return printable >= 0.9 * len(octets)


def is_blob(word: str) -> bool:
    """Whether a word that stands alone is base64 rather than a word or a name."""
    bare = word.rstrip("=")
    if len(word) < 8 and not (word.endswith("=") and len(word) % 4 == 0):
        return False
    if re.fullmatch(r"[A-Z0-9_-]+|[a-z_-]+|[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)*|\d+", bare) and (
        not word.endswith("=")
    ):
        return False
    octets = decoded(word)
    if not octets:
        return False
    return octets.strip(b"\0 ").lower() not in prompts()


_IDENTIFIER = late(r"(?:[A-Z]*[a-z]*\d{0,4}_)+[A-Z]*[a-z]*\d{0,4}")


def is_readable(blob: str) -> bool:
    """Whether base64 holds text, and no word is spelled by chance like base64."""
    octets = decoded(blob)
    mixed = any(c.isdigit() for c in blob) or blob.endswith("=")
    return mixed and all(32 <= c < 127 or c == 0 for c in octets)


def is_text(word: str) -> bool:
    """Whether a word is base64 of text, and neither by chance nor of a server's prompt."""
    if not is_blob(word) or not (any(map(str.isupper, word)) and any(map(str.islower, word))):
        return False
    octets = decoded(word)
    telling = word.endswith("=") or len(word) >= 16
    return telling and len(octets) >= 4 and all(32 <= c < 127 for c in octets)


PLAIN_TOKEN = late(
    r"(?i)(?:SHA|MD|AES|RSA|TLS|SSL|DES|RC|HMAC|SCRAM-SHA|CRAM-MD|DIGEST-MD|OAUTH|XOAUTH|IPv|SMTP|POP|IMAP|UTF-?|RFC|base|ESMTP|HTTP|"
    r"Office|ISO-?|ED|CP|KOI)[\w.-]{0,2}\d[\w.-]*|[PXv]-?\d[\d.]*(?:[vr]\d|MLKEM\d+)?|\d[\d.,:]*[a-z]{0,4}|[^\s@]+@[\w-]+(?:\.[\w-]+)+|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}|"
    r"\S*(?:://|\(\)|\[\d*\])\S*|[/~.]\S*|#\d+|0x[0-9a-f]+|[\w.$]+(?:->|::)\S*|\w+[=:].*|[245]\.\d{1,3}\.\d{1,3}|\[.*\]"
)
"""What has digits or signs and is no password: names of algorithms, numbers, addresses, code."""


def is_key(word: str) -> bool:
    """Whether a word is long and mixed as only keys and encodings are."""
    bare = word.rstrip("=")
    if (
        len(bare) < 24
        or "-" in bare
        or _IDENTIFIER.fullmatch(bare)
        or re.fullmatch(r"[0-9A-Fa-f]+|[A-Z0-9_]+|[a-z0-9_]+", bare)
    ):
        return False
    return (
        any(c.isdigit() for c in bare)
        and any(c.islower() for c in bare)
        and any(c.isupper() for c in bare)
        and bool(decoded(word))
        and bare.count("/") <= len(bare) / 12
        and not re.match(r"(?:[A-Z0-9]+_)+[A-Z0-9]+$", bare)
    )
