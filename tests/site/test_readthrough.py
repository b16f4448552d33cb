"""The page on which the documented session is read from top to bottom."""

from __future__ import annotations

import re

import pytest

from simulator import smtp
from simulator.session import Trace
from tools.site import decrypting, ledgers, readthrough
from tools.site.page import LANGUAGES, Page
from tools.site.plays import play


def shown(language: str) -> str:
    return readthrough.show(Page(path="read-through.md", language=language, text=""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_is_there_and_opens_into_its_bytes(language: str) -> None:
    steps = play("documented", "1.3").steps
    text = shown(language)
    lines = re.findall(r'<(\w+) class="line (\w+)" id="line-(\d+)">', text)
    told = [step for step in steps if not isinstance(step.event, Trace)]
    assert [int(number) for _, _, number in lines] == [step.index + 1 for step in told]
    # Nothing crosses the wire, and nothing is learned, where the connection begins and ends.
    assert [number for kind, _, number in lines if kind == "div"] == ["1", str(len(steps))]
    order = [where for _, where, _ in lines]
    assert order == sorted(order, key=("clear", "turn", "inside").index)
    for block in re.findall(r"<details.*?</details>", text, re.DOTALL):
        assert "<dt>" in block


def test_each_line_says_who_speaks_before_the_arrow() -> None:
    said = re.findall(r'<span class="by">(.*?)</span>', shown("en"))
    assert set(said) == {"client →", "server ←", "⇄"}


def test_a_long_name_breaks_at_its_seams_alone() -> None:
    chips = re.findall(r'<span class="fact secure">(.*?)</span>', shown("en"))
    [suite] = {chip for chip in chips if "AES" in chip}
    assert "TLS_<wbr>AES_<wbr>256_<wbr>GCM_<wbr>SHA384" in suite
    assert "1.3" in suite


def test_whoever_forgets_is_told_once_and_at_the_handshake() -> None:
    blocks = re.findall(r"<details.*?</details>", shown("en"), re.DOTALL)
    [turn] = (block for block in blocks if "line turn" in block)
    assert ["The server forgets:" in block for block in blocks].count(True) == 2
    assert "The client forgets:" in turn
    assert "The server forgets:" in turn


def test_the_words_of_the_standards_are_where_they_belong() -> None:
    text = shown("en")
    for cited in {key for keys in readthrough.TOLD.values() for key in keys}:
        found = smtp.citations()[cited]
        assert found.url in text
        assert found.place in text
    assert text.count("<blockquote") >= len(readthrough.TOLD)


def test_the_secret_that_is_shown_decrypts_the_record_that_is_shown() -> None:
    page = Page(path="read-through.md", language="en", text="")
    [line] = re.findall(r"^CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)$", readthrough.secrets(page), re.M)
    program = decrypting.written(play("documented", "1.3").session, "en")
    assert line in re.sub(r'"\s+"', "", program)
    [record] = re.findall(r"record = bytes\.fromhex\(([^)]+)\)", program)
    octets = bytes.fromhex("".join(re.findall(r"\w+", record)))
    [block] = re.findall(
        r'<details class="line inside" id="line-8">.*?</details>', shown("en"), re.S
    )
    assert f"{len(octets)} bytes to the server" in block
    assert octets[5:21].hex(" ") in block


def test_a_certificate_is_named_in_the_readers_language() -> None:
    page = Page(path="why-twice.md", language="pt-BR", text="")
    assert "certificado de eq-c601.example.com" in ledgers.show(page).replace("<wbr>", "")
    assert "certificate" not in ledgers.show(page)
