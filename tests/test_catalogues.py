"""The chores around the catalogues: extraction, merging, compiling."""

import gettext
import io
import os
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError

from tools import catalogues

PO = """\
msgid ""
msgstr ""
"Language: pt_BR\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "It is sent."
msgstr "É enviado."

msgid "No text is like this any more, and none will be."
msgstr "Sumiu."
"""


@pytest.fixture
def po(tmp_path: Path) -> Path:
    path = tmp_path / "pt_BR" / "LC_MESSAGES" / "ehlo_twice.po"
    path.parent.mkdir(parents=True)
    path.write_text(PO, encoding="utf-8")
    return path


def test_brazilian_portuguese_is_up_to_date(tmp_path: Path) -> None:
    [committed] = [p for p in catalogues.catalogues() if p.parts[-3] == catalogues.COMPLETE]
    copy = tmp_path / committed.relative_to(catalogues.LOCALES)
    copy.parent.mkdir(parents=True)
    shutil.copy(committed, copy)
    assert catalogues.update(locales=tmp_path) == [], "run: make messages"


def test_the_template_names_files_without_lines_or_dates(tmp_path: Path) -> None:
    [po] = catalogues.update("fr", tmp_path)
    text = po.read_text(encoding="utf-8")
    assert "#: simulator/rules/second_ehlo.py\n" in text
    assert "Date:" not in text
    assert "fuzzy" not in text
    assert catalogues.update("fr", tmp_path) == []


def test_update_keeps_translations_and_drops_what_the_sources_lost(po: Path) -> None:
    marked = next(message.id for message in catalogues.template() if message.id)
    known = f'\nmsgid "{marked}"\nmsgstr "Traduzido."\n'
    po.write_text(PO + known, encoding="utf-8")
    catalogues.update(locales=po.parents[2])
    assert catalogues.read(po)[marked].string == "Traduzido."
    assert "Sumiu." not in po.read_text(encoding="utf-8")


def test_a_guess_is_written_once_and_stays_as_it_is(po: Path) -> None:
    """A second `make messages` finds nothing to do, also where a translation is still a guess."""
    marked = max((str(message.id) for message in catalogues.template() if message.id), key=len)
    po.write_text(f'{PO}\nmsgid "{marked[1:]}"\nmsgstr "Traduzido."\n', encoding="utf-8")
    assert catalogues.update(locales=po.parents[2]) == [po]
    assert "#, fuzzy" in po.read_text(encoding="utf-8")
    assert catalogues.update(locales=po.parents[2]) == []


def test_what_a_language_lacks_is_reported_and_said_in_english(po: Path) -> None:
    texts = [str(m.id) for m in catalogues.template() if m.id]
    entries = (f'\nmsgid "{texts[0]}"\nmsgstr "Traduzido."\n', f'\n#, fuzzy\nmsgid "{texts[1]}"\n')
    po.write_text(PO + entries[0] + entries[1] + 'msgstr "Talvez."\n', encoding="utf-8")
    assert catalogues.lacking(po) == texts[1:]
    left, count = len(texts) - 1, len(texts)
    assert catalogues.report(po.parents[2]) == [
        f"pt_BR: {left} of {count} texts are in English, first {texts[1]!r}"
    ]
    [mo] = catalogues.compile_all([po])
    assert gettext.GNUTranslations(io.BytesIO(mo.read_bytes())).gettext(texts[1]) == texts[1]


def test_a_compiled_catalogue_speaks_and_is_the_same_every_time(po: Path) -> None:
    [mo] = catalogues.compile_all([po])
    first = mo.read_bytes()
    catalogues.compile_all([po])
    assert mo.read_bytes() == first
    assert gettext.GNUTranslations(io.BytesIO(first)).gettext("It is sent.") == "É enviado."
    assert set(po.parent.iterdir()) == {po, mo}


def test_only_a_newer_source_makes_a_compiled_catalogue_stale(po: Path) -> None:
    assert catalogues.stale(po)
    [mo] = catalogues.compile_all([po])
    os.utime(mo, ns=(0, po.stat().st_mtime_ns))
    assert not catalogues.stale(po)
    os.utime(mo, ns=(0, po.stat().st_mtime_ns - 1))
    assert catalogues.stale(po)


def test_a_broken_catalogue_is_refused_and_leaves_nothing_behind(po: Path) -> None:
    po.write_text('msgid "never closed\n', encoding="utf-8")
    with pytest.raises(PoFileError):
        catalogues.compile_all([po])
    assert list(po.parent.iterdir()) == [po]
