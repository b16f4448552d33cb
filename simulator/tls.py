"""What a tap on the wire can read of TLS without any secret: records, and handshake messages.

`records` reads the outer layer only (RFC 9846 §5.1, RFC 5246 §6.2.1), fast. `fields` names every
octet: of the records, and of all handshake messages that cross in the clear. What it expects is
written down as data, a layout for each message and extension, in the words of the RFCs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from simulator import toml

HEADER = 5

TLS_1_2 = 0x0303
TLS_1_3 = 0x0304

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE_RECORD, APPLICATION_DATA = 20, 21, 22, 23

CONTENT = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}

CLIENT_HELLO, SERVER_HELLO = 1, 2

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

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random by which a ServerHello is a HelloRetryRequest (RFC 9846 §4.2.3)."""


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
        if kind in (CHANGE_CIPHER_SPEC, APPLICATION_DATA):
            clear = False
        messages = _messages(kind, body) if clear or _is_second_hello(kind, body) else ()
        version = (stream[start + 1], stream[start + 2])
        found.append(Record(start, start + length, kind, version, messages))
        start += length
    return found


def _messages(kind: int, body: bytes) -> tuple[str, ...]:
    if kind == ALERT:
        return (ALERTS.get(body[1], f"alert {body[1]}"),) if len(body) == 2 else ()
    if kind != HANDSHAKE_RECORD:
        return ()
    names = []
    at = 0
    while at + 4 <= len(body):
        names.append(_message_name(body[at], body[at + 4 : at + 4 + 34]))
        at += 4 + int.from_bytes(body[at + 1 : at + 4])
    return tuple(names)


def _message_name(kind: int, body: bytes) -> str:
    if kind == SERVER_HELLO and body[2:34] == RETRY_RANDOM:
        return "HelloRetryRequest"
    return HANDSHAKE.get(kind, f"message {kind}")


def _is_second_hello(kind: int, body: bytes) -> bool:
    """After a HelloRetryRequest both hellos cross in the clear behind a change_cipher_spec that
    changes nothing (RFC 9846 §E.4). An encrypted message does not look like one: its first four
    octets would have to agree by chance."""
    return (
        kind == HANDSHAKE_RECORD
        and len(body) > 4
        and body[0] in (CLIENT_HELLO, SERVER_HELLO)
        and int.from_bytes(body[1:4]) == len(body) - 4
    )


def client_random(stream: bytes) -> bytes:
    """The random of a ClientHello (32 octets) that `stream` begins with, or nothing.

    It is the name under which a key log lists the session's secrets.
    """
    if len(stream) >= 43 and stream[0] == HANDSHAKE_RECORD and stream[HEADER] == CLIENT_HELLO:
        return stream[11:43]
    return b""


# --- names -------------------------------------------------------------------------------------


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = (files("simulator") / "tls_names.toml").read_bytes()
    return toml.read(text, dict[str, dict[str, str]], "tls_names.toml")


def name_of(table: str, number: int, octets: int = 2) -> str:
    """The name that IANA gives a number, from `tls_names.toml`; without one, the number in hex."""
    key = f"0x{number:0{2 * octets}x}"
    return _tables()[table].get(key, key)


class Agreed(NamedTuple):
    """What both sides settled on: the version (such as `TLS_1_3`), and the cipher suite."""

    version: int
    suite: int

    @property
    def suite_name(self) -> str:
        """Such as `TLS_AES_256_GCM_SHA384`."""
        return name_of("cipher_suites", self.suite)


def agreement(server: bytes, start: int = 0) -> Agreed | None:
    """What the ServerHello says, in what the server sent from `start` on; None if none is there."""
    payload = b""
    for kind, body_start, body_end in _outline(server, start, len(server)):
        if kind == HANDSHAKE_RECORD:
            payload += server[body_start:body_end]
        elif kind != CHANGE_CIPHER_SPEC:
            break
    at = 0
    while at + 4 <= len(payload):
        body = payload[at + 4 : at + 4 + int.from_bytes(payload[at + 1 : at + 4])]
        if payload[at] == SERVER_HELLO and body[2:34] != RETRY_RANDOM:
            return _agreed_in(body)
        at += 4 + len(body)
    return None


