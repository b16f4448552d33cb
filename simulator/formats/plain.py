"""A dialogue without any mark: typed into telnet, pasted into a page, with prose around it.

Who speaks shows by the grammar alone: a reply begins with its code, a command with its verb. A
sentence that names one command and ends in a colon stands for that command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.language import N_
from simulator.needles import late
from simulator.reading.clean import Line, without_prefix
from simulator.reading.desk import Desk
from simulator.reading.dialogue import Dialogue, is_command, is_reply
from simulator.reading.format import Format
from simulator.reading.marks import LONGEST, continued, peers, unmarked
from simulator.session import Reply, Session

_NOTE = late(r"[ \t]{1,20}(?:<-{2,}|<={2,}|<{3,}|←|<<-).*$")
_TELNET = late(
    r"(?:.{0,80}[$#%>] ?)?(?:telnet|nc|ncat|netcat)(?: -\w+)* "
    r"(?P<server_name>[^\s:]+)[ :](?P<port>\d+)"
)
_CONNECTED = late(r"Connected to (?P<server_name>[^\s]+?)\.?$")
_CLOSED = late(r"(?i)connection (?:to host )?(?:closed|lost|reset)")
_MARK = late(r"(?:[SC]:|[<>]{1,3}|<-+|-+>) ?")
_NAMED = late(
    r"(?<![A-Za-z0-9_])(EHLO|HELO|STARTTLS|AUTH|MAIL FROM|RCPT TO|DATA|QUIT|ETRN|VRFY|RSET)"
    r"(?![A-Za-z0-9_])"
)
_CALLED = late(
    r"(?i)[\"'«»「」“”](?:EHLO|HELO|STARTTLS|AUTH|MAIL FROM|RCPT TO|DATA|QUIT|ETRN)[\"'«»「」“”]"
    r"|command|comando|commande|befehl|opdracht|命令|コマンド|명령|команд"
)
_ANSWERED = late(
    r"(?i).{0,20}\b(?:response|reply|answer|resposta|respuesta|réponse|antwort|risposta)\b"
    r"[^:=]{0,60}[:=]\s{0,4}(?P<text>[2-5]\d\d[ -].*)"
)
"""A program of one's own that prints what came back, and after what: `reply to EHLO: 250 …`."""
_PIECE = late(
    r"(?<= )(?=(?:[2-5]\d\d-\S)|(?<!\d\d\d )(?:EHLO |HELO |STARTTLS |STARTTLS$|MAIL FROM:|RCPT TO:"
    r"|AUTH (?:LOGIN|PLAIN)|DATA |QUIT|RSET )|(?:220|221|235|250|334|354|421|4[235]\d|5[0235]\d) \S"
    r"|Trying |Connected to |Escape character|Connection closed)"
)


def detect(head: str, telling: list[str]) -> float:
    """By the share of lines that are of the dialogue as they stand."""
    hits = sum(
        is_reply(text) or is_command(text)
        for text in (_NOTE.sub("", line[:LONGEST]).strip() for line in telling)
    )
    if not hits:
        return 0.25 if any(len(_flat(line)) > 3 for line in telling) else 0.02
    return 0.1 + 0.75 * hits / len(telling)


def _flat(line: str) -> list[str]:
    """The lines of a dialogue that lost its line ends; one if it is none."""
    if len(line) < 40 or not re.search(r"(?<!\d)250-\S.* 250[ -]", line[:LONGEST]):
        return [line]
    pieces = [piece.strip() for piece in _PIECE.split(line[:LONGEST]) if piece.strip()]
    begins = ("220", "Trying ", "Connected to ")
    first = next((i for i, piece in enumerate(pieces) if piece.startswith(begins)), 0)
    return [" ".join(pieces[:first]), *pieces[first:]] if first else pieces


