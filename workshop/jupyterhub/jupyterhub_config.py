"""One machine for a class: JupyterHub with the notebooks, each learner in a process of their own.

    make hub                             # set up and start: http://127.0.0.1:8000/
    make hub EHLO_HUB_IP=192.0.2.10 …    # for the room: wants a certificate, see below

Settings come from the environment:

EHLO_HUB_PASSWORD   what the class types; without it one is made up and shown at the start
EHLO_HUB_LEARNERS   how many names there are: learner01, learner02, … (30)
EHLO_HUB_LANG       language of the notebooks: en or pt_BR (en)
EHLO_HUB_NOTEBOOKS  a folder of notebooks to hand out instead
EHLO_HUB_IP, EHLO_HUB_PORT
                    where it listens (127.0.0.1, 8000); the two ports after it are the hub's own,
                    and from ten after it on each learner's server has one
EHLO_HUB_CERT, EHLO_HUB_KEY
                    certificate and key, in PEM; asked for wherever the room can reach the hub
EHLO_HUB_MEMORY     what one process of a learner may take: the server, or one notebook (512M)
EHLO_HUB_IDLE       seconds after which an idle learner's server is stopped (1800)
EHLO_HUB_FOLDER     where learners' files and the hub's own live (build/hub)

Started by root, it gives each learner a user number of their own, without an account, so that none
reads another's files. Started by anybody else, all learners are that user, as at one shared desk.
Either way whoever knows the password can sign in under any of the names: a class, not a service.
"""

import ipaddress
import os
import pwd
import resource
import secrets
import shutil
import stat
import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

c = get_config()  # noqa: F821

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EHLO_HUB_FOLDER") or ROOT / "build" / "hub").resolve()
LANGUAGE = os.environ.get("EHLO_HUB_LANG") or "en"
ADDRESS = os.environ.get("EHLO_HUB_IP") or "127.0.0.1"
CERTIFICATE, KEY = (os.environ.get(f"EHLO_HUB_{name}", "") for name in ("CERT", "KEY"))
NOTEBOOKS = Path(
    os.environ.get("EHLO_HUB_NOTEBOOKS") or ROOT / "notebooks" / LANGUAGE.replace("_", "-")
)

if not NOTEBOOKS.is_dir():
    sys.exit(f"EHLO_HUB_LANG={LANGUAGE}: no notebooks in {NOTEBOOKS}")
if not (CERTIFICATE and KEY) and not ipaddress.ip_address(ADDRESS).is_loopback:
    sys.exit(
        f"EHLO_HUB_IP={ADDRESS}: the class's password would cross the room in the clear. "
        "Name a certificate and its key: EHLO_HUB_CERT=… EHLO_HUB_KEY=…"
    )

LEARNERS = [
    f"learner{number:02}" for number in range(1, int(os.environ.get("EHLO_HUB_LEARNERS") or 30) + 1)
]
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

password = os.environ.get("EHLO_HUB_PASSWORD")
if not password:
    password = secrets.token_hex(4)
    sys.stderr.write(f"\n  The class signs in as learner01, learner02, … with: {password}\n\n")
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allowed_users = set(LEARNERS)

# --- where it listens -------------------------------------------------------------------------

port = int(os.environ.get("EHLO_HUB_PORT", 8000))
c.JupyterHub.bind_url = f"http{'s' if CERTIFICATE else ''}://{ADDRESS}:{port}"
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = CERTIFICATE, KEY
# What hub and proxy say to each other never leaves the machine.
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
c.ConfigurableHTTPProxy.command = [
    str(
        Path(os.environ.get("EHLO_HUB_PROXY") or SHARED / "node_modules")
        / ".bin"
        / "configurable-http-proxy"
    )
]
c.JupyterHub.cleanup_servers = True

# --- what a learner gets ----------------------------------------------------------------------


class Desk(SimpleLocalProcessSpawner):
    """A learner's place: a process, a folder with the notebooks, and so much memory.

    The sessions that notebooks play listen on loopback ports that the system hands out at that
    moment: no two learners meet.
    """

    def make_preexec_fn(self, name):
        """What happens in the new process before it becomes the learner's server."""
        enter, most = super().make_preexec_fn(name), int(self.mem_limit)
        number = NUMBERS.get(name)

        def preexec():
            enter()
            # Each process by itself, and what it starts.
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
            if number:
                os.setgroups([])
                os.setgid(number)
                os.setuid(number)

        return preexec


def furnish(spawner):
    """A port, and the notebooks, copied once: what a learner changed stays."""
    # A port of their own, below those that the system hands out: one picked at random would be
    # somebody's by the time a server on a busy machine gets round to it.
    spawner.port = port + 10 + LEARNERS.index(spawner.user.name)
    home = Path(spawner.home_dir)
    place = home / "notebooks"
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
c.Spawner.mem_limit = os.environ.get("EHLO_HUB_MEMORY") or "512M"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {"EHLO_TWICE_LANG": LANGUAGE, "MPLBACKEND": "agg"}
c.Spawner.args = [
    # A notebook nobody looks at gives its memory back before its server does.
    "--MappingKernelManager.cull_idle_timeout=900",
    "--MappingKernelManager.cull_interval=120",
    "--ServerApp.terminals_enabled=True",
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
            f"--timeout={os.environ.get('EHLO_HUB_IDLE') or 1800}",
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
