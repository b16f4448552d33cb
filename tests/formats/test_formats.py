"""Formats that are data: their samples are their tests, and wrong files are told apart."""

from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.masking import Veil
from simulator.reading import pattern
from simulator.session import Command
from simulator.views import prose

FORMATS = formats.known()
WITH_SAMPLES = [(f, sample) for f in FORMATS for sample in f.samples]

GOOD = """
name = "mine"
title = "Mine"
log_more = "Give it -vv."
[[line]]
pattern = 'RX (?P<text>.*)'
means = "server"
[[line]]
pattern = 'TX (?P<text>.*)'
means = "client"
[[sample]]
log = '''
RX 220 mx.example.org
TX EHLO desk
RX 250 mx.example.org
'''
means = { tls = "not_offered", client_to_server_commands = ["EHLO"] }
"""


@pytest.mark.parametrize(("kind", "sample"), WITH_SAMPLES, ids=[f.name for f, _ in WITH_SAMPLES])
def test_a_sample_means_what_it_says(kind: formats.Format, sample: object) -> None:
    assert formats.misses(kind.read, sample) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "sample"), WITH_SAMPLES, ids=[f.name for f, _ in WITH_SAMPLES])
def test_a_sample_is_recognised(kind: formats.Format, sample: object) -> None:
    log = sample.log  # type: ignore[attr-defined]
    assert formats.detect(log.strip("\n").split("\n")).name == kind.name


def test_each_format_has_a_name_of_its_own_and_says_how_to_log_more() -> None:
    assert len({f.name for f in FORMATS}) == len(FORMATS)
    assert [f.name for f in FORMATS if not f.title] == []
    assert [f.name for f in FORMATS if not f.log_more and f.name != "sides"] == []


def test_a_format_of_ones_own_is_tested_and_used(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert formats.test(path) == 1
    log = "RX 220 mx.example.org\nTX EHLO desk\nRX 250-mx.example.org\nRX 250 STARTTLS\n"
    (session,) = formats.read(log, extra_dirs=[tmp_path])
    assert session.source == "mine"
    assert explain(session).verdict.tls == "not_attempted"
    (told,) = formats.read(log + "TX STARTTLS\n", extra_dirs=[tmp_path])
    assert (gap := prose.gap(explain(told))) is not None
    assert gap.log_more == "Give it -vv."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('means = "server"', 'means = "servant"'),
            ":7: line.means cannot be 'servant': did you mean 'server'?",
        ),
        (("'RX (?P<text>.*)'", "'RX (?P<text>.*'"), ":5: pattern 'RX (?P<text>.*': missing )"),
        (
            ('means = "server"', 'means = "retold"\nclient = "{verb}"'),
            ":5: text, client, server or connection names {verb}, which is no group",
        ),
        (("'RX (?P<text>.*)'", "'RX .*'"), ":5: means = 'server' needs a group (?P<text>"),
        (("'RX (?P<text>.*)'", "'(?:(?P<text>a+))+'"), "a repeat inside a repeat may never end"),
        (
            ('tls = "not_offered"', 'tls = "failed"'),
            ":11: tls is 'not_offered', 'failed' was meant",
        ),
        (('name = "mine"', 'name = "Mine"'), ":2: the name is letters, digits"),
        (("title =", "titel ="), ":3: unknown key 'titel': did you mean 'title'?"),
        (("title =", "software = 'X'\ntitle ="), ":2: a format has a title or the name of its"),
        (('title = "Mine"', ""), ":2: a format has a title or the name of its software, one"),
        (("[[line]]", "[[line"), "mine.toml:"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(formats.FormatError) as error:
        formats.test(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_command_that_only_an_error_names_was_not_shown() -> None:
    (session,) = formats.read("SMTP ERROR: AUTH command failed: 535 5.7.8 Bad credentials\n")
    (said,) = (event for event in session.events if isinstance(event, Command))
    assert (said.verb, said.raw, said.told) == ("AUTH", b"", True)
    assert said in Veil()(session).events
    again = "SMTP INBOUND: x\nCLIENT -> SERVER: AUTH LOGIN\n"
    (session,) = formats.read(f"{again}SMTP ERROR: AUTH command failed: 535 5.7.8 no\n")
    (said,) = (event for event in session.events if isinstance(event, Command))
    assert said.argument == "LOGIN"


def test_a_format_without_a_sample_is_not_tested(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.split("[[sample]]")[0])
    with pytest.raises(formats.FormatError, match="a format is tested by its samples"):
        formats.test(path)


def test_a_format_that_is_not_there() -> None:
    names = ", ".join(sorted(kind.name for kind in FORMATS))
    with pytest.raises(formats.NoSuchFormat, match=f"no format 'telepathy': there are {names}"):
        list(formats.read("220 mx", format="telepathy"))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(formats.FormatError, match="no such folder"):
        list(formats.read("220 mx", extra_dirs=[tmp_path / "none"]))


@pytest.mark.parametrize(
    "path", sorted(Path(formats.__file__).parent.glob("*.toml")), ids=lambda path: path.name
)
def test_a_built_in_file_is_what_a_file_of_ones_own_has_to_be(path: Path) -> None:
    """At each start built-in files are read without the checks that this makes."""
    checked = pattern.load(path)
    (quick,) = (kind for kind in FORMATS if kind.name == checked.name)
    assert (quick.title, quick.log_more) == (checked.title, checked.log_more)
    assert quick.samples == checked.samples != ()
