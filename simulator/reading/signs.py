"""What a line tells about TLS in words of no particular format: it failed and why, it came about,
it was refused, it was not offered. The words are data, in `signs.toml`."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from simulator import needles, smtp, toml
from simulator.needles import late
from simulator.session import AnyEvent, Command, Handshake, HandshakeError, Remark, Reply

LONGEST = 1000
"""Characters of a line that are looked at."""


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: the pattern, and the handshake error that it stands for."""

    pattern: str
    error: HandshakeError = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    harmless: list[Sign]
    other_protocol: list[Sign]
    failed: list[Sign]
    failed_now: list[Sign]
    not_offered: list[Sign]
    wanted: list[Sign]
    refused: list[Sign]
    established: list[Sign]


Table = tuple[needles.Needles, tuple[HandshakeError, ...]]


@cache
def _tables() -> dict[str, Table]:
    text = (files("simulator.reading") / "signs.toml").read_bytes()
    rows = toml.read(text, _File, "signs.toml")
    return {kind: _table(getattr(rows, kind)) for kind in _File.__struct_fields__}


def _table(signs: list[Sign]) -> Table:
    """Each alternative is tried by itself: few are near what the line says."""
    each = [(one, sign.error) for sign in signs for one in needles.alternatives(sign.pattern)]
    found = needles.Needles([needles.needle(one, re.IGNORECASE) for one, _ in each])
    return found, tuple(error for _, error in each)


_HINT = needles.split(
    r"(?i)tls|ssl|x509|handshake|certif|cipher|crypt|16 03|1603|x16|026|self.signed|pkix|smtp host"
    r"|mismatch|altname|version number|eof|reset|negoti|upgraded|schannel|packet|protocol|hello"
    r"|invalid ?content|secure connection|alert|signing key|credentials|frame|token supplied"
    r"|socketerror\(|common algorithm|sec_e_|bad_cert|security\.authentication|starttls"
)


_BLANKS = late(r"\w_\w+_\w+:_")
"""What shows that a program, such as qmail, writes its blanks so."""


@lru_cache(maxsize=16)
def _hints(text: str) -> bool:
    return _HINT.search(text, needles.folded(text)) is not None


_EMPHASIS = late(r"(?<=\w)_+(?=\W|$)")
"""What marks a word's end in Markdown, where patterns look for it."""

_BY_STARTTLS = late(
    r"(?i)convert socket to tls|, in starttls\b|\.startTLS\(\w+\.java|stream_socket_enable_crypto"
)
"""What a library says, or has in its stack, only where TLS is begun by STARTTLS: JavaMail, Python,
PHP."""


def by_starttls(text: str) -> bool:
    """Whether a line of a library's shows that TLS was begun by STARTTLS."""
    return _BY_STARTTLS.search(text[:LONGEST]) is not None


_WRITTEN = late(
    r"(?i)error:|routines:|\balert\b|\bx509\b|exception|\w_\w|\w\(\)"
    r"|\w\.\w+\.\w|\d:\d\d:\d\d|\[[\w.:-]+\]|failed:|code[ =:]+-?\d"
    r"|^\W*(?:tls|ssl|smtp)\w*:|could not be validated for the following reasons"
)
"""What a program's line has and a sentence of a person seldom: codes, function names, a time."""


def written(text: str) -> bool:
    """Whether a program wrote the line, rather than a person."""
    return _WRITTEN.search(text[:LONGEST]) is not None


@lru_cache(maxsize=64)
def _find(kind: str, text: str) -> tuple[re.Match[str], HandshakeError] | None:
    if "_" in text:
        text = text.replace("_", " ") if _BLANKS.search(text) else _EMPHASIS.sub("", text)
    if kind != "refused":
        # The reply that a refusal quotes is shown as it stands.
        text = smtp.nameless(text)
    patterns, errors = _tables()[kind]
    found = patterns.search(text, needles.folded(text))
    return (found[1], errors[found[0]]) if found is not None else None


def failure(text: str, *, now: bool = False) -> bool:
    """Whether the line says that TLS failed; `now`: the 220 to STARTTLS was the last thing said."""
    text = text[:LONGEST]
    if now and _find("failed_now", text):
        return True
    if not _hints(text) or _find("harmless", text) or of_another_protocol(text):
        return False
    return _find("failed", text) is not None


_PROTOCOLS = needles.split(
    r"(?i)imap|pop3|sieve|ldap|slapd|443|nginx|\[ssl:|connectionpool|requests\.|https:|urlopen|:99[35]|:636"
)


def of_another_protocol(text: str) -> bool:
    """Whether a program that speaks no SMTP wrote the line."""
    text = text[:LONGEST]
    spoken = _PROTOCOLS.search(text, needles.folded(text)) is not None
    return spoken and _find("other_protocol", text) is not None


def error(text: str) -> HandshakeError:
    """The id of the handshake's error that the line tells of."""
    found = _find("failed", text[:LONGEST]) or _find("failed_now", text[:LONGEST])
    return found[1] if found else "other"


def about_tls(text: str) -> bool:
    """Whether a reply speaks of TLS."""
    return re.search(r"(?i)tls|ssl|handshake|encrypt|crypto", text) is not None


_GO_AHEAD = late(
    r"(?i)220 (?:2\.\d\.\d (?!.*ESMTP)"
    r"|.{0,60}(?:ready (?:to (?:start|begin|negotiate)|for) (?:tls|ssl)"
    r"|go ahead (?:with|and start) (?:tls|ssl)|(?:tls|ssl) go ahead|(?:start|begin)(?:ing)? tls))"
)


