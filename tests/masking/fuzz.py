"""Dialogues with secrets in them, in every notation; and a fuzz run that looks for what leaks.

    python -m tests.masking.fuzz [--inputs 100000] [--seed 1]

Lines are dropped, doubled and exchanged, so that logins and messages stand where no server would
have taken them. Each secret that is shown is printed with its log.
"""

import argparse
import base64
import random
import sys

from simulator import formats
from simulator.masking import Veil
from simulator.session import to_json

SECRET, USER = "Zq7-S3cr3tPw", "u5erC4nary"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = b64(f"\0{USER}\0{SECRET}")
SECRETS = (PLAIN, b64(SECRET), SECRET, "SUBJCANARY", "BODYCANARY", PLAIN[12:])
_HEAD = (
    "S:220 mx.example.com ESMTP|C:EHLO pc.example.com|S:250-mx.example.com|S:250 AUTH PLAIN LOGIN"
)
_MAIL = "C:MAIL FROM:<a@b.org>|S:250 ok|C:RCPT TO:<c@d.org>|S:250 ok"
_BODY = f"C:Subject: SUBJCANARY|C:|C:BODYCANARY {SECRET}|C:Last: BODYCANARY"
_FLOWS = {
    "plain": f"C:AUTH PLAIN {PLAIN}|S:235 ok",
    "tabs": f"C:AUTH\tPLAIN\t{PLAIN}|S:235 ok",
    "equals": f"C:AUTH PLAIN={PLAIN}|S:501 no",
    "no mechanism": f"C:AUTH {PLAIN}|S:501 no",
    "two steps": f"C:AUTH PLAIN|S:334 |C:{PLAIN}|S:235 ok",
    "login": f"C:AUTH LOGIN|S:334 VXNlcm5hbWU6|C:{b64(USER)}|S:334 UGFzc3dvcmQ6|C:{b64(SECRET)}|S:535 bad {b64(SECRET)} for {SECRET}",
    "refused login": f'C:AUTH LOGIN|S:503 no|C:{b64(USER)}|S:500 what|C:{b64(SECRET)}|S:500 unrecognized "{b64(SECRET)}"',
    "bare login": f'C:AUTH LOGIN|S:504 no|C:{USER}|S:500 what|C:{SECRET}|S:500 unrecognized "{SECRET}"',
    "no 334": f"C:AUTH LOGIN|C:{b64(USER)}|C:{b64(SECRET)}|S:235 ok",
    "wrapped": f"C:AUTH PLAIN {PLAIN[:12]}|C:{PLAIN[12:]}|S:235 ok",
    "message": f"{_MAIL}|C:DATA|S:354 go|{_BODY}|C:.|S:250 ok|C:QUIT|S:221 bye",
    "refused message": f"{_MAIL}|C:DATA|S:503 no|{_BODY}|C:.|S:500 what|C:QUIT|S:221 bye",
    "no 354": f"{_MAIL}|C:DATA|{_BODY}|C:.|S:250 ok",
    "chunks": f"{_MAIL}|C:BDAT 60|{_BODY}|S:250 ok|C:BDAT 60 LAST|{_BODY}|S:250 ok",
}
_NOTATIONS = {
    "plain": ("", ""), "letters": ("C: ", "S: "), "swaks": (" -> ", "<-  "), "swaks tls": (" ~> ", "<~  "),
    "phpmailer": ("2026-03-04 10:00:00 CLIENT -> SERVER: ", "2026-03-04 10:00:00 SERVER -> CLIENT: "),
    "curl": ("> ", "< "), "msmtp": ("--> ", "<-- "), "arrows": (">>> ", "<<< "),
    "postfix": ("Mar  4 10:00:00 mx postfix/smtpd[7]: < a[192.0.2.1]: ", "Mar  4 10:00:00 mx postfix/smtpd[7]: > a[192.0.2.1]: "),
    "nodemailer": ("[2026-03-04 10:00:00] DEBUG [abc] C: ", "[2026-03-04 10:00:00] DEBUG [abc] S: "),
    "exim": ("  SMTP>> ", "  SMTP<< "), "times": ("10:00:01 C: ", "10:00:01 S: "),
    "unmarked": ("DEBUG SMTP: ", ""),
}  # fmt: skip


def flows() -> list[str]:
    """The names of the dialogues."""
    return list(_FLOWS)


def written(flow: str) -> list[tuple[str, str]]:
    """One dialogue in each notation, with the notation's name."""
    lines = [*_HEAD.split("|"), *_FLOWS[flow].split("|")]
    return [(name, _log(lines, marks)) for name, marks in _NOTATIONS.items()]


def _log(lines: list[str], marks: tuple[str, str]) -> str:
    return "\n".join(marks[line[:2] == "S:"] + line[2:] for line in lines) + "\n"


def main() -> int:
    """Fuzz, and say how many logs showed a secret; 1 if one did."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--inputs", type=int, default=5_000)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    rng, failed = random.Random(given.seed), 0
    for _ in range(given.inputs):
        lines = _HEAD.split("|")
        for flow in rng.choices(list(_FLOWS), k=2):
            part = _FLOWS[flow].split("|")
            # A reply may be missing or doubled; what the client says is kept.
            part = [
                one
                for one in part
                for _ in range(rng.choice((1, 1, 1, 0, 2)) if one[0] == "S" else 1)
            ]
            lines += part
        log = _log(lines, rng.choice(list(_NOTATIONS.values())))
        veil = Veil(names=rng.random() < 0.3)
        said = "".join(to_json(veil(session)) for session in formats.read(log.encode()))
        if leaks := [secret for secret in SECRETS if secret in said]:
            failed += 1
            print(leaks, repr(log), flush=True)
    print(f"{given.inputs} logs, {failed} showed a secret")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
