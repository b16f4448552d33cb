"""The views in text: they read as a person would write them, and stay text whatever is said.

The golden files are written anew by `UPDATE_GOLDEN=1 pytest tests/views/test_text_views.py`; the
session they show was recorded once, by `session.to_json(replay().session)`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from simulator import formats
from simulator.cells import LABELS, Cell
from simulator.explainer import Explanation, explain
from simulator.restore import restore
from simulator.session import (
    AuthResponse,
    Certificate,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Peer,
    Remark,
    Reply,
    Session,
    Trace,
    from_json,
    to_json,
)
from simulator.smtp import citations
from simulator.views import annotated, esa, grid, html, markdown, outline, prose, repairs, table
from simulator.views.lines import cells
from simulator.views.view import Story
from tests.views import sessions

GOLDEN = Path(__file__).parent / "golden"
RECORDED = Path(__file__).parents[1] / "sessions" / "documented.json"
STORY = {
    "en": Story("The documented session", "Why twice?", "The ledgers.", "It had to forget."),
    "pt_BR": Story(
        "A sessão documentada", "Por que duas?", "As duas memórias.", "Teve de esquecer."
    ),
}


@cache
def recorded() -> Explanation:
    return explain(from_json(RECORDED.read_bytes()))


# --- as they read ------------------------------------------------------------------------------

READS: dict[str, Callable[[], str]] = {
    "annotated.en.txt": lambda: annotated.render(recorded(), "en", story=STORY["en"]),
    "annotated.pt_BR.txt": lambda: annotated.render(recorded(), "pt_BR", story=STORY["pt_BR"]),
    "annotated.en.md": lambda: markdown.render(recorded(), "en", story=STORY["en"]),
    "esa.pt_BR.txt": lambda: esa.render(recorded(), "pt_BR"),
    "table.en.txt": lambda: table.render(recorded(), "en"),
}


@pytest.mark.parametrize("name", READS)
def test_reads_like_this(name: str) -> None:
    shown, golden = READS[name](), GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_the_recorded_session_reads_back_as_it_was_written() -> None:
    text = RECORDED.read_text(encoding="utf-8")
    assert to_json(from_json(text)) == text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("220 Go ahead with TLS", "220 Prossiga com o TLS"),
        ("220 2.0.0 Ready to start TLS", "220 2.0.0 Pronto para iniciar o TLS"),
        ("221-Bye", "221-Até logo"),
        ("250-STARTTLS", "250-STARTTLS"),
        ("220 go ahead with tls, said nobody", "220 go ahead with tls, said nobody"),
        ("Bye", "Bye"),
        ("", ""),
    ],
)
def test_only_known_prose_of_a_reply_is_translated(line: str, said: str) -> None:
    assert esa.translated(line, "pt_BR") == said
    assert esa.translated(line, "en") == line


@pytest.mark.parametrize(
    ("name", "number", "arrow"),
    [
        ("attacked", 3, "──▶"),  # what the client says
        ("attacked", 4, "◀──"),  # a reply that was kept back goes towards the client all the same
        ("attacked", 11, "══▶"),  # a command out of the server's buffer is for the server
        ("attacked", 12, "◀══"),
    ],
)
def test_an_arrow_points_to_whom_it_is_for(name: str, number: int, arrow: str) -> None:
    explanation = explain(sessions.ALL[name])
    [row] = [r for r in table.render(explanation).splitlines() if r.startswith(f"{number} ")]
    assert arrow in row
    [row] = [
        r for r in annotated.render(explanation).splitlines() if r.startswith(f"{number:>3}  ")
    ]
    assert re.search(arrow.replace("◀", "[◀✗]"), row)


# --- whatever is said --------------------------------------------------------------------------

PAYLOADS = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "comment": "<!-- x --> <?x?> <![CDATA[x]]>",
    "entity": "&lt;b&gt; &#60;i&#62; &nbsp;",
    "link": "[a](javascript:alert(1)) ![i](http://evil.example/x.png) <http://evil.example>",
    "bare link": "http://evil.example www.evil.example a@evil.example",
    "reference": "[x]: http://evil.example",
    "heading": "# INJECTED",
    "underline": "===",
    "list": "- INJECTED",
    "numbered": "1. INJECTED",
    "quote": "> INJECTED",
    "rule": "---",
    "pipes": "a | b | c || |",
    "emphasis": "**a** __b__ ~~c~~ *d* _e_",
    "backtick": "`",
    "closing fence": "````",
    "backticks": "``` a ```` b `````",
    "tildes": "~~~",
    "backslash": "\\",
    "lines": "a\r\nINJECTED\nINJECTED\n\n# INJECTED",
    "fence": "\n```\n# INJECTED\n```\n",
    "odd lines": "\u2028INJECTED\u2029INJECTED\x0bINJECTED\x0cINJECTED\x85INJECTED",
    "ansi": "\x1b[2J\x1b[31m\x1b]0;title\x07\x9b31m\x90",
    "bidi": "\u202eevil\u2066.example\u200b\ufeff",
    "marks": "e\u0301\u0302\u0303\u0304\u0305\u0306\u0307",
    "braces": "{argument} {0} {text.__class__} {{x}} %s %(x)s",
    "null": "\x00\x7f\udcff",
    "spaces": "    a\tb    ",
    "long": "x" * 5000,
}
each_payload = pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)


def spoken(text: str) -> Session:
    """A session in which everything that can hold text holds this."""
    name = f"m{text}"
    certificate = Certificate(subject=name, names=(name,), issuer=name)
    return Session(
        scenario=name,
        connection=name,
        source=name,
        client=Peer(name=name, address=text),
        server=Peer(name=name, address=text),
        events=(
            Connect(by="client"),
            Reply(by="server", code=220, lines=(name, name)),
            Remark(by="server", text=text),
            Command(by="client", verb="EHLO", argument=name),
            Reply(by="server", code=250, lines=(name, f"SIZE {text}", name, "STARTTLS")),
            Command(by="client", verb="", argument=name),
            Reply(by="server", code=0, lines=(name, name)),
            Reply(by="server", code=554, lines=(name,), lost=True),
            Reply(by="middlebox", code=250, lines=(name,)),
            Command(by="client", verb="STARTTLS"),
            Command(by="middlebox", verb="MAIL", argument=f"FROM:<{text}>"),
            Reply(by="server", code=220, lines=(name,)),
            Handshake(
                by="client", error="name-mismatch", detail=name, server_certificate=certificate
            ),
            Handshake(by="client", error="other", detail=name),
            Handshake(by="client", version="TLSv1.3", cipher=name, server_certificate=certificate),
            Command(by="middlebox", verb="MAIL", argument=f"FROM:<{text}>", stale=True),
            Command(by="client", verb="AUTH", argument=f"PLAIN {text}", secure=True),
            AuthResponse(by="client", text=name, secure=True),
            Command(by="client", verb="MAIL", argument=f"FROM:<m{text}> SIZE={text}", secure=True),
            Reply(by="server", code=530, lines=(name,), secure=True),
            Command(by="client", verb="XMINE", argument=text, secure=True),
            Message(by="client", size=3, raw=name.encode("utf-8", "replace"), secure=True),
            Trace(by="server", text=f"Received: from {name} by {name} with ESMTPS", secure=True),
            Disconnect(by="server", reason="closed"),
        ),
    )  # fmt: skip


TRANSLATED = """\
seg 16 de maio 18:34:30 2005 Informação: {text} Enviado: 'CORREIO DE:<{text}>'
seg 16 de maio 18:34:30 2005 Informação: 5165207 Recebido: ''250-TAMANHO {text}'
seg 16 de maio 18:34:30 2005 Informação: 5165207 Recebido: '250 ÇÃO {text}'
seg 16 de maio 18:34:30 2005 {text}: 5165207 rcvds: '250 OK'
"""


def _repairs(text: str, *, colour: bool = False) -> str:
    return repairs.render(restore(TRANSLATED.replace("{text}", text)), "pt_BR", colour=colour)


def _grid(text: str, *, colour: bool = False) -> str:
    cells = tuple(
        Cell(client="a", server=kind, middlebox="b", category=kind, code=503) for kind in LABELS
    )
    return grid.text(cells, {"a": text}, dict.fromkeys(LABELS, text), colour=colour)


TERMINAL: dict[str, Callable[[str], str]] = {
    "annotated": lambda text: annotated.render(explain(spoken(text)), story=Story(*[text] * 4)),
    "annotated, coloured": lambda text: annotated.render(
        explain(spoken(text)), "pt_BR", story=Story(*[text] * 4), colour=True
    ),
    "annotated, named by its session": lambda text: annotated.render(explain(spoken(text))),
    "table": lambda text: table.render(explain(spoken(text))),
    "esa": lambda text: esa.render(explain(spoken(text))),
    "repairs": _repairs,
    "repairs, coloured": lambda text: _repairs(text, colour=True),
    "grid": _grid,
    "grid, coloured": lambda text: _grid(text, colour=True),
}

COLOUR = re.compile(r"\x1b\[[0-9;]+m")
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@each_payload
@pytest.mark.parametrize("view", TERMINAL)
def test_nothing_steers_the_terminal(view: str, text: str) -> None:
    shown = TERMINAL[view](text)
    assert ("\x1b" in shown) == ("coloured" in view)
    plain = COLOUR.sub("", shown)
    assert not STEERING.search(plain)
    assert plain.splitlines() == plain.removesuffix("\n").split("\n")
    assert [line for line in plain.splitlines() if line.startswith("INJECTED")] == []
    assert "\udcff" not in plain


@pytest.mark.parametrize("view", TERMINAL)
def test_braces_are_no_placeholders(view: str) -> None:
    braces = "{argument} {0} {text.__class__}"
    assert braces in re.sub(r"\s+", " ", COLOUR.sub("", TERMINAL[view](braces)))


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def parsed(source: str) -> Iterator[Token]:
    for token in READER.parse(source):
        yield token
        yield from token.children or ()


def kinds(source: str) -> Counter[str]:
    """How often each kind of thing stands in the Markdown; of a link, where it goes."""
    return Counter(
        str(token.attrs.get("href", token.type)).partition("#")[0] for token in parsed(source)
    )


def as_markdown(text: str) -> tuple[str, Explanation]:
    explanation = explain(spoken(text))
    return markdown.render(explanation, story=Story(*[f"m{text}"] * 4)), explanation


def check(text: str) -> None:
    """All that stands in the Markdown is what the view puts there."""
    source, explanation = as_markdown(text)
    assert not STEERING.search(source)
    rows = outline.of(explanation).rows
    notes = [note for row in rows for note in row.notes]
    causes = prose.causes_of(explanation)
    changes = [
        list(prose.changes(row, side, "en")) for row in rows for side in ("server", "client")
    ]
    found = kinds(source)
    links = {kind: found.pop(kind) for kind in list(found) if "://" in kind}
    assert {link.rpartition("/")[0] for link in links} <= {"https://www.rfc-editor.org/rfc"}
    assert found.pop("fence") == sum(bool(row.text) for row in rows)
    assert found.pop("heading_open") == 1 + 2 + len(rows) + len(causes)
    assert found.pop("blockquote_open") == len(notes)
    assert found.pop("list_item_open") == sum(map(len, changes))
    assert found.pop("strong_open") == (
        4
        + 4 * len(causes)
        + sum(bool(citations()[note.citation].keyword) for note in notes)
        + sum(not note.met for note in notes)
    )
    assert {kind for kind in found if not kind.endswith("_close")} <= {
        "inline", "text", "text_special", "paragraph_open", "bullet_list_open", "code_inline",
        "softbreak",
    }  # fmt: skip
    commands = sum(bool(reason.cause.experiment) for reason in causes)
    assert found["code_inline"] == 2 + commands + len(causes)


@each_payload
def test_nothing_becomes_markdown(text: str) -> None:
    check(text)


@given(st.text(" `*_[]()#<>|~!\\\n\r&;:{}$@-+.=1\t\u2028\x1b\u202ex"))
def test_nothing_that_can_be_typed_becomes_markdown(text: str) -> None:
    check(text)


def test_markdown_shows_what_was_said() -> None:
    """Rendered, an escaped text is the text itself."""
    for name in ("html", "link", "emphasis", "pipes", "backticks", "heading", "braces"):
        text = PAYLOADS[name]
        inline = READER.parse(markdown.escape(text))[1]
        assert "".join(token.content for token in inline.children or ()) == text
        span = READER.parseInline(markdown.code(text))[0].children
        assert [(token.type, token.content) for token in span or ()] == [("code_inline", text)]
        [block] = READER.parse("\n".join(markdown.fence([text, "x"])))
        assert (block.type, block.content) == ("fence", f"{text}\nx\n")


def test_readers_that_link_by_themselves_find_no_link() -> None:
    """GitHub makes links of bare addresses; outside code none may look like one."""
    source = re.sub(
        r"(?ms)^(`{3,})text\n.*?^\1$|`+[^`]+`+", "", as_markdown(PAYLOADS["bare link"])[0]
    )
    assert "evil" in source
    assert not re.search(r"http://|www\.evil|a@evil", source)


@each_payload
def test_a_row_of_the_matrix_stays_a_row(text: str) -> None:
    cells = tuple(
        Cell(client=client, server=kind, middlebox="b", category=kind, code=503)
        for client in "ab"
        for kind in LABELS
    )
    text = f"m{text}m"
    said, plain = (dict.fromkeys(["a", "b", *LABELS], title) for title in (text, "x"))
    servers = list(LABELS)
    source, expected = (
        grid.markdown(cells, {"a": t["a"], "b": t["b"]}, {server: t[server] for server in servers})
        for t in (said, plain)
    )
    assert kinds(source) == kinds(expected)


FORGOTTEN = """\
220 a.example.com ESMTP
EHLO b.example.com
250-a.example.com
250 STARTTLS
STARTTLS
220 Go ahead
TLS connection established: TLSv1.3
MAIL FROM:<a@example.com>
503 Send hello first
"""


@pytest.mark.parametrize(
    ("address", "language", "shown"),
    [
        ("", "en", "On the site: causes/#second-ehlo-not-sent"),
        ("http://h:8/x/", "en", "On the site: http://h:8/x/en/causes/#second-ehlo-not-sent"),
        ("https://h", "pt_BR", "No site: https://h/pt-BR/causes/#second-ehlo-not-sent"),
        ("https://h", "de", "Auf der Website: https://h/en/causes/#second-ehlo-not-sent"),
        ("javascript:alert(1)", "en", "On the site: causes/#second-ehlo-not-sent"),
    ],
)
def test_a_cause_points_at_the_site(
    address: str, language: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(prose.SITE, address)
    (session,) = formats.read(FORGOTTEN)
    explanation = explain(session)
    assert shown in annotated.render(explanation, language)
    assert re.sub("[`<>]", "", markdown.render(explanation, language)).count(shown) == 1
    page = shown.partition(": ")[2]
    link = f'<a href="{page}">{page}</a>' if "://" in page else f"<code>{page}</code>"
    assert link in "".join(html.render([explanation], language))


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_a_table_is_as_wide_as_the_page(width: int) -> None:
    lines = table.render(recorded(), "en", width=width).splitlines()
    assert max(map(cells, lines)) <= width
    assert "EHLO mx4" in lines[4]


def test_a_table_can_be_read_on_the_narrowest_page() -> None:
    assert "+EHLO mx4.examp" in table.render(recorded(), "en", width=20)
