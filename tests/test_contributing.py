"""CONTRIBUTING is tried: what it says is one file is one file, and works where it is put."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"(?ms)^`(simulator/\S+)`:\n\n```\w+\n(.*?)^```$", GUIDE))


class Checkout:
    """A copy of the project, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("simulator", "tools", "docs/data", "workshop"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("babel.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)

    def add(self, path: str) -> None:
        """Put an example of the guide where the guide says."""
        assert not (self.folder / path).exists()
        (self.folder / path).write_text(EXAMPLES[path], encoding="utf-8")

    def run(self, *words: str) -> str:
        """What a Python of the copy writes; it must end well."""
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def translate(self, code: str, text: str, said: str) -> None:
        """Say a text in a language, and compile."""
        po = self.folder / f"simulator/locales/{code}/LC_MESSAGES/ehlo_twice.po"
        before = po.read_text(encoding="utf-8")
        assert f'msgid "{text}"\nmsgstr ""' in before
        after = before.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{said}"')
        po.write_text(after, encoding="utf-8")
        self.run("tools/catalogues.py", "compile")

    def command(self, *words: str) -> str:
        """What `ehlo-twice` of the copy writes."""
        return self.run("-m", "simulator", *words)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_guide_has_an_example_of_each() -> None:
    folders = {path.split("/")[1] for path in EXAMPLES}
    assert folders == {"scenarios", "rules", "formats", "views"}


def test_a_scenario(checkout: Checkout) -> None:
    checkout.add("simulator/scenarios/left-out.toml")
    assert "left-out " in checkout.command("scenarios")
    assert "503" in checkout.command("replay", "left-out", "--view", "esa")
    [title] = re.findall('(?m)^title = "(.*)"', EXAMPLES["simulator/scenarios/left-out.toml"])
    assert re.search(r"(?m)^de: [1-9]\d* of ", checkout.run("tools/catalogues.py", "update"))
    assert checkout.command("replay", "left-out", "--lang", "de").startswith(title)
    checkout.translate("de", title, "Ohne zweites EHLO")
    assert checkout.command("replay", "left-out", "--lang", "de").startswith("Ohne zweites EHLO")


def test_a_rule(checkout: Checkout) -> None:
    checkout.add("simulator/rules/name_is_a_host.py")
    assert "name-is-a-host\n    The argument of EHLO" in checkout.command("rules", "--brief")
    assert "EHLO names the client's host." in checkout.command("replay", "plain")
    assert "EHLO names the client's host." in checkout.command("replay", "plain", "--lang", "de")


def test_a_format(checkout: Checkout) -> None:
    path = "simulator/formats/arrowhead.toml"
    checkout.add(path)
    assert "1 sample read as meant" in checkout.command("formats", "--test", path)
    assert "arrowhead  A client of one's own\n    Call it" in checkout.command("formats")
    log = checkout.folder / "own.log"
    log.write_text(re.findall(r'log = """\n(.*?)"""', EXAMPLES[path], re.DOTALL)[0])
    assert "(arrowhead)" in checkout.command("explain", "own.log")


def test_a_view(checkout: Checkout) -> None:
    checkout.add("simulator/views/verbs.py")
    assert checkout.command("replay", "plain", "--view", "verbs") == "EHLO MAIL RCPT DATA QUIT\n"
    assert "|verbs]" in " ".join(checkout.command("explain", "--help").split())
    checkout.command("replay", "plain", "--out", "all")
    assert (checkout.folder / "all" / "verbs.txt").read_text() == "EHLO MAIL RCPT DATA QUIT\n"


def test_a_language(checkout: Checkout) -> None:
    said = checkout.run("tools/catalogues.py", "update", "eo")
    assert re.search(r"eo: (\d+) of \1 texts are in English", said)
    checkout.translate("eo", "What to do", "Kion fari")
    assert "eo " in checkout.command("languages")
    out = checkout.command("replay", "skipped-ehlo", "--lang", "eo")
    assert "MAIL" in out
    code = "from simulator.language import say; print(say('What to do', 'eo'), say('Cause', 'eo'))"
    assert checkout.run("-c", code) == "Kion fari Cause\n"


def test_every_part_of_the_program_has_its_floor_in_the_guide() -> None:
    [table] = re.findall(r"(?ms)^\| floor \|.*?\n\n", GUIDE)
    named = set(re.findall(r"([a-z_]+)(?:\.py|/)", table)) | {"__main__"}
    parts = {
        path.stem
        for path in (ROOT / "simulator").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - named == set()


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:simulator|tests|tools)/[\w./-]+)`", GUIDE)))
)
def test_every_path_that_the_guide_names_is_there(path: str) -> None:
    if path in EXAMPLES or re.search("NAME|CODE", path):
        path = str(Path(path).parents[2 if "CODE" in path and "LC_" in path else 0])
    assert (ROOT / path.replace("/CODE", "")).exists()
