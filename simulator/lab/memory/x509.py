"""Certificates without OpenSSL: as much of X.509 (RFC 5280) as the lab's own need.

ECDSA over P-256 with SHA-256, one authority, no revocation. What is written here is what
`cryptography` and OpenSSL read; what is read here is what was written here.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import ecdsa
from ecdsa.util import sigdecode_der, sigencode_der

SEQUENCE, SET, UTF8, BITS, OCTETS, INTEGER, BOOLEAN, OID = 0x30, 0x31, 0x0C, 3, 4, 2, 1, 6
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
DNS_NAME = 0x82
"""Tags of DER; `DNS_NAME` is that of a name in subjectAltName (RFC 5280 §4.2.1.6)."""


class BadCertificate(ValueError):
    """These octets are no certificate of the kind that is made here."""


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element of DER: tag, length, content."""
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def oid(dotted: str) -> bytes:
    """An object identifier, from its dotted form."""
    first, second, *rest = map(int, dotted.split("."))
    body = bytes([first * 40 + second])
    for number in rest:
        octets = [number & 127]
        while number := number >> 7:
            octets.insert(0, number & 127 | 128)
        body += bytes(octets)
    return tlv(OID, body)


def integer(number: int) -> bytes:
    """A number that is not negative."""
    return tlv(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


_SIGNED_WITH = tlv(SEQUENCE, oid("1.2.840.10045.4.3.2"))
"""ecdsa-with-SHA256 (RFC 5758 §3.2)."""
_ATTRIBUTES = {"CN": oid("2.5.4.3"), "O": oid("2.5.4.10"), "OU": oid("2.5.4.11")}
_KEY_IDENTIFIER = oid("2.5.29.14")
_USAGE = oid("2.5.29.15")
_ALTERNATIVE_NAMES = oid("2.5.29.17")
_CONSTRAINTS = oid("2.5.29.19")
_AUTHORITY_KEY_IDENTIFIER = oid("2.5.29.35")
_TRUE = tlv(BOOLEAN, b"\xff")


def name(**attributes: str | None) -> bytes:
    """A distinguished name of CN, O and OU, without those that are None."""
    return tlv(
        SEQUENCE,
        *(
            tlv(SET, tlv(SEQUENCE, _ATTRIBUTES[kind], tlv(UTF8, text.encode())))
            for kind, text in attributes.items()
            if text
        ),
    )


def _moment(when: datetime.datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5)."""
    if when.year < 2050:
        return tlv(UTC_TIME, f"{when:%y%m%d%H%M%SZ}".encode())
    return tlv(GENERALIZED_TIME, f"{when:%Y%m%d%H%M%SZ}".encode())


class Key(NamedTuple):
    """A private key, with the name and the certificate that its signatures are checked by."""

    private: Any
    title: bytes
    der: bytes

    def pem(self) -> str:
        """The private key in PEM."""
        return str(self.private.to_pem().decode("ascii"))


def _extension(kind: bytes, *value: bytes, critical: bool = False) -> bytes:
    return tlv(SEQUENCE, kind, *([_TRUE] if critical else []), tlv(OCTETS, *value))


def _identifier(private: Any) -> bytes:
    """What a key is known by: SHA-1 of its octets (RFC 5280 §4.2.1.2, method 1)."""
    octets = private.verifying_key.to_string("uncompressed")
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def issue(
    title: bytes,
    names: Sequence[str],
    valid: tuple[datetime.datetime, datetime.datetime],
    by: Key | None = None,
) -> Key:
    """A new key and its certificate for those DNS names, signed `by` an authority; without one, it
    is an authority, signed by itself."""
    private = ecdsa.SigningKey.generate(curve=ecdsa.NIST256p)
    signer = by.private if by else private
    alternative = tlv(SEQUENCE, *(tlv(DNS_NAME, one.encode("ascii")) for one in names))
    extensions = [
        _extension(_CONSTRAINTS, tlv(SEQUENCE, *([] if by else [_TRUE])), critical=True),
        # keyCertSign and cRLSign for an authority, digitalSignature for the rest.
        _extension(_USAGE, tlv(BITS, b"\x07\x80" if by else b"\x01\x06"), critical=True),
        _extension(_KEY_IDENTIFIER, tlv(OCTETS, _identifier(private))),
        _extension(_AUTHORITY_KEY_IDENTIFIER, tlv(SEQUENCE, tlv(0x80, _identifier(signer)))),
        *([_extension(_ALTERNATIVE_NAMES, alternative)] if names else []),
    ]
    signed = tlv(
        SEQUENCE,
        tlv(0xA0, integer(2)),
        integer(int.from_bytes(os.urandom(19), "big") | 1),
        _SIGNED_WITH,
        by.title if by else title,
        tlv(SEQUENCE, *map(_moment, valid)),
        title,
        private.verifying_key.to_der(),
        tlv(0xA3, tlv(SEQUENCE, *extensions)),
    )
    signature = signer.sign(signed, hashfunc=hashlib.sha256, sigencode=sigencode_der)
    der = tlv(SEQUENCE, signed, _SIGNED_WITH, tlv(BITS, b"\0", signature))
    return Key(private, title, der)


class _Element(NamedTuple):
    tag: int
    content: bytes
    whole: bytes


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        start = at
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 128:
            count = size & 127
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise BadCertificate("an element is longer than what holds it")
        yield _Element(tag, data[at : at + size], data[start : at + size])
        at += size


class Found:
    """What a certificate says. Raises `BadCertificate`."""

    def __init__(self, der: bytes) -> None:
        try:
            self._read(der)
        except (IndexError, UnicodeDecodeError, ValueError) as problem:
            raise BadCertificate(str(problem)) from None

    def _read(self, der: bytes) -> None:
        [whole] = _elements(der)
        signed, _, signature = _elements(whole.content)
        self._signed = signed.whole
        self._signature = signature.content[1:]
        parts = [part for part in _elements(signed.content) if part.tag != 0xA0]
        _, _, issuer, validity, subject, _, *rest = parts
        self.issuer, self.subject = issuer.whole, subject.whole
        self.start, self.end = (_time(moment) for moment in _elements(validity.content))
        self.names = tuple(_dns_names(rest))

    def signed_by(self, authority: Key) -> bool:
        """Did that authority sign it?"""
        try:
            authority.private.verifying_key.verify(
                self._signature, self._signed, hashfunc=hashlib.sha256, sigdecode=sigdecode_der
            )
        except ecdsa.BadSignatureError:
            return False
        return self.issuer == authority.title

    def common_name(self) -> str:
        """The common name of its subject; empty without."""
        return dict(_attributes(self.subject)).get("CN", "")

    def said_issuer(self) -> str:
        """Its issuer, as RFC 4514 writes names."""
        pairs = reversed(list(_attributes(self.issuer)))
        return ",".join(f"{kind}={text.replace(',', chr(92) + ',')}" for kind, text in pairs)


def _time(moment: _Element) -> datetime.datetime:
    text = moment.content.decode("ascii")
    if moment.tag == UTC_TIME:
        # RFC 5280 §4.1.2.5.1: from 50 on, the year is of the last century.
        text = f"{20 if text < '50' else 19}{text}"
    return datetime.datetime.fromisoformat(f"{text[:8]}T{text[8:]}")


def _dns_names(parts: Sequence[_Element]) -> Iterator[str]:
    for part in parts:
        if part.tag != 0xA3:
            continue
        [extensions] = _elements(part.content)
        for extension in _elements(extensions.content):
            kind, *_, value = _elements(extension.content)
            if kind.whole == _ALTERNATIVE_NAMES:
                [names] = _elements(value.content)
                for one in _elements(names.content):
                    if one.tag == DNS_NAME:
                        yield one.content.decode("ascii")


def _attributes(title: bytes) -> Iterator[tuple[str, str]]:
    known = {number: kind for kind, number in _ATTRIBUTES.items()}
    [sequence] = _elements(title)
    for relative in _elements(sequence.content):
        [pair] = _elements(relative.content)
        kind, text = _elements(pair.content)
        yield known.get(kind.whole, "?"), text.content.decode("utf-8")
