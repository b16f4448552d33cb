"""Solutions for the teacher: found by playing, complete, and in no learner's hands."""

from pathlib import Path

import pytest

from simulator.exercises import names
from simulator.exercises.exercise import load
from tools.site import cells
from tools.workshop import solutions

LANGUAGES = ("en", "pt-BR")


@pytest.mark.parametrize("name", names())
def test_every_situation_of_an_exercise_has_its_answer(name: str) -> None:
    solved = solutions.exercise(name, "en")
    one_program = load(name).kind in ("reader", "client")
    assert len(solved) == (1 if one_program else len(load(name).variant))
    for found in solved:
        assert found.answer
        assert found.told
        assert "{" not in found.told


def test_what_no_answer_solves_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(solutions.FINDS, "fault", lambda puzzle, items: iter((1, 2)))
    with pytest.raises(solutions.Unsolved, match="exercise 06, skipped"):
        solutions.solve("06", "skipped", "en")


def test_answers_in_letters_are_told_in_words() -> None:
    found = solutions.solve("11", "tls12", "pt-BR")
    assert found.answer.count(" · ") == 2
    assert "CN=" in found.answer
    assert solutions.solve("11", "implicit", "pt-BR").answer == "nenhum deles"


def test_each_notebook_has_its_change() -> None:
    told = solutions.changes()
    assert [change.notebook for change in told] == [book.name for book in cells.sources("en")]


@pytest.mark.parametrize("change", solutions.changes(), ids=lambda change: change.notebook)
def test_what_is_said_to_come_of_a_change_comes_of_it(change: solutions.Change) -> None:
    if change.notebook == "08-real-software":
        pytest.importorskip("pandas", reason="comes with the notebooks: make notebooks")
    assert solutions.changed(change, "en")


def test_a_change_that_does_something_else_is_not_printed() -> None:
    first = solutions.changes()[0]
    other = solutions.Change(
        notebook=first.notebook,
        at=first.at,
        put=first.put,
        has=("nobody said this",),
        text="",
    )
    with pytest.raises(solutions.Unsolved, match="nobody said this"):
        solutions.changed(other, "en")
    nowhere = solutions.Change(notebook=first.notebook, at="no such line", has=(), text="")
    with pytest.raises(solutions.Unsolved, match="no such line"):
        solutions.changed(nowhere, "en")


def test_a_cell_of_a_change_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EHLO_TWICE_PROGRESS", str(tmp_path / "mine.json"))
    solutions.changed(solutions.changes()[0], "en")
    assert not list(tmp_path.iterdir())
