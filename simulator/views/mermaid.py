"""The sequence diagram as Mermaid source, for pages that draw it themselves.

Mermaid's grammar has no quoting: a semicolon, a line end or a hash sign ends what is said and
begins something else. So every text goes through `quoted`, which lets through letters, digits and
a few marks, and writes all else as Mermaid's numeric entities.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from simulator.explainer import Explanation
from simulator.knowledge import DISCARDS
from simulator.language import N_, SOURCE, Text, say
from simulator.rules import Note
from simulator.session import Disconnect, Handshake, Side
from simulator.views import document, outline, prose, sequence
from simulator.views.inert import printable
from simulator.views.lines import wrap
from simulator.views.outline import Outline, Row
from simulator.views.view import View

ROOM = 60
"""Cells of a line; Mermaid breaks none by itself."""

MOST_LINES = 40
LONGEST = 45_000
"""Mermaid refuses sources of more than 50 000 characters."""

_PLAIN = frozenset(" .-_/()=@,'")
_ALIAS = {"client": "C", "middlebox": "M", "server": "S"}
_GROUND = {
    (False, True): "rgb(255, 246, 224)",
    (False, False): "rgb(252, 250, 244)",
    (True, True): "rgb(222, 240, 228)",
    (True, False): "rgb(242, 248, 244)",
}
_HANDSHAKE = "rgb(233, 237, 240)"


def render(explanation: Explanation, language: str = SOURCE, title: str = "") -> str:
    """The diagram's source: a `sequenceDiagram` with both ledgers as notes."""
    return _Source(explanation, language, title).render()


def quoted(text: str) -> str:
    """`text` as Mermaid shows it unchanged, whatever it holds."""
    return "".join(_quoted(char) for char in printable(text))


def _quoted(char: str) -> str:
    if char.isascii():
        plain = char.isalnum() or char in _PLAIN
    else:
        # Mermaid itself marks entities by U+FB02 and U+00B6 while it parses.
        plain = char not in "\ufb02\u00b6" and unicodedata.category(char) != "Zs"
    return char if plain else f"#{ord(char)};"


