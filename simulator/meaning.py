"""What an event means, in a sentence: the words beside each line of an annotated log."""

from __future__ import annotations

from simulator import smtp
from simulator.language import N_, Text
from simulator.rules import Moment
from simulator.session import (
    AnyEvent,
    AuthResponse,
    Command,
    Connect,
    Disconnect,
    Handshake,
    Message,
    Remark,
    Reply,
    Trace,
)

COMMANDS = {
    "HELO": N_(
        "The client introduces itself as {argument} in the old way, without asking for a list."
    ),
    "STARTTLS": N_("The client asks to begin TLS on this connection."),
    "AUTH": N_("The client wants to log in by the mechanism {mechanism}."),
    "MAIL": N_("The client begins a mail transaction: the sender is {path}."),
    "RCPT": N_("The client names a recipient: {path}."),
    "DATA": N_("The client asks to send the message itself."),
    "BDAT": N_("The client sends a piece of the message."),
    "RSET": N_("The client aborts the mail transaction and clears the envelope."),
    "NOOP": N_("The client asks for nothing but a reply."),
    "HELP": N_("The client asks which commands there are."),
    "VRFY": N_("The client asks whether a mailbox exists."),
    "EXPN": N_("The client asks for the members of a list."),
    "ETRN": N_("The client asks the server to send the mail that waits for it."),
    "XCLIENT": N_("The client says on whose behalf it connects: {argument}."),
    "QUIT": N_("The client says goodbye."),
}

HANDSHAKE_ERRORS = {
    "name-mismatch unnamed": N_("The handshake fails: the certificate is for another name."),
    "name-mismatch": N_("The handshake fails: the certificate is for {names}, not for {server}."),
    "expired": N_("The handshake fails: the server's certificate has expired."),
    "unknown-ca": N_("The handshake fails: nobody the client trusts has signed the certificate."),
    "not-tls": N_("The handshake fails: the other side does not speak TLS here, but plain text."),
    "version": N_("The handshake fails: the two sides have no TLS version in common."),
    "cipher": N_("The handshake fails: the two sides have no cipher in common."),
    "own": N_(
        "The handshake fails before it begins: the program's own settings leave nothing to offer."
    ),
    "key": N_("The handshake fails: the server cannot use its own certificate or key."),
    "certificate": N_("The handshake fails: the certificate was not accepted."),
    "old-hello": N_("The handshake fails: it was begun in the way of SSL 2, as a scanner does."),
    "no-certificate": N_("The handshake fails: the server wants a certificate of the client."),
    "timeout": N_("The handshake does not come to an end: the other side is silent."),
    "cut": N_("The connection breaks in the middle of the handshake."),
}

REPLIES = {
    ("EHLO", 4): N_("The server cannot answer EHLO now."),
    ("EHLO", 5): N_("The server refuses EHLO."),
    ("HELO", 2): N_("The server greets the client back. HELO brings no list of keywords."),
    ("HELO", 5): N_("The server refuses HELO."),
    ("STARTTLS", 2): N_("The server is ready: the next bytes of both sides are TLS."),
    ("STARTTLS", 4): N_("The server offers TLS but cannot begin it now."),
    ("STARTTLS", 5): N_("The server refuses STARTTLS."),
    ("AUTH", 2): N_("The login succeeds."),
    ("AUTH", 3): N_("The server waits for the next part of the login."),
    ("AUTH", 4): N_("The login cannot be checked now."),
    ("AUTH", 5): N_("The server refuses the login."),
    ("MAIL", 2): N_("The server accepts the sender."),
    ("MAIL", 4): N_("The server does not take mail from this sender now."),
    ("MAIL", 5): N_("The server refuses the mail transaction."),
    ("RCPT", 2): N_("The server accepts the recipient."),
    ("RCPT", 4): N_("The server does not take mail for this recipient now."),
    ("RCPT", 5): N_("The server refuses the recipient."),
    ("DATA", 3): N_("The server waits for the message, to be ended by a lone dot."),
    ("DATA", 4): N_("The server does not take the message now."),
    ("DATA", 5): N_("The server does not want the message."),
    ("BDAT", 2): N_("The server has taken this piece of the message."),
    ("BDAT", 4): N_("The server does not take the message now."),
    ("BDAT", 5): N_("The server does not want the message."),
    ("VRFY", 2): N_("The server knows the mailbox, or does not tell."),
    ("HELP", 2): N_("The server says which commands it knows."),
    ("QUIT", 2): N_("The server says goodbye and closes."),
    ("XCLIENT", 2): N_(
        "The server greets anew: for it the session begins again; only TLS stays on."
    ),
    ("XCLIENT", 5): N_("The server does not let this client use XCLIENT."),
    ("RSET", 2): N_("The server has cleared the envelope."),
    ("NOOP", 2): N_("The server is there."),
}

