"""Every rule leans on the citations, so their shape and the crucial keywords are pinned."""

import re
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from simulator.smtp import Citation, citations
from tools import citations as sealing

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
    texts = ("section", "keyword", "quote", "remark", "fingerprint")
    types = {key: type(value) for key, value in citation.items()}
    assert types == {"rfc": int, **dict.fromkeys(texts, str)}
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


OBSOLETE = tomllib.loads((Path(__file__).parent / "obsolete.toml").read_text(encoding="utf-8"))


@each_citation
def test_what_is_obsolete_is_remarked(name: str, citation: dict[str, Any]) -> None:
    """Who cites an RFC that others replaced says so, and names the one that stands today."""
    for entry in OBSOLETE["rfc"]:
        if entry["number"] == citation["rfc"]:
            assert "obsoleted by RFC" in citation["remark"]
            assert f"RFC {entry['by'][-1]}" in citation["remark"]


def test_no_rfc_is_obsoleted_by_one_that_is_obsolete_itself() -> None:
    gone = {entry["number"]: entry["by"] for entry in OBSOLETE["rfc"]}
    for number, successors in gone.items():
        assert successors[-1] not in gone, number
        for successor in successors[:-1]:
            assert gone[successor] == successors[successors.index(successor) + 1 :]


@each_citation
def test_lower_case_keyword_is_remarked(name: str, citation: dict[str, Any]) -> None:
    if not citation["keyword"] and re.search(r"\bmust\b", citation["quote"]):
        assert "lower-case must" in citation["remark"]


@each_citation
def test_text_is_one_trimmed_line(name: str, citation: dict[str, Any]) -> None:
    for text in (citation["quote"], citation["remark"]):
        assert text == " ".join(text.split())
    assert citation["quote"]


ROOT = Path(__file__).resolve().parent.parent
READERS = {".py", ".toml", ".md", ".json", ".html", ".js", ".ipynb"}


def test_every_citation_is_used() -> None:
    """By a rule, a cause, a check, an exercise, an experiment or a page; a list of them is none."""
    files = [
        path
        for folder in ("simulator", "docs", "tools", "workshop", "notebooks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in READERS and path.name != "citations.toml" and path.is_file()
    ]
    files += ROOT.glob("*.md")
    said = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    named = set(re.findall(r"rfc\d+-[\w-]+", said))
    assert sorted(set(CITATIONS) - named) == [], "use them or remove them"


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


# --- sealed ------------------------------------------------------------------------------------


def test_no_quotation_differs_from_what_was_compared_with_the_rfc() -> None:
    assert sealing.changed() == [], "compare them: python tools/citations.py FOLDER"


@pytest.mark.parametrize("rfc", [3207, 5321, 2487, 8689])
def test_what_rules_lean_on_was_compared(rfc: int) -> None:
    own = [citation for citation in CITATIONS.values() if citation["rfc"] == rfc]
    assert own
    assert [citation["quote"] for citation in own if not citation["fingerprint"]] == []


def test_every_quotation_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert sealing.uncompared() == []
    assert sealing.main([]) == 0
    assert capsys.readouterr().out == ""


def test_the_comparison_names_the_texts_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "SOURCE", tmp_path / "citations.toml")
    sealing.SOURCE.write_text("", encoding="utf-8")
    (tmp_path / "rfc3848.txt").write_text("1. Nothing\n\n   No more.\n", encoding="utf-8")
    assert sealing.main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "rfc3848-1-esmtps: RFC 3848 §1 does not say: " in told
    assert "rfc3207.txt" in told.splitlines()[-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quote", "The client MUST send it immediately."),
        ("section", "4.3"),
        ("keyword", "MUST"),
        ("rfc", 9998),
    ],
)
def test_a_fingerprint_changes_with_what_is_claimed(field: str, value: object) -> None:
    claim = {"rfc": 9999, "section": "4.2", "keyword": "SHOULD", "quote": "It SHOULD send it."}
    changed = Citation(**{**claim, field: value})  # type: ignore[arg-type]
    assert sealing.fingerprint(changed) != sealing.fingerprint(Citation(**claim))  # type: ignore[arg-type]


RFC = """\
Nobody                      Standards Track                     [Page 1]
\f
RFC 9999                      Nothing at all                   May 2005


Table of Contents

   4.2. The Reset ............ 2
   5. The End ................ 3

4.2 The Reset

   The client SHOULD send an EHLO command as the first command
   after a TLS



Nobody                      Standards Track                     [Page 2]
\f
RFC 9999                      Nothing at all                   May 2005


   negotiation, in clear-
   text or not.

5. The End

   No more.
"""


def test_an_rfc_is_read_across_its_pages_section_by_section() -> None:
    found = sealing.sections(RFC)
    assert "the first command after a TLS negotiation, in clear-text or not." in found["4.2"]
    assert "No more." in found["5"]
    assert "No more." not in found["4.2"]


def test_only_what_was_found_is_sealed() -> None:
    [(key, cited), *_] = citations().items()
    source = f'[{key}]\nquote = "x"\nremark = ""\n\n[other]\nquote = "y"\nremark = ""\n'
    once = sealing.seal({key}, source)
    assert once.count("fingerprint") == 1
    assert f'remark = ""\nfingerprint = "{sealing.fingerprint(cited)}"\n\n[other]' in once
    assert sealing.seal({key}, once) == once


def test_a_folder_without_a_cited_rfc(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sealing.main([str(tmp_path)]) == 2
    assert "no text of a cited RFC" in capsys.readouterr().err
