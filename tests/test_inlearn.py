"""The exercises in a page: the same tasks, seeds, checks and words as the command has, in the same
file."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.exercises import BadProgress, names
from simulator.exercises.exercise import Exercise, load
from simulator.exercises.kinds import order
from simulator.exercises.puzzle import Puzzle
from simulator.inlearn import answer
from tests.command import Command

pytest.importorskip("tlslite")

SOLUTIONS = Path(__file__).parents[1] / "workshop" / "solutions"
LEARNER = '{"format": "ehlo-twice/progress", "version": 1, "learner": "l1"}'
GIVEN = {
    "01": "2", "03": "A B", "04": "503", "05": "250", "06": "8", "07": "B",
    "09": "mx1.example.com ESMTP", "10": "A", "11": "A B C", "12": "falcon", "16": "8",
}  # fmt: skip
"""An answer to each exercise that is answered in a word; lines are put into the order in which the
file has them, and the rest is answered with a file."""

ELSEWHERE = re.compile(r"""[:;,：] ?`(?:show|hint)\("\d\d"\).*""")


def asked(language: str = "en", **question: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer(json.dumps(question), language))
    return found


def words(text: str) -> str:
    """What is said, without how it looks."""
    return re.sub(r"[\s`*▸]", "", text)


def on_the_page(card: object) -> str:
    assert isinstance(card, str)
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", card, flags=re.DOTALL)
    return re.sub(r"\d\d:\d\d:\d\d", "", words(html.unescape(text)))


def in_a_terminal(output: str) -> str:
    """The same of what the command writes, without how one answers in a terminal."""
    said = []
    for paragraph in output.split("\n\n"):
        line = " ".join(paragraph.split())
        if "`check(" not in line:
            said.append(ELSEWHERE.sub(".", line) if "ehlo-twice exercise" in line else paragraph)
    return re.sub(r"\d\d:\d\d:\d\d", "", words("\n".join(said)))


def in_order(exercise: Exercise, language: str) -> str:
    """The letters of the lines in the order in which the file has them."""
    puzzle = Puzzle(exercise, "l1", language)
    cards = order._cards(puzzle)
    given = ""
    for line in (order._filled(puzzle, line) for line in exercise.lines):
        given += next(letter for letter in cards if cards[letter] == line and letter not in given)
    return given


@pytest.mark.parametrize("name", names())
def test_every_exercise_is_the_one_of_the_command(
    name: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "progress.json"
    kept.write_text(LEARNER, "utf-8")
    monkeypatch.setenv("EHLO_TWICE_PROGRESS", str(kept))
    language = ("en", "pt_BR")[int(name) % 2]
    exercise = load(name)
    [file] = [*SOLUTIONS.glob(f"{name}.*"), None][:1]
    given = file.read_text("utf-8") if file else GIVEN.get(name) or in_order(exercise, language)
    progress = LEARNER
    for does, line in (
        ("show", []),
        ("check", ["--file", str(file)] if file else [given]),
        ("hint", ["--hint"]),
        ("again", ["--again"]),
    ):
        page = asked(language, does=does, number=name, given=given, progress=progress)
        ran = command("exercise", name, *line, "--lang", language)
        assert on_the_page(page["card"]) == in_a_terminal(ran.out), does
        assert ran.code == (does == "check" and not page["right"])
        assert page["progress"] == kept.read_text("utf-8")
        progress = str(page["progress"])
        if does == "show" and file:
            assert page["begins"] == command("exercise", name, "--start").out
    assert json.loads(progress)["exercises"][name]["attempts"] == 1


def test_a_new_learner_gets_a_file_and_keeps_it() -> None:
    first = asked(does="show", number="01")
    again = asked(does="show", number="01", progress=str(first["progress"]))
    assert (again["card"], again["progress"]) == (first["card"], first["progress"])


def test_the_session_that_an_answer_had_is_shown() -> None:
    given = in_order(load("02"), "en")
    shown = asked(does="check", number="02", given=given, progress=LEARNER)["shown"]
    assert isinstance(shown, dict)
    assert len(shown["sessions"]) == 1
    assert asked(does="show", number="02", progress=LEARNER)["shown"] is None


@pytest.mark.parametrize("text", ["{", "[]", '{"learner": 3}', '{"learner": "a", "version": 2}'])
def test_what_is_no_progress_file_is_said_in_one_line(text: str) -> None:
    with pytest.raises(BadProgress, match=r"^progress\.json: not a progress file") as raised:
        asked(does="open", progress=text)
    assert "\n" not in str(raised.value)


def test_a_browsers_python_has_all_it_needs() -> None:
    code = (
        "import sys\n"
        "for name in ('cryptography', 'trustme', 'matplotlib', 'numpy', 'click', 'resource',"
        " 'multiprocessing.pool', 'uvicorn', 'starlette'):\n"
        "    sys.modules[name] = None\n"
        "import json\n"
        "from simulator.inlearn import answer\n"
        "for number, given in (('01', '2'), ('13', 'def offers_starttls(reply): return True')):\n"
        "    print(answer(json.dumps({'does': 'check', 'number': number, 'given': given}), 'en'))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120
    )
    assert ran.stderr == ""
    assert '"card"' in ran.stdout
