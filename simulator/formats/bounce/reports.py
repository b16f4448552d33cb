"""What a bounce says of each recipient: by the fields of its report, or by its text alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simulator.formats.bounce.parts import Said, parts
from simulator.formats.bounce.quotes import (
    ADDRESS,
    LONE_STATUS,
    REPLY,
    Quote,
    address,
    from_prose,
    quoted,
    stage,
)
from simulator.formats.bounce.words import FIELD_SET, LONGEST
from simulator.needles import late
from simulator.reading.clean import Line
from simulator.session import Peer

_NAMES = (
    "reporting-mta|final-recipient|original-recipient|action|status|diagnostic-code|remote-mta"
    "|received-from-mta|arrival-date|last-attempt-date|will-retry-until|final-log-id"
    "|original-envelope-id|dsn-gateway|x-[a-z0-9-]{1,60}"
)
_FIELD = late(rf"\s{{0,8}}(?P<name>{_NAMES})\s?:\s{{0,8}}(?P<value>.*)", re.IGNORECASE)


class _Group(NamedTuple):
    """The fields about one recipient (RFC 3464 §2.3), each with the number of its line."""

    fields: dict[str, tuple[str, int]]

    def value(self, name: str) -> str:
        """A field's value, empty if it is not there."""
        return self.fields.get(name, ("", 0))[0]

    @property
    def recipient(self) -> str:
        """The address, without the kind of it."""
        for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
            if (found := address(self.value(name).partition(";")[2] or self.value(name))) != "":
                return found
        return ""


class Report(NamedTuple):
    """What a bounce says of one recipient."""

    recipient: str
    action: str
    status: str
    status_line: int
    quote: Quote | None
    detail: str
    reporter: str
    remote: Peer
    lines: frozenset[int] = frozenset()


def _groups(said: Sequence[Said]) -> tuple[list[_Group], dict[str, tuple[str, int]]]:
    """The fields by recipient, and those about the message (RFC 3464 §2.2)."""
    groups: list[dict[str, tuple[str, int]]] = []
    message: dict[str, tuple[str, int]] = {}
    current: dict[str, tuple[str, int]] = {}
    name = ""
    for line in [*said, Said(0, "", "head")]:
        if line.zone not in ("fields", "prose"):
            name = ""
            if current:
                _place(current, groups, message)
                current = {}
            continue
        match = _FIELD.match(line.text[:LONGEST])
        if match is not None and (line.zone == "fields" or _known_field(match["name"])):
            name = match["name"].lower()
            if name in current and name in ("final-recipient", "original-recipient", "action"):
                _place(current, groups, message)
                current = {}
            current.setdefault(name, (match["value"].strip(), line.number))
        elif not line.text.strip():
            name = ""
            if current:
                _place(current, groups, message)
                current = {}
        elif name and (line.zone == "fields" or line.text[:1] in " \t"):
            value, number = current[name]
            current[name] = (f"{value} {line.text.strip()}"[:LONGEST], number)
        else:
            name = ""
    return [_Group(fields) for fields in groups], message


_OF_RECIPIENT = {
    "final-recipient", "original-recipient", "action", "status", "diagnostic-code", "remote-mta",
}  # fmt: skip


def _known_field(name: str) -> bool:
    return name.lower() in _OF_RECIPIENT | {"reporting-mta"}


def _place(
    fields: dict[str, tuple[str, int]], groups: list[dict[str, tuple[str, int]]],
    message: dict[str, tuple[str, int]],
) -> None:  # fmt: skip
    keys = set(fields) & _OF_RECIPIENT
    if not keys:
        for key, value in fields.items():
            message.setdefault(key, value)
        return
    if "reporting-mta" in fields:
        message.setdefault("reporting-mta", fields["reporting-mta"])
    if groups and not keys & {"final-recipient", "original-recipient"}:
        if not keys & set(groups[-1]):
            groups[-1].update(fields)
            return
    if not keys & {"final-recipient", "original-recipient", "status", "diagnostic-code"}:
        return
    groups.append(fields)


def _mta(value: str) -> str:
    """The name of an MTA in a field (RFC 3464 §2.1.2), without the kind of it."""
    name = (value.partition(";")[2] or value).strip()
    return name.split(" ")[0].rstrip(".") if name else ""


def _reports(said: Sequence[Said]) -> list[Report]:
    groups, message = _groups(said)
    quotes, recipients = from_prose(
        [
            s
            for s in said
            if not (s.zone == "prose" and (m := _FIELD.match(s.text)) and _known_field(m["name"]))
        ]
    )
    prose = " ".join(s.text.strip() for s in said if s.zone == "prose")[:50_000]
    head = [s for s in said if s.zone == "head"]
    reporter = _mta(message.get("reporting-mta", ("", 0))[0]) or _reporter(prose, head)
    if groups:
        return [_of_group(group, quotes, len(groups) == 1, reporter) for group in groups]
    named = [*_failed_recipients(head), *recipients]
    return _of_prose(quotes, list(dict.fromkeys(named)), prose, reporter)


def _failed_recipients(head: Sequence[Said]) -> Iterator[str]:
    """The addresses in Exim's and Gmail's field of that name."""
    inside = False
    for line in head:
        inside = line.text.lower().startswith("x-failed-recipients:") or (
            inside and line.text[:1] in " \t"
        )
        if inside:
            yield from ADDRESS.findall(line.text)


