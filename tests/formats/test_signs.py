"""What the libraries of TLS say when a handshake fails, each by its own words."""

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.reading import signs

SENTENCES = [
    # OpenSSL, the alerts by their numbers (RFC 9846 appendix B.2)
    ("error:0A000410:SSL routines::sslv3 alert handshake failure:SSL alert number 40", "cipher"),
    ("error:0A000412:SSL routines::sslv3 alert bad certificate:SSL alert number 42", "certificate"),
    ("sslv3 alert unsupported certificate:SSL alert number 43", "certificate"),
    ("sslv3 alert certificate revoked:SSL alert number 44", "certificate"),
    ("sslv3 alert certificate expired:SSL alert number 45", "expired"),
    ("sslv3 alert certificate unknown:s3_pkt.c:1493:SSL alert number 46", "certificate"),
    ("SSL3_READ_BYTES:tlsv1 alert unknown ca:s3_pkt.c:1256:SSL alert number 48", "unknown-ca"),
    ("tlsv1 alert decode error:SSL alert number 50", "alert"),
    ("tlsv1 alert decrypt error:SSL alert number 51", "alert"),
    ("tlsv1 alert protocol version:SSL alert number 70", "version"),
    ("tlsv1 alert insufficient security:SSL alert number 71", "cipher"),
    ("tlsv1 alert internal error:SSL alert number 80", "alert"),
    ("tlsv1 alert inappropriate fallback:SSL alert number 86", "version"),
    ("tlsv1 unrecognized name:SSL alert number 112", "alert"),
    ("tlsv13 alert certificate required:SSL alert number 116", "no-certificate"),
    # OpenSSL, its own words
    ("tls_post_process_client_hello:no shared cipher", "cipher"),
    ("SSL23_CLIENT_HELLO:no protocols available", "own"),
    ("error:0A0000BF:SSL routines::no protocols available", "own"),
    ("error:0A000102:SSL routines::unsupported protocol", "version"),
    ("tls_process_client_hello:version too low", "version"),
    ("SSL23_GET_CLIENT_HELLO:unknown protocol:s23_srvr.c:647", "other"),
    ("SSL23_GET_SERVER_HELLO:unknown protocol:s23_clnt.c:794", "not-tls"),
    ("ssl3_get_record:wrong version number", "not-tls"),
    ("error:0A00009C:SSL routines::http request", "not-tls"),
    ("SSL routines::unexpected eof while reading", "cut"),
    ("tls_process_client_certificate:peer did not return a certificate", "no-certificate"),
    ("error:0A00018F:SSL routines::ee key too small", "key"),
    ("SSL routines::no suitable signature algorithm", "key"),
    ("[SSL: CERTIFICATE_VERIFY_FAILED] verify failed: Hostname mismatch", "name-mismatch"),
    ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1007)", "not-tls"),
    # GnuTLS
    ("gnutls_handshake: An unexpected TLS packet was received.", "not-tls"),
    ("gnutls_handshake: The TLS connection was non-properly terminated.", "cut"),
    ("gnutls_handshake: A TLS packet with unexpected length was received.", "cut"),
    ("TLS certificate verification failed: certificate 2 of 4 has expired", "expired"),
    ("gnutls_handshake: No supported cipher suites have been found.", "own"),
    ("gnutls_handshake: A packet with illegal or unsupported version was received.", "version"),
    ("(gnutls_handshake): A TLS fatal alert has been received.", "alert"),
    # NSS
    ("SSL_ERROR_RX_RECORD_TOO_LONG", "not-tls"),
    ("Cannot communicate securely with peer: no common encryption algorithm(s).", "cipher"),
    ("Peer's certificate issuer is not recognized.", "unknown-ca"),
    # mbedTLS
    ("ERROR: SSL - An invalid SSL record was received", "not-tls"),
    ("SSL - The server has no ciphersuites in common with the client", "cipher"),
    # Schannel and .NET
    ("SEC_E_UNTRUSTED_ROOT (0x80090325)", "unknown-ca"),
    ("SEC_E_INVALID_TOKEN (0x80090308)", "not-tls"),
    ("because they do not possess a common algorithm", "cipher"),
    ("Cannot determine the frame size or a corrupted frame was received.", "not-tls"),
    ("AuthenticationException: RemoteCertificateChainErrors", "unknown-ca"),
    # Java
    ("SSLHandshakeException: Received fatal alert: handshake_failure", "cipher"),
    ("SSLHandshakeException: PKIX path building failed", "unknown-ca"),
    ("SSLHandshakeException: No appropriate protocol (protocol is disabled)", "own"),
    ("SSLHandshakeException: no cipher suites in common", "cipher"),
    ("SSLException: Unrecognized SSL message, plaintext connection?", "not-tls"),
    ("SSLHandshakeException: Remote host terminated the handshake", "cut"),
    ("CertificateException: No name matching mx.example.net found", "name-mismatch"),
    # Go
    ("remote error: tls: bad certificate", "certificate"),
    ("remote error: tls: handshake failure", "cipher"),
    ("remote error: tls: unknown certificate authority", "unknown-ca"),
    ("remote error: tls: expired certificate", "expired"),
    ("tls: first record does not look like a TLS handshake", "not-tls"),
    ("tls: unsupported SSLv2 handshake received", "old-hello"),
    ("x509: certificate signed by unknown authority", "unknown-ca"),
    ("x509: failed to load system roots and no roots provided", "unknown-ca"),
    ("x509: certificate relies on legacy Common Name field, use SANs instead", "name-mismatch"),
    # rustls
    ("invalid peer certificate: UnknownIssuer", "unknown-ca"),
    ("TLS: received corrupt message of type InvalidContentType", "not-tls"),
    ("received fatal alert: HandshakeFailure", "cipher"),
    ("received fatal alert: UnknownCA", "unknown-ca"),
    ("received fatal alert: CertificateExpired", "expired"),
    ("received fatal alert: BadCertificate", "certificate"),
    ("received fatal alert: CertificateUnknown", "certificate"),
    ("received fatal alert: CertificateRequired", "no-certificate"),
    ("received fatal alert: ProtocolVersion", "version"),
    ("received fatal alert: InsufficientSecurity", "cipher"),
    ("received fatal alert: InternalError", "alert"),
    ("AlertMessagePayload { level: Fatal, description: BadCertificate }", "certificate"),
    ("invalid peer certificate: Expired", "expired"),
    ("invalid peer certificate: NotValidForName", "name-mismatch"),
    ('invalid peer certificate: certificate not valid for name "mx.example.net"', "name-mismatch"),
    ("invalid peer certificate: BadSignature", "certificate"),
    ('TLS handshake error: reason = "unexpected error: incompatible signing key"', "key"),
    ("x509: certificate is valid for 4f0e2b, not mx.example.net", "name-mismatch"),
    ("x509: certificate is not valid for any names, but wanted to match mx", "name-mismatch"),
    # Node
    ("Error: self-signed certificate, code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", "unknown-ca"),
    ("Error [ERR_TLS_CERT_ALTNAME_INVALID]", "name-mismatch"),
    # PHP
    ("stream_socket_enable_crypto(): SSL: Broken pipe", "cut"),
    ("stream_socket_enable_crypto(): SSL: Connection reset by peer", "cut"),
    # Qt
    ("The issuer certificate of a locally looked up certificate could not be found", "unknown-ca"),
    ("The issuer certificate could not be found", "unknown-ca"),
    ("The root CA certificate is not trusted for this purpose", "unknown-ca"),
    ("The certificate is not yet valid", "expired"),
    # Erlang
    ('{tls_alert,{unknown_ca,"received CLIENT ALERT: Fatal - Unknown CA"}}', "unknown-ca"),
    ('{tls_alert,{handshake_failure,"received SERVER ALERT"}}', "cipher"),
    ("{bad_cert,hostname_check_failed}", "name-mismatch"),
    (("TLS client: In state certify at ssl_handshake.erl:2125 generated CLIENT ALERT: Fatal - "
     "Unknown CA"), "unknown-ca"),
    ("TLS server: In state certify received CLIENT ALERT: Fatal - Unknown CA", "unknown-ca"),
    (("TLS server: In state certify at ssl_handshake.erl:1887 generated SERVER ALERT: Fatal - "
     "Unknown CA"), "no-certificate"),
    ("TLS :client: In state :connection received SERVER ALERT: Fatal - Certificate required",
     "no-certificate"),
    ("TLS client: In state cipher received SERVER ALERT: Fatal - Certificate Revoked",
     "no-certificate"),
    ("TLS server: In state wait_finished received CLIENT ALERT: Fatal - Certificate Unknown",
     "certificate"),
    ("TLS client: In state hello received SERVER ALERT: Fatal - Handshake Failure", "cipher"),
    ("TLS client: In state hello received SERVER ALERT: Fatal - Protocol Version", "version"),
    ("TLS client: In state wait_sh received SERVER ALERT: Fatal - Internal Error", "alert"),
    (("TLS server: In state certify at ssl_handshake.erl:1289 generated SERVER ALERT: Fatal - "
     "Handshake Failure - {bad_cert,invalid_ext_key_usage}"), "no-certificate"),
    (("TLS client: In state certify at ssl_handshake.erl:1289 generated CLIENT ALERT: Fatal - "
     "Handshake Failure - {bad_cert,invalid_ext_key_usage}"), "certificate"),
    # curl
    ("* TLSv1.3 (OUT), TLS alert, unknown CA (560):", "unknown-ca"),
    ("* TLSv1.3 (IN), TLS alert, unknown CA (560):", "no-certificate"),
    # Postfix
    ("SSL_connect error to mx.example.org[198.51.100.21]:25: Connection timed out", "timeout"),
    ("SSL_accept error from unknown[192.0.2.7]: lost connection", "cut"),
    ("SSL_accept error from unknown[192.0.2.7]: Connection reset by peer", "cut"),
    ("Cannot start TLS: handshake failure", "other"),
    # OpenSMTPD
    ("smtp-accept:SSL_accept: error:0800007D:elliptic curve routines::missing private key", "key"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "error"), SENTENCES)
