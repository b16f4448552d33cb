"""The player in a real browser: what it shows, how it is moved, and what it does not let happen."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from simulator.explainer import Explanation, explain
from simulator.language import languages
from simulator.session import Command, Session
from simulator.views import player
from tests import recording
from tests.browser.conftest import Open, holds
from tests.browser.conftest import shown as on_screen
from tests.views import sessions

pytestmark = pytest.mark.needs("chromium")

HANDSHAKE = 6
LAST = 20
PLAYER = "document.querySelector('smtp-session')"
OPEN_BYTES = f"{PLAYER}.shadowRoot.querySelectorAll('details').forEach(d => {{ d.open = true }})"
EAVESDROP = f"{PLAYER}.setAttribute('view', 'eavesdropper')"
EMPTY_ROOM = """stage => {
    const parts = [...stage.querySelectorAll(":scope > .now, :scope > .ledger, :scope > .notes")];
    const ends = part => Math.max(...[part, ...part.querySelectorAll("*")].filter(
        node => !node.childElementCount && node.textContent.trim() && node.getClientRects().length
    ).map(node => node.getBoundingClientRect().bottom), 0);
    const floor = Math.max(...parts.map(part => part.getBoundingClientRect().bottom));
    const drive = stage.querySelector(".drive").getBoundingClientRect();
    const foot = drive.top > Math.max(...parts.map(ends)) ? drive.top : floor;
    return foot - Math.max(...parts.map(ends));
}"""
AS_LIST = f"{PLAYER}.shadowRoot.querySelector('button.list').click()"


@cache
def documented() -> Explanation:
    return explain(sessions.documented())


@cache
def broken() -> Explanation:
    """The client skips the second EHLO, and with it two rules."""
    session = sessions.documented()
    events = (*session.events[:7], sessions.command("MAIL", "FROM:<a@example.com>", True))
    return explain(Session(events=events))


@cache
def recorded() -> Explanation:
    return explain(recording.record())


def told(explanation: Explanation, language: str = "en") -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads(player.data([explanation], language))["sessions"][0][
        "steps"
    ]
    return steps


def step_of(page: Page, which: int = 0) -> int:
    """The index of the step that is shown."""
    index: int = page.locator("smtp-session").nth(which).evaluate("player => player.step")
    return index


def go(page: Page, index: int) -> None:
    page.locator("smtp-session").first.evaluate("(player, to) => { player.step = to }", index)


def look_as(page: Page, view: str) -> None:
    page.locator("smtp-session").first.evaluate("(player, view) => { player.view = view }", view)


def known(page: Page, side: str) -> list[str]:
    return page.locator(f".ledger.{side} .known .label").all_inner_texts()


def everything(page: Page) -> str:
    """All that stands in the player, seen or not."""
    text: str = page.evaluate("document.querySelector('smtp-session').shadowRoot.textContent")
    return text


@pytest.mark.parametrize(
    ("explanation", "question"),
    [
        (documented, "Why does the client say EHLO twice?"),
        (broken, "What happens in this session?"),
    ],
)
def test_the_poster_asks_what_the_session_shows(
    open_page: Open, explanation: Callable[[], Explanation], question: str
) -> None:
    page = open_page(player.render(explanation(), "en"))
    expect(page.locator(".poster .question")).to_have_text(question)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_whole_session_by_mouse(
    open_page: Open, width: int, scheme: str, language: str
) -> None:
    page = open_page(player.render(documented(), language), width=width, color_scheme=scheme)
    page.locator(".poster").click()
    page.locator(".toggle").click()
    page.locator("button.first").click()
    for step in told(documented(), language):
        assert step_of(page) == step["index"]
        expect(page.locator(".now .meaning")).to_have_text(step["meaning"])
        expect(page.locator(".notes .note:not(.outcome)")).to_have_count(len(step["notes"]))
        for side in ("client", "server"):
            assert known(page, side) == [fact["label"] for fact in step["ledger"][side]]
        current = page.locator(".steps [aria-current=step]")
        expect(current).to_have_count(1)
        for line in step["text"]:
            expect(current).to_contain_text(line.strip())
        page.locator("button.next").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_move_and_nothing_else_takes_them(open_page: Open) -> None:
    page = open_page(player.render(documented()))
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 1
    page.keyboard.press("End")
    assert step_of(page) == LAST
    page.keyboard.press("ArrowRight")
    assert step_of(page) == LAST
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == LAST - 1
    page.keyboard.press("Home")
    assert step_of(page) == 0
    page.locator(".time input").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 2
    page.locator(".steps [aria-current=step]").focus()
    page.keyboard.press("ArrowDown")
    assert step_of(page) == 3
    assert page.locator(".steps [aria-current=step]").evaluate("node => node.matches(':focus')")
    page.locator(".views input[value=client]").focus()
    page.keyboard.press("ArrowRight")
    assert (step_of(page), page.locator("smtp-session").get_attribute("view")) == (3, "server")


def test_space_plays_to_the_end_and_stops(open_page: Open) -> None:
    page = open_page(player.render(documented()))
    page.clock.install()
    page.keyboard.press("Space")
    expect(page.locator(".toggle")).to_have_attribute("aria-label", "Pause")
    page.clock.run_for(20_000)
    assert step_of(page) >= 1
    page.clock.run_for(60_000 * LAST)
    assert step_of(page) == LAST
    expect(page.locator(".toggle")).to_have_attribute("aria-label", "Play")
    page.locator(".toggle").click()
    assert step_of(page) == 0


def test_the_slider_and_the_wire_are_taken_with_the_mouse(open_page: Open) -> None:
    page = open_page(player.render(documented()))
    box = page.locator(".time input").bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert step_of(page) == LAST
    page.locator(".steps li").nth(4).locator("button").click()
    assert step_of(page) == 4


def test_what_was_said_in_the_clear_falls_and_grows_back(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=6")
    clear = [
        "220 eq-c601.example.com",
        "250 eq-c601.example.com",
        "8BITMIME",
        "SIZE 10485760",
        "STARTTLS",
    ]
    assert known(page, "client") == clear
    assert page.locator(".ledger.client .known .fact.secure").count() == 0
    page.locator("button.next").click()
    fallen = page.locator(".ledger.client .fallen s")
    assert fallen.all_inner_texts() == clear
    assert page.locator(".ledger.client .falls").count() == len(clear)
    assert page.locator(".ledger.server .fallen s").all_inner_texts() == ["EHLO mx4.example.com"]
    expect(page.locator(".state")).to_have_text("TLS 1.3")
    page.locator("button.next").click()
    assert page.locator(".ledger.server .fallen").count() == 0
    page.locator("button.next").click()
    # The greeting comes only once, and STARTTLS is not offered inside TLS: these never come back.
    assert fallen.all_inner_texts() == ["220 eq-c601.example.com", "STARTTLS"]
    grown = page.locator(".ledger.client .fact.new.secure .label").all_inner_texts()
    assert grown == ["250 eq-c601.example.com", "8BITMIME", "SIZE 10485760"]


def test_the_handshake_is_a_scene_of_its_own(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=6")
    scene = page.locator(".scene")
    expect(scene).to_be_hidden()
    page.locator("button.next").click()
    expect(scene.locator(".band")).to_have_text("Both sides forget")
    fallen = page.locator(".ledger .fallen s").all_inner_texts()
    assert scene.locator("s").all_inner_texts() == fallen
    look_as(page, "server")
    expect(scene.locator(".band")).to_have_text("The server forgets")
    look_as(page, "eavesdropper")
    expect(scene).to_be_hidden()
    look_as(page, "all")
    page.locator("button.next").click()
    expect(scene).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_scene_hides_neither_the_handshake_nor_itself(open_page: Open, width: int) -> None:
    page = open_page(player.render(documented()), "#t=7", width=width, reduced_motion="reduce")
    row = page.locator(".steps .current .said").bounding_box()
    scene = page.locator(".scene").bounding_box()
    wire = page.locator(".wire").bounding_box()
    assert row
    assert scene
    assert wire
    assert row["y"] + row["height"] <= scene["y"] + scene["height"] / 2
    assert wire["y"] < row["y"]
    assert scene["y"] + scene["height"] <= wire["y"] + wire["height"] + 1


def test_chapters_lead_to_where_the_session_turns(open_page: Open) -> None:
    page = open_page(player.render(documented()))
    chapters = page.locator(".chapters button")
    said = ["EHLO", "STARTTLS", "TLS", "EHLO", "MAIL", "QUIT"]
    assert chapters.all_inner_texts() == said
    chapters.nth(3).click()
    assert step_of(page) == HANDSHAKE + 1
    expect(chapters.nth(3)).to_have_attribute("aria-current", "step")
    page.locator("button.next").click()
    expect(chapters.nth(3)).to_have_attribute("aria-current", "step")
    page.keyboard.press("Home")
    assert page.locator(".chapters [aria-current]").count() == 0


def test_playing_gives_time_to_read_and_more_or_less_of_it(open_page: Open) -> None:
    """Some 200 words a minute; the first step says less than ten."""
    page = open_page(player.render(documented()))
    # Else the time that a busy machine takes is added to it.
    page.clock.install(time=0)
    page.clock.pause_at(60)
    speed = page.locator("button.speed")
    expect(speed).to_have_attribute("aria-label", "Speed: 1×")
    meaning = told(documented())[0]["meaning"]
    wait = 1200 + 55 * len(meaning)
    page.keyboard.press("Space")
    page.clock.run_for(wait - 200)
    assert step_of(page) == 0
    page.clock.run_for(400)
    assert step_of(page) == 1
    page.keyboard.press("Home")
    speed.click()
    expect(speed).to_have_attribute("aria-label", "Speed: 2×")
    page.locator(".toggle").click()
    page.clock.run_for(wait // 2 + 200)
    assert step_of(page) == 1


def test_it_stops_before_what_is_worth_predicting(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=5")
    page.clock.install()
    page.locator("button.predict").click()
    page.locator(".toggle").click()
    stops = []
    for _ in range(2):
        page.clock.run_for(600_000)
        expect(page.locator(".ask")).to_contain_text("What comes next?")
        expect(page.locator("[aria-live=polite]")).to_contain_text("What comes next?")
        expect(page.locator(".toggle")).to_have_attribute("aria-label", "Play")
        stops.append(step_of(page))
        page.locator(".toggle").click()
    page.clock.run_for(600_000)
    assert (stops, step_of(page)) == ([HANDSHAKE - 1, HANDSHAKE], LAST)


def test_who_listens_forgets_nothing(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=6")
    look_as(page, "eavesdropper")
    heard = known(page, "eavesdropper")
    assert {"EHLO mx4.example.com", "STARTTLS"} <= set(heard)
    expect(page.locator(".ledger.client")).to_be_hidden()
    page.keyboard.press("End")
    go(page, LAST)
    assert known(page, "eavesdropper") == heard
    look_as(page, "all")
    expect(page.locator(".ledger.eavesdropper")).to_be_hidden()


def test_a_fact_leads_to_the_line_that_taught_it(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=5")
    page.locator(".ledger.client .known .fact", has_text="SIZE").click()
    assert told(documented())[step_of(page)]["text"][0].startswith("250")


@pytest.mark.parametrize("width", [390, 1280])
def test_what_stands_below_does_not_jump_up(open_page: Open, width: int) -> None:
    page = open_page(player.render(documented()), "#t=1", width=width, reduced_motion="reduce")
    tops = []
    for index in range(LAST):
        go(page, index)
        tops.append(page.locator("smtp-session").evaluate("player => player.offsetHeight"))
    assert tops == sorted(tops)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
def test_a_telephone_shows_the_controls_and_no_empty_room_at_any_step(
    open_page: Open, width: int, height: int
) -> None:
    page = open_page(player.render(documented()), "#t=1", width=width, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": height})
    heights, empty = set(), []
    for index in range(LAST + 1):
        go(page, index)
        on_screen(page)
        box = page.locator("smtp-session").bounding_box()
        drive = page.locator(".drive").bounding_box()
        assert box
        assert drive
        assert drive["y"] + drive["height"] - box["y"] <= height
        heights.add(round(box["height"]))
        empty.append(page.locator(".stage").evaluate(EMPTY_ROOM))
    assert max(heights) - min(heights) <= 1
    assert max(empty) <= 80


def test_on_a_telephone_what_is_new_is_in_sight(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=1", width=390, reduced_motion="reduce")
    shown = 0
    for index in range(LAST + 1):
        go(page, index)
        for side in ("client", "server"):
            ledger = page.locator(f".ledger.{side}")
            fresh = ledger.locator(".new").first
            if fresh.count():
                box, within = fresh.bounding_box(), ledger.bounding_box()
                assert box
                assert within
                at, ends = box["x"] - within["x"], within["width"]
                assert at >= 0
                assert box["height"] < 40
                assert at < ends / 2 or at + box["width"] <= ends
                shown += 1
    assert shown > 3


def test_a_broken_rule_says_so_with_its_level_and_its_source(open_page: Open) -> None:
    page = open_page(player.render(broken()), "#t=8")
    notes = page.locator(".notes .note.broken")
    expect(notes.first).to_contain_text("Rule broken")
    expect(notes.first.locator(".level")).to_have_text("breaks a MUST")
    expect(notes.first.locator(".keyword")).to_have_text("MUST")
    expect(notes.first.locator("a")).to_have_attribute("href", told(broken())[7]["notes"][0]["url"])
    expect(page.locator(".steps li.broken")).to_have_count(1)
    expect(page.locator(".track .dot.broken")).to_have_count(1)


def test_the_address_leads_to_the_step_and_follows_it(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=7")
    assert step_of(page) == 6
    expect(page.locator(".poster")).to_be_hidden()
    page.locator("button.next").click()
    assert page.url.endswith("#t=8")
    page.evaluate("location.hash = '#t=3'")
    holds(page, "document.querySelector('smtp-session').step === 2")
    page.goto(page.url.split("#")[0] + "#t=99")
    holds(page, f"document.querySelector('smtp-session').step === {LAST}")


def two_players(data: str) -> dict[str, str]:
    return {
        "": """<!doctype html><html lang="en"><title>Two</title>
