"""The end of a dialogue: what must have happened, judged once, when all of it was read."""

from __future__ import annotations

import re

import msgspec

from simulator.needles import late
from simulator.reading import signs
from simulator.reading.dialogue import Dialogue, Extent
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Session,
)


def session(dialogue: Dialogue) -> Session:
    """The session, as far as it was read."""
    dialogue.settle()
    _without_lesson(dialogue)
    if dialogue.source in _PASTED:
        _without_supposition(dialogue)
    _too_early(dialogue)
    _open_handshake(dialogue)
    if not (dialogue.plain or _is_typed(dialogue)):
        _told_late(dialogue.events)
    dialogue.conclude()
    _implicit(dialogue)
    events = _without_recipe(tuple(dialogue.events))
    if _is_outline(events) or _is_list_apart(events):
        events = _from_remarks(dialogue, events)
    return Session(
        source=dialogue.source,
        connection=dialogue.connection,
        started=dialogue.started,
        client=dialogue.client,
        server=dialogue.server,
        implicit_tls=dialogue.implicit,
        shown=_how_much(dialogue, events),
        events=events,
    )


def _is_outline(events: tuple[AnyEvent, ...]) -> bool:
    """Nothing of the dialogue is shown but refusals, and how the client went."""
    said = [e for e in events if isinstance(e, Command | Handshake | AuthResponse)]
    replies = [e for e in events if isinstance(e, Reply)]
    if not said:
        return all(e.code >= 400 for e in replies)
    return not replies and all(isinstance(e, Command) and e.verb == "QUIT" for e in said)


def _without_recipe(events: tuple[AnyEvent, ...]) -> tuple[AnyEvent, ...]:
    """What a page tells its reader to type, without one reply, is none of the session whose error
    it explains."""
    said = [i for i, e in enumerate(events) if not isinstance(e, Remark)]
    if not said or not all(
        isinstance(events[i], Command) and not getattr(events[i], "told", False) for i in said
    ):
        return events
    above = [e.text for e in events[: said[0]] if isinstance(e, Remark)]
    errors = [i for i, text in enumerate(above) if signs.written(text) and signs.read(text)]
    typed = [i for i, text in enumerate(above) if _STARTED.search(text[:400])]
    below = (e.text for e in events[said[-1] + 1 :] if isinstance(e, Remark))
    logged = any(_DATED.search(text[:400]) and signs.read(text) for text in below)
    if not typed or not (logged or (errors and errors[0] <= typed[-1])):
        return events
    return tuple(
        Remark(by="client", at=e.at, line=e.line, text=_written(e), about="message")
        if isinstance(e, Command)
        else e
        for e in events
    )


_DATED = late(r"^\W{0,3}(?:\S{1,20} ){0,3}\S{0,20}\d:\d\d:\d\d")
"""A line with a time, as no program writes that somebody types into."""

_PASTED = ("fragments", "plain", "unknown")
"""The readers of what people paste, with what they say about it."""


SUPPOSING = 5
"""Blanks in a line, or more, that may be a sentence."""


def _without_supposition(dialogue: Dialogue) -> None:
    """A sentence that only supposes, or asks, tells nothing of the session; it may be broken into
    lines."""
    goes_on = 0
    for index, event in enumerate(dialogue.events):
        if not isinstance(event, Remark) or event.about or event.text.count(" ") < SUPPOSING:
            continue
        text = event.text.rstrip()
        if not (goes_on and goes_on == event.line) and not signs.supposed(text):
            continue
        dialogue.events[index] = msgspec.structs.replace(event, about="other")
        goes_on = (
            0 if text.endswith((".", "?", "!", ":", "。", "？", "：")) else (event.line or -1) + 1
        )


_ROW = late(
    r"(?:[\s|*•·>#+\"'`(\[-]|</?\w{1,6}>|\d{1,2}[.)]\s"
    r"|(?i:smtp|err\w{1,4}|code|reply|fehler|c[oó]d\w{1,3}|ошибка|エラー|错误|錯誤|오류)[ :]{0,2}"
    r"){0,12}(?P<code>[245]\d\d|354|334)(?!\d|[.:/]\d|-\d)"
)
"""How a page lists codes of replies: each first in its line, behind a bullet or a table's rule."""

