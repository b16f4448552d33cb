"""More shapes of logs than the examples have: other versions, other outcomes, other sides."""

from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.session import Session


def cases() -> list[tuple[str, list[str], str]]:
    text = (Path(__file__).parent / "variants.txt").read_text()
    found = []
    for part in text.split("\n#### ")[1:]:
        name, _, rest = part.partition("\n")
        rows = rest.split("\n")
        wanted = [row.removeprefix("#= ") for row in rows if row.startswith("#= ")]
        found.append((name, wanted, "\n".join(rows[len(wanted) :]).strip("\n") + "\n"))
    return found


CASES = cases()


def short(session: Session) -> str:
    verdict = explain(session).verdict
    parts = (
        verdict.tls, verdict.ehlo_before_tls, verdict.ehlo_after_tls, verdict.second_ehlo,
        verdict.second_ehlo_reply_code, " ".join(verdict.client_to_server_commands),
    )  # fmt: skip
    return " ".join("?" if part is None else str(part) for part in parts).strip()


@pytest.mark.parametrize(("name", "wanted", "log"), CASES, ids=[name for name, _, _ in CASES])
def test_a_variant_has_the_right_verdict(name: str, wanted: list[str], log: str) -> None:
    assert wanted, f"{name} has no verdict"
    assert [short(session) for session in formats.read(log)] == wanted
