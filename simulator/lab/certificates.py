"""Throwaway certificates: an authority that lives as long as the process, and what it signs.

ECDSA keys, because they cost a fraction of a millisecond. Nothing is written to disk but the key
log, which OpenSSL writes to a file that is gone when the process ends.
"""

from __future__ import annotations

import atexit
import datetime
import os
import ssl
import tempfile
from functools import cache, lru_cache
from pathlib import Path

import trustme
from cryptography import x509

from simulator.session import Certificate

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@cache
def _authority(name: str = "trusted") -> trustme.CA:
    return trustme.CA(organization_name=f"ehlo-twice lab, {name}", key_type=trustme.KeyType.ECDSA)


@cache
def _issued(kind: str, name: str) -> trustme.LeafCert:
    ecdsa = trustme.KeyType.ECDSA
    now = datetime.datetime.now(datetime.UTC)
    match kind:
        case "valid":
            return _authority().issue_cert(name, common_name=name, key_type=ecdsa)
        case "other-name":
            other = f"other.{name.partition('.')[2] or 'example.com'}"
            return _authority().issue_cert(other, common_name=other, key_type=ecdsa)
        case "expired":
            return _authority().issue_cert(
                name,
                common_name=name,
                not_before=now - datetime.timedelta(days=90),
                not_after=now - datetime.timedelta(days=1),
                key_type=ecdsa,
            )
        case "unknown-ca":
            return _authority("unknown").issue_cert(name, common_name=name, key_type=ecdsa)
    raise ValueError(f"no certificate of kind {kind!r}")


@cache
def server_context(kind: str, name: str, *, asks_certificate: bool = False) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate of that kind for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _issued(kind, name).configure_cert(context)
    if asks_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL
        _authority().configure_trust(context)
    return context


@cache
def client_context(version: str, name: str, *, verify: bool, certificate: bool) -> ssl.SSLContext:
    """The client's side of TLS `version` ("1.2", "1.3"), which trusts the lab's authority only.

    Its key log goes to `key_log()`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    _authority().configure_trust(context)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _issued("valid", name).configure_cert(context)
    context.keylog_filename = str(_key_log_file())
    return context


@cache
def _key_log_file() -> Path:
    handle, name = tempfile.mkstemp(prefix="ehlo-twice-", suffix=".keys")
    os.close(handle)
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    return path


class _KeyLog:
    """The process's key log, read as it grows and sorted by the client's random."""

    def __init__(self) -> None:
        self._read = 0
        self._lines: dict[str, list[str]] = {}

    def take(self, client_random: bytes) -> tuple[str, ...]:
        with _key_log_file().open() as log:
            log.seek(self._read)
            for line in log:
                _, _, rest = line.partition(" ")
                self._lines.setdefault(rest[:64].lower(), []).append(line.strip())
            self._read = log.tell()
        return tuple(self._lines.pop(client_random.hex(), ()))


_key_log = _KeyLog()


def secrets(client_random: bytes) -> tuple[str, ...]:
    """The key log lines of the TLS connection that began with this client random."""
    return _key_log.take(client_random)


@lru_cache
def describe(der: bytes) -> Certificate:
    """What a certificate says: subject's common name, names, issuer, and from when to when."""
    found = x509.load_der_x509_certificate(der)
    try:
        names = tuple(
            str(name)
            for name in found.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value.get_values_for_type(x509.DNSName)
        )
    except x509.ExtensionNotFound:
        names = ()
    common = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return Certificate(
        subject=str(common[0].value) if common else (names[0] if names else "?"),
        names=names,
        issuer=found.issuer.rfc4514_string(),
        not_before=found.not_valid_before_utc.isoformat(),
        not_after=found.not_valid_after_utc.isoformat(),
    )
