"""A session that can be shown to strangers: no secret, no message, and on demand no names.

Logs are pasted into public questions. What AUTH carries, passwords, keys and message texts are
taken out by default; `Veil` with `names` also puts other names in place of those of hosts, persons
and mailboxes, the same one for the same one throughout. Every view is given what this has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import msgspec

from simulator.language import Text
from simulator.masking import log as log_
from simulator.masking.identities import Names
from simulator.masking.prose import Masker
from simulator.masking.secrets import Secrets
from simulator.masking.words import MASK as MASK
from simulator.session import Session

T = TypeVar("T")


class Veil:
    """What is laid over the sessions of one log, one after another.

    `secrets`: credentials, keys and messages are masked. `names`: hosts, persons and mailboxes get
    other names.
    """

    def __init__(self, *, secrets: bool = True, names: bool = False) -> None:
        self._secrets = Secrets() if secrets else None
        self._names = Names() if names else None

    def __bool__(self) -> bool:
        return self._secrets is not None or self._names is not None

    def __call__(self, session: Session) -> Session:
        """The session as strangers may see it."""
        if self._secrets:
            session = self._secrets(session)
        if self._names:
            session = self._names.session(session)
        return session

    def again(self, session: Session) -> Session:
        """A session that was veiled, with what was learnt since masked in it as well."""
        return self._secrets.again(session) if self._secrets else session

    def over(self, said: T) -> T:
        """A struct about the session, such as its verdict, with its values veiled as well."""
        return cast("T", self._over(said))

    def _over(self, said: object) -> Any:
        match said:
            case Text():
                return Text(said.id, {key: self._over(value) for key, value in said.values.items()})
            case str():
                return self._text(said)
            case tuple():
                return tuple(self._over(one) for one in said)
            case msgspec.Struct():
                return msgspec.structs.replace(
                    said,
                    **{
                        field: self._over(value)
                        for field in said.__struct_fields__
                        if isinstance(value := getattr(said, field), str | tuple | msgspec.Struct)
                    },
                )
        return said

    def _text(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.text(text)
        return self._names(text) if self._names and " " in text else text

    def knows(self, secrets: Secrets) -> None:
        """Take over what was masked elsewhere in the same log."""
        self._secrets = secrets

    def alike(self) -> Veil:
        """Another veil like this one, that has seen nothing yet."""
        return Veil(secrets=self._secrets is not None, names=self._names is not None)

    @property
    def is_plain(self) -> bool:
        """Whether what it does to a session depends on nothing but that session, so far."""
        return self._names is None and (self._secrets is None or not self._secrets.knows_any)

    def told(self) -> Text | None:
        """What was replaced by other names and what was kept; None where nothing was."""
        return self._names.told() if self._names else None


def masked(session: Session) -> Session:
    """The session without secrets and message texts, and without the octets that hold them."""
    return Veil()(session)


def in_log(log: str, sessions: Iterable[Session]) -> tuple[str, Callable[[T], T]]:
    """The text of a log with its secrets masked in their places, and what masks whatever else is
    told of it. `sessions` are those that were read of it."""
    text, secrets = log_.without_secrets(log, sessions)
    veil = Veil()
    veil.knows(secrets)
    return text, veil.over


def without_secrets(line: str) -> str:
    """A line of a log with what looks like a secret masked."""
    return Masker().line(line)
