"""The page of the lab in a real browser, while real clients talk."""

from __future__ import annotations

import re
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, expect

from tests.browser.conftest import holds
from tests.live.opened import Lab, context, deliver, opened
from tests.live.test_challenge import skips

pytestmark = pytest.mark.needs("chromium")

Look = Callable[..., Page]

TELLING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Opens the lab's page; checks at the end that nothing went wrong there, and that nothing was
    asked of anybody else."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def popped(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    def looked(lab: Lab, at: str = "", *, width: int = 1280, **options: Any) -> Page:
        def asked(request: Request) -> None:
            if not request.url.startswith((lab.page, "data:")):
                troubles.append(request.url)

        one = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(one)
        page = one.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", popped)
        page.on("request", asked)
        page.goto(lab.page + at)
        expect(page.locator("#state")).to_have_class("live")
        return page

    yield looked
    for one in contexts:
        one.close()
    assert troubles == []


def steps(page: Page) -> int:
    found: int = page.locator("smtp-session").first.evaluate("player => player.length")
    return found


def sound(page: Page, axe: str) -> list[str]:
    """What axe finds wrong."""
    # A colour on its way to another one is no fault.
    holds(page, "document.getAnimations({subtree: true}).length === 0")
    page.evaluate(axe)
    found = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TELLING
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:150]}" for v in found["violations"]]


@pytest.mark.needs("swaks")
def test_two_clients_talk_while_the_page_is_watched(look: Look) -> None:
    with opened() as lab:
        page = look(lab)
        expect(page.locator("#inviting li")).to_have_count(11)
        name, port = "slow.example.net", lab.port("documented")
        with smtplib.SMTP("localhost", port, local_hostname=name, timeout=20) as client:
            client.ehlo()
            row = page.locator("#list li", has_text="slow.example.net")
            expect(row).to_contain_text("still talking")
            expect(page.locator("article > .ended")).not_to_be_empty()
            holds(page, "document.querySelector('smtp-session')?.length === 4")
            swaks = subprocess.run(
                [
                    *("swaks", "--server", "127.0.0.1", "--port", str(lab.port("lax")), "--tls"),
                    *("--ehlo", "swaks.example.net", "--to", "b@example.org"),
                ],
                capture_output=True,
                check=False,
                timeout=60,
            )
            assert swaks.returncode == 0
            other = page.locator("#list li", has_text="swaks.example.net")
            expect(other).to_contain_text("inside TLS")
            client.starttls(context=context())
            client.sendmail("a@example.com", ["b@example.com"], "Subject: slowly\r\n\r\nx\r\n")
        expect(row).to_contain_text("inside TLS")
        row.locator(".open").click()
        other.get_by_role("button", name="Beside it").click()
        expect(page.locator("smtp-session")).to_have_count(2)
        expect(page.locator("article").first.locator("h2")).to_contain_text("forgets, insists")
        page.locator("article").first.locator(".messages summary").click()
        expect(page.locator("article").first.locator(".messages dd").last).to_have_text("slowly")
        page.get_by_role("link", name="Classroom").click()
        cell = page.locator("#class tr", has_text="swaks.example.net").locator("td").nth(1)
        expect(cell).to_contain_text("inside TLS")


def test_what_a_client_says_runs_nowhere(look: Look) -> None:
    hostile = "<img/src=x/onerror=alert(1)>\"'&\u202e"
    with opened() as lab:
        page = look(lab)
        with socket.create_connection(("127.0.0.1", lab.port("documented")), timeout=20) as client:
            client.recv(1000)
            for line in (f"EHLO {hostile}", f"MAIL FROM:<{hostile}@x>", f"{hostile}", "QUIT"):
                client.sendall(line.encode() + b"\r\n")
                client.recv(1000)
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as mail:
            mail.starttls(context=context())
            head = f"Subject: {hostile}\r\nContent-Type: text/html\r\n\r\n"
            text = f"{head}<script>alert(2)</script>\r\n"
            mail.sendmail("a@example.com", ["b@example.com"], text.encode())
        expect(page.locator("#list li")).to_have_count(2)
        page.locator("#list .open").last.click()
        expect(page.locator("article > .ended")).not_to_be_empty()
        page.locator("#list .open").first.click()
        page.locator("article > .messages summary").first.click()
        expect(page.locator("article > .messages pre").first).to_contain_text("<script>")
        assert page.locator("main img, main script").count() == 0


