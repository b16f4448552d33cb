"""Playing a scenario: from a script, a notebook, threads; interrupted, and again and again."""

from __future__ import annotations

import asyncio
import email.utils
import gc
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import pytest

from simulator import explain, replay
from simulator.explainer import Explanation
from simulator.lab import LabError, Scenario, load, play
from simulator.lab.play import Lab
from simulator.language import say
from simulator.session import Command, Handshake, Trace, from_json, to_json
from tests.lab.peers import DOCUMENTED, ending, nothing_left_behind, scenario


@pytest.fixture(autouse=True)
def tidy(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with nothing_left_behind(capfd, caplog):
        yield


def content(explanation: Explanation) -> tuple[object, ...]:
    """All that an explanation says, without times, ports and keys, which differ each time."""
    steps = [
        (
            type(step.event),
            step.event.by,
            step.event.secure,
            step.event.raw,
            # A Received line ends in a semicolon and the date.
            say(step.meaning).partition(";")[0],
            tuple((note.rule, note.met, say(note.text)) for note in step.notes),
            step.knowledge,
        )
        for step in explanation.steps
    ]
    return (tuple(steps), say(explanation.verdict.outcome), explanation.verdict.faults)


def test_the_documented_session() -> None:
    session = play(DOCUMENTED)
    assert ending(session) == ("server", "quit")
    verbs = [event.verb for event in session.events if isinstance(event, Command)]
    assert verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert session.documented is not None
    first, last = session.documented
    assert session.events[first].raw == b"EHLO mx4.example.com\r\n"
    assert session.events[last].raw.startswith(b"MAIL FROM:")


def test_spans_name_the_bytes_of_each_event() -> None:
    session = play(DOCUMENTED)
    for event in session.events:
        crossed = b"".join(session.bytes_at(span) for span in event.wire)
        if event.wire and not event.secure and not isinstance(event, Handshake):
            assert crossed == event.raw
        if event.wire and (event.secure or isinstance(event, Handshake)):
            assert crossed[0] in (22, 23)
            assert not event.raw or event.raw not in crossed
    assert session.wire[0].at <= session.wire[-1].at


@pytest.mark.parametrize("middlebox", ["nothing", "mask"])
def test_times_begin_with_the_connection(middlebox: str) -> None:
    session = play(scenario(middlebox={"does": middlebox}))
    assert session.events[0].at == 0
    for times in (session.events, session.wire):
        assert [step.at for step in times] == sorted(step.at for step in times)
        assert times[-1].at > 0


def test_the_received_line_bears_the_date_of_the_document() -> None:
    dates = {}
    for name in ("documented", "plain", "implicit-tls"):
        (line,) = (event.text for event in play(load(name)).events if isinstance(event, Trace))
        dates[name] = email.utils.parsedate_to_datetime(line.rpartition(";")[2]).date()
    assert dates.pop("documented") == date(2005, 5, 16)
    assert all(abs(found - datetime.now(UTC).date()).days <= 1 for found in dates.values())


@pytest.mark.parametrize(("tls", "secrets"), [("1.2", 1), ("1.3", 5)])
def test_tls_versions(tls: Literal["1.2", "1.3"], secrets: int) -> None:
    explanation = replay(tls=tls)
    assert explanation.verdict.tls == "established"
    assert [s.event.version for s in explanation.steps if isinstance(s.event, Handshake)] == [
        f"TLSv{tls}"
    ]
    assert len(explanation.session.secrets) == secrets


def test_cut_after_every_event() -> None:
    whole = play(DOCUMENTED)
    for events in range(len(whole.events) + 1):
        cut = whole.until(events)
        assert cut.events == whole.events[:events]
        assert from_json(to_json(cut)) == cut
        explanation = explain(cut)
        assert len(explanation.steps) == events
        assert explanation.steps == explain(whole).steps[:events]
        if cut.documented:
            assert 0 <= cut.documented[0] <= cut.documented[1] < events


def test_a_hundred_replays_say_the_same() -> None:
    first = content(replay())
    assert all(content(replay()) == first for _ in range(99))


def test_within_a_running_loop() -> None:
    async def notebook() -> Explanation:
        return replay()

    assert asyncio.run(notebook()).verdict.delivered


IN_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from simulator import replay
with ThreadPoolExecutor(8) as threads:
    explanations = list(threads.map(lambda _: replay(), range(24)))
assert all(explanation.verdict.delivered for explanation in explanations)
assert len({explanation.session.secrets for explanation in explanations}) == 24
assert {len(explanation.session.secrets) for explanation in explanations} == {5}
"""


def test_in_threads() -> None:
    # In a process that has never played before: all threads ask for the first certificate.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_THREADS],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


INTERRUPTED = """
import asyncio, signal, sys, threading
from simulator.lab import LabError, play
from simulator.lab.tap import Tap
from tests.lab.peers import scenario

HANGING = scenario(server={"silent_at": "MAIL"}, client={"patience": 60.0})

def from_a_script():
    play(HANGING)

def from_a_notebook():
    async def cell():
        play(HANGING)

    # Like a notebook's kernel, and unlike asyncio.run, it leaves Ctrl-C as it is.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(cell())
    finally:
        loop.close()

class Telling(Tap):
    def happened(self, event):
        super().happened(event)
        if getattr(event, "verb", "") == "MAIL":
            print("under way", flush=True)

def main(caller):
    # What a script starts in the background is born deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules[LabError.__module__].Tap = Telling
    try:
        caller()
    except KeyboardInterrupt:
        print("interrupted", threading.active_count(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches the whole group there")
@pytest.mark.parametrize("caller", ["from_a_script", "from_a_notebook"])
def test_interrupted(caller: str) -> None:
    # In a process of its own: Ctrl-C that comes at the wrong moment would end the tests.
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", f"{INTERRUPTED}\nmain({caller})\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        try:
            told = child.stdout.readline()
            begun = time.monotonic()
            child.send_signal(signal.SIGINT)
            rest, complaints = child.communicate()
            took = time.monotonic() - begun
        finally:
            child.kill()
    told += rest
    assert (told, complaints) == ("under way\ninterrupted 1\n", "")
    # The server would be silent for a minute.
    assert took < 30


def test_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    # An address of documentation (RFC 5737): no machine has it.
    monkeypatch.setattr(sys.modules[Lab.__module__], "LOOPBACK", "192.0.2.1")
    with pytest.raises(LabError, match=r"^no port on 192\.0\.2\.1: "):
        play(DOCUMENTED)


@pytest.mark.parametrize("behind", [scenario(), scenario(middlebox={"does": "mask"})])
def test_nobody_listens(behind: Scenario) -> None:
    async def late() -> None:
        async with Lab(behind).open() as lab:
            pass
        await lab.session()

    with pytest.raises(LabError, match=r"^no connection on 127\.0\.0\.1: "):
        asyncio.run(late())


def test_no_more_files() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    play(DOCUMENTED)

    async def without_files() -> None:
        async with Lab(DOCUMENTED).open() as lab:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                await lab.session()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with pytest.raises(LabError, match=r"^no connection on 127\.0\.0\.1: "):
        asyncio.run(without_files())


def test_the_collector_is_as_it_was_when_the_lab_is_gone() -> None:
    """While it is open, what was there before is spared; whoever spares it himself, goes on to."""

    async def spared() -> int:
        async with Lab(DOCUMENTED).open() as lab:
            await lab.session()
            return gc.get_freeze_count()

    gc.unfreeze()
    assert asyncio.run(spared())
    assert not gc.get_freeze_count()
    gc.freeze()
    try:
        assert asyncio.run(spared())
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
