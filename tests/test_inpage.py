"""The program inside a web page: what it gives, and what it must not need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.formats import CannotRead
from simulator.inpage import MOST_SHOWN, Pasted, answer
from simulator.views import pcapng
from tests.recording import record

TRANSCRIPTS = Path(__file__).parent / "formats" / "transcripts"
ESA = next(TRANSCRIPTS.glob("t025*.txt"))


def test_a_log_is_answered_with_what_a_player_shows() -> None:
    shares: list[float] = []
    pasted = Pasted(ESA.read_bytes(), shares.append)
    found = json.loads(answer(pasted, "pt_BR"))
    [shown] = found["shown"]
    assert (found["sessions"], found["problems"], shown["language"]) == (1, 1, "pt_BR")
    [cause] = shown["sessions"][0]["verdict"]["causes"]
    assert cause["id"] == "second-ehlo-not-sent"
    assert cause["lines"]
    assert shares[-1] == 1


def test_secrets_are_masked_and_names_on_demand() -> None:
    log = (
        b"EHLO pc.example.com\n250 mx\nAUTH PLAIN AGFsaWNlAFRvcFNlY3JldDk=\n235 ok alice@corp.net\n"
    )
    pasted = Pasted(log)
    assert "AGFsaWNl" not in answer(pasted, "en")
    assert "corp.net" in pasted.show("markdown", "en", 0).replace("\\", "")
    assert "corp.net" not in pasted.show("markdown", "en", 0, anonymise=True).replace("\\", "")


def test_of_a_long_log_those_with_a_problem_are_shown() -> None:
    fine = "220 mx.example ESMTP\nEHLO a.example\n250 mx.example\nQUIT\n221 bye\n"
    wrong = "220 mx.example ESMTP\nEHLO a.example\n250-mx.example\n250 STARTTLS\nSTARTTLS\n454 no\n"
    found = json.loads(answer(Pasted((fine * MOST_SHOWN + wrong).encode()), "en"))
    assert found["sessions"] == MOST_SHOWN + 1
    assert len(found["shown"]) == MOST_SHOWN
    assert found["shown"][-1]["sessions"][0]["verdict"]["tls"] == "refused"


def test_what_is_no_log_is_said_in_one_line() -> None:
    with pytest.raises(CannotRead, match="zip"):
        answer(Pasted(b"PK\x03\x04" + bytes(64)), "en")


def test_a_browsers_python_has_all_it_needs(tmp_path: Path) -> None:
    capture = tmp_path / "session.pcapng"
    capture.write_bytes(pcapng.render(record()))
    code = (
        "import sys\n"
        "for name in ('cryptography', 'trustme', 'aiosmtpd', 'matplotlib', 'numpy', 'click', 'ssl',"
        " 'multiprocessing.pool'):\n"
        "    sys.modules[name] = None\n"
        "from simulator.inpage import Pasted, answer\n"
        f"pasted = Pasted(open({str(ESA)!r}, 'rb').read())\n"
        "answer(pasted, 'pt_BR')\n"
        "for name in ('json', 'html', 'markdown'):\n"
        "    assert pasted.show(name, 'en')\n"
        f"pasted = Pasted(open({str(capture)!r}, 'rb').read())\n"
        "assert '\"second_ehlo\":\"sent\"' in answer(pasted, 'en').replace(' ', '')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a entrada: não contém nada"),
        (b"\0\1\2\3" * 50, "a entrada: é binário, não um log"),
        (b"PK\3\4", "a entrada: é um arquivo zip"),
        (b"\xd4\xc3\xb2\xa1\2\0\4\0", "a entrada: a captura está cortada no cabeçalho"),
        (b"\x1f\x8b\x08\0", "a entrada: este arquivo gzip está danificado"),
    ],
)
def test_what_cannot_be_read_is_told_in_the_language_of_the_page(data: bytes, said: str) -> None:
    with pytest.raises(CannotRead) as told:
        answer(Pasted(data), "pt_BR")
    assert str(told.value).startswith(said)