LESSON = 3
"""So many refusals, each another, with nothing said between them, are a list of what there is."""


def _without_lesson(dialogue: Dialogue) -> None:
    """A table of reply codes, as documentation has it, is no session: nobody got those replies."""
    events = dialogue.events
    rows: dict[int, int] = {}
    for index, event in enumerate(events):
        match event:
            case Reply(by="server") if len(event.lines) <= 2:
                rows[index] = event.code
            case Remark(about="") if (row := _ROW.match(event.text[:200])) is not None:
                rows[index] = int(row["code"])
            case Remark():
                pass
            case (
                Command(told=True) | Disconnect() | Message(size=0) | Handshake(line=None, error="")
            ):
                pass
            case _:
                return
    refused = [code for code in rows.values() if code >= 400]
    if len(set(refused)) < LESSON or len(set(refused)) < len(refused) - 1:
        return
    if any(_STAMPED.search(_as_written(events[index])) for index in rows):
        return
    dialogue.pending = None
    dialogue.events = [
        Remark(by="client", at=e.at, line=e.line, text=_as_written(e), about="other")
        if index in rows
        else e
        for index, e in enumerate(events)
        if index in rows or isinstance(e, Remark)
    ]


_STAMPED = late(r"\d\d:\d\d:\d\d|\[\d{1,3}(?:\.\d{1,3}){3}\]|\bsaid: ")


def _as_written(event: AnyEvent) -> str:
    if isinstance(event, Remark):
        return event.text
    raw: bytes = getattr(event, "raw", b"")
    return raw.decode("utf-8", "replace").strip()


def _written(command: Command) -> str:
    return command.raw.decode("utf-8", "replace").strip()


def _is_list_apart(events: tuple[AnyEvent, ...]) -> bool:
    """A list alone, at most after the word EHLO, is quoted for what it offers."""
    said = [e for e in events if not isinstance(e, Remark)]
    if isinstance(said[0] if said else None, Command):
        asked = said.pop(0)
        if not isinstance(asked, Command) or asked.verb != "EHLO" or asked.argument:
            return False
    match said:
        case [Reply(code=250, lines=lines)]:
            return len(lines) > 1
    return False


def _too_early(dialogue: Dialogue) -> None:
    """A log written by several threads may tell of the handshake before the STARTTLS that brought
    it about: who is inside TLS already would get no 220 to it (RFC 3207 §4.2)."""
    events = dialogue.events
    told = [i for i, e in enumerate(events) if isinstance(e, Handshake) and not e.error]
    if len(told) != 1 or dialogue.implicit:
        return
    said = [i for i, e in enumerate(events) if isinstance(e, Command | Reply) and i > told[0]]
    match [events[i] for i in said[:2]]:
        case [Command(by="client", verb="STARTTLS"), Reply(code=220)]:
            handshake = events.pop(told[0])
            for index in range(told[0], said[1]):
                event = events[index]
                if not isinstance(event, Remark):
                    events[index] = msgspec.structs.replace(event, secure=False)
            events.insert(said[1], handshake)
        case _:
            return


def _open_handshake(dialogue: Dialogue) -> None:
    """Commands after the 220, and no reply to any of them until the log ends."""
    place = dialogue.pending
    if place is None or dialogue.secure:
        return
    remarks = [e for e in dialogue.events[place:] if isinstance(e, Remark) and e.about != "other"]
    if any(_STACK.match(remark.text) for remark in remarks):
        dialogue.plain = False
    if not dialogue.spoken_since(place):
        # The server's empty line is what a program wrote that read nothing.
        empty = next((e for e in remarks if e.by == "server" and not e.text), None)
        if empty is not None:
            dialogue.tls_failed(empty.line or 0, "", "other")
        elif not (dialogue.plain or _is_typed(dialogue)) and (
            above := _told_above(dialogue.events)
        ):
            dialogue.tls_failed(above.line or 0, above.text.strip())
        return
    if dialogue.plain:
        if any(remark.text.strip() for remark in remarks):
            dialogue.tls_failed(remarks[-1].line or 0, remarks[-1].text, "cut")
        return
    said = [e for e in dialogue.events[place:] if isinstance(e, Command)]
    silent = any(not remark.text for remark in remarks)
    if said and (silent or all(command.verb == "QUIT" for command in said)):
        dialogue.tls_failed(said[0].line or 0, "", "other")
    else:
        dialogue.infer_tls()


