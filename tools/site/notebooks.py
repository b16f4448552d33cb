"""One page for each notebook: its text, its code, and what the code showed when it was run.

What a stranger may have written reaches a page as text: between tags, where Markdown and the marks
of pages see nothing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path

from tools.site import cells, diagrams
from tools.site.cells import Book, Drawing, Frame, Knobs, Markup, Output, Player, Text
from tools.site.experiments import framed
from tools.site.page import Asset, BadPage, Page
from tools.words import word

FOLDER = "teach/notebooks"


def pages(books: Iterable[Book], *, offline: bool = False) -> Iterator[Page]:
    """The pages of notebooks that were run."""
    for book in books:
        page = Page(path=_path(book), language=book.language, text="", offline=offline)
        yield Page(
            path=page.path,
            language=page.language,
            text="\n\n".join(_page(book, page)) + "\n",
            offline=offline,
        )


def files(books: Iterable[Book], *, offline: bool = False) -> Iterator[Asset]:
    """The notebooks to take along, their data, their pictures, and the sessions they show."""
    for book in books:
        source = cells.BOOKS / book.language / f"{book.name}.ipynb"
        yield Asset(f"{FOLDER}/{source.name}", source.read_bytes())
        for cell in range(len(book.cells)):
            for place, output in _placed(book, cell):
                if isinstance(output, Drawing):
                    yield Asset(f"{place}.svg", output.svg.encode())
                    if output.narrow:
                        yield Asset(f"{place}.narrow.svg", output.narrow.encode())
                elif isinstance(output, Player) and not offline:
                    yield Asset(f"{place}.json", output.data.encode())
    for path in sorted((cells.BOOKS / "data").iterdir()):
        yield Asset(f"{FOLDER}/data/{path.name}", path.read_bytes())


def navigation(language: str) -> dict[str, list[dict[str, str]]]:
    """The pages below the one that introduces them, for the sidebar."""
    listed = [{html.escape(book.title): _path(book)} for book in cells.sources(language)]
    return {f"{FOLDER}/index.md": listed}


def cards(page: Page) -> str:
    """All notebooks, each with its goal."""
    entries = (
        f'<li><a href="{page.address(_path(book))}"><strong>{html.escape(book.title)}</strong>'
        f"<span>{html.escape(book.description)}</span>"
        f'<span class="chips">{word("cells.minutes", page.language, minutes=minutes(book.name))}'
        "</span></a></li>"
        for book in cells.sources(page.language)
    )
    return "\n".join(['<ul class="cards">', *entries, "</ul>"])


WORDS, CELL, PREDICTION, EXERCISE = 130, 0.75, 3, 3
"""A learner reads so many words a minute, and needs minutes for a cell, for the prediction with the
words of their own, and for each exercise. Reckoned with, not measured."""


def minutes(name: str) -> int:
    """How long a learner is reckoned to need for a notebook. Raises `LookupError`."""
    book = next((book for book in cells.sources("en") if book.name == name), None)
    if book is None:
        raise LookupError(f"there is no notebook {name!r}")
    read = sum(len(source.split()) for kind, source in book.cells if kind == "markdown")
    code = [source for kind, source in book.cells if kind == "code"]
    exercises = sum('check("' in source for source in code)
    return ceil(read / WORDS + CELL * len(code) + PREDICTION + EXERCISE * exercises)


def _path(book: Book) -> str:
    return f"{FOLDER}/{book.name}.md"


def _placed(book: Book, cell: int) -> Iterator[tuple[str, Output]]:
    """What a cell shows, each with the file that it may have: by notebook, cell and number."""
    for number, output in enumerate(book.outputs[cell], 1):
        yield f"{FOLDER}/{book.name}-{cell}.{number}", output


def _page(book: Book, page: Page) -> Iterator[str]:
    title, description = (
        json.dumps(text, ensure_ascii=False) for text in (book.title, book.description)
    )
    yield f"---\ntitle: {title}\ndescription: {description}\n---"
    # The styles come with the page, whatever builder puts a frame around it.
    yield f'<link rel="stylesheet" href="{page.up}assets/notebook.css">'
    for number, (kind, source) in enumerate(book.cells):
        if kind == "code":
            yield f"```python\n{source}\n```"
            for place, output in _placed(book, number):
                yield _output(output, place, page)
            if tried := _tried(source, page):
                yield tried
            continue
        text = re.sub(r"\]\(([\w-]+)\.ipynb\)", r"](\1.md)", source)
        if not number:
            heading, _, text = text.partition("\n")
            yield heading
            file = f"{book.name}.ipynb"
            command = f"`make notebooks NOTEBOOK={book.language}/{file}`"
            link = f'[{file}]({file}){{ download="{file}" }}'
            told = word("notebooks.take", book.language, command=command, file=link)
            yield f"{told}\n{{ .take }}"
        yield text.strip()


TRIES = {
    "exercises": re.compile(r"""\bcheck\("(?P<number>\d\d)\""""),
    "change": re.compile(r"""\blab\.load\("(?P<scenario>[\w-]+)"\)"""),
    "explain": re.compile(r"\bread\(mine\)"),
}
"""The page on which one can do what a cell does, by what stands in the cell."""


