"""The program inside a web page: a log in, its sessions explained, and nothing leaves the page.

The page's script hands over octets and takes JSON; everything between is what `ehlo-twice explain`
runs. Nothing here may need what the Python of a browser lacks: sockets, ciphers, matplotlib.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

from simulator import explainer, formats
from simulator.explainer import Explanation
from simulator.masking import Veil
from simulator.views import player
from simulator.views.view import Page, view

MOST_SHOWN = 200
"""Sessions of one log that a page shows; all are read, and those with a problem come first."""


class Pasted:
    """A log that stands in a page: read once, its sessions explained and shown as often as wanted.

    `data` is the log as it came: text, packed text, or a capture. `progress` is told the share of
    it that was read, from 0 to 1.
    """

    def __init__(self, data: bytes, progress: Callable[[float], object] | None = None) -> None:
        self._data = data
        self._progress = progress
        self._kept: list[Explanation] = []
        self.sessions = 0
        self.problems = 0

    def read(self) -> None:
        """Read the whole log and keep what is shown. Raises `CannotRead`."""
        troubled: list[tuple[int, Explanation]] = []
        healthy: list[tuple[int, Explanation]] = []
        hidden = Veil()
        for session in formats.read(_Watched(self._data, self._progress)):
            explanation = explainer.explain(session)
            kept = troubled if explanation.verdict.problem else healthy
            if len(kept) < MOST_SHOWN:
                kept.append((self.sessions, explainer.veiled(explanation, hidden)))
            self.sessions += 1
            self.problems += explanation.verdict.problem
        shown = [*troubled, *healthy][:MOST_SHOWN]
        # What a later session showed to be a secret is one in the first as well.
        self._kept = [
            explainer.veiled(found, hidden)
            for _, found in sorted(shown, key=lambda entry: entry[0])
        ]

    def entries(self, language: str) -> Iterator[str]:
        """For each session that is shown, the JSON that feeds the player."""
        for explanation in self._kept:
            yield player.data([explanation], language)

    def show(
        self, name: str, language: str, number: int | None = None, *, anonymise: bool = False
    ) -> str:
        """The sessions in the view of that name, or the one with that number from 0."""
        chosen = self._kept if number is None else self._kept[number : number + 1]
        if anonymise:
            renamed = Veil(secrets=False, names=True)
            chosen = [explainer.veiled(explanation, renamed) for explanation in chosen]
        pieces = view(name).pieces
        assert pieces is not None
        return "".join(pieces(chosen, Page(language)))


class _Watched(io.BytesIO):
    """Octets that tell how far they were read."""

    def __init__(self, data: bytes, progress: Callable[[float], object] | None) -> None:
        super().__init__(data)
        self._size = max(1, len(data))
        self._progress = progress

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if self._progress is not None:
            self._progress(self.tell() / self._size)
        return found


def answer(pasted: Pasted, language: str) -> str:
    """Read a log, and give what the page shows of it, as JSON: `sessions` and `problems` count all
    that the log holds, `shown` feeds a player each. Raises `CannotRead`, in that language."""
    try:
        pasted.read()
    except formats.CannotRead as error:
        raise error.said(language) from None
    counted = json.dumps({"sessions": pasted.sessions, "problems": pasted.problems})
    return f'{counted[:-1]}, "shown": [{",".join(pasted.entries(language))}]}}'