_BY_SERVER = late(r"(?i)\bSSL_accept\b|\bsmtpd?\b.{0,20}: .{0,40}\baccept")


def _verb(event: AnyEvent) -> str:
    return event.verb if isinstance(event, Command) else ""


def _told_late(events: list[AnyEvent]) -> None:
    """A client may log the EHLO that it is about to send into TLS before it tells that TLS failed:
    then nothing was replied to that any more, and the failure came before it. What else it sends,
    and what a server tells of, may have come in plain text."""
    failed = [i for i, e in enumerate(events) if isinstance(e, Handshake)]
    if len(failed) != 1 or not isinstance(shake := events[failed[0]], Handshake):
        return
    if not shake.detail or shake.error in ("", "cut", "not-tls", "timeout"):
        return
    if _BY_SERVER.search(shake.detail):
        return
    said = [i for i, e in enumerate(events) if isinstance(e, Command | Reply)]
    replies = [i for i in said if isinstance(events[i], Reply)]
    last = replies[-1] if replies else -1
    match [events[i] for i in said if i <= last][-2:]:
        case [Command(verb="STARTTLS"), Reply(code=220)]:
            pass
        case _:
            return
    sent = [i for i in said if last < i < failed[0]]
    if sent and all(_verb(events[i]) in ("EHLO", "HELO", "QUIT") for i in sent):
        events.insert(sent[0], events.pop(failed[0]))


def _is_typed(dialogue: Dialogue) -> bool:
    """Whether a shell's line above the dialogue starts what it was typed into."""
    above = (e.text[:400] for e in dialogue.events if isinstance(e, Remark))
    return any(map(_STARTED.search, above))


def _told_above(events: list[AnyEvent]) -> Remark | None:
    """The error that STARTTLS came to, which a page shows before the log of it."""
    for event in events:
        if not isinstance(event, Remark):
            return None
        found = signs.read(event.text) if event.about != "other" else None
        if found is not None and found.kind == "failed" and _OF_STARTTLS.search(event.text[:1000]):
            return event
    return None


_OF_STARTTLS = late(r"(?i)\bstart[ _-]?tls\b|convert socket to tls|enable(?:d|_)? ?crypto")

_STACK = late(r"\s*(?:#\d+ \S|at [\w.$<>]+\(|Stack [Tt]race:|Traceback \(|from \S+:\d+:in )")
"""A line of a program's stack: no person typed this dialogue."""


def _implicit(dialogue: Dialogue) -> None:
    """TLS before the greeting is TLS from the first octet (RFC 8314)."""
    events = dialogue.events
    if dialogue.fell_back and dialogue.shown == "all" and not dialogue.begun:
        dialogue.implicit = any(isinstance(e, Connect) for e in events) or dialogue.implicit
    for event in events:
        match event:
            case Handshake(error=""):
                rest = events[events.index(event) :]
                first = next((e for e in rest if isinstance(e, Command | Reply)), None)
                beside = (e for e in events if isinstance(e, Remark) and e.line == event.line)
                named = any("STARTTLS" in e.text[:1000].upper() for e in beside)
                if isinstance(first, Reply) and first.code in (220, 554) and not named:
                    dialogue.implicit = True
                return
            case Handshake():
                return
            case Command() | Reply():
                break
    dialogue.implicit = (
        dialogue.implicit or _speaks_on_465(dialogue) or _speaks_through_tls(dialogue)
    )
    if dialogue.implicit and not any(isinstance(e, Handshake) for e in events):
        said = (i for i, e in enumerate(events) if isinstance(e, Command | Reply))
        dialogue.pending = next(said, None)
        if dialogue.pending is not None:
            dialogue.infer_tls()


