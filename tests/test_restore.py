"""A translated log becomes what was logged; what is clean or unknown stays as it is."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.language import say
from simulator.restore import LexiconError, Restoration, lexicons, read_lexicon, restore

SAMPLES = Path(__file__).parent / "restore"
DOCUMENT = (
    Path(__file__).parents[1] / "simulator" / "scenarios" / "documented.pt.txt"
).read_text(encoding="utf-8")
ESA = "Mon May 16 18:34:30 2005 Info: 5165207 "
LANGUAGES = ("en", "pt_BR", "es", "fr", "de", "it", "ja", "ko", "zh_CN", "ru")


def told(restoration: Restoration) -> str:
    """All that was done, as a person reads it in a golden file."""
    lines = [f"language: {restoration.language}", f"left out: {restoration.left_out}"]
    lines.append(f"cut: {restoration.cut}")
    lines += [
        f"{one.line}: {one.kind}: {one.found!r} -> {one.restored!r}: {say(one.reason)}"
        for one in restoration.repairs
    ]
    lines += [f"{one.line}: left: {one.text!r}: {say(one.why)}" for one in restoration.unknown]
    return "\n".join(lines) + "\n"


# The document


def test_the_documented_log_is_what_the_appliance_wrote():
    assert restore(DOCUMENT).text == (SAMPLES / "documented.restored.txt").read_text()


def test_the_document_breaks_off_at_mail_and_nothing_is_guessed():
    restoration = restore(DOCUMENT)
    assert restoration.language == "pt_BR"
    assert restoration.left_out == (*range(1, 16), 28)
    assert restoration.cut == (27,)
    assert [(one.line, one.text) for one in restoration.unknown] == [(27, "'MAIL")]
    assert restoration.text.endswith("Sent: 'MAIL\n")


def test_every_repair_of_the_document_is_told():
    told = {(one.kind, one.found, one.restored) for one in restore(DOCUMENT).repairs}
    assert told == {
        ("date", "Segunda-feira o 16 de maio 18:34:30 2005", "Mon May 16 18:34:30 2005"),
        ("word", "informações", "Info"),
        ("word", "enviado", "Sent"),
        ("word", "rcvds", "Rcvd"),
        ("quote", '"', "'"),
        ("quote", "", "'"),
        ("keyword", "TAMANHO", "SIZE"),
        ("verb", "CORREIO", "MAIL"),
        ("reply", "vão adiante com TLS", "Go ahead with TLS"),
    }


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.found.*")), ids=lambda path: path.name)
def test_samples(sample: Path):
    """Beside each `x.found.*`: `x.restored.txt`, and `x.told.txt`, what was done and left."""
    restoration = restore(sample.read_bytes().decode())
    stem = sample.name.partition(".")[0]
    assert restoration.text == (SAMPLES / f"{stem}.restored.txt").read_bytes().decode()
    assert told(restoration) == (SAMPLES / f"{stem}.told.txt").read_text(encoding="utf-8")


# The lexicons


def examples():
    return [
        pytest.param(code, example, id=f"{code}-{number}")
        for code, lexicon in lexicons().items()
        for number, example in enumerate(lexicon.examples, 1)
    ]


def test_there_is_a_lexicon_for_each_language():
    assert tuple(sorted(lexicons())) == tuple(sorted(LANGUAGES))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_lexicon_has_examples_enough(code):
    assert len(lexicons()[code].examples) >= 12


@pytest.mark.parametrize(("code", "example"), examples())
def test_the_examples_of_a_lexicon(code, example):
    restoration = restore(example.found, code)
    assert restoration.text == example.restored
    assert restoration.language == code
    assert restore(restoration.text, code).text == restoration.text


@pytest.mark.parametrize(("code", "example"), examples())
def test_a_language_found_out_never_restores_otherwise(code, example):
    """Without the language an example may stay as it is, word by word, but is never misread."""
    restoration = restore(example.found)
    if restoration.text != example.restored:
        candidates = [one for one in restoration.unknown if "candidates" in one.why.values]
        assert candidates or restoration.language is None


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_the_language_of_a_log_is_found_out(code):
    example = lexicons()[code].examples[0]
    assert restore(example.found).language == code
    assert restore(example.found).text == example.restored


@pytest.mark.parametrize("table", ["months", "weekdays", "words"])
@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_every_month_weekday_and_log_word_has_a_translation(code, table):
    expected = lexicons()["en"].originals(table)
    assert lexicons()[code].originals(table) == expected


EMPTY = 'name = "x"\n[date]\norder = "dmy"\n'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("name =", "lexicon xx: Invalid value (at end of document)"),
        ("", "lexicon xx: Object missing required field `name`"),
        ('name = "x"\n[date]\norder = "dd"\n', "lexicon xx: [date] order is 'dd'"),
        (EMPTY + '[verbs]\nPOST = ["x"]\n', "lexicon xx: [verbs] 'POST' is not one of ATRN, AUTH"),
        (EMPTY + '[keywords]\nSIZES = ["x"]\n', "lexicon xx: [keywords] 'SIZES' is not one of"),
        (EMPTY + '[verbs]\nMAIL = [" "]\n', "lexicon xx: [verbs] 'MAIL' has an empty translation"),
        (EMPTY + '[verbs]\nMAIL = "x"\n', "lexicon xx: Expected `array`, got `str`"),
        (EMPTY + '[verb]\nMAIL = ["x"]\n', "lexicon xx: Object contains unknown field `verb`"),
        (EMPTY + '[replies]\n"a {0}" = ["b {1}"]\n', "lexicon xx: [replies] 'b {1}': the holes"),
        (EMPTY + '[replies]\n"a" = ["b {0}"]\n', "lexicon xx: [replies] 'b {0}': the holes"),
        (b"name = '\xff'", "lexicon xx: "),
    ],
)
def test_a_faulty_lexicon_is_told_in_one_line(source, message):
    with pytest.raises(LexiconError) as caught:
        read_lexicon(source, "xx")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("asked", "found"), [("pt", "pt_BR"), ("pt-BR", "pt_BR"), ("ZH", "zh_CN")])
def test_a_language_may_be_asked_for_by_any_usual_name(asked, found):
    assert restore(DOCUMENT, asked).language == found


def test_a_language_without_a_lexicon():
    with pytest.raises(LexiconError, match="no lexicon 'tlh': there are en, de"):
        restore(DOCUMENT, "tlh")
