"""Summaries add up, whichever are added first."""

import functools
import operator
from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import formats
from simulator.explainer import explain
from simulator.summary import Summary, summarise
from simulator.verdict import Verdict

VERDICTS = [
    explain(session).verdict
    for kind in formats.known()
    for sample in kind.samples[:1]
    for session in formats.read(sample.log, format=kind.name)
]
LOGS = st.lists(st.lists(st.sampled_from(VERDICTS), max_size=8), max_size=5)


@settings(deadline=None)
@given(logs=LOGS, data=st.data())
def test_many_logs_are_one_map_and_one_fold(logs: list[list[Verdict]], data: st.DataObject) -> None:
    whole = summarise(verdict for log in logs for verdict in log)
    parts = data.draw(st.permutations([summarise(log) for log in logs]))
    assert functools.reduce(operator.add, parts, Summary()) == whole
    while len(parts) > 1:
        at = data.draw(st.integers(0, len(parts) - 2))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    assert parts in ([], [whole])


def test_adding_changes_neither() -> None:
    one, other = summarise(VERDICTS[:20]), summarise(VERDICTS[20:])
    before = msgspec.json.encode((one, other))
    assert (one + other).sessions == len(VERDICTS)
    assert msgspec.json.encode((one, other)) == before


def test_every_count_is_added() -> None:
    numbers = ("sessions", "problems", "delivered", "in_clear")
    counts: dict[str, Any] = {
        field: 2 if field in numbers else Counter(a=2) for field in Summary.__struct_fields__
    }
    one = Summary(**counts)
    for field in Summary.__struct_fields__:
        assert getattr(one + one, field) == (4 if field in numbers else Counter(a=4)), field
