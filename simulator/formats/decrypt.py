"""Opens the TLS records of a capture whose secrets are known (TLS 1.2 and 1.3, AEAD suites).

The secrets are lines of an NSS key log, as a Decryption Secrets Block holds them. What cannot be
opened stays closed: nothing here raises for bad input.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import NamedTuple

from simulator import ciphers, tls
from simulator.needles import late
from simulator.session import Side

_LINE = late(r"([A-Z][A-Z0-9_]+) ([0-9a-fA-F]{64}) ([0-9a-fA-F]{32,256})\s*")

MOST = 100_000
"""Secrets that are kept."""


class Secrets:
    """The secrets of many sessions, by the client's random and their label."""

    def __init__(self) -> None:
        self._found: dict[tuple[bytes, str], bytes] = {}

    def learn(self, lines: Iterable[str]) -> None:
        """Take over the lines of a key log; others are passed over."""
        for line in lines:
            match = _LINE.fullmatch(line)
            if match and len(self._found) < MOST:
                name = (bytes.fromhex(match[2]), match[1])
                if len(match[3]) % 2 == 0:
                    self._found[name] = bytes.fromhex(match[3])

    def of(self, random: bytes, label: str) -> bytes:
        """A secret, or nothing."""
        return self._found.get((random, label), b"")


class Suite(NamedTuple):
    """An AEAD cipher suite: its cipher, its key's length, its hash, and octets of implicit IV in
    TLS 1.2."""

    cipher: ciphers.Cipher
    key: int
    hash: str
    implicit_iv: int


def suite(name: str) -> Suite | None:
    """The suite of IANA's `name`, if it is one that this module opens."""
    digest = "sha384" if name.endswith("SHA384") else "sha256"
    if "CHACHA20_POLY1305" in name:
        return Suite("ChaCha20-Poly1305", 32, digest, 12)
    if "_GCM_" in name and "AES" in name:
        return Suite("AES-GCM", 32 if "AES_256" in name else 16, digest, 4)
    return None


def _expand_label(secret: bytes, label: str, length: int, digest: str) -> bytes:
    """HKDF-Expand-Label (RFC 9846 §7.1) for up to one block of the hash."""
    full = b"tls13 " + label.encode()
    info = length.to_bytes(2) + bytes([len(full)]) + full + b"\0"
    return hmac.new(secret, info + b"\x01", digest).digest()[:length]


def _prf(secret: bytes, label: bytes, seed: bytes, length: int, digest: str) -> bytes:
    """The PRF of TLS 1.2 (RFC 5246 §5)."""
    seed = label + seed
    out, a = b"", seed
    while len(out) < length:
        a = hmac.new(secret, a, digest).digest()
        out += hmac.new(secret, a + seed, digest).digest()
    return out[:length]


class _Keys:
    """What opens one direction: key, IV, and the number of the next record."""

    def __init__(self, opened: ciphers.Open, iv: bytes) -> None:
        self._opened = opened
        self.iv = iv
        self.number = 0

    def open_13(self, header: bytes, body: bytes) -> tuple[int, bytes] | None:
        nonce = (int.from_bytes(self.iv) ^ self.number).to_bytes(12)
        self.number += 1
        inner = self._opened(nonce, body, header)
        if inner is None:
            return None
        inner = inner.rstrip(b"\0")
        return (inner[-1], inner[:-1]) if inner else None

    def open_12(self, kind: int, version: bytes, body: bytes) -> bytes | None:
        number = self.number.to_bytes(8)
        self.number += 1
        if len(self.iv) == 4:
            nonce, body = self.iv + body[:8], body[8:]
        else:
            nonce = (int.from_bytes(self.iv) ^ (self.number - 1)).to_bytes(12)
        if len(body) < 16:
            return None
        extra = number + bytes([kind]) + version + (len(body) - 16).to_bytes(2)
        return self._opened(nonce, body, extra)


class Opener:
    """Opens the records of one connection, given in the order in which they crossed."""

    def __init__(self, secrets: Secrets, hello: bytes, agreed: tls.Agreed, random: bytes) -> None:
        """`hello`: what the client sent first; `random`: the server's."""
        self._secrets = secrets
        self._random = tls.client_random(hello)
        self._suite = suite(agreed.suite_name)
        self._new = agreed.version >= tls.TLS_1_3
        self._keys: dict[Side, _Keys] = {}
        self._on: dict[Side, bool] = {"client": False, "server": False}
        self._application: dict[Side, bool] = {"client": False, "server": False}
        if self._suite is not None:
            self._derive(random)

    @property
    def able(self) -> bool:
        """The keys of both directions are known."""
        return len(self._keys) == 2

    def _derive(self, server_random: bytes) -> None:
        assert self._suite is not None
        if self._new:
            self._switch("client", "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
            self._switch("server", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
            return
        master = self._secrets.of(self._random, "CLIENT_RANDOM")
        if not master:
            return
        made = self._suite
        block = _prf(
            master,
            b"key expansion",
            server_random + self._random,
            2 * (made.key + made.implicit_iv),
            made.hash,
        )
        key, iv = made.key, made.implicit_iv
        self._know("client", block[:key], block[2 * key : 2 * key + iv])
        self._know("server", block[key : 2 * key], block[2 * key + iv :])

    def _know(self, side: Side, key: bytes, iv: bytes) -> None:
        assert self._suite is not None
        opened = ciphers.opening(self._suite.cipher, key)
        if opened is not None:
            self._keys[side] = _Keys(opened, iv)

    def _switch(self, side: Side, label: str) -> None:
        assert self._suite is not None
        secret = self._secrets.of(self._random, label)
        if secret and len(secret) == hashlib.new(self._suite.hash).digest_size:
            key = _expand_label(secret, "key", self._suite.key, self._suite.hash)
            iv = _expand_label(secret, "iv", 12, self._suite.hash)
            self._know(side, key, iv)

    def open(self, side: Side, record: bytes) -> tuple[int, bytes] | None:
        """The content of a record that `side` sent, and its true content type."""
        kind, body = record[0], record[tls.HEADER :]
        if kind == tls.CHANGE_CIPHER_SPEC:
            self._on[side] = True
            return None
        keys = self._keys.get(side)
        if keys is None:
            return None
        if self._new:
            return self._open_13(side, keys, record) if kind == tls.APPLICATION_DATA else None
        if not self._on[side]:
            return None
        opened = keys.open_12(kind, record[1:3], body)
        return None if opened is None else (kind, opened)

    def _open_13(self, side: Side, keys: _Keys, record: bytes) -> tuple[int, bytes] | None:
        opened = keys.open_13(record[: tls.HEADER], record[tls.HEADER :])
        if opened and opened[0] == tls.HANDSHAKE_RECORD and not self._application[side]:
            if _has_finished(opened[1]):
                self._application[side] = True
                self._switch(side, f"{side.upper()}_TRAFFIC_SECRET_0")
        return opened


def _has_finished(messages: bytes) -> bool:
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == 20:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4])
    return False
