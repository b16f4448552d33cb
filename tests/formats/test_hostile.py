"""Whatever comes in, something is said of it: no crash, no hang, no line lost, bounded memory."""

import bz2
import contextlib
import gzip
import io
import lzma
import random
import re
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import formats
from simulator.explainer import explain
from simulator.reading import clean, desk, fragments
from simulator.reading.clean import LONGEST, CannotRead, text
from simulator.session import Reply, Session
from tests.formats import fuzz

KINDS = formats.known()
LINES = fuzz.lines()


lines = st.lists(
    st.one_of(
        st.sampled_from(LINES),
        st.text(max_size=60),
        st.builds(
            lambda line, cut, more: line[:cut] + more + line[cut:],
            st.sampled_from(LINES),
            st.integers(0, 80),
            st.text(max_size=8),
        ),
    ),
    max_size=30,
)


@given(lines)
@settings(max_examples=300)
def test_a_shuffled_log_is_read_and_explained(log: list[str]) -> None:
    with contextlib.suppress(CannotRead):
        for session in formats.read("\n".join(log)):
            explain(session)


@given(lines, st.sampled_from(KINDS))
@settings(max_examples=300)
def test_each_reader_reads_each_log(log: list[str], kind: formats.Format) -> None:
    sessions = list(kind.read(text("\n".join(log)).lines))
    for session in sessions:
        explain(session)
    assert fuzz.lost("\n".join(log), kind, sessions) == []


@given(st.binary(max_size=2000))
@settings(max_examples=300)
def test_octets_are_read(data: bytes) -> None:
    told = ""
    try:
        for session in formats.read(data):
            explain(session)
    except CannotRead as error:
        told = str(error)
    assert "\n" not in told


MAGIC = [
    b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\xd4\xc3\xb2\xa1", b"\xff\xfe",
    b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a",
]  # fmt: skip


@given(st.binary(max_size=400), st.sampled_from(MAGIC))
@settings(max_examples=200)
def test_files_that_only_begin_like_one_are_read_or_told(data: bytes, magic: bytes) -> None:
    told = ""
    try:
        list(formats.read(magic + data))
    except CannotRead as error:
        told = str(error)
    assert "\n" not in told


SWAKS = (Path(__file__).parent / "transcripts" / "t026_swaks_ok.txt").read_text()


