"""Whoever stands between the peers: a relay that does to the cleartext what its policy says.

Once TLS is on it can only pass bytes on; that is the point of the experiments.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

from simulator import smtp, tls
from simulator.lab.policy import MiddleboxPolicy
from simulator.lab.tap import Tap
from simulator.lab.wire import LINGER, abort, reset
from simulator.session import Command, Remark, Reply, Side, Span

_CHUNK = 256 * 1024
_REPLY_LINES = 500
_PACKET = 1460
"""Octets that one packet of Ethernet leaves to TCP: 1,500, less the headers of IPv4 and TCP."""


class Middlebox:
    """The relay of one connection, which writes down on the tap what it does. While it is `blind`
    it passes on what comes as it comes, as it must inside TLS. `alone`: the client is a stranger,
    so nobody else writes down what crosses its leg of the way. `expected`: the server waits for
    the header of a proxy. `witnessed`: the server wrote down its replies as it gave them, and the
    client writes down nothing."""

    def __init__(
        self,
        policy: MiddleboxPolicy,
        tap: Tap,
        *,
        blind: bool = False,
        alone: bool = False,
        expected: bool = False,
        witnessed: bool = False,
    ) -> None:
        self.policy = policy
        self._tap = tap
        self._blind = blind
        self._alone = alone
        self._expected = expected
        self._witnessed = witnessed
        self._reply: list[bytes] = []
        self._asked = deque(["CONNECT"])
        self._message = False
        self._stopped: Side | None = None

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server: socket.socket,
    ) -> None:
        """Relay one connection to another one, that to the server, until either side closes."""
        far_reader, far_writer = await asyncio.open_connection(sock=server, limit=_CHUNK)
        self._near = writer
        self._tap.ends_in_front = writer.get_extra_info("ssl_object") is not None
        if self.policy.does == "proxy":
            far_writer.write(self._header())
        up = asyncio.create_task(self._relay(reader, far_writer, "server", self._up))
        down = asyncio.create_task(self._relay(far_reader, writer, "client", self._down))
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
                # Who does not go in time is shown out; nobody here asks why.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER):
                        for end in (writer, far_writer):
                            with contextlib.suppress(OSError):
                                await end.wait_closed()
            finally:
                for end in (writer, far_writer):
                    abort(end.transport)

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to: Side,
        line: Callable[[bytes], bytes],
    ) -> None:
        """Pass on what comes: line by line through `line` in the clear, as it is inside TLS."""
        held = b""
        while data := await _read(reader):
            if self._alone and to == "server":
                self._tap.crossed(to, data)
            held += data
            passing = b""
            while not self._blind and not self._tap.cut_by and (end := held.find(b"\n") + 1):
                passing += line(held[:end])
                held = held[end:]
            if self._drops(held, to):
                if to == "client":
                    self._tap.crossed(to, held, "server")
                held = b""
            elif self._blind or len(held) > _CHUNK:
                # A way on which nothing is altered has one leg on record.
                if not self._alone or self.policy.does != "nothing":
                    self._tap.crossed(to, held, "server")
                passing += held
                held = b""
            if passing:
                if self._alone and to == "client":
                    self._tap.crossed(to, passing)
                writer.write(passing)
                await writer.drain()

    def _drops(self, data: bytes, to: Side) -> bool:
        """Is nothing let through that way any more, since what crossed it was too large?"""
        does = self.policy.does
        if does == "drop-large-hello" and to == "server" and self._blind:
            if tls.client_random(data):
                large = tls.HEADER + int.from_bytes(data[3 : tls.HEADER]) > _PACKET
                self._stopped = to if large else None
        elif does == "drop-large-packets" and to == "client" and self._blind:
            # TCP fills its packets, here what is read at once. The last is smaller and would get
            # through, but behind a gap it is of no use to the other side.
            if len(data) > _PACKET:
                self._stopped = to
        return self._stopped == to

    def _up(self, line: bytes) -> bytes:
        """What the server gets for a line of the client."""
        verb, _ = smtp.parse_command(line.rstrip(b"\r\n").decode("latin-1"))
        if self._message:
            self._message = line != b".\r\n"
            verb = "" if self._message else "."
        if verb or not self._message:
            self._asked.append(verb)
        if self.policy.does == "cut" and verb == self.policy.at:
            self._tap.cut_by = "middlebox"
            reset(self._near.transport)
            return b""
        if self.policy.does == "inject-command" and verb == "STARTTLS":
            return self._injected(line)
        self._tap.crossed("server", line, "server")
        return line

    def _header(self) -> bytes:
        """What a proxy says before all else. A server that expects it answers nothing; another one
        takes it for a command."""
        if not self._expected:
            return self._injected(b"")
        header = "".join(f"{line}\r\n" for line in self.policy.lines).encode()
        span = self._tap.crossed("server", header, "server")
        text = header.decode().strip()
        self._tap.happened(
            Remark(at=self._tap.now(), by="middlebox", raw=header, wire=(span,), text=text)
        )
        return header

    def _injected(self, before: bytes) -> bytes:
        """Commands put behind that line of the client's, in the same write."""
        raws = [f"{line}\r\n".encode() for line in self.policy.lines]
        span = self._tap.crossed("server", b"".join([before, *raws]), "server")
        start = span.start + len(before)
        for line, raw in zip(self.policy.lines, raws, strict=True):
            verb, argument = smtp.parse_command(line)
            self._asked.append(verb)
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
        return b"".join([before, *raws])

    def _down(self, line: bytes) -> bytes:
        """What the client gets for a line of the server: nothing until the reply is complete."""
        span = self._tap.crossed("client", line, "server")
        self._reply.append(line)
        parsed = smtp.parse_reply_line(line.rstrip(b"\r\n").decode("latin-1"))
        if parsed and parsed.more and len(self._reply) < _REPLY_LINES:
            return b""
        whole = b"".join(self._reply)
        self._reply.clear()
        asked = self._asked.popleft() if self._asked else ""
        code = parsed.code if parsed else 0
        self._blind = asked == "STARTTLS" and code == 220
        self._message = asked == "DATA" and code == 354
        return self._changed(whole, asked, span.end)

    def _changed(self, reply: bytes, asked: str, end: int) -> bytes:
        """What the client gets in place of the server's reply."""
        does = self.policy.does
        if does == "inject-reply" and asked == "STARTTLS" and reply.startswith(b"220"):
            replies = [""]
            for line in self.policy.lines:
                replies[-1] += f"{line}\r\n"
                if line[3:4] != "-":
                    replies.append("")
            self._tap.forged += [forged.encode() for forged in replies if forged]
            return reply + "".join(replies).encode()
        if asked != "EHLO" or not reply.startswith(b"250"):
            return reply
        lines = [line[4:] for line in reply.decode("latin-1").splitlines()]
        name, listed = lines[0], lines[1:]
        if does == "strip":
            struck = {line.upper() for line in self.policy.lines} or {"STARTTLS"}
            listed = [line for line in listed if struck.isdisjoint({line.upper(), _keyword(line)})]
        elif does == "mask":
            listed = ["XXXXXXXA" if line.upper() == "STARTTLS" else line for line in listed]
        elif does == "add-keywords":
            listed = [*listed, *self.policy.lines]
        if [name, *listed] == lines:
            return reply
        given = Reply(
            at=self._tap.now(),
            by="server",
            lost=True,
            raw=reply,
            wire=(Span(link="server", to="client", start=end - len(reply), end=end),),
            code=250,
            lines=tuple(lines),
        )
        if not self._witnessed:
            self._tap.happened(given)
        last = len(listed)
        forged = "".join(
            f"250{'-' if i < last else ' '}{line}\r\n" for i, line in enumerate([name, *listed])
        ).encode("latin-1")
        self._tap.forged.append(forged)
        if self._witnessed:
            self._tap.replaced(given)
            self._tap.happened(
                Reply(
                    at=self._tap.now(),
                    by="middlebox",
                    raw=forged,
                    code=250,
                    lines=(name, *listed),
                )
            )
        return forged


def _keyword(line: str) -> str:
    return line.upper().partition(" ")[0]


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Whatever is there; nothing at the end."""
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""
