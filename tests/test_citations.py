"""Every rule leans on the citations, so their shape and the crucial keywords are pinned."""

import re
import tomllib
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

CITATIONS: dict[str, dict[str, Any]] = tomllib.loads(
    files("simulator").joinpath("citations.toml").read_text(encoding="utf-8")
)
KEYWORDS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", ""}
OBLIGATION = re.compile(r"\b(?:MUST|SHOULD|SHALL)(?: NOT)?\b|\bMAY\b")

each_citation = pytest.mark.parametrize(
    ("name", "citation"), CITATIONS.items(), ids=list(CITATIONS)
)


@each_citation
def test_shape(name: str, citation: dict[str, Any]) -> None:
    types = {key: type(value) for key, value in citation.items()}
    assert types == {"rfc": int, "section": str, "keyword": str, "quote": str, "remark": str}
    assert citation["keyword"] in KEYWORDS
    assert re.fullmatch(r"(?:\d+|[A-Z])(?:\.\d+)*", citation["section"])


@each_citation
def test_name_agrees_with_rfc_and_section(name: str, citation: dict[str, Any]) -> None:
    prefix = f"rfc{citation['rfc']}-{citation['section'].replace('.', '_')}-"
    slug = name.removeprefix(prefix)
    assert slug != name
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug)


@each_citation
def test_keyword_stands_in_the_quote_as_written(name: str, citation: dict[str, Any]) -> None:
    in_quote = OBLIGATION.findall(citation["quote"])
    if citation["keyword"]:
        assert citation["keyword"] in in_quote
    else:
        assert in_quote == []


@each_citation
def test_lower_case_keyword_is_remarked(name: str, citation: dict[str, Any]) -> None:
    if not citation["keyword"] and re.search(r"\bmust\b", citation["quote"]):
        assert "lower-case must" in citation["remark"]


@each_citation
def test_text_is_one_trimmed_line(name: str, citation: dict[str, Any]) -> None:
    for text in (citation["quote"], citation["remark"]):
        assert text == " ".join(text.split())
    assert citation["quote"]


def test_no_sentence_is_cited_twice() -> None:
    counts = Counter((citation["rfc"], citation["quote"]) for citation in CITATIONS.values())
    assert [quote for quote, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("rfc3207-4_2-reset", ""),
        ("rfc3207-4_2-server-discards", "MUST"),
        ("rfc3207-4_2-client-discards", "MUST"),
        ("rfc3207-4_2-client-ehlo", "SHOULD"),
        ("rfc3207-4_2-list-may-differ", "MAY"),
        ("rfc3207-4_2-no-second-tls", "MUST NOT"),
        ("rfc3207-4_2-no-starttls-inside", "MUST NOT"),
        ("rfc3207-4-tls-before-other-commands", "MUST"),
        ("rfc3207-4-last-in-group", ""),
        ("rfc3207-4-public-server-not-require", "MUST NOT"),
        ("rfc3207-4-require-tls-530", "SHOULD"),
        ("rfc3207-4_1-client-quits", "SHOULD"),
        ("rfc3207-4_1-server-554", "SHOULD"),
        ("rfc3207-6-both-discard", "MUST"),
        ("rfc3207-6-configurable-to-require", "MUST"),
        ("rfc2487-5_2-client-ehlo", "SHOULD"),
        ("rfc5321-4_1_4-mail-needs-ehlo", "MUST"),
        ("rfc5321-4_1_4-later-ehlo-resets", "MUST"),
        ("rfc5321-4_1_4-out-of-order-503", "MUST"),
        ("rfc5321-4_1_1_1-start-with-ehlo", "SHOULD"),
        ("rfc5321-4_1_1_1-hello-before-mail", "MUST"),
        ("rfc8689-2-offered-inside-tls", "MUST"),
        ("rfc9051-6_2_1-imap-no-starttls-inside", "SHOULD NOT"),
        ("rfc4513-3_1_5-ldap-client-refreshes", "SHOULD"),
    ],
)
def test_crucial_keyword(name: str, keyword: str) -> None:
    assert CITATIONS[name]["keyword"] == keyword


def test_second_ehlo_is_a_should_in_the_words_of_the_rfc() -> None:
    assert CITATIONS["rfc3207-4_2-client-ehlo"]["quote"] == (
        "The client SHOULD send an EHLO command as the first command"
        " after a successful TLS negotiation."
    )
