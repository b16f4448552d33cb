"""The sequence diagram: everything is there, in its place, and does nothing but stand there."""

from __future__ import annotations

import gettext
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from simulator import lab, language, replay
from simulator.explainer import explain
from simulator.session import Session
from simulator.views import drawing, narrow
from simulator.views.canvas import Canvas, Form, UnknownForm
from tests.golden import same
from tests.views import sessions
from tests.views.sheets import collisions, outside, sheet, size, texts, words

GOLDEN = Path(__file__).parent / "golden"


class Wordy(gettext.NullTranslations):
    """A language that needs half as many letters again."""

    def gettext(self, message: str) -> str:
        return f"{message} {'wörtlich ' * (1 + len(message) // 20)}".rstrip()


class Ideographic(gettext.NullTranslations):
    """A language without spaces, whose letters DejaVu lacks."""

    def gettext(self, message: str) -> str:
        import re

        tokens = re.findall(r"\{\w+\}", message)
        return "客户端和服务器都忘记了、" * (1 + len(message) // 24) + "".join(tokens)


SHEETS = {"drawing": drawing, "narrow": narrow}
both = pytest.mark.parametrize("sheet_of", SHEETS.values(), ids=SHEETS)


def draw(
    session: Session, form: Form = "svg", title: str = "", sheet_of: ModuleType = drawing
) -> bytes:
    drawn: bytes = sheet_of.render(explain(session), form=form, title=title)
    return drawn


@pytest.mark.parametrize("name", SHEETS)
def test_reads_like_this(name):
    expected = GOLDEN / f"{name}.documented.txt"
    svg = draw(sessions.documented(), title="Why EHLO twice?", sheet_of=SHEETS[name])
    assert same(expected, words(svg))


@both
@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
@pytest.mark.parametrize("catalogue", [gettext.NullTranslations, Wordy, Ideographic])
def test_no_text_meets_another_or_leaves_the_sheet(session, catalogue, sheet_of, monkeypatch):
    monkeypatch.setattr(language, "_catalogue", lambda code: catalogue())
    svg = draw(session, title="A title of some length " * 4, sheet_of=sheet_of)
    assert collisions(svg) == []
    assert outside(svg) == []


@both
@pytest.mark.parametrize("cut", range(len(sessions.documented().events) + 1))
def test_draws_a_session_cut_after_any_event(cut, sheet_of):
    svg = draw(sessions.documented().until(cut), sheet_of=sheet_of)
    assert collisions(svg) == []
    assert outside(svg) == []


@both
@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_gives_the_same_bytes_every_time(form, sheet_of):
    first, second = (draw(sessions.documented(), form, sheet_of=sheet_of) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("session", sessions.ALL.values(), ids=sessions.ALL)
def test_a_telephone_has_room_for_the_narrow_sheet_and_its_letters_can_be_read(session):
    svg = draw(session, sheet_of=narrow)
    assert size(svg)[0] == 360
    assert min(p.bottom - p.top for p in texts(svg)) > 10.49


@pytest.mark.parametrize("name", [scenario.name for scenario in lab.scenarios()])
def test_each_experiment_fits_the_narrow_sheet(name):
    """Played for real: what the pages show."""
    svg = narrow.render(replay(name), title=name)
    assert collisions(svg) == []
    assert outside(svg) == []


def test_a_fact_follows_its_line_beside_whoever_learned_it():
    found = texts(draw(sessions.documented(), sheet_of=narrow))
    said, learned, forgotten, *_ = (p for p in found if p.text == "EHLO mx4.example.com")
    assert said.left < 60 < 300 < learned.right
    (offered,) = (p for p in found if p.text == "250 STARTTLS")
    kept, gone, *_ = (p for p in found if p.text == "250 eq-c601.example.com")
    assert kept.left < 60
    assert said.bottom < learned.top < offered.top < offered.bottom < kept.top
    (band,) = (p for p in found if p.text == "Both sides forget")
    (inside, *_) = (p for p in found if p.text == "inside TLS")
    for struck in (gone, forgotten):
        assert band.bottom < struck.top < struck.bottom < inside.top


def test_a_user_s_matplotlib_settings_change_nothing(monkeypatch):
    import matplotlib

    before = draw(sessions.nasty())
    for key, value in {"text.usetex": True, "font.size": 40, "svg.fonttype": "path"}.items():
        monkeypatch.setitem(matplotlib.rcParams, key, value)
    assert draw(sessions.nasty()) == before


def test_facts_are_learned_struck_out_and_learned_again():
    found = [p.text for p in texts(draw(sessions.documented()))]
    assert found.count("EHLO mx4.example.com") == 5  # twice on the wire, thrice in the ledger
    assert found.count("8BITMIME") == 3
    assert found.count("STARTTLS") == 3  # on the wire, learned, forgotten; never again


def test_what_is_struck_out_can_be_read(monkeypatch):
    """A level line through a name would hide its hyphens."""
    struck, line = [], Canvas.line

    def watched(self, points, *args, **more):
        if more.get("z") == 6:
            struck.append(points)
        line(self, points, *args, **more)

    monkeypatch.setattr(Canvas, "line", watched)
    draw(sessions.documented())
    assert len(struck) > 4
    assert [points for points in struck if points[0][1] == points[1][1]] == []


def test_a_middlebox_gets_a_lifeline_of_its_own():
    attacked, plain = draw(sessions.attacked()), draw(sessions.documented())
    assert "on the path" in [p.text for p in texts(attacked)]
    assert "on the path" not in [p.text for p in texts(plain)]
    assert size(attacked)[0] > size(plain)[0]


def test_broken_rules_are_named_with_place_and_level():
    assert "RFC 3207 §4.2 SHOULD · breaks a SHOULD" in words(draw(sessions.attacked()))


def test_implicit_tls_has_nothing_to_forget():
    assert "Both sides forget" not in words(draw(sessions.implicit()))


@both
def test_a_very_long_session_says_what_is_not_drawn(sheet_of):
    events = sessions.documented().events
    many = Session(events=events[:9] + events[9:11] * 200)
    assert "169 more events are not drawn." in words(draw(many, sheet_of=sheet_of))


def test_an_svg_is_named_and_described():
    root = sheet(draw(sessions.documented(), title="Why <b>twice</b>?"))
    assert root.attrib["role"] == "img"
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert root[0].text == "Why <b>twice</b>?"
    assert "8. (inside TLS) The client introduces itself again" in (root[1].text or "")


def test_an_svg_holds_texts_and_lines_and_nothing_that_acts():
    root = sheet(draw(sessions.nasty()))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "style", "g", "path", "text", "defs", "clipPath"}
    attributes = {name.rpartition("}")[2] for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or name == "href"]


def test_hostile_text_is_shown_as_text():
    svg = draw(sessions.nasty()).decode()
    shown = words(svg.encode())
    assert "<script>alert(1)</script>$x^2$" in shown
    assert "\\x1b[31mred\\u202egnp.exe" in shown
    assert not set(svg) & set("\x00\x1b\x9b\u202e\u200b")


def test_a_cut_text_is_whole_in_its_title():
    svg = draw(sessions.long_names())
    titles = [element.text for element in sheet(svg).iter("{http://www.w3.org/2000/svg}title")]
    assert f"250 {sessions.LONG}" in titles


def test_a_png_is_fit_for_a_wall_and_never_beyond_what_programs_open():
    drawn = Image.open(io.BytesIO(draw(sessions.documented(), "png")))
    assert drawn.width == 2208
    events = sessions.documented().events
    longest = Session(events=events[:9] + events[9:11] * 200)
    assert max(Image.open(io.BytesIO(draw(longest, "png"))).size) <= 30_000


def test_without_a_font_for_the_language_a_png_is_in_english(monkeypatch):
    monkeypatch.setattr(drawing, "languages", lambda: {"en": "English", "xx": "\U00012000"})
    monkeypatch.setattr(language, "_catalogue", _only_english)
    assert drawing.render(explain(sessions.documented()), "xx", "png")
    with pytest.raises(language.UnknownLanguage):
        drawing.render(explain(sessions.documented()), "xx", "svg")


def _only_english(code: str) -> gettext.NullTranslations:
    if code != "en":
        raise language.UnknownLanguage(code)
    return gettext.NullTranslations()


def test_an_unknown_form_is_refused():
    with pytest.raises(UnknownForm, match="there are svg, png, pdf"):
        draw(sessions.documented(), "gif")  # type: ignore[arg-type]


def test_matplotlib_is_loaded_only_to_draw():
    code = "import sys, simulator.views.drawing; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
