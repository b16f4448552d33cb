"""What a learner has done so far: a JSON file that the learner owns.

It holds a random id, from which every exercise draws its names, sizes and variants, so that two
learners rarely have the same right answer. Nothing in it is secret, and no answer is in it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simulator.language import N_, Text, Told

VARIABLE = "EHLO_TWICE_PROGRESS"
SEED = "EHLO_TWICE_CLASS"
"""The class's seed: with it files are signed, so that one that was edited by hand shows. Whoever
knows the seed can sign anything: it keeps nobody out."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class BadProgress(Told, ValueError):
    """The progress file cannot be read: the message says which, why, and what to do."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How far one exercise is. `draw` counts how often other values were dealt, `right` the right
    answers since the last wrong one, `wrong` what was guessed in which situation and was not so."""

    attempts: Count = 0
    hints: Count = 0
    draw: Count = 0
    right: Count = 0
    wrong: dict[str, Count] = {}
    solved: date | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A learner's progress: `learner` is the random id, `exercises` what was done, by number,
    `signature` an HMAC of the rest, where the class has a seed (EHLO_TWICE_CLASS)."""

    format: Literal["ehlo-twice/progress"] = "ehlo-twice/progress"
    version: Literal[1] = 1
    learner: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    exercises: dict[str, Done] = {}
    signature: str = ""

    def of(self, name: str) -> Done:
        """How far that exercise is."""
        return self.exercises.get(name) or Done()

    def but(self, name: str, **changes: object) -> Progress:
        """The same, with that exercise changed."""
        done = msgspec.structs.replace(self.of(name), **changes)
        return msgspec.structs.replace(self, exercises={**self.exercises, name: done})


def today() -> date:
    """The date that goes with a solved exercise."""
    return datetime.now(UTC).astimezone().date()


def default_path() -> Path:
    """Where progress is kept unless somebody says otherwise: EHLO_TWICE_PROGRESS, or a file in the
    user's own data folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home())
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "ehlo-twice" / "progress.json"


def read(path: Path) -> Progress:
    """The progress kept in `path`; that of a new learner where there is no such file.

    Raises `BadProgress`, or `OSError` where the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Progress(learner=secrets.token_hex(8))
    try:
        return msgspec.json.decode(raw, type=Progress)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = N_(
            "{path}: not a progress file ({problem}): repair it, or move it away to start anew"
        )
        raise BadProgress(Text(text, {"path": str(path), "problem": str(error)})) from None


def signed(progress: Progress, seed: str) -> str:
    """The signature of a progress file with that seed: HMAC with SHA-256 (RFC 2104)."""
    bare = msgspec.json.encode(msgspec.structs.replace(progress, signature=""), order="sorted")
    return hmac.new(seed.encode("utf-8", "surrogateescape"), bare, "sha256").hexdigest()


def write(path: Path, progress: Progress) -> None:
    """Keep it in `path`: the file is there whole, or as it was before. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = os.environ.get(SEED, "")
    progress = msgspec.structs.replace(progress, signature=seed and signed(progress, seed))
    text = msgspec.json.format(msgspec.json.encode(progress), indent=2)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text + b"\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
