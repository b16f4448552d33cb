"""Each faulty log has its plain cause, and each cause a log that shows it, near misses that do
not, a citation and an experiment."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from simulator import causes, formats
from simulator.explainer import explain
from simulator.session import Session
from tests.formats.test_variants import CASES
from tests.formats.test_verdicts import TRANSCRIPTS

GOLDEN = Path(__file__).parent / "causes.txt"


RUBY = r"""-> "220 mx\r\n"
<- "EHLO a\r\n"
-> "250 STARTTLS\r\n"
<- "STARTTLS\r\n"
-> "220 go\r\n"
TLS connection started
"""


EXAMPLES = tomllib.loads(
    (Path(__file__).parents[2] / "docs" / "data" / "causes.toml").read_text(encoding="utf-8")
)


def doubtful() -> Iterator[tuple[str, list[str], str]]:
    text = (Path(__file__).parent / "uncertain.txt").read_text(encoding="utf-8")
    for part in text.split("\n#### ")[1:]:
        name, ids, log = part.split("\n", 2)
        yield name, ids.removeprefix("#! ").split(), log.strip("\n") + "\n"


DOUBTFUL = tuple(doubtful())


def told(log: str) -> list[causes.Told]:
    return [told for session in formats.read(log) for told in explain(session).verdict.causes]


def caused(session: Session) -> list[str]:
    return [
        cause.id + f" ({cause.degree})" * (cause.degree != "certain")
        for cause in explain(session).verdict.causes
    ]


def table() -> str:
    rows = [
        f"{path.stem}: {', '.join(caused(session)) or '-'}\n"
        for path in TRANSCRIPTS
        for session in formats.read(path)
    ]
    rows += [
        f"{name}: {', '.join(caused(session)) or '-'}\n"
        for name, _, log in CASES
        for session in formats.read(log)
    ]
    return "".join(rows)


def test_the_causes_of_the_examples() -> None:
    assert table() == GOLDEN.read_text()


@pytest.mark.parametrize("cause", causes.causes().values(), ids=lambda cause: cause.id)
def test_a_cause_is_complete(cause: causes.Cause) -> None:
    assert cause.title
    assert cause.cause
    assert cause.ruled_out
    assert cause.remedy
    assert cause.when
    assert set(cause.hides) <= set(causes.causes()) - {cause.id}
    if cause.experiment:
        assert (files("simulator") / "scenarios" / f"{cause.experiment}.toml").is_file()


@pytest.mark.parametrize("cause", causes.causes())
def test_a_cause_is_told_where_it_is_true_with_its_lines_and_not_where_it_only_looks_so(
    cause: str,
) -> None:
    example = EXAMPLES[cause]
    shown = {found.id: (found.degree, list(found.lines)) for found in told(example["shows"])}
    assert shown.get(cause) == (example.get("degree", "certain"), example["lines"])
    assert len(example["near"]) >= 2
    for near in example["near"]:
        assert cause not in [found.id for found in told(near)]


@pytest.mark.parametrize(("name", "ids", "log"), DOUBTFUL, ids=[name for name, _, _ in DOUBTFUL])
def test_no_cause_is_certain_that_the_record_cannot_prove(
    name: str, ids: list[str], log: str
) -> None:
    assert {one.removeprefix("!") for one in ids} <= set(causes.causes()), name
    found = told(log)
    assert not {one.id for one in found if one.degree == "certain"}.intersection(ids)
    assert not {f"!{one.id}" for one in found}.intersection(ids)


def test_every_example_is_of_a_cause() -> None:
    assert set(EXAMPLES) == set(causes.causes())


def rows(session: Session, events: tuple[int, ...]) -> Iterator[int]:
    """The lines of the log that those events stand in."""
    for event in (session.events[index] for index in events):
        if event.line is not None:
            yield from range(event.line, event.line + max(1, len(getattr(event, "lines", ()))))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_no_two_causes_contradict_each_other_and_each_has_its_evidence(path: Path) -> None:
    for session in formats.read(path):
        found = explain(session).verdict.causes
        for group in filter(None, {causes.causes()[one.id].group for one in found}):
            same = [one for one in found if causes.causes()[one.id].group == group]
            assert len(same) == 1 or {one.degree for one in same} == {"one of these"}
        for one in found:
            assert one.events
            assert set(one.lines) <= set(rows(session, one.events))


INSIDE = """=== Trying mx.example.net:465...
=== Connected to mx.example.net.
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
<~  220 mx.example.net ESMTP
 ~> EHLO a.example.org
