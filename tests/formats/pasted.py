"""What people do to a log when they paste it, each as a function of its text."""

import html
import json
import textwrap
from collections.abc import Callable

Wrap = Callable[[str], str]


def _each(change: Callable[[int, str], str]) -> Wrap:
    return lambda text: "".join(f"{change(n, row)}\n" for n, row in enumerate(text.splitlines()))


def _logged(number: int, row: str) -> str:
    return f"May  3 10:{number // 60 % 60:02}:{number % 60:02} desk app[71]: {row}"


def _middle(text: str) -> str:
    """The first and the last lines were lost."""
    rows = text.splitlines()
    cut = max(1, len(rows) // 8)
    return "\n".join(rows[cut:-cut]) + "\n"


def _narrow(text: str) -> str:
    """A mail program broke the lines at 72 columns."""
    rows = [textwrap.wrap(row, 72, break_long_words=False) or [""] for row in text.splitlines()]
    return "\n".join(line for row in rows for line in row) + "\n"


BEFORE = """Hello,

since the update our mails are no longer sent. I changed the port to 587 and then to 465, and
switched STARTTLS on and off; the provider says that their certificate has not expired.
"""
AFTER = """
Does anybody know what is wrong here? Without TLS it works. Is the password wrong, is a firewall
in the way, or do we have to renew the certificate? I read that a 554 may mean a block list.
"""

WRAPS: dict[str, Wrap] = {
    "quoted": _each(lambda _, row: f"> {row}"),
    "with prose around it": lambda text: f"{BEFORE}\n{text}{AFTER}",
    "behind syslog's prefix": _each(_logged),
    "in HTML": _each(lambda _, row: html.escape(row)),
    "with numbers": _each(lambda n, row: f"{n + 1:4}  {row}"),
    "fenced": lambda text: f"```\n{text}```\n",
    "indented": _each(lambda _, row: f"        {row}"),
    "as strings of JSON": lambda text: json.dumps(text.splitlines(), indent=2),
    "broken at 72 columns": _narrow,
    "cut at both ends": _middle,
    "with blank lines": _each(lambda _, row: f"{row}\n"),
    "with CRLF": lambda text: text.replace("\n", "\r\n"),
}  # fmt: skip

LOSSY = ("broken at 72 columns", "cut at both ends")
"""What is lost for good by these may have been what decides."""
