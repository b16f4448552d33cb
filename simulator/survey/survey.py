"""The survey itself: each configuration installed, asked, and put away; and what is kept of it."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from simulator.checks.cases import Status
from simulator.survey.inside import Asked, Job
from simulator.survey.places import install, is_root, put
from simulator.survey.questions import of
from simulator.survey.results import Answer, Found, to_json
from simulator.survey.software import FILE, Setting, Software

INSTALL, ASK = 900.0, 420.0
"""Seconds that an installation has, and that the questions to one configuration have."""

SECRET = ("breaks", "lax")


def configurations(software: Sequence[Software]) -> Iterator[tuple[Software, Setting]]:
    """Each software in each of its settings."""
    for one in software:
        for setting in one.setting:
            yield one, setting


def ask(
    software: Software,
    setting: Setting,
    cache: Path,
    install_limit: float = INSTALL,
    ask_limit: float = ASK,
) -> Found:
    """Install one configuration, start it, ask it, and stop it.

    What it shows is the whole: what must not be published is in it too, see `published`.
    Raises `NotHere`, `Failed`.
    """
    asked = _asked(software, setting, cache, install_limit, ask_limit)
    return Found(
        software=software.name,
        setting=setting.name,
        kind=software.kind,
        title=software.title,
        release=asked.release,
        date=datetime.now(UTC).date().isoformat(),
        system=_system(software),
        command=f"ehlo-twice survey {software.name}",
        recipe=software.digest(),
        configuration=_configuration(software),
        answers=asked.answers,
    )


def check(
    software: Software,
    setting: Setting,
    cache: Path,
    install_limit: float = INSTALL,
    ask_limit: float = ASK,
) -> dict[str, tuple[Status, str]]:
    """The same with what `check server`, or `check client`, asks: of each case its result and why.

    Raises `NotHere`, `Failed`.
    """
    return _asked(software, setting, cache, install_limit, ask_limit, by_cases=True).cases


def _asked(
    software: Software,
    setting: Setting,
    cache: Path,
    install_limit: float,
    ask_limit: float,
    *,
    by_cases: bool = False,
) -> Asked:
    place = install(software, cache, install_limit)
    with tempfile.TemporaryDirectory(prefix="survey-home-") as home:
        job = Job(
            software=software,
            setting=setting.name,
            paths=place.paths,
            environment={**place.environment, "HOME": home},
            by_cases=by_cases,
        )
        words = [*place.before, sys.executable, "-m", "simulator.survey.inside"]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        told = msgspec.json.encode(job).decode()
        output = put("asking", [*words, told], ask_limit, environment)
    return msgspec.json.decode(output, type=Asked)


def published(found: Found) -> tuple[Found, list[str]]:
    """What may be written down of it, and the questions whose answers are withheld.

    An answer that shows a weakness is published only where the recipe names a public report.
    """
    secret = {question.id for question in of(found.kind) if question.secret}
    answers, withheld = [], []
    for answer in found.answers:
        if answer.question in secret and answer.kind in SECRET and not answer.public:
            withheld.append(answer.question)
            answers.append(Answer(question=answer.question, kind="withheld"))
        else:
            answers.append(answer)
    return msgspec.structs.replace(found, answers=tuple(answers)), withheld


def save(folder: Path, found: Found) -> None:
    """Write one configuration's results, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{found.name}.part"
    draft.write_text(to_json(found) + "\n", encoding="utf-8")
    draft.replace(folder / f"{found.name}.json")


def _system(software: Software) -> str:
    if software.isolated:
        unpacked = "" if is_root() else ", unpacked"
        return f"Debian {software.install.suite}, {platform.machine()}{unpacked}"
    release = {}
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        pass
    named = release.get("PRETTY_NAME", platform.system())
    return f"{named}, {platform.machine()}"


def _configuration(software: Software) -> dict[str, str]:
    """The files of the recipe, by name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in software.sources()
        if path.name != FILE
    }
