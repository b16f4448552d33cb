"""Quiz and exercises for a learning platform: as GIFT for Moodle, as QTI 2.1 for most others.

An exercise becomes one question for each of its situations. What can be chosen is what is right in
one of them, or an ending; what is right was found by playing (see `solutions`).
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from simulator.exercises import card, names
from simulator.exercises.blocks import Steps
from simulator.exercises.exercise import Exercise, load
from simulator.exercises.kinds import KINDS
from simulator.exercises.puzzle import Puzzle
from simulator.language import say
from tools.site.page import LANGUAGES
from tools.workshop import quiz, solutions

WIDTH = 72
"""Columns of a log in a question."""

ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in "\\~=#{}:"} | {"\n": "\\n"})
"""What GIFT would read as its own marks."""

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
WHEN = (1980, 1, 1, 0, 0, 0)
"""The date of what is in the package, so that the same questions give the same octets."""


class Choice(NamedTuple):
    """An answer to choose; `told` is what a platform says to whoever chose it."""

    text: str
    right: bool
    told: str


class Asked(NamedTuple):
    """One question: its words, the log that goes with it, and the answers in their order."""

    id: str
    folder: str
    ask: str
    log: str
    choices: tuple[Choice, ...]


def questions(language: str) -> list[Asked]:
    """All questions of the quiz, the polls, and the exercises that ask for a prediction."""
    return [*_quiz(language), *_exercises(language)]


def _quiz(language: str) -> Iterator[Asked]:
    for question in quiz.load().question:
        choices = (
            Choice(option.of(language), option.reveals is None, told)
            for _, option in question.choices()
            for told in [option.reveals.of(language) if option.reveals else ""]
        )
        yield Asked(question.id, question.use, question.ask(language), "", tuple(choices))


def _exercises(language: str) -> Iterator[Asked]:
    for name in names():
        exercise = load(name)
        if exercise.kind != "predict":
            continue
        found = {one.name: solutions.solve(name, one.name, language) for one in exercise.variant}
        fits: dict[str, str] = {}
        for situation in found.values():
            fits.setdefault(situation.answer, situation.about)
        for variant in exercise.variant:
            right = found[variant.name]
            puzzle = Puzzle(exercise, solutions.TEACHER, LANGUAGES[language], variant=variant.name)
            # In the order of the answers themselves, so that none stands first for being right.
            choices = (
                Choice(_plain(answer), True, _plain(right.told))
                if answer == right.answer
                else Choice(_plain(answer), False, _elsewhere(puzzle, answer, fits[answer]))
                for answer in sorted(fits)
            )
            yield Asked(
                f"exercise-{name}-{variant.name}",
                "exercises",
                f"{_asks(exercise, language)} {_plain(right.about)}",
                _log(puzzle),
                tuple(choices),
            )


def _elsewhere(puzzle: Puzzle, answer: str, about: str) -> str:
    """What the exercise says to a wrong answer: where it would have been right."""
    text = puzzle.says("right-elsewhere").format(given=answer.removesuffix("."), about=about)
    return _plain(text)


def _asks(exercise: Exercise, language: str) -> str:
    """The task up to its question: what follows says how to answer in a terminal."""
    task = say(exercise.task, LANGUAGES[language])
    return _plain(task[: task.rindex("**")])


def _plain(text: str) -> str:
    return re.sub(r"\*\*|`", "", text)


def _log(puzzle: Puzzle) -> str:
    steps = [b for b in KINDS[puzzle.exercise.kind].ask(puzzle) if isinstance(b, Steps)]
    return card.text("", steps, puzzle.language, width=WIDTH).strip("\n") if steps else ""


def gift(language: str) -> str:
    """All of them in GIFT, in a category for the quiz, the polls and the exercises."""
    told, folder = [], ""
    for asked in questions(language):
        if asked.folder != folder:
            folder = asked.folder
            told.append(f"$CATEGORY: ehlo-twice/{folder}\n")
        log = f"<pre>{html.escape(asked.log)}</pre>" if asked.log else ""
        text = f"<p>{html.escape(asked.ask, quote=False)}</p>{log}".translate(ESCAPED)
        rows = (
            ("=" if choice.right else "~")
            + html.escape(choice.text, quote=False).translate(ESCAPED)
            + (
                f"#{html.escape(choice.told, quote=False).translate(ESCAPED)}"
                if choice.told
                else ""
            )
            for choice in asked.choices
        )
        told.append(f"::{asked.id}::[html]{text} {{\n" + "\n".join(rows) + "\n}\n")
    return "\n".join(told)


def qti(language: str) -> bytes:
    """All of them as a QTI 2.1 package (zip): an item each, and the manifest that lists them."""
    asked = questions(language)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("imsmanifest.xml", WHEN), _manifest(asked))
        for one in asked:
            archive.writestr(zipfile.ZipInfo(f"{one.id}.xml", WHEN), _item(one, language))
    return package.getvalue()


def _manifest(asked: list[Asked]) -> bytes:
    root = Xml.Element("manifest", {"xmlns": PACKAGE, "identifier": "ehlo-twice"})
    metadata = Xml.SubElement(root, "metadata")
    Xml.SubElement(metadata, "schema").text = "QTIv2.1 Package"
    Xml.SubElement(metadata, "schemaversion").text = "1.0.0"
    Xml.SubElement(root, "organizations")
    resources = Xml.SubElement(root, "resources")
    for one in asked:
        resource = Xml.SubElement(
            resources,
            "resource",
            {"identifier": one.id, "type": "imsqti_item_xmlv2p1", "href": f"{one.id}.xml"},
        )
        Xml.SubElement(resource, "file", {"href": f"{one.id}.xml"})
    return _octets(root)


def _item(asked: Asked, language: str) -> bytes:
    root = Xml.Element(
        "assessmentItem",
        {
            "xmlns": QTI,
            "xmlns:xsi": SCHEMA,
            "xsi:schemaLocation": f"{QTI} http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
            "identifier": asked.id,
            "title": asked.id,
            "adaptive": "false",
            "timeDependent": "false",
            "xml:lang": language,
        },
    )
    response = Xml.SubElement(root, "responseDeclaration", _declared("RESPONSE", "identifier"))
    correct = Xml.SubElement(response, "correctResponse")
    keys = [f"CHOICE{n}" for n in range(1, len(asked.choices) + 1)]
    for key, choice in zip(keys, asked.choices, strict=True):
        if choice.right:
            Xml.SubElement(correct, "value").text = key
    score = Xml.SubElement(root, "outcomeDeclaration", _declared("SCORE", "float"))
    Xml.SubElement(Xml.SubElement(score, "defaultValue"), "value").text = "0"
    Xml.SubElement(root, "outcomeDeclaration", _declared("FEEDBACK", "identifier"))
    body = Xml.SubElement(root, "itemBody")
    if asked.log:
        Xml.SubElement(body, "pre").text = asked.log
    interaction = Xml.SubElement(
        body,
        "choiceInteraction",
        {"responseIdentifier": "RESPONSE", "shuffle": "false", "maxChoices": "1"},
    )
    Xml.SubElement(interaction, "prompt").text = asked.ask
    for key, choice in zip(keys, asked.choices, strict=True):
        Xml.SubElement(interaction, "simpleChoice", {"identifier": key}).text = choice.text
    _scored(Xml.SubElement(root, "responseProcessing"))
    for key, choice in zip(keys, asked.choices, strict=True):
        if choice.told:
            Xml.SubElement(
                root,
                "modalFeedback",
                {"outcomeIdentifier": "FEEDBACK", "identifier": key, "showHide": "show"},
            ).text = choice.told
    return _octets(root)


def _scored(processing: Xml.Element) -> None:
    """A point for the right answer; what is told is told of the answer that was given."""
    given = {"identifier": "RESPONSE"}
    condition = Xml.SubElement(Xml.SubElement(processing, "responseCondition"), "responseIf")
    match = Xml.SubElement(condition, "match")
    Xml.SubElement(match, "variable", given)
    Xml.SubElement(match, "correct", given)
    score = Xml.SubElement(condition, "setOutcomeValue", {"identifier": "SCORE"})
    Xml.SubElement(score, "baseValue", {"baseType": "float"}).text = "1"
    Xml.SubElement(
        Xml.SubElement(processing, "setOutcomeValue", {"identifier": "FEEDBACK"}), "variable", given
    )


def _octets(root: Xml.Element) -> bytes:
    written = io.BytesIO()
    Xml.ElementTree(root).write(written, encoding="utf-8", xml_declaration=True)
    return written.getvalue()


def _declared(identifier: str, kind: str) -> dict[str, str]:
    return {"identifier": identifier, "cardinality": "single", "baseType": kind}
