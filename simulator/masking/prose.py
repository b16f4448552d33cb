"""Lines that nobody understood, without the secrets that stand in them.

A password is recognised by its place (behind a word that names it, in a URL, on a command line, in
a call) or by its form (a token of a known issuer, a SASL response). `secrets.toml` holds the words
and the forms, each with examples. Lines are read one after another, for a value may stand on the
line after its name, and a key goes on over many.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from simulator.masking import keys, leads
from simulator.masking.dumps import HEXADECIMAL, NUMBERS, ROW_WITHIN, dumped
from simulator.masking.forms import (
    PLAIN_TOKEN,
    SASL,
    is_blob,
    is_key,
    is_readable,
    is_sasl,
    is_text,
    looks_secret,
)
from simulator.masking.values import (
    PLACEHOLDER,
    QUOTES,
    Value,
    after,
    closing_bracket,
    value_at,
)
from simulator.masking.words import (
    MASK,
    SMTP_WORDS,
    hints,
    mechanisms,
    name,
    rows,
    shapes,
    shapes_with,
    signs,
)
from simulator.needles import late

LONGEST = 4_000
"""Characters of a line that are looked at; what lies behind them is masked unread."""


_AUTH = late(
    r"(?i)\bAUTH(?:ENTICATE)?(?:[\s=:+\xa0]|&nbsp;|%20)+(?=\S)(?P<mech>[A-Za-z0-9_-]{3,40}(?![\w/+]))?"
    r"(?:(?:[\s=:+\xa0,]|&nbsp;|%20)+(?P<blob>[^\s'\"\\<>|]{2,}))?"
)
_BLOB = late(r"(?<![\w+/=.@-])[A-Za-z0-9+/_-]{8,16000}={0,2}(?![\w+/@=-]|\.\w)")
_ALONE = late(
    r"^(?P<lead>\s*(?:[^\s:]{0,3}[<>→←:|=~*-]{1,4}\s*|[0-9A-Fa-f]{4,8}:\s+|[CS]:\s*|>+\s*)?[\"'`b]{0,2})"
    r"(?P<s>[A-Za-z0-9+/_-]{4,16000}={0,3})(?P<trail>[\"'`]?(?:\\r|\\n)*[\"'`,;)]*\s*)$"
)
_AS_NAME = late(
    r"(?i) (?P<as>as|als|como|comme|come|som|jako|як|как|в качестве|ως|sebagai) "
    r"|(?:,| [-–—=])? (?:is|was|ist|war|es|era|est|était|è|é|foi|jest|to(?= (?:moje )?has)|är|er|on(?= (?:minun? )?(?:salas|paroo))|это|был|είναι|adalah|that['’]s) "
    r"|,? c['’]est | [-–—] (?=(?:это|that|my|mein|mon|mi|minha|mia|meu|мой|moje|the)\b)| ?[がは为是](?=\S)"
)
"""What goes before the name of what stands before it: `hunter2 as password`."""
_WORDS = late(r"""[^\s"'`()«»„“”]{4,128}""")
_PRINTS = late(
    r"\s*(?:\((?:gdb|lldb|Pdb|ipdb|rdb:\d+)\) *\S|>>> ?\S|(?:irb|pry|iex|php|julia|ghci|tinker|psysh|In \[\d+\])[^>:]{0,20}[>:] *\S"
    r"|>{1,2} \w*[.$\[(]\S|(?:\S{0,60}[$#%] *)?(?:echo|printenv|print|puts|p|pp|var_dump)[ (]+\S)"
)
"""A line on which somebody asks for a value, which the next line shows."""
_SENT = late(r"""["'](?P<s>[A-Za-z0-9+/]{8,16000}={0,2})(?:\\r|\\n)""")
_MECHANISM_AND_BLOB = late(
    r"""\b(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|NTLM|GSSAPI|DIGEST-MD5|SCRAM-[A-Z0-9-]{4,20})["',:;=>\s|]{1,8}(?P<s>[A-Za-z0-9+/_-]{8,16000}={0,2})(?![\w+/@=-])"""
)
_VALUE_BEFORE = late(
    r"""(?i)\b(?:value|val|content|data)["']?\s*[:=]\s*(["'])(?P<s>[^"']{1,512})\1[\s,;]*(?:WHERE\s+)?["']?[\w.]{0,20}(?:name|key|id|k|setting|field|property)["']?\s*[:=]\s*["']?[\w.-]*$"""
)
"""A value that stands before the name that it has."""
_LAST = late(r"[:>\]|] {1,20}[\"']?(?P<s>[A-Za-z0-9+/_-]{6,4000}={0,2})[\"']?$")
"""The last word of a line, behind a mark of whatever log."""
_CONTINUES = late(
    r"^(?P<lead>\s*(?:[0-9A-Fa-f]{4,8}:\s+|[<>~=|*-]{1,4}\s+|[CS]:\s*)?[\"'`]?)(?P<s>[A-Za-z0-9+/_-]{1,16000}={0,3})(?P<trail>[\"'`]?(?:\\r|\\n)*\s*)$"
)
_CALL = late(r"(?i)(?<!\w)(?=\w*?(?:auth|credential|passw|(?:log[io]n|sign_?in)\s?\())\w++\s?\(")
_CALLED = late(
    r"log[io]n|sign_?in|auth|cred|passw|->|::|#\d|args?\b|arguments|params|parameters"
    r"|connect|values|dial|client|transport|sasl|plain|smtp|mailer|session|account|open|start|send"
)
_CONNECTS = late(
    r"(?i)(?<!\w)(?=\w*?(?:connect|dial|client|transport|sasl|plain|smtp|mailer|session|account|open"
    r"|start|send|values))\w++(?:\.\w++)?\s?\((?=[^()]*,)"
)
"""Calls that may be given a user and a password, behind other arguments."""
_PLAIN_ARGUMENT = late(
    r"(?i)(?:EHLO|HELO|LHLO|STARTTLS|MAIL|RCPT|DATA|RSET|NOOP|QUIT|HELP|VRFY|AUTH)\b.*|\s*|\d{1,5}"
    r"|(?:tcp|udp|tls|ssl|smtps?|utf-?8|ascii|plain|login|localhost|r|w|rb|wb|none|true|false)\d?"
    r"|\w+://[^@]*|(?:/|[A-Z]:\\)[\w./\\ -]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[^@\s]+@[\w.-]*|\S+ \S+ .*|[\\rn]*"
)
"""What is no secret as an argument: a command, a host, an address, a sentence."""
_FRAME = late(r"^\s*#\d+ |(?:->|::)\w+\(")
_LISTED = late(
    r"(?i)\b(?:auth\w*|creds|credentials?|login|args?|arguments|params|parameters)[\"']?\s*(?:=>|[=:]| +')\s*[\[({](?!\s*$)"
)
_STRING = late(
    r"'(?P<s>(?:[^'\\]|\\.){0,4000})'|\"(?P<s2>(?:[^\"\\]|\\.){0,4000})\""
    r"|(?<=[\s(,=\[{:])['\"](?P<s3>(?![,;)\]}])[^'\"\s]{1,4000})$"
)
"""A string; one before the end of a line, or of what is searched, may have lost its own end."""
_BENIGN = late(
    r"(?i)(?:EHLO|HELO|LHLO|STARTTLS|MAIL|RCPT|DATA|RSET|NOOP|QUIT|HELP|VRFY)\b.*|AUTH(?: [A-Z0-9-]{3,20})?"
    r"|\w+://[^@]*|(?:/|[A-Z]:\\)[\w./\\ -]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[^@\s]+@[\w.-]*|[a-z ]{0,24}|[A-Z][a-z]{1,24}"
    r"|[A-Z-]{2,12}|[\d.:]*|[A-Z]\w*\\[\w\\]*|[\s\\rn]*"
)
_ENCODED = late(r"(?i)base64|b64")
_HELD = late(r"\s*(?:content|data|plain|text)\s*:\s*\S")
_SHOWN = late(
    r"\s*(?:\$\d+ = |=> |Out\[\d+\]: |\[\d+\] |string\(\d+\) |\(.{1,40}\) ?)?(?:0x[0-9a-f]+ )?"
)
_TOLD = late(
    r"\s*(?:<[\w .-]{1,30}> ?|[\w .-]{1,30}: |[-*>] )?[\"'`]?(?![245]\d\d(?:[ -]|$))(?P<s>(?=[^\s]*[\d_!#$%&?+])(?=[^\s]*[^\W\d_])[^\s\"'`:/@]{5,64}?)[\"'`]?[.!]?\s*"
)
"""A line that is one word, as a password; the line before spoke of one."""
_ANSWERED = late(r"\s*(?:\S{1,3}\s+)?(?![245]\d\d(?:[ -]|$))(?P<s>\S{3,})\s*")
"""A line that is one word, as the answer to what the server asked for."""
_OPENS = late(r"""(?:=>|:\s*[|>][-+]?\d?|\"{3}|'{3})\s*$""")
"""How a line ends whose value stands in the next, with nothing else that it may mean."""
_KEY_OF_BLOCK = late(r"""\s*[-\s]*["']?[\w.-]+["']?\s*(?::\s*[|>][-+]?\d?|=>?\s*\S+)\s*$""")
"""The line that begins a block, and has nothing else on it."""
_FLAT = 8
"""Lines of a block whose indents are gone that are masked, unless something else shows before."""
_SETTING = late(
    r"""\s+["']?[\w.-]+["']?\s*[=:]\s*\S|\s*(?:\#|//|\{\s*$)"""
    r"""|(?i:["']?(?:type|description|sensitive|nullable|ephemeral|noecho|metadata)["']?\s*[=:]\s*\S)|\s+(?:[\w.-]+\s*\{|[\]})]+,?\s*$)"""
)
"""What may stand between a name and the key of its value: other keys, remarks, brackets."""
_KEYED = late(
    r"""(?i)\s*[-\s]*\\?["'<]?(?:default_?)?(?:value|val|result|content|data|default|string)"""
    r"""(?:[^>:=]{0,40}>|\\?["']?\s*(?:=>|[=:])\s*)"""
)
"""The key of a value whose name stands in a line before it."""
_HEREDOC = late(r"<<[-~]?[\"']?\w+[\"']?$")

