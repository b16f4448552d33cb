"""The two ends of a TLS connection in memory, for a session whose sides are played by hand."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from simulator import tls
from simulator.lab import certificates
from simulator.session import Side

_AT_ONCE = 16 * 1024


class Ends:
    """Both ends. `checked`: whether the client looks at the certificate, which is for `host`."""

    def __init__(self, host: str, *, checked: bool) -> None:
        self._in: dict[Side, ssl.MemoryBIO] = {s: ssl.MemoryBIO() for s in ("client", "server")}
        self._out: dict[Side, ssl.MemoryBIO] = {s: ssl.MemoryBIO() for s in ("client", "server")}
        trusting = certificates.client_context("1.3", host, verify=checked, certificate=False)
        self.client = trusting.wrap_bio(
            self._in["client"], self._out["client"], server_hostname=host
        )
        showing = certificates.server_context("valid", host)
        self.server = showing.wrap_bio(self._in["server"], self._out["server"], server_side=True)
        self.client_random = b""

    def shake_hands(self) -> Iterator[tuple[Side, bytes]]:
        """The flights of the handshake: to whom, and the octets."""
        done = 0
        while done < 2:
            done = 0
            for end, by, to in self._ways():
                try:
                    end.do_handshake()
                    done += 1
                except ssl.SSLWantReadError:
                    pass
                if data := self._out[by].read():
                    self.client_random = self.client_random or tls.client_random(data)
                    self._in[to].write(data)
                    yield to, data
        self._drain(self.client)

    def _ways(self) -> tuple[tuple[ssl.SSLObject, Side, Side], ...]:
        return ((self.client, "client", "server"), (self.server, "server", "client"))

    def packed(self, to: Side, raw: bytes) -> bytes:
        """What is said to that side, as records; the side reads them."""
        by: Side = "server" if to == "client" else "client"
        (self.client if by == "client" else self.server).write(raw)
        data = self._out[by].read()
        self._in[to].write(data)
        self._drain(self.client if to == "client" else self.server)
        return data

    def _drain(self, end: ssl.SSLObject) -> None:
        try:
            while end.read(_AT_ONCE):
                pass
        except ssl.SSLWantReadError:
            pass
