"""Throwaway certificates: an authority that lives as long as the process, and what it signs.

ECDSA keys, because they cost a fraction of a millisecond. OpenSSL writes its key log to a file;
that file has no name, so that nothing of it is left however the process ends.
"""

from __future__ import annotations

import atexit
import datetime
import os
import ssl
import tempfile
import threading
from collections.abc import Callable
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import trustme
from cryptography import x509

from simulator.session import Certificate
from simulator.smtp import address_in

P = ParamSpec("P")
T = TypeVar("T")

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

_lock = threading.RLock()


def _once(make: Callable[P, T]) -> Callable[P, T]:
    """Like `functools.cache`, but two threads that ask at the same time get the same thing."""
    cached = cache(make)

    @wraps(make)
    def locked(*args: P.args, **kwargs: P.kwargs) -> T:
        with _lock:
            return cached(*args, **kwargs)  # type: ignore[arg-type]

    return locked


@_once
def _authority(name: str = "trusted") -> trustme.CA:
    return trustme.CA(organization_name=f"ehlo-twice lab, {name}", key_type=trustme.KeyType.ECDSA)


def _common(name: str) -> str | None:
    """A common name holds 64 characters at most (RFC 5280, appendix A); longer ones do without."""
    return name if len(name) <= 64 else None


def authority_pem() -> bytes:
    """The certificate of the authority that the lab's clients trust, for a client not ours."""
    return _authority().cert_pem.bytes()


@_once
def _issued(kind: str, name: str) -> trustme.LeafCert:
    ecdsa = trustme.KeyType.ECDSA
    now = datetime.datetime.now(datetime.UTC)
    match kind:
        case "valid":
            carried = str(address_in(name) or name)
            return _authority().issue_cert(carried, common_name=_common(name), key_type=ecdsa)
        case "many-names":
            carried = str(address_in(name) or name)
            # As many as make it larger than a packet.
            names = (carried, *(f"mail.customer-{number}.example" for number in range(1, 61)))
            return _authority().issue_cert(*names, common_name=_common(name), key_type=ecdsa)
        case "local":
            # What a client not ours may have been told to connect to.
            local = (name, "localhost", "127.0.0.1", "::1")
            return _authority().issue_cert(*local, common_name=_common(name), key_type=ecdsa)
        case "other-name":
            rest = name.partition(".")[2]
            other = f"other.{rest if rest and len(rest) < 248 else 'example.com'}"
            return _authority().issue_cert(other, common_name=_common(other), key_type=ecdsa)
        case "expired":
            return _authority().issue_cert(
                name,
                common_name=_common(name),
                not_before=now - datetime.timedelta(days=90),
                not_after=now - datetime.timedelta(days=1),
                key_type=ecdsa,
            )
        case "unknown-ca":
            return _authority("unknown").issue_cert(name, common_name=_common(name), key_type=ecdsa)
    raise ValueError(f"no certificate of kind {kind!r}")


