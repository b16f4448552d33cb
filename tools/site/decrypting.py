"""The second EHLO, decrypted by hand: the record, the secret, and the Python that opens it."""

from __future__ import annotations

import contextlib
import io
import textwrap

from simulator.session import Command, Handshake, Session
from tools.site.page import BadPage, Page
from tools.site.plays import play
from tools.words import word

CIPHER = "TLS_AES_256_GCM_SHA384"

PROGRAM = """\
import hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# {secret_is}
secret = bytes.fromhex({secret})

# {record_is}
record = bytes.fromhex({record})

def derived(label, length):  # HKDF-Expand-Label
    info = length.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\\0"
    return hmac.digest(secret, info + b"\\1", "sha384")[:length]

key, nonce = derived(b"key", 32), derived(b"iv", 12)  # {nonce_is}
print(AESGCM(key).decrypt(nonce, record[5:], record[:5]))
"""


def show(page: Page) -> str:
    """The program, and what it prints: it is run when the page is made. Raises `BadPage`."""
    program = written(play("documented", "1.3").session, page.language)
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        exec(compile(program, "decrypted by hand", "exec"), {})  # noqa: S102
    if b"EHLO" not in heard.getvalue().encode():
        raise BadPage(f"docs/{page.language}/{page.path}: no EHLO in {heard.getvalue()!r}")
    return f"```python\n{program}```\n\n```text\n{heard.getvalue()}```"


def written(session: Session, language: str) -> str:
    """The program with this session's secret and record, remarks in the language.

    Raises `BadPage` for a cipher that it is not written for.
    """
    [handshake] = (event for event in session.events if isinstance(event, Handshake))
    if handshake.cipher != CIPHER:
        raise BadPage(f"the session to decrypt by hand has {handshake.cipher}, not {CIPHER}")
    secrets = dict(line.rsplit(" ", 1) for line in session.secrets)
    [secret] = (
        found for name, found in secrets.items() if name.startswith("CLIENT_TRAFFIC_SECRET_0 ")
    )
    again = next(
        event
        for event in session.events
        if isinstance(event, Command) and event.verb == "EHLO" and event.secure
    )
    [span] = (span for span in again.wire if span.link == "client")
    stream = b"".join(
        part.data for part in session.wire if (part.link, part.to) == ("client", "server")
    )
    said = {
        name: word(f"decrypting.{name}", language)
        for name in ("secret_is", "record_is", "nonce_is")
    }
    return PROGRAM.format(
        secret=_hex(secret), record=_hex(stream[span.start : span.end].hex()), **said
    )


def _hex(text: str) -> str:
    lines = textwrap.wrap(text, 64)
    return (
        "\n".join(["", *(f'    "{line}"' for line in lines), ""]) if len(lines) > 1 else f'"{text}"'
    )
