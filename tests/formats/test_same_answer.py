"""One answer, however it is asked: read or followed, packed or not, one core or two, by a summary
or by a full explanation, from a file or from what can be read once only."""

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.formats import CannotRead, maillog, tally
from simulator.reading import desk
from simulator.session import Session
from simulator.verdict import Verdict
from tests.command import Command
from tests.formats.test_tally import TLS

HERE = Path(__file__).parent
SAMPLES = sorted((*(HERE / "transcripts").iterdir(), *(HERE / "real").iterdir()))
POSTFIX = [
    path
    for path in SAMPLES
    if formats.detect(path.read_text("utf-8", "replace").split("\n")[:2000]).name == "postfix"
]

Answer = Counter[tuple[object, ...]]


def answer(verdicts: Iterable[Verdict]) -> Answer:
    """What a summary counts of each session."""
    return Counter(
        (v.tls, v.second_ehlo, v.faults, v.delivered, v.in_clear, v.client_to_server_commands)
        for v in verdicts
    )


def explained(sessions: Iterable[Session]) -> Answer:
    return answer(explain(session).verdict for session in sessions if not session.stray)


def counted(source: formats.Source, **how: object) -> Answer:
    return answer(found.verdict for found in formats.verdicts(source, **how))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No log is too small for the fast way."""
    monkeypatch.setattr(formats, "LARGE", 0)


@pytest.mark.parametrize(
    "lines",
    [
        ["mx postfix/smtp[9]:", "mx postfix/smtp[9]: SSL_connect error to a[192.0.2.1]:25: -1"],
        [
            "mx postfix/smtp[9]:",
            "mx postfix/smtp[8]: 0A1B: to=<a@b.example>, relay=a[192.0.2.1]:25, status=sent (ok)",
        ],
        [
            "mx postfix/smtpd[9]: connect from a[192.0.2.1]",
            f"mx Anonymous TLS connection established from a[192.0.2.1]: {TLS}",
        ],
        [
            "mx postfix/smtpd[9]: connect from a[192.0.2.1]",
            "mx Anonymous TLS connection established from a[192.0.2.1]",
        ],
        [
            "mx postfix/smtpd[9]: connect from a[192.0.2.1]",
            "mx reject: 554",
            "mx postfix/smtpd[9]: lost connection after CONNECT from a[192.0.2.1]",
        ],
        [
            "mx postfix/smtpd[9]: connect from a[192.0.2.1]",
            "mx postfix/smtpd[9]: disconnect from a[192.0.2.1] ehlo=1 quit=1 commands=2",
        ],
        ["mx postfix/smtp[9]: 0A1B: to=<a@b.example>, relay=a[192.0.2.1]:25, status=sent"],
        [
            "mx postfix/smtpd[9]: warning: b[2001:db8::7]: SASL LOGIN authentication failed: x",
            "mx postfix/smtpd[9]: warning: TLS library problem: error:0A00010B:SSL routines::x",
            "mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 5.7.1 <b@c>: no; x",
        ],
        ["mx postfix/smtp[9]: 0A1B: to=<a@b>,[]:25, status=deferred (certificate not verified)"],
    ],
    ids=[
        "empty",
        "empty-before-another",
        "no-process",
        "cut-off",
        "rejects-nobody",
        "disconnects",
        "sent",
        "begins-with-another",
        "no-relay",
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_may_be_cut_off_anywhere(lines: list[str], end: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(f"Nov 25 10:00:00 {line}" for line in lines) + end)
    fast = tally.verdicts(path, maillog.read)
    assert fast is not None
    assert answer(told.verdict for told in fast) == explained(formats.read(path, format="postfix"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample(path: Path, tmp_path: Path) -> None:
    sessions = list(formats.read(path))
    wanted = explained(sessions)
    assert counted(path) == counted(path, workers=2) == wanted
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert counted(packed) == counted(io.BytesIO(path.read_bytes())) == wanted
    name = sessions[0].source
    if name in {kind.name for kind in formats.known()} and not restored(path, name):
        assert counted(path, format=name) == explained(formats.read(path, format=name)) == wanted
        assert explained(formats.follow(path, stop=at_the_end())) == wanted


def at_the_end() -> Callable[[], bool]:
    """Follow what is there, and no longer."""
    answers = iter((False,))
    return lambda: next(answers, True)


def restored(path: Path, name: str) -> bool:
    """A translation machine went over it, which is undone where a log is whole and of no known
    format: so neither in one that grows nor in one whose format is given."""
    return explained(formats.read(path)) != explained(formats.read(path, format=name))


def interleaved(paths: list[Path], seed: int) -> str:
    """The lines of several logs, each log's in order."""
    rng = random.Random(seed)
    logs = [path.read_text("utf-8", "replace").splitlines() for path in paths]
    lines = []
    while logs := [log for log in logs if log]:
        lines.append(rng.choice(logs).pop(0))
    return "\n".join(lines) + "\n"


