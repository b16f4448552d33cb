"""Fuzz what the readers promise, for as long as one likes.

    python -m tests.promises [--seconds 3600] [--seed 1]

- No planted secret is in any view, plain or anonymised.
- However a log is asked about, it gives one answer: read, counted, counted in parts, packed, in
  pieces of any size, with its format named, followed.
- What the program writes it reads back: a session as JSON, and a session that was played as a
  capture, but for what `tests.formats.test_own_files` says a capture cannot show.

Logs are lines of the examples, cut, joined and dirtied, with secrets planted among them as they
are. An input that fails is printed, so that it can become a test.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import lzma
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import msgspec

from simulator import formats, lab
from simulator.cli.logs import _AHEAD as AHEAD
from simulator.explainer import Explanation, explain, veiled_all
from simulator.formats import CannotRead, maillog, tally
from simulator.lab import Scenario, arena
from simulator.masking import Veil
from simulator.reading.wrapping import NEWEST_FIRST
from simulator.session import Session, to_json
from simulator.verdict import Verdict
from simulator.views import json
from simulator.views.pcapng import render
from simulator.views.view import Page
from tests.formats.fuzz import dirtied, lines
from tests.formats.test_own_files import differences, not_shown
from tests.formats.test_same_answer import at_the_end, odd
from tests.masking.fuzz import SECRETS, flows, written
from tests.recording import record

MASKING = Path(__file__).parent / "masking"
VIEWS = ("annotated", "markdown", "html", "json", "table", "sequence", "player")
SLOW = 10.0
"""Seconds of processor time that one input may take, in all the ways of asking together."""

Answer = Counter[tuple[object, ...]]


@dataclass(frozen=True)
class Input:
    """A log, and the secrets that are planted in it."""

    log: bytes
    secrets: tuple[str, ...] = ()


# What is made ---------------------------------------------------------------------------------


class Maker:
    """Makes inputs out of the examples."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lines = lines()
        known = "\n".join(self._lines)
        self._units = [
            (unit, kept)
            for unit, secrets in units()
            if (kept := tuple(secret for secret in secrets if secret not in known))
        ]

    def __call__(self) -> Input:
        """The next input."""
        rng = self._rng
        made = self._mixture() if rng.random() < 0.8 else odd(rng, rng.randrange(3, 40))
        parts = made.splitlines()
        secrets: tuple[str, ...] = ()
        if rng.random() < 0.7:
            unit, secrets = rng.choice(self._units)
            place = rng.randrange(len(parts) + 1)
            parts[place:place] = unit.splitlines()
        return Input("\n".join(parts).encode("utf-8", "surrogatepass") + b"\n", secrets)

    def _mixture(self) -> str:
        rng, known = self._rng, self._lines
        made: list[str] = []
        for _ in range(rng.choice((1, 1, 2, 3))):
            start, many = rng.randrange(len(known)), rng.randrange(1, 25)
            window = known[start : start + many] if rng.random() < 0.8 else rng.choices(known, k=9)
            dirty = rng.random() < 0.6
            made += [dirtied(rng, line, known) if dirty else line for line in window]
        return "\n".join(made)


