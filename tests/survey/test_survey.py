"""The survey: software as it comes, asked on loopback; here the lab's own, with its faults."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from simulator.session import Handshake
from simulator.survey import inside, places, questions, results, survey
from simulator.survey.results import Answer, Found
from simulator.survey.software import recipes
from tests.command import Command

# Each of them starts programs, several one after the other.
pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
KINDS: tuple[Literal["server"], Literal["client"]] = ("server", "client")
RIGHT, LAX = "as the RFC has it", "lax, or a SHOULD left out"

SERVER = """
import asyncio, os, sys
sys.path.insert(0, {root!r})
from simulator.lab.play import Lab
from simulator.lab.policy import ServerPolicy, stage

async def serve():
    lab = Lab(stage("it", "it", ServerPolicy({policy}), MiddleboxPolicy()), int(os.environ["PORT"]))
    async with lab.open():
        await asyncio.Event().wait()

from simulator.lab.policy import MiddleboxPolicy
asyncio.run(serve())
"""

LATE = """
import os, socket, socketserver, ssl

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])

class Session(socketserver.BaseRequestHandler):
    def handle(self):
        wire, waiting = self.request, []
        lines = wire.makefile("rb", 0)
        wire.sendall(b"220 mail.example.test\\r\\n")
        while True:
            line = waiting.pop() if waiting else lines.readline().strip()
            if line.startswith(b"STARTTLS"):
                wire.sendall(b"220 go on\\r\\n")
                while wire.recv(1, socket.MSG_PEEK) not in (b"", b"\\x16"):
                    waiting.append(lines.readline().strip())
                wire = context.wrap_socket(wire, server_side=True)
                lines = wire.makefile("rb", 0)
            elif line.startswith(b"EHLO"):
                wire.sendall(b"250-mail.example.test\\r\\n250 STARTTLS\\r\\n")
            elif not line or line == b"QUIT":
                wire.sendall(b"221 Bye\\r\\n")
                return
            else:
                wire.sendall(b"250 OK\\r\\n")

socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(os.environ["PORT"])), Session).serve_forever()
"""

CLIENT = """
import smtplib, ssl, sys
host, port = sys.argv[1], int(sys.argv[2])
with smtplib.SMTP(host, port, local_hostname="client.example", timeout=20) as client:
    client.starttls({context})
    client.sendmail("a@example.com", ["b@example.com"], "Subject: x\\r\\n\\r\\nx\\r\\n")
"""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "recipes of ã"
    found.mkdir()
    return found


def recipe(folder: Path, name: str, kind: str, program: str, more: str = "") -> None:
    """Software that is a Python program."""
    (folder / name).mkdir()
    (folder / name / "it.py").write_text(program, encoding="utf-8")
    python = json.dumps(sys.executable)
    words = ', "{host}", "{port}"' if kind == "client" else ""
    (folder / name / "software.toml").write_text(
        f"""
kind = "{kind}"
title = "{name}"
home = "https://example.org/"
version = [{python}, "-c", "print(1.5)"]
run = [{python}, "it.py"{words}]
quick = true

[install]
program = {python}

