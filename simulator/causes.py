"""Why a session failed, in plain words, and what to do about it.

Rules say which sentence of a standard was broken; causes say what went wrong, even where nobody
broke anything, as when a firewall masks a word. They are data, in `causes.toml`; this file only
looks whether what an entry asks for is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import msgspec

from simulator import smtp
from simulator.language import N_, Text
from simulator.pairing import Step
from simulator.session import (
    AuthResponse,
    Command,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
)


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows a cause; what is left out is not asked for.

    `tls`, `second_ehlo`: one of these verdicts. `handshake`: a handshake failed with one of these
    errors. One reply had one of the codes `code`, answered one of the verbs `to`, its text matches
    `text`, and it was `inside` TLS or not. One command had one of the verbs `verb` (again `inside`
    or not). `sent`, `unheard`: some, or none, of these verbs was sent. `said`: a line of the client
    that is no command matches. `ehlos`: at least so many EHLOs. `keyword`, `first_line`: of a list
    in a reply to EHLO. `greeting`, `remark`: such a line matches. `ended`: how the connection did.
    `connection`: its name matches.
    `implicit`: TLS from the first octet. `left_over`: a command came between STARTTLS and its
    reply. `typed`: a command came in the clear after the 220, and TLS failed.
    """

    tls: tuple[str, ...] = ()
    second_ehlo: tuple[str, ...] = ()
    handshake: tuple[str, ...] = ()
    code: tuple[int, ...] = ()
    to: tuple[str, ...] = ()
    text: str = ""
    inside: bool | None = None
    verb: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    said: str = ""
    ehlos: int = 0
    keyword: str = ""
    first_line: str = ""
    greeting: str = ""
    remark: str = ""
    ended: tuple[str, ...] = ()
    connection: str = ""
    implicit: bool | None = None
    left_over: bool = False
    typed: bool = False


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause: English texts, the citation it rests on, and the experiment that shows it (each may
    be empty); `hides` are the causes that it explains away."""

    id: str
    title: str
    cause: str
    remedy: str
    citation: str
    experiment: str
    when: tuple[When, ...]
    hides: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cause: tuple[Cause, ...]


@cache
def causes() -> dict[str, Cause]:
    """All causes by id, in the order in which they are told."""
    text = (files("simulator") / "causes.toml").read_bytes()
    found = msgspec.toml.decode(text, type=_File).cause
    for entry in found:
        if entry.citation and entry.citation not in smtp.citations():
            raise LookupError(f"cause {entry.id}: no {entry.citation} in citations.toml")
    return {entry.id: entry for entry in found}


class _Facts:
    """What the entries ask about, gathered once for a session."""

    def __init__(
        self, session: Session, steps: Sequence[Step], tls: str | None, second_ehlo: str | None
    ) -> None:
        events = session.events
        self.tls, self.second_ehlo = tls or "", second_ehlo or ""
        self.implicit = session.implicit_tls
        self.connection = session.connection
        self.commands = [e for e in events if isinstance(e, Command) and e.by == "client"]
        self.verbs = {command.verb for command in self.commands}
        self.handshakes = {e.error for e in events if isinstance(e, Handshake) and e.error}
        # The header of a bounce, and the message it returns, tell of other connections.
        self.remarks = [
            e.text for e in events if isinstance(e, Remark) and e.about not in ("header", "message")
        ]
        self.ended = {e.reason for e in events if isinstance(e, Disconnect)}
        self.replies: list[tuple[Reply, str]] = []
        self.lists: list[Reply] = []
        self.greetings: list[str] = []
        for event, heard_as in ((step.event, step.heard_as) for step in steps):
            if not isinstance(event, Reply):
                continue
            heard = events[heard_as] if heard_as is not None else None
            verb = getattr(heard, "verb", "AUTH" if isinstance(heard, AuthResponse) else "")
            self.replies.append((event, verb))
            if event.code == 220 and verb != "STARTTLS":
                self.greetings.extend(event.lines[:1])
            if event.code == 250 and (verb == "EHLO" or len(event.lines) > 1):
                self.lists.append(event)
        self.left_over = _left_over(session)
        self.typed = _typed(session)


def _left_over(session: Session) -> bool:
    """A command in the clear between STARTTLS and its reply, and TLS after it."""
    waiting = False
    for event in session.events:
        match event:
            case Command(verb="STARTTLS", secure=False):
                waiting = True
            case Reply():
                waiting = False
            case Command(secure=False, by="client") if waiting and not event.told:
                return True
    return False


def _typed(session: Session) -> bool:
    """A command in the clear after the 220 to STARTTLS, and a handshake that failed."""
    asked = ready = False
    for event in session.events:
        match event:
            case Command(verb="STARTTLS", secure=False):
                asked = True
            case Reply(code=220) if asked:
                ready, asked = True, False
            case Handshake(error=""):
                ready = False
            case Command() | AuthResponse() | Message() if ready and not event.secure:
                failed = any(isinstance(e, Handshake) and e.error for e in session.events)
                return failed and getattr(event, "verb", "") != "QUIT"
            case Handshake():
                ready = ready and not event.detail
    return False


def find(
    session: Session, steps: Sequence[Step], tls: str | None, second_ehlo: str | None
) -> tuple[str, ...]:
    """The ids of the causes that show in `session`.

    `steps` tell what each event answers and what it is taken to answer; `tls` and `second_ehlo`
    are the verdict's.
    """
    facts = _Facts(session, steps, tls, second_ehlo)
    found = [entry for entry in causes().values() if any(_holds(w, facts) for w in entry.when)]
    hidden = {name for entry in found for name in entry.hides}
    return tuple(entry.id for entry in found if entry.id not in hidden)


def _holds(when: When, facts: _Facts) -> bool:
    if when.tls and facts.tls not in when.tls:
        return False
    if when.second_ehlo and facts.second_ehlo not in when.second_ehlo:
        return False
    if when.handshake and not facts.handshakes & set(when.handshake):
        return False
    if when.implicit is not None and when.implicit != facts.implicit:
        return False
    if when.connection and not re.search(when.connection, facts.connection):
        return False
    if when.sent and not facts.verbs & set(when.sent):
        return False
    if facts.verbs & set(when.unheard):
        return False
    if when.ended and not facts.ended & set(when.ended):
        return False
    if (when.left_over and not facts.left_over) or (when.typed and not facts.typed):
        return False
    if sum(command.verb == "EHLO" for command in facts.commands) < when.ehlos:
        return False
    return _words_hold(when, facts) and _reply_holds(when, facts) and _command_holds(when, facts)


def _words_hold(when: When, facts: _Facts) -> bool:
    texts = {
        when.greeting: facts.greetings,
        when.remark: facts.remarks,
        when.first_line: [reply.lines[0] for reply in facts.lists if len(reply.lines) > 1],
        when.keyword: [line.strip() for reply in facts.lists for line in reply.lines[1:]],
        when.said: [command.argument for command in facts.commands if not command.verb],
    }
    if when.keyword and not any(len(reply.lines) > 1 for reply in facts.lists):
        texts[when.keyword] = [line for reply in facts.lists for line in reply.lines]
    return all(
        any(re.search(pattern, text[:1000]) for text in lines)
        for pattern, lines in texts.items()
        if pattern
    )


def _reply_holds(when: When, facts: _Facts) -> bool:
    if not (when.code or when.to or when.text):
        return True
    return any(
        (not when.code or reply.code in when.code)
        and (not when.to or verb in when.to)
        and (when.inside is None or reply.secure == when.inside)
        and (not when.text or re.search(when.text, " ".join(reply.lines)[:1000]) is not None)
        for reply, verb in facts.replies
    )


def _command_holds(when: When, facts: _Facts) -> bool:
    if not when.verb:
        return True
    return any(
        command.verb in when.verb and (when.inside is None or command.secure == when.inside)
        for command in facts.commands
    )


NOT_SHOWN = {
    "outline": N_(
        "This log tells of the session without showing what was said, so EHLO cannot be counted."
    ),
    "clear": N_("What was said inside TLS is not shown, so the second EHLO cannot be seen."),
    "ends-at-220": N_(
        "The record ends after the 220 to STARTTLS: whether TLS came about is not shown."
    ),
    "ends-inside": N_("The record ends at the handshake: the client's next command is not shown."),
    "no-reply": N_(
        "The record ends before the reply to EHLO: what the server offers is not shown."
    ),
    "nothing": N_("Nothing of SMTP was found in it."),
}


def missing(session: Session, tls: str | None, second_ehlo: str | None) -> Text | None:
    """What the record does not show and a verdict would need; None if nothing is missing."""
    said = [e for e in session.events if isinstance(e, Command | Reply | Handshake)]
    key = ""
    if not said and not any(_tells(event) for event in session.events):
        key = "nothing"
    elif session.shown == "outline" or not said:
        key = "outline"
    elif session.shown == "clear" and tls in ("established", "implicit"):
        key = "clear"
    elif tls is None and any(isinstance(e, Command) and e.verb == "STARTTLS" for e in said):
        key = "ends-at-220"
    elif tls is None and any(isinstance(e, Command) and e.verb == "EHLO" for e in said):
        key = "no-reply"
    elif tls == "established" and second_ehlo is None:
        key = "ends-inside"
    return Text(NOT_SHOWN[key]) if key else None


def _tells(event: object) -> bool:
    """Whether a line is about SMTP, though it shows nothing of what was said."""
    return isinstance(event, Remark) and (
        bool(event.tells) or re.search(r"(?i)starttls|\be?smtps?\b", event.text[:1000]) is not None
    )
