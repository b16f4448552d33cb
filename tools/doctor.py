"""What the chores need and pip cannot bring: is it there, what is it for, how does one get it?

    python tools/doctor.py                  # everything
    python tools/doctor.py node port-8000   # what is named: silent where there, else exit code 2

Needs no environment: any Python 3 runs it, before anything is set up. `make doctor` does.
"""

from __future__ import annotations

import platform
import shutil
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)


class Lines(NamedTuple):
    """What to type, by system. Ubuntu, Mint and their like count as Debian."""

    Debian: str
    Fedora: str
    macOS: str  # noqa: N815 - as it is written
    Windows: str


class Tool(NamedTuple):
    """Something that must be on the machine: one of its programs is, or not."""

    programs: tuple[str, ...]
    purpose: str
    install: Lines


TOOLS = {
    "git": Tool(
        ("git",),
        "getting the project; the tests of what is committed",
        Lines(
            "apt install git", "dnf install git", "xcode-select --install", "winget install Git.Git"
        ),
    ),
    "make": Tool(
        ("make",),
        "every chore; without it: the table in README.md",
        Lines("apt install make", "dnf install make", "xcode-select --install", "wsl --install"),
    ),
    "node": Tool(
        ("npm",),
        "make site, serve, check-site, lighthouse, slides, handout, workshop, hub",
        Lines(
            "apt install nodejs npm",
            "dnf install nodejs-npm",
            "brew install node",
            "winget install OpenJS.NodeJS.LTS",
        ),
    ),
    "chromium": Tool(
        BROWSERS,
        "make slides, handout, workshop, check-site, lighthouse",
        Lines(
            "apt install chromium",
            "dnf install chromium",
            "brew install --cask google-chrome",
            "winget install Google.Chrome",
        ),
    ),
    "uv": Tool(
        ("uv",),
        "make lock",
        Lines(
            "pipx install uv", "dnf install uv", "brew install uv", "winget install astral-sh.uv"
        ),
    ),
    "tshark": Tool(
        ("tshark",),
        "tests of captures; skipped without it",
        Lines(
            "apt install tshark",
            "dnf install wireshark-cli",
            "brew install wireshark",
            "winget install WiresharkFoundation.Wireshark",
        ),
    ),
    "swaks": Tool(
        ("swaks",),
        "tests against another client; skipped without it",
        Lines("apt install swaks", "dnf install swaks", "brew install swaks", "wsl --install"),
    ),
}

VENV = Lines(
    "apt install python3-venv",
    "dnf install python3",
    "brew install python",
    "winget install Python.Python.3.13",
)

NO_WHEELS = {("Darwin", "x86_64"), ("Windows", "ARM64")}
"""Systems and processors for which the locked cryptography has no wheel."""


def found(tool: Tool) -> str | None:
    """Where the first of its programs is."""
    return next(filter(None, map(shutil.which, tool.programs)), None)


def browser() -> str | None:
    """The browser that prints and is looked at."""
    return found(TOOLS["chromium"])


def system() -> str:
    """Which of those systems this is; Debian where nothing says otherwise."""
    named = {"Darwin": "macOS", "Windows": "Windows"}.get(platform.system())
    if named:
        return named
    return "Fedora" if shutil.which("dnf") else "Debian"


def lines(install: Lines) -> str:
    """How to get it, on each system."""
    return "; ".join(f"{name}: {line}" for name, line in install._asdict().items())


def tool(name: str) -> str | None:
    """What to say where it is missing."""
    told = TOOLS[name]
    if found(told):
        return None
    return f"{name} is missing ({told.purpose}). {lines(told.install)}"


def python() -> str | None:
    """What to say where this Python will not do."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it may be run by any
        here = platform.python_version()  # type: ignore[unreachable]
        return f"Python 3.11 or newer is needed, this is {here}. {lines(VENV)}"
    if not (find_spec("venv") and find_spec("ensurepip")):
        return f"{sys.executable} cannot make virtual environments. {lines(VENV)}"
    return None


def port(number: str) -> str | None:
    """What to say where somebody listens on that port already."""
    with socket.socket() as trial:
        # As a server would ask: one that has just been stopped is not in the way.
        if platform.system() != "Windows":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", int(number)))
        except (OSError, ValueError, OverflowError) as error:
            other = "make serve PORT=8001, make hub EHLO_HUB_PORT=9000"
            return f"port {number} cannot be had ({error}). Take another: {other}"
    return None


def wheels() -> str | None:
    """What to say where a package would have to be compiled."""
    kind = (platform.system(), platform.machine())
    if kind not in NO_WHEELS:
        return None
    return (
        f"the cryptography of the locks has no wheel for {' '.join(kind)}, and compiling it takes "
        "Rust and OpenSSL. Without the locks pip takes the newest that has one: "
        "pip install --only-binary cryptography ."
    )


def everything() -> int:
    """Say of each whether it is there; exit code 2 where what everybody needs is missing."""
    here = system()
    checks: dict[str, tuple[str, Callable[[], str | None]]] = {
        f"Python {platform.python_version()}": ("everything", python),
        "wheels": ("installing without a compiler", wheels),
        "port 8000": ("make serve, make hub, which take another", lambda: port("8000")),
    }
    failed = False
    for name, (purpose, check) in checks.items():
        problem = check()
        failed |= bool(problem) and check is not checks["port 8000"][1]
        print(f"{'there  ' if problem is None else 'MISSING'}  {name:<14}  {purpose}")
        if problem:
            print(f"{'':25}{problem}")
    for name, told in TOOLS.items():
        where = found(told)
        print(f"{'there  ' if where else 'missing'}  {name:<14}  {told.purpose}")
        if not where:
            print(f"{'':25}{getattr(told.install, here)}")
    return 2 if failed else 0


def main(arguments: list[str]) -> int:
    """Check what is named, or everything."""
    if not arguments:
        return everything()
    problems = []
    for name in arguments:
        kind, _, value = name.partition("-")
        if kind == "port":
            problems.append(port(value))
        elif kind == "python":
            problems.append(python())
        elif kind in TOOLS:
            problems.append(tool(kind))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    for problem in filter(None, problems):
        print(problem, file=sys.stderr)
    return 2 if any(problems) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
