"""The questions: no answer is right because somebody wrote so, a session shows it."""

import html
from collections.abc import Callable

import pytest

import simulator
from simulator import smtp
from simulator.explainer import Explanation
from simulator.session import Command, Reply, Trace
from tools.site.page import Page
from tools.workshop import quiz, quizzing

QUESTIONS = quiz.load().question
USES = ("quiz", "quiz-b", "poll")


def lists(found: Explanation) -> tuple[set[str], set[str]]:
    """Keywords offered before TLS, and inside it."""
    before: set[str] = set()
    inside: set[str] = set()
    for step in found.steps:
        if isinstance(step.event, Reply) and len(step.event.lines) > 1:
            (inside if step.event.secure else before).update(
                line.split()[0] for line in step.event.lines[1:]
            )
    return before, inside


def code_of(found: Explanation, verb: str) -> int:
    """The first reply after the first command of that verb."""
    events = [step.event for step in found.steps]
    [place, *_] = [n for n, e in enumerate(events) if isinstance(e, Command) and e.verb == verb]
    return next(event.code for event in events[place:] if isinstance(event, Reply))


def said_inside(found: Explanation, line: str) -> bool:
    """Whether the server obeyed that command inside TLS."""
    return any(
        isinstance(step.event, Command)
        and step.event.secure
        and f"{step.event.verb} {step.event.argument}".strip() == line
        for step in found.steps
    )


CLAIMS: dict[str, Callable[[Explanation], bool]] = {
    "second_ehlo sent": lambda found: found.verdict.second_ehlo == "sent",
    "one EHLO": lambda found: (
        (found.verdict.ehlo_before_tls, found.verdict.ehlo_after_tls) == (0, 1)
    ),
    "MAIL 503": lambda found: code_of(found, "MAIL") == 503,
    "MAIL 530": lambda found: code_of(found, "MAIL") == 530,
    "AUTH only inside": lambda found: "AUTH" in lists(found)[1] - lists(found)[0],
    "STARTTLS only before": lambda found: "STARTTLS" in lists(found)[0] - lists(found)[1],
    "tls failed": lambda found: found.verdict.tls == "failed",
    "tls not_offered": lambda found: found.verdict.tls == "not_offered",
    "accepted": lambda found: bool(found.verdict.delivered),
    "not accepted": lambda found: not found.verdict.delivered,
    "second_ehlo missing": lambda found: found.verdict.second_ehlo == "missing",
    "MAIL 250": lambda found: code_of(found, "MAIL") == 250,
    "EHLO 250": lambda found: code_of(found, "EHLO") == 250,
    "no greeting": lambda found: not any(isinstance(s.event, Reply) for s in found.steps),
    "Received from inside.mx4.example.com": lambda found: any(
        isinstance(s.event, Trace) and " from inside.mx4.example.com " in s.event.text
        for s in found.steps
    ),
    "EHLO inside.mx4.example.com inside": lambda found: said_inside(
        found, "EHLO inside.mx4.example.com"
    ),
    "EHLO evil.example.net inside": lambda found: said_inside(found, "EHLO evil.example.net"),
}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_session_shows_that_the_answer_is_right(question: quiz.Question) -> None:
    found = simulator.replay(question.shown.play)
    assert question.shown.has
    assert [claim for claim in question.shown.has if not CLAIMS[claim](found)] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_is_complete(question: quiz.Question) -> None:
    right, *wrong = question.options
    assert sorted(question.order) == list(range(1, len(question.options) + 1))
    assert right.reveals is None
    assert all(option.reveals for option in wrong)
    assert question.ideas
    assert set(question.ideas) <= set(quiz.load().idea)
    assert set(question.cite) <= set(smtp.citations())
    assert question.seen.startswith("https://github.com/")


def test_ids_are_unique_and_the_right_letter_cannot_be_guessed() -> None:
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    for use in USES:
        assert len({question.right for question in quiz.of_use(use)}) >= 3


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_right_answer_is_not_known_by_its_length(language: str, use: str) -> None:
    asked = quiz.of_use(use)
    longest = shortest = 0
    for question in asked:
        right, *wrong = (len(option.of(language)) for option in question.options)
        longest += right > max(wrong)
        shortest += right < min(wrong)
    assert longest <= len(asked) / 3
    assert shortest <= len(asked) / 2


def test_form_b_aims_at_the_same_mistakes_in_other_words() -> None:
    one, other = quiz.form("A"), quiz.form("B")
    assert [f"{q.id}-b" for q in one] == [q.id for q in other]
    for before, after in zip(one, other, strict=True):
        assert (before.ideas, before.seen, before.star) == (after.ideas, after.seen, after.star)
        for language in ("en", "pt-BR"):
            assert before.ask(language) != after.ask(language)
            rights = {q.options[0].of(language) for q in (before, after)}
            assert len(rights) == 2
    assert sum(a.right != b.right for a, b in zip(one, other, strict=True)) > len(one) / 2


@pytest.mark.parametrize("use", ["quiz", "quiz-b"])
def test_the_quiz_asks_about_every_misconception(use: str) -> None:
    asked = {idea for question in quiz.of_use(use) for idea in question.ideas}
    assert asked == set(quiz.load().idea) == set("ABCDEFG")


@pytest.mark.parametrize("form", quiz.FORMS)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_page_and_the_key_say_what_every_wrong_answer_reveals(language: str, form: str) -> None:
    page = Page(path="teach/quiz.md", language=language, text="")
    shown, key = quizzing.show(page, form), quiz.key(page, quiz.FORMS[form])
    for question in quiz.form(form):
        assert question.seen in key
        assert shown.count(f'data-question="{question.id}" data-right="{question.right}"') == 1
        for letter, option in question.choices():
            assert f'name="{question.id}" value="{letter}"' in shown
            assert html.escape(option.of(language)) in shown
            if option.reveals:
                assert option.reveals.of(language) in key
                assert html.escape(option.reveals.of(language)) in shown


def test_an_unknown_poll_is_named() -> None:
    with pytest.raises(LookupError, match="poll-none"):
        quiz.find("poll-none")
