"""A pattern is tried only where its words are, and finds there what `re` finds."""

import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import causes, needles
from simulator.reading import signs

WORDS = {
    "(?i)alert number 4[2346]": ("alert number 4",),
    "(?i)DNSBL|spamhaus": ("dnsbl", "spamhaus"),
    "tim(?:ed out|eout)": ("ed out", "eout"),
    "connect|refuse": ("connect", "refuse"),
    "(?:lost )?connection": ("connection",),
    "(?:lost )+connection": ("connection",),
    "(?:refused )+by": ("refused ",),
    "(?!never)reset": ("reset",),
    "a.c": (),
    "reset|.": (),
    r"\d\d\d": (),
    "(?:reset)*": (),
    "(?x) re set": (),
    r"a(?P<x>b)?(?(x)no|never) reset": (" reset",),
    r"\breset\.by\b": ("reset.by",),
    "rese(?:t)?": ("rese",),
    "rest?ore": ("res",),
    "re{0,2}set+ing": ("set",),
    "Reset{2}": ("reset",),
    r"[(|]reset|\(gone": ("reset", "(gone"),
}


@pytest.mark.parametrize(("pattern", "words"), WORDS.items())
def test_words_without_which_there_is_no_match(pattern: str, words: tuple[str, ...]) -> None:
    assert needles.words(pattern) == words


def patterns(when: causes.When) -> list[str]:
    own = (when.remark, when.text, when.not_text, when.greeting, when.said, when.peer)
    lists = (when.keyword, when.first_line)
    inner = [pattern for other in when.unless for pattern in patterns(other)]
    return [pattern for pattern in (*own, *lists) if pattern] + inner


SIGNS = [sign.pattern for table, _ in signs._tables().values() for sign in table.patterns]
PATTERNS = sorted({p for c in causes.causes().values() for when in c.when for p in patterns(when)})


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_each_match_is_found(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.MULTILINE)))
    found = needles.Haystack(text).search(pattern)
    assert found is not None
    assert found.span() == re.compile(pattern, re.MULTILINE).search(text).span()  # type: ignore[union-attr]


@pytest.mark.parametrize("pattern", [*(hint.pattern for hint in signs._HINT.patterns), *SIGNS])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_each_sign_is_found(pattern: str, data: st.DataObject) -> None:
    flags = re.IGNORECASE
    text = data.draw(st.from_regex(re.compile(pattern, flags)))
    wanted = re.compile(pattern, flags).search(text)
    found = needles.needle(pattern, flags).search(text, needles.folded(text))
    assert found is not None
    assert found.span() == wanted.span()  # type: ignore[union-attr]


FORMATS = sorted(
    {
        row
        for path in files("simulator.formats").iterdir()
        if path.name.endswith(".toml")
        for table in (tomllib.loads(path.read_text("utf-8")),)
        for row in (*table.get("signature", ()), *(line["pattern"] for line in table["line"]))
    }
)


@pytest.mark.parametrize("pattern", FORMATS)
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_each_line_of_a_format_is_near(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.MULTILINE)))
    assert needles.needle(pattern, re.MULTILINE).near(needles.folded(text))


PARTS = ("alert", "number 4", "x509", "reset", "tls", "ALERT NUMBER 42", "\n", " ", "Alert")


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_the_first_of_many_that_matches(text: str) -> None:
    many = ["alert number 4[23]", "x509|reset", ".ls", "(?i)alert", "^t"]
    wanted = next(
        ((n, found.span()) for n, one in enumerate(many) if (found := re.search(one, text))), None
    )
    table = needles.Needles([needles.needle(one) for one in many])
    first = table.search(text, needles.folded(text))
    assert (first and (first[0], first[1].span())) == wanted


ALTERNATIVES = {
    "a|b": ("a", "b"),
    "a": ("a",),
    "a|b(?:c|d)|e": ("a", "b(?:c|d)", "e"),
    r"[|(]x|\|y|\(z": ("[|(]x", r"\|y", r"\(z"),
    r"[]|]x|[^]|]y|[\]|]z": ("[]|]x", "[^]|]y", r"[\]|]z"),
    "(?<!a|b)c|(?=d|e)f": ("(?<!a|b)c", "(?=d|e)f"),
    "a|": ("a", ""),
    "(a)|b": ("(a)|b",),
    "(?i)a|b": ("(?i)a", "(?i)b"),
    "(?x)a|b": ("(?x)a|b",),
}


@pytest.mark.parametrize("pattern", ALTERNATIVES)
def test_alternatives_are_those_of_the_whole(pattern: str) -> None:
    assert needles.alternatives(pattern) == ALTERNATIVES[pattern]


def test_alternatives_of_signs_are_patterns() -> None:
    text = (files("simulator.reading") / "signs.toml").read_text("utf-8")
    rows = [row["pattern"] for kind in tomllib.loads(text).values() for row in kind]
    assert rows
    for row in rows:
        found = needles.alternatives(row)
        assert "|".join(found) == row
        assert all(map(re.compile, found))


def test_most_signs_have_words() -> None:
    assert sum(bool(needles.words(pattern)) for pattern in SIGNS) > 0.8 * len(SIGNS)


@pytest.mark.parametrize("text", ["ALERT", "alert", "İnfo", "ınfo", "LOSſ", "\u212aey"])
@pytest.mark.parametrize("pattern", ["(?i)alert", "(?i)info", "(?i)loss", "(?i)key"])
def test_letters_that_count_as_the_same(text: str, pattern: str) -> None:
    found = needles.Haystack(text).search(pattern)
    assert (found is None) == (re.search(pattern, text) is None)


def test_most_patterns_of_causes_have_words() -> None:
    assert sum(bool(needles.words(pattern)) for pattern in PATTERNS) > 0.8 * len(PATTERNS)
