"""One reader for all data that is TOML: a text and a type in, a value out.

What is wrong is said in one line: file, line, key, and what could stand there instead. Scenarios,
formats, lexicons, exercises and the tables of this package are read here, a user's own like ours.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from simulator.compiled import data
from simulator.language import N_, SOURCE, Text, Told

T = TypeVar("T")

# That no text is empty is for the reader to say: with a pattern in a member of a union,
# msgspec 0.22 crashes now and then as Python ends.
_SOME = {"pattern": r"\S"}
Prose = Annotated[
    str | dict[str, str],
    msgspec.Meta(extra_json_schema={**_SOME, "additionalProperties": _SOME}),
]
"""A text in English, which the catalogues translate; in a file of one's own also the same text by
language code, English always among them."""

Path = tuple[str | int, ...]
"""Where something stands: keys, and the numbers of tables in a list of tables."""

_reading = threading.Lock()
"""msgspec learns a type at its first use, and two threads may not do that at once."""


class BadFile(Told, ValueError):
    """A TOML file is wrong: the message says where, what, and what could stand there."""


class File:
    """A TOML text that was read. `refuse` makes the error that its mistakes are told by."""

    def __init__(
        self, raw: bytes | str, where: str, refuse: Callable[[Text], Told] = BadFile
    ) -> None:
        """Raises what `refuse` makes if it is not TOML in UTF-8."""
        self.where = where
        self._refuse = refuse
        self._inside: dict[Path, dict[str, Any]] = {}
        try:
            self.text = raw if isinstance(raw, str) else raw.decode("utf-8")
        except UnicodeDecodeError:
            raise refuse(told(where, Text(N_("not text in UTF-8")))) from None
        try:
            built = data().tables.get(self.text)
            self.table: dict[str, Any] = tomllib.loads(self.text) if built is None else built
        except tomllib.TOMLDecodeError as error:
            why = Text(N_("not TOML: {why}"), {"why": str(error)})
            raise refuse(told(where, why)) from None
        except RecursionError:
            raise refuse(told(where, Text(N_("lists or tables are nested too deep")))) from None

    def wrong(self, path: Path, problem: Text) -> Told:
        """The error for what stands at that path. The problem's `{key}`, if it has one, is what a
        person calls the path."""
        key: str | Text = _name(path) if path else Text(N_("the file"))
        told_there = Text(problem.id, {"key": key, **problem.values})
        place = f"{self.where}:{line_of(self.text, path)}"
        return self._refuse(Text("{where}: {why}", {"where": place, "why": told_there}))

    def read(
        self,
        kind: type[T],
        *,
        filled: tuple[str, ...] = (),
        why: Callable[[str, object], Text | None] = lambda _what, _value: None,
    ) -> T:
        """The value that the text holds.

        `filled`: fields of `kind` that no file may hold, since the program fills them. `why` says
        what is wrong with a value, out of what msgspec says of it, where there is more to say than
        that, as for `wrong`. Raises what `refuse` makes.
        """
        self._table(self.table, kind, (), filled)
        try:
            with _reading:
                return msgspec.convert(self.table, kind)
        except msgspec.ValidationError as error:
            what, _, at = str(error).partition(" - at `$")
            path: Path = tuple(
                int(part) if part.isdigit() else part for part in re.findall(r"\w[\w-]*", at)
            )
            value: Any = self.table
            for part in path:
                value = value[part]
            for key, kind_inside in self._inside.get(path, {}).items() if "[...]" in at else ():
                # Of a table with keys of anybody's, msgspec does not say which one is wrong.
                try:
                    msgspec.convert(value[key], kind_inside)
                except msgspec.ValidationError:
                    path, value = (*path, key), value[key]
                    break
            raise self.wrong(path, why(what, value) or _plainly(what, value)) from None

    # What msgspec would say less well -----------------------------------------------------------

    def _table(
        self, table: dict[str, Any], kind: Any, path: Path, filled: tuple[str, ...] = ()
    ) -> None:
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            self._value(table, kind, path)
            return
        hints = _hints(kind)
        known = [name for name in hints if name not in filled]
        for key, value in table.items():
            here = (*path, key)
            if key not in known:
                near = nearest(key, known)
                text = N_("unknown key '{key}': did you mean '{near}'?")
                if not near:
                    text = N_("unknown key '{key}': known are {known}")
                raise self.wrong(here, Text(text, {"near": near, "known": ", ".join(known)}))
            self._value(value, hints[key], here)
        for field in _fields(kind):
            name = field.encode_name
            if field.required and name not in table and name not in filled:
                text = N_("{key} is missing: write {example}")
                values = {"key": _name((*path, name)), "example": _example(name, field.type)}
                raise self.wrong(path, Text(text, values))

    def _value(self, value: object, hint: Any, path: Path) -> None:
        if hint == Prose:
            self._prose(value, path)
        elif get_origin(hint) is Literal:
            choices = get_args(hint)
            if value not in choices:
                listed = ", ".join(choice or '""' for choice in choices)
                near = nearest(str(value), [choice for choice in choices if choice])
                text = N_("{key} cannot be {value}: did you mean '{near}'? it is one of {choices}")
                if not near:
                    text = N_("{key} cannot be {value}: it is one of {choices}")
                values = {"value": shown(value), "near": near, "choices": listed}
                raise self.wrong(path, Text(text, values))
        elif isinstance(value, dict):
            if kind := _struct(hint):
                self._table(value, kind, path)
            elif get_origin(hint) is dict:
                self._inside[path] = dict.fromkeys(value, get_args(hint)[1])
                for key, inner in value.items():
                    self._value(inner, get_args(hint)[1], (*path, key))
        elif isinstance(value, list) and get_origin(hint) in (list, tuple):
            for number, inner in enumerate(value):
                self._value(inner, get_args(hint)[0], (*path, number))

    def _prose(self, texts: object, path: Path) -> None:
        by_language = isinstance(texts, dict)
        for last, text in texts.items() if isinstance(texts, dict) else [(path[-1], texts)]:
            here = (*path, last) if by_language else path
            if not isinstance(text, str):
                wrong = N_('{key} must be a text in quotes: {last} = "…"')
                raise self.wrong(here, Text(wrong, {"last": _name((last,))}))
            if not text.strip():
                wrong = N_('{key} is empty: write {last} = "…"')
                raise self.wrong(here, Text(wrong, {"last": _name((last,))}))
        if isinstance(texts, dict) and SOURCE not in texts:
            wrong = N_("{key}.en is missing: every text stands in English at least")
            raise self.wrong(path, Text(wrong))


def read(raw: bytes, kind: type[T], where: str) -> T:
    """The value that a TOML text of this package holds. Raises `BadFile`.

    What only a person's file may have wrong is not looked for: the tests look.
    """
    file = File(raw, where)
    try:
        with _reading:
            return msgspec.convert(file.table, kind)
    except msgspec.ValidationError:
        return file.read(kind)


def schema(kind: type, title: str, filled: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON Schema of such a file (draft 2020-12), for editors."""
    made: dict[str, Any] = msgspec.json.schema(kind)
    top = made["$defs"][kind.__name__]
    for name in filled:
        del top["properties"][name]
        if name in top.get("required", ()):
            top["required"].remove(name)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The type of each field, by the key that a file has for it."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.encode_name: hints[field.name] for field in _fields(kind)}


