"""Debian's packages without root: one of our own, unpacked, and run in namespaces of a user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.conftest import IN_CI

pytestmark = [
    pytest.mark.needs("apt-get", "dpkg-deb", "ip", "ldd", "setpriv", "tar", "unshare"),
    pytest.mark.timeout(120),
]

SURVEY = Path(__file__).parents[2] / "survey"
NOBODY = 65534
TOOLS = ("sh", "cat", "chown", "env", "id", "ls", "touch", "unshare")
"""What the software's system has here."""

Words = tuple[str | Path, ...]


def somebody() -> list[str]:
    """The words that make who runs the tests an ordinary user."""
    if os.geteuid():
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def run(*words: str | Path) -> str:
    done = subprocess.run(
        [*somebody(), *words],
        # Without sbin, as users of Debian have it.
        env=os.environ | {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def cache() -> Iterator[Path]:
    """A folder of that user's, with the scripts; not pytest's own, into which nobody else gets."""
    granted = [*somebody(), "unshare", "--user", "--map-root-user", "--mount", "--net", "true"]
    if subprocess.run(granted, capture_output=True, check=False).returncode:
        told = "needs user namespaces, which this machine does not grant"
        if IN_CI:
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    made = Path(tempfile.mkdtemp(prefix="survey-test-"))
    for script in ("isolate.sh", "unpack.sh"):
        shutil.copy(SURVEY / script, made)
    (made / "recipe").mkdir()
    (made / "recipe" / "told.txt").write_text("told\n", encoding="utf-8")
    system(made / "base-here")
    repository(made / "repository", made / "base-here")
    for path in (made, *made.rglob("*")):
        if not path.is_symlink() and not os.geteuid():
            os.chown(path, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


def system(base: Path) -> None:
    """A system with a shell and little more, as `unpack.sh base` leaves one."""
    for folder in ("usr/bin", "etc/apt/preferences.d", "dev", "proc", "run", "var/lib/dpkg"):
        (base / folder).mkdir(parents=True)
    for folder in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (base / folder).mkdir(parents=True)
    for merged in ("bin", "sbin", "lib", "lib64"):
        (base / "usr" / merged).mkdir(exist_ok=True)
        (base / merged).symlink_to(f"usr/{merged}")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        shutil.copy(found, base / "usr/bin" / tool)
        for word in subprocess.check_output(["ldd", found], text=True).split():
            if word.startswith("/"):
                library = base / word.removeprefix("/")
                library.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, library)
    (base / "etc/passwd").write_text("root:*:0:0::/:/bin/sh\nmail:*:1000:1000::/:\n", "utf-8")
    (base / "etc/group").write_text("root:*:0:\nmail:*:1000:\n", encoding="utf-8")
    (base / "var/lib/dpkg/status").touch()
    # A day ago: what there is by now is another question.
    (base / ".made").touch()
    os.utime(base / ".made", (0, 0))


def repository(folder: Path, base: Path) -> None:
    """A repository of one package, from which that system gets its packages."""
    package = folder / "made"
    (package / "DEBIAN").mkdir(parents=True)
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    (package / "DEBIAN/control").write_text(
        f"Package: greeter\nVersion: 1.5\nArchitecture: {architecture}\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: it greets\n",
        encoding="utf-8",
    )
    # In /bin, as packages had it before the merge.
    (package / "bin").mkdir()
    greets = package / "bin/greet"
    greets.write_text("#!/bin/sh\necho 220 hello\n", encoding="utf-8")
    greets.chmod(0o4755)
    archive = folder / "greeter.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", package, archive], check=True)
    fields = subprocess.check_output(["dpkg-deb", "--field", archive], text=True)
    data = archive.read_bytes()
    (folder / "Packages").write_text(
        f"{fields}Filename: ./greeter.deb\nSize: {len(data)}\nSHA256: {sha256(data).hexdigest()}\n",
        encoding="utf-8",
    )
    source = f"deb [trusted=yes] copy:{folder} ./\n"
    (base / "etc/apt/sources.list").write_text(source, encoding="utf-8")


def build(cache: Path) -> None:
    run("sh", cache / "unpack.sh", "build", cache, "here", "greeter", "greeter")


def inside(cache: Path, script: str) -> str:
    words: Words = ("greeter", "mail.example.test", cache / "recipe", "sh", "-c", script)
    return run("sh", cache / "isolate.sh", "inside", cache, "here", *words)


def test_a_package_is_unpacked_and_known_and_lends_nobody_its_owners_rights(cache: Path) -> None:
    build(cache)
    there = cache / "greeter"
    assert there.joinpath("usr/bin/greet").stat().st_mode & 0o7777 == 0o755
    assert (there / "bin").readlink() == Path("usr/bin")
    status = (there / "var/lib/dpkg/status").read_text(encoding="utf-8")
    assert "Package: greeter\n" in status
    assert status.endswith("Status: install ok installed\n\n")
    assert not list(cache.glob("*.part"))
    # Once is enough.
    before = there.stat().st_mtime_ns
    build(cache)
    assert there.stat().st_mtime_ns == before


def test_it_runs_as_an_ordinary_user_with_nothing_but_loopback(cache: Path) -> None:
    build(cache)
    assert inside(cache, "$SURVEY_INTO sh -c 'greet; id -u; id -g; cat /survey/told.txt'") == (
        "220 hello\n1000\n1000\ntold\n"
    )
    # Whoever probes it is on the outside, and in the same network.
    interfaces = inside(cache, "ip -oneline link show up").splitlines()
    assert [line.split(":")[1].strip() for line in interfaces] == ["lo"]
    port = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
    assert inside(cache, port) == "0\n"
    devices = "echo lost >/dev/null; cat /dev/null; ls /dev"
    assert {"null", "pts", "random", "shm", "tty", "urandom", "zero"} <= set(
        inside(cache, f"$SURVEY_INTO sh -c '{devices}'").split()
    )


def test_every_account_is_the_one_user(cache: Path) -> None:
    build(cache)
    makes = "useradd -M greeter; touch /it; chown greeter:mail /it; id -u greeter; ls -l /it"
    told = inside(cache, f"$SURVEY_INTO sh -c '{makes}'").splitlines()
    assert told[0] == "1000"
    assert told[1].split()[2:4] == ["mail", "mail"]


def test_nothing_of_a_run_stays(cache: Path) -> None:
    build(cache)
    before = sorted(cache.rglob("*"))
    inside(cache, "$SURVEY_INTO sh -c 'echo x >/etc/left'; touch $TMPDIR/left")
    assert sorted(cache.rglob("*")) == before


def test_what_a_bare_system_mounts_is_gone_if_it_is_cut_short(cache: Path) -> None:
    """Else it would be the machine's own /proc that the next one removes with the rest."""
    script = cache / "debootstrap" / "usr" / "sbin" / "debootstrap"
    script.parent.mkdir(parents=True)
    script.write_text('mkdir -p "$4/proc"; mount -t tmpfs none "$4/proc"; : >"$4/proc/1"; exit 3\n')
    if not os.geteuid():
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", cache], check=True)
    isolate = f"sh {cache}/isolate.sh base {cache} bookworm && exit 1; cat /proc/self/mounts"
    mounts = run("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", isolate)
    assert (cache / "base-bookworm.part" / "proc").is_dir()
    assert "base-bookworm.part" not in mounts
