"""JSON that one keeps: small beside its log, what its schema says, and read back without loss."""

import json
from pathlib import Path

import jsonschema
import pytest

from benchmarks import logs
from simulator import explain, formats
from simulator.session import Remark, Session, from_json, to_json
from simulator.views import document
from simulator.views import json as lean
from simulator.views.view import Page, view
from tests.command import Command
from tests.views import sessions

TRANSCRIPTS = sorted((Path(__file__).parents[1] / "formats" / "transcripts").glob("*.txt"))


def test_a_days_log_stays_within_three_times_its_size(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    size = logs.write(log, sessions=200, megabytes=1)
    for name in ("json", "jsonl"):
        assert len(command("explain", "--view", name, str(log)).out.encode()) <= 3 * size


@pytest.mark.parametrize("path", TRANSCRIPTS[::5], ids=lambda path: path.stem)
def test_each_line_is_a_document_of_one_session(path: Path) -> None:
    found = [explain(session) for session in formats.read(path)]
    pieces = view("jsonl").pieces
    assert pieces is not None
    written = list(pieces(found, Page()))
    for line, explanation in zip(written, found, strict=True):
        assert line.count("\n") == 1
        shown = json.loads(line)
        jsonschema.validate(shown, lean.schema())
        [entry] = shown["sessions"]
        assert entry["session"] == json.loads(to_json(explanation.session))
    assert list(formats.read("".join(written).encode())) == [one.session for one in found]


def test_lines_may_hold_any_document_of_this_program() -> None:
    played = sessions.documented()
    lines = [
        json.dumps(json.loads(text))
        for text in (
            to_json(played),
            document.render(explain(played)),
            lean.render(explain(played)),
        )
    ]
    found = list(formats.read("\n".join(lines).encode()))
    assert found == [played] * 3


def test_a_line_that_is_no_document_is_named() -> None:
    text = (
        f"{json.dumps(json.loads(to_json(Session())))}\n" * 2 + '{"format": "ehlo-twice/session"}'
    )
    with pytest.raises(formats.CannotRead, match="document 3 is not a session"):
        list(formats.read(text.encode()))


def test_nothing_is_left_out_but_what_the_schema_gives() -> None:
    spelt = json.loads(document.render(explain(sessions.documented())))["sessions"][0]
    entry = json.loads(lean.render(explain(sessions.documented())))["sessions"][0]
    assert entry["verdict"] == spelt["verdict"]
    nothing: dict[str, list[object]] = {"server": [], "client": []}
    for step in entry["steps"]:
        whole = spelt["steps"][step["index"]]
        assert step["meaning"] == whole["meaning"]
        assert step.get("notes", []) == whole["notes"]
        assert step.get("answers") == whole["answers"]
        for change in ("learned", "discarded"):
            assert {**nothing, **step.get(change, {})} == whole[change]
    told = {step["index"] for step in entry["steps"]}
    for step in spelt["steps"]:
        assert step["index"] in told or (step["kind"] == "remark" and not step["notes"])


def test_what_a_session_is_comes_first_and_is_never_left_out() -> None:
    text = to_json(Session(events=(Remark(by="client", text="x"),)))
    assert list(json.loads(text))[:2] == ["format", "version"]
    assert from_json(text).events[0].secure is False


def test_the_documented_log_shows_neither_what_is_around_it_nor_the_handshake() -> None:
    session = sessions.documented()
    (entry,) = json.loads(document.render(explain(session)))["sessions"]
    shown = [step["kind"] for step in entry["steps"] if step["documented"]]
    assert shown == ["command", "reply"] * 2 + ["command", "reply", "command"]
    lab = json.loads(document.render(explain(sessions.attacked())))["sessions"][0]
    assert all(step["documented"] for step in lab["steps"])
