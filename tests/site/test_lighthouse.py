"""The measuring of the site: what is served, and what counts of several runs."""

import gzip
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tools.lighthouse import __main__ as lighthouse


def report(performance: float, shift: float = 0.0) -> dict[str, Any]:
    scores = dict.fromkeys(lighthouse.CATEGORIES, 1.0) | {"performance": performance}
    audits = dict.fromkeys(lighthouse.TIMES, 1234.0) | {"cumulative-layout-shift": shift}
    return {
        "categories": {name: {"score": score} for name, score in scores.items()},
        "audits": {name: {"numericValue": value} for name, value in audits.items()},
    }


def test_files_are_served_as_a_host_would_send_them(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>Hello</p>", encoding="utf-8")
    (tmp_path / "font.woff2").write_bytes(b"wOF2")
    with lighthouse.serving(tmp_path) as address:
        with urllib.request.urlopen(address) as page:
            assert gzip.decompress(page.read()) == b"<p>Hello</p>"
            assert page.headers["Content-Type"] == "text/html"
        with urllib.request.urlopen(f"{address}font.woff2") as font:
            assert (font.read(), font.headers["Content-Encoding"]) == (b"wOF2", None)
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(f"{address}none.html")


def test_the_median_counts_and_never_a_score_between_two(capsys: Any) -> None:
    reports = [report(0.99), report(0.4, 0.3), report(0.96)]
    assert lighthouse.scores(reports)["performance"] == 96
    assert lighthouse.scores(reports[:2])["performance"] == 40
    assert lighthouse.row("en/", "mobile", reports).split() == (
        ["en/", "mobile", "96", "100", "100", "100", "1.2", "s", "1.2", "s", "1234", "ms", "0.000"]
    )


@pytest.mark.parametrize(("first", "again", "code"), [(0.9, 0.99, 0), (0.9, 0.8, 1), (1, 1, 0)])
def test_a_page_below_the_goal_is_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: float, again: float, code: int
) -> None:
    runs = iter([report(first), report(first), report(0.99)] + [report(again)] * lighthouse.MORE)
    (tmp_path / "en").mkdir()
    monkeypatch.setattr(lighthouse, "SITE", tmp_path)
    monkeypatch.setattr(lighthouse, "LIGHTHOUSE", tmp_path)
    monkeypatch.setattr(lighthouse, "DEVICES", {"mobile": []})
    monkeypatch.setattr(lighthouse, "measure", lambda address, device: next(runs))
    assert lighthouse.main(["en/"]) == code
