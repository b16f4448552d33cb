"""TLS 1.2 and 1.3 in Python: as much of `ssl` as the lab and asyncio ask for, on tlslite-ng.

A `Context` whose `wrap_bio` gives an `Object`: asyncio's own TLS, aiosmtpd's STARTTLS and the lab's
wire ask no more. What tlslite-ng does not do is done here: looking at the certificate at its place
in the handshake, and the key log. Its private parts are used: its version is pinned.

Where the octets differ from OpenSSL's: the lengths of ClientHello and session tickets, and in
TLS 1.2 ChaCha20 is not offered.
"""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from simulator import ciphers

ciphers.prepare_tlslite()

from tlslite.constants import AlertDescription, AlertLevel, CipherSuite  # noqa: E402
from tlslite.errors import (  # noqa: E402
    BaseTLSException,
    TLSAbruptCloseError,
    TLSLocalAlert,
    TLSRemoteAlert,
)
from tlslite.handshakesettings import HandshakeSettings  # noqa: E402
from tlslite.messages import Alert  # noqa: E402
from tlslite.tlsconnection import TLSConnection  # noqa: E402
from tlslite.x509 import X509  # noqa: E402
from tlslite.x509certchain import X509CertChain  # noqa: E402

_NUMBERS = {"1.2": (3, 3), "1.3": (3, 4)}
_NAMES = {(3, 3): "TLSv1.2", (3, 4): "TLSv1.3"}
_RECORD_TYPES = (20, 21, 22, 23)
"""RFC 8446 §5.1."""

Secrets = MutableMapping[bytes, tuple[str, ...]]
"""Lines of the key log, by the client's random."""


class Refusal(NamedTuple):
    """Why a certificate is not accepted: OpenSSL's number and words, and the alert that says it."""

    code: int
    message: str
    alert: int


Look = Callable[[Sequence[bytes], str | None], Refusal | None]
"""Looks at a chain of certificates in DER, whose first should be for that name."""


class _NotTLS(Exception):
    """Plain text where a TLS record should stand."""