_CERTIFIED = late(r"\s*+[A-Za-z0-9+/.…]*+=*+\s*+")
"""A line of a certificate, of which somebody may have left the middle out, or replaced it."""
_BESIDE = late(
    r"[^\u0e00-\u0eff\u1100-\u11ff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]{6,}"
)
"""What stands in a line beside letters that are written without blanks between words."""
_ROW = late(r"[\]:>|)=~-]\s+(?=[\w*\[])")
"""What may stand before the row of a table, whatever log it stands in."""
_PASSWORD = late(r"(?=\S*[A-Za-z])(?=\S*[^A-Za-z.-])(?![45]?\d\d[A-Za-z]+$|\d+\w{0,2}$)\S{6,256}")
"""What is like a password, and no word, number or time."""
_FIELD = late(
    r"(?i)\b(?:port|status|code|errno|error|time|timeout|delay|tls|ssl|cipher|protocol|version|queue|reply|state|in|host"
    r"|client|server|size|id|\w{0,20}id)[:=]\Z"
)
"""Names of what stands in logs and is no secret."""
_CELL = late(r"[\]:<>)=*~-]\s+(?=\S)")
"""What may stand before the head of a table."""
_UNQUOTED = late(r"""[^\s"',]{1,256}(?P<q>["']),\s?(?P=q)""")
"""A row of quoted cells, of which a reader took the first quote off."""
_SIDES = 4
"""Marks of a line behind which it is looked at."""
_ROWS = 8
"""Places of a line at which a row may begin."""
_PARTS = 8
"""Parts of a line, between such letters, that are looked at."""


