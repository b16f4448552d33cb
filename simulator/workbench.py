"""What the notebooks lay on the table: two sessions side by side, both ledgers, knobs, the wire.

    from simulator.workbench import here, beside
    here()                       # speak the language of the folder that the notebook stands in
    beside("skipped-ehlo")       # beside the documented session

Everything shows itself; everything also has a plain form, for a page, and for a test without eyes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import escape, unescape
from importlib import import_module
from pathlib import Path
from typing import Any

from simulator import notebook
from simulator.exercises.exercise import words
from simulator.explainer import Explanation
from simulator.lab import arena
from simulator.language import N_, SOURCE, languages, say
from simulator.session import Side
from simulator.views import prose
from simulator.views.document import label
from simulator.views.inert import printable

AMBER = "color-mix(in srgb,currentColor 25%,#b87a00)"
GREEN = "color-mix(in srgb,currentColor 25%,#1f9d57)"
"""Mixed with the colour of the text, so that they can be read on light and on dark."""

_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)

CHOOSE = {"client": N_("client"), "server": N_("server"), "middlebox": N_("on the path")}


def here() -> None:
    """Speak the language of the folder that the notebook stands in, such as `notebooks/pt-BR`.

    Where no folder above it is named for a language, that of EHLO_TWICE_LANG, or English.
    """
    known = {code.replace("_", "-").lower(): code for code in languages()}
    folder = Path.cwd()
    for name in (folder.name, *(above.name for above in folder.parents)):
        if name.lower() in known:
            notebook.speak(known[name.lower()])
            return
    notebook.speak(os.environ.get("EHLO_TWICE_LANG") or SOURCE)


def data(name: str) -> Any:
    """What the JSON file `name` among the notebooks' data holds.

    Raises `FileNotFoundError`, which says where it was looked for.
    """
    project = Path(__file__).resolve().parent.parent / "notebooks"
    places = [folder / "data" / name for folder in (Path.cwd(), *Path.cwd().parents, project)]
    for place in places:
        if place.is_file():
            return json.loads(place.read_text("utf-8"))
    raise FileNotFoundError(f"no data/{name} in {Path.cwd()}, nor in any folder above it")


class Picture:
    """A drawing, as SVG, that shows itself as wide as there is room; `str()` tells it in words."""

    def __init__(
        self, svg: bytes, words: str, alt: str = "", narrow: Callable[[], bytes] = bytes
    ) -> None:
        self.narrow = narrow
        """Draws the same for a telephone; nothing where there is no such drawing."""
        self.svg = svg.decode()
        self._words = words
        title = _TITLE.search(self.svg)
        self.alt = alt or (unescape(title[1]) if title else "")
        """What it shows, in a sentence: the drawing's own title if nothing else is given."""

    def _repr_html_(self) -> str:
        # An image of its own: its identifiers never meet those of another one on the page.
        source = b64encode(self.svg.encode()).decode()
        return (
            f'<img style="max-width:100%;height:auto" alt="{escape(self.alt, quote=True)}" '
            f'src="data:image/svg+xml;base64,{source}">'
        )

    def __str__(self) -> str:
        return self._words

    def __repr__(self) -> str:
        return self._words


class Table:
    """A piece of HTML that shows itself; `str()` is the same in words."""

    def __init__(self, html: str, words: str) -> None:
        self._html = html
        self._words = words

    def _repr_html_(self) -> str:
        return self._html

    def __str__(self) -> str:
        return self._words

    def __repr__(self) -> str:
        return self._words


class NoPrediction(Exception):
    """Nothing stands in place of the dots yet; a notebook shows the one sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Prediction:
    """What a learner said before it was played; `was` sets beside it what happened."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def __repr__(self) -> str:
        name = "guess-open" if self.given is ... else "guess-kept"
        return _word(name, given=_plain(self.given))

    def was(self, happened: Any) -> None:
        """Say both in one sentence. Numbers, words and sets are compared, whatever their case."""
        text = _plain(happened)
        if self.given is ...:
            name = "guess-none"
        else:
            name = "guess-right" if _like(self.given) == _like(happened) else "guess-wrong"
        print(_word(name, given=_plain(self.given), happened=text))  # noqa: T201 - a cell shows it


def predict(guess: Any) -> Prediction:
    """Keep a prediction until it was played. Raises `NoPrediction` where the dots still stand.

    With EHLO_TWICE_PREDICT=off the dots are let pass, for whoever runs all notebooks at once.
    """
    if guess is ... and os.environ.get("EHLO_TWICE_PREDICT") != "off":
        raise NoPrediction(_word("guess-missing"))
    return Prediction(guess)


def _word(name: str, **values: str) -> str:
    return say(words()[name], notebook.spoken()).format_map(values)