<~  250-mx.example.net
<~  250 {keyword}
 ~> MAIL FROM:<a@example.org>
<~* 530 {text}
 ~> QUIT
<~  221 Bye
"""


@pytest.mark.parametrize(
    "text",
    [
        "5.7.0 Must issue a STARTTLS command first",
        "5.7.0 STARTTLS is required",
        "5.7.0 This server requires STARTTLS",
        "5.7.0 TLS required",
        "5.7.0 Encryption required",
    ],
)
def test_a_server_that_asks_for_tls_inside_it_is_surest_where_it_offers_it_too(text: str) -> None:
    cause = "tls-ended-in-front"
    found = [told(INSIDE.format(keyword=k, text=text)) for k in ("STARTTLS", "8BITMIME")]
    assert [{one.id: one.degree for one in each}.get(cause) for each in found] == [
        "likely",
        "one of these",
    ]


@pytest.mark.parametrize("keyword", ["STARTTLS", "AUTH PLAIN"])
@pytest.mark.parametrize(
    "text",
    [
        "5.7.0 Authentication required; use port 587 with STARTTLS or port 465",
        "5.7.0 Authentication required. Use STARTTLS on port 587 and log in",
        "5.7.0 Authentication Required. STARTTLS is on already, log in first",
        "5.7.0 Remote server mx9 said: 530 Must issue a STARTTLS command first",
    ],
)
def test_a_word_of_tls_inside_it_is_no_demand_for_it(text: str, keyword: str) -> None:
    found = told(INSIDE.format(keyword=keyword, text=text))
    assert "tls-ended-in-front" not in [one.id for one in found]


LIST = """S: 220 mx.example.net ESMTP
C: EHLO a.example.org
{list}C: QUIT
S: 221 Bye
"""


@pytest.mark.parametrize(
    "seen",
    [
        "S: 250-mx.example.net\nS: 250-SIZE\n",
        "S: 250 HELP\n",
        "S: 250-PIPELINING\nS: 250 HELP\n",
        "S: 250-mx.example.net\nS: 250-...\nS: 250 HELP\n",
        "S: 250-mx.example.net\nS: 250 XXXXXXXA\n",
        "S: 502 5.5.1 Command not implemented\n",
        "S: 421 4.3.2 Too busy\n",
    ],
    ids=["cut", "filtered", "no name", "shortened", "masked", "refused", "busy"],
)
def test_what_a_list_lacks_is_no_cause_where_it_was_not_seen_whole(seen: str) -> None:
    assert "starttls-not-offered" not in [one.id for one in told(LIST.format(list=seen))]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("ICID 3 TLS success protocol TLSv1.2 cipher AES", "without showing what was said"),
        ("220 mx\nEHLO a\n250 STARTTLS\nSTARTTLS\n220 go\n", "ends after the 220"),
        ("220 mx\nEHLO a\n", "ends before the reply to EHLO"),
        ("nothing to see", "Nothing of SMTP"),
        (RUBY, "ends at the handshake"),
    ],
)  # fmt: skip
def test_what_the_record_does_not_show_is_said(log: str, said: str) -> None:
    (session,) = formats.read(log)
    verdict = explain(session).verdict
    text = causes.missing(session, verdict.tls, verdict.second_ehlo)
    assert text is not None
    assert said in text.id


def test_nothing_is_missing_in_a_whole_session() -> None:
    log = "220 mx\nEHLO a\n250-mx\n250 SIZE\nQUIT\n221 bye\n"
    (session,) = formats.read(log)
    assert causes.missing(session, "not_offered", "n/a") is None


HEARSAY = {
    "a sentence": "I tried STARTTLS, and I get SSL_accept error: certificate has expired",
    "two replies, asked by nobody": "450 No, listed at a block list\n535 Login failed",
    "what somebody says behind the session": (
        "220 mx ESMTP\nEHLO a\n250-mx\n250 HELP\nQUIT\n221 bye\n"
        "there the other server says 550 5.7.1 client host blocked using zen.example.org"
    ),
    "a reply to nothing": (
        "The guide says:\n535 5.7.8 means a wrong password.\n250 2.1.0 Ok\n"
        "RCPT TO:<ana@example.org>\n550 5.1.1 unknown"
    ),
}


@pytest.mark.parametrize("log", HEARSAY.values(), ids=HEARSAY)
def test_what_is_only_said_of_a_session_makes_no_cause_certain(log: str) -> None:
    found = told(log)
    assert found
    assert "certain" not in [one.degree for one in found]


def test_what_a_program_reports_behind_the_session_may_be_certain() -> None:
    log = (
        "S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 HELP\nC: QUIT\nS: 221 bye\n"
        "smtplib.SMTPNotSupportedError: STARTTLS extension not supported by server.\n"
    )
    assert [(one.id, one.degree) for one in told(log)] == [("starttls-not-offered", "certain")]


TOLD = {
    "Twisted finds no way to log in, in a list that it does not show": (
        "auth-mechanism-not-offered one of these",
        ("twisted.mail._except.AUTHRequiredError: 502 Server does not support Client "
        "Authentication schemes [CRAM-MD5, LOGIN, PLAIN]\n"),
    ),
    "Twisted finds no way to log in, in a list that has others": (
        "auth-mechanism-not-offered likely",
        ("    Failure: twisted.mail.smtp.AUTHRequiredError: 502 Server does not support Client "
        "Authentication schemes [CRAM-MD5, LOGIN]\n    >>> STARTTLS\n    <<< 220 2.0.0 Ready\n"
        "    >>> EHLO a.example.org\n    <<< 250-mx.example.net Hello\n    <<< 250-AUTH GSSAPI\n"
        "    <<< 250 HELP\n"),
    ),
    "a greeting that refuses a client without a name": (
        "no-reverse-name certain",
        ("Jan  3 10:00:01 mx postfix/smtp[71]: 4JfcKV3f3Bz1: host mx1.example.net[192.0.2.6] "
        "refused to talk to me: 421 Refused. Your reverse DNS entry does not resolve to an IP.\n"),
    ),
    "an alert that a client's library received": (
        "client-certificate-wanted one of these",
        ("lettre: smtp.example.net:587: TLS error: received fatal alert: UnknownCA\n"),
    ),
    "an alert that a client sent": (
        "certificate-unknown-ca certain",
        ('{error,{tls_alert,{unknown_ca,"TLS client: In state wait_cert_cr at ssl_handshake.erl:'
        '1887 generated CLIENT ALERT: Fatal - Unknown CA\\n"}}}\n'),
    ),
    "an alert that a server received": (
        "certificate-unknown-ca certain",
        ("May  3 10:00:01 mx postfix/smtpd[81]: SSL_accept error from a[192.0.2.5]: 0\n"
        "May  3 10:00:01 mx postfix/smtpd[81]: warning: TLS library problem: error:0A000418:SSL "
        "routines::tlsv1 alert unknown ca:ssl/record/rec_layer_s3.c:1605:SSL alert number 48:\n"),
    ),
    "an alert that a server sent": (
        "client-certificate-wanted certain",
        ("TLS server: In state wait_cert at ssl_handshake.erl:1838 generated SERVER ALERT: Fatal - "
        "Unknown CA\n"),
    ),
    "the key of a server that began TLS": (
        "server-certificate-unusable certain",
        ("May  3 10:00:01 mx smtpd: debug: session_start_ssl: switching to SSL\n"
        "May  3 10:00:01 mx smtpd: debug: SSL library error: SSL_accept: error:0800007D:elliptic "
        "curve routines::missing private key\n"),
    ),
    "no login in a list seen whole": (
        "auth-not-offered likely",
        ("=== Connected to mx.example.net.\n<-  220 mx.example.net ESMTP\n -> EHLO a\n"
        "<-  250-mx.example.net\n<-  250 SIZE 1000\n*** Host did not advertise authentication\n"
        " -> QUIT\n<-  221 bye\n"),
    ),
    "no login in the list before TLS": (
        "auth-not-found-again likely",
        ("=== Connected to mx.example.net.\n<-  220 mx.example.net ESMTP\n -> EHLO a\n"
        "<-  250-mx.example.net\n<-  250 STARTTLS\n*** Host did not advertise authentication\n"
        " -> QUIT\n<-  221 bye\n"),
    ),
    "a login that is only told of, by none of the list": (
        "auth-mechanism-not-offered likely",
        ("SMTP -> FROM SERVER:220 mx.example.net ESMTP\nSMTP -> FROM SERVER: 250-mx.example.net\n"
        "250-SIZE 1000\n250 AUTH CRAM-MD5\n"
        "SMTP -> ERROR: AUTH not accepted from server: 500 What is this\n"),
    ),
    "a log below what somebody typed by way of comparison": (
        "certificate-name certain",
        ("By hand it works:\n```\nopenssl s_client -connect <host>:<port> -starttls smtp -ign_eof\n"
        "MAIL FROM: a@example.org\nRCPT TO: b@example.net\nDATA\n.\nQUIT\n```\nThe log:\n"
        'level=error ts=2026-03-05T08:48:59.8597Z caller=notify.go:303 err="starttls failed: x509: '
        'certificate is valid for mx.example.net, not mail.example.org"\n'),
    ),
    "a name refused on 465": (
        "ehlo-refused likely",
        ("> C: connecting to SMTP server\n> C: Host > mx.example.net\n> C: Port > 465\n"
        "< S: 220 mx.example.net ESMTP\n> C: send SMTP command, EHLO\n"
        "< S: 501 5.5.4 EHLO needs a proper address\n"),
    ),
    "a queue that waits": (
        "timed-out likely",
        ("LastError : [{LED=451 4.4.397 Error communicating with target host. -> 421 4.4.2 "
        "Connection dropped due to TimedOut};{MSG=};{FQDN=mx.example.net}]\n"),
    ),
    "the daemon that judges logins": (
        "login-refused likely",
        ("May  3 10:00:01 mx saslauthd[71]: do_auth         : auth failure: [user=ana] "
        "[service=smtp] [realm=example.org] [mech=pam] [reason=PAM auth error]\n"),
    ),
    "a library of servers": (
        "plain-text-on-tls-port likely",
        ("Error: 140:error:1408F10B:SSL routines:ssl3_get_record:wrong version number:\n"
        "    at SMTPServer._onError (/srv/node_modules/smtp-server/lib/smtp-server.js:332:14)\n"),
    ),
    "too many logins": (
        "login-refused likely",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ****\n"
        "S: 535 5.7.8 Too many failed attempts, come back in ten minutes\n"),
    ),
    "a server that goes on with a certificate that it cannot verify": (
        "certificate-not-verified likely",
        ("May  3 10:00:00 mx smtpd[71]: smtp-out: Connecting to smtp+tls://192.0.2.9:25 "
        "(mx.example.net) on session 14ff79a2e0003c41...\n"
        "May  3 10:00:01 mx smtpd[71]: smtp-out: Started TLS on session 14ff79a2e0003c41: "
        "version=TLSv1.2, cipher=ECDHE-RSA-AES256-GCM-SHA384, bits=256\n"
        "May  3 10:00:01 mx smtpd[71]: smtp-out: Server certificate verification failed on "
        "session 14ff79a2e0003c41\n"),
    ),
    "TLS that is on, as a library's error has it": (
        "starttls-inside-tls certain",
        "AssertionError: start tls failed 503, ['5.5.1 StartTls was sent already. x7']\n",
    ),
    "TLS that is on, as PHPMailer's error has it": (
        "starttls-inside-tls certain",
        "SMTP ERROR: STARTTLS command failed: 503 5.5.1 Error: TLS already active\n",
    ),
    "words for 454, and no code": (
        "starttls-unavailable certain",
        "Mailer error: STARTTLS command failed TLS not available due to temporary reason\n",
    ),
    "a login at an address that names TLS": (
        "login-refused likely",
        "send: HOST=ssl://ssl1.example.net, PORT=465 - Error [9]: 535 5.7.1 Login rejected\n",
    ),
    "what the other side's log adds": (
        "certificate-unknown-ca certain",
        ("Warning: stream_socket_enable_crypto(): SSL operation failed with code 1. error:1416F086:"
        "SSL routines:tls_process_server_certificate:certificate verify failed\n"
        "and there it says\nTLS handshake error for 192.0.2.7:35512:\n"
        "remote error: tls: unknown certificate authority\n"),
    ),
    "STARTTLS wanted, in the server's language": (
        "tls-required likely",
        "Mailer: SMTPSendFailedException: 451 5.7.3 送信には STARTTLS が必要です [AB1CD01]\n",
    ),
    "STARTTLS wanted, behind what came of it": (
        "tls-required likely",
        "450 4.4.317 Keine Verbindung zum Server. 5.7.3 Zum Senden ist STARTTLS erforderlich\n",
    ),
    "nobody comes in without a login": (
        "not-allowed-to-send likely",
        ("May  3 10:00:00 mx postfix/submission/smtpd[71]: NOQUEUE: reject: RCPT from "
        "desk.example.org[192.0.2.9]: 554 5.7.1 <desk.example.org[192.0.2.9]>: Client host "
        "rejected: Access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP\n"),
    ),
    "a login that failed, by a code of other things": (
        "login-refused likely",
        "Zpráva se neodeslala. Odpověď serveru: 550 5.1.0 k3j2h1 authentication failed\n",
    ),
    "a reply that is printed without its code": (
        "login-refused likely",
        ("send: 'ehlo [192.0.2.3]\\r\\n'\nsend: 'AUTH LOGIN QUJDREVG\\r\\n'\n"
        "ERROR: could not mail it: Login Fail. Please enter your authorization code to login.\n"),
    ),
    "an address of TLS on a port that begins without": (
        "tls-on-plain-port likely",
        "Error [0]: Failed to connect with fsockopen host=ssl://mx.example.net port=587\n",
    ),
    "a socket that was closed in the handshake": (
        "handshake-cut likely",
        "Warning: stream_socket_enable_crypto(): SSL: Broken pipe\n",
    ),
    "a certificate that was judged after the handshake": (
        "certificate-not-verified likely",
        ("May  3 10:00:00 mx postfix/smtp[71]: certificate verification failed for out.example.net"
        "[192.0.2.7]:25: untrusted issuer /CN=Test\n"
        "May  3 10:00:00 mx postfix/smtp[71]: 7CD55: to=<ana@example.net>, relay=out.example.net"
        "[192.0.2.7]:25, dsn=4.7.5, status=deferred (Server certificate not trusted)\n"),
    ),
    "what Erlang finds where TLS should begin": (
        "tls-on-plain-port likely",
        ("[notice] TLS :client: In state :hello at tls_record.erl:9 generated CLIENT ALERT: Fatal "
        "- Unexpected Message\n - {:unsupported_record_type, 50}\n"),
    ),
    "a client without a list of CAs": (
        "certificate-unknown-ca certain",
        'lvl=eror error="x509: failed to load system roots and no roots provided"\n',
    ),
    "what curl makes of 535": (
        "login-refused likely",
        "Error in curl_fetch_memory(server, handle = h) : Login denied\n",
    ),
    "what .NET makes of 530": (
        "not-allowed-to-send likely",
        ("SmtpException: a secure connection or a login is missing. The server response was: 5.7.1 "
        "Client was not authenticated\n"),
    ),
    "STARTTLS wanted, without a code": (
        "tls-required likely",
        "mail: SMTPSendFailedException:  STARTTLS is required to send mail [AB1CD01]\n",
    ),
}  # fmt: skip
"""For each the cause that shows in a log, and how sure it is."""


@pytest.mark.parametrize(("cause", "log"), TOLD.values(), ids=TOLD)
def test_a_cause_is_as_sure_as_its_words(cause: str, log: str) -> None:
    assert cause in [f"{one.id} {one.degree}" for one in told(log)]


NOT_TOLD = {
    "what the server says of the client's certificate": (
        "certificate-unknown-ca",
        ("{tls_alert,{unknown_ca,\"TLS client: In state connection received SERVER ALERT: Fatal - "
        "Unknown CA\\n\"}}\n"),
    ),
    "a directory's list": (
        "block-list",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 SIZE\nC: RCPT TO:<ana@example.org>\n"
        "S: 550 5.1.1 User ana not listed in directory\n"),
    ),
    "a limit on logins": (
        "auth-server-fault",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ****\n"
        "S: 454 4.7.0 Too many login attempts, please try again later\n"),
    ),
    "a server that could not ask": (
        "login-refused",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ****\n"
        "S: 535 5.7.8 Error: authentication failed: generic failure\n"),
    ),
    "what the message holds": (
        "not-allowed-to-send",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 SIZE\nC: DATA\nS: 354 Go\nC: Hi\nC: .\n"
        "S: 554 5.7.1 Attachments of this kind are not allowed\n"),
    ),
    "a port without TLS": (
        "starttls-inside-tls",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
        "S: 503 5.5.1 TLS on this port is switched off\n"),
    ),
    "out of sequence, but greeted": (
        "starttls-before-ehlo",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
        "S: 503 5.5.1 Not now\n"),
    ),
    "a greylist": (
        "starttls-unavailable",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
        "S: 451 4.7.1 Greylisted, come again\n"),
    ),
    "a policy for mail": (
        "tls-too-weak",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 Go\n"
        "TLS connection established (TLSv1.3)\nC: EHLO a\nS: 250-mx\nS: 250 SIZE\n"
        "C: MAIL FROM:<a@example.org>\nS: 554 5.7.1 Refused by the security policy of this site\n"),
    ),
    "a wrong name": (
        "second-ehlo-refused",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 Go\n"
        "TLS connection established (TLSv1.3)\nC: EHLO a_b\n"
        "S: 501 5.5.4 Invalid domain name in EHLO\n"),
    ),
    "sent all the same": (
        "certificate-not-verified",
        ("Jan  6 14:40:01 mx postfix/smtp[80]: certificate verification failed for out.example.net"
        "[192.0.2.7]:25: untrusted issuer /CN=Test\n"
        "Jan  6 14:40:01 mx postfix/smtp[80]: Untrusted TLS connection established to out.example."
        "net[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
        "Jan  6 14:40:02 mx postfix/smtp[80]: 7CD55: to=<ana@example.net>, relay=out.example.net"
        "[192.0.2.7]:25, delay=0.3, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"),
    ),
    "the client's list of CAs": (
        "server-certificate-unusable",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 Go\n"
        "TLS error: failed to load the CA certificates: no start line\n"),
    ),
    "a scanner in the office": (
        "probe",
        ("Jan  6 14:40:01 mx postfix/smtpd[8]: connect from scan-2.office.local[192.168.1.9]\n"
        "Jan  6 14:40:01 mx postfix/smtpd[8]: SSL_accept error from scan-2.office.local"
        "[192.168.1.9]: -1\n"
        "Jan  6 14:40:01 mx postfix/smtpd[8]: warning: TLS library problem: error:0A000102:SSL "
        "routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:\n"),
    ),
    "an address of TLS that nobody answers at": (
        "tls-on-plain-port",
        "fsockopen(): unable to connect to ssl://mx.example.net:587 (Connection refused)\n",
    ),
    "an address of TLS on its own port": (
        "tls-on-plain-port",
        "fsockopen(): unable to connect to ssl://mx.example.net:465 (Unknown error)\n",
    ),
    "an address that names TLS beside another error": (
        "handshake-failed",
        "send: HOST=ssl://ssl1.example.net, PORT=465 - Error [9]: 535 5.7.1 Login rejected\n",
    ),
    "a certificate that a server goes on with": (
        "certificate-rejected",
        ("smtp-out: Started TLS on session 14ff79a2e0003c41: version=TLSv1.2, cipher=ECDHE-RSA-"
        "AES256-GCM-SHA384, bits=256\n"
        "smtp-out: Server certificate verification failed on session 14ff79a2e0003c41\n"),
    ),
    "a reply that refuses STARTTLS": (
        "handshake-failed",
        "AssertionError: start tls failed 503, ['5.5.1 StartTls was sent already. x7']\n",
    ),
    "a domain's policy that failed": (
        "login-refused",
        "Bounce: 550 5.7.1 DMARC: authentication failed\n",
    ),
    "a client without a name": (
        "not-allowed-to-send",
        ("May  3 10:00:00 mx postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: "
        "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.9]; "
        "from=<a@example.org> to=<b@example.net> proto=ESMTP\n"),
    ),
    "STARTTLS that nobody offers": (
        "tls-required",
        "Reason: 5.7.3 the next server has no STARTTLS, or does not say so: not supported\n",
    ),
    "a login that came about at last": (
        "login-refused",
        ("S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ****\n"
        "S: 235 2.7.0 Ok\nlast time: Username and Password not accepted\n"),
    ),
    "a certificate that Postfix goes on with, or not": (
        "certificate-unknown-ca",
        ("May  3 10:00:00 mx postfix/smtp[71]: certificate verification failed for out.example.net"
        "[192.0.2.7]:25: untrusted issuer /CN=Test\n"),
    ),
    "an alert that the client itself sends": (
        "alert-received",
        ("[notice] TLS :client: In state :hello at tls_record.erl:9 generated CLIENT ALERT: Fatal "
        "- Unexpected Message\n - {:unsupported_record_type, 50}\n"),
    ),
}  # fmt: skip
"""For each a cause whose words stand in the log, and which is not what happened."""


@pytest.mark.parametrize(("cause", "log"), NOT_TOLD.values(), ids=NOT_TOLD)
def test_what_only_sounds_like_a_cause_is_none(cause: str, log: str) -> None:
    assert cause not in [one.id for one in told(log)]


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
        "550 001.RDNS/PTR error. Rejected",
        "554 5.7.1 rDNS mismatch",
        "554 invalid DNS PTR resource record, IP=192.0.2.1",
        "421 Refused. Your reverse DNS entry does not resolve to an IP.",
        "550 5.7.25 IP name lookup failed. No valid PTR record found for the given IP address.",
        "550 5.7.1 Access denied. IP name lookup failed 192.0.2.1",
        "501 5.7.1 <a@example.org>... Sender IP must resolve",
        "550 IP address does not properly resolve for reverse DNS lookup",
        "554 cmg1.fe.example.com bizsmtp no DNS reverse for 192.0.2.1",
        "550 5.7.1 Your mail server does not have a reverse DNS entry",
        "550 5.7.1 Mail server must have reverse DNS",
        "550 Fix reverse DNS for 192.0.2.1",
        "554 Sender IP reverse lookup rejected",
        "451 4.7.1 Could not resolve reverse DNS of 192.0.2.1",
    ],
)
def test_a_client_without_a_name_in_the_dns_however_it_is_said(reply: str) -> None:
    log = f"220 mx ESMTP\nEHLO a\n250-mx\n250 SIZE\nMAIL FROM:<a@example.org>\n{reply}\n"
    assert [(one.id, one.degree) for one in told(log)] == [("no-reverse-name", "certain")]


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 Relaying denied. IP name lookup failed [192.0.2.1]",
        "550 5.7.1 Rejected, see http://example.net/rdns/",
        "550 5.7.1 Your reverse DNS does not match your HELO",
        "550 5.7.23 SPF: too many PTR lookups",
    ],
)
def test_a_client_whose_name_is_not_said_to_be_missing(reply: str) -> None:
    log = f"220 mx ESMTP\nEHLO a\n250-mx\n250 SIZE\nMAIL FROM:<a@example.org>\n{reply}\n"
    assert "no-reverse-name" not in [one.id for one in told(log)]


def test_what_a_half_read_record_lacks_makes_no_cause_certain() -> None:
    log = (
        "S: 220 mx ESMTP\nC: EHLO a\nS: 250-mx\nS: 250 STARTTLS\n"
        "C: MAIL FROM:<a@example.org>\nS: 250 Ok\n"
    )
    (session,) = formats.read(log)
    half = msgspec.structs.replace(session, understood=0.8)
    sure = {one.id: one.degree for one in explain(session).verdict.causes}
    less = {one.id: one.degree for one in explain(half).verdict.causes}
    assert sure == {"starttls-not-used": "certain"}
    assert less == {"starttls-not-used": "likely"}
