"""Why an SMTP client says EHLO twice when TLS is on: replayed, explained, shown."""
