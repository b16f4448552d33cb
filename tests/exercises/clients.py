"""Programs that learners may hand in: one that is right, and many that are not."""

import sys

CLIENT = """
import socket
import ssl


class Refused(Exception):
    pass


def send(host, port, server_name, authority, my_name, sender, recipient, text):
    connection = socket.create_connection((host, port), timeout=5)
    replies = connection.makefile("rb")

    def read(code):
        lines = []
        while True:
            line = replies.readline()
            if not line:
                raise Refused("gone")
            lines.append(line[4:].strip().decode())
            if line[3:4] != b"-":
                break
        if int(line[:3]) != code:
            raise Refused(line)
        return lines

    def ask(line, code):
        connection.sendall(line.encode() + b"\\r\\n")
        return read(code)

    read(220)
    offered = [line.split(" ")[0].upper() for line in ask(f"EHLO {my_name}", 250)[1:]]
    if "STARTTLS" not in offered:
        ask("QUIT", 221)
        return
    ask("STARTTLS", 220)
    context = ssl.create_default_context(cafile=authority)
    connection = context.wrap_socket(connection, server_hostname=server_name)
    replies = connection.makefile("rb")
    ask(f"EHLO {my_name}", 250)
    ask(f"MAIL FROM:<{sender}>", 250)
    ask(f"RCPT TO:<{recipient}>", 250)
    ask("DATA", 354)
    stuffed = "".join("." + l if l.startswith(".") else l for l in text.splitlines(True))
    ask(stuffed + ".", 250)
    ask("QUIT", 221)
"""

READER = """
def offers_starttls(reply: bytes) -> bool:
    keywords = [line[4:].split(b" ")[0].upper() for line in reply.split(b"\\r\\n")[1:] if line]
    return b"STARTTLS" in keywords
"""

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