class _Source:
    def __init__(self, explanation: Explanation, language: str, title: str) -> None:
        self.explanation = explanation
        self.language = language
        self.title = prose.title(explanation, title)
        self.outline: Outline = outline.of(explanation)

    def say(self, text: Text | str) -> str:
        return say(text, self.language)

    def render(self) -> str:
        lines = ["sequenceDiagram", *self._head()]
        used = sum(map(len, lines))
        open_ground = None
        for done, row in enumerate(self.outline.rows):
            part = list(self._part(row, open_ground))
            used += sum(len(line) + 8 for line in part)
            if used > LONGEST:
                left = Text(
                    N_("{count} more events are not drawn."),
                    {"count": len(self.outline.rows) - done},
                )
                lines += self._note("over C,S", [self.say(left)])
                break
            lines += part
            open_ground = None if row.shape == "handshake" else row.ground
        if open_ground is not None:
            lines.append("end")
        verdict = self.say(self.explanation.verdict.outcome)
        lines += self._note("over C,S", [verdict])
        return "\n    ".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        yield f"title: {quoted(self.title)}"
        yield f"accTitle: {quoted(self.title)}"
        yield f"accDescr: {quoted(self.say(self.explanation.verdict.outcome))}"
        yield f"participant C as {self._named(outline.CLIENT, self.outline.client)}"
        if self.outline.middlebox:
            yield f"participant M as {quoted(self.say(outline.MIDDLEBOX))}"
        yield f"participant S as {self._named(outline.SERVER, self.outline.server)}"
        sides: tuple[tuple[Side, str], ...] = (("client", "left of C"), ("server", "right of S"))
        for side, place in sides:
            yield from self._note(place, [self.say(outline.KNOWS[side])])

    def _named(self, role: str, name: str) -> str:
        return _broken([self.say(role), name or "?"], ROOM // 2, 3)

    def _part(self, row: Row, ground: tuple[bool, str] | None) -> Iterator[str]:
        """What a row adds, with the end and the beginning of a ground where it changes."""
        opens = row.shape != "handshake" and row.ground != ground
        if ground is not None and (opens or row.shape == "handshake"):
            yield "end"
        if row.shape == "handshake":
            yield f"rect {_HANDSHAKE}"
            yield from self._handshake(row)
            yield "end"
            return
        if opens:
            yield f"rect {_GROUND[row.secure, row.zone == 'document']}"
            words = [self.say(outline.INSIDE if row.secure else outline.CLEAR)]
            if row.zone != "document":
                words.append(self.say(outline.BEFORE if row.zone == "before" else outline.BEYOND))
            yield from self._note("over C,S", [" · ".join(words)])
        yield from self._row(row)

    def _row(self, row: Row) -> Iterator[str]:
        label = [self.say(row.label)] if row.label else []
        said = [*label, *row.text[:MOST_LINES]]
        if len(row.text) > MOST_LINES:
            said.append(f"… {len(row.text) - MOST_LINES}")
        match row.shape:
            case "note":
                yield from self._note("right of S", said)
            case "aside":
                yield from self._note("over C,S", said)
            case _:
                most = 3 if len(row.text) <= 1 else 1
                yield f"{self._arrow(row)}: {_broken(said, ROOM, most)}"
        yield from self._ledgers(row)
        for note in row.notes:
            yield from self._rule(note)

    def _arrow(self, row: Row) -> str:
        event = row.step.event
        origin, target = _ALIAS[row.origin], _ALIAS[row.target]
        if isinstance(event, Disconnect) and event.reason in ("cut", "timeout"):
            return f"{origin}--x{target}"
        if row.target == "middlebox":
            return f"{origin}-x{target}"
        return f"{origin}{'-->>' if row.forged or event.stale else '->>'}{target}"

    def _handshake(self, row: Row) -> Iterator[str]:
        event = row.step.event
        assert isinstance(event, Handshake)
        said = [self.say(row.label or "")]
        for key, value in outline.proofs(self.explanation.session, event):
            told = self.say(value) if isinstance(value, Text) else value
            said.append(f"{self.say(key)}: {told}")
        yield from self._note("over C,S", said)
        if row.resets:
            places = dict.fromkeys(outline.citation(rule) for _, _, rule in DISCARDS["handshake"])
            forget = f"{self.say(outline.FORGET).upper()} · {' · '.join(places)}"
            yield from self._note("over C,S", [forget, self.say(outline.FORGET_WHY)])
        yield from self._ledgers(row)
        for note in row.notes:
            yield from self._rule(note)

    def _ledgers(self, row: Row) -> Iterator[str]:
        sides: tuple[tuple[Side, str], ...] = (("client", "left of C"), ("server", "right of S"))
        for side, place in sides:
            facts = [(sequence.GONE, fact) for fact in row.forgotten_by(side)]
            facts += [(sequence.LEARNED[fact.secure], fact) for fact in row.learned_by(side)]
            if facts:
                told = [f"{mark} {document.label(fact, self.language)}" for mark, fact in facts]
                yield from self._note(place, told, ROOM // 2)

    def _rule(self, note: Note) -> Iterator[str]:
        head = f"{sequence.MET if note.met else sequence.BROKEN} {outline.cited(note)}"
        if not note.met:
            head += f" · {self.say(prose.LEVEL[note.level])}"
        yield from self._note("over C,S", [head, self.say(note.text)])

    def _note(self, place: str, said: Iterable[str], room: int = ROOM) -> Iterator[str]:
        yield f"Note {place}: {_broken(said, room, 4)}"


def _broken(texts: Iterable[str], room: int, most: int) -> str:
    """Texts below each other, each in at most `most` lines."""
    lines = (line for text in texts for line in wrap(printable(text), room, most)[0])
    return "<br/>".join(quoted(line) or "#160;" for line in lines)


VIEW = View(
    name="mermaid",
    about=N_("the sequence diagram as Mermaid source"),
    file="sequence.mmd",
    render=lambda explanation, page: render(explanation, page.language, page.story.title),
)
