"""What a person expects of any command: colour, language, width, completion, a manual page."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import formats
from tests.command import Command


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(command: Command, flag: str) -> None:
    assert command(flag).out.startswith("ehlo-twice, version ")


@pytest.mark.parametrize(
    ("environment", "option", "coloured"),
    [
        ({}, None, False),
        ({}, "always", True),
        ({"FORCE_COLOR": "1"}, None, True),
        ({"FORCE_COLOR": "1"}, "never", False),
        ({"FORCE_COLOR": "0"}, None, False),
        ({"CLICOLOR_FORCE": "1"}, None, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, None, False),
        ({"NO_COLOR": "1"}, "always", True),
    ],
)
def test_colour_where_it_is_asked_for(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    option: str | None,
    coloured: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = command("replay", *(["--color", option] if option else []))
    assert ("\x1b[" in ran.out) is coloured
    assert ran.err == "", "a progress bar is for terminals, coloured or not"


@pytest.mark.parametrize("line", ["replay", "compare skipped-ehlo", "bytes", "matrix"])
def test_every_command_that_has_colour(command: Command, line: str) -> None:
    assert "\x1b[" in command(*line.split(), "--color", "always").out


def test_the_table_of_repairs_has_colour(command: Command, tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "restore" / "page_de.found.md"
    plain, coloured = (command("restore", str(page), "--color", c) for c in ("never", "always"))
    assert "\x1b[" not in plain.err
    assert coloured.out == plain.out


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [("pt", "pt_BR"), ("PT-br", "pt_BR"), ("pt_PT", "pt_BR"), ("zh", "zh_CN"), ("de_AT", "de")],
)
def test_a_language_by_any_of_its_names(command: Command, spelt: str, meant: str) -> None:
    assert command("scenarios", "--lang", spelt) == command("scenarios", "--lang", meant)


@pytest.mark.parametrize(
    ("environment", "meant"),
    [
        ({"LANG": "pt_BR.UTF-8"}, "pt_BR"),
        ({"LANG": "de_DE@euro"}, "de"),
        ({"LC_ALL": "fr_CA.UTF-8", "LANG": "de_DE"}, "fr"),
        ({"LC_MESSAGES": "it_IT", "LANG": "de_DE"}, "it"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fi_FI.UTF-8"}, "en"),
        ({}, "en"),
        ({"EHLO_TWICE_LANG": "es", "LANG": "pt_BR.UTF-8"}, "es"),
    ],
)
def test_the_system_s_language_is_the_default(
    command: Command, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], meant: str
) -> None:
    asked = command("scenarios", "--lang", meant)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert command("scenarios") == asked


@pytest.mark.parametrize("line", ["scenarios", "languages", "formats", "rules --brief"])
def test_columns_is_kept_to_by_every_list(
    command: Command, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    whole = command(*line.split()).out
    monkeypatch.setenv("COLUMNS", "50")
    narrow = command(*line.split()).out
    assert narrow.split() == whole.split()
    # A name alone may be longer.
    assert all(len(row) <= 50 or len(row.split()) == 1 for row in narrow.splitlines())
    assert max(map(len, whole.splitlines())) > 50 or line == "languages"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("replay --check --view esa", "--check and --view|--view and --check"),
        ("replay --check --out x", "--check|--out"),
        ("replay --view esa --out x", "--view|--out"),
        ("compare skipped-ehlo --view json --out x", "--view|--out"),
        ("matrix --view json --out x", "--view|--out"),
        ("explain --summary --follow x", "--summary|--follow"),
        ("explain --summary --only-problems x", "--summary|--only-problems"),
        ("formats --test x --formats .", "--test|--formats"),
    ],
)
def test_options_that_exclude_each_other(command: Command, line: str, names: str) -> None:
    said = command.fails(*line.split())
    assert "exclude each other" in said
    assert any(name in said for name in names.split("|"))


def test_a_view_that_a_summary_lacks(command: Command) -> None:
    assert "--summary: --view" in command.fails("explain", "--summary", "--view", "svg", "x")


def test_a_format_that_is_not_there(command: Command, tmp_path: Path) -> None:
    said = command.fails("formats", "--test", "none")
    assert said == "none: No such file or directory; give the TOML file of a format"
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in command.fails("formats", "--test", str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("more", [[], ["--summary"], ["--only-problems"]])
def test_strict_finds_no_success_where_there_is_no_smtp(
    command: Command, tmp_path: Path, more: list[str]
) -> None:
    (tmp_path / "text").write_text("nothing here\nof mail\n")
    ran = command("explain", "--strict", *more, str(tmp_path / "text"))
    assert ran.code == 2
    assert "--strict: nothing of SMTP was found" in ran.err
    log = Path(__file__).parents[1] / "restore" / "documented.restored.txt"
    assert command("explain", "--strict", *more, str(log)).code == 0


@pytest.mark.parametrize(
    ("line", "stem"),
    [("compare skipped-ehlo", "comparison"), ("matrix", "matrix")],
)
def test_out_is_a_folder_of_views_or_one_drawing(
    command: Command, tmp_path: Path, line: str, stem: str
) -> None:
    assert command(*line.split(), "--out", str(tmp_path / "all")).code == 0
    endings = {".txt", ".md", ".json", ".svg", ".png", ".pdf"}
    assert {path.name for path in (tmp_path / "all").iterdir()} == {stem + e for e in endings}
    assert command(*line.split(), "--out", str(tmp_path / "one.svg")).code == 0
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "all" / f"{stem}.svg").read_bytes()


def test_out_of_replay_is_a_drawing_too(command: Command, tmp_path: Path) -> None:
    assert command("replay", "--out", str(tmp_path / "wall.pdf")).code == 0
    assert (tmp_path / "wall.pdf").read_bytes().startswith(b"%PDF")
    assert [path.name for path in tmp_path.iterdir()] == ["wall.pdf"]


@pytest.mark.parametrize("line", ["replay", "compare skipped-ehlo", "matrix"])
@pytest.mark.parametrize("name", ["all.txt", "picture.jpg"])
def test_out_that_is_neither(command: Command, tmp_path: Path, line: str, name: str) -> None:
    said = command.fails(*line.split(), "--out", str(tmp_path / name))
    assert "give a folder" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("explain --format post", "postfix"),
        ("matrix --middlebox st", "strip"),
        ("restore --from pt", "pt_BR"),
        ("replay --lang z", "zh_CN"),
        ("replay --view mer", "mermaid"),
        ("replay --color al", "always"),
        ("schema ses", "session"),
    ],
)
def test_every_named_value_is_completed(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: str, offers: str
) -> None:
    monkeypatch.setenv("_EHLO_TWICE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"ehlo-twice {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    assert f"plain,{offers}" in command().out


def test_the_names_completed_are_all_there_are(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_EHLO_TWICE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "ehlo-twice explain --format ")
    monkeypatch.setenv("COMP_CWORD", "3")
    told = {line.partition(",")[2] for line in command().out.splitlines()}
    assert told == {kind.name for kind in formats.known()}


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_the_manual_page(command: Command) -> None:
    page = command("man").out
    shown = subprocess.run(
        ["man", "-l", "--warnings", "-"], input=page, capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    for name in ("ehlo-twice replay", "--only-problems", "EXIT STATUS", "NO_COLOR"):
        assert name in shown.stdout


def test_help_suggests_nothing_that_does_not_work(command: Command) -> None:
    for line in command("bytes", "--help").out.splitlines():
        assert "| less" not in line or "--color always" in line


def test_clean_takes_what_the_chores_made() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\nclean:")[2].partition("\n\n")[0].split()
    assert {"site", "node_modules", "build", "dist", "$(VENV)"} <= set(recipe)


def test_start_loads_no_more_for_that() -> None:
    probe = "import sys, simulator.cli; print('simulator.formats' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