class _Ends:
    """Two `MemoryBIO`s that look like a socket that does not block."""

    def __init__(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._begun = False
        self.random = b""

    def recv(self, size: int) -> bytes:
        data = self._incoming.read(size) if self._incoming.pending else b""
        if not data:
            if self._incoming.eof:
                return b""
            raise BlockingIOError(errno.EWOULDBLOCK, "would block")
        if not self._begun:
            self._begun = True
            if data[0] not in _RECORD_TYPES:
                raise _NotTLS
        return data

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        data = bytes(data)
        # A client's first octets are its ClientHello, in which the random stands here.
        self.random = self.random or data[11:43]
        self._outgoing.write(data)

    def close(self) -> None:
        pass


class _Connection(TLSConnection):  # type: ignore[misc]
    """tlslite-ng's, which also looks at the certificate and keeps the secrets."""

    def __init__(
        self,
        ends: _Ends,
        look: Callable[[list[bytes]], Refusal | None] | None,
        choose: Callable[[str], Context],
    ) -> None:
        super().__init__(ends)
        self._look = look
        self._choose = choose
        self.refusal: Refusal | None = None
        self.kept: list[tuple[bytes, bytes]] = []
        record = self._recordLayer
        inner = record.calcTLS1_3PendingState

        def noted(suite: Any, client: Any, server: Any, implementations: Any) -> Any:
            self.kept.append((bytes(client), bytes(server)))
            return inner(suite, client, server, implementations)

        record.calcTLS1_3PendingState = noted

    def _check_certchain_with_settings(self, cert_chain: Any, settings: Any) -> Iterator[Any]:
        answer = None
        for result in super()._check_certchain_with_settings(cert_chain, settings):
            if result in (0, 1):
                yield result
            else:
                answer = result
        if self._look is not None:
            self.refusal = self._look([bytes(one.bytes) for one in cert_chain.x509List])
            if self.refusal is not None:
                yield from self._sendError(self.refusal.alert, self.refusal.message)
        yield answer

    def _server_select_certificate(
        self, settings: Any, client_hello: Any, suites: Any, chain: Any, key: Any, version: Any
    ) -> Any:
        context = self._choose(bytes(client_hello.server_name).decode("ascii", "replace"))
        return super()._server_select_certificate(
            settings, client_hello, suites, context.chain, context.key, version
        )

    def _queue_message(self, msg: Any) -> None:
        """Each message of the handshake in a record of its own, as OpenSSL writes them."""
        super()._queue_message(msg)
        if self.version > (3, 3):
            for _ in super()._queue_flush():
                pass

    def _queue_flush(self) -> Iterator[Any]:
        if self._buffer_content_type is not None:
            yield from super()._queue_flush()


class Context:
    """What the lab and asyncio ask of an `ssl.SSLContext`.

    `versions` are those it speaks. `chain` is its certificate in DER and `key` the private key, as
    tlslite-ng has it. `look` checks the other side's certificate; `asks`: it asks the client for
    one. A client that asks for a server in `by_name` sees the certificate of that context.
    `protocols` are offered by ALPN. What can be decrypted is put into `secrets`.
    """

    def __init__(
        self,
        *,
        versions: Sequence[str],
        chain: Sequence[bytes] = (),
        key: Any = None,
        look: Look | None = None,
        verify_mode: ssl.VerifyMode = ssl.CERT_NONE,
        check_hostname: bool = False,
        asks: bool = False,
        protocols: Sequence[str] = (),
        by_name: Mapping[str, Context] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self.verify_mode = verify_mode
        self.check_hostname = check_hostname
        self.asks = asks
        self.look = look
        self.key = key
        self.protocols = [bytearray(name.encode()) for name in protocols]
        self.by_name = by_name or {}
        self.secrets = secrets
        self.chain = X509CertChain([_certificate(der) for der in chain]) if chain else None
        self.settings = _settings(sorted(versions))

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: object = None,
    ) -> Object:
        """One connection, whose octets go through those two; it may resume a TLS session."""
        return Object(self, incoming, outgoing, server_side, server_hostname, session)


def _certificate(der: bytes) -> Any:
    found = X509()
    found.parseBinary(bytearray(der))
    return found


def _settings(versions: Sequence[str]) -> Any:
    """What OpenSSL offers and chooses, as far as tlslite-ng can be told."""
    found = HandshakeSettings()
    found.minVersion, found.maxVersion = _NUMBERS[versions[0]], _NUMBERS[versions[-1]]
    found.cipherNames = ["aes256gcm", "chacha20-poly1305", "aes128gcm"]
    if versions == ["1.2"]:
        # It would offer that first, and the server take it.
        found.cipherNames.remove("chacha20-poly1305")
    found.keyExchangeNames = ["ecdhe_ecdsa", "ecdhe_rsa"]
    found.eccCurves = ["x25519", "secp256r1", "secp384r1"]
    found.keyShares = ["x25519"]
    found.defaultCurve = "x25519"
    found.dhGroups = []
    found.more_sig_schemes = []
    found.ecdsaSigHashes = found.rsaSigHashes = ["sha256", "sha384", "sha512"]
    found.dsaSigHashes = []
    found.use_heartbeat_extension = found.usePaddingExtension = False
    found.certificate_compression_send = []
    found.certificate_compression_receive = []
    found.record_size_limit = None
    found.ec_point_formats = found.ec_point_formats[-1:]
    found.cipherImplementations = ["python"]
    # A server with such a key gives tickets, as OpenSSL does.
    found.ticketKeys = [bytearray(os.urandom(32))]
    return found


class Object:
    """What the lab and asyncio ask of an `ssl.SSLObject`. What it raises is what `ssl` raises."""

    def __init__(
        self,
        context: Context,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,
        name: str | None,
        resumed: Any = None,
    ) -> None:
        self.context = context
        self._resumed = resumed
        self.server_side = server_side
        self.server_hostname = name
        self._ends = _Ends(incoming, outgoing)
        look = context.look
        self._inner = _Connection(
            self._ends, None if look is None else lambda c: look(c, name), self._choose
        )
        self._inner.closeSocket = True
        self._inner.ignoreAbruptClose = True
        self._shaking: Iterator[Any] | None = None
        self._reading: Iterator[Any] | None = None
        self._plain = bytearray()
        self._version: str | None = None
        self._suite = 0
        self._said_goodbye = False
        self._peer: bytes | None = None

    def _choose(self, asked: str) -> Context:
        self.context = self.context.by_name.get(asked.lower(), self.context)
        return self.context

    def do_handshake(self) -> None:
        """Go on with the handshake as far as what has arrived allows."""
        inner, context = self._inner, self.context
        if self._shaking is None:
            if self.server_side:
                self._shaking = inner.handshakeServerAsync(
                    certChain=context.chain,
                    privateKey=context.key,
                    reqCert=context.asks,
                    settings=context.settings,
                )
            else:
                self._shaking = inner.handshakeClientCert(
                    certChain=context.chain,
                    privateKey=context.key,
                    session=self._resumed,
                    settings=context.settings,
                    serverName=self.server_hostname,
                    alpn=context.protocols or None,
                    async_=True,
                )
        assert self._shaking is not None
        try:
            for wanted in self._shaking:
                if wanted == 0:
                    raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "want read")
        except (BaseTLSException, _NotTLS) as problem:
            self._keep()
            raise _told(problem, inner) from None
        session = inner.session
        self._version = _NAMES.get(inner.version)
        self._suite = session.cipherSuite
        chain = session.clientCertChain if self.server_side else session.serverCertChain
        self._peer = bytes(chain.x509List[0].bytes) if chain else None
        self._keep()

    def _keep(self) -> None:
        """The key log (RFC 9850): what OpenSSL writes, as far as the handshake came."""
        secrets, inner, random = self.context.secrets, self._inner, self._ends.random
        if secrets is None:
            return
        lines = []
        kinds = ("HANDSHAKE_TRAFFIC_SECRET", "TRAFFIC_SECRET_0")
        for (client, server), kind in zip(inner.kept, kinds, strict=False):
            lines.append(f"SERVER_{kind} {random.hex()} {server.hex()}")
            if self._version is not None:
                lines.append(f"CLIENT_{kind} {random.hex()} {client.hex()}")
        session = inner.session
        if session and session.exporterMasterSecret:
            exporter = bytes(session.exporterMasterSecret).hex()
            lines.append(f"EXPORTER_SECRET {random.hex()} {exporter}")
        elif session and session.masterSecret and not inner.kept:
            lines.append(f"CLIENT_RANDOM {random.hex()} {bytes(session.masterSecret).hex()}")
        secrets[random] = tuple(lines)

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        """Plain text, or with a buffer the number of octets that were put into it."""
        if buffer is not None:
            size = min(size or len(buffer), len(buffer))
        if not self._plain:
            self._fill()
        data = bytes(self._plain[:size])
        del self._plain[:size]
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def _fill(self) -> None:
        if self._reading is None:
            if self._inner.closed:
                return
            self._reading = self._inner.readAsync()
        assert self._reading is not None
        try:
            for result in self._reading:
                if isinstance(result, int):
                    raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "want read")
                self._plain += result
        except BaseTLSException as problem:
            self._reading = None
            raise _told(problem, self._inner) from None
        self._reading = None

    def write(self, data: bytes) -> int:
        """Send plain text."""
        try:
            for _ in self._inner.writeAsync(bytes(data)):
                pass
        except BaseTLSException as problem:
            raise _told(problem, self._inner) from None
        return len(data)

    def unwrap(self) -> None:
        """Send close_notify; done when the other side's has come."""
        inner = self._inner
        if inner.closed:
            return
        if not self._said_goodbye:
            self._said_goodbye = True
            goodbye = Alert().create(AlertDescription.close_notify, AlertLevel.warning)
            for _ in inner._sendMsg(goodbye):
                pass
        while not inner.closed:
            self._fill()

    def pending(self) -> int:
        """Octets that can be read at once."""
        return len(self._plain)

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The other side's certificate in DER; else whether it was checked (not empty) or not."""
        if self._version is None:
            raise ValueError("handshake not done yet")
        if binary_form or self._peer is None:
            return self._peer
        return {} if self.context.verify_mode == ssl.CERT_NONE else {"subject": ()}

    @property
    def session_reused(self) -> bool:
        """Did the handshake resume an earlier session?"""
        return bool(self._inner.resumed)

    @property
    def session(self) -> Any:
        """What another connection may resume, if a ticket came."""
        found = self._inner.session
        return found if found is not None and found.valid() else None

    def cipher(self) -> tuple[str, str, int] | None:
        """Name of the cipher suite as OpenSSL has it, version, and bits."""
        if self._version is None:
            return None
        return _suite(CipherSuite.ietfNames[self._suite]), self._version, 256

    def version(self) -> str | None:
        """`TLSv1.2` or `TLSv1.3`, once there is TLS."""
        return self._version

    def compression(self) -> None:
        """There is none."""

    def selected_alpn_protocol(self) -> None:
        """There is none."""


