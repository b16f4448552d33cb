"""What the pages of the lab say, in English; the catalogues have it in other languages."""

from simulator.language import N_

LABELS = (
    N_("SMTP lab"),
    N_("Sessions"),
    N_("Classroom"),
    N_("Ports"),
    N_("Search"),
    N_("all ports"),
    N_("Clear all"),
    N_("Nobody has connected yet. Point a client at one of the ports:"),
    N_("Nothing found."),
    N_("still talking"),
    N_("live"),
    N_("not connected to the lab"),
    N_("Pin"),
    N_("Unpin"),
    N_("Beside it"),
    N_("Take it away"),
    N_("Remove"),
    N_("Message"),
    N_("Download"),
    N_("rules broken: {rules}"),
    N_("{dropped} older sessions were dropped to make room."),
    N_("{size} octets"),
    N_("Choose a session."),
    N_("This session is gone."),
    N_("Client"),
    N_("On the path"),
    N_("nothing"),
    N_("takes STARTTLS away"),
    N_("masks STARTTLS with X"),
    N_("adds AUTH PLAIN to the list"),
    N_("injects a command"),
    N_("injects a reply"),
    N_("Server"),
    N_("Change"),
    N_("Changed: it applies to whoever connects from now on."),
    N_("not yet"),
    N_("inside TLS"),
    N_("in the clear"),
    N_("fooled"),
    N_("refused"),
    N_("gives up"),
    N_("broken off"),
    N_("Pick a view"),
    N_("Policy of the server, as JSON"),
    N_("The certificate that your client must trust"),
    N_("Scoreboard"),
    N_("Passed"),
    N_(
        "Deliver one message to each of these servers as it deserves, in any language, and verify "
        "the certificate. Each client is known here by the name in its EHLO; its last connection "
        "to a server counts."
    ),
    N_("passed"),
    N_("failed"),
    N_("{good} of {total}"),
    N_("Skip to content"),
    N_("Language"),
    N_("By hand"),
)

HAND = (
    N_("By hand"),
    N_("Client"),
    N_("Server"),
    N_("Sessions"),
    N_("live"),
    N_("not connected to the lab"),
    N_("Skip to content"),
    N_("Language"),
    N_(
        "Two people play one session: one says what the client says, the other what the server "
        "answers, each on a page of their own. Whatever is against the rules stands, with the rule "
        "beside it."
    ),
    N_("New session"),
    N_("The other side plays at this address:"),
    N_("It is your turn."),
    N_("It is the other side's turn."),
    N_("You may say"),
    N_("Nothing: wait for the other side."),
    N_("A line of your own"),
    N_("Text of the message; the dot at its end is added"),
    N_("Say"),
    N_("Handshake, and check the certificate"),
    N_("Handshake, and trust whoever it is"),
    N_("Close the connection"),
    N_("What was said"),
    N_("What the client knows of the server"),
    N_("What the server knows of the client"),
    N_("Nothing."),
    N_("Forgotten"),
    N_("inside TLS"),
    N_("in the clear"),
    N_("Against the rules:"),
    N_("Both sides forget"),
    N_("The session is over."),
    N_("The session is over. Here it is, explained:"),
    N_(
        "This session can no longer be played: the lab was restarted, or it made room for newer "
        "ones."
    ),
    N_("This session is gone."),
)
"""The pages on which a session is played by hand."""