def _agreed_in(hello: bytes) -> Agreed | None:
    found: list[Field] = []
    _sequence(_SERVER_HELLO, hello, 0, len(hello), 0, found)
    numbers = {field.name: int.from_bytes(hello[field.start : field.end]) for field in found}
    suite = numbers.get("cipher_suite")
    version = numbers.get("selected_version", numbers.get("version", 0))
    return None if suite is None else Agreed(version, suite)


# --- every octet -------------------------------------------------------------------------------


class Field(NamedTuple):
    """Octets `start` to `end` of a stream, and what they are, in the words of the RFCs.

    Fields come in the order of a walk: a record (`depth` 0), then its parts, each followed by its
    own. The parts of a field cover it without gap or overlap. `value` is what the octets say, where
    that is a name or a number; `rest`: the field began in the record before. Two names stand in no
    RFC: `not_tls` are octets where a record should begin, `unread` those that do not fit the
    layout, or end too soon.
    """

    start: int
    end: int
    depth: int
    name: str
    value: str = ""
    rest: bool = False


Show = Callable[[bytes], str]


def _silent(_: bytes) -> str:
    return ""


def _number(octets: bytes) -> str:
    return str(int.from_bytes(octets))


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii", "backslashreplace")


def _named(table: str) -> Show:
    def show(octets: bytes) -> str:
        return name_of(table, int.from_bytes(octets), len(octets))

    return show


def _scheme(octets: bytes) -> str:
    number = int.from_bytes(octets)
    name = name_of("signature_schemes", number)
    return name_of("hash_and_signature", number) if name.startswith("0x") else name


def _alert(octets: bytes) -> str:
    return ALERTS.get(octets[0], str(octets[0]))


class One(NamedTuple):
    """A value of so many octets."""

    name: str
    size: int
    show: Show = _silent


class Vector(NamedTuple):
    """A length in `size` octets, and so many octets: opaque, or `items` over and over."""

    name: str
    size: int
    items: tuple[Layout, ...] = ()
    show: Show = _silent


class Choice(NamedTuple):
    """Extensions: a type, a length, and a body in the layout that `bodies` has for that type."""

    bodies: Mapping[int, tuple[Layout, ...]]


class Remainder(NamedTuple):
    """All the octets that are left."""

    name: str
    show: Show = _silent


Layout = One | Vector | Choice | Remainder


def _sequence(
    layouts: tuple[Layout, ...], data: bytes, at: int, end: int, depth: int, out: list[Field]
) -> None:
    """Read `data` from `at` to `end` by the layouts, one after the other."""
    for layout in layouts:
        if at < end:
            at = _one(layout, data, at, end, depth, out)
    if at < end:
        out.append(Field(at, end, depth, "unread"))


def _repeated(
    layouts: tuple[Layout, ...], data: bytes, at: int, end: int, depth: int, out: list[Field]
) -> None:
    while at < end:
        for layout in layouts:
            if at < end:
                at = _one(layout, data, at, end, depth, out)


def _one(layout: Layout, data: bytes, at: int, end: int, depth: int, out: list[Field]) -> int:
    """Read one layout at `at` < `end`; returns where it ends. It takes one octet at least."""
    match layout:
        case One(name, size, show):
            if at + size > end:
                out.append(Field(at, end, depth, "unread"))
                return end
            out.append(Field(at, at + size, depth, name, show(data[at : at + size])))
            return at + size
        case Remainder(name, show):
            out.append(Field(at, end, depth, name, show(data[at:end])))
            return end
        case Vector(name, size, items, show):
            inside = at + size
            if inside > end:
                out.append(Field(at, end, depth, "unread"))
                return end
            length = int.from_bytes(data[at:inside])
            stop = min(inside + length, end)
            out.append(Field(at, stop, depth, name, show(data[inside:stop])))
            out.append(Field(at, inside, depth + 1, "length", str(length)))
            if items:
                _repeated(items, data, inside, stop, depth + 1, out)
            elif inside < stop:
                out.append(Field(inside, stop, depth + 1, "data"))
            return stop
        case Choice(bodies):
            if at + 4 > end:
                out.append(Field(at, end, depth, "unread"))
                return end
            kind = int.from_bytes(data[at : at + 2])
            length = int.from_bytes(data[at + 2 : at + 4])
            stop = min(at + 4 + length, end)
            name = name_of("extensions", kind)
            out.append(Field(at, stop, depth, "extension", name))
            out.append(Field(at, at + 2, depth + 1, "extension_type", name))
            out.append(Field(at + 2, at + 4, depth + 1, "length", str(length)))
            body = bodies.get(kind, (Remainder("data"),))
            _sequence(body, data, at + 4, stop, depth + 1, out)
            return stop
    raise TypeError(f"no layout: {layout!r}")