def _struct(hint: Any) -> type | None:
    if get_origin(hint) in (dict, list, tuple):
        return None
    for choice in (hint, *get_args(hint)):
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            return choice
    return None


def _name(path: Path) -> str:
    """A path as a person writes it; what does not show in it is escaped."""
    name = ".".join(part for part in path if isinstance(part, str))
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in name)


def _example(name: str, kind: Any) -> str:
    if kind is datetime:
        return f"{name} = 2005-05-16T18:34:30"
    return f'{name} = "…"'


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a type; msgspec works them out anew each time, which takes a millisecond."""
    return msgspec.structs.fields(kind)


def nearest(word: str, choices: list[str]) -> str:
    """The choice most like it, in capitals or not; empty where there is none."""
    by_fold = {choice.casefold(): choice for choice in choices}
    import difflib  # not at the top: few have anything wrong

    near = difflib.get_close_matches(word.casefold(), by_fold, 1, 0.4)
    return by_fold[near[0]] if near else ""


def shown(value: object) -> str:
    """A value as it stands in a message: not all of it, if it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…{text[-10:]}"


_KINDS = {
    "bool": N_("true or false"),
    "int": N_("a whole number"),
    "float": N_("a number"),
    "str": N_("a text in quotes"),
    "array": N_("a list"),
    "object": N_("a table"),
    "datetime": N_("a date and time without quotes"),
    "date": N_("a date"),
    "time": N_("a time"),
}
_LIKE = {
    "array": N_('a list, such as ["SIZE", "8BITMIME"]'),
    "datetime": N_("a date and time without quotes, such as 2005-05-16T18:34:30"),
}
_BOUNDS = {
    ">": N_("{key} cannot be {value}: it must be more than {bound}"),
    ">=": N_("{key} cannot be {value}: it must be at least {bound}"),
    "<": N_("{key} cannot be {value}: it must be less than {bound}"),
    "<=": N_("{key} cannot be {value}: it must be at most {bound}"),
}


