"""The page on which one changes an experiment and plays it: its form, and what one begins with."""

from __future__ import annotations

import html
import json
import tomllib
from importlib.resources import files
from typing import Any

from simulator import lab
from simulator.lab import policy
from simulator.language import say
from tools.site.page import Page
from tools.words import word

WORDS = (
    "base", "client", "server", "middlebox", "go", "stop", "file", "link", "save", "open", "own",
    "code", "code-about", "toml", "title", "toml-about", "keys", "loading", "playing", "stopped",
    "late", "cannot", "disk", "linked", "copied", "long", "bad-link", "big", "saved", "opened",
    "changed", "unchanged", "failed", "differs", "one-a-line", "question", "watch", "conclude",
    "stays",
)  # fmt: skip

FIELDS: dict[str, tuple[str, ...]] = {
    "client": (
        "after_handshake", "tls", "tls_version", "forgets", "drops_buffer", "verify", "login",
        "uses", "pipelines_past_starttls",
    ),
    "server": (
        "starttls", "keywords", "auth", "forgets", "insists", "drops_buffer", "requires_tls",
        "certificate", "implicit_tls",
    ),
    "middlebox": ("does", "lines", "at"),
}  # fmt: skip
"""What the form has; every other key can be written into the file."""

CODE = """\
async def talk(smtp):
    await smtp.reply()  # 220
    await smtp.ask("EHLO mx4.example.com")
    if "STARTTLS" in smtp.keywords:
        await smtp.ask("STARTTLS")
        await smtp.handshake()
        await smtp.ask("EHLO mx4.example.com")
    await smtp.ask("MAIL FROM:<postmaster@mx4.example.com>")
    await smtp.ask("RCPT TO:<ana@eq-c601.example.com>")
    if (await smtp.ask("DATA")).code == 354:
        await smtp.message("Subject: Why twice?\\n\\nHello.\\n")
    await smtp.quit()
"""

LIMIT = 30
"""Seconds that a session may take."""


def show(page: Page) -> str:
    """The element; without script, how to have the same in a terminal."""
    data = {
        "words": {name: word(f"play.{name}", page.language) for name in WORDS},
        "fields": {
            side: [_field(side, key, page.language) for key in keys]
            for side, keys in FIELDS.items()
        },
        "bases": [_base(name, page.said) for name in lab.names()],
        "code": CODE,
    }
    inside = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
    attributes = {
        "language": page.said,
        "engine": f"{page.up}../engine/",
        "limit": str(LIMIT),
        "up": page.up,
    }
    quoted = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in attributes.items())
    return (
        f'<div class="change" data-search-exclude>\n<smtp-play {quoted}>'
        f'<script type="application/json">{inside}</script>\n'
        f"<p>{word('play.script', page.language)}</p>\n</smtp-play>\n</div>"
    )


def _field(side: str, key: str, language: str) -> dict[str, Any]:
    """One line of the form: what it says, what it may be, and what it is if nothing is said."""
    kinds: dict[str, Any] = json.loads(json.dumps(policy.schema()))["$defs"]
    entry = kinds[f"{side.capitalize()}Policy"]["properties"][key]
    found: dict[str, Any] = {
        "key": key,
        "said": word(f"play.{side}-{key}", language),
        "default": entry["default"],
    }
    if "enum" in entry:
        # An empty one is what it is by default: nothing.
        choices = sorted(entry["enum"], key=lambda each: each != entry["default"])
        found["choices"] = [[choice, _choice(side, key, choice, language)] for choice in choices]
    elif entry["type"] == "array":
        found["lines"] = True
    return found


def _choice(side: str, key: str, choice: str, language: str) -> str:
    if not choice:
        return "–"
    try:
        return word(f"play-{side}-{key}.{choice}", language)
    except KeyError:
        return choice


def _base(name: str, language: str) -> dict[str, Any]:
    """A scenario that one begins with: its title, and what in its file says who behaves how."""
    found = tomllib.loads((files("simulator") / "scenarios" / f"{name}.toml").read_text("utf-8"))
    tables = {key: found[key] for key in ("client", "server", "middlebox", "mail") if key in found}
    return {
        "name": name,
        "title": say(found["title"], language),
        "tables": tables,
    }