_VERSION = _named("versions")
_SUITE = _named("cipher_suites")
_GROUP = _named("groups")

_GROUPS = (Vector("named_group_list", 2, (One("named_group", 2, _GROUP),)),)
_SCHEMES = (Vector("supported_signature_algorithms", 2, (One("signature_scheme", 2, _scheme),)),)
_AUTHORITIES = Vector("certificate_authorities", 2, (Vector("distinguished_name", 2),))
_KEY_SHARE = (One("group", 2, _GROUP), Vector("key_exchange", 2))
_PROTOCOLS = (Vector("protocol_name_list", 2, (Vector("protocol_name", 1, show=_ascii),)),)

_IN_BOTH: dict[int, tuple[Layout, ...]] = {
    1: (One("max_fragment_length", 1, _number),),
    10: _GROUPS,
    11: (Vector("ec_point_format_list", 1, (One("ec_point_format", 1, _named("point_formats")),)),),
    16: _PROTOCOLS,
    28: (One("record_size_limit", 2, _number),),
    35: (Remainder("ticket"),),
    44: (Vector("cookie", 2),),
    0xFF01: (Vector("renegotiated_connection", 1),),
}

_CLIENT_EXTENSIONS: dict[int, tuple[Layout, ...]] = {
    **_IN_BOTH,
    0: (
        Vector(
            "server_name_list",
            2,
            (One("name_type", 1, _named("name_types")), Vector("host_name", 2, show=_ascii)),
        ),
    ),
    5: (
        One("status_type", 1, _number),
        Vector("responder_id_list", 2),
        Vector("request_extensions", 2),
    ),
    13: _SCHEMES,
    21: (Remainder("padding"),),
    27: (Vector("algorithms", 1, (One("algorithm", 2, _named("certificate_compression")),)),),
    41: (
        Vector("identities", 2, (Vector("identity", 2), One("obfuscated_ticket_age", 4))),
        Vector("binders", 2, (Vector("binder", 1),)),
    ),
    43: (Vector("versions", 1, (One("supported_version", 2, _VERSION),)),),
    45: (Vector("ke_modes", 1, (One("ke_mode", 1, _named("psk_modes")),)),),
    47: (_AUTHORITIES,),
    50: _SCHEMES,
    51: (Vector("client_shares", 2, _KEY_SHARE),),
}

_SERVER_EXTENSIONS: dict[int, tuple[Layout, ...]] = {
    **_IN_BOTH,
    41: (One("selected_identity", 2, _number),),
    43: (One("selected_version", 2, _VERSION),),
    51: _KEY_SHARE,
}

_RETRY_EXTENSIONS = {**_SERVER_EXTENSIONS, 51: (One("selected_group", 2, _GROUP),)}

_COMPRESSION = One("compression_method", 1, _named("compression_methods"))

_CLIENT_HELLO: tuple[Layout, ...] = (
    One("version", 2, _VERSION),
    One("random", 32),
    Vector("session_id", 1),
    Vector("cipher_suites", 2, (One("cipher_suite", 2, _SUITE),)),
    Vector("compression_methods", 1, (_COMPRESSION,)),
    Vector("extensions", 2, (Choice(_CLIENT_EXTENSIONS),)),
)

_SERVER_HELLO: tuple[Layout, ...] = (
    One("version", 2, _VERSION),
    One("random", 32),
    Vector("session_id", 1),
    One("cipher_suite", 2, _SUITE),
    _COMPRESSION,
    Vector("extensions", 2, (Choice(_SERVER_EXTENSIONS),)),
)

_RETRY: tuple[Layout, ...] = (
    *_SERVER_HELLO[:-1],
    Vector("extensions", 2, (Choice(_RETRY_EXTENSIONS),)),
)

_SIGNED = (One("signature_scheme", 2, _scheme), Vector("signature", 2))