def _plainly(what: str, value: object) -> Text:
    """What msgspec complains of, in words that say what to write instead."""
    if bound := re.search(r"Expected `\w+` ([<>]=?) (\S+)", what):
        values = {"value": str(value), "bound": f"{float(bound[2]):g}"}
        return Text(_BOUNDS[bound[1]], values)
    wanted, _, got = what.removeprefix("Expected ").partition(", got ")
    if got:
        wanted, got = wanted.strip("`").removesuffix(" | null"), got.strip("`")
        kind, had = (_KINDS | _LIKE).get(wanted, wanted), _KINDS.get(got, got)
        return Text(N_("{key} must be {kind}, not {had}"), {"kind": Text(kind), "had": Text(had)})
    if "RFC3339" in what:
        text = N_("{key} cannot be {value}: it must be {kind}")
        return Text(text, {"value": shown(value), "kind": Text(_LIKE["datetime"])})
    text = N_("{key} cannot be {value}: {problem}")
    return Text(text, {"value": shown(value), "problem": f"{what[:1].lower()}{what[1:]}"})


def told(where: str, why: Text | str) -> Text:
    """What is wrong with a whole file; a `str` is what others say of it."""
    return Text("{where}: {why}", {"where": where, "why": why})


_HEADER = re.compile(r"\s*(\[+)\s*([^\]#]+?)\s*\]+")
_KEY = re.compile(r"""\s*([\w.\-]+|"[^"]*"|'[^']*')\s*=""")


def line_of(text: str, path: Path) -> int:
    """The line of a TOML text, from 1, at which the key of that path stands (1 if not found)."""
    best = (0, 1)
    for number, found in _keys(text):
        common = 0
        for ours, theirs in zip(path, found, strict=False):
            if ours != theirs:
                break
            common += 1
        if common > best[0]:
            best = (common, number)
    return best[1]


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    """Each line that has a key or a header, and the path of it."""
    table: Path = ()
    counts: dict[tuple[str, ...], int] = {}
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            parts = tuple(part.strip("\"' ") for part in header[2].split("."))
            if header[1] == "[[":
                counts[parts] = counts.get(parts, -1) + 1
            numbered: list[str | int] = []
            for end, part in enumerate(parts, 1):
                numbered.append(part)
                if parts[:end] in counts:
                    numbered.append(counts[parts[:end]])
            table = tuple(numbered)
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *(part.strip("\"'") for part in key[1].split(".")))
            quote = next((q for q in ('"""', "'''") if line.count(q) == 1), "")
