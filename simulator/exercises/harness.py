"""The inside of the sandbox, in a process of its own: limits first, then the learner's program.

Called as `python -I harness.py JOB`, where JOB is a JSON file: `program` (its text), `function`
(the name to call), `calls` (a list of argument lists; octets as {"hex": …}), `port` (the one port
on 127.0.0.1 it may connect to, or 0), `reads` (files it may read), `refuses` (modules that would do
the exercise), `result` (where to write what came back), and the limits `cpu` (seconds), `memory`
and `writes` (octets).

This keeps accidents in: an endless loop, a full disk, a call to the outside. It is no prison for
somebody who means harm; that somebody would have to be you.
"""

import json
import os
import sys

NAME = "your program"
"""What the learner's program is called in a traceback."""


class AlreadyAClient(ImportError):
    """A library that would do the exercise in the learner's place; the message is its name."""


def main() -> None:
    """Read the job, set the limits, run."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - starts faster
        job = json.load(file)
    result = open(job["result"], "w", encoding="utf-8")  # noqa: PTH123, SIM115
    limit(job)
    import importlib.util
    import selectors
    import socket
    import ssl
    import traceback

    del importlib.util, selectors, socket, ssl, traceback
    guard(job)
    space = {"__name__": "client", "__builtins__": __builtins__}
    json.dump(called(job["program"], job["function"], job["calls"], space), result)
    result.close()
    sys.stdout.flush()
    os._exit(0)


def called(program: str, function: str, calls: list, space: dict) -> dict:  # type: ignore[type-arg]
    """Run a program in that namespace and call its function: what the calls returned, as Python
    writes it, and what went wrong, if anything did, with its line."""
    import traceback

    answers = []
    try:
        exec(compile(program, NAME, "exec"), space)  # noqa: S102
        found = space.get(function)
        if not callable(found):
            raise NameError(f"the program defines no function {function!r}")
        for call in calls:
            given = [bytes.fromhex(a["hex"]) if isinstance(a, dict) else a for a in call]
            answers.append(repr(found(*given))[:200])
    except BaseException as error:
        where = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == NAME
        ]
        if isinstance(error, SyntaxError) and error.filename == NAME:
            where.append(error.lineno)
        told = {"error": type(error).__name__[:80], "line": where[-1] if where else 0}
        try:
            told["text"] = str(error)[:300]
        except BaseException:
            told["text"] = ""
        return {"answers": answers, **told}
    return {"answers": answers}


def limit(job: dict) -> None:  # type: ignore[type-arg]
    """Limits of the operating system, where it has them."""
    try:
        import resource
    except ImportError:
        return
    # The superuser is held by no limit on processes; the guard says no to them as well.
    # Past the first limit on its time a program ends by SIGXCPU, which tells why; past the second
    # by SIGKILL, which does not.
    for what, most, utmost in (
        (resource.RLIMIT_CPU, job["cpu"], job["cpu"] + 1),
        (resource.RLIMIT_AS, job["memory"], job["memory"]),
        (resource.RLIMIT_FSIZE, job["writes"], job["writes"]),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        try:
            resource.setrlimit(what, (most, utmost))
        except (ValueError, OSError):
            pass


def guard(job: dict) -> None:  # type: ignore[type-arg]
    """Refuse what a client of SMTP has no need of."""
    roots = tuple(
        {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, os.__file__[: -len("/os.py")])}
    )
    reads = {os.path.realpath(path) for path in job["reads"]}
    refused = tuple(job["refuses"])

    def library(path: object) -> bool:
        # Python looks for a module by listing folders; refused that, it says there is no such one.
        real = os.path.realpath(os.fsdecode(path)) if isinstance(path, str | bytes) else ""
        return any(real == root or real.startswith(root + os.sep) for root in roots)

    forbidden = (
        "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.kill",
        "os.killpg", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown",
        "os.link", "os.symlink", "os.truncate", "os.putenv", "os.startfile", "subprocess.Popen",
        "pty.spawn", "shutil.", "ctypes.", "socket.bind", "socket.sendto",
        "_posixsubprocess.", "signal.pthread_kill", "resource.", "sys.settrace",
        "winreg.", "_winapi.", "mmap.", "tempfile.",
    )  # fmt: skip

    def hook(event: str, arguments: tuple) -> None:  # type: ignore[type-arg]
        if event == "socket.connect":
            address = arguments[1]
            if not (isinstance(address, tuple) and address[:2] == ("127.0.0.1", job["port"])):
                raise PermissionError(f"a connection to {address!r} is not part of this exercise")
        elif event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                return
            writing = any(c in (mode or "r") for c in "wax+") or (
                mode is None and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            real = os.path.realpath(os.fsdecode(path))
            if writing or not (real in reads or library(path)):
                raise PermissionError(f"opening {os.fsdecode(path)[:100]!r} is not allowed here")
        elif event == "import" and arguments[0] in refused:
            raise AlreadyAClient(arguments[0])
        elif event in ("os.listdir", "os.scandir"):
            if not library(arguments[0]):
                raise PermissionError("looking into folders is not allowed here")
        elif event.startswith(forbidden):
            raise PermissionError(f"{event} is not allowed here")

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
