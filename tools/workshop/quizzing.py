"""The quiz as one clicks it: each question with its answers, and what each of them shows.

Without script the answers can be marked, and what is right is behind a line to open.
"""

from __future__ import annotations

import html
import json

from tools.site.page import Page, cite
from tools.words import word
from tools.workshop import quiz

WORDS = ("go", "choose", "is-right", "is-wrong", "right-is")
RESULT_WORDS = (
    "counted", "result", "all-right", "open", "shown", "both", "again", "kept", "not-kept",
)  # fmt: skip


def show(page: Page, name: str) -> str:
    """A form of the quiz, and its result."""
    asked = enumerate(quiz.form(name), 1)
    questions = [_question(page, f"{name}{number}", question) for number, question in asked]
    return "\n\n".join((*questions, _result(page, name)))


def _question(page: Page, number: str, question: quiz.Question) -> str:
    """A heading, and the element that takes an answer."""
    language = page.language
    ask = html.escape(question.ask(language))
    attributes = {
        "question": question.id,
        "right": question.right,
        "reveals": _json(
            {
                letter: option.reveals.of(language)
                for letter, option in question.choices()
                if option.reveals
            }
        ),
        "words": _json({key: word(f"quiz.{key}", language) for key in WORDS}),
    }
    choices = "\n".join(
        f'<label><input type="radio" name="{question.id}" value="{letter}"> '
        f"<span><b>{letter}</b> {html.escape(option.of(language))}</span></label>"
        for letter, option in question.choices()
    )
    return (
        f"### {number}. {ask} {{ #{question.id} }}\n\n"
        f'<div class="quiz">\n<smtp-quiz {_quoted(attributes)}>\n'
        f'<div class="choices" role="radiogroup" aria-label="{number}. {ask}">\n'
        f"{choices}\n</div>\n{_answer(page, question)}\n</smtp-quiz>\n</div>"
    )


def _answer(page: Page, question: quiz.Question) -> str:
    """What is right, what every other answer reveals, and the session that shows it."""
    language = page.language
    rows = "".join(
        f"<dt>{letter}</dt><dd>{html.escape(option.reveals.of(language))}</dd>"
        if option.reveals
        else f"<dt>{letter}</dt><dd><b>{word('right', language)}</b></dd>"
        for letter, option in question.choices()
    )
    proof = word(
        "proof",
        language,
        ideas=", ".join(question.ideas),
        play=f'<a href="{_played(page, question)}">{question.shown.play}</a>',
        seen=f'<a href="{question.seen}">{question.seen.removeprefix("https://github.com/")}</a>',
        cited=" ".join(cite(key, page) for key in question.cite),
    )
    said = word("quiz.answers", language)
    return f"<details><summary>{said}</summary>\n<dl>{rows}</dl>\n<p>{proof}</p>\n</details>"


def _result(page: Page, form: str) -> str:
    """What the answers to a form come to; without script there is none."""
    language = page.language
    [other] = set(quiz.FORMS) - {form}
    questions = {
        question.id: {
            "number": f"{form}{number}",
            "right": question.right,
            "idea": " ".join(quiz.load().idea[letter].of(language) for letter in question.ideas),
            "play": _played(page, question),
        }
        for number, question in enumerate(quiz.form(form), 1)
    }
    attributes = {
        "form": form,
        "questions": _json(questions),
        "other": _json({question.id: question.right for question in quiz.form(other)}),
        "words": _json({key: word(f"quiz.{key}", language) for key in RESULT_WORDS}),
    }
    return (
        f'<div class="quiz">\n<smtp-quiz-result {_quoted(attributes)}></smtp-quiz-result>\n</div>'
    )


def _played(page: Page, question: quiz.Question) -> str:
    return page.address(f"what-if/{question.shown.play}.md")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _quoted(attributes: dict[str, str]) -> str:
    return " ".join(f'data-{name}="{html.escape(value)}"' for name, value in attributes.items())
