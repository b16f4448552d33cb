"""The commands that read logs: restore."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simulator.cli.common import Cannot, colour, language_option, told


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=str))
@click.option("--from", "language", metavar="LANGUAGE", help="Language it was translated into.")
@language_option
def restore(file: str, language: str | None, lang: str) -> None:
    """Turn a machine-translated log back into what crossed the wire.

    FILE is the log, or the page that holds it; `-` reads standard input. The restored log goes to
    standard output, the table of repairs to standard error.

    \b
    Examples:
      ehlo-twice restore page.txt > session.log
      ehlo-twice restore --from pt_BR - < page.txt
    """
    from simulator import restore as restoration
    from simulator.views import repairs

    with told():
        text, encoding = _text_of(file)
        restored = restoration.restore(text, language)
        sys.stdout.flush()
        sys.stdout.buffer.write(restored.text.encode(encoding, "surrogateescape"))
        sys.stdout.buffer.flush()
        click.echo(repairs.render(restored, lang, colour=colour(sys.stderr)), err=True, nl=False)


def _text_of(file: str) -> tuple[str, str]:
    """A file's text and its encoding, so that it can be written back byte for byte."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    where = "standard input" if file == "-" else file
    if not raw:
        raise Cannot(f"{where}: is empty; give it the log, or the page that holds it")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in raw:
        raise Cannot(f"{where}: is binary, not a log; give it text")
    else:
        encoding = "utf-8"
    try:
        return raw.decode(encoding), encoding
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


COMMANDS = (restore,)
