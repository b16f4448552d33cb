"""Both packages open the same octets, and refuse the same."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from simulator import ciphers

pytest.importorskip("tlslite")

KEYS: list[tuple[ciphers.Cipher, int]] = [
    ("AES-GCM", 16),
    ("AES-GCM", 32),
    ("ChaCha20-Poly1305", 32),
]
NONCE = bytes(range(12))
EXTRA = b"\x17\x03\x03\x00\x25"
Package = Callable[[ciphers.Cipher, bytes], ciphers.Open]


@pytest.mark.parametrize("package", [ciphers._cryptography, ciphers._tlslite])
@pytest.mark.parametrize(("cipher", "size"), KEYS)
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 300])
def test_what_was_sealed_is_opened_and_nothing_else(
    package: Package, cipher: ciphers.Cipher, size: int, length: int
) -> None:
    key, text = bytes(range(size)), bytes(n % 251 for n in range(length))
    kind = AESGCM if cipher == "AES-GCM" else ChaCha20Poly1305
    sealed = kind(key).encrypt(NONCE, text, EXTRA)
    opened = package(cipher, key)
    assert opened(NONCE, sealed, EXTRA) == text
    assert opened(NONCE, sealed, EXTRA[:-1]) is None
    assert opened(bytes(12), sealed, EXTRA) is None
    assert opened(NONCE, sealed[:-1] + bytes([sealed[-1] ^ 1]), EXTRA) is None
    assert opened(NONCE, sealed[:15], EXTRA) is None
    assert opened(NONCE, b"", EXTRA) is None


def test_without_any_package_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> ciphers.Open:
        raise ModuleNotFoundError("none")

    monkeypatch.setattr(ciphers, "_cryptography", missing)
    monkeypatch.setattr(ciphers, "_tlslite", missing)
    assert ciphers.opening("AES-GCM", bytes(16)) is None
