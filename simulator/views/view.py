"""What a view is, and which there are.

A view is a module of this package that ends in its `VIEW` and is called what a person types after
`--view`. Whatever lists, writes or tries all views finds them here; nothing else knows their names.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import NamedTuple

from simulator.errors import Error
from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, Text, say
from simulator.views.inert import printable


class NoSuchView(Error, ValueError):
    """There is no view of that name."""


class Story(NamedTuple):
    """What an experiment asks its reader, in the reader's language; empty where there is none."""

    title: str = ""
    question: str = ""
    watch: str = ""
    conclude: str = ""


class Page(NamedTuple):
    """What a session is shown on: `width` in columns, None if nobody knows; `running`: the clock of
    the log goes on, where the documented one stands still."""

    language: str = SOURCE
    story: Story = Story()
    width: int | None = None
    colour: bool = False
    running: bool = False

    def columns(self, most: int = 110, unknown: int = 100) -> int:
        """Columns to write in, within reason."""
        return max(60, min(self.width or unknown, most))


class Cast(NamedTuple):
    """A session whose text is known, but for its number: what stands before it and behind it."""

    before: str
    after: str


class View(NamedTuple):
    """A way to show an explanation.

    `about` is one line on what it is, a template for translation; `file` the name that the view
    takes in a folder of all views. `render` shows one session; `pieces`, where there is one, any
    number of them as soon as each is complete. Both raise `UnknownLanguage`, and what the record
    does not hold is said by a `ValueError`, such as `NothingOnTheWire`. `cast` is as `pieces`, and
    takes casts too, where sessions whose lines are the same but for times, numbers and names look
    the same but for these.
    """

    name: str
    about: str
    file: str
    render: Callable[[Explanation, Page], str | bytes]
    pieces: Callable[[Iterable[Explanation], Page], Iterator[str]] | None = None
    cast: Callable[[Iterable[Explanation | Cast], Page], Iterator[str]] | None = None


def one_by_one(
    render: Callable[[Explanation, Page], str],
) -> Callable[[Iterable[Explanation | Cast], Page], Iterator[str]]:
    """The `pieces` of a view in text: each session under its number, an empty line after it."""

    def pieces(explanations: Iterable[Explanation | Cast], page: Page) -> Iterator[str]:
        number = 0
        for explanation in explanations:
            if isinstance(explanation, Cast):
                number += 1
                yield f"{explanation.before}{number}{explanation.after}"
                continue
            number += not explanation.session.stray
            yield piece(render, explanation, number, page)

    return pieces


def piece(
    render: Callable[[Explanation, Page], str | bytes],
    explanation: Explanation,
    number: int,
    page: Page,
) -> str:
    """One session of several: under its number, an empty line after it."""
    title = numbered(explanation, number, page.language)
    return f"{render(explanation, page._replace(story=Story(title=title)))!s}\n"


def numbered(explanation: Explanation, number: int, language: str) -> str:
    """The title of one session of several."""
    session = explanation.session
    if session.stray:
        return say(Text(N_("Lines of no session ({format})"), {"format": session.source}), language)
    name = f" {printable(session.connection)}" if session.connection else ""
    text = Text(
        N_("Session {number}{name} ({format})"),
        {"number": number, "name": name, "format": session.source},
    )
    return say(text, language)


def views() -> dict[str, View]:
    """All views by name."""
    found = (_view(module.name) for module in pkgutil.iter_modules(import_module(_HOME).__path__))
    return {view.name: view for view in found if view is not None}


def view(name: str) -> View:
    """The view of that name; loads no other. Raises `NoSuchView`."""
    modules = {module.name for module in pkgutil.iter_modules(import_module(_HOME).__path__)}
    found = _view(name) if name in modules else None
    if found is None:
        names = list(views())
        import difflib  # not at the top: few have anything wrong

        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise NoSuchView(f"no view {name!r}: {hint}")
    return found


_HOME = __package__ or ""


def _view(module: str) -> View | None:
    found: View | None = getattr(import_module(f"{_HOME}.{module}"), "VIEW", None)
    return found
