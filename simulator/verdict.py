"""The verdict over a session: what became of TLS, of the second EHLO, and of the mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from simulator import causes, smtp
from simulator.language import N_, Text
from simulator.needles import late
from simulator.pairing import Paired, begins_in_the_middle
from simulator.session import (
    AnyEvent,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Party,
    Remark,
    Reply,
    Session,
)

Tls = Literal["established", "refused", "not_offered", "failed", "not_attempted", "implicit"]


_NOT_UNDERSTOOD = N_(
    "This layout could not be read: {share} % of what looks like SMTP in it was understood."
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of the whole session; None stands for: the record does not show it.

    `client_to_server_commands` are the verbs the client sent. `ehlo_before_tls` and
    `ehlo_after_tls` count EHLOs in the clear and inside TLS. `delivered`: a message was accepted,
    as far as the reply to it shows, or a line of the log says so;
    `in_clear`: mail data crossed unencrypted. `causes` say why it failed, with their evidence;
    `faults` are ids of broken rules and of causes. `understood` is the share, from 0 to 1, of what
    looks like SMTP in the record that was understood; below `session.BAR` nothing else is claimed.
    """

    format: str
    tls: Tls | None
    ehlo_before_tls: int | None
    ehlo_after_tls: int | None
    second_ehlo: Literal["sent", "missing", "n/a"] | None
    second_ehlo_reply_code: int | None
    client_to_server_commands: tuple[str, ...]
    delivered: bool | None
    in_clear: bool
    faults: tuple[str, ...]
    causes: tuple[causes.Told, ...]
    outcome: Text
    understood: float = 1.0

    @property
    def problem(self) -> bool:
        """Whether there is something to repair: a probe breaks what it likes."""
        known = causes.causes()
        return bool(self.faults) and not any(known[told.id].harmless for told in self.causes)


def judge(session: Session, pairs: Sequence[Paired], broken: Iterable[str]) -> Verdict:
    """The verdict over `session`, from its events, how each pairs, and the rules that were broken,
    in the order in which they were."""
    if not session.is_understood:
        return _not_understood(session)
    events = session.events
    tls = _tls(session, pairs)
    inside = _inside(events)
    second = _second_ehlo(session, tls, inside)
    faults = dict.fromkeys(broken)
    # What was played in the lab is no riddle: its cause is the scenario.
    told = () if session.source == "lab" else causes.find(session, pairs, tls, second)
    faults.update(dict.fromkeys(cause.id for cause in told))
    delivered: bool | None = _accepted(events, pairs) or _said_accepted(session)
    reported = _reported(events)
    if reported:
        delivered = reported in ("delivered", "relayed", "expanded")
        delivered = None if reported in ("delayed", "?") else delivered
    elif not delivered and not _shows_all(session, pairs):
        delivered = None
    in_clear = any(_is_message(e) and not e.secure for e in events)
    ehlos = [e for e in events if isinstance(e, Command) and e.by == "client" and e.verb == "EHLO"]
    verdict = Verdict(
        format=session.source,
        tls=tls,
        ehlo_before_tls=(None if session.shown == "outline" else sum(not c.secure for c in ehlos)),
        ehlo_after_tls=(
            sum(c.secure for c in ehlos) if _inside_shown(session, tls, pairs) else None
        ),
        second_ehlo=second,
        second_ehlo_reply_code=None if second == "n/a" else _reply_code(events, pairs, inside),
        client_to_server_commands=commands(session),
        delivered=delivered,
        in_clear=in_clear,
        faults=tuple(faults),
        causes=told,
        outcome=Text(""),
        understood=session.understood,
    )
    return msgspec.structs.replace(verdict, outcome=_outcome(verdict, session, pairs))


def commands(session: Session) -> tuple[str, ...]:
    """The verbs that the client sent, if anything may be claimed."""
    if not session.is_understood:
        return ()
    sent = (e for e in session.events if isinstance(e, Command) and e.by == "client")
    return tuple(command.verb for command in sent if command.verb)


def _not_understood(session: Session) -> Verdict:
    """Nothing is claimed: what was not understood may say the opposite."""
    return Verdict(
        format=session.source,
        tls=None,
        ehlo_before_tls=None,
        ehlo_after_tls=None,
        second_ehlo=None,
        second_ehlo_reply_code=None,
        client_to_server_commands=(),
        delivered=None,
        in_clear=False,
        faults=(),
        causes=(),
        outcome=Text(_NOT_UNDERSTOOD, {"share": round(100 * session.understood)}),
        understood=session.understood,
    )


def _reported(events: Sequence[AnyEvent]) -> str:
    """What a report says became of the message (RFC 3464 §2.3.3); empty if there is none."""
    return next((e.action for e in events if isinstance(e, Remark) and e.action), "")