<smtp-session src="one.json" start="2"></smtp-session>
<smtp-session src="one.json" id="b" view="server"></smtp-session>
<script type="module" src="player.js"></script>""",
        "one.json": data,
        "player.js": player.script(),
    }


def test_two_players_keep_their_steps_apart_or_in_step(open_page: Open) -> None:
    page = open_page(two_players(player.data([documented()])), "#b:t=5")
    holds(page, "[...document.querySelectorAll('smtp-session')].every(p => p.length)")
    assert (step_of(page, 0), step_of(page, 1)) == (1, 4)
    page.locator("smtp-session").first.locator("button.next").click()
    assert page.url.endswith("#t=3")
    page.locator("#b").locator("button.next").click()
    assert page.url.endswith("#b:t=6")
    page.evaluate(
        """() => {
            const players = [...document.querySelectorAll("smtp-session")];
            for (const one of players) one.addEventListener("smtp-step", ({ detail }) => {
                for (const other of players) other.step = detail.index;
            });
        }"""
    )
    page.locator("#b").locator("button.last").click()
    assert (step_of(page, 0), step_of(page, 1)) == (LAST, LAST)


def test_a_session_that_cannot_be_loaded_says_so(open_page: Open) -> None:
    files = two_players("no JSON")
    page = open_page(files)
    expect(page.locator("smtp-session").first.get_by_role("alert")).to_be_visible()


def test_an_eavesdropper_reads_the_clear_and_only_sizes_of_the_rest(open_page: Open) -> None:
    page = open_page(player.render(recorded()))
    look_as(page, "eavesdropper")
    seen = ""
    for step in told(recorded()):
        go(page, step["index"])
        page.locator(".now summary").evaluate_all(
            "all => all.forEach(one => { one.parentNode.open = true })"
        )
        seen += everything(page)
    assert "STARTTLS" in seen
    secret = ["MAIL FROM", "RCPT TO", "World", "AUTH PLAIN"]
    assert [word for word in secret if word in seen] == []
    session = recorded().session
    index = next(i for i, e in enumerate(session.events) if e.secure)
    [span] = session.events[index].wire
    row = page.locator(".steps li").nth(index)
    expect(row).to_contain_text(f"TLS records: 1; octets: {span.end - span.start}")


def test_each_side_sees_its_own_end_of_a_forged_session(open_page: Open) -> None:
    page = open_page(player.render(explain(sessions.attacked())))
    rows = page.locator(".steps li")
    expect(page.locator(".figure.middlebox")).to_be_visible()
    expect(rows.nth(3)).to_contain_text("held back on the path")
    expect(rows.nth(6)).to_contain_text("made on the path")
    expect(rows.nth(10)).to_contain_text("out of the old buffer")
    page.locator(".poster").click()
    for view, hidden, shown in (("client", (3, 6, 10), (4, 8)), ("server", (4, 8), (3, 6, 10))):
        look_as(page, view)
        assert "on the path" not in page.locator(".steps").inner_text()
        expect(page.locator(".figure.middlebox")).to_be_hidden()
        for index in hidden:
            assert "unseen" in (rows.nth(index).get_attribute("class") or "")
        for index in shown:
            assert "unseen" not in (rows.nth(index).get_attribute("class") or "")
            go(page, index)
            expect(page.locator(".meaning")).to_have_text(
                "From here this looks like any other line."
            )
        other = "server" if view == "client" else "client"
        expect(page.locator(f".ledger.{other}")).to_contain_text("Cannot be seen from here")


def test_hostile_text_stands_there_and_does_nothing(open_page: Open) -> None:
    page = open_page(player.render(explain(sessions.nasty())))
    for index in range(len(sessions.nasty().events)):
        go(page, index)
        text = everything(page)
        raw = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n"}
        assert raw == set()
    assert "<script>alert(1)</script>" in text
    assert "\\x1b[31mred\\u202egnp.exe" in text
    inside = "document.querySelector('smtp-session').shadowRoot"
    assert page.evaluate(f"{inside}.querySelectorAll('script, img, iframe, object').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("name", ["failed", "implicit", "long names", "sixty", "empty"])
@pytest.mark.parametrize("width", [1280, 390])
def test_any_session_fits(open_page: Open, name: str, width: int) -> None:
    session = sessions.ALL[name]
    page = open_page(player.render(explain(session)), width=width)
    page.keyboard.press("End")
    assert step_of(page) == max(0, len(session.events) - 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_bytes_are_those_of_the_wire(open_page: Open) -> None:
    page = open_page(player.render(recorded()))
    session = recorded().session
    wanted = [i for i, event in enumerate(session.events) if event.wire]
    for index in wanted:
        event = session.events[index]
        go(page, index)
        page.locator("details").evaluate("node => { node.open = true }")
        dumps = page.locator("details pre").all_inner_texts()
        shown = [bytes.fromhex("".join(row[6:53] for row in dump.splitlines())) for dump in dumps]
        said = [event.raw] if event.secure else []
        assert b"".join(shown) == b"".join(said + [session.bytes_at(s) for s in event.wire])


def test_a_screen_reader_hears_each_step(open_page: Open) -> None:
    page = open_page(player.render(documented()), "#t=6")
    live = page.locator("[aria-live=polite]")
    expect(live).to_be_empty()
    page.locator("button.next").click()
    for part in ("Step 7 of 21", "TLS handshake", "The client forgets: 220 eq-c601", "STARTTLS"):
        expect(live).to_contain_text(part)
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "Step 7 of 21: TLS handshake")


def test_no_motion_where_the_reader_wants_none(open_page: Open) -> None:
    running = "document.querySelector('smtp-session').shadowRoot.getAnimations().length"
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = open_page(player.render(documented()), "#t=6", reduced_motion=motion)
        page.locator("button.next").click()
        assert bool(page.evaluate(running)) is moves
    page = open_page(two_players(player.data([documented()])), reduced_motion="reduce")
    page.evaluate("document.querySelector('smtp-session').setAttribute('autoplay', '')")
    page.evaluate("document.body.append(document.querySelector('smtp-session'))")
    assert page.evaluate("document.querySelector('smtp-session').playing") is False


@pytest.mark.parametrize("paper", [True, False])
def test_the_list_and_the_paper_hold_everything(open_page: Open, paper: bool) -> None:
    page = open_page(player.render(documented()))
    if paper:
        page.emulate_media(media="print")
        expect(page.locator(".controls")).to_be_hidden()
    else:
        page.get_by_role("button", name="Show as a list").click()
    for step in told(documented()):
        row = page.locator(".steps li").nth(step["index"])
        expect(row.locator(".more > p").first).to_be_visible()
        expect(row).to_contain_text(step["meaning"])
        for note in step["notes"]:
            expect(row).to_contain_text(note["quote"])
    outcome = json.loads(player.data([documented()]))["sessions"][0]["verdict"]["outcome"]
    expect(page.locator(".steps .outcome")).to_contain_text(outcome)
    expect(page.locator(".steps .outcome")).to_be_visible()
    expect(page.locator(".ledger.client")).to_be_hidden()


def test_the_keyboard_gets_to_facts_that_scroll_at_once(open_page: Open) -> None:
    page = open_page(player.render(documented()), width=390)
    focusable = page.locator("smtp-session").evaluate(
        """player => {
            player.step = 7;
            const list = player.shadowRoot.querySelector(".client .known");
            return [list.scrollWidth > list.clientWidth, list.tabIndex];
        }"""
    )
    assert focusable == [True, 0]


def test_without_scripts_the_session_is_a_list(open_page: Open) -> None:
    page = open_page(player.render(documented()), java_script_enabled=False)
    expect(page.locator("ol > li")).to_have_count(LAST + 1)
    expect(page.locator("ol > li").nth(HANDSHAKE)).to_be_visible()


def test_a_fragment_may_stand_on_a_page_twice(open_page: Open) -> None:
    piece = player.fragment(documented())
    page = open_page(f"<!doctype html><title>Notebook</title>{piece}{piece}")
    expect(page.locator("smtp-session .poster")).to_have_count(2)
    page.locator("smtp-session").nth(1).locator("button.last").click()
    assert (step_of(page, 0), step_of(page, 1)) == (0, LAST)
    assert "#" not in page.url


def test_exactly_the_labels_that_python_hands_over_are_asked_for(open_page: Open) -> None:
    page = open_page(two_players(player.data([documented()])))
    login = Session(
        events=(
            sessions.command("AUTH", "PLAIN AGFuYQBzZWNyZXQ=", True),
            sessions.reply(235, "OK", secure=True),
            Command(by="message", secure=True, verb="NOOP"),
        )
    )
    asked = set()
    for session in (*sessions.ALL.values(), recorded().session, broken().session, login):
        asked |= set(
            page.evaluate(
                """data => {
                    const asked = new Set();
                    const get = (_, label) => { asked.add(label); };
                    const player = document.querySelector("smtp-session");
                    player.data = { ...data, labels: new Proxy({}, { get }) };
                    for (const view of ["eavesdropper", "client", "server", "all"]) {
                        player.view = view;
                        player.shadowRoot.querySelector("button.next")?.click();
                        for (let index = 0; index < player.length; index++) player.step = index;
                    }
                    player.play();
                    player.pause();
                    return [...asked];
                }""",
                json.loads(player.data([explain(session)])),
            )
        )
    elsewhere = {"The session could not be loaded.", "What comes next? Say it first, then go on."}
    assert asked | elsewhere == set(player.LABELS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(open_page: Open, axe: str, width: int, scheme: str) -> None:
    for explanation, at in (
        (documented(), ""),
        (documented(), "#t=7"),
        (documented(), "#t=21"),
        (broken(), "#t=8"),
        (explain(sessions.attacked()), "#t=11"),
    ):
        page = open_page(
            player.render(explanation),
            at,
            width=width,
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        page.evaluate(axe)
        for prepare in ("undefined", OPEN_BYTES, EAVESDROP, AS_LIST):
            page.evaluate(prepare)
            on_screen(page)
            violations = page.evaluate("axe.run().then(found => found.violations)")
            assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in violations] == []
