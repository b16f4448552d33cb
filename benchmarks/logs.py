"""How fast a large mail log is read: verdicts for every session, beside what others take for less.

    python benchmarks/logs.py [--megabytes 200] [--sessions 100000]

Writes a Postfix log of interleaved sessions, then reads it with this project on one core and on
two, and, where they are installed, with grep -c, pflogsumm and lnav: all in one run, on one file.
"""

from __future__ import annotations

import argparse
import collections
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

from simulator.formats import tally

HOSTS = [f"h{n}.example.{top}" for n in range(400) for top in ("com", "net", "org")]
SHAPES = (
    # how many of a hundred, TLS line, counts
    (60, True, "ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"),
    (15, True, "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8"),
    (10, False, "ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"),
    (5, True, "ehlo=1 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=6"),
    (5, False, "ehlo=1 starttls=0/1 commands=1/2"),
    (5, False, "ehlo=1 auth=0/1 quit=1 commands=2/3"),
)


def session(rng: random.Random, number: int, filler: int) -> Iterator[str]:
    """The lines of one session, without their time."""
    host = rng.choice(HOSTS)
    peer = f"{host}[203.0.{rng.randrange(256)}.{rng.randrange(256)}]"
    pid = 1000 + number % 2000
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
    waiting: list[tuple[float, int, Iterator[str]]] = []
    began, written, clock = 0, 0, 0.0
    with path.open("w") as file:
        while began < sessions or waiting:
            while began < sessions and len(waiting) < 2000:
                heapq.heappush(waiting, (clock + rng.random(), began, session(rng, began, filler)))
                began += 1
            clock, number, lines = heapq.heappop(waiting)
            line = next(lines, None)
            if line is None:
                continue
            second = int(clock)
            written += file.write(
                f"Nov {1 + second // 86400 % 28:2} {second // 3600 % 24:02}:{second // 60 % 60:02}:"
                f"{second % 60:02} {line}\n"
            )
            heapq.heappush(waiting, (clock + rng.random(), number, lines))
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
            (t.verdict.tls, t.verdict.second_ehlo) for t in tally.verdicts(path, workers=workers)
        )
        return f"{counts.total()} sessions, {counts['established', 'sent']} with a second EHLO"

    return work


def main() -> int:
    """Measure, and say whether the limits are kept."""
    ask = argparse.ArgumentParser(description=__doc__)
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
        if shutil.which("pflogsumm"):
            _, other = timed("pflogsumm", size, run("pflogsumm", str(path)))
            kept.append(target("pflogsumm beside one core", other / used, 10))
        if shutil.which("lnav"):
            _, other = timed(
                "lnav -n -c ':quit'", size, run("lnav", "-n", "-c", ":quit", str(path))
            )
            kept.append(target("lnav beside one core", other / used, 1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at its most: {peak:.0f} MB (target 150)")
    return 0 if peak < 150 and all(kept) else 1


def target(what: str, ratio: float, wanted: float) -> bool:
    """Tell how many times as long it takes, and whether that is enough."""
    print(f"{what}: {ratio:.1f} times as long (target {wanted})")
    return ratio >= wanted


if __name__ == "__main__":
    sys.exit(main())
