"""Who behaves how: the policies of both peers and of what stands between them, and scenarios.

A scenario is a TOML file in `scenarios/`. It names only what differs from the documented session;
every key and every value that a file may hold is a field here, and the JSON Schema for editors is
made from these classes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simulator import toml
from simulator.language import N_, Text, Told, said
from simulator.smtp import address_in
from simulator.toml import Prose, shown

# `$` alone would let a line feed pass behind what it ends.
Word = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}$(?!\n)")]
"""A host name or keyword: printable ASCII without spaces, so that it stays one word on the wire."""
HostName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?=.{1,253}$(?!\n))(?!(?:.*\.)?[0-9]+$)"
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.(?=.)|$))+$"
    ),
]
"""A name that a certificate can carry: labels of letters, digits, hyphens (RFC 1035 §2.3.1)."""
Printable = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]{0,500}$(?!\n)")]
"""What fits one line of SMTP: printable ASCII."""
AnyScript = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[\x20-\x7e\u00a1-\u00ac\u00ae-\u034e\u0350-\u061b\u061d-\u180d\u180f-\u1fff"
        r"\u2010-\u2027\u2030-\u205e\u2070-\u3163\u3165-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe"
        r"\uff01-\uff9f\uffa1-\ufff8\ufffc-\ufffd]{0,500}$(?!\n)"
    ),
]
"""What may stand in an address or a header where SMTPUTF8 is offered (RFC 6531 §3.3): letters of
any script, and nothing that does not show or turns the line."""
FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.{1,2}$)[^/\\:\x00-\x1f]{1,255}$(?!\n)")]
"""The name of a file, without the folder that it stands in."""
Verb = Literal[
    "", "EHLO", "HELO", "STARTTLS", "XCLIENT", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "RSET",
    "QUIT",
]  # fmt: skip
"""What the lab's client may send."""
VerbAndCode = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?!EHLO 250)(CONNECT|EHLO|HELO|STARTTLS|XCLIENT|AUTH|MAIL|RCPT|DATA|BDAT|RSET"
        r"|QUIT) [2-5][0-5][0-9]$(?!\n)"
    ),
]
"""A command and a reply code (RFC 5321 §4.2); `CONNECT 220` is the greeting. The reply to EHLO is
no text but the list."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of a scenario have in common: an unknown key is an error."""


class ClientPolicy(_Table, frozen=True, kw_only=True):
    """How the client behaves; `keys.toml` says what each key does."""

    name: Word = "mx4.example.com"
    name_inside: Word | None = None
    hello: Literal["EHLO", "HELO"] = "EHLO"
    tls: Literal["required", "opportunistic", "never", "implicit"] = "opportunistic"
    tls_version: Literal["1.2", "1.3"] = "1.3"
    verify: bool = True
    tlsa: Literal["", "present", "previous"] = ""
    certificate: bool = False
    resumes: bool = False
    names_server: bool = True
    large_hello: bool = False
    after_handshake: Literal["EHLO", "HELO", "nothing"] = "EHLO"
    forgets: bool = True
    drops_buffer: bool = True
    reads: Literal["strict", "lenient"] = "strict"
    login: Literal["", "PLAIN", "EXTERNAL", "OAUTHBEARER", "XOAUTH2"] = ""
    after_login: Literal["nothing", "EHLO"] = "nothing"
    xclient: Printable = ""
    after_xclient: Literal["EHLO", "nothing"] = "EHLO"
    user: Word = "ana"
    password: Word = "correct-horse"
    uses: tuple[Word, ...] = ("SIZE",)
    requires: tuple[Word, ...] = ()
    insists: tuple[Word, ...] = ()
    starttls_again: bool = False
    pipelines: bool = False
    pipelines_past_starttls: bool = False
    plain_after_220: bool = False
    sends_bare_lf: bool = False
    despite: tuple[Literal["refused", "missing"], ...] = ()
    patience: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class ServerPolicy(_Table, frozen=True, kw_only=True):
    """How the server behaves; `keys.toml` says what each key does."""

    name: HostName = "eq-c601.example.com"
    keywords: tuple[Printable, ...] = ("8BITMIME", "SIZE 10485760")
    inside: tuple[Printable, ...] = ()
    withdrawn: tuple[Word, ...] = ()
    knows_ehlo: bool = True
    auth: Literal["never", "inside", "always"] = "never"
    mechanisms: tuple[Word, ...] = ("PLAIN",)
    starttls: Literal["offered", "hidden", "refused", "misplaced", "plain"] = "offered"
    again: Literal["refuse", "offer", "accept"] = "refuse"
    implicit_tls: bool = False
    forgets: bool = True
    keeps_envelope: bool = False
    keeps_login: bool = False
    insists: bool = True
    admits: tuple[Literal["MAIL", "AUTH"], ...] = ()
    tls_versions: tuple[Literal["1.2", "1.3"], ...] = ("1.2", "1.3")
    drops_buffer: bool = True
    takes_bare_lf: bool = False
    requires_tls: bool = False
    expects_proxy: bool = False
    certificate: Literal[
        "valid", "many-names", "by-name", "other-name", "expired", "unknown-ca"
    ] = "valid"
    asks_certificate: bool = False
    marks_tls: Literal["inside", "never", "always"] = "inside"
    silent_at: Literal[Verb, "TLS"] = ""
    cuts_at: Verb = ""
    replies: dict[VerbAndCode, Printable] = {}

    def shows(self, *, named: bool) -> str:
        """The kind of certificate that a client sees which has `named` the server in its
        ClientHello (RFC 6066 §3), or has not."""
        if self.certificate == "by-name":
            return "valid" if named else "other-name"
        return self.certificate


