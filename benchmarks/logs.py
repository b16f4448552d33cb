"""How fast logs are read: verdicts for every session, what has a problem, and each format.

    python benchmarks/logs.py [--megabytes 200] [--sessions 100000] [--old FOLDER]

Writes a Postfix log of interleaved sessions, of which one in ten has a problem, then reads it with
this project on one core and on two, and, where they are installed, with others: all in one run, on
one file. What they do is not the same:

- `grep -c` counts the lines with one word;
- `lnav -q` finds the time and level of each line, and `lnav` prints every line besides;
- `pflogsumm` counts messages, senders and recipients, and knows no sessions;
- `--summary` gives a verdict over each session, and counts those;
- `--only-problems` does that, and reads, explains and shows the sessions that have a problem.

Then a megabyte of each format's own samples is summarised, and a session of one megabyte shown, by
this checkout and, with --old, by another (`git worktree add FOLDER COMMIT`). Every target is told,
also where it is missed.
"""

from __future__ import annotations

import argparse
import collections
import functools
import heapq
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from simulator import formats
from simulator.formats import maillog, tally
from simulator.masking import Veil
from simulator.views.casting import Casting
from simulator.views.view import Page, view

HOSTS = [f"h{n}.example.{top}" for n in range(400) for top in ("com", "net", "org")]
SHAPES = (
    # how many of a hundred, TLS line, counts
    (55, True, "ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"),
    (15, True, "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8"),
    (10, False, "ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"),
    (5, True, "ehlo=1 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=6"),
    (10, False, "ehlo=1 starttls=0/1 commands=1/2"),
    (5, False, "ehlo=1 auth=0/1 quit=1 commands=2/3"),
)


def session(rng: random.Random, number: int, pid: int, filler: int) -> Iterator[str]:
    """The lines of one session, without their time. `pid`: a process that serves nobody else."""
    host = rng.choice(HOSTS)
    peer = f"{host}[203.0.{rng.randrange(256)}.{rng.randrange(256)}]"
    shape = rng.choices(SHAPES, [s[0] for s in SHAPES])[0]
    smtpd = f"mx postfix/smtpd[{pid}]: "
    queue = f"{number:08X}{rng.randrange(4096):03X}"
    yield f"{smtpd}connect from {peer}"
    if shape[1]:
        yield (
            f"{smtpd}Anonymous TLS connection established from {peer}: TLSv1.3 with cipher "
            "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS"
        )
    elif "starttls=0" in shape[2]:
        yield f"{smtpd}SSL_accept error from {peer}: -1"
        yield f"{smtpd}warning: TLS library problem: error:0A00010B:SSL routines::wrong version"
        yield f"{smtpd}lost connection after STARTTLS from {peer}"
    if "mail=1" in shape[2]:
        yield f"{smtpd}{queue}: client={peer}"
        yield f"mx postfix/cleanup[{pid + 5000}]: {queue}: message-id=<{number}.{queue}@{host}>"
        yield f"mx postfix/qmgr[900]: {queue}: from=<u{number}@{host}>, size=4711, nrcpt=1 (active)"
        for recipient in range(filler + 1):
            yield (
                f"mx postfix/lmtp[{pid + 9000}]: {queue}: to=<u{recipient}@example.org>, "
                "relay=mx[private/dovecot], delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, "
                f"status=sent (250 2.0.0 <u{recipient}@example.org> {queue} Saved)"
            )
        yield f"mx postfix/qmgr[900]: {queue}: removed"
    yield f"{smtpd}disconnect from {peer} {shape[2]}"


def write(path: Path, sessions: int, megabytes: int) -> int:
    """A log of so many sessions, two thousand of them open at a time; its size in octets."""
    rng = random.Random(3207)
    filler = max(0, round((megabytes * 1e6 / sessions - 1050) / 170))
    waiting: list[tuple[float, int, int, Iterator[str]]] = []
    free = list(range(1000, 3000))
    began, written, clock = 0, 0, 0.0
    with path.open("w") as file:
        while began < sessions or waiting:
            while began < sessions and len(waiting) < 2000:
                pid = free.pop()
                lines = session(rng, began, pid, filler)
                heapq.heappush(waiting, (clock + rng.random(), began, pid, lines))
                began += 1
            clock, number, pid, lines = heapq.heappop(waiting)
            line = next(lines, None)
            if line is None:
                free.append(pid)
                continue
            second = int(clock)
            written += file.write(
                f"Nov {1 + second // 86400 % 28:2} {second // 3600 % 24:02}:{second // 60 % 60:02}:"
                f"{second % 60:02} {line}\n"
            )
            heapq.heappush(waiting, (clock + rng.random(), number, pid, lines))
    return written


