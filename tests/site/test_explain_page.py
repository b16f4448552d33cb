"""The page that explains a log: the program itself, in a worker, and nothing leaves the page."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.views import pcapng
from tests.command import Command
from tests.recording import record
from tests.site.conftest import ADDRESS, Open, watch

TRANSCRIPTS = sorted((Path(__file__).parents[1] / "formats" / "transcripts").glob("*.txt"))
SAID = "smtp-explain[explained]:not([busy])"
JSON_OF = "([octets]) => document.querySelector('smtp-explain').json(new Uint8Array(octets))"
HOSTILE = (
    "220 <img src=x onerror=alert(1)>.example ESMTP\n"
    "EHLO </textarea><script>alert(2)</script>\n"
    "250-mx.example\n250 STARTTLS\nSTARTTLS\n454 4.7.0 <svg/onload=alert(3)> not now\n"
)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def ready(browser: Any, site: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page in English with the program loaded, and what went wrong there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    watch(page, site, wrong)

    def refuse(dialog: Any) -> None:
        wrong.append("a dialog")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', "
        "({ blockedURI }) => console.error(`against the policy: ${blockedURI}`))"
    )
    page.goto(f"{ADDRESS}en/explain/")
    page.wait_for_selector("smtp-explain[ready]")
    yield page, wrong
    context.close()


def explained(page: Any, log: str) -> str:
    """What the page says of a log, as one text."""
    page.fill("#log", log)
    page.evaluate("document.querySelector('smtp-explain').removeAttribute('explained')")
    page.click("smtp-explain .go")
    page.wait_for_selector(SAID, timeout=120_000)
    return str(page.inner_text("smtp-explain .answer"))


def test_a_log_is_explained_with_its_cause_and_the_line_that_decides(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    log = next(p for p in TRANSCRIPTS if p.name.startswith("t025")).read_text("utf-8")
    answer = explained(page, log)
    assert "After TLS the client did not say EHLO again" in answer
    assert "503 5.5.1" in page.inner_text("smtp-explain .deciding")
    assert page.get_attribute("smtp-explain .cause .more a >> nth=-1", "href").endswith(
        "what-if/skipped-ehlo/"
    )
    assert page.locator("smtp-explain smtp-session").count() == 1
    assert wrong == []


def test_page_and_command_give_the_same_json(
    ready: tuple[Any, list[str]], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, wrong = ready
    different = []
    for path in TRANSCRIPTS:
        octets = list(path.read_bytes())
        told = page.evaluate(JSON_OF, [octets])
        said = command("explain", "--view", "json", str(path))
        if json.loads(told) != json.loads(said.out):
            different.append(path.name)
    assert different == []
    assert wrong == []


@pytest.mark.parametrize("secrets", [True, False])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_capture_is_decrypted_as_by_the_command(
    ready: tuple[Any, list[str]], command: Command, tmp_path: Path, version: str, secrets: bool
) -> None:
    page, wrong = ready
    file = tmp_path / "session.pcapng"
    file.write_bytes(pcapng.render(record(version), secrets=secrets))
    told = json.loads(page.evaluate(JSON_OF, [list(file.read_bytes())]))
    assert told == json.loads(command("explain", "--view", "json", str(file)).out)
    assert told["sessions"][0]["verdict"]["second_ehlo"] == ("sent" if secrets else None)
    packed = list(gzip.compress(file.read_bytes()))
    assert json.loads(page.evaluate(JSON_OF, [packed])) == told
    assert wrong == []


def test_nothing_in_a_log_runs(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    answer = explained(page, HOSTILE)
    assert "454" in answer
    assert page.locator("smtp-explain .answer :is(img, script, svg[onload])").count() == 0
    assert wrong == []


SESSION = """\
Nov 29 10:{m:02}:{s:02} mx postfix/smtpd[{n}]: connect from h{n}.example.com[192.0.2.7]
Nov 29 10:{m:02}:{s:02} mx postfix/smtpd[{n}]: SSL_accept error from h{n}.example.com[192.0.2.7]: -1
Nov 29 10:{m:02}:{s:02} mx postfix/smtpd[{n}]: lost connection after STARTTLS from h{n}.example.com[192.0.2.7]
Nov 29 10:{m:02}:{s:02} mx postfix/smtpd[{n}]: disconnect from h{n}.example.com[192.0.2.7] ehlo=1 starttls=0/1 commands=1/2
"""  # noqa: E501
LIVELY = """
    () => new Promise((done) => {
        const form = document.querySelector("smtp-explain"), bar = form.querySelector("progress");
        const shares = new Set();
        let frames = 0;
        (function frame() {
            frames += 1;
            if (bar.hasAttribute("value")) shares.add(bar.value);
            const busy = form.hasAttribute("busy");
            if (busy && shares.size < 3) return requestAnimationFrame(frame);
            form.querySelector(".cancel").click();
            done({ busy, frames, shares: [...shares] });
        })();
    })
