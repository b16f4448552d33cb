"""Lines and their marks: whom a mark stands for, and what a line without one goes on with."""

from __future__ import annotations

import re

from simulator.needles import late
from simulator.reading.clean import Line, without_prefix
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, is_command, is_reply
from simulator.session import Peer, Side

LONGEST = 4000
"""Characters of a line that patterns see."""

_ESCAPE = late(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def unescape(text: str) -> str:
    """Undo backslash escapes: of C, of Python, octal, and those of JSON's kind."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "xu" and len(code) > 1:
            return chr(int(code[1:], 16))
        if len(code) == 3:
            return chr(int(code, 8) & 0xFF)
        return _NAMED.get(code, code)

    return _ESCAPE.sub(one, text) if "\\" in text else text


def peers(dialogue: Dialogue, groups: dict[str, str]) -> None:
    """Take over what a line says about who talks."""
    for side in ("client", "server"):
        peer: Peer = getattr(dialogue, side)
        better = Peer(
            name=peer.name or groups.get(f"{side}_name", ""),
            address=peer.address or groups.get(f"{side}_address", ""),
            port=peer.port or (int(groups["port"]) if side == "server" and "port" in groups else 0),
        )
        setattr(dialogue, side, better)


def learn(dialogue: Dialogue, mark: str, said: str) -> Side | None:
    """Which side a mark stands for, by what was said under it; None if that cannot be told yet."""
    side = dialogue.marks.get(mark)
    if side is not None:
        return side
    text = said.strip().split("\n", 1)[0]
    if is_reply(text):
        side = "server"
    elif is_command(text):
        side = "client"
    elif len(dialogue.marks) == 1:
        return "server" if "client" in dialogue.marks.values() else "client"
    if side is not None:
        dialogue.marks[mark] = side
    return side


_CONTINUED = late(r"[\s↪↳|>\t]{0,60}(?P<text>[2-5]\d\d(?:[ -].*)?)")


def continued(desk: Desk, line: Line) -> bool:
    """Whether the line goes on with a reply whose further lines bear no mark."""
    dialogue = desk.latest
    if dialogue is None or not dialogue.in_reply:
        return False
    if dialogue.bare and len(line.text) < 200:
        dialogue.say("server", f"{dialogue.in_reply}-{line.text.strip()}", line.number)
        return True
    for text in (line.text, without_prefix(line.text).rest):
        match = _CONTINUED.fullmatch(text[:LONGEST].rstrip())
        if match and int(match["text"][:3]) == dialogue.in_reply:
            dialogue.say("server", match["text"], line.number)
            return True
    return False


def unmarked_or_prefixed(desk: Desk, line: Line) -> bool:
    """Like `unmarked`, for a line that a logger may have put something before."""
    if unmarked(desk, line):
        return True
    rest = without_prefix(line.text[:LONGEST]).rest.strip()
    return rest != line.text.strip() and unmarked(desk, Line(line.number, rest))


_TO_A_LOGIN = (
    "235", "334", "421", "432", "454", "500", "501", "502", "503", "504", "530", "534", "535",
    "538",
)  # fmt: skip
"""Replies that an answer to AUTH may get (RFC 4954 §6), by their codes."""


_HELLO = late(
    r"(?:EHLO|HELO|LHLO|ehlo|helo|lhlo)"
    r"(?! +(?i:is|was|isn.t|and|or|not|has|did|does|works?|fail\w*|command|reply|response|ist|wird"
    r"|est|es|é) )(?: {1,3}[^\s,:;!?]{1,63}){2,5}(?<!\.)"
)
"""A name of several words, as devices are called; any other line with this verb is a sentence."""


def unmarked(desk: Desk, line: Line, connection: str | None = None) -> bool:
    """Whether a line without any mark is of the dialogue, by what it says."""
    if connection is None:
        connection = desk.latest.connection if desk.latest is not None else ""
    text = line.text.strip()
    dialogue = desk.latest
    if dialogue is not None and dialogue.in_message:
        given_up = dialogue.expects_data and text.upper() in ("QUIT", "RSET")
        if not (given_up or (is_reply(text) and dialogue.takes_reply(text))):
            dialogue.message(line.text, line.number)
            return True
    # In a lesson, a login may be three digits long; the replies to it have other codes.
    answer = dialogue is not None and dialogue.in_login and text.isdigit()
    if is_reply(text) and not (answer and text not in _TO_A_LOGIN):
        desk.speak(connection, "server", text, line.number, line.text)
        return True
    if (
        is_command(text)
        or answer
        or (dialogue is not None and dialogue.expects_hello and _HELLO.fullmatch(text) is not None)
        or (dialogue is not None and dialogue.in_login and " " not in text and len(text) < 2000)
    ):
        desk.speak(connection, "client", text, line.number, line.text)
        return True
    return False