def _speaks_on_465(dialogue: Dialogue) -> bool:
    """A program greeted on port 465, and of STARTTLS there is no word: TLS is on (RFC 8314)."""
    said = [e for e in dialogue.events if isinstance(e, Command | Reply)]
    words = (line for e in said if isinstance(e, Reply) for line in e.lines)
    return (
        dialogue.server.port == 465
        and not dialogue.plain
        and bool(said)
        and isinstance(said[0], Reply)
        and said[0].code == 220
        and not any(isinstance(e, Command) and e.verb == "STARTTLS" for e in said)
        and not any("STARTTLS" in word.upper() for word in words)
    )


_STARTED_TLS = late(
    r"(?i)\bopenssl s_client\b(?!.*-starttls)|\bgnutls-cli\b(?!.*starttls)|\bncat .{0,40}--ssl\b"
    r"|\bsocat .{0,40}\b(?:openssl|ssl):|\btelnet-ssl .{0,40}-z ssl"
)
_STARTED = late(r"(?i)\b(?:telnet|nc|ncat|netcat|openssl s_client|gnutls-cli|socat|swaks) \S")
"""The line of a shell that starts a program to talk to a server, and one that begins with TLS."""


def _speaks_through_tls(dialogue: Dialogue) -> bool:
    """Above the dialogue stands what it was typed into: a program that shows nothing but what came
    through TLS, which it begins by itself."""
    said = [i for i, e in enumerate(dialogue.events) if isinstance(e, Command | Reply)]
    above = dialogue.events[: said[0]] if said else []
    texts = [e.text[:400] for e in above if isinstance(e, Remark) and e.about != "other"]
    started = [text for text in texts if _STARTED.search(text)]
    replies = [e for e in dialogue.events if isinstance(e, Reply)]
    return (
        bool(started)
        and _STARTED_TLS.search(started[-1]) is not None
        and any(e.code in (220, 250) for e in replies)
        and not any(isinstance(e, Handshake) for e in dialogue.events)
        and not any(isinstance(e, Command) and e.verb == "STARTTLS" for e in dialogue.events)
    )


_ON_465 = late(r"(?i)\bport\W{1,3}465\b|[\w\])]:465\b|smtps://")
_VAGUE = ("other", "cut", "established")
_REPORTED = late(r"(?i)\bTLS negotiation failed|\b4\.4\.317\b|certificate validation failed")


def _from_remarks(dialogue: Dialogue, events: tuple[AnyEvent, ...]) -> tuple[AnyEvent, ...]:
    """Nothing of the dialogue is shown, but a line may tell what became of it."""
    if any(isinstance(e, Remark) and e.tells for e in events):
        return events
    sentences = {i: found for i, e in enumerate(events) if (found := _sentence(e)) is not None}
    if not sentences:
        return events
    # What a program wrote, before what a person says about it.
    written = [i for i in sentences if signs.written(_text(events[i]))] or [*sentences]
    clear = (i for i in written if (sentences[i].error or sentences[i].kind) not in _VAGUE)
    cut = (i for i in written if sentences[i].error == "cut")
    best = next(clear, next(cut, min(written)))
    best = _listed_reason(events, sentences, best)
    sentence = sentences[best]
    dialogue.told = True
    if sentence.kind == "failed" and _at_connect(events, best):
        sentence = msgspec.structs.replace(sentence, starttls=False)
    elif sentence.kind == "failed" and any(
        isinstance(e, Remark) and signs.by_starttls(e.text) for e in events
    ):
        sentence = msgspec.structs.replace(sentence, starttls=True)
    if any(isinstance(e, Remark) and _ON_465.search(e.text) for e in events):
        dialogue.implicit = True
    if sentence.error and (dialogue.implicit or sentence.error == "not-tls"):
        if not sentence.starttls:
            dialogue.implicit, dialogue.told = True, False
    told = events[best]
    if isinstance(told, Reply):
        text = f"{told.code} {' '.join(told.lines)}"
        told = Remark(by="server", at=told.at, line=told.line, text=text)
    assert isinstance(told, Remark)
    return (*events[:best], *sentence.events(told), *events[best + 1 :])


