"""What the page on real software shows and says, against the results that it was made from."""

import re
from collections import Counter
from typing import Any

import pytest

from simulator.survey.questions import of
from tests.site.conftest import LANGUAGES
from tools.site import wild
from tools.site.page import SOURCES, Page

CHIP = re.compile(r'<a class="chip[^"]*" href="([^"]+)"')


def page(language: str = "en", *, offline: bool = False) -> Page:
    return Page(path="in-the-wild.md", language=language, text="", offline=offline)


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_opens_its_session(language: str, offline: bool) -> None:
    here = page(language, offline=offline)
    made = {asset.path for asset in wild.files(language, offline=offline)}
    shown = CHIP.findall(wild.servers(here) + wild.clients(here))
    sessions = [address.removeprefix(here.up) for address in shown if address != "#withheld"]
    assert set(sessions) <= made
    answers = [answer for one in wild.found().values() for answer in one.answers]
    assert len(sessions) == sum(bool(answer.sessions) for answer in answers)
    assert shown.count("#withheld") == sum(answer.kind == "withheld" for answer in answers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_session_leads_back_and_to_itself_in_the_other_language(language: str) -> None:
    [other] = set(LANGUAGES) - {language}
    sessions = [asset for asset in wild.files(language) if asset.path.endswith(".html")]
    assert len(sessions) > 100
    for asset in sessions:
        back, there = re.findall(r'<a href="(\.\./[^"]+)"', asset.data.decode())
        assert back.startswith("../in-the-wild/#")
        assert there == f"../../{other}/{asset.path}"


def test_no_two_sessions_have_the_same_heading() -> None:
    pages = [asset.data.decode() for asset in wild.files("en") if asset.path.endswith(".html")]
    headings = Counter(re.findall(r"<h1>(.*)</h1>", "\n".join(pages)))
    assert len(pages) > 100
    assert [heading for heading, count in headings.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pictures_have_a_square_for_every_answer(language: str) -> None:
    for kind in ("server", "client"):
        svg = wild.picture(kind, language)
        rows = wild.surveyed(kind)
        assert svg.count('rx="2"') == len(rows) * len(of(kind))
        width = int(re.findall(r'width="(\d+)"', svg)[0])
        # What a telephone shows of a picture has its size, or nearly.
        assert width <= 390
        for one in rows:
            assert one.release.partition("-")[0] in svg


def test_yes_and_no_are_said_in_the_readers_language() -> None:
    shown = [
        re.sub("<[^>]*>", "", cell)
        for cell in re.findall(r'<a class="chip.*?</a>', wild.servers(page("pt-BR")))
    ]
    assert "STARTTLS sim → não, AUTH não → sim" in shown
    assert {"TLS recusado", "503 ao MAIL"} <= set(shown)
    assert not [one for one in shown if " to " in one]
    assert not [one for one in shown if re.search(r"\byes\b|\bno(?=$|,| →)", one)]


def test_what_is_said_of_a_cell_is_in_the_readers_language() -> None:
    shown = wild.servers(page("pt-BR"))
    assert 'title="STARTTLS sim → não, AUTH não → sim"' in shown
    assert not re.search('title="STARTTLS (yes|no) ', shown)
    name = "wild/postfix.lists.html"
    [session] = [asset for asset in wild.files("pt-BR") if asset.path == name]
    assert "<code>STARTTLS sim → não, AUTH não → " in session.data.decode()


def test_all_questions_stand_in_one_table_each() -> None:
    told = [question for group in wild.GROUPS.values() for question in group]
    assert sorted(told) == sorted(question.id for question in of("server"))


def test_the_families_are_those_of_the_results() -> None:
    kinds: dict[str, Any] = {
        one.name: (one.answer("mail"), one.answer("received")) for one in wild.surveyed("server")
    }
    keeps = {
        name
        for name, both in kinds.items()
        if any(answer and answer.kind == "breaks" for answer in both)
    }
    insists = {name for name, (mail, _) in kinds.items() if mail and mail.kind == "heeds"}
    assert keeps
    assert insists
    assert set(kinds) - keeps - insists
    for one in wild.surveyed("client"):
        again = one.answer("ehlo-again")
        bare = one.software == "openssl" or one.setting == "bare"
        assert again
        assert (again.short == "1 → 0") == bare
    helo = {
        one.software
        for one in wild.surveyed("client")
        if (again := one.answer("ehlo-again")) and again.short == "1 → 0 (HELO)"
    }
    assert helo == {"nullmailer", "s-nail", "ssmtp"}


def test_a_resumed_session_changes_nothing_and_the_page_counts_it_right() -> None:
    resumed = []
    for one in wild.surveyed("server"):
        asked = [name for name in wild.GROUPS["resumed"] if one.answer(name).kind != "unasked"]  # type: ignore[union-attr]
        for name in asked:
            both = [
                one.answer(q) for q in (name, name.removeprefix("resumed-").removesuffix("-12"))
            ]
            assert len({(answer.kind, answer.short) for answer in both if answer}) == 1, one.name
        resumed.append(len(asked))
    assert set(resumed) == {0, len(wild.GROUPS["resumed"])}
    counts = [sum(map(bool, resumed)), resumed.count(0)]
    for language in LANGUAGES:
        text = (SOURCES / language / "in-the-wild.md").read_text("utf-8")
        below = text.partition("<!-- show servers -->")[2].partition("\n## ")[0].strip()
        told = below.rpartition("\n\n")[2]
        assert [int(n) for n in re.findall(r"(?<![\d.])\d+(?![\d.])", told)] == counts


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_what_is_withheld_is_shown(language: str) -> None:
    made = {asset.path: asset.data.decode() for asset in wild.files(language)}
    for one in wild.found().values():
        for answer in one.answers:
            if answer.kind == "withheld":
                assert f"wild/{one.name}.{answer.question}.html" not in made
                assert (answer.short, answer.text, answer.sessions) == ("", "", ())


def test_both_languages_say_what_was_not_measured() -> None:
    texts = [(SOURCES / language / "in-the-wild.md").read_text("utf-8") for language in LANGUAGES]
    assert "**Not measured:**" in texts[0]
    assert "**Não foi medido:**" in texts[1]