CODES = {
    421: N_("The server closes the connection: the service is not available."),
    500: N_("The server does not know this command."),
    501: N_("The server does not understand the argument."),
    502: N_("The server does not implement this command."),
    503: N_("Bad sequence of commands: {verb} may not come here."),
    504: N_("The server does not implement this parameter."),
    530: N_("The server wants something else first: {text}"),
    538: N_("This login needs encryption first."),
    552: N_("The message is too large for this server."),
    555: N_("The server does not know a parameter of {verb}: its list here does not have it."),
    554: N_("The server refuses: {text}"),
}


ACTIONS = {
    "failed": N_("The report says that the delivery has failed, and is not tried again."),
    "delayed": N_("The report says that the delivery is delayed; the server goes on trying."),
    "delivered": N_("The report says that the message was delivered."),
    "relayed": N_(
        "The report says that the message was handed on to a server that sends no reports."
    ),
    "expanded": N_(
        "The report says that the message was delivered, and went on to further recipients."
    ),
    "?": N_("The report does not say whether the delivery is tried again."),
}
"""What became of the message for one recipient, by RFC 3464 §2.3.3."""

BESIDE = {
    "report": N_("What the report says."),
    "header": N_("The header of the report; its Received fields tell of other connections."),
    "message": N_("The message that the report returns; it tells nothing of this delivery."),
    "other": N_("A line of another process: it tells nothing of this session."),
}


def of(moment: Moment) -> Text:
    """The meaning of the moment's event."""
    found = _of(moment)
    event = moment.event
    if isinstance(event, Reply) and event.code >= 400 and event.lines:
        return _with_status(found, smtp.enhanced_code(event.lines[0]))
    return found


def _with_status(said: Text, code: str) -> Text:
    """What was said, and what the enhanced status code adds to it."""
    kind, detail = smtp.status_class(code), smtp.status_detail(code)
    if kind is None or detail is None:
        return said
    return Text(
        N_("{said} ({code} means: {detail}; {kind}; {place})"),
        {
            "said": said,
            "code": code,
            "detail": Text(detail.means),
            "kind": Text(kind.means),
            "place": detail.place,
        },
    )


def _of(moment: Moment) -> Text:
    event = moment.event
    match event:
        case Command(told=True, verb=verb, argument=""):
            return Text(
                N_("The record tells of this command without showing it: {verb}."),
                {"verb": verb},
            )
        case Reply(told=True, code=code) if not any(event.lines):
            return Text(
                N_("The log tells that the server agreed.")
                if code < 400
                else N_("The log tells that the server refused.")
            )
        case Connect():
            return Text(N_("The client opens a TCP connection to the server."))
        case Command():
            return _command(moment, event)
        case Reply():
            return _reply(moment, event)
        case AuthResponse(by="message"):
            return Text(
                N_("A line of the message. The server takes it for the client's part of a login.")
            )
        case AuthResponse():
            return Text(N_("The client answers with its part of the login."))
        case Message(by="message"):
            return Text(
                N_("The rest of the message, which the server takes for a message of its own."),
            )
        case Message():
            return Text(
                N_("The message: {size} octets, ended by a lone dot."), {"size": event.size}
            )
        case Handshake(error=""):
            return _established(moment, event)
        case Handshake():
            return _failed(moment, event)
        case Trace():
            return Text(
                N_("The server writes into the message whom it takes the client for: {text}"),
                {"text": event.text},
            )
        case Disconnect():
            return _end(event)
        case Remark(action=action, status=status) if action:
            return _with_status(Text(ACTIONS[action]), status)
        case Remark(about=about) if about in BESIDE:
            return Text(BESIDE[about])
        case Remark():
            return Text(N_("A line that is no part of the dialogue."))
    raise TypeError(f"no meaning for {type(event).__name__}")


