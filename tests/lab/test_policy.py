"""A scenario is a file: what it may hold, what it must say, and what is said of a bad one."""

import json
import re
import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from simulator.checks import cases
from simulator.exercises import exercise
from simulator.explainer import explain
from simulator.lab import (
    BadScenario,
    ClientPolicy,
    Mail,
    MiddleboxPolicy,
    Scenario,
    ServerPolicy,
    UnknownScenario,
    load,
    names,
    play,
    scenarios,
)
from simulator.lab.policy import TABLES, document_text, keys, parse, schema
from simulator.language import languages, said
from simulator.session import Handshake
from simulator.toml import line_of

PROSE = ("title", "question", "watch", "conclude")
GOOD = """
title = "A title"
question = "A question?"
watch = "Something to watch."
conclude = "A conclusion."
"""


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads((files("simulator") / "scenarios" / f"{name}.toml").read_text("utf-8"))


each_scenario = pytest.mark.parametrize("name", names())


@each_scenario
@pytest.mark.parametrize("language", languages())
def test_prose_is_there_in_every_language_and_short(name: str, language: str) -> None:
    scenario = load(name)
    for field in PROSE:
        text = said(getattr(scenario, field), language)
        assert text == re.sub("[ \n\t]+", " ", text.strip())
        assert 0 < len(text) < (80 if field == "title" else 620)
    assert set("?？") & set(scenario.prose("question", language))


def test_a_scenario_of_ones_own_may_speak_several_languages() -> None:
    own = GOOD.replace('title = "A title"', 'title.en = "A title"\ntitle.pt_BR = "Um título"')
    scenario = parse(own.encode(), "mine.toml", "mine")
    said = {code: scenario.prose("title", code) for code in ("en", "pt_BR", "de")}
    assert said == {"en": "A title", "pt_BR": "Um título", "de": "A title"}


@each_scenario
def test_a_scenario_is_compared_with_another_one(name: str) -> None:
    scenario = load(name)
    assert scenario.compare in names()
    assert scenario.compare != name or name == "documented"
    assert scenario.group != "own"


@each_scenario
def test_a_scenario_states_only_what_differs(name: str) -> None:
    defaults = {
        "client": ClientPolicy(),
        "server": ServerPolicy(),
        "middlebox": MiddleboxPolicy(),
        "mail": Mail(),
    }
    for table, default in defaults.items():
        usual = msgspec.to_builtins(default)
        for key, value in raw(name).get(table, {}).items():
            assert value != usual[key], f"{table}.{key}"


def test_no_two_scenarios_behave_alike() -> None:
    seen: dict[bytes, str] = {}
    for scenario in scenarios():
        behaviour = msgspec.json.encode(
            (scenario.client, scenario.server, scenario.middlebox, scenario.mail)
        )
        assert behaviour not in seen, (scenario.name, seen.get(behaviour))
        seen[behaviour] = scenario.name


def test_every_policy_is_played_with() -> None:
    """A key that no scenario needs has no place here."""
    for table, kind in (
        ("client", ClientPolicy),
        ("server", ServerPolicy),
        ("middlebox", MiddleboxPolicy),
    ):
        used = {key for name in names() for key in raw(name).get(table, {})}
        used |= {key for case in FAULTS.get(table, ()) for key in case["fault"]}
        assert set(kind.__struct_fields__) - used <= UNCHANGED[table]


FAULTS = {
    side: tomllib.loads((files("simulator.checks") / f"{side}.toml").read_text("utf-8"))["case"]
    for side in ("client", "server")
}
"""What peers do that a check is proven with."""

UNCHANGED = {
    "client": {"name", "tls_version", "user", "password"},
    "server": {"name"},
    "middlebox": set[str](),
}
"""What a user sets, and the command line: no experiment turns on it."""


@each_scenario
def test_the_published_schema_takes_it(name: str) -> None:
    jsonschema.validate(raw(name) | raw_dates(name), schema())


def raw_dates(name: str) -> dict[str, Any]:
    """JSON has no dates."""
    document = raw(name).get("document")
    return (
        {"document": document | {"clock": document["clock"].isoformat() + "Z"}} if document else {}
    )