def zipped(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mail.log", text)
    return made.getvalue()


def tarred(text: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("mail.log")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


def sent(log: object) -> str | None:
    (session,) = formats.read(log)  # type: ignore[arg-type]
    return explain(session).verdict.second_ehlo


@pytest.mark.parametrize(
    "dirty",
    [
        SWAKS.replace("\n", "\r\n"),
        SWAKS.replace("\n", "\r"),
        "\ufeff" + SWAKS,
        SWAKS.encode("utf-16"),
        SWAKS.encode("utf-16-le"),
        SWAKS.encode("utf-32"),
        SWAKS.encode() + b"\xe9\xff caf\xe9\n",
        SWAKS.replace("<", "&lt;").replace(">", "&gt;"),
        "".join(f"> {line}\n" for line in SWAKS.split("\n")),
        f"Hello,\n```\n{SWAKS}```\nthanks",
        "".join(f"\x1b[32m{line}\x1b[0m\n" for line in SWAKS.split("\n")),
        "".join(f"Mar  4 10:00:00 host app[12]: {line}\n" for line in SWAKS.split("\n") if line),
        "".join(f"2026-03-04T10:00:00.123Z web_1  | {line}\n" for line in SWAKS.split("\n")),
        "".join(f"{line}^M\n" for line in SWAKS.split("\n")),
        gzip.compress(SWAKS.encode()),
        lzma.compress(SWAKS.encode()),
        lzma.compress(SWAKS.encode(), lzma.FORMAT_ALONE),
        bz2.compress(SWAKS.encode()),
        SWAKS.encode("utf-32-le"),
        SWAKS.encode("utf-32-be"),
        SWAKS.replace(" ", "\u00a0"),
        SWAKS.replace("EHLO", "\u200bEHLO"),
    ],
    ids=[
        "crlf", "cr", "bom", "utf-16", "utf-16 without bom", "utf-32", "latin-1", "html", "quoted",
        "fenced", "colours", "syslog", "compose", "caret m", "gzip", "xz", "lzma", "bzip2",
        "utf-32-le", "utf-32-be", "nbsp", "zero width",
    ],
)  # fmt: skip
def test_dirt_is_washed_off(dirty: str | bytes) -> None:
    assert sent(dirty) == "sent"


BARE = """220 mx.example.org ESMTP
EHLO a.example.org
250-mx.example.org
250-8BITMIME
250-STARTTLS
250 HELP
STARTTLS
220 2.0.0 Go ahead
EHLO a.example.org
250-mx.example.org
250-size 1000
250 HELP
MAIL FROM:<a@example.org>
550-5.7.1 You may not
550-do this
550 5.7.1 here
QUIT
221 Bye
"""

ESCAPED = r"""send: 'ehlo a\r\n'
reply: b'250-mx.example.org\r\n'
reply: b'250-STARTTLS\r\n'
reply: b'250 HELP\r\n'
reply: retcode (250); Msg: b'mx.example.org\nSTARTTLS\nHELP'
send: 'quit\r\n'
reply: b'221 Bye\r\n'
"""


def replies(log: str) -> list[Reply]:
    (session,) = formats.read(log)
    return [event for event in session.events if isinstance(event, Reply)]


@pytest.mark.parametrize("dash", "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d")
@pytest.mark.parametrize("log", [SWAKS, BARE, ESCAPED], ids=["swaks", "bare", "escaped"])
def test_hyphens_that_a_page_made_dashes_hide_nothing(log: str, dash: str) -> None:
    assert [e.lines for e in replies(log.replace("-", dash))] == [e.lines for e in replies(log)]


@pytest.mark.parametrize(
    "line",
    [
        "<-  250-mx.example.org",
        "         250-STARTTLS",
        "SERVER -> CLIENT: 250-mx.example.org250-SIZE 5000250-STARTTLS250 HELP",
        "10:00:00 <- 550-5.7.1 no",
    ],
)
@pytest.mark.parametrize("dash", "\u2011\u2013")
def test_a_line_with_dashes_becomes_what_it_was(line: str, dash: str) -> None:
    dashed = re.sub(r"(?<=\d\d\d)-|(?<=<)-(?! )|-(?=>)", dash, line)
    assert dashed != line
    assert clean.tidy(dashed) == line


def test_hyphens_that_a_page_made_entities_hide_nothing() -> None:
    log = BARE.replace("-", "&#8211;")
    assert [e.lines for e in replies(log)] == [e.lines for e in replies(BARE)]


@pytest.mark.parametrize(
    "prose",
    [
        "see pages 220–250",
        "250–300 ms later",
        "the 250–page manual — all of it",
        "Seiten 220–250: 220–240 V",
        "S: 250 mx – all is well",
        "It takes 250—perhaps 300—seconds",
    ],
)
def test_a_dash_of_a_person_stays(prose: str) -> None:
    assert clean.tidy(prose) == prose


def test_a_file_and_an_open_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(SWAKS)
    assert sent(path) == sent(io.StringIO(SWAKS)) == sent(io.BytesIO(SWAKS.encode())) == "sent"


@pytest.mark.parametrize("name", ["none", "."])
def test_a_path_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotRead, match=r"No such file|Is a directory"):
        list(formats.read(tmp_path / name))


def test_a_damaged_archive_is_told() -> None:
    with pytest.raises(CannotRead, match="this gzip file is damaged"):
        list(formats.read(b"\x1f\x8b\x08" + bytes(40)))
    whole = gzip.compress(SWAKS.encode() * 100, mtime=0)
    cut: list[Session] = []
    with pytest.raises(CannotRead, match=r"^the input: only the first \d+ octets of it are read: "):
        cut.extend(formats.read(whole[: len(whole) // 2]))
    assert "the gzip file is damaged" in fuzz.said(cut)


@pytest.mark.parametrize(
    "octets",
    [random.Random(1).randbytes(40_000), b"\x7fELF" + bytes(4000), b"\0" * 9],
    ids=["random", "elf", "nul"],
)
def test_what_is_no_text_is_told(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(octets)
    with pytest.raises(CannotRead, match=r"log: is binary, not a log$"):
        list(formats.read(path))


def test_an_error_that_quotes_octets_of_tls_is_a_text() -> None:
    noise = bytes(b for b in random.Random(2).randbytes(400) if b not in b"\r\n")
    text = b"SMTP Error: the handshake failed. Detail: SSL operation failed, code 1, " + noise
    (session,) = formats.read(text)
    assert explain(session).verdict.tls == "failed"
    with pytest.raises(CannotRead, match="is binary"):
        list(formats.read(b"TLS" + noise))


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (zipped(SWAKS), "is a zip archive .*: unpack it first, as with `unzip -p FILE | "),
        (tarred(SWAKS), "is a tar archive: unpack it first, as with `tar -xOf FILE | "),
        (gzip.compress(tarred(SWAKS)), "is a tar archive: unpack it first"),
        (gzip.compress(gzip.compress(b"x")), "is packed twice: unpack it first$"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive"),
        (b"Rar!\x1a\x07\x01" + bytes(50), "is a RAR archive"),
        (b"\x1f\x9d\x90" + bytes(50), "is packed with compress"),
        (b"\x04\x22\x4d\x18" + bytes(50), "is packed with lz4"),
        (b"%PDF-1.7\n" + bytes(50), "is a PDF"),
    ],
    ids=["zip", "tar", "tar.gz", "twice", "7z", "rar", "compress", "lz4", "pdf"],
)
def test_an_archive_is_named_with_what_to_do(tmp_path: Path, octets: bytes, said: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(octets)
    with pytest.raises(CannotRead, match=f"log: {said}"):
        list(formats.read(path))


@pytest.mark.parametrize("blanks", ["\n", "\n" * 3000, " \r\n\t\n"])
def test_only_blanks_are_told(blanks: str) -> None:
    with pytest.raises(CannotRead, match=r"^the input: is empty: there are only blanks in it$"):
        list(formats.read(blanks))


def test_behind_many_blank_lines_the_log_goes_on() -> None:
    head, rest = SWAKS.split("\n", 1)
    (session,) = formats.read(head + "\n" * 5000 + rest)
    assert explain(session).verdict.second_ehlo == "sent"
    assert max(event.line or 0 for event in session.events) > 5000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("filling", [b"\n", b"\r\n", b" ", b"250 ok\n"])
def test_what_unpacks_to_far_more_is_cut(
    pack: Callable[[bytes], bytes], filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clean.UNSUSPECTED <= 8 << 20, "64 KB would be read for minutes"
    monkeypatch.setattr(clean, "UNSUSPECTED", 1 << 18)
    bomb = pack(filling * ((4 << 20) // len(filling)))
    assert len(bomb) < 1 << 16
    with pytest.raises(CannotRead, match="more than 250 times its size: if that is right, unpack"):
        list(formats.read(bomb))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    with pytest.raises(CannotRead, match=r"log: is empty$"):
        list(formats.read(path))
    with pytest.raises(CannotRead, match=r"^the input: is empty$"):
        list(formats.read(b""))


def test_a_log_with_octets_of_tls_in_it_is_read() -> None:
    assert sent(SWAKS.encode() + random.Random(2).randbytes(40_000)) == "sent"


class Endless(io.RawIOBase):
    """A file of one long line, made as it is read."""

    def __init__(self, size: int, filling: bytes) -> None:
        self._left, self._filling = size, filling

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = min(self._left, size if size >= 0 else self._left)
        self._left -= size
        return (self._filling * (size // len(self._filling) + 1))[:size]


@pytest.mark.parametrize("filling", [b"a", b" ", b"250-", b"\x1b[31m", b"(", b"<script>", b"> > "])
def test_one_line_of_many_octets_costs_no_memory(filling: bytes) -> None:
    tracemalloc.start()
    began = time.process_time()
    (session,) = formats.read(Endless(32 << 20, filling))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert time.process_time() - began < 20
    assert len(fuzz.said([session])) < 2 * LONGEST


@pytest.mark.parametrize("line", [b"x\n", b"250 ok\n", b"EHLO a\n", b"C: DATA\nS: 354 go\n"])
def test_a_session_without_end_is_given_out_in_parts(
    line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_EVENTS", 300)
    monkeypatch.setattr(desk, "MOST_REMARKS", 300)
    sizes = [len(session.events) for session in formats.read(line * 4000)]
    assert len(sizes) > 5
    assert max(sizes) < 700


def test_sessions_that_never_end_are_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_OPEN", 50)
    log = "".join(
        f"Mar  4 10:00:00 mx postfix/smtpd[{n}]: connect from a[192.0.2.1]\n" for n in range(500)
    )
    reader = formats.read(log)
    first = next(reader)
    assert first.connection == "postfix/smtpd[0]"
    assert len(list(reader)) == 499


def test_a_bomb_is_read_piece_by_piece() -> None:
    bomb = gzip.compress(b"a" * (64 << 20))
    tracemalloc.start()
    with pytest.raises(CannotRead, match="more than 250 times its size"):
        list(formats.read(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_no_line_takes_long() -> None:
    """Patterns meet what they were not made for; none may take more than its share."""
    rng = random.Random(1)
    pieces = sorted({piece for line in LINES for piece in re.findall(r"\w+|\W+", line)})
    for _ in range(25):
        unit = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 4))).replace("\n", " ")
        log = "220 mx\nEHLO a\n250 STARTTLS\nSTARTTLS\n220 go\n" + (unit * 70000)[:60000]
        for kind in KINDS:
            began = time.process_time()
            list(kind.read(text(log).lines))
            assert time.process_time() - began < 2, (kind.name, unit)


@pytest.mark.parametrize("between", [" " * 300, "S: " * 300, "[10:00:00] <a> b: " * 60])
def test_no_row_of_blanks_takes_for_ever(between: str) -> None:
    """A pattern with two ways to take a blank would never come back from this."""
    line = f"bye S: 250-mail.example.org S: 250-STAR{between}TTLS S: 250 HELP C: STARTTLS"
    assert len(fragments.of(line)) > 2


def test_a_second_handshake_that_fails_is_read() -> None:
    again = "STARTTLS\n220 go\nSSL_connect error: handshake failure\n"
    log = f"220 a.example.com ESMTP\nEHLO b\n250-a.example.com\n250 STARTTLS\n{2 * again}EHLO b\n"
    (session,) = formats.read(log)
    assert [event.line for event in session.events] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("kind", "log"),
    [
        ("curl", ["* Connected to a (192.0.2.1) port 25 (#0)", "* Connected to b (::1) port 26"]),
        ("ruby", ['<- "E', "postfork: something", "'"]),
        (
            "maddy",
            [
                *("STARTTLS", "AUTH LOGIN", "... TLS error", "250 DSN"),
                *("STARTTLS", "220 2.0.0 Ready to start TLS", "EHLO"),
            ],
        ),
        ("unknown", ['/ ( "250-" domain [ SP greeting ] CR LF'] * 2),
    ],
)
def test_a_line_told_again_or_taken_back_is_kept(kind: str, log: list[str]) -> None:
    (reader,) = (found for found in KINDS if found.name == kind)
    sessions = list(reader.read(text("\n".join(log)).lines))
    assert fuzz.lost("\n".join(log), reader, sessions) == []