"""
"""Draws on until the bar has moved twice, then cancels: what was seen meanwhile."""


def postfix(octets: int) -> bytes:
    """A log of so many octets."""
    size = len(SESSION.format(n=1000, m=0, s=0))
    sessions = (
        SESSION.format(n=1000 + number % 9000, m=number // 60 % 60, s=number % 60)
        for number in range(octets // size)
    )
    return "".join(sessions).encode()


def choose(page: Any, log: bytes) -> None:
    page.set_input_files("#log-file", {"name": "mail.log", "mimeType": "text/plain", "buffer": log})
    page.wait_for_selector("smtp-explain:is([busy], :has(.status.bad))")


def test_ten_megabytes_leave_the_page_alive_and_can_be_cancelled(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    choose(page, postfix(10_000_000))
    seen = page.evaluate(LIVELY)
    assert seen["busy"]
    assert all(0 < share < 1 for share in seen["shares"])
    assert page.inner_text("smtp-explain .status") == "Cancelled."
    assert page.is_hidden("smtp-explain progress")
    assert "454" in explained(page, HOSTILE)
    assert wrong == []


def test_a_log_that_takes_too_long_is_cut_off_with_what_to_do(
    ready: tuple[Any, list[str]],
) -> None:
    page, wrong = ready
    form = page.locator("smtp-explain")
    usual = form.get_attribute("data-limit")
    assert int(usual) >= 30
    form.evaluate("(form) => { form.dataset.limit = '0.001'; }")
    choose(page, postfix(3_000_000))
    page.wait_for_selector("smtp-explain .status.bad", timeout=120_000)
    said = page.inner_text("smtp-explain .status")
    assert said.startswith("Stopped: for 0.001 seconds")
    assert "Cut the log down to one session" in said
    assert form.get_attribute("busy") is None
    form.evaluate("(form, usual) => { form.dataset.limit = usual; }", usual)
    assert "454" in explained(page, HOSTILE)
    assert wrong == []


def test_a_file_that_is_no_log_is_told_in_one_line(ready: tuple[Any, list[str]]) -> None:
    page, wrong = ready
    page.set_input_files(
        "#log-file", {"name": "x.zip", "mimeType": "", "buffer": b"PK\x03\x04" + bytes(64)}
    )
    page.wait_for_selector("smtp-explain .status.bad", timeout=60_000)
    said = page.inner_text("smtp-explain .status")
    assert "zip" in said
    assert "Traceback" not in said
    assert "\n" not in said
    assert wrong == []


def test_the_page_in_portuguese(opened: Open) -> None:
    page = opened("pt-BR/explain/", width=390)
    page.click("smtp-explain .examples button >> nth=1")
    page.wait_for_selector(SAID, timeout=120_000)
    assert "O que fazer:" in page.inner_text("smtp-explain .cause")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.skipif(not os.environ.get("SHOTS"), reason="pictures to look at: SHOTS=folder")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pictures(opened: Open, width: int, scheme: str) -> None:
    page = opened("en/explain/", width=width, scheme=scheme)
    folder = os.environ["SHOTS"]
    page.screenshot(path=f"{folder}/explain-{width}-empty.png")
    page.click("smtp-explain .examples button >> nth=0")
    page.wait_for_selector(SAID, timeout=120_000)
    page.wait_for_timeout(500)
    page.screenshot(path=f"{folder}/explain-{width}.png", full_page=True)
    print("took", page.get_attribute("smtp-explain", "data-took"))
