"""What a server reads to which a line feed alone ends a line of a message, where the standard wants
CR and LF together (RFC 5321 §2.3.8): the way in of SMTP smuggling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from simulator import smtp
from simulator.session import AuthResponse, Command, Message

_KEPT = 1024 * 1024
"""Octets of a message that are kept to be told of."""

_LONGEST = 64 * 1024
"""Octets of a line that is too long that are kept."""


class LaxLines:
    """Reads for such a server from its first message on. `took` is told what stands in a message
    and is taken for the client's words.

    `known`: the client tells elsewhere where its messages end. Of a stranger's it cannot be known:
    one that has no CR at all, or behind which nothing has come yet, is taken to end where the
    server sees its end.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        took: Callable[[Command | AuthResponse | Message], None],
        *,
        known: bool,
    ) -> None:
        self._reader = reader
        self._took = took
        self._known = known
        self._begun = b""
        self._after_crlf = True
        self._has_crlf = False
        self._left = False
        self.piece = False
        """What is read now are octets behind BDAT."""
        self.inside = False
        """What is read now stands in a message without its end yet (RFC 5321 §4.1.1.4)."""
        self.came_from_message = False
        """The last line did."""
        self.second = False
        """The message that was read last began within another."""
        self._raw = bytearray()
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def begin(self) -> None:
        """A message begins, behind a line that was read."""
        self._raw.clear()
        self._size, self._has_crlf = 0, False

    async def read(self, size: int) -> bytes:
        """Octets of a line that is too long, or of a `piece` behind BDAT."""
        data = await self._reader.read(size)
        if self.piece:
            self._after_crlf = data.endswith(b"\r\n")
        else:
            self._begun = (self._begun + data)[-_LONGEST:]
        return data

    async def readline(self) -> bytes:
        """One line of a login."""
        line = await self._reader.readline()
        if self._comes_from_message(line):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self._took(AuthResponse(by="message", raw=line, text=text))
        return line

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """One command, or with CR and LF as separator one line of a message. Raises what
        `asyncio.StreamReader.readuntil` does."""
        line = await self._reader.readuntil(b"\n")
        whole, self._begun = self._begun + line, b""
        if separator == b"\n":
            if self._comes_from_message(whole):
                text = whole.decode("utf-8", "replace").rstrip("\r\n")
                verb, argument = smtp.parse_command(text)
                # aiosmtpd reads one line more than it serves.
                if not self._left:
                    self._took(Command(by="message", raw=whole, verb=verb, argument=argument))
                self._left = self._left or (verb == "QUIT" and not argument)
            return line
        if len(self._raw) < _KEPT:
            self._raw += whole
        dot = whole in (b".\r\n", b".\n")
        if dot:
            self.second = self.inside
            if self.inside:
                self._took(Message(by="message", raw=self.raw, size=self._size))
            self.inside = not self._is_end(whole)
        self._size += len(whole)
        self._after_crlf = whole.endswith(b"\r\n")
        self._has_crlf = self._has_crlf or self._after_crlf
        return line[: -2 if line.endswith(b"\r\n") else -1] + separator

    def _comes_from_message(self, line: bytes) -> bool:
        """Whether a line that is no text of a message stands in one, perhaps as its end."""
        self.came_from_message = self.inside
        is_end = self._after_crlf and line == b".\r\n"
        self.inside = self.inside and not is_end and (self._known or self._has_more)
        self._after_crlf = line.endswith(b"\r\n")
        return self.came_from_message

    def _is_end(self, dot: bytes) -> bool:
        if self._after_crlf and dot == b".\r\n":
            return True
        return not (self._known or (self._has_more and (self.inside or self._has_crlf)))

    @property
    def raw(self) -> bytes:
        """The octets of the message that was read last."""
        return bytes(self._raw)

    @property
    def _has_more(self) -> bool:
        return bool(self._reader._buffer)  # type: ignore[attr-defined]

    @property
    def reader(self) -> asyncio.StreamReader:
        """The reader that it reads from."""
        return self._reader
