"""The command `ehlo-twice`: what a person types, and the one line they get when it cannot be done.

Everything heavy is imported by the command that needs it, so that `--version` stays quick.
"""

from __future__ import annotations

import errno
import gc
import sys

import click

from simulator.cli import check, classroom, exercise, lab, lists, logs, sessions, survey
from simulator.cli.common import PROGRAM, leave_in_order, let_go, one_line, stdout

WRONG = 2
"""Exit code when something asked for cannot be done."""

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""

UNREAD = 141
"""Exit code when whoever read the output has gone, as shells have it (SIGPIPE)."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `ehlo-twice replay`.",
    invoke_without_command=True,
)
@click.version_option(None, "-V", "--version", package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context) -> None:
    """Why an SMTP client says EHLO twice when TLS is on: played for real, explained, shown."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_KEPT = 50_000
"""Objects that may be made between two searches for circles of them, which few commands leave."""


def main() -> None:
    """The console script: whatever goes wrong is one line on stderr and exit code 2."""
    gc.set_threshold(_KEPT)
    leave_in_order()
    output = stdout()
    try:
        code = _run()
        if sys.stdout is not output:
            # click's own answer to a reader who has gone: exit code 1, which is for what was found.
            sys.stdout, code = output, UNREAD
        output.flush()
    except BrokenPipeError:
        code = UNREAD
    except OSError as error:
        why = "is closed" if error.errno == errno.EBADF else error.strerror
        code = _told(f"standard output: {why}", WRONG)
    for stream in (output, sys.stderr):
        let_go(stream)
    sys.exit(code)


def _run() -> int:
    """The command's exit code. Raises `OSError` where its output cannot be written."""
    try:
        return int(cli.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except SystemExit as ended:
        return int(ended.code or 0)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        line = error.format_message().rstrip(".")
        return _told(f"{line} (see `{where} --help`)", WRONG)
    except click.ClickException as error:
        return _told(error.format_message(), WRONG)
    except (click.Abort, KeyboardInterrupt):
        return _told("stopped", STOPPED)


def _told(line: str, code: int) -> int:
    """That exit code, with one line on stderr, if anybody can get it there."""
    try:
        click.echo(f"{PROGRAM}: {one_line(line)}", err=True)
    except OSError:
        pass
    return code


for _module in (sessions, logs, check, survey, lab, exercise, classroom, lists):
    for _command in _module.COMMANDS:
        cli.add_command(_command)
