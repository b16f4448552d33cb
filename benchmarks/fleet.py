"""Logs of a fleet: forty files on a cluster beside one process, and with a worker killed.

    python -m benchmarks.fleet [--files 40] [--megabytes 50] [--workers 2] [--keep]

A scheduler and the workers run as processes of their own, on this machine; each file is a copy of
one of four logs. Said are seconds and megabytes a second of all files by one process, by the
cluster, and by the cluster while a worker is killed in the middle, whose counts have to be the
same. With --keep the figures go to where the site has them from.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import distributed

from benchmarks import logs
from simulator import fleet, formats
from simulator.summary import Summary, summarise

DIFFERENT = 4
KEPT = Path(__file__).resolve().parents[1] / "docs" / "data" / "fleet.json"


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler and its workers; gives the address."""
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *where]]
    commands += [
        [*dask, "worker", *where, "--nthreads", "1", "--local-directory", str(folder / f"w{n}")]
        for n in range(workers)
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(command, **quiet) for command in commands]  # type: ignore[call-overload]
    try:
        with distributed.Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(workers, timeout=60)
            address = client.scheduler.address
        yield address
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def processor() -> str:
    """What the machine calls its processor."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text("utf-8").splitlines() if about.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def told(name: str, size: int, began: float, total: Summary) -> float:
    """Say how long it took; gives the seconds."""
    took = time.perf_counter() - began
    print(f"{name}: {took:.1f} s, {size / took / 1e6:.0f} MB/s, {total.sessions} sessions")
    return took


def main() -> int:
    """Measure; 1 where the counts differ."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--files", type=int, default=40)
    ask.add_argument("--megabytes", type=int, default=50)
    ask.add_argument("--workers", type=int, default=2)
    ask.add_argument("--keep", action="store_true", help=f"write {KEPT.name}")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = []
        for n in range(given.files):
            path = folder / f"{n:03}.log"
            if n < DIFFERENT:
                sessions = given.megabytes * 500 + n
                logs.write(path, sessions, given.megabytes)
            else:
                shutil.copy(paths[n % DIFFERENT], path)
            paths.append(str(path))
        size = sum(Path(path).stat().st_size for path in paths)
        print(f"{len(paths)} files, {size / 1e9:.2f} GB; {os.cpu_count()} cores")

        began = time.perf_counter()
        expected = sum(
            (summarise(t.verdict for t in formats.verdicts(Path(path))) for path in paths),
            Summary(),
        )
        alone = told("one process", size, began, expected)

        with cluster(given.workers, folder) as address:
            began = time.perf_counter()
            counted = sum((one.summary for one in fleet.summaries(paths, address)), Summary())
            took = told(f"{given.workers} workers", size, began, counted)
            print(f"that is {alone / took:.2f} times as fast; target {0.9 * given.workers:.1f}")

            with distributed.Client(address) as client:
                victim = next(iter(client.run(os.getpid).values()))
            began, killed = time.perf_counter(), Summary()
            for n, one in enumerate(fleet.summaries(paths, address)):
                if n == len(paths) // 2:
                    os.kill(victim, signal.SIGKILL)
                killed += one.summary
            less = told("a worker killed in the middle", size, began, killed)
    same = expected == counted == killed
    print("the counts are the same" if same else "THE COUNTS DIFFER")
    if given.keep and same:
        kept = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": {
                "processor": processor(),
                "cores": os.cpu_count(),
                "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
                "system": platform.system(),
                "python": platform.python_version(),
            },
            "files": len(paths),
            "gigabytes": round(size / 1e9, 2),
            "sessions": expected.sessions,
            "workers": given.workers,
            "seconds": {
                "alone": round(alone, 1), "together": round(took, 1), "killed": round(less, 1)
            },
        }  # fmt: skip
        KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return not same


if __name__ == "__main__":
    sys.exit(main())
