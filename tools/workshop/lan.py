"""Serve the kits to the room: one command, one address to type, nothing but what is in dist/.

It listens on the machine's own address in the room, or on the one that is named. Only the kits can
be fetched, and nothing can be sent.
"""

from __future__ import annotations

import contextlib
import html
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import Any
from urllib.parse import unquote

PORT = 8080


class NoRoom(Exception):
    """The room cannot be served: the message says why, and what to do."""


def offered(folder: Path) -> dict[str, Path]:
    """What learners may fetch: their zips and the check, by name. The teacher's zip is not."""
    found = {
        path.name: path
        for path in sorted(folder.glob("ehlo-twice-workshop-*"))
        if path.suffix in (".zip", ".py")
    }
    if not found:
        raise NoRoom("dist/ has no kit for learners: run `make workshop` first")
    return found


def own_address() -> str:
    """The address of this machine in the room. Raises `NoRoom`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            # Nothing is sent: the system only chooses the address that it would send from.
            asked.connect(("192.0.2.1", 9))
        except OSError:
            raise NoRoom(
                "this machine has no network to serve; name its address: "
                "make lan ADDRESS=192.168.0.10"
            ) from None
        found: str = asked.getsockname()[0]
        return found


def page(files: dict[str, Path]) -> bytes:
    """The list, in both languages."""
    rows = "".join(
        f'<li><a href="/{html.escape(name, quote=True)}">{html.escape(name)}</a> '
        f"({path.stat().st_size / 1e6:.1f} MB)</li>"
        for name, path in files.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>ehlo-twice</title>'
        "<style>body{font:20px/1.6 system-ui,sans-serif;max-width:40em;margin:2em auto}</style>"
        "<h1>ehlo-twice</h1><p>Take the zip of your system, unpack it, open START-HERE.html.</p>"
        '<p lang="pt-BR">Baixe o zip do seu sistema, descompacte e abra START-HERE.html.</p>'
        f"<ul>{rows}</ul></html>"
    ).encode()


def handler(files: dict[str, Path]) -> Callable[..., BaseHTTPRequestHandler]:
    """What answers a browser."""

    class Shelf(BaseHTTPRequestHandler):
        timeout = 60

        def do_GET(self) -> None:
            name = unquote(self.path.partition("?")[0])[1:]
            if not name:
                self._head(200, "text/html; charset=utf-8", len(page(files)))
                self.wfile.write(page(files))
            elif name in files:
                self._head(200, "application/octet-stream", files[name].stat().st_size)
                with files[name].open("rb") as file, contextlib.suppress(OSError):
                    copyfileobj(file, self.wfile)
            else:
                self._head(404, "text/plain", 0)

        def _head(self, code: int, kind: str, length: int) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Who fetched what is nobody's business."""

    return Shelf


def open_shelf(folder: Path, address: str, port: int = PORT) -> ThreadingHTTPServer:
    """A server that is ready to serve the kits. Raises `NoRoom`."""
    try:
        return ThreadingHTTPServer((address, port), handler(offered(folder)))
    except OSError as error:
        raise NoRoom(f"cannot listen on {address}, port {port}: {error.strerror}") from None


def serve(folder: Path, address: str = "") -> None:
    """Serve until somebody presses Ctrl+C; says the address to type. Raises `NoRoom`."""
    where = address or own_address()
    with open_shelf(folder, where) as shelf, contextlib.suppress(KeyboardInterrupt):
        print(f"http://{where}:{PORT}/   (Ctrl+C ends it)", flush=True)
        shelf.serve_forever()
