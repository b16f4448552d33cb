"""Will this laptop do for the class? Run at home: python3 check.py (Windows: py check.py).

Este computador serve para a aula? Execute em casa: python3 check.py (Windows: py check.py).
"""

import importlib.util
import locale
import os
import platform
import shutil
import socket
import ssl
import sys

SERVED = ()
SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
MACHINES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
MEGABYTES = 900

TOLD = {
    "python": ("Python {0}, {1}", "Python {0}, {1}"),
    "not python": (
        "Python {0} on {1} is not in the kit, {2} is: install it, or tell the teacher now",
        "o Python {0} em {1} não está no kit, {2} está: instale ou avise já quem ensina",
    ),
    "venv": ("environments can be made (venv)", "ambientes podem ser criados (venv)"),
    "not venv": (
        "no venv here: install the package python3-venv (Debian, Ubuntu)",
        "falta o venv: instale o pacote python3-venv (Debian, Ubuntu)",
    ),
    "tls": ("TLS: {0}", "TLS: {0}"),
    "not tls": ("this Python's TLS is too old: {0}", "o TLS deste Python é antigo demais: {0}"),
    "loopback": ("programs may talk on 127.0.0.1", "programas podem conversar em 127.0.0.1"),
    "not loopback": (
        "a security program forbids 127.0.0.1 to Python: {0}",
        "um programa de segurança proíbe o 127.0.0.1 ao Python: {0}",
    ),
    "room": ("{0} MB free", "{0} MB livres"),
    "not room": ("only {0} MB free, {1} are needed", "só {0} MB livres, são necessários {1}"),
    "good": ("This laptop will do.", "Este computador serve."),
    "bad": ("This laptop will not do yet.", "Este computador ainda não serve."),
}


def main():
    """One line a question; 0 if all is well, else 1."""
    spoken = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    spoken.append(locale.getlocale()[0] or "")
    portuguese = next(filter(None, spoken), "").lower().startswith("pt")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    well = True
    for name, good, values in asked():
        well = well and good
        text = TOLD[name if good else "not " + name][portuguese]
        print(("ok  " if good else "--  ") + text.format(*values))
    print(TOLD["good" if well else "bad"][portuguese])
    return 0 if well else 1


def here():
    """The system, as the kit calls it."""
    machine = platform.machine().lower()
    system = SYSTEMS.get(platform.system(), platform.system())
    machine = MACHINES.get(machine, machine)
    if system == "macos" and machine == "aarch64":
        machine = "arm64"
    if system == "windows" and machine == "x86_64":
        machine = "amd64"
    return system + "-" + machine


def asked():
    """Each question: its name, whether the answer is good, and what the sentence needs."""
    python = "{}.{}".format(*sys.version_info[:2])
    mine = [one.split(" ")[1] for one in SERVED if one.split(" ")[0] == here()]
    others = ", ".join(mine) or ", ".join(sorted({one.split(" ")[0] for one in SERVED}))
    yield "python", here() + " " + python in SERVED, (python, here(), others)
    yield "venv", all(map(importlib.util.find_spec, ("venv", "ensurepip"))), ()
    yield "tls", ssl.OPENSSL_VERSION_INFO >= (1, 1, 1), (ssl.OPENSSL_VERSION,)
    try:
        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.settimeout(5)
            client.connect(server.getsockname())
        yield "loopback", True, ()
    except OSError as error:
        yield "loopback", False, (error,)
    free = shutil.disk_usage(".").free // 1000000
    yield "room", free >= MEGABYTES, (free, MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
