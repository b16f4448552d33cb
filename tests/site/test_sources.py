"""The sources of the site: both languages say the same, and only what the program has."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from simulator import lab, smtp
from simulator.causes import causes
from simulator.cli import cli
from simulator.cli.lists import SCHEMAS
from simulator.rules import rules
from tools import catalogues, words
from tools.site import findings
from tools.site.page import CITE, MARK, PAGE, Page
from tools.words import word

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ("en", "pt-BR")
PAGES = sorted(p.relative_to(DOCS / "en").as_posix() for p in (DOCS / "en").rglob("*.md"))
SCENARIOS = {scenario.name for scenario in lab.scenarios()}


def source(language: str, page: str) -> str:
    return (DOCS / language / page).read_text(encoding="utf-8")


def data(name: str) -> dict[str, Any]:
    return tomllib.loads((DOCS / "data" / name).read_text(encoding="utf-8"))


def test_both_languages_have_the_same_pages() -> None:
    portuguese = {p.relative_to(DOCS / "pt-BR").as_posix() for p in (DOCS / "pt-BR").rglob("*.md")}
    assert portuguese == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_show_and_cite_the_same(page: str) -> None:
    english, portuguese = (source(language, page) for language in LANGUAGES)
    shown = [
        [m[0].replace(" --lang pt_BR", "") for m in MARK.finditer(t)] for t in (english, portuguese)
    ]
    assert shown[0] == shown[1]
    assert sorted(CITE.findall(english)) == sorted(CITE.findall(portuguese))
    assert sorted(PAGE.findall(english)) == sorted(PAGE.findall(portuguese))


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_have_the_same_outline_and_links(page: str) -> None:
    outlines, links = [], []
    for language in LANGUAGES:
        text = re.sub(r"```.*?```", "", source(language, page), flags=re.DOTALL)
        outlines.append([len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)])
        links.append(sorted(re.findall(r"\]\(([\w./#-]+)\)", text)))
    assert outlines[0] == outlines[1]
    assert links[0] == links[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_title_a_description_and_known_citations(language: str, page: str) -> None:
    text = source(language, page)
    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert front
    assert {"title", "description"} <= {line.split(":")[0] for line in front[1].splitlines()}
    # A colon within would make no YAML of it: MkDocs shrugs, its successor stops.
    lines = front[1].removeprefix("search:\n").splitlines()
    assert all(line.count(": ") == 1 for line in lines)
    assert set(CITE.findall(text)) <= set(smtp.citations())
    # A place in an RFC is named by a citation only, so that its keyword cannot be another one.
    assert not re.search(r"RFC \d+ ?§", text)


def commands() -> list[tuple[str, str]]:
    return [
        (f"{language}/{page}", line.strip())
        for language in LANGUAGES
        for page in PAGES
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", source(language, page), re.DOTALL)
        for line in block.splitlines()
        if line.strip().startswith("ehlo-twice ")
    ]


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_that_a_page_shows_exists(page: str, line: str) -> None:
    # Behind "--" stands another program's line, and a backslash says that it goes on.
    told = line.rstrip("\\").split(" -- ")[0].split(" > ")[0].split(" | ")[0]
    words = shlex.split(told, comments=True)[1:]
    command: click.Command = cli.commands[words[0]]
    while isinstance(command, click.Group):
        words = words[1:]
        command = command.commands[words[0]]
    context = command.make_context(words[0], words[1:], resilient_parsing=True)
    assert isinstance(context, click.Context)
    known = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= known
    for value in context.params.values():
        if words[0] == "replay" and isinstance(value, str) and value in words[1:2]:
            assert value in SCENARIOS or "+" in value or value.endswith(".toml")


def test_every_rule_has_a_finding() -> None:
    assert {rule.id for rule in rules()} <= set(data("findings.toml"))


def test_no_cause_is_told_by_two_findings() -> None:
    told = [
        cause for finding in data("findings.toml").values() for cause in finding.get("causes", ())
    ]
    assert len(told) == len(set(told))
    assert set(told) <= set(causes())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_has_a_place_to_point_at(language: str) -> None:
    pages = "".join(page.text for page in findings.pages(language))
    index = findings.index(Page(path=findings.INDEX, language=language, text=""))
    for cause in causes().values():
        for shown in (pages, index):
            assert len(re.findall(rf'{{ #{cause.id} }}|id="{cause.id}"', shown)) == 1, cause.id


@pytest.mark.parametrize("key", data("findings.toml"))
def test_a_finding_is_complete(key: str) -> None:
    finding = data("findings.toml")[key]
    assert set(finding["experiments"]) <= SCENARIOS
    assert finding["group"] in findings.GROUPS
    for part in ("title", "sign", "cause", "remedy"):
        assert finding[part]


@pytest.mark.parametrize("key", data("first-aid.toml"))
def test_first_aid_is_complete(key: str) -> None:
    entry = data("first-aid.toml")[key]
    assert set(entry["experiments"]) <= SCENARIOS
    assert set(entry["more"]) <= set(data("findings.toml")) | set(causes())
    assert all(entry[part] for part in ("label", "title", "means", "tells"))
    assert len(entry["now"]) == 3
    for line in entry["decide"].strip().splitlines():
        assert line.split()[0] in ("openssl", "nc", "EHLO", "MAIL")


def _kept() -> str:
    """Whatever this project holds of what software wrote: measured, in samples, or in tests."""
    root = DOCS.parent
    parts = (
        "simulator/formats",
        "simulator/lab",
        "docs/data/survey",
        "survey/results",
        "tests/formats",
    )
    folders = [root / part for part in parts]
    files = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".toml", ".json", ".py", ".txt", ".log")
    ]
    files.append(DOCS / "data" / "causes.toml")
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def test_first_aid_quotes_software_and_no_memory() -> None:
    kept = _kept()
    lost = [
        (key, words)
        for key, entry in data("first-aid.toml").items()
        for _, words in entry["seen"]
        if words not in kept
    ]
    assert lost == []


def test_bugs_have_a_kind_and_kinds_an_experiment() -> None:
    found = data("bugs.toml")
    assert {bug["kind"] for bug in found["bug"]} == set(found["kind"])
    assert {kind["experiment"] for kind in found["kind"].values()} <= SCENARIOS
    assert all(bug["url"].startswith("https://") for bug in found["bug"])


def test_words_are_there_in_portuguese_and_fall_back_to_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [po] = catalogues.catalogues(catalogues.SITE)
    assert po.parts[-3] == catalogues.COMPLETE
    assert catalogues.lacking(po) == [], "run: make messages, and translate"
    known = catalogues.translations(po)
    assert set(known) == {str(m.id) for m in catalogues.template(po.stem) if m.id}
    for english, translated in known.items():
        for kept in (r"\{\w*\}", r"`[^`]+`", r"\]\([\w./#-]+\)"):
            spans = [sorted(re.findall(kept, text)) for text in (english, translated)]
            assert spans[0] == spans[1], english
    assert word("what-if.watch", "pt-BR") == "O que observar"
    monkeypatch.setattr(words, "_translated", lambda language: {})
    assert word("what-if.watch", "pt-BR") == "What to watch"


def test_the_words_catalogue_is_up_to_date(tmp_path: Path) -> None:
    shutil.copytree(catalogues.SITE, tmp_path / "locales")
    assert catalogues.update(locales=tmp_path / "locales") == [], "run: make messages"


def test_every_word_of_the_glossary_is_explained() -> None:
    assert all(entry["word"] and entry["says"] for entry in data("glossary.toml")["word"])


def test_no_data_has_a_language_beside_another() -> None:
    """Prose stands in English in data; the catalogues have the rest."""
    for path, _ in catalogues.SITE_PROSE:
        assert not re.search(r"\bpt[-_]BR *=", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_schemas_tells_what_each_is_for(language: str) -> None:
    told = source(language, "reference/schemas.md")
    assert [name for name in SCHEMAS if f"`{name}`" not in told] == []
