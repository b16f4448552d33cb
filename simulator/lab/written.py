"""A client that somebody wrote: a few lines of Python that say what is sent, and when.

The lines are run as they are: only where nothing is to be lost, such as a worker of a web page.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.lab.client import Client, GivenUp
from simulator.lab.play import Lab
from simulator.lab.policy import Scenario
from simulator.lab.tap import Tap
from simulator.lab.wire import LineBroken, Nonsense
from simulator.language import N_, Text, Told
from simulator.session import Disconnect, Reply

MOST_COMMANDS = 200
"""Commands that such a client may send in one session."""

FILE = "client.py"


class BadCode(Told, ValueError):
    """The lines are no client: the message says in which line, and why."""


class Smtp:
    """What the lines of a client are given: one connection to the server.

    `keywords` are the EHLO keywords of the newest list, each with its parameters.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sent = 0
        self.keywords: dict[str, str] = client.keywords

    async def reply(self) -> Reply:
        """Read a reply, such as the greeting: its `code` and its `lines`."""
        return await self._client.reply()

    async def ask(self, line: object) -> Reply:
        """Send a command and read the reply. The list in that to EHLO is in `keywords` then."""
        if not isinstance(line, str) or not line.isascii() or not line.isprintable():
            raise ValueError(f"a command is one line of printable ASCII, not {line!r:.60}")
        self._sent += 1
        if self._sent > MOST_COMMANDS:
            raise ValueError(f"more than {MOST_COMMANDS} commands in one session")
        answer = await self._client.ask(line)
        if line.upper().startswith("EHLO") and answer.code == 250:
            self.keywords = {
                name.upper(): parameters
                for name, _, parameters in (each.partition(" ") for each in answer.lines[1:])
            }
        return answer

    async def handshake(self) -> None:
        """Begin TLS. What came in the clear behind the 220 is dropped, if the policy says so."""
        await self._client.begin_tls()

    async def message(self, text: str) -> Reply:
        """Send the message with its final dot, after DATA, and read the reply."""
        return await self._client.deliver(text)

    async def quit(self) -> None:
        """Send QUIT and read to the end."""
        await self._client.leave()


class Written(Client):
    """A client that does what those lines say; how it shakes hands its policy says."""

    def __init__(self, talk: Callable[[Smtp], Awaitable[object]], lab: Scenario, tap: Tap) -> None:
        super().__init__(lab.client, lab.mail, tap, lab.server.name)
        self._written = talk
        self.failed: BadCode | None = None

    async def _talk(self) -> None:
        if self.policy.tls == "implicit":
            await self._shake_hands()
        try:
            await self._written(Smtp(self))
        except (GivenUp, LineBroken, Nonsense, TimeoutError, asyncio.CancelledError):
            raise
        except Exception as problem:
            self.failed = _told(problem)
        if not any(isinstance(event, Disconnect) for event in self.tap.events):
            self._ended("client", "closed")


class WrittenLab(Lab):
    """The lab whose client runs those lines."""

    def __init__(self, scenario: Scenario, code: str) -> None:
        super().__init__(scenario)
        self._written = compiled(code)
        self._playing: Written | None = None

    @property
    def failed(self) -> BadCode | None:
        """What went wrong in the lines, if anything did."""
        return self._playing.failed if self._playing else None

    def _client(self, tap: Tap) -> Client:
        self._playing = Written(self._written, self.scenario, tap)
        return self._playing


def compiled(code: str) -> Callable[[Smtp], Awaitable[object]]:
    """The coroutine `talk` of those lines. Raises `BadCode`."""
    names: dict[str, Any] = {}
    try:
        exec(compile(code, FILE, "exec"), names)  # noqa: S102
    except SyntaxError as problem:
        raise BadCode(f"{FILE}:{problem.lineno}: {problem.msg}") from None
    except Exception as problem:
        raise _told(problem) from None
    talk = names.get("talk")
    if not asyncio.iscoroutinefunction(talk):
        text = N_("{file}: there is no `async def talk(smtp):`")
        raise BadCode(Text(text, {"file": FILE}))
    return talk


def _told(problem: Exception) -> BadCode:
    lines = [
        each.lineno for each in traceback.extract_tb(problem.__traceback__) if each.filename == FILE
    ]
    where = f"{FILE}:{lines[-1]}" if lines else FILE
    return BadCode(f"{where}: {type(problem).__name__}: {problem}")