def read(lines: Iterable[Line]) -> Iterator[Session]:
    """The sessions of such a log."""
    desk = Desk("plain", plain=True)
    sentence: Line | None = None
    for line in lines:
        pieces = _flat(line.text) if line.text else [""]
        for piece in pieces:
            sentence = _take(desk, Line(line.number, piece), sentence)
        yield from desk.done()
    yield from desk.finish()


def _take(desk: Desk, line: Line, sentence: Line | None) -> Line | None:
    """Tell the desk of one line; give it back if it is a sentence that may name a command."""
    text = line.text
    dialogue = desk.latest
    if not text:
        if dialogue is not None and dialogue.in_message:
            dialogue.message("", line.number)
        return sentence
    bare = _NOTE.sub("", text[:LONGEST]).strip()
    if bare.endswith("\\") and is_reply(bare):
        bare = bare[:-1].rstrip()
    if sentence is not None and is_reply(bare) and not bare.startswith("220"):
        _implied(desk, sentence)
    if (answered := _ANSWERED.match(bare)) is not None and is_reply(answered["text"]):
        verbs = set(_NAMED.findall(bare[: answered.start("text")]))
        if len(verbs) == 1:
            desk.speak("", "client", verbs.pop().split(" ")[0], line.number)
        desk.speak("", "server", answered["text"], line.number)
        return None
    said = Line(line.number, bare)
    if sentence is not None and _lists_again(dialogue, sentence, said):
        desk.remark(text, line.number)
        return line
    if _spoken(desk, said, text):
        if (note := _NOTE.search(text[:LONGEST])) is not None:
            desk.remark(note[0].strip(), line.number)
        return None
    if continued(desk, line):
        return None
    for pattern in (_TELNET, _CONNECTED):
        match = pattern.match(bare)
        if match:
            if pattern is _TELNET and dialogue is not None and dialogue.begun:
                desk.end(dialogue.connection)
            dialogue = desk.of("")
            peers(dialogue, {k: v for k, v in match.groupdict().items() if v})
            dialogue.remark(text, line.number)
            return None
    if _CLOSED.search(bare[:200]) and dialogue is not None and dialogue.begun:
        dialogue.remark(text, line.number)
        if not dialogue.closed:
            dialogue.close(line.number, "server")
        return None
    desk.remark(text, line.number)
    return line


LIST = 100
"""Events in which a list stands, and what is printed of it once more."""


def _lists_again(dialogue: Dialogue | None, above: Line, said: Line) -> bool:
    """Whether a program prints the list once more, without its codes: HELP and ETRN are in it."""
    if dialogue is None or above.number != said.number - 1:
        return False
    recent = reversed(dialogue.events[-LIST:])
    last = next((event for event in recent if isinstance(event, Reply)), None)
    return last is not None and {above.text.strip(), said.text} <= set(last.lines[1:])


def _spoken(desk: Desk, said: Line, text: str) -> bool:
    if unmarked(desk, said):
        return True
    rest = without_prefix(text[:LONGEST]).rest.strip()
    for candidate in (rest, _MARK.sub("", rest, count=1).strip()):
        if candidate != said.text and (is_reply(candidate) or is_command(candidate)):
            return unmarked(desk, Line(said.number, candidate))
    return False


def _implied(desk: Desk, sentence: Line) -> None:
    verbs = set(_NAMED.findall(sentence.text[:LONGEST]))
    ends = sentence.text.rstrip(" *_»\"'").endswith((":", "：", "﹕"))
    ends = ends or _CALLED.search(sentence.text[:LONGEST]) is not None
    dialogue = desk.latest
    if len(verbs) == 1 and ends and not (dialogue is not None and dialogue.waits):
        desk.speak("", "client", verbs.pop().split(" ")[0], sentence.number)


FORMAT = Format(
    name="plain",
    title=N_("A dialogue without marks: telnet, nc, a page"),
    log_more=N_(
        "telnet cannot speak TLS: use `openssl s_client -starttls smtp -crlf -quiet -connect "
        "HOST:25`, or `swaks --tls --server HOST`, which shows both sides."
    ),
    detect=detect,
    read=read,
    fallback=True,
)