class MiddleboxPolicy(_Table, frozen=True, kw_only=True):
    """What stands between the peers, and does to them as long as they speak in the clear;
    `keys.toml` says what each key does."""

    does: Literal[
        "nothing",
        "strip",
        "mask",
        "add-keywords",
        "inject-command",
        "inject-reply",
        "proxy",
        "cut",
        "drop-large-hello",
        "drop-large-packets",
        "end-tls",
    ] = "nothing"
    lines: tuple[Printable, ...] = ()
    at: Verb = ""


class Mail(_Table, frozen=True, kw_only=True):
    """The envelope and the message."""

    sender: AnyScript = "postmaster@mx4.example.com"
    recipients: Annotated[tuple[AnyScript, ...], msgspec.Meta(min_length=1)] = (
        "ana@eq-c601.example.com",
    )
    subject: AnyScript = "Why twice?"
    body: str = "The Received line tells how this message came.\n"

    @property
    def is_international(self) -> bool:
        """Whether it may only go where SMTPUTF8 is offered (RFC 6531 §3.5)."""
        return not "".join((self.sender, *self.recipients, self.subject)).isascii()


class DocumentedLog(_Table, frozen=True, kw_only=True):
    """The log that a scenario replays; `keys.toml` says what each key does."""

    log: FileName
    language: str
    clock: datetime
    connection: str
    first: str = "EHLO"
    last: str = "MAIL"


class Scenario(_Table, frozen=True, kw_only=True):
    """An experiment: who behaves how, what to ask oneself, to watch, and to conclude.

    `name` and `folder` are those of its file; the folder of what comes with the project is empty.
    """

    title: Prose
    question: Prose
    watch: Prose
    conclude: Prose
    group: Literal["required", "no-tls", "attacked", "beside", "own"] = "own"
    compare: str = "documented"
    client: ClientPolicy = ClientPolicy()
    server: ServerPolicy = ServerPolicy()
    middlebox: MiddleboxPolicy = MiddleboxPolicy()
    mail: Mail = Mail()
    document: DocumentedLog | None = None
    name: str = ""
    folder: str = ""

    def prose(self, field: Literal["title", "question", "watch", "conclude"], language: str) -> str:
        """One of the texts in `language`, in English where it is missing."""
        return said(getattr(self, field), language)


def stage(
    name: str,
    title: Prose,
    server: ServerPolicy,
    middlebox: MiddleboxPolicy,
    client: ClientPolicy = ClientPolicy(),  # noqa: B008 - it never changes
) -> Scenario:
    """A scenario that asks its reader nothing: only who behaves how."""
    return Scenario(
        name=name,
        title=title,
        question="",
        watch="",
        conclude="",
        client=client,
        server=server,
        middlebox=middlebox,
    )


class BadScenario(Told, ValueError):
    """A scenario cannot be read: the message says where, what, and what could stand there."""


class UnknownScenario(Told, LookupError):
    """There is no scenario of that name: the message names the nearest."""


def _folder() -> Traversable:
    return files("simulator") / "scenarios"


@cache
def names() -> tuple[str, ...]:
    """The names of all scenarios that come with the project, `documented` first."""
    found = {Path(f.name).stem for f in _folder().iterdir() if f.name.endswith(".toml")}
    return tuple(sorted(found, key=lambda name: (name != "documented", name)))


def load(name: str | Path) -> Scenario:
    """The scenario of that name, or in that file (anything that ends in .toml or has a slash).

    Raises `UnknownScenario` or `BadScenario`.
    """
    if isinstance(name, Path) or name.endswith(".toml") or "/" in name or "\\" in name:
        path = Path(name)
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise BadScenario(toml.told(str(path), error.strerror or str(error))) from None
        found = parse(raw, str(path), path.stem)
        return msgspec.structs.replace(found, folder=str(path.parent))
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1, 0.4)
        text = N_("no scenario {name}: `ehlo-twice scenarios` lists them")
        if near:
            text = N_("no scenario {name}: did you mean '{near}'?")
        raise UnknownScenario(Text(text, {"name": repr(name), "near": "".join(near)}))
    return parse((_folder() / f"{name}.toml").read_bytes(), f"{name}.toml", name)


