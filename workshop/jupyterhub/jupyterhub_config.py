"""One machine for a class: JupyterHub with the notebooks, each learner in a process of their own.

    make hub                             # set up and start: http://127.0.0.1:8000/
    make hub-cert EHLO_HUB_IP=192.0.2.10      # once, for the room
    make hub EHLO_HUB_IP=192.0.2.10 EHLO_HUB_CERT=room.pem EHLO_HUB_KEY=room.key

Settings come from the environment:

EHLO_HUB_PASSWORD   one password for all names; without it each name has its own, made up once, with
                    slips to hand out: passwords.html in the folder below
EHLO_HUB_LEARNERS   how many names there are: learner01, learner02, … (30)
EHLO_HUB_LANG       language of the notebooks: en or pt_BR (en)
EHLO_HUB_NOTEBOOKS  a folder of notebooks to hand out instead
EHLO_HUB_IP, EHLO_HUB_PORT
                    where it listens: an address of this machine, or its name (127.0.0.1, 8000);
                    the two ports after it are the hub's own, and from ten after it on each
                    learner's server has one
EHLO_HUB_CERT, EHLO_HUB_KEY
                    certificate and key, in PEM; asked for wherever the room can reach the hub
EHLO_HUB_MEMORY     what one process of a learner may take: the server, or one notebook (512M)
EHLO_HUB_CPU        seconds of processor time after which one process is ended (1800)
EHLO_HUB_FILE       how large one file may grow (64M)
EHLO_HUB_DISK       what a learner's folder may hold; whose holds more is stopped (256M)
EHLO_HUB_PROCESSES  processes and threads a learner may have at once (200)
EHLO_HUB_IDLE       seconds after which an idle learner's server is stopped (1800)
EHLO_HUB_FOLDER     where learners' files and the hub's own live (build/hub)

Started by root, it gives each learner a user number of their own, without an account, so that none
reads another's files, and the limit on processes holds for each alone. Started by anybody else, all
learners are that user, as at one shared desk, with one limit on processes for all of them.
A class, not a service.
"""

import contextlib
import html
import json
import os
import pwd
import re
import resource
import secrets
import shutil
import signal
import socket
import ssl
import stat
import sys
import time
from hmac import compare_digest
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner

c = get_config()  # noqa: F821


def setting(name, default):
    """A setting, as the environment has it."""
    return os.environ.get(f"EHLO_HUB_{name}") or default


def refuse(name, value, why):
    """One line on what cannot be, and no hub."""
    sys.exit(f"EHLO_HUB_{name}={value}: {why}")


def number(name, default, least, most):
    """A whole number between two others."""
    value = setting(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", value) or not least <= int(value) <= most:
        refuse(name, value, f"a whole number from {least} to {most} is wanted")
    return int(value)


def octets(name, default):
    """So many octets, such as 512M or 2G."""
    value = setting(name, default)
    if not (found := re.fullmatch("([1-9][0-9]{0,8})([KMGT])", value)):
        refuse(name, value, "a size such as 512M or 2G is wanted")
    return int(found[1]) * 1024 ** (1 + "KMGT".index(found[2]))


def file(name):
    """A file that can be read, wherever the hub goes afterwards; nothing if none is named."""
    value = setting(name, "")
    if not value:
        return ""
    path = Path(value).expanduser().resolve()
    try:
        path.read_bytes()
    except OSError as error:
        refuse(name, value, f"{error.strerror} ({path})")
    return str(path)


ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(setting("FOLDER", ROOT / "build" / "hub")).resolve()
PROXY = Path(setting("PROXY", SHARED / "node_modules")).resolve()
LANGUAGE = setting("LANG", "en")
ADDRESS = setting("IP", "127.0.0.1")
CERTIFICATE, KEY = file("CERT"), file("KEY")
NOTEBOOKS = Path(setting("NOTEBOOKS", ROOT / "notebooks" / LANGUAGE.replace("_", "-"))).resolve()
PORT = number("PORT", 8000, 1024 if os.geteuid() else 1, 65000)
MEMORY, LARGEST, DISK = octets("MEMORY", "512M"), octets("FILE", "64M"), octets("DISK", "256M")
SECONDS = number("CPU", 1800, 10, 10**6)
PROCESSES = number("PROCESSES", 200, 50, 10**5)

if not NOTEBOOKS.is_dir():
    refuse("LANG", LANGUAGE, f"no notebooks in {NOTEBOOKS}")
try:
    [NUMBER, *_] = {found[4][0] for found in socket.getaddrinfo(ADDRESS, PORT, socket.AF_INET)}
except OSError as error:
    refuse("IP", ADDRESS, f"no address or name that this machine knows ({error.strerror})")
if not (CERTIFICATE and KEY) and not NUMBER.startswith("127."):
    refuse(
        "IP",
        ADDRESS,
        "passwords would cross the room in the clear. Make a certificate (make hub-cert "
        f"EHLO_HUB_IP={ADDRESS}), and name it and its key: EHLO_HUB_CERT=room.pem "
        "EHLO_HUB_KEY=room.key",
    )
if CERTIFICATE:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            CERTIFICATE, KEY or None
        )
    except (ssl.SSLError, OSError) as error:
        refuse("CERT", CERTIFICATE, f"not a certificate with its key ({error})")

