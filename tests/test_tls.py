"""What can be read of TLS without a secret: against real handshakes, and against any bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from simulator import tls
from simulator.lab import certificates
from simulator.session import Handshake, Session, Side
from simulator.tls import Field
from tests.recording import SERVER, record

SESSIONS = {
    "1.3": record(),
    "1.2": record("TLSv1_2"),
    "1.2 with a client certificate": record("TLSv1_2", client_certificate=True),
    "1.2 with RSA keys": record("TLSv1_2", ciphers="AES128-GCM-SHA256:@SECLEVEL=0", rsa=True),
    "1.2 with CBC": record("TLSv1_2", ciphers="ECDHE-ECDSA-AES128-SHA256"),
    "1.2 with ChaCha20": record("TLSv1_2", ciphers="ECDHE-ECDSA-CHACHA20-POLY1305"),
    "1.3 with a retry": record(curve="secp384r1"),
    "1.3 that fails": record(trusted=False),
    "1.2 that fails": record("TLSv1_2", trusted=False),
    "implicit": record(implicit=True),
}
SIDES: tuple[Side, ...] = ("client", "server")


def start_of_tls(session: Session, to: Side) -> int:
    handshake = next(event for event in session.events if isinstance(event, Handshake))
    return min(span.start for span in handshake.wire if span.to == to)


def read(session: Session, to: Side) -> tuple[bytes, list[Field]]:
    agreed = tls.agreement(session.stream("client"), start_of_tls(session, "client"))
    stream = session.stream(to)
    return stream, tls.fields(stream, start_of_tls(session, to), agreed=agreed)


def values(found: Sequence[Field], name: str) -> list[str]:
    return [field.value for field in found if field.name == name]


def names(found: Sequence[Field], depth: int) -> list[str]:
    return [field.name for field in found if field.depth == depth]


def assert_each_octet_is_named_once(found: Sequence[Field], start: int, end: int) -> None:
    """Fields of one depth below one field cover it from its first octet to its last."""
    reached = {0: start}
    ends = {-1: end}
    for place, field in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        assert field.start == reached[field.depth], field
        assert field.start < field.end <= ends[field.depth - 1], field
        reached[field.depth] = field.end
        reached[field.depth + 1] = field.start
        ends[field.depth] = field.end
        upto = after.depth if after else 0
        assert upto <= field.depth + 1
        for depth in range(field.depth, upto, -1):
            assert reached[depth] == ends[depth - 1], field
    if found:
        assert reached[0] == end
    else:
        assert start == end


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("to", SIDES)
def test_names_each_octet_of_a_real_session(name: str, to: Side) -> None:
    session = SESSIONS[name]
    stream, found = read(session, to)
    assert_each_octet_is_named_once(found, start_of_tls(session, to), len(stream))
    assert not [field for field in found if field.name in ("unread", "not_tls")]


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("to", SIDES)
def test_agrees_with_the_fast_reader(name: str, to: Side) -> None:
    stream, found = read(SESSIONS[name], to)
    start = start_of_tls(SESSIONS[name], to)
    read_fast = tls.records(stream, start)
    assert [(r.start, r.end, r.name) for r in read_fast] == [
        (f.start, f.end, f.name) for f in found if f.depth == 0
    ]
    messages = [message for r in read_fast for message in r.messages if r.type == 22]
    assert messages == values(found, "msg_type")


def test_client_hello() -> None:
    _, found = read(SESSIONS["1.3"], "server")
    assert values(found, "host_name") == [SERVER]
    assert values(found, "supported_version") == ["TLS 1.3"]
    assert "TLS_AES_128_GCM_SHA256" in values(found, "cipher_suite")
    assert "x25519" in values(found, "named_group")
    assert "ecdsa_secp256r1_sha256" in values(found, "signature_scheme")
    assert "x25519" in values(found, "group")
    assert {"server_name", "key_share", "supported_versions"} < set(values(found, "extension"))


@pytest.mark.parametrize(
    ("name", "client", "server"),
    [
        (
            "1.2",
            ["ClientHello", "ClientKeyExchange"],
            ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone",
             "NewSessionTicket"],
        ),
        (
            "1.2 with a client certificate",
            ["ClientHello", "Certificate", "ClientKeyExchange", "CertificateVerify"],
            ["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest",
             "ServerHelloDone", "NewSessionTicket"],
        ),
        (
            "1.2 with RSA keys",
            ["ClientHello", "ClientKeyExchange"],
            ["ServerHello", "Certificate", "ServerHelloDone", "NewSessionTicket"],
        ),
        ("1.3", ["ClientHello"], ["ServerHello"]),
        ("1.3 with a retry", ["ClientHello", "ClientHello"], ["HelloRetryRequest", "ServerHello"]),
    ],
)  # fmt: skip
def test_messages_in_the_clear(name: str, client: list[str], server: list[str]) -> None:
    assert values(read(SESSIONS[name], "server")[1], "msg_type") == client
    assert values(read(SESSIONS[name], "client")[1], "msg_type") == server


@pytest.mark.parametrize(
    ("name", "version", "suite"),
    [
        ("1.3", tls.TLS_1_3, "TLS_AES_256_GCM_SHA384"),
        ("1.3 with a retry", tls.TLS_1_3, "TLS_AES_256_GCM_SHA384"),
        ("1.2 with CBC", tls.TLS_1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    ],
)
def test_what_was_agreed(name: str, version: int, suite: str) -> None:
    session = SESSIONS[name]
    agreed = tls.agreement(session.stream("client"), start_of_tls(session, "client"))
    assert agreed
    assert (agreed.version, agreed.suite_name) == (version, suite)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("1.3", ["ciphertext", "tag"]),
        ("1.2", ["nonce", "ciphertext", "tag"]),
        ("1.2 with ChaCha20", ["ciphertext", "tag"]),
        ("1.2 with CBC", ["ciphertext"]),
    ],
)
def test_parts_of_an_encrypted_record(name: str, parts: list[str]) -> None:
    session = SESSIONS[name]
    _, found = read(session, "server")
    last = max(place for place, field in enumerate(found) if field.depth == 0)
    assert names(found[last:], 1) == ["content_type", "record_version", "record_length", *parts]


@pytest.mark.parametrize("name", ["1.3", "1.2", "1.2 with ChaCha20"])
def test_length_of_what_is_encrypted(name: str) -> None:
    session = SESSIONS[name]
    stream = session.stream("server")
    agreed = tls.agreement(session.stream("client"), start_of_tls(session, "client"))
    seal = tls.sealing(agreed)
    assert seal
    commands = [e for e in session.events if e.by == "client" and e.secure and e.raw]
    found = tls.records(stream, start_of_tls(session, "server"))
    lengths = {record.start: seal.content(record.length) for record in found}
    assert [lengths[e.wire[0].start] for e in commands] == [len(e.raw) for e in commands]


def test_alert_in_the_clear() -> None:
    _, found = read(SESSIONS["1.2 that fails"], "server")
    assert values(found, "level") == ["fatal"]
    assert values(found, "description") == ["unknown_ca"]


def test_certificates_of_tls_1_2_are_readable() -> None:
    session = SESSIONS["1.2"]
    stream, found = read(session, "client")
    ders = [f for f in found if f.name == "data" and f.end - f.start > 300]
    assert SERVER.encode() in stream[ders[0].start : ders[0].end]
    assert SERVER.encode() not in SESSIONS["1.3"].stream("client")[200:]


@pytest.mark.parametrize("kind", ["valid", "expired", "unknown-ca"])
def test_the_key_of_a_certificate(kind: str) -> None:
    der = certificates.der(kind, SERVER)
    key = x509.load_der_x509_certificate(der).public_key()
    assert tls.public_key(der) == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_keys_of_finite_field_diffie_hellman() -> None:
    agreed = tls.Agreed(tls.TLS_1_2, 0x009E)
    body = b"".join(struct.pack("!H", len(part)) + part for part in (b"p" * 9, b"g", b"y" * 8))
    body += struct.pack("!HH", 0x0401, 5) + b"s" * 5
    found = tls.fields(one_record(message(12, body)), agreed=agreed)
    assert names(found, 2) == [
        "msg_type", "length", "dh_p", "dh_g", "server_public_key", "signature_scheme", "signature",
    ]  # fmt: skip
    found = tls.fields(one_record(message(16, b"\0\x08" + b"y" * 8)), agreed=agreed)
    assert names(found, 2) == ["msg_type", "length", "client_public_key"]


def test_keys_of_an_unknown_suite_stay_opaque() -> None:
    found = tls.fields(one_record(message(12, b"whatever")), agreed=tls.Agreed(tls.TLS_1_2, 1))
    assert names(found, 2) == ["msg_type", "length", "data"]


def test_an_unknown_number_is_shown_as_a_number() -> None:
    assert tls.name_of("cipher_suites", 0x1301) == "TLS_AES_128_GCM_SHA256"
    assert tls.name_of("cipher_suites", 0xABCD) == "0xabcd"
    assert tls.name_of("psk_modes", 9, 1) == "0x09"


def test_strange_octets_in_a_name_stay_text() -> None:
    body = hello(b"\0\0" + b"\0\x0a" + b"\0\x08" + b"\0" + b"\0\x05" + b"\xffa\x1b\0b")
    found = tls.fields(one_record(message(1, body)))
    assert values(found, "host_name") == ["\\xffa\x1b\x00b"]


def test_a_length_that_lies() -> None:
    found = tls.fields(one_record(message(1, hello(b"\0\0" + b"\xff\xff" + b"\0\x08" + b"\0"))))
    assert values(found, "extension") == ["server_name"]
    assert [f.value for f in found if f.name == "length"][-1] == "8"


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 40, 100])
def test_a_record_cut_short(cut: int) -> None:
    stream = SESSIONS["1.2"].stream("client")[start_of_tls(SESSIONS["1.2"], "client") :][:cut]
    found = tls.fields(stream)
    assert_each_octet_is_named_once(found, 0, cut)


def test_what_is_no_tls() -> None:
    found = tls.fields(b"250 mx1.example.com\r\n")
    assert found == [Field(0, 21, 0, "not_tls")]
    with pytest.raises(ValueError, match="0x32"):
        tls.records(b"250 mx1.example.com\r\n")


@given(st.data())
def test_messages_may_be_cut_into_records_anywhere(data: st.DataObject) -> None:
    """RFC 9846 §5.1: a message may go on in the next record, and a record may hold several."""
    session = SESSIONS["1.2"]
    stream, found = read(session, "client")
    start = start_of_tls(session, "client")
    clear = [r for r in tls.records(stream, start) if r.messages]
    payload = b"".join(stream[r.start + tls.HEADER : r.end] for r in clear)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(payload) - 1), max_size=5)))
    pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    again = b"".join(map(one_record, pieces))
    fragments = tls.fields(again)
    assert_each_octet_is_named_once(fragments, 0, len(again))
    whole = [(f.depth, f.name, f.value) for f in fragments if f.depth and not f.rest]
    headers = ("content_type", "record_version", "record_length")
    before = [f for f in found if f.start < clear[-1].end and f.depth]
    assert [f for f in whole if f[1] not in headers] == [
        (f.depth, f.name, f.value) for f in before if f.name not in headers
    ]


AGREED = st.none() | st.builds(
    tls.Agreed,
    st.sampled_from([0x0301, tls.TLS_1_2, tls.TLS_1_3]),
    st.sampled_from([0x1301, 0xC02F, 0x009E, 0x009C, 0xC0AE, 0xCCA8, 0xC027, 0x0001]),
)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def one_record(body: bytes, kind: int = 22) -> bytes:
    return bytes([kind, 3, 3]) + struct.pack("!H", len(body)) + body


def hello(extensions: bytes) -> bytes:
    start = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0"
    return start + struct.pack("!H", len(extensions)) + extensions


BODIES = st.binary(max_size=80) | st.builds(hello, st.binary(max_size=80))
MESSAGES = st.builds(message, st.sampled_from(sorted(tls.HANDSHAKE)), BODIES)
EXTENSIONS = st.builds(
    lambda kind, body: struct.pack("!HH", kind, len(body)) + body,
    st.sampled_from([0, 1, 5, 10, 13, 16, 21, 27, 41, 43, 44, 45, 47, 51, 0xFF01, 0x0A0A]),
    st.binary(max_size=20),
)
HELLOS = st.lists(EXTENSIONS, max_size=4).map(lambda those: message(1, hello(b"".join(those))))
RECORDS = st.builds(
    one_record, st.binary(max_size=60) | MESSAGES | HELLOS, st.sampled_from([20, 21, 22, 22, 23])
)
STREAMS = st.binary(max_size=200) | st.builds(
    lambda those, tail: b"".join(those) + tail, st.lists(RECORDS, max_size=5), st.binary(max_size=9)
)


def test_an_empty_record_within_a_message_holds_nothing_of_it() -> None:
    """RFC 9846 §5.1 forbids it: it is told as what it is, a header and no more."""
    stream = one_record(message(1, b"")[:3]) + one_record(b"") + one_record(b"\0\0")
    found = tls.fields(stream)
    assert_each_octet_is_named_once(found, 0, len(stream))
    assert [field.name for field in found if 8 <= field.start < 13] == [
        "handshake",
        "content_type",
        "record_version",
        "record_length",
    ]


@given(STREAMS, AGREED, st.integers(0, 10), st.integers(0, 400))
def test_names_each_octet_of_anything(
    stream: bytes, agreed: tls.Agreed | None, start: int, end: int
) -> None:
    start, end = min(start, len(stream)), min(end, len(stream))
    end = max(start, end)
    found = tls.fields(stream, start, end, agreed)
    assert_each_octet_is_named_once(found, start, end)


@given(STREAMS)
def test_the_fast_reader_reads_or_raises_value_error(stream: bytes) -> None:
    try:
        found = tls.records(stream)
    except ValueError:
        return
    assert found == [r for r in found if 0 <= r.start < r.end <= len(stream)]


def test_client_random() -> None:
    session = SESSIONS["1.3"]
    hello = session.stream("server")[start_of_tls(session, "server") :]
    random = tls.client_random(hello)
    assert len(random) == 32
    assert all(random.hex() in line for line in session.secrets)
    assert tls.client_random(b"EHLO") == b""
