"""Programs that learners may hand in: one that is right, and many that are not."""

import sys
from pathlib import Path

SOLUTIONS = Path(__file__).parents[2] / "workshop" / "solutions"
CLIENT = (SOLUTIONS / "18.py").read_text(encoding="utf-8")
READER = (SOLUTIONS / "13.py").read_text(encoding="utf-8")

BODY = {
    "an endless loop": ("while True: pass", "time" if sys.platform == "win32" else "cpu"),
    "an endless sleep": ("import time; time.sleep(1000)", "time"),
    "an early exit": ("import sys; sys.exit(0)", "exit"),
    "a hard exit": ("import os; os._exit(3)", "exit"),
    "too much output": ("while True: print('x' * 100000)", "output"),
    "too much memory": ("x = bytearray(10**11)", "memory"),
    "endless recursion": ("f = lambda: f(); f()", "error"),
    "a client that is there already": ("import smtplib", "library"),
    "a folder": ("import os; os.listdir('/')", "error"),
    "another process": ("import os; os.fork()", "error"),
    "a command": ("import subprocess; subprocess.run(['true'])", "error"),
    "another host": ("import socket; socket.create_connection(('192.0.2.1', 25), 1)", "error"),
    "another port": ("import socket; socket.create_connection(('127.0.0.1', 1), 1)", "error"),
    "a file of ours": ("open('/etc/hostname').read()", "error"),
    "a new file": ("open('new', 'w').write('x')", "error"),
    "a signal to its parent": ("import os; os.kill(os.getppid(), 9)", "error"),
    "a keyboard interrupt": ("raise KeyboardInterrupt", "error"),
    "an error that cannot be told": (
        "class E(Exception):\n    def __str__(self): raise self\nraise E", "error",
    ),
}  # fmt: skip
"""What a program may do to us, and how that ends."""


def hostile(what: str, function: str) -> str:
    """A program whose function does that."""
    lines = BODY[what][0].split("\n")
    return f"def {function}(*anything):\n" + "".join(f"    {line}\n" for line in lines)