def _suite(name: str) -> str:
    """OpenSSL's name for a suite of TLS 1.2; those of TLS 1.3 are called the same."""
    if "_WITH_" not in name:
        return name
    exchange, _, cipher = name.removeprefix("TLS_").partition("_WITH_")
    cipher = cipher.replace("AES_256", "AES256").replace("AES_128", "AES128").replace("_", "-")
    cipher = cipher.replace("CHACHA20-POLY1305-SHA256", "CHACHA20-POLY1305")
    return f"{exchange.replace('_', '-')}-{cipher}"


def _told(problem: Exception, inner: _Connection) -> ssl.SSLError:
    """What `ssl` would raise."""
    if (refusal := inner.refusal) is not None:
        words = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {refusal.message}"
        refused = ssl.SSLCertVerificationError(1, words)
        refused.verify_code, refused.verify_message = refusal.code, refusal.message
        refused.reason = "CERTIFICATE_VERIFY_FAILED"
        return refused
    if isinstance(problem, TLSAbruptCloseError):
        ended = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
        ended.reason = "UNEXPECTED_EOF"
        return ended
    if isinstance(problem, _NotTLS):
        reason = "WRONG_VERSION_NUMBER"
    elif isinstance(problem, TLSRemoteAlert):
        number = problem.description
        word = AlertDescription.toStr(number).upper()
        reason = f"{'SSLV3' if number in range(10, 48) else 'TLSV1'}_ALERT_{word}"
    elif isinstance(problem, TLSLocalAlert):
        reason = AlertDescription.toStr(problem.description).upper()
        if problem.description == AlertDescription.protocol_version:
            reason = "UNSUPPORTED_PROTOCOL"
    else:
        reason = f"{type(problem).__name__}: {problem}".upper()
    told = ssl.SSLError(1, f"[SSL: {reason}] {problem}")
    told.reason = reason
    return told
