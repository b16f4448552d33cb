"""What a tap on the wire can read of TLS without any secret: records, and handshake messages.

Only the outer layer is read here (RFC 8446 §5.1, RFC 5246 §6.2.1): content type, version, length,
and the names of handshake messages while they still cross in the clear.
"""

from __future__ import annotations

from typing import NamedTuple

HEADER = 5

CONTENT = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}

HANDSHAKE = {
    0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 4: "NewSessionTicket",
    5: "EndOfEarlyData", 8: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange",
    13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify",
    16: "ClientKeyExchange", 20: "Finished", 22: "CertificateStatus", 24: "KeyUpdate",
}  # fmt: skip

ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
    45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter",
    48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip


class Record(NamedTuple):
    """One TLS record at bytes `start` to `end` of a stream.

    `messages` are handshake messages (or the alert) that can be read without a secret; a record
    whose content is encrypted has none.
    """

    start: int
    end: int
    type: int
    version: tuple[int, int]
    messages: tuple[str, ...]

    @property
    def name(self) -> str:
        """The content type's name in the RFC."""
        return CONTENT.get(self.type, f"type {self.type}")

    @property
    def length(self) -> int:
        """Octets after the header."""
        return self.end - self.start - HEADER


def record_length(head: bytes) -> int:
    """Octets of the record that `head` begins, header included; 0 if more must be read first.

    Raises ValueError if `head` does not begin a TLS record.
    """
    if head and head[0] not in CONTENT:
        raise ValueError(f"not a TLS record: it begins with byte 0x{head[0]:02x}")
    if len(head) > 1 and head[1] != 3:
        raise ValueError(f"not a TLS record: version byte 0x{head[1]:02x}")
    if len(head) < HEADER:
        return 0
    return HEADER + int.from_bytes(head[3:5])


def records(stream: bytes, start: int = 0, end: int | None = None) -> list[Record]:
    """All whole records of `stream` from `start` to `end`.

    Handshake messages are named until the first change_cipher_spec of that direction (TLS 1.2) or
    until application_data begins (TLS 1.3); what follows is encrypted.
    Raises ValueError where no record begins.
    """
    end = len(stream) if end is None else end
    found = []
    clear = True
    while start < end:
        length = record_length(stream[start : start + HEADER])
        if not length or start + length > end:
            break
        kind = stream[start]
        body = stream[start + HEADER : start + length]
        if kind in (20, 23):
            clear = False
        messages = _messages(kind, body) if clear else ()
        version = (stream[start + 1], stream[start + 2])
        found.append(Record(start, start + length, kind, version, messages))
        start += length
    return found


def _messages(kind: int, body: bytes) -> tuple[str, ...]:
    if kind == 21:
        return (ALERTS.get(body[1], f"alert {body[1]}"),) if len(body) == 2 else ()
    if kind != 22:
        return ()
    names = []
    at = 0
    while at + 4 <= len(body):
        names.append(HANDSHAKE.get(body[at], f"message {body[at]}"))
        at += 4 + int.from_bytes(body[at + 1 : at + 4])
    return tuple(names)


def client_random(stream: bytes) -> bytes:
    """The random of a ClientHello (32 octets) that `stream` begins with, or nothing.

    It is the name under which a key log lists the session's secrets.
    """
    if len(stream) >= 43 and stream[0] == 22 and stream[HEADER] == 1:
        return stream[11:43]
    return b""
