"""Each exercise, in each of its situations: the right answer is right, a wrong one is not, and
something happens with both."""

import itertools
from pathlib import Path

import pytest

from simulator.exercises.answers import NoAnswer
from simulator.exercises.blocks import Items, Outcome, Say, Steps, Trials
from simulator.exercises.exercise import load, names
from simulator.exercises.kinds import KINDS
from simulator.exercises.puzzle import Puzzle
from tests.exercises.clients import CLIENT, READER, SOLUTIONS

# What a person who knows the protocol would say, by exercise and situation.
RIGHT: dict[str, dict[str, int | str]] = {
    "01": {"starttls": 2, "implicit": 1, "refused": 1, "never": 1, "unknown": 1},
    "04": {"strict": 503, "careless": 250, "lax": 250, "withdrawn": 555},
    "05": {"inside": 235, "early": 503, "required": 530, "skipped": 503},
    "06": {"skipped": 8, "still-offered": 9, "helo": 8, "twice": 10, "stale": 10},
    "09": {
        "second": "{client_inside} ESMTPS", "lax": "{client} ESMTPS",
        "helo": "{client_inside} SMTP", "login": "{client} ESMTPSA", "clear": "{client} ESMTP",
    },
    "10": {"stripped": "B", "required": "D", "dropped": "A", "kept": "E", "refused": "C"},
    "16": {"command-ehlo": 11, "command-noop": 11, "reply": 10},
}  # fmt: skip

WRONG: dict[str, int | str | None] = {
    "01": 3, "04": 421, "05": 421, "06": 3, "09": "mx9.nowhere.example ESMTP", "10": None, "16": 3,
}  # fmt: skip

# The rule that each situation of exercise 07 breaks, in words of the rule.
MUSTS = {
    "sequence": "initialised by EHLO", "stale": "client forgets", "offered": "no longer lists",
    "again": "not send STARTTLS again", "plain": "begins TLS before",
}  # fmt: skip

SEEN = {
    "tls13": {"client", "keyword"},
    "tls12": {"client", "keyword", "certificate"},
    "implicit": set(),
    "clear": {"client", "keyword", "sender", "recipient", "subject", "password"},
    "login-inside": {"client", "keyword"},
}

REPAIRED = {
    name: (SOLUTIONS / f"{name}.toml").read_text(encoding="utf-8") for name in ("08", "14", "15")
}

SITUATIONS = [(name, variant.name) for name in names() for variant in load(name).variant]


def situations(*wanted: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("name", "variant"), [pair for pair in SITUATIONS if pair[0] in wanted]
    )


def puzzle(name: str, variant: str, learner: str = "test", language: str = "en") -> Puzzle:
    return Puzzle(load(name), learner, language, variant=variant)


def check(found: Puzzle, answer: object) -> Outcome:
    outcome: Outcome = KINDS[found.exercise.kind].check(found, answer)
    assert outcome.understood
    return outcome


def said(outcome: Outcome) -> str:
    return " ".join(
        block.text.format_map(block.values) for block in outcome.blocks if isinstance(block, Say)
    )


def test_there_are_enough_of_every_kind() -> None:
    assert len(names()) >= 15
    assert {load(name).kind for name in names()} == set(KINDS)


