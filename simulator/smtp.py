"""The grammar of SMTP: commands, replies, and the list in the reply to EHLO.

Text in, meaning out; no state but that of a reply not yet complete. Everything reads leniently
(real logs and real peers are dirty) and says what it could not read.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import msgspec

from simulator import toml
from simulator.needles import late


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a standard. `keyword` is that of RFC 2119/8174 as it stands there, or empty;
    `fingerprint` is written by `tools/citations.py` once the quotation was found in the RFC."""

    id: str = ""
    rfc: int
    section: str
    keyword: str = ""
    quote: str
    remark: str = ""
    fingerprint: str = ""

    @property
    def place(self) -> str:
        """Such as `RFC 3207 §4.2`."""
        return f"RFC {self.rfc} §{self.section}"

    @property
    def url(self) -> str:
        """The section on the RFC Editor's site."""
        part = "appendix" if self.section[0].isalpha() else "section"
        return f"https://www.rfc-editor.org/rfc/rfc{self.rfc}#{part}-{self.section}"


@cache
def citations() -> dict[str, Citation]:
    """All citations by id, from `citations.toml`."""
    text = (files("simulator") / "citations.toml").read_bytes()
    table = toml.read(text, dict[str, Citation], "citations.toml")
    return {key: msgspec.structs.replace(entry, id=key) for key, entry in table.items()}


HELLO = ("EHLO", "HELO", "LHLO")
"""The verbs by which a client introduces itself (RFC 5321 §4.1.1.1, RFC 2033 §4.1)."""

VERBS = (
    "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP",
    "VRFY", "EXPN", "HELP", "QUIT", "TURN", "ETRN", "ATRN", "XCLIENT", "XFORWARD",
)  # fmt: skip
"""Verbs in use: RFC 5321 §4.1.1, and the extensions met in logs."""

