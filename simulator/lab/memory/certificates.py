"""What `lab.certificates` gives, without OpenSSL: contexts, and throwaway certificates for them."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, cast

from simulator.lab.memory import tls
from simulator.lab.memory.x509 import Found, Key, issue, name
from simulator.session import Certificate
from simulator.smtp import address_in

from tlslite.utils.keyfactory import parsePEMKey  # isort: skip  (after `tls`, which prepares it)

_LONG = (
    datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(3000, 1, 1, tzinfo=datetime.UTC),
)

_secrets: dict[bytes, tuple[str, ...]] = {}


@cache
def _authority(which: str = "trusted") -> Key:
    title = name(O=f"ehlo-twice lab, {which}", OU=f"Testing CA #{os.urandom(6).hex()}")
    return issue(title, (), _LONG)


def authority_pem() -> bytes:
    """The certificate of the authority that the lab's clients trust."""
    return ssl.DER_cert_to_PEM_cert(_authority().der).encode()


@cache
def _issued(kind: str, host: str) -> Key:
    by, valid = _authority(), _LONG
    names: tuple[str, ...] = (str(address_in(host) or host),)
    common = host
    match kind:
        case "valid":
            pass
        case "many-names":
            names = (*names, *(f"mail.customer-{number}.example" for number in range(1, 61)))
        case "local":
            names = (host, "localhost")
        case "other-name":
            rest = host.partition(".")[2]
            common = f"other.{rest if rest and len(rest) < 248 else 'example.com'}"
            names = (common,)
        case "expired":
            now = datetime.datetime.now(datetime.UTC)
            day = datetime.timedelta(days=1)
            valid = (now - 90 * day, now - day)
        case "unknown-ca":
            by = _authority("unknown")
        case _:
            raise ValueError(f"no certificate of kind {kind!r}")
    # RFC 5280, appendix A: a common name holds 64 characters at most.
    title = name(
        O="ehlo-twice lab",
        OU=f"Testing cert #{os.urandom(8).hex()}",
        CN=common if len(common) <= 64 else None,
    )
    return issue(title, names, valid, by)


@cache
def _private(kind: str, host: str) -> Any:
    return parsePEMKey(_issued(kind, host).pem(), private=True, implementations=["python"])


def look(chain: Sequence[bytes], host: str | None) -> tls.Refusal | None:
    """What is wrong with a certificate, in the order in which OpenSSL finds it."""
    found = Found(chain[0])
    if not found.signed_by(_authority()):
        return tls.Refusal(20, "unable to get local issuer certificate", 48)
    if not found.start <= datetime.datetime.now(datetime.UTC) <= found.end:
        return tls.Refusal(10, "certificate has expired", 45)
    if host is not None and host.lower() not in map(str.lower, found.names):
        message = f"Hostname mismatch, certificate is not valid for '{host}'."
        return tls.Refusal(62, message, 42)
    return None


def _look_at_client(chain: Sequence[bytes], host: str | None) -> tls.Refusal | None:
    return look(chain, None)


@cache
def server_context(
    kind: str,
    name: str,
    *,
    asks_certificate: bool = False,
    versions: tuple[str, ...] = ("1.2", "1.3"),
) -> ssl.SSLContext:
    """The server's side of TLS in these `versions`, with a certificate of that kind for `name`.

    `by-name` is a kind for each client: that of another name, unless its ClientHello has `name`."""
    others = {}
    if kind == "by-name":
        kind = "other-name"
        others = {
            asked: server_context(of, name, asks_certificate=asks_certificate, versions=versions)
            for asked, of in (("localhost", "local"), (name.lower(), "valid"))
        }
    context = tls.Context(
        versions=versions or ("1.2", "1.3"),
        chain=[_issued(kind, name).der],
        key=_private(kind, name),
        by_name=cast("dict[str, tls.Context]", others),
        asks=asks_certificate,
        verify_mode=ssl.CERT_OPTIONAL if asks_certificate else ssl.CERT_NONE,
        look=_look_at_client if asks_certificate else None,
    )
    found = cast("ssl.SSLContext", context)
    _kinds[found] = kind
    return found


_kinds: dict[ssl.SSLContext, str] = {}


def kind_of(context: ssl.SSLContext) -> str:
    """The kind of certificate that a context of `server_context` shows."""
    return _kinds[context]


@cache
def client_context(
    version: str,
    name: str,
    *,
    verify: bool,
    certificate: bool,
    names_server: bool = True,
    protocols: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """The client's side of TLS `version` ("1.2", "1.3"), which trusts the lab's authority only.

    Where its ClientHello does not say which server it wants, it leaves the look at the name to who
    uses it. `protocols`: names that its ClientHello offers by ALPN."""
    context = tls.Context(
        versions=(version,),
        chain=[_issued("valid", name).der] if certificate else (),
        key=_private("valid", name) if certificate else None,
        verify_mode=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE,
        check_hostname=verify and names_server,
        look=look if verify else None,
        protocols=protocols,
        secrets=_secrets,
    )
    return cast("ssl.SSLContext", context)


def secrets(client_random: bytes) -> tuple[str, ...]:
    """The key log lines of the TLS connection that began with this client random, once."""
    return _secrets.pop(client_random, ())


def der(kind: str, name: str) -> bytes:
    """The server's certificate of that kind for `name`."""
    return _issued(kind, name).der


def shown(kind: str, name: str) -> Certificate:
    """What the server's certificate of that kind for `name` says."""
    return describe(der(kind, name))


@lru_cache
def describe(certificate: bytes) -> Certificate:
    """What a certificate says: subject's common name, names, issuer, and from when to when."""
    found = Found(certificate)
    return Certificate(
        subject=found.common_name() or (found.names[0] if found.names else "?"),
        names=found.names,
        issuer=found.said_issuer(),
        not_before=found.start.isoformat(),
        not_after=found.end.isoformat(),
    )