_REPORTERS = late(
    r"(?i)(?:mail system at host|qmail-send program at|generating server:|delivery status "
    r"notification from|message from|mail (?:delivery )?(?:server|system) at) "
    r"<?(?P<name>[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,8})"
)
_SENDER = late(r"(?i)from:.*?@(?P<name>[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,8})")


def _reporter(prose: str, head: Sequence[Said]) -> str:
    """Who reports, where no field says so."""
    match = _REPORTERS.search(prose)
    if match is not None:
        return match["name"].rstrip(".")
    for line in head:
        if (sender := _SENDER.match(line.text)) is not None:
            return sender["name"]
    return ""


def _of_group(group: _Group, quotes: Sequence[Quote], alone: bool, reporter: str) -> Report:
    recipient = group.recipient
    near = [
        q for q in quotes if alone or not q.recipient or q.recipient.lower() == recipient.lower()
    ]
    diagnostic, line = group.fields.get("diagnostic-code", ("", 0))
    kind, _, text = diagnostic.partition(";")
    text = text.strip() if re.fullmatch(r"[A-Za-z0-9-]{1,40}", kind.strip()) else diagnostic
    quote = next(quoted(text, [(0, line)]), None) if text else None
    spoken = kind.strip().lower() not in ("x-unix", "unix")
    if quote is None and text and spoken and (plain := REPLY.match(text)) is not None:
        quote = Quote(line, int(plain["code"]), plain["status"] or "", (text[4:].strip(),))
    same = [q for q in near if quote is None or q.code == quote.code]
    beside = max(same, key=lambda q: (q.weight, -q.number), default=None)
    verb = stage(text) or next((q.verb for q in same if q.verb), "")
    if quote is None and beside is not None and beside.code:
        quote = beside
    if quote is not None:
        quote = quote._replace(
            verb=quote.verb or verb,
            argument=quote.argument or next((q.argument for q in same if q.argument), ""),
            detail=text or quote.detail,
        )
    status, status_line = group.fields.get("status", ("", 0))
    match = re.match(r"[245]\.\d{1,3}\.\d{1,3}", status)
    remote = _mta(group.value("remote-mta")) or (quote.host if quote else "")
    action = re.match(r"[a-z]+", group.value("action").lower())
    said = match[0] if match is not None else ""
    if (
        quote is not None
        and quote.status
        and not (quote.status.endswith(".0.0") and said[:1] == quote.status[0])
    ):
        said = quote.status
    elif not said or said.endswith(".0.0"):
        words = [text, *(q.status for q in near), *(q.detail for q in near)]
        more = (found for word in words for found in LONE_STATUS.findall(word))
        said = next((s for s in more if not said or s[0] == said[0]), said)
    return Report(
        recipient=recipient,
        action=action[0] if action is not None else "",
        status=said,
        status_line=status_line,
        quote=quote,
        detail=text,
        reporter=reporter,
        remote=Peer(name=remote),
        lines=frozenset(number for _, number in group.fields.values() if number),
    )


_DELAYED = late(
    r"(?i)\bdelayed\b|not yet (?:been )?delivered|will (?:be retried|keep trying|continue to try)"
    r"|warning message only|you do not need to resend|verzögert|retrasad|retardé|atrasad|ritardat"
    r"|遅延|지연|задерж|延迟"
)


def _of_prose(
    quotes: Sequence[Quote], recipients: Sequence[str], prose: str, reporter: str
) -> list[Report]:
    action = "delayed" if _DELAYED.search(prose) else "failed"
    told = [q for q in quotes if q.code or q.status]
    recipients = recipients or list(dict.fromkeys(q.recipient for q in told if q.recipient))
    found: list[Report] = []
    for recipient in recipients or [""]:
        own = [q for q in told if q.recipient.lower() == recipient.lower()]
        shared = [q for q in told if not q.recipient or len(recipients) < 2]
        best = max(own or shared, key=lambda q: (q.weight, -q.number), default=None)
        if best is None and len(recipients) > 1 and told:
            continue
        status = next((q.status for q in own or shared if q.status), "")
        beside = next((q.verb for q in own or shared if q.verb), "")
        line = best.number if best else 0
        if best is not None and not best.verb:
            best = best._replace(verb=beside)
        found.append(
            Report(
                recipient=recipient,
                action=action,
                status=(best.status or status) if best else "",
                status_line=line,
                quote=best if best is not None and best.code else None,
                detail=best.detail if best else next((q.detail for q in quotes), ""),
                reporter=reporter,
                remote=Peer(name=best.host if best else ""),
            )
        )
    return found


NONE = Report("", "", "", 0, None, "", "", Peer())
"""Nothing: the message is no bounce, or does not say what failed."""


def understood(lines: Sequence[Line]) -> tuple[list[Said], list[Report]]:
    """The lines with their zones, and the reports. A bounce may come inside another message."""
    said = parts(lines)
    reports = _reports(said)
    if not any(report.quote or report.status for report in reports):
        text = {line.number: line.text for line in lines}
        inner = [Line(s.number, text.get(s.number, s.text)) for s in said if s.zone == "original"]
        if inner and FIELD_SET.search("\n".join(line.text for line in inner)):
            within = parts(inner)
            found = _reports(within)
            if any(report.quote or report.status for report in found):
                return [*(s for s in said if s.zone != "original"), *within], found
    return said, reports