[[setting]]
about = "as it is"
{more}
""",
        encoding="utf-8",
    )


def server(folder: Path, policy: str, more: str = "") -> None:
    recipe(folder, "it", "server", SERVER.format(root=str(ROOT), policy=policy), more)


def asked(folder: Path, tmp_path: Path) -> Found:
    [software] = recipes(folder)
    return survey.ask(software, software.setting[0], tmp_path / "cache")


def short(found: Found) -> dict[str, tuple[str, str]]:
    return {answer.question: (answer.short, answer.kind) for answer in found.answers}


def test_a_server_by_the_rules(folder: Path, tmp_path: Path) -> None:
    server(folder, "auth='inside'")
    found = asked(folder, tmp_path)
    assert found.release == "1.5"
    assert short(found) == {
        "lists": ("STARTTLS yes → no, AUTH no → yes", "heeds"),
        "mail-unannounced": ("503", "heeds"),
        "mail": ("503", "heeds"),
        "mail-size": ("503", "heeds"),
        "rcpt": ("503", "heeds"),
        "auth": ("503", "heeds"),
        "helo-inside": ("250", "heeds"),
        "starttls-twice": ("503", "heeds"),
        "starttls-unannounced": ("220", "told"),
        "starttls-after-helo": ("220", "told"),
        "starttls-in-mail": ("220", "told"),
        "envelope": ("503", "heeds"),
        "envelope-ehlo": ("503", "heeds"),
        "injected-command": ("221", "heeds"),
        "injected-ehlo": ("503 to MAIL", "heeds"),
        "injected-later": ("no to TLS", "heeds"),
        "resumed-lists": ("STARTTLS yes → no, AUTH no → yes", "heeds"),
        "resumed-mail": ("503", "heeds"),
        "resumed-lists-12": ("STARTTLS yes → no, AUTH no → yes", "heeds"),
        "resumed-mail-12": ("503", "heeds"),
        # In the clear it lists no AUTH.
        "login": ("", "unasked"),
    }
    assert all(len(answer.sessions) == 1 for answer in found.answers if answer.kind != "unasked")
    assert survey.published(found) == (found, [])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            "forgets=False",
            {
                "mail": ("250", "breaks"),
                "resumed-mail": ("250", "breaks"),
                "resumed-mail-12": ("250", "breaks"),
            },
        ),
        (
            "insists=False",
            {"mail": ("250", "lax"), "mail-unannounced": ("250", "lax")},
        ),
        ("again='offer'", {"lists": ("STARTTLS yes → yes, AUTH no → no", "breaks")}),
        ("again='accept'", {"starttls-twice": ("220", "lax")}),
        ("keeps_envelope=True", {"envelope": ("250", "breaks")}),
        ("auth='always'", {"login": ("334", "heeds")}),
        ("auth='always', keeps_login=True", {"login": ("503", "breaks")}),
        (
            "drops_buffer=False",
            {"injected-command": ("250", "breaks"), "injected-ehlo": ("250", "breaks")},
        ),
    ],
)
def test_each_fault_is_told(
    policy: str, expected: dict[str, tuple[str, str]], folder: Path, tmp_path: Path
) -> None:
    server(folder, policy)
    found = short(asked(folder, tmp_path))
    assert {question: found[question] for question in expected} == expected


def test_a_command_that_came_after_the_220_is_obeyed(folder: Path, tmp_path: Path) -> None:
    recipe(folder, "it", "server", LATE)
    found = short(asked(folder, tmp_path))
    assert found["injected-later"] == ("250", "breaks")
    # It reads one line after the other.
    assert found["injected-command"] == ("250", "breaks")


def test_a_server_that_a_question_was_the_end_of_is_started_again(
    folder: Path, tmp_path: Path
) -> None:
    dies = """            elif line.startswith(b"RCPT"):
                wire.sendall(b"503 No\\r\\n")
                os._exit(1)
            elif line.startswith(b"EHLO"):"""
    program = LATE.replace('            elif line.startswith(b"EHLO"):', dies)
    assert program != LATE
    recipe(folder, "it", "server", program)
    found = short(asked(folder, tmp_path))
    assert found["rcpt"] == ("503", "heeds")
    assert found["envelope"] == ("503", "heeds")
    assert found["helo-inside"] == ("250", "heeds")
    assert found["resumed-mail-12"] == ("250", "lax")


def test_a_server_that_is_never_there_is_not_asked_for_ever(folder: Path, tmp_path: Path) -> None:
    greets = (
        "import os, socket\n"
        'with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:\n'
        "    server.accept()[0].sendall(b'220 mail.example.test\\r\\n')\n"
    )
    recipe(folder, "it", "server", greets)
    with pytest.raises(places.Failed, match="no connection"):
        asked(folder, tmp_path)


def test_a_resumed_session_is_asked_only_where_one_was_resumed(
    folder: Path, tmp_path: Path
) -> None:
    no_ticket = "context.options |= ssl.OP_NO_TICKET; context.num_tickets = 0\n"
    program = LATE.replace("\nclass", f"{no_ticket}\nclass", 1)
    # OpenSSL forgets a session that was not closed in order.
    program = program.replace('221 Bye\\r\\n")', "221 Bye\\r\\n\"); getattr(wire, 'unwrap', int)()")
    assert program.count("unwrap") == 1
    recipe(folder, "it", "server", program)
    found = asked(folder, tmp_path)
    resumed = {answer.question: answer for answer in found.answers if "resumed" in answer.question}
    assert resumed["resumed-mail"].kind == resumed["resumed-lists"].kind == "unasked"
    assert resumed["resumed-mail"].text == "not tried: the server resumed no TLS session"
    assert resumed["resumed-mail"].sessions == ()
    # In TLS 1.2 the server has its own list of sessions.
    assert (resumed["resumed-mail-12"].short, resumed["resumed-mail-12"].kind) == ("250", "lax")
    for answer in found.answers:
        for session in answer.sessions:
            [*shaken] = (event for event in session.events if isinstance(event, Handshake))
            assert [event.resumed for event in shaken] == [answer in resumed.values()] * len(shaken)


def test_a_recipe_runs_what_another_has(folder: Path, tmp_path: Path) -> None:
    server(folder, "insists=False")
    again = folder / "again"
    again.mkdir()
    text = (folder / "it" / "software.toml").read_text(encoding="utf-8")
    (again / "software.toml").write_text('shares = "it"\n' + text, encoding="utf-8")
    [software] = recipes(folder, ["again"])
    found = survey.ask(software, software.setting[0], tmp_path / "cache")
    assert found.name == "again"
    assert list(found.configuration) == ["it.py"]
    assert short(found)["mail"] == ("250", "lax")
    before = software.digest()
    (folder / "it" / "it.py").write_text("pass", encoding="utf-8")
    assert software.digest() != before


SAID = [
    ('title = "it"', 'title = "It"'),
    ('about = "as it is"', 'about = "as it comes"'),
    ('home = "https://example.org/"', 'home = "https://example.com/"'),
    ("quick = true", "quick = false  # it takes a while"),
]
DONE = [
    ('"it.py"]', '"it.py", "-v"]'),
    ("print(1.5)", "print(2)"),
    ('kind = "server"', 'kind = "client"'),
    ("[install]", 'without = ["lists"]\n[install]'),
    ("[install]", "patience = 3\n[install]"),
    ("[install]", 'mailbox = "var/mail/b"\n[install]'),
    ("[install]", '[install]\nsuite = "trixie"'),
    ("about =", 'name = "other"\nabout ='),
    ("about =", 'options = { A = "b" }\nabout ='),
    ("about =", 'public.injected-ehlo = "https://example.org/CVE"\nabout ='),
]


@pytest.mark.parametrize(
    ("change", "another"), [*((one, False) for one in SAID), *((one, True) for one in DONE)]
)
def test_a_recipe_is_another_measurement_by_what_is_done_and_not_by_what_is_said(
    change: tuple[str, str], another: bool, folder: Path
) -> None:
    server(folder, "")
    [software] = recipes(folder)
    before = software.digest()
    file = folder / "it" / "software.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    file.write_text(text.replace(*change), encoding="utf-8")
    [software] = recipes(folder)
    assert (software.digest() != before) == another


QUESTIONS = """
[[server]]
id = "mail"
citation = "rfc3207-4_2-server-discards"
steps = ["MAIL FROM:<a@example.org>"]
heeds = ["4", "5"]
about = "MAIL"

