"""Whatever goes wrong is one line that says what, where and what to do; nothing is left behind."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from gettext import NullTranslations
from pathlib import Path

import pytest

from simulator import language
from simulator.cli.common import write
from simulator.lab import load
from tests.command import Command

LOGS = Path(__file__).parents[1] / "formats" / "transcripts"
FINE = LOGS / "t026_swaks_ok.txt"
PROGRAM = (sys.executable, "-m", "simulator")

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX has it")


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    path = tmp_path / "deep.toml"
    path.write_text("title = " + "[" * 3000)
    return path


@pytest.mark.parametrize(
    "arguments",
    [("replay", "{deep}"), ("formats", "--test", "{deep}"), ("explain", "--formats", "{dir}", "x")],
)
def test_toml_nested_too_deep(command: Command, deep: Path, arguments: tuple[str, ...]) -> None:
    typed = (part.format(deep=deep, dir=deep.parent) for part in arguments)
    (deep.parent / "x").write_text("220 x\n")
    os.chdir(deep.parent)
    assert command.fails(*typed) == f"{deep}: lists or tables are nested too deep"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "nosuch"), "não há cenário 'nosuch'"),
        (("explain", "{empty}"), "{empty}: não contém nada"),
        (("exercise", "99"), "não há exercício '99'"),
    ],
)
def test_a_mistake_is_told_in_the_language_asked_for(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (empty := tmp_path / "empty.log").touch()
    typed = (part.format(empty=empty) for part in arguments)
    assert command.fails(*typed, "--lang", "pt_BR").startswith(said.format(empty=empty))


def test_a_mistake_in_a_checkout_that_nothing_was_made_in(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(code: str) -> NullTranslations:
        if code != language.SOURCE:
            raise language.UnknownLanguage("not compiled")
        return NullTranslations()

    monkeypatch.setattr(language, "_catalogue", lacking)
    assert command.fails("replay", "nosuch", "--lang", "pt_BR").startswith("no scenario 'nosuch'")


@pytest.mark.parametrize("name", ["explain", "restore"])
@on_posix
def test_standard_input_is_closed(name: str) -> None:
    ran = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {name} - <&-', "sh", *PROGRAM],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr == (
        "ehlo-twice: standard input: is closed; give a file, or pipe something in\n"
    )
    assert ran.stdout == ""


@pytest.mark.parametrize(
    "arguments", [("replay",), ("compare", "stripped"), ("bytes",), ("matrix",)]
)
@on_posix
def test_few_files_may_be_open(arguments: tuple[str, ...]) -> None:
    for most in (12, 40):
        ran = subprocess.run(
            ["/bin/sh", "-c", f'ulimit -n {most}; exec "$@"', "sh", *PROGRAM, *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 2
        assert ran.stdout == ""
        assert ran.stderr == (
            f"ehlo-twice: only {most} files may be open at a time: allow 64 (`ulimit -n 64`)\n"
        )


def test_only_blanks_are_no_log(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "blanks"
    path.write_text("\n \n\n")
    for more in ((), ("--summary",), ("--view", "json"), ("--view", "html")):
        said = command.fails("explain", str(path), *more)
        assert said == f"{path}: is empty: there are only blanks in it"


@pytest.mark.parametrize("view", ["annotated", "json", "html"])
def test_what_cannot_be_read_is_told_behind_what_can(
    command: Command, tmp_path: Path, view: str
) -> None:
    """Nothing is half-written: JSON with a trouble is JSON."""
    none = str(tmp_path / "none")
    ran = command("explain", "--view", view, str(FINE), none, str(FINE))
    assert ran.code == 2
    assert ran.err == f"ehlo-twice: {none}: No such file or directory\n"
    alone = command("explain", "--view", view, str(FINE), str(FINE))
    assert ran.out == alone.out
    if view == "json":
        assert len(json.loads(ran.out)["sessions"]) == 2
    summary = command("explain", "--summary", none, str(FINE))
    assert summary.code == 2
    assert summary.err == ran.err


def test_json_drives_no_terminal(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "log"
    steering = "\u202e\u2066\u200f\x9b\x7f\U000e0001"
    path.write_text(FINE.read_text().replace("EHLO ", f"EHLO {steering}x", 1))
    shown = command("explain", "--view", "json", str(path)).out
    assert not set(shown) & set(steering)
    assert "\\u202e\\u2066" in shown
    assert "\u202e" in json.dumps(json.loads(shown), ensure_ascii=False)


# What a stranger's scenario may read ----------------------------------------------------------

DOCUMENT = """\
title.en = "t"
question.en = "q"
watch.en = "w"
conclude.en = "c"
[document]
log = {log}
language = "en"
clock = 2005-05-16T18:34:30
connection = "1"
"""


@pytest.mark.parametrize(
    "log",
    [
        "/etc/hostname",
        "../secret.txt",
        "..",
        ".",
        "sub/x.txt",
        "..\\\\secret.txt",
        "C:x",
        "",
        "a\\nb",
    ],
)
def test_a_document_is_a_name_without_folder(command: Command, tmp_path: Path, log: str) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "mine.toml"
    (tmp_path / "secret.txt").write_text("secret")
    path.write_text(DOCUMENT.format(log=f'"{log}"'))
    said = command.fails("replay", str(path), "--check")
    assert said.startswith(f"{path}:6: document.log cannot be ")
    assert said.endswith("it names a file beside the scenario, without folder")


@on_posix
def test_a_document_that_is_a_link_out_of_the_folder(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("my secret")
    (folder / "log.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "mine.toml").write_text(DOCUMENT.format(log='"log.txt"'))
    said = command.fails("replay", str(folder / "mine.toml"), "--check")
    assert "leads out of the scenario's folder" in said


def test_a_document_of_ones_own_is_read_beside_the_scenario(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(DOCUMENT.format(log='"mine.txt"'))
    assert "mine.txt: no such file" in command.fails("replay", str(path), "--check")
    log = command("replay", "--view", "esa").out
    (tmp_path / "mine.txt").write_text(log)
    ran = command("replay", str(path), "--check")
    assert "lines agree" in ran.out
    assert load(path).folder == str(tmp_path)


# What is left behind --------------------------------------------------------------------------


HEARD = {
    "SIGTERM": "signal.SIG_DFL",
    "SIGHUP": "signal.SIG_DFL",
    "SIGINT": "signal.default_int_handler",
}
"""What Python does at a signal, unless whoever started it said otherwise."""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL", "SIGINT"])
@on_posix
def test_no_key_log_is_left_behind(tmp_path: Path, name: str) -> None:
    # What starts the tests may have made them deaf to it, as nohup does.
    heard = "" if name == "SIGKILL" else f"signal.signal(signal.{name}, {HEARD[name]})\n"
    talk = (
        f"import signal\n{heard}"
        "from simulator import lab\n"
        "session = lab.play(lab.load('documented'))\n"
        "assert session.secrets\n"
        "from simulator.cli import main\n"
        "import sys\n"
        "print(flush=True)\n"
        "sys.argv = ['ehlo-twice', 'replay', 'slow.toml']\n"
        "main()\n"
    )
    (tmp_path / "slow.toml").write_text(
        'title.en = "t"\nquestion.en = "q"\nwatch.en = "w"\nconclude.en = "c"\n'
        'client.patience = 30\nserver.silent_at = "MAIL"\n'
    )
    out = tmp_path / "temporary"
    out.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", talk],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(out), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(1)
        assert running.poll() is None
        assert list(out.iterdir()) == []
        running.send_signal(getattr(signal, name))
        _, told = running.communicate(timeout=240)
    assert list(out.iterdir()) == []
    assert b"Traceback" not in told
    codes = {"SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -9, "SIGINT": 130}
    assert running.returncode == codes[name]


def test_a_folder_made_for_nothing_goes_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    wanted = tmp_path / "a" / "b" / "c"
    with pytest.raises(OSError, match=r"name too long|cannot find"):
        write(wanted, {"one": b"1", "x" * 300: b"2"})
    assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a").is_dir()


def test_what_another_wrote_meanwhile_stays(tmp_path: Path) -> None:
    class Files(dict[str, bytes]):
        def items(self):
            yield "one", b"1"
            (folder / "theirs").write_text("theirs")
            yield "x" * 300, b"2"

    folder = tmp_path / "new"
    with pytest.raises(OSError, match=r"name too long|cannot find"):
        write(folder, Files())
    assert [path.name for path in folder.iterdir()] == ["theirs"]


@on_posix
def test_a_draft_follows_no_link(tmp_path: Path) -> None:
    """Whoever may write into the folder cannot have another file of the user's overwritten."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f".x.svg.{os.getpid()}.part").symlink_to(precious)
    (folder / "x.svg").symlink_to(precious)
    write(folder, {"x.svg": b"new"})
    assert precious.read_text() == "precious"
    assert (folder / "x.svg").read_bytes() == b"new"
    assert stat.S_IMODE((folder / "x.svg").stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
