"""The lab in memory: a network, TLS and certificates that need no socket, no thread, no OpenSSL.

What a browser's Python lacks is made up for here; client, server, middlebox and tap stay what they
are. TLS is a real handshake by tlslite-ng, in Python: slow, not constant-time, and for looking at.
"""