LEARNERS = [f"learner{place:02}" for place in range(1, number("LEARNERS", 30, 1, 200) + 1)]
FIRST = 60600
NUMBERS = {name: FIRST + place for place, name in enumerate(LEARNERS)} if os.geteuid() == 0 else {}
"""User numbers, which only root can hand out; a notebook server refuses to run as root."""

if taken := [user.pw_name for user in pwd.getpwall() if user.pw_uid in NUMBERS.values()]:
    sys.exit(
        f"user numbers from {FIRST} on are those of {', '.join(taken)}: start the hub as another"
    )

real = Path(sys.executable).resolve()
for path in {real, *real.parents, *Path(sys.prefix).parents, *SHARED.parents, *ROOT.parents}:
    if NUMBERS and path.exists() and not path.stat().st_mode & stat.S_IXOTH:
        sys.exit(
            f"learners cannot get into {path}. Set up with a Python outside it (make hub "
            "PYTHON=/usr/bin/python3), or start the hub as an ordinary user"
        )

# The hub's database, its secrets and whatever learners write are nobody else's.
os.umask(0o077)
(SHARED / "learners").mkdir(parents=True, exist_ok=True)
for folder in (SHARED, SHARED / "learners"):
    folder.chmod(0o711)
os.chdir(SHARED)

# --- who comes in -----------------------------------------------------------------------------

SLIPS = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{address}</title>
<style>body{{font:15pt/1.5 sans-serif}}p{{border:1px dashed #888;margin:0;padding:6mm;float:left;
width:80mm;break-inside:avoid}}code{{font:600 16pt monospace}}</style>{slips}</html>"""


def passwords():
    """One for each name, made up once: a hub that starts again knows them still."""
    kept, known = SHARED / "passwords.json", {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(kept.read_text("utf-8"))
    found = {name: str(known.get(name) or secrets.token_hex(4)) for name in LEARNERS}
    kept.write_text(json.dumps(found, indent=1), "utf-8")
    slips = "".join(
        f"<p>{html.escape(BOUND)}<br><code>{name}<br>{word}</code></p>"
        for name, word in found.items()
    )
    page = SLIPS.format(language=LANGUAGE[:2], address=html.escape(BOUND), slips=slips)
    (SHARED / "passwords.html").write_text(page, "utf-8")
    return found


class Register(Authenticator):
    """The names of the class, and to each its password."""

    async def authenticate(self, handler, data):
        """The name, where the password is that name's."""
        name = self.normalize_username(data["username"])
        wanted = PASSWORDS.get(name)
        given = data["password"].strip().encode()
        return name if wanted and compare_digest(given, wanted.encode()) else None


BOUND = f"http{'s' if CERTIFICATE else ''}://{ADDRESS}:{PORT}"
if shared := os.environ.get("EHLO_HUB_PASSWORD"):
    if len(shared) < 8:
        refuse("PASSWORD", "…", "eight characters are the least; leave it out for one a name")
    PASSWORDS = dict.fromkeys(LEARNERS, shared)
else:
    PASSWORDS = passwords()
    place = SHARED / "passwords.html"
    sys.stderr.write(f"\n  {BOUND}/  learner01, learner02, …: slips to hand out in {place}\n\n")
c.JupyterHub.authenticator_class = Register
c.Authenticator.allowed_users = set(LEARNERS)

# --- where it listens -------------------------------------------------------------------------

c.JupyterHub.bind_url = BOUND
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = CERTIFICATE, KEY
# What hub and proxy say to each other never leaves the machine.
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [str(PROXY / ".bin" / "configurable-http-proxy")]
c.JupyterHub.cleanup_servers = True

# --- what a learner gets ----------------------------------------------------------------------


