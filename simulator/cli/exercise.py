"""The command that sets exercises and checks answers: exercise."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.common import Cannot, language_option, put, told, width, write

RIGHT, WRONG = 0, 1


def _numbers(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from simulator import exercises

    return [name for name in exercises.names() if name.startswith(typed)]


@click.command()
@click.argument("number", default="", shell_complete=_numbers)
@click.argument("answer", nargs=-1)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The answer is a file: a program (.py) or a policy (.toml).",
)
@click.option("--hint", is_flag=True, help="Give the next of three hints.")
@click.option("--again", is_flag=True, help="Draw other names and values.")
@click.option(
    "--start", is_flag=True, help="Print only what an answer may begin as, to be put into a file."
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what you have mastered as a page of PDF.",
)
@click.option("--name", default="", metavar="NAME", help="Your name on the certificate.")
@click.option(
    "--progress",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    envvar="EHLO_TWICE_PROGRESS",
    help="Where your progress is kept.  [default: in your data folder]",
)
@language_option
def exercise(
    number: str,
    answer: tuple[str, ...],
    file: Path | None,
    hint: bool,
    again: bool,
    start: bool,
    certificate: Path | None,
    name: str,
    progress: Path | None,
    lang: str,
) -> None:
    """List the exercises, show exercise NUMBER, or play an ANSWER to it.

    An answer is played in the lab, and what came of it is shown. Exit code 0 if it was right, 1 if
    not. Names and values are your own, drawn from a random id in your progress file.

    \b
    Examples:
      ehlo-twice exercise                       # all exercises, and how far you are
      ehlo-twice exercise 04                    # show one
      ehlo-twice exercise 04 250                # answer it
      ehlo-twice exercise 04 --hint
      ehlo-twice exercise 18 --start > client.py
      ehlo-twice exercise 18 --file client.py
      ehlo-twice exercise --certificate mine.pdf --name "Ana Souza"
    """
    from simulator import exercises

    columns = width()
    with told():
        if certificate:
            if number or answer or file or hint or again or start:
                raise Cannot("--certificate is about all exercises: leave the number away")
            _certify(certificate, name, progress, lang)
        elif name:
            raise Cannot("--name stands on a certificate: add --certificate FILE")
        elif not number:
            if answer or file or hint or again or start:
                raise Cannot("which exercise? `ehlo-twice exercise` lists them")
            put(exercises.overview(language=lang, progress=progress).text(columns))
        elif start:
            begun = exercises.start(number, language=lang, progress=progress)
            if not begun:
                raise Cannot(
                    f"exercise {number} is answered on the command line, not with a file: "
                    f"`ehlo-twice exercise {number}` shows how"
                )
            put(begun)
        elif answer or file:
            if file and not Path(file).is_file():
                raise Cannot(f"{file}: no such file; `--start` prints what one may begin as")
            given = file or " ".join(answer)
            result = exercises.check(number, given, language=lang, progress=progress)
            put(result.text(columns))
            raise SystemExit(RIGHT if result.right else WRONG)
        elif hint:
            put(exercises.hint(number, language=lang, progress=progress).text(columns))
        elif again:
            put(exercises.again(number, language=lang, progress=progress).text(columns))
        else:
            put(exercises.show(number, language=lang, progress=progress).text(columns))


def _certify(file: Path, name: str, progress: Path | None, language: str) -> None:
    from simulator.exercises import certificate
    from simulator.exercises.progress import default_path, read

    if file.suffix.lower() != ".pdf":
        raise Cannot(f"{file}: a certificate is a PDF: name it {file.name}.pdf")
    known = read(progress or default_path())
    [made] = write(file.parent, {file.name: certificate.render(known, name, language)})
    put(f"{made}\n")


COMMANDS = (exercise,)