# By the cipher suite's key exchange (RFC 8422 §5.4, RFC 5246 §7.4.3); other ones stay opaque.
_SERVER_KEYS: dict[str, tuple[Layout, ...]] = {
    "ECDHE": (
        One("curve_type", 1, _named("curve_types")),
        One("named_group", 2, _GROUP),
        Vector("server_public_key", 1),
        *_SIGNED,
    ),
    "DHE": (Vector("dh_p", 2), Vector("dh_g", 2), Vector("server_public_key", 2), *_SIGNED),
}

_CLIENT_KEYS: dict[str, tuple[Layout, ...]] = {
    "ECDHE": (Vector("client_public_key", 1),),
    "DHE": (Vector("client_public_key", 2),),
    "RSA": (Vector("encrypted_premaster_secret", 2),),
}

_MESSAGES: dict[str, tuple[Layout, ...]] = {
    "ClientHello": _CLIENT_HELLO,
    "ServerHello": _SERVER_HELLO,
    "HelloRetryRequest": _RETRY,
    "NewSessionTicket": (One("ticket_lifetime", 4, _number), Vector("ticket", 2)),
    "Certificate": (Vector("certificate_list", 3, (Vector("certificate", 3),)),),
    "CertificateRequest": (
        Vector("certificate_types", 1, (One("certificate_type", 1, _named("certificate_types")),)),
        *_SCHEMES,
        _AUTHORITIES,
    ),
    "CertificateVerify": _SIGNED,
    "CertificateStatus": (One("status_type", 1, _number), Vector("ocsp_response", 3)),
    "Finished": (Remainder("verify_data"),),
}
"""What crosses in the clear: both hellos, and in TLS 1.2 all up to change_cipher_spec."""

_ALERT = (
    One("level", 1, _named("alert_levels")),
    One("description", 1, _alert),
)


_KEYS = {"ServerKeyExchange": _SERVER_KEYS, "ClientKeyExchange": _CLIENT_KEYS}
_OPAQUE: tuple[Layout, ...] = (Remainder("data"),)


def _layout_of(name: str, agreed: Agreed | None) -> tuple[Layout, ...]:
    if name not in _KEYS:
        return _MESSAGES.get(name, _OPAQUE)
    # Before TLS 1.2 a signature does not name its algorithms.
    if agreed is None or agreed.version != TLS_1_2:
        return _OPAQUE
    # Such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.
    exchange = agreed.suite_name.removeprefix("TLS_").split("_")[0]
    return _KEYS[name].get(exchange, _OPAQUE)


class Sealing(NamedTuple):
    """How many octets an encrypted record spends beside its content: before it, and behind it."""

    nonce: int
    tag: int
    inner_type: int

    def content(self, length: int) -> int:
        """Octets of content in a record of `length`; padding (TLS 1.3) counts as content."""
        return max(0, length - self.nonce - self.tag - self.inner_type)


def sealing(agreed: Agreed | None) -> Sealing | None:
    """How records are sealed by an AEAD cipher suite; None for other or unknown ones.

    RFC 9846 §5.2; for TLS 1.2: RFC 5288 §3 (GCM), RFC 6655 §3 (CCM), RFC 7905 §2 (ChaCha20).
    """
    if agreed is None:
        return None
    name = agreed.suite_name
    tag = 8 if name.endswith("_CCM_8") else 16
    if agreed.version == TLS_1_3:
        return Sealing(0, tag, 1)
    if "_GCM_" in name or "_CCM" in name:
        return Sealing(8, tag, 0)
    if "_CHACHA20_" in name:
        return Sealing(0, tag, 0)
    return None


