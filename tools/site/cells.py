"""What the cells of the notebooks show: each notebook is run from top to bottom, and written down.

    python -m tools.site.cells build/notebooks.json

It runs in a process of its own, beside the rest of the build, and needs no kernel: the notebooks
hold plain Python. What was written down is good for as long as neither the notebooks nor the
program change.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import linecache
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tools.site.page import LANGUAGES, ROOT, BadPage, save

BOOKS = ROOT / "notebooks"
KEPT = ROOT / "build" / "notebooks.json"

SEEN = '{"learner": "a reader of the site"}'
"""The progress of the learner for whom exercises are drawn: the same one in every build."""


class Text(msgspec.Struct, frozen=True, tag=True):
    """What was printed, or a value as Python writes it."""

    text: str


class Player(msgspec.Struct, frozen=True, tag=True):
    """A session: the JSON for the player, the same as an HTML list, and a question over it."""

    data: str
    listing: str
    question: str = ""


class Drawing(msgspec.Struct, frozen=True, tag=True):
    """A picture, what it shows in a sentence, and in full; both empty where nobody has said it.
    `narrow`: the same for a telephone, if there is that."""

    svg: str
    alt: str = ""
    words: str = ""
    narrow: str = ""


class Markup(msgspec.Struct, frozen=True, tag=True):
    """HTML that the program made, with all that a stranger wrote made harmless."""

    html: str


class Frame(msgspec.Struct, frozen=True, tag=True):
    """A table; the first cell of each row names it."""

    heads: list[str]
    rows: list[list[str]]


class Knobs(msgspec.Struct, frozen=True, tag=True):
    """Choices, each with its name and what is chosen; their ids in the matrix; what came of it."""

    chosen: list[tuple[str, str]]
    names: list[str]
    html: str


Output = Text | Player | Drawing | Markup | Frame | Knobs


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook: its cells' sources by kind, in order, and what each of them showed."""

    name: str
    language: str
    description: str
    cells: list[tuple[str, str]]
    outputs: list[list[Output]] = []

    @property
    def title(self) -> str:
        """Its number and its heading."""
        heading = self.cells[0][1].partition("\n")[0].removeprefix("# ")
        return f"{self.name.partition('-')[0]} · {heading}"


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    books: list[Book]


class BadCell(Exception):
    """A cell fails, or shows what no page can show."""


def sources(language: str) -> list[Book]:
    """The notebooks of a language as they are committed: nothing has been run."""
    return [_source(path, language) for path in sorted((BOOKS / language).glob("*.ipynb"))]


def _source(path: Path, language: str) -> Book:
    book = json.loads(path.read_text(encoding="utf-8"))
    return Book(
        name=path.stem,
        language=language,
        description=book["metadata"]["description"],
        cells=[(cell["cell_type"], "".join(cell["source"])) for cell in book["cells"]],
    )


class Running:
    """The notebooks while they are run, if they have to be."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Running:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            if msgspec.json.decode(KEPT.read_bytes(), type=_Kept).key == _key():
                return self
        command = [sys.executable, "-m", "tools.site.cells", str(KEPT)]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def books(self, language: str) -> list[Book]:
        """The notebooks of a language with what they showed. Raises `BadPage` where one failed."""
        if self._process:
            _, told = self._process.communicate()
            if self._process.returncode:
                raise BadPage(told.strip())
            self._process = None
        kept = msgspec.json.decode(KEPT.read_bytes(), type=_Kept)
        return [book for book in kept.books if book.language == language]


def _key() -> str:
    """Of everything that outputs depend on."""
    digest = hashlib.sha256(sys.version.encode())
    files = [
        *(path for path in (ROOT / "simulator").rglob("*") if "__pycache__" not in path.parts),
        *BOOKS.glob("*/*.ipynb"),
        *BOOKS.glob("data/*"),
        ROOT / "requirements" / "docs.txt",
        Path(__file__),
    ]
    for path in sorted(path for path in files if path.is_file()):
        digest.update(f"\n{path.relative_to(ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(book: Book, folder: Path) -> Book:
    """The notebook with what its cells show, run in `folder`. Raises `BadCell`: where, and what."""
    # Functions that a cell defines are looked for in the module of their name.
    space: dict[str, Any] = {"__name__": "__main__"}
    outputs: list[list[Output]] = []
    with contextlib.chdir(folder):
        for number, (kind, source) in enumerate(book.cells):
            try:
                outputs.append(list(_cell(source, number, space)) if kind == "code" else [])
            except (Exception, SystemExit) as error:
                where = f"notebooks/{book.language}/{book.name}.ipynb, cell {number}"
                raise BadCell(f"{where}: {type(error).__name__}: {error}") from error
    return msgspec.structs.replace(book, outputs=outputs)


def _cell(source: str, number: int, space: dict[str, Any]) -> Iterator[Output]:
    name = f"<cell {number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    body = ast.parse(source, name)
    last = body.body.pop() if body.body and isinstance(body.body[-1], ast.Expr) else None
    value = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(body, name, "exec"), space)  # noqa: S102 - our own notebooks
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), space)  # noqa: S307
    if printed.getvalue():
        yield Text(printed.getvalue().rstrip("\n"))
    if value is not None:
        yield _shown(value)
    yield from _figures()


def _shown(value: Any) -> Output:
    from simulator import exercises, notebook, workbench

    match value:
        case notebook.Shown():
            return _player(value)
        case workbench.Picture():
            return Drawing(value.svg, value.alt, str(value), value.narrow().decode())
        case workbench.Knobs():
            return Knobs(value.choices(), list(value.chosen.values()), value.play()._repr_html_())
        case workbench.Table() | exercises.Task() | exercises.Result():
            return Markup(value._repr_html_())
        case _ if hasattr(value, "itertuples"):
            heads = [str(head) for head in (value.index.name, *value.columns)]
            return Frame(heads, [[str(cell) for cell in row] for row in value.itertuples()])
    return Text(repr(value))


def _player(value: Any) -> Player:
    from simulator import lab, notebook
    from simulator.views import player

    language = notebook.spoken()
    question = ""
    with contextlib.suppress(lab.UnknownScenario):
        question = lab.load(value.session.scenario or "").prose("question", language)
    return Player(player.data([value], language), player.listing(value, language), question)


def _figures() -> Iterator[Drawing]:
    """What was drawn with matplotlib, and not shown by anything else."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    from matplotlib import pyplot

    for number in pyplot.get_fignums():
        with io.StringIO() as file:
            pyplot.figure(number).savefig(
                file, format="svg", bbox_inches="tight", metadata={"Date": None}
            )
            yield Drawing(file.getvalue()[file.getvalue().index("<svg") :])
    pyplot.close("all")


def main(target: Path) -> int:
    """Run all notebooks, and keep what they showed in `target`."""
    key = _key()
    with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
        progress = Path(folder) / "progress.json"
        os.environ |= {
            "EHLO_TWICE_PROGRESS": str(progress), "MPLBACKEND": "agg", "COLUMNS": "100",
            "EHLO_TWICE_PREDICT": "off",
        }  # fmt: skip
        books = []
        try:
            for language in LANGUAGES:
                for book in sources(language):
                    progress.write_text(SEEN, encoding="utf-8")
                    books.append(run(book, BOOKS / language))
        except BadCell as error:
            print(error, file=sys.stderr)
            return 1
    save(target, msgspec.json.encode(_Kept(key=key, books=books)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
