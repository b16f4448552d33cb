"""What the program writes it reads back: the session and its capture give the lab's own verdict.

`NOT_SHOWN` says what a capture cannot show of a scenario, and why. Causes are told of logs and
captures only, since what was played in the lab is no riddle: here the rules are compared.
"""

import json
from pathlib import Path

import msgspec
import pytest

from simulator import formats, lab
from simulator.explainer import Explanation, explain
from simulator.formats import CannotRead
from simulator.lab import arena
from simulator.rules import rules
from simulator.session import Handshake, Message, Session, to_json
from simulator.verdict import Verdict
from simulator.views import json as json_view
from simulator.views.pcapng import render
from tests.command import Command
from tests.playing import explanation, session

TRACE = "the Received line, in which the server tells what it remembers, does not cross this wire"
INSIDE = "whether the client checks the certificate's name is decided inside the client"
LEGS = "two connections: what the middlebox changed shows only where both are compared"
KEY = "the client compares the server's key with signed DNS by itself, and leaves without a word"
NAME = "the client compares the name in the certificate by itself, and leaves without a word"
BUFFER = "a reply too many shows inside TLS; which command it answers only the server knows"
ORDER = "the replies to injected commands stand on the wire before the client's own commands"

NOT_SHOWN: dict[str, dict[str, str]] = {
    "dane-previous-key": {"tls": KEY, "second_ehlo": KEY},
    "false-esmtps": {"esmtps-marked": TRACE},
    "injected-command-kept": {"server-drops-cleartext": LEGS},
    "injected-envelope-kept": {
        "client_to_server_commands": ORDER,
        "server-drops-cleartext": LEGS,
        "server-forgets": TRACE,
    },
    "injected-keywords": {"list-intact": LEGS},
    "injected-keywords-believed": {"list-intact": LEGS},
    "injected-reply-kept": {
        "client-drops-cleartext": LEGS,
        "list-intact": LEGS,
        "waits-for-reply": ORDER,
    },
    "lax-server": {"server-forgets": TRACE},
    "no-sni": {"tls": NAME, "second_ehlo": NAME},
    "not-verified": {"server-name-checked": INSIDE},
    "server-esmtp": {"esmtps-marked": TRACE},
    "stripped": {"list-intact": LEGS},
    "stripped-and-required": {"list-intact": LEGS},
}
KEYS = (
    "tls", "ehlo_before_tls", "ehlo_after_tls", "second_ehlo", "second_ehlo_reply_code",
    "client_to_server_commands", "delivered", "in_clear",
)  # fmt: skip


def differences(lab_says: Verdict, capture_says: Verdict) -> set[str]:
    """The keys, and the rules broken in one alone, in which two verdicts differ."""
    ids = {rule.id for rule in rules()}
    keys = {key for key in KEYS if getattr(lab_says, key) != getattr(capture_says, key)}
    return keys | (ids & (set(lab_says.faults) ^ set(capture_says.faults)))


def not_shown(played: lab.Scenario | None = None) -> set[str]:
    """What a capture cannot show of any session of that kind, of all that `NOT_SHOWN` has."""
    why = {TRACE, INSIDE}
    if played is not None:
        why |= {LEGS, ORDER} if played.middlebox.does != "nothing" else set()
        named, by_name = played.client.names_server, played.server.certificate == "by-name"
        other_key = played.client.tlsa == "previous" or (by_name and not named)
        why |= {KEY} if played.client.tlsa and other_key else set()
        why |= {NAME} if played.client.verify and not named else set()
        why |= {BUFFER} if not played.server.drops_buffer else set()
    # A keyword that it added; its command's reply, which stands where that to EHLO is awaited; its
    # reply, which was there before the EHLO that took it for a list.
    rows = [
        *NOT_SHOWN.values(),
        {"auth-offered-inside": LEGS},
        {"ehlo-before-mail": ORDER, "ehlo-rather-than-helo": ORDER},
        {"keyword-offered": ORDER, "client-forgets": ORDER},
        {"server-drops-cleartext": BUFFER, "ehlo-before-mail": BUFFER, "waits-for-reply": BUFFER},
        {"starttls-gone": BUFFER, "auth-offered-inside": BUFFER, "ehlo-reply-form": BUFFER},
    ]
    return {key for row in rows for key, cannot in row.items() if cannot in why}


def sizes(found: Session) -> list[int]:
    """The octets of each message of the client's, without the dot that ends it."""
    return [e.size for e in found.events if isinstance(e, Message) and e.by == "client"]


@pytest.mark.parametrize("name", lab.names())
def test_a_capture_gives_the_verdict_of_the_lab(name: str) -> None:
    read = list(formats.read(render(session(name))))
    # A middlebox has a connection with each side; the first is the client's.
    assert len(read) == (1 if lab.load(name).middlebox.does == "nothing" else 2)
    found = differences(explanation(name).verdict, explain(read[0]).verdict)
    assert found == set(NOT_SHOWN.get(name, {}))
    if (sent := sizes(session(name))) and len(read) == 1:
        assert sizes(read[0]) == sent


