"""Questions for learning platforms, read back as a platform would."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree as Xml

import pytest

from tools.site.page import LANGUAGES
from tools.workshop import export, quiz

NS = {"q": export.QTI, "p": export.PACKAGE}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_has_one_right_answer_and_says_what_a_wrong_one_is(language: str) -> None:
    asked = export.questions(language)
    assert len({one.id for one in asked}) == len(asked)
    assert {question.id for question in quiz.load().question} < {one.id for one in asked}
    for one in asked:
        assert len(one.choices) > 1, one.id
        assert [choice.right for choice in one.choices].count(True) == 1, one.id
        assert len({choice.text for choice in one.choices}) == len(one.choices), one.id
        assert all(choice.told for choice in one.choices if not choice.right), one.id
        said = " ".join([one.ask, *(part for choice in one.choices for part in choice[::2])])
        assert not re.search(r"\*\*|`|\{\w+\}", said), one.id


def test_an_exercise_asks_with_its_log_and_tells_where_a_wrong_answer_would_be_right() -> None:
    [asked] = [one for one in export.questions("en") if one.id == "exercise-04-strict"]
    assert asked.ask.startswith("The client leaves the second EHLO out. Which reply code")
    assert "digits" not in asked.ask
    assert "STARTTLS" in asked.log
    assert "503" not in asked.log
    told = {choice.text: choice for choice in asked.choices}
    assert set(told) == {"250", "503", "555"}
    assert told["503"].right
    assert told["250"].told.startswith("250 would have been right here: ")


def read_gift(text: str) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """Questions as Moodle reads them: a name, the words, and mark, text and feedback of answers."""
    found = []
    for name, ask, body in re.findall(
        r"^::([\w-]+)::\[html\](.*?) \{\n(.*?)\n\}$", text, re.M | re.S
    ):
        answers = []
        for row in body.split("\n"):
            parts = re.split(r"(?<!\\)#", row[1:])
            assert not re.search(r"(?<!\\)[~={}]", row[1:]), row
            answers.append((row[0], parts[0], parts[1] if parts[1:] else ""))
        found.append((name, ask, answers))
    return found


def plain(text: str) -> str:
    """GIFT's escapes undone."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_gift_holds_every_question(language: str) -> None:
    read, asked = read_gift(export.gift(language)), export.questions(language)
    assert [name for name, *_ in read] == [one.id for one in asked]
    for one, (_, ask, answers) in zip(asked, read, strict=True):
        assert len(answers) == len(one.choices)
        assert [mark == "=" for mark, *_ in answers] == [choice.right for choice in one.choices]
        # What is asked is HTML, and nothing but a log is marked up in it.
        body = Xml.fromstring(f"<div>{plain(ask)}</div>")
        assert [part.text for part in body] == [one.ask, *([one.log] if one.log else [])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_package_holds_every_question_and_lists_it(language: str) -> None:
    packed = export.qti(language)
    assert packed == export.qti(language)
    archive = zipfile.ZipFile(io.BytesIO(packed))
    manifest = Xml.fromstring(archive.read("imsmanifest.xml"))
    listed = [found.attrib["href"] for found in manifest.iterfind(".//p:file", NS)]
    asked = export.questions(language)
    assert listed == [f"{one.id}.xml" for one in asked]
    assert {*listed, "imsmanifest.xml"} == set(archive.namelist())
    for one in asked:
        item = Xml.fromstring(archive.read(f"{one.id}.xml"))
        assert item.attrib["{http://www.w3.org/XML/1998/namespace}lang"] == language
        shown = {c.attrib["identifier"]: c.text for c in item.iterfind(".//q:simpleChoice", NS)}
        assert list(shown.values()) == [choice.text for choice in one.choices]
        [right] = [v.text for v in item.iterfind("q:responseDeclaration//q:value", NS)]
        assert shown[right or ""] == next(choice.text for choice in one.choices if choice.right)
        told = {f.attrib["identifier"]: f.text for f in item.iterfind("q:modalFeedback", NS)}
        assert [told.get(key, "") for key in shown] == [choice.told for choice in one.choices]
        # The order of parts that the schema asks for.
        order = [part.tag.split("}")[1] for part in item]
        assert order[:5] == [
            "responseDeclaration", "outcomeDeclaration", "outcomeDeclaration", "itemBody",
            "responseProcessing",
        ]  # fmt: skip
        assert set(order[5:]) <= {"modalFeedback"}
