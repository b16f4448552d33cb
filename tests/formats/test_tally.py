"""The fast verdicts over a large log are those that reading it gives."""

import gzip
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from simulator import formats
from simulator.explainer import explain
from simulator.formats import maillog, shapes, tally
from simulator.reading.format import Tallied
from simulator.verdict import Verdict

PEER = "a.example.com[203.0.113.{n}]"
TLS = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"
SERVER = """
{t} established from {p}: {c}
disconnect from {p} ehlo=2 starttls=1 mail=1 quit=1 commands=5

{t} established from {p}: {c}
disconnect from {p} ehlo=1 starttls=1 mail=1 commands=3

disconnect from {p} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4

SSL_accept error from {p}: -1
warning: TLS library problem: error:0A00010B:SSL routines::wrong version number
lost connection after STARTTLS from {p}
disconnect from {p} ehlo=1 starttls=0/1 commands=1/2

SSL_accept error from {p}: lost connection
lost connection after STARTTLS from {p}
disconnect from {p} ehlo=1 starttls=0/1 commands=1/2

lost connection after STARTTLS from {p}
disconnect from {p}

lost connection after EHLO from {p}
disconnect from {p} ehlo=1 commands=1

disconnect from {p}

lost connection after CONNECT from {p}
disconnect from {p} commands=0/0

improper command pipelining after CONNECT from {p}: \\026\\003\\001
disconnect from {p} unknown=0/1 commands=0/1

improper command pipelining after EHLO from {p}: QUIT
disconnect from {p} ehlo=1 quit=1 commands=2

warning: haproxy read: timeout error

NOQUEUE: reject: RCPT from {p}: 554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.example.net; from=<a@example.net>
disconnect from {p} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4
"""  # noqa: E501 - as it stands in a log
CLIENT = """
{t} established to {p}:25: {c}
{q}: to=<b@example.net>, relay={p}:25, delay=1, status=sent (250 2.0.0 Ok: queued as {q})

{q}: to=<b@example.net>, relay={p}:25, delay=1, status=deferred (TLS is required, but was not offered by host {p})

SSL_connect error to {p}:25: -1
warning: TLS library problem: error:1425F102:SSL routines:x:unsupported protocol:1:
{q}: Cannot start TLS: handshake failure
{q}: to=<b@example.net>, relay={p}:25, delay=1, status=deferred (Cannot start TLS: handshake failure)

{q}: to=<b@example.net>, relay={p}:25, delay=1, status=bounced (host {p} said: 530 5.7.0 Must issue a STARTTLS command first (in reply to MAIL FROM command))
"""  # noqa: E501 - as it stands in a log


def session(rng: random.Random, number: int) -> Iterator[str]:
    values = {
        "p": PEER.format(n=number % 256),
        "c": TLS,
        "t": rng.choice(["Anonymous TLS connection", "Trusted TLS connection"]),
        "q": f"{number:010X}",
    }
    if rng.random() < 0.7:
        service = rng.choice(["postfix/smtpd", "postfix/submission/smtpd"])
        head = f"mx {service}[{1000 + number}]: "
        yield head + f"connect from {values['p']}"
        lines = rng.choice(SERVER.strip().split("\n\n")).split("\n")
    else:
        head = f"mx postfix/smtp[{number % 40}]: "
        lines = rng.choice(CLIENT.strip().split("\n\n")).split("\n")
    for line in lines:
        yield head + line.format_map(values)
        if rng.random() < 0.5:
            yield f"mx postfix/qmgr[3]: {values['q']}: from=<x@example.com>, size=1, nrcpt=1"
        if rng.random() < 0.1:
            yield (
                f"mx postfix/lmtp[{7000 + number}]: {values['q']}: to=<x@example.com>, "
                "relay=mx[private/dovecot], delay=0.2, dsn=2.0.0, status=sent (250 2.0.0 Saved)"
            )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Batches of sessions, forty at a time; the client's processes serve one in each batch."""
    rng = random.Random(3207)
    lines = []
    for batch in range(18):
        open_now = [session(rng, 40 * batch + n) for n in range(40)]
        while open_now:
            chosen = rng.choice(open_now)
            line = next(chosen, None)
            if line is None:
                open_now.remove(chosen)
            else:
                lines.append(f"Nov 25 10:00:00 {line}\n")
    path = tmp_path_factory.mktemp("log") / "mail.log"
    path.write_text("".join(lines))
    return path


def judged(path: Path, workers: int) -> Counter[str]:
    return Counter(repr(tuple(t)) for t in counted(path, workers=workers))


def counted(path: Path, *, workers: int = 1) -> Iterator[Tallied]:
    found = tally.verdicts(path, maillog.read, workers=workers)
    assert found is not None
    return found


def without_lines(verdict: Verdict) -> Verdict:
    told = tuple(replace(cause, lines=(), events=()) for cause in verdict.causes)
    return replace(verdict, causes=told)


def test_each_session_has_the_verdict_that_reading_gives(log: Path) -> None:
    read = Counter(
        repr((session.connection, without_lines(explain(session).verdict)))
        for session in formats.read(log)
        if session.connection
    )
    assert read.total() > 600
    assert judged(log, 1) == read


