"""The manual page, in the language of `man`, out of what `--help` says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version

import click

from simulator.cli.common import PROGRAM

EXIT = (
    ("0", "it was done, and found right where something was checked"),
    ("1", "something was found: explain --strict, replay --check, check, a wrong answer"),
    ("2", "it cannot be done; one line on standard error says what, where, and what to do"),
    ("130", "it was interrupted"),
    ("141", "whoever read the output has gone"),
)
ENVIRONMENT = (
    ("EHLO_TWICE_LANG", "language of the prose, in place of the system's"),
    ("EHLO_TWICE_PROGRESS", "file that keeps the progress with the exercises"),
    ("EHLO_TWICE_SITE", "address of the site, which causes then link to"),
    ("NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE", "whether to write in colour"),
    ("COLUMNS", "columns to write in"),
)


def page(context: click.Context) -> str:
    """The page about all commands, as troff."""
    group = context.command
    assert isinstance(group, click.Group)
    commands = [(name, group.commands[name]) for name in group.list_commands(context)]
    parts = [
        f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM} {version(PROGRAM)}"',
        ".SH NAME",
        f"{PROGRAM} \\- why an SMTP client says EHLO twice when TLS is on",
        ".SH SYNOPSIS",
        f".B {_plain(PROGRAM)}\n.I COMMAND\n[OPTION]... [ARGUMENT]...",
        ".SH DESCRIPTION",
        _plain(inspect.cleandoc(group.help or "")),
        ".SH COMMANDS",
        *(line for name, command in commands for line in _command(name, command, context)),
        ".SH EXIT STATUS",
        *(f".TP\n.B {code}\n{_plain(text)}" for code, text in EXIT),
        ".SH ENVIRONMENT",
        *(f".TP\n.B {_plain(name)}\n{_plain(text)}" for name, text in ENVIRONMENT),
    ]
    return "\n".join(parts) + "\n"


def _command(name: str, command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from _command(f"{name} {below}", inner, above)
        return
    yield f".SS {_plain(' '.join((PROGRAM, name, *command.collect_usage_pieces(context))))}"
    prose, _, examples = inspect.cleandoc(command.help or "").partition("\b\nExamples:\n")
    yield "\n.PP\n".join(_plain(" ".join(part.split())) for part in prose.strip().split("\n\n"))
    for option in command.get_params(context):
        told = option.get_help_record(context)
        if told and isinstance(option, click.Option):
            yield f".TP\n.B {_plain(told[0])}\n{_plain(told[1])}"
    if examples:
        yield ".PP\nExamples:\n.PP\n.nf"
        yield from (f".RS 4\n{_plain(line)}\n.RE" for line in examples.strip().splitlines())
        yield ".fi"


def _plain(text: str) -> str:
    """Text as it is: nothing in it is a request or an escape."""
    text = re.sub(r"[\\\-'`~^]", lambda found: _ESCAPES[found[0]], text.strip())
    return f"\\&{text}" if text.startswith(".") else text


_ESCAPES = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "~": "\\(ti",
    "^": "\\(ha",
}
