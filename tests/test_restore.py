"""A translated log becomes what was logged; what is clean or unknown stays as it is."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.explainer import explain
from simulator.lab import load, play
from simulator.language import say
from simulator.restore import LexiconError, Restoration, lexicons, read_lexicon, restore
from simulator.views import esa

SAMPLES = Path(__file__).parent / "restore"
DOCUMENT = (Path(__file__).parents[1] / "simulator" / "scenarios" / "documented.pt.txt").read_text(
    encoding="utf-8"
)
ESA = "Mon May 16 18:34:30 2005 Info: 5165207 "
LANGUAGES = ("en", "pt_BR", "es", "fr", "de", "it", "ja", "ko", "zh_CN", "ru")


def told(restoration: Restoration) -> str:
    """All that was done, as a person reads it in a golden file."""
    lines = [f"language: {restoration.language}", f"left out: {restoration.left_out}"]
    lines.append(f"cut: {restoration.cut}")
    lines += [
        f"{one.line}: {one.kind}: {one.found!r} -> {one.restored!r}: {say(one.reason)}"
        for one in restoration.repairs
    ]
    lines += [f"{one.line}: left: {one.text!r}: {say(one.why)}" for one in restoration.unknown]
    return "\n".join(lines) + "\n"


# The document


def test_the_documented_log_is_what_the_appliance_wrote():
    assert restore(DOCUMENT).text == (SAMPLES / "documented.restored.txt").read_text()


def test_the_document_breaks_off_at_mail_and_nothing_is_guessed():
    restoration = restore(DOCUMENT)
    assert restoration.language == "pt_BR"
    assert restoration.left_out == (*range(1, 16), 28)
    assert restoration.cut == (27,)
    assert [(one.line, one.text) for one in restoration.unknown] == [(27, "'MAIL")]
    assert restoration.text.endswith("Sent: 'MAIL\n")


def test_every_repair_of_the_document_is_told():
    told = {(one.kind, one.found, one.restored) for one in restore(DOCUMENT).repairs}
    assert told == {
        ("date", "Segunda-feira o 16 de maio 18:34:30 2005", "Mon May 16 18:34:30 2005"),
        ("word", "informações", "Info"),
        ("word", "enviado", "Sent"),
        ("word", "rcvds", "Rcvd"),
        ("quote", '"', "'"),
        ("quote", "", "'"),
        ("keyword", "TAMANHO", "SIZE"),
        ("verb", "CORREIO", "MAIL"),
        ("reply", "vão adiante com TLS", "Go ahead with TLS"),
    }


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.found.*")), ids=lambda path: path.name)
def test_samples(sample: Path) -> None:
    """Beside each `x.found.*`: `x.restored.txt`, and `x.told.txt`, what was done and left."""
    restoration = restore(sample.read_bytes().decode())
    stem = sample.name.partition(".")[0]
    assert restoration.text == (SAMPLES / f"{stem}.restored.txt").read_bytes().decode()
    assert told(restoration) == (SAMPLES / f"{stem}.told.txt").read_text(encoding="utf-8")


# The lexicons


EXAMPLES = [
    pytest.param(code, example, id=f"{code}-{number}")
    for code, lexicon in lexicons().items()
    for number, example in enumerate(lexicon.examples, 1)
]


def test_there_is_a_lexicon_for_each_language():
    assert tuple(sorted(lexicons())) == tuple(sorted(LANGUAGES))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_lexicon_has_examples_enough(code):
    assert len(lexicons()[code].examples) >= 12


@pytest.mark.parametrize(("code", "example"), EXAMPLES)
def test_the_examples_of_a_lexicon(code, example):
    restoration = restore(example.found, code)
    assert restoration.text == example.restored
    assert restoration.language == code
    assert restore(restoration.text, code).text == restoration.text


@pytest.mark.parametrize(("code", "example"), EXAMPLES)
def test_a_language_found_out_never_restores_otherwise(code, example):
    """Without the language an example may stay as it is, word by word, but is never misread."""
    restoration = restore(example.found)
    if restoration.text != example.restored:
        candidates = [one for one in restoration.unknown if "candidates" in one.why.values]
        assert candidates or restoration.language is None


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_the_language_of_a_log_is_found_out(code):
    example = lexicons()[code].examples[0]
    assert restore(example.found).language == code
    assert restore(example.found).text == example.restored


@pytest.mark.parametrize("table", ["months", "weekdays", "words"])
@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_every_month_weekday_and_log_word_has_a_translation(code, table):
    expected = lexicons()["en"].originals(table)
    assert lexicons()[code].originals(table) == expected


EMPTY = 'name = "x"\n[date]\norder = "dmy"\n'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("name =", "lexicon xx: not TOML: Invalid value (at end of document)"),
        ("", "lexicon xx:1: name is missing: write name"),
        ('name = "x"\n[date]\norder = "dd"\n', "lexicon xx: [date] order is 'dd'"),
        (EMPTY + '[verbs]\nPOST = ["x"]\n', "lexicon xx: [verbs] 'POST' is not one of ATRN, AUTH"),
        (EMPTY + '[keywords]\nSIZES = ["x"]\n', "lexicon xx: [keywords] 'SIZES' is not one of"),
        (EMPTY + '[verbs]\nMAIL = [" "]\n', "lexicon xx: [verbs] 'MAIL' has an empty translation"),
        (EMPTY + '[verbs]\nMAIL = "x"\n', "lexicon xx:5: verbs.MAIL must be a list"),
        (
            EMPTY + '[verb]\nMAIL = ["x"]\n',
            "lexicon xx:4: unknown key 'verb': did you mean 'verbs'?",
        ),
        (EMPTY + '[replies]\n"a {0}" = ["b {1}"]\n', "lexicon xx: [replies] 'b {1}': the holes"),
        (EMPTY + '[replies]\n"a" = ["b {0}"]\n', "lexicon xx: [replies] 'b {0}': the holes"),
        (b"name = '\xff'", "lexicon xx: "),
    ],
)
def test_a_faulty_lexicon_is_told_in_one_line(source, message):
    with pytest.raises(LexiconError) as caught:
        read_lexicon(source, "xx")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("asked", "found"), [("pt", "pt_BR"), ("pt-BR", "pt_BR"), ("ZH", "zh_CN")])
def test_a_language_may_be_asked_for_by_any_usual_name(asked, found):
    assert restore(DOCUMENT, asked).language == found


def test_a_language_without_a_lexicon():
    with pytest.raises(LexiconError, match="no lexicon 'tlh': there are en, de"):
        restore(DOCUMENT, "tlh")


# What stays as it is


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\ufeff" + ESA + "Sent: 'EHLO mx4.example.com'\r\n" + ESA + "Rcvd: '250 mx'\r\n",
        ESA + "Sent: 'QUIT'",
        ESA + "Sent: 'QUIT'  \t\n\n\n",
        ESA + "Rcvd: '354 End data with \".\"'\n",
        ESA + "Rcvd: '550 No user ''bob''\\015\\012'\n",
        ESA + "Sent: 'MAIL FROM:<o'brien@example.com> SIZE=10'\n",
        ESA + "Sent: 'MAIL",
        ESA + "Sent to '192.0.2.1': '220 ESMTP\\015\\012'\n",
        ESA + "Rcvd: '250-X-TAMANHO 10'\n" + ESA + "Rcvd: '250-TIME'\n" + ESA + "Rcvd: '250 Z'\n",
        "Sat Mar  6 16:53:06 2027 Info: New SMTP DCID 8 interface 192.0.2.10 port 25\n",
        "220 ***********************0*2******\nHELO x\n250 x\nmail from:<a@b.example>\n250 Ok\n",
        "220 x.example ESMTP\nHELLO x\n500 what?\nEXIT\n500 what?\n",
        "> DATA\n< 354 go ahead\n> CORREIO DE:<a@b.example>\n> SAIR\n> .\n< 250 ok\n",
        ESA + "Sent: 'DATA'\n" + ESA + "Rcvd: '354 ok'\n" + ESA + "Sent: 'SAIR'\n",
        "AUTH LOGIN\n334 VXNlcm5hbWU6\nDADOS\n235 ok\n",
        "Dear all,\nthis is no log at all, but a letter: it says nothing of SMTP.\n",
        "Jan 25 23:10:29 mail postfix/smtp[2529]: setting up TLS connection to[]:25\n",
        "2005-05-16 18:34:30 Info: 5 Sent: 'QUIT'\n",
        "a\rb\x00c\x1b[31m\u2028\x85\n",
    ],
)
def test_a_log_that_needs_no_repair_is_unchanged(text):
    restoration = restore(text)
    assert restoration.text == text
    assert restoration.repairs == ()
    assert restoration.left_out == ()


@pytest.mark.parametrize("host", ["dados.correio.example", "tamanho", "ajuda.example", "sair"])
def test_a_word_where_no_token_stands_is_not_touched(host):
    log = (
        f"Enviado: x\n{ESA}Enviado: 'EHLO {host}'\n{ESA}Recebido: '250-{host}'\n"
        f"{ESA}Recebido: '250 TAMANHO 1'\n{ESA}Enviado: 'CORREIO DE:<tamanho@{host}>'\n"
    )
    lines = restore(log).text.splitlines()
    assert lines[1:] == [
        f"{ESA}Sent: 'EHLO {host}'",
        f"{ESA}Rcvd: '250-{host}'",
        f"{ESA}Rcvd: '250 SIZE 1'",
        f"{ESA}Sent: 'MAIL FROM:<tamanho@{host}>'",
    ]


STAMP = "seg mai 16 18:34:30 2005 Informações"
LINE = "This is not known as a line of a log."
REPLY_TEXT = "The original of this reply text is not known."


@pytest.mark.parametrize(
    ("line", "left", "why"),
    [
        (f"{STAMP}: 5 rcvds: '250 TAMANHO 10485760'", "TAMANHO 10485760", REPLY_TEXT),
        (f"{STAMP}: 5 rcvds: '250 GARRAFA 3", "GARRAFA 3", REPLY_TEXT),
        (f"{STAMP}: 5 rcvds: '250 garrafa 3'", "garrafa 3", REPLY_TEXT),
        (f"{STAMP}: 5 rcvds: '550 remetente recusado'", "remetente recusado", REPLY_TEXT),
        (f"{STAMP}: 5 rcvds: '354 adiante'", "adiante", REPLY_TEXT),
        (f"{STAMP}: 5 rcvds: '250-GARRAFA 3'", "GARRAFA 3",
         "This is not known as an EHLO keyword, nor as a translation of one."),
        (f"{STAMP}: 5 rcvds: '250-AUTH LOGIN GARRAFA'", "GARRAFA",
         "This is not known as an AUTH mechanism, nor as a translation of one."),
        (f"{STAMP}: 5 enviado: 'MAIL FROM:<a@b.example> GARRAFA=3'", "GARRAFA",
         "This is not known as a parameter, nor as a translation of one."),
        (f"{STAMP}: 5 enviado: 'RCPT AO b@c.example'", "AO b@c.example",
         "This is a translation of RCPT, but what follows does not fit."),
        (f"{STAMP}: Nova conexão DCID 8 interface 192.0.2.10 porta 25",
         "Nova conexão DCID 8 interface 192.0.2.10 porta 25", LINE),
        ("bla bla", "bla bla", LINE),
        ("> bla bla", "> bla bla", LINE),
        ("[bla] bla: bla", "[bla] bla: bla", LINE),
    ],
)  # fmt: skip
def test_what_is_not_known_in_a_translated_log_is_told(line, left, why):
    log = (f"{STAMP}: 5 enviado: 'EHLO mx4.example.com'\n{STAMP}: 5 rcvds: '250-x.example'\n"
           f"{{}}\n{STAMP}: 5 enviado: 'SAIR'\n")  # fmt: skip
    if "250 " in line or "354 " in line:
        log = f"{STAMP}: 5 enviado: 'EHLO mx4.example.com'\n\n{{}}\n{STAMP}: 5 enviado: 'SAIR'\n"
    restoration = restore(log.format(line))
    assert [(one.line, one.text, say(one.why)) for one in restoration.unknown] == [(3, left, why)]
    assert left in restoration.text.splitlines()[2]


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}: 5 rcvds: '250 OK'",
        f"{STAMP}: 5 rcvds: '250 2.0.0 Ok: queued as 4BxY2zQ'",
        f"{STAMP}: 5 rcvds: '250 mx'",
        f"{STAMP}: 5 rcvds: '250 mail at your service'",
        f"{STAMP}: 5 rcvds: '502 EHLO is not known here'",
        f"{STAMP}: 5 enviado: 'MAIL FROM:<a@b.example> SIZE=3 BODY=8BITMIME HOLDFOR=9'",
        f"{STAMP}: New SMTP DCID 8 interface 192.0.2.10 address 198.51.100.30 port 25",
        "Trying 192.0.2.1...",
        "Connected to mail.example.net.",
        "Escape character is '^]'.",
        "-----",
        "",
    ],
)
def test_english_in_a_translated_log_is_not_told(line):
    log = f"{STAMP}: 5 enviado: 'EHLO mx4.example.com'\n{line}\n{STAMP}: 5 enviado: 'SAIR'\n"
    assert restore(log).unknown == ()


@pytest.mark.parametrize("language", [None, "pt_BR", "de"])
@pytest.mark.parametrize("line", ["bla bla", f"{ESA}Rcvd: '250 garrafa 3'", f"{ESA}Rcvd: '250 X'"])
def test_a_log_that_was_never_translated_has_nothing_to_tell(language, line):
    log = f"{ESA}Sent: 'EHLO x.example'\n{line}\n{ESA}Sent: 'QUIT'\n"
    restoration = restore(log, language)
    assert (restoration.text, restoration.repairs, restoration.unknown) == (log, (), ())


def test_what_is_ambiguous_is_told_with_its_candidates():
    restoration = restore("> HOLA desk.example.com\n< 250 mail.example.net\n> SALIR\n")
    assert restoration.text == "> HOLA desk.example.com\n< 250 mail.example.net\n> QUIT\n"
    assert [(one.line, one.text, one.why.values) for one in restoration.unknown] == [
        (1, "HOLA", {"candidates": "EHLO, HELO"})
    ]


def test_a_tie_of_lexicons_repairs_only_what_they_agree_on(monkeypatch):
    one = EMPTY + '[keywords]\nSIZE = ["FOO"]\nHELP = ["BAR"]\n'
    other = EMPTY + '[keywords]\nDSN = ["FOO"]\nHELP = ["BAR"]\n'
    known = {"en": lexicons()["en"], "xx": read_lexicon(one, "xx"), "yy": read_lexicon(other, "yy")}
    monkeypatch.setattr("simulator.restore.lexicons", lambda: known)
    restoration = restore("> EHLO x\n< 250-x.example\n< 250-FOO\n< 250-BAR\n< 250 8BITMIME\n")
    assert restoration.text == (
        "> EHLO x\n< 250-x.example\n< 250-FOO\n< 250-HELP\n< 250 8BITMIME\n"
    )
    assert restoration.language is None
    assert [(one.text, one.why.values) for one in restoration.unknown] == [
        ("FOO", {"candidates": "SIZE, DSN"})
    ]


TWO_LISTS = """\
> EHLO desk.example.com
< 250-mail.example.net
< 250-{before}
< 250 CHUNKING
> EHLO desk.example.com
< 250-mail.example.net
< 250 FOO
"""
AMBIGUOUS = EMPTY + '[keywords]\nSIZE = ["FOO"]\nDSN = ["FOO"]\n'


@pytest.mark.parametrize(
    ("before", "restored", "why"),
    [
        ("SIZE", "250 SIZE", "the list before in this session has SIZE alone"),
        ("DSN", "250 DSN", "the list before in this session has DSN alone"),
        ("HELP", "250 FOO", None),
    ],
)
def test_the_list_before_decides_between_two_keywords(monkeypatch, before, restored, why):
    known = {**lexicons(), "xx": read_lexicon(AMBIGUOUS, "xx")}
    monkeypatch.setattr("simulator.restore.lexicons", lambda: known)
    restoration = restore(TWO_LISTS.format(before=before), "xx")
    assert restoration.text.splitlines()[-1] == "< " + restored
    if why:
        assert why in say(restoration.repairs[0].reason)
    else:
        assert restoration.unknown[0].why.values == {"candidates": "SIZE, DSN"}


def test_a_keyword_stands_once_in_a_list(monkeypatch):
    known = {**lexicons(), "xx": read_lexicon(AMBIGUOUS, "xx")}
    monkeypatch.setattr("simulator.restore.lexicons", lambda: known)
    restoration = restore("> EHLO x\n< 250-x.example\n< 250-SIZE 10\n< 250 FOO\n", "xx")
    assert restoration.text.endswith("250 DSN\n")
    assert "stands once" in say(restoration.repairs[0].reason)


# Single repairs


@pytest.mark.parametrize(
    ("found", "restored", "kinds"),
    [
        ("Sent: EHLO x", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: 'EHLO x", "Sent: 'EHLO x'", ["quote"]),
        ('Sent: "EHLO x"', "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: ''EHLO x''", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: 'EHLO x''", "Sent: 'EHLO x'", ["quote"]),
        ("Sent: “EHLO x”", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: „EHLO x“", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: «EHLO x»", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: « EHLO x »", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: ‘EHLO x’", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: 「EHLO x」", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: ＇EHLO x＇", "Sent: 'EHLO x'", ["quote", "quote"]),
        ("Sent: 'EHLO x’", "Sent: 'EHLO x'", ["quote"]),
        ('Rcvd: "354 End with ".""', "Rcvd: '354 End with \".\"'", ["quote", "quote"]),
        ('Rcvd: \'354 End with "."', "Rcvd: '354 End with \".\"'", ["quote"]),
        ("Sent: 'MAIL FROM:&lt;a@b.c&gt;'", "Sent: 'MAIL FROM:<a@b.c>'", ["entity", "entity"]),
        ("Sent: 'EHLO\u00a0x'", "Sent: 'EHLO x'", ["space"]),
        ("Sent: 'EH\u200bLO x'", "Sent: 'EHLO x'", ["space"]),
        ("Sent：'EHLO x'", "Sent: 'EHLO x'", ["punctuation"]),
        ("Sent : 'EHLO x'", "Sent: 'EHLO x'", ["punctuation"]),
        ("Sent&colon; 'EHLO x'", "Sent: 'EHLO x'", ["entity"]),
        ("Sent: 'MAIL FROM：<a@b.c>'", "Sent: 'MAIL FROM:<a@b.c>'", ["punctuation"]),
        ("Sent: 'MAIL FROM:＜a@b.c＞'", "Sent: 'MAIL FROM:<a@b.c>'", ["punctuation"]),
        ("Rcvd: '250–x.example'", "Rcvd: '250-x.example'", ["punctuation"]),
        ("sent: 'EHLO x'", "Sent: 'EHLO x'", ["word"]),
    ],
)
def test_one_repair(found, restored, kinds):
    restoration = restore(ESA + found + "\n")
    assert restoration.text == ESA + restored + "\n"
    assert [one.kind for one in restoration.repairs] == kinds


@pytest.mark.parametrize(
    "said",
    ["'MAIL", "'RCPT", "'EHLO", "'AUTH", "'MAIL FROM:", "'MAIL FROM:<a@exam", "'250-", "'250",
     "'25", "'", "'EHL", "'STARTT"],
)  # fmt: skip
def test_a_line_that_breaks_off_stays_open(said):
    restoration = restore(f"{ESA}Sent: 'NOOP'\n{ESA}Sent: {said}\n")
    assert restoration.text == f"{ESA}Sent: 'NOOP'\n{ESA}Sent: {said}\n"
    assert restoration.cut == (2,)
    assert restoration.repairs == ()
    assert [one.line for one in restoration.unknown] == [2]


@pytest.mark.parametrize("said", ["QUIT", "DATA", "EHLO x", "250 ok", "250-x", "MAIL FROM:<a@b.c>"])
def test_a_complete_line_that_lacks_its_quote_is_closed(said):
    restoration = restore(f"{ESA}Sent: '{said}\n")
    assert restoration.text == f"{ESA}Sent: '{said}'\n"
    assert restoration.cut == ()


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("Tue May 16 18:34:30 2005", "The weekday and the date do not fit: the date was a Mon."),
        ("Mon Feb 31 18:34:30 2005", "There is no such date."),
        ("Mon Jan  1 18:34:30 0000", "There is no such date."),
    ],
)
def test_a_date_that_cannot_be_is_told_and_left(date, why):
    log = f"{date} Info: 5 Sent: 'QUIT'\n"
    restoration = restore(log)
    assert restoration.text == log
    assert [(one.text, say(one.why)) for one in restoration.unknown] == [(date, why)]


@pytest.mark.parametrize(
    "head",
    [
        "16/16/2005 18:34:30 Informações",
        "segunda-feira 16 18:34:30 2005 Informações",
        "16 maio maio 18:34:30 2005 Informações",
        "16 de borboleta 18:34:30 2005 Informações",
        "16/05/2005 maio 18:34:30 Informações",
        "16 maio 18:34:30 Informações",
    ],
)
def test_a_date_that_is_not_understood_is_left(head):
    restoration = restore(f"{head}: 5 Enviado: 'QUIT'\n")
    date = head.removesuffix(" Informações")
    assert restoration.text == f"{date} Info: 5 Sent: 'QUIT'\n"
    assert [one.text for one in restoration.unknown] == [date]


def test_a_mask_of_the_wrong_length_is_told():
    log = "> EHLO x\n< 250-x.example\n< 250-XXXXXXXA\n< 250 XXXXXXA\n"
    restoration = restore(log)
    assert restoration.text == log
    assert [(one.text, one.why.values) for one in restoration.unknown] == [
        ("XXXXXXA", {"length": 7})
    ]


def test_a_command_may_be_the_first_line():
    log = "CORREIO DE:<a@b.example>\n250 Ok\nSAIR\n221 Adeus\n"
    assert restore(log).text == "MAIL FROM:<a@b.example>\n250 Ok\nQUIT\n221 Bye\n"


def test_sessions_that_interleave_are_told_apart():
    log = "".join(
        f"Mon May 16 18:34:30 2005 Info: {line}\n"
        for line in (
            "1 Enviado: 'EHLO a.example'", "2 Enviado: 'CORREIO DE:<a@b.example>'",
            "1 Recebido: '250-mx.example'", "2 Recebido: '250 ok'",
            "1 Recebido: '250 TAMANHO 10'", "2 Enviado: 'SAIR'",
        )
    )  # fmt: skip
    said = [line.partition("Info: ")[2] for line in restore(log).text.splitlines()]
    assert said == [
        "1 Sent: 'EHLO a.example'", "2 Sent: 'MAIL FROM:<a@b.example>'",
        "1 Rcvd: '250-mx.example'", "2 Rcvd: '250 ok'", "1 Rcvd: '250 SIZE 10'", "2 Sent: 'QUIT'",
    ]  # fmt: skip


def test_a_log_in_two_languages_is_restored_from_both():
    said = ("Enviado: 'CORREIO DE:<a@b.example>'", "Gesendet: 'BEENDEN'", "Enviado: 'SAIR'")
    log = "".join(f"{ESA}{line}\n" for line in said)
    restoration = restore(log)
    assert [line[len(ESA) :] for line in restoration.text.splitlines()] == [
        "Sent: 'MAIL FROM:<a@b.example>'", "Sent: 'QUIT'", "Sent: 'QUIT'",
    ]  # fmt: skip
    assert restoration.language == "pt_BR"
    assert [one.line for one in restoration.repairs] == [1, 1, 1, 2, 2, 3, 3]


def test_text_without_a_log_is_told():
    restoration = restore("Guten Tag\n")
    assert [(one.line, say(one.why)) for one in restoration.unknown] == [
        (1, "No line of an SMTP log was found.")
    ]


# Pages


@pytest.mark.parametrize(
    ("page", "left_out"),
    [
        ("# T\n\n```text\n{}```\n", (1, 2, 3, 7)),
        ("~~~\n{}", (1,)),
        ("```\nno log\n```\n```\n{}```\n", (1, 2, 3, 4, 8)),
        ("<p>x</p>\n<PRE>\n{}</PRE>\n", (1, 2, 6)),
        ("<!doctype html>\n<p>\n{}", (1, 2)),
        ("A letter that has a log with words around it:\n\n{}\nThat was the log we found here.\n",
         (1, 2, 6, 7)),
    ],
)  # fmt: skip
def test_only_the_log_of_a_page_is_kept(page, left_out):
    log = f"{ESA}Sent: 'EHLO x'\n{ESA}Rcvd: '250 x.example'\n{ESA}Sent: 'QUIT'\n"
    restoration = restore(page.format(log))
    assert restoration.text == log
    assert restoration.left_out == left_out
    assert restoration.language == "en"


def test_lines_of_a_page_are_counted_in_the_page():
    page = f"<p>a\n<pre>{ESA}Enviado: <b>&quot;SAIR&quot;</b><br>{ESA}Enviado: 'DADOS'</pre>"
    restoration = restore(page)
    assert restoration.text == f"{ESA}Sent: 'QUIT'\n{ESA}Sent: 'DATA'\n"
    assert {one.line for one in restoration.repairs} == {2}
    assert restoration.left_out == (1,)


PORTUGUESE = "Segunda-feira o 16 de maio 18:34:30 2005 informações: 5 "
TRANSLATED = tuple(
    PORTUGUESE + said
    for said in ('enviado: "EHLO mx4.example.com"', "rcvds: '250-x.example",
                 "rcvds: '250-8 BITMIME", "rcvds: '250 INICIALIZAÇÕES",
                 "enviado: 'CORREIO DE:&lt;a@b.example&gt;")
)  # fmt: skip
ENTITIES = tuple(
    line.replace("ç", "&ccedil;").replace("õ", "&#245;").replace('"', "&quot;")
    for line in TRANSLATED
)
SENT = "".join(
    f"{ESA.replace('5165207', '5')}{said}\n"
    for said in ("Sent: 'EHLO mx4.example.com'", "Rcvd: '250-x.example'", "Rcvd: '250-8BITMIME'",
                 "Rcvd: '250 STARTTLS'", "Sent: 'MAIL FROM:<a@b.example>'")
)  # fmt: skip
HEAD = """\
<!DOCTYPE html>
<html lang="pt"><head><title>O log: o que é</title>
<style>
p > a { color: red }
</style>
<script>if (a < b) document.write("<p>250 x</p>")</script></head>
<body><!-- <p>
250 x</p> -->
<h1>Um log</h1>
"""


def each(before: str, after: str, lines: tuple[str, ...] = TRANSLATED, between: str = "\n") -> str:
    return between.join(before + line + after for line in lines)


HTML = {
    "br": each("", "<br>"),
    "br, XML": each("", "<br/>"),
    "br, upper case": each("", "<BR CLEAR=all>"),
    "br first": each("<br>", ""),
    "br, carriage returns": each("", "<br>\r", between="\n"),
    "br, on one line": f"<p>{each('', '<br>', ENTITIES, '')}</p>",
    "p": each("<p>", "</p>"),
    "p, never closed": each("<p>", ""),
    "p, upper case": each('<P CLASS="log" ALIGN=left>', "</P>"),
    "p, attributes on lines of their own": each('<p\n  title="a > b"\n  id=x>', "</p>"),
    "p, indented": f"<html>\n<body>\n{each(' ' * 24 + '<p>', '</p>')}\n</body>\n</html>\n",
    "p, wrapped": each("<p>\n  ", "\n</p>").replace(": 5 ", ":\n  5 "),
    "p, of an office program": each("<p class=MsoNormal>", "<o:p></o:p></p>"),
    "li": f"<ol>\n{each('  <li>', '</li>')}\n</ol>",
    "td": f"<table>{each('<tr><td>', '</td></tr>')}</table>",
    "td, upper case": f"<TABLE BORDER=1>{each('<TR><TD>', '</TD></TR>')}</TABLE>",
    "td, numbered": each("<tr><td>7</td><td>", "</td></tr>"),
    "div, on one line": each("<div>", "</div>", between=""),
    "span": each('<span class="line">', "</span>"),
    "span, on one line": each('<span style="display: block">', "</span>", between=""),
    "code": each("<code>", "</code><br>"),
    "font": each("<FONT FACE=Courier SIZE=2>", "</FONT><BR>"),
    "bold words": each("<p>", "</p>").replace("enviado", "<b>enviado</b>"),
    "blockquote": f"<blockquote>\n{each('', '<br>')}\n</blockquote>",
    "fence": f"```\n{each('', '<br>')}\n```\n",
    "pre": f"<PRE CLASS=log>\n{each('<span>', '</span>')}\n</PRE>",
    "text around": f"O que o servidor gravou:\n\n{each('', '<br>')}\n\nIsso foi o que vimos.\n",
    "text and tags around": f"<b>Log</b>:<br>\n{each('', '<br>')}\nIsso foi o que vimos.<br>\n",
    "page": f"{HEAD}<p>\n{each('', '<br />', ENTITIES)}\n</p>\n<p>Fim.</p>\n</body></html>\n",
    "page, paragraphs": f"{HEAD}{each('<p>', '</p>', ENTITIES)}</body></html>\n",
}


@pytest.mark.parametrize("shape", HTML)
def test_tags_are_taken_away_and_entities_decoded(shape):
    restoration = restore(HTML[shape])
    assert restoration.text == SENT
    assert restoration.unknown == ()


def test_tags_around_a_terminal_s_lines_are_taken_away():
    said = ("220 x.example ESMTP", "EHLO y.example", "250-x.example", "250 TAMANHO 10", "SAIR")
    assert restore("".join(f"{line}<br>\n" for line in said)).text == (
        "220 x.example ESMTP\nEHLO y.example\n250-x.example\n250 SIZE 10\nQUIT\n"
    )


def test_lines_of_a_page_without_pre_are_counted_in_the_page():
    page = "<p\n class=x>a</p>\n" + each("", "<br>\n", TRANSLATED[:2], "<!--\n\n-->\n")
    assert {one.line for one in restore(page).repairs} == {3, 7}


@pytest.mark.parametrize(
    "log",
    [
        f"{ESA}Sent: 'DATA'\n{ESA}Rcvd: '354 ok'\n{ESA}Sent: '<p>250 x</p><br>'\n{ESA}Sent: '.'\n",
        f"{ESA}Sent: 'MAIL FROM:<a>'\n{ESA}Rcvd: '250 <b>250 hi</b>'\n",
        "220 x.example\nMAIL FROM:<p>\n250 sender <p>\nDATA\n354 go\n<html>\n<p>250 x</p>\n.\n",
        "220 x.example\nMAIL FROM:<a@b.example>\n250 ok\nRCPT TO:<br>\n250 ok <li>\n",
    ],
)
def test_tags_inside_a_log_stay(log):
    restoration = restore(log)
    assert restoration.text == log
    assert restoration.repairs == ()


# For every text


MINUTE = datetime.datetime(2005, 5, 16, 18, 34)  # noqa: DTZ001 - the log has no zone
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
HOST = st.builds("{}.{}.example".format, TOKEN, TOKEN)
COMMAND = st.one_of(
    st.sampled_from(["QUIT", "DATA", "RSET", "NOOP", "STARTTLS", "quit", "Starttls"]),
    st.builds("EHLO {}".format, HOST),
    st.builds("MAIL FROM:<{}@{}> SIZE={}".format, TOKEN, HOST, st.integers(0, 10**9)),
    st.builds("rcpt to: <{}@{}>".format, TOKEN, HOST),
)
REPLY = st.one_of(
    st.builds("250-{}".format, st.sampled_from(["8BITMIME", "SIZE 10", "AUTH LOGIN PLAIN", "dsn"])),
    st.builds("{}{}{}".format, st.sampled_from(["220", "250", "354", "554"]),
              st.sampled_from([" ", "-"]),
              st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"],
                                    exclude_characters="&'"), min_size=1, max_size=40)
              .map(str.strip).filter(bool)),
)  # fmt: skip


@st.composite
def clean_logs(draw):
    lines = draw(st.lists(st.one_of(COMMAND, REPLY), min_size=1, max_size=12))
    second = draw(st.integers(0, 10**8))
    clock = (MINUTE + datetime.timedelta(seconds=second)).ctime()
    end = draw(st.sampled_from(["\n", "\r\n", "  \n"]))
    log = end.join(
        f"{clock} Info: {session} {'Rcvd' if line[0].isdigit() else 'Sent'}: '{line}'"
        for line in lines
        for session in [draw(st.integers(1, 3))]
    )
    return draw(st.sampled_from(["", "\ufeff"])) + log + draw(st.sampled_from(["", end, end * 3]))


@given(clean_logs())
def test_a_clean_log_is_unchanged(log):
    restoration = restore(log)
    assert restoration.text == log
    assert restoration.repairs == ()
    assert restoration.left_out == ()


PIECES = [
    *(piece for lexicon in lexicons().values() for example in lexicon.examples
      for piece in (*example.found.splitlines(keepends=True), example.restored)),
    "\n", " ", ":", "：", "'", '"', "«", "&amp;", "&lt;", "&colon;", "\u00a0", "> ", "< ", "```\n",
    "<pre>", "</pre>", "<br>", "<p>", "250-", "250 ", "354 go\n", "334 x\n", ".\n", "\r\n",
    "\ufeff", "Info: 5 Sent: ", "Info: 5 Rcvd: '", "# Titel\n",
    "Das ist ein langer Satz mit einem Punkt.\n", "\u200b", "\\r\\n", "MAIL FROM:", "\x0c",
    "\x85", "\u2028", "18:34:30", "5/16/2005",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12).map("".join))
def test_restoring_what_is_restored_changes_nothing(text):
    restoration = restore(text)
    assert restore(restoration.text).text == restoration.text
    lines = range(1, text.count("\n") + 2)
    assert {one.line for one in restoration.repairs} <= set(lines)
    assert {one.line for one in restoration.unknown} <= set(lines)
    assert {*restoration.left_out, *restoration.cut} <= set(lines)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([one for one in PIECES if "<" not in one]), max_size=12))
def test_no_line_changes_without_a_repair(pieces):
    text = "".join(pieces)
    restoration = restore(text)
    before = [
        (number, line)
        for number, line in enumerate(text.split("\n"), 1)
        if number not in restoration.left_out
    ]
    repaired = {one.line for one in restoration.repairs}
    if not restoration.left_out:
        assert text.count("\n") == restoration.text.count("\n")
    for (number, line), after in zip(before, restoration.text.split("\n"), strict=False):
        assert line == after or number in repaired


@given(st.text(), st.sampled_from([None, *LANGUAGES]))
def test_no_text_is_too_odd(text, language):
    restoration = restore(text, language)
    assert restore(restoration.text, language).text == restoration.text


HOSTILE = [
    ":" * 200_000, " " * 200_000 + "x", ": 1 a" * 40_000, "&amp;" * 40_000, "<" * 200_000,
    "<pre>" * 40_000 + "</pre>", "<pre " * 40_000, "<!--" * 50_000, "'" * 200_000,
    ESA + "Sent: '" + "x " * 100_000, ESA + "Sent: " + "'" * 200_000, "18:34:30 " * 22_000,
    "250-" + "A " * 100_000, "250 " + "\\" * 200_000, "250-x.y\n250-" + "数据" * 100_000,
    "\n" * 50_000, "```\n" * 20_000, "354 go\n" * 10_000, "> MAIL FROM:<a> " + "x= " * 66_000,
    "> HOLA x\n" * 6_000, "220 x\nSAIR\n" * 3_000, "<p>" + "<script>" * 20_000,
    "<p " + "\"'" * 100_000, "<p>x" + "<td>" * 40_000, ("<p>" + ESA + "Sent: 'a\n") * 2_000,
    "<p>\n" + "18:34:30 x\n" * 10_000, "250 x" + "<br>" * 40_000, "<p \"" * 40_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_takes_no_more_time_than_its_length_asks(text):
    start = time.process_time()
    restore(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_replayed_log_comes_back_as_it_was_sent(language: str) -> None:
    explanation = explain(play(load("documented")))
    english = esa.render(explanation)
    restored = restore(esa.render(explanation, language))
    told = [line for line in restored.text.splitlines() if not line.startswith("---")]
    assert told == [line for line in english.splitlines() if not line.startswith("---")]
    assert restored.language == language
    if language == "en":
        assert restored.text == english
        assert not restored.repairs


@pytest.mark.parametrize("prose", esa.REPLY_PROSE)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_reply_that_is_replayed_in_a_language_comes_back(language: str, prose: str) -> None:
    log = f"{ESA}Rcvd: '500 5.5.1 {say(prose, language)}'\n"
    restored = restore(log, language)
    assert restored.text == f"{ESA}Rcvd: '500 5.5.1 {prose}'\n"
    assert restored.unknown == ()


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_date_that_is_replayed_in_a_language_comes_back(language: str, month: int) -> None:
    log = "{} {}: 5 Sent: 'QUIT'\n"
    for day in range(month, month + 7):
        moment = datetime.datetime(2005, month, day, 8, 4, 5)  # noqa: DTZ001 - as MINUTE
        line = log.format(esa.stamp(moment, language), say("Info", language))
        assert restore(line, language).text == log.format(esa.stamp(moment), "Info")