_AT_CONNECT = late(
    r"(?i)could not connect to smtp host|\.openServer\(|\bSMTP_SSL\("
    r"|\b(?:stream_socket_client|fsockopen)\(|connection could not be established with host \W{0,3}(?:ssl|tls)://"
)
"""What a library says, or has in its stack, only while it connects: JavaMail, Python, PHP."""


def _at_connect(events: tuple[AnyEvent, ...], place: int) -> bool:
    """Whether the error belongs to the connecting itself, by the lines around it."""
    near = range(max(0, place - 8), min(len(events), place + 9))
    texts = {i: e.text for i in near if isinstance(e := events[i], Remark)}
    connecting = [_away(i, place) for i, t in texts.items() if _AT_CONNECT.search(t[:1000])]
    later = [_away(i, place) for i, t in texts.items() if signs.by_starttls(t)]
    return bool(connecting) and (not later or min(connecting) < min(later))


def _away(index: int, place: int) -> tuple[int, bool]:
    """How far a line is from another; the one above is nearer."""
    return abs(index - place), index > place


def _listed_reason(
    events: tuple[AnyEvent, ...], sentences: dict[int, signs.Sentence], best: int
) -> int:
    """Of an error with its reasons in a list below it, the first that says more than the error;
    or the alert with which the other side tells in its own log what the certificate lacked."""
    if sentences[best].error not in ("other", "certificate"):
        return best
    begun = False
    for index in range(best, min(best + 8, len(events))):
        text = _text(events[index])
        begun = begun or re.search(r"(?i)following (?:reasons?|errors?)\W*$", text) is not None
        found = sentences.get(index)
        if begun and found is not None and re.match(r"\s*[-•*·]", text):
            if found.error not in ("", "other", "cut", "certificate"):
                return index
        if found is not None and found.error in ("unknown-ca", "expired"):
            if re.search(r"(?i)\bremote error: tls:|\balert\b", text):
                return index
    return best


def _text(event: AnyEvent) -> str:
    if isinstance(event, Reply):
        return f"error: {event.code}"
    return event.text if isinstance(event, Remark) else ""


def _sentence(event: AnyEvent) -> signs.Sentence | None:
    """What a remark tells of TLS, or a reply that was none of the peer's."""
    if isinstance(event, Remark) and event.about == "other":
        return None
    if isinstance(event, Remark):
        return signs.read(event.text)
    if isinstance(event, Reply):
        found = signs.read(f"{event.code} {' '.join(event.lines)}")
        if found is None or found.kind == "established":
            return None
        # Who sends mail for others reports by a reply how TLS with the next server failed.
        vague = found.kind == "failed" and found.error in _VAGUE
        return None if vague and not _REPORTED.search(" ".join(event.lines)) else found
    return None


def _how_much(dialogue: Dialogue, events: tuple[AnyEvent, ...]) -> Extent:
    if dialogue.sealed:
        return "clear"
    if dialogue.told or (dialogue.shown == "outline" and not dialogue.implicit):
        return "outline"
    if any(isinstance(e, Command | Message | AuthResponse) for e in events):
        return "all"
    codes = [e.code for e in events if isinstance(e, Reply)]
    if codes and all(code in (220, 421, 554) for code in codes) and not dialogue.secure:
        # A 220 that only STARTTLS can have is no greeting, and STARTTLS is not shown.
        texts = (f"{e.code} {e.lines[0]}" for e in events if isinstance(e, Reply) and e.lines)
        return "outline" if any(map(signs.go_ahead, texts)) else "all"
    if dialogue.shows_commands or any(isinstance(e, Connect) for e in events):
        return "all"
    if dialogue.implicit and any(isinstance(e, Handshake) and e.error for e in events):
        return "all"
    return "outline"
