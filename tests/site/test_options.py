"""Options within a line: none is broken behind its hyphens."""

from __future__ import annotations

import pytest

from tools.site.options import MOST, unbroken


def test_a_short_option_stays_in_one_line() -> None:
    shown = unbroken("<p>With <code>--follow</code>, <code>-x</code>; <code>no-option</code>.</p>")
    assert shown == (
        '<p>With <code class="option">--follow</code>, <code class="option">-x</code>; '
        "<code>no-option</code>.</p>"
    )


@pytest.mark.parametrize(
    "text",
    [f"<code>{'-' * (MOST + 1)}</code>", "<pre><code>--block</code></pre>", "<code>a -x</code>"],
)
def test_what_is_long_or_no_option_stays_as_it_was(text: str) -> None:
    assert unbroken(text) == text
