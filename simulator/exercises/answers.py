"""Reading what a learner gives as an answer: a number, a word, letters, a text or a program.

Anything may come; what cannot be an answer is said so in one sentence, and costs no attempt.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from textwrap import dedent
from types import FunctionType
from typing import Any

LONGEST = 2_000
"""Characters of an answer that is a number, a word or letters."""

LONGEST_FILE = 128 * 1024
"""Octets of an answer that is a file."""

MOST_ABOVE = 2_000
"""Lines above a function in its cell that are counted."""

_PARTS = 60


class NoAnswer(ValueError):
    """What was given cannot be an answer; `why` names a text of `words.toml`."""

    def __init__(self, why: str, /, **values: str | int) -> None:
        super().__init__(why)
        self.why = why
        self.values = values


def word(answer: Any) -> str:
    """One word, or a few, with single spaces between."""
    if isinstance(answer, bool) or not isinstance(answer, str | int):
        raise NoAnswer("wants-word", given=_type(answer))
    try:
        text = str(answer)
    except ValueError:
        raise NoAnswer("too-long", limit=LONGEST) from None
    if len(text) > LONGEST:
        raise NoAnswer("too-long", limit=LONGEST)
    return " ".join(text.split())


def number(answer: Any) -> int:
    """A whole number."""
    try:
        text = word(answer)
    except NoAnswer as error:
        if error.why == "too-long":
            raise
        raise NoAnswer("wants-number", given=_type(answer)) from None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise NoAnswer("wants-number", given=text[:40] or "''")
    return int(text)


def letters(answer: Any, known: str, *, once: bool = True) -> tuple[str, ...]:
    """Letters out of `known`, in the order given: from `"CAB"`, `"c a b"`, or a list of them."""
    if isinstance(answer, list | tuple | set | frozenset):
        if len(answer) > _PARTS:
            raise NoAnswer("too-long", limit=_PARTS)
        parts = [part for part in answer if isinstance(part, str)]
        if len(parts) != len(answer):
            raise NoAnswer("wants-letters", letters=" ".join(known), given=_type(answer))
        answer = " ".join(sorted(parts) if isinstance(answer, set | frozenset) else parts)
    if not isinstance(answer, str):
        raise NoAnswer("wants-letters", letters=" ".join(known), given=_type(answer))
    if len(answer) > LONGEST:
        raise NoAnswer("too-long", limit=LONGEST)
    found = re.sub(r"[\s,;]+", "", answer).upper()
    strange = [letter for letter in found if letter not in known]
    if strange:
        raise NoAnswer("wants-letters", letters=" ".join(known), given=answer[:40])
    if once and len(set(found)) < len(found):
        raise NoAnswer("letter-twice", given=answer[:40])
    return tuple(found)


def text(answer: Any, ending: str) -> str:
    """A text, or that of a file: of a `Path`, or of a name that ends as `ending` says.

    A function stands for the cell of a notebook that defines it, with `socket` and `ssl` imported.
    """
    if ending == ".py" and isinstance(answer, FunctionType):
        try:
            source = dedent(inspect.getsource(answer))
            [cell] = ast.parse(source).body
        except (OSError, TypeError, ValueError, SyntaxError):
            raise NoAnswer("wants-text", given=_type(answer)) from None
        # A lambda's source is the line around it, and that of `eval` may be another's altogether.
        if not isinstance(cell, ast.FunctionDef):
            raise NoAnswer("wants-text", given=_type(answer))
        # Behind it and as far down as in the cell: a line has the number that the learner sees.
        above = "\n" * (answer.__code__.co_firstlineno - 1)
        imports = "import socket\nimport ssl\n"
        before = [cell.args, *cell.decorator_list, *([cell.returns] if cell.returns else [])]
        wanted = {n.id for part in before for n in ast.walk(part) if isinstance(n, ast.Name)}
        if wanted & {"socket", "ssl"}:
            answer = f"{imports}\n{source}"
        else:
            answer = f"{above[:MOST_ABOVE]}{source}\n{imports}"
    if isinstance(answer, str) and "\n" not in answer and answer.strip().endswith(ending):
        answer = Path(answer.strip())
    if isinstance(answer, Path):
        try:
            if answer.exists() and not answer.is_file():
                raise NoAnswer("no-file", file=str(answer)[:200])
            with answer.open("rb") as file:
                raw = file.read(LONGEST_FILE + 1)
        except (OSError, ValueError):
            raise NoAnswer("no-file", file=str(answer)[:200]) from None
        if len(raw) > LONGEST_FILE:
            raise NoAnswer("too-long", limit=LONGEST_FILE)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise NoAnswer("no-text", file=str(answer)[:200]) from None
    if not isinstance(answer, str):
        raise NoAnswer("wants-text", given=_type(answer))
    if len(answer) > LONGEST_FILE:
        raise NoAnswer("too-long", limit=LONGEST_FILE)
    return answer


def _type(answer: Any) -> str:
    return type(answer).__name__[:40]
