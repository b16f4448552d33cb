"""A session without its secrets: what AUTH carries, messages, keys, and what stands in other lines.

What was masked in one place is masked wherever else it stands, in this session and in those that
come after it in the same log, as it is or in another encoding of it (base64, percent-encoding,
quoted-printable, HTML, JSON).
"""

from __future__ import annotations

import base64
import html
import itertools
import json
import quopri
import re
from collections import OrderedDict
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import msgspec

from simulator import smtp
from simulator.masking import leads
from simulator.masking.fields import texts, with_texts
from simulator.masking.forms import decoded, is_blob, is_sasl, looks_secret
from simulator.masking.prose import Masker
from simulator.masking.words import MASK, mechanisms, plain_words
from simulator.needles import late
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Peer,
    Remark,
    Reply,
    Session,
)

MOST = 400
"""Secrets of earlier sessions that are looked for in later ones."""

SHORTEST = 10
"""Characters of a line that is looked for in others."""

_LOGGED = late(
    r"\s*(?:\w{3} +\d{1,2} \d\d:\d\d|\d{4}-\d\d-\d\dT?|\[?\d\d:\d\d|\d\d/\d\d/|={3} |\*{1,3} |== "
    r"|<?\w+\[\d+\]|postfix/|\w+: (?:info|debug|warning|error)\b)"
)
"""A line of a log with its own beginning: no text of a message, nor an answer to AUTH."""

_DATA = late(r"^(?P<prefix>(?:.{0,80}?[:>\]|] +)?)(?:DATA|BDAT \d{1,12}(?: LAST)?)\s*$")
_TALK = late(
    r"(?:EHLO|HELO|MAIL FROM:|RCPT TO:|DATA$|BDAT \d|QUIT$|RSET$|NOOP|STARTTLS$|[245]\d\d[ -])"
)


_MARKED = late(r"\s*(?:[\w.-]{1,12} ?)?[<>:|=~*\]-]{1,4}(?=\s|$)")
"""What a log of another kind writes before each line."""


