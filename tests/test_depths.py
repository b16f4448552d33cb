"""A session is read, judged, and explained: no deeper than is asked, and the same at each depth."""

from collections.abc import Iterator

import pytest

from simulator import causes, formats, meaning
from simulator.explainer import explain, veiled
from simulator.masking import Veil
from simulator.pairing import paired
from simulator.rules import Moment
from simulator.session import Session
from tests.playing import explanation


def sessions() -> Iterator[Session]:
    for kind in formats.known():
        for sample in kind.samples:
            yield from formats.read(sample.log)


ALL = list(sessions())


def test_a_verdict_needs_no_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(moment: Moment) -> None:
        raise AssertionError(moment)

    monkeypatch.setattr(meaning, "of", never)
    assert all(explain(session).verdict for session in ALL)
    with pytest.raises(AssertionError):
        explain(ALL[0]).steps  # noqa: B018


@pytest.mark.parametrize("session", ALL, ids=lambda session: session.source)
def test_the_verdict_is_the_same_before_and_after_the_steps(session: Session) -> None:
    first, last = explain(session), explain(session)
    steps = last.steps
    assert first.verdict == last.verdict
    assert first.steps == steps
    broken = {note.rule for note in last.findings}
    assert broken <= set(first.verdict.faults)


def test_of_a_played_session_too() -> None:
    session = explanation("skipped-ehlo").session
    assert explain(session).verdict.faults == tuple(
        dict.fromkeys(note.rule for note in explain(session).findings)
    )


def test_entries_that_a_kind_does_not_admit_do_not_show() -> None:
    """What is passed over because of what a session is like, would not have been found in it."""
    looked_at = 0
    for session in ALL:
        verdict = explain(session).verdict
        facts = causes._Facts(session, paired(session), verdict.tls, verdict.second_ehlo)
        for _, tests in causes._tests():
            for test in tests:
                if not facts.kind.admits(test.when):
                    looked_at += 1
                    assert test.look(facts) is None
    assert looked_at > 20 * len(ALL)


def test_a_session_without_secrets_is_explained_once() -> None:
    shown = [explain(session) for session in ALL]
    hidden = [veiled(explanation, Veil()) for explanation in shown]
    alike = [one.session == other.session for one, other in zip(shown, hidden, strict=True)]
    assert alike == [one is other for one, other in zip(shown, hidden, strict=True)]
    assert any(alike)
    assert not all(alike)
