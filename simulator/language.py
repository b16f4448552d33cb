"""Prose that is written once, in English, and shown in the reader's language.

Below the views nothing holds finished prose: a `Text` is an English template and its values. The
template is the key into the gettext catalogues in `locales/`; the values are protocol tokens or
measured numbers and are never translated, unless a value is itself a `Text`.
"""

from __future__ import annotations

import copy
import functools
import gettext
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Self

import msgspec

from simulator.errors import Error

DOMAIN = "ehlo_twice"

SOURCE = "en"
"""The language in which every text stands."""

_NAMES = {
    "en": "English",
    "pt_BR": "Português do Brasil",
    "es": "Español",
    "fr": "Français",
    "de": "Deutsch",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "zh_CN": "简体中文",
    "ru": "Русский",
}


class Text(msgspec.Struct, frozen=True):
    """A sentence to be said in some language: an English template and its values."""

    id: str
    values: Mapping[str, str | int | Text] = {}


class Told(Error):
    """Something asked for cannot be done; `why` is the sentence, to be said in some language."""

    def __init__(self, why: Text | str) -> None:
        super().__init__(say(why))
        self.why = why

    def said(self, language: str) -> Self:
        """The same, whose `str()` is in that language."""
        there = copy.copy(self)
        there.args = (say(self.why, language),)
        return there


class UnknownLanguage(Error, ValueError):
    """The language asked for has no catalogue."""


def N_(template: str) -> str:  # noqa: N802 - gettext's own name for a marked string
    """Mark `template` for extraction into the catalogues; return it as it is."""
    return template


def languages() -> dict[str, str]:
    """The languages that can be shown: code to the language's own name, English first."""
    found = {SOURCE: _NAMES[SOURCE]}
    for folder in sorted(Path(str(files("simulator") / "locales")).iterdir()):
        # A package holds the compiled .mo alone, a fresh checkout the .po alone.
        if any(folder.glob(f"LC_MESSAGES/{DOMAIN}.[mp]o")):
            found[folder.name] = _NAMES.get(folder.name, folder.name)
    return found


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    folder = Path(str(files("simulator") / "locales"))
    try:
        return gettext.translation(DOMAIN, folder, [language])
    except FileNotFoundError:
        if language in languages():
            raise UnknownLanguage(
                f"the catalogue of {language} is not compiled: run `make messages`"
            ) from None
        raise UnknownLanguage(
            f"no language {language!r}: there are {', '.join(languages())}"
        ) from None


def say(
    text: Text | str, language: str = SOURCE, escape: Callable[[str], str] | None = None
) -> str:
    """Give `text` as finished prose in `language`.

    A plain string is looked up as a template without values. `escape` is applied to every value,
    which may hold what a stranger sent, and not to the prose around it.
    Raises `UnknownLanguage` when there is no such catalogue.
    """
    catalogue = _catalogue(language)
    if isinstance(text, str):
        return catalogue.gettext(text) if text else ""
    template = catalogue.gettext(text.id) if text.id else ""
    if "{" not in template and "}" not in template:
        return template
    values: dict[str, str | int] = {}
    for name, value in text.values.items():
        if isinstance(value, Text):
            values[name] = say(value, language, escape)
        elif isinstance(value, str) and escape:
            values[name] = escape(value)
        else:
            values[name] = value
    return template.format_map(values)


def said(prose: str | Mapping[str, str], language: str) -> str:
    """A text of a data file: as the file has it in `language`, else its English as the catalogue
    has it; empty where there is none."""
    if isinstance(prose, str):
        return say(prose, language)
    return prose.get(language) or say(prose.get(SOURCE, ""), language)
