"""The pictures of the READMEs, drawn anew from a session that is really played.

python tools/pictures.py
"""

from __future__ import annotations

from pathlib import Path

from simulator import explainer, lab
from simulator.views import drawing

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "assets"
PICTURES = {"documented.svg": "en", "documented.pt-BR.svg": "pt_BR"}


def main() -> None:
    """Draw every picture."""
    scenario = lab.load("documented")
    explanation = explainer.explain(lab.play(scenario))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, language in PICTURES.items():
        title = scenario.prose("title", language)
        (FOLDER / name).write_bytes(drawing.render(explanation, language, title=title))


if __name__ == "__main__":
    main()
