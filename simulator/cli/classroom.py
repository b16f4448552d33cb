"""The command for teachers: class."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.common import language_option, put, told


@click.group("class")
def classroom() -> None:
    """For teachers: what a class has done so far."""


@classroom.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--seed",
    default="",
    envvar="EHLO_TWICE_CLASS",
    metavar="WORD",
    help="The class's seed: files that were signed with it and edited since are named.",
)
@language_option
def collect(files: tuple[Path, ...], seed: str, lang: str) -> None:
    """Read the progress FILES of a class: who is where, which wrong answers are common, which
    misconceptions are still open.

    A file is its learner's `progress.json`, named for the learner. Where EHLO_TWICE_CLASS holds a
    word when a learner works, the file is signed with it.

    \b
    Examples:
      ehlo-twice class collect progress/*.json
      ehlo-twice class collect --seed maple-28 progress/*.json
    """
    from simulator.exercises import classroom as gathered

    with told():
        put(gathered.text(gathered.collect(files, seed), lang))


COMMANDS = (classroom,)
