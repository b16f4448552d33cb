"""What a stranger put into names and replies stays text in the pages."""

import re

import msgspec
import pytest

from simulator import explainer, lab
from tools.site import experiments
from tools.site.page import Page, complete

ATTACK = "<img/src=x/onerror=alert(1)>"
MARKDOWN = "[x](javascript:alert(1))"


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_hostile_session_is_text(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documented = lab.load("documented")
    scenario = msgspec.structs.replace(
        documented,
        name="hostile",
        title={"en": f"{ATTACK} {MARKDOWN}"},
        document=None,
        client=msgspec.structs.replace(documented.client, name=ATTACK),
        server=msgspec.structs.replace(
            documented.server,
            keywords=(f"SIZE {ATTACK}", MARKDOWN),
            replies={"MAIL": f"</script><script>alert(1)</script>{MARKDOWN}"},
        ),
    )
    explanation = explainer.explain(lab.play(scenario))
    monkeypatch.setattr(experiments, "scenarios", lambda: (scenario,))
    monkeypatch.setattr(experiments, "play", lambda name: explanation)
    monkeypatch.setattr(experiments, "_diagram", lambda name, language, render: b"")
    [page] = experiments.pages(language, offline=True)
    text = complete(page, {})
    text += experiments.cards(Page(path="what-if/index.md", language=language, text=""))
    assert "alert(1)" in text
    assert "<img/" not in text
    assert "<script>alert" not in text
    # What stands between tags is left alone by Markdown; elsewhere it would become a link.
    _, _, body = text.partition("\n---\n")
    outside = re.sub(r"<(div|ul)\b.*?</\1>", "", body, flags=re.DOTALL)
    assert MARKDOWN not in outside
