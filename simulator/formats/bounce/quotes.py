"""The replies that a bounce quotes in its text, with the command and the recipient of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simulator.formats.bounce.parts import Said
from simulator.formats.bounce.words import LONGEST, patterns
from simulator.needles import late


class Quote(NamedTuple):
    """A reply, or a status alone (`code` 0), that a bounce quotes."""

    number: int
    code: int = 0
    status: str = ""
    lines: tuple[str, ...] = ()
    verb: str = ""
    argument: str = ""
    host: str = ""
    recipient: str = ""
    weight: int = 0
    detail: str = ""
    """The sentence that it stands in."""


ADDRESS = late(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\"-]{1,80}@[A-Za-z0-9.-]{1,255}[A-Za-z0-9\]]")


def address(text: str) -> str:
    """The first address in a text; empty if there is none."""
    match = ADDRESS.search(text)
    return match[0] if match is not None else ""


REPLY = late(
    r"(?<![\w.+/@-])(?P<code>[245][0-57]\d)(?:(?P<more>-)|(?=[ :])|(?=$))[: ]{0,3}"
    r"(?:(?P=code)[ -])?[#('\"]?(?P<status>[245]\.\d{1,3}\.\d{1,3})?(?![\d.])\)?"
)
LONE_STATUS = late(r"(?<![\w.])#?(?P<status>[45]\.\d{1,3}\.\d{1,3})(?![\w.]*\d)")
_IN_TEXT = late(r"#(?P<status>[45]\.\d{1,3}\.\d{1,3})(?![\w.]*\d)")
"""The status code behind the text, as qmail and its kin have it."""
_EXPIRED = late(r"(?i)expired.*?<(?P<reply>[245]\d\d [^<>]{1,400})>")
"""The queue's own word, with the last reply of the other side behind it."""
_ADDRESSED = late(r"\s?(?:<[^>]{1,200}>|\S{1,200} \(\S{1,20}\))\.\.\. (?=[45]\d\d )")
"""An old Sendmail puts a reply of its own before the one that it quotes."""
_NUMBERED = late(
    r"(?i)(?:response|error|reply|smtp)[ _]?code ?:? ?(?P<code>[45]\d\d)\b,?"
    r"(?: ?error_code ?: ?(?P<status>[45]\.\d{1,3}\.\d{1,3}))?(?P<text>[^\]]*)"
)
_ENDS = late(
    r"\s*(?:\(in reply to .*|\[(?:RCPT_TO|MAIL_FROM|DATA|BODY|CONNECT|HELO)\].*|\(state \d+\).*"
    r"|##.*|'?\s*<mailto:.*)$",
    re.IGNORECASE,
)
_HOST = late(
    r"(?i)\b(?:host|server at|connected to|connect to|by) (?P<name>[A-Za-z0-9]"
    r"(?:[A-Za-z0-9-]{0,60}\.){1,8}[A-Za-z]{2,24}|\[?\d{1,3}(?:\.\d{1,3}){3}\]?)"
)


def _split_lines(code: str, text: str) -> tuple[str, ...]:
    """The lines of one reply, whose code some software repeats in each."""
    parts = re.split(rf"\s(?={code}[- ])", text[:LONGEST])
    found = []
    for part in parts:
        part = re.sub(rf"^{code}[- ]", "", part.strip())
        found.append(part)
    return tuple(part for part in found if part) or ("",)


