"""The certificate: what was mastered, on one page, and nothing that was not."""

import re
from datetime import date
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from simulator.exercises import certificate, check, names
from simulator.exercises import progress as keeping
from simulator.exercises.progress import Done, Progress
from simulator.language import languages
from tests.command import Command

SOME = Progress(
    learner="0123456789abcdef",
    exercises={
        "04": Done(attempts=2, right=2, solved=date(2026, 11, 29)),
        "12": Done(attempts=1, right=1, solved=date(2026, 11, 30)),
        "10": Done(attempts=3),
    },
)
ALL = Progress(
    learner="0123456789abcdef",
    exercises={name: Done(solved=date(2026, 11, 29)) for name in names()},
    signature="ab" * 32,
)


def told(progress: Progress, name: str = "Ana Souza", language: str = "en") -> str:
    return " ".join(fromstring(certificate.render(progress, name, language, "svg")).itertext())


def test_it_tells_what_was_solved_and_what_that_refutes() -> None:
    text = told(SOME)
    assert "Ana Souza" in text
    assert f"solved 2 of {len(names())} exercises" in text
    assert re.search(r"04 · MAIL at once\s+2026-11-29", text)
    assert "12 · " in text
    assert "10 · " not in text
    solved, ideas = certificate.mastered(SOME)
    assert (solved, ideas) == (["04", "12"], ["A", "C"])
    assert "A · The second EHLO is a bug." in text
    assert "D · " not in text


@pytest.mark.parametrize("language", languages())
def test_all_of_it_fits_on_one_page_in_every_language(language: str) -> None:
    text = told(ALL, "Ana " * 60, language)
    for name in names():
        assert f"{name} · " in text
    sheet = certificate.render(ALL, "Ana", language, "svg").decode()
    baselines = [float(y) for y in re.findall(r'<text[^>]* y="([\d.]+)"', sheet)]
    assert baselines
    assert max(baselines) < certificate.HIGH
    pdf = certificate.render(ALL, "Ana", language)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) == 1


def test_nothing_solved_is_no_certificate(command: Command, tmp_path: Path) -> None:
    progress = tmp_path / "progress.json"
    target = tmp_path / "mine.pdf"
    check("04", 421, progress=progress)
    asked = ("exercise", "--progress", str(progress), "--certificate")
    assert "nothing to certify" in command.fails(*asked, str(target))
    assert not target.exists()
    keeping.write(progress, SOME)
    assert "mine.txt.pdf" in command.fails(*asked, str(tmp_path / "mine.txt"))
    assert "leave the number away" in command.fails(*asked, str(target), "04")
    assert "--certificate FILE" in command.fails("exercise", "--name", "Ana")
    done = command(*asked, str(target), "--name", "João $x^2$ <b>", "--lang", "pt_BR")
    assert done.code == 0
    assert target.read_bytes().startswith(b"%PDF")
