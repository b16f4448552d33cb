"""What the fields of SMTP lines and TLS records are for, in a sentence each.

Keyed by the names that `tls.fields` and `wire` give them; a field that is not here speaks for
itself. `{value}` is what its octets say.
"""

from __future__ import annotations

from simulator.language import N_

SMTP = {
    "verb": N_("The verb: what the client asks for."),
    "code": N_("The reply code."),
    "hyphen": N_("A hyphen: more lines of this reply follow."),
    "space": N_("A space."),
    "last-line": N_("A space behind the code: this is the last line of the reply."),
    "argument": N_("The argument of the command."),
    "enhanced-code": N_("The enhanced status code."),
    "text": N_("Text for people."),
    "server-name": N_("The server's name."),
    "keyword": N_("An EHLO keyword: something that the server offers."),
    "parameters": N_("The parameters of the keyword."),
    "line-end": N_("CR and LF: the end of the line."),
    "bare-line-end": N_("LF without CR: SMTP wants both at the end of a line."),
    "response": N_("One side of a login, in Base64: readable by anyone who sees it."),
    "header": N_("The header of the message."),
    "empty-line": N_("An empty line: here the header ends and the body begins."),
    "body": N_("The body of the message."),
    "lone-dot": N_("A dot alone on its line: the message ends here."),
    "unknown": N_("No event of the session speaks of these octets."),
}

RECORD = {
    "content_type": N_("Type of the record: {value}."),
    "record_version": N_("The record says {value}; what is agreed stands in the ServerHello."),
    "record_length": N_("Octets that follow: {value}."),
    "change_cipher_spec_type": N_("Always 1: there is nothing else that this record could say."),
    "level": N_("How grave it is: {value}."),
    "description": N_("The alert: {value}."),
    "nonce": N_("The part of the nonce that is sent: never the same twice under one key."),
    "ciphertext": N_("Encrypted: without the key nothing can be read here but the length."),
    "tag": N_("The authentication tag: by it the receiver notices any change on the path."),
    "unread": N_("This does not fit what should stand here, or the record ends too soon."),
    "not_tls": N_("No TLS record begins here."),
}

HANDSHAKE = {
    "HelloRequest": N_("The server would like to shake hands again."),
    "ClientHello": N_("The client says what it can do, and whom it wants to reach."),
    "ServerHello": N_(
        "The server chooses the version and the cipher suite; in TLS 1.3 its share of the key is "
        "here too."
    ),
    "HelloRetryRequest": N_(
        "The server asks for another ClientHello, with a key share of a group that it can use."
    ),
    "NewSessionTicket": N_("A ticket by which the client may take a shorter way next time."),
    "Certificate": N_("Certificates, readable by anyone who listens: this is not TLS 1.3."),
    "ServerKeyExchange": N_(
        "The server's share of the key, signed by the key that its certificate names."
    ),
    "CertificateRequest": N_("The server asks the client for a certificate too."),
    "ServerHelloDone": N_("The server has said all; it is the client's turn."),
    "CertificateVerify": N_("The proof that the private key to the certificate is at hand."),
    "ClientKeyExchange": N_("The client's share of the key."),
    "CertificateStatus": N_("What the issuer says: whether the certificate has been revoked."),
    "Finished": N_("A keyed hash (MAC) of the whole handshake: both sides heard the same."),
    "msg_type": N_("Type of the message: {value}."),
    "length": N_("Octets that follow: {value}."),
    "version": N_(
        "{value}; a version above TLS 1.2 is agreed in the extension supported_versions."
    ),
    "random": N_("32 random octets; the key log lists the secrets of a session by the client's."),
    "session_id": N_(
        "A name for the session; in TLS 1.3 only there because old devices expect it."
    ),
    "cipher_suites": N_("The cipher suites that the client can use, the best first."),
    "cipher_suite": N_("Cipher suite: {value}."),
    "compression_methods": N_("Compression: none any more, since compressing gave secrets away."),
    "compression_method": N_("Compression: {value}."),
    "extensions": N_("The extensions, each with type and length."),
    "extension_type": N_("Type of the extension: {value}."),
    "server_name_list": N_("The names that the client asks for."),
    "name_type": N_("Type of the name: {value}."),
    "host_name": N_("The server's name, readable by anyone who listens: {value}"),
    "named_group_list": N_("The groups, the best first."),
    "named_group": N_("Group: {value}."),
    "ec_point_format": N_("Format of points: {value}."),
    "supported_signature_algorithms": N_("The signature algorithms, the best first."),
    "signature_scheme": N_("Signature algorithm: {value}."),
    "protocol_name": N_("Protocol: {value}."),
    "supported_version": N_("The client can speak {value}."),
    "selected_version": N_("The server chooses {value}."),
    "ke_mode": N_("Mode: {value}."),
    "group": N_("Group: {value}."),
    "selected_group": N_("The server wants the group {value}."),
    "key_exchange": N_("A public key, made for this session only."),
    "client_shares": N_("Key shares, sent on the chance that the server can use their groups."),
    "certificate_list": N_(
        "The chain: the owner's certificate first, then that of whoever signed it."
    ),
    "certificate": N_("One X.509 certificate, in DER."),
    "curve_type": N_("How the group is given: {value}."),
    "server_public_key": N_("The server's public key, made for this session only."),
    "client_public_key": N_("The client's public key, made for this session only."),
    "encrypted_premaster_secret": N_(
        "The secret, encrypted to the server's certificate: whoever gets that private key later "
        "can read this session."
    ),
    "signature": N_("The signature."),
    "dh_p": N_("The prime of the Diffie-Hellman group."),
    "dh_g": N_("The generator of the Diffie-Hellman group."),
    "certificate_types": N_("Kinds of certificates that the server takes."),
    "certificate_type": N_("Kind of certificate: {value}."),
    "certificate_authorities": N_("Issuers that the server trusts."),
    "distinguished_name": N_("The name of an issuer, in DER."),
    "ticket_lifetime": N_("The ticket is good for {value} seconds."),
    "ticket": N_("The ticket; only the server can read it."),
    "identity": N_("A ticket from an earlier session."),
    "binder": N_("The proof that the client knows the secret that belongs to the ticket."),
    "verify_data": N_("The MAC."),
    "cookie": N_("To be sent back as it is."),
    "versions": N_("The versions that the client can speak, the best first."),
    "ke_modes": N_("The modes that the client can use."),
    "ec_point_format_list": N_("The formats that it can read."),
    "protocol_name_list": N_("The protocols, the best first."),
    "renegotiated_connection": N_("Empty: this is the first handshake on the connection."),
    "identities": N_("Tickets from earlier sessions."),
    "obfuscated_ticket_age": N_("How old the ticket is, made unreadable for others."),
    "binders": N_("A proof for each ticket."),
    "selected_identity": N_("The server takes the ticket number {value}, counted from 0."),
    "status_type": N_("Kind of status: {value} (1 is OCSP)."),
    "responder_id_list": N_("Whose word counts; empty: that of anyone who may give it."),
    "request_extensions": N_("Further wishes for the status."),
    "ocsp_response": N_("What the issuer says, signed (OCSP)."),
    "max_fragment_length": N_(
        "The most that a record may hold: {value} (1 is 512 octets, 4 is 4096)."
    ),
    "record_size_limit": N_("The most octets that a record may hold: {value}."),
    "padding": N_("Octets without meaning."),
    "algorithms": N_("The ways of compressing, the best first."),
    "algorithm": N_("Compression: {value}."),
}

