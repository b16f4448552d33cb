"""No secret of any kind is shown, and what a learner needs stays readable."""

import base64
import json
import re
import time
from pathlib import Path

import pytest

from simulator import formats
from simulator.language import Text, languages, say
from simulator.masking import MASK, Veil, in_log
from simulator.masking.fields import texts
from simulator.masking.identities import Kind, Names
from simulator.masking.identities import table as identities
from simulator.masking.prose import Masker
from simulator.masking.words import table
from simulator.session import Remark, Session, to_json
from tests.masking.fuzz import SECRETS, flows, written

HERE = Path(__file__).parent
WANTED = json.loads((HERE / "secrets.json").read_text())
MARKERS = [
    *(f"MARKER{n:02}" for n in range(1, 31)),
    "TUFSS0VSMTg=", "TUFSS0VSMjA=", "AGFsaWNlAE1BUktFUjI4",
]  # fmt: skip
LINES = [
    *(line for shape in table().shapes for line in shape.examples),
    *(line for part in (*table().keeps, *table().masks) for line in part.lines),
]
HEAD = "220 mx.example.com ESMTP\nEHLO a.example.com\n250-mx.example.com\n250 AUTH PLAIN LOGIN\n"


def shown(log: bytes, *, names: bool = False, reader: str | None = None) -> str:
    veil = Veil(names=names)
    return "\n".join(
        text
        for session in formats.read(log, format=reader)
        for event in veil(session).events
        for text in texts(event)
    )


def blocks() -> list[str]:
    parts = re.split(r"\n\n", (HERE / "kinds.txt").read_text("utf-8").rstrip("\n"))[1:]
    whole: list[str] = []
    for part in parts:
        last = whole[-1] if whole else ""
        if "DEK-Info" in last and "END RSA" not in last:
            whole[-1] += "\n\n" + part
        else:
            whole.append(part)
    return [block.replace("<TAB>", "\t") for block in whole]


@pytest.mark.parametrize("example", LINES)
def test_a_line_is_masked_where_its_example_says(example: str) -> None:
    line = example.replace("⟦", "").replace("⟧", "")
    assert Masker().line(line) == re.sub("⟦.*?⟧", MASK, example)


SAYS_NOTHING = {
    "gmail+smtp://alice%40example.org:a b c": "a sentence may go on behind a URL",
    "proxy alice:hunter2": "two words with a colon",
    "smtp://abcdef123456": "a host may be called so",
    "$ echo alice:hunter2": "what is done with it was cut off",
    "$ echo hunter2": "what is done with it was cut off",
    "$ echo -n hunter2": "what is done with it was cut off",
    "alice : hunter2": "two words with a colon",
    '$1 = 0x5555 "hunter2': "its name stands behind it",
    "alice (user) hunter2": "its name stands behind it",
    'MOVE "hunter2': "its name stands behind it",
    "changed it from hunter2": "its name stands behind it",
}
"""Lines that end with a secret, and why nothing in them says that it is one."""
CUT = [
    (line[: secret.end()].replace("⟦", "").replace("⟧", ""), secret[1])
    for line in LINES
    for secret in re.finditer("⟦(.*?)⟧", line)
]


@pytest.mark.parametrize(("line", "secret"), CUT)
def test_a_line_that_is_cut_off_behind_its_secret_does_not_show_it(line: str, secret: str) -> None:
    assert (secret in Masker().line(line)) == (line in SAYS_NOTHING)


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("name", [*WANTED, "secrets"])
def test_no_log_shows_its_secrets(name: str, *, names: bool) -> None:
    path = HERE / "secrets.txt" if name == "secrets" else HERE / "logs" / f"{name}.log"
    said = shown(path.read_bytes(), names=names)
    flat = re.sub(r"\s", "", said)
    wanted = MARKERS if name == "secrets" else WANTED[name]
    assert [secret for secret in wanted if secret in said or secret in flat] == []


def planted(block: str) -> tuple[str, list[str]]:
    """A block without its marks, and the secrets that they marked."""
    secrets = [s.strip() for found in re.findall("(?s)⟦(.*?)⟧", block) for s in found.split("\n")]
    return block.replace("⟦", "").replace("⟧", ""), [s for s in secrets if len(s) > 3]


SIDES = (
    "C: ", "S: ", "client: ", "Server: ", " -> ", "<-  ", "<~~ ", ">>> ", "--> ", "  SMTP>> ", "> ",
    "CLIENT -> SERVER: ", "send: ", "Sent: ", "[2026-03-04 10:00:00] DEBUG [abc] C: ", "=== ",
    "10:00:01 S: ", "app[7]: > a[192.0.2.1]: ", "[DEBUG] C --> ", "[->] ", "4 10:00 78 C: ",
    "lettre::smtp::client: ",
)  # fmt: skip
GLUED = (
    "これはsmtp://alice:⟦hunter2⟧",
    "実行したのはdoveadm auth test alice ⟦hunter2⟧です",
    "设置为API=⟦wombat⟧",
    "ハッシュは⟦$6$abcdefgh$ijklmnopqrstuv⟧です",
    "応答は⟦AGFsaWNlAGh1bnRlcjI=⟧です",
    "鍵mg ⟦0123456789abcdef0123456789abcdef-12345678-12345678⟧です",
    "ログインはu: alice p: ⟦hunter2⟧",
    "표는[mail.example.com]:587 alice:⟦hunter2⟧",
    "SMTPServer1に接続",
    "認証 mx1 完了",
    "password 認証 failed",
)


