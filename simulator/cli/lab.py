"""The command that opens the lab and keeps it open: lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import Cannot, language_option, put, stops, told

if TYPE_CHECKING:
    from simulator.live.serve import Open


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65000),
    default=2525,
    show_default=True,
    help="First SMTP port; the others follow. 0: any that are free.",
)
@click.option(
    "--page",
    type=click.IntRange(0, 65535),
    default=8025,
    show_default=True,
    help="Port of the page. 0: any that is free.",
)
@click.option("--bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where.")
@click.option(
    "--expose",
    is_flag=True,
    help="Yes, on an address that other machines reach; the page then asks for a token.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    help="Sessions to keep; then the oldest go.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the sessions in this SQLite file, over a restart.",
)
@click.option(
    "--challenge",
    is_flag=True,
    help='The servers of the exercise "write a client", and a scoreboard.',
)
@language_option
def lab(
    port: int,
    page: int,
    bind: str,
    expose: bool,
    keep: int,
    save: Path | None,
    challenge: bool,
    lang: str,
) -> None:
    """Open SMTP ports, each with another policy, and a page that explains who connects.

    Whatever connects appears there while it talks, line by line, with its verdict: swaks, telnet,
    a mail program, a client of your own. All of it is on loopback unless told otherwise, and no
    mail is ever relayed. Ctrl-C ends it. Needs the extra `lab`.

    \b
    Examples:
      ehlo-twice lab
      swaks --server 127.0.0.1:2525 --tls --to ana@example.org    # in another window
      ehlo-twice lab --save sessions.sqlite
      ehlo-twice lab --challenge       # a client of yours, in any language, against six servers
      ehlo-twice lab --bind 192.0.2.1 --expose
    """
    try:
        from simulator.live import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise Cannot('the lab needs more: pip install "ehlo-twice[lab]", or `make lab`') from None
    if not expose and not serve.loopback(bind):
        raise Cannot(
            f"--bind {bind} lets other machines in: say --expose as well, if that is what you want"
        )
    import secrets  # not at the top: it takes long, and every command loads this

    token = "" if serve.loopback(bind) else secrets.token_urlsafe(18)
    settings = serve.Settings(
        bind="127.0.0.1" if bind == "localhost" else bind,
        smtp=port,
        web=page,
        token=token,
        kept=keep,
        save=save,
        language=lang,
        challenge=challenge,
    )
    with told():
        _keep_open(settings)


def _keep_open(settings: object) -> None:
    import asyncio

    from simulator.lab.play import run
    from simulator.live import serve

    assert isinstance(settings, serve.Settings)

    async def opened() -> None:
        over = asyncio.Event()
        stops(over)
        await serve.lab(settings, lambda found: _say(found, settings.language), over)

    run(opened())


def _say(found: Open, lang: str) -> None:
    """What is open, and the address to type."""
    from simulator.language import said

    for door in found.doors:
        host, number = door.address
        put(f"{host}:{number}  {said(door.port.title, lang)}\n")
    put(f"\n{found.page}\n")


COMMANDS = (lab,)
