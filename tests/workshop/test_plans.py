"""The instructor's guide: plans that fill their time, the same in both languages."""

import itertools
import re
from pathlib import Path

import pytest

from tools.site import notebooks
from tools.workshop import quiz, slides

TEACH = {
    language: Path(__file__).parents[2] / "docs" / language / "teach"
    for language in ("en", "pt-BR")
}
ROW = re.compile(r"^\| (\d+)–(\d+) \|(.*)\|$", re.MULTILINE)


def plan(language: str, minutes: int) -> list[tuple[str, str, str]]:
    text = (TEACH[language] / "guide.md").read_text(encoding="utf-8")
    [part] = re.findall(rf"^## [^\n]*\{{ #plan-{minutes} \}}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return ROW.findall(part)


@pytest.mark.parametrize("language", TEACH)
@pytest.mark.parametrize("minutes", [45, 90, 240])
def test_a_plan_fills_its_time_without_gap(minutes: int, language: str) -> None:
    rows = plan(language, minutes)
    begins, ends = [int(row[0]) for row in rows], [int(row[1]) for row in rows]
    assert begins == [0, *ends[:-1]]
    assert ends[-1] == minutes
    assert all(end > begin for begin, end in zip(begins, ends, strict=True))


@pytest.mark.parametrize("minutes", [45, 90, 240])
def test_both_languages_keep_the_same_time(minutes: int) -> None:
    assert [row[:2] for row in plan("en", minutes)] == [row[:2] for row in plan("pt-BR", minutes)]


@pytest.mark.parametrize("language", TEACH)
def test_every_poll_stands_in_the_guide_and_on_a_slide(language: str) -> None:
    guide = (TEACH[language] / "guide.md").read_text(encoding="utf-8")
    slides = Path(__file__).parents[2] / "workshop" / "slides" / f"{language}.md"
    for question in quiz.of_use("poll"):
        assert f"<!-- show poll {question.id} -->" in guide
        assert f"<!-- show poll {question.id} -->" in slides.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", TEACH)
def test_objectives_cover_every_misconception_and_name_quiz_questions(language: str) -> None:
    guide = (TEACH[language] / "guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| ([A-G](?:, [A-G])*) \| ([^|]+) \|$", guide, re.MULTILINE)
    assert {letter for row in rows for letter in row[0].split(", ")} == set("ABCDEFG")
    asked = {int(n) for row in rows for n in re.findall(r"\b([1-9])\b", row[1])}
    assert asked == set(range(1, len(quiz.of_use("quiz")) + 1))


@pytest.mark.parametrize("language", TEACH)
@pytest.mark.parametrize("minutes", [45, 90, 240])
def test_every_minute_of_a_plan_has_its_slide(minutes: int, language: str) -> None:
    source = Path(__file__).parents[2] / "workshop" / "slides" / f"{language}.md"
    parts = slides.split(source.read_text(encoding="utf-8"))
    shown = [slides.plans(part).get(str(minutes)) for part in parts]
    told = [f"{begins}–{ends}" for begins, ends, _ in plan(language, minutes)]
    deck = list(dict.fromkeys(slot for slot in shown if slot))
    assert deck == told


POLL = 5
"""Minutes that a poll takes: read out, hands, a neighbour, hands again."""


@pytest.mark.parametrize("language", TEACH)
def test_half_a_day_has_the_minutes_that_its_notebooks_and_polls_take(language: str) -> None:
    books = {
        path.stem[:2]: path.stem for path in (TEACH["en"].parents[2] / "notebooks/en").iterdir()
    }
    met = []
    for begins, ends, text in plan(language, 240):
        taken = POLL * text.count("](#poll-")
        for number in re.findall(r"notebook (\d\d)", text):
            taken += notebooks.minutes(books[number])
            met.append(number)
        assert taken <= int(ends) - int(begins), text
    assert met == [f"{number:02}" for number in range(7)]


def test_minutes_are_reckoned_for_every_notebook_and_no_other() -> None:
    for path in (TEACH["en"].parents[2] / "notebooks/en").glob("*.ipynb"):
        assert 10 <= notebooks.minutes(path.stem) <= 25
    with pytest.raises(LookupError, match="99-none"):
        notebooks.minutes("99-none")


@pytest.mark.parametrize("language", TEACH)
@pytest.mark.parametrize("minutes", [45, 90, 240])
def test_every_poll_is_followed_by_the_session_that_decides_it(minutes: int, language: str) -> None:
    source = Path(__file__).parents[2] / "workshop" / "slides" / f"{language}.md"
    parts = slides.split(source.read_text(encoding="utf-8"))
    deck = [part for part in parts if str(minutes) in slides.plans(part)]
    for part, after in itertools.pairwise(deck):
        for name in re.findall(r"<!-- show poll (\S+) -->", part):
            assert f"<!-- show player {quiz.find(name).shown.play} -->" in after, name