@_once
def server_context(
    kind: str,
    name: str,
    *,
    asks_certificate: bool = False,
    versions: tuple[str, ...] = ("1.2", "1.3"),
    logged: bool = False,
) -> ssl.SSLContext:
    """The server's side of TLS in these `versions`, with a certificate of that kind for `name`.

    `by-name` is a kind for each client: that of another name, unless its ClientHello has `name`.
    Beside those of a policy there is `local`: valid, and also for what loopback is called.
    `logged`: the secrets of its connections can be had from `secrets`, too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    spoken = sorted(_VERSIONS[version] for version in versions)
    if spoken:
        context.minimum_version, context.maximum_version = spoken[0], spoken[-1]
    shown = "other-name" if kind == "by-name" else kind
    _issued(shown, name).configure_cert(context)
    _kinds[context] = shown
    if kind == "by-name":
        _choose_by_name(
            context,
            {
                asked: server_context(
                    of, name, asks_certificate=asks_certificate, versions=versions, logged=logged
                )
                for asked, of in (("localhost", "local"), (name.lower(), "valid"))
            },
        )
    if asks_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL
        _authority().configure_trust(context)
    if logged:
        _key_logs.append(_KeyLog(context))
    return context


def _choose_by_name(context: ssl.SSLContext, others: dict[str, ssl.SSLContext]) -> None:
    def choose(begun: ssl.SSLObject, asked: str | None, _: ssl.SSLContext) -> None:
        if asked and asked.lower() in others:
            begun.context = others[asked.lower()]

    context.sni_callback = choose


_kinds: dict[ssl.SSLContext, str] = {}


def kind_of(context: ssl.SSLContext) -> str:
    """The kind of certificate that a context of `server_context` shows."""
    return _kinds[context]


@_once
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
    uses it. `protocols`: names that its ClientHello offers by ALPN. Its secrets can be had from
    `secrets`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    _authority().configure_trust(context)
    context.check_hostname = verify and names_server
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _issued("valid", name).configure_cert(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    _key_logs.append(_KeyLog(context))
    return context


def probe_context(version: str, authority: str, *, verify: bool) -> ssl.SSLContext:
    """The client's side of TLS towards a server not ours: `version` is the one it speaks, or empty.

    What it trusts is what the system does, or the `authority` in that PEM file.
    Raises OSError (`ssl.SSLError` too) where that holds none.
    """
    context = ssl.create_default_context(cafile=authority or None)
    if version:
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with _lock:
        _key_logs.append(_KeyLog(context))
    return context


_LOGGED = 1024 * 1024
"""Octets of a key log, all of them read, after which the file begins anew."""


class _KeyLog:
    """A context's key log: a file that OpenSSL appends to, read as it grows, and sorted by the
    client's random.

    Its name is taken away before anything is written but a heading. Windows keeps the name of a
    file that is open: there the file is removed when the process ends in order.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._file, name = tempfile.mkstemp(prefix="ehlo-twice-", suffix=".keys")
        self._read = 0
        self._lines: dict[str, list[str]] = {}
        try:
            context.keylog_filename = name
        finally:
            self._unname(name)

    def _unname(self, name: str) -> None:
        try:
            Path(name).unlink()
        except PermissionError:
            atexit.register(self._remove, name)

    def _remove(self, name: str) -> None:
        os.close(self._file)
        Path(name).unlink(missing_ok=True)

    def take(self, client_random: str) -> tuple[str, ...]:
        """The lines of one connection, once."""
        os.lseek(self._file, self._read, os.SEEK_SET)
        fresh = os.read(self._file, os.fstat(self._file).st_size - self._read)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode("ascii").splitlines():
            _, _, rest = line.partition(" ")
            self._lines.setdefault(rest[:64].lower(), []).append(line)
        if os.fstat(self._file).st_size == self._read > _LOGGED:
            os.ftruncate(self._file, 0)
            self._read = 0
        return tuple(self._lines.pop(client_random, ()))


_key_logs: list[_KeyLog] = []


def secrets(client_random: bytes) -> tuple[str, ...]:
    """The key log lines of the TLS connection that began with this client random."""
    with _lock:
        return tuple(line for log in _key_logs for line in log.take(client_random.hex()))


def der(kind: str, name: str) -> bytes:
    """The server's certificate of that kind for `name`."""
    pem = _issued(kind, name).cert_chain_pems[0].bytes().decode("ascii")
    return ssl.PEM_cert_to_DER_cert(pem)


@_once
def shown(kind: str, name: str) -> Certificate:
    """What the server's certificate of that kind for `name` says."""
    return describe(der(kind, name))


@lru_cache
def describe(certificate: bytes) -> Certificate:
    """What a certificate says: subject's common name, names, issuer, and from when to when."""
    found = x509.load_der_x509_certificate(certificate)
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