def _tried(source: str, page: Page) -> str:
    """A link to the page that plays the same, with nothing installed; none where there is none."""
    for name, sign in TRIES.items():
        if found := sign.search(source):
            held = found.groupdict("")
            number, scenario = held.get("number", ""), held.get("scenario", "")
            said = word(f"notebooks.try-{name}", page.language, number=number)
            anchor = f"#{number}" if number else f"#from={scenario}" if scenario else ""
            place = page.address(f"{name}.md") + anchor
            return f'<p class="try"><a href="{place}">{said}</a></p>'
    return ""


def _output(output: Output, place: str, page: Page) -> str:
    match output:
        case Player():
            question = f' question="{_inert(output.question)}"' if output.question else ""
            told = f" nolink{question}"
            return framed(page, f"{place}.json", output.data, output.listing, told)
        case Text(text=text):
            inside = f"<pre><samp>{_inert(text)}</samp></pre>"
        case Drawing():
            inside = _drawing(output, place, page)
        case Markup(html=text):
            inside = text
        case Frame():
            inside = _frame(output)
        case Knobs():
            inside = _knobs(output, page)
    # Not one empty line, which would end the element.
    inside = re.sub(r"\n\s*", "\n", inside)
    return f'<div class="output" data-search-exclude>\n{inside}\n</div>'


def _drawing(drawing: Drawing, place: str, page: Page) -> str:
    alt = _inert(drawing.alt or _told(page))
    shown = diagrams.show(f"{page.up}{place}", alt, drawing.svg, drawing.narrow)
    if not drawing.words:
        return shown
    summary = word("notebooks.words", page.language)
    told = f'<pre tabindex="0"><samp>{_inert(drawing.words)}</samp></pre>'
    return f"{shown}\n<details><summary>{summary}</summary>{told}</details>"


def _told(page: Page) -> str:
    """What a notebook's own picture shows: words.toml has it, since matplotlib cannot say."""
    try:
        return word(f"notebooks.alt-{Path(page.path).stem}", page.language)
    except KeyError as error:
        raise BadPage(f"tools/words.toml: {page.path} has a picture without {error}") from None


def _frame(frame: Frame) -> str:
    heads = "".join(f'<th scope="col">{_inert(head)}</th>' for head in frame.heads)
    rows = "\n".join(
        f'<tr><th scope="row">{_inert(row[0])}</th>'
        f"{''.join(f'<td>{_inert(cell)}</td>' for cell in row[1:])}</tr>"
        for row in frame.rows
    )
    return (
        f'<div class="wide" tabindex="0"><table>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _knobs(knobs: Knobs, page: Page) -> str:
    chosen = "".join(
        f"<div><dt>{_inert(name)}</dt><dd>{_inert(choice)}</dd></div>"
        for name, choice in knobs.chosen
    )
    address = f"{page.address('sandbox.md')}#a={'+'.join(knobs.names)}"
    told = word("notebooks.knobs", page.language, address=html.escape(address))
    return f'<dl class="knobs">{chosen}</dl>\n{knobs.html}\n<p>{told}</p>'


def _inert(text: str) -> str:
    """One line of text that HTML, Markdown and the marks of pages take for nothing else."""
    return html.escape(text).replace("{", "&#123;").replace("\n", "&#10;")