def units() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Secrets in what stands around them, to be planted as it is."""
    for line in (MASKING / "secrets.txt").read_text("utf-8").splitlines():
        if found := re.findall(r"MARKER\d\d", line):
            yield line, tuple(found)
    text = (MASKING / "kinds.txt").read_text("utf-8").rstrip("\n").replace("<TAB>", "\t")
    for block in re.split(r"\n\n", text)[1:]:
        marked = re.findall("(?s)⟦(.*?)⟧", block)
        secrets = [part.strip() for one in marked for part in one.split("\n")]
        if block.count("⟦") == block.count("⟧") and "DEK-Info" not in block:
            kept = tuple(secret for secret in secrets if len(secret) > 5)
            yield block.replace("⟦", "").replace("⟧", ""), kept
    for flow in flows():
        for _, log in written(flow):
            yield log, SECRETS


# What is promised -----------------------------------------------------------------------------


def shown(explanations: list[Explanation], name: str) -> str:
    """The sessions in that view."""
    view = import_module(f"simulator.views.{name}").VIEW
    if view.pieces:
        return "".join(view.pieces(iter(explanations), Page()))
    made = [view.render(explanation, Page()) for explanation in explanations]
    return "".join(one if isinstance(one, str) else one.decode() for one in made)


def leak(sessions: list[Session], secrets: Iterable[str], names: Iterable[str]) -> str:
    """Which secret which view shows; empty if none does."""
    for anonymised in (False, True):
        veil = Veil(names=anonymised)
        hidden = list(veiled_all(map(explain, sessions), veil, AHEAD))
        for name in names:
            said = shown(hidden, name)
            if found := [secret for secret in secrets if secret in said]:
                return f"{found} in {name}{', anonymised' * anonymised}"
    return ""


def answer(verdicts: Iterable[Verdict]) -> Answer:
    """What a summary counts of each session."""
    return Counter(
        (
            v.tls, v.second_ehlo, v.faults, tuple(told.id for told in v.causes), v.delivered,
            v.in_clear, v.client_to_server_commands,
        )
        for v in verdicts
    )  # fmt: skip


def explained(sessions: Iterable[Session]) -> Answer:
    """The same of what was read."""
    return answer(explain(session).verdict for session in sessions if not session.stray)


class Trickle(io.BytesIO):
    """A file that gives as few octets at a time as it likes."""

    def __init__(self, data: bytes, rng: random.Random) -> None:
        super().__init__(data)
        self._rng = rng

    def read(self, size: int | None = -1) -> bytes:
        """Some octets."""
        most = self._rng.choice((1, 7, 80, 4096))
        return super().read(most if size is None or size < 0 else min(size, most))


def disagreement(log: bytes, sessions: list[Session], folder: Path, rng: random.Random) -> str:
    """Which way of asking gives another answer; empty if none does."""
    wanted = explained(sessions)
    path = folder / "log"
    path.write_bytes(log)
    name = sessions[0].source
    known = {kind.name for kind in formats.known()}
    one = {session.source for session in sessions} == {name} and name in known

    def counted(**how: object) -> Answer:
        return answer(found.verdict for found in formats.verdicts(path, **how))  # type: ignore[arg-type]

    def fast() -> Answer:
        with patch.object(formats, "LARGE", 0):
            return counted()

    sources: dict[str, Callable[[], formats.Source]] = {
        "from a file": lambda: path,
        "gzip": lambda: gzip.compress(log),
        "bzip2": lambda: bz2.compress(log),
        "xz": lambda: lzma.compress(log),
        "in pieces": lambda: Trickle(log, rng),
    }
    if fast() != wanted:
        return "counted the fast way: another answer"
    way = rng.choice(list(sources))
    if explained(formats.read(sources[way]())) != wanted:
        return f"{way}: another answer"
    if one:
        named = explained(formats.read(path, format=name))
        if counted(format=name) != named:
            return "counted with its format named: another answer"
        # What is followed is judged by its beginning, and never as two logs in one, nor from its
        # end: what stands newest first does not grow there.
        judged = formats.why(path)
        turned = judged is not None and judged.parts[0].undone == NEWEST_FIRST
        single = judged is None or len(judged.parts) == 1
        followed = list(formats.follow(path, stop=at_the_end()))
        same = {session.source for session in followed} == {name}
        alike = same and single and not turned and named == wanted
        if alike and explained(followed) != wanted:
            return "followed: another answer"
    if one and name == "postfix":
        seams = sorted(rng.choices(range(len(log) + 1), k=rng.randrange(4)))
        edges = [0, *seams, len(log)]
        parts = [tally.part(path, *edge) for edge in pairwise(edges)]
        whole = tally.verdicts(path, maillog.read)
        joined = answer(found.verdict for found in tally.joined(parts, maillog.read))
        holds = all(map(tally.Seams().hold, parts))
        if whole is not None and holds and joined != answer(found.verdict for found in whole):
            return f"in parts {edges}: another answer"
    return ""


def changed(sessions: list[Session]) -> str:
    """What does not survive as JSON; empty if all does."""
    text = "".join(json.pieces(explain(session) for session in sessions))
    return "" if list(formats.read(text.encode())) == sessions else "as JSON it is another"


def broken(given: Input, folder: Path, rng: random.Random) -> str:
    """Which promise that input breaks; empty if none."""
    began = time.process_time()
    try:
        sessions = list(formats.read(given.log))
        names = ["json", *rng.sample(VIEWS, 2)] if given.secrets else []
        wrong = (
            leak(sessions, given.secrets, names)
            or disagreement(given.log, sessions, folder, rng)
            or changed(sessions)
        )
    except CannotRead as error:
        told = str(error)
        known = told.endswith(("in it", "is binary, not a log"))
        wrong = "" if known and "\n" not in told else f"told: {told}"
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    return wrong or ("slow" if time.process_time() - began > SLOW else "")


# What is played -------------------------------------------------------------------------------


def chosen(kind: type, rng: random.Random) -> dict[str, object]:
    """Some fields of a policy that have few values, with one of their values."""
    found: dict[str, object] = {}
    policy = msgspec.inspect.type_info(kind)
    assert isinstance(policy, msgspec.inspect.StructType)
    for field in policy.fields:
        match field.type:
            case msgspec.inspect.LiteralType(values=values) if rng.random() < 0.25:
                found[field.name] = rng.choice(values)
            case msgspec.inspect.BoolType() if rng.random() < 0.2:
                found[field.name] = not field.default
    return found


def scenario(rng: random.Random) -> Scenario:
    """Two peers as chance has it, and perhaps somebody between them."""
    _, _, middlebox = rng.choice(list(arena.combinations()))
    base = arena.scenario("documented", "documented", middlebox)
    client = msgspec.structs.replace(base.client, **chosen(type(base.client), rng), patience=0.5)
    server = msgspec.structs.replace(base.server, **chosen(type(base.server), rng))
    if rng.random() < 0.3:
        server = msgspec.structs.replace(server, keywords=(*server.keywords, "PIPELINING"))
    mail = lab.load("smuggled-message").mail if rng.random() < 0.2 else base.mail
    return msgspec.structs.replace(base, client=client, server=server, mail=mail)


def lost_in_capture(rng: random.Random) -> str:
    """What a capture of a session that is played does not give back; empty if nothing is lost."""
    if rng.random() < 0.5:
        played = scenario(rng)
        session, cannot = lab.play(played), not_shown(played)
        told = f"{played.client} {played.server} {played.middlebox}"
    else:
        how: dict[str, object] = {
            "version": rng.choice(("TLSv1_2", "TLSv1_3")),
            "implicit": rng.random() < 0.2,
            "middlebox": rng.random() < 0.2,
            "message": b"Subject: hello\r\n\r\n" + b"x" * 70 * rng.randrange(90) + b"\r\n.\r\n",
            "ends": rng.choice((("server", "quit"), ("client", "cut"), ("server", "cut"))),
            "trusted": rng.random() < 0.8,
        }
        how["trusted"] = how["trusted"] or how["implicit"]  # it would go on in the clear
        session, cannot, told = record(**how), not_shown(), str(how)  # type: ignore[arg-type]
    try:
        read = list(formats.read(render(session)))
        found = differences(explain(session).verdict, explain(read[0]).verdict)
    except Exception as error:
        return f"{type(error).__name__}: {error}: {told}"
    if gone := found - cannot:
        return f"a capture says otherwise: {sorted(gone)}: {told}: {to_json(session)}"
    return ""


def main() -> int:
    """Fuzz, and say how many inputs there were and for how long; 1 if one failed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=int, default=60)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    rng = random.Random(given.seed)
    make = Maker(rng)
    logs = played = failed = 0
    began = told = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        while (now := time.monotonic()) - began < given.seconds:
            made = make()
            logs += 1
            if wrong := broken(made, Path(name), rng):
                failed += 1
                print(f"{wrong}: {made.log!r}", flush=True)
            if not logs % 20:
                played += 1
                if wrong := lost_in_capture(rng):
                    failed += 1
                    print(wrong, flush=True)
            if now - told > 60:
                told = now
                print(f"{logs} logs, {played} played, {failed} failed", flush=True)
    spent = time.monotonic() - began
    print(f"{spent:.0f} seconds: {logs} logs, {played} sessions played, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