def _is_message(event: AnyEvent, by: Party = "client") -> bool:
    """Mail data, or its last piece (RFC 3030 §2)."""
    match event:
        case Message():
            return event.by == by
        case Command(verb="BDAT", argument=size):
            return event.by == by and smtp.is_last_piece(size)
    return False


def _accepted(events: Sequence[AnyEvent], pairs: Sequence[Paired], by: Party = "client") -> bool:
    """The server took responsibility for a message (RFC 5321 §6.1): the client's, or one that
    stood within it."""
    return any(
        isinstance(event, Reply)
        and 200 <= event.code < 300
        and pair.answers is not None
        and _is_message(events[pair.answers], by)
        for event, pair in zip(events, pairs, strict=True)
    )


_ACCEPTED = late(
    r"\bstatus=sent\b|\bstat=Sent\b|disconnect from .* data=[1-9]|Message done DCID"
    r"| (?:<=|=>|->) [^\s<>@]+@|delivery successful"
)
_ARROW = late(r"^\S+ (?:<=|=>|->) ")


def _said_accepted(session: Session) -> bool:
    """Where the dialogue is not shown, a line about this connection may say what came of it."""
    if session.source == "lab" or not session.connection:
        return False
    if session.shown == "all" and not _told_of(session):
        return False
    name = session.connection
    said = [e.text[:4000] for e in session.events if isinstance(e, Remark)]
    # Exim's main log has one line for a message and its TLS, and the connection is named by it.
    return _ARROW.search(name) is not None or any(
        name in text and _ACCEPTED.search(text) for text in said
    )


def _told_of(session: Session) -> bool:
    return any(isinstance(e, Command) and e.told for e in session.events)


def _shows_all(session: Session, pairs: Sequence[Paired]) -> bool:
    """Whether the record would show that a message was accepted, if one was."""
    events = session.events
    if session.source == "lab":
        return True
    if session.source == "capture" and session.shown == "all":
        # All that crossed is there, if its end is.
        return any(isinstance(e, Disconnect) for e in events)
    if session.shown == "outline" or _told_of(session):
        return False
    if session.shown == "clear" and any(isinstance(e, Handshake) and not e.error for e in events):
        return False
    answered = {pair.answers for pair in pairs}
    for index, event in enumerate(events):
        data = _is_message(event) or (isinstance(event, Command) and event.verb == "DATA")
        if data and index not in answered:
            return False
    match next((e for e in reversed(events) if not isinstance(e, Remark)), None):
        case Disconnect() | Command(verb="QUIT") | Reply(code=221 | 421):
            return True
        case Handshake(error=error):
            return bool(error)
    return False


def _inside(events: Sequence[AnyEvent]) -> list[int] | None:
    """Indices of the client's commands since the handshake; None if none came about."""
    found: list[int] | None = None
    for index, event in enumerate(events):
        if isinstance(event, Handshake) and not event.error:
            found = []
        elif found is not None and isinstance(event, Command) and event.by == "client":
            found.append(index)
    return found


def _inside_shown(session: Session, tls: Tls | None, pairs: Sequence[Paired]) -> bool:
    """Whether the record would show an EHLO inside TLS, if there was one."""
    if session.shown == "clear":
        return tls not in ("established", "implicit")
    if session.shown == "outline":
        refusal = _heard(session, pairs, "STARTTLS")
        return tls == "refused" and refusal is not None and any(refusal.lines)
    return True


def _tls(session: Session, pairs: Sequence[Paired]) -> Tls | None:
    events = session.events
    handshakes = [e for e in events if isinstance(e, Handshake)]
    came_about = any(not h.error for h in handshakes)
    if session.implicit_tls:
        return "implicit" if came_about else "failed" if handshakes else None
    if came_about:
        return "established"
    if handshakes:
        return "failed"
    answer = _heard(session, pairs, "STARTTLS")
    if answer and answer.code >= 400:
        return "refused"
    if any(isinstance(e, Command) and e.verb == "STARTTLS" and e.by == "client" for e in events):
        return None
    if _asked_unshown(events):
        return None
    listed = _list(session, pairs)
    if listed:
        _, keywords = smtp.parse_ehlo_reply(listed.lines)
        if any(k.name == "STARTTLS" for k in keywords):
            return "not_attempted"
        return None if _breaks_off(listed, events) else "not_offered"
    for event in events:
        if isinstance(event, Remark) and event.tells:
            return event.tells
    return _tls_without_list(session, pairs)