_COMMAND = late(r"([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+(.*?))?[ \t]*", re.DOTALL)
_REPLY_LINE = late(r"([0-9]{3})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = late(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


def parse_command(line: str) -> tuple[str, str]:
    """Split a command line (without its CRLF) into verb, in upper case, and argument.

    A line that does not begin with a verb gives an empty verb and the line as the argument.
    """
    match = _COMMAND.fullmatch(line)
    if not match:
        return "", line
    return match[1].upper(), match[2] or ""


class ReplyLine(NamedTuple):
    """One line of a reply. `more`: a hyphen follows the code, so the reply goes on."""

    code: int
    more: bool
    text: str


def parse_reply_line(line: str) -> ReplyLine | None:
    """Read one reply line (without its CRLF); None if it does not begin with a reply code."""
    match = _REPLY_LINE.fullmatch(line)
    if not match:
        return None
    return ReplyLine(int(match[1]), match[2] == "-", match[3] or "")


def enhanced_code(text: str) -> str:
    """The enhanced status code a reply's text begins with (RFC 3463), or an empty string."""
    match = _ENHANCED.match(text)
    return match[1] if match else ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of an enhanced status code means, in English, and where that is defined.
    `section` is empty where the registry of RFC 5248 names the RFC alone."""

    means: str
    rfc: int
    section: str = ""

    @property
    def place(self) -> str:
        """Such as `RFC 3463 §3.8`."""
        return f"RFC {self.rfc} §{self.section}" if self.section else f"RFC {self.rfc}"


class _Statuses(msgspec.Struct, frozen=True, kw_only=True):
    classes: dict[str, Status]
    subject: dict[str, Status]
    detail: dict[str, Status]


@cache
def _statuses() -> _Statuses:
    text = (files("simulator") / "statuses.toml").read_bytes()
    return toml.read(text, _Statuses, "statuses.toml")


def status_class(code: str) -> Status | None:
    """What the first number of an enhanced status code means (RFC 3463 §2); None if nothing."""
    return _statuses().classes.get(code.partition(".")[0])


def status_detail(code: str) -> Status | None:
    """What the rest of an enhanced status code means, by the registry of RFC 5248: the detail, else
    its subject; None if neither is known."""
    _, _, rest = code.partition(".")
    return _statuses().detail.get(rest) or _statuses().subject.get(rest.partition(".")[0])


class Keyword(NamedTuple):
    """One line of the list: an EHLO keyword, in upper case, and its parameters as sent."""

    name: str
    parameters: str

    def __str__(self) -> str:
        return f"{self.name} {self.parameters}".rstrip()


_KEYWORD = late(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?", re.DOTALL)


def parse_keyword(line: str) -> Keyword | None:
    """Read one ehlo-line (RFC 5321 §4.1.1.1); None if no keyword begins it.

    `AUTH=LOGIN`, an old form that some servers still send, is read as AUTH with parameters.
    """
    match = _KEYWORD.fullmatch(line.strip())
    return Keyword(match[1].upper(), match[2] or "") if match else None


# Each rule asks anew for what one command or reply says.
@lru_cache(maxsize=64)
def parse_ehlo_reply(lines: tuple[str, ...]) -> tuple[str, tuple[Keyword, ...]]:
    """The server's name and its keywords, from the lines of a 250 to EHLO.

    By RFC 5321 §4.1.1.1 the first line is name and greeting, whatever it says, and each further
    line is a keyword.
    """
    if not lines:
        return "", ()
    name = lines[0].split(" ", 1)[0]
    found = (parse_keyword(line) for line in lines[1:])
    return name, tuple(keyword for keyword in found if keyword)


_RCPTMAX = late(r"(?i)(?:.* )?RCPTMAX=([1-9][0-9]{0,5})(?: .*)?")


def most_recipients(limits: str) -> int:
    """The recipients that one transaction may have, by the parameters of LIMITS (RFC 9422 §4.2);
    0 if they set no such limit, or none that can be read (§3.7)."""
    match = _RCPTMAX.fullmatch(limits)
    return int(match[1]) if match else 0


def is_last_piece(argument: str) -> bool:
    """Whether BDAT with this argument ends the message (RFC 3030 §2)."""
    return argument.upper().endswith(" LAST")


@lru_cache(maxsize=64)
def mail_parameters(argument: str) -> tuple[str, tuple[Keyword, ...]]:
    """Split the argument of MAIL or RCPT into its path and its parameters (RFC 5321 §4.1.2).

    `FROM:<a@example.com> SIZE=3 REQUIRETLS` gives `a@example.com` and two keywords.
    """
    _, _, rest = argument.partition(":")
    rest = rest.strip()
    if rest.startswith("<") and ">" in rest:
        path, _, tail = rest[1:].partition(">")
    else:
        path, _, tail = rest.partition(" ")
    found = (parse_keyword(word) for word in tail.split())
    return path, tuple(keyword for keyword in found if keyword)


def xclient_attributes(argument: str) -> dict[str, str]:
    """The attributes of XCLIENT (Postfix's XCLIENT_README), names in upper case, values as sent;
    those that the client does not know are left out.

    `ADDR=192.0.2.9 helo=[UNAVAILABLE]` gives ADDR alone.
    """
    pairs = (word.partition("=") for word in argument.split())
    unknown = ("", "[UNAVAILABLE]", "[TEMPUNAVAIL]")
    return {name.upper(): value for name, _, value in pairs if value.upper() not in unknown}


def address_in(name: str) -> IPv4Address | IPv6Address | None:
    """The address in an address literal such as [192.0.2.1] (RFC 5321 §4.1.3), if it is one."""
    if not (name.startswith("[") and name.endswith("]")):
        return None
    inner = name[1:-1]
    try:
        if inner[:5].upper() == "IPV6:":
            return IPv6Address(inner[5:])
        return IPv4Address(inner)
    except ValueError:
        return None


_NAMED = late(
    r"[\w.-]+(?=\[[0-9A-Fa-f:]*[.:][0-9A-Fa-f:.]*\])"
    r"|(?:[\w-]+\.)+[A-Za-z]{2,63}(?= ?\(?\[(?:\d{1,3}\.){3}\d{1,3}\])"
)
"""A peer's name, where its address stands behind it: `host.example[192.0.2.1]`."""


def nameless(line: str) -> str:
    """A line of a log without the names of peers: what a host is called tells nothing of what
    happened to it."""
    return _NAMED.sub("a", line) if "[" in line else line
