"""What is committed of the survey: whole, explained, and without what is not public."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from simulator.explainer import explain
from simulator.survey import results
from simulator.survey.questions import of
from simulator.survey.software import Software, recipes

SURVEY = Path(__file__).parents[2] / "survey"
RECIPES = {software.name: software for software in recipes(SURVEY)}
FOUND = results.read(SURVEY / "results")


def test_every_configuration_was_asked() -> None:
    assert set(FOUND) == {
        results.name_of(software.name, setting.name)
        for software in RECIPES.values()
        for setting in software.setting
    }


@pytest.mark.parametrize("name", FOUND)
def test_results_are_those_of_the_recipe_as_it_is(name: str) -> None:
    software = RECIPES[FOUND[name].software]
    assert FOUND[name].recipe == software.digest(), (
        f"recipe or questions changed: ehlo-twice survey {software.name} --out survey/results"
    )


@pytest.mark.parametrize("name", FOUND)
def test_every_question_is_answered_by_sessions_that_can_be_explained(name: str) -> None:
    found = FOUND[name]
    recipe = RECIPES[found.software]
    without = {*recipe.without, *(() if recipe.mailbox else ("received",))}
    asked = [question.id for question in of(found.kind) if question.id not in without]
    assert [answer.question for answer in found.answers] == asked
    for answer in found.answers:
        assert bool(answer.sessions) == (answer.kind not in ("unasked", "withheld")), (
            answer.question
        )
        for session in answer.sessions:
            assert explain(session).session == session
    jsonschema.validate(json.loads(results.to_json(found)), results.schema())


@pytest.mark.parametrize("name", FOUND)
def test_a_weakness_stands_there_only_with_its_public_report(name: str) -> None:
    found = FOUND[name]
    secret = {question.id for question in of(found.kind) if question.secret}
    for answer in found.answers:
        if answer.question in secret and answer.kind in ("breaks", "lax"):
            assert answer.public.startswith("https://"), answer.question
        if answer.kind == "withheld":
            assert answer == results.Answer(question=answer.question, kind="withheld")


@pytest.mark.parametrize("software", RECIPES.values(), ids=lambda software: software.name)
def test_a_recipe_says_of_each_setting_what_it_is_and_reports_what_is_asked(
    software: Software,
) -> None:
    secret = {question.id for question in of(software.kind) if question.secret}
    for setting in software.setting:
        assert setting.about.strip()
        assert setting.public.keys() <= secret
    assert software.quick or not software.install.program


def test_the_table_has_every_answer() -> None:
    text = (SURVEY / "results" / results.TABLE).read_text(encoding="utf-8")
    assert text == results.table(FOUND.values())
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == sum(len(found.answers) for found in FOUND.values())


def test_no_session_tells_of_the_machine_that_it_was_recorded_on() -> None:
    for found in FOUND.values():
        for answer in found.answers:
            for session in answer.sessions:
                assert session.client.address in ("", "127.0.0.1", "::1")
                assert session.started is None
                assert session.secrets == ()


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("503", "503"),
        ("503 to MAIL", "503 ao MAIL"),
        ("closed to STARTTLS + NOOP", "conexão fechada ao STARTTLS + NOOP"),
        ("silence to RCPT", "silêncio ao RCPT"),
        ("1 → 0 (HELO)", "1 → 0 (HELO)"),
        ("1 → 1 (another name)", "1 → 1 (outro nome)"),
        ("no name", "nenhum nome"),
        ("no message", "nenhuma mensagem"),
        ("before.example", "before.example"),
    ],
)
def test_an_answer_in_short_is_said_in_the_readers_language(short: str, said: str) -> None:
    answer = results.Answer(question="mail", kind="told", short=short)
    assert (answer.brief("en"), answer.brief("pt_BR")) == (short, said)


@pytest.mark.parametrize("text", ["the session broke off", "the message was taken, and not found"])
def test_what_became_of_a_session_is_said_in_the_readers_language(text: str) -> None:
    answer = results.Answer(question="mail", kind="unclear", text=text)
    assert answer.said("en") == text
    assert answer.said("pt_BR") != text