def quoted(text: str, number_at: Sequence[tuple[int, int]]) -> Iterator[Quote]:
    """The replies that a paragraph quotes; `number_at`: where each of its lines begins."""
    text = text[:LONGEST]
    last_end = 0
    if (inner := _EXPIRED.search(text)) is not None:
        text = " " * inner.start("reply") + inner["reply"]
    for match in REPLY.finditer(text):
        if match.start() < last_end:
            continue
        before, after = text[: match.start()], text[match.end() :]
        status = match["status"] or ""
        if _ADDRESSED.match(after) is not None:
            continue
        weight = 3 if text[match.end("code") :][:2] in ("-'", '-"') else 0
        if status:
            weight += 3
        if patterns().said.search(before[-260:]) is not None:
            weight += 3
        elif re.search(r"(?:[:;] ?|\.\.\. )['\"(<#]?$", before):
            weight += 2
        starts = any(
            text[offset : match.start()].strip(" \t#<('\"") == "" for offset, _ in number_at
            if offset <= match.start()
        )  # fmt: skip
        if starts:
            weight += 2
        if not status and not re.match(r"\s*(?:: )?[^\s\d.,:)]", after) and after.strip():
            continue
        if weight < 2 or match["code"][0] == "2":
            continue
        said = f"{status} {after.strip(' :')}".strip()
        if before[-1:] in "'\"" and before[-1:] and before[-1] in after:
            said = f"{status} {after[: after.index(before[-1])].strip()}".strip()
        said = _ENDS.sub("", said)
        if said.endswith(")") and said.count(")") > said.count("("):
            said = said[:-1]
        number = next(n for offset, n in reversed(number_at) if offset <= match.start())
        last_end = match.end()
        again = re.compile(rf"\s{match['code']}[- ]")
        while (more := again.search(text, last_end)) is not None:
            last_end = more.end()
        lone = _IN_TEXT.search(said[:300]) if not status else None
        if lone is not None and lone["status"][0] == match["code"][0]:
            status = lone["status"]
        yield Quote(
            number=number,
            code=int(match["code"]),
            status=status,
            lines=_split_lines(match["code"], said),
            weight=weight,
            detail=text,
        )


def stage(text: str) -> str:
    """The command that a sentence names as the one the reply answers."""
    for verb, pattern in patterns().stages:
        if pattern.search(text):
            return verb
    return ""


_TALKED = late(r"(?:>>>|<<<|\.\.\. while talking to)")
_SENT = late(r">>> ?(?P<verb>[A-Za-z]{4,8})\b ?(?P<argument>.*)")
_HEARD = late(r"<<< ?(?P<text>[245]\d\d(?:[ -].*)?)$")
_TALKING = late(r"(?i)\.\.\. while talking to (?P<name>[^\s\[]+?)\.?(?: ?\[[^\]]*\])?:")
_RECIPIENT_LINE = late(
    r"\s{0,12}(?:(?:final |original )?recipient(?: address)?: ?|to: )?[<\"'(]?"
    r"(?P<address>[^\s<>\"'():;,]{1,80}@[A-Za-z0-9.-]{1,255}[A-Za-z0-9\]])[>\"')]?"
    r"(?:<mailto:[^>]{1,200}>)?(?:\s?\([^)]{0,200}\))?\s{0,4}(?P<end>:?)(?P<rest>\s.*|)$"
)


class _Paragraph:
    """Lines that belong together, joined."""

    def __init__(self, recipient: str) -> None:
        self.recipient = recipient
        self.text = ""
        self.starts: list[tuple[int, int]] = []

    def add(self, line: Said) -> None:
        """One more line."""
        text = line.text.strip()
        if self.text:
            self.text += " "
        self.starts.append((len(self.text), line.number))
        self.text += text