def _established(moment: Moment, event: Handshake) -> Text:
    if event.resumed:
        what = N_("TLS handshake that resumes an earlier TLS session: {version} with {cipher}.")
    elif event.version and event.cipher:
        what = N_("TLS handshake: {version} with {cipher}.")
    elif event.version:
        what = N_("TLS handshake: {version}.")
    else:
        what = N_("TLS handshake.")
    values: dict[str, str | int | Text] = {
        "version": event.version.replace("TLSv", "TLS "),
        "cipher": event.cipher,
    }
    if event.in_front:
        then = N_(
            "{handshake} TLS ends in front of the server: all that follows reaches the server "
            "in the clear, and it knows of no TLS."
        )
    elif moment.implicit_tls:
        then = N_(
            "{handshake} It comes before the first word of SMTP, so there is nothing to forget."
        )
    else:
        then = N_(
            "{handshake} Both sides are back at the start, "
            "and must forget what was said in the clear."
        )
    return Text(then, {"handshake": Text(what, values)})


def _command(moment: Moment, event: Command) -> Text:
    values: dict[str, str | int | Text] = {
        "argument": event.argument,
        "verb": event.verb or event.argument[:40],
        "path": f"<{smtp.mail_parameters(event.argument)[0]}>",
        "mechanism": event.argument.split(" ")[0],
    }
    if event.stale:
        return Text(
            N_(
                "The server takes {verb} out of its old buffer, as if it had come inside TLS. "
                "It came in the clear, before the handshake."
            ),
            values,
        )
    if event.by == "message" and event.verb not in smtp.VERBS:
        return Text(
            N_("A line of the message. The server takes it for a command, which it does not know.")
        )
    if event.by == "message":
        return Text(
            N_("{verb} stands in the message. The server takes it for a command of the client's."),
            values,
        )
    if event.by == "middlebox" and event.verb == "PROXY":
        return Text(
            N_(
                "A proxy on the path says whose connection it passes on, before all else. "
                "This server does not expect that, and takes it for a command."
            )
        )
    if event.by == "middlebox":
        return Text(
            N_("Someone on the path injects a command: {verb}. The client never sent it."), values
        )
    if event.verb in ("EHLO", "LHLO"):
        if moment.first_inside:
            return Text(
                N_(
                    "The client introduces itself again, now inside TLS, as {argument}, "
                    "and asks anew what the server offers."
                ),
                values,
            )
        return Text(
            N_("The client introduces itself as {argument} and asks what the server offers."),
            values,
        )
    if event.verb in COMMANDS:
        return Text(COMMANDS[event.verb], values)
    return Text(N_("The client sends {verb}."), values)


