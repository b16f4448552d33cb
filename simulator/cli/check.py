"""The commands that check other software against the rules: check server, check client."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.common import (
    Cannot,
    colour,
    colour_option,
    language_option,
    put,
    stops,
    told,
    width,
    write,
)

if TYPE_CHECKING:
    from simulator.checks.cases import Case, Result

GOOD, BAD = 0, 1
PASSWORD = "EHLO_TWICE_PASSWORD"


def _cases(subject: str) -> Sequence[Case]:
    from simulator.checks import cases

    return cases.server_cases() if subject == "server" else cases.client_cases()


def _case_names(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    return [case.id for case in _cases(context.info_name or "") if case.id.startswith(typed)]


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """The options of both commands."""
    for option in (
        language_option,
        colour_option,
        click.option("--strict", is_flag=True, help="Exit with 1 for what is only risky as well."),
        click.option("--explain", is_flag=True, help="Show the session of what did not pass."),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            help="Write check.json, junit.xml, and each session as a page to play, too.",
        ),
        click.option(
            "--view",
            type=click.Choice(["table", "json", "junit"]),
            default="table",
            show_default=True,
            help="What to show.",
        ),
        click.option(
            "--without",
            multiple=True,
            metavar="CASE",
            shell_complete=_case_names,
            help="Leave a case out; may be given again.",
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="CASE",
            shell_complete=_case_names,
            help="Try this case, and what it needs; may be given again.",
        ),
        click.option("--list", "list_", is_flag=True, help="List the cases, and try none."),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def check() -> None:
    """Check a server or a client of yours against the rules, case by case.

    Each case rests on a place in a standard, and its session is recorded. Exit code 0 if no MUST
    and no SHOULD was broken, 1 if one was, or if a case could not be told.

    \b
    Examples:
      ehlo-twice check server mail.example.org
      ehlo-twice check client -- swaks --server {host} --port {port} --tls --to a@example.org
    """


@check.command()
@click.argument("host", metavar="HOST[:PORT]", default="127.0.0.1:2525")
@click.option(
    "--implicit-tls/--starttls",
    "implicit",
    default=None,
    help="TLS before the greeting, or by STARTTLS.  [default: by the port; 465 is TLS at once]",
)
@click.option("--name", default="", metavar="NAME", help="Name that the certificate should have.")
@click.option(
    "--ca",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Trust the certificates in this PEM file, not the system's.",
)
@click.option("--ehlo", default="probe.invalid", show_default=True, help="Argument of EHLO.")
@click.option("--from", "sender", default="", metavar="ADDRESS", help="Sender.  [default: <>]")
@click.option(
    "--to", "recipient", default="postmaster", show_default=True, metavar="ADDRESS",
    help="Recipient; no message is sent.",
)  # fmt: skip
@click.option(
    "--user",
    default="",
    metavar="NAME",
    help=(
        "An account of the server, for the case that logs in. Its password is taken from "
        f"{PASSWORD}, or asked for. Where the server has no CRAM-MD5, it crosses in the clear: "
        "make an account just for this."
    ),
)
@click.option(
    "--pause",
    type=click.FloatRange(min=0),
    default=None,
    help="Seconds between two connections.  [default: 1; on this machine 0]",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0.1, max=600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for each answer.",
)
@_shared
def server(
    host: str,
    implicit: bool | None,
    name: str,
    ca: Path | None,
    ehlo: str,
    sender: str,
    recipient: str,
    user: str,
    pause: float | None,
    patience: float,
    **shared: Any,
) -> None:
    """Ask a server at HOST what it does about STARTTLS; the report says what to change.

    Only that host is asked, one connection at a time, with a pause between two; no message is sent.
    Ask servers that are yours, or whose keepers agree.

    \b
    Examples:
      ehlo-twice check server localhost
      ehlo-twice check server mail.example.org:587
      ehlo-twice check server mail.example.org:465 --strict
      ehlo-twice check server 192.0.2.1 --name mail.example.org --ca ours.pem
      ehlo-twice check server localhost --view junit > junit.xml
    """
    from simulator.checks import cases, report
    from simulator.checks import server as checking

    address, port = _address(host)
    for option, value in (("--ehlo", ehlo), ("--from", sender), ("--to", recipient)):
        if not (value.isascii() and value.isprintable()) or set(value) & set(" <>{}"):
            raise click.BadParameter(f"{option} is one word of ASCII, without < and >")
    asked = checking.Host(
        host=address,
        port=port,
        implicit_tls=port == checking.IMPLICIT_TLS if implicit is None else implicit,
        name=name,
        authority=str(ca or ""),
        greets_as=ehlo,
        sender=sender,
        recipient=recipient,
        user=user,
        password=_password(user) if user and not shared["list_"] else "",
        pause=(0.0 if checking.local(address) else 1.0) if pause is None else pause,
        patience=patience,
    )
    with told():
        chosen = cases.chosen(cases.server_cases(), shared["only"], shared["without"])
        if shared["list_"]:
            _list(chosen, shared["lang"])
            return
        results = _run(lambda done: checking.check(asked, chosen, done), **shared)
        if shared["view"] == "table":
            found = report.facts(results, shared["lang"])
            longest = max((len(label) for label, _ in found), default=0)
            put("\n" + "".join(f"  {label:<{longest}}  {value}\n" for label, value in found))
        _ended(f"server {host}", results, **shared)


@check.command(context_settings={"ignore_unknown_options": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option(
    "--port",
    type=click.IntRange(0, 65000),
    default=2600,
    show_default=True,
    help="Without COMMAND: first of the ports to listen on, one a case.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0.1, max=86400),
    default=None,
    help="Without COMMAND: seconds to listen.  [default: until Ctrl-C]",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0.1, max=600),
    default=20.0,
    show_default=True,
    help="Seconds that COMMAND has for each case.",
)
@_shared
def client(
    command: tuple[str, ...], port: int, wait: float | None, patience: float, **shared: Any
) -> None:
    """Let a client meet one server after the other, and see what it makes of each.

    COMMAND is run once a case; {host} and {port} in it are where it is to connect, {ca} is a file
    with the certificate to trust (also in SSL_CERT_FILE). It should deliver one message, with TLS
    by STARTTLS required, and the certificate verified. Without COMMAND a port is opened for each
    case: point your client at them. All of it is on loopback, and no mail leaves it.

    \b
    Examples:
      ehlo-twice check client -- python3 my_client.py {host} {port}
      ehlo-twice check client -- curl --ssl-reqd --cacert {ca} smtp://{host}:{port} \\
        --mail-from a@example.org --mail-rcpt b@example.org --upload-file message.txt
      ehlo-twice check client --without checks-the-name -- swaks --server {host}:{port} \\
        --tls --to b@example.org
      ehlo-twice check client --port 2600 --wait 60
    """
    from simulator.checks import cases
    from simulator.checks import client as checking
    from simulator.lab.play import run as run_lab

    with told():
        chosen = cases.chosen(cases.client_cases(), shared["only"], shared["without"])
        if shared["list_"]:
            _list(chosen, shared["lang"])
            return
        if command:
            if not any("{port}" in word for word in command):
                raise Cannot("the command has no {port}: say where the client is to connect")
            program = checking.Program(command, patience)
            results = _run(lambda done: checking.check(program, chosen, done), **shared)
        else:
            results = run_lab(_listening(chosen, port, wait, shared["lang"]))
            for result in results:
                _tell(result, **shared)
        _ended("client" + "".join(f" {word}" for word in command[:1]), results, **shared)


def _address(host: str) -> tuple[str, int]:
    """Host and port of `HOST`, `HOST:PORT`, `[::1]:PORT` or `::1`."""
    name, mark, port = host.rpartition(":")
    if not mark or (":" in name and not name.endswith("]")):
        name, port = host, "25"
    name = name.removeprefix("[").removesuffix("]")
    if not name or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{host!r} is no HOST or HOST:PORT, such as mail.example.org:587")
    return name, int(port)


def _password(user: str) -> str:
    """The account's password: never a word of the command, which others on the machine can see."""
    password = os.environ.get(PASSWORD, "")
    if not password and sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    if not password:
        raise click.BadParameter(f"--user needs a password: put it into {PASSWORD}")
    return password


