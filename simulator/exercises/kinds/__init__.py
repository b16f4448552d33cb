"""The kinds of exercise: one module each, with `ask` and `check`.

`ask(puzzle)` gives what is put before the learner under the task, `check(puzzle, answer)` what came
of an answer; it raises `NoAnswer` for what cannot be one. `REVEALS`: whoever was wrong has seen the
right answer, and is dealt another situation.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import get_args

from simulator.exercises.exercise import Kind

KINDS: dict[str, ModuleType] = {
    name: import_module(f"{__name__}.{name}") for name in get_args(Kind)
}