def test_the_trainer_changes_what_is_on_the_way(look: Look) -> None:
    with opened() as lab:
        page = look(lab, "#ports")
        door = page.locator('[data-port="documented"]')
        door.get_by_label("On the path").select_option("strip")
        door.get_by_role("button", name="Change").click()
        expect(door.get_by_role("status")).to_contain_text("Changed")
        with smtplib.SMTP("localhost", lab.port("documented"), timeout=20) as client:
            client.ehlo()
            assert not client.has_extn("starttls")
        door.locator("summary").click()
        door.locator("textarea").fill('{"starttls": "nonsense"}')
        door.get_by_role("button", name="Change").click()
        expect(door.get_by_role("status")).to_contain_text("Invalid enum value")


def test_search_pin_and_clear(look: Look) -> None:
    with opened() as lab:
        for name in ("one.example", "two.example"):
            deliver(lab.port("documented"), name)
        page = look(lab)
        expect(page.locator("#list li")).to_have_count(2)
        page.get_by_label("Search").fill("one.example")
        expect(page.locator("#list li")).to_have_count(1)
        page.locator("#list li").get_by_role("button", name="Pin").click()
        expect(page.locator("#list li.pinned")).to_have_count(1)
        page.get_by_label("Search").fill("")
        expect(page.locator("#list li")).to_have_count(2)
        page.get_by_role("button", name="Clear all").click()
        expect(page.locator("#list li")).to_have_count(1)


BROKEN_HEADS = """() => [...document.querySelectorAll("thead th")].flatMap((head) => {
    const text = head.lastChild;
    return [...text?.data?.matchAll(/\\S+/g) ?? []].filter(({ 0: word, index }) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
    }).map(([word]) => word);
})"""
"""Words in the heads of tables that go over two lines."""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_it_is_open_to_all(look: Look, axe: str, language: str, theme: str, width: int) -> None:
    with opened() as lab:
        deliver(lab.port("documented"), f"{'long-name-' * 6}.example.net")
        still = {"color_scheme": theme, "reduced_motion": "reduce"}
        page = look(lab, f"?lang={language}", width=width, **still)
        expect(page.locator("article > .ended")).not_to_be_empty()
        expect(page.locator("article > .messages summary").first).to_be_visible()
        assert page.locator("html").get_attribute("lang") == language.replace("_", "-")
        for view in ("sessions", "classroom", "ports"):
            page.evaluate("view => { location.hash = view }", view)
            expect(page.locator(f"#view-{view}")).to_be_visible()
            assert sound(page, axe) == []
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, view
            assert page.evaluate(BROKEN_HEADS) == [], view


