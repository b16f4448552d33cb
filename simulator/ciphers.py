"""The AEAD ciphers of TLS (RFC 5116, RFC 8439), from whichever package is there.

Those of `cryptography` where it is; in a browser's Python, which lacks it, those of tlslite-ng, in
Python: slow, not constant-time, and good enough for reading what was captured.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Literal

Cipher = Literal["AES-GCM", "ChaCha20-Poly1305"]

Open = Callable[[bytes, bytes, bytes], bytes | None]
"""Takes nonce, sealed octets and additional data; gives what was sealed, or None where it is not
what the key sealed."""


def opening(cipher: Cipher, key: bytes) -> Open | None:
    """What opens with that key; None where no package has ciphers."""
    try:
        return _cryptography(cipher, key)
    except ImportError:
        pass
    try:
        return _tlslite(cipher, key)
    except ImportError:
        return None


def _cryptography(cipher: Cipher, key: bytes) -> Open:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    made = AESGCM(key) if cipher == "AES-GCM" else ChaCha20Poly1305(key)

    def opened(nonce: bytes, body: bytes, extra: bytes) -> bytes | None:
        try:
            return made.decrypt(nonce, body, extra)
        except (InvalidTag, ValueError):
            return None

    return opened


def _tlslite(cipher: Cipher, key: bytes) -> Open:
    prepare_tlslite()
    from tlslite.utils import python_aesgcm, python_chacha20_poly1305

    made = (python_aesgcm if cipher == "AES-GCM" else python_chacha20_poly1305).new(bytearray(key))

    def opened(nonce: bytes, body: bytes, extra: bytes) -> bytes | None:
        found = made.open(bytearray(nonce), bytearray(body), bytearray(extra))
        return None if found is None else bytes(found)

    return opened


def prepare_tlslite() -> None:
    """Before anything of tlslite is imported: its `__init__` imports all that it has, also what a
    browser's Python lacks; without it, and without a decorator that would look into source texts.

    Raises `ModuleNotFoundError`.
    """
    if "tlslite" in sys.modules:
        return
    found = importlib.util.find_spec("tlslite")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("TLS in Python needs tlslite-ng", name="tlslite")
    package = types.ModuleType("tlslite")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["tlslite"] = package
    from tlslite.utils import deprecations

    deprecations.deprecated_class_name = lambda *_, **__: lambda kind: kind
