"""aiosmtplib, as its documentation has it."""

import asyncio
import sys

import aiosmtplib

host, port = sys.argv[1:]
asyncio.run(
    aiosmtplib.send(
        "Subject: survey\r\n\r\nhi\r\n",
        sender="a@example.org",
        recipients=["b@example.org"],
        hostname=host,
        port=int(port),
        start_tls=True,
        local_hostname="client.example",
        timeout=10,
    )
)
