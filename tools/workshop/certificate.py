"""A certificate for one machine of the room, signed by itself: room.pem and room.key.

    make hub-cert EHLO_HUB_IP=192.0.2.10

A browser warns of it once; the fingerprint, on the board, tells the class that it is the right one.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAYS = 30
LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")


class BadName(ValueError):
    """Neither an address nor the name of a host: the message says what is wanted."""


def subject(name: str) -> x509.GeneralName:
    """What a certificate says it is for. Raises `BadName`."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not LABEL.fullmatch(name) or len(name) > 64:
        raise BadName(
            f"EHLO_HUB_IP={name}: the address or name that the class will type is wanted, such as "
            "make hub-cert EHLO_HUB_IP=192.0.2.10"
        )
    return x509.DNSName(name)


def make(name: str, folder: Path) -> tuple[Path, Path, str]:
    """Write certificate and key; returns both and the fingerprint. Raises `BadName`, `OSError`."""
    for_whom = subject(name)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    titled = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(titled)
        .issuer_name(titled)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([for_whom]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, hidden = folder / "room.pem", folder / "room.key"
    hidden.unlink(missing_ok=True)
    hidden.touch(mode=0o600)
    hidden.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return shown, hidden, certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def main(name: str, folder: Path) -> int:
    """One line each: the files, the fingerprint, what to type next."""
    try:
        shown, hidden, fingerprint = make(name, folder)
    except (BadName, OSError) as error:
        print(f"hub-cert: {error}", file=sys.stderr)
        return 2
    print(f"{shown.name}, {hidden.name}: for {name}, {DAYS} days")
    print(f"SHA-256 {fingerprint}")
    print(f"make hub EHLO_HUB_IP={name} EHLO_HUB_CERT={shown.name} EHLO_HUB_KEY={hidden.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", Path.cwd()))