def _plain(value: Any) -> str:
    found = (
        sorted(map(str, value)) if isinstance(value, set | frozenset | list | tuple) else [value]
    )
    return printable(", ".join(map(str, found))) or "–"


def _like(value: Any) -> frozenset[str]:
    found = value if isinstance(value, set | frozenset | list | tuple) else [value]
    return frozenset(str(one).strip().casefold() for one in found)


def drawing(explanation: Explanation) -> Picture:
    """The sequence diagram of a session."""
    from simulator.views import annotated, drawing, narrow

    language = notebook.spoken()
    return Picture(
        drawing.render(explanation, language),
        annotated.render(explanation, language),
        say(explanation.verdict.outcome, language, printable),
        lambda: narrow.render(explanation, language),
    )


def beside(left: str, right: str = "documented") -> Picture:
    """Play two scenarios and set them side by side. Raises as `replay` does."""
    from simulator import api

    both = api.compare(left, right)
    return Picture(both.drawing(), str(both))


def ledgers(explanation: Explanation, step: int) -> Table:
    """What both sides know after step number `step`, from 1; struck out is what they had to forget.

    Amber was learned in the clear, green inside TLS. Raises `IndexError` for no such step.
    """
    language = notebook.spoken()
    if not 1 <= step <= len(explanation.steps):
        raise IndexError(f"the session has steps 1 to {len(explanation.steps)}, not {step}")
    found = explanation.steps[step - 1]
    columns, words = [], []
    for side in ("client", "server"):
        title = say(prose.HOLDS[side], language)
        rows = list(_facts(explanation, found.index, side, language))
        items = "".join(f"<li>{html}</li>" for html, _ in rows) or "<li>–</li>"
        columns.append(
            f'<div style="flex:1 1 18em;border:1px solid #8886;border-radius:6px;padding:.6em 1em">'
            f"<b>{escape(title)}</b>"
            f'<ul style="list-style:none;margin:.4em 0 0;padding:0;font-family:monospace">'
            f"{items}</ul></div>"
        )
        words += [title, *(f"  {text}" for _, text in rows)]
    meaning = say(found.meaning, language, printable)
    html = (
        f'<p style="margin:.3em 0"><b>{step}.</b> {escape(meaning)}</p>'
        f'<div style="display:flex;flex-wrap:wrap;gap:1em;max-width:60em">{"".join(columns)}</div>'
    )
    return Table(html, "\n".join([f"{step}. {meaning}", *words]))


def _facts(
    explanation: Explanation, index: int, side: Side, language: str
) -> Iterator[tuple[str, str]]:
    for fact in explanation.steps[index].knowledge.facts:
        if fact.holder != side:
            continue
        text = printable(label(fact, language))
        colour = GREEN if fact.secure else AMBER
        if fact.discarded is None:
            yield f'<span style="color:{colour};font-weight:600">{escape(text)}</span>', text
        else:
            yield f'<s style="color:{colour}">{escape(text)}</s>', f"({text})"


def heat(middlebox: str = "nothing") -> Picture:
    """Play every client of the matrix against every server, and show how each pair ended."""
    from simulator import api

    found = api.matrix(middlebox)
    return Picture(found.drawing(), str(found))