def processor() -> float:
    """Seconds of processor time that this process and its children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(name: str, size: int, work: Callable[[], object]) -> tuple[float, float]:
    """Do it, and tell how long it took, and how much processor time, which bears a busy machine."""
    began, used = time.perf_counter(), processor()
    said = work()
    took, used = time.perf_counter() - began, processor() - used
    megabytes = size / 1e6
    print(
        f"{name:32} {took:6.2f} s {megabytes / took:6.0f} MB/s   processor {used:6.2f} s "
        f"{megabytes / used:6.0f} MB/s   {said}",
        flush=True,
    )
    return took, used


def run(*command: str) -> Callable[[], str]:
    """A program, its output thrown away: through a pipe, as grep stops early at `/dev/null`."""

    def work() -> str:
        piped = ("sh", "-c", '"$@" 2>/dev/null | cat >/dev/null', "sh", *command)
        done = subprocess.run(piped)
        return "" if done.returncode in (0, 1) else f"exit {done.returncode}"

    return work


def summary(path: Path, workers: int) -> Callable[[], str]:
    """Verdicts of all sessions, counted."""

    def work() -> str:
        counts = collections.Counter(
            (t.verdict.tls, t.verdict.second_ehlo)
            for t in tally.verdicts(path, maillog.read, workers=workers) or ()
        )
        return f"{counts.total()} sessions, {counts['established', 'sent']} with a second EHLO"

    return work


def problems(path: Path) -> Callable[[], str]:
    """All that `--only-problems` does, but for the terminal."""

    def work() -> str:
        shown, page = view("annotated"), Page()
        assert shown.cast is not None
        found = formats.sifted(path, lambda verdict: verdict.problem)
        casting = Casting(shown, page, Veil())
        sessions = casting.all(found, lambda verdict: verdict.problem, 500)
        octets = sum(len(piece.encode()) for piece in shown.cast(sessions, page))
        return f"{octets / 1e6:.1f} MB shown"

    return work


def one_session(path: Path, megabytes: float = 1.0) -> int:
    """A dialogue of swaks with many recipients; its size in octets."""
    head, more, tail = DIALOGUE.split("...\n")
    lines = [head]
    size = len(head) + len(tail)
    while size < megabytes * 1e6:
        lines.append(more.format(len(lines)))
        size += len(lines[-1])
    path.write_text("".join(lines) + tail)
    return size


DIALOGUE = """\
=== Connected to mx.example.com.
<-  220 mx.example.com ESMTP
 -> EHLO client.example.org
<-  250-mx.example.com
<-  250-PIPELINING
<-  250 STARTTLS
 -> STARTTLS
<-  220 2.0.0 Ready to start TLS
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
 ~> EHLO client.example.org
<~  250-mx.example.com
<~  250 SIZE 10240000
 ~> MAIL FROM:<a@example.org>
<~  250 2.1.0 Ok
...
 ~> RCPT TO:<somebody.with.a.long.name.{0:06}@department.example.com>
<~  250 2.1.5 Ok, recipient {0:06} is accepted and will have the message
...
 ~> QUIT
<~  221 2.0.0 Bye
=== Connection closed with remote host.
"""


def shown(path: Path, checkout: Path) -> Callable[[], str]:
    """The default view of a file, by some checkout of this project."""

    def work() -> str:
        command = [sys.executable, "-m", "simulator", "explain", str(path)]
        said = subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout
        return f"{len(said) / 1e3:.0f} KB shown"

    return work


def each_format(folder: Path) -> Iterator[bool]:
    """A megabyte of the samples of each format, summarised."""
    for kind in formats.known():
        samples = "".join(sample.log.strip("\n") + "\n" for sample in kind.samples)
        if not samples:
            continue
        path = folder / f"{kind.name}.log"
        path.write_text(samples * (1 + 1_000_000 // len(samples)))
        size = path.stat().st_size
        count = functools.partial(_count, path, kind.name)
        _, used = timed(f"  {kind.name}, summarised", size, count)
        yield target(f"  {kind.name}: MB/s a core", size / 1e6 / used, 10, "MB/s")


def _count(path: Path, name: str) -> str:
    return f"{sum(1 for _ in formats.verdicts(path, format=name))} sessions"


def main() -> int:
    """Measure, and say whether the limits are kept."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--old", type=Path, help="a checkout to compare the default view with")
    ask.add_argument("--megabytes", type=int, default=200)
    ask.add_argument("--sessions", type=int, default=100_000)
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.log"
        size = write(path, given.sessions, given.megabytes)
        print(f"{size / 1e6:.0f} MB, {given.sessions} sessions")
        timed("grep -c 'disconnect from'", size, run("grep", "-c", "disconnect from", str(path)))
        one, used = timed("ehlo-twice, verdicts, one core", size, summary(path, 1))
        two, _ = timed("ehlo-twice, verdicts, two cores", size, summary(path, 2))
        kept = [target("one core beside two", one / two, 2)]
        _, asked = timed("ehlo-twice, --only-problems", size, problems(path))
        kept.append(target("one core beside --only-problems", used / asked, 0.5, "as fast"))
        if shutil.which("pflogsumm"):
            _, other = timed("pflogsumm", size, run("pflogsumm", str(path)))
            kept.append(target("pflogsumm beside one core", other / used, 11))
        if shutil.which("lnav"):
            lnav = ("lnav", "-n", "-c", ":quit", str(path))
            timed("lnav, which prints all of it", size, run(*lnav))
            _, other = timed("lnav -q", size, run(*lnav[:2], "-q", *lnav[2:]))
            kept.append(target("lnav -q beside one core", other / used, 2))
        kept += each_format(Path(folder))
        long = Path(folder) / "session.log"
        size = one_session(long)
        here = Path(__file__).resolve().parents[1]
        _, used = timed("a session of 1 MB, shown", size, shown(long, here))
        if given.old:
            _, other = timed("the same, by the other checkout", size, shown(long, given.old))
            kept.append(target("the other checkout beside this one", other / used, 5))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at its most: {peak:.0f} MB (target 150)")
    return 0 if peak < 150 and all(kept) else 1


def target(what: str, ratio: float, wanted: float, unit: str = "times as long") -> bool:
    """Tell how many times as long it takes, and whether that is enough."""
    missed = "" if ratio >= wanted else ", MISSED"
    print(f"{what}: {ratio:.2f} {unit} (target {wanted}{missed})", flush=True)
    return ratio >= wanted


if __name__ == "__main__":
    sys.exit(main())
