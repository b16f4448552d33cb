"""Why an SMTP client says EHLO twice when TLS is on: replayed, explained, shown.

from simulator import replay
replay("documented")        # in a notebook, the explanation shows itself
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simulator.lab import Scenario
    from simulator.notebook import Shown
    from simulator.session import Session

__all__ = ["explain", "replay", "speak"]


def replay(
    scenario: str | Path | Scenario = "documented", *, tls: Literal["1.2", "1.3"] | None = None
) -> Shown:
    """Play a scenario for real over loopback, and explain the session.

    `scenario` is a name, a TOML file, a cell of the matrix (`client+server`), or a `Scenario`;
    `tls` overrides its TLS version. Raises `UnknownScenario`, `BadScenario`, `LabError`.
    """
    import msgspec

    from simulator import lab

    found = scenario if isinstance(scenario, lab.Scenario) else lab.load(scenario)
    if tls:
        client = msgspec.structs.replace(found.client, tls_version=tls)
        found = msgspec.structs.replace(found, client=client)
    return explain(lab.play(found))


def explain(session: Session) -> Shown:
    """Explain a session, wherever it was recorded."""
    from simulator import explainer, notebook

    return notebook.shown(explainer.explain(session))


def speak(language: str) -> None:
    """Show everything in `language` from now on. Raises `UnknownLanguage`."""
    from simulator import notebook

    notebook.speak(language)
