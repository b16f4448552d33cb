"""What was worked out when the package was built is what would be worked out anew."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import compiled, needles, toml
from tools import data

WORKS_OUT_NOTHING = """
import sys, tomllib
from simulator import needles

def never(text):
    raise AssertionError(text[:200])

tomllib.loads = never
from simulator.cli import main
sys.argv[1:] = ["explain", "-"]
main()
"""
LOG = " -> EHLO a.example\n<-  250 mx.example\n -> QUIT\n<-  221 bye\n"


def test_it_is_there_and_up_to_date() -> None:
    made = data.made()
    there = compiled.data()
    assert there.tables == made["tables"], "run: make test"
    assert {one: tuple(words) for one, words in there.words.items()} == made["words"]


def test_it_holds_what_the_texts_hold() -> None:
    there = compiled.data()
    assert len(there.tables) > 60
    assert all(tomllib.loads(text) == table for text, table in there.tables.items())
    assert len(there.words) > 500
    assert all(needles.read_off(one) == tuple(words) for one, words in there.words.items())


def test_explaining_a_log_reads_no_toml() -> None:
    command = [sys.executable, "-c", WORKS_OUT_NOTHING]
    done = subprocess.run(command, input=LOG, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "EHLO a.example" in done.stdout


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A package that was never built."""
    monkeypatch.setattr(compiled, "files", lambda _: tmp_path)
    compiled.data.cache_clear()
    needles.words.cache_clear()
    yield
    compiled.data.cache_clear()
    needles.words.cache_clear()


@pytest.mark.usefixtures("unbuilt")
def test_without_it_all_is_worked_out() -> None:
    assert compiled.data() == ({}, {})
    assert needles.words("(?i)alert number 4[2346]") == ("alert number 4",)
    assert toml.File("a = 1", "a.toml").table == {"a": 1}
