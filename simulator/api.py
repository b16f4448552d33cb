"""Sessions played or read, explained, set side by side: what programs, notebooks and the commands
ask for. What a person may call is handed on by `simulator` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast, get_args

import msgspec

from simulator import alignment, explainer, lab, notebook
from simulator.errors import Error
from simulator.explainer import Explanation
from simulator.lab import BadScenario, Scenario, arena
from simulator.notebook import Beside, Matrix, Shown
from simulator.session import Session

if TYPE_CHECKING:
    from simulator.formats import Source

TlsVersion = Literal["1.2", "1.3"]

Log = str | bytes | Path | IO[str] | IO[bytes] | Iterable[str] | Iterable[bytes]
"""A log: its text, its octets, a `Path`, an open file, or its lines one by one."""


class SeveralSessions(Error, ValueError):
    """A log holds more than one session where one was asked for."""


# --- what is played ----------------------------------------------------------------------------


def load(scenario: str | Path | Scenario, tls: str | None = None) -> Scenario:
    """A scenario by its name, from its TOML file, or as it is; with a client that speaks that TLS
    version. Raises `UnknownScenario`, `BadScenario`."""
    if not isinstance(scenario, str | Path | Scenario):
        raise BadScenario(
            f"{type(scenario).__name__} is no scenario: give a name, a Path or a Scenario"
        )
    found = scenario if isinstance(scenario, Scenario) else lab.load(scenario)
    if tls is None:
        return found
    if tls not in get_args(TlsVersion):
        spoken = " and ".join(map(repr, get_args(TlsVersion)))
        raise BadScenario(f"no TLS {tls!r}: the lab speaks {spoken}")
    client = msgspec.structs.replace(found.client, tls_version=cast("TlsVersion", tls))
    return msgspec.structs.replace(found, client=client)


def play(scenario: Scenario, *, now: bool = False) -> Explanation:
    """Play a scenario for real, and explain the session; `now` puts today's clock in place of the
    documented one. Raises `LabError`."""
    session = lab.play(scenario)
    if now:
        session = msgspec.structs.replace(session, started=datetime.now(UTC).astimezone())
    return explainer.explain(session)


def replay(
    scenario: str | Path | Scenario = "documented", *, tls: TlsVersion | None = None
) -> Shown:
    """Play a scenario for real over loopback, and explain the session.

    `scenario` is a name that `ehlo-twice scenarios` lists, a TOML file, a cell of the matrix
    (`client+server`, `client+server+middlebox`), or a `Scenario`; `tls` is the version that its
    client speaks. Raises `UnknownScenario`, `BadScenario`, `LabError`.

        replay("skipped-ehlo").verdict.second_ehlo_reply_code       # 503
    """
    return notebook.shown(play(load(scenario, tls)))


def matrix(middlebox: str = "nothing", *, done: Callable[[], None] = lambda: None) -> Matrix:
    """Play every client policy against every server policy, with `middlebox` between them.

    `middlebox` is `nothing`, `strip`, `mask`, `add-keywords`, `inject-command` or `inject-reply`.
    `done` is called after each session. Raises `BadScenario`, `LabError`.

        [cell.client for cell in matrix("strip").cells if cell.category == "fooled"]
    """
    arena.scenario("documented", "documented", middlebox)
    wanted = [names for names in arena.combinations() if names[2] == middlebox]
    sessions = arena.play_all(wanted, done)
    return Matrix(
        middlebox=middlebox,
        cells=tuple(
            arena.cell(*names, explainer.explain(session))
            for names, session in zip(wanted, sessions, strict=True)
        ),
    )


def sessions_of_matrix(middlebox: str) -> int:
    """How many sessions `matrix` plays. Raises `BadScenario`."""
    arena.scenario("documented", "documented", middlebox)
    return sum(names[2] == middlebox for names in arena.combinations())


# --- what is read ------------------------------------------------------------------------------


def read(
    log: Log,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
    formats_in: Iterable[Path] = (),
) -> Iterator[Session]:
    """The sessions of a log, one by one, as soon as each is complete.

    `log` is its text, its octets, a `Path`, an open file, or its lines one by one. A `str` is
    always the log itself. `format` is a name that `ehlo-twice formats` lists; without it the
    format is found out. `formats_in` are folders with formats of your own.
    Raises `CannotRead`, `NoSuchFormat`, `FormatError`.

        for session in read(Path("mail.log")): print(explain(session).outcome)
    """
    # Not at the top: what is only played needs no reader of logs.
    from simulator import formats

    return formats.read(_source(log), format=format, extra_dirs=formats_in)


def explain(
    log: Session | Explanation | Log,
    *,
    format: str | None = None,  # noqa: A002 - it is what the option is called
) -> Shown:
    """Explain a session: one that was read or played, or the only one of a log.

    `log` is a `Session`, or whatever `read` takes. Raises `SeveralSessions` where a log has more
    than one, and as `read` does.

        explain(Path("session.txt")).verdict.second_ehlo            # "missing"
    """
    if isinstance(log, Explanation):
        return notebook.shown(log)
    if isinstance(log, Session):
        return notebook.shown(explainer.explain(log))
    sessions = read(log, format=format)
    first = next(sessions, None)
    if first is None:
        raise _cannot_read("there is no session in it: its lines are empty")
    if next(sessions, None) is not None:
        raise SeveralSessions(
            "there is more than one session in it: explain each that `read` gives"
        )
    return notebook.shown(explainer.explain(first))


def _source(log: Log) -> Source:
    if isinstance(log, str):
        if log and len(log.split()) == 1 and "\n" not in log:
            raise _cannot_read(f"{log!r} is one word, and no log: a file is given as Path({log!r})")
        return log
    if isinstance(log, bytes | Path):
        return log
    if hasattr(log, "read"):
        return cast("IO[str] | IO[bytes]", log)
    if isinstance(log, Iterable):
        return cast("IO[str]", _Lines(log))
    raise _cannot_read(
        f"{type(log).__name__} is no log: give its text, its lines, a Path or an open file"
    )


def _cannot_read(why: str) -> Error:
    from simulator.formats import CannotRead

    return CannotRead(why)


class _Lines:
    """Lines, with or without their ends, as a file to be read."""

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        self._lines = iter(lines)

    def read(self, size: int = -1) -> str:
        """The next lines, about `size` characters of them."""
        taken: list[str] = []
        room = size
        while room and (line := next(self._lines, None)) is not None:
            if not isinstance(line, str | bytes):
                raise _cannot_read(f"{type(line).__name__} is no line of a log: a line is text")
            text = line if isinstance(line, str) else line.decode("utf-8", "replace")
            taken.append(text.rstrip("\r\n") + "\n")
            room = max(0, room - len(text)) if size > 0 else room
        return "".join(taken)


# --- side by side ------------------------------------------------------------------------------

Subject = str | Path | Scenario | Session | Explanation


def compare(
    left: Subject, right: Subject = "documented", *, tls: TlsVersion | None = None
) -> Beside:
    """Set two sessions side by side, event by event.

    Each is a scenario, which is played, or a `Session` or an `Explanation`; `tls` is for what is
    played. Raises as `replay` does.

        compare("lax-server", "skipped-ehlo").parting
    """
    one, other = (_subject(side, tls) for side in (left, right))
    found = alignment.compare(one[0], other[0], (one[1], other[1]))
    return Beside(left=found.left, right=found.right, titles=found.titles, pairs=found.pairs)


def _subject(subject: Subject, tls: str | None) -> tuple[Explanation, str]:
    if isinstance(subject, Explanation):
        return subject, ""
    if isinstance(subject, Session):
        return explainer.explain(subject), ""
    scenario = load(subject, tls)
    return play(scenario), scenario.prose("title", notebook.spoken())