def from_prose(said: Sequence[Said]) -> tuple[list[Quote], list[str]]:
    """The replies and statuses quoted in the text, and the recipients named there, in order."""
    quotes: list[Quote] = []
    recipients: list[str] = []
    recipient, host, indent = "", "", 0
    sent: tuple[str, str] = ("", "")
    heard: list[Quote] = []
    paragraph = _Paragraph("")

    def close() -> None:
        nonlocal paragraph
        if paragraph.text:
            quotes.extend(_of_paragraph(paragraph))
        paragraph = _Paragraph(recipient)

    for line in said:
        if line.zone != "prose":
            close()
            continue
        text = line.text.strip()[:LONGEST]
        if (talked := _TALKED.match(text)) is not None:
            close()
            if (match := _TALKING.match(text)) is not None:
                host, sent, heard = match["name"], ("", ""), []
            elif (match := _SENT.match(text)) is not None:
                sent, heard = (match["verb"].upper(), match["argument"].strip()), []
            elif (match := _HEARD.match(text)) is not None:
                found = _heard(match["text"], line.number, sent, host, recipient)
                if heard and heard[-1].code == found.code and heard[-1].number < found.number:
                    merged = heard[-1]._replace(lines=heard[-1].lines + found.lines)
                    quotes[quotes.index(heard[-1])] = merged
                    heard = [merged]
                else:
                    quotes.append(found)
                    heard = [found]
            if talked[0] == ">>>" and (match := _RECIPIENT_LINE.match(text[3:])) is not None:
                recipient = match["address"]
                recipients.append(recipient)
            continue
        match = _RECIPIENT_LINE.match(line.text[:LONGEST])
        if not text:
            close()
        elif (
            match is not None
            and (not match["rest"].strip() or match["end"] or match["rest"].lstrip()[:1] in "(#")
            and not (paragraph.text and _indent(line.text) > indent)
        ):
            indent = _indent(line.text)
            close()
            recipient = match["address"]
            recipients.append(recipient)
            paragraph = _Paragraph(recipient)
            if match["rest"].strip():
                paragraph.add(line._replace(text=match["rest"]))
        elif re.match(r"[45]\d\d[ -]", text) and paragraph.text and not line.text[:1].isspace():
            if not re.search(r"[:,;(]$", paragraph.text) and not paragraph.text.startswith(
                text[:3]
            ):
                close()
            paragraph.add(line)
        else:
            indent = indent if paragraph.text or paragraph.recipient else _indent(line.text)
            paragraph.add(line)
    close()
    return quotes, list(dict.fromkeys(recipients))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _heard(text: str, number: int, sent: tuple[str, str], host: str, recipient: str) -> Quote:
    match = REPLY.match(text)
    status = (match["status"] or "") if match is not None else ""
    verb, argument = sent
    if verb == "RCPT":
        recipient = address(argument) or recipient
    return Quote(
        number=number, code=int(text[:3]), status=status, lines=(text[4:].strip(),), verb=verb,
        argument=argument, host=host, recipient=recipient, weight=7 if text[0] in "45" else 0,
        detail=text,
    )  # fmt: skip


_TOLD = late(r"[45]\d\d <")


def _of_paragraph(paragraph: _Paragraph) -> Iterator[Quote]:
    text = paragraph.text[:LONGEST]
    verb = stage(text)
    host = _host(text)
    own = paragraph.recipient
    found = False
    for quote in quoted(text, paragraph.starts):
        found = True
        recipient = own or address(quote.lines[0]) or (address(text) if _TOLD.match(text) else "")
        yield quote._replace(verb=verb, host=host, recipient=recipient)
    if found:
        return
    for coded in _NUMBERED.finditer(text):
        found = True
        number = next(n for at, n in reversed(paragraph.starts) if at <= coded.start())
        status, said = coded["status"] or "", coded["text"].strip(" ,")
        lines = (f"{status} {said}".strip(),)
        before = ADDRESS.findall(text[: coded.start()])
        yield Quote(number, int(coded["code"]), status, lines, verb, host=host,
                     recipient=own or (before or [""])[-1], weight=2, detail=text)  # fmt: skip
    if found:
        return
    lone = LONE_STATUS.search(text)
    if lone is not None:
        number = next(n for at, n in reversed(paragraph.starts) if at <= lone.start())
        yield Quote(number, status=lone["status"], recipient=own, verb="", host=host, weight=1,
                     detail=text)  # fmt: skip
    elif own:
        yield Quote(paragraph.starts[0][1], recipient=own, host=host, detail=text)


def _host(text: str) -> str:
    match = _HOST.search(text)
    return match["name"] if match is not None else ""
