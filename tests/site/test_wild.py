"""What the page on real software says in words, against the measurement that it was made from."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.site.conftest import LANGUAGES
from tools.site.page import SOURCES, Page
from tools.site.wild import clients

SURVEY: dict[str, Any] = json.loads(
    (SOURCES / "data" / "survey" / "results.json").read_text(encoding="utf-8")
)
SHOWN = tomllib.loads((SOURCES / "data" / "survey" / "software.toml").read_text(encoding="utf-8"))
SERVERS = {key: SURVEY["servers"][key] for key in SHOWN["server"]}
CLIENTS = {key: SURVEY["clients"][key] for key in SHOWN["client"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_in_the_text_are_those_of_the_tables(language: str) -> None:
    text = (SOURCES / language / "in-the-wild.md").read_text(encoding="utf-8")
    products = {server["name"] for server in SHOWN["server"].values()}
    numbers = [int(number) for number in re.findall(r"\b\d+\b", text.split("---")[1])]
    assert numbers == [len(products), len(SERVERS), len(CLIENTS)]
    again = [run for run in CLIENTS.values() if run["ehlo_tls"]]
    assert re.search(rf"\b{len(CLIENTS)} (?:rows|linhas), {len(again)} ", text)
    assert all(
        {name.split()[1] for name in run["ehlo_tls"]} == {run["ehlo_plain"][0].split()[1]}
        for run in again
    )
    codes = {run["5_starttls_inside_tls"]["result"][:3] for run in SERVERS.values()}
    told = text.split("### ")[0]
    assert all(f"`{code}`" in told for code in codes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_finding_names_every_answer_to_a_second_starttls(language: str) -> None:
    findings = tomllib.loads((SOURCES / "data" / "findings.toml").read_text(encoding="utf-8"))
    [sign] = [
        finding["sign"][language]
        for finding in findings.values()
        if "540" in finding.get("sign", {}).get(language, "")
    ]
    for run in SURVEY["servers"].values():
        reply = run["5_starttls_inside_tls"]["result"] or ""
        if reply[:3].isdigit():
            assert f"`{reply[:3]}`" in sign


def test_who_insists_for_mail_alone_is_told() -> None:
    lax = []
    for key, run in SERVERS.items():
        results = {command: entry["result"] for command, entry in run["2_no_second_ehlo"].items()}
        login = next(reply for command, reply in results.items() if command.startswith("AUTH"))
        if results["MAIL FROM:<a@example.org>"].startswith("503") and login.startswith("235"):
            lax.append(SHOWN["server"][key]["name"].split()[0])
    text = (SOURCES / "en" / "in-the-wild.md").read_text(encoding="utf-8")
    [told] = re.findall(r"alone: ([^`]+)", text)
    assert all(name in told for name in lax)
    assert lax


def test_a_client_that_left_at_once_is_no_client_without_a_second_ehlo() -> None:
    page = Page(path="in-the-wild.md", language="en", text="")
    [row] = [line for line in clients(page).splitlines() if line.startswith("| esmtp")]
    assert "QUIT" in row
    assert "broken" not in row