def go_ahead(text: str) -> bool:
    """Whether a 220 can only answer STARTTLS: no greeting says this."""
    return _GO_AHEAD.match(text[:LONGEST]) is not None


def established(text: str) -> bool:
    """Whether the line says that TLS came about."""
    text = text[:LONGEST]
    return _hints(text) and _find("established", text) is not None


_CIPHER = late(r"\b(?:[A-Z0-9]{2,12}(?:[-_][A-Za-z0-9]{1,12}){1,9})\b")
_VERSION = late(r"(?i)\b(?:tls|ssl)[ _]?v?[ _]?[123](?:[._]\d)?\b")


def parameters(text: str) -> tuple[str, str]:
    """TLS version and cipher that a line names, each empty if it does not."""
    text = text[:LONGEST]
    version = _VERSION.search(text)
    for cipher in _CIPHER.finditer(text):
        if re.search(r"AES|RC4|CHACHA|DES|CAMELLIA|ARIA|GCM|SHA", cipher[0]):
            return (version[0] if version else ""), cipher[0]
    return (version[0] if version else ""), ""


class Sentence(msgspec.Struct, frozen=True):
    """What one line tells of a session whose dialogue is not shown."""

    kind: Literal["failed", "not_offered", "refused", "established"]
    error: HandshakeError = ""
    code: int = 0
    text: str = ""
    starttls: bool = False
    """The line names STARTTLS as what was done."""

    def events(self, remark: Remark) -> list[AnyEvent]:
        """The events that it stands for."""
        asked = Command(by="client", verb="STARTTLS", at=remark.at, line=remark.line, told=True)
        if self.kind == "not_offered":
            return [msgspec.structs.replace(remark, tells="not_offered")]
        if self.kind == "refused":
            reply = Reply(
                by="server", code=self.code, lines=(self.text,), at=remark.at, line=remark.line,
                told=True,
            )  # fmt: skip
            return [remark, asked, reply] if self.code else [remark, asked]
        shake = Handshake(
            by="client",
            at=remark.at,
            line=remark.line,
            secure=self.kind == "established",
            error=self.error,
            detail=remark.text.strip() if self.error else "",
        )
        return [remark, asked, shake] if self.starttls else [remark, shake]


def read(text: str) -> Sentence | None:
    """What the line tells, if it tells anything."""
    text = text[:LONGEST]
    if not _hints(text) or of_another_protocol(text):
        return None
    named = re.search(r"(?i)starttls", text) is not None or by_starttls(text)
    if any((found := _find(kind, text)) and supposed(text, found[0].end()) for kind in _SAID):
        return None
    if _find("not_offered", text):
        return Sentence("not_offered")
    if _find("wanted", text):
        return None
    if named or "454" in text or _START_TLS.search(text):
        refused = _find("refused", text)
        if refused:
            match = refused[0]
            code = int(match["code"] or (454 if _DUE.search(match["text"]) else 500))
            return Sentence("refused", code=code, text=_reply_text(match["text"]))
    if _find("harmless", text):
        # Such as sendmail's verify=FAIL beside the cipher that was agreed on.
        agreed = named and bool(parameters(text)[1])
        return Sentence("established", starttls=True) if agreed else None
    failed = _find("failed", text)
    if failed:
        return Sentence("failed", error=failed[1], starttls=named)
    if _find("established", text):
        return Sentence("established", starttls=named)
    return None


_DUE = late(r"(?i)\bdue to\b")
"""What marks RFC 3207's words for 454; without it and without a code, the server did not know the
command (RFC 5321 §4.2.4: 500)."""

_START_TLS = late(r"(?i)\bstart[ -]tls\b")
"""STARTTLS, as some libraries write it."""

_SAID = ("not_offered", "failed", "established")

_SUPPOSED = late(
    r"(?i)\b(?:if(?! (?:i|we)\b)|unless|whether|in case|wenn(?! (?:ich|wir|man)\b)|falls|sofern"
    r"|indien|als de|si(?! (?:je|nous|on|\w+o)\b)|sauf si|cuando el|quando o|caso o)\s"
    r"|(?:^|[,;:(.!?¿] ?|\bque |\bche )se (?:o|a|os|as|il|lo|la|i|un|uma?|non|não|seu|sua)\b"
    r"|\bif,|если (?!я |мы )|如果(?!我)|若是|要是|假如|是否|もし|場合|かどうか|만약|경우|으면 "
)
"""What makes a sentence suppose, in the languages of this program."""

_PROGRAM = late(
    r"(?i)\W{0,3}(?:\d{2,4}[-/:.]|\w{3} +\d|\w{3} \w{3} +\d|[\w./-]+\[\d+\]:"
    r"|[\w.$-]*(?:error|exception|fatal)\b)"
)
"""How a program begins a line that tells what happened."""


def supposed(text: str, place: int | None = None) -> bool:
    """Whether a sentence only supposes what it says there, or asks about it; without a place,
    whether any of a line's does."""
    if _PROGRAM.match(text):
        return False
    if place is None:
        return _SUPPOSED.search(text[:LONGEST]) is not None
    begins = max(text.rfind(end, 0, place) for end in (". ", "! ", "? ", "。", "！", "？", "\n"))
    return _SUPPOSED.search(text, begins + 1 if begins >= 0 else 0, place) is not None


def _reply_text(text: str) -> str:
    return text.strip(" '\")]}")
