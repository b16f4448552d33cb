"""A piece of software to survey: one folder, whose `software.toml` says how it is had and run."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simulator import toml
from simulator.language import N_, Text, Told
from simulator.survey.questions import determining

FILE = "software.toml"

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$(?!\n)")]


class Install(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is had from: packages of one kind, or a `program` that the machine has.

    `debian` names packages of the release `suite`; they lie on a base of their own. `python`
    goes into a virtual environment, `npm` into a folder.
    """

    debian: tuple[str, ...] = ()
    suite: str = "bookworm"
    python: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    program: str = ""


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configuration. `about` is what is said of it; `options` are for the start script.

    `public`: by the question's name, the address of a public report (or of the documentation) of a
    broken security property. What has none is withheld from the results.
    """

    name: Name = "default"
    about: str
    options: dict[str, str] = {}
    public: dict[str, str] = {}


class Software(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server or a client. `version` is a command that prints its version; `run` the command that
    starts the server, or has the client deliver one message. Both run in the software's folder.

    A server finds PORT, CERT, KEY, WORK (a folder to write in) and its options in its environment.
    In a client's words `{host}`, `{port}` and `{ca}` are where to connect and whom to trust.
    `shares`: the recipe whose folder that is, if it is not its own.
    `mailbox`: the files, as a pattern below its root, in which a server keeps what it took for
    b@example.org. `quick`: it needs no root, and is over in seconds. `rootless`: Debian's packages
    that need no root either, since they do with one user, and with what lies in them without their
    scripts. `without`: questions that make no sense here. `patience`: seconds that a client has.
    """

    kind: Literal["server", "client"]
    title: str
    home: str
    install: Install
    version: tuple[str, ...]
    run: tuple[str, ...]
    shares: str = ""
    mailbox: str = ""
    quick: bool = False
    rootless: bool = False
    without: tuple[str, ...] = ()
    patience: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0
    setting: tuple[Setting, ...]
    name: str = ""
    folder: str = ""

    @property
    def isolated(self) -> bool:
        """Does it need namespaces of its own?"""
        return bool(self.install.debian)

    def digest(self) -> str:
        """What the answers depend on, recipe and questions: others are another measurement.

        What is only said of them, in whatever language, is no part of it.
        """
        summed = sha256(determining(self.kind))
        for path in self.sources():
            data = _determining(path) if path.name == FILE else path.read_bytes()
            summed.update(f"{path.name}\0".encode() + data)
        return summed.hexdigest()[:16]

    def sources(self) -> list[Path]:
        """The files of the recipe: what says how it is run, and what is run."""
        there = Path(self.folder)
        own = there.parent / self.name / FILE
        run = (path for path in there.iterdir() if path.is_file() and path.name != FILE)
        return sorted([own, *run], key=lambda path: path.name)


class BadRecipe(Told, ValueError):
    """A recipe is wrong, or there is none of that name: the message says where and what."""


_SAID = ("title", "home", "quick", "rootless")


def _determining(path: Path) -> bytes:
    """A recipe without what is only said of it."""
    recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    bare = {key: value for key, value in recipe.items() if key not in _SAID}
    for setting in bare["setting"]:
        setting.pop("about", None)
    return msgspec.json.encode(bare, order="sorted")


def recipes(folder: Path, names: Sequence[str] = ()) -> list[Software]:
    """The software in `folder`, or those `names` of it, servers first. Raises `BadRecipe`."""
    known = sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))
    if not known:
        raise BadRecipe(
            f"{folder}: no recipes there; they are in the folder survey/ of a checkout (--from)"
        )
    for name in names:
        if name not in known:
            near = toml.nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise BadRecipe(f"no software {name!r}: {hint}")
    found = [_read(folder / name) for name in names or known]
    return sorted(found, key=lambda software: software.kind != "server")


def _read(folder: Path) -> Software:
    path = folder / FILE
    file = toml.File(path.read_bytes(), f"{folder.name}/{FILE}", BadRecipe)
    software = file.read(Software, filled=("name", "folder"))
    install = software.install
    given = [install.debian, install.python, install.npm, install.program]
    if sum(map(bool, given)) != 1:
        raise file.wrong(("install",), Text(N_("give one of debian, python, npm, program")))
    names = [setting.name for setting in software.setting]
    if not names or len(set(names)) < len(names):
        why = N_("give at least one setting, each with a name of its own")
        raise file.wrong(("setting",), Text(why))
    ran = folder.parent / (software.shares or folder.name)
    if not (ran / FILE).is_file():
        why = N_("there is no recipe '{shares}' beside it")
        raise file.wrong(("shares",), Text(why, {"shares": ascii(software.shares)[1:-1]}))
    return msgspec.structs.replace(software, name=folder.name, folder=str(ran.resolve()))