class Secrets:
    """Masks session after session of one log."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._by_word: dict[str, set[str]] = {}
        """Secrets by a word that each of their forms has: what a text is first asked for."""
        self._begun: OrderedDict[int, tuple[Any, ...]] = OrderedDict()
        """What the line before has begun, by the number of the line that may go on with it, perhaps
        in another session."""

    def __call__(self, session: Session) -> Session:
        """The session without secrets, and without the octets that hold them."""
        said = [text for event in session.events for text in texts(event) if text]
        masker = Masker()
        masker.prepare("\n".join(said))
        walk = _Walk(masker, self._begun)
        events = walk.all(session.events)
        if _newest_first(events):
            # A message may stand before the DATA that began it.
            again = _Walk(masker, self._begun).all(tuple(reversed(events)))[::-1]
            events = [
                new if isinstance(new, Remark) else old
                for old, new in zip(events, again, strict=True)
            ]
        here = {form: None for secret in masker.found for form in self._learn(secret)}
        here.update(dict.fromkeys(walk.said))
        if walk.pieces:
            events = [_without_pieces(event, walk.pieces) for event in events]
        if here or self._known:
            events = [self._elsewhere(event, tuple(here)) for event in events]
        while len(self._known) > MOST:
            _, forms = self._known.popitem(last=False)
            for form in forms:
                self._by_word.pop(_word(form), None)
        return msgspec.structs.replace(
            session,
            connection=self.text(session.connection),
            client=_peer(session.client, self),
            server=_peer(session.server, self),
            events=tuple(events),
            wire=(),
            secrets=(),
        )

    @property
    def knows_any(self) -> bool:
        """Whether a secret was found that is masked wherever else it stands, or may go on in
        another session."""
        return bool(self._known or self._begun)

    def again(self, session: Session) -> Session:
        """A session without secrets, of which more are known by now."""
        if not self._known:
            return session
        return msgspec.structs.replace(
            session,
            connection=self.text(session.connection),
            client=_peer(session.client, self),
            server=_peer(session.server, self),
            events=tuple(self._elsewhere(event, ()) for event in session.events),
        )

    def _learn(self, secret: str) -> tuple[str, ...]:
        if secret in self._known:
            return self._known[secret]
        forms = _forms(secret)
        if forms:
            self._known[secret] = forms
            for form in forms:
                self._by_word.setdefault(_word(form), set()).add(form)
        return forms

    def text(self, text: str, here: tuple[str, ...] = ()) -> str:
        """A text in which no secret is named, without those that were masked elsewhere."""
        found = {form for form in here if form in text}
        if self._known and len(text) > 3:
            for word in _WORD.findall(text):
                if word in self._by_word:
                    found |= {form for form in self._by_word[word] if form in text}
        for form in sorted(found, key=len, reverse=True):
            text = _replaced(text, form)
        return text

    def _elsewhere(self, event: AnyEvent, here: tuple[str, ...]) -> AnyEvent:
        said = texts(event)
        shown = [self.text(text, here) for text in said]
        return with_texts(event, shown) if shown != said else event


def _without_pieces(event: AnyEvent, pieces: dict[str, str]) -> AnyEvent:
    """The event with lines that a reader joined to others masked as they are by themselves."""
    said = texts(event)
    shown = list(said)
    for place, text in enumerate(said):
        apart = f" {text} "
        for line, masked in pieces.items():
            if text != line and f" {line} " in apart:
                shown[place] = shown[place].replace(line, masked)
    return with_texts(event, shown) if shown != said else event


_WORD = late(r"\w{2,}")


def _word(form: str) -> str:
    """The longest word in a secret."""
    return max(_WORD.findall(form), key=len, default=form)


def _peer(peer: Peer, secrets: Secrets) -> Peer:
    if not peer.name:
        return peer
    return msgspec.structs.replace(peer, name=secrets.text(peer.name))


def _replaced(text: str, form: str) -> str:
    """`form` masked in `text`; a short or plain one only where it is a word of its own."""
    if len(form) >= 8 and not form.isalpha():
        return text.replace(form, MASK)
    before = r"(?<!\w)" if form[0].isalnum() else ""
    after = r"(?!\w)" if form[-1].isalnum() else ""
    return re.sub(before + re.escape(form) + after, MASK, text)


def _forms(secret: str) -> tuple[str, ...]:
    """How a secret may be written elsewhere; nothing where it could be any word."""
    parts = {secret}
    octets = decoded(secret) if is_blob(secret) or is_sasl(secret) else b""
    if octets:
        inner = octets.decode("utf-8", "replace")
        if inner.isprintable() and len(inner) >= 4:
            parts.add(inner)
        elif "\0" in inner or "\x01" in inner:
            pieces = [piece for piece in re.split(r"[\0\x01]", inner) if piece]
            parts.update(piece.removeprefix("auth=Bearer ") for piece in pieces[1:])
            parts.update(pieces[:1] if len(pieces) == 1 else ())
    unescaped = re.sub(r"\\(.)", r"\1", secret)
    parts.update((unescaped, unquote(secret), html.unescape(secret)))
    forms: dict[str, None] = {}
    for part in sorted(parts, key=len, reverse=True):
        if not _telling(part):
            continue
        encoded = part.encode("utf-8", "surrogateescape")
        forms[part] = None
        if len(part) > 1000:
            continue
        blob = base64.b64encode(encoded).decode()
        if len(blob) >= 8:
            forms[blob] = forms[blob.rstrip("=")] = None
        forms[quote(part, safe="", errors="replace")] = None
        forms[quote_plus(part, errors="replace")] = None
        forms[quopri.encodestring(encoded, quotetabs=False).decode("ascii").strip()] = None
        forms[html.escape(part)] = forms[json.dumps(part)[1:-1]] = None
        if part == secret and part.upper() != part:
            forms[part.upper()] = None
    return tuple(sorted((form for form in forms if form), key=len, reverse=True))


def _telling(secret: str) -> bool:
    """Whether a secret can be looked for without masking half of the log."""
    if len(secret) < 4 or secret.lower() in plain_words() or MASK in secret:
        return False
    if re.fullmatch(r"[\d.:\s-]+", secret) and len(secret) < 6:
        return False
    if " " in secret:
        return len(secret) >= 6 and any(looks_secret(word) for word in secret.split())
    return looks_secret(secret) or len(secret) >= 6


class _Walk:
    """Goes through the events of one session and masks each by what went before it."""

    def __init__(self, masker: Masker, begun: OrderedDict[int, tuple[Any, ...]]) -> None:
        self._masker = masker
        self._begun = begun
        self._asked = False
        self._user = False
        """The server asked who it is, and not for the password."""
        self._auth = False
        self._body = ""
        """The command or reply after which text of a message may come although no 354 was seen."""
        self._body_seen = False
        self._prefix = ""
        """What goes before each line of a log that was not understood."""
        self.said: dict[str, None] = {}
        """Lines of messages, that replies may repeat."""
        self.pieces: dict[str, str] = {}
        """Lines of which something was masked, and as they are shown: a line that was broken may
        stand in the session once more as a whole, where its beginning hides what this one is."""

    def all(self, events: tuple[AnyEvent, ...]) -> list[AnyEvent]:
        done: list[AnyEvent] = []
        place = 0
        text = _before_dots(events)
        while place < len(events):
            event = events[place]
            if isinstance(event, Remark):
                group = []
                while place < len(events) and isinstance(remark := events[place], Remark):
                    group.append(remark)
                    place += 1
                self._remarks(group, done)
                continue
            shown = self._event(event)
            if place in text and isinstance(event, Command):
                self._say(_line(event))
                shown = msgspec.structs.replace(event, verb="", argument=MASK, raw=b"", wire=())
            if self._body and not self._prefix and _goes_on(events, place):
                self._body = ""
            elif isinstance(event, Reply) and event.code == 354 and not _goes_on(events, place):
                self._body, self._body_seen = "354", False
            done.append(shown)
            place += 1
        return done

    # Lines that were not understood -------------------------------------------------------------------

    def _remarks(self, group: list[Remark], done: list[AnyEvent]) -> None:
        """Lines that follow one another; state that they share runs on, as they stand in the log."""
        order = sorted(range(len(group)), key=lambda place: group[place].line or 0)
        lines = [group[place].text for place in order]
        self._masker.authenticating = self._asked or self._auth
        begun = self._begun.get(group[order[0]].line or 0)
        if begun is not None and not _LOGGED.match(lines[0]):
            self._masker.resume(begun)
        shown: list[str] = []
        while len(shown) < len(lines):
            shown += self._some(lines[len(shown) :])
        if (begun := self._masker.begun()) is not None and (last := group[order[-1]].line):
            self._begun[last + 1] = begun
            if len(self._begun) > MOST:
                self._begun.popitem(last=False)
        self._auth = self._auth or self._masker.authenticating
        told = dict(zip(order, shown, strict=True))
        for place, remark in enumerate(group):
            kept = MASK if remark.about == "message" else told[place]
            line = remark.text.strip()
            if kept != remark.text and len(line) >= SHORTEST and len(self.pieces) < MOST:
                self.pieces[line] = kept.strip()
            done.append(msgspec.structs.replace(remark, text=kept, raw=b"", wire=()))

    def _some(self, lines: list[str]) -> list[str]:
        """The first of these lines: at least one, and those that are of a kind with it."""
        if self._body:
            if not (self._prefix or self._body_seen):
                self._prefix = _logged_before_dot(lines) or (
                    _logged_before_all(lines) if self._body == "BDAT" else ""
                )
            return self._body_lines(lines)
        for place, line in enumerate(lines):
            if found := _DATA.search(line):
                self._body, self._body_seen, self._prefix = "DATA", False, found["prefix"]
                return self._lines(lines[: place + 1])
        if any(line.strip() == "." for line in lines):
            last = max(i for i, line in enumerate(lines) if line.strip() == ".")
            first = last
            while first and not _LOGGED.match(lines[first - 1]):
                first -= 1
            return [
                *self._lines(lines[:first]),
                *(MASK if line.strip(". ") else line for line in lines[first:last]),
                *self._lines(lines[last:]),
            ]
        return self._lines(lines)

    def _lines(self, lines: list[str]) -> list[str]:
        """Lines, of which each may hold several."""
        if not any("\n" in line for line in lines):
            return self._masker.block(lines)
        counts = [line.count("\n") + 1 for line in lines]
        flat = self._masker.block([part for line in lines for part in line.split("\n")])
        out, place = [], 0
        for count in counts:
            out.append("\n".join(flat[place : place + count]))
            place += count
        return out

    def _body_lines(self, lines: list[str]) -> list[str]:
        shown: list[str] = []
        for line in lines:
            if not self._body:
                break
            text = self._of_prefix(line)
            ours = text is not None
            text = line if text is None else text
            if text.strip() == "." or (self._prefix and _TALK.match(text)):
                self._body = self._prefix = ""
                shown.extend(self._lines([line]))
            elif self._prefix and not ours:
                shown.extend(self._lines([line]))
            elif not self._prefix and _LOGGED.match(line) and not self._body_seen:
                shown.extend(self._lines([line]))
            else:
                self._body_seen = True
                self._say(text)
                shown.append(line[: len(line) - len(text)] + MASK if text.strip() else line)
        return shown

    def _of_prefix(self, line: str) -> str | None:
        """What stands behind the prefix in a line; None in one that has another."""
        prefix = leads.alike(self._prefix)
        whole = line if self._prefix[:1].isspace() else line.lstrip()
        for bare in (whole, line[len(leads.of(line)) :]):
            if leads.alike(bare).startswith(prefix):
                return bare[len(prefix) :]
        return None

    def _say(self, text: str) -> None:
        # The last word may be all that was said, behind a mark of the log's.
        last = text.rpartition(" ")[2].strip()
        if is_blob(last) and len(self.said) < 200:
            self._keep(last)
        for said in (text.strip(), last if looks_secret(last) else ""):
            if len(said) >= 12 and len(self.said) < 200:
                self.said[said] = None

    # The dialogue -------------------------------------------------------------------------------------

    def _event(self, event: AnyEvent) -> AnyEvent:
        asked, self._asked = self._asked, False
        # What is no command may be lines of another text, which go on one in the other.
        if not (
            isinstance(event, AuthResponse)
            or (
                isinstance(event, Command) and event.by == "client" and event.verb not in smtp.VERBS
            )
        ):
            self._masker.interrupted()
        changed: dict[str, Any] = {"raw": b"", "wire": ()}
        match event:
            case AuthResponse() if self._user and event.text.strip() not in ("", "*"):
                # Who it is, is no secret: it stands in MAIL FROM as well.
                self._user = False
                if len(event.text.strip()) >= 8:
                    self.said[event.text.strip()] = None
                self._of_another(event.text)
                changed["text"] = MASK
            case AuthResponse():
                self._keep(event.text)
                self._of_another(event.text)
                changed["text"] = MASK if event.text.strip() not in ("", "*") else event.text
            case Command() if event.by == "client":
                return self._command(event, asked=asked)
            case Command(by="message", verb="AUTH"):
                changed["argument"] = self._auth_argument(event)
            case Command(by="message", verb=verb) if verb not in smtp.VERBS:
                self._masker.line(_line(event))
                self._say(_line(event))
                if word := _line(event).split(" ", 1)[0].upper():
                    self._masker.found[word] = None
                changed |= {"verb": "", "argument": MASK}
            case Command(by="message"):
                changed["argument"] = self._masker.line(event.argument, understood=True)
            case Reply():
                self._asked = event.code == 334
                prompt = decoded("".join(event.lines)) if self._asked else b""
                self._user = prompt.lower().startswith(b"user")
                if event.code == 235:
                    self._auth = False
                if self._body == "354" or (self._body == "BDAT" and self._body_seen):
                    self._body = ""
                if self._body == "334":
                    self._body = self._prefix = ""
                changed["lines"] = self._reply(event)
            case Message(size=0) if self._prefix:
                pass  # its text was not understood either
            case Message() | Connect() | Disconnect():
                self._body = self._prefix = ""
            case Handshake():
                self._body, self._auth = "", False
                changed["detail"] = "\n".join(self._lines(event.detail.split("\n")))
            case _ if hasattr(event, "text"):
                changed["text"] = self._masker.line(event.text, understood=True)
        return msgspec.structs.replace(event, **changed)

    def _of_another(self, answer: str) -> None:
        """An answer that can be none: the line of another session's message, whose other lines
        nobody understood, or of a file, which may begin what the next line ends. What can only be
        an answer ends what the lines before have begun."""
        if answer.strip() in ("", "*", "=") or (
            (is_blob(answer) or is_sasl(answer)) and not self._masker.in_block
        ):
            self._masker.interrupted()
            return
        if marked := _MARKED.match(answer):
            self._body, self._body_seen, self._prefix = "334", True, f"{marked[0].rstrip()} "
        self._masker.line(answer)

    def _reply(self, event: Reply) -> tuple[str, ...]:
        if event.code == 334:
            return tuple(" ".join(_challenge(line.split(" "))) for line in event.lines)
        shown = []
        for line in event.lines:
            if re.match(r"(?:AUTH|[A-Z0-9-]+)(?:[ =][A-Z0-9-]+)*$", line):
                shown.append(line)
            else:
                shown.append(self._masker.line(line, understood=True))
        return tuple(shown)

    def _command(self, event: Command, *, asked: bool) -> Command:
        known = event.verb in smtp.VERBS
        line = _line(event)
        gone: dict[str, Any] = {"raw": b"", "wire": ()}
        if asked or (not known and self._body):
            if asked:
                self._keep(line)
                if not known:
                    self._of_another(line)
            else:
                self._say(line)
            self._body_seen = True
            if self._body and line.strip() == ".":
                self._body = ""
            return msgspec.structs.replace(event, verb="", argument=MASK, **gone)
        if event.verb == "AUTH":
            self._auth = True
            return msgspec.structs.replace(event, argument=self._auth_argument(event), **gone)
        if known:
            self._auth = False
            self._body = event.verb if event.verb in ("DATA", "BDAT") else ""
            self._body_seen, self._prefix = False, ""
            shown = self._masker.line(event.argument, understood=True)
            return msgspec.structs.replace(event, argument=shown, **gone)
        self._masker.authenticating = self._auth
        # A mark of the log's, or the prompt of a program in which somebody asks for a value.
        self._masker.prompt = True
        shown = self._masker.line(line)
        self._masker.prompt = False
        if shown == line:
            return msgspec.structs.replace(event, **gone)
        verb, argument = smtp.parse_command(shown) if event.verb else ("", shown)
        return msgspec.structs.replace(event, verb=verb, argument=argument, **gone)

    def _auth_argument(self, event: Command) -> str:
        if event.told and not event.argument:
            return ""
        mechanism, _, secret = event.argument.strip().partition(" ")
        if not secret and "\t" in event.argument:
            mechanism, _, secret = event.argument.partition("\t")
        if "=" in mechanism and mechanism.partition("=")[0].upper() in mechanisms():
            mechanism, _, tail = mechanism.partition("=")
            if tail:
                self._keep(tail)
                return f"{mechanism}={MASK}" + (f" {MASK}" if secret else "")
        if mechanism.upper() not in mechanisms() and (
            is_sasl(mechanism) or is_blob(mechanism) or not re.fullmatch(r"[\w-]{1,20}", mechanism)
        ):
            self._keep(mechanism)
            return MASK
        if secret.strip() in ("", "="):
            return event.argument
        for word in secret.split():
            self._keep(word)
        self._masker.await_rest()
        return f"{mechanism} {MASK}"

    def _keep(self, secret: str) -> None:
        if secret.strip() and secret.strip() not in ("=", "*"):
            self._masker.found[secret.strip()] = None
        if " " in secret.strip():
            # A mark of the log's may stand before it.
            for word in secret.split():
                if is_blob(word) or looks_secret(word):
                    self._masker.found[word] = None


def _challenge(words: list[str]) -> list[str]:
    """A challenge, without what stands behind it as an answer."""
    return [
        MASK if is_sasl(word) or (place and is_blob(word)) else word
        for place, word in enumerate(words)
    ]


def _newest_first(events: list[AnyEvent]) -> bool:
    """Whether most lines stand before those that were written sooner, or the dialogue says so."""
    lines = [event.line for event in events if event.line]
    pairs = [(one, other) for one, other in itertools.pairwise(lines) if one != other]
    verbs = [event.verb for event in events if isinstance(event, Command)]
    return sum(other < one for one, other in pairs) > len(pairs) / 2 or any(
        pair in (("DATA", "RCPT"), ("BDAT", "RCPT")) for pair in itertools.pairwise(verbs)
    )


_ENDS = late(r"(?P<prefix>.*[\s:>|])\.\s*")


def _logged_before_dot(lines: list[str]) -> str:
    """What a log writes before each line of a message, as it shows before the final dot."""
    ends = (found for line in lines if _LOGGED.match(line) and (found := _ENDS.fullmatch(line)))
    return next((found["prefix"] for found in ends), "")


def _logged_before_all(lines: list[str]) -> str:
    """What a log writes before each of these lines, up to where they differ."""
    if len(lines) < 2 or not all(map(_LOGGED.match, lines)):
        return ""
    columns = zip(*map(leads.alike, lines), strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))
    return lines[0][: max(map(lines[0][:same].rfind, " :>|")) + 1]


def _before_dots(events: tuple[AnyEvent, ...]) -> set[int]:
    """The places of what no command is and goes before a lone dot: a message, whose DATA stands in
    another session, or nowhere."""
    found: set[int] = set()
    run: list[int] = []
    for place, event in enumerate(events):
        match event:
            case Command(by="client") if _line(event).strip() == ".":
                found.update(run)
                run = []
            case Command(by="client", verb=verb) if verb not in smtp.VERBS:
                run.append(place)
            case Remark():
                pass
            case _:
                run = []
    return found


def _goes_on(events: tuple[AnyEvent, ...], place: int) -> bool:
    """Whether DATA or BDAT, or the reply to it, is followed by what was read as the message."""
    for event in events[place + 1 :]:
        match event:
            case Reply(code=354) | Message():
                return True
            case Command() | Reply():
                return False
    return False


def _line(event: Command) -> str:
    """A command as it was sent, in its own case."""
    if event.raw:
        return event.raw.decode("utf-8", "replace").rstrip("\r\n")
    return f"{event.verb} {event.argument}".strip()