def test_the_error_that_a_sentence_tells_of(sentence: str, error: str) -> None:
    assert signs.failure(sentence)
    assert signs.error(sentence) == error


@pytest.mark.parametrize(
    "sentence",
    [
        "530 5.7.0 Must issue a STARTTLS command first",
        "5.7.0 Must issue a STARTTLS command first (Code: 530) in rcube_smtp.php",
        "451 5.7.3 STARTTLS is required to send mail",
    ],
)
def test_who_wants_starttls_has_not_refused_it(sentence: str) -> None:
    assert signs.read(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "SSL_connect:SSLv3/TLS read server certificate",
        "SSL_connect:SSLv3\\/TLS read server session ticket",
        "SSL_accept:before SSL initialization",
        "TLS error on connection (recv): The TLS connection was non-properly terminated.",
        "TLS error on connection from mx.example.org [192.0.2.9] (send): Connection reset by peer",
        "140:error:8000006F:system library:BIO_connect:Connection refused:bio_sock2.c:114:",
        "connect:errno=111",
    ],
)
def test_no_handshake_failed_in_its_steps_at_its_end_or_without_a_connection(sentence: str) -> None:
    assert not signs.failure(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        'level=error msg="Get \\"https://hooks.example/x\\": x509: certificate is valid for a"',
        "fatal: unable to access 'https://code.example/x': SSL certificate problem: self signed",
        "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed>",
    ],
)
def test_a_failure_of_https_is_none_of_smtp(sentence: str) -> None:
    assert not signs.failure(sentence)
    assert signs.read(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "certificate verification failed for mx.example.net[192.0.2.7]:25: self-signed",
        "to=<a@example.net>, dsn=4.7.5, status=deferred (Server certificate not trusted)",
        "STARTTLS: TLS cert verify: depth=0 /CN=Test, state=0, reason=self-signed certificate",
        "H=mx [192.0.2.7] TLS certificate verify failure (certificate invalid) overridden",
        "warning: certificate verification failed: self signed certificate (ignored)",
    ],
)
def test_who_judges_the_certificate_afterwards_or_goes_on_had_a_handshake(sentence: str) -> None:
    assert not signs.failure(sentence)
    assert signs.read(sentence) is None


