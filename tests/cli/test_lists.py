"""The lists, help, version, completion: what there is, with one line each."""

import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from simulator import checks, lab
from simulator.cli.lists import SCHEMAS
from simulator.rules import rules
from tests.command import Command


def test_version(command: Command) -> None:
    assert command("--version").out.startswith("ehlo-twice, version ")


def test_no_arguments_is_help(command: Command) -> None:
    ran = command()
    assert ran.code == 0
    assert "replay" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("name", ["replay", "restore", "compare", "matrix", "bytes"])
def test_help_has_examples(command: Command, name: str) -> None:
    assert f"ehlo-twice {name}" in command(name, "--help").out


def test_scenarios(command: Command) -> None:
    lines = command("scenarios").out.splitlines()
    assert [line.split()[0] for line in lines] == list(lab.names())
    assert "A sessão documentada" in command("scenarios", "--lang", "pt_BR").out


def test_rules(command: Command) -> None:
    out = command("rules").out
    for rule in rules():
        assert f"{rule.id}\n" in out
    assert "RFC 3207 §4.2 SHOULD" in out


def test_languages(command: Command) -> None:
    assert "pt_BR  Português do Brasil" in command("languages").out


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(command: Command, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(command("schema", name).out))


@pytest.mark.parametrize(
    ("line", "kind", "version"),
    [
        ("replay documented --view session", "session", 1),
        ("replay documented --view json", "explanation", 2),
        ("replay documented --view jsonl", "explanation", 2),
        ("compare skipped-ehlo --view json", "comparison", 2),
        ("matrix --view json", "matrix", 1),
        ("explain --summary --view json -", "summary", 1),
    ],
)
def test_every_json_says_what_it_is_and_of_which_version(
    command: Command, monkeypatch: pytest.MonkeyPatch, line: str, kind: str, version: int
) -> None:
    log = io.BytesIO(b"220 mx ESMTP\nEHLO a\n250 mx\nQUIT\n221 bye\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=log))
    told = json.loads(command(*line.split()).out)
    assert list(told)[:2] == ["format", "version"]
    assert (told["format"], told["version"]) == (f"ehlo-twice/{kind}", version)


@pytest.mark.parametrize("side", ["server", "client"])
def test_the_schema_of_checks_takes_our_cases_and_no_others(command: Command, side: str) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(command("schema", "checks").out))
    path = Path(checks.__file__).with_name(f"{side}.toml")
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    assert [error.message for error in schema.iter_errors(found)] == []
    found["case"][0]["levle"] = found["case"][0].pop("level")
    assert not schema.is_valid(found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(command: Command, shell: str) -> None:
    assert "_EHLO_TWICE_COMPLETE" in command("completion", shell).out


@pytest.mark.parametrize(
    ("words", "offers"),
    [("ehlo-twice rep", "replay"), ("ehlo-twice replay docu", "documented")],
)
def test_completion_completes(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: str, offers: str
) -> None:
    monkeypatch.setenv("_EHLO_TWICE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert f"plain,{offers}" in command().out


def test_the_module_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "simulator", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("ehlo-twice, version ")


def test_start_loads_nothing_heavy() -> None:
    probe = "import sys, simulator.cli; print([m for m in ('matplotlib', 'aiosmtpd', 'trustme', 'asyncio') if m in sys.modules])"  # noqa: E501
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
