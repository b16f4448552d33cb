"""The class: who is where, what is commonly wrong, and a file that was edited."""

import tomllib
from pathlib import Path

import pytest

from simulator.exercises import check, classroom, names
from simulator.exercises import progress as keeping
from simulator.exercises.exercise import load, words
from simulator.language import say
from tests.command import Command
from tools.words import translated

SEED = "maple-28"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two learners of a class with a seed, and one without."""
    made = []
    for name in ("ana", "bruno", "carla"):
        monkeypatch.setenv(keeping.SEED, "" if name == "carla" else SEED)
        path = tmp_path / f"{name}.json"
        check("04", 421, progress=path)
        check("12", "swordfish", progress=path)
        made.append(path)
    return made


def test_who_is_where_and_what_is_commonly_wrong(files: list[Path]) -> None:
    found = classroom.collect(files, SEED)
    assert [(one.name, one.at, one.attempts) for one in found.learners] == [
        ("ana", "01", 2), ("bruno", "01", 2), ("carla", "01", 2),
    ]  # fmt: skip
    assert {name for name, *_ in found.wrong} == {"04"}
    assert sum(count for *_, count, _ in found.wrong) == 3
    assert found.open == (("A", 3), ("C", 3))
    for language in ("en", "pt_BR"):
        told = classroom.text(found, language)
        assert say(words()["idea-A"], language) in told
        assert "421" in told
        assert "swordfish" not in told


def test_an_edited_file_shows(files: list[Path]) -> None:
    ana, bruno, _ = files
    bruno.write_text(bruno.read_text("utf-8").replace('"attempts": 1', '"attempts": 0'), "utf-8")
    found = classroom.collect(files, SEED)
    assert [one.signature for one in found.learners] == ["signed", "edited", "unsigned"]
    assert classroom.collect([ana], "other").learners[0].signature == "edited"
    assert classroom.collect([ana]).learners[0].signature == "unsigned"


def test_the_command(files: list[Path], command: Command, tmp_path: Path) -> None:
    told = command("class", "collect", "--seed", SEED, *map(str, files))
    assert told.code == 0
    assert "ana" in told.out
    assert "signed" in told.out
    (tmp_path / "broken.json").write_text("{", "utf-8")
    assert "broken.json" in command.fails("class", "collect", str(tmp_path / "broken.json"))
    assert "none.json" in command.fails("class", "collect", str(tmp_path / "none.json"))


def test_the_misconceptions_are_those_of_the_quiz_and_each_has_an_exercise() -> None:
    source = Path(__file__).parents[2] / "workshop" / "quiz.toml"
    for letter, text in tomllib.loads(source.read_text("utf-8"))["idea"].items():
        for language in ("en", "pt_BR"):
            assert say(words()[f"idea-{letter}"], language) == translated(text, language)
    aimed = {idea for name in names() for idea in load(name).ideas}
    assert aimed >= set("ABCEFG")
