"""An exercise as data: what it asks, its three hints, and who may meet whom in it.

An exercise is a TOML file in `tasks/`. No file holds a right answer: what is right is found out by
playing.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simulator import toml
from simulator.lab import ClientPolicy, MiddleboxPolicy, ServerPolicy
from simulator.lab.policy import with_meanings
from simulator.language import N_, Text, Told

Kind = Literal[
    "predict", "order", "survive", "fault", "must", "repair", "eavesdrop", "reader", "client"
]


class UnknownExercise(Told, LookupError):
    """There is no exercise of that number: the message names the nearest."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables have in common: an unknown key is an error."""


class Variant(_Table, frozen=True, kw_only=True):
    """One of the situations a learner may meet. `about` tells who meets whom, in one sentence;
    `because` what the situation shows, once it was played."""

    name: str
    about: str = ""
    because: str = ""
    client: ClientPolicy = ClientPolicy()
    server: ServerPolicy = ServerPolicy()
    middlebox: MiddleboxPolicy = MiddleboxPolicy()


class Trial(_Table, frozen=True, kw_only=True):
    """What the learner's work is put through: who it meets, and what must come of it.

    `client`, `server` and `middlebox` replace those of the variant, key by key. `wants`: endings of
    which one must come (`endings` names them). `dribbles`: the server's replies arrive in
    pieces. `about` says what is tried, `failed` what it means when it goes wrong, `fits` in which
    situation it would have worked, by what came of it.
    """

    about: str
    failed: str
    wants: tuple[str, ...]
    client: dict[str, Any] = {}
    server: dict[str, Any] = {}
    middlebox: dict[str, Any] = {}
    dribbles: bool = False
    fits: dict[str, str] = {}


class Exercise(_Table, frozen=True, kw_only=True):
    """An exercise. What the fields mean to a kind stands in the module of that kind.

    `ideas`: the misconceptions, A to G, that it is aimed at. `asks`: which question of its kind it
    is. `verb`: the command that it turns on. `may`: tables of a scenario that the learner may edit.
    `lines`: what the learner puts in order. `function`: what the learner's program defines.
    `start`: what the learner's program begins as. `says` holds what is said of an answer, by a name
    that the kind knows.
    """

    kind: Kind
    title: str
    task: str
    hints: Annotated[tuple[str, ...], msgspec.Meta(min_length=3, max_length=3)]
    says: dict[str, str] = {}
    ideas: tuple[str, ...] = ()
    asks: str = ""
    verb: str = ""
    may: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    function: str = ""
    start: str = ""
    variant: Annotated[tuple[Variant, ...], msgspec.Meta(min_length=1)]
    trial: tuple[Trial, ...] = ()
    name: str = ""


FILLED = ("name",)
"""What no file says: the name of an exercise is the number of its file."""


def schema() -> dict[str, object]:
    """The JSON Schema of an exercise's file, for editors."""
    return with_meanings(toml.schema(Exercise, "ehlo-twice exercise", FILLED))


@cache
def names() -> tuple[str, ...]:
    """The numbers of all exercises, in order."""
    return tuple(_paths())


@cache
def _paths() -> dict[str, Path]:
    folder = Path(str(files("simulator.exercises") / "tasks"))
    return {path.name.partition("-")[0]: path for path in sorted(folder.glob("*.toml"))}


@cache
def load(name: str) -> Exercise:
    """The exercise of that number, such as `05`. Raises `UnknownExercise`."""
    paths = _paths()
    wanted = name.strip()[:40].zfill(2)
    if wanted not in paths:
        near = difflib.get_close_matches(wanted, paths, 1, 0.4)
        text = N_("no exercise {name}: did you mean '{near}'?")
        if not near:
            text = N_("no exercise {name}: there are {known}")
        values = {"name": repr(name[:40]), "near": "".join(near), "known": ", ".join(paths)}
        raise UnknownExercise(Text(text, values))
    path = paths[wanted]
    found = toml.File(path.read_bytes(), path.name).read(Exercise, filled=FILLED)
    return msgspec.structs.replace(found, name=wanted)


@cache
def words() -> dict[str, str]:
    """What all exercises say, by name."""
    text = (files("simulator.exercises") / "words.toml").read_bytes()
    return toml.read(text, dict[str, str], "words.toml")