@pytest.mark.parametrize("example", GLUED)
def test_a_line_in_a_script_without_blanks_is_masked(example: str) -> None:
    masker = Masker()
    masker.authenticating = "⟦" not in example
    line = example.replace("⟦", "").replace("⟧", "")
    assert re.sub(r"\*{8}.*", MASK, masker.line(line)) == re.sub("⟦.*", MASK, example)


SENT = (
    "| id | smtp_user | smtp_password |\n+----+-----+------+\n| 1 | bob | ⟦WNlAGh22⟧ |",
    "password,user,host\n⟦WNlAGh22⟧,bob,mx",
    "- name: SMTP_PASSWORD\n  value: ⟦WNlAGh22⟧",
    'variable "smtp_password" {\n  type = string\n  default = "⟦WNlAGh22⟧"\n}',
    "<key>SMTPPassword</key>\n<string>⟦WNlAGh22⟧</string>",
    '(gdb) p password\n$2 = "⟦WNlAGh22⟧"',
)
"""Texts of several lines, of which one says what the next holds."""


@pytest.mark.parametrize("mark", ["=== ", "reply: ", "<<< ", "*** ", " -> ", "10:00 app: > "])
@pytest.mark.parametrize("text", SENT)
def test_lines_behind_a_mark_go_on_in_each_other(text: str, mark: str) -> None:
    lines, secrets = planted(text)
    said = "\n".join(Masker().block([mark + line for line in lines.split("\n")]))
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize("text", [*SENT[:3], *SENT[4:]])
def test_lines_that_a_client_sends_go_on_in_each_other(text: str) -> None:
    lines, secrets = planted(text)
    log = HEAD + "".join(f"C: {line}\n" for line in lines.split("\n"))
    said = shown(log.replace("220", "S: 220").replace("250", "S: 250").encode())
    assert [secret for secret in secrets if secret in said] == []


def test_octets_behind_a_mark_are_a_dump() -> None:
    rows = (
        "<<< 00000000  41 55 54 48 20 50 4c 41  49 4e 20 41 47 46 73 61  |AUTH PLAIN AGFsa|",
        "<<< 00000010  57 4e 6c 41 47 68 31 62  6e 52 6c 63 6a 49 79 0d  |WNlAGh1bnRlcjIy.|",
    )
    assert "AGh" not in "\n".join(Masker().block(list(rows)))


def test_what_is_the_value_of_another_name_stays() -> None:
    lines = 'variable "db_password" {\n  type = string\n}\nvariable "region" {\n  default = "eu"\n}'
    assert Masker().block(lines.split("\n")) == lines.split("\n")


def test_what_stands_behind_a_certificate_that_breaks_off() -> None:
    begun = ["-----BEGIN CERTIFICATE-----", "MIIDSjCCAjKgAwIBAgIU", "sTQgmx.exampleUpUt5zhinOS1QC"]
    for line in ("AGFsaWNlAGh1bnRlcjI=", "AKIAIOSFODNN7EXAMPLE", "SG.abcdefghijk.lmnopqrstuv"):
        assert Masker().block([*begun, line, begun[1]])[:4] == [*begun, MASK]


END_OF_KEY = "-----END RSA PRIVATE KEY-----"
KEY = "⟦MIIEpAIBAAKCAQEAWNlAGh22⟧\n⟦WNlAGh⟧\n⟦qrstuvWNlAGh==⟧\n-----END RSA PRIVATE KEY-----"
HEADLESS = {
    "nothing": KEY,
    "a certificate that breaks off": f"-----BEGIN CERTIFICATE-----\n{KEY}",
    "a certificate without its end": f"-----BEGIN CERTIFICATE-----\nMIIBkTCB+w==\n{KEY}",
    "a certificate": f"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n{KEY}",
    "headers of PEM": f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233\n\n{KEY}",
}
"""A private key whose beginning is missing, behind what stands before it."""


@pytest.mark.parametrize(
    "mark", ["", "C: ", "> ", "10:00:01 ", "2026-01-01 10:00:00 DEBUG ", "    ", "| "]
)
@pytest.mark.parametrize("reader", ["plain", "fragments"])
@pytest.mark.parametrize("key", HEADLESS.values(), ids=HEADLESS)
def test_a_private_key_is_one_by_its_end_alone(key: str, reader: str, mark: str) -> None:
    text, _ = planted(key)
    for log in (HEAD, re.sub("(?m)^(?=2)", "S: ", HEAD).replace("EHLO", "C: EHLO")):
        rows = log + "".join(f"{mark}{row}\n" for row in text.split("\n"))
        assert not re.search(r"(?i)WNlAGh", shown(rows.encode(), reader=reader))


BLOCKS = {
    "folded": "SMTP_PASSWORD: >-\n  correct WNlAGh\n  battery WNlAGh\n  staple WNlAGh",
    "without its indents": "SMTP_PASSWORD: >-\ncorrect WNlAGh\nbattery WNlAGh\nstaple WNlAGh",
    "to a mark": "password = <<EOF\nfirst WNlAGh\nsecond WNlAGh\nEOF",
    "in three quotes": 'password = """\nfirst WNlAGh\nsecond WNlAGh\n"""',
    "literal": "mail:\n  password: |\n    correct WNlAGh\n    battery WNlAGh",
}
"""Values that go on over several lines."""


