"""The sessions that have a problem are found without reading the others, and are the same."""

import random
from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.formats import maillog, shapes, sieve
from simulator.reading import clean, desk
from simulator.reading.format import Keep
from simulator.session import Session
from simulator.verdict import Verdict
from tests.command import Command
from tests.formats.test_same_answer import POSTFIX, SAMPLES, interleaved, odd
from tests.formats.test_tally import log as log  # a fixture


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No log is too small for the fast way."""
    monkeypatch.setattr(formats, "LARGE", 0)


def troubled(verdict: Verdict) -> bool:
    return verdict.problem


def found(path: Path) -> list[Session]:
    """What the fast way finds, without what it does not pass over though it might."""
    return [session for session in sifted(path) if troubled(explain(session).verdict)]


def sifted(path: Path, keep: Keep = troubled) -> list[Session]:
    """All that the fast way gives."""
    unread = sieve.sift(path, keep)
    assert unread is not None
    return [session for one in unread for session in one.sessions()]


def read(path: Path) -> list[Session]:
    return [s for s in maillog.read(clean.text(path).lines) if _troubled(s)]


def _troubled(session: Session) -> bool:
    return troubled(explain(session).verdict)


def test_sessions_of_many_shapes(log: Path) -> None:
    sessions = read(log)
    assert len(sessions) > 100
    assert found(log) == sessions


@pytest.mark.parametrize("seed", range(12))
def test_what_is_rare(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_text(odd(random.Random(seed), 150))
    if seed % 3 == 1:
        monkeypatch.setattr(shapes, "PIECE", 777)
    if seed % 3 == 2:
        monkeypatch.setattr(desk, "MOST_OPEN", 7)
        monkeypatch.setattr(maillog, "MOST_MESSAGES", 5)
    sessions = read(path)
    assert sessions
    assert found(path) == sessions


@pytest.mark.parametrize("seed", range(6))
def test_real_logs_interleaved(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(interleaved(random.Random(seed).sample(POSTFIX, 2), seed))
    if sieve.sift(path, troubled) is not None:
        assert found(path) == read(path)


@pytest.mark.parametrize("seed", range(8))
def test_a_shape_is_judged_as_its_sessions_are(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_text(odd(random.Random(seed), 300))

    def judged() -> tuple[set[str], list[Session]]:
        seen: set[str] = set()

        def keep(verdict: Verdict) -> bool:
            seen.add(repr(verdict))
            return verdict.problem or verdict.tls == "established"

        return seen, sifted(path, keep)

    by_shape = judged()
    assert all(by_shape)
    monkeypatch.setattr(sieve, "MOST_USUAL", -1)
    assert by_shape == judged()


def test_messages_of_a_session_that_is_over(tmp_path: Path) -> None:
    """A message goes on when its session has ended and its process serves another client."""
    head = "Nov 25 10:00:00 mx postfix/"
    peer = "a.example.com[203.0.113.9]"
    lines = [
        f"smtpd[4]: connect from {peer}",
        f"smtpd[4]: 4B1C2D3E4F: client={peer}",
        f"smtpd[4]: disconnect from {peer} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
        "qmgr[3]: 4B1C2D3E4F: from=<x@example.com>, size=1, nrcpt=1",
        f"smtpd[4]: connect from {peer}",
        "qmgr[3]: 4B1C2D3E4F: removed",
        f"smtpd[4]: SSL_accept error from {peer}: -1",
        f"smtpd[4]: lost connection after STARTTLS from {peer}",
        "qmgr[3]: 5B1C2D3E4F: removed",
        f"smtpd[4]: disconnect from {peer} ehlo=1 starttls=0/1 commands=1/2",
        "qmgr[3]: 6B1C2D3E4F: removed",
    ]
    path = tmp_path / "log"
    path.write_text("".join(f"{head}{line}\n" for line in lines))
    (session,) = found(path)
    assert [event.line for event in session.events if event.line == 6]
    assert [session] == read(path)


def test_lines_of_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_REMARKS", 10)
    line = "Nov 25 10:00:00 mx postfix/qmgr[3]: 4B1C2D3E4F: removed\n"
    path = tmp_path / "log"
    path.write_text(line * 25)
    assert sifted(path) == list(maillog.read(clean.text(path).lines))


def test_who_spoke_last_when_a_session_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = (
        "postfix/smtpd[5]: lost connection after STARTTLS from unknown[2001:db8::7]",
        "postfix/smtp[6]: 0A1B: to=<a@b>, relay=a[192.0.2.1]:25, delay=1, status=sent (250 ok)",
        "postfix/smtpd[5]: warning: a[192.0.2.1]: SASL LOGIN authentication failed: x",
        "dovecot: imap-login: Disconnected: TLS handshaking: SSL_accept() failed: alert unknown ca",
        "postfix/smtpd[7]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 5.7.1 <b@c>: no; x",
    )
    path.write_text("".join(f"Nov 25 10:00:00 mx {line}\n" for line in lines))
    everything = sorted(
        maillog.read(clean.text(path).lines), key=lambda session: session.connection
    )
    given = sifted(path, lambda _: True)
    assert sorted(given, key=lambda session: session.connection) == everything


def test_a_dialogue_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("Nov 25 10:00:00 mx postfix/smtpd[9]: < a[192.0.2.1]: EHLO a.example\n" * 9)
    assert sieve.sift(path, troubled) is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_shows_the_same(path: Path) -> None:
    sessions = [session for session in formats.read(path) if _troubled(session)]
    assert [s for s in formats.wanted(path, troubled) if _troubled(s)] == sessions


@pytest.mark.parametrize("more", [(), ("--probes",), ("--strict",), ("--view", "json")])
def test_the_command_says_the_same(
    more: tuple[str, ...], log: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = command("explain", "--only-problems", *more, str(log))
    monkeypatch.setattr(formats, "LARGE", 1 << 40)
    assert command("explain", "--only-problems", *more, str(log)) == fast
