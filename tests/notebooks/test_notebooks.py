"""The notebooks as they are committed: the same in both languages, without outputs, and whole.

That they run is tested by `make test-notebooks`, with the software that they need.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.exercises import names
from simulator.exercises.exercise import load

FOLDER = Path(__file__).parents[2] / "notebooks"
LANGUAGES = ("en", "pt-BR")
NAMES = sorted(path.stem for path in (FOLDER / "en").glob("*.ipynb"))

HEADINGS = {
    "en": ["Predict", "Run", "Explain", "Change one thing", "Check", "Summary"],
    "pt-BR": ["Preveja", "Execute", "Explique", "Mude uma coisa", "Verifique", "Resumo"],
}
GOAL = {"en": "**Goal:** ", "pt-BR": "**Objetivo:** "}
PICTURE = re.compile(r"\b(?:drawing|beside|heat|plt\.subplots)\(")


def cells(name: str, language: str) -> list[dict[str, Any]]:
    book = json.loads((FOLDER / language / f"{name}.ipynb").read_text("utf-8"))
    found: list[dict[str, Any]] = book["cells"]
    return found


def texts(name: str, language: str, kind: str) -> list[str]:
    return ["".join(c["source"]) for c in cells(name, language) if c["cell_type"] == kind]


def code_of(name: str) -> str:
    return "\n".join(texts(name, "en", "code"))


def test_there_are_nine_in_every_language() -> None:
    assert len(NAMES) == 9
    for language in LANGUAGES:
        assert sorted(path.stem for path in (FOLDER / language).glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_the_same_in_both_languages(name: str) -> None:
    assert texts(name, "en", "code") == texts(name, "pt-BR", "code")
    kinds = [[cell["cell_type"] for cell in cells(name, language)] for language in LANGUAGES]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("name", NAMES)
def test_code_is_without_a_language_of_its_own(name: str) -> None:
    for line in code_of(name).split("\n"):
        assert not re.search(r"(?<!\S)#\s", line), line


@pytest.mark.parametrize("name", NAMES)
def test_what_is_code_stays_as_it_is(name: str) -> None:
    for one, other in zip(*(texts(name, language, "markdown") for language in LANGUAGES)):  # noqa: B905
        assert sorted(re.findall(r"`[^`]+`", one)) == sorted(re.findall(r"`[^`]+`", other)), one
        for rfc in (r"RFC \d+ §[\d.]+\d", r"\bMUST(?: NOT)?\b|\bSHOULD\b|\bMAY\b", r"CVE-[\d-]+"):
            assert set(re.findall(rfc, one)) == set(re.findall(rfc, other)), one


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_committed_without_outputs(name: str, language: str) -> None:
    for number, cell in enumerate(cells(name, language)):
        assert cell["id"] == str(number)
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_it_has_all_its_parts_in_order(name: str, language: str) -> None:
    prose = "\n".join(texts(name, language, "markdown"))
    assert prose.startswith("# ")
    assert prose.count(GOAL[language]) == 1
    assert re.findall(r"(?m)^## (.*)$", prose) == HEADINGS[language]
    assert PICTURE.search(code_of(name))
    book = json.loads((FOLDER / language / f"{name}.ipynb").read_text("utf-8"))
    assert len(book["metadata"]["description"]) > 20
    for link in re.findall(r"\]\(([^)]+\.ipynb)\)", prose):
        assert (FOLDER / language / link).exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_it_speaks_the_language_of_its_folder(name: str) -> None:
    assert texts(name, "en", "code")[0].endswith("\nhere()")


@pytest.mark.parametrize("name", NAMES)
def test_its_exercises_are_there_and_their_answers_are_not(name: str) -> None:
    checked = re.findall(r'check\("(\d+)", (.*)\)', code_of(name))
    assert checked
    for number, answer in checked:
        assert number in names()
        kind = load(number).kind
        assert answer == '"…"' or kind in ("repair", "reader", "client"), answer


def test_the_survey_says_when_it_was_made() -> None:
    [survey] = (FOLDER / "data").glob("*.json")
    assert json.loads(survey.read_text("utf-8"))["measured"] == survey.stem.removeprefix("survey-")
    assert survey.name in code_of("08-real-software")
