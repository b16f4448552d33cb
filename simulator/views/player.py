"""The player: one session, step by step, in a browser.

What moves is a web component, `player/player.js`, fed with the JSON of an explanation. This module
hands it over: as one self-contained page, as a piece of a notebook, or as the JSON that a site
keeps beside its pages. Wherever the component cannot run, the same session stands there as a list.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

import msgspec

from simulator.explainer import Explanation
from simulator.language import N_, SOURCE, say
from simulator.views import document
from simulator.views.document import SaidNote, SaidStep, SpeltOut
from simulator.views.inert import printable
from simulator.views.view import View

LABELS = (
    N_("an eavesdropper"),
    N_("As it was said"),
    N_("As the wire carried it"),
    N_("before the documented log"),
    N_("beyond the documented log"),
    N_("not in the documented log"),
    N_("Both sides forget"),
    N_("breaks a MUST"),
    N_("breaks a SHOULD"),
    N_("Bytes"),
    N_("Cannot be seen from here"),
    N_("Chapters"),
    N_("client"),
    N_("encrypted"),
    N_("End of the connection"),
    N_("envelope"),
    N_("everything"),
    N_("First step"),
    N_("Forgotten at the handshake"),
    N_("Forgotten"),
    N_("From here this looks like any other line."),
    N_("Full screen"),
    N_("in the clear"),
    N_("inside TLS"),
    N_("held back on the path"),
    N_("keyword"),
    N_("Last step"),
    N_("login"),
    N_("made on the path"),
    N_("name"),
    N_("Next step"),
    N_("Nothing"),
    N_("on the path"),
    N_("taken out of the message"),
    N_("out of the old buffer, filled before the handshake"),
    N_("Outcome"),
    N_("Pause"),
    N_("Play the session: {total} steps"),
    N_("Play"),
    N_("Point of view"),
    N_("risky"),
    N_("Rule broken"),
    N_("Rule met"),
    N_("server"),
    N_("Show as a list"),
    N_("SMTP session"),
    N_("Speed: {speed}"),
    N_("Step back"),
    N_("Step of the session"),
    N_("Step {n} of {total}"),
    N_("Stop before what is worth predicting"),
    N_("TCP connection"),
    N_("The client forgets"),
    N_("The client learns"),
    N_("The server forgets"),
    N_("The server learns"),
    N_("The session could not be loaded."),
    N_("TLS handshake fails"),
    N_("TLS handshake"),
    N_("TLS records pass; no word of what they say can be read."),
    N_("TLS records: {records}; octets: {octets}"),
    N_("What an eavesdropper knows"),
    N_("What comes next? Say it first, then go on."),
    N_("What happens in this session?"),
    N_("What the client knows of the server"),
    N_("What the server knows of the client"),
    N_("Whoever listens on the path forgets nothing."),
    N_("Why does the client say EHLO twice?"),
    N_("{from} to {to}"),
    N_("{lines} more lines"),
    N_("{octets} more octets"),
)
"""What the component itself says, in English. Where a translation lacks one, that is shown."""

_PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; font-family: system-ui, sans-serif;
  background: light-dark(#eef1f4, #0d1014); color: light-dark(#1d2329, #e6e9ed); }
h1 { font-size: 1rem; margin: 0 0 .8rem; }
@media print { body { padding: 0; max-width: none; } }
"""

# Notebooks tell their theme in ways of their own.
_NOTEBOOK_STYLE = (
    '[data-jp-theme-light="false"] smtp-session, .vscode-dark smtp-session { color-scheme: dark; }'
)


class _Fed(SpeltOut, frozen=True, kw_only=True):
    """A document together with the labels of the player in its language."""

    labels: dict[str, str]


@cache
def script() -> str:
    """The component: JavaScript that may be a module or a classic script."""
    return files("simulator.views").joinpath("player", "player.js").read_text(encoding="utf-8")


def labels(language: str = SOURCE) -> dict[str, str]:
    """What the component says: English to `language`. Raises `UnknownLanguage`."""
    return {} if language == SOURCE else {label: say(label, language) for label in LABELS}


