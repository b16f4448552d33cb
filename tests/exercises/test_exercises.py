"""The face of the exercises: showing, checking, hints, and the learner's file."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.exercises import (
    GUESSABLE,
    BadProgress,
    UnknownExercise,
    again,
    check,
    hint,
    names,
    overview,
    show,
    start,
)  # fmt: skip
from simulator.exercises import progress as keeping
from simulator.exercises.exercise import load
from simulator.language import say
from tests.command import Command

LANGUAGES = ("en", "pt_BR")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exercise_shows_itself(name: str, language: str) -> None:
    task = show(name, language=language)
    text, html = str(task), task._repr_html_()
    assert say(load(name).title, language) in text
    assert (
        "{" not in re.sub(r"\{(?:host|my_name|sender|recipient)[^}]*\}", "", text) or name == "18"
    )
    assert "\n\n" not in html
    assert max(map(len, text.split("\n"))) <= 130


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exercise_says_how_it_is_answered(name: str, language: str) -> None:
    told = " ".join(str(show(name, language=language)).split())
    assert f'check("{name}", …)' in told
    begins = start(name)
    assert f"ehlo-twice exercise {name} {'--start >' if begins else '…'}" in told
    if begins:
        assert f"--file answer.{'py' if 'def ' in begins else 'toml'}" in told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", "ABCDE")
def test_a_sentence_within_a_sentence_has_no_full_stop(answer: str, language: str) -> None:
    told = str(check("10", answer, language=language))
    assert ".." not in told
    assert "“" in told


def test_an_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(UnknownExercise, match="no exercise '99'"):
        show("99")
    assert show("4").title == show("04").title


def test_progress_is_counted(progress: Path) -> None:
    check("01", "nonsense")
    assert keeping.read(progress).of("01").attempts == 0
    check("01", 77)
    done = keeping.read(progress).of("01")
    assert (done.attempts, done.draw, done.solved) == (1, 1, None)
    assert any(check("01", 1).right for _ in range(3))
    assert check("01", 2).right
    assert keeping.read(progress).of("01").solved == keeping.today()
    assert "01  ✓" in str(overview())


def test_a_wrong_prediction_deals_another_situation() -> None:
    before = str(show("04"))
    result = check("04", 421)
    assert "Another situation" in str(result)
    assert str(show("04")) != before


def test_other_exercises_stay_until_solved() -> None:
    def shown() -> str:
        return re.sub(r"with ESMTPS;.*", "", str(show("07")))

    before = shown()
    for letter in "ABCDE":
        if check("07", letter).right:
            break
        assert shown() == before


def test_again_draws_anew() -> None:
    assert str(show("12")) != str(again("12"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_hints_one_by_one(language: str, progress: Path) -> None:
    counts = [str(hint("06", language=language)).count(". ") for _ in range(4)]
    assert counts == sorted(counts)
    assert str(hint("06", language=language)).count("3. ") == 1
    assert keeping.read(progress).of("06").hints == 3


def test_a_result_has_the_session_that_was_played() -> None:
    result = check("04", 421)
    assert "<smtp-session" in result.played._repr_html_()
    assert check("01", "nonsense").played is None


def test_a_hostile_answer_is_harmless_where_it_is_shown() -> None:
    html = check("12", "<img/src=x>**b**`c`")._repr_html_()
    assert "<img" not in html
    assert "\x1b" not in str(check("12", "\x1b[2J"))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"learner": 3}', b"\xff\xfe", b'{"learner": ""}',
     b'{"learner": "x", "exercises": {"01": {"attempts": -1}}}',
     b'{"format": "other", "learner": "x"}', b'{"version": 2, "learner": "x"}', b"[" * 100_000],
)  # fmt: skip
def test_a_broken_progress_file_is_one_clear_line(
    content: bytes, progress: Path, command: Command
) -> None:
    progress.write_bytes(content)
    with pytest.raises(BadProgress, match="move it away"):
        show("01")
    assert str(progress) in command.fails("exercise", "01")
    assert progress.read_bytes() == content


def test_progress_is_written_whole_or_not_at_all(
    progress: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show("01")
    before = progress.read_bytes()

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    result = check("01", 77)
    assert "No space left on device" in " ".join(str(result).split())
    assert progress.read_bytes() == before
    assert list(progress.parent.iterdir()) == [progress]


def test_no_answer_is_stored_in_the_progress_file(progress: Path) -> None:
    result = check("12", "swordfish")
    text = progress.read_text("utf-8")
    assert "swordfish" not in text
    assert result.played is None


@pytest.mark.parametrize("name", [name for name in names() if load(name).kind == "repair"])
def test_the_beginning_of_a_repair_is_toml(name: str) -> None:
    assert start(name).startswith("[")


def test_where_progress_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(keeping.VARIABLE)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert keeping.default_path() == tmp_path / "ehlo-twice" / "progress.json"


def test_the_command(command: Command, progress: Path, tmp_path: Path) -> None:
    listed = command("exercise")
    assert listed.code == 0
    assert f"0 of {len(names())} solved" in listed.out
    assert command("exercise", "04").code == 0
    assert command("exercise", "04", "--hint").code == 0
    assert command("exercise", "04", "421").code == 1
    assert command("exercise", "04", "--again").code == 0
    assert "Reflita" not in command("exercise", "04", "--lang", "pt_BR").out
    assert "MAIL direto" in command("exercise", "04", "--lang", "pt_BR").out
    elsewhere = tmp_path / "other.json"
    assert command("exercise", "04", "--progress", str(elsewhere)).code == 0
    assert elsewhere.exists()
    begun = command("exercise", "14", "--start")
    policy = tmp_path / "mine.toml"
    policy.write_text(begun.out + 'tls = "required"\n', "utf-8")
    assert command("exercise", "14", "--file", str(policy)).code == 1
    policy.write_text('[client]\ntls = "required"\nverify = true\ndrops_buffer = true\n', "utf-8")
    assert command("exercise", "14", "--file", str(policy)).code == 0


def test_the_command_says_what_is_wrong(command: Command) -> None:
    assert "no exercise '77'" in command.fails("exercise", "77")
    assert "which exercise?" in command.fails("exercise", "--hint")
    assert "/nowhere.py: no such file" in command.fails("exercise", "13", "--file", "/nowhere.py")
    assert "is answered on the command line" in command.fails("exercise", "01", "--start")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import smtplib\n", "smtplib"),
        ("send = 3\n", "NameError:"),
        ("def send(*given):\n    while True: pass\n", "1 segundo|1 second"),
        ("def send(*given):\n    import time; time.sleep(60)\n", "2 segundo|2 second"),
        ("def send(*given):\n    1 / 0\n", "ZeroDivisionError (?:in line|na linha) 2"),
    ],
)
def test_what_stopped_a_program_is_told_as_it_was(
    program: str, says: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.exercises.run.CPU_SECONDS", 1)
    if "sleep" in program:
        monkeypatch.setattr("simulator.exercises.run.SECONDS", 2.0)
        monkeypatch.setattr("simulator.exercises.run.run.__kwdefaults__", {**WAITS, "seconds": 2.0})
    told = " ".join(str(check("18", program, language=language)).split())
    assert re.search(says, told), told
    assert not re.search(r"(?:line|linha) 0\b", told)


WAITS = {"port": 0, "reads": ()}


def test_a_function_of_a_notebook_keeps_the_lines_of_its_cell(tmp_path: Path) -> None:
    cell = "x = 1\n\n\ndef send(*given):\n    1 / 0\n"
    place = tmp_path / "cell.py"
    place.write_text(cell, "utf-8")
    space: dict[str, object] = {}
    exec(compile(cell, str(place), "exec"), space)
    assert "in line 5" in " ".join(str(check("18", space["send"])).split())


@pytest.mark.parametrize("name", [n for n in names() if load(n).kind in GUESSABLE])
def test_one_answer_alone_never_solves_an_exercise(name: str, progress: Path) -> None:
    answers: dict[str, list[object]] = {
        "predict": [1, 2, 503, 250, 235, "A", "B"], "fault": [8, 9, 10, 11],
        "must": list("ABCDE"), "survive": [""],
    }  # fmt: skip
    for answer in answers[load(name).kind]:
        progress.unlink(missing_ok=True)
        rights = [check(name, answer).right for _ in range(4)]
        assert (True, True) not in list(pairwise(rights))
        assert keeping.read(progress).of(name).solved is None


def test_right_once_is_said_and_right_twice_solves(progress: Path) -> None:
    while not (first := check("01", 2)).right:
        progress.unlink()
    assert "one more situation" in " ".join(str(first).split())
    assert keeping.read(progress).of("01").right == 1
    assert "01  ½" in str(overview())
    assert check("01", 1).right
    assert keeping.read(progress).of("01").solved == keeping.today()
