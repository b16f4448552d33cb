"""What is checked: cases as data, and what came of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import msgspec

from simulator import smtp, toml
from simulator.errors import Error
from simulator.lab.policy import ClientPolicy, MiddleboxPolicy, ServerPolicy, with_meanings
from simulator.language import Text, said
from simulator.rules import Level
from simulator.session import Session
from simulator.toml import Prose

Status = Literal["passed", "failed", "unclear", "skipped"]
"""`unclear`: it was tried, and shows neither; `skipped`: it was not tried."""

TLS, AUTH = "TLS", "AUTH"
"""Steps that are more than a line: the handshake, and a login."""

UNAWAITED = "+ "
"""How a step begins that is a line whose answer is not waited for."""


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to check, with the citation it rests on and the `level` at which it is broken.

    `needs` are the cases that must have passed before this one can tell anything. `passes` and
    `fails` are what shows it: a failure counts first, and what shows neither is unclear. `fix` says
    what to change.
    """

    id: str
    level: Level
    citation: str
    title: Prose
    fix: Prose
    needs: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()

    @property
    def cited(self) -> smtp.Citation:
        """Its place in a standard."""
        return smtp.citations()[self.citation]

    def titled(self, language: str) -> str:
        """The title in `language`, in English where it is missing."""
        return said(self.title, language)

    def fixed(self, language: str) -> str:
        """What to change, in `language`, in English where it is missing."""
        return said(self.fix, language)


class ServerCase(Case, frozen=True, kw_only=True):
    """A session with a server.

    It `begins` in the `clear`, `inside` TLS (which is begun by STARTTLS, or was there before the
    greeting), or at the greeting, wherever that is (`any`). `steps` are sent one after the other;
    the answer to the last one tells. `AUTH` alone is a login. `lists` and `lacks`: keywords,
    perhaps with a parameter, of the list in it. `where`: it is only tried on servers that have this
    keyword inside TLS. `otherwise` is what it means if an earlier step is refused. `tls`: the one
    version to speak; `verify`: the certificate must be right. `resumes`: a case that begins in the
    clear, whose handshake resumes the TLS session of a connection before it; it is not tried on
    servers that resume none. `fault`: a server of the lab with
    this fault.
    """

    begins: Literal["clear", "inside", "any"]
    steps: tuple[str, ...] = ()
    lists: str = ""
    lacks: tuple[str, ...] = ()
    where: str = ""
    otherwise: Literal["unclear", "passed"] = "unclear"
    tls: Literal["", "1.2", "1.3"] = ""
    verify: bool = False
    resumes: bool = False
    fault: ServerPolicy

    @property
    def logs_in(self) -> bool:
        """Does it take an account of the server's?"""
        return AUTH in self.steps


class ClientCase(Case, frozen=True, kw_only=True):
    """A server for a client to meet, and perhaps someone on the path. `fault`: a client of the lab
    with this fault."""

    server: ServerPolicy = ServerPolicy()
    middlebox: MiddleboxPolicy = MiddleboxPolicy()
    fault: ClientPolicy


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case: why, in one sentence, and the sessions that show it."""

    case: Case
    status: Status
    why: Text
    sessions: tuple[Session, ...] = ()

    @property
    def bad(self) -> bool:
        """Does it break a MUST or a SHOULD, or could nothing be said?"""
        return self.status == "unclear" or (self.status == "failed" and self.case.level != "risk")


C = TypeVar("C", bound=Case)


class NoSuchCase(Error, ValueError):
    """There is no case of that name."""


class _Servers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: tuple[ServerCase, ...]


class _Clients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: tuple[ClientCase, ...]


@cache
def server_cases() -> tuple[ServerCase, ...]:
    """All cases for servers, in the order in which they are tried."""
    return toml.read(_data("server.toml"), _Servers, "server.toml").case


@cache
def client_cases() -> tuple[ClientCase, ...]:
    """All cases for clients, in the order in which they are tried."""
    return toml.read(_data("client.toml"), _Clients, "client.toml").case


def schema() -> dict[str, object]:
    """The JSON Schema of a file of cases, all for servers or all for clients."""
    title = "ehlo-twice checks"
    both = [toml.schema(kind, title) for kind in (_Servers, _Clients)]
    shapes = {name: shape for one in both for name, shape in one["$defs"].items()}
    return with_meanings(
        {
            "$schema": both[0]["$schema"],
            "title": title,
            "anyOf": [{"$ref": one["$ref"]} for one in both],
            "$defs": shapes,
        }
    )


def _data(name: str) -> bytes:
    return (files("simulator.checks") / name).read_bytes()


def chosen(
    cases: Sequence[C], only: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[C, ...]:
    """`cases` but those `without`; or `only` some, and what those need. Raises `NoSuchCase`."""
    known = {case.id: case for case in cases}
    for name in (*only, *without):
        if name not in known:
            near = toml.nearest(name, list(known))
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise NoSuchCase(f"no case {name!r}: {hint}")
    wanted = set(only or known)
    for name in reversed(known):
        if name in wanted:
            wanted |= set(known[name].needs)
    return tuple(case for name, case in known.items() if name in wanted - set(without))


def lacking(case: Case, results: Mapping[str, Status]) -> str:
    """The first case that this one needs and that was tried and has not passed; empty if none."""
    return next((need for need in case.needs if results.get(need, "passed") != "passed"), "")