def data(explanations: Iterable[Explanation], language: str = SOURCE, title: str = "") -> str:
    """The JSON the component is fed with: a document that also holds its labels.

    Nothing in it can end a `<script>`, so that it may stand in a page as it is.
    Raises `UnknownLanguage`.
    """
    said = document.document(explanations, language, title)
    fed = _Fed(language=said.language, sessions=said.sessions, labels=labels(language))
    # In ASCII alone: whatever a page is encoded in, and even half a surrogate pair, comes through.
    text = json.dumps(msgspec.to_builtins(fed), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def render(explanation: Explanation, language: str = SOURCE, title: str = "") -> str:
    """A page of its own, self-contained: it loads nothing and lets nothing be loaded.

    `title` stands over it, else what names the session. Raises `UnknownLanguage`.
    """
    heading = escape(printable(title or _title(explanation, language)))
    code = f"\n{script()}"
    policy = (
        f"default-src 'none'; script-src {_digest(code)}; style-src {_digest(_PAGE_STYLE)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="{language.replace("_", "-")}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{heading}</title>
<style>{_PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
<smtp-session focused>
<script type="application/json">{data([explanation], language, title)}</script>
{listing(explanation, language)}
</smtp-session>
</main>
<script>{code}</script>
</body>
</html>
"""


def fragment(explanation: Explanation, language: str = SOURCE) -> str:
    """A piece of HTML that shows the player in a notebook or in a page made from Markdown.

    It stands in one `<div>` without an empty line, as Markdown wants it. The component comes with
    it; of many on a page, the first is taken. Raises `UnknownLanguage`.
    """
    code = "\n".join(line for line in script().splitlines() if line.strip())
    return f"""<div>
<style>{_NOTEBOOK_STYLE}</style>
<smtp-session nolink data-lm-suppress-shortcuts="true">
<script type="application/json">{data([explanation], language)}</script>
{listing(explanation, language)}
</smtp-session>
<script>
{code}
</script>
</div>
"""


def listing(explanation: Explanation, language: str = SOURCE) -> str:
    """The session as an HTML list: what stands where the component does not run.

    Raises `UnknownLanguage`.
    """
    [entry] = document.document([explanation], language).sessions
    return "\n".join(["<ol>", *(_item(step, language) for step in entry.steps), "</ol>"])


def _item(step: SaidStep, language: str) -> str:
    said = "<br>".join(f"<code>{_text(line)}</code>" for line in step.text if line.strip())
    secure = say("inside TLS" if step.secure else "in the clear", language)
    who = say(
        {"middlebox": "on the path", "message": "within the message"}.get(step.by, step.by),
        language,
    )
    parts = [f"<p><b>{_text(who)}</b> ({_text(secure)}): {_text(step.meaning)}</p>"]
    if said:
        parts.append(f"<p>{said}</p>")
    parts += [_note(note, language) for note in step.notes]
    for verb, side, facts in (
        ("The client forgets", "client", step.discarded.client),
        ("The server forgets", "server", step.discarded.server),
        ("The client learns", "client", step.learned.client),
        ("The server learns", "server", step.learned.server),
    ):
        if facts:
            listed = ", ".join(f"<code>{_text(fact.label)}</code>" for fact in facts)
            parts.append(f'<p class="{side}">{_text(say(verb, language))}: {listed}</p>')
    return f"<li>{''.join(parts)}</li>"


def _note(note: SaidNote, language: str) -> str:
    ruling = say("Rule met" if note.met else "Rule broken", language)
    keyword = f" ({note.keyword})" if note.keyword else ""
    place = f'<a href="{escape(note.url)}">{_text(note.place)}</a>{keyword}'
    quote = f'<q lang="en">{_text(note.quote)}</q>'
    return f"<p><b>{_text(ruling)}</b>: {_text(note.text)} {place}: {quote}</p>"


def _title(explanation: Explanation, language: str) -> str:
    return f"{say('SMTP session', language)}: {explanation.session.name}"


def _text(text: str) -> str:
    return escape(printable(text))


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


VIEW = View(
    name="player",
    about=N_("the session step by step, as one page that needs no network"),
    file="player.html",
    render=lambda explanation, page: render(explanation, page.language, page.story.title),
)
