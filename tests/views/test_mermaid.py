"""The Mermaid source: it stays within the few statements it uses, whatever a stranger says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.explainer import explain
from simulator.session import Certificate, Command, Connect, Handshake, Peer, Reply, Session, Trace
from simulator.views import mermaid
from tests.golden import same
from tests.views import sessions

GOLDEN = Path(__file__).parent / "golden"
_TEXT = r"""(?:[^\x00-\x1f\x7f-\x9f;#<>&%$:{}"`\\\[\]|~^*!?+]|\#\d+;|<br/>)+"""
STATEMENT = re.compile(
    rf"""sequenceDiagram | (?:title|accTitle|accDescr):\ {_TEXT} | participant\ [CMS]\ as\ {_TEXT}
    | rect\ rgb\(\d+,\ \d+,\ \d+\) | end | Note\ (?:over\ C,S|left\ of\ C|right\ of\ S):\ {_TEXT}
    | [CMS](?:->>|-->>|-x|--x)[CMS]:\ {_TEXT}""",
    re.VERBOSE,
)
KIND = re.compile(r"Note [a-z]+ (?:of )?[CS,]+|[CMS]-[->x]+[CMS]|\w+")


def draw(session: Session) -> str:
    return mermaid.render(explain(session), title="Why twice?")


def kinds(source: str) -> list[str]:
    """What the source states, without what is said."""
    return [KIND.match(line.strip())[0] for line in source.splitlines()]  # type: ignore[index]


def spoken(text: str) -> Session:
    """A session in which everything that can hold text holds this."""
    return Session(
        client=Peer(name=text),
        server=Peer(name=text),
        events=(
            Connect(by="client"),
            Reply(by="server", code=0, lines=(text, text)),
            Command(by="client", verb="X", argument=text),
            Handshake(
                by="client",
                version="TLSv1.3",
                cipher=f"x{text}",
                server_certificate=Certificate(subject=f"x{text}"),
            ),
            Trace(by="server", text=text),
        ),
    )


@pytest.mark.parametrize("name", ["documented", "attacked"])
def test_reads_like_this(name):
    assert same(GOLDEN / f"mermaid.{name}.mmd", draw(sessions.ALL[name]))


@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
def test_every_line_is_a_statement_and_every_ground_is_closed(session):
    lines = [line.strip() for line in draw(session).splitlines()]
    assert [line for line in lines if not STATEMENT.fullmatch(line)] == []
    depth = 0
    for line in lines:
        depth += line.startswith("rect ") - (line == "end")
        assert depth in (0, 1)
    assert depth == 0


@given(st.text() | st.text("#;<>%${}:`\\\n\r&end- \u2028\ufb02°¶ß\x1b", min_size=1))
def test_what_is_said_never_becomes_a_statement(text):
    source = draw(spoken(text))
    assert kinds(source) == kinds(draw(spoken("x")))
    assert all(STATEMENT.fullmatch(line.strip()) for line in source.splitlines())


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("mx4.example.com", "mx4.example.com"),
        ("a;b #c", "a#59;b #35;c"),
        ("<script>", "#60;script#62;"),
        ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
        ("$$x$$", "#36;#36;x#36;#36;"),
        ("one\ntwo", "one#92;ntwo"),
        ("ﬂ°60¶ß", "#64258;°60#182;ß"),
        ("日本語", "日本語"),
    ],
)
def test_a_text_is_quoted_character_by_character(text, source):
    assert mermaid.quoted(text) == source


def test_a_source_stays_below_what_mermaid_takes():
    events = sessions.documented().events
    source = draw(Session(events=events[:9] + events[9:11] * 1000))
    assert len(source) < 50_000
    assert "more events are not drawn" in source