def test_names_begin_with_the_documented_session() -> None:
    assert names()[0] == "documented"
    assert list(names()[1:]) == sorted(names()[1:])


def test_a_scenario_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD + "[client]\nforgets = false\n")
    found = load(str(file))
    assert (found.name, found.group, found.client.forgets) == ("mine", "own", False)
    assert found.prose("title", "pt_BR") == "A title"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("skiped-ehlo", "no scenario 'skiped-ehlo': did you mean 'skipped-ehlo'?"),
        ("striped", "did you mean 'stripped'?"),
        ("zzzz", "`ehlo-twice scenarios` lists them"),
    ],
)
def test_an_unknown_scenario(name: str, says: str) -> None:
    with pytest.raises(UnknownScenario) as caught:
        load(name)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[client\n", "mine.toml: not TOML: "),
        ("[clinet]\n", "mine.toml:6: unknown key 'clinet': did you mean 'client'?"),
        (
            "[client]\nforgts = true\n",
            "mine.toml:7: unknown key 'client.forgts': did you mean 'forgets'?",
        ),
        (
            '[client]\ntls = "always"\n',
            "client.tls cannot be 'always': it is one of required, opportunistic, never, implicit",
        ),
        (
            '[server]\nstarttls = "offerd"\n',
            "mine.toml:7: server.starttls cannot be 'offerd': did you mean 'offered'?",
        ),
        (
            "[client]\nforgets = 1\n",
            "mine.toml:7: client.forgets must be true or false, not a whole number",
        ),
        ("[client]\nname = 3\n", "client.name must be a text in quotes, not a whole number"),
        ("[client]\nname_inside = 3\n", "client.name_inside must be a text in quotes, not a whole"),
        ('[client]\nuses = "SIZE"\n', 'client.uses must be a list, such as ["SIZE", "8BITMIME"],'),
        ("[client]\nuses = [3]\n", "mine.toml:7: client.uses must be a text in quotes, not a"),
        ('[client]\npatience = "5"\n', "client.patience must be a number, not a text in quotes"),
        ("[client]\npatience = 0\n", "client.patience cannot be 0: it must be more than 0"),
        ("[client]\npatience = 1e9\n", "cannot be 1000000000.0: it must be at most 60"),
        (
            '[client]\nname = "a b"\n',
            "mine.toml:7: client.name cannot be 'a b': it must be one word of printable ASCII",
        ),
        ('[client]\nname = ""\n', "client.name cannot be '': it must not be empty"),
        ('[client]\nname = "a\\r\\nMAIL"\n', r"client.name cannot be 'a\r\nMAIL': "),
        ('[client]\nname = "a\\n"\n', r"holds the character '\n'"),
        ('[client]\nname_inside = "a b"\n', "client.name_inside cannot be 'a b': it must be one"),
        (f'[client]\nname = "{"a" * 256}"\n', "it has 256 characters, and 255 are allowed"),
        ('[server]\nkeywords = ["SIZE\\n250 X"]\n', r"server.keywords cannot be 'SIZE\n250 X': it"),
        ('[server]\nkeywords = ["SIZE\\n"]\n', r"holds the character '\n'"),
        ('[server]\nkeywords = ["é"]\n', r"holds the character '\xe9'"),
        (f'[mail]\nsubject = "{"a" * 501}"\n', "it has 501 characters, and 500 are allowed"),
        ("[mail]\nsubject = 2005-05-16\n", "mail.subject must be a text in quotes, not a date"),
        ('[server]\nsilent_at = "BLAH"\n', "mine.toml:7: server.silent_at cannot be 'BLAH': "),
        ('[server]\nsilent_at = "mail"\n', "cannot be 'mail': did you mean 'MAIL'?"),
        ('[server]\nsilent_at = "tls"\n', "cannot be 'tls': did you mean 'TLS'?"),
        ('[server]\ncuts_at = "TLS"\n', "mine.toml:7: server.cuts_at cannot be 'TLS': "),
        ('[server]\ncuts_at = "STARTLS"\n', "did you mean 'STARTTLS'?"),
        ('[middlebox]\ndoes = "cut"\nat = "BLAH"\n', "mine.toml:8: middlebox.at cannot be 'BLAH'"),
        ('[middlebox]\ndoes = "cut"\n', 'middlebox.does is "cut", but at is missing: write at ='),
        ('[middlebox]\nat = "EHLO"\n', 'middlebox.at has an effect with does = "cut" only'),
        (
            '[client]\ntls = "required"\n[middlebox]\ndoes = "end-tls"\n',
            'mine.toml:9: middlebox.does is "end-tls", which has an effect with tls = "implicit"',
        ),
        (
            (
                '[client]\ntls = "implicit"\n[server]\nimplicit_tls = true\n'
                '[middlebox]\ndoes = "end-tls"\n'
            ),
            'middlebox.does is "end-tls", so to the server no TLS comes: leave out implicit_tls',
        ),
        ('[middlebox]\nlines = ["X"]\n', "mine.toml:7: middlebox.lines has an effect with does ="),
        ('[middlebox]\ndoes = "inject-reply"\n', 'is "inject-reply", but lines is missing: write'),
        ('[middlebox]\ndoes = "proxy"\n', 'middlebox.does is "proxy", but lines is missing: write'),
        (
            '[server.replies]\n"STARTTLS" = "Go"\n',
            "mine.toml:7: server.replies: 'STARTTLS' is no verb and reply code that the server ",
        ),
        (
            '[server.replies]\n"STARTTLS" = "Go"\n',
            'write "STARTTLS 220" = "Go ahead with TLS"; the greeting is "CONNECT 220"',
        ),
        ('[server.replies]\n"starttls 220" = "Go"\n', "'starttls 220' is no verb and reply code"),
        ('[server.replies]\n"STARTTLS 999" = "Go"\n', "'STARTTLS 999' is no verb and reply code"),
        ('[server.replies]\n220 = "Go"\n', "'220' is no verb and reply code"),
        ('[server.replies]\n"EHLO 250" = "Go"\n', "'EHLO 250' is the list: what it says is in ser"),
        ('[server.replies]\n"QUIT 221" = 3\n', "'QUIT 221' must be a text in quotes"),
        (
            '[server.replies]\n"QUIT 221" = "a\\nb"\n',
            r"'QUIT 221' cannot be 'a\nb': it must be one",
        ),
        ("[server]\nreplies = 3\n", "server.replies must be a table, not a whole number"),
        ('[document]\nlog = "x"\n', "mine.toml:6: document.language is missing: write language ="),
        (
            '[document]\nlog = "x"\nlanguage = "en"\nconnection = "1"\nclock = "yesterday"\n',
            "mine.toml:10: document.clock cannot be 'yesterday': it must be a date and time",
        ),
    ],
)
def test_a_bad_scenario_is_named_with_file_line_and_the_nearest_word(text: str, says: str) -> None:
    with pytest.raises(BadScenario) as caught:
        parse((GOOD + text).encode(), "mine.toml", "mine")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"a\\nb\\u001b[31m\\u202e" = 1\n', r"unknown key 'a\nb\x1b[31m\u202e'"),
        ('"" = 1\n', "unknown key ''"),
        ('"{x}" = 1\n', "unknown key '{x}'"),
        ('[client]\n"{key}" = 1\n', "unknown key 'client.{key}'"),
        ('[server]\nname = "{value}"\n', "server.name cannot be '{value}'"),
    ],
)
def test_what_a_key_holds_is_shown_and_does_nothing(text: str, says: str) -> None:
    for language in ("en", "pt_BR"):
        with pytest.raises(BadScenario) as caught:
            parse((text if text[0] == '"' else GOOD + text).encode(), "mine.toml", "mine")
        said = str(caught.value.said(language))
        assert "\n" not in said
        assert said.isprintable()
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("client = 3\n", "mine.toml:1: client must be a table, not a whole number"),
        ("mail = []\n", "mine.toml:1: mail must be a table, not a list"),
        ('name = "mine"\n', "mine.toml:1: unknown key 'name'"),
        ('group = "atacked"\n', "mine.toml:1: group cannot be 'atacked': did you mean 'attacked'?"),
        ("title = []\n", "mine.toml: not TOML"),
    ],
)
def test_a_bad_key_at_the_top(text: str, says: str) -> None:
    with pytest.raises(BadScenario) as caught:
        parse((text + GOOD).encode(), "mine.toml", "mine")
    assert says in str(caught.value)


