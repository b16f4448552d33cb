"""Where software is put: a virtual environment, a folder of npm's, an overlay; each only once."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from simulator.errors import Error
from simulator.language import N_, SOURCE, Text, say
from simulator.survey.software import Install, Software

DONE = ".installed"
NO_REASON = "A complete log of this run can be found in"
"""npm's last line, below the reason."""
SERVER_HOST, CLIENT_HOST = "mail.example.test", "client.example.test"


class Failed(Error, OSError):
    """A step did not come to its end: the message says which, and why."""


class NotHere(Error):
    """This machine lacks what is needed: the message says what. Nothing was done."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the software is: what comes before a command that is to run there, and around it."""

    before: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    environment: dict[str, str] = {}


def lacking(software: Software, language: str = SOURCE) -> str:
    """What this machine lacks for it, in words; empty if nothing."""
    install = software.install
    needed = {
        "python": (),
        "npm": ("npm", "node"),
        "debian": ("unshare", "ip", "dpkg-deb", "apt-get", *(("chroot", "wget") * is_root())),
        "program": (install.program,),
    }[_kind(install)]
    if install.debian and not is_root() and not software.rootless:
        return say(N_("needs root, for namespaces of its own (sudo)"), language)
    for program in needed:
        if shutil.which(program) is None:
            text = N_("needs {program}, which is not on this machine")
            return say(Text(text, {"program": program}), language)
    if install.debian and not _apart():
        text = N_("needs namespaces of its own, which this machine does not grant (unshare)")
        if not is_root():
            text = N_("needs root (sudo), or user namespaces, which this machine does not grant")
        return say(text, language)
    return ""


def is_root() -> bool:
    """May this process install Debian's packages?"""
    return hasattr(os, "geteuid") and os.geteuid() == 0


# What isolate.sh does in them; some machines grant namespaces, and then nothing in them.
_MOUNTS = """
mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mkdir /run/low /run/up /run/work &&
mount -t overlay overlay -o lowerdir=/run/low,upperdir=/run/up,workdir=/run/work /run/low
"""


@functools.cache
def _apart() -> bool:
    """Does this machine grant namespaces, to root or to this user, and mounts in them?"""
    user = () if is_root() else ("--user", "--map-root-user")
    spaces = ("--mount", "--uts", "--pid", "--net", "--ipc", "--fork")
    words = ["unshare", *user, *spaces, "--propagation", "private", "sh", "-c", _MOUNTS]
    tried = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - words of ours
    return tried.returncode == 0


def _kind(install: Install) -> str:
    return next(kind for kind in ("debian", "python", "npm", "program") if getattr(install, kind))


def install(software: Software, cache: Path, limit: float) -> Place:
    """Install it below `cache`, if it is not there yet. Raises `NotHere`, `Failed`."""
    # What is installed runs in other folders than this one.
    cache = cache.resolve()
    if lack := lacking(software):
        raise NotHere(lack)
    what = software.install
    key = sha256(msgspec.json.encode(what)).hexdigest()[:8]
    # One overlay for server and client that come out of the same packages.
    name = f"{(what.debian or (software.name,))[0]}-{key}"
    target = cache / name
    if not what.program:
        cache.mkdir(parents=True, exist_ok=True)
    match _kind(what):
        case "python":
            if not (target / DONE).exists():
                _venv(target, what.python, limit)
            return Place(paths=(str(target / ("Scripts" if os.name == "nt" else "bin")),))
        case "npm":
            if not (target / DONE).exists():
                _npm(target, what.npm, limit)
            modules = target / "node_modules"
            return Place(paths=(str(modules / ".bin"),), environment={"NODE_PATH": str(modules)})
        case "debian":
            # What was unpacked is no base for what is to be installed.
            script, there = ("isolate", cache) if is_root() else ("unpack", cache / "unpacked")
            there.mkdir(exist_ok=True)
            scripts = Path(software.folder).parent
            get = ["sh", str(scripts / f"{script}.sh")]
            put(f"base of {what.suite}", [*get, "base", str(there), what.suite], limit)
            put("packages", [*get, "build", str(there), what.suite, name, *what.debian], limit)
            host = SERVER_HOST if software.kind == "server" else CLIENT_HOST
            inside = ["sh", str(scripts / "isolate.sh"), "inside", str(there), what.suite]
            return Place(before=(*inside, name, host, software.folder))
    return Place()


def _venv(target: Path, packages: Sequence[str], limit: float) -> None:
    shutil.rmtree(target, ignore_errors=True)
    put("venv", [sys.executable, "-m", "venv", str(target)], limit)
    python = target / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    put("pip", [str(python), "-m", "pip", "install", *quiet, *packages], limit)
    (target / DONE).touch()


def _npm(target: Path, packages: Sequence[str], limit: float) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    put("npm", ["npm", "install", "--prefix", str(target), *quiet, *packages], limit)
    (target / DONE).touch()


def put(
    step: str, words: Sequence[str], limit: float, environment: dict[str, str] | None = None
) -> bytes:
    """Run one step to its end, within `limit` seconds: what it wrote to stdout.

    Whatever it started ends with it. Raises `Failed`, whose message is the last line of its
    errors, or of all that it wrote if it has none.
    """
    with subprocess.Popen(  # noqa: S603 - a step of a recipe
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{step}: not done after {limit:g} seconds") from None
        finally:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            if process.poll() is None:
                process.kill()
    if process.returncode:
        written = (errors.strip() or output.strip()).decode(errors="replace").splitlines()
        lines = [line for line in written if NO_REASON not in line]
        said = lines[-1] if lines else f"exit code {process.returncode}"
        raise Failed(f"{step}: {said}")
    return output
