"""Why an SMTP client says EHLO twice when TLS is on: replayed, explained, shown.

from simulator import replay
replay("documented")        # in a notebook, the explanation shows itself
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simulator.explainer import Explanation
    from simulator.lab import Scenario
    from simulator.session import Session

__all__ = ["explain", "replay"]


def replay(
    scenario: str | Path | Scenario = "documented", *, tls: Literal["1.2", "1.3"] | None = None
) -> Explanation:
    """Play a scenario for real over loopback, and explain the session.

    `scenario` is a name, a TOML file, or a `Scenario`; `tls` overrides its TLS version.
    Raises `UnknownScenario`, `BadScenario`, `LabError`.
    """
    import msgspec

    from simulator import explainer, lab

    found = scenario if isinstance(scenario, lab.Scenario) else lab.load(scenario)
    if tls:
        client = msgspec.structs.replace(found.client, tls_version=tls)
        found = msgspec.structs.replace(found, client=client)
    return explainer.explain(lab.play(found))


def explain(session: Session) -> Explanation:
    """Explain a session, wherever it was recorded."""
    from simulator.explainer import explain as explained

    return explained(session)
