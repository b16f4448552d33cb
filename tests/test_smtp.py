"""The grammar: commands, replies, the list, parameters; and citations as data."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import smtp
from simulator.smtp import Keyword, ReplyLine

LINE = st.text(st.characters(exclude_characters="\r\n"), max_size=80)
VERB = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,12}", fullmatch=True)


@pytest.mark.parametrize(
    ("line", "verb", "argument"),
    [
        ("EHLO mx4.example.com", "EHLO", "mx4.example.com"),
        ("ehlo mx4.example.com", "EHLO", "mx4.example.com"),
        ("StartTLS", "STARTTLS", ""),
        ("QUIT ", "QUIT", ""),
        ("EHLO \t a.example.com \t", "EHLO", "a.example.com"),
        ("EHLO [192.0.2.1]", "EHLO", "[192.0.2.1]"),
        ("MAIL FROM:<a@example.com> SIZE=3", "MAIL", "FROM:<a@example.com> SIZE=3"),
        ("MAIL FROM: <a b@example.com>", "MAIL", "FROM: <a b@example.com>"),
        ("X-UNKNOWN-1 x", "X-UNKNOWN-1", "x"),
        ("", "", ""),
        (" EHLO a", "", " EHLO a"),
        ("250 OK", "", "250 OK"),
        ("MAIL\0FROM", "", "MAIL\0FROM"),
        ("Ｅhlo a", "", "Ｅhlo a"),
        ("\x16\x03\x01\x02", "", "\x16\x03\x01\x02"),
    ],
)
def test_command(line: str, verb: str, argument: str) -> None:
    assert smtp.parse_command(line) == (verb, argument)


@given(VERB, PRINTABLE)
def test_any_command_comes_back(verb: str, argument: str) -> None:
    assert smtp.parse_command(f"{verb} {argument}") == (verb.upper(), argument.strip(" \t"))


@given(LINE)
def test_any_line_is_a_command_or_kept_whole(line: str) -> None:
    verb, argument = smtp.parse_command(line)
    if verb:
        assert re.fullmatch("[A-Z][A-Z0-9-]*", verb)
        assert line.upper().startswith(verb)
        assert argument in line
    else:
        assert argument == line


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("220 eq-c601.example.com ESMTP", ReplyLine(220, False, "eq-c601.example.com ESMTP")),
        ("250-8BITMIME", ReplyLine(250, True, "8BITMIME")),
        ("250 ", ReplyLine(250, False, "")),
        ("250", ReplyLine(250, False, "")),
        ("250-", ReplyLine(250, True, "")),
        ("250--x", ReplyLine(250, True, "-x")),
        ("250  x ", ReplyLine(250, False, " x ")),
        ("000 x", ReplyLine(0, False, "x")),
        ("250 a\0\x1b[2J", ReplyLine(250, False, "a\0\x1b[2J")),
        ("", None),
        ("25 OK", None),
        ("2500 OK", None),
        ("250_OK", None),
        ("250OK", None),
        (" 250 OK", None),
        ("-50 OK", None),
        ("2x0 OK", None),
        ("２５０ OK", None),
        ("٢٥٠ OK", None),
    ],
)
def test_reply_line(line: str, read: ReplyLine | None) -> None:
    assert smtp.parse_reply_line(line) == read


@given(st.integers(0, 999), st.booleans(), LINE)
def test_any_reply_line_comes_back(code: int, more: bool, text: str) -> None:
    line = f"{code:03}{'-' if more else ' '}{text}"
    assert smtp.parse_reply_line(line) == ReplyLine(code, more, text)


@given(LINE)
def test_any_line_is_a_reply_or_none(line: str) -> None:
    read = smtp.parse_reply_line(line)
    assert (read is not None) == bool(re.match(r"[0-9]{3}([ -]|\Z)", line))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2.1.0 Sender OK", "2.1.0"),
        ("5.7.10", "5.7.10"),
        ("4.123.999 x", "4.123.999"),
        ("2.1.0.4 x", ""),
        ("3.0.0 x", ""),
        ("2.1 x", ""),
        ("OK 2.1.0", ""),
        ("2.1.0Sender", ""),
        ("", ""),
    ],
)
def test_enhanced_code(text: str, code: str) -> None:
    assert smtp.enhanced_code(text) == code


@pytest.mark.parametrize(
    ("line", "keyword"),
    [
        ("STARTTLS", Keyword("STARTTLS", "")),
        ("starttls", Keyword("STARTTLS", "")),
        ("SIZE 10485760", Keyword("SIZE", "10485760")),
        ("AUTH PLAIN LOGIN", Keyword("AUTH", "PLAIN LOGIN")),
        ("AUTH=LOGIN PLAIN", Keyword("AUTH", "LOGIN PLAIN")),
        ("8BITMIME ", Keyword("8BITMIME", "")),
        ("XXXXXXXA", Keyword("XXXXXXXA", "")),
        ("", None),
        ("-X", None),
        ("*", None),
        ("a.example.com at your service", None),
        ("ＳＩＺＥ", None),
    ],
)
def test_keyword(line: str, keyword: Keyword | None) -> None:
    assert smtp.parse_keyword(line) == keyword


@given(WORD, st.lists(WORD, max_size=3))
def test_any_keyword_comes_back(name: str, parameters: list[str]) -> None:
    keyword = smtp.parse_keyword(" ".join([name, *parameters]))
    assert keyword == Keyword(name.upper(), " ".join(parameters))
    assert keyword is not None
    assert smtp.parse_keyword(str(keyword)) == keyword


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ("RCPTMAX=1", 1),
        ("MAILMAX=5 rcptmax=20 RCPTDOMAINMAX=2", 20),
        ("RCPTMAX=999999", 999999),
        ("", 0),
        ("MAILMAX=5", 0),
        # What cannot be read sets no limit (RFC 9422 §3.7, §4.2).
        ("RCPTMAX", 0),
        ("RCPTMAX=0", 0),
        ("RCPTMAX=1000000", 0),
        ("RCPTMAX=1x", 0),
        ("XRCPTMAX=1", 0),
    ],
)
def test_most_recipients(limits: str, most: int) -> None:
    assert smtp.most_recipients(limits) == most


@pytest.mark.parametrize(
    ("lines", "name", "keywords"),
    [
        ((), "", ()),
        (("",), "", ()),
        (("a.example.com",), "a.example.com", ()),
        (("a.example.com Hello b", "SIZE 1"), "a.example.com", (Keyword("SIZE", "1"),)),
        # The first line is never a keyword, whatever it says (RFC 5321 §4.1.1.1).
        (("STARTTLS", "a.example.com"), "STARTTLS", ()),
        (("a", "", "???", "HELP"), "a", (Keyword("HELP", ""),)),
        (("a", "SIZE", "size 2"), "a", (Keyword("SIZE", ""), Keyword("SIZE", "2"))),
    ],
)
def test_ehlo_reply(lines: tuple[str, ...], name: str, keywords: tuple[Keyword, ...]) -> None:
    assert smtp.parse_ehlo_reply(lines) == (name, keywords)


@pytest.mark.parametrize(
    ("argument", "path", "parameters"),
    [
        ("FROM:<a@example.com>", "a@example.com", ()),
        ("from: <a@example.com>", "a@example.com", ()),
        ("FROM:a@example.com", "a@example.com", ()),
        ("FROM:<>", "", ()),
        ("TO:<@hop.example.com:a@example.com>", "@hop.example.com:a@example.com", ()),
        ('FROM:<"a b"@example.com> SIZE=3', '"a b"@example.com', (Keyword("SIZE", "3"),)),
        (
            "FROM:<a@example.com> SIZE=3 REQUIRETLS body=8BITMIME",
            "a@example.com",
            (Keyword("SIZE", "3"), Keyword("REQUIRETLS", ""), Keyword("BODY", "8BITMIME")),
        ),
        ("FROM:a@example.com SIZE=3", "a@example.com", (Keyword("SIZE", "3"),)),
        ("FROM:<a@example.com", "<a@example.com", ()),
        ("", "", ()),
        ("nonsense", "", ()),
    ],
)
def test_mail_parameters(argument: str, path: str, parameters: tuple[Keyword, ...]) -> None:
    assert smtp.mail_parameters(argument) == (path, parameters)


@given(LINE, st.lists(LINE, max_size=4).map(tuple))
def test_nothing_is_too_dirty(line: str, lines: tuple[str, ...]) -> None:
    name, keywords = smtp.parse_ehlo_reply(lines)
    assert not name or name in lines[0]
    assert len(keywords) < max(len(lines), 1)
    path, parameters = smtp.mail_parameters(line)
    assert path in line
    assert all(parameter.name.isascii() for parameter in parameters)
    assert smtp.enhanced_code(line) in line


def test_citations_know_their_place() -> None:
    citation = smtp.citations()["rfc3207-4_2-server-discards"]
    assert citation.id == "rfc3207-4_2-server-discards"
    assert citation.place == "RFC 3207 §4.2"
    assert citation.url == "https://www.rfc-editor.org/rfc/rfc3207#section-4.2"
    assert citation.keyword == "MUST"
