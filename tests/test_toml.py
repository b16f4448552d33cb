"""Whatever is TOML is read by one reader, which says what is wrong, where, and what is meant."""

from typing import Literal

import jsonschema
import msgspec
import pytest

from simulator.toml import BadFile, File, Prose, line_of, read, schema


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row."""

    kind: Literal["client", "server", ""]
    most: int = 1


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file."""

    title: Prose
    row: list[Row] = []
    named: dict[str, Row] = {}
    name: str = ""


GOOD = """\
title.en = "A title"

[[row]]
kind = "client"

[[row]]
# the second
kind = "server"
most = 2

[named.one]
kind = ""
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("title.en", "titel.en"), ":1: unknown key 'titel': did you mean 'title'?"),
        (("title.en", "title.de"), ":1: title.en is missing: every text stands in English"),
        (('"A title"', '" "'), ':1: title.en is empty: write en = "…"'),
        (('kind = "server"', 'kind = "servant"'), ":8: row.kind cannot be 'servant': did you mean"),
        (("most = 2", "moist = 2"), ":9: unknown key 'row.moist': did you mean 'most'?"),
        (("most = 2", 'most = "2"'), ":9: row.most must be a whole number, not a text in quotes"),
        (('kind = ""', "most = 3"), ':11: named.one.kind is missing: write kind = "…"'),
        (("[named.one]", "[named"), ": not TOML: "),
        (("[named.one]", 'name = "mine"\n[named.one]'), ":11: unknown key 'row.name'"),
        (("title.en", 'name = "mine"\ntitle.en'), ":1: unknown key 'name'"),
    ],
)
def test_a_mistake_is_told_with_its_place(change: tuple[str, str], says: str) -> None:
    file = GOOD.replace(*change)
    assert file != GOOD
    with pytest.raises(BadFile) as refused:
        File(file, "mine.toml").read(Written, filled=("name",))
    assert str(refused.value).startswith("mine.toml:")
    assert says in str(refused.value)


def test_what_is_right_is_read() -> None:
    found = read(GOOD.encode(), Written, "mine.toml")
    assert [row.most for row in found.row] == [1, 2]
    assert found.named == {"one": Row(kind="")}


def test_octets_that_are_no_text() -> None:
    with pytest.raises(BadFile, match=r"mine\.toml: not text in UTF-8"):
        read(b"\xff", Written, "mine.toml")


def test_lines_inside_a_text_are_no_keys() -> None:
    text = "log = '''\nkind = 1\n[[row]]\n'''\n[[row]]\nkind = 2\n"
    assert line_of(text, ("row", 0, "kind")) == 6


def test_the_schema_takes_what_the_reader_takes() -> None:
    made = schema(Written, "mine", ("name",))
    good = {"title": {"en": "A title"}, "row": [{"kind": "client"}]}
    jsonschema.validate(good, made)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, "name": "mine"}, made)