def _reply(moment: Moment, event: Reply) -> Text:
    first = event.lines[0] if event.lines else ""
    if event.stale:
        return Text(
            N_(
                "The client takes this reply out of its old buffer, as if it had come inside TLS. "
                "It came in the clear, before the handshake."
            )
        )
    if event.by == "middlebox":
        return Text(N_("This is not what the server sent: someone on the path wrote it."))
    if event.lost:
        return Text(N_("The server sends this, but it never reaches the client."))
    if not event.code:
        return Text(N_("This is no reply of SMTP."))
    answered = moment.answers
    if (
        isinstance(moment.heard_as, Command)
        and moment.answers is not moment.heard_as
        and answered is not None
    ):
        return Text(
            N_(
                "The client takes this for the answer to {heard}, but it answers the {asked} "
                "that was slipped in."
            )
            if answered.stale
            else N_("The client takes this for the answer to {heard}, but it answers {asked}."),
            {"heard": moment.heard_as.verb, "asked": _asked(answered)},
        )
    verb = answered.verb if isinstance(answered, Command) else ""
    text = first.split(" ", 1)[0]
    values: dict[str, str | int | Text] = {
        "verb": verb or "?",
        "text": first,
        "name": text,
        "code": event.code,
    }
    if verb == "EHLO" and event.code == 250:
        _, keywords = smtp.parse_ehlo_reply(event.lines)
        if not text.strip():
            return Text(N_("The server gives the list of what it offers here."))
        if not keywords:
            return Text(N_("The server gives its name, {name}, and offers no extension."), values)
        if event.secure and not moment.implicit_tls:
            return Text(
                N_("The server, {name}, gives a new list: what it offers inside TLS."), values
            )
        return Text(
            N_("The server gives its name, {name}, and the list of what it offers here."), values
        )
    is_message = isinstance(answered, Message)
    if event.code in CODES and event.code != 554 and not (is_message and event.code == 500):
        return Text(CODES[event.code], values)
    kind = event.code // 100
    if (verb, kind) in REPLIES and not (verb == "QUIT" and kind == 2 and event.code != 221):
        return Text(REPLIES[verb, kind], values)
    if is_message:
        return Text(
            N_("The server accepts the message and takes responsibility for it.")
            if kind == 2
            else N_("The server does not accept the message."),
            values,
        )
    if isinstance(answered, AuthResponse):
        return Text(REPLIES.get(("AUTH", kind), N_("The server answers {code}.")), values)
    if isinstance(answered, Connect) or (answered is None and event.code == 220):
        if kind == 2:
            return Text(N_("The server greets: it is ready, and says its name."), values)
        return Text(N_("The server does not want to talk: {text}"), values)
    if event.code in CODES:
        return Text(CODES[event.code], values)
    return Text(N_("The server answers {code}."), values)


def _asked(answered: AnyEvent) -> str | Text:
    match answered:
        case Command(by="message", verb=verb) if verb not in smtp.VERBS:
            return Text(N_("a line of the message"))
        case Message():
            return Text(N_("the message"))
    return str(getattr(answered, "verb", "?"))


def _failed(moment: Moment, event: Handshake) -> Text:
    certificate = event.server_certificate
    values: dict[str, str | int | Text] = {
        "names": ", ".join(certificate.names) if certificate else "?",
        "server": _server_name(moment),
        "detail": event.detail,
    }
    error: str = event.error
    if error == "name-mismatch" and "?" in (values["names"], values["server"]):
        error = "name-mismatch unnamed"
    template = HANDSHAKE_ERRORS.get(error, N_("The handshake fails: {detail}"))
    return Text(template, values)


def _server_name(moment: Moment) -> str:
    name = moment.before.find("client", "name")
    if name:
        return name.value or name.name
    return "?"


def _end(event: Disconnect) -> Text:
    who = {"client": N_("the client"), "server": N_("the server")}.get(
        event.by, N_("someone on the path")
    )
    values: dict[str, str | int | Text] = {"who": Text(who)}
    match event.reason:
        case "quit":
            return Text(N_("The connection is closed in good order."))
        case "given up":
            return Text(N_("The client cannot have what it requires, and leaves."))
        case "timeout":
            return Text(N_("Nothing more came in time: the connection is given up."))
        case "cut":
            return Text(N_("The connection is cut by {who}."), values)
    return Text(N_("The connection is closed by {who} in the middle of the session."), values)