_DIGITS = str.maketrans("123456789", "000000000")
_NUMBERED = late(r"[1-9]")

_STRANGE = 2
"""Lines that may stand between two rows of a table, as a log writes among what it quotes."""


class Masker:
    """Masks line after line; what one line begins, the next may end."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        """Secrets that were masked, whose other occurrences can be masked as well."""
        self.prompt = False
        """A mark of the log's stood before the line, which may be the prompt of a program."""
        self.authenticating = False
        """AUTH was said: a word alone may be an answer to it."""
        self._hints, self._shapes = hints(), shapes()
        self._headless: dict[str, int] = {}
        """Lines of private keys whose beginning is missing."""
        self._pending = ""
        self._patience = 0
        """Lines that may still stand between a name and the key of its value."""
        self._columns: tuple[str, int, int] | None = None
        """What parts the columns of a table, how many there are, and which holds a secret."""
        self._strange = 0
        """Lines since the last row of that table."""
        self._indent = -1
        self._margin = 0
        """Where the text of the last line outside a block stood, behind what the log writes."""
        self._call = 0
        """Brackets that are open of a call whose arguments may be secret."""
        self._before = ""
        self._key = False
        self._public = False
        self._blob = False
        self._hex = False
        self._ticket = False

    def prepare(self, text: str) -> None:
        """Say all that is to come, so that what is nowhere in it is not looked for."""
        lowered = text.lower().replace("\u0307", "")
        # Lines that differ in their numbers alone are many, and few words have a number.
        alike = "\n".join(dict.fromkeys(lowered.translate(_DIGITS).split("\n")))

        def has(word: str) -> bool:
            return word in alike or (word in lowered if _NUMBERED.search(word) else False)

        self._hints = tuple(filter(has, hints()))
        self._shapes = shapes_with(frozenset(filter(has, signs())))
        self._headless = keys.without_head(text, LONGEST)

    def begun(self) -> tuple[object, ...] | None:
        """What the lines so far have begun, for `resume`; None where that is nothing, or no more
        than a word: names of hosts have such."""
        pending = self._pending
        if pending == "told" or (pending == "block" and not _OPENS.search(self._before)):
            pending = ""
        begun = (
            pending, self._columns, self._call, self._key, self._blob, self._hex, self._ticket,
        )  # fmt: skip
        if not any(begun) and self._indent < 0:
            return None
        return (*begun, self._patience, self._strange, self._indent, self._before)

    def resume(self, begun: tuple[Any, ...]) -> None:
        """Go on behind lines that were masked elsewhere, unless these have begun something."""
        if self._public or self.begun() is not None:
            return
        (
            self._pending, self._columns, self._call, self._key, self._blob, self._hex,
            self._ticket, self._patience, self._strange, self._indent, self._before,
        ) = begun  # fmt: skip

    @property
    def in_block(self) -> bool:
        """Whether the next lines may be those of a block."""
        return self._pending in ("block", "flat") or self._indent >= 0

    def interrupted(self) -> None:
        """Something came in between that was understood."""
        self._pending, self._indent, self._call = "", -1, 0
        self._blob = self._hex = self._public = self._ticket = False

    def await_rest(self) -> None:
        """A response ended with the line; what follows may be the rest of it."""
        self._blob = True

    def block(self, lines: list[str]) -> list[str]:
        """Lines that follow one another, with dumps among them read as wholes."""
        out: list[str] = []
        place = 0
        while place < len(lines):
            dump = []
            while place < len(lines) and (row := dumped(lines[place])):
                dump.append((lines[place], *row))
                place += 1
            if dump:
                out.extend(self._dump(dump))
                continue
            out.append(self.line(lines[place]))
            place += 1
        return out

    def _dump(self, rows: list[tuple[str, str, bytes]]) -> list[str]:
        octets = b"".join(row[2] for row in rows)
        shown = not self._ticket and not self._hex and _harmless(octets)
        if shown:
            return [row[0] for row in rows]
        text = octets.decode("latin-1")
        self._hex = bool(re.search(r"(?i)\bAUTH\b|^334", text))
        for word in re.findall(r"[!-~]{6,}", text):
            if is_sasl(word) or looks_secret(word):
                self._keep(word)
        for line, lead, _ in rows:
            column = re.split(r" {2,}", line[len(lead) :].strip())[-1].strip("| ")
            if len(column) > 8:
                self._keep(column)
        return [f"{lead}{MASK}" for _, lead, _ in rows]

    def line(self, line: str, *, understood: bool = False) -> str:
        """One line, its secrets masked. `understood`: part of the dialogue, so no bare blob."""
        cut = ""
        if len(line) > LONGEST:
            line, cut = line[:LONGEST], MASK
        if not understood and self._headless:
            bare = line.strip()
            if (before := self._headless.get(bare.casefold())) is not None:
                return line[: line.index(bare) + before] + MASK + cut
        if not understood and (lead := self._lead(line)):
            return lead + self.line(line[len(lead) :]) + cut
        if not understood and (whole := self._state(line)) is not None:
            return whole + cut
        if not understood and self._hints:
            self._heads(line)
            lowered = line.lower()
            if not self._columns and any(hint in lowered for hint in self._hints):
                for mark in itertools.islice(_CELL.finditer(line[: leads.REACH]), _ROWS):
                    self._heads(line[mark.end() :])
        if not understood and "334 UGFzc3dvcmQ6" in line:
            self._pending = "asked"
        spans = self._spans(line, understood=True) if understood else self._wherever(line)
        if not spans:
            return line + cut
        return _covered(line, spans) + cut

    def _lead(self, line: str) -> str:
        """What stands before the text. A level takes up to three blanks behind it; in a block these
        are the indent of the text."""
        lead = leads.of(line)
        if self._pending == "block" or self._indent >= 0:
            if len(lead) > self._margin and not line[self._margin : len(lead)].strip():
                return line[: self._margin]
        elif lead:
            self._margin = len(lead)
        return lead

    def _keep(self, secret: str) -> None:
        self.found[secret] = None

    # What the lines before have begun ----------------------------------------------------------------

    def _state(self, line: str) -> str | None:
        """The line as what went before it makes it; None where that says nothing of it."""
        begun = (
            self._key or self._public or self._columns or self._pending or self._blob or self._call
        )
        lead = ""
        if begun or self._indent >= 0:
            cells = self._before.find(self._columns[0]) if self._columns else len(self._before)
            lead = leads.shared(self._before[: max(0, cells)], line)
        shown = self._going_on(line[len(lead) :], self._before[len(lead) :])
        self._before = line
        return None if shown is None else lead + shown

    def _going_on(self, line: str, before: str) -> str | None:
        if "----" in line:
            end = keys.ENDS.search(line)
            if begin := keys.BEGINS.search(line):
                secret = "PRIVATE" in begin["what"] and not (end and end.start() > begin.end())
                self._key, self._public = secret, "PRIVATE" not in begin["what"]
                if secret:
                    rest = line[begin.end() :]
                    return line[: begin.end()] + (MASK if rest.strip("\\rn\"' ") else rest)
                return None
            if end is not None:
                self._key = self._public = False
                before = line[: end.start()].rstrip()
                last = before.rpartition(" ")[2]
                if (
                    "PRIVATE" in end["what"]
                    and re.search(r"\w", last)
                    and keys.LINE.fullmatch(last)
                ):
                    # The key's last line, which a reader or a page joined to it.
                    span = (len(before) - len(last), len(before))
                    return _covered(line, [span, *self._wherever(line)])
                return None
        if self._key or re.match(r"(?i)Private-(?:Lines|MAC)\b", line):
            self._key = self._key or line.lower().startswith("private-lines")
            if re.match(r"[\w+/=\\\s,\"':.-]*$", line) or not line.strip():
                if re.match(r"(?i)\s*private-lines", line):
                    return line
                return MASK if line.strip() else line
            self._key = False
        if self._public:
            if _CERTIFIED.fullmatch(line) and not is_sasl(line.strip()):
                spans: list[tuple[int, int]] = []
                self._apart(spans, line, 0, len(line))
                # A padded line is its last: what follows is of something else.
                self._public = not line.rstrip().endswith("=")
                return _covered(line, spans)
            self._public = False
        if self._columns:
            if (cells := self._row(line)) is not None:
                self._strange = 0
                # It may be none: what names a value stays in sight of what looks for names.
                return _covered(line, [*cells, *self._wherever(line)])
            self._strange += 1
            if self._strange > _STRANGE:
                self._columns = None
        if self._pending:
            waiting, self._pending = self._pending, ""
            if not line.strip():
                self._pending = waiting
                return None
            masked = self._awaited(line, waiting, before)
            if masked is not None:
                return masked
            if waiting in ("key", "any") and self._patience and _SETTING.match(line):
                self._pending, self._patience = "key", self._patience - 1
        elif self._indent >= 0:
            if line.strip() and _indented(line) > self._indent:
                text = _INDENT.match(line)
                return (text[0] if text else "") + MASK
            self._indent = -1
        if self._blob:
            if match := _CONTINUES.match(line):
                self._keep(match["s"])
                return f"{match['lead']}{MASK}{match['trail']}"
            self._blob = False
        if self._call:
            return self._called(line)
        return None

    def _called(self, line: str) -> str:
        """The arguments of a call that goes on over several lines."""
        spans: list[tuple[int, int]] = []
        depth, end = self._call, len(line)
        quoted = [match.span() for match in _STRING.finditer(line)]
        for bracket in re.finditer(r"[()\[\]{}]", line):
            if any(start < bracket.start() < stop for start, stop in quoted):
                continue
            depth += 1 if bracket[0] in "([{" else -1
            if depth <= 0:
                end = bracket.start()
                break
        self._call = 0 if depth <= 0 or self._patience <= 0 else depth
        self._patience -= 1
        for string in _STRING.finditer(line, 0, end):
            if not _PLAIN_ARGUMENT.fullmatch(_within(string)):
                self._argument(spans, line, string)
        # It may be no argument at all.
        begun = self._call, self._patience
        spans += self._wherever(line)
        self._call, self._patience = begun
        return _covered(line, spans)

    def _row(self, line: str) -> list[tuple[int, int]] | None:
        """Where the secret stands in a row of a table of which a column holds secrets; None if it
        is no row."""
        assert self._columns is not None
        between, count, place = self._columns
        if re.fullmatch(r"[\s+|=-]+", line) and line.strip():
            return []
        cells = line.split(between)
        if len(cells) != count:
            return None
        if not (cell := cells[place].strip(" \"'")):
            return []
        self._keep(cell)
        begins = sum(map(len, cells[:place])) + place * len(between)
        start = begins + cells[place].index(cell)
        return [(start, start + len(cell))]

    def _heads(self, line: str) -> None:
        """Whether the line is the head of a table of which a column holds secrets."""
        for between in ("|", ",", "\t", ";"):
            cells = [cell.strip(" \"'") for cell in line.split(between)]
            if sum(map(bool, cells)) < 3 or not all(
                re.fullmatch(r"[A-Za-z][\w -]{0,30}|", c) for c in cells
            ):
                continue
            for place, cell in enumerate(cells):
                if re.fullmatch(r"(?i)[a-z_ -]{0,20}(?:pass(?:word|wd)?|pwd|secret|token)", cell):
                    self._columns, self._strange = (between, len(cells), place), 0
                    return

    def _awaited(self, line: str, waiting: str, before: str) -> str | None:
        """A line on which the value of the name before it should stand."""
        value: Value | None
        if waiting == "asked":
            alone = _ANSWERED.fullmatch(line)
            if not alone or alone["s"].upper() in SMTP_WORDS | mechanisms():
                return None
            value = Value(*alone.span("s"), whole=True)
        elif waiting == "told":
            alone = _TOLD.fullmatch(line)
            word = alone["s"] if alone else ""
            if not alone or not looks_secret(word) or PLAIN_TOKEN.fullmatch(word):
                return None
            if word.upper() in SMTP_WORDS | mechanisms():
                return None
            value = Value(*alone.span("s"), whole=True)
        elif waiting == "printed":
            said = _SHOWN.match(line)
            start = said.end() if said else 0
            value = value_at(line, start, sentence=False, url=False, markup=False)
        elif waiting == "key" or _HELD.match(line) or (waiting == "any" and _KEYED.match(line)):
            key = _KEYED.match(line)
            if not key:
                return None
            start = key.end()
            if start >= len(line.rstrip()):
                self._pending = "any"
                return line
            value = value_at(line, start, sentence=False, url=False, markup=key[0].endswith(">"))
            if value and _HEREDOC.fullmatch(line[value.start : value.end]):
                self._pending = "block"
                return line
        else:
            if re.match(r"\s*[}\])]|[245]\d\d[ -]|\s*-----", line) or _is_talk(line):
                return None
            if re.match(r"\s*[\"']?[\w.-]{2,40}[\"']?\s*(?:=>|[=:]\s|:$)", line) and not re.match(
                r"\s*[\"']?(?:string|value)\b", line
            ):
                return None
            start = len(line) - len(line.lstrip())
            if waiting == "flat":
                if re.match(r"[{\[<\"'#]", line[start:]) or self._patience <= 0:
                    return None
                self._pending, self._patience = "flat", self._patience - 1
                return line[:start] + MASK
            value = value_at(line, start, sentence=False, url=False, markup=False)
            if line[start : start + 1] not in QUOTES and value and waiting == "block":
                self._indent = len(before) - len(before.lstrip())
                if _indented(line) <= self._indent and _KEY_OF_BLOCK.match(before):
                    # Whoever wrote it down left the indents out.
                    self._indent, self._pending, self._patience = -1, "flat", _FLAT
        if value is None:
            return None
        self._keep(line[value.start : value.end].strip())
        beside = self._wherever(line)
        self._others(beside, line, value.start, value.end)
        return _covered(line, [(value.start, value.end), *beside])

    # One line -----------------------------------------------------------------------------------------

    def _wherever(self, line: str) -> list[tuple[int, int]]:
        return [*self._spans(line, understood=False), *self._behind_marks(line)]

    def _behind_marks(self, line: str) -> list[tuple[int, int]]:
        """What a side said, looked at as a line of its own: where the log's mark stands before it,
        it does not begin as such lines do."""
        spans: list[tuple[int, int]] = []
        begins = len(leads.of(line))
        for mark in itertools.islice(leads.SIDE.finditer(line[: leads.REACH]), _SIDES):
            whole = not line[begins : mark.start()].strip()
            self._apart(spans, line, mark.end(), len(line), whole=whole)
        lowered = line.lower()
        near = [shape for shape in rows() if any(sign in lowered for sign in shape[0])]
        for mark in itertools.islice(_ROW.finditer(line[: leads.REACH]), _ROWS) if near else ():
            for _, pattern, groups in near:
                if match := pattern.match(line[mark.end() :]):
                    for group in groups:
                        # Within a line, a row is like much else that logs say.
                        start, end = (place + mark.end() for place in match.span(group))
                        if _PASSWORD.fullmatch(match[group] or "") and not _FIELD.search(
                            line, 0, start
                        ):
                            self._add(spans, line, start, end, whole=False)
        if quoted := _UNQUOTED.match(line):
            found = self._spans(quoted["q"] + line, understood=False)
            spans += ((start - 1, end - 1) for start, end in found if start)
        if not line.isascii():
            for part in itertools.islice(_BESIDE.finditer(line), _PARTS):
                if part.span() != (0, len(line)):
                    self._apart(spans, line, *part.span(), alone=False)
        return spans

    def _apart(
        self,
        spans: list[tuple[int, int]],
        line: str,
        start: int,
        end: int,
        *,
        alone: bool = True,
        whole: bool = True,
    ) -> None:
        """A part of the line, looked at as a line of its own that begins nothing; if it is not the
        `whole` of what was said, as one that is no row of a table."""
        shapes = self._shapes
        if not whole:
            self._shapes = tuple(one for one in shapes if one not in rows())
        begun = (
            self._pending, self._patience, self._call, self._blob, self._ticket,
            self.authenticating,
        )  # fmt: skip
        found = self._spans(line[start:end], understood=False, alone=alone)
        self._shapes = shapes
        spans += ((start + first, start + last) for first, last in found)
        asked = alone and self._pending == "printed"
        (
            self._pending, self._patience, self._call, self._blob, self._ticket,
            self.authenticating,
        ) = begun  # fmt: skip
        if asked:
            self._pending = "printed"

    def _spans(self, line: str, *, understood: bool, alone: bool = True) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        lowered = line.lower()
        if self._ticket:
            self._ticket = False
        if "session ticket" in lowered or "keying material" in lowered:
            self._ticket = True
        for has, pattern, groups in self._shapes:
            for sign in has:
                if sign in lowered:
                    break
            else:
                continue
            for match in pattern.finditer(line):
                group = next((group for group in groups if match[group]), 0)
                if group or not groups or match[0].startswith("$"):
                    self._add(spans, line, *match.span(group))
        if not understood and "auth" in lowered:
            self._auth(spans, line)
        if ("(" in line or "[" in line) and _CALLED.search(lowered):
            self._calls(spans, line, understood=understood)
        if not understood and self._hints:
            self._before_names(spans, line)
        if self._hints:
            bare = lowered.replace("\u0307", "")
            for hint in self._hints:
                if hint in bare:
                    self._names(spans, line, understood=understood)
                    break
        if not understood and (rows := list(ROW_WITHIN.finditer(line, 1))):
            octets = b"".join(bytes.fromhex(re.sub(r"[ -]", "", row["hex"])) for row in rows)
            if not _harmless(octets):
                spans.extend(row.span("hex") for row in rows)
        if not understood:
            self._as_octets(spans, line)
        if not understood and "64" in line and _ENCODED.search(line):
            for match in _STRING.finditer(line):
                if len(match[0]) > 4 and not re.match(
                    r"[\"'](?i:base64|utf-?8|ascii)[\"']", match[0]
                ):
                    self._add(spans, line, *match.span(match.lastgroup or 0))
        if not self._public:
            self._blobs(spans, line, understood=understood, alone=alone)
        return spans

    def _add(
        self, spans: list[tuple[int, int]], line: str, start: int, end: int, *, whole: bool = True
    ) -> None:
        text = line[start:end]
        if not text.strip():
            return
        bare = text.strip()
        if PLACEHOLDER.fullmatch(bare):
            return
        if bare[0] in "\"'" and bare[-1] == bare[0] and len(bare) > 2:
            start, end = line.index(bare, start) + 1, line.index(bare, start) + len(bare) - 1
            bare = bare[1:-1]
        spans.append((start, end))
        if whole:
            self._keep(bare)

    def _names(self, spans: list[tuple[int, int]], line: str, *, understood: bool) -> None:
        end = 0
        for match in name().finditer(line):
            if match.start() < end:
                continue
            if given := _VALUE_BEFORE.search(line, max(0, match.start() - 600), match.start()):
                self._add(spans, line, *given.span("s"))
            found = after(line, match)
            if match.lastgroup == "p" and not (
                understood or (found and (found.value or found.ends))
            ):
                self._pending = self._pending or "told"
            if found is None:
                continue
            if found.ends and not understood:
                block = (
                    re.search(r"(?:[|>][-+]?\d?|\"\"\"|\'\'\'|<<[-~]?[\"\']?\w+[\"\']?)\s*$", line)
                    is not None
                )
                self._patience = 4
                asks = found.value_key and (
                    _PRINTS.match(line) or (self.prompt and " " not in line.strip())
                )
                self._pending = (
                    "printed" if asks else "key" if found.value_key else "block" if block else "any"
                )
                continue
            if value := found.value:
                start, stop = value.start, value.end
                if _HEADER.match(line, match.start()):
                    stop = _header_end(line, match.start(), stop)
                    scheme = re.match(r"[A-Za-z][\w-]{3,20} +(?=\S)", line[start:stop])
                    start += scheme.end() if scheme and "=" not in scheme[0] else 0
                self._add(spans, line, start, stop, whole=value.whole)
                self._others(spans, line, start, stop)
                end = stop
            if more := found.further:
                self._add(spans, line, more.start, more.end)

    def _others(self, spans: list[tuple[int, int]], line: str, start: int, stop: int) -> None:
        """The rest of a list whose first string is a secret."""
        if line[start - 2 : start] in ("['", '["'):
            for string in _STRING.finditer(line, stop + 1, closing_bracket(line, start - 2)):
                self._argument(spans, line, string)

    def _before_names(self, spans: list[tuple[int, int]], line: str) -> None:
        """A password that stands before its name, in whatever language."""
        for match in _AS_NAME.finditer(line):
            named = name().search(line, match.end(), match.end() + 40)
            if (
                named is None
                or named.lastgroup != "p"
                or not re.fullmatch(
                    r"(?:[^\W\d_]{1,12} ){0,2}[\"'`(]?[^\W\d_]*", line[match.end() : named.start()]
                )
            ):
                continue
            sentence = re.split(r"[.!?;] ", line[: match.start()])[-1]
            begins = match.start() - len(sentence)
            for word in list(_WORDS.finditer(sentence))[-7:]:
                bare = word[0].rstrip(",:")
                mixed = match["as"] and re.search(r"\d", bare) and re.search(r"[^\W\d_]", bare)
                near = match.start() - begins - word.end() < 3
                if (mixed or near) and looks_secret(bare) and not PLAIN_TOKEN.fullmatch(bare):
                    self._add(spans, line, begins + word.start(), begins + word.start() + len(bare))

    def _as_octets(self, spans: list[tuple[int, int]], line: str) -> None:
        """Text that is written as the numbers of its octets, or in hexadecimal, and has a secret."""
        for match in NUMBERS.finditer(line):
            numbers = [int(number) for number in match[1].split(",")]
            if max(numbers) < 256:
                text = bytes(numbers).decode("utf-8", "replace")
                if Masker().line(text) != text:
                    self._add(spans, line, *match.span(1), whole=False)
        for match in HEXADECIMAL.finditer(line):
            octets = bytes.fromhex(match[0])
            if SASL.match(octets) and all(32 <= c < 127 or c in (0, 1) for c in octets):
                self._add(spans, line, *match.span())

    def _auth(self, spans: list[tuple[int, int]], line: str) -> None:
        if re.search(r"(?i)\b[2345]\d\d[- ]AUTH\b", line):
            return
        for match in _AUTH.finditer(line):
            mechanism, blob = match["mech"], match["blob"]
            start = match.end()
            if mechanism is None:
                rest = re.compile(r"\S+").search(line, match.end())
                if rest and (is_sasl(rest[0]) or is_blob(rest[0])):
                    self._add(spans, line, *rest.span())
                    self._blob = True
                continue
            known = mechanism.upper() in mechanisms()
            if not known and (is_sasl(mechanism) or is_blob(mechanism) or is_key(mechanism)):
                self._add(spans, line, match.start("mech"), start)
                self._blob = True
                continue
            if match[0].isupper() or known:
                self.authenticating = True
            if known and blob is None:
                padded = re.compile(r"\s*=*$").match(line, match.end("mech"))
                self._blob = self._blob or bool(padded)
                continue
            if blob and blob.upper().strip("\"',;") not in mechanisms() and blob != "=":
                if known or (match[0].startswith("AUTH") and is_blob(blob)) or is_sasl(blob):
                    plain = re.fullmatch(r"[a-z]{2,}[,.:;)]?", blob) and not is_sasl(blob)
                    if not plain or line[: match.start()].strip() == "":
                        self._add(spans, line, *match.span("blob"))
                        self._blob = not line[match.end() :].strip(" '\"\\rn")
                        if known and not line[: match.start()].strip():
                            for word in re.compile(r"[^\s'\"\\]+").finditer(line, match.end()):
                                if looks_secret(word[0]) and not PLAIN_TOKEN.fullmatch(word[0]):
                                    self._add(spans, line, *word.span())

    def _calls(self, spans: list[tuple[int, int]], line: str, *, understood: bool) -> None:
        end = 0
        called = "(" in line
        begun = (*(_CALL.finditer(line) if called else ()), *_LISTED.finditer(line))
        for match in sorted(begun, key=re.Match.end):
            if match.end() < end:
                continue
            if re.search(r"(?i)(?:error|exception|failed|failure)\w*\s?\($", match[0]):
                continue
            start = match.end() - 1
            end = close = closing_bracket(line, start)
            inside = line[start + 1 : close]
            if close >= len(line) and not understood and len(line) - start < 200:
                self._call, self._patience = 1, 6
            if (line[start] == "{" and ":" in inside) or re.match(
                r"\s*[\"']?[\w ]+[\"']?\s*=>", inside
            ):
                continue
            words = re.findall(r"[\w-]+", inside)
            if words and all(word.upper() in mechanisms() or word.isdigit() for word in words):
                continue
            strings = list(_STRING.finditer(line, start + 1, close))
            for string in strings:
                if _within(string):
                    self._argument(spans, line, string)
            if not strings and "," in inside and line[start - 1 : start] != " ":
                comma = line.index(",", start)
                self._add(spans, line, comma + 1, close, whole=False)
        for match in _CONNECTS.finditer(line) if called and not understood else ():
            close = closing_bracket(line, match.end() - 1)
            strings = list(_STRING.finditer(line, match.end(), close))
            # The first names the server, or what is sent.
            for string in strings[1:] if strings and strings[0].start() == match.end() else strings:
                if not _PLAIN_ARGUMENT.fullmatch(_within(string)):
                    self._argument(spans, line, string)
        if _FRAME.search(line):
            for string in _STRING.finditer(line):
                text = _within(string)
                if len(text) > 2 and not _BENIGN.fullmatch(text):
                    self._argument(spans, line, string)

    def _argument(self, spans: list[tuple[int, int]], line: str, string: re.Match[str]) -> None:
        text = _within(string)
        self._add(
            spans, line, *string.span(string.lastgroup or 0),
            whole=looks_secret(text) and "@" not in text,
        )  # fmt: skip

    def _blobs(
        self, spans: list[tuple[int, int]], line: str, *, understood: bool, alone: bool
    ) -> None:
        if not understood and (match := _LAST.search(line)) and not _ALONE.match(line):
            word = match["s"]
            if (is_blob(word) and is_readable(word)) or (
                self.authenticating and looks_secret(word)
            ):
                self._add(spans, line, *match.span("s"))
        if alone and not understood and (match := _ALONE.match(line)):
            word = match["s"]
            if is_blob(word) or (
                self.authenticating and word.upper() not in SMTP_WORDS | mechanisms()
            ):
                self._add(spans, line, *match.span("s"))
                self._blob = len(word) >= 16
                return
        if not understood:
            for match in _SENT.finditer(line):
                if is_blob(match["s"]) and is_readable(match["s"]):
                    self._add(spans, line, *match.span("s"))
            for match in _MECHANISM_AND_BLOB.finditer(line):
                if is_blob(match["s"]):
                    self._add(spans, line, *match.span("s"))
        for match in _BLOB.finditer(line):
            word = match[0]
            if is_sasl(word) or (not understood and (is_key(word) or is_text(word))):
                self._add(spans, line, *match.span())