@pytest.mark.parametrize(
    "mark", ["", "C: ", "> ", "10:00:01 ", "2026-01-01 10:00:00 DEBUG ", "    ", "| "]
)
@pytest.mark.parametrize("reader", ["plain", "fragments", None])
@pytest.mark.parametrize("asked", ["< 334 \n} [5 bytes data]\n", "S: 334 VXNlcm5hbWU6\n", ""])
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_goes_on_where_its_first_line_answers_a_challenge(
    block: str, asked: str, reader: str | None, mark: str
) -> None:
    rows = HEAD + asked + "".join(f"{mark}{row}\n" for row in block.split("\n"))
    assert "WNlAGh" not in shown(rows.encode(), reader=reader)


AT_ITS_PLACE = {
    "a block whose lines begin as lists do": (
        "password: |\n  correct WNlAGh\n  - battery WNlAGh\n  > staple WNlAGh\n"
    ),
    "a block whose first line is encoded": (
        "S: 334 UGFzc3dvcmQ6\nSMTP_PASSWORD: >-\n  Y29ycmVjdHdvcmQx\n  battery WNlAGh\n"
    ),
    **{
        f"a key behind a mark that nobody listed ({mark}…{end})": "".join(
            f"{mark}{row}{end}\n"
            for row in ("WNlAGh", "qrstuvWNlAGhqrstuvWNlAGh", "WNlAGh==", END_OF_KEY)
        )
        for mark, end in (
            ("client: ", ""),
            ("CLIENT -> SERVER: ", ""),
            ("  SMTP>> ", ""),
            ("[->] ", ""),
            ("# ", ""),
            ("12:", ""),
            ("$key .= '", "';"),
            ('+ "', '\\n"'),
            ("Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: ", ""),
        )
    },
    "a key whose lines stand apart": f"qrstuvWNlAGhqrstuvWNlAGh\n\nWNlAGh==\n\n{END_OF_KEY}\n",
    "a row that was taken for one of a table": (
        "postfix/anvil[9]: at Nov 25 | Password | WNlAGh22 |\n| Password | WNlAGh22 |\n"
    ),
    "a key's checksum": f"qrstuvWNlAGhqrstuvWNlAGh\n=WNlA\n{END_OF_KEY}\n",
    "a key of SSH2": "qrstuvWNlAGhqrstuvWNlAGh\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n",
    "a key on the line of its end": f"qrstuvWNlAGhqrstuvWNlAGh== {END_OF_KEY}\n",
    "a key that a reader joins to the line before": (
        "Nov 25 10:00:00 mx postfix/tlsproxy[9]: CONNECT from [203.0.113.9]:5555\n"
        f"qrstuvWNlAGhqrstuvWNlAGh\nWNlAGh==\n{END_OF_KEY}\n"
    ),
    "a setting before a certificate's end": "smtp_password=WNlAGh22 -----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("text", AT_ITS_PLACE.values(), ids=AT_ITS_PLACE)
def test_what_goes_on_over_lines_is_masked_to_its_end(text: str) -> None:
    for log in (HEAD + text, re.sub("(?m)^(?=2)", "S: ", HEAD).replace("EHLO", "C: EHLO") + text):
        assert not re.search("(?i)WNlA", shown(log.encode()))
        whole, _ = in_log(log, formats.read(log.encode()))
        assert not re.search("(?i)WNlA", whole)


WHOLE_KEY = "DKIM_KEY='-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----'"
STAYS = {
    "words before a key": (
        f"8BITMIME\n10240000\n4bXyZ12QwErTy\n{WHOLE_KEY}\n250 ok 4bXyZ12QwErTy queued\n",
        ["8BITMIME", "10240000", "250 ok 4bXyZ12QwErTy queued"],
    ),
    "a word before an end": (f".\nDONE\n{END_OF_KEY}\nDONE\n", ["DONE"]),
    "the level of an empty line": (
        "".join(
            f"2026-01-01 10:00:00 DEBUG {row}\n"
            for row in ("starting", "", "qrstuvWNlAGhqrstuvWNlAGh", END_OF_KEY, "connecting")
        ),
        ["DEBUG starting", "DEBUG connecting"],
    ),
    "what stands behind an item of a list": (
        "services:\n  - password: |\n      x1\n    image: foo\n  restart: always\n",
        ["restart: always"],
    ),
    "a list behind a block": (
        "-> 'pass' =>\n-< 535 no\n<~  250-log.example.test\n<~  250 AUTH LOGIN\n",
        ["250-log.example.test", "AUTH LOGIN"],
    ),
    "what a program says behind its question": (
        "Enter password: >\nConnected to mx.example.org.\nEscape character is '^]'.\n",
        ["Escape character is"],
    ),
    "what stands behind a block without indents": (
        "password: |\ncorrect x1\nhost: mx.example.com\nS: 250 two words\n",
        ["host: mx.example.com", "two words"],
    ),
    "what curl tells behind a block": (
        "password: |\n  correct x1\n*   Trying 192.0.2.1:25...\n",
        ["Trying 192.0.2.1:25"],
    ),
    "a command where an answer was due": (
        "S: 334 VXNlcm5hbWU6\nC: AUTH LOGIN\nS: 334 UGFzc3dvcmQ6\nS: 535 no\n",
        ["535", "no"],
    ),
}


@pytest.mark.parametrize(("text", "kept"), STAYS.values(), ids=STAYS)
def test_what_stands_beside_a_key_or_a_block_stays(text: str, kept: list[str]) -> None:
    log = HEAD + text
    whole, _ = in_log(log, formats.read(log.encode()))
    assert [word for word in kept if word not in whole] == []


@pytest.mark.parametrize(
    "text",
    [
        "+" * 60_000 + f"!\n{END_OF_KEY}\n",
        "-----BEGIN RSA PRIVATE KEY-----\n" + "qrstuvwxyz0123456789\n" * 5_000 + f"{END_OF_KEY}\n",
        "qrst\n" * 20_000 + f"{END_OF_KEY}\n",
    ],
    ids=["plus-signs", "a-long-key", "words"],
)
def test_a_key_takes_as_long_as_it_is(text: str) -> None:
    masker = Masker()
    began = time.process_time()
    masker.prepare(text)
    masker.block(text.split("\n"))
    assert time.process_time() - began < 5


SHORT = "mySecret=⟦x⟧"
"""Its secret stands in a mark as well."""


@pytest.mark.parametrize("side", SIDES)
def test_a_line_is_masked_behind_the_mark_of_a_side(side: str) -> None:
    for example in LINES:
        line, secrets = example.replace("⟦", "").replace("⟧", ""), re.findall("⟦(.*?)⟧", example)
        said = Masker().line(side + line)
        assert example == SHORT or [secret for secret in secrets if secret in said] == []
        assert secrets or side.startswith("app") or said == side + line


@pytest.mark.parametrize("before", ["- ", "-- ", "host = ", "dma[1f3a]: ", "x(y) ", "handshake> "])
def test_a_row_is_masked_wherever_in_a_line_it_begins(before: str) -> None:
    for shape in (one for one in table().shapes if one.row):
        for example in shape.examples:
            line = before + example.replace("⟦", "").replace("⟧", "")
            assert Masker().line(line) == before + re.sub("⟦.*?⟧", MASK, example)


LEADS = (
    "Nov 25 10:00:00 mx app[7]: ", "[2026-03-04 10:00:00] app.DEBUG: ", "mailer-1  | ", "10:00 - ",
)  # fmt: skip


@pytest.mark.parametrize("block", blocks())
def test_kinds_that_nobody_listed(block: str) -> None:
    text, secrets = planted(block)
    for log in (text + "\n" + HEAD, HEAD + text + "\n"):
        said = shown(log.encode())
        assert [secret for secret in secrets if secret in said] == []
    for lead in LEADS:
        said = "\n".join(Masker().block([lead + line for line in text.split("\n")]))
        assert [secret for secret in secrets if secret in said] == [], lead


@pytest.mark.parametrize("flow", flows())
def test_whatever_the_log_looks_like(flow: str) -> None:
    for notation, log in written(flow):
        said = shown(log.encode())
        assert [s for s in SECRETS if s in said or s.upper() in said] == [], notation


@pytest.mark.parametrize("flow", flows())
def test_a_log_as_it_stands(flow: str) -> None:
    for notation, log in written(flow):
        said, _ = in_log(log, list(formats.read(log.encode())))
        assert [s for s in SECRETS if s in said or s.upper() in said] == [], notation
        assert said.count("\n") == log.count("\n")


SMTPD = "Nov 25 10:00:00 mx postfix/smtpd[7]: "
FOUND = {
    "rows of a dump joined with the line before": (
        f"{SMTPD}lost connection after STARTTLS from a[192.0.2.1]\n"
        "00000000  41 55 54 48 20 50 4c 41  49 4e 20 41 47 46 73 61  |AUTH PLAIN AGFsa|\n"
        "00000010  57 4e 6c 41 47 68 31 62  6e 52 6c 63 6a 49 79 0d  |WNlAGh1bnRlcjIy.|\n"
    ),
    "text of a message, and a 354 of another": "".join(
        f"  SMTP{mark} {text}\n"
        for mark, text in (
            ("<<", "220 mx.example.com ESMTP"), (">>", "EHLO pc.example.com"), ("<<", "250 ok"),
            (">>", "DATA"), (">>", "Subject: WNlAGh1bnRlcjIy"), (">>", "."), ("<<", "250 ok"),
        )
    ) + "354 go\nWhcN\n",
    "a row of two cells, twice": (
        f"{SMTPD}connect from a[192.0.2.1]\n" + "| Password | WNlAGh22 |\n" * 2
    ),
    "a mark of the log's before an answer, which the reply repeats": (
        "Size of headers = 313  SMTP>> STARTTLS\n>>> AUTH LOGIN\n<<< 334 UGFzc3dvcmQ6\n"
        ">>> WNlAGh1bnRlcjIy\n<<< 535 bad WNlAGh1bnRlcjIy\n"
    ),
    "text of a message in a log that is read from its end": "".join(
        f"{SMTPD}{mark} a[192.0.2.1]: {text}\n"
        for mark, text in reversed((
            (">", "220 mx.example.com ESMTP"), ("<", "EHLO pc.example.com"), (">", "250 ok"),
            ("<", "MAIL FROM:<a@b.example>"), (">", "250 ok"), ("<", "RCPT TO:<c@d.example>"),
            (">", "250 ok"), ("<", "DATA"), ("<", "Subject: WNlAGh1bnRlcjIy"), ("<", ""),
            ("<", "Dear WNlAGh1bnRlcjIy"), ("<", "."), (">", "250 ok"),
        ))
    ),
    "a folded value, and nothing of SMTP": "SMTP_PASSWORD: >-\n  WNlAGh nunez\n---\nPeer: x\n",
    "a row behind a line that another line goes on with": (
        f"{SMTPD}send attr size = 32\nerror:1420410A:x\n| id | smtp_user | smtp_password |\n"
        "+----+------+-----------+\n| 1 | ana | WNlAGh22 |\n| 2 | bob | WNlAGh77 |\n"
    ),
    "a folded value behind a line that another line goes on with": (
        f"{SMTPD}match_string: mynetworks\nx\nNov 25\nSMTP_PASSWORD: >-\n  correct horse\n"
        "  battery WNlAGh\n"
    ),
    "a command line in the place of a value": (
        "    Resumption PSK: \n$ curl -v smtp://mail.example.com -u alice:WNlAGh22\n"
    ),
    "a setting behind a certificate that breaks off": (
        "-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKgAwIBAgIU\nsalasana=WNlAGh75\n" + HEAD
    ),
    "a sentence behind a certificate that breaks off": (
        "-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKgAwIBAgIU\n"
        "my credentials are bob and WNlAGh75\n" + HEAD
    ),
    **{
        f"a word behind a certificate that breaks off ({text})": (
            f"-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKgAwIBAgIU\n{text}\n{HEAD}"
        )
        for text in (
            "パスワードはWNlAGh22です", "密码是WNlAGh22", "비밀번호는WNlAGh22",
            "SG.WNlAGhijk.lmnopqrstuv", "ghp_WNlAGhefghij0123456789",
        )
    },
    "a value that is asked for behind a prompt that marks commands too": (
        "<~~ 250-ENHANCEDSTATUSCODES\n>>> settings.EMAIL_HOST_PASSWORD\n'WNlAGh30'\n"
    ),
    "a value behind its name, of which a session ended": (
        f"{SMTPD}connect from a.example.com[203.0.113.9]\n"
        f"{SMTPD}disconnect from a.example.com[203.0.113.9]\n"
        'array(3) {\n  ["host"]=>\n  string(2) "mx"\n  ["pass"]=>\n  string(8) "WNlAGh77"\n}\n'
    ),
    "a login behind a mark that is taken for a prompt": (
        "C: EHLO a.example.com\n"
        "S: 250-mx.example.com\n"
        "S: 250 AUTH PLAIN LOGIN\n"
        "C: alice@example.org:WNlAGh77\n"
        "S: 500 5.5.2 Error: command not recognized\n"
        "C: QUIT\n"
        "S: 221 bye\n"
    ),
    "a map's line that a client sends": (
        "Mar  4 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: 220 mx.example.com ESMTP\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: EHLO a.example.com\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: 250-mx.example.com\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: 250 AUTH PLAIN LOGIN\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: [mx.example.com]:25 alice:WNlAGh22\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: 502 5.5.2 Error: no command\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: QUIT\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: 221 2.0.0 Bye\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: disconnect from a[192.0.2.1] ehlo=1 quit=1\n"
    ),
    "a row that a client sends below the head of its table": (
        "S: 220 mx.example.com ESMTP\n"
        "C: EHLO a.example.com\n"
        "S: 250-mx.example.com\n"
        "S: 250 AUTH PLAIN LOGIN\n"
        "password,user,host\n"
        "C: WNlAGh22,bob,mx\n"
        "S: 500 5.5.2 WNlAGh22 is no command\n"
        "C: QUIT\n"
        "S: 221 bye\n"
    ),
    "a key, while another session begins a call": (
        "Mar  4 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: connect from b[192.0.2.2]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: -----BEGIN RSA PRIVATE KEY-----\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: EHLO a.example.com\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: warning: server.login(\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: WNlAGh+abcd\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: WNlAGh/Tuba12\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: disconnect from b[192.0.2.2]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: disconnect from a[192.0.2.1]\n"
    ),
    "a table, while another session begins a value": (
        "Mar  4 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: connect from b[192.0.2.2]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: | id | user | password |\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: EHLO a.example.com\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: warning: secret =>\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: | 1 | bob | WNlAGh22 |\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: | 2 | eve | WNlAGh22 |\n"
        "Mar  4 10:00:00 mx postfix/smtpd[8]: disconnect from b[192.0.2.2]\n"
        "Mar  4 10:00:00 mx postfix/smtpd[7]: disconnect from a[192.0.2.1]\n"
    ),
    "a key that a client sends": (
        "S: 220 mx.example.com ESMTP\n"
        "C: EHLO a.example.com\n"
        "S: 250-mx.example.com\n"
        "S: 250 AUTH PLAIN LOGIN\n"
        "-----BEGIN RSA PRIVATE KEY-----\n"
        "C: WNlAGh+abcd\n"
        "C: WNlAGh/Tuba12\n"
        "S: 500 5.5.2 no\n"
        "C: QUIT\n"
        "S: 221 bye\n"
    ),
    "a log's line that a client sends": (
        "< 220 mx.example.com ESMTP\n"
        "> EHLO a.example.com\n"
        "< 250-mx.example.com\n"
        "< 250 AUTH PLAIN LOGIN\n"
        "> 2026-03-04 10:00:00 DEBUG alice@example.org:WNlAGh77\n"
        "< 500 5.5.2 no\n"
        "> bob@example.com WNlAGh22\n"
        "< 500 5.5.2 no\n"
        "> QUIT\n"
        "< 221 bye\n"
    ),
    "a value behind its name, where a mark of the log's stands": (
        "<= 220 mx.example.com ESMTP\n=> EHLO localhost\n<= 250 STARTTLS\n=> STARTTLS\n"
        'array(3) {\n  ["host"]=>\n  string(2) "mx"\n  ["pass"]=>\n  string(8) "WNlAGh77"\n}\n'
        "<= 220 Ready to start TLS\n"
    ),
    **{
        f"a value behind its name, which ends in a mark of the log's: {key}": (
            "<= 220 mx.example.com ESMTP\n=> EHLO localhost\n<= 250 STARTTLS\n=> STARTTLS\n"
            f"{key}\n  string(8) \"WNlAGh77\"\n<= 220 Ready to start TLS\n"
        )
        for key in (
            '["oauthClientSecret":protected]=>', '  ["pass":"Mailer\\\\SMTP":private]=>',
            "smtp_pass =>", "  clientSecret=>", "['auth']['password'] =>",
        )
    },
    "a value behind its name, where an answer to AUTH was asked for": (
        "$ openssl s_client -quiet -starttls smtp -connect mx.example.org:587\n250 SMTPUTF8\n"
        "auth login\n334 VXNlcm5hbWU6\n<key>SMTPPassword</key>\n<string>WNlAGh22</string>\n"
    ),
    **{
        f"a message of another session, where an answer to AUTH was asked for ({marks[1]})": (
            "[<-] 220 log.example.test ESMTP\n[->] EHLO client.example\n[<-] 250 AUTH LOGIN\n"
            "[->] AUTH LOGIN\n[<-] 334 VXNlcm5hbWU6\n"
            + "".join(
                f"{marks[ours]}{text}\n"
                for ours, text in (
                    (0, "220 mx.example.com ESMTP"), (1, "EHLO pc.example.com"), (0, "250 ok"),
                    (1, "MAIL FROM:<a@b.example>"), (0, "250 ok"), (1, "RCPT TO:<c@d.example>"),
                    (0, "250 ok"), (1, "DATA"), (0, "503 no"), (1, "Subject: WNlAGh"), (1, ""),
                    (1, "Dear WNlAGh of ours,"), (1, "bye."), (1, "."), (0, "250 ok"),
                )
            )
            + "[->] dQ==\n[<-] 334 UGFzc3dvcmQ6\n[<-] 235 2.7.0 ok\n"
        )
        for marks in (
            ("S: ", "C: "), ("< ", "> "), ("  SMTP<< ", "  SMTP>> "), ("<= ", "=> "),
            ("10:00:01 S: ", "10:00:01 C: "),
        )
    },
    "a value whose name is taken for the beginning of a quoted line": (
        "reply: b'220 mx.example.org ESMTP\\r\\n'\nsend: 'ehlo desk.example.com\\r\\n'\n"
        'reply: "smtpPassword": {\n  "type": "securestring",\n  "defaultValue": "WNlAGh22"\n}\n'
    ),
    "a row of which a reader takes the first quote off": (
        "reply: b'220 mx.example.org ESMTP\\r\\n'\nsend: 'ehlo desk.example.com\\r\\n'\n"
        "reply: b'250 STARTTLS\\r\\n'\n"
        'reply: "mx.example.org","587","alice","WNlAGh22"\n'
    ),
    **{
        f"a setting of its own behind a mark of the log's ({text})": (
            f"{text}\n"
            + HEAD.replace("220", "S: 220").replace("250", "S: 250").replace("EHLO", "C: EHLO")
        )
        for text in (
            "S: alice@example.org:WNlAGh77", "S: [mx.example.com]:587 alice:WNlAGh77",
            "client: alice|mx.example.org:WNlAGh77", "C: alice@example.org WNlAGh77",
            "S: a1 login alice@example.com WNlAGh77 x",
        )
    },
    "a setting behind a call that never closes": f"x = login(\n my_password = WNlAGh77\n{HEAD}",
    "a sentence behind a certificate, and the dialogue between": (
        f"-----BEGIN CERTIFICATE-----\n{HEAD}my credentials are bob and WNlAGh75\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("log", FOUND.values(), ids=FOUND)
def test_what_chance_found(log: str) -> None:
    said = shown(log.encode())
    assert not re.search(r"WNlAGh|57 4e 6c", said)


GREETED = "reply: b'220 mx.example.org ESMTP\\r\\n'\nsend: 'ehlo d.example\\r\\n'\n"
HALVES = {
    "a reply": ("reply: b'250-mx.exam\n", "ple.org\\r\\n'\nreply: b'250 STARTTLS\\r\\n'\n"),
    "a reply in four": ("reply: b'250-mx\n  .exam\n", "  ple.org\n  says hello\\r\\n'\n"),
    "a command": ("send: 'mail from:<ana@exam\n", "ple.org>\\r\\n'\nreply: b'250 ok\\r\\n'\n"),
}


@pytest.mark.parametrize("indent", ["", "  "])
@pytest.mark.parametrize("halves", HALVES.values(), ids=HALVES)
def test_what_stands_within_a_quoted_line_that_was_wrapped(
    halves: tuple[str, str], indent: str
) -> None:
    examples = [
        *LINES,
        "the password is ⟦hunter2⟧",
        "password:\n⟦hunter2⟧",
        "パスワードは⟦hunter2⟧です",
    ]
    for example in (one for one in examples if "⟦" in one and one != SHORT):
        line, secrets = planted(example)
        said = shown(f"{GREETED}{halves[0]}{indent}{line}\n{halves[1]}".encode())
        assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize(
    ("wrapped", "said"),
    [
        ("reply: b'250-mx.exam\nple.org\\r\\n'\nreply: b'250 ok\\r\\n'\n", "mx.example.org"),
        ("send: 'AUTH PLAIN AGFsaWNl\nAGh1bnRlcjI=\\r\\n'\n", "PLAIN ********"),
        ("send: 'AUTH PLAIN\n AGFsaWNlAGh1bnRlcjI=\\r\\n'\n", "********"),
        ("send: 'auth login\\r\\n'\nreply: b'334 VXNlcm5h\nbWU6\\r\\n'\n", "VXNlcm5hbWU6"),
    ],
)
def test_a_quoted_line_that_was_wrapped_is_one(wrapped: str, said: str) -> None:
    assert said in shown((GREETED + wrapped).encode()).split("\n")


def test_a_secret_of_one_session_is_masked_in_the_next() -> None:
    veil = Veil()
    first = Session(events=(Remark(by="client", text="password=Zq7-S3cr3t"),))
    second = Session(events=(Remark(by="client", text="then Zq7-S3cr3t was tried"),))
    veil(first)
    assert "Zq7" not in to_json(veil(second))


@pytest.mark.parametrize(
    "line",
    [
        "login(" * 900,
        " " * 4000,
        "password " * 400,
        "a:" * 5000,
        "QUJD" * 5000,
        "\\0a" * 1500,
        "client: " * 500,
        "> password " * 400,
        "に a:b@c" * 500,
        "-> [a]: a|b.c:" * 300,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    session = Session(events=(Remark(by="client", text=line),) * 2)
    Veil(names=True)(session)


@pytest.mark.parametrize("word", ["a", "send", "auth", "login->", "open.", "smtp:"])
def test_a_line_of_calls_takes_as_long_as_it_is(word: str) -> None:
    def taken(length: int) -> float:
        def once() -> float:
            began = time.process_time()
            for _ in range(5):
                Masker().line(f"{word * (length // len(word))} login(")
            return time.process_time() - began

        return min(once() for _ in range(5))

    # Eight times the length: a pattern that begins anew at each letter would take 64 times as long.
    assert taken(3200) < 32 * taken(400)


@pytest.mark.parametrize(
    ("before", "after"), [pair for kind in identities().kinds for pair in kind.examples]
)
def test_what_identifies_is_replaced(before: str, after: str) -> None:
    assert Names()(before) == after


NAMED = (HERE / "identities.txt").read_text("utf-8").rstrip("\n").split("\n\n")[1:]


@pytest.mark.parametrize("block", NAMED)
def test_no_way_of_naming_somebody_is_left(block: str) -> None:
    real = [name for name in re.findall("⟦(.*?)⟧", block) if len(name) > 2]
    text = block.replace("⟦", "").replace("⟧", "") + "\n"
    log = "10:00:00 DEBUG x: "
    for whole in (text + HEAD, HEAD + text, f"{log}connect\n{log}{text}"):
        said = shown(whole.encode(), names=True)
        assert [name for name in real if name.lower() in said.lower()] == []


def test_one_line_says_what_was_replaced_and_how_many_of_each() -> None:
    names = Names()
    assert names.told() is None
    names("from mx.corp.example to mail.corp.example, phone +49 30 123456, user 'ana' unknown")
    assert "2 × hosts; 1 × telephone numbers; 1 × users and mailboxes." in say(names.told() or "")


@pytest.mark.parametrize("kind", identities().kinds, ids=lambda kind: kind.id)
def test_the_closing_line_names_every_kind_that_is_replaced(kind: Kind) -> None:
    names = Names()
    for before, _ in kind.examples:
        names(before)
    assert say(Text(kind.of)) in say(names.told() or "")


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_the_kinds_are_named_in_the_language(language: str) -> None:
    own = [kind.of for kind in identities().kinds if say(Text(kind.of), language) == kind.of]
    assert [name for name in own if name not in ("hosts", "UUIDs", "Message-IDs")] == []


def test_names_without_a_domain_and_certificates() -> None:
    log = (
        "220 gandalf ESMTP\nEHLO PC\n250-gandalf Hello PC\n250 AUTH CRAM-MD5\n"
        "-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKgAwIBAgIU\n-----END CERTIFICATE-----\n"
        "AUTH CRAM-MD5\n334 PDE4OTZAZ2FuZGFsZj4=\n*\n501 gandalf says no\n"
    )
    said = shown(log.encode(), names=True)
    assert not re.search(r"gandalf|\bPC\b|MIIDSj|PDE4OTZ", said)
    assert "CRAM-MD5" in said


def test_a_line_that_a_reader_joins_to_the_one_before_shows_nothing_there() -> None:
    head = "Nov 25 10:00:00 mx postfix/smtpd[1003]: "
    log = (
        f"{head}connect from a.example.com[203.0.113.9]\n"
        f"{head}timeout after DATA from a.example.com[203.0.113.9]\n"
        "[mx.example.org]:587 alice@example.org:quagga 77\n"
        f"{head}disconnect from a.example.com[203.0.113.9]\n"
    )
    text = shown(log.encode())
    assert "DATA from a.example.com[203.0.113.9] [mx.example.org]:587 alice@example.org:***" in text
    assert "quagga" not in text


def test_an_answer_of_three_digits_is_no_reply() -> None:
    text = shown(b"AUTH LOGIN\n334 VXNlcm5hbWU6\nana\n334 UGFzc3dvcmQ6\n456\n535 failed\n")
    assert "456" not in text
    assert not any(
        getattr(event, "code", 0) == 456
        for session in formats.read(b"AUTH LOGIN\n334 UGFzc3dvcmQ6\n456\n535 failed\n")
        for event in session.events
    )


@pytest.mark.parametrize(
    "login",
    [
        # A prompt that is missing, or doubled.
        "334 VXNlcm5hbWU6|>{user}|>{blob}|535 bad {blob} for {secret}",
        "334 VXNlcm5hbWU6|334 VXNlcm5hbWU6|>{user}|>{blob}|535 bad {blob} for {secret}",
        # Its answers are read as lines of a message that nobody asked for.
        '>{user}|500 what|500 what|>{blob}|500 unrecognized "{blob}"',
        '>u5erC4nary|500 what|500 what|>{secret}|500 unrecognized "{secret}"',
    ],
)
@pytest.mark.parametrize("mark", [">>> ", "--> ", "DEBUG SMTP: "])
@pytest.mark.parametrize("mail", ["", "250 ok|>DATA|>Subject: x|>|>Hello|>.|250 ok|"])
def test_a_password_is_one_whatever_is_left_out_before_it(login: str, mark: str, mail: str) -> None:
    secret = "Zq7-S3cr3tPw"
    user, blob = (base64.b64encode(text.encode()).decode() for text in ("u5erC4nary", secret))
    lines = f"220 mx ESMTP|>EHLO pc|250-mx|250 AUTH LOGIN|{mail}>AUTH LOGIN|{login}".format(
        user=user, blob=blob, secret=secret
    )
    other = {">>> ": "<<< ", "--> ": "<-- "}.get(mark, "")
    log = "".join(
        f"{mark}{line[1:]}\n" if line.startswith(">") else f"{other}{line}\n"
        for line in lines.split("|")
    )
    said = shown(log.encode())
    assert secret not in said
    assert blob not in said


def test_a_message_whose_data_stands_in_another_session_is_masked() -> None:
    stamp = "[2026-03-04 10:00:00] DEBUG [abc] "
    said = (
        "S: 220 mx ESMTP|C: EHLO pc|S: 250-mx|S: 250 AUTH PLAIN|C: MAIL FROM:<a@b.org>|S: 250 ok|"
        "S: 250 ok|C: RCPT TO:<c@d.org>|S: 250 ok|C: DATA|C: Subject: SUBJCANARY|C: |"
        "C: my BODYCANARY|C: .|C: AUTH x"
    )
    text = shown("".join(f"{stamp}{line}\n" for line in said.split("|")).encode())
    assert "CANARY" not in text
    assert "RCPT" in text


@pytest.mark.parametrize(
    "line",
    [
        "Connecting: mail.example.com port:587",
        "Error: mx.example.com errno:111",
        "host=> mx.example.net: reply:250ok2",
        "peer) mx.example.net cipher:AES256",
        "INFO - mx.example.com tls:required",
        "Recipient: bob@example.org 250ok",
    ],
)
def test_what_logs_say_of_hosts_is_no_row_of_a_table(line: str) -> None:
    assert Masker().line(line) == line


@pytest.mark.parametrize("before", ["Enter password:", "smtp_password =", "password:", "api key:"])
@pytest.mark.parametrize("mark", ["> ", "=> ", "C: ", ">>> "])
def test_a_value_may_begin_as_replies_do(before: str, mark: str) -> None:
    masker = Masker()
    masker.line(before)
    assert "Kx81" not in masker.line(f"{mark}512-Kx81-Pq02")


def test_a_log_is_masked_in_its_own_places() -> None:
    log = "S: 220 mx\nC: EHLO c\nS: 250 AUTH PLAIN\nC: foo password=hunter2\nS: 500 what\n"
    said, _ = in_log(log, list(formats.read(log.encode())))
    assert said == log.replace("hunter2", "********")
