"""Django's mail, as its documentation has it."""

import os
import smtplib
import sys

import django
from django.conf import settings
from django.core.mail import send_mail

smtplib.SMTP.debuglevel = int(bool(os.environ.get("VERBOSE")))
settings.configure(
    EMAIL_HOST=sys.argv[1],
    EMAIL_PORT=int(sys.argv[2]),
    EMAIL_USE_TLS=True,
    EMAIL_TIMEOUT=10,
)
django.setup()
send_mail("survey", "hi", "a@example.org", ["b@example.org"])