def wire(explanation: Explanation, *, most: int = 40) -> Table:
    """What someone on the path sees: everything in the clear, and of TLS the records.

    The first `most` lines are shown.
    """
    from simulator import tls
    from simulator.session import Handshake

    session = explanation.session
    rows: list[tuple[float, str, str, bool]] = []
    begun = any(isinstance(event, Handshake) for event in session.events)
    for segment in session.wire:
        arrow = "→" if segment.to == "server" else "←"
        hidden = begun and segment.data[:1] in _RECORD_TYPES
        if not hidden:
            text = printable(segment.data.decode("latin-1")).replace("\\r\\n", "⏎ ").strip()
            rows.append((segment.at, arrow, text, True))
            continue
        try:
            found = tls.records(segment.data)
        except ValueError:
            found = []
        for record in found:
            names = ", ".join(record.messages) or "▒" * max(1, min(record.length // 8, 60))
            rows.append((segment.at, arrow, f"{record.name} {record.length}: {names}", False))
    html = "".join(
        f'<tr><td style="text-align:right;opacity:.75">{at * 1000:.1f} ms</td><td>{arrow}</td>'
        f'<td style="text-align:left;font-family:monospace;overflow-wrap:anywhere;'
        f'color:{AMBER if clear else GREEN}">{escape(text)}</td></tr>'
        for at, arrow, text, clear in rows[:most]
    )
    words = "\n".join(f"{arrow} {text}" for _, arrow, text, _ in rows[:most])
    return Table(f"<table>{html}</table>", words)


class Served:
    """A server that listens: where, by which name, and `authority`, a file with the certificate to
    trust. `sessions` are those that it saw, once it is closed; they show themselves."""

    def __init__(self, name: str, authority: Path) -> None:
        self.address = ("", 0)
        self.name = name
        self.authority = str(authority)
        self.sessions: list[notebook.Shown] = []


@contextmanager
def serving(scenario: str = "documented") -> Iterator[Served]:
    """A real server on loopback, for a client of your own; it writes down what that client does.

    Raises as `replay` does.
    """
    from simulator import api
    from simulator.lab import certificates, witness

    played = api.load(scenario)
    ready, done = threading.Event(), threading.Event()
    with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
        authority = Path(folder) / "authority.pem"
        authority.write_bytes(certificates.authority_pem())
        served = Served(played.server.name, authority)

        async def talk(address: tuple[str, int]) -> None:
            served.address = address
            ready.set()
            await asyncio.to_thread(done.wait)

        with ThreadPoolExecutor(1, "ehlo-twice server") as thread:
            seen = thread.submit(asyncio.run, witness.witnessed(played, talk))
            seen.add_done_callback(lambda _: ready.set())
            ready.wait()
            try:
                if not seen.done():
                    yield served
            finally:
                done.set()
            served.sessions = [api.explain(session) for session in seen.result()]


_RECORD_TYPES = frozenset(bytes([kind]) for kind in (20, 21, 22, 23))


class Knobs:
    """Pick a client, a server and who stands between them; each choice is played at once.

    Where there are no widgets, the first choice stands there played.
    """

    def __init__(self, client: str, server: str, middlebox: str) -> None:
        self.chosen = {"client": client, "server": server, "middlebox": middlebox}

    def play(self, **changed: str) -> Table:
        """Play the combination, and say how it ended."""
        from simulator import api
        from simulator.session import Command, Reply

        self.chosen |= changed
        language = notebook.spoken()
        names = (self.chosen["client"], self.chosen["server"], self.chosen["middlebox"])
        found = api.play(arena.scenario(*names))
        cell = arena.cell(*names, found)
        lines = [
            f"{'═▶' if step.event.secure else '─▶'} {step.event.verb}"
            if isinstance(step.event, Command)
            else f"{'◀═' if step.event.secure else '◀─'} {step.event.code}"
            for step in found.steps
            if isinstance(step.event, Command | Reply)
        ]
        outcome = say(found.verdict.outcome, language, printable)
        broken = sorted({note.rule for note in found.findings})
        words = [say(cell.label, language).upper(), outcome, " ".join(lines), ", ".join(broken)]
        inside = cell.category == "inside"
        html = (
            f'<div style="border-left:6px solid {GREEN if inside else AMBER};padding:.3em 1em">'
            f"<b>{escape(words[0])}</b><br>{escape(outcome)}"
            f'<br><code style="overflow-wrap:anywhere">{escape(words[2])}</code>'
            f"{'<br>✗ <code>' + escape(words[3]) + '</code>' if broken else ''}</div>"
        )
        return Table(html, "\n".join(filter(None, words)))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        still = self.play()
        bundle: dict[str, Any] = {"text/plain": str(still), "text/html": still._repr_html_()}
        try:
            box = self._widgets(still)
        except ImportError:
            return bundle
        # A front end that has widgets prefers them; a page takes what is still.
        view = "application/vnd.jupyter.widget-view+json"
        bundle[view] = box._repr_mimebundle_()[view]
        return bundle

    def choices(self) -> list[tuple[str, str]]:
        """What is chosen: for each knob its name and the title of the choice."""
        language = notebook.spoken()
        groups = _groups()
        return [
            (say(CHOOSE[which], language), groups[which][name].said(language))
            for which, name in self.chosen.items()
        ]

    def _widgets(self, still: Table) -> Any:
        ipywidgets = import_module("ipywidgets")

        language = notebook.spoken()
        shown = ipywidgets.HTML(still._repr_html_())

        def turned(which: str) -> Callable[[Any], None]:
            def play(change: Any) -> None:
                shown.value = self.play(**{which: change["new"]})._repr_html_()

            return play

        knobs = []
        for which, group in _groups().items():
            knob = ipywidgets.Dropdown(
                options=[(entry.said(language), name) for name, entry in group.items()],
                value=self.chosen[which],
                description=say(CHOOSE[which], language),
                layout={"width": "28em"},
            )
            knob.observe(turned(which), names="value")
            knobs.append(knob)
        return ipywidgets.VBox([*knobs, shown])


def _groups() -> dict[str, Mapping[str, Any]]:
    sides = arena.sides()
    return {"client": sides.client, "server": sides.server, "middlebox": sides.middlebox}


def knobs(
    client: str = "documented", server: str = "documented", middlebox: str = "nothing"
) -> Knobs:
    """Knobs to turn: the policies of the matrix. Each choice is played for real."""
    return Knobs(client, server, middlebox)
