"""smtplib, as its documentation has it; BARE: commands by hand after starttls()."""

import os
import smtplib
import ssl
import sys

host, port = sys.argv[1:]
context = ssl.create_default_context() if os.environ["CONTEXT"] else None
with smtplib.SMTP(host, int(port), local_hostname="client.example", timeout=10) as client:
    client.starttls(context=context)
    if os.environ.get("BARE"):
        client.docmd("MAIL", "FROM:<a@example.org>")
        client.docmd("RCPT", "TO:<b@example.org>")
        client.data("Subject: survey\r\n\r\nhi\r\n")
    else:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: survey\r\n\r\nhi\r\n")