_INDENT = late(r"(?:\s*(?:[CS]:|[~=-]{0,3}[<>|]{1,4})(?:\s|$))?(?P<indent>\s*)")
"""The indent of a line, perhaps behind a side's mark."""


def _indented(line: str) -> int:
    """How far a line is indented, before or behind a side's mark, unless a reply or a command stands
    behind that."""
    plain = len(line) - len(line.lstrip())
    mark = _INDENT.match(line)
    if (
        mark is None
        or re.match(r"[245]\d\d[ -]", line[mark.end() :])
        or _is_talk(line[mark.end() :])
    ):
        return plain
    return max(plain, len(mark["indent"]))


def _within(string: re.Match[str]) -> str:
    return string[string.lastgroup or 0]


_SMTP = late(
    rb"(?i)(?:[245]\d\d(?:[ -]|$)|(?:EHLO|HELO|LHLO|STARTTLS|MAIL FROM|RCPT TO|DATA|RSET|NOOP|QUIT)\b)"
)


def _harmless(octets: bytes) -> bool:
    """Whether dumped octets are TLS records, or SMTP in the clear without a secret."""
    if octets[:1] == b"\x45" and len(octets) >= 40 and octets[9] == 6:
        # An IPv4 packet (RFC 791) with TCP (RFC 9293): what it carries counts.
        octets = octets[(octets[0] & 15) * 4 :]
        octets = octets[(octets[12] >> 4) * 4 :] if len(octets) > 12 else b""
    if not octets or (octets[0] in (20, 21, 22, 23) and octets[1:2] in (b"\x03", b"")):
        return True
    if not _SMTP.match(octets):
        return False
    text = octets.decode("latin-1")
    if re.search(r"(?i)^AUTH [^\r\n]{20}|^334", text):
        return False
    masker = Masker()
    return all(masker.line(line) == line for line in text.splitlines())


_HEADER = late(r"""(?i)(?:(?:set-)?cookie2?|(?:[\w]+-)?authorization)["']?\s*:""")


def _header_end(line: str, start: int, least: int) -> int:
    """Where a header's value ends: with the quotes that it stands in, or with the line."""
    before = line[:start].rstrip()[-1:]
    place = line.find(before, least) if before and before in "\"'" else -1
    if place < 0 and line[least : least + 1] in ("'", '"'):
        place = least
    return place if place >= 0 else len(line.rstrip())


def _is_talk(line: str) -> bool:
    return (
        re.match(r"(?:EHLO|HELO|MAIL FROM|RCPT TO|QUIT|DATA|STARTTLS|RSET)\b", line.strip())
        is not None
    )


def _covered(line: str, spans: list[tuple[int, int]]) -> str:
    """The line with the mask over all spans; those that touch are one."""
    out, place = [], 0
    for start, end in sorted(spans):
        if end <= place:
            continue
        if start < place:
            place = end
            continue
        out += [line[place:start], MASK]
        place = end
    return "".join((*out, line[place:]))
