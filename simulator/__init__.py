"""Why an SMTP client says EHLO twice when TLS is on: played for real, read, explained, shown.

    from pathlib import Path
    from simulator import compare, explain, matrix, read, replay, speak

    replay()                            # the documented session, over real TLS on loopback
    replay("skipped-ehlo").outcome      # what a strict server says to who leaves out the second
    explain(Path("session.txt"))        # a session of your own, from whatever software
    for session in read(Path("mail.log")):
        print(explain(session).outcome)
    compare("skipped-ehlo")             # beside the documented session
    matrix("strip")                     # every client against every server, STARTTLS taken away
    speak("pt_BR")                      # what follows is shown in Portuguese

A session is recorded (played by the lab, or read from a log), explained, and shown. What these
functions give shows itself in a notebook; `print` gives it in text. An explanation has `session`,
`steps` (each with `event`, `meaning`, `notes` and what each side then knows) and `verdict`
(`tls`, `second_ehlo`, `causes` and more); `outcome` is its one sentence. `simulator.views` holds
every other way to show it, as `ehlo-twice replay --view` does.

Whatever cannot be done raises an `Error`, whose text is one sentence that says what, where, and
what to do: `UnknownScenario`, `BadScenario` and `LabError` of what is played, `CannotRead`,
`SeveralSessions`, `NoSuchFormat` and `FormatError` of what is read, `NotASession`,
`UnknownLanguage`, and `NothingOnTheWire` of views that need octets.

The command `ehlo-twice` does the same in a terminal.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.api import SeveralSessions, compare, explain, matrix, read, replay
    from simulator.errors import Error
    from simulator.explainer import Explanation
    from simulator.formats import CannotRead, FormatError, NoSuchFormat
    from simulator.lab import BadScenario, LabError, Scenario, UnknownScenario
    from simulator.language import UnknownLanguage
    from simulator.notebook import speak
    from simulator.session import NotASession, Session
    from simulator.views.claims import NothingOnTheWire

_HOMES = {
    "api": ("SeveralSessions", "compare", "explain", "matrix", "read", "replay"),
    "errors": ("Error",),
    "explainer": ("Explanation",),
    "formats": ("CannotRead", "FormatError", "NoSuchFormat"),
    "lab": ("BadScenario", "LabError", "Scenario", "UnknownScenario"),
    "language": ("UnknownLanguage",),
    "notebook": ("speak",),
    "session": ("NotASession", "Session"),
    "views.claims": ("NothingOnTheWire",),
}
"""Where each name lives. It is loaded when it is asked for: each module of the package loads this
one, and the page of a browser has no lab."""

__all__ = [
    "BadScenario", "CannotRead", "Error", "Explanation", "FormatError", "LabError",
    "NoSuchFormat", "NotASession", "NothingOnTheWire", "Scenario", "Session", "SeveralSessions",
    "UnknownLanguage", "UnknownScenario", "compare", "explain", "matrix", "read", "replay",
    "speak",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