def _breaks_off(listed: Reply, events: Sequence[AnyEvent]) -> bool:
    """Whether the record ends inside that list: no row of it is the last (`250 `, RFC 5321 §4.2.1),
    and nobody speaks after it."""
    rows = listed.raw.decode("utf-8", "replace").splitlines()
    said = [e for e in events if isinstance(e, Command | Reply | Message)]
    return bool(rows) and re.match(r"\d{3}-", rows[-1]) is not None and said[-1] is listed


_ASKED = late(
    r"(?i)(?<!\bto )\b(?:send(?:ing|s)?|sent|issu(?:e|ed|ing)|begin(?:ning)?)\b"
    r"(?:(?!mail|messag|alert|notif).){0,20}\bSTARTTLS\b"
    r"(?!.{0,60}\b(?:not|un|isn.t|doesn.t)[ -]?(?:been )?(?:support|offer|advertis|avail))"
)


def _asked_unshown(events: Sequence[AnyEvent]) -> bool:
    """Where no command is shown, a line says that STARTTLS was sent."""
    return not any(isinstance(e, Command) and not e.told for e in events) and any(
        isinstance(e, Remark) and _ASKED.search(e.text[:1000]) for e in events
    )


_WANTS_STARTTLS = late(r"(?i)\bissue an? starttls|\bstarttls (?:command )?(?:first|required)")
"""A server that says so has STARTTLS, although HELO brings no list."""


def _tls_without_list(session: Session, pairs: Sequence[Paired]) -> Tls | None:
    """What can be said where no list of keywords was ever given."""
    events = session.events
    if begins_in_the_middle(events):
        return None
    if any(isinstance(e, Message) for e in events):
        return "not_attempted"
    greeted = _heard(session, pairs, "EHLO") or _heard(session, pairs, "HELO")
    if greeted:
        said_so = (" ".join(e.lines) for e in events if isinstance(e, Reply) and e.code >= 400)
        if any(map(_WANTS_STARTTLS.search, said_so)):
            return "not_attempted"
        return None if greeted.told else "not_offered"
    said = {e.verb for e in events if isinstance(e, Command) and e.by == "client"}
    answered = any(isinstance(e, Reply) for e in events)
    if session.shown != "outline" and answered and said and said.isdisjoint(smtp.HELLO):
        return "not_attempted"
    return None


def _list(session: Session, pairs: Sequence[Paired]) -> Reply | None:
    """The last list of keywords that the client saw; its EHLO may be older than the record."""
    listed = _heard(session, pairs, "EHLO", 250)
    if listed:
        return listed
    for event, pair in zip(session.events, pairs, strict=True):
        if isinstance(event, Reply) and event.code == 250 and len(event.lines) > 1:
            if pair.answers is None and pair.heard_as is None:
                return event
    return None


def _heard(session: Session, pairs: Sequence[Paired], verb: str, code: int = 0) -> Reply | None:
    """The last reply that the client took for the answer to that verb."""
    found = None
    for event, pair in zip(session.events, pairs, strict=True):
        if isinstance(event, Reply) and pair.heard_as is not None and code in (0, event.code):
            heard = session.events[pair.heard_as]
            if isinstance(heard, Command) and heard.verb == verb:
                found = event
    return found


def _second_ehlo(
    session: Session, tls: Tls | None, inside: list[int] | None
) -> Literal["sent", "missing", "n/a"] | None:
    if tls is None and session.shown == "outline":
        return None
    if tls != "established":
        return "n/a"
    if not inside:
        return None
    first = session.events[inside[0]]
    if isinstance(first, Command) and first.verb == "EHLO":
        return "sent"
    # A command that only its reply names need not have been the first, unless all are counted.
    named = isinstance(first, Command) and first.told
    counted = any(isinstance(e, Command) and e.verb == "EHLO" for e in session.events)
    return None if named and not counted else "missing"


def _reply_code(
    events: Sequence[AnyEvent], pairs: Sequence[Paired], inside: list[int] | None
) -> int | None:
    ehlo = next((i for i in inside or () if getattr(events[i], "verb", "") == "EHLO"), None)
    if ehlo is None:
        return None
    for event, pair in zip(events, pairs, strict=True):
        if pair.heard_as == ehlo and isinstance(event, Reply):
            return event.code
    return None


_HOW_FAR = {
    "refused": N_("The server refused to begin TLS ({code})."),
    "not_offered": N_("The client saw no offer of TLS."),
    "failed": N_("TLS was begun, but the handshake failed."),
    "not_attempted": N_("The client did not ask for TLS."),
    "implicit": N_(
        "TLS was there before the first word of SMTP: nothing was learned in the clear, "
        "so one EHLO is enough."
    ),
    "in front": N_("TLS ended in front of the server: what reached the server came in the clear."),
    "sent": N_(
        "TLS was established, both sides had to forget what was said in the clear, "
        "and the second EHLO began the session anew."
    ),
    "cut off": N_("The client asked for TLS, but the session ended before the server answered."),
    "waited": N_("TLS was never begun: each side waited for the other."),
    "slipped in": N_(
        "TLS was established, but what someone slipped in before it, in the clear, "
        "was taken for a part of the session inside."
    ),
    "missing": N_(
        "TLS was established and both sides had to forget what was said in the clear, "
        "but the client did not say EHLO again."
    ),
    "established": N_("TLS was established; the record ends before the client's next command."),
    "hidden": N_("TLS was established; what was said inside it is not shown."),
}

