"""The exercises inside a web page: what `ehlo-twice exercise` says, on the lab in memory.

The page keeps the learner's file, the same one that the command keeps; it sends it with what it
asks for, and gets it back as it is then.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

from simulator import exercises
from simulator.exercises import progress as keeping
from simulator.lab import engine
from simulator.views import player

FILE = "progress.json"

Does = Literal["open", "show", "check", "hint", "again"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a page asks for. `progress` is the text of the learner's file, empty for a new learner;
    `open` only looks whether it is one."""

    does: Does
    progress: str = ""
    number: str = ""
    given: str = ""


def answer(asked: str, language: str) -> str:
    """Show an exercise, check what was `given`, or give a hint; as JSON: `progress`, the `card` as
    HTML, `begins` with which an answer in a file begins, whether it was `right` (or null), and
    `shown`, which feeds a player, or null. Raises `BadProgress`, `UnknownExercise`, `LabError`."""
    found = msgspec.json.decode(asked, type=Asked)
    with tempfile.TemporaryDirectory() as folder, engine.playing_on("memory"):
        path = Path(folder, FILE)
        if found.progress:
            path.write_text(found.progress, "utf-8")
        try:
            card, told = _done(found, path, language)
        except keeping.BadProgress as error:
            said = str(error.said(language)).replace(str(path), FILE)
            raise keeping.BadProgress(said) from None
        except exercises.UnknownExercise as error:
            raise error.said(language) from None
        shown = told.pop("shown", "null")
        rest = json.dumps({"progress": path.read_text("utf-8"), "card": card, **told})
    return f'{rest[:-1]}, "shown": {shown}}}'


def _done(asked: Asked, path: Path, language: str) -> tuple[str, dict[str, str | bool | None]]:
    if asked.does == "open":
        keeping.write(path, keeping.read(path))
        return "", {}
    match asked.does:
        case "check":
            result = exercises.check(
                asked.number, asked.given, language=language, progress=path, page=True
            )
            told: dict[str, str | bool | None] = {"right": result.right}
            if result.session:
                told["shown"] = player.data([result.session], language)
            return result._repr_html_(), told
        case "hint":
            task = exercises.hint(asked.number, language=language, progress=path)
        case "again":
            task = exercises.again(asked.number, language=language, progress=path, page=True)
        case _:
            task = exercises.show(asked.number, language=language, progress=path, page=True)
    begins = exercises.start(asked.number, language=language, progress=path)
    return task._repr_html_(), {"begins": begins, "right": None}