def test_who_only_begins_tls_has_not_established_it() -> None:
    assert signs.read("debug: session_start_ssl: switching to SSL") is None


def test_a_step_that_failed_is_a_failure() -> None:
    assert signs.failure("SSL_connect:error in SSLv3/TLS read server hello")


@pytest.mark.parametrize("name", ["mail.example", "timeout250.refused.example", "reset.example"])
def test_what_a_host_is_called_tells_nothing(name: str) -> None:
    log = f"""\
Nov 25 10:00:00 mx postfix/smtpd[91]: connect from {name}[203.0.113.9]
Nov 25 10:00:00 mx postfix/smtpd[91]: SSL_accept error from {name}[203.0.113.9]: -1
Nov 25 10:00:01 mx postfix/smtpd[91]: lost connection after STARTTLS from {name}[203.0.113.9]
Nov 25 10:00:01 mx postfix/smtpd[91]: disconnect from {name}[203.0.113.9] ehlo=1 starttls=0/1
"""
    (session,) = formats.read(log)
    verdict = explain(session).verdict
    assert [(cause.id, cause.degree) for cause in verdict.causes] == [("handshake-cut", "certain")]
    exim = f"2026-02-02 10:00:00 TLS error on connection from {name} [203.0.113.9] (SSL_accept): x"
    assert signs.error(exim) == "other"
    assert signs.error("Connection reset [203.0.113.9]") == signs.error("Connection reset")