@pytest.mark.parametrize(
    ("client", "server"),
    [
        ({"plain_after_220": True}, {"starttls": "plain"}),
        ({"plain_after_220": True}, {"silent_at": "TLS"}),
        ({"tls": "required"}, {"silent_at": "TLS"}),
        ({"pipelines_past_starttls": True}, {"starttls": "refused"}),
    ],
    ids=["plain-after-plain-220", "plain-to-silence", "handshake-to-silence", "354-and-no-message"],
)
def test_a_capture_gives_the_verdict_of_the_lab_without_a_scenario(
    client: dict[str, object], server: dict[str, object]
) -> None:
    base = arena.scenario("documented", "documented", "nothing")
    played = lab.play(
        msgspec.structs.replace(
            base,
            client=msgspec.structs.replace(base.client, patience=0.5, **client),
            server=msgspec.structs.replace(base.server, **server),
        )
    )
    (read,) = formats.read(render(played))
    lab_says, capture_says = explain(played).verdict, explain(read).verdict
    assert differences(lab_says, capture_says) == set()
    assert lab_says.tls is not None
    assert not lab_says.in_clear


def handshakes(found: Session) -> list[str]:
    """How each handshake ended: a reason of failure, or nothing."""
    return [event.error for event in found.events if isinstance(event, Handshake)]


HANDSHAKE_NOT_SHOWN = {
    "dane-previous-key": KEY,
    "no-sni": NAME,
    "handshake-fails-name": "the client compares the name; its alert says bad_certificate alone",
}


@pytest.mark.parametrize("name", lab.names())
def test_a_capture_tells_why_the_handshake_failed(name: str) -> None:
    read = next(formats.read(render(session(name))))
    same = handshakes(read) == handshakes(session(name))
    assert same == (name not in HANDSHAKE_NOT_SHOWN), (handshakes(session(name)), handshakes(read))


def test_a_client_that_did_not_wait_met_no_silence() -> None:
    hasty = session("silent-server")
    at_once = {
        field: tuple(msgspec.structs.replace(one, at=0.0) for one in getattr(hasty, field))
        for field in ("wire", "events")
    }
    (read,) = formats.read(render(msgspec.structs.replace(hasty, **at_once)))
    assert handshakes(read) == ["cut"]


@pytest.mark.parametrize("name", lab.names())
def test_a_session_in_json_is_the_session(name: str, tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    path.write_text(to_json(session(name)), "utf-8")
    (read,) = formats.read(path)
    assert read == session(name)
    (tallied,) = formats.verdicts(path)
    assert tallied.verdict == explanation(name).verdict


def test_what_replay_wrote_is_explained(command: Command, tmp_path: Path) -> None:
    assert command("replay", "plain-after-220", "--out", str(tmp_path)).code == 0
    for file in ("session.json", "explanation.json", "session.pcapng"):
        ran = command("explain", str(tmp_path / file), "--view", "json")
        assert ran.code == 0
        (entry,) = json.loads(ran.out)["sessions"]
        assert entry["verdict"]["tls"] == "failed"
        assert entry["verdict"]["ehlo_before_tls"] == 2
        assert not any(event.get("secure") for event in entry["session"]["events"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("indent", [None, 4])
def test_an_explanation_is_read_however_it_was_saved(
    command: Command, tmp_path: Path, encoding: str, indent: int | None
) -> None:
    ran = command("explain", "--view", "json", *map(str, LOGS[:3]))
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(json.loads(ran.out), indent=indent, sort_keys=True), encoding)
    before = json.loads(ran.out)["sessions"]
    after = json.loads(command("explain", "--view", "json", str(path)).out)["sessions"]
    assert [entry["verdict"] for entry in after] == [entry["verdict"] for entry in before]


def test_a_comparison_holds_two_sessions(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    path.write_text(command("compare", "skipped-ehlo", "--view", "json").out)
    wanted = ["skipped-ehlo", "documented"]
    assert [found.scenario for found in formats.read(path)] == wanted
    # Version 1 had explanations of version 1 in it.
    old = json.loads(path.read_text()) | {"version": 1}
    old["explanations"]["version"] = 1
    path.write_text(json.dumps(old))
    assert [found.scenario for found in formats.read(path)] == wanted


LOGS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def again(text: str) -> list[Session]:
    return list(formats.read(text.encode()))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_what_a_log_says_survives_as_json(path: Path) -> None:
    found: list[Explanation] = [explain(one) for one in formats.read(path)]
    assert again("".join(json_view.pieces(found))) == [one.session for one in found]
    for one in found:
        assert again(to_json(one.session)) == [one.session]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"format": "ehlo-twice/session", "version": 2}',
            "is not a session: Invalid enum value 2",
        ),
        ('{"format": "ehlo-twice/session"', "is not a session: Input data was truncated"),
        ('{"format": "ehlo-twice/explanation"}', "is no explanation of this program: Object miss"),
        (
            '{"format": "ehlo-twice/session", "events": ' + "[" * 9999,
            "is not a session: ",
        ),
    ],
)
def test_a_damaged_document_is_told(text: str, said: str) -> None:
    with pytest.raises(CannotRead) as told:
        again(text)
    assert str(told.value).startswith(f"the input: {said}")
    assert "\n" not in str(told.value)
