"""The pages that run the program, in Firefox: the same answers as the command's."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.views import pcapng
from tests.command import Command
from tests.recording import record
from tests.site.firefox import Firefox, started
from tools.lighthouse.__main__ import serving

ROOT = Path(__file__).parents[2]
TRANSCRIPTS = sorted((ROOT / "tests" / "formats" / "transcripts").glob("*.txt"))
CLIENT = (ROOT / "workshop" / "solutions" / "18.py").read_text(encoding="utf-8")
PROGRAM = shutil.which("firefox-esr")

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="needs firefox-esr, which is not installed"),
    pytest.mark.timeout(600),
]

HOLDS = """
    const until = async (there) => {
        for (let found; ; await new Promise((done) => setTimeout(done, 50)))
            if ((found = there())) return found;
    };
"""
"""Waits as long as a script may run."""

EXPLAINED = f"""{HOLDS}
    const form = await until(() => document.querySelector("smtp-explain[ready]"));
    const found = [];
    for (const log of arguments[0])
        found.push(await form.json(Uint8Array.from(atob(log), (sign) => sign.charCodeAt(0))));
    return found;
"""
PLAYED = f"""{HOLDS}
    const form = await until(() => document.querySelector("smtp-play[ready]"));
    const forgets = form.querySelector("#client-after_handshake");
    forgets.value = arguments[0];
    forgets.dispatchEvent(new Event("change"));
    form.querySelector(".go").click();
    await until(() => !form.hasAttribute("busy"));
    return [form.querySelector(".status").textContent, form.querySelector(".answer").textContent];
"""
CHECKED = f"""{HOLDS}
    const form = await until(() => document.querySelector("smtp-learn[ready]"));
    form.querySelector(".tasks li:nth-child(18) button").click();
    (await until(() => form.querySelector("#given"))).value = arguments[0];
    form.querySelector(".reply .go").click();
    const came = await until(() => form.querySelector(".came .ehlo-card"));
    return came.innerText;
"""
OUTSIDE = """
    const refused = new Promise((done) =>
        addEventListener("securitypolicyviolation", ({ blockedURI }) => done(blockedURI)));
    fetch(arguments[0]).catch(() => {});
    return await refused;
"""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site) as found:
        yield found


@pytest.fixture(scope="module")
def firefox(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    assert PROGRAM is not None
    with started(PROGRAM, tmp_path_factory.mktemp("firefox")) as window:
        yield window


def test_logs_and_captures_are_explained_as_by_the_command(
    firefox: Firefox, address: str, command: Command, tmp_path: Path
) -> None:
    capture = tmp_path / "session.pcapng"
    capture.write_bytes(pcapng.render(record()))
    logs = [*TRANSCRIPTS, capture]
    firefox.show(f"{address}en/explain/")
    told = firefox.run(EXPLAINED, [b64encode(log.read_bytes()).decode() for log in logs])
    different = [
        log.name
        for log, found in zip(logs, told, strict=True)
        if json.loads(found) != json.loads(command("explain", "--view", "json", str(log)).out)
    ]
    assert different == []


def test_a_changed_client_is_played(firefox: Firefox, address: str) -> None:
    firefox.show(f"{address}en/change/")
    status, answer = firefox.run(PLAYED, "nothing")
    assert status == ""
    assert "503" in answer


def test_a_learners_client_is_checked(firefox: Firefox, address: str) -> None:
    firefox.show(f"{address}pt-BR/exercises/")
    assert "certo" in firefox.run(CHECKED, CLIENT).split("\n")[0]


def test_nothing_leaves_the_page(firefox: Firefox, address: str) -> None:
    firefox.show(f"{address}en/explain/")
    outside = "https://elsewhere.example/log"
    assert firefox.run(OUTSIDE, outside).startswith("https://elsewhere.example")
