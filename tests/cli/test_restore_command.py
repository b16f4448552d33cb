"""`ehlo-twice restore`: the log on standard output, the repairs on standard error."""

import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.test_replay import DOCUMENTED
from tests.command import Command

SEED = Path(__file__).parents[2] / "simulator" / "scenarios" / "documented.pt.txt"


def test_the_seed_becomes_the_documented_log(command: Command) -> None:
    ran = command("restore", str(SEED))
    lines = ran.out.splitlines()
    assert lines[:11] == DOCUMENTED.splitlines()[:11]
    assert lines[11:] == ["Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'MAIL"]
    for repair in ("rcvds → Rcvd", "TAMANHO → SIZE", "CORREIO → MAIL", "enviado → Sent"):
        assert repair in ran.err
    assert "vão adiante com TLS → Go ahead with TLS" in ran.err


def test_the_table_says_what_was_missing_and_on_which_lines(command: Command) -> None:
    told = command("restore", str(SEED)).err
    assert "  (missing) → ' (lines 17-18, 20, 22, 24-25)\n" in told
    assert "  TAMANHO → SIZE (line 26)\n" in told
    assert "  'MAIL (line 27)\n" in told


def test_the_table_says_what_was_taken_out(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("Mon May 16 18:34:30 2005 Info: 5 Sent: 'QU\u200bIT'\n", encoding="utf-8")
    assert "→ (taken out) (line 1)\n" in command("restore", str(log)).err


def test_the_table_in_portuguese(command: Command) -> None:
    assert "Reparos: " in command("restore", str(SEED), "--lang", "pt_BR").err


def test_standard_input_and_a_log_that_needs_nothing(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(DOCUMENTED.encode())))
    ran = command("restore", "-")
    assert ran.out == DOCUMENTED
    assert ran.err == (
        "Nothing to repair was found. "
        "The text behind a reply code was written by people; it stays as it is.\n"
    )


@pytest.mark.parametrize(
    "raw",
    [
        DOCUMENTED.replace("\n", "\r\n").encode(),
        DOCUMENTED.rstrip("\n").encode(),
        b"\xef\xbb\xbf" + DOCUMENTED.encode(),
        DOCUMENTED.encode("utf-16"),
        DOCUMENTED.replace("mx4", "m\xe9x").encode("latin-1"),
    ],
    ids=["crlf", "no-newline", "bom", "utf-16", "latin-1"],
)
def test_byte_for_byte(tmp_path: Path, raw: bytes) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(raw)
    ran = subprocess.run(
        [sys.executable, "-m", "simulator", "restore", str(log)], capture_output=True, check=False
    )
    assert ran.stdout == raw


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x7fELF\0\0\0", "is binary, not a log"),
        (None, "No such file or directory"),
    ],
)
def test_what_cannot_be_read(
    command: Command, tmp_path: Path, content: bytes | None, says: str
) -> None:
    log = tmp_path / "log.txt"
    if content is not None:
        log.write_bytes(content)
    error = command.fails("restore", str(log))
    assert says in error
    assert str(log) in error


def test_a_folder(command: Command, tmp_path: Path) -> None:
    assert "Is a directory" in command.fails("restore", str(tmp_path))


def test_an_unknown_language(command: Command) -> None:
    assert "xx" in command.fails("restore", "--from", "xx", str(SEED))


SECRET = DOCUMENTED + (
    "Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'AUTH LOGIN'\n"
    "Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '334 UGFzc3dvcmQ6'\n"
    "Mon May 16 18:34:30 2005 Info: 5165207 enviado: 'aHVudGVy'\n"
    "Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '535 errado: hunter'\n"
    "smtp_pass=Zq7-S3cr3t\n"
)


def test_what_is_secret_is_masked_unless_asked_for(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text(SECRET, "utf-8")
    ran = command("restore", str(log))
    assert not re.search("aHVudGVy|hunter|Zq7", ran.out + ran.err)
    assert "Sent: '********'\n" in ran.out
    assert "smtp_pass=********\n" in ran.out
    open_ = command("restore", "--show-secrets", str(log))
    assert "Sent: 'aHVudGVy'\n" in open_.out
    assert "Zq7-S3cr3t" in open_.out
