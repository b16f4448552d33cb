"""Whatever is TOML is read by one reader, which says what is wrong, where, and what is meant."""

from collections.abc import Callable
from typing import Literal

import jsonschema
import msgspec
import pytest

from simulator import causes, smtp, tls, toml
from simulator.checks import cases
from simulator.formats.bounce import words as bounces
from simulator.lab import arena
from simulator.masking import identities, words
from simulator.reading import signs
from simulator.survey import questions
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


LOADERS = (
    arena.sides, bounces.patterns, cases.client_cases, cases.server_cases, causes.causes,
    identities.table, questions.questions, signs._tables, smtp.citations, smtp._statuses,
    tls._tables, words.table,
)  # fmt: skip


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: f"{load.__module__}.{load.__name__}")
def test_data_of_the_package_is_as_right_as_a_file_of_ones_own(
    load: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each start it is read without the checks that this makes."""
    looked: list[str] = []

    def checked(raw: bytes, kind: type[object], where: str) -> object:
        looked.append(where)
        return File(raw, where).read(kind)

    monkeypatch.setattr(toml, "read", checked)
    load.__wrapped__()  # type: ignore[attr-defined]
    assert looked