def test_the_name_is_that_of_the_file_so_the_schema_has_none() -> None:
    scenario = schema()["$defs"]["Scenario"]  # type: ignore[index]
    assert "name" not in scenario["properties"]


def test_a_scenario_must_say_what_it_is_about() -> None:
    with pytest.raises(BadScenario, match=r"mine\.toml:1: title is missing: write title = "):
        parse(b"", "mine.toml", "mine")
    for field in PROSE:
        empty = re.sub(rf'({field} = )".*"', r'\1" "', GOOD)
        with pytest.raises(BadScenario, match=rf"mine\.toml:\d: {field} is empty: write {field} ="):
            parse(empty.encode(), "mine.toml", "mine")
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tomllib.loads(empty), schema())
    for wrong, says in (
        ("title = 3", r"title must be a text in quotes: title ="),
        ("title.en = 3", r"title\.en must be a text in quotes: en ="),
        ('title.en = " "', r"title\.en is empty: write en ="),
        ('title.pt_BR = "Um título"', r"title\.en is missing"),
    ):
        with pytest.raises(BadScenario, match=rf"mine\.toml:2: {says}"):
            parse(GOOD.replace('title = "A title"', wrong).encode(), "mine.toml", "mine")


def test_what_is_no_text_is_no_scenario() -> None:
    with pytest.raises(BadScenario, match="not text in UTF-8"):
        parse(b"\xff\xfe", "mine.toml", "mine")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="No such file"):
        load(tmp_path / "none.toml")


