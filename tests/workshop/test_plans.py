"""The instructor's guide: plans that fill their time, the same in both languages."""

import re
from pathlib import Path

import pytest

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
@pytest.mark.parametrize("minutes", [45, 90, 210])
def test_a_plan_fills_its_time_without_gap(minutes: int, language: str) -> None:
    rows = plan(language, minutes)
    begins, ends = [int(row[0]) for row in rows], [int(row[1]) for row in rows]
    assert begins == [0, *ends[:-1]]
    assert ends[-1] == minutes
    assert all(end > begin for begin, end in zip(begins, ends, strict=True))


@pytest.mark.parametrize("minutes", [45, 90, 210])
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
@pytest.mark.parametrize("minutes", [45, 90, 210])
def test_every_minute_of_a_plan_has_its_slide(minutes: int, language: str) -> None:
    source = Path(__file__).parents[2] / "workshop" / "slides" / f"{language}.md"
    parts = slides.split(source.read_text(encoding="utf-8"))
    shown = [slides.plans(part).get(str(minutes)) for part in parts]
    told = [f"{begins}–{ends}" for begins, ends, _ in plan(language, minutes)]
    deck = list(dict.fromkeys(slot for slot in shown if slot))
    assert deck == told