def _outline(stream: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of the body of each record; the last may be cut short."""
    while at + HEADER <= end:
        try:
            length = record_length(stream[at : at + HEADER])
        except ValueError:
            return
        stop = min(at + length, end)
        yield stream[at], at + HEADER, stop
        at = stop


def fields(
    stream: bytes, start: int = 0, end: int | None = None, agreed: Agreed | None = None
) -> list[Field]:
    """Name every octet of `stream` from `start` to `end`, whatever it holds.

    `agreed` is what `agreement` finds in what the server sends; without it, it is looked for here.
    It tells what is encrypted, and how keys are exchanged. Never raises.
    """
    end = len(stream) if end is None else min(end, len(stream))
    agreed = agreed or agreement(stream[:end], start)
    out: list[Field] = []
    run: list[tuple[int, int]] = []
    clear = True
    at = start
    for kind, body, stop in _outline(stream, start, end):
        clear = _still_clear(clear, kind, agreed)
        if kind == HANDSHAKE_RECORD and (clear or _is_second_hello(kind, stream[body:stop])):
            run.append((body, stop))
        else:
            _handshake(stream, run, agreed, out)
            run = []
            _header(stream, kind, body, stop, out)
            _body(stream, kind, body, stop, clear, agreed, out)
        at = stop
    _handshake(stream, run, agreed, out)
    if at < end:
        out.append(Field(at, end, 0, "unread" if end - at < HEADER else "not_tls"))
    return out


def _still_clear(clear: bool, kind: int, agreed: Agreed | None) -> bool:
    """Whether records of that type are readable, the one at hand included."""
    if agreed and agreed.version == TLS_1_3:
        # What is encrypted calls itself application_data, whatever it is (RFC 9846 §5.2).
        return kind != APPLICATION_DATA
    return clear and kind not in (CHANGE_CIPHER_SPEC, APPLICATION_DATA)


def _header(stream: bytes, kind: int, body: int, stop: int, out: list[Field]) -> None:
    start = body - HEADER
    length = int.from_bytes(stream[start + 3 : body])
    version = name_of("versions", int.from_bytes(stream[start + 1 : start + 3]))
    out.append(Field(start, stop, 0, CONTENT[kind]))
    out.append(Field(start, start + 1, 1, "content_type", CONTENT[kind]))
    out.append(Field(start + 1, start + 3, 1, "record_version", version))
    out.append(Field(start + 3, body, 1, "record_length", str(length)))


def _body(
    stream: bytes,
    kind: int,
    body: int,
    stop: int,
    clear: bool,
    agreed: Agreed | None,
    out: list[Field],
) -> None:
    if kind == CHANGE_CIPHER_SPEC:
        _sequence((One("change_cipher_spec_type", 1, _number),), stream, body, stop, 1, out)
    elif kind == ALERT and clear:
        _sequence(_ALERT, stream, body, stop, 1, out)
    else:
        length = int.from_bytes(stream[body - 2 : body])
        seal = sealing(agreed)
        whole = body + length == stop
        if seal and whole and length >= seal.nonce + seal.tag + seal.inner_type:
            content = length - seal.nonce - seal.tag
            layouts = (
                One("nonce", seal.nonce),
                One("ciphertext", content),
                One("tag", seal.tag),
            )
            _sequence(tuple(one for one in layouts if one.size), stream, body, stop, 1, out)
        elif body < stop:
            out.append(Field(body, stop, 1, "ciphertext" if whole else "unread"))


def _handshake(
    stream: bytes, run: list[tuple[int, int]], agreed: Agreed | None, out: list[Field]
) -> None:
    """Read the messages in a run of records: a message may go on in the next record."""
    payload = b"".join(stream[body:stop] for body, stop in run)
    found: list[Field] = []
    at = 0
    while at < len(payload):
        if at + 4 > len(payload):
            found.append(Field(at, len(payload), 1, "unread"))
            break
        length = int.from_bytes(payload[at + 1 : at + 4])
        stop = min(at + 4 + length, len(payload))
        name = _message_name(payload[at], payload[at + 4 : at + 38])
        found.append(Field(at, stop, 1, name))
        found.append(Field(at, at + 1, 2, "msg_type", name))
        found.append(Field(at + 1, at + 4, 2, "length", str(length)))
        _sequence(_layout_of(name, agreed), payload, at + 4, stop, 2, found)
        at = stop
    offset = 0
    for body, stop in run:
        _header(stream, HANDSHAKE_RECORD, body, stop, out)
        reach = offset + stop - body
        out.extend(
            Field(
                max(field.start, offset) - offset + body,
                min(field.end, reach) - offset + body,
                field.depth,
                field.name,
                field.value,
                field.start < offset,
            )
            for field in found
            if max(field.start, offset) < min(field.end, reach)
        )
        offset = reach


def public_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate in DER (RFC 5280 §4.1), of which a TLSA record
    3 1 1 has the SHA-256 (RFC 6698 §2.1)."""
    at, _ = _content(certificate, 0)
    at, end = _content(certificate, at)
    fields = []
    while at < end:
        _, after = _content(certificate, at)
        fields.append(certificate[at:after])
        at = after
    versioned = fields[0][:1] == b"\xa0"
    return fields[5 + versioned]


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends."""
    length, start = der[at + 1], at + 2
    if length > 0x7F:
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start])
    return start, start + length