class Desk(SimpleLocalProcessSpawner):
    """A learner's place: a process, a folder with the notebooks, and so much of the machine.

    The sessions that notebooks play listen on loopback ports that the system hands out at that
    moment: no two learners meet.
    """

    ending = False
    """While it is being stopped, only its end counts."""

    def make_preexec_fn(self, name):
        """What happens in the new process before it becomes the learner's server."""
        enter = super().make_preexec_fn(name)
        own = NUMBERS.get(name)
        # At a shared desk the system counts all of the one user's together.
        together = PROCESSES if own else PROCESSES * (1 + len(LEARNERS))

        def preexec():
            enter()
            # Each process by itself, and what it starts.
            for what, most in (
                (resource.RLIMIT_DATA, MEMORY),
                (resource.RLIMIT_FSIZE, LARGEST),
                (resource.RLIMIT_CPU, SECONDS),
                (resource.RLIMIT_CORE, 0),
                (resource.RLIMIT_NPROC, together),
            ):
                _, utmost = resource.getrlimit(what)
                most = most if utmost == resource.RLIM_INFINITY else min(most, utmost)
                resource.setrlimit(what, (most, most))
            # The hub and its proxy come first, whatever the class computes.
            os.nice(10)
            if own:
                os.setgroups([])
                os.setgid(own)
                os.setuid(own)

        return preexec

    async def poll(self):
        """Whether it runs; whose folder outgrew the limit is stopped."""
        state = await super().poll()
        if state is None and not self.ending and held(Path(self.home_dir)) > DISK:
            self.log.warning("%s: the folder holds more than %s octets", self.user.name, DISK)
            await self.stop(now=True)
            return 1
        return state

    async def stop(self, now=False):
        """End the server, and whatever else of that learner still runs."""
        self.ending = True
        try:
            await super().stop(now=now)
        finally:
            self.ending = False
        if own := NUMBERS.get(self.user.name):
            end(own)


def held(folder):
    """The octets in a folder, links not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(place, name)).st_blocks * 512
    return total


def end(own):
    """Kill all processes of a user number: as that user, so that none is born meanwhile."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    try:
        os.setgid(own)
        os.setuid(own)
        for _ in range(20):
            os.kill(-1, signal.SIGKILL)
            time.sleep(0.01)
    except OSError:
        pass
    finally:
        os._exit(0)


def furnish(spawner):
    """A port, and the notebooks, copied once: what a learner changed stays."""
    # A port of their own, below those that the system hands out: one picked at random would be
    # somebody's by the time a server on a busy machine gets round to it.
    spawner.port = PORT + 10 + LEARNERS.index(spawner.user.name)
    home = Path(spawner.home_dir)
    place = home / "notebooks"
    if home.exists() and held(home) > DISK:
        raise RuntimeError(
            f"{spawner.user.name}'s folder holds more than {DISK // 1024**2} MB: have the teacher "
            f"make room in {home}"
        )
    if place.exists():
        return
    shutil.copytree(NOTEBOOKS, place, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    home.chmod(0o700)
    if number := NUMBERS.get(spawner.user.name):
        for path in (home, *home.rglob("*")):
            os.chown(path, number, number)


c.JupyterHub.spawner_class = Desk
c.SimpleLocalProcessSpawner.home_dir_template = str(SHARED / "learners" / "{username}")
c.Spawner.pre_spawn_hook = furnish
c.Spawner.notebook_dir = "~/notebooks"
c.Spawner.default_url = "/lab/tree/00-start.ipynb"
c.Spawner.mem_limit = MEMORY
c.Spawner.poll_interval = 10
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
TOOLS = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH") or os.defpath))
c.Spawner.environment = {"EHLO_TWICE_LANG": LANGUAGE, "MPLBACKEND": "agg", "PATH": TOOLS}
c.Spawner.args = [
    # A notebook nobody looks at gives its memory back before its server does.
    "--MappingKernelManager.cull_idle_timeout=900",
    "--MappingKernelManager.cull_interval=120",
    "--ServerApp.terminals_enabled=True",
    # No login shell: it would put another PATH in place of the one that has `ehlo-twice`.
    f"--ServerApp.terminado_settings={{'shell_command': [{shutil.which('bash') or '/bin/sh'!r}]}}",
    "--LabApp.news_url=None",
]
# A whole class presses the button at the same moment.
c.JupyterHub.concurrent_spawn_limit = 10
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300

# --- who leaves -------------------------------------------------------------------------------

c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            *(sys.executable, "-m", "jupyterhub_idle_culler"),
            f"--timeout={number('IDLE', 1800, 1, 10**6)}",
        ],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
