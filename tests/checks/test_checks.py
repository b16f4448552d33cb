"""Each check, both ways: a correct peer passes, and one with that one fault fails just that."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from simulator.checks import client, report, server
from simulator.checks.cases import (
    ClientCase,
    NoSuchCase,
    Result,
    chosen,
    client_cases,
    server_cases,
)
from simulator.lab import certificates
from simulator.lab.play import run
from simulator.lab.policy import ClientPolicy, ServerPolicy
from simulator.language import say
from tests.checks.peers import PASSWORD, USER, client_checked, server_checked, told

STRICT = ClientPolicy(tls="required")
WITH_LOGIN = ServerPolicy(auth="always", mechanisms=("CRAM-MD5",))


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    path.write_bytes(certificates.authority_pem())
    return path


def test_a_correct_server_passes_all(authority: Path) -> None:
    results = server_checked(WITH_LOGIN, authority)
    assert set(told(results).values()) == {"passed"}
    assert len(results) == len(server_cases())
    assert all(result.sessions for result in results)


def test_tls_at_once_is_checked_for_what_it_can_have(authority: Path) -> None:
    results = server_checked(ServerPolicy(auth="inside", implicit_tls=True), authority)
    skipped = {case.id for case in server_cases() if case.begins == "clear"}
    assert told(results) == {
        case.id: "skipped" if case.id in skipped else "passed" for case in server_cases()
    }


@pytest.mark.parametrize("case", server_cases(), ids=lambda case: case.id)
def test_a_server_with_one_fault_fails_that_check_alone(case: object, authority: Path) -> None:
    results = server_checked(case.fault, authority)  # type: ignore[attr-defined]
    wrong = {name for name, status in told(results).items() if status in ("failed", "unclear")}
    assert wrong == {case.id}  # type: ignore[attr-defined]


LOGIN = "forgets-the-login"


@pytest.mark.parametrize(
    ("policy", "user", "status", "why"),
    [
        (ServerPolicy(auth="always"), USER, "passed", "the answer was: 334"),
        (ServerPolicy(auth="always", mechanisms=("LOGIN",)), USER, "passed", "the answer was: 334"),
        (ServerPolicy(auth="always", keeps_login=True), USER, "failed", "the answer was: 503"),
        (
            ServerPolicy(auth="always"),
            "",
            "skipped",
            "not tried: it needs an account of the server",
        ),
        (ServerPolicy(auth="inside"), USER, "skipped", "not tried: in the clear, the list has no"),
        (
            ServerPolicy(auth="always", withdrawn=("AUTH",), cuts_at="AUTH"),
            USER,
            "unclear",
            "AUTH was answered: closed",
        ),
    ],
)
def test_login(policy: ServerPolicy, user: str, status: str, why: str, authority: Path) -> None:
    """By what the list has; told apart: forgotten, kept, and what cannot be tried."""
    results = server_checked(policy, authority, user, LOGIN)
    [result] = [result for result in results if result.case.id == LOGIN]
    assert result.status == status
    assert say(result.why).startswith(why)


def test_an_answer_that_is_no_reply_is_told_in_the_reader_s_language(authority: Path) -> None:
    results = server_checked(ServerPolicy(starttls="plain"), authority, "", "begins-tls")
    assert say(results[-1].why).startswith("the answer was: no TLS: ")
    assert say(results[-1].why, "pt_BR").startswith("a resposta foi: sem TLS: ")


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "PLAIN", "LOGIN"])
def test_the_account_is_in_no_report(mechanism: str, authority: Path) -> None:
    policy = ServerPolicy(auth="always", mechanisms=(mechanism,))
    results = server_checked(policy, authority, USER, LOGIN)
    secret = {
        "PLAIN": b64encode(f"\0{USER}\0{PASSWORD}".encode()),
        "LOGIN": b64encode(PASSWORD.encode()),
        "CRAM-MD5": b64encode(USER.encode()),
    }[mechanism].decode()
    assert results[-1].status == "passed"
    shown = [
        report.json("server x", results),
        report.junit("server x", results, strict=True),
        *(text for result in results for text in report.sessions(result)),
    ]
    for text in shown:
        assert secret not in text
        assert PASSWORD not in text


def test_the_digest_is_that_of_the_standard() -> None:
    """The example of RFC 2195 §2."""
    said: list[str] = []
    replies = iter(
        [
            "220 mx.example.org",
            "250-mx.example.org\r\n250 AUTH PLAIN CRAM-MD5",
            "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
            "235 Welcome",
            "454 No TLS now",
            "221 Bye",
        ]
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(f"{reply}\r\n".encode())
            if not reply.startswith("221"):
                said.append((await reader.readline()).decode().strip())
        writer.close()

    async def checked() -> list[Result]:
        async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            host = server.Host(host="127.0.0.1", port=port, user="tim", password="tanstaaftanstaaf")
            return await server.check(host, [c for c in server_cases() if c.id == LOGIN])

    [result] = run(checked())
    assert said[1:3] == [
        "AUTH CRAM-MD5",
        "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
    ]
    # It is over with the login before TLS, and so nothing can be kept.
    assert result.status == "passed"


def test_a_correct_client_passes_all() -> None:
    assert set(told(client_checked(STRICT)).values()) == {"passed"}


@pytest.mark.parametrize("case", client_cases(), ids=lambda case: case.id)
def test_a_client_with_one_fault_fails_that_check_alone(case: object) -> None:
    fault: ClientPolicy = case.fault  # type: ignore[attr-defined]
    if fault.tls == "opportunistic":
        fault = msgspec.structs.replace(fault, tls="required")
    results = client_checked(fault)
    wrong = {name for name, status in told(results).items() if status in ("failed", "unclear")}
    assert wrong == {case.id}  # type: ignore[attr-defined]


def test_a_client_that_hangs_up_at_an_injected_reply_passes() -> None:
    """Whoever is on the way may finish the handshake with the server without it."""
    [case] = [case for case in client_cases() if case.id == "drops-injected-replies"]

    async def meet(_case: ClientCase, address: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*address)
        await reader.readline()
        for line in (b"EHLO client.example\r\n", b"STARTTLS\r\n"):
            writer.write(line)
            while (await reader.readline())[3:4] == b"-":
                pass
        writer.close()
        await writer.wait_closed()

    [result] = run(client.check(meet, [case]))
    assert (result.status, result.why.id) == ("passed", "The client gave TLS up.")


def test_an_opportunistic_client_is_only_risky() -> None:
    results = client_checked(ClientPolicy())
    failed = {name for name, status in told(results).items() if status == "failed"}
    assert failed == {"stops-at-454", "stays-out-of-the-clear"}
    assert not any(result.bad for result in results)


@pytest.mark.parametrize("cases", [server_cases(), client_cases()], ids=["server", "client"])
def test_cases_are_whole(cases: tuple[object, ...]) -> None:
    seen: set[str] = set()
    for case in cases:
        assert case.cited.quote  # type: ignore[attr-defined]
        assert set(case.needs) <= seen  # type: ignore[attr-defined]
        for text in (case.titled, case.fixed):  # type: ignore[attr-defined]
            assert text("en") != text("pt_BR")
        seen.add(case.id)  # type: ignore[attr-defined]
    assert len(seen) == len(cases)


def test_what_a_case_needs_comes_with_it() -> None:
    names = [case.id for case in chosen(server_cases(), ["auth-needs-ehlo"])]
    assert names == ["offers-starttls", "begins-tls", "starttls-gone", "auth-needs-ehlo"]
    left = [case.id for case in chosen(client_cases(), without=["stops-at-454"])]
    assert "stops-at-454" not in left
    with pytest.raises(NoSuchCase, match="did you mean 'ehlo-again'"):
        chosen(client_cases(), ["ehlo-agian"])


def test_reports(authority: Path) -> None:
    results = server_checked(ServerPolicy(again="offer", drops_buffer=False), authority)
    document = json.loads(report.json("server x", results, "pt_BR"))
    assert document["passed"] is False
    by_id = {case["id"]: case for case in document["cases"]}
    gone = by_id["starttls-gone"]
    assert gone["status"] == "failed"
    assert gone["citation"]["place"] == "RFC 3207 §4.2"
    assert gone["citation"]["keyword"] == "MUST NOT"
    assert gone["sessions"][0]["events"][0]["kind"] == "connect"
    assert gone["why"] == "a lista tem STARTTLS"

    suite = ElementTree.fromstring(report.junit("server x", results))
    assert (suite.get("failures"), suite.get("errors")) == ("2", "0")
    assert int(suite.get("tests", "0")) == len(server_cases())
    failed = [c.get("name", "").partition(":")[0] for c in suite if c.find("failure") is not None]
    assert failed == ["starttls-gone", "drops-what-was-pipelined"]
    assert "STARTTLS" in (suite.findtext("testcase/system-out") or "")

    found = dict(report.facts(results))
    assert "TLSv1.2" in found["TLS"]
    assert "TLSv1.3" in found["TLS"]
    assert "STARTTLS" in found["list in the clear"]
    assert found["certificate for"] == "eq-c601.example.com"


def test_what_a_hostile_server_says_ends_in_no_xml(authority: Path) -> None:
    hostile = ServerPolicy(replies={"EHLO 503": "</failure><script>alert(1)</script>"})
    results = server_checked(hostile, authority)
    text = report.junit("server x", results)
    ElementTree.fromstring(text)
    assert "<script" not in text


def test_risk_is_a_failure_where_it_is_strict() -> None:
    results = client_checked(ClientPolicy())
    for strict, failures in ((False, "0"), (True, "2")):
        suite = ElementTree.fromstring(report.junit("client", results, strict=strict))
        assert suite.get("failures") == failures


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("192.0.2.1", False), ("x", False)],
)
def test_only_this_machine_is_asked_without_a_pause(host: str, is_local: bool) -> None:
    assert server.local(host) is is_local
