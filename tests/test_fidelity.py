"""Comparing a replayed log with the document, line by line."""

import pytest

from simulator.fidelity import compare
from simulator.restore import Restoration

DOCUMENT = Restoration(text="a\nb 'MAIL\n", cut=(3,), left_out=(1,))


@pytest.mark.parametrize(
    ("replayed", "agree", "total"),
    [
        (["a", "b 'MAIL FROM:<x>'"], 2, 2),
        (["a", "b 'RCPT'"], 1, 2),
        (["a"], 1, 2),
        (["a", "b 'MAIL'", "c"], 2, 3),
        ([], 0, 2),
    ],
)
def test_lines_that_agree(replayed: list[str], agree: int, total: int) -> None:
    found = compare(DOCUMENT, replayed)
    assert (found.agree, found.total) == (agree, total)
    assert bool(found.difference) == (agree != total)


def test_the_difference_can_be_read() -> None:
    assert compare(DOCUMENT, ["A", "b 'MAIL'"]).difference[2:] == (
        "@@ -1,2 +1,2 @@",
        "-a",
        "+A",
        " b 'MAIL'",
    )