def odd(rng: random.Random, sessions: int) -> str:
    """Sessions of Postfix with what is rare, and lines of other processes among them; perhaps only
    those lines that somebody searched for."""
    head = "Nov 25 10:00:00 mx postfix/smtpd[{n}]: "
    peer = "{peer}"
    searched = rng.choice(("", "", "lost|SSL_accept", "TLS|disconnect", "from", "reject|lost"))
    pool = [
        f"connect from {peer}",
        f"Anonymous TLS connection established from {peer}: {TLS}",
        f"disconnect from {peer} ehlo=2 starttls=1 mail=1 rcpt=0/1 quit=1 commands=5/6",
        f"disconnect from {peer} ehlo=1 mail=0/1 commands=1/2",
        f"disconnect from {peer}",
        f"NOQUEUE: reject: RCPT from {peer}: 554 5.7.1 <b@c.example>: Relay access denied; x",
        f"NOQUEUE: reject: MAIL from {peer}: 530 5.7.0 Must issue a STARTTLS command first; x",
        f"lost connection after STARTTLS from {peer}",
        f"lost connection after EHLO from {peer}",
        f"timeout after DATA from {peer}",
        f"SSL_accept error from {peer}: -1",
        "warning: TLS library problem: error:0A00010B:SSL routines::wrong version number",
        f"warning: {peer}: SASL LOGIN authentication failed: authentication failure",
    ]
    if searched:
        pool = [line for line in pool[1:] if re.search(searched, line)]
    lines = []
    for _ in range(sessions):
        number = rng.randrange(1000, 1000 + sessions // 3)
        client = rng.choice(("a.example.com[203.0.113.9]", "unknown[2001:db8::7]"))
        lines += [
            head.format(n=number) + rng.choice(pool).replace("{peer}", client) + "\n"
            for _ in range(rng.randrange(1, 5))
        ]
        if rng.random() < 0.5:
            lines.append("Nov 25 10:00:00 mx " + rng.choice(OTHERS) + "\n")
        if rng.random() < 0.2:
            client = f"Nov 25 10:00:00 mx postfix/smtp[{number % 7}]: "
            lines.extend(client + said + "\n" for said in rng.choice(SENT))
    return "".join(lines)


OTHERS = (
    "dovecot: imap-login: Disconnected: TLS handshaking: SSL_accept() failed: alert unknown ca",
    "dovecot[9]: connect from a.example.com[203.0.113.9]",
    "in.telnetd[9]: connect from 203.0.113.9",
    "postfix/tlsproxy[9]: CONNECT from [203.0.113.9]:5555",
    f"postfix/tlsproxy[9]: Anonymous TLS connection established from [203.0.113.9]:5555: {TLS}",
    "postfix/tlsproxy[9]: warning: TLS library problem: error:0A000416:SSL routines::sslv3 alert",
    "postfix/anvil[9]: statistics: max connection rate 1/60s for (smtp:203.0.113.9) at Nov 25",
    (
        "postfix/error[9]: 4B1C2D3E4F: to=<b@example.org>, relay=none, dsn=4.7.5, status=deferred "
        "(delivery temporarily suspended: Cannot start TLS: handshake failure)"
    ),
    "postfix/cleanup[9]: 4B1C2D3E4F: milter-reject: END-OF-MESSAGE from a[203.0.113.9]: 4.7.1 no",
    "postfix/postscreen[9]: CONNECT from [203.0.113.9]:5555 to [192.0.2.1]:25",
    "postfix/postscreen[9]: PREGREET 11 after 0.1 from [203.0.113.9]:5555: EHLO x\\r\\n",
    (
        "postfix/postscreen[9]: NOQUEUE: reject: RCPT from [203.0.113.9]:5555: 550 5.7.1 Service "
        "unavailable; client [203.0.113.9] blocked using bl.example; from=<a@b.example>"
    ),
    "opendkim[9]: 4B1C2D3E4F: SSL error:0407008A: invalid padding; certificate verify failed",
    "kernel: TLS: tls_device_down, greeting timed out while waiting",
)
DONE = "0A1B2C3D{}: to=<b@example.net>, relay=a[192.0.2.1]:25, delay=1, status="
SENT = (
    (DONE.format(1) + "sent (250 ok)",),
    (DONE.format(2) + "deferred (TLS is required, but was not offered by host a[192.0.2.1])",),
    (f"Untrusted TLS connection established to a[192.0.2.1]:25: {TLS}",
     DONE.format(3) + "sent (250 ok)"),
    ("SSL_connect error to a[192.0.2.1]:25: -1", DONE.format(4) + "deferred (Cannot start TLS: x)"),
    (DONE.format(5) + "sent (250 ok)",
     DONE.format(5) + "bounced (host a said: 530 5.7.0 Must issue a STARTTLS command first "
     "(in reply to MAIL FROM command))"),
    ("SSL_connect error to a[192.0.2.1]:25: -1", "SSL_connect error to b[2001:db8::2]:25: -1",
     f"Untrusted TLS connection established to c[192.0.2.3]:25: {TLS}",
     DONE.format(6).replace("a[192.0.2.1]", "c[192.0.2.3]") + "sent (250 ok)"),
    ("SSL_connect error to a[192.0.2.1]:25: lost connection",
     "connect to b[192.0.2.2]:25: Connection refused",
     "setting up TLS connection to c[192.0.2.3]:25",
     f"Untrusted TLS connection reused to c[192.0.2.3]:25: {TLS}",
     DONE.format(9).replace("a[192.0.2.1]", "c[192.0.2.3]") + "sent (250 ok)"),
    ("SSL_connect error to a[192.0.2.1]:25: -1",
     DONE.format(7).replace("a[192.0.2.1]", "b[192.0.2.2]") + "sent (250 ok)"),
    (f"Untrusted TLS connection established to a[192.0.2.1]:25: {TLS}",
     f"Untrusted TLS connection established to b[192.0.2.2]:25: {TLS}",
     f"Untrusted TLS connection reused to d[192.0.2.4]:25: {TLS}",
     DONE.format(8).replace("a[192.0.2.1]:25", "none") + "deferred (lost connection)"),
    (f"Trusted TLS connection established to a[192.0.2.1]:25: {TLS}",
     "certificate verification failed for b[192.0.2.2]:25: untrusted issuer /CN=x",
     f"Untrusted TLS connection established to b[192.0.2.2]:25: {TLS}",
     "certificate peer name verification failed for c[192.0.2.3]:25: CommonName mis-match: x"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_interleaved(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    text = interleaved(rng.sample(POSTFIX, 2), seed) if seed % 2 else odd(rng, 120)
    path = tmp_path / "log"
    path.write_text(text)
    wanted = explained(formats.read(path))
    assert counted(path) == wanted
    monkeypatch.setattr(tally, "PART", len(text) // 5 + 1)
    assert counted(path, workers=2) == wanted
    assert explained(formats.follow(path, stop=at_the_end())) == wanted


@pytest.mark.parametrize("foreign", [False, True])
def test_a_large_mixture(foreign: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three MiB: of one log the fast way, with lines of another among them line by line."""
    monkeypatch.undo()
    rng = random.Random(3207)
    filler = "Nov 25 10:00:00 mx postfix/qmgr[3]: 4B1C2D3E4F: removed, " + "x" * 4000 + "\n"
    sessions = [odd(rng, 120) for _ in range(3)]
    swaks = (HERE / "transcripts" / "t026_swaks_ok.txt").read_text() if foreign else ""
    path = tmp_path / "log"
    path.write_text((filler * 240).join([*sessions, swaks, odd(rng, 40)]))
    assert path.stat().st_size > 3 << 20
    assert (tally.verdicts(path, maillog.read) is None) == foreign
    assert counted(path) == counted(path, workers=2) == explained(formats.read(path))


def test_more_open_sessions_than_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_OPEN", 50)
    monkeypatch.setattr(tally, "MOST_OPEN", 50)
    path = tmp_path / "log"
    path.write_text(
        "".join(
            f"Nov 25 10:00:00 mx postfix/smtpd[{n}]: connect from a.example[192.0.2.1]\n"
            for n in range(500)
        )
    )
    assert counted(path) == explained(formats.read(path))
    assert counted(path).total() == 500


def test_every_way_to_name_a_file(command: Command, tmp_path: Path) -> None:
    path = HERE / "transcripts" / "t075_postfix_smtpd_v_interleaved.txt"
    summary = command("explain", "--summary", "--view", "json", str(path)).out
    told = json.loads(summary)
    full = json.loads(command("explain", "--view", "json", str(path)).out)["sessions"]
    assert told["sessions"] == len([one for one in full if one["session"]["connection"]])
    assert told["tls"] == Counter(one["verdict"]["tls"] for one in full)
    for more in (("--format", "postfix"), ("--formats", str(tmp_path))):
        ran = command("explain", "--summary", "--view", "json", *more, str(path))
        assert ran.out == summary
    if sys.platform == "win32":
        return
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writing = threading.Thread(target=lambda: fifo.write_bytes(path.read_bytes()))
    writing.start()
    assert command("explain", "--summary", "--view", "json", str(fifo)).out == summary
    writing.join()
    explaining = [sys.executable, "-m", "simulator", "explain", "--summary", "--view", "json"]
    for name in ("-", "/dev/stdin"):
        piped = subprocess.run(
            [*explaining, name], input=path.read_bytes(), capture_output=True, check=True
        )
        assert piped.stdout.decode() == summary


def test_what_is_packed_goes_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = odd(random.Random(3207), 60).encode()
    (path := tmp_path / "log").write_bytes(text)
    (packed := tmp_path / "log.gz").write_bytes(gzip.compress(text))
    wanted = counted(path)
    (scratch := tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with monkeypatch.context() as patched:
        patched.setattr(formats, "read", lambda *_, **__: pytest.fail("it was read"))
        assert counted(packed) == wanted
    assert list(scratch.iterdir()) == []
    # A damaged one is read as far as it goes, and told.
    packed.write_bytes(gzip.compress(text)[:-20])
    with pytest.raises(CannotRead, match="damaged"):
        counted(packed)
    assert list(scratch.iterdir()) == []
    # So is one for which there is no room.
    packed.write_bytes(gzip.compress(text))
    scratch.rmdir()
    assert counted(packed) == wanted


def test_what_is_packed_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(SAMPLES[0].read_bytes()) + b"\n")
    with pytest.raises(CannotRead, match="only text can be followed"):
        list(formats.follow(path, stop=at_the_end()))