[[client]]
id = "ehlo-again"
about = "Again"
"""


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (('about = "MAIL"', 'about = "MAIL, alone"'), ""),
        (('about = "Again"', 'about = "EHLO again"'), ""),
        (('["4", "5"]', '["5"]'), "server"),
        (("a@example.org", "c@example.org"), "server"),
        (('about = "MAIL"', 'about = "MAIL"\nsecret = true'), "server"),
        (('id = "ehlo-again"', 'id = "delivers"'), "client"),
    ],
)
def test_other_questions_are_another_measurement_for_whom_they_are_for(
    change: tuple[str, str], kinds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "_questions", QUESTIONS.encode)
    before = {kind: questions.determining(kind) for kind in KINDS}
    monkeypatch.setattr(questions, "_questions", QUESTIONS.replace(*change).encode)
    after = {kind: questions.determining(kind) for kind in KINDS}
    assert [kind for kind in KINDS if before[kind] != after[kind]] == kinds.split()


def test_what_a_client_meets_is_part_of_its_measurement() -> None:
    [again] = [
        case
        for case in json.loads(questions.determining("client"))
        if case["id"] == "forgets-the-list" and "server" in case
    ]
    assert again["server"]
    assert not {"title", "fix"} & again.keys()


def test_what_is_not_public_is_told_here_and_written_nowhere(
    folder: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    server(folder, "drops_buffer=False", 'public.injected-ehlo = "https://example.org/CVE"')
    out = tmp_path / "out"
    ran = command("survey", "--from", str(folder), "--out", str(out))
    assert ran.code == 0, ran.err
    [line] = [line for line in ran.out.splitlines() if line.startswith("  ✗ injected-command ")]
    assert ": 250 " in line
    assert line.endswith(" (against a MUST)")
    assert "  injected-command: withheld: " in ran.out
    written = json.loads((out / "it.json").read_text(encoding="utf-8"))
    answers = {answer["question"]: answer for answer in written["answers"]}
    assert answers["injected-command"] == {"question": "injected-command", "kind": "withheld"}
    assert answers["injected-ehlo"]["public"] == "https://example.org/CVE"
    assert answers["injected-ehlo"]["sessions"]
    assert "it,default,server,1.5," in (out / results.TABLE).read_text(encoding="utf-8")
    assert "injected-command,withheld,,\n" in (out / results.TABLE).read_text(encoding="utf-8")


def test_where_the_log_is_public_not_even_the_answer_is_told(
    folder: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    server(folder, "drops_buffer=False")
    ran = command("survey", "--from", str(folder), "--out", str(tmp_path / "out"))
    [line] = [line for line in ran.out.splitlines() if " injected-command  " in line]
    assert line.split()[:2] == ["⊘", "injected-command"]
    assert line.endswith("A command in the clear behind STARTTLS: (withheld)")


@pytest.mark.parametrize("name", ["aiosmtpd", "smtp-server"])
def test_what_is_installed_is_found_from_the_recipes_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache may be named relatively; software runs in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "lacking", lambda _software: "")
    monkeypatch.setattr(places, "put", lambda *_arguments: b"")
    monkeypatch.setattr(Path, "touch", lambda _path: None)
    [software] = recipes(ROOT / "survey", [name])
    place = places.install(software, Path("elsewhere"), 1)
    found = [*place.paths, *place.environment.values()]
    assert found
    assert all(path.startswith(f"{tmp_path}/elsewhere/") for path in found)


def test_a_client_that_looks_and_one_that_does_not(folder: Path, tmp_path: Path) -> None:
    public = 'public.checks-the-name = "https://example.org/manual"'
    recipe(folder, "it", "client", CLIENT.format(context=""), public)
    careless = short(asked(folder, tmp_path))
    assert careless["ehlo-again"] == ("1 → 1", "heeds")
    assert careless["checks-the-name"] == ("no", "lax")
    program = CLIENT.format(context="context=ssl.create_default_context()")
    (folder / "it" / "it.py").write_text(program, encoding="utf-8")
    careful = short(asked(folder, tmp_path))
    assert careful["checks-the-name"] == ("yes", "heeds")


def test_a_client_that_says_helo_inside(folder: Path, tmp_path: Path) -> None:
    recipe(folder, "it", "client", CLIENT.format(context=")\n    client.helo("))
    found = short(asked(folder, tmp_path))
    assert found["ehlo-again"] == ("1 → 0 (HELO)", "lax")
    answer = asked(folder, tmp_path).answer("ehlo-again")
    assert answer is not None
    assert answer.said("en") == answer.text
    assert answer.said("pt_BR").endswith("HELO.")
    # What it makes of a list inside cannot be seen: it asks for none.
    assert found["survives-another-list"] == ("", "unasked")


def test_what_is_there_is_not_asked_again_and_what_changed_is_told(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    server(folder, "")
    words = ("survey", "--from", str(folder), "--out", str(folder / "results"))
    assert command(*words).code == 0
    ran = command(*words)
    assert ran.code == 0
    assert ran.out.startswith("it: there already, asked on ")
    assert ran.out.count("\n") == 1
    program = SERVER.format(root=str(ROOT), policy="insists=False")
    (folder / "it" / "it.py").write_text(program, encoding="utf-8")
    ran = command("survey", "--from", str(folder), "--out", str(tmp_path / "other"))
    assert ran.code == 1
    changed = [line for line in ran.out.splitlines() if line.startswith("  changed")]
    assert changed == [
        f"  changed: it, {question}: {before} ({RIGHT}) → {now}"
        for question, before, now in [
            ("mail-unannounced", "503", f"250 ({LAX})"),
            ("mail", "503", f"250 ({LAX})"),
            ("mail-size", "503", f"501 ({RIGHT})"),
            ("resumed-mail", "503", f"250 ({LAX})"),
            ("resumed-mail-12", "503", f"250 ({LAX})"),
            ("injected-ehlo", "503 to MAIL", f"221 ({RIGHT})"),
        ]
    ]


def test_it_speaks_the_readers_language(folder: Path, tmp_path: Path, command: Command) -> None:
    server(folder, "insists=False")
    words = ("survey", "--from", str(folder), "--out", str(folder / "results"), "--lang", "pt-BR")
    ran = command(*words)
    [line] = [line for line in ran.out.splitlines() if line.startswith("  ~ mail  ")]
    assert line.split(maxsplit=2)[2] == (
        "MAIL sem o segundo EHLO: 250 OK (tolerante, ou um SHOULD não seguido)"
    )
    assert command(*words).out.startswith("it: já está aqui, perguntado em ")


def test_a_step_that_takes_too_long_ends(folder: Path, tmp_path: Path, command: Command) -> None:
    recipe(folder, "it", "server", "import time; time.sleep(600)")
    ran = command("survey", "--from", str(folder), "--out", str(tmp_path / "out"), "--limit", "2")
    assert ran.code == 1
    assert "it: asking: not done after 2 seconds" in ran.err
    assert not (tmp_path / "out" / "it.json").exists()


def test_a_server_that_does_not_start_says_why(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    recipe(folder, "it", "server", "raise SystemExit('no such key')")
    ran = command("survey", "--from", str(folder), "--out", str(tmp_path / "out"))
    assert ran.code == 1
    assert "it: asking: it: does not answer on its port: no such key" in ran.err


def test_without_root_nothing_is_done(
    folder: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    server(folder, "")
    file = folder / "it" / "software.toml"
    text = file.read_text(encoding="utf-8")
    program = f"program = {json.dumps(sys.executable)}"
    file.write_text(text.replace(program, 'debian = ["postfix"]'), encoding="utf-8")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    out, cache = tmp_path / "out", tmp_path / "cache"
    ran = command("survey", "it", "--from", str(folder), "--out", str(out), "--cache", str(cache))
    assert ran.code == 2
    assert ran.err == "ehlo-twice: it: needs root, for namespaces of its own (sudo)\n"
    assert not out.exists()
    assert not cache.exists()
    # Unnamed, it does not keep the rest from being asked.
    ran = command("survey", "--from", str(folder), "--out", str(out), "--cache", str(cache))
    assert ran.code == 0
    assert ran.out == "it: left out: needs root, for namespaces of its own (sudo)\n"
    assert not out.exists()


ROOT_ONLY = "needs root, for namespaces of its own (sudo)"
NO_NAMESPACES = "needs namespaces of its own, which this machine does not grant (unshare)"
NO_USER_NAMESPACES = "needs root (sudo), or user namespaces, which this machine does not grant"


@pytest.mark.parametrize(
    ("name", "user", "without", "granted", "lack"),
    [
        ("postfix", 0, "", True, ""),
        ("postfix", 0, "wget", True, "needs wget, which is not on this machine"),
        ("postfix", 0, "", False, NO_NAMESPACES),
        ("postfix", 1000, "", True, ROOT_ONLY),
        ("postfix", 1000, "", False, ROOT_ONLY),
        ("exim", 0, "", True, ""),
        ("exim", 1000, "", True, ""),
        # Both are for root alone.
        ("exim", 1000, "wget chroot", True, ""),
        ("exim", 1000, "dpkg-deb", True, "needs dpkg-deb, which is not on this machine"),
        ("exim", 1000, "", False, NO_USER_NAMESPACES),
        ("go-smtp", 1000, "", True, ""),
        ("chasquid", 1000, "", True, ""),
        ("smtp-server", 0, "", False, ""),
        ("smtp-server", 1000, "", False, ""),
        ("smtp-server", 1000, "node", False, "needs node, which is not on this machine"),
        ("aiosmtpd", 1000, "node wget unshare", False, ""),
    ],
)
def test_what_the_machine_lacks_is_named(
    name: str,
    user: int,
    without: str,
    granted: bool,
    lack: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [software] = recipes(ROOT / "survey", [name])
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr(places, "_apart", lambda: granted)
    monkeypatch.setattr(
        "shutil.which", lambda program: None if program in without.split() else program
    )
    assert places.lacking(software) == lack


def test_what_the_machine_lacks_is_named_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [software] = recipes(ROOT / "survey", ["smtp-server"])
    monkeypatch.setattr("shutil.which", lambda name: None if name == "node" else name)
    assert places.lacking(software, "pt_BR") == "precisa de node, que não está nesta máquina"


@pytest.mark.parametrize(
    ("user", "getting", "below"), [(0, "isolate.sh", ""), (1000, "unpack.sh", "unpacked")]
)
def test_root_installs_packages_and_others_unpack_them(
    user: int, getting: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr(places, "lacking", lambda _software: "")
    monkeypatch.setattr(places, "put", lambda _step, words, _limit: ran.append(list(words)))
    [software] = recipes(ROOT / "survey", ["exim"])
    place = places.install(software, tmp_path, 1)
    scripts, there = str(ROOT / "survey"), str(tmp_path / below)
    assert [words[1:4] for words in ran] == [
        [f"{scripts}/{getting}", act, there] for act in ("base", "build")
    ]
    assert place.before[:4] == ("sh", f"{scripts}/isolate.sh", "inside", there)
    assert survey._system(software).endswith(", unpacked") == bool(user)


def test_the_reason_is_told_and_not_where_npm_has_written_more() -> None:
    errors = (
        "npm error reason: no such host\\nnpm error A complete log of this run can be found in: x"
    )
    step = [sys.executable, "-c", f"raise SystemExit('{errors}')"]
    with pytest.raises(places.Failed, match=r"^npm: npm error reason: no such host$"):
        places.put("npm", step, 60)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind = 3", "it/software.toml:1: "),
        ("=", "it/software.toml: not TOML"),
        (
            """kind = "server"