def _list(cases: Sequence[Case], lang: str) -> None:
    for case in cases:
        cited = case.cited
        place = f"{cited.place} {cited.keyword}".rstrip()
        put(f"{case.id}\n    {case.titled(lang)}\n    {place}\n")


def _ink(style: str, text: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"


def _tell(result: Result, *, view: str, lang: str, explain: bool, **_: Any) -> None:
    from simulator.checks import report

    if view != "table":
        return
    ink = _ink if colour(sys.stdout) else report.plain
    for line in report.told(result, lang, width(), ink):
        put(f"{line}\n")
    if explain and result.status in ("failed", "unclear"):
        for text in report.sessions(result, lang, width()):
            put(f"\n{text}\n")


def _run(checking: Callable[[Callable[[Result], None]], Any], **shared: Any) -> list[Result]:
    from simulator.lab.play import run

    results: list[Result] = run(checking(lambda result: _tell(result, **shared)))
    return results


async def _listening(
    cases: Sequence[Any], port: int, wait: float | None, lang: str
) -> list[Result]:
    """Listen until somebody types Ctrl-C, or the time is over."""
    import asyncio

    from simulator.checks import client as checking
    from simulator.lab import certificates

    async with checking.ports(cases, port) as labs:
        for case, lab in labs:
            host, number = lab.address
            click.echo(f"{host}:{number}  {case.id:<24} {case.titled(lang)}", err=True)
        authority = certificates.authority_pem().decode("ascii")
        click.echo(f"\n{authority}", err=True)
        stopped = asyncio.Event()
        stops(stopped)
        try:
            async with asyncio.timeout(wait):
                await stopped.wait()
        except TimeoutError:
            pass
        return await checking.judged(labs)


def _ended(
    subject: str,
    results: Sequence[Result],
    *,
    view: str,
    lang: str,
    strict: bool,
    out: Path | None,
    **_: Any,
) -> None:
    from simulator.checks import report

    match view:
        case "json":
            put(report.json(subject, results, lang))
        case "junit":
            put(report.junit(subject, results, lang, strict=strict))
        case _:
            put(f"\n{report.summary(results, lang)}\n")
    if out:
        files = {
            "check.json": report.json(subject, results, lang).encode(),
            "junit.xml": report.junit(subject, results, lang, strict=strict).encode(),
            **_pages(results, lang),
        }
        for path in write(out, files):
            click.echo(str(path), err=True)
    bad = any(result.bad or (strict and result.status == "failed") for result in results)
    raise SystemExit(BAD if bad else GOOD)


def _pages(results: Sequence[Result], lang: str) -> dict[str, bytes]:
    from simulator.explainer import explain
    from simulator.views import player

    return {
        f"{result.case.id}{f'-{number}' if number > 1 else ''}.html": player.render(
            explain(session), lang, f"{result.case.id}: {result.case.titled(lang)}"
        ).encode()
        for result in results
        for number, session in enumerate(result.sessions, 1)
    }


COMMANDS = (check,)