EXTENSIONS = {
    "server_name": N_("The server that the client wants to reach, in the clear."),
    "max_fragment_length": N_("Records shall be small."),
    "status_request": N_("The client asks for word from the issuer that nothing is revoked."),
    "supported_groups": N_("Groups for the key exchange."),
    "ec_point_formats": N_("How points on a curve are written."),
    "signature_algorithms": N_("Signatures that it can check."),
    "signature_algorithms_cert": N_("Signatures on certificates that it can check."),
    "application_layer_protocol_negotiation": N_("The protocols that may be spoken inside."),
    "signed_certificate_timestamp": N_("Asks for the proof that the certificate was published."),
    "padding": N_("Nothing: it makes the message longer."),
    "encrypt_then_mac": N_("A safer order for the older cipher suites."),
    "extended_master_secret": N_("The keys shall depend on the whole handshake."),
    "record_size_limit": N_("Records shall be small."),
    "compress_certificate": N_("Certificates may come compressed."),
    "session_ticket": N_("Tickets for a shorter handshake next time are welcome."),
    "pre_shared_key": N_("A secret from an earlier session shall be used again."),
    "early_data": N_("Data follow before the handshake is over."),
    "supported_versions": N_("The versions that can really be spoken."),
    "cookie": N_("The server's cookie."),
    "psk_key_exchange_modes": N_("How a secret of an earlier session may be used."),
    "certificate_authorities": N_("Issuers that are trusted."),
    "post_handshake_auth": N_("The client may be asked for its certificate later."),
    "key_share": N_("The public keys from which both sides work out the same secret."),
    "renegotiation_info": N_("Guards a second handshake on this connection."),
}

CONTINUED = N_("The rest of {name}, which began in the record before.")
INSTEAD_OF_TLS = N_("Plain text where the client expects TLS: over this the handshake fails.")
HANDSHAKE_RECORD = N_("A TLS record of the handshake, readable by anyone: {messages}.")
ALERT_RECORD = N_("A TLS alert, readable by anyone: {value}.")
CHANGE_CIPHER_SPEC = N_("From here on this side encrypts (the record itself says no more).")
CHANGE_CIPHER_SPEC_1_3 = N_(
    "Means nothing in TLS 1.3: it is there for devices on the path that expect it."
)
SEALED_HANDSHAKE = N_("The end of the handshake, already encrypted: Finished.")
SEALED_ALERT = N_("An alert, encrypted: most likely close_notify, the end of TLS.")
SEALED_CERTIFICATE = N_(
    "Encrypted from here on, the rest of the handshake too. In TLS 1.2 the server's certificate "
    "would stand here in the clear; in TLS 1.3 an observer does not see it."
)
SEALED_1_3 = N_(
    "Encrypted handshake. TLS 1.3 calls all that is encrypted application_data: what it really is "
    "stands inside."
)
SEALED_ASIDE = N_(
    "Encrypted, and no SMTP: what it is stands inside (a session ticket, for example, or the "
    "close_notify at the end)."
)
CERTIFICATE_CLEAR = N_(
    "The certificate stands here in the clear: an observer reads that it is for {names}. "
    "In TLS 1.3 it would be encrypted."
)
