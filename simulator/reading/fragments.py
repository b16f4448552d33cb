"""What looks like SMTP in a line, whatever stands before and behind it: no format is asked.

A fragment is a reply code with its text, or a command, at a plausible place: at the beginning of
the line, or behind a mark, a quote, a logger's prefix or another fragment. The fragments are the
yardstick for every reading of a log (`judge`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from simulator.needles import late
from simulator.reading.clean import without_prefix
from simulator.session import Side

LONGEST = 4000
"""Characters of a line that are looked at."""

_CODE = (
    r"(?:2(?:11|14|20|21|35|5[0-3])|334|354|4(?:2[12]|3[0-2]|5[0-5])"
    r"|5(?:0[0-4]|2[1-3]|3[0-8]|4[1-3]|5[0-6]))"
)
_PLACE = r"(?:^|(?<=[\s:>'\"`\[\]|)=,;/~<({└─│-]))"
_ENDS = r"\s*$|\t|\s*[\"'](?!\s?:|\s?=>)|\s*[\\<`\ufffd]|\s*\.\.|\s[<>~!*-]{1,3}[ <]"
"""What stands behind a verb without an argument; no name of a value, as JSON has it."""
_START = late(
    rf"{_PLACE}(?:(?P<reply>{_CODE}(?:[ -](?=\S)|: (?=[245]\.\d{{1,3}}\.\d)|(?=\s*$|\s*[\\<])))"
    r"|(?P<command>(?:EHLO|HELO|LHLO)(?=\s+(?!\d{3}[ -])[\w\[(<$*])"
    r"|AUTH(?=\s+(?:PLAIN|LOGIN|CRAM-MD5|NTLM|XOAUTH2?|GSSAPI|DIGEST-MD5|OAUTHBEARER|SCRAM)\b)"
    r"|MAIL FROM ?:|RCPT TO ?:|BDAT(?=\s+\d)|QUIT(?= 221 )"
    rf"|(?:STARTTLS|DATA|QUIT|RSET|NOOP)(?={_ENDS})|STARTTLS(?=\s+state=)))",
    re.IGNORECASE,
)
_MARKED = late(
    r"(?i)(?:^|[:>'\"`\]|)=;~<└─│*\t-]|\b(?:sending|sent|send|recv|rcvd|received|reply|response"
    r"|answer|command|[cs]|ehlo|helo|starttls|client|server|[-=]> ?[A-Z]{4,8}|<[-=]* ?[A-Z]{4,8})"
    r"|\b\w{0,30}(?:send|write)\w{0,30}\([^()]{1,80},)[\s:>'\"`(\[]*$"
)
"""What ends so may stand before a fragment."""
_STRONG = late(
    r"(?i)(?:<<|>>|<-+|-+>|[=~]>|<[=~]|\t|\b(?:send|recv|sent|rcvd|client|server|[cs]):|\\n|\\r"
    r"|<EOL>|<CRLF>|\ufffd|[└│])[\s:>'\"`(\[]*$"
)
"""What ends so begins a new fragment in the middle of another."""
_END = late(
    r"(?:\\r|\\n|\\015|\\012|(?i:<EOL>|<CRLF>|<CR>)|\s<<\s*$|\\?[\"'`],?\)*\s*$|\\\"|\s*\^M|\.\.(?:\s|$)|\t|\ufffd)"
)
_TRAIL = late(
    # Blanks in one alternative only, or else a row of them could be taken in countless ways.
    r"(?:[\s<>~!*+|│└─-]|(?:Send|Recv|Sent|Rcvd|C|S|CLIENT|SERVER)[^:]{0,30}:"
    r"|\[[^\]]{0,80}\d\d:\d\d:\d\d[^\]]{0,80}\]:?(?>\s*(?:<\w+>\s*)?(?:\w+: ?)?))+$"
)
"""A mark or a stamp of the next fragment on the line."""
_ENHANCED = late(r"[245]\.\d{1,3}\.\d{1,3}\b")
_AFTER_CODE = late(rf"(?<!\d){_CODE}[ -]$")
_ATTRIBUTE = late(r"\w=[\"']$|\w=$(?<!cmd=)")
"""What ends so is followed by a value of the log's own, such as `reason=quit`."""
_OPTION = late(r"(?:^|\s)--?$")
"""What ends so is followed by the name of an option, as in `swaks --auth LOGIN`."""
_CALLED = late(r"(?:->|::)\w{1,60}\([\"']?$")
"""What ends so is followed by the argument of a call in a stack."""
_INLINE = late(r"[(（、，。「\u3040-\u9fff\uac00-\ud7a3]`$")
"""What ends so is followed by a word that a sentence has in Markdown's marks."""
_VALUE = late(r"(?i)\b(?:code|status|errno|error|response)\W{0,3}$")
"""Behind it a code alone is a value of the program's own, and the line says more."""
_FILE_LINE = late(r"\.[A-Za-z]{1,5}[:(]$")
"""What ends so is followed by the number of a line in a file."""
_REPORTED = late(r"(?i)smtp; ?$")
"""Behind it stands a reply that a delivery report tells of (RFC 3464 §2.3.6)."""