@pytest.mark.parametrize(("workers", "size"), [(2, 1 << 23), (3, 9999), (7, 4000)])
def test_more_workers_say_the_same(
    log: Path, workers: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "PART", size)
    assert judged(log, workers) == judged(log, 1)


def test_parts_and_pieces_do_not_overlap(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = log.stat().st_size
    for piece in (100, 777, 5000):
        monkeypatch.setattr(shapes, "PIECE", piece)
        for seam in range(0, size, size // 9):
            parts = [tally.part(log, 0, seam), tally.part(log, seam, size)]
            found = Counter(repr(tuple(t)) for t in tally.joined(parts, maillog.read))
            assert found == judged(log, 1)


SEARCHED = """\
reject: RCPT from {a}: 554 5.7.1 <b@c.example>: Relay access denied; x
{a}: SASL LOGIN authentication failed: authentication failure
reject: RCPT from {b}: 554 5.7.1 <b@c.example>: Relay access denied; x
lost connection after STARTTLS from {b}
disconnect from {a}
lost connection after RCPT from {a}
Anonymous TLS connection established from {a}: {tls}
SSL_accept error from {b}: -1
warning: {b}: SASL LOGIN authentication failed: authentication failure
disconnect from {a} ehlo=2 starttls=1 mail=1 rcpt=0/1 quit=1 commands=5/6
"""


def test_what_was_searched_for_is_counted_as_one_where_no_seam_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    head = "Nov 25 10:00:00 mx postfix/smtpd[9]: "
    told = SEARCHED.format(a="a[192.0.2.1]", b="b[192.0.2.2]", tls=TLS)
    path.write_text("".join(head + line + "\n" for line in told.splitlines()))
    read = Counter(repr(without_lines(explain(s).verdict)) for s in formats.read(path))
    for size in range(20, path.stat().st_size, 61):
        monkeypatch.setattr(tally, "PART", size)
        counted = tally.verdicts(path, maillog.read)
        assert counted is not None
        assert Counter(repr(found.verdict) for found in counted) == read


def test_pieces_break_anywhere(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judged(log, 1)
    for size in (60, 100, 1000):
        monkeypatch.setattr(shapes, "PIECE", size)
        assert judged(log, 1) == whole


def test_one_process_serves_many_sessions(tmp_path: Path) -> None:
    path = tmp_path / "log"
    head = "Nov 25 10:00:00 mx postfix/smtpd[9]: "
    once = (
        f"{head}connect from a[192.0.2.1]\n"
        f"{head}Anonymous TLS connection established from a[192.0.2.1]: {TLS}\n"
        f"{head}disconnect from a[192.0.2.1] ehlo=2 starttls=1 quit=1 commands=4\n"
        f"{head}connect from a[192.0.2.1]\n"
        f"{head}disconnect from a[192.0.2.1] ehlo=1 quit=1 commands=2\n"
    )
    path.write_text(once * 50)
    found = Counter(t.verdict.tls for t in counted(path))
    assert found == {"established": 50, None: 50}
    assert Counter(t.verdict.tls for t in counted(path, workers=3)) == found


@pytest.mark.parametrize(
    "line",
    [b"nothing", bytes(90), b"", b"\x1b[31mNov 25 10:00:00 mx", b"Nov 25 10:00:00 a\rb", b"Nov "],
)
def test_a_log_that_is_not_plain_is_to_be_read(line: bytes, tmp_path: Path) -> None:
    stamped = b"Nov 25 10:00:00 mx postfix/smtpd[9]: connect from a[192.0.2.1]\n"
    path = tmp_path / "log"
    path.write_bytes(stamped * 3 + b"Dec  1 00:00:01 mx dovecot: imap\n" + stamped * 9)
    assert tally.verdicts(path, maillog.read) is not None
    path.write_bytes(stamped * 3 + line + b"\n" + stamped * 9)
    assert tally.verdicts(path, maillog.read) is None


def test_implicit_tls(tmp_path: Path) -> None:
    path = tmp_path / "log"
    head = "Nov 25 10:00:00 mx postfix/smtps/smtpd[9]: "
    path.write_text(
        f"{head}connect from a[192.0.2.1]\n"
        f"{head}Anonymous TLS connection established from a[192.0.2.1]: {TLS}\n"
        f"{head}disconnect from a[192.0.2.1] ehlo=1 auth=1 quit=1 commands=3\n"
    )
    (found,) = counted(path)
    assert found.verdict.tls == "implicit"
    assert found.verdict.ehlo_after_tls == 1


def test_a_summary_of_any_log(log: Path) -> None:
    found = (repr((name, without_lines(verdict))) for name, verdict in formats.verdicts(log))
    assert Counter(found) == judged(log, 1)
    swaks = Path(__file__).parent / "transcripts" / "t026_swaks_ok.txt"
    (one,) = formats.verdicts(swaks)
    assert one.verdict.second_ehlo == "sent"


def test_a_summary_of_a_packed_log(log: Path, tmp_path: Path) -> None:
    packed = tmp_path / "mail.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    found = Counter(
        repr((name, without_lines(verdict))) for name, verdict in formats.verdicts(packed)
    )
    assert found == judged(log, 1)


def test_a_summary_of_no_file(tmp_path: Path) -> None:
    with pytest.raises(formats.CannotRead, match="No such file"):
        list(formats.verdicts(tmp_path / "none"))
