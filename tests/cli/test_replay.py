"""`ehlo-twice replay`: the main job of the project, as it is typed."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from simulator import explain, formats
from simulator.session import from_json
from simulator.views import json as view
from simulator.views.view import views
from tests.command import Command

DOCUMENTED = """\
Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'EHLO mx4.example.com'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250-eq-c601.example.com'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250-8BITMIME'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250-SIZE 10485760'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250 STARTTLS'
Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'STARTTLS'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '220 Go ahead with TLS'
Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'EHLO mx4.example.com'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250-eq-c601.example.com'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250-8BITMIME'
Mon May 16 18:34:30 2005 Info: 5165207 Rcvd: '250 SIZE 10485760'
Mon May 16 18:34:30 2005 Info: 5165207 Sent: 'MAIL FROM:<postmaster@mx4.example.com> SIZE=107'
"""


def test_the_log_is_the_documented_one(command: Command) -> None:
    out = command("replay", "--view", "esa").out
    _, _, rest = out.partition("--- the documented log ---\n")
    log, _, beyond = rest.partition("--- beyond the documented log ---\n")
    assert log == DOCUMENTED
    assert "Sent: 'QUIT'" in beyond


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_check_agrees(command: Command, tls: str) -> None:
    assert command("replay", "--check", "--tls", tls) == (0, "12 of 12 lines agree\n", "")


def test_check_shows_a_difference(command: Command) -> None:
    ran = command("replay", "--check", "--clock", "now")
    assert ran.code == 1
    assert "0 of 12 lines agree" in ran.out
    assert re.search(r"^-Mon May 16 18:34:30 2005", ran.out, re.MULTILINE)
    assert re.search(r"^\+", ran.out, re.MULTILINE)


def test_the_portuguese_log_translates_prose_and_no_token(command: Command) -> None:
    out = command("replay", "--view", "esa", "--lang", "pt_BR").out
    log = out.partition("--- o log documentado ---\n")[2].splitlines()[:12]
    assert log[0] == "seg 16 mai 18:34:30 2005 Informação: 5165207 Enviado: 'EHLO mx4.example.com'"
    assert log[3].endswith("Recebido: '250-SIZE 10485760'")
    assert log[4].endswith("Recebido: '250 STARTTLS'")
    assert log[6].endswith("Recebido: '220 Prossiga com o TLS'")


@pytest.mark.parametrize("language", ["en", "pt_BR"])
@pytest.mark.parametrize("view", views())
def test_every_view_in_both_languages(command: Command, view: str, language: str) -> None:
    ran = command("replay", "--view", view, "--lang", language)
    assert ran.code == 0
    assert ran.err == ""
    if view in IN_A_FILE:
        assert ran.out.startswith(IN_A_FILE[view])
        return
    assert "mx4.example.com" in ran.out or "example" not in ran.out
    assert "\x1b" not in ran.out, "colour only on a terminal"


IN_A_FILE = {"png": "\N{REPLACEMENT CHARACTER}PNG", "pdf": "%PDF", "pcapng": "\n\r\r\n"}
"""Views that are no text, and how they begin."""


@pytest.mark.parametrize(("spelt", "meant"), [("pt-BR", "pt_BR"), ("PT_br", "pt_BR")])
def test_a_language_may_be_spelt_as_on_the_web(command: Command, spelt: str, meant: str) -> None:
    shown = json.loads(command("replay", "--view", "json", "--lang", spelt).out)
    assert shown["language"] == meant


def test_json_is_what_its_schema_says_and_reads_back(command: Command) -> None:
    out = command("replay", "--view", "json").out
    jsonschema.validate(json.loads(out), json.loads(command("schema", "explanation").out))
    explanation = explain(next(formats.read(out.encode())))
    assert view.render(explanation, title="The documented session") == out
    session = json.dumps(json.loads(out)["sessions"][0]["session"])
    assert from_json(session) == explanation.session


def test_out_writes_every_view(command: Command, tmp_path: Path) -> None:
    ran = command("replay", "--out", str(tmp_path / "new" / "session"))
    assert ran.code == 0
    written = {path.name for path in (tmp_path / "new" / "session").iterdir()}
    assert written == {view.file for view in views().values()}
    assert len(written) == len(views())
    assert set(map(Path, ran.out.split())) == set((tmp_path / "new" / "session").iterdir())
    assert (tmp_path / "new/session/sequence.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new/session/sequence.pdf").read_bytes().startswith(b"%PDF")


def test_out_onto_a_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    assert "taken" in command.fails("replay", "--out", str(tmp_path / "taken"))
    assert (tmp_path / "taken").read_text() == "mine"


def test_out_leaves_nothing_half_written(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sequence.svg").mkdir()
    (tmp_path / "log.txt").write_text("mine")
    assert "sequence.svg" in command.fails_after_work("replay", "--out", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "sequence.svg"]
    assert (tmp_path / "log.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay", "documentde"], "no scenario 'documentde': did you mean 'documented'?"),
        (["replay", "zzz"], "no scenario 'zzz': `ehlo-twice scenarios` lists them"),
        (["replay", "./none.toml"], "none.toml: No such file or directory"),
        (["replay", "--tls", "1.0"], "'1.0' is not one of '1.2', '1.3'"),
        (["replay", "--lang", "xx"], "'xx' is not one of en"),
        (["replay", "--view", "markdwon"], "no view 'markdwon': did you mean 'markdown'?"),
        (["replay", "--view", "film"], "no view 'film': there are annotated, "),
        (["replya"], "No such command 'replya'"),
        (["compare", "documented", "nope"], "no scenario 'nope'"),
        (["matrix", "--middlebox", "dragon"], "the matrix has no 'dragon'"),
    ],
)
def test_one_line_says_what_where_and_what_to_do(
    command: Command, arguments: list[str], says: str
) -> None:
    assert says in command.fails(*arguments)


def test_a_scenario_without_document_cannot_be_checked(command: Command, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        "".join(f'[{field}]\nen = "Mine"\n' for field in ("title", "question", "watch", "conclude"))
    )
    assert "there is no document" in command.fails("replay", str(mine), "--check")
    assert command("replay", str(mine)).out.startswith("Mine\n")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour_on_a_terminal_unless_told_otherwise(
    environment: dict[str, str], coloured: bool
) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    child = subprocess.Popen(
        [sys.executable, "-m", "simulator", "replay"], stdout=slave, env=clean | environment
    )
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert child.wait(timeout=240) == 0
    assert (b"\x1b[" in shown) is coloured
