"""The command `ehlo-twice`: what a person types, and the one line they get when it cannot be done.

Everything heavy is imported by the command that needs it, so that `--version` stays quick.
"""

from __future__ import annotations

import sys

import click

from simulator.cli import exercise, lists, logs, sessions
from simulator.cli.common import PROGRAM, leave_in_order, one_line

WRONG = 2
"""Exit code when something asked for cannot be done."""

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `ehlo-twice replay`.",
    invoke_without_command=True,
)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context) -> None:
    """Why an SMTP client says EHLO twice when TLS is on: played for real, explained, shown."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """The console script: whatever goes wrong is one line on stderr and exit code 2."""
    leave_in_order()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        line = one_line(error.format_message()).rstrip(".")
        click.echo(f"{PROGRAM}: {line} (see `{where} --help`)", err=True)
        code = WRONG
    except click.ClickException as error:
        click.echo(f"{PROGRAM}: {one_line(error.format_message())}", err=True)
        code = WRONG
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{PROGRAM}: stopped", err=True)
        code = STOPPED
    sys.exit(code)


for _module in (sessions, logs, exercise, lists):
    for _command in _module.COMMANDS:
        cli.add_command(_command)