def test_lines_are_found_by_path() -> None:
    text = "a = 1\n[b]\nc = 2\n[b.d]\ne = 3\n"
    assert [line_of(text, path) for path in (("a",), ("b", "c"), ("b", "d", "e"), ("x",))] == [
        1,
        3,
        5,
        1,
    ]


def test_every_key_is_told_of() -> None:
    kinds = schema()["$defs"]
    for table, kind in TABLES.items():
        assert tuple(keys()[table]) == ("about", *kind.__struct_fields__)
        told = kinds[kind.__name__]["properties"]  # type: ignore[index]
        assert {key: told[key]["description"] for key in told} == {
            key: text for key, text in keys()[table].items() if key != "about"
        }
    assert set(keys()) == set(TABLES)


@pytest.mark.parametrize("other", [exercise.schema, cases.schema])
def test_every_key_is_told_of_in_other_schemas(other: Callable[[], dict[str, Any]]) -> None:
    shapes = other()["$defs"]
    there = [kind for kind in TABLES.values() if kind.__name__ in shapes]
    assert ClientPolicy in there
    for kind in there:
        shape = shapes[kind.__name__]
        assert "keys.toml" not in shape["description"]
        assert all(shape["properties"][key]["description"] for key in kind.__struct_fields__)


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u061c", "\x1b", "\n", "\u200b", "\u00ad", "\u3164", "\ufff9"]
)
def test_an_address_of_any_script_holds_nothing_that_does_not_show(sign: str) -> None:
    for key in ("sender", "subject"):
        good = f'{GOOD}[mail]\n{key} = "“жозé”–@例.example"'.encode()
        assert parse(good, "x.toml", "x").mail.is_international
        bad = f"{GOOD}[mail]\n{key} = {json.dumps('a' + sign)}\n".encode()
        with pytest.raises(
            BadScenario, match=r"letters and signs that show, and holds the character"
        ):
            parse(bad, "x.toml", "x")