_FRAME = late(r"\s*(?:#\d{1,3} .{1,300}\(\d{1,6}\): |#\d{1,3} \[internal|at [\w.$<>]{3,200}\()")
"""A frame of a stack, with the arguments of a call; of what was said, nobody knows when."""
_REQUEST = late(r" HTTP/\d(?:\.\d)?\\?\" \d{3}\b")
"""A line of a web server's log of requests; its status is no reply of SMTP."""
_PATTERN = late(
    r"\\[dwsS][+*?{)\]]|\(\?P?[<:=!]|\.\*[$)\"'/\\]|<HOST>|%\(__prefix|\b[ef]?grep -?\w* ?[\"']"
)
"""A pattern that finds lines of logs, as fail2ban and grep have them; it is none of them."""
_AFTER_COLON = late(r"(\d{3}):(?= )")
"""A reply as a value has it: `530: 5.7.0 …`."""


_COMPLAINT = late(
    r"(?i)\b(?:(?:invalid|illegal|unexpected|unrecogni[sz]ed|unknown|bad|rejected)"
    r" (?:smtp )?command|protocol (?:error|violation) in|rejected)\b[\s:]*[\"'`](?=\w)"
)


def complains(line: str) -> bool:
    """Whether a server's line quotes a command only to say what was wrong with it: what was said
    before and after, it does not show."""
    return _COMPLAINT.search(line[:LONGEST]) is not None


class Fragment(NamedTuple):
    """One piece: who must have said it, and what."""

    who: Side
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: the verb, or the code and the first letters of its text."""
        if self.who == "server":
            return self.text[:3], re.sub(r"\W+", "", self.text[4:]).lower()[:8]
        return "", re.split(r"[:\s]", self.text, maxsplit=1)[0].upper()


@lru_cache(maxsize=1 << 13)
def of(line: str) -> tuple[Fragment, ...]:
    """The fragments of a line, in their order."""
    text = line[:LONGEST]
    if _FRAME.match(text) or _REQUEST.search(text) or _PATTERN.search(text):
        return ()
    found: list[tuple[int, Side]] = []
    for match in _START.finditer(text):
        who: Side = "server" if match["reply"] else "client"
        if _stands(text, match, who, found[-1] if found else None):
            found.append((match.start(), who))
    ends = [*(start for start, _ in found), len(text)][1:]
    return tuple(
        Fragment(who, _piece(text, start, end))
        for (start, who), end in zip(found, ends, strict=True)
    )


def _stands(text: str, match: re.Match[str], who: Side, previous: tuple[int, Side] | None) -> bool:
    """Whether what matches is said, rather than spoken of."""
    start = match.start()
    before = text[max(0, start - 60) : start]
    if _AFTER_CODE.search(before) or _REPORTED.search(before):
        return False
    bare = who == "server" and not text[match.end() :].strip()
    if bare and before.strip() and _VALUE.search(before):
        return False
    if _CALLED.search(before) or (who == "server" and _FILE_LINE.search(before)):
        return False
    if who == "client" and (_ATTRIBUTE.search(before) or _OPTION.search(before)):
        return False
    if who == "client" and text[match.end() : match.end() + 1] == "`" and _INLINE.search(before):
        return False
    if before.upper().endswith("QUIT ") or text[start : start + 9].upper() == "QUIT 221 ":
        return True
    if previous is not None and previous[1] == "server":
        first = text[previous[0] : previous[0] + 4]
        if who == "server" and first == f"{match['reply'][:3]}-":
            return True
    if previous is not None and (previous[1] == "server" or who == "client"):
        return _STRONG.search(before) is not None
    return (
        (who == "server" and match["reply"][-1:] == "-")
        or (who == "server" and _ENHANCED.match(text, match.end()) is not None)
        or not before.strip()
        or _MARKED.search(before) is not None
        or _behind_prefix(text, start)
    )


def _behind_prefix(text: str, start: int) -> bool:
    rest = without_prefix(text).rest.lstrip()
    return bool(rest) and text.endswith(rest) and len(text) - len(rest) == start


def _piece(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    if (close := _END.search(piece)) is not None:
        piece = piece[: close.start()]
    elif end < len(text):
        piece = _TRAIL.sub("", piece)
    return _AFTER_COLON.sub(r"\1", piece.strip(), count=1) if piece[3:4] == ":" else piece.strip()
