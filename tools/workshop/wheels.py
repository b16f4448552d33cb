"""Wheels for a room without network: what the locks name, for every laptop that may walk in.

Exactly the versions and hashes of `requirements/`, for each system and each Python. A package that
has no wheel for one of them is not left out in silence: it is returned, and the kit says so.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from packaging import tags
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "linux-x86_64": (
        "linux",
        "x86_64",
        (
            *(f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
        ),
    ),
    "linux-aarch64": (
        "linux",
        "aarch64",
        (
            *(f"manylinux_2_{minor}_aarch64" for minor in range(34, 16, -1)),
            *("manylinux2014_aarch64", "linux_aarch64"),
        ),
    ),
    "macos-arm64": ("darwin", "arm64", ("macosx_14_0_arm64",)),
    "macos-x86_64": ("darwin", "x86_64", ("macosx_14_0_x86_64",)),
    "windows-amd64": ("win32", "AMD64", ("win_amd64",)),
}
"""Each system: what Python calls it, its processor, and the tags of wheels that run there."""

FIRST, LAST = "0", "99"
"""A lock may tell the releases of one Python apart: these stand for the oldest and the newest."""

MISSING = re.compile(r"No matching distribution found for ([\w.-]+)==([\w.+!-]+)")
PLATFORM = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


class Target(NamedTuple):
    """One kind of laptop."""

    system: str
    python: str

    def __str__(self) -> str:
        return f"{self.system}, Python {self.python}"

    def environment(self, patch: str) -> dict[str, str]:
        """What markers are asked about, for one release of that Python."""
        name, machine, _ = SYSTEMS[self.system]
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.{patch}",
            "os_name": "nt" if name == "win32" else "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": PLATFORM[name],
            "platform_version": "",
            "python_full_version": f"{self.python}.{patch}",
            "python_version": self.python,
            "sys_platform": name,
            "extra": "",
        }

    def tags(self) -> frozenset[Tag]:
        """The tags of wheels that run there."""
        version = tuple(int(part) for part in self.python.split("."))
        name, machine, platforms = SYSTEMS[self.system]
        if name == "darwin":
            platforms = tuple(tags.mac_platforms((14, 0), machine))
        interpreter = f"cp{version[0]}{version[1]}"
        return frozenset(
            (
                *tags.cpython_tags(version, platforms=platforms),
                *tags.compatible_tags(version, interpreter, platforms),
            )
        )


TARGETS = tuple(Target(system, python) for system in SYSTEMS for python in PYTHONS)


def locked(text: str) -> list[str]:
    """The requirements of a lock, one a string, with their hashes."""
    joined = text.replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def wanted(requirements: list[str], target: Target, patch: str = LAST) -> list[str]:
    """Those that this kind of laptop needs, without markers and extras: each is fetched alone."""
    chosen = []
    for line in requirements:
        told, _, hashes = line.partition(" --hash=")
        requirement = Requirement(told)
        marker = requirement.marker
        if marker is None or marker.evaluate(target.environment(patch)):
            chosen.append(f"{requirement.name}{requirement.specifier} --hash={hashes}")
    return chosen


def download(
    requirements: list[str], target: Target, folder: Path, known: Sequence[str] = ()
) -> list[str]:
    """Fetch the wheels that are not in `folder` yet; returns what has none for that laptop.

    `known` are packages that are known to have none: they are not asked for again. Raises
    `CalledProcessError` where anything else goes wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = list(known)
    done = {" ".join(one) for one in served(sorted(folder.glob("*.whl")), requirements, target)}
    done.update(known)
    newest, oldest = (
        [line for line in wanted(requirements, target, patch) if " ".join(named(line)) not in done]
        for patch in (LAST, FIRST)
    )
    oldest = [line for line in oldest if line not in newest]
    for patch, needed in ((LAST, newest), (FIRST, oldest)):
        while needed:
            result = _pip(needed, target, patch, folder)
            found = MISSING.search(result.stderr)
            if result.returncode == 0 or found is None:
                result.check_returncode()
                break
            missing.append(f"{found[1]} {found[2]}")
            needed = [line for line in needed if not line.startswith(f"{found[1]}==")]
    return missing


def serve(wheels: list[Path], requirements: list[str], target: Target) -> set[Path]:
    """Of these wheels, those that this kind of laptop installs."""
    needed, there = names(requirements, target), target.tags()
    chosen = set()
    for path in wheels:
        name, version, _, offered = parse_wheel_filename(path.name)
        if (str(name), str(version)) in needed and offered & there:
            chosen.add(path)
    return chosen


def names(requirements: list[str], target: Target) -> set[tuple[str, str]]:
    """What this kind of laptop needs: names, as the index writes them, and versions."""
    return {named(line) for patch in (FIRST, LAST) for line in wanted(requirements, target, patch)}


def served(wheels: list[Path], requirements: list[str], target: Target) -> set[tuple[str, str]]:
    """What of it is there already."""
    there = (parse_wheel_filename(path.name) for path in serve(wheels, requirements, target))
    return {(str(name), str(version)) for name, version, _, _ in there}


def named(line: str) -> tuple[str, str]:
    """The name, as the index writes it, and the version of one line of a lock."""
    requirement = Requirement(line.partition(" --hash=")[0])
    return canonicalize_name(requirement.name), str(requirement.specifier).removeprefix("==")


def _pip(
    needed: list[str], target: Target, patch: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    # Fetched beside the folder and moved into it: another pip never sees half a wheel there.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as fetched:
        # pip takes requirements with hashes out of a file only.
        listed = Path(fetched) / "wanted.txt"
        listed.write_text("\n".join(needed) + "\n", encoding="utf-8")
        tags = [f"--platform={tag}" for tag in SYSTEMS[target.system][2]]
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"),
            *("--implementation=cp", f"--python-version={target.python}.{patch}", *tags),
            *(f"--dest={fetched}", f"--find-links={folder}", f"--requirement={listed}"),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        for wheel in Path(fetched).glob("*.whl"):
            wheel.replace(folder / wheel.name)
    return result
