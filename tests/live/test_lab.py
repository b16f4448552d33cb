"""The lab that stays up: what connects is written down, explained, kept within bounds."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from simulator.lab import load, middlebox
from simulator.lab.play import LabError, play
from simulator.live import ports, web
from simulator.live.store import BadStore
from simulator.session import Command, Reply, from_json
from tests.command import Command as Typed
from tests.live.opened import Lab, deliver, opened, until


def test_a_session_is_explained() -> None:
    with opened() as lab:
        deliver(lab.port("documented"), subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?= & <b>")
        [one] = lab.settled(1)
        assert (one["second_ehlo"], one["ending"], one["broken"]) == ("sent", "inside", [])
        assert one["client"] == "client.example.net"
        told = lab.ask(f"api/sessions/{one['number']}?lang=pt_BR").json
        assert told["labels"]["Play"] == "Reproduzir"
        texts = [line for step in told["sessions"][0]["steps"] for line in step["text"]]
        assert texts.count("EHLO client.example.net") == 2
        [message] = lab.ask(f"api/sessions/{one['number']}/messages").json["messages"]
        assert message["headers"] == [["Subject", "Grüße & <b>"]]
        assert message["parts"][0]["text"] == "x\r\n"


def test_a_message_in_pieces_is_shown_as_it_came() -> None:
    with opened() as lab:
        chunking = {"server": {"keywords": ["CHUNKING", "SIZE 1000", "STARTTLS"]}}
        assert lab.ask("api/ports/documented", "PUT", chunking).status == 200
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo("client.example.net")
            client.mail("a@example.com")
            client.rcpt("b@example.com")
            for piece in (b"BDAT 14\r\nSubject: Two\r\n", b"BDAT 8 LAST\r\n\r\nQUIT\r\n"):
                client.send(piece)
                assert client.getreply()[0] == 250
        [one] = lab.settled(1)
        [message] = lab.ask(f"api/sessions/{one['number']}/messages").json["messages"]
        assert message["raw"] == "Subject: Two\r\n\r\nQUIT\r\n"
        assert one["ending"] == "clear"


def test_a_client_that_leaves_within_a_piece_sent_no_message() -> None:
    with opened() as lab:
        chunking = {"server": {"keywords": ["CHUNKING", "STARTTLS"]}}
        assert lab.ask("api/ports/documented", "PUT", chunking).status == 200
        client = smtplib.SMTP("localhost", lab.port("documented"), timeout=20)
        client.ehlo("client.example.net")
        client.mail("a@example.com")
        client.rcpt("b@example.com")
        client.send(b"BDAT 1000 LAST\r\nSubject: Half\r\n")
        client.close()
        [one] = lab.settled(1)
        assert lab.ask(f"api/sessions/{one['number']}/messages").json["messages"] == []


def test_each_port_has_its_policy() -> None:
    with opened() as lab:
        with smtplib.SMTP("localhost", lab.port("refuses"), timeout=20) as client:
            assert client.ehlo()[0] == 250
            assert client.docmd("STARTTLS")[0] == 454
        with smtplib.SMTP("localhost", lab.port("without"), timeout=20) as client:
            client.ehlo()
            assert not client.has_extn("starttls")
        names = [port["name"] for port in lab.ask("api/ports").json["ports"]]
        assert names[0] == "documented"
        assert names[-1] == "implicit"


def _says_of_certificate(lab: Lab, number: int) -> list[bool]:
    [told] = lab.ask(f"api/sessions/{number}/json").json["sessions"]
    notes = [note for step in told["steps"] for note in step.get("notes", [])]
    return [note["met"] for note in notes if note["rule"] == "server-name-checked"]


@pytest.mark.parametrize(
    ("port", "says", "shown"),
    [
        ("documented", "EHLO x.example", []),
        ("wrong-name", "", []),
        ("wrong-name", "QUIT", []),
        ("wrong-name", "EHLO x.example", [False]),
    ],
)
def test_whether_a_stranger_checks_is_told_of_one_alone_that_goes_on(
    port: str, says: str, shown: list[bool]
) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with opened() as lab:
        with smtplib.SMTP("localhost", lab.port(port), timeout=20) as client:
            client.starttls(context=unchecked)
            if says:
                client.docmd(says)
            # Not by a reset, which may overtake the end of the handshake.
            with suppress(OSError):
                client.sock.unwrap()  # type: ignore[union-attr]
            client.close()
        [one] = lab.settled(1)
        assert one["tls"] == "established"
        assert ("server-name-checked" in one["broken"]) == bool(shown)
        assert _says_of_certificate(lab, one["number"]) == shown


def test_a_session_shows_while_it_talks() -> None:
    with opened() as lab, smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
        client.ehlo("half.example.net")
        [one] = until(lab.sessions, lambda f: bool(f) and f[0]["client"] == "half.example.net")
        assert one["over"] is False
        steps = lab.ask(f"api/sessions/{one['number']}").json["sessions"][0]["steps"]
        assert [step["kind"] for step in steps] == ["connect", "reply", "command", "reply"]


def test_events_tell_of_what_happens() -> None:
    with opened() as lab:
        host, _, port = lab.page.removeprefix("http://").rstrip("/").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as stream:
            stream.sendall(f"GET /api/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            heard = b""
            while b"retry" not in heard:
                heard += stream.recv(4096)
            deliver(lab.port("documented"))
            while b'"what":"session"' not in heard:
                heard += stream.recv(4096)


def test_policies_change_while_it_runs() -> None:
    with opened() as lab:
        changed = lab.ask("api/ports/documented", "PUT", {"middlebox": {"does": "strip"}})
        assert changed.status == 200
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo()
            assert not client.has_extn("starttls")
            client.sendmail("a@example.com", ["b@example.com"], "x")
        [one] = lab.settled(1)
        # Who took it away is told, and the client is not said to have seen it.
        assert (one["tls"], one["ending"]) == ("not_offered", "fooled")
        assert "list-intact" in one["broken"]
        record = from_json(lab.ask("api/sessions/1/session").body)
        told = [e for e in record.events if isinstance(e, Reply) and len(e.lines) > 1]
        assert [(e.by, e.lost, "STARTTLS" in e.lines) for e in told] == [
            ("server", True, True),
            ("middlebox", False, False),
        ]
        assert all(e.wire for e in record.events if isinstance(e, Command))
        assert lab.ask("api/ports/documented", "PUT", {"middlebox": {}}).status == 200
        policy = {"server": {"auth": "inside", "withdrawn": ["8BITMIME"]}}
        assert lab.ask("api/ports/documented", "PUT", policy).status == 200
        deliver(lab.port("documented"))
        newest, _ = lab.settled(2)
        assert newest["second_ehlo"] == "sent"


@pytest.mark.parametrize(
    ("path", "method", "value", "status", "told"),
    [
        ("api/ports/nothing", "PUT", {}, 404, "no port 'nothing'"),
        ("api/ports/documented", "PUT", {"server": {"starttls": "x"}}, 422, "Invalid enum value"),
        ("api/ports/documented", "PUT", {"no": 1}, 422, "unknown field"),
        ("api/ports/implicit", "PUT", {"server": {}}, 422, "implicit_tls cannot be changed"),
        ("api/sessions/7", "GET", None, 404, "no session 7"),
        ("api/sessions/7/pin", "PUT", {"pinned": True}, 404, "no session 7"),
    ],
)
def test_what_cannot_be_asked(path: str, method: str, value: Any, status: int, told: str) -> None:
    with opened() as lab:
        answer = lab.ask(path, method, value)
        assert answer.status == status
        assert told in answer.json["error"]


def test_nobody_from_elsewhere_is_answered() -> None:
    with opened() as lab:
        assert lab.ask("", Host="attacker.example").status == 421
        assert lab.ask("api/sessions", Origin="http://attacker.example").status == 403
        assert lab.ask("api/sessions", "DELETE", Origin="null").status == 403
        assert lab.ask("api/sessions", "DELETE", Sec_Fetch_Site="cross-site").status == 403
        own = lab.page.rstrip("/")
        assert lab.ask("api/sessions", "DELETE", Origin=own).status == 204
        plain = lab.ask("api/ports/documented", "PUT", {}, Content_Type="text/plain")
        assert plain.status == 415
        headers = lab.ask("").headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_token_guards_the_page() -> None:
    with opened(token="secret") as lab:
        assert lab.ask("").status == 401
        assert lab.ask("api/sessions?token=wrong").status == 401
        assert lab.ask("api/sessions", Authorization="Bearer secret").status == 200
        assert lab.ask("", Cookie="ehlo-twice-lab=secret").status == 200
        assert lab.ask("api/health").status == 200


def test_search_pin_clear() -> None:
    with opened() as lab:
        for name in ("one.example", "two.example"):
            deliver(lab.port("documented"), name)
        _, oldest = lab.settled(2)
        assert [one["client"] for one in lab.sessions("?q=one.example")] == ["one.example"]
        assert lab.sessions("?port=lax") == []
        pin = lab.ask(f"api/sessions/{oldest['number']}/pin", "PUT", {"pinned": True})
        assert pin.json == {"pinned": True}
        assert lab.ask("api/sessions", "DELETE").status == 204
        assert [one["number"] for one in lab.sessions()] == [oldest["number"]]
        assert lab.ask(f"api/sessions/{oldest['number']}", "DELETE").status == 204
        assert lab.sessions() == []


def test_the_oldest_go_and_it_is_said() -> None:
    with opened(kept=2) as lab:
        for number in range(4):
            deliver(lab.port("documented"), f"c{number}.example")
            found = lab.settled(min(number + 1, 2))
        assert [one["client"] for one in found] == ["c3.example", "c2.example"]
        assert lab.ask("api/sessions").json["dropped"] == 2


def login(lab: Lab) -> None:
    from tests.live.opened import context

    with smtplib.SMTP("localhost", lab.port("login"), timeout=20) as client:
        client.starttls(context=context())
        client.login("ana", "correct-horse-battery")


def test_credentials_are_masked() -> None:
    secret = base64.b64encode(b"\0ana\0correct-horse-battery").decode().rstrip("=")
    with opened() as lab:
        login(lab)
        [one] = lab.settled(1)
        for path in ("", "/session", "/json", "/annotated", "/player", "/esa", "/markdown"):
            body = lab.ask(f"api/sessions/{one['number']}{path}").body
            assert b"AUTH" in body
            assert secret.encode() not in body
        assert lab.sessions("?q=" + secret) == []


def tshark(capture: bytes, path: Path) -> list[str]:
    """Verbs that tshark reads, TLS opened by what the capture itself holds."""
    path.write_bytes(capture)
    command = ["tshark", "-n", "-r", str(path), "-Y", "smtp.req", "-T", "fields"]
    run = subprocess.run(
        [*command, "-e", "smtp.req.command"], capture_output=True, check=True, timeout=120
    )
    return run.stdout.decode().upper().split()


@pytest.mark.needs("tshark")
def test_a_capture_is_opened_by_tshark(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    whole = ["EHLO", "STAR", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    with opened(save=file) as lab:
        deliver(lab.port("documented"))
        lab.settled(1)
        assert tshark(lab.ask("api/sessions/1/pcapng").body, tmp_path / "1.pcapng") == whole
        login(lab)
        lab.settled(2)
        # Its octets are there, what opens them is not: they hold a password.
        assert tshark(lab.ask("api/sessions/2/pcapng").body, tmp_path / "2.pcapng") == whole[:2]
        with smtplib.SMTP("localhost", lab.port("lax"), timeout=20) as client:
            client.ehlo("clear.example")
        lab.settled(3)
        assert tshark(lab.ask("api/sessions/3/pcapng").body, tmp_path / "3.pcapng") == [
            "EHLO",
            "QUIT",
        ]
    with opened(save=file) as lab:
        assert tshark(lab.ask("api/sessions/1/pcapng").body, tmp_path / "4.pcapng") == whole


def test_a_capture_holds_what_crossed_and_no_password_in_the_clear() -> None:
    with opened() as lab:
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo("clear.example.net")
        lab.settled(1)
        taken = lab.ask("api/sessions/1/pcapng")
        assert taken.headers["content-type"] == "application/x-pcapng"
        assert b"EHLO clear.example.net\r\n" in taken.body.replace(b"ehlo", b"EHLO")
        assert b"The client introduces itself as clear.example.net" in taken.body
        secret = base64.b64encode(b"\0ana\0correct-horse-battery")
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo("clear.example.net")
            client.docmd("AUTH", f"PLAIN {secret.decode()}")
        lab.settled(2)
        assert lab.ask("api/sessions/2/pcapng").status == 409
        assert secret not in lab.ask("api/sessions/2/session").body


def test_each_leg_is_in_the_capture() -> None:
    with opened() as lab:
        lab.ask("api/ports/documented", "PUT", {"middlebox": {"does": "strip"}})
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo("clear.example.net")
        lab.settled(1)
        record = from_json(lab.ask("api/sessions/1/session").body)
        assert b"STARTTLS" in record.stream("client", "server")
        assert b"STARTTLS" not in record.stream("client")
        assert record.stream("server") == record.stream("server", "server")


def test_who_says_too_much_has_no_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "WIRE", 300)
    with opened() as lab:
        deliver(lab.port("documented"))
        lab.settled(1)
        assert lab.ask("api/sessions/1/pcapng").status == 409
        assert lab.ask("api/sessions/1/annotated").status == 200


def test_sessions_come_back_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    with opened(save=file) as lab:
        deliver(lab.port("documented"))
        login(lab)
        kept = lab.settled(2)
    assert b"correct-horse" not in file.read_bytes()
    with opened(save=file) as lab:
        assert [one["outcome"] for one in lab.sessions()] == [one["outcome"] for one in kept]
        deliver(lab.port("documented"))
        assert lab.settled(3)[0]["number"] == 3
        session = from_json(lab.ask("api/sessions/1/session").body)
        assert session.events


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be looked at" * 20, encoding="utf-8")
    with pytest.raises(BadStore, match=r"notes\.txt"), opened(save=text):
        pass
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as there:
        there.execute("CREATE TABLE session (name TEXT)")
    there.close()
    with pytest.raises(BadStore, match="something else"), opened(save=other):
        pass


def test_a_port_that_is_taken_is_named() -> None:
    with opened() as lab:
        port = lab.port("documented")
        taken = f"^no port {port} on 127.0.0.1: [^(]*; --port takes another$"
        with pytest.raises(LabError, match=taken), opened(smtp=port):
            pass


def test_clients_that_misbehave_end_and_others_go_on() -> None:
    with opened() as lab:
        port = lab.port("documented")
        reset = socket.create_connection(("127.0.0.1", port))
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reset.close()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as endless:
            endless.recv(100)
            endless.sendall(b"EHLO " + b"x" * 5000 + b"\r\n")
            assert endless.recv(100).startswith(b"500")
            deliver(port)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as hostile:
            hostile.recv(100)
            hostile.sendall(b"EHLO \xff\x00<script>alert(1)</script>\r\n")
            hostile.recv(1000)
        until(lab.sessions, lambda f: len(f) == 4 and any(o["ending"] == "inside" for o in f))
        assert lab.ask("").status == 200


def test_who_does_not_go_in_time_is_shown_out_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a busy machine a connection may take longer to close than it is waited for."""

    async def never(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(middlebox, "LINGER", 0.01)
    monkeypatch.setattr(asyncio.StreamWriter, "wait_closed", never)
    with opened() as lab:
        deliver(lab.port("documented"))
        lab.settled(1)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_a_list_is_true_after_each_change() -> None:
    """What is told of a session is kept until there is more to it."""
    with opened() as lab, smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
        client.ehlo("one.example")
        [before] = until(lab.sessions, lambda f: bool(f) and f[0]["client"] == "one.example")
        client.ehlo("two.example")
        [after] = until(lab.sessions, lambda f: f[0]["client"] == "two.example")
        assert after["events"] > before["events"]
        lab.ask(f"api/sessions/{after['number']}/pin", "PUT", {"pinned": True})
        assert lab.sessions()[0]["pinned"] is True
        assert lab.sessions("?lang=pt_BR")[0]["outcome"] != lab.sessions()[0]["outcome"]


def test_a_list_that_takes_too_long_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a list has no time for comes later, and the page is told that it can ask again."""
    monkeypatch.setattr(web, "SLICE", -1.0)
    with opened() as lab:
        for _ in range(3):
            deliver(lab.port("documented"))
        first = until(lambda: lab.ask("api/sessions").json, lambda told: told["kept"] == 3)
        assert len(first["sessions"]) + first["behind"] >= 3
        caught_up = until(lambda: lab.ask("api/sessions").json, lambda told: not told["behind"])
        assert len(lab.settled(3)) == len(caught_up["sessions"]) == 3


def test_a_flood_is_told_so_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "AT_ONCE", 8)
    with opened() as lab, ExitStack() as held:
        port = lab.port("documented")
        client = held.enter_context(smtplib.SMTP("localhost", port, timeout=20))
        flood = [
            held.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(40)
        ]
        told = [held.enter_context(one.makefile("r")).readline()[:3] for one in flood]
        assert sorted(told) == ["220"] * 7 + ["421"] * 33
        assert client.ehlo("patient.example")[0] == 250
        assert lab.ask("api/health").status == 200
        held.close()
        until(lambda: answers(port), lambda code: code == "220")


def answers(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), 20) as one, one.makefile("r") as said:
        return said.readline()[:3]


@pytest.mark.skipif(sys.platform == "win32", reason="files are not limited there")
@pytest.mark.parametrize(
    ("soft", "hard", "expected"), [(256, 4096, (512, 1736)), (256, 1024, (274, 1024))]
)
def test_only_as_many_as_there_can_be_files(
    soft: int, hard: int, expected: tuple[int, int]
) -> None:
    """A process that may open few files would neither serve nor refuse who comes then."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < hard:
        pytest.skip(f"this process may have {most} files at most")
    program = (
        "import resource; from simulator.live.ports import at_once; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); "
        "print((at_once(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == str(expected)


def test_it_ends_where_nobody_can_be_told_that_it_is_open() -> None:
    """As where what shows its address is closed by then: `ehlo-twice lab | true`."""
    program = (
        "import asyncio; from simulator.live.serve import Settings, lab\n"
        "def opened(found): raise BrokenPipeError('nobody reads')\n"
        "asyncio.run(lab(Settings(smtp=0, web=0), opened, asyncio.Event()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert ran.stderr.splitlines()[-1] == "BrokenPipeError: nobody reads"


def test_openapi_names_every_path() -> None:
    with opened() as lab:
        told = lab.ask("api/openapi.json").json
        assert told["openapi"].startswith("3.1")
        assert {"get", "delete"} <= set(told["paths"]["/api/sessions/{number}"])
        assert "ServerPolicy" in told["components"]["schemas"]
        refs = {
            part.partition('"')[0] for part in json.dumps(told).split('"#/components/schemas/')[1:]
        }
        assert refs <= set(told["components"]["schemas"])


def test_other_machines_are_let_in_only_when_asked(command: Typed) -> None:
    assert "say --expose as well" in command.fails("lab", "--bind", "192.0.2.1")
    assert "192.0.2.1" in command.fails("lab", "--bind", "192.0.2.1", "--expose", "--port", "0")


def test_our_own_sessions_bear_their_own_secrets_after_the_lab() -> None:
    scenario = load("handshake-fails-name")
    kinds = [[line.split()[0] for line in play(scenario).secrets]]
    with opened() as lab, smtplib.SMTP("localhost", lab.port("wrong-name"), timeout=20) as client:
        client.ehlo()
    kinds += [[line.split()[0] for line in play(scenario).secrets]]
    assert kinds[0] == kinds[1]