def test_it_comes_back_after_a_restart(look: Look, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite"
    with opened(save=file) as lab:
        port = int(re.search(r":(\d+)/", lab.page)[1])  # type: ignore[index]
        deliver(lab.port("documented"), "before.example")
        page = look(lab)
        expect(page.locator("#list li")).to_have_count(1)
    expect(page.locator("#state")).to_have_class("lost")
    with opened(save=file, web=port) as lab:
        expect(page.locator("#state")).to_have_class("live")
        expect(page.locator("#list li", has_text="before.example")).to_have_count(1)
        deliver(lab.port("documented"), "after.example")
        expect(page.locator("#list li")).to_have_count(2)


def test_the_scoreboard_of_a_challenge(look: Look, axe: str) -> None:
    with opened(challenge=True) as lab:
        page = look(lab, width=390, reduced_motion="reduce")
        expect(page.locator("#inviting li")).to_have_count(6)
        deliver(lab.port("challenge-1"), "right.example")
        skips(lab.port("challenge-1"))
        lab.settled(2)
        expect(page.locator("#list .broken", has_text="failed")).to_have_count(1)
        page.get_by_role("link", name="Scoreboard").click()
        rows = page.locator("#class tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("right.example")
        expect(rows.first).to_contain_text("1 of 6")
        assert sound(page, axe) == []
        rows.last.get_by_role("button", name="failed").click()
        expect(page.locator(".feedback")).to_contain_text("A strict server took no mail")
        expect(page.locator(".fits")).to_contain_text("remembers the EHLO from before")
        shown = "document.querySelector('smtp-session').step === 7"
        holds(page, shown)
        assert sound(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.get_by_role("link", name="Ports").click()
        expect(page.locator("#doors .door")).to_have_count(6)
        expect(page.locator("#doors textarea")).to_have_count(0)
        assert sound(page, axe) == []


def said(page: Page) -> Any:
    return page.locator("#said > li")


def answers(page: Page, text: str, then: int) -> None:
    """That side says what the page offers; all is said on its page when it is there."""
    page.locator("#lines button", has_text=text).first.click()
    expect(said(page)).to_have_count(then)


def test_two_learners_play_a_session_by_hand(look: Look, axe: str) -> None:
    with opened() as lab:
        one = look(lab, "hand?lang=en", width=390, color_scheme="dark", reduced_motion="reduce")
        assert sound(one, axe) == []
        one.get_by_role("button", name="New session").click()
        expect(one.locator("#who")).to_have_text("Client · 1")
        light = {"color_scheme": "light", "reduced_motion": "reduce"}
        other = look(lab, "hand/1/server?lang=pt_BR", **light)
        expect(other.locator("#turn")).to_have_text("É a sua vez.")
        expect(one.locator("#turn")).to_have_text("It is the other side's turn.")
        answers(other, "220", 2)
        # By keyboard alone, with what the page offers.
        expect(said(one)).to_have_count(2)
        one.locator("#lines button", has_text="EHLO").focus()
        one.keyboard.press("Enter")
        expect(said(one)).to_have_count(3)
        expect(one.locator("#turn")).to_be_focused()
        expect(said(other)).to_have_count(3)
        answers(other, "250-", 4)
        expect(one.locator("#knows li", has_text="STARTTLS")).to_have_count(1)
        answers(one, "STARTTLS", 5)
        expect(said(other)).to_have_count(5)
        answers(other, "220", 6)
        answers(one, "check the certificate", 7)
        for page in (one, other):
            expect(page.locator("#said li.reset")).to_have_count(1)
            expect(page.locator("#knows li", has_text="EHLO")).to_have_count(0)
        expect(one.locator("#forgotten li", has_text="STARTTLS")).to_contain_text("RFC 3207 §4.2")
        expect(one.locator("#lines button")).to_have_text(["EHLO client.example.net"])
        # A line of one's own, against the rules: it stands, and both are told why.
        one.get_by_label("A line of your own").fill("MAIL FROM:<ana@example.net>")
        one.keyboard.press("Enter")
        for page in (one, other):
            expect(said(page)).to_have_count(8)
            expect(said(page).last.locator(".broken").last).to_contain_text("RFC 3207 §4.2 SHOULD")
            assert sound(page, axe) == []
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        answers(other, "503", 9)
        expect(said(one)).to_have_count(9)
        one.get_by_role("button", name="Close the connection").click()
        for page in (one, other):
            expect(page.locator("#moves")).to_be_hidden()
            holds(page, "document.querySelector('smtp-session')?.length === 10")
            assert sound(page, axe) == []


def test_what_a_learner_says_runs_nowhere(look: Look) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&\u202e"
    with opened() as lab:
        assert lab.ask("api/hand", "POST", {}).status == 200
        page = look(lab, "hand/1/client?lang=en")
        expect(said(page)).to_have_count(1)
        page.locator("#text").fill(f"EHLO {hostile}")
        page.get_by_role("button", name="Say", exact=True).click()
        expect(said(page)).to_have_count(2)
        expect(page.locator("#said pre")).to_contain_text("onerror")
        assert page.locator("main img, main script").count() == 0


def test_a_session_by_hand_says_that_the_lab_was_restarted(look: Look, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite"
    with opened(save=file) as lab:
        port = int(re.search(r":(\d+)/", lab.page)[1])  # type: ignore[index]
        assert lab.ask("api/hand", "POST", {}).status == 200
        assert lab.ask("api/hand/1/server", "POST", {"say": "220 x"}).status == 200
        page = look(lab, "hand/1/client?lang=en")
        expect(said(page)).to_have_count(2)
    expect(page.locator("#state")).to_have_class("lost")
    with opened(save=file, web=port) as lab:
        expect(page.locator("#turn")).to_contain_text("can no longer be played")
        holds(page, "document.querySelector('smtp-session')?.length === 2")
