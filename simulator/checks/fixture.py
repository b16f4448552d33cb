"""What the fixture `smtp_lab` gives a test: a server of the lab, in a thread of its own."""

from __future__ import annotations

import asyncio
import email
import email.policy
import inspect
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
import pytest

from simulator.checks import client, report
from simulator.checks.cases import ClientCase, NoSuchCase, Result, chosen, client_cases
from simulator.explainer import Explanation, explain
from simulator.lab import arena, certificates
from simulator.lab.play import LabError
from simulator.lab.play import run as run_lab
from simulator.lab.policy import MiddleboxPolicy, Scenario, ServerPolicy, stage
from simulator.lab.witness import Watched
from simulator.language import say
from simulator.masking import masked
from simulator.session import AnyEvent, Message, Reply, Session
from simulator.verdict import Verdict
from simulator.views import annotated
from simulator.views.inert import printable

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds in which the lab opens, answers or closes; it takes far less."""

HOSTNAME = "localhost"

_TOLD = ("cases", "without", "server", "middlebox")

_RESULTS = pytest.StashKey[dict[str, dict[str, Result]]]()


class SmtpLab:
    """A server on loopback, and what it saw of the clients that a test let talk to it.

    `hostname` and `port` are where it listens; `authority` is the PEM file with the certificate to
    trust. `case` is the one of `ehlo-twice check client` that it plays, or None.
    """

    hostname = HOSTNAME

    def __init__(self, lab: Watched, thread: _Thread, authority: Path, earlier: dict[str, Result]):
        self._lab = lab
        self._thread = thread
        self._earlier = earlier
        self.authority = authority
        self.port: int = lab.address[1]
        self.case: ClientCase | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """A context for clients that trusts the lab, and verifies chain and name."""
        return ssl.create_default_context(cafile=str(self.authority))

    @property
    def sessions(self) -> list[Session]:
        """All sessions up to now, in the order in which they began."""
        self._thread.run(self._lab.settled())
        return self._lab.sessions()

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages that were delivered up to now."""
        return [
            email.message_from_bytes(event.raw.removesuffix(b".\r\n"), policy=email.policy.default)
            for session in self.sessions
            for event in session.events
            if isinstance(event, Message)
        ]

    @property
    def explanation(self) -> Explanation:
        """The last session, explained. Raises `LabError` if nobody has connected."""
        sessions = self.sessions
        if not sessions:
            raise LabError(f"no client has connected to {self.hostname}, port {self.port}")
        return explain(sessions[-1])

    @property
    def verdict(self) -> Verdict:
        """What became of TLS, of the second EHLO and of the mail in the last session."""
        return self.explanation.verdict

    @property
    def broken(self) -> list[str]:
        """The rules with MUST or SHOULD that the client broke in any of its sessions."""
        found = [
            note.rule
            for session in self.sessions
            for step in explain(session).steps
            for note in step.notes
            if not note.met and note.level != "risk" and _of_the_client(step.event)
        ]
        return list(dict.fromkeys(found))

    def check(self, talk: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Call `talk`, in which a client talks to the server; fail the test where a rule was
        broken.

        With a case, the case decides, and whatever `talk` raises is part of the story: a client
        should refuse some of the servers. A coroutine is run to its end.
        """
        __tracebackhide__ = True
        case = self.case
        if case is not None and (skip := client.needing(case, self._earlier)):
            self._earlier[case.id] = skip
            pytest.skip(say(skip.why))
        problem: Exception | None = None
        try:
            talked = talk(*arguments, **options)
            if inspect.iscoroutine(talked):
                run_lab(talked)
        except Exception as raised:  # whatever a client raises
            problem = raised
        if case is None:
            self._by_the_rules(problem)
            return
        result = self._thread.run(client.met(case, self._lab))
        self._earlier[case.id] = result
        if result.status != "passed":
            lines = [*report.told(result), *report.sessions(result)]
            if problem is not None:
                lines.append(f"the client raised {printable(repr(problem))}")
            pytest.fail("\n".join(lines), pytrace=False)

    def _by_the_rules(self, problem: Exception | None) -> None:
        __tracebackhide__ = True
        if problem is not None:
            raise problem
        sessions = self.sessions
        if not sessions:
            pytest.fail("no client connected", pytrace=False)
        broken = self.broken
        if broken:
            hidden = map(masked, sessions)
            shown = "\n".join(annotated.render(explain(session)) for session in hidden)
            pytest.fail(f"rules broken: {', '.join(broken)}\n{shown}", pytrace=False)


def _of_the_client(event: AnyEvent) -> bool:
    """Does a rule that is broken at that event bind the client? A reply that was slipped in is its
    to throw away."""
    return event.by == "client" or (event.by == "middlebox" and isinstance(event, Reply))


def cases_of(mark: pytest.Mark) -> tuple[ClientCase, ...]:
    """The cases that a marker asks for. Raises `pytest.UsageError`."""
    _readable(mark, pytest.UsageError)
    asked, without = mark.kwargs["cases"], mark.kwargs.get("without", ())
    if mark.args or mark.kwargs.keys() & {"server", "middlebox"}:
        raise pytest.UsageError("smtp_lab: cases bring servers of their own; leave `server` away")
    only = () if asked is True else _names(asked)
    try:
        return chosen(client_cases(), only, _names(without))
    except NoSuchCase as error:
        raise pytest.UsageError(f"smtp_lab: {error}") from None


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _readable(mark: pytest.Mark, refusal: Callable[[str], BaseException]) -> None:
    unknown = [name for name in mark.kwargs if name not in _TOLD]
    if unknown or len(mark.args) > 1:
        what = f"no {unknown[0]!r}" if unknown else "one server"
        raise refusal(f"smtp_lab: {what}: it takes {', '.join(_TOLD)}")


def lab(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[SmtpLab]:
    """The fixture."""
    case: ClientCase | None = getattr(request, "param", None)
    scenario = client.scenario_of(case) if case else _wanted(request)
    results = request.config.stash.setdefault(_RESULTS, {})
    earlier = results.setdefault(request.node.nodeid.partition("[")[0], {})
    authority = folders.mktemp("smtp_lab") / "authority.pem"
    authority.write_bytes(certificates.authority_pem())
    with _Thread() as thread:
        try:
            watched = thread.open(scenario)
        except LabError as error:
            _refuse(f"smtp_lab: {error}")
        found = SmtpLab(watched, thread, authority, earlier)
        found.case = case
        yield found


def _wanted(request: pytest.FixtureRequest) -> Scenario:
    """The server that the test's marker asks for; a strict and right one if there is no marker."""
    mark = request.node.get_closest_marker("smtp_lab") or pytest.mark.smtp_lab().mark
    _readable(mark, _Refused)
    asked = mark.args[0] if mark.args else mark.kwargs.get("server", {})
    known = arena.sides().server
    if isinstance(asked, str):
        if asked not in known:
            _refuse(f"smtp_lab: no server {asked!r}: there are {', '.join(known)}")
        server = known[asked].policy
    else:
        server = _policy(asked, ServerPolicy, "server")
    middlebox = _policy(mark.kwargs.get("middlebox", {}), MiddleboxPolicy, "middlebox")
    return stage("smtp_lab", "", server, middlebox)


def _policy(value: Any, kind: type[T], name: str) -> T:
    if isinstance(value, kind):
        return value
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _Refused(f"smtp_lab: {name}: {error}", pytrace=False) from None


_Refused = pytest.fail.Exception


def _refuse(why: str) -> NoReturn:
    pytest.fail(why, pytrace=False)


class _Thread:
    """A thread with a loop of its own, so that clients of any kind may block the test's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp_lab", daemon=True)
        self._open: Any = None

    def __enter__(self) -> _Thread:
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of `work`, on the loop. Raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def open(self, scenario: Scenario) -> Watched:
        """A server that listens until the thread ends. Raises `LabError`."""
        watched = Watched(scenario)
        self._open = watched.open()
        self.run(self._open.__aenter__())
        return watched

    def __exit__(self, *_: object) -> None:
        try:
            if self._open is not None:
                self.run(self._open.__aexit__(None, None, None))
            self.run(self._loop.shutdown_asyncgens())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()
