"""Systems that do not speak UTF-8: files and pipes do, a terminal gets what it can show."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

ENCODINGS = ["cp1252", "cp437", "ascii"]
COMMANDS = ["replay", "replay --lang pt_BR --view sequence", "languages", "rules --brief --lang ja"]


def command(line: str) -> list[str]:
    return [sys.executable, "-m", "simulator", *line.split()]


def into_a_pipe(line: str, encoding: str) -> bytes:
    around = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    ran = subprocess.run(command(line), capture_output=True, env=around, timeout=240, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_files_and_pipes_get_utf_8(encoding: str) -> None:
    svg = ElementTree.fromstring(into_a_pipe("replay --lang pt_BR --view svg", encoding))
    assert "sessão" in "".join(svg.itertext())
    assert "sessão" in json.dumps(
        json.loads(into_a_pipe("replay --lang pt_BR --view json", encoding)), ensure_ascii=False
    )
    assert "日本語" in into_a_pipe("languages", encoding).decode("utf-8")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line", COMMANDS)
def test_a_terminal_gets_what_it_can_show(line: str, encoding: str) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    around = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "TERM": "dumb"}
    child = subprocess.Popen(
        command(line), stdout=slave, stderr=subprocess.PIPE, env=around, text=True
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    _, error = child.communicate(timeout=240)
    assert (child.returncode, error) == (0, "")
    text = shown.decode(encoding)
    if line == "replay":
        assert "\N{BLACK RIGHT-POINTING TRIANGLE}" not in text
        assert "--> Sent: 'EHLO" in text.replace("\N{BOX DRAWINGS LIGHT HORIZONTAL}", "-")
    if line == "languages":
        assert "Portugu" in text
        assert "Espa?" not in text
