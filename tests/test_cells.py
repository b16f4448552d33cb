"""The matrix: all combinations played, and the word that each ends in."""

import json

import pytest

from simulator import explainer
from simulator.lab import BadScenario, arena, load, play
from simulator.language import languages, say
from tests.command import Command

ENDS = [
    # client, server, middlebox, category, code
    ("documented", "documented", "nothing", "inside", 0),
    ("skips", "documented", "nothing", "refused", 503),
    ("skips", "lax", "nothing", "inside", 0),
    ("skips", "careless", "nothing", "inside", 0),
    ("stale", "shorter", "nothing", "refused", 555),
    ("required", "without", "nothing", "given up", 0),
    ("documented", "refuses", "nothing", "clear", 0),
    ("plain", "requires", "nothing", "refused", 530),
    ("documented", "wrong-name", "nothing", "given up", 0),
    ("trusting", "wrong-name", "nothing", "inside", 0),
    ("login", "login", "nothing", "inside", 0),
    ("documented", "documented", "strip", "fooled", 0),
    ("plain", "documented", "strip", "clear", 0),
    ("required", "documented", "strip", "given up", 0),
    ("documented", "documented", "mask", "fooled", 0),
    ("documented", "keeps", "inject-command", "fooled", 0),
    ("documented", "documented", "inject-command", "inside", 0),
    ("keeps", "documented", "inject-reply", "fooled", 0),
    ("documented", "documented", "inject-reply", "inside", 0),
    ("stale-login", "documented", "add-keywords", "fooled", 0),
    ("documented", "documented", "add-keywords", "inside", 0),
]


@pytest.mark.parametrize(("client", "server", "middlebox", "category", "code"), ENDS)
def test_how_it_ends(client: str, server: str, middlebox: str, category: str, code: int) -> None:
    session = play(load(f"{client}+{server}+{middlebox}"))
    found = arena.cell(client, server, middlebox, explainer.explain(session))
    assert (found.category, found.code) == (category, code)


def test_every_combination_can_be_played_and_ends() -> None:
    wanted = [names for names in arena.combinations() if names[2] in ("nothing", "inject-command")]
    seen: list[int] = []
    sessions = arena.play_all(wanted, lambda: seen.append(1))
    assert len(sessions) == len(wanted) == len(seen)
    assert [s.scenario for s in sessions] == ["+".join(names) for names in wanted]
    for session in sessions:
        explainer.explain(session)
        assert session.events[-1].__struct_config__.tag == "disconnect"


def test_every_policy_has_a_title_in_every_language() -> None:
    sides = arena.sides()
    for group in (sides.client, sides.server, sides.middlebox):
        for policy in group.values():
            assert len({policy.said(code) for code in languages()}) > 5
    played = arena.scenario("helo", "lax")
    assert played.prose("title", "de").startswith(say("says HELO after TLS", "de"))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(BadScenario, match="the matrix has no 'dragon'"):
        arena.scenario("dragon", "documented")


def test_the_command(command: Command) -> None:
    ran = command("matrix", "--middlebox", "strip")
    assert ran.code == 0
    (row,) = [line for line in ran.out.splitlines() if line.startswith("required ")][:1]
    assert row.count("gives up") == len(arena.sides().server)
    assert "ehlo-twice replay documented+documented+strip" in ran.out


def test_the_command_as_json(command: Command) -> None:
    cells = json.loads(command("matrix", "--view", "json").out)["cells"]
    assert len(cells) == len(arena.sides().client) * len(arena.sides().server)
    assert all(load(found["scenario"]) for found in cells)
    assert {found["category"] for found in cells} <= {
        "inside", "clear", "refused", "given up", "broken off"
    }  # fmt: skip


def test_the_command_as_markdown(command: Command) -> None:
    out = command("matrix", "--view", "markdown", "--lang", "pt_BR").out
    assert out.count("\n") == len(arena.sides().client) + 2
    assert "**envia EHLO de novo**" in out


def test_the_command_as_a_figure(command: Command, tmp_path: object) -> None:
    assert "a drawing: .svg, .png or .pdf" in command.fails("matrix", "--out", "matrix.gif")
