"""Whoever stands between the peers: a relay that does to the cleartext what its policy says.

Once TLS is on it can only pass bytes on; that is the point of the experiments.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from simulator import smtp
from simulator.lab.policy import MiddleboxPolicy
from simulator.lab.tap import Tap
from simulator.lab.wire import LINGER, reset
from simulator.session import Command, Reply, Span

_CHUNK = 256 * 1024


class Middlebox:
    """The relay of one connection, which writes down on the tap what it does."""

    def __init__(self, policy: MiddleboxPolicy, tap: Tap) -> None:
        self.policy = policy
        self._tap = tap
        self._blind = False
        self._reply: list[bytes] = []
        self._asked = ["CONNECT"]

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server: socket.socket,
    ) -> None:
        """Relay one connection to another one, that to the server, until either side closes."""
        far_reader, far_writer = await asyncio.open_connection(sock=server, limit=_CHUNK)
        self._near, self._far = writer, far_writer
        up = asyncio.create_task(self._to_server(reader))
        down = asyncio.create_task(self._to_client(far_reader))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                up.cancel()
            else:
                far_writer.close()
                await asyncio.wait({down}, timeout=1)
                down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            for task in (up, down):
                task.cancel()
            for end in (writer, far_writer):
                end.close()
            try:
                async with asyncio.timeout(LINGER):
                    for end in (writer, far_writer):
                        with contextlib.suppress(OSError):
                            await end.wait_closed()
            finally:
                for end in (writer, far_writer):
                    end.transport.abort()

    async def _to_server(self, reader: asyncio.StreamReader) -> None:
        while data := await _read(reader, whole_line=not self._blind):
            if not self._blind:
                verb, _ = smtp.parse_command(data.rstrip(b"\r\n").decode("latin-1"))
                self._asked.append(verb)
                if self.policy.does == "cut" and verb == self.policy.at:
                    self._tap.cut_by = "middlebox"
                    reset(self._near.transport)
                    return
                if self.policy.does == "inject-command" and verb == "STARTTLS":
                    await self._inject(data)
                    continue
            self._tap.crossed("server", data, "server")
            self._far.write(data)
            await self._far.drain()

    async def _inject(self, starttls: bytes) -> None:
        """Put commands behind the client's STARTTLS, in the same write."""
        raws = [f"{line}\r\n".encode() for line in self.policy.lines]
        span = self._tap.crossed("server", b"".join([starttls, *raws]), "server")
        start = span.start + len(starttls)
        for line, raw in zip(self.policy.lines, raws, strict=True):
            verb, argument = smtp.parse_command(line)
            self._tap.happened(
                Command(
                    at=self._tap.now(),
                    by="middlebox",
                    raw=raw,
                    wire=(Span(link="server", to="server", start=start, end=start + len(raw)),),
                    verb=verb,
                    argument=argument,
                )
            )
            start += len(raw)
        self._far.write(b"".join([starttls, *raws]))
        await self._far.drain()

    async def _to_client(self, reader: asyncio.StreamReader) -> None:
        while data := await _read(reader, whole_line=not self._blind):
            span = self._tap.crossed("client", data, "server")
            if self._blind:
                self._near.write(data)
                await self._near.drain()
                continue
            self._reply.append(data)
            parsed = smtp.parse_reply_line(data.rstrip(b"\r\n").decode("latin-1"))
            if parsed and parsed.more:
                continue
            whole = b"".join(self._reply)
            self._reply.clear()
            asked = self._asked.pop(0) if self._asked else ""
            self._near.write(self._changed(whole, asked, span.end))
            await self._near.drain()
            if asked == "STARTTLS" and parsed and parsed.code == 220:
                self._blind = True

    def _changed(self, reply: bytes, asked: str, end: int) -> bytes:
        """What the client gets in place of the server's reply."""
        does = self.policy.does
        if does == "inject-reply" and asked == "STARTTLS" and reply.startswith(b"220"):
            forged = "".join(f"{line}\r\n" for line in self.policy.lines).encode()
            self._tap.forged.append(forged)
            return reply + forged
        if asked != "EHLO" or not reply.startswith(b"250"):
            return reply
        lines = [line[4:] for line in reply.decode("latin-1").splitlines()]
        name, listed = lines[0], lines[1:]
        if does == "strip":
            listed = [line for line in listed if line.upper() != "STARTTLS"]
        elif does == "mask":
            listed = ["XXXXXXXA" if line.upper() == "STARTTLS" else line for line in listed]
        elif does == "add-keywords":
            listed = [*listed, *self.policy.lines]
        if [name, *listed] == lines:
            return reply
        self._tap.happened(
            Reply(
                at=self._tap.now(),
                by="server",
                lost=True,
                raw=reply,
                wire=(Span(link="server", to="client", start=end - len(reply), end=end),),
                code=250,
                lines=tuple(lines),
            )
        )
        last = len(listed)
        forged = "".join(
            f"250{'-' if i < last else ' '}{line}\r\n" for i, line in enumerate([name, *listed])
        ).encode("latin-1")
        self._tap.forged.append(forged)
        return forged


async def _read(reader: asyncio.StreamReader, *, whole_line: bool) -> bytes:
    """The next line, or in TLS whatever is there; nothing at the end."""
    try:
        return await (reader.readline() if whole_line else reader.read(_CHUNK))
    except (OSError, ValueError):
        return b""
