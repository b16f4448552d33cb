"""The lab inside a web page: what is handed over, and what comes back."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from simulator import inplay
from simulator.lab import BadScenario, load
from simulator.lab.written import MOST_COMMANDS, BadCode
from simulator.session import Command, Disconnect
from tools.site.changing import CODE

TEXTS = "".join(f'[{name}]\nen = "x"\n' for name in ("title", "question", "watch", "conclude"))
SECOND = '        await smtp.ask("EHLO mx4.example.com")\n'


def answered(toml: str = "", code: str = "", language: str = "en") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(inplay.answer(TEXTS + toml, code, language))
    return found


def verdict(found: dict[str, Any]) -> dict[str, Any]:
    [entry] = found["shown"]["sessions"]
    told: dict[str, Any] = entry["verdict"]
    return told


def test_a_scenario_file_is_played_and_given_back() -> None:
    found = answered('[client]\nafter_handshake = "nothing"\n', language="pt_BR")
    assert found["tables"] == {"client": {"after_handshake": "nothing"}}
    assert found["title"] == {"en": "x"}
    assert verdict(found)["second_ehlo"] == "missing"
    assert "O servidor recusou MAIL com 503" in verdict(found)["outcome"]


def test_the_lines_of_the_page_do_what_the_documented_client_does() -> None:
    own, failed = inplay.played(load("documented"), CODE)
    policy, _ = inplay.played(load("documented"))
    assert failed == ""
    for session in (own, policy):
        assert [e.verb for e in session.events if isinstance(e, Command)] == [
            "EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT",
        ]  # fmt: skip
        assert session.events[-1].by == "server"


def test_lines_without_the_second_ehlo() -> None:
    assert verdict(answered(code=CODE))["second_ehlo"] == "sent"
    assert verdict(answered(code=CODE.replace(SECOND, "")))["second_ehlo"] == "missing"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("async def talk(smtp:", "client.py:1: "),
        ("x = 1", "client.py: there is no `async def talk"),
        ("def talk(smtp):\n    pass", "client.py: there is no `async def talk"),
        ("import nosuchmodule", "client.py:1: ModuleNotFoundError: "),
    ],
)
def test_lines_that_are_no_client(code: str, said: str) -> None:
    with pytest.raises(BadCode) as refused:
        answered(code=code)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("1 / 0", "client.py:7: ZeroDivisionError"),
        ('await smtp.ask("EHLO é")', "client.py:7: ValueError: a command is one line"),
        ('await smtp.ask("RSET\\r\\nNOOP")', "client.py:7: ValueError: a command is one line"),
        ("while True: await smtp.ask('NOOP')", f"more than {MOST_COMMANDS} commands"),
    ],
)
def test_lines_that_fail_on_the_way_leave_the_session_so_far(step: str, said: str) -> None:
    session, failed = inplay.played(load("documented"), CODE.replace(SECOND, f"        {step}\n"))
    assert said in failed
    assert [e.verb for e in session.events if isinstance(e, Command)][:2] == ["EHLO", "STARTTLS"]
    assert isinstance(session.events[-1], Disconnect)


def test_lines_that_wait_for_what_never_comes_end_with_the_clients_patience() -> None:
    code = "async def talk(smtp):\n    await smtp.reply()\n    await smtp.reply()\n"
    session, failed = inplay.played(load("documented"), code)
    assert failed == ""
    last = session.events[-1]
    assert isinstance(last, Disconnect)
    assert last.reason == "timeout"


def test_a_wrong_file_is_told_with_its_line() -> None:
    with pytest.raises(BadScenario, match=r"^experiment\.toml:11: .*did you mean") as refused:
        answered('\n[client]\ntls = "requird"\n')
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[client\n", "experiment.toml: não é TOML: "),
        ('[client]\nnmae = "x"\n', "chave desconhecida 'client.nmae': seria 'name'?"),
        ('[client]\ntls = "requird"\n', "client.tls não pode ser 'requird': seria 'required'?"),
        (
            "[client]\nname = 3\n",
            "client.name deve ser um texto entre aspas, não um número inteiro",
        ),
        ("[client]\npatience = 0\n", "client.patience não pode ser 0: deve ser maior que 0"),
        ('[client]\nname = "mx 4"\n', "client.name não pode ser 'mx 4': deve ser uma só palavra"),
        ('[middlebox]\ndoes = "cut"\n', 'middlebox.does é "cut", mas falta at: escreva at ='),
        ('[server.replies]\n"EHLO 250" = "x"\n', "server.replies: 'EHLO 250' é a lista: o que"),
    ],
)
@pytest.mark.parametrize("does", [inplay.opened, lambda text, to: inplay.answer(text, "", to)])
def test_a_wrong_file_is_told_in_the_language_of_the_page(
    toml: str, said: str, does: Callable[[str, str], str]
) -> None:
    with pytest.raises(BadScenario) as told:
        does(TEXTS + toml, "pt_BR")
    assert said in str(told.value)


def test_lines_that_are_no_client_are_told_in_the_language_of_the_page() -> None:
    with pytest.raises(BadCode, match=r"^client\.py: não há `async def talk"):
        answered(code="x = 1", language="pt_BR")


@pytest.mark.parametrize(
    ("lines", "inside"), [("", False), ('lines = ["SIZE"]', True), ('lines = ["starttls"]', False)]
)
def test_what_the_attacker_strikes(lines: str, inside: bool) -> None:
    found = answered(f'[middlebox]\ndoes = "strip"\n{lines}\n')
    assert (verdict(found)["tls"] == "established") == inside
    [entry] = found["shown"]["sessions"]
    heard = [s["text"] for s in entry["steps"] if s["kind"] == "reply" and not s["lost"]]
    first = next(text for text in heard if text[0].startswith("250-"))
    struck = "SIZE" if inside else "STARTTLS"
    assert not [line for line in first if struck in line]


def test_a_browsers_python_has_all_it_needs() -> None:
    missing = ("cryptography", "trustme", "matplotlib", "numpy", "click", "dbm", "resource")
    code = (
        "import sys\n"
        f"for name in {missing!r}:\n"
        "    sys.modules[name] = None\n"
        "from simulator import inplay\n"
        f"inplay.answer({TEXTS!r}, {CODE!r}, 'pt_BR')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