@situations(*RIGHT)
def test_a_right_prediction(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    right = RIGHT[name][variant]
    if isinstance(right, str):
        right = right.format_map(found.values())
    outcome = check(found, right)
    assert outcome.right
    assert outcome.played is not None
    assert any(isinstance(block, Steps) for block in outcome.blocks)


@situations(*RIGHT)
def test_a_wrong_prediction_is_explained(name: str, variant: str) -> None:
    wrong = WRONG[name] or ("A" if RIGHT[name][variant] != "A" else "D")
    outcome = check(puzzle(name, variant), wrong)
    assert not outcome.right
    assert any(isinstance(block, Steps) for block in outcome.blocks)
    assert said(outcome)


def test_a_wrong_prediction_is_told_where_it_would_be_right() -> None:
    assert "takes mail from anyone" in said(check(puzzle("04", "strict"), 250))
    assert "none of the situations" in said(check(puzzle("04", "strict"), 421))


def _line_up(found: Puzzle, wanted: list[str]) -> str:
    [items] = [b for b in KINDS["order"].ask(found) if isinstance(b, Items)]
    cards = list(items.rows)
    order = ""
    for start in wanted:
        letter = next(key for key, text in cards if text.strip("`").startswith(start))
        cards = [card for card in cards if card[0] != letter]
        order += letter
    return order


IN_ORDER = ["EHLO", "STARTTLS", "TLS", "EHLO", "MAIL", "RCPT", "DATA", "the message", "QUIT"]
WITH_LOGIN = [*IN_ORDER[:4], "AUTH", *IN_ORDER[4:]]


@situations("02", "17")
def test_the_lines_in_order(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    assert check(found, _line_up(found, IN_ORDER if name == "02" else WITH_LOGIN)).right


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (["EHLO", "STARTTLS", "TLS", "MAIL", "RCPT", "DATA", "the m", "EHLO", "QUIT"], "503"),
        (["EHLO", "EHLO", "MAIL", "RCPT", "DATA", "the m", "STARTTLS", "TLS", "QUIT"], ""),
        (["TLS", "EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "the m", "QUIT"], ""),
        (["QUIT", "EHLO", "STARTTLS", "TLS", "EHLO", "MAIL", "RCPT", "DATA", "the m"], ""),
        (["DATA", "EHLO", "STARTTLS", "TLS", "EHLO", "MAIL", "RCPT", "the m", "QUIT"], "503"),
        (["EHLO", "STARTTLS", "TLS", "EHLO", "MAIL", "RCPT", "the m", "DATA", "QUIT"], "too early"),
    ],
)
def test_lines_out_of_order(wanted: list[str], told: str) -> None:
    found = puzzle("02", "strict")
    outcome = check(found, _line_up(found, wanted))
    assert not outcome.right
    assert told in said(outcome)
    assert any(isinstance(block, Steps) for block in outcome.blocks)


def test_a_password_in_the_clear_is_not_right() -> None:
    found = puzzle("17", "always")
    early = ["EHLO", "AUTH", *IN_ORDER[1:]]
    outcome = check(found, _line_up(found, early))
    assert not outcome.right


@situations("03")
def test_what_survives(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    [items] = [b for b in KINDS["survive"].ask(found) if isinstance(b, Items)]
    kept = [letter for letter, text in items.rows if "TLS 1." in text or "certificate of" in text]
    assert len(kept) == (4 if variant == "certificates" else 3)
    assert check(found, kept).right
    gone = next(letter for letter, _ in items.rows if letter not in kept)
    outcome = check(found, [*kept, gone])
    assert not outcome.right
    assert "RFC 3207 §4.2 MUST" in said(outcome)
    assert any(isinstance(block, Steps) for block in outcome.blocks)
    assert not check(found, kept[:1]).right


@situations("07")
def test_the_must(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    [items] = [b for b in KINDS["must"].ask(found) if isinstance(b, Items)]
    for letter, rule in items.rows:
        outcome = check(found, letter)
        assert outcome.right == (MUSTS[variant] in rule), rule
        assert said(outcome)


@situations("11")
def test_what_can_be_read(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    [items] = [b for b in KINDS["eavesdrop"].ask(found) if isinstance(b, Items)]
    titles = {found.says(f"thing-{thing}"): thing for thing in SEEN["clear"] | {"certificate"}}
    things = {letter: titles[text.split(": ")[0]] for letter, text in items.rows}
    right = [letter for letter, thing in things.items() if thing in SEEN[variant]]
    assert check(found, right).right
    wrong = check(found, [letter for letter in things if letter not in right])
    assert not wrong.right
    assert said(wrong)


def test_the_password() -> None:
    found = puzzle("12", "clear")
    assert check(found, found.scenario.client.password).right
    wrong = check(found, "swordfish")
    assert not wrong.right
    assert "swordfish" in said(wrong)


@situations("08", "14", "15")
def test_repairs(name: str, variant: str) -> None:
    found = puzzle(name, variant)
    assert check(found, REPAIRED[name]).right
    unchanged = KINDS["repair"].policy(found)
    outcome = check(found, unchanged)
    assert not outcome.right
    assert isinstance(outcome.blocks[0], Trials)
    assert any(isinstance(block, Steps) for block in outcome.blocks)


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ('auth = "never"', "honest client"),
        ("insists = false", "had not introduced itself"),
        ("drops_buffer = false", "obeyed inside TLS"),
        ('auth = "always"', "sees a rule broken"),
        ("requires_tls = false", "took mail in the clear"),
        ('again = "offer"', "sees a rule broken"),
    ],
)
def test_a_server_half_hardened(without: str, told: str) -> None:
    policy = [
        line for line in REPAIRED["15"].split("\n") if not line.startswith(without.split()[0])
    ]
    if "=" in without:
        policy.append(without)
    assert told in said(check(puzzle("15", "open"), "\n".join(policy)))


@situations("13")
def test_a_reader_that_reads(name: str, variant: str) -> None:
    if variant == load(name).variant[0].name:
        assert check(puzzle(name, variant), READER).right


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return b'STARTTLS' in reply", "says `True`"),
        ("return b'250-STARTTLS' in reply", "says `False`"),
        ("return None", "says `None`"),
        ("return reply.nonsense", "AttributeError"),
        ("this is no Python", "SyntaxError"),
    ],
)
def test_a_reader_that_does_not(body: str, told: str) -> None:
    program = f"def offers_starttls(reply):\n    {body}\n"
    outcome = check(puzzle("13", "last"), program)
    assert not outcome.right
    assert told in said(outcome)


def test_a_client_that_survives() -> None:
    outcome = check(puzzle("18", "strict"), CLIENT)
    assert outcome.right, said(outcome)
    assert outcome.played is not None
    assert outcome.played.verdict.ehlo_after_tls == 1


QUIT = '        ask("QUIT", 221)\n'
GO_ON = '        ask(f"MAIL FROM:<{sender}>", 250)\n'
NEW_FILE = '    replies = connection.makefile("rb")\n    ask(f"EHLO'
UNVERIFIED = "_create_unverified_context()"
MUTANTS = [
    ('    ask(f"EHLO {my_name}", 250)\n', "", "strict server"),
    ('if line[3:4] != b"-":', "if True:", "strict server"),
    (QUIT, GO_ON, "Nobody offered"),
    ("create_default_context(cafile=authority)", UNVERIFIED, "another name"),
    (NEW_FILE, '    ask(f"EHLO', "strict server"),
    ('"." + line if line.startswith(".") else line', "line", "another message"),
]


@pytest.mark.parametrize(("good", "bad", "told"), MUTANTS)
def test_a_client_that_does_not(good: str, bad: str, told: str) -> None:
    assert good in CLIENT
    outcome = check(puzzle("18", "strict"), CLIENT.replace(good, bad))
    assert not outcome.right
    assert told in said(outcome)


def test_a_client_that_asks_all_the_same_is_rude_but_safe() -> None:
    program = CLIENT.replace('if "STARTTLS" not in offered:', "if False:")
    assert check(puzzle("18", "strict"), program).right


def test_the_beginning_is_not_the_end() -> None:
    for name in ("13", "18"):
        assert not check(puzzle(name, load(name).variant[0].name), load(name).start).right


def test_a_file_is_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(READER, "utf-8")
    assert check(puzzle("13", "last"), file).right
    assert check(puzzle("13", "last"), str(file)).right


def offers_starttls(reply: bytes) -> bool:
    return any(line[4:].upper() == b"STARTTLS" for line in reply.splitlines()[1:])


def test_a_function_is_an_answer() -> None:
    assert check(puzzle("13", "last"), offers_starttls).right


# Since Python 3.13 what `eval` made has the source of `python -c`, where there is one.
@pytest.mark.parametrize(
    "found", ["import sys; exec(eval(sys.stdin.readline()))\n", "x = 1\n", "(\n"]
)
def test_a_function_without_its_source_is_none(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = eval("lambda reply: True")
    with pytest.raises(NoAnswer):
        check(puzzle("13", "last"), lambda reply: True)
    monkeypatch.setattr("inspect.getsource", lambda _: found)
    with pytest.raises(NoAnswer):
        check(puzzle("13", "last"), nowhere)


@pytest.mark.parametrize("name", names())
def test_learners_differ(name: str) -> None:
    shown = set()
    for learner, draw in itertools.product(("ann", "bob", "cyd"), (0, 1)):
        found = Puzzle(load(name), learner, "en", draw)
        shown.add((found.scenario.client.name, found.scenario.server.name, found.variant.name))
    assert len(shown) == 6


@pytest.mark.parametrize("name", names())
def test_the_same_learner_meets_the_same(name: str) -> None:
    first, second = (Puzzle(load(name), "ann", "en") for _ in range(2))
    assert first.scenario == second.scenario


def test_no_situation_comes_twice_in_a_row() -> None:
    exercise = load("04")
    drawn = [Puzzle(exercise, "ann", "en", draw).variant.name for draw in range(8)]
    assert all(one != other for one, other in itertools.pairwise(drawn))
    assert set(drawn) == {variant.name for variant in exercise.variant}


ONE_OF_A_KIND = sorted({load(name).kind: name for name in names()}.values())


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
@pytest.mark.parametrize(
    "answer",
    [
        None, 1.5, float("nan"), True, b"503", object(), {}, {"a": []}, [[]], [1, [2]], ["A", None],
        "x" * 10_000_000, ["A"] * 100_000, 10**5000, "", " ", "\0", "\x1b[2J", "\ud800", "🙂" * 50,
        "A" * 50, -1, 0, "../../etc/passwd", "{client.__class__}", "%s%s%n", "<b>",
        Path("/"), Path("/nowhere.toml"), Path("/dev/zero"), "/dev/zero.py", "[" * 50_000,
        "a = " + "[" * 5_000, "[client]\npatience = 1e308", "[client]\nname = \"a b\"",
    ],
    ids=lambda answer: str(type(answer).__name__),
)  # fmt: skip
def test_no_answer_hurts(name: str, answer: object) -> None:
    found = puzzle(name, load(name).variant[0].name)
    try:
        outcome = KINDS[found.exercise.kind].check(found, answer)
    except NoAnswer as error:
        told = found.told(error.why, **error.values)
        assert len(told.text.format_map(told.values)) < 1000
    else:
        assert not outcome.right
