"""What crossed the wire, out of a log that a translation machine went over.

Vendors' pages are machine-translated, logs and all: `CORREIO` stands where `MAIL` was sent. Here
such a log, or the page that holds it, is turned back, and every repair is listed with its reason.
What a translated word stands for is data: `lexicons/<language>.toml`, one file a language. A word
is only taken for a verb, a keyword or a month where one can stand; what is not known, or may stand
for two things, is left as it is and reported. Restoring what is restored changes nothing.
"""

from __future__ import annotations

import msgspec

from simulator.language import N_, Text
from simulator.restore.lexicon import SOURCE, Lexicon, LexiconError, lexicons, read_lexicon
from simulator.restore.page import Entry, entries_of, split
from simulator.restore.repair import Pass
from simulator.restore.report import Repair, Restoration, Unknown

__all__ = [
    "LexiconError",
    "Repair",
    "Restoration",
    "Unknown",
    "lexicons",
    "read_lexicon",
    "restore",
]

_NO_LOG = N_("No line of an SMTP log was found.")

_ROUNDS = 8
_SAMPLE = 1000
_WORDS = frozenset(("date", "word", "verb", "path", "keyword", "reply", "mechanism", "parameter"))


def _languages(entries: list[Entry], english: Pass) -> tuple[Lexicon, ...]:
    """The lexicons that explain most lines of what is not English: more than one on a tie."""
    strange = {one.line for one in english.unknown}
    if not strange:
        return ()
    start = next(n for n, entry in enumerate(entries) if entry.line.number in strange)
    sample = entries[max(0, start - _SAMPLE // 2) :][:_SAMPLE]
    english = Pass(sample, (), strict=True)
    strange = {one.line for one in english.unknown}
    scores: dict[tuple[int, int], list[Lexicon]] = {}
    for lexicon in lexicons().values():
        if lexicon.code != SOURCE:
            tried = Pass(sample, (lexicon,), strict=True)
            explained = strange - {one.line for one in tried.unknown}
            gained = sum(one.kind in _WORDS for one in tried.repairs) - sum(
                one.kind in _WORDS for one in english.repairs
            )
            scores.setdefault((len(explained), gained), []).append(lexicon)
    best = max(scores)
    return tuple(scores[best]) if best > (0, 0) else ()


def _round(text: str, language: Lexicon | None) -> tuple[Restoration, list[int]]:
    """Restore once; also give the input line of every line that comes out."""
    lines = split(text)
    entries = entries_of(text, lines)
    tongues: tuple[Lexicon, ...] = ()
    if language and language.code != SOURCE:
        tongues = (language,)
    name = language.code if language else None
    if not any(entry.kind for entry in entries):
        first = next((entry.line for entry in entries if entry.line.text.strip()), None)
        unknown = (Unknown(first.number, first.text, Text(_NO_LOG)),) if first else ()
        return Restoration(text=text, unknown=unknown, language=name), []
    found: Pass | None = None
    if language is None:
        english = Pass(entries, (), strict=True)
        tongues = _languages(entries, english)
        name = tongues[0].code if len(tongues) == 1 else None if tongues else SOURCE
        found = None if english.unknown else english
    found = found or Pass(entries, tongues, strict=bool(tongues))
    if language and not any(one.kind in _WORDS for one in found.repairs):
        found = Pass(entries, tongues, strict=False)  # no word of it was translated
    kept = {entry.line.number for entry in entries}
    restored = "".join(
        line + entry.line.end for line, entry in zip(found.lines, entries, strict=True)
    )
    return Restoration(
        text=restored,
        repairs=tuple(found.repairs),
        unknown=tuple(found.unknown),
        language=name,
        left_out=tuple(line.number for line in lines if line.number not in kept),
        cut=tuple(found.cut),
    ), [entry.line.number for entry in entries]


def _still_unknown(
    before: tuple[Unknown, ...], after: list[Unknown], repaired: set[tuple[int, str]]
) -> tuple[Unknown, ...]:
    """What an earlier round left, unless a later one repaired it, and what the later one left."""
    by_line: dict[int, list[str]] = {}
    for line, found in repaired:
        by_line.setdefault(line, []).append(found)
    kept = [one for one in before if not any(t in one.text for t in by_line.get(one.line, ()))]
    told: dict[int, list[str]] = {}
    for one in kept:
        told.setdefault(one.line, []).append(one.text)
    kept += [
        one
        for one in after
        if not any(one.text in text or text in one.text for text in told.get(one.line, ()))
    ]
    return tuple(sorted(kept, key=lambda one: one.line))


def restore(text: str, language: str | None = None) -> Restoration:
    """Turn a machine-translated SMTP log, or the page that holds it, back into what was logged.

    `text`: plain text, Markdown or HTML. `language`: the lexicon to use, such as `pt_BR`; without
    it, the one that explains most lines, and what is left over is tried with the others in turn.
    A log that needs no repair comes back as it is, character for character.

    Raises `LexiconError` if there is no such lexicon.
    """
    chosen = _asked_for(language) if language else None
    result, numbers = _round(text, chosen)
    origin = list(numbers)
    for _ in range(_ROUNDS):
        if result.text == text:
            break
        again, numbers = _round(result.text, chosen)
        text = result.text

        def back(line: int, origin: list[int] = origin) -> int:
            return origin[line - 1]

        result = Restoration(
            text=again.text,
            repairs=tuple(sorted(
                (*result.repairs, *(msgspec.structs.replace(one, line=back(one.line))
                                    for one in again.repairs)),
                key=lambda one: one.line,
            )),
            unknown=_still_unknown(
                result.unknown,
                [one._replace(line=back(one.line)) for one in again.unknown],
                {(back(one.line), one.found) for one in again.repairs if one.kind in _WORDS},
            ),
            language=result.language,
            left_out=tuple(sorted({*result.left_out, *map(back, again.left_out)})),
            cut=tuple(map(back, again.cut)),
        )  # fmt: skip
        origin = [origin[number - 1] for number in numbers]
    return result


def _asked_for(language: str) -> Lexicon:
    code = language.replace("-", "_")
    found = [name for name in lexicons() if name.casefold() == code.casefold()]
    found = found or [name for name in lexicons() if name.partition("_")[0] == code.casefold()]
    if len(found) != 1:
        raise LexiconError(f"no lexicon {language!r}: there are {', '.join(lexicons())}")
    return lexicons()[found[0]]