title = "x"
home = "https://example.org/"
version = []
run = []
shares = "nobody"
install.program = "x"
setting = [{ about = "x" }]
""",
            "it/software.toml:6: there is no recipe 'nobody' beside it",
        ),
    ],
)
def test_a_wrong_recipe_is_one_line(text: str, line: str, folder: Path, command: Command) -> None:
    (folder / "it").mkdir()
    (folder / "it" / "software.toml").write_text(text, encoding="utf-8")
    assert command.fails("survey", "--from", str(folder)).startswith(line)


def test_mistakes_are_one_line(folder: Path, tmp_path: Path, command: Command) -> None:
    assert "no recipes there" in command.fails("survey", "--from", str(tmp_path / "nowhere"))
    server(folder, "")
    assert command.fails("survey", "itt", "--from", str(folder)) == (
        "no software 'itt': did you mean 'it'?"
    )
    (folder / "results").mkdir()
    (folder / "results" / "it.json").write_text("{", encoding="utf-8")
    assert "not results of a survey" in command.fails("survey", "--from", str(folder))


def test_an_answer_is_another_if_its_word_or_what_it_shows_is() -> None:
    def found(*answers: Answer) -> Found:
        return Found(
            software="it", setting="tuned", kind="server", title="It", release="1", date="",
            system="", command="", recipe="", configuration={}, answers=answers,
        )  # fmt: skip

    before = found(
        Answer(question="mail", kind="heeds", short="503", text="503 one"),
        Answer(question="auth", kind="heeds", short="503"),
        Answer(question="gone", kind="told"),
    )
    now = found(
        Answer(question="mail", kind="heeds", short="503", text="503 another wording"),
        Answer(question="auth", kind="lax", short="334"),
        Answer(question="new", kind="unclear"),
    )
    assert list(results.changes(before, now)) == [
        f"it+tuned, auth: 503 ({RIGHT}) → 334 ({LAX})",
        "it+tuned, gone: no rule covers it → no longer asked",
        "it+tuned, new: not asked before → could not be decided",
    ]
    assert msgspec.json.decode(results.to_json(now), type=Found) == now


def test_a_server_gets_a_port_that_no_connection_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    port = inside._free_port()
    assert port < 32_768
    with socket.create_server(("127.0.0.1", port)):
        monkeypatch.setattr(inside, "PORTS", range(port, port + 1))
        with pytest.raises(inside.Silent, match=f"no port between {port} and {port} is free"):
            inside._free_port()