def scenarios() -> Iterator[Scenario]:
    """All scenarios that come with the project."""
    return (load(name) for name in names())


def document_text(scenario: Scenario) -> str:
    """The documented log of a scenario, as found, out of the scenario's folder.

    Raises `BadScenario` if it has none, or none that can be read there: who sends a scenario must
    not get any other file of the reader's shown.
    """
    if scenario.document is None:
        raise BadScenario(
            toml.told(scenario.name, Text(N_("there is no document to check against")))
        )
    name = scenario.document.log
    if not scenario.folder:
        return (_folder() / name).read_text("utf-8")
    path = Path(scenario.folder, name)
    try:
        inside = path.resolve().parent == Path(scenario.folder).resolve()
        if inside and path.is_file():
            return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadScenario(toml.told(str(path), Text(N_("not text in UTF-8")))) from None
    except (OSError, RuntimeError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise BadScenario(toml.told(str(path), problem)) from None
    why = N_("no such file; [document] log names a file beside the scenario")
    if not inside:
        why = N_(
            "leads out of the scenario's folder; [document] log names a file beside the scenario"
        )
    raise BadScenario(toml.told(str(path), Text(why)))


def parse(raw: bytes, where: str, name: str) -> Scenario:
    """Read a scenario's TOML. Raises `BadScenario` with file, line, and the nearest valid word."""
    file = toml.File(raw, where, BadScenario)
    _check_replies(file)
    scenario = file.read(Scenario, filled=FILLED, why=_why)
    for key, problem in _contradictions(scenario):
        raise file.wrong(key, problem)
    return msgspec.structs.replace(scenario, name=name)


FILLED = ("name", "folder")
"""What a scenario's file does not say, but is."""


def schema() -> dict[str, object]:
    """The JSON Schema of a scenario file, for editors."""
    return with_meanings(toml.schema(Scenario, "ehlo-twice scenario", FILLED))


def with_meanings(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema in which the keys of a scenario's tables are explained, where it has them."""
    for table, kind in TABLES.items():
        if said := schema["$defs"].get(kind.__name__):
            said["description"] = keys()[table]["about"]
            for key, entry in said["properties"].items():
                entry["description"] = keys()[table][key]
    return schema


TABLES = {
    "client": ClientPolicy,
    "server": ServerPolicy,
    "middlebox": MiddleboxPolicy,
    "mail": Mail,
    "document": DocumentedLog,
}
"""The tables of a scenario file."""


@cache
def keys() -> dict[str, dict[str, str]]:
    """What each key of a scenario file does, by its table; `about` is the table itself."""
    return toml.read(
        (files("simulator.lab") / "keys.toml").read_bytes(), dict[str, dict[str, str]], "keys.toml"
    )


def _why(what: str, value: object) -> Text | None:
    """What is wrong with a name or a line that did not match its pattern, or an empty list."""
    if value == [] and "length >= 1" in what:
        return _cannot_be(value, Text(N_("it must not be empty")))
    if "matching regex" not in what or not isinstance(value, str):
        return None
    if "(?=.{1,253}" in what:
        return _cannot_be(value, _no_host_name(value))
    if r"\x21" in what:
        return _cannot_be(value, _no_line(value, 255, "word"))
    if "[^/" in what:
        return _cannot_be(value, Text(N_("it names a file beside the scenario, without folder")))
    if r"\u061d" in what:
        return _cannot_be(value, _no_script(value))
    return _cannot_be(value, _no_line(value, 500, "line")) if r"\x20" in what else None


def _cannot_be(value: object, why: Text) -> Text:
    return Text(N_("{key} cannot be {value}: {problem}"), {"value": shown(value), "problem": why})


def _no_line(text: str, limit: int, kind: Literal["word", "line"]) -> Text:
    if not text:
        return Text(N_("it must not be empty"))
    if len(text) > limit:
        values = {"length": len(text), "limit": limit}
        return Text(N_("it has {length} characters, and {limit} are allowed"), values)
    lowest = "!" if kind == "word" else " "
    wrong = next((sign for sign in text if not lowest <= sign <= "~"), "")
    if wrong == " ":
        return Text(N_("it must be one word of printable ASCII, and holds a space"))
    told = N_("it must be one word of printable ASCII, and holds the character {sign}")
    if kind == "line":
        told = N_("it must be one line of printable ASCII, and holds the character {sign}")
    return Text(told, {"sign": ascii(wrong)})


def _no_script(text: str) -> Text:
    if len(text) > 500:
        return _no_line(text, 500, "line")
    wrong = next((sign for sign in text if not re.search(_SCRIPT, sign)), "")
    told = N_("it must be one line of letters and signs that show, and holds the character {sign}")
    return Text(told, {"sign": ascii(wrong)})


_SCRIPT: str = AnyScript.__metadata__[0].pattern  # type: ignore[attr-defined]


def _no_host_name(text: str) -> Text:
    labels = text.split(".")
    values = {"example": "mx.example.com"}
    told = N_(
        "it must be a host name, such as {example}, of letters, digits, hyphens within, and dots"
    )
    if len(text) > 253:
        told = N_(
            "it must be a host name, such as {example}, of at most 253 characters (it has {length})"
        )
        return Text(told, {**values, "length": len(text)})
    if too_long := [label for label in labels if len(label) > 63]:
        told = N_(
            "it must be a host name, such as {example}, with at most 63 characters between dots "
            "(there are {length})"
        )
        return Text(told, {**values, "length": len(too_long[0])})
    if text and "" in labels:
        told = N_(
            "it must be a host name, such as {example}, with something before, between and behind "
            "the dots"
        )
    elif address_in(text) or labels[-1].isdigit():
        told = N_(
            "it must be a host name, such as {example}, and no address: a certificate is made for "
            "it"
        )
    return Text(told, values)


def _contradictions(scenario: Scenario) -> Iterator[tuple[tuple[str, str], Text]]:
    """Keys whose value is fine by itself, but not with the others; and what is wrong with it."""
    client, server, middlebox = scenario.client, scenario.server, scenario.middlebox
    names = [(("server", "name"), server.name)]
    if client.certificate and not address_in(client.name):
        names.append((("client", "name"), client.name))
    for key, name in names:
        if (
            not re.search(HostName.__metadata__[0].pattern, name)  # type: ignore[attr-defined]
            or not _can_be_certified(name)
        ):
            why = N_("a certificate carries a host name")
            if key[0] == "client":
                why = N_(
                    "a certificate carries a host name or an address literal such as [192.0.2.1]"
                )
            yield key, _cannot_be(name, Text(why))
    if middlebox.at and middlebox.does != "cut":
        yield ("middlebox", "at"), Text(N_('{key} has an effect with does = "cut" only'))
    if middlebox.does == "cut" and not middlebox.at:
        told = N_('{key} is "cut", but at is missing: write at = "STARTTLS"')
        yield ("middlebox", "does"), Text(told)
    takes_lines = middlebox.does in ("add-keywords", "inject-command", "inject-reply", "proxy")
    if middlebox.lines and not takes_lines and middlebox.does != "strip":
        told = N_(
            '{key} has an effect with does = "strip", "add-keywords", "proxy" or one that injects '
            "only"
        )
        yield ("middlebox", "lines"), Text(told)
    if takes_lines and not middlebox.lines:
        told = N_('{key} is "{does}", but lines is missing: write lines = ["…"]')
        yield ("middlebox", "does"), Text(told, {"does": middlebox.does})


def _can_be_certified(name: str) -> bool:
    """Are its international labels, if it has any, what they claim to be (RFC 5891 §4.2.3.1)?"""
    if "--" not in name:
        return True
    from simulator.lab.engine import certificates

    try:
        certificates.shown("valid", name)
    except ValueError:
        return False
    return True


def _check_replies(file: toml.File) -> None:
    """What msgspec says of the keys of a table names neither the key nor what it should be."""
    pattern = VerbAndCode.__metadata__[0].pattern  # type: ignore[attr-defined]
    server = file.table.get("server")
    replies = server.get("replies") if isinstance(server, dict) else None
    for key, own in replies.items() if isinstance(replies, dict) else ():
        path = ("server", "replies", key)
        named = {"key": f"server.replies: {shown(key)}"}
        if key == "EHLO 250":
            told = N_("{key} is the list: what it says is in server.keywords")
            raise file.wrong(path, Text(told, named))
        if not re.search(pattern, key):
            told = N_(
                "{key} is no verb and reply code that the server answers with: "
                'write "STARTTLS 220" = "Go ahead with TLS"; the greeting is "CONNECT 220"'
            )
            raise file.wrong(path, Text(told, named))
        if not isinstance(own, str):
            raise file.wrong(path, Text(N_("{key} must be a text in quotes"), named))
        if not re.search(Printable.__metadata__[0].pattern, own):  # type: ignore[attr-defined]
            why = _cannot_be(own, _no_line(own, 500, "line"))
            raise file.wrong(path, Text(why.id, {**why.values, **named}))
