"""The room's certificate: for an address or a name, its key for nobody else."""

import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tools.workshop import certificate


@pytest.mark.parametrize("name", ["192.0.2.10", "2001:db8::1", "hub.example.net", "sala"])
def test_it_is_for_what_the_class_types(name: str, tmp_path: Path) -> None:
    assert certificate.main(name, tmp_path) == 0
    assert certificate.main(name, tmp_path) == 0
    shown, hidden = tmp_path / "room.pem", tmp_path / "room.key"
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(shown, hidden)
    assert os.name == "nt" or hidden.stat().st_mode & 0o077 == 0
    made = x509.load_pem_x509_certificate(shown.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert name in [str(one.value) for one in names]


@pytest.mark.parametrize("name", ["", "two words", "-x", "a..b", "x" * 70, "https://hub.example"])
def test_any_other_name_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certificate.main(name, tmp_path) == 2
    told = capsys.readouterr().err
    assert told.startswith("hub-cert: EHLO_HUB_IP=")
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())
