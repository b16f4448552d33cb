"""The notebooks as they are committed: the same in both languages, without outputs, and whole.

That they run is tested by `make test-notebooks`, with the software that they need.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.exercises import names
from simulator.exercises.exercise import load, words

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


@pytest.mark.parametrize("name", NAMES)
def test_what_it_tells_to_type_can_be_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHLO_TWICE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mail.log").write_text("220 a.example ESMTP\n", "utf-8")
    space = names_of(name)
    exercises = re.findall(r'(?:show|check)\("(\d+)"', code_of(name))
    cards = "\n".join(words().values()).replace("…", "'…'")
    told = [("the cards", cards.replace("{name}", exercises[0]))]
    told += [("the notebook", text) for text in texts(name, "en", "markdown")]
    for place, text in told:
        for span in re.findall(r"`([^`\n]+)`", text):
            if CALL.fullmatch(span):
                try:
                    eval(span, space)
                except Exception as error:
                    pytest.fail(f"{name}, {place}: `{span}` is a {type(error).__name__}: {error}")


CALL = re.compile(r"[a-z_]+\(.*\)")


def names_of(name: str) -> dict[str, Any]:
    """What a learner has who ran the notebook: what it imports, defines and reads."""
    space: dict[str, Any] = {}
    body = [node for text in texts(name, "en", "code") for node in ast.parse(text).body]
    for node in body:
        plain = ast.unparse(node)
        if isinstance(node, ast.Import | ast.ImportFrom) and "pandas" not in plain:
            exec(plain, space)
        elif isinstance(node, ast.FunctionDef) or re.match(r"survey = |log = ", plain):
            exec(plain, space)
    return space


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_a_prediction_and_an_explanation(name: str) -> None:
    code = code_of(name)
    assert "guess = ...\nsaid = predict(guess)\nsaid" in code
    assert code.count("said.was(") == 1
    assert code.index("predict(guess)") < code.index("said.was(")
    assert any("own words" in text for text in texts(name, "en", "markdown"))


def test_what_comes_before_the_first_poll_does_not_answer_it() -> None:
    for language in LANGUAGES:
        told = "\n".join(
            text for kind in ("markdown", "code") for text in texts("00-start", language, kind)
        )
        assert not re.search(r"STARTTLS|handshake|documented\"|twice|duas vezes|3207", told)


def test_the_survey_says_when_it_was_made() -> None:
    [survey] = (FOLDER / "data").glob("*.json")
    assert json.loads(survey.read_text("utf-8"))["measured"] == survey.stem.removeprefix("survey-")
    assert survey.name in code_of("08-real-software")


COUNTED = {
    "en": "{17} configurations of {9} servers and {36} clients",
    "pt-BR": "{17} configurações de {9} servidores e {36} clientes",
}
NUMBERS = {
    "en": {9: "nine", 17: "seventeen", 36: "thirty-six"},
    "pt-BR": {9: "nove", 17: "dezessete", 36: "trinta e seis"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_survey_is_said_to_hold_what_it_holds(language: str) -> None:
    [path] = (FOLDER / "data").glob("*.json")
    survey = json.loads(path.read_text("utf-8"))
    programs = {found["software"] for found in survey["servers"].values()}
    held = {len(survey["servers"]), len(programs), len(survey["clients"])}
    told = re.sub(r"\{(\d+)\}", lambda n: NUMBERS[language][int(n[1])], COUNTED[language])
    assert told in " ".join(texts("08-real-software", language, "markdown"))
    assert held == set(NUMBERS[language])