_MAIL = {
    "smuggled": N_("From the rest of it the server made a second message, and accepted that too."),
    "inside": N_("The message was accepted inside TLS."),
    "in front": N_("The message was accepted."),
    "clear": N_("The message was accepted, and it crossed the network in the clear."),
    "refused": N_("The server refused {verb} with {code}."),
    "none": N_("No message was accepted."),
    "said": N_("The log says that a message was accepted."),
    "failed": N_("{client} reports that the message could not be delivered to {recipient}."),
    "failed unnamed": N_("The message could not be delivered, and a report came back."),
    "delayed": N_("{client} reports that the message to {recipient} waits and is tried again."),
    "delayed unnamed": N_("The message waits, and its delivery is tried again."),
    "not shown": N_("The record does not show whether a message was accepted."),
}


def _outcome(verdict: Verdict, session: Session, pairs: Sequence[Paired]) -> Text:
    code = _heard(session, pairs, "STARTTLS")
    key: str = verdict.tls or ""
    if key == "established" and verdict.second_ehlo:
        key = verdict.second_ehlo
    elif key == "established" and session.shown != "all":
        key = "hidden"
    if _ended_in_front(session.events):
        key = "in front"
    if any(event.stale for event in session.events):
        key = "slipped in"
    if not key and code is None and _cut_at_starttls(session.events):
        key = "cut off"
    if not key and session.source == "lab" and _both_waited(session.events):
        key = "waited"
    if key:
        how_far = Text(_HOW_FAR[key], {"code": code.code if code else 0})
    else:
        how_far = Text(N_("The record does not show what became of TLS."))
    return Text(N_("{tls} {mail}"), {"tls": how_far, "mail": _mail(verdict, session, pairs)})


def _ended_in_front(events: Sequence[AnyEvent]) -> bool:
    """TLS came about, but not as far as the server."""
    return any(isinstance(e, Handshake) and e.in_front and not e.error for e in events)


def _cut_at_starttls(events: Sequence[AnyEvent]) -> bool:
    """The client's last command was STARTTLS, and then the connection ended."""
    sent = [event for event in events if isinstance(event, Command) and event.by == "client"]
    return bool(sent) and sent[-1].verb == "STARTTLS" and isinstance(events[-1], Disconnect)


def _both_waited(events: Sequence[AnyEvent]) -> bool:
    """Nobody said a word until one side lost patience."""
    if not events or not all(isinstance(event, Connect | Disconnect) for event in events):
        return False
    return isinstance(last := events[-1], Disconnect) and last.reason == "timeout"


def _mail(verdict: Verdict, session: Session, pairs: Sequence[Paired]) -> Text:
    reported = _reported(session.events)
    if reported not in ("failed", "delayed"):
        came = _accepted_or_not(verdict, session, pairs)
        if not _accepted(session.events, pairs, "message"):
            return came
        return Text(N_("{tls} {mail}"), {"tls": came, "mail": Text(_MAIL["smuggled"])})
    values = {"client": session.client.name, "recipient": session.connection}
    known = "" if all(values.values()) else " unnamed"
    came = Text(_MAIL[reported + known], values)
    refused = _accepted_or_not(verdict, session, pairs)
    if refused.id == _MAIL["refused"]:
        return Text(N_("{tls} {mail}"), {"tls": refused, "mail": came})
    return came


def _accepted_or_not(verdict: Verdict, session: Session, pairs: Sequence[Paired]) -> Text:
    if verdict.delivered and not _accepted(session.events, pairs):
        return Text(_MAIL["said"])
    if verdict.delivered:
        if _ended_in_front(session.events):
            return Text(_MAIL["in front"])
        return Text(_MAIL["clear" if verdict.in_clear else "inside"])
    for event, pair in zip(session.events, pairs, strict=True):
        code = event.code if isinstance(event, Reply) else 0
        if code >= 400 and pair.heard_as is not None:
            heard = session.events[pair.heard_as]
            if isinstance(heard, Command) and heard.verb in ("MAIL", "RCPT", "DATA", "AUTH"):
                return Text(_MAIL["refused"], {"verb": heard.verb, "code": code})
    return Text(_MAIL["none" if verdict.delivered is False else "not shown"])
