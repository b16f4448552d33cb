"""Names of options within a line: a browser would break them behind their first hyphen."""

from __future__ import annotations

import re

MOST = 24
"""Characters that fit into a line of a telephone; what is longer may be broken."""

_OPTION = re.compile(rf"(?<!<pre>)<code>(?=-[^<]{{1,{MOST - 1}}}</code>)")


def unbroken(page: str) -> str:
    """The page with short options marked, which then stay in one line."""
    return _OPTION.sub('<code class="option">', page)