def test_a_message_has_a_recipient() -> None:
    raw = f"{GOOD}[mail]\nrecipients = []\n".encode()
    with pytest.raises(BadScenario, match=r"mail\.recipients cannot be \[\]: it must not be empty"):
        parse(raw, "x.toml", "x")


def test_only_the_documented_scenario_has_a_document() -> None:
    assert "EHLO" in document_text(load("documented"))
    with pytest.raises(BadScenario, match="no document"):
        document_text(load("plain"))
    assert [s.name for s in scenarios() if s.document] == ["documented"]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links are for everybody elsewhere")
def test_a_document_that_leads_to_itself(tmp_path: Path) -> None:
    folder = tmp_path / "d{x}"
    folder.mkdir()
    (folder / "lo{op}.log").symlink_to("lo{op}.log")
    file = folder / "mine.toml"
    document = (
        'log = "lo{op}.log"\nlanguage = "en"\nconnection = "1"\nclock = 2005-05-16T18:34:30\n'
    )
    file.write_text(f"{GOOD}[document]\n{document}")
    with pytest.raises(BadScenario) as caught:
        document_text(load(file))
    assert str(folder) in str(caught.value.said("pt_BR"))


def test_scenarios_are_values() -> None:
    assert isinstance(load("plain"), Scenario)
    assert load("plain") == load("plain")


@pytest.mark.parametrize(
    "name",
    [
        "x..y",
        "[192.0.2.1]",
        "192.0.2.1",
        "a_b",
        "x.example.",
        "",
        "-x.example",
        "a" * 64,
        f"{'a.' * 127}a",
    ],
)
def test_a_server_has_a_name_that_a_certificate_can_carry(name: str) -> None:
    raw = GOOD + f'[server]\nname = "{name}"\n'
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(raw), schema())
    with pytest.raises(
        BadScenario, match=r"mine\.toml:7: server\.name cannot be .*: it must be a host"
    ):
        parse(raw.encode(), "mine.toml", "mine")


LONG = ".".join(["a" * 63] * 3 + ["b" * 61])
"""The longest name there can be: 253 characters."""


@pytest.mark.parametrize("name", ["ab--cd.example", "xn--a.example"])
def test_a_name_that_only_seems_international(name: str) -> None:
    raw = GOOD + f'[server]\nname = "{name}"\n'
    with pytest.raises(BadScenario, match=r":7: server\.name cannot be .*: a certificate carries"):
        parse(raw.encode(), "mine.toml", "mine")


@pytest.mark.parametrize("name", ["x..y", "a_b", "[192.0.2]", "[IPv6:x]", "192.0.2.1", "ab--c.d"])
def test_a_client_that_shows_a_certificate_has_a_name_for_it(name: str) -> None:
    raw = GOOD + f'[client]\nname = "{name}"\n'
    assert parse(raw.encode(), "mine.toml", "mine").client.name == name
    with pytest.raises(
        BadScenario, match=r":7: client\.name cannot be .* host name or an address literal such"
    ):
        parse(f"{raw}certificate = true\n".encode(), "mine.toml", "mine")


@pytest.mark.parametrize("kind", ["valid", "other-name", "expired", "unknown-ca"])
@pytest.mark.parametrize("name", [LONG, f"a.{LONG[2:]}", "localhost", "xn--mnchen-3ya.example"])
@pytest.mark.parametrize("client", ["[192.0.2.1]", "[IPv6:2001:db8::1]", LONG])
def test_all_names_can_be_played_with(client: str, name: str, kind: str) -> None:
    raw = (
        f'{GOOD}[client]\nname = "{client}"\ncertificate = true\n'
        f'[server]\nname = "{name}"\ncertificate = "{kind}"\nasks_certificate = true\n'
    )
    jsonschema.validate(tomllib.loads(raw), schema())
    found = explain(play(parse(raw.encode(), "mine.toml", "mine")))
    assert found.verdict.delivered == (kind == "valid")
    if kind == "valid":
        (shown,) = (s.event for s in found.steps if isinstance(s.event, Handshake))
        assert shown.client_certificate is not None
        assert shown.server_certificate is not None
        assert shown.server_certificate.names == (name,)
