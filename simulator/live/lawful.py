"""What a side may say next, and why what it said is against the rules, where all was said by hand.

The rules of any session are the engine's. Here is what can be told only where nothing is missing
from the record: that a command is out of sequence, that a reply answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator import smtp
from simulator.knowledge import Knowledge
from simulator.language import N_, Text
from simulator.pairing import Step
from simulator.rules import Level, Note
from simulator.session import AuthResponse, Command, Connect, Handshake, Message, Reply


def pending(steps: Sequence[Step]) -> list[int]:
    """What waits for a reply, oldest first."""
    answered = {step.answers for step in steps}
    waiting: list[int] = []
    for step in steps:
        match step.event:
            case Handshake(error=""):
                waiting.clear()
            case Connect() | Command() | AuthResponse() | Message() if step.index not in answered:
                waiting.append(step.index)
    return waiting


def left(steps: Sequence[Step]) -> bool:
    """Was 221 to QUIT the last word? Then the server closes (RFC 5321 §4.1.1.10)."""
    last = steps[-1]
    if not isinstance(last.event, Reply) or last.event.code != 221 or last.answers is None:
        return False
    asked = steps[last.answers].event
    return isinstance(asked, Command) and asked.verb == "QUIT"


def handshake_due(steps: Sequence[Step]) -> bool:
    """Was a 220 to STARTTLS the last word?"""
    last = steps[-1]
    if not isinstance(last.event, Reply) or last.event.code != 220 or last.event.secure:
        return False
    heard = steps[last.heard_as].event if last.heard_as is not None else None
    return isinstance(heard, Command) and heard.verb == "STARTTLS"


def before(steps: Sequence[Step], index: int) -> Knowledge | None:
    """What both sides knew before that step; None before the first."""
    return steps[index - 1].knowledge if index else None


def out_of_sequence(command: Command, known: Knowledge | None) -> bool:
    """Can the server not have begun, or finished, what this command needs?"""
    if known is None:
        return False
    match command.verb:
        case "MAIL":
            introduced = known.find("server", "name") is not None
            return not introduced or known.find("server", "envelope", "MAIL FROM") is not None
        case "RCPT":
            return known.find("server", "envelope", "MAIL FROM") is None
        case "DATA":
            return known.find("server", "envelope", "RCPT TO") is None
    return False


def broken(steps: Sequence[Step], index: int) -> tuple[Note, ...]:
    """Why what was said there is against the rules: what the rules say of any session, and what
    can be said only where all that was said is known for certain."""
    step = steps[index]
    ruled = [note for note in step.notes if not note.met]
    return (*ruled, *by_hand(steps, step))


def by_hand(steps: Sequence[Step], step: Step) -> Iterator[Note]:
    """What is against the rules in that step and can be told only of what was said by hand."""
    known = before(steps, step.index)
    ruled_out = {note.rule for note in step.notes if not note.met}
    grouped = any(note.rule == "waits-for-reply" for note in step.notes)
    match step.event:
        case Command() as command:
            if not any(isinstance(s.event, Reply) for s in steps[: step.index]):
                yield _note(
                    step,
                    "rfc5321-4_3_1-wait-for-greeting",
                    "should",
                    N_("The client speaks before the server has greeted."),
                )
            elif command.verb == "STARTTLS" and not command.secure and known is not None:
                if known.find("client", "keyword", "STARTTLS") is None:
                    yield _note(
                        step,
                        "rfc3207-3-keyword-means",
                        "risk",
                        N_("The client asks for TLS, which the server did not offer."),
                    )
            elif not (grouped or ruled_out & {"ehlo-before-mail"}) and out_of_sequence(
                command, known
            ):
                yield _note(
                    step,
                    "rfc5321-4_1_4-out-of-order-503",
                    "must",
                    N_("{verb} is out of sequence here: the server must answer 503."),
                    verb=command.verb,
                )
        case Reply() as reply:
            if step.answers is None:
                yield _note(
                    step,
                    "rfc5321-4_2-one-reply-each",
                    "must",
                    N_("Nothing waits for a reply: this one answers no command."),
                )
            if not _well_formed(reply):
                yield _note(
                    step,
                    "rfc5321-4_2_1-multiline-reply",
                    "risk",
                    N_(
                        "This is no reply: each line begins with the same three digits, a hyphen "
                        "behind them, or a space in the last line."
                    ),
                )
            asked = steps[step.answers] if step.answers is not None else None
            if (
                asked is not None
                and isinstance(asked.event, Command)
                and 200 <= reply.code < 400
                and not any(note.rule == "waits-for-reply" for note in asked.notes)
                and out_of_sequence(asked.event, before(steps, asked.index))
            ):
                yield _note(
                    step,
                    "rfc5321-4_1_4-out-of-order-503",
                    "must",
                    N_("The server takes {verb} out of sequence: it must answer 503."),
                    verb=asked.event.verb,
                )


def _well_formed(reply: Reply) -> bool:
    lines = [smtp.parse_reply_line(line) for line in reply.raw.decode().splitlines()]
    *first, last = lines or [None]
    return (
        last is not None
        and not last.more
        and all(line is not None and line.more and line.code == last.code for line in first)
    )


def _note(step: Step, citation: str, level: Level, text: str, **values: str) -> Note:
    return Note(
        rule="",
        citation=citation,
        level=level,
        event=step.index,
        met=False,
        text=Text(text, values),
    )
