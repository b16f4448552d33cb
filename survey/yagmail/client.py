"""yagmail without a login, as its documentation has it."""

import sys

import yagmail

host, port = sys.argv[1:]
yagmail.SMTP(
    "a@example.org",
    host=host,
    port=int(port),
    smtp_starttls=True,
    smtp_ssl=False,
    smtp_skip_login=True,
    soft_email_validation=False,
    timeout=10,
    local_hostname="client.example",
).send("b@example.org", "survey", "hi")
