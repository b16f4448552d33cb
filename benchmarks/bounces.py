"""How often a bounce is understood as Sisimai's own tests expect: reply code and status code.

    python -m benchmarks.bounces RB-SISIMAI [--wrong]

RB-SISIMAI is a copy of github.com/sisimai/rb-sisimai with its bounces in `set-of-emails`. Nothing
of it is part of this project. Each row of its tests, one for a recipient, counts once. A code that
Sisimai makes up itself (x.0.9xx, where a bounce has none, as its documents say) is agreed with
where no status is told, or none but the x.0.0 that says nothing. The second figure counts those as
disagreements. What is no bounce (complaints, notes of absence) has neither code, and is left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.ratio import Result
from simulator import formats, smtp
from simulator.session import Remark, Reply, Session

TARGET = 0.95
MADE_UP = re.compile(r"[45]\.0\.9\d\d")
NOTHING = ("", "4.0.0", "5.0.0")


class Codes(NamedTuple):
    """What is told of one recipient, each empty where it is not."""

    status: str
    reply: str


def expected(tests: Path) -> Iterator[tuple[str, list[Codes]]]:
    """The rows of the tests, by the name of the bounce."""
    for path in sorted(tests.glob("*.rb")):
        name = ""
        found: dict[str, list[Codes]] = {}
        for line in path.read_text("utf-8").split("\n"):
            if begins := re.match(r"\s*'(\d+)'\s*=>", line):
                name = f"{path.stem}-{begins[1]}"
            for row in re.finditer(r"\['([\d.]*)',\s*'(\d*)',\s*'\w*'", line):
                if name:
                    found.setdefault(name, []).append(Codes(row[1], row[2]))
        yield from found.items()


def told(session: Session) -> Codes:
    """Status and reply code that a session of a bounce tells of."""
    reply = next((e for e in session.events if isinstance(e, Reply)), None)
    word = next((e for e in session.events if isinstance(e, Remark) and e.action), None)
    status = word.status if word else ""
    if not status and reply is not None and reply.lines:
        status = smtp.enhanced_code(reply.lines[0])
    return Codes(status, str(reply.code) if reply is not None else "")


def agrees(found: Codes, wanted: Codes, *, lenient: bool = True) -> bool:
    """Whether both codes are as the tests have them."""
    same = found.status == wanted.status
    if MADE_UP.fullmatch(wanted.status) and lenient:
        same = found.status in NOTHING
    return same and found.reply == wanted.reply


def measure(folder: Path, *, show: bool = False) -> Iterator[Result]:
    """The shares of the rows that agree."""
    mails = folder / "set-of-emails" / "maildir" / "bsd"
    rows = good = strict = replies = unread = 0
    for name, wanted in expected(folder / "test" / "public"):
        path = mails / f"{name}.eml"
        if not path.is_file():
            continue
        if all(codes == Codes("", "") for codes in wanted):
            continue
        sessions = [s for s in formats.read(path) if s.source == "bounce"]
        unread += not sessions
        for index, codes in enumerate(wanted):
            if codes == Codes("", ""):
                continue
            found = told(sessions[index]) if index < len(sessions) else Codes("", "")
            rows += 1
            good += agrees(found, codes)
            strict += agrees(found, codes, lenient=False)
            replies += found.reply == codes.reply
            if show and not agrees(found, codes):
                print(f"{name} {index + 1}: {found}, {codes} is expected")
    if not rows:
        sys.exit(f"{folder}: no test/public and set-of-emails there: give a copy of rb-sisimai")
    yield Result(
        f"{good / rows:.1%} of {rows} recipients have both codes as expected", f"{TARGET:.0%}",
        good >= TARGET * rows,
    )  # fmt: skip
    print(f"{strict / rows:.1%} with the codes that Sisimai makes up counted as wrong")
    print(f"{replies / rows:.1%} have the reply code as expected; {unread} bounces not recognised")


def main() -> None:
    """Measure, and exit with 1 where the target is missed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--wrong", action="store_true", help="show each that disagrees")
    given = ask.parse_args()
    met = True
    for result in measure(given.folder, show=given.wrong):
        print(result)
        met = met and result.met
    sys.exit(not met)


if __name__ == "__main__":
    main()
