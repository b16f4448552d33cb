"""The program with which a reader decrypts the second EHLO."""

from __future__ import annotations

import re

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from simulator.session import Handshake
from tools.site import decrypting
from tools.site.page import LANGUAGES, BadPage, Page
from tools.site.plays import play


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_the_second_ehlo(language: str) -> None:
    shown = decrypting.show(Page(path="bytes.md", language=language, text=""))
    assert shown.endswith("```text\nb'EHLO mx4.example.com\\r\\n\\x17'\n```")


def test_one_digit_of_the_record_changed_gives_nothing() -> None:
    program = decrypting.written(play("documented", "1.3").session, "en")
    last = re.findall(r'([0-9a-f])"\n\)', program)[-1]
    changed = f'{int(last, 16) ^ 1:x}"\n)'
    at = program.rindex(f'{last}"\n)')
    tampered = program[:at] + changed + program[at + len(changed) :]
    with pytest.raises(InvalidTag):
        exec(tampered, {})


def test_another_cipher_is_refused_with_its_name() -> None:
    session = play("documented", "1.3").session
    events = tuple(
        msgspec.structs.replace(event, cipher="TLS_CHACHA20_POLY1305_SHA256")
        if isinstance(event, Handshake)
        else event
        for event in session.events
    )
    with pytest.raises(BadPage, match="TLS_CHACHA20_POLY1305_SHA256"):
        decrypting.written(msgspec.structs.replace(session, events=events), "en")
